/*
 * aggregate_hop.c - HOPPING windows: a row changes its group in every window it lies in.
 *
 * A row's group is resolved once, its key and hash serve all windows. Windows start at multiples of
 * the advance, in order of start; those that are over are left out, and the row is late for them.
 * One row may have any number of windows, so updates are made a room full at a time.
 */
#include <assert.h>

#include "runtime/aggregate_impl.h"

void aggregate_hop_add(Op *op, const Batch *batch, const RowKeys *keys, const uint32_t range[2]) {
    Aggregation *self = op->self;
    assert(range[0] < range[1]);
    HopRows *rows = arena_alloc(batch->arena, sizeof *rows);
    *rows = (HopRows){.batch = batch, .keys = keys, .next = range[0], .end = range[1],
                      .start = HOP_NEW};
    if (self->hop_last)
        self->hop_last->after = rows;
    else
        self->hop_first = rows;
    self->hop_last = rows;
}

/* The first multiple of the advance over `value`. */
static int64_t start_after(int64_t value, int64_t advance) {
    assert(advance > 0);
    return value < 0 ? 0 : value - value % advance + advance;
}

/* The row's first window that is not over. Moves stream time. */
static int64_t first_window(Op *op, const Batch *batch, uint32_t row) {
    Aggregation *self = op->self;
    StateWindow *window = self->window;
    const PlanWindow *plan = &self->layout->node->window;
    int64_t rowtime = batch->rowtime[row], before = window->stream_time;
    assert(rowtime >= 0);
    if (rowtime > before)
        window->stream_time = rowtime;
    if (aggregate_is_final(self))
        aggregate_final_row(op, batch, row, before);
    int64_t first = start_after(rowtime - plan->size_ms, plan->advance_ms);
    int64_t over = window->stream_time - plan->grace_ms - plan->size_ms;
    if (first > over)
        return first;
    aggregate_late(op, batch, row);
    return start_after(over, plan->advance_ms);
}

static void add_update(Aggregation *self, const HopRows *rows, Updates *updates) {
    uint32_t at = updates->count++;
    const PlanWindow *plan = &self->layout->node->window;
    SlotTable *table = &state_window_bucket(self->window, rows->start)->slots;
    slot_table_prefetch(table, rows->keys->hashes[rows->next]);
    assert(rows->start % plan->advance_ms == 0);
    updates->window_start[at] = rows->start;
    updates->window_end[at] = state_window_end(rows->start, plan->size_ms);
    updates->tables[at] = table;
    updates->heaps[at] = &table->blobs;
    updates->rows[at] = rows->batch->selected[rows->next];
    updates->index[at] = (uint16_t)rows->next;
}

/* Updates of these rows, as many as there is room for. */
static void hop_updates(Op *op, HopRows *rows, Updates *updates, uint32_t room) {
    Aggregation *self = op->self;
    const Batch *batch = rows->batch;
    const PlanWindow *plan = &self->layout->node->window;
    assert(updates->count == 0 && room > 0);
    while (rows->next < rows->end && updates->count < room) {
        uint32_t row = batch->selected[rows->next];
        if (rows->start == HOP_NEW) {
            if (!aggregate_row_counts(self, batch, rows->keys, rows->next)) {
                rows->next++;
                continue;
            }
            rows->start = first_window(op, batch, row);
        }
        int64_t rowtime = batch->rowtime[row];
        while (rows->start <= rowtime && updates->count < room) {
            add_update(self, rows, updates);
            if (rows->start > INT64_MAX - plan->advance_ms)
                break;
            rows->start += plan->advance_ms;
        }
        if (rows->start <= rowtime && updates->count == room &&
            rows->start <= INT64_MAX - plan->advance_ms)
            return;
        rows->next++;
        rows->start = HOP_NEW;
    }
}

/* Rows of a plan whose results are large; returns how many. */
static uint32_t large_updates(Op *op, HopRows *rows, const Batch *view, uint32_t room) {
    Aggregation *self = op->self;
    uint32_t count = rows->end - rows->next < room ? rows->end - rows->next : room;
    const uint32_t range[2] = {rows->next, rows->next + count};
    assert(count > 0);
    rows->next += count;
    if (self->of_table) {
        aggregate_changes(op, view, rows->keys, range);
        return count;
    }
    Updates updates;
    updates_init(&updates, view->arena, count, self->window != NULL);
    updates.repeated = true; /* only some of the batch's rows */
    aggregate_pick(op, view, rows->keys, &updates, range);
    if (updates.count > 0)
        aggregate_rows(op, view, rows->keys, &updates);
    return count;
}

static uint32_t hop_some(Op *op, HopRows *rows, const Batch *view, uint32_t room) {
    Updates updates;
    assert(room > 0);
    updates_init(&updates, view->arena, room, true);
    updates.repeated = true;
    hop_updates(op, rows, &updates, room);
    if (updates.count > 0)
        aggregate_rows(op, view, rows->keys, &updates);
    return updates.count;
}

bool aggregate_hop(Op *op, uint32_t room) {
    Aggregation *self = op->self;
    OpEnv *env = op->env;
    const PlanWindow *window = &op->node->window;
    assert(room > 0);
    if (self->large && room > LARGE_ITEMS_MAX / (self->items_per_row + 1))
        room = LARGE_ITEMS_MAX / (self->items_per_row + 1) + 1;
    while (self->hop_first && room > 0) {
        HopRows *rows = self->hop_first;
        Batch view = *rows->batch; /* what is made of it lives in this pass */
        view.arena = env->step_arena;
        room -= window->advance_ms < window->size_ms ? hop_some(op, rows, &view, room)
                                                     : large_updates(op, rows, &view, room);
        if (rows->next < rows->end)
            break;
        self->hop_first = rows->after;
        if (!self->hop_first)
            self->hop_last = NULL;
    }
    return self->hop_first != NULL;
}
