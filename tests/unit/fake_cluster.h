/*
 * fake_cluster.h - a Cluster in memory for tests: topics that keep what is committed, transactions
 * that commit, abort or answer late, and what a folder that is lost needs to come back.
 *
 * Like Kafka it ends every transaction with a marker, which takes an offset in each partition that
 * got records. By hand (threads false) commits are answered by fake_answer() or storage_pump().
 */
#ifndef TESTS_UNIT_FAKE_CLUSTER_H
#define TESTS_UNIT_FAKE_CLUSTER_H

#include <stdlib.h>

#include "base/hash.h"
#include "base/thread.h"
#include "storage/cluster.h"
#include "tests/unit/storage_bench.h"

enum { FAKE_TOPICS_MAX = 64, FAKE_WAITING_MAX = 256, FAKE_SLOTS = 16 };

typedef struct FakePartition {
    LogBlock **blocks;
    int64_t *ends; /* of each block */
    size_t count, capacity, ends_capacity;
    int64_t end, asked; /* lazy: the offset that was asked for last, plus 1 */
} FakePartition;

typedef struct FakeTopic {
    char name[256];
    uint32_t id, partition_count; /* id: the service's, 0: not yet known */
    bool has_config;
    TopicConfig config;
    FakePartition *partitions;
} FakeTopic;

typedef struct FakeCluster {
    Cluster base; /* first */
    Storage *storage;
    Lock lock;
    FakeTopic topics[FAKE_TOPICS_MAX];
    size_t topic_count;
    Commit *waiting[FAKE_WAITING_MAX];
    size_t waiting_count;
    bool held;       /* pump does not answer: the test does */
    bool lazy;       /* fetch() has nothing when it is asked the first time */
    bool stop;
    Thread thread;   /* fake_start() */
    Signal signal;
    Err refusal;     /* code other than OK: the next commits are refused with it ... */
    uint32_t refusals; /* ... so many; 0: all of them */
    Err fetch_error; /* likewise fetch() */
    Buf *kept;       /* commit_save() of every commit that took effect, in order */
    size_t kept_count, kept_capacity;
    size_t commands, transactions, plain, aborted;
    Buf statement;        /* of the last command */
    uint32_t taken;       /* bits: slots */
    uint32_t stores_open; /* now */
} FakeCluster;

static inline FakeTopic *fake_topic(FakeCluster *fake, const char *name) {
    for (size_t i = 0; i < fake->topic_count; i++)
        if (strcmp(fake->topics[i].name, name) == 0)
            return &fake->topics[i];
    return NULL;
}

static inline FakeTopic *fake_make_topic(FakeCluster *fake, const char *name, uint32_t partitions) {
    assert_true(fake->topic_count < FAKE_TOPICS_MAX);
    FakeTopic *topic = &fake->topics[fake->topic_count++];
    snprintf(topic->name, sizeof topic->name, "%s", name);
    topic->partition_count = partitions;
    topic->partitions = mem_array(partitions, sizeof *topic->partitions);
    return topic;
}

static inline void fake_topic_close(FakeTopic *topic) {
    for (uint32_t p = 0; p < topic->partition_count; p++) {
        FakePartition *part = &topic->partitions[p];
        for (size_t i = 0; i < part->count; i++)
            log_block_unref(part->blocks[i]);
        mem_free(part->blocks);
        mem_free(part->ends);
    }
    mem_free(topic->partitions);
}

static inline void fake_remove_topic(FakeCluster *fake, const char *name) {
    FakeTopic *topic = fake_topic(fake, name);
    if (!topic)
        return;
    fake_topic_close(topic);
    *topic = fake->topics[--fake->topic_count];
}

/* A sealed batch at the partition's end, and behind it the marker. */
static inline int64_t fake_append(FakeTopic *topic, uint32_t partition, Bytes batch) {
    assert_true(partition < topic->partition_count);
    FakePartition *part = &topic->partitions[partition];
    uint8_t *memory = mem_resize(NULL, batch.size);
    memcpy(memory, batch.data, batch.size);
    int64_t base = part->end;
    record_batch_patch(memory, base, 0);
    uint32_t delta = 0;
    for (int i = 0; i < 4; i++)
        delta = delta << 8 | memory[23 + i];
    delta++; /* the marker's */
    for (int i = 0; i < 4; i++)
        memory[23 + i] = (uint8_t)(delta >> (24 - 8 * i));
    uint32_t crc = hash_crc32c(0, (Bytes){memory + 21, batch.size - 21});
    for (int i = 0; i < 4; i++)
        memory[17 + i] = (uint8_t)(crc >> (24 - 8 * i));
    part->end = base + delta + 1;
    part->blocks = mem_grow(part->blocks, &part->capacity, part->count + 1, sizeof(LogBlock *));
    part->ends = mem_grow(part->ends, &part->ends_capacity, part->count + 1, sizeof(int64_t));
    part->blocks[part->count] = log_block_own(memory, (Bytes){memory, batch.size});
    part->ends[part->count++] = part->end;
    return base;
}

