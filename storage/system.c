/*
 * system.c - keys and values of store 0, which the storage writes for itself.
 *
 * Integers in keys are big-endian, so that bytes order as numbers do; storage_impl.h lists the
 * kinds. A key of any store in the memtable is its id (u32 big-endian) and the key's bytes.
 */
#include <assert.h>

#include "storage/storage_impl.h"

static uint8_t *put_be(uint8_t *target, uint32_t value) {
    assert(target);
    for (int i = 0; i < 4; i++)
        target[i] = (uint8_t)(value >> (24 - 8 * i));
    return target + 4;
}

static uint8_t *system_begin(uint8_t *key, uint8_t kind) {
    assert(kind >= SYSTEM_TOPIC);
    assert(kind <= SYSTEM_CATALOG);
    uint8_t *next = put_be(key, STORE_SYSTEM);
    *next++ = kind;
    return next;
}

static Bytes system_end(const uint8_t *key, const uint8_t *end) {
    assert(key < end);
    assert(end - key <= SYSTEM_KEY_SIZE);
    return (Bytes){key, (uint32_t)(end - key)};
}

Bytes system_topic_key(uint8_t *key, uint32_t topic_id) {
    return system_end(key, put_be(system_begin(key, SYSTEM_TOPIC), topic_id));
}

Bytes system_partition_key(uint8_t *key, TopicPartition where) {
    uint8_t *next = put_be(system_begin(key, SYSTEM_PARTITION), where.topic_id);
    return system_end(key, put_be(next, where.partition));
}

Bytes system_position_key(uint8_t *key, uint32_t task_id, TopicPartition source) {
    uint8_t *next = put_be(system_begin(key, SYSTEM_POSITION), task_id);
    next = put_be(next, source.topic_id);
    return system_end(key, put_be(next, source.partition));
}

Bytes system_task_key(uint8_t *key, uint32_t task_id) {
    return system_end(key, put_be(system_begin(key, SYSTEM_POSITION), task_id));
}

void state_key(Buf *target, uint32_t store_id, Bytes key) {
    assert(target);
    buf_reset(target);
    buf_u32_be(target, store_id);
    buf_bytes(target, key);
    assert(target->size == 4 + (size_t)key.size);
}

void system_see_id(Storage *storage, uint32_t id) {
    assert(storage);
    if (id == UINT32_MAX)
        return; /* never given: it has no successor */
    unsigned next = atomic_load(&storage->next_id);
    while (next <= id && !atomic_compare_exchange_weak(&storage->next_id, &next, id + 1)) {
    }
    assert(atomic_load(&storage->next_id) > id);
}

uint32_t storage_new_id(Storage *storage) {
    uint32_t id = atomic_fetch_add(&storage->next_id, 1);
    assert(id > 0);
    return id;
}
