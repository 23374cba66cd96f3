/*
 * restore.c - a store of a query from its changelog, as far as the folder has it not yet.
 *
 * In pieces, each with the note how far the store is then; so a restore that is cut off goes on
 * where it was. A store is emptied and read whole when its note is before what the changelog keeps,
 * or so old that tombstones behind it may be gone. One that is behind its changelog's end says that
 * the changelog was made anew: it has not all of the store, and nothing is done.
 */
#include <assert.h>

#include "base/io.h"
#include "base/limits.h"
#include "kafka/cluster_impl.h"
#include "kafka/kill_point.h"
#include "storage/log.h"

enum {
    RESTORE_PIECE_BYTES = 4 << 20,
    RESTORE_NOTE_MS_MAX = 12 * 60 * 60 * 1000, /* half of Kafka's delete.retention.ms */
};

typedef struct Restore {
    KafkaCluster *cluster;
    ClusterStore store;
    LogTopic topic;
    Commit *commit; /* the piece; NULL: empty */
    int64_t next;   /* behind what is in the folder and in the piece */
    bool unused;    /* there can be no changes */
} Restore;

static ErrCode restore_flush(Restore *restore, Err *err) {
    uint8_t key[CHANGELOG_NOTE_KEY_SIZE], value[NOTE_SIZE];
    Commit *commit = restore->commit ? restore->commit
                                     : commit_new(restore->cluster->storage, 0);
    restore->commit = NULL;
    changelog_note_key(restore->store.store_id, key);
    changelog_note_value(restore->next, io_posix()->ops->now_ms(io_posix()), value);
    note_put(commit, (Bytes){key, sizeof key}, value, sizeof value);
    TRY(commit_local_wait(commit, err));
    kill_point_pass(KILL_IN_RESTORE);
    return ERR_OK;
}

/* Positions that are gone, with a state that is there: what was read would be counted twice. */
static ErrCode restore_unmarked(const Restore *restore, int64_t offset, Err *err) {
    const KafkaCluster *cluster = restore->cluster;
    return err_set(err, ERR_CLUSTER_CHANGED,
                   "Topic %s, partition %u has a change at offset %lld, and topic %s, partition %u "
                   "has no transaction: it was made anew, and nobody knows any more what the query "
                   "has read. DROP it and create it anew",
                   restore->topic.name, restore->store.changelog.partition, (long long)offset,
                   cluster->positions_topic, restore->store.slot);
}

/* A KafkaRecordFn. */
static ErrCode restore_record(void *context, const LogRecord *record, Err *err) {
    Restore *restore = context;
    uint32_t partition = restore->store.changelog.partition;
    if (!restore->commit)
        restore->commit = commit_new(restore->cluster->storage, 0);
    ChangelogVerdict verdict = changelog_apply(restore->commit, restore->store.store_id, record);
    if (verdict == CHANGELOG_DAMAGED)
        return err_set(err, ERR_BAD_RECORD,
                       "Topic %s, partition %u, offset %lld: a change of the query's state is "
                       "damaged; it was written by a newer Weir, or not by Weir",
                       restore->topic.name, partition, (long long)record->offset);
    if (verdict == CHANGELOG_STRANGER)
        cluster_stranger(restore->cluster, restore->topic.name, partition, record->offset);
    else if (restore->unused)
        return restore_unmarked(restore, record->offset, err);
    restore->next = record->offset + 1;
    if (commit_bytes(restore->commit) < RESTORE_PIECE_BYTES)
        return ERR_OK;
    return restore_flush(restore, err);
}

/* Where to begin, and whether to empty the store before. */
static ErrCode restore_from(Restore *restore, const KafkaOffsets *log, bool *whole, Err *err) {
    uint8_t key[CHANGELOG_NOTE_KEY_SIZE];
    Arena *arena = arena_new("kafka note", 0);
    Bytes value;
    changelog_note_key(restore->store.store_id, key);
    ErrCode code = note_read(restore->cluster->storage, (Bytes){key, sizeof key}, arena, &value,
                             err);
    int64_t now_ms = io_posix()->ops->now_ms(io_posix());
    if (code == ERR_OK) {
        Reader reader = reader_of(value);
        int64_t next = (int64_t)reader_u64_le(&reader);
        int64_t noted_ms = (int64_t)reader_u64_le(&reader);
        /* Behind the last change of a transaction there is its marker. */
        int64_t marker = restore->cluster->config->at_least_once ? 0 : 1;
        if (value.size == NOTE_SIZE && next > log->end)
            code = err_set(err, ERR_CLUSTER_CHANGED,
                           "Topic %s, partition %u ends at offset %lld, and the folder has changes "
                           "up to %lld: it was made anew or has lost records, and is no copy of "
                           "the query's state any more. DROP the query and create it anew",
                           restore->topic.name, restore->store.changelog.partition,
                           (long long)log->end, (long long)next);
        *whole = value.size != NOTE_SIZE || next < log->start ||
                 (now_ms - noted_ms > RESTORE_NOTE_MS_MAX && next + marker < log->end);
        restore->next = *whole ? log->start : next + marker < log->end ? next : log->end;
    }
    arena_free(arena);
    return code;
}

static ErrCode restore_store(Restore *restore, const KafkaOffsets *log, Err *err) {
    bool whole;
    TRY(restore_from(restore, log, &whole, err));
    if (whole) {
        restore->commit = commit_new(restore->cluster->storage, 0);
        commit_remove_range(restore->commit, restore->store.store_id, (Bytes){NULL, 0},
                            (Bytes){NULL, 0});
        TRY(restore_flush(restore, err));
    }
    if (restore->next >= log->end)
        return ERR_OK;
    KafkaTailOptions options = {
        .topic = restore->topic.name,
        .partition = restore->store.changelog.partition,
        .from = restore->next,
        .record = restore_record,
        .context = restore,
    };
    int64_t next;
    ErrCode code = kafka_tail_read(restore->cluster->admin, &options, &next, err);
    if (code != ERR_OK && restore->commit) {
        commit_drop(restore->commit);
        restore->commit = NULL;
    }
    TRY(code);
    restore->next = next;
    return restore_flush(restore, err);
}

ErrCode restore_slot(KafkaCluster *cluster, uint32_t slot, bool unused, Err *err) {
    Restore restore = {.cluster = cluster,
                       .unused = unused && !cluster->config->at_least_once};
    while (stores_next_unrestored(&cluster->stores, slot, &restore.store)) {
        KafkaOffsets log[PARTITIONS_MAX];
        TopicPartition changelog = restore.store.changelog;
        if (!log_topic_get(cluster->storage, changelog.topic_id, &restore.topic))
            return err_set(err, ERR_TOPIC_MISSING, "there is no topic with id %u",
                           changelog.topic_id);
        assert(changelog.partition < restore.topic.partition_count);
        assert(restore.topic.partition_count <= PARTITIONS_MAX);
        TRY(kafka_admin_offsets(cluster->admin, restore.topic.name,
                                restore.topic.partition_count, log, err));
        TRY(restore_store(&restore, &log[changelog.partition], err));
        stores_restored(&cluster->stores, restore.store.store_id);
    }
    return ERR_OK;
}
