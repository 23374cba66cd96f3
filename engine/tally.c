/*
 * tally.c - see tally.h.
 *
 * Positions have a source, which here says whose figure it is. It looks as sources do, like a topic
 * with a small id and a partition: as many bits of a hash of store and key as there is room for,
 * and two of the partition that say which of the figures.
 */
#include "engine/tally.h"

#include <assert.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/reader.h"
#include "storage/cluster.h"
#include "storage/store.h"

enum {
    SCRIPT_TASK = 0x3f000000, /* beyond all ids of storage_new_id(), below borrowed ones */
    SCRIPT_TASKS = 256,       /* a record has all positions of its task: not too many */
};

static uint64_t tally_hash(const Tally *tally) {
    return hash_bytes(buf_view(&tally->key)) + tally->store_id * 0x9e3779b97f4a7c15ULL;
}

void tally_close(Tally *tally) {
    buf_free(&tally->key);
}

ErrCode tally_open(Storage *storage, const TallyOptions *options, Tally *tally, Err *err) {
    assert(options->count > 0 && options->count <= TALLY_FIGURES_MAX);
    Cluster *cluster = storage_cluster(storage);
    ErrCode code = ERR_OK;
    *tally = (Tally){.storage = storage,
                     .store_id = options->store_id,
                     .count = options->count,
                     .in_slot = cluster != NULL};
    buf_bytes(&tally->key, options->key);
    tally->owner_id = options->topic ? options->topic->id : SCRIPT_TASK;
    tally->task_id = tally->owner_id;
    if (!options->topic)
        tally->task_id += 1 + (uint32_t)(tally_hash(tally) >> 7) % SCRIPT_TASKS;
    if (cluster) {
        const char *name = options->topic ? options->topic->name : "";
        tally->slot = cluster->ops->slot(cluster, name, 0);
        code = cluster->ops->take(cluster, &tally->slot, 1, err);
    }
    if (code != ERR_OK)
        tally_close(tally);
    return code;
}

static TopicPartition tally_where(const Tally *tally, uint32_t index) {
    uint64_t whose = tally_hash(tally);
    uint32_t high = 1 + (uint32_t)(whose >> 32) % (LOG_TOPIC_BORROWED - 1);
    uint32_t low = (uint32_t)whose % (PARTITIONS_MAX / TALLY_FIGURES_MAX);
    assert(index < TALLY_FIGURES_MAX);
    return (TopicPartition){high, low * TALLY_FIGURES_MAX + index};
}

ErrCode tally_read(const Tally *tally, uint64_t *figures, Err *err) {
    Bytes key = buf_view(&tally->key), value;
    memset(figures, 0, tally->count * sizeof *figures);
    for (uint32_t i = 0; tally->in_slot && i < tally->count; i++) {
        int64_t at = log_position(tally->storage, tally->task_id, tally_where(tally, i));
        figures[i] = at < 0 ? 0 : (uint64_t)at;
    }
    if (tally->in_slot)
        return ERR_OK;
    Snapshot *snapshot = snapshot_open(tally->storage);
    ErrCode code = store_get(snapshot, tally->store_id, &key, 1, &value, err);
    if (code == ERR_OK && value.data) {
        Reader reader = reader_of(value);
        for (uint32_t i = 0; i < tally->count; i++)
            figures[i] = reader_u64_le(&reader);
        if (!reader_ok(&reader))
            code = err_set(err, ERR_CORRUPT, "the note of how far a writer of rows is is damaged");
    }
    snapshot_close(snapshot);
    return code;
}

Commit *tally_commit(const Tally *tally) {
    Commit *commit = commit_new(tally->storage, tally->in_slot ? tally->owner_id : 0);
    if (tally->in_slot)
        commit_slot(commit, tally->slot);
    return commit;
}

void tally_write(const Tally *tally, const uint64_t *figures, Commit *commit) {
    for (uint32_t i = 0; tally->in_slot && i < tally->count; i++)
        commit_position(commit, tally->task_id, tally_where(tally, i), (int64_t)figures[i]);
    if (tally->in_slot)
        return;
    Buf value = {0};
    for (uint32_t i = 0; i < tally->count; i++)
        buf_u64_le(&value, figures[i]);
    commit_put(commit, tally->store_id, buf_view(&tally->key), buf_view(&value));
    buf_free(&value);
}

void tally_forget(const Tally *tally, Commit *commit) {
    for (uint32_t i = 0; tally->in_slot && i < tally->count; i++)
        commit_position(commit, tally->task_id, tally_where(tally, i), -1);
    if (!tally->in_slot)
        commit_remove(commit, tally->store_id, buf_view(&tally->key));
}
