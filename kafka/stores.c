/* stores.c - see stores_impl.h. */
#include "kafka/stores_impl.h"

#include <assert.h>

#include "base/mem.h"

void stores_init(StoreTable *table) {
    *table = (StoreTable){0};
    lock_init(&table->lock);
}

void stores_free(StoreTable *table) {
    assert(table);
    mem_free(table->items);
    lock_close(&table->lock);
    *table = (StoreTable){0};
}

/* With the lock: where the store is, or would be. */
static size_t stores_place(const StoreTable *table, uint32_t store_id) {
    assert(table);
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->items[middle].store.store_id < store_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* With the lock; NULL: it is not open. */
static OpenStore *stores_get(StoreTable *table, uint32_t store_id) {
    size_t at = stores_place(table, store_id);
    bool there = at < table->count && table->items[at].store.store_id == store_id;
    return there ? &table->items[at] : NULL;
}

void stores_open(StoreTable *table, const ClusterStore *store) {
    assert(store->store_id >= STORE_FIRST_FREE);
    lock_take(&table->lock);
    if (!stores_get(table, store->store_id)) {
        size_t at = stores_place(table, store->store_id);
        table->items = mem_grow(table->items, &table->capacity, table->count + 1,
                                sizeof *table->items);
        memmove(&table->items[at + 1], &table->items[at],
                (table->count - at) * sizeof *table->items);
        table->count++;
        table->items[at] = (OpenStore){.store = *store};
    }
    lock_release(&table->lock);
}

void stores_close(StoreTable *table, uint32_t store_id) {
    assert(store_id >= STORE_FIRST_FREE);
    lock_take(&table->lock);
    OpenStore *open = stores_get(table, store_id);
    if (open) {
        table->count--;
        memmove(open, open + 1, (size_t)(&table->items[table->count] - open) * sizeof *open);
    }
    lock_release(&table->lock);
}

bool stores_find(StoreTable *table, uint32_t store_id, ClusterStore *store) {
    assert(store);
    lock_take(&table->lock);
    const OpenStore *open = stores_get(table, store_id);
    if (open)
        *store = open->store;
    lock_release(&table->lock);
    return open != NULL;
}

uint32_t stores_unrestored(StoreTable *table, const uint32_t *slots, uint32_t count,
                           ClusterStore **stores) {
    uint32_t found = 0;
    assert(slots);
    lock_take(&table->lock);
    *stores = mem_array(table->count, sizeof **stores);
    for (size_t i = 0; i < table->count; i++) {
        const OpenStore *open = &table->items[i];
        bool wanted = false;
        for (uint32_t k = 0; k < count && !open->restored && !wanted; k++)
            wanted = slots[k] == open->store.slot;
        if (wanted)
            (*stores)[found++] = open->store;
    }
    lock_release(&table->lock);
    return found;
}

void stores_restored(StoreTable *table, uint32_t store_id) {
    assert(table);
    lock_take(&table->lock);
    OpenStore *open = stores_get(table, store_id);
    if (open)
        open->restored = true;
    lock_release(&table->lock);
}

static void note_u64(uint8_t *target, uint64_t value) {
    assert(target);
    for (int i = 0; i < 8; i++)
        target[i] = (uint8_t)(value >> (8 * i));
}

void changelog_note_key(uint32_t store_id, uint8_t key[CHANGELOG_NOTE_KEY_SIZE]) {
    key[0] = 'c';
    for (int i = 0; i < 4; i++)
        key[1 + i] = (uint8_t)(store_id >> (24 - 8 * i));
}

void changelog_note_value(int64_t next, int64_t now_ms, uint8_t value[NOTE_SIZE]) {
    assert(next >= 0);
    note_u64(value, (uint64_t)next);
    note_u64(value + 8, (uint64_t)now_ms);
}

void changelog_key(Buf *target, Bytes key) {
    buf_reset(target);
    buf_u8(target, CHANGELOG_KEY);
    buf_bytes(target, key);
    assert(target->size == (size_t)key.size + 1);
}

void changelog_range(Buf *target, Bytes key_min, Bytes key_max) {
    buf_reset(target);
    buf_u8(target, CHANGELOG_RANGE);
    buf_varint(target, key_min.size);
    buf_bytes(target, key_min);
    buf_bytes(target, key_max);
    assert(target->size > (size_t)key_min.size + key_max.size);
}

ChangelogVerdict changelog_apply(Commit *commit, uint32_t store_id, const LogRecord *record) {
    assert(store_id >= STORE_FIRST_FREE);
    Reader reader = reader_of(record->key);
    uint8_t kind = record->key.size > 0 ? reader_u8(&reader) : 0;
    Bytes key = {reader.next, reader_left(&reader)};
    if (kind == CHANGELOG_KEY && record->value.data) {
        commit_put(commit, store_id, key, record->value);
    } else if (kind == CHANGELOG_KEY) {
        commit_remove(commit, store_id, key);
    } else if (kind == CHANGELOG_RANGE) {
        uint64_t size = reader_varint(&reader);
        if (!reader_ok(&reader) || size > reader_left(&reader))
            return CHANGELOG_DAMAGED;
        Bytes key_min = reader_bytes(&reader, (uint32_t)size);
        commit_remove_range(commit, store_id, key_min, (Bytes){reader.next, reader_left(&reader)});
    } else {
        return CHANGELOG_STRANGER;
    }
    return CHANGELOG_APPLIED;
}
