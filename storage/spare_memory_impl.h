/*
 * spare_memory_impl.h - large pieces of memory that commits and blocks hand on to each other.
 *
 * A bulk load takes 4 MiB for every commit and gives it back when its segment is written; fresh
 * memory from the system costs more than what is done with it. When nothing has come for a while
 * the writer clears it. Safe from any thread.
 */
#ifndef STORAGE_SPARE_MEMORY_IMPL_H
#define STORAGE_SPARE_MEMORY_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "base/thread.h"

enum {
    SPARE_MEMORY_STEP = 256 << 10, /* sizes are multiples; smaller pieces are not kept */
    SPARE_MEMORY_PIECES = 256,
    SPARE_MEMORY_BYTES_MAX = 64 << 20, /* what one checkpoint gives back at once */
};

typedef struct SpareMemory {
    Lock lock;
    uint32_t count;
    size_t bytes;
    uint8_t *pieces[SPARE_MEMORY_PIECES];
    size_t sizes[SPARE_MEMORY_PIECES];
} SpareMemory;

void spare_memory_init(SpareMemory *spare);
void spare_memory_close(SpareMemory *spare);

/* At least `size` bytes; *capacity: how many. As from mem_resize(). */
uint8_t *spare_memory_take(SpareMemory *spare, size_t size, size_t *capacity);

/* Memory of mem_resize() that is done with; `spare` may be NULL, and so may the memory. */
void spare_memory_give(SpareMemory *spare, uint8_t *memory, size_t capacity);

void spare_memory_clear(SpareMemory *spare);

#endif
