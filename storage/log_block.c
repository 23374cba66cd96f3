/*
 * log_block.c - runs of record batches in memory, counted: frame buffers, blocks read from
 * segments, and views into either.
 *
 * Invariant: the bytes of a block do not change while anyone holds a reference.
 */
#include <assert.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "storage/partition_impl.h"

struct LogBlock {
    atomic_uint refs;
    LogBlock *parent; /* a view's; NULL: `memory` is ours */
    uint8_t *memory;
    size_t capacity;    /* of memory that goes to `spare` */
    SpareMemory *spare; /* NULL: it is freed */
    Bytes bytes;
    LogBlockRest rest;
};

static LogBlock *log_block_new(LogBlock *parent, uint8_t *memory, Bytes bytes) {
    assert(!parent || !memory);
    LogBlock *block = mem_alloc(sizeof *block);
    atomic_init(&block->refs, 1);
    block->parent = parent;
    block->memory = memory;
    block->bytes = bytes;
    return block;
}

LogBlock *log_block_take(uint8_t *data, uint32_t size) {
    assert(size > 0);
    assert(data);
    return log_block_new(NULL, data, (Bytes){data, size});
}

LogBlock *log_block_take_part(uint8_t *data, Bytes part) {
    assert(part.size > 0);
    assert(data);
    assert(part.data >= data);
    return log_block_new(NULL, data, part);
}

LogBlock *log_block_take_spare(uint8_t *data, size_t capacity, Bytes part, SpareMemory *spare) {
    assert(capacity >= part.size);
    LogBlock *block = log_block_take_part(data, part);
    block->capacity = capacity;
    block->spare = spare;
    return block;
}

LogBlock *log_block_view(LogBlock *parent, Bytes part) {
    assert(parent);
    assert(part.data >= parent->bytes.data);
    assert(part.data + part.size <= parent->bytes.data + parent->bytes.size);
    log_block_ref(parent);
    return log_block_new(parent, NULL, part);
}

void log_block_set_rest(LogBlock *block, const LogBlockRest *rest) {
    assert(block->memory && !block->rest.bytes.data);
    assert(rest->bytes.data == block->bytes.data + block->bytes.size);
    block->rest = *rest;
}

const LogBlockRest *log_block_rest(const LogBlock *block) {
    assert(block);
    return &block->rest;
}

void log_block_ref(LogBlock *block) {
    assert(block);
    unsigned before = atomic_fetch_add_explicit(&block->refs, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
}

void log_block_unref(LogBlock *block) {
    while (block) {
        unsigned before = atomic_fetch_sub_explicit(&block->refs, 1, memory_order_acq_rel);
        assert(before > 0);
        if (before > 1)
            return;
        LogBlock *parent = block->parent;
#ifdef DEBUG_FILL
        if (block->memory)
            memset((void *)(uintptr_t)block->bytes.data, 0xDD, block->bytes.size);
#endif
        spare_memory_give(block->spare, block->memory, block->capacity);
        mem_free(block);
        block = parent;
    }
}

Bytes log_block_bytes(const LogBlock *block) {
    assert(block);
    return block->bytes;
}
