/* mem.c - see mem.h. */
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *mem_check(void *memory, size_t size) {
    if (!memory) {
        fprintf(stderr, "weir: out of memory (%zu bytes wanted)\n", size);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size) {
    return mem_check(calloc(1, size ? size : 1), size);
}

void *mem_array(size_t count, size_t item_size) {
    assert(item_size > 0);
    return mem_check(calloc(count ? count : 1, item_size), count * item_size);
}

void *mem_resize(void *memory, size_t size) {
    return mem_check(realloc(memory, size ? size : 1), size);
}

void mem_free(void *memory) {
    free(memory);
}

char *mem_strdup(const char *text) {
    assert(text);
    size_t size = strlen(text) + 1;
    return memcpy(mem_alloc(size), text, size);
}

void *mem_grow(void *array, size_t *capacity, size_t needed, size_t item_size) {
    assert(item_size > 0);
    if (needed <= *capacity)
        return array;
    size_t grown = *capacity ? *capacity * 2 : 8;
    if (grown < needed)
        grown = needed;
    *capacity = grown;
    return mem_resize(array, grown * item_size);
}
