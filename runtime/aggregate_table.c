/*
 * aggregate_table.c - GROUP BY of a table: what a change takes from its group and brings to it.
 *
 * Every row of the input speaks of one group (table_group.h). Its old value is undone first, then
 * the new one added, and of both comes one row of output. A group stays when its last row went.
 */
#include <assert.h>

#include "runtime/aggregate_impl.h"
#include "udf/pick.h"

/* The rows of a run as updates: an undo, an addition, or both of them for each row. */
typedef struct Changes {
    uint32_t update_count, count;
    Slot **slots;      /* of each update */
    int8_t *signs;
    uint32_t *which;   /* 0: columns, 1: old columns */
    uint32_t *sources; /* physical row */
    uint16_t *first, *last; /* of each row of output: its updates */
    uint16_t *rows;         /* physical row of the input */
    int64_t *rowtime;
    uint16_t *old_rows; /* rows of output whose group was there before */
    uint32_t old_count;
} Changes;

static void changes_init(Changes *changes, Arena *arena, uint32_t count) {
    assert(count > 0);
    *changes = (Changes){0};
    changes->slots = arena_raw(arena, count * 2 * sizeof *changes->slots);
    changes->signs = arena_raw(arena, (size_t)count * 2);
    changes->which = arena_raw(arena, count * 2 * sizeof *changes->which);
    changes->sources = arena_raw(arena, count * 2 * sizeof *changes->sources);
    changes->first = arena_raw(arena, count * sizeof *changes->first);
    changes->last = arena_raw(arena, count * sizeof *changes->last);
    changes->rows = arena_raw(arena, count * sizeof *changes->rows);
    changes->rowtime = arena_raw(arena, count * sizeof *changes->rowtime);
    changes->old_rows = arena_raw(arena, count * sizeof *changes->old_rows);
}

static void add_update(Changes *changes, Slot *slot, uint16_t row, bool undo) {
    uint32_t at = changes->update_count++;
    assert(slot->present);
    changes->slots[at] = slot;
    changes->signs[at] = undo ? -1 : 1;
    changes->which[at] = undo;
    changes->sources[at] = row;
}

/* What the row at physical `row` does to its group. What was never added is not undone. */
static void change_slot(SlotTable *slots, Slot *slot, const Batch *batch, uint16_t row,
                        bool had_old, Changes *changes) {
    bool was_there = slot->present, has_new = batch->kind[row] == ROW_VALUE;
    assert(row < batch->row_count);
    had_old = had_old && was_there;
    if (!had_old && !has_new)
        return;
    int64_t rowtime = batch->rowtime[row];
    if (was_there && slot->rowtime > rowtime)
        rowtime = slot->rowtime;
    slot_table_set_present(slots, slot, true);
    slot->rowtime = rowtime;
    uint32_t at = changes->count++;
    changes->first[at] = (uint16_t)changes->update_count;
    if (had_old)
        add_update(changes, slot, row, true);
    if (has_new)
        add_update(changes, slot, row, false);
    changes->last[at] = (uint16_t)(changes->update_count - 1);
    changes->rows[at] = row;
    changes->rowtime[at] = rowtime;
    if (was_there)
        changes->old_rows[changes->old_count++] = (uint16_t)at;
}

static void pick_changes(const Aggregation *self, const Batch *batch, const RowKeys *keys,
                         const uint32_t range[2], Changes *changes) {
    assert(range[0] < range[1] && self->table);
    SlotTable *slots = &self->table->slots;
    const Batch *old = batch->old;
    uint32_t old_at = 0;
    for (uint32_t i = range[0]; i < range[1]; i++) {
        uint16_t row = batch->selected[i];
        while (old_at < old->selected_count && old->selected[old_at] < row)
            old_at++;
        bool had_old = old_at < old->selected_count && old->selected[old_at] == row;
        if (!keys->keys[i].data)
            continue; /* was reported where its key was made */
        Slot *slot = slot_table_touch(slots, keys->hashes[i], keys->keys[i]);
        change_slot(slots, slot, batch, row, had_old, changes);
    }
}

