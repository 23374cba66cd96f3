/* cluster.c - see cluster.h and cluster_impl.h: a storage's topics where a cluster has them. */
#include "storage/cluster_impl.h"

#include <assert.h>

#include "base/mem.h"

enum { CLUSTER_WAIT_US = 500, FETCH_WAIT_US = 10000, FETCH_WAITS_MAX = 3000 };

/* == Attaching ================================================================================ */

static void cluster_topics_free(ClusterTopics *table) {
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        mem_free(table->topics[i]);
    mem_free(table->topics);
    signal_close(&table->arrived);
    lock_close(&table->lock);
    mem_free(table);
}

/* Its last answers are on their way through the writer. */
static void cluster_settle(Storage *storage) {
    assert(storage->cluster);
    while (atomic_load(&storage->remote_count) > 0) {
        Err ignored; /* who waits for a commit is told */
        if (!storage->threads_running)
            (void)!storage_pump(storage, &ignored);
        lock_take(&storage->queue_lock);
        if (storage->threads_running)
            (void)signal_wait_for(&storage->changed, &storage->queue_lock, CLUSTER_WAIT_US);
        lock_release(&storage->queue_lock);
    }
}

void storage_attach(Storage *storage, Cluster *cluster) {
    assert(!cluster || cluster->ops);
    assert(!storage->cluster || !cluster);
    if (storage->cluster)
        cluster_settle(storage);
    storage->cluster = NULL;
    cluster_topics_free(storage->cluster_topics);
    storage->cluster_topics = NULL;
    if (!cluster)
        return;
    storage->cluster_topics = mem_alloc(sizeof *storage->cluster_topics);
    lock_init(&storage->cluster_topics->lock);
    signal_init(&storage->cluster_topics->arrived);
    storage->cluster = cluster; /* whole: the journal's thread may make a MARK at any time */
}

Cluster *storage_cluster(const Storage *storage) {
    assert(storage);
    return storage->cluster;
}

void storage_notify(Storage *storage, TopicPartition where, int64_t end_offset) {
    assert(storage->cluster);
    assert(end_offset >= 0);
    lock_take(&storage->listen_lock);
    if (storage->listener)
        storage->listener(storage->listener_context, where, end_offset);
    lock_release(&storage->listen_lock);
    lock_take(&storage->cluster_topics->lock);
    signal_all(&storage->cluster_topics->arrived);
    lock_release(&storage->cluster_topics->lock);
}

void storage_await(Storage *storage, int64_t timeout_us) {
    assert(timeout_us > 0);
    ClusterTopics *table = storage->cluster_topics;
    if (!table)
        return;
    lock_take(&table->lock);
    (void)signal_wait_for(&table->arrived, &table->lock, timeout_us);
    lock_release(&table->lock);
}

void storage_seen_end(Storage *storage, TopicPartition where, int64_t end_offset) {
    assert(end_offset >= 0);
    Topic *topic = topics_find(&storage->topics, where.topic_id);
    if (!topic)
        return;
    assert(where.partition < topic->partition_count);
    _Atomic int64_t *seen = &topic->seen_ends[where.partition];
    int64_t before = atomic_load(seen);
    while (before < end_offset && !atomic_compare_exchange_weak(seen, &before, end_offset)) {
    }
    topic_unref(topic);
}

void storage_on_wait(Storage *storage, StorageWaitFn *wait, void *context) {
    assert(storage);
    assert(wait || !context);
    storage->wait = wait;
    storage->wait_context = context;
}

bool storage_wait_on(Storage *storage, const Err *why, int64_t since_ms, uint32_t *memory) {
    assert(memory);
    assert(!why || why->code != ERR_OK);
    return !storage->wait || storage->wait(storage->wait_context, why, since_ms, memory);
}

bool cluster_wait_on(Storage *storage, uint32_t *memory) {
    Cluster *cluster = storage->cluster;
    Err why;
    int64_t since_ms = 0;
    assert(cluster);
    bool troubled = cluster->ops->trouble &&
                    cluster->ops->trouble(cluster, &since_ms, &why) != ERR_OK;
    return storage_wait_on(storage, troubled ? &why : NULL, since_ms, memory);
}

static int64_t seen_end(Storage *storage, TopicPartition where) {
    assert(storage->cluster);
    Topic *topic = topics_find(&storage->topics, where.topic_id);
    if (!topic)
        return 0; /* a borrowed one: nobody here writes it */
    int64_t end = atomic_load(&topic->seen_ends[where.partition]);
    topic_unref(topic);
    return end;
}

void storage_end(Storage *storage, const Err *cause) {
    assert(storage->cluster);
    assert(cause->code != ERR_OK);
    Err ignored; /* whoever comes next is told */
    (void)!storage_fail(storage, cause, &ignored);
}

LogBlock *log_block_own(uint8_t *memory, Bytes part) {
    assert(memory && part.size > 0);
    assert(part.data >= memory);
    return log_block_take_part(memory, part);
}

/* == Topics =================================================================================== */

/* With the lock: the topic of that name, with the id that it has here. */
static LogTopic *borrowed_find(ClusterTopics *table, const char *name) {
    assert(table && name);
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->topics[i]->name, name) == 0)
            return table->topics[i];
    return NULL;
}

