/*
 * store.h - ordered key-value state: reads only; writes are commits.
 *
 * Snapshots are at visible_lsn: what a commit wrote is seen whole or not at all, over all stores
 * and partitions, and a snapshot never blocks a writer.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include "storage/storage.h"

typedef struct Snapshot Snapshot;
typedef struct StoreIter StoreIter;

/* Fixed stores; storage_new_id() gives ids from STORE_FIRST_FREE on. */
enum {
    STORE_SYSTEM = 0, /* positions, tails, catalog: written by commit.h only */
    STORE_COPY = 1,   /* how far a COPY came: engine/copy.c */
    STORE_DATAGEN = 2, /* rows that a generator has made: engine/datagen.c */
    STORE_CLUSTER = 3, /* how far the folder is behind a cluster: cluster.h */
    STORE_FIRST_FREE = 16,
};

Snapshot *snapshot_open(Storage *storage);
void snapshot_close(Snapshot *snapshot);
uint64_t snapshot_lsn(const Snapshot *snapshot);

/* values[i].data is NULL where keys[i] is absent; pinned until snapshot_close(). */
ErrCode store_get(Snapshot *snapshot, uint32_t store_id, const Bytes *keys, uint32_t count,
                  Bytes *values, Err *err);

/* Keys in [key_min, key_max) in byte order; key_max of size 0: to the end of the store. */
ErrCode store_scan(Snapshot *snapshot, uint32_t store_id, Bytes key_min, Bytes key_max,
                   StoreIter **iter, Err *err);
/* false at the end, or on an error: see store_iter_close(). Key and value are pinned until
 * snapshot_close(). */
bool store_iter_next(StoreIter *iter, Bytes *key, Bytes *value);
ErrCode store_iter_close(StoreIter *iter, Err *err);

/* The catalog's entries in key order, through the same iterator. */
ErrCode catalog_scan(Snapshot *snapshot, StoreIter **iter, Err *err);

#endif
