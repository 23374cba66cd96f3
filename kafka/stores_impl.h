/*
 * stores_impl.h - the stores of queries that run: their changelogs, and how far the folder is in
 * them.
 *
 * Notes in the folder's STORE_CLUSTER:
 *   'c', store id u32 be -> next offset u64 le, wall clock ms u64 le      of a changelog
 *   "command"            -> offset u64 le, nonce u64 le                   of the last one applied
 *   's', slot u32 be     -> commit_seq u64 le, author (16 bytes)          its last transaction
 *   "cluster"            -> the cluster's id
 *
 * A record of a changelog:
 *   key := 'K', the store's key            value: the store's value; null: removed
 *        | 'R', size of min varint, min, max         value empty: [min, max) is removed
 *        | anything else                             nobody's: left out
 */
#ifndef KAFKA_STORES_IMPL_H
#define KAFKA_STORES_IMPL_H

#include "base/buf.h"
#include "base/thread.h"
#include "storage/cluster.h"
#include "storage/store.h"

enum { CHANGELOG_KEY = 'K', CHANGELOG_RANGE = 'R', CHANGELOG_NOTE_KEY_SIZE = 5, NOTE_SIZE = 16 };

typedef struct OpenStore {
    ClusterStore store;
    bool restored; /* the folder has all of it */
} OpenStore;

/* In order of store id. */
typedef struct StoreTable {
    Lock lock;
    OpenStore *items;
    size_t count, capacity;
} StoreTable;

void stores_init(StoreTable *table);
void stores_free(StoreTable *table);
void stores_open(StoreTable *table, const ClusterStore *store);
void stores_close(StoreTable *table, uint32_t store_id);
bool stores_find(StoreTable *table, uint32_t store_id, ClusterStore *store);

/* Those of the slots that are not restored, of base/mem.h; returns how many. */
uint32_t stores_unrestored(StoreTable *table, const uint32_t *slots, uint32_t count,
                           ClusterStore **stores);
void stores_restored(StoreTable *table, uint32_t store_id);

void changelog_note_key(uint32_t store_id, uint8_t key[CHANGELOG_NOTE_KEY_SIZE]);
void changelog_note_value(int64_t next, int64_t now_ms, uint8_t value[NOTE_SIZE]);

/* Keys of changelog records. */
void changelog_key(Buf *target, Bytes key);
void changelog_range(Buf *target, Bytes key_min, Bytes key_max);

/* Puts what the record says into the commit. STRANGER: nobody of the service has written it. */
typedef enum ChangelogVerdict {
    CHANGELOG_APPLIED,
    CHANGELOG_STRANGER,
    CHANGELOG_DAMAGED,
} ChangelogVerdict;
ChangelogVerdict changelog_apply(Commit *commit, uint32_t store_id, const LogRecord *record);

#endif
