/*
 * restore.c - stores of queries from their changelogs, as far as the folder has them not yet.
 *
 * All changelogs at once, in pieces, each with the notes how far its stores are then; so a restore
 * that is cut off goes on where it was. A store is emptied and read whole when its note is before
 * what the changelog keeps, or so old that tombstones behind it may be gone. One that is behind its
 * changelog's end says that the changelog was made anew: it has not all of the store, and nothing
 * is done.
 */
#include <assert.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"
#include "kafka/kill_point.h"
#include "storage/log.h"

enum {
    RESTORE_PIECE_BYTES = 4 << 20,
    RESTORE_NOTE_MS_MAX = 12 * 60 * 60 * 1000, /* half of Kafka's delete.retention.ms */
};

typedef struct Restore Restore;

typedef struct RestoreStore {
    Restore *restore;
    ClusterStore store;
    LogTopic topic;
    KafkaOffsets log; /* the changelog */
    int64_t next;     /* behind what is in the folder and in the piece */
    bool unused;      /* there can be no changes */
    int64_t noted;    /* the same of the folder alone; -1: its note is to be written in any case */
} RestoreStore;

struct Restore {
    KafkaCluster *cluster;
    RestoreStore *stores;
    uint32_t count;
    Commit *commit; /* the piece; NULL: empty */
};

static Commit *restore_piece(Restore *restore) {
    if (!restore->commit)
        restore->commit = commit_new(restore->cluster->storage, 0);
    assert(restore->commit);
    return restore->commit;
}

static ErrCode restore_flush(Restore *restore, Err *err) {
    int64_t now_ms = io_posix()->ops->now_ms(io_posix());
    for (uint32_t i = 0; i < restore->count; i++) {
        RestoreStore *store = &restore->stores[i];
        uint8_t key[CHANGELOG_NOTE_KEY_SIZE], value[NOTE_SIZE];
        if (store->next == store->noted)
            continue;
        changelog_note_key(store->store.store_id, key);
        changelog_note_value(store->next, now_ms, value);
        note_put(restore_piece(restore), (Bytes){key, sizeof key}, value, sizeof value);
        store->noted = store->next;
    }
    Commit *commit = restore->commit;
    restore->commit = NULL;
    if (!commit)
        return ERR_OK;
    TRY(commit_local_wait(commit, err));
    kill_point_pass(KILL_IN_RESTORE);
    return ERR_OK;
}

/* Positions that are gone, with a state that is there: what was read would be counted twice. */
static ErrCode restore_unmarked(const RestoreStore *store, int64_t offset, Err *err) {
    return err_set(err, ERR_CLUSTER_CHANGED,
                   "Topic %s, partition %u has a change at offset %lld, and topic %s, partition %u "
                   "has no transaction: it was made anew, and nobody knows any more what the query "
                   "has read. DROP it and create it anew",
                   store->topic.name, store->store.changelog.partition, (long long)offset,
                   store->restore->cluster->positions_topic, store->store.slot);
}

/* A KafkaRecordFn. */
static ErrCode restore_record(void *context, const LogRecord *record, Err *err) {
    RestoreStore *store = context;
    Commit *piece = restore_piece(store->restore);
    uint32_t partition = store->store.changelog.partition;
    ChangelogVerdict verdict = changelog_apply(piece, store->store.store_id, record);
    if (verdict == CHANGELOG_DAMAGED)
        return err_set(err, ERR_BAD_RECORD,
                       "Topic %s, partition %u, offset %lld: a change of the query's state is "
                       "damaged; it was written by a newer Weir, or not by Weir",
                       store->topic.name, partition, (long long)record->offset);
    if (verdict == CHANGELOG_STRANGER)
        cluster_stranger(store->restore->cluster, store->topic.name, partition, record->offset);
    else if (store->unused)
        return restore_unmarked(store, record->offset, err);
    store->next = record->offset + 1;
    return commit_bytes(piece) < RESTORE_PIECE_BYTES ? ERR_OK
                                                     : restore_flush(store->restore, err);
}

/* Where to begin, and whether to empty the store before. */
static ErrCode restore_from(RestoreStore *store, Arena *arena, bool *whole, Err *err) {
    KafkaCluster *cluster = store->restore->cluster;
    uint8_t key[CHANGELOG_NOTE_KEY_SIZE];
    Bytes value;
    changelog_note_key(store->store.store_id, key);
    TRY(note_read(cluster->storage, (Bytes){key, sizeof key}, arena, &value, err));
    int64_t now_ms = io_posix()->ops->now_ms(io_posix());
    Reader reader = reader_of(value);
    int64_t next = (int64_t)reader_u64_le(&reader);
    int64_t noted_ms = (int64_t)reader_u64_le(&reader);
    /* Behind the last change of a transaction there is its marker. */
    int64_t marker = cluster->config->at_least_once ? 0 : 1;
    if (value.size == NOTE_SIZE && next > store->log.end)
        return err_set(err, ERR_CLUSTER_CHANGED,
                       "Topic %s, partition %u ends at offset %lld, and the folder has changes up "
                       "to %lld: it was made anew or has lost records, and is no copy of the "
                       "query's state any more. DROP the query and create it anew",
                       store->topic.name, store->store.changelog.partition,
                       (long long)store->log.end, (long long)next);
    *whole = value.size != NOTE_SIZE || next < store->log.start ||
             (now_ms - noted_ms > RESTORE_NOTE_MS_MAX && next + marker < store->log.end);
    store->next = *whole                             ? store->log.start
                  : next + marker < store->log.end ? next
                                                     : store->log.end;
    return ERR_OK;
}

