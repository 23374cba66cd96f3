/*
 * row_keys.c - see row_keys.h.
 */
#include "runtime/row_keys.h"

#include <assert.h>

#include "base/hash.h"

static bool has_key(const Column *const *columns, uint32_t count, uint32_t row, uint32_t flags) {
    assert(count > 0);
    uint32_t null_count = 0;
    for (uint32_t i = 0; i < count; i++)
        null_count += column_is_null(columns[i], row);
    return flags & ROW_KEYS_PARTIAL ? null_count < count : null_count == 0;
}

/* Writes the keys one after the other; sizes go to keys[], 0 for a NULL one. */
static void put_keys(RowKeys *list, const Column *const *columns, uint32_t count, uint32_t flags,
                     Buf *scratch) {
    const Batch *batch = list->batch;
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint32_t row = batch->selected[i];
        if (!has_key(columns, count, row, flags))
            continue;
        size_t before = scratch->size;
        if (flags & (ROW_KEYS_WINDOWED | ROW_KEYS_BOUNDS))
            buf_u64_be(scratch, (uint64_t)batch->window_start[row]);
        if (flags & ROW_KEYS_BOUNDS)
            buf_u64_be(scratch, (uint64_t)batch->window_end[row]);
        row_key_put(scratch, columns, count, row);
        list->keys[i].size = (uint32_t)(scratch->size - before);
        assert(list->keys[i].size > 0);
    }
}

RowKeys *row_keys_new(const Batch *batch, const Column *const *columns, uint32_t count,
                      uint32_t flags, Buf *scratch) {
    assert(!(flags & (ROW_KEYS_WINDOWED | ROW_KEYS_BOUNDS)) || batch->window_start);
    RowKeys *list = arena_alloc(batch->arena, sizeof *list);
    list->batch = batch;
    list->keys = arena_array(batch->arena, batch->selected_count, sizeof *list->keys);
    list->hashes = arena_raw(batch->arena, batch->selected_count * sizeof *list->hashes);
    buf_reset(scratch);
    put_keys(list, columns, count, flags, scratch);
    uint8_t *bytes = arena_raw(batch->arena, scratch->size);
    if (scratch->size > 0)
        memcpy(bytes, scratch->data, scratch->size);
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        if (list->keys[i].size == 0)
            continue;
        list->keys[i].data = bytes;
        bytes += list->keys[i].size;
        list->hashes[i] = hash_bytes(list->keys[i]);
    }
    return list;
}

RowKeys *row_keys_find(RowKeys *list, const Batch *batch) {
    while (list && list->batch != batch)
        list = list->next;
    assert(list);
    return list;
}
