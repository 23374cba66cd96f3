/*
 * blob_heap.c - see blob_heap.h.
 *
 * Class c of a size: with m the position of its highest bit and q its next two bits, sizes are
 * rounded up to (4 + q) << (m - 2). Below 64 bytes the classes are multiples of 16.
 */
#include "runtime/blob_heap.h"

#include <assert.h>

enum { BLOB_GRAIN = 16, BLOB_SMALL = 64 };

void blob_heap_init(BlobHeap *heap) {
    *heap = (BlobHeap){.arena = arena_new("blobs", 0)};
}

void blob_heap_close(BlobHeap *heap) {
    arena_free(heap->arena);
    *heap = (BlobHeap){0};
}

static uint32_t class_of(uint32_t size, uint32_t *rounded) {
    if (size <= BLOB_SMALL) {
        uint32_t grains = size == 0 ? 1 : (size + BLOB_GRAIN - 1) / BLOB_GRAIN;
        *rounded = grains * BLOB_GRAIN;
        return grains - 1;
    }
    uint32_t high = 31u - (uint32_t)__builtin_clz(size - 1); /* >= 6 */
    uint32_t step = 1u << (high - 2);
    uint32_t quarter = (size - 1 - (1u << high)) / step;
    *rounded = (1u << high) + (quarter + 1) * step;
    assert(*rounded >= size && quarter < 4);
    return 4 + (high - 6) * 4 + quarter;
}

void *blob_heap_alloc(BlobHeap *heap, uint32_t size) {
    uint32_t rounded, class = class_of(size, &rounded);
    assert(class < BLOB_CLASSES);
    heap->used_bytes += rounded;
    void *block = heap->free[class];
    if (!block)
        return arena_raw(heap->arena, rounded);
    memcpy(&heap->free[class], block, sizeof(void *));
    return block;
}

void blob_heap_free(BlobHeap *heap, void *block, uint32_t size) {
    assert(block);
    uint32_t rounded, class = class_of(size, &rounded);
    assert(heap->used_bytes >= rounded);
    heap->used_bytes -= rounded;
    memcpy(block, &heap->free[class], sizeof(void *));
    heap->free[class] = block;
}