/* -- Ops -------------------------------------------------------------------------------------- */

static inline ErrCode fake_topic_find(Cluster *cluster, const char *name, uint32_t *partitions,
                                      Err *err) {
    FakeCluster *fake = (FakeCluster *)cluster;
    lock_take(&fake->lock);
    FakeTopic *topic = fake_topic(fake, name);
    if (topic)
        *partitions = topic->partition_count;
    lock_release(&fake->lock);
    return topic ? ERR_OK : err_set(err, ERR_NOT_FOUND, "there is no topic %s", name);
}

static inline ErrCode fake_topics(Cluster *cluster, Arena *arena, LogTopic **topics,
                                  uint32_t *count, Err *err) {
    FakeCluster *fake = (FakeCluster *)cluster;
    (void)err;
    lock_take(&fake->lock);
    *topics = arena_array(arena, fake->topic_count, sizeof **topics);
    *count = (uint32_t)fake->topic_count;
    for (size_t i = 0; i < fake->topic_count; i++) {
        (*topics)[i].partition_count = fake->topics[i].partition_count;
        snprintf((*topics)[i].name, sizeof (*topics)[i].name, "%s", fake->topics[i].name);
    }
    lock_release(&fake->lock);
    return ERR_OK;
}

static inline ErrCode fake_fetch(Cluster *cluster, const char *name, TopicPartition where,
                                 int64_t offset, LogBlock **block, Err *err) {
    FakeCluster *fake = (FakeCluster *)cluster;
    ErrCode code = ERR_OK;
    lock_take(&fake->lock);
    FakeTopic *topic = fake_topic(fake, name);
    if (fake->fetch_error.code != ERR_OK) {
        *err = fake->fetch_error;
        code = err->code;
    } else if (!topic) {
        code = err_set(err, ERR_NOT_FOUND, "topic %s is gone", name);
    } else {
        FakePartition *part = &topic->partitions[where.partition];
        bool later = fake->lazy && part->asked != offset + 1;
        part->asked = offset + 1;
        for (size_t i = 0; i < part->count && !*block && !later; i++)
            if (part->ends[i] > offset) {
                *block = part->blocks[i];
                log_block_ref(*block);
            }
    }
    lock_release(&fake->lock);
    return code;
}

static inline ErrCode fake_offsets(Cluster *cluster, const char *name, TopicPartition where,
                                   bool fresh, ClusterOffsets *offsets, Err *err) {
    FakeCluster *fake = (FakeCluster *)cluster;
    if (fresh && fake->fetch_error.code != ERR_OK) {
        *err = fake->fetch_error;
        return err->code;
    }
    lock_take(&fake->lock);
    FakeTopic *topic = fake_topic(fake, name);
    offsets->start = 0;
    offsets->end = topic ? topic->partitions[where.partition].end : 0;
    lock_release(&fake->lock);
    return topic ? ERR_OK : err_set(err, ERR_NOT_FOUND, "topic %s is gone", name);
}

static inline uint32_t fake_slot(Cluster *cluster, const char *topic, uint32_t partition) {
    (void)cluster;
    return (uint32_t)(hash_bytes(bytes_of(topic)) + partition) % FAKE_SLOTS;
}

static inline void fake_store_open(Cluster *cluster, const ClusterStore *store) {
    FakeCluster *fake = (FakeCluster *)cluster;
    LogTopic topic;
    assert_true(store->slot < FAKE_SLOTS);
    assert_true(log_topic_get(fake->storage, store->changelog.topic_id, &topic));
    assert_true(store->changelog.partition < topic.partition_count);
    fake->stores_open++;
}

static inline void fake_store_close(Cluster *cluster, uint32_t store_id) {
    (void)store_id;
    ((FakeCluster *)cluster)->stores_open--;
}

/* Everything that the folder has not yet, commands and all: key "n" says how far it is. */
static inline void fake_restore(FakeCluster *fake) {
    Snapshot *snapshot = snapshot_open(fake->storage);
    size_t from = (size_t)strtoull(bench_get(snapshot, STORE_CLUSTER, "n"), NULL, 10);
    snapshot_close(snapshot);
    for (size_t i = from; i < fake->kept_count; i++) {
        Err failure;
        char number[24];
        Commit *commit = commit_load(fake->storage, buf_view(&fake->kept[i]), &failure);
        if (!commit)
            fail_msg("%s", failure.message);
        snprintf(number, sizeof number, "%zu", i + 1);
        commit_put(commit, STORE_CLUSTER, bytes_of("n"), bytes_of(number));
        CHECK_OK(commit_local_wait(commit, err));
    }
}