/* What is to be read: *count of `tails`, those of `read` stores. */
static ErrCode restore_begin(Restore *restore, Arena *arena, KafkaTailOptions *tails,
                             RestoreStore **read, uint32_t *count, Err *err) {
    *count = 0;
    for (uint32_t i = 0; i < restore->count; i++) {
        RestoreStore *store = &restore->stores[i];
        bool whole;
        TRY(restore_from(store, arena, &whole, err));
        store->noted = whole ? -1 : store->next;
        if (whole)
            commit_remove_range(restore_piece(restore), store->store.store_id, (Bytes){NULL, 0},
                                (Bytes){NULL, 0});
        if (store->next >= store->log.end)
            continue;
        read[*count] = store;
        tails[(*count)++] = (KafkaTailOptions){
            .topic = store->topic.name,
            .partition = store->store.changelog.partition,
            .from = store->next,
            .end = store->log.end,
            .record = restore_record,
            .context = store,
        };
    }
    return restore_flush(restore, err);
}

static ErrCode restore_read(Restore *restore, Arena *arena, Err *err) {
    KafkaTailOptions *tails = arena_array(arena, restore->count, sizeof *tails);
    RestoreStore **read = arena_array(arena, restore->count, sizeof *read);
    int64_t *next = arena_array(arena, restore->count, sizeof *next);
    uint32_t count;
    TRY(restore_begin(restore, arena, tails, read, &count, err));
    if (count > 0)
        TRY(kafka_tail_read_all(restore->cluster->admin, tails, count, next, err));
    for (uint32_t i = 0; i < count; i++)
        read[i]->next = next[i];
    return restore_flush(restore, err);
}

/* Where the changelogs begin and end, with one question for all. */
static ErrCode restore_ask(Restore *restore, Arena *arena, Err *err) {
    KafkaPartition *asked = arena_array(arena, restore->count, sizeof *asked);
    for (uint32_t i = 0; i < restore->count; i++) {
        RestoreStore *store = &restore->stores[i];
        TopicPartition changelog = store->store.changelog;
        if (!log_topic_get(restore->cluster->storage, changelog.topic_id, &store->topic))
            return err_set(err, ERR_TOPIC_MISSING, "there is no topic with id %u",
                           changelog.topic_id);
        assert(changelog.partition < store->topic.partition_count);
        asked[i] = (KafkaPartition){.topic = store->topic.name,
                                    .partition = changelog.partition};
    }
    TRY(kafka_admin_offsets_of(restore->cluster->admin, asked, restore->count, err));
    for (uint32_t i = 0; i < restore->count; i++)
        restore->stores[i].log = asked[i].offsets;
    return ERR_OK;
}

static bool restore_unused(const uint32_t *slots, const bool *unused, uint32_t count,
                           uint32_t slot) {
    for (uint32_t i = 0; i < count; i++)
        if (slots[i] == slot)
            return unused[i];
    return false;
}

ErrCode restore_slots(KafkaCluster *cluster, const uint32_t *slots, const bool *unused,
                      uint32_t count, Err *err) {
    ClusterStore *stores;
    Restore restore = {.cluster = cluster};
    restore.count = stores_unrestored(&cluster->stores, slots, count, &stores);
    Arena *arena = arena_new("kafka restore", 0);
    restore.stores = arena_array(arena, restore.count, sizeof *restore.stores);
    for (uint32_t i = 0; i < restore.count; i++)
        restore.stores[i] = (RestoreStore){
            .restore = &restore,
            .store = stores[i],
            .unused = restore_unused(slots, unused, count, stores[i].slot),
        };
    ErrCode code = ERR_OK;
    if (restore.count > 0) {
        TRY_DONE(restore_ask(&restore, arena, err));
        TRY_DONE(restore_read(&restore, arena, err));
    }
    for (uint32_t i = 0; i < restore.count; i++)
        stores_restored(&cluster->stores, stores[i].store_id);
done:
    if (restore.commit)
        commit_drop(restore.commit);
    arena_free(arena);
    mem_free(stores);
    return code;
}
