/*
 * view.c - see view.h.
 */
#include "runtime/view.h"

#include <assert.h>

static uint64_t *view_validity(Arena *arena, uint64_t *validity, uint32_t from, uint32_t count) {
    assert(validity && count > 0);
    uint32_t word = from / 64, shift = from % 64, words = column_words(count);
    if (shift == 0)
        return validity + word;
    uint64_t *copy = arena_raw(arena, words * sizeof *copy);
    uint32_t last = (from + count - 1) / 64; /* the last word that holds one of our bits */
    for (uint32_t i = 0; i < words; i++) {
        copy[i] = validity[word + i] >> shift;
        if (word + i + 1 <= last)
            copy[i] |= validity[word + i + 1] << (64 - shift);
    }
    return copy;
}

static void view_init(Column *view, Arena *arena, const Column *column, uint32_t from,
                      uint32_t count) {
    assert(from + count <= column->length && count > 0);
    *view = *column;
    view->length = count;
    if (column->validity)
        view->validity = view_validity(arena, column->validity, from, count);
    if (column->offsets) {
        view->offsets = column->offsets + from;
    } else if (column->type->kind == TYPE_STRUCT) {
        view->children = arena_array(arena, column->type->field_count, sizeof *view->children);
        for (uint32_t i = 0; i < column->type->field_count; i++)
            view_init(&view->children[i], arena, &column->children[i], from, count);
    } else {
        view->boolean = column->boolean + (size_t)from * type_width(column->type);
    }
}

const Column *view_column(Arena *arena, const Column *column, uint32_t from, uint32_t count) {
    assert(count > 0);
    assert(from + count <= column->length);
    if (from == 0 && count == column->length)
        return column;
    Column *view = arena_raw(arena, sizeof *view);
    view_init(view, arena, column, from, count);
    return view;
}

static const Column *const *view_columns(Arena *arena, const Batch *batch, uint32_t from,
                                         uint32_t count) {
    assert(batch->columns);
    uint32_t column_count = batch->schema->column_count;
    const Column **columns = arena_array(arena, column_count, sizeof *columns);
    for (uint32_t i = 0; i < column_count; i++)
        columns[i] = batch->columns[i] ? view_column(arena, batch->columns[i], from, count) : NULL;
    return columns;
}

/* The part of a selection that lies in physical rows [first, first + count), moved down. */
static void view_selection(Arena *arena, Batch *view, const Batch *batch, uint32_t first) {
    assert(view->row_count > 0);
    uint16_t *selected = arena_raw(arena, view->row_count * sizeof *selected);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint32_t row = batch->selected[i];
        if (row >= first && row - first < view->row_count)
            selected[kept++] = (uint16_t)(row - first);
    }
    view->selected = selected;
    view->selected_count = kept;
}

static void view_facts(Batch *view, const Batch *batch, uint32_t first) {
    assert(first < batch->row_count);
    view->seq = batch->seq + first;
    view->rowtime = batch->rowtime + first;
    view->kind = batch->kind + first;
    view->offset = batch->offset + first;
    view->headers = batch->headers ? batch->headers + first : NULL;
    view->window_start = batch->window_start ? batch->window_start + first : NULL;
    view->window_end = batch->window_end ? batch->window_end + first : NULL;
}

static Batch *view_range(Arena *arena, const Batch *batch, uint32_t first, uint32_t count) {
    assert(count > 0);
    assert(first + count <= batch->row_count);
    Batch *view = arena_raw(arena, sizeof *view);
    *view = *batch;
    view->row_count = count;
    if (batch->columns)
        view->columns = view_columns(arena, batch, first, count);
    view_facts(view, batch, first);
    view_selection(arena, view, batch, first);
    return view;
}

Batch *view_rows(Arena *arena, const Batch *batch, uint32_t from, uint32_t to) {
    assert(from < to && to <= batch->selected_count);
    uint32_t first = batch->selected[from];
    uint32_t count = batch->selected[to - 1] + 1u - first;
    Batch *view = view_range(arena, batch, first, count);
    if (batch->old)
        view->old = view_range(arena, batch->old, first, count);
    assert(view->selected_count == to - from);
    return view;
}