static inline ErrCode fake_take(Cluster *cluster, const uint32_t *slots, uint32_t count, Err *err) {
    FakeCluster *fake = (FakeCluster *)cluster;
    (void)err;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(slots[i] < FAKE_SLOTS);
        fake->taken |= 1u << slots[i];
    }
    return ERR_OK;
}

static inline void fake_submit(Cluster *cluster, Commit *commit) {
    FakeCluster *fake = (FakeCluster *)cluster;
    lock_take(&fake->lock);
    assert_true(fake->waiting_count < FAKE_WAITING_MAX);
    fake->waiting[fake->waiting_count++] = commit;
    lock_release(&fake->lock);
}

/* -- Answers ---------------------------------------------------------------------------------- */

static inline void fake_keep(FakeCluster *fake, const Commit *commit) {
    fake->kept = mem_grow(fake->kept, &fake->kept_capacity, fake->kept_count + 1,
                          sizeof *fake->kept);
    fake->kept[fake->kept_count] = (Buf){0};
    commit_save(commit, &fake->kept[fake->kept_count++]);
}

static inline FakeTopic *fake_topic_by_id(FakeCluster *fake, uint32_t id) {
    for (size_t i = 0; i < fake->topic_count; i++)
        if (fake->topics[i].id == id)
            return &fake->topics[i];
    return NULL;
}

static inline FakeTopic *fake_topic_of(FakeCluster *fake, uint32_t id) {
    LogTopic known;
    FakeTopic *topic = fake_topic_by_id(fake, id);
    if (topic)
        return topic;
    assert_true(log_topic_get(fake->storage, id, &known));
    topic = fake_topic(fake, known.name);
    assert_non_null(topic);
    return topic;
}

/* Topics made and deleted, records appended. */
static inline void fake_carry_out(FakeCluster *fake, const Commit *commit, int64_t *bases,
                                  bool *command) {
    CommitItems items;
    CommitItem item;
    size_t appended = 0;
    commit_items(commit, &items);
    while (commit_item_next(&items, &item)) {
        *command = *command || item.kind == COMMIT_ITEM_CATALOG ||
                   item.kind == COMMIT_ITEM_TOPIC_CREATE || item.kind == COMMIT_ITEM_TOPIC_DELETE;
        if (item.kind == COMMIT_ITEM_APPEND) {
            FakeTopic *topic = fake_topic_of(fake, item.where.topic_id);
            bases[appended++] = fake_append(topic, item.where.partition, item.value);
        } else if (item.kind == COMMIT_ITEM_TOPIC_CREATE) {
            FakeTopic *topic = fake_topic(fake, item.name);
            if (!topic)
                topic = fake_make_topic(fake, item.name, item.where.partition);
            assert_int_equal(topic->partition_count, item.where.partition);
            topic->id = item.where.topic_id;
            topic->has_config = item.config != NULL;
            if (item.config)
                topic->config = *item.config;
        } else if (item.kind == COMMIT_ITEM_TOPIC_DELETE) {
            fake_remove_topic(fake, item.name);
        }
    }
}

/* Answers the commit that has waited longest; false: none waits. */
static inline bool fake_answer(FakeCluster *fake) {
    lock_take(&fake->lock);
    if (fake->waiting_count == 0) {
        lock_release(&fake->lock);
        return false;
    }
    Commit *commit = fake->waiting[0];
    memmove(fake->waiting, fake->waiting + 1, --fake->waiting_count * sizeof *fake->waiting);
    if (fake->refusal.code != ERR_OK) {
        fake->aborted++;
        commit_reject(commit, &fake->refusal);
        if (fake->refusals > 0 && --fake->refusals == 0)
            fake->refusal.code = ERR_OK;
        lock_release(&fake->lock);
        return true;
    }
    int64_t bases[4096];
    bool command = false, group = commit_slot_of(commit) != COMMIT_NO_SLOT;
    fake_carry_out(fake, commit, bases, &command);
    char number[24];
    ClusterNote note = {bytes_of("n"), {0}};
    if (command || group) {
        fake_keep(fake, commit);
        snprintf(number, sizeof number, "%zu", fake->kept_count);
        note.value = bytes_of(number);
    }
    if (command) {
        buf_reset(&fake->statement);
        buf_bytes(&fake->statement, commit_statement_of(commit));
    }
    fake->commands += command;
    fake->transactions += group;
    fake->plain += !command && !group;
    commit_accept(commit, bases, &note, command || group ? 1 : 0);
    lock_release(&fake->lock);
    return true;
}

