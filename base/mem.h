/*
 * mem.h - the heap, for what no arena fits: growing arrays, hash tables, shared buffers.
 *
 * Running the machine out of memory stops the process with a message; budgets that users can
 * reach (settings, limits.h) are checked by who fills the memory, before it is asked for.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed; size 0 gives a valid pointer. Never NULL. */
void *mem_alloc(size_t size);
void *mem_array(size_t count, size_t item_size);

/* As realloc, never NULL; the grown part is not zeroed. */
void *mem_resize(void *memory, size_t size);

/* NULL is allowed. */
void mem_free(void *memory);

/* A NUL-terminated copy of `text`; the caller frees it with mem_free. */
char *mem_strdup(const char *text);

/* Grows *array so that it holds `needed` items; capacity doubles. Returns the (moved) array. */
void *mem_grow(void *array, size_t *capacity, size_t needed, size_t item_size);

#endif
