/* topic.c - see topic_impl.h; and the readers' side of topics, log.h. */
#include "storage/topic_impl.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/reader.h"
#include "storage/cluster_impl.h"

/* == One topic ================================================================================ */

char *topic_folder(const char *folder, uint32_t id) {
    Buf buf = {0};
    buf_printf(&buf, "%s/topics/%u", folder, id);
    char *path = mem_strdup(buf_cstr(&buf));
    buf_free(&buf);
    return path;
}

Topic *topic_new(Io *io, const char *folder, uint32_t id, const char *name, uint32_t partitions) {
    assert(partitions <= PARTITIONS_MAX);
    assert(partitions > 0);
    Topic *topic = mem_alloc(sizeof *topic);
    atomic_init(&topic->refs, 1);
    topic->id = id;
    topic->partition_count = partitions;
    topic->name = mem_strdup(name);
    topic->partitions = mem_array(partitions, sizeof *topic->partitions);
    topic->next_offsets = mem_array(partitions, sizeof *topic->next_offsets);
    topic->seen_ends = mem_array(partitions, sizeof *topic->seen_ends);
    topic->adding = mem_array(partitions, sizeof *topic->adding);
    char *path = topic_folder(folder, id);
    Buf buf = {0};
    for (uint32_t i = 0; i < partitions; i++) {
        buf_reset(&buf);
        buf_printf(&buf, "%s/%u", path, i);
        topic->partitions[i] = partition_new(io, buf_cstr(&buf), (TopicPartition){id, i});
    }
    buf_free(&buf);
    mem_free(path);
    return topic;
}

bool topic_valid(Bytes name, uint32_t partitions) {
    return name.size > 0 && name.size <= TOPIC_NAME_BYTES_MAX &&
           !memchr(name.data, 0, name.size) && partitions > 0 && partitions <= PARTITIONS_MAX;
}

Topic *topic_new_from(Io *io, const char *folder, uint32_t id, Bytes value) {
    assert(value.size > 4);
    Reader reader = reader_of(value);
    uint32_t partitions = reader_u32_le(&reader);
    char name[TOPIC_NAME_BYTES_MAX + 1] = {0};
    assert(topic_valid((Bytes){reader.next, reader_left(&reader)}, partitions));
    memcpy(name, reader.next, reader_left(&reader));
    return topic_new(io, folder, id, name, partitions);
}

void topic_unref(Topic *topic) {
    assert(atomic_load(&topic->refs) > 0);
    assert(topic);
    if (atomic_fetch_sub(&topic->refs, 1) > 1)
        return;
    for (uint32_t i = 0; i < topic->partition_count; i++)
        partition_free(topic->partitions[i]);
    mem_free(topic->partitions);
    mem_free(topic->next_offsets);
    mem_free((void *)topic->seen_ends);
    mem_free(topic->adding);
    mem_free(topic->name);
    mem_free(topic);
}

static Topic *topic_ref(Topic *topic) {
    assert(atomic_load(&topic->refs) > 0);
    atomic_fetch_add(&topic->refs, 1);
    return topic;
}

/* == The table ================================================================================ */

void topics_init(TopicTable *table) {
    *table = (TopicTable){0};
    lock_init(&table->lock);
}

void topics_close(TopicTable *table) {
    assert(!table->topics || table->capacity >= table->count);
    for (size_t i = 0; i < table->count; i++)
        topic_unref(table->topics[i]);
    while (table->dropped) {
        Topic *topic = table->dropped;
        table->dropped = topic->next_dropped;
        topic_unref(topic);
    }
    mem_free(table->topics);
    lock_close(&table->lock);
}