/* Everything may have changed. */
static inline void fake_notify(FakeCluster *fake) {
    TopicPartition where[FAKE_TOPICS_MAX];
    int64_t ends[FAKE_TOPICS_MAX];
    size_t count = 0;
    lock_take(&fake->lock);
    for (size_t i = 0; i < fake->topic_count; i++) {
        where[count] = (TopicPartition){fake->topics[i].id, 0};
        ends[count++] = fake->topics[i].partitions[0].end;
    }
    lock_release(&fake->lock);
    for (size_t i = 0; i < count; i++)
        storage_notify(fake->storage, where[i], ends[i]);
}

/* With threads: answers commits a little later, and says that something has come. */
static inline void *fake_run(void *arg) {
    FakeCluster *fake = arg;
    for (bool stop = false; !stop;) {
        while (!fake->held && fake_answer(fake)) {
        }
        fake_notify(fake);
        lock_take(&fake->lock);
        if (!fake->stop)
            (void)signal_wait_for(&fake->signal, &fake->lock, 1000);
        stop = fake->stop;
        lock_release(&fake->lock);
    }
    return NULL;
}

static inline void fake_start(FakeCluster *fake) {
    fake->stop = false;
    thread_start(&fake->thread, "fake cluster", fake_run, fake);
}

static inline void fake_stop(FakeCluster *fake) {
    lock_take(&fake->lock);
    fake->stop = true;
    signal_all(&fake->signal);
    lock_release(&fake->lock);
    thread_join(&fake->thread);
}

static inline void fake_pump(Cluster *cluster) {
    FakeCluster *fake = (FakeCluster *)cluster;
    while (!fake->held && fake_answer(fake)) {
    }
}

/* All records of a partition from `offset` on, as "offset:value ..."; over gaps. */
static inline const char *fake_log(Storage *storage, TopicPartition where, int64_t offset) {
    static Buf text;
    buf_reset(&text);
    for (;;) {
        LogBlock *block;
        CHECK_OK(log_fetch(storage, where, offset, 1 << 16, &block, err));
        if (!block)
            return buf_cstr(&text);
        RecordBatchInfo info;
        CHECK_OK(record_batch_check(log_block_bytes(block), &info, err));
        RecordIter iter;
        LogRecord record;
        record_iter_init(&iter, log_block_bytes(block));
        while (record_iter_next(&iter, &record)) {
            if (record.offset >= offset)
                buf_printf(&text, "%s%lld:%.*s", text.size ? " " : "", (long long)record.offset,
                           (int)record.value.size, (const char *)record.value.data);
        }
        offset = info.last_offset + 1;
        log_block_unref(block);
    }
}

/* -- Life ------------------------------------------------------------------------------------- */

static const ClusterOps FAKE_OPS = {
    .topic_find = fake_topic_find,
    .topics = fake_topics,
    .fetch = fake_fetch,
    .offsets = fake_offsets,
    .slot = fake_slot,
    .store_open = fake_store_open,
    .store_close = fake_store_close,
    .take = fake_take,
    .submit = fake_submit,
    .pump = fake_pump,
};

static inline FakeCluster *fake_new(void) {
    FakeCluster *fake = mem_alloc(sizeof *fake);
    fake->base.ops = &FAKE_OPS;
    lock_init(&fake->lock);
    signal_init(&fake->signal);
    return fake;
}

/* Gives the folder what it lacks. */
static inline void fake_open(FakeCluster *fake, Storage *storage) {
    fake->storage = storage;
    for (size_t i = 0; i < fake->topic_count; i++)
        fake->topics[i].id = 0;
    fake->taken = fake->stores_open = 0;
    fake_restore(fake);
    fake->storage = storage;
}

static inline void fake_attach(FakeCluster *fake, Storage *storage) {
    fake_open(fake, storage);
    storage_attach(storage, &fake->base);
}

static inline void fake_free(FakeCluster *fake) {
    assert_int_equal(fake->waiting_count, 0);
    for (size_t i = 0; i < fake->topic_count; i++)
        fake_topic_close(&fake->topics[i]);
    for (size_t i = 0; i < fake->kept_count; i++)
        buf_free(&fake->kept[i]);
    mem_free(fake->kept);
    buf_free(&fake->statement);
    signal_close(&fake->signal);
    lock_close(&fake->lock);
    mem_free(fake);
}

#endif
