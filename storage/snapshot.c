/*
 * snapshot.c - store.h: lookups and scans over one state of all stores.
 *
 * A snapshot is a reference to the root of the memtable's tree and the LSN it stands for.
 */
#include <assert.h>

#include "base/mem.h"
#include "storage/storage_impl.h"

struct Snapshot {
    MemNode *root;
    uint64_t lsn;
};

struct StoreIter {
    MemIter iter;
    uint32_t skip;  /* bytes before the key that callers see */
    Buf key_max;    /* with the store id; empty: no end */
};

Snapshot *snapshot_open(Storage *storage) {
    assert(storage);
    Snapshot *snapshot = mem_alloc(sizeof *snapshot);
    lock_take(&storage->state_lock);
    snapshot->root = memtable_share(&storage->state);
    snapshot->lsn = atomic_load(&storage->visible_lsn);
    lock_release(&storage->state_lock);
    return snapshot;
}

void snapshot_close(Snapshot *snapshot) {
    if (!snapshot)
        return;
    mem_node_unref(snapshot->root);
    mem_free(snapshot);
}

uint64_t snapshot_lsn(const Snapshot *snapshot) {
    assert(snapshot);
    return snapshot->lsn;
}

ErrCode store_get(Snapshot *snapshot, uint32_t store_id, const Bytes *keys, uint32_t count,
                  Bytes *values, Err *err) {
    assert(snapshot);
    assert(values || count == 0);
    (void)err; /* state lies in memory: nothing can fail yet */
    assert(keys || count == 0);
    Buf key = {0};
    for (uint32_t i = 0; i < count; i++) {
        state_key(&key, store_id, keys[i]);
        if (!mem_node_get(snapshot->root, buf_view(&key), &values[i]))
            values[i] = (Bytes){NULL, 0};
    }
    buf_free(&key);
    return ERR_OK;
}

/* From key_min (with store id) to key_max (the same; size 0: no end). */
static StoreIter *iter_new(Snapshot *snapshot, Bytes key_min, Bytes key_max, uint32_t skip) {
    assert(skip >= 4);
    assert(key_min.size >= skip);
    StoreIter *iter = mem_alloc(sizeof *iter);
    mem_iter_seek(&iter->iter, snapshot->root, key_min);
    buf_bytes(&iter->key_max, key_max);
    iter->skip = skip;
    return iter;
}

ErrCode store_scan(Snapshot *snapshot, uint32_t store_id, Bytes key_min, Bytes key_max,
                   StoreIter **iter, Err *err) {
    assert(iter);
    (void)err;
    assert(snapshot);
    Buf from = {0}, to = {0};
    state_key(&from, store_id, key_min);
    if (key_max.size > 0)
        state_key(&to, store_id, key_max);
    else if (store_id < UINT32_MAX)
        state_key(&to, store_id + 1, key_max);
    *iter = iter_new(snapshot, buf_view(&from), buf_view(&to), 4);
    buf_free(&from);
    buf_free(&to);
    return ERR_OK;
}

ErrCode catalog_scan(Snapshot *snapshot, StoreIter **iter, Err *err) {
    assert(iter);
    (void)err;
    assert(snapshot);
    const uint8_t from[] = {0, 0, 0, STORE_SYSTEM, SYSTEM_CATALOG};
    const uint8_t to[] = {0, 0, 0, STORE_SYSTEM, SYSTEM_CATALOG + 1};
    *iter = iter_new(snapshot, (Bytes){from, sizeof from}, (Bytes){to, sizeof to}, sizeof from);
    return ERR_OK;
}

bool store_iter_next(StoreIter *iter, Bytes *key, Bytes *value) {
    assert(key && value);
    assert(iter->skip >= 4);
    Bytes found;
    if (!mem_iter_next(&iter->iter, &found, value))
        return false;
    if (iter->key_max.size > 0 && bytes_compare(found, buf_view(&iter->key_max)) >= 0) {
        iter->iter.depth = 0;
        return false;
    }
    assert(found.size >= iter->skip);
    *key = (Bytes){found.data + iter->skip, found.size - iter->skip};
    return true;
}

ErrCode store_iter_close(StoreIter *iter, Err *err) {
    (void)err;
    assert(iter);
    buf_free(&iter->key_max);
    mem_free(iter);
    return ERR_OK;
}

/* == log.h: positions ========================================================================= */

int64_t log_position(Storage *storage, uint32_t task_id, TopicPartition source) {
    assert(storage);
    uint8_t key[SYSTEM_KEY_SIZE];
    Bytes value;
    int64_t position = -1;
    Bytes wanted = system_position_key(key, task_id, source);
    lock_take(&storage->state_lock);
    if (mem_node_get(storage->state.root, wanted, &value)) {
        Reader reader = reader_of(value);
        position = (int64_t)reader_u64_le(&reader);
        assert(position >= 0);
    }
    lock_release(&storage->state_lock);
    return position;
}