/* The input as the kernels see it: one row for each update. */
static Batch *update_batch(const Op *op, const Batch *batch, const Changes *changes) {
    Arena *arena = batch->arena;
    uint32_t count = changes->update_count, column_count = batch->schema->column_count;
    assert(count > 0);
    Batch *updates = arena_raw(arena, sizeof *updates);
    *updates = *batch;
    const Column **columns = arena_array(arena, column_count, sizeof *columns);
    for (uint32_t i = 0; i < op->node->aggregate_count; i++) {
        const PlanAggregate *plan = &op->node->aggregates[i];
        for (uint32_t k = 0; k < plan->arg_count; k++) {
            uint32_t column = plan->args[k];
            if (columns[column])
                continue;
            const Column *sources[] = {batch->columns[column], batch->old->columns[column]};
            Pick pick = {sources, 2, changes->which, changes->sources, count};
            Column *made = arena_alloc(arena, sizeof *made);
            pick_values(&pick, sources[0]->type, arena, made);
            columns[column] = made;
        }
    }
    for (uint32_t i = 0; i < batch->schema->key_count; i++) {
        Pick pick = {&batch->columns[i], 1, NULL, changes->sources, count};
        Column *made = arena_alloc(arena, sizeof *made);
        pick_values(&pick, batch->columns[i]->type, arena, made);
        columns[i] = made;
    }
    updates->columns = columns;
    uint16_t *rows = arena_raw(arena, count * sizeof *rows);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (uint16_t)changes->sources[i];
    op_rows_from(updates, batch, rows, count);
    updates->old = NULL;
    return updates;
}

static void change_columns(Op *op, const Batch *batch, const Changes *changes,
                           const Column **columns, const Column **olds) {
    const Schema *schema = op->node->schema;
    Arena *arena = batch->arena;
    Batch *input = update_batch(op, batch, changes);
    Updates updates = {.count = changes->update_count, .slots = changes->slots,
                       .signs = changes->signs, .repeated = true};
    uint16_t *rows = (uint16_t *)(uintptr_t)batch_all_rows(changes->update_count);
    updates.rows = rows;
    for (uint32_t i = 0; i < schema->key_count; i++)
        columns[i] = olds[i] =
            column_gather(arena, batch->columns[i], changes->rows, changes->count);
    for (uint32_t i = 0; i < op->node->aggregate_count; i++) {
        uint32_t at = schema->key_count + i;
        const Type *type = schema->columns[at].type;
        Column *after = column_new(arena, type, updates.count);
        Column *before = op->old_wanted ? column_new(arena, type, updates.count) : NULL;
        aggregate_run(op, input, &updates, i, (Column *const[2]){before, after});
        columns[at] = column_gather(arena, after, changes->last, changes->count);
        olds[at] = before ? column_gather(arena, before, changes->first, changes->count) : NULL;
    }
    assert(changes->count <= changes->update_count);
}

/* The last result of each group of these changes. */
static void last_changes(Op *op, const Batch *batch, const Changes *changes) {
    Arena *arena = batch->arena;
    uint32_t count = changes->update_count;
    Updates updates = {.count = count, .slots = changes->slots, .signs = changes->signs};
    updates.rows = (uint16_t *)(uintptr_t)batch_all_rows(count);
    updates.rowtime = arena_raw(arena, count * sizeof *updates.rowtime);
    updates.old_rows = arena_raw(arena, count * sizeof *updates.old_rows);
    for (uint32_t i = 0, old_at = 0; i < changes->count; i++) {
        bool was_there = old_at < changes->old_count && changes->old_rows[old_at] == i;
        old_at += was_there;
        if (was_there)
            updates.old_rows[updates.old_count++] = changes->first[i];
        for (uint32_t k = changes->first[i]; k <= changes->last[i]; k++)
            updates.rowtime[k] = changes->rowtime[i];
    }
    assert(updates.old_count == changes->old_count);
    aggregate_last(op, update_batch(op, batch, changes), &updates);
}

_Static_assert(ROW_VALUE == 0, "zeroed kinds are values");

void aggregate_changes(Op *op, const Batch *batch, const RowKeys *keys, const uint32_t range[2]) {
    assert(batch->old && batch->old->columns);
    assert(range[0] < range[1]);
    Arena *arena = batch->arena;
    const Schema *schema = op->node->schema;
    Changes changes;
    changes_init(&changes, arena, range[1] - range[0]);
    pick_changes(op->self, batch, keys, range, &changes);
    if (changes.count == 0)
        return;
    const Aggregation *self = op->self;
    if (self->last_only) {
        last_changes(op, batch, &changes);
        return;
    }
    const Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    const Column **olds = arena_array(arena, schema->column_count, sizeof *olds);
    change_columns(op, batch, &changes, columns, olds);
    aggregate_count_items(op, columns, changes.count);
    Batch *output = op_batch(op, batch);
    output->schema = schema;
    output->columns = columns;
    op_rows_from(output, batch, changes.rows, changes.count);
    output->rowtime = changes.rowtime;
    output->kind = arena_alloc(arena, changes.count); /* ROW_VALUE all */
    output->window_start = output->window_end = NULL;
    op_attach_old(op, output, olds, changes.old_rows, changes.old_count);
    op_emit(op, output);
}