static void borrow(ClusterTopics *table, const char *name, uint32_t partitions, LogTopic *topic) {
    assert(table && topic);
    assert(strlen(name) < sizeof topic->name);
    lock_take(&table->lock);
    LogTopic *found = borrowed_find(table, name);
    if (!found) {
        found = mem_alloc(sizeof *found);
        found->id = LOG_TOPIC_BORROWED + (uint32_t)table->count;
        memcpy(found->name, name, strlen(name) + 1);
        table->topics = mem_grow(table->topics, &table->capacity, table->count + 1,
                                 sizeof *table->topics);
        table->topics[table->count++] = found;
    }
    found->partition_count = partitions;
    *topic = *found;
    lock_release(&table->lock);
}

ErrCode cluster_topic_find(Storage *storage, const char *name, LogTopic *topic, Err *err) {
    assert(name && topic);
    Cluster *cluster = storage->cluster;
    uint32_t partitions;
    if (strlen(name) == 0 || strlen(name) >= sizeof topic->name)
        return err_set(err, ERR_NOT_FOUND, "'%s' is no name for a topic", name);
    TRY(cluster->ops->topic_find(cluster, name, &partitions, err));
    borrow(storage->cluster_topics, name, partitions, topic);
    return ERR_OK;
}

bool cluster_topic_get(Storage *storage, uint32_t topic_id, LogTopic *topic) {
    assert(topic);
    ClusterTopics *table = storage->cluster_topics;
    if (topic_id < LOG_TOPIC_BORROWED)
        return false;
    assert(table);
    size_t index = topic_id - LOG_TOPIC_BORROWED;
    lock_take(&table->lock);
    bool there = index < table->count;
    if (there)
        *topic = *table->topics[index];
    lock_release(&table->lock);
    return there;
}

static bool is_among(const LogTopic *topics, uint32_t count, const char *name) {
    assert(name);
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(topics[i].name, name) == 0)
            return true;
    return false;
}

void cluster_topics_add(Storage *storage, Arena *arena, LogTopic **topics, uint32_t *count) {
    assert(topics && count);
    LogTopic *all, *joined;
    uint32_t all_count, known = *count;
    Err ignored; /* what the service knows is there all the same */
    Cluster *cluster = storage->cluster;
    if (cluster->ops->topics(cluster, arena, &all, &all_count, &ignored) != ERR_OK)
        return;
    joined = arena_array(arena, (size_t)known + all_count, sizeof *joined);
    if (known > 0)
        memcpy(joined, *topics, known * sizeof *joined);
    for (uint32_t i = 0; i < all_count; i++)
        if (!is_among(*topics, known, all[i].name))
            borrow(storage->cluster_topics, all[i].name, all[i].partition_count,
                   &joined[(*count)++]);
    *topics = joined;
}

/* == Reading ================================================================================== */

static ErrCode cluster_name_of(Storage *storage, TopicPartition where, LogTopic *topic, Err *err) {
    assert(topic);
    if (!log_topic_get(storage, where.topic_id, topic))
        return err_set(err, ERR_NOT_FOUND, "there is no topic with id %u", where.topic_id);
    if (where.partition >= topic->partition_count)
        return err_set(err, ERR_NOT_FOUND, "topic %s has no partition %u", topic->name,
                       where.partition);
    return ERR_OK;
}

ErrCode cluster_fetch(Storage *storage, TopicPartition where, int64_t offset, LogBlock **block,
                      Err *err) {
    assert(block);
    assert(offset >= 0);
    Cluster *cluster = storage->cluster;
    LogTopic topic;
    *block = NULL;
    TRY(cluster_name_of(storage, where, &topic, err));
    return cluster->ops->fetch(cluster, topic.name, where, offset, block, err);
}

ErrCode cluster_offsets(Storage *storage, TopicPartition where, bool fresh, int64_t *start,
                        int64_t *end, Err *err) {
    assert(start && end);
    Cluster *cluster = storage->cluster;
    LogTopic topic;
    TRY(cluster_name_of(storage, where, &topic, err));
    ClusterOffsets offsets;
    TRY(cluster->ops->offsets(cluster, topic.name, where, fresh, &offsets, err));
    assert(offsets.start <= offsets.end);
    *start = offsets.start;
    *end = seen_end(storage, where);
    if (*end < offsets.end)
        *end = offsets.end;
    return ERR_OK;
}

ErrCode cluster_fetch_wait(Storage *storage, TopicPartition where, int64_t offset,
                           LogBlock **block, Err *err) {
    int64_t start, end;
    TRY(cluster_offsets(storage, where, false, &start, &end, err));
    for (uint32_t i = 0; i < FETCH_WAITS_MAX; i++) {
        TRY(cluster_fetch(storage, where, offset, block, err));
        if (*block || offset >= end)
            return ERR_OK;
        storage_await(storage, FETCH_WAIT_US);
    }
    return err_set(err, ERR_TIMEOUT, "no records have come for %d s",
                   FETCH_WAITS_MAX / (1000000 / FETCH_WAIT_US));
}

/* == By hand ================================================================================== */

void cluster_pump(Storage *storage) {
    assert(!storage->threads_running);
    Cluster *cluster = storage->cluster;
    if (cluster && cluster->ops->pump)
        cluster->ops->pump(cluster);
}

void cluster_wait(Storage *storage) {
    assert(!storage->threads_running);
    if (atomic_load(&storage->remote_count) == 0)
        return;
    lock_take(&storage->queue_lock);
    if (!storage->queue_first)
        (void)signal_wait_for(&storage->work, &storage->queue_lock, CLUSTER_WAIT_US);
    lock_release(&storage->queue_lock);
}