/* With the lock held: where the id is, or would be. */
static bool topics_search(const TopicTable *table, uint32_t id, size_t *index) {
    assert(index);
    assert(table->count <= table->capacity);
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->topics[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    *index = low;
    return low < table->count && table->topics[low]->id == id;
}

Topic *topics_find(TopicTable *table, uint32_t id) {
    assert(table);
    size_t index;
    lock_take(&table->lock);
    Topic *topic = topics_search(table, id, &index) ? topic_ref(table->topics[index]) : NULL;
    lock_release(&table->lock);
    return topic;
}

Topic *topics_find_name(TopicTable *table, const char *name) {
    assert(name);
    Topic *topic = NULL;
    lock_take(&table->lock);
    for (size_t i = 0; i < table->count && !topic; i++)
        if (strcmp(table->topics[i]->name, name) == 0)
            topic = topic_ref(table->topics[i]);
    lock_release(&table->lock);
    return topic;
}

void topics_add(TopicTable *table, Topic *topic) {
    assert(topic->partition_count > 0);
    assert(atomic_load(&topic->refs) > 0);
    size_t index;
    lock_take(&table->lock);
    bool there = topics_search(table, topic->id, &index);
    assert(!there);
    (void)there;
    table->topics = mem_grow(table->topics, &table->capacity, table->count + 1,
                             sizeof(Topic *));
    memmove(table->topics + index + 1, table->topics + index,
            (table->count - index) * sizeof(Topic *));
    table->topics[index] = topic;
    table->count++;
    lock_release(&table->lock);
}

void topics_drop(TopicTable *table, uint32_t id, uint64_t lsn) {
    size_t index;
    lock_take(&table->lock);
    bool there = topics_search(table, id, &index);
    assert(there);
    (void)there;
    Topic *topic = table->topics[index];
    table->count--;
    memmove(table->topics + index, table->topics + index + 1,
            (table->count - index) * sizeof(Topic *));
    topic->dropped_lsn = lsn;
    topic->next_dropped = table->dropped;
    table->dropped = topic;
    lock_release(&table->lock);
}

Topic **topics_all(TopicTable *table, size_t *count) {
    assert(count);
    lock_take(&table->lock);
    assert(table->count <= table->capacity);
    Topic **all = mem_array(table->count, sizeof(Topic *));
    *count = table->count;
    for (size_t i = 0; i < table->count; i++)
        all[i] = topic_ref(table->topics[i]);
    lock_release(&table->lock);
    return all;
}

Topic *topics_take_dropped(TopicTable *table, uint64_t lsn) {
    assert(table);
    Topic *taken = NULL;
    lock_take(&table->lock);
    for (Topic **where = &table->dropped; *where;) {
        Topic *topic = *where;
        if (topic->dropped_lsn > lsn) {
            where = &topic->next_dropped;
            continue;
        }
        *where = topic->next_dropped;
        topic->next_dropped = taken;
        taken = topic;
    }
    lock_release(&table->lock);
    return taken;
}

/* == log.h ==================================================================================== */

static bool topic_describe(Topic *topic, LogTopic *target) {
    assert(target);
    if (!topic)
        return false;
    assert(strlen(topic->name) < sizeof target->name);
    target->id = topic->id;
    target->partition_count = topic->partition_count;
    memcpy(target->name, topic->name, strlen(topic->name) + 1);
    topic_unref(topic);
    return true;
}

bool log_topic_find(Storage *storage, const char *name, LogTopic *topic) {
    Err ignored; /* then there is none that could be used */
    return log_topic_look(storage, name, topic, &ignored) == ERR_OK;
}

ErrCode log_topic_look(Storage *storage, const char *name, LogTopic *topic, Err *err) {
    assert(name);
    if (topic_describe(topics_find_name(&storage->topics, name), topic))
        return ERR_OK;
    if (storage->cluster)
        return cluster_topic_find(storage, name, topic, err);
    return err_set(err, ERR_NOT_FOUND, "there is no topic %s", name);
}

bool log_topic_get(Storage *storage, uint32_t topic_id, LogTopic *topic) {
    if (topic_describe(topics_find(&storage->topics, topic_id), topic))
        return true;
    return storage->cluster && cluster_topic_get(storage, topic_id, topic);
}

static int by_name(const void *left, const void *right) {
    return strcmp(((const LogTopic *)left)->name, ((const LogTopic *)right)->name);
}

void log_topics(Storage *storage, Arena *arena, LogTopic **topics, uint32_t *count) {
    assert(topics && count);
    size_t all_count;
    Topic **all = topics_all(&storage->topics, &all_count);
    *topics = arena_array(arena, all_count, sizeof **topics);
    *count = (uint32_t)all_count;
    for (size_t i = 0; i < all_count; i++)
        topic_describe(all[i], &(*topics)[i]);
    if (storage->cluster)
        cluster_topics_add(storage, arena, topics, count);
    if (*count > 1)
        qsort(*topics, *count, sizeof **topics, by_name);
    mem_free(all);
}

/* The partition, and a reference to its topic that keeps it. */
static ErrCode partition_find(Storage *storage, TopicPartition where, Topic **topic,
                              Partition **partition, Err *err) {
    assert(topic && partition);
    *partition = NULL;
    *topic = topics_find(&storage->topics, where.topic_id);
    if (!*topic)
        return err_set(err, ERR_NOT_FOUND, "there is no topic with id %u", where.topic_id);
    if (where.partition >= (*topic)->partition_count) {
        topic_unref(*topic);
        return err_set(err, ERR_NOT_FOUND, "topic id %u has no partition %u", where.topic_id,
                       where.partition);
    }
    *partition = (*topic)->partitions[where.partition];
    return ERR_OK;
}

ErrCode log_offsets(Storage *storage, TopicPartition where, int64_t *start, int64_t *end,
                    Err *err) {
    if (storage->cluster)
        return cluster_offsets(storage, where, false, start, end, err);
    Topic *topic;
    Partition *partition;
    TRY(partition_find(storage, where, &topic, &partition, err));
    partition_offsets(partition, start, end);
    assert(*start <= *end);
    topic_unref(topic);
    return ERR_OK;
}

ErrCode log_offsets_now(Storage *storage, TopicPartition where, int64_t *start, int64_t *end,
                        Err *err) {
    assert(start && end);
    if (storage->cluster)
        return cluster_offsets(storage, where, true, start, end, err);
    return log_offsets(storage, where, start, end, err);
}

ErrCode log_bytes(Storage *storage, TopicPartition where, uint64_t *bytes, Err *err) {
    assert(bytes);
    *bytes = 0;
    if (storage->cluster)
        return ERR_OK;
    Topic *topic;
    Partition *partition;
    TRY(partition_find(storage, where, &topic, &partition, err));
    *bytes = partition_bytes(partition);
    topic_unref(topic);
    return ERR_OK;
}

ErrCode log_bytes_growing(Storage *storage, TopicPartition where, uint64_t *bytes, Err *err) {
    assert(bytes);
    *bytes = 0;
    if (storage->cluster)
        return ERR_OK;
    Topic *topic;
    Partition *partition;
    TRY(partition_find(storage, where, &topic, &partition, err));
    *bytes = partition_bytes_growing(partition);
    topic_unref(topic);
    return ERR_OK;
}

ErrCode log_retention_start(Storage *storage, TopicPartition where, const LogRetention *retention,
                            int64_t now_ms, int64_t *start, Err *err) {
    assert(retention && start);
    Topic *topic;
    Partition *partition;
    TRY(partition_find(storage, where, &topic, &partition, err));
    *start = partition_retention_start(partition, retention, now_ms);
    topic_unref(topic);
    return ERR_OK;
}

ErrCode log_roll(Storage *storage, TopicPartition where, Err *err) {
    assert(storage);
    Topic *topic;
    Partition *partition;
    TRY(partition_find(storage, where, &topic, &partition, err));
    partition_want_seal(partition);
    topic_unref(topic);
    return ERR_OK;
}

ErrCode log_fetch(Storage *storage, TopicPartition where, int64_t offset, uint32_t bytes_max,
                  LogBlock **block, Err *err) {
    assert(block);
    if (storage->cluster)
        return cluster_fetch(storage, where, offset, block, err);
    Topic *topic;
    Partition *partition;
    *block = NULL;
    TRY(partition_find(storage, where, &topic, &partition, err));
    ErrCode code = partition_fetch(partition, offset, bytes_max, block, err);
    topic_unref(topic);
    return code;
}

ErrCode log_fetch_wait(Storage *storage, TopicPartition where, int64_t offset, uint32_t bytes_max,
                       LogBlock **block, Err *err) {
    assert(block);
    if (storage->cluster)
        return cluster_fetch_wait(storage, where, offset, block, err);
    return log_fetch(storage, where, offset, bytes_max, block, err);
}

ErrCode log_fetch_on(Storage *storage, TopicPartition where, int64_t offset,
                     const LogBlock *before, LogBlock **block, Err *err) {
    assert(block);
    if (storage->cluster)
        return cluster_fetch(storage, where, offset, block, err);
    Topic *topic;
    Partition *partition;
    *block = NULL;
    TRY(partition_find(storage, where, &topic, &partition, err));
    ErrCode code = partition_fetch_on(partition, offset, before, block, err);
    topic_unref(topic);
    return code;
}

void log_listen(Storage *storage, LogListenerFn *listener, void *context) {
    assert(storage);
    assert(listener || !context);
    lock_take(&storage->listen_lock);
    storage->listener = listener;
    storage->listener_context = context;
    lock_release(&storage->listen_lock);
}
