/*
 * arena.h - memory with one common end of life.
 *
 * Three lifetimes cover the whole program; name the arena after the one it has:
 *
 *   statement_arena   tokens, syntax tree, messages     freed when the statement is answered
 *   query_arena       plan, operators, programs         freed when the query is dropped
 *   batch_arena       strings and columns of a batch    reset after every step
 *
 * An allocation never fails: out of memory stops the process (mem.h). A budget is a promise that
 * the one who fills an arena from foreign bytes keeps by asking arena_over() once per unit of
 * input (token, row, record), so that going over it is an ordinary error with a name.
 * Not safe for use by two threads at once.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

typedef struct Arena Arena;

/* budget_bytes 0: none. `name` is borrowed and must outlive the arena. */
Arena *arena_new(const char *name, size_t budget_bytes);
void arena_free(Arena *arena); /* NULL is allowed */

/* Zeroed, aligned for any type, valid until arena_reset(). size 0 gives a valid pointer. */
void *arena_alloc(Arena *arena, size_t size);
void *arena_array(Arena *arena, size_t count, size_t item_size);

/* The same, but not zeroed: for column data that is about to be written whole. */
void *arena_raw(Arena *arena, size_t size);

/* Copies into the arena. The text copies end in a NUL. */
char *arena_strdup(Arena *arena, const char *text);
char *arena_text(Arena *arena, Bytes bytes);
Bytes arena_bytes(Arena *arena, Bytes bytes);
char *arena_printf(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Grows an array that lives in the arena to hold `needed` items (the old copy is left behind).
 * New items are zeroed. */
void *arena_grow(Arena *arena, void *array, size_t *capacity, size_t needed, size_t item_size);

/* Forgets every allocation but keeps one block; in debug builds fills them with 0xDD. */
void arena_reset(Arena *arena);

/* Calls release(object) when the arena is freed or reset, before its memory goes; the last one
 * asked for comes first. For what an object in the arena holds outside of it. */
void arena_defer(Arena *arena, void (*release)(void *object), void *object);

size_t arena_used_bytes(const Arena *arena);
bool arena_over(const Arena *arena); /* used more than its budget */

#endif
