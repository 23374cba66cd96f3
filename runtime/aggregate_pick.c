/*
 * aggregate_pick.c - which rows of a run change which group of which window.
 *
 * Rows without a group and late ones fall out. Stream time is the running maximum over the rows
 * that have a group. A row is late for its window when the window's end is not after stream time
 * less grace.
 */
#include <assert.h>

#include "runtime/aggregate_impl.h"

void updates_init(Updates *updates, Arena *arena, uint32_t count, bool windowed) {
    assert(count > 0);
    *updates = (Updates){0};
    updates->rows = arena_raw(arena, count * sizeof *updates->rows);
    updates->index = arena_raw(arena, count * sizeof *updates->index);
    updates->tables = arena_raw(arena, count * sizeof *updates->tables);
    updates->slots = arena_raw(arena, count * sizeof *updates->slots);
    updates->rowtime = arena_raw(arena, count * sizeof *updates->rowtime);
    updates->old_rows = arena_raw(arena, count * sizeof *updates->old_rows);
    if (windowed) {
        updates->heaps = arena_raw(arena, count * sizeof *updates->heaps);
        updates->window_start = arena_raw(arena, count * sizeof *updates->window_start);
        updates->window_end = arena_raw(arena, count * sizeof *updates->window_end);
    }
}

/* Names the first missing component, as row error. */
static void no_group(const Aggregation *self, const Batch *batch, uint32_t row) {
    assert(row < batch->row_count);
    uint32_t column = 0;
    while (column < self->layout->keys.column_count &&
           !column_is_null(batch->columns[column], row))
        column++;
    batch_row_error(batch, row, "group",
                    "group-by column %u (%s) is NULL: the row is in no group", column,
                    self->layout->schema->columns[column].name);
}

bool aggregate_row_counts(const Aggregation *self, const Batch *batch, const RowKeys *keys,
                          uint32_t i) {
    uint32_t row = batch->selected[i];
    assert(i < batch->selected_count);
    if (batch->kind[row] != ROW_VALUE)
        return false;
    if (!keys->keys[i].data)
        no_group(self, batch, row);
    return keys->keys[i].data != NULL;
}

void aggregate_late(Op *op, const Batch *batch, uint32_t row) {
    assert(row < batch->row_count);
    batch_row_note(batch, row, "late", "the row is too late for its window");
    op_count(op, OP_LATE, 1);
}

/* Finds the bucket of a row's window; false: the row is late for it. */
static bool in_window(Aggregation *self, Updates *updates, int64_t rowtime) {
    StateWindow *window = self->window;
    const PlanWindow *plan = &self->layout->node->window;
    assert(rowtime >= 0);
    if (rowtime > window->stream_time)
        window->stream_time = rowtime;
    int64_t start = rowtime - rowtime % plan->size_ms;
    int64_t end = state_window_end(start, plan->size_ms);
    if (start <= window->stream_time - plan->grace_ms - plan->size_ms)
        return false;
    updates->window_start[updates->count] = start;
    updates->window_end[updates->count] = end;
    updates->tables[updates->count] = &state_window_bucket(window, start)->slots;
    updates->heaps[updates->count] = &updates->tables[updates->count]->blobs;
    return true;
}

void aggregate_pick(Op *op, const Batch *batch, const RowKeys *keys, Updates *updates,
                    const uint32_t range[2]) {
    Aggregation *self = op->self;
    assert(range[0] < range[1]);
    assert(updates->count == 0);
    bool final = aggregate_is_final(self);
    for (uint32_t i = range[0]; i < range[1]; i++) {
        uint16_t row = batch->selected[i];
        if (!aggregate_row_counts(self, batch, keys, i))
            continue;
        int64_t before = self->window ? self->window->stream_time : 0;
        bool in = true;
        if (!self->window)
            updates->tables[updates->count] = &self->table->slots;
        else
            in = in_window(self, updates, batch->rowtime[row]);
        if (final)
            aggregate_final_row(op, batch, row, before);
        if (!in) {
            aggregate_late(op, batch, row);
            continue;
        }
        updates->rows[updates->count] = row;
        updates->index[updates->count++] = (uint16_t)i;
    }
}
