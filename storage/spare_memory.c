/* spare_memory.c - see spare_memory_impl.h. */
#include "storage/spare_memory_impl.h"

#include <assert.h>

#include "base/mem.h"

static size_t spare_round(size_t size) {
    assert(size > 0);
    return (size + SPARE_MEMORY_STEP - 1) / SPARE_MEMORY_STEP * SPARE_MEMORY_STEP;
}

void spare_memory_init(SpareMemory *spare) {
    assert(spare);
    *spare = (SpareMemory){0};
    lock_init(&spare->lock);
}

void spare_memory_close(SpareMemory *spare) {
    assert(spare);
    spare_memory_clear(spare);
    assert(spare->count == 0);
    lock_close(&spare->lock);
}

uint8_t *spare_memory_take(SpareMemory *spare, size_t size, size_t *capacity) {
    assert(capacity);
    assert(size > 0);
    uint8_t *memory = NULL;
    *capacity = spare_round(size);
    lock_take(&spare->lock);
    for (uint32_t i = 0; i < spare->count && !memory; i++) {
        if (spare->sizes[i] < size || spare->sizes[i] > *capacity + *capacity / 4)
            continue;
        memory = spare->pieces[i];
        *capacity = spare->sizes[i];
        spare->pieces[i] = spare->pieces[--spare->count];
        spare->sizes[i] = spare->sizes[spare->count];
        spare->bytes -= *capacity;
    }
    lock_release(&spare->lock);
    return memory ? memory : mem_resize(NULL, *capacity);
}

void spare_memory_give(SpareMemory *spare, uint8_t *memory, size_t capacity) {
    assert(memory || capacity == 0);
    if (spare && capacity >= SPARE_MEMORY_STEP) {
        lock_take(&spare->lock);
        if (spare->count < SPARE_MEMORY_PIECES &&
            spare->bytes + capacity <= SPARE_MEMORY_BYTES_MAX) {
            spare->pieces[spare->count] = memory;
            spare->sizes[spare->count++] = capacity;
            spare->bytes += capacity;
            memory = NULL;
        }
        lock_release(&spare->lock);
    }
    mem_free(memory);
}

void spare_memory_clear(SpareMemory *spare) {
    lock_take(&spare->lock);
    assert(spare->count <= SPARE_MEMORY_PIECES);
    while (spare->count > 0)
        mem_free(spare->pieces[--spare->count]);
    spare->bytes = 0;
    assert(spare->count == 0);
    lock_release(&spare->lock);
}
