/*
 * arena.c - see arena.h.
 *
 * A list of blocks, each bump-allocated. Blocks double from ARENA_BLOCK_BYTES up to
 * ARENA_BLOCK_BYTES_MAX; what is larger than that gets a block of its own size. Invariant: only
 * the first block of the list is allocated from. Zeroing happens at allocation, so that a reset
 * costs nothing for memory that is not used again.
 */
#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

typedef struct ArenaBlock {
    struct ArenaBlock *next;
    size_t size;
    size_t used;
    _Alignas(16) unsigned char data[];
} ArenaBlock;

typedef struct ArenaDefer {
    struct ArenaDefer *next;
    void (*release)(void *object);
    void *object;
} ArenaDefer;

struct Arena {
    const char *name;
    size_t budget_bytes;
    size_t full_bytes; /* in blocks behind the first */
    ArenaBlock *first;
    ArenaDefer *deferred; /* in the arena itself */
};

enum { ARENA_ALIGN = 16 };

Arena *arena_new(const char *name, size_t budget_bytes) {
    assert(name);
    Arena *arena = mem_alloc(sizeof *arena);
    arena->name = name;
    arena->budget_bytes = budget_bytes;
    return arena;
}

static void arena_free_blocks(ArenaBlock *block) {
    while (block) {
        ArenaBlock *next = block->next;
#ifdef DEBUG_FILL
        memset(block->data, 0xDD, block->used);
#endif
        mem_free(block);
        block = next;
    }
}

static void arena_release(Arena *arena) {
    while (arena->deferred) {
        ArenaDefer *deferred = arena->deferred;
        arena->deferred = deferred->next;
        deferred->release(deferred->object);
    }
}

void arena_free(Arena *arena) {
    if (!arena)
        return;
    arena_release(arena);
    arena_free_blocks(arena->first);
    mem_free(arena);
}

static void arena_add_block(Arena *arena, size_t size) {
    size_t block_size = ARENA_BLOCK_BYTES;
    if (arena->first) {
        block_size = arena->first->size * 2;
        if (block_size > ARENA_BLOCK_BYTES_MAX)
            block_size = ARENA_BLOCK_BYTES_MAX;
        arena->full_bytes += arena->first->used;
    }
    if (block_size < size)
        block_size = size;
    ArenaBlock *block = mem_resize(NULL, sizeof *block + block_size);
    block->size = block_size;
    block->used = 0;
    block->next = arena->first;
    arena->first = block;
}

void *arena_raw(Arena *arena, size_t size) {
    assert(arena);
    size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (!arena->first || arena->first->size - arena->first->used < size)
        arena_add_block(arena, size);
    ArenaBlock *block = arena->first;
    void *memory = block->data + block->used;
    block->used += size;
    return memory;
}

void *arena_alloc(Arena *arena, size_t size) {
    void *memory = arena_raw(arena, size);
    return memset(memory, 0, size);
}

void *arena_array(Arena *arena, size_t count, size_t item_size) {
    assert(item_size > 0);
    return arena_alloc(arena, count * item_size);
}

char *arena_strdup(Arena *arena, const char *text) {
    assert(text);
    return arena_text(arena, bytes_of(text));
}

char *arena_text(Arena *arena, Bytes bytes) {
    char *copy = arena_raw(arena, (size_t)bytes.size + 1);
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = '\0';
    return copy;
}

Bytes arena_bytes(Arena *arena, Bytes bytes) {
    return (Bytes){(const uint8_t *)arena_text(arena, bytes), bytes.size};
}

char *arena_printf(Arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(size >= 0);
    char *text = arena_raw(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}

void *arena_grow(Arena *arena, void *array, size_t *capacity, size_t needed, size_t item_size) {
    if (needed <= *capacity)
        return array;
    size_t grown = *capacity ? *capacity * 2 : 8;
    if (grown < needed)
        grown = needed;
    void *copy = arena_array(arena, grown, item_size);
    if (*capacity > 0)
        memcpy(copy, array, *capacity * item_size);
    *capacity = grown;
    return copy;
}

void arena_defer(Arena *arena, void (*release)(void *object), void *object) {
    assert(release);
    ArenaDefer *deferred = arena_alloc(arena, sizeof *deferred);
    *deferred = (ArenaDefer){arena->deferred, release, object};
    arena->deferred = deferred;
}

void arena_reset(Arena *arena) {
    assert(arena);
    arena_release(arena);
    ArenaBlock *keep = arena->first;
    if (!keep)
        return;
    arena_free_blocks(keep->next);
    keep->next = NULL;
#ifdef DEBUG_FILL
    memset(keep->data, 0xDD, keep->used);
#endif
    keep->used = 0;
    arena->full_bytes = 0;
}

size_t arena_used_bytes(const Arena *arena) {
    return arena->full_bytes + (arena->first ? arena->first->used : 0);
}

bool arena_over(const Arena *arena) {
    return arena->budget_bytes > 0 && arena_used_bytes(arena) > arena->budget_bytes;
}
