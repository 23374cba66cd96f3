/*
 * blob_heap.h - memory of one table of state: slots, keys, values.
 *
 * Blocks come from an arena in size classes, four to a doubling, with a free list per class; the
 * whole heap goes at once. Nothing is given back to the machine before that, which suits tables
 * that are updated in place.
 */
#ifndef RUNTIME_BLOB_HEAP_H
#define RUNTIME_BLOB_HEAP_H

#include "base/arena.h"

enum { BLOB_CLASSES = 4 * 28 };

typedef struct BlobHeap {
    Arena *arena;
    void *free[BLOB_CLASSES]; /* lists linked through the blocks' first word */
    size_t used_bytes;        /* of blocks in use */
} BlobHeap;

void blob_heap_init(BlobHeap *heap);
void blob_heap_close(BlobHeap *heap);

/* At least `size` bytes, not zeroed, aligned by 16. */
void *blob_heap_alloc(BlobHeap *heap, uint32_t size);
void blob_heap_free(BlobHeap *heap, void *block, uint32_t size); /* size as asked for */

#endif
