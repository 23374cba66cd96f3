/*
 * aggregate_rows.c - updates change slots and become rows of output.
 *
 * The slots are touched first, in order; then each aggregate's kernel goes over all updates in one
 * call. Output has one row per update: the group's columns and the results after it; `old` the
 * results before it. The time of a result is the greater of the row's and of the group's results
 * before.
 */
#include <assert.h>
#include <stdio.h>

#include "runtime/aggregate_impl.h"

/* Touches the slots in order: which group was there before, and the results' times. */
static void touch_slots(const Batch *batch, const RowKeys *keys, Updates *updates) {
    for (uint32_t i = 0; i < updates->count; i++)
        slot_table_prefetch_slot(updates->tables[i], keys->hashes[updates->index[i]]);
    for (uint32_t i = 0; i < updates->count; i++) {
        uint32_t index = updates->index[i];
        int64_t rowtime = batch->rowtime[updates->rows[i]];
        Slot *slot = slot_table_touch(updates->tables[i], keys->hashes[index], keys->keys[index]);
        if (slot->present) {
            updates->old_rows[updates->old_count++] = (uint16_t)i;
            if (rowtime < slot->rowtime)
                rowtime = slot->rowtime;
        } else {
            slot_table_set_present(updates->tables[i], slot, true);
        }
        slot->rowtime = updates->rowtime[i] = rowtime;
        updates->slots[i] = slot;
    }
    assert(updates->old_count <= updates->count);
}

void aggregate_fail(void *context, uint32_t row, const char *format, ...) {
    const AggregateFail *fail = context;
    char text[ROW_ERROR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(row < fail->batch->row_count);
    batch_row_error(fail->batch, row, "aggregate", "%s: %s", fail->name, text);
}

/* In windows the slots lie in several tables, and the blocks of a state belong to its own. */
AggregateCall aggregate_call(Op *op, const Batch *batch, const Updates *updates, uint32_t index,
                             AggregateFail *fail) {
    assert(index < op->node->aggregate_count);
    const Aggregation *self = op->self;
    const PlanAggregate *plan = &op->node->aggregates[index];
    Arena *arena = batch->arena;
    void **states = arena_raw(arena, updates->count * sizeof *states);
    for (uint32_t i = 0; i < updates->count; i++)
        states[i] = (uint8_t *)updates->slots[i]->fixed + self->layout->state_offsets[index];
    const Column **args = arena_array(arena, plan->arg_count, sizeof *args);
    for (uint32_t i = 0; i < plan->arg_count; i++)
        args[i] = batch->columns[plan->args[i]];
    AggregateCall call = {.states = states, .signs = updates->signs, .rows = updates->rows,
                          .count = updates->count, .args = args, .arg_count = plan->arg_count,
                          .limits = plan->limits, .heaps = updates->heaps, .arena = arena,
                          .fail = aggregate_fail, .context = fail};
    if (self->sessions)
        call.heap = &self->sessions->slots.blobs;
    else if (!self->window)
        call.heap = &self->table->slots.blobs;
    return call;
}

/* All updates of one aggregate. */
void aggregate_run(Op *op, const Batch *batch, const Updates *updates, uint32_t index,
                   Column *const results[2]) {
    assert(!results[1] || results[1]->length == updates->count);
    const PlanAggregate *plan = &op->node->aggregates[index];
    AggregateFail fail = {batch, plan->aggregate->name};
    AggregateCall call = aggregate_call(op, batch, updates, index, &fail);
    call.before = results[0];
    call.after = results[1];
    plan->aggregate->ops->update(&call);
}

static const Column *group_column(const Batch *batch, const Updates *updates, uint32_t column) {
    assert(column < batch->schema->key_count);
    const Column *source = batch->columns[column];
    if (!updates->repeated && updates->count == batch->row_count &&
        source->length == batch->row_count)
        return source; /* ascending rows, so these are all of them */
    return column_gather(batch->arena, source, updates->rows, updates->count);
}

_Static_assert(ROW_VALUE == 0, "zeroed kinds are values");

void aggregate_emit(Op *op, const Batch *batch, const Updates *updates, const Column **columns,
                    const Column **olds) {
    assert(updates->count > 0);
    assert(op->node->is_table);
    Batch *output = op_batch(op, batch);
    for (uint32_t i = 0; i < op->node->schema->key_count; i++)
        columns[i] = olds[i] = group_column(batch, updates, i);
    output->schema = op->node->schema;
    output->columns = columns;
    op_rows_from(output, batch, updates->rows, updates->count);
    output->rowtime = updates->rowtime;
    output->kind = arena_alloc(batch->arena, updates->count); /* ROW_VALUE all */
    output->window_start = updates->window_start;
    output->window_end = updates->window_end;
    op_attach_old(op, output, olds, updates->old_rows, updates->old_count);
    op_emit(op, output);
}

void aggregate_count_items(Op *op, const Column *const *columns, uint32_t rows) {
    Aggregation *self = op->self;
    uint32_t items = 0, key_count = op->node->schema->key_count;
    assert(rows > 0);
    for (uint32_t i = 0; self->large && i < op->node->aggregate_count; i++) {
        const Column *column = columns[key_count + i];
        if (column->type->kind == TYPE_ARRAY || column->type->kind == TYPE_MAP)
            items += column->children[0].length;
    }
    self->items_per_row = items / rows;
}

static void emit_updates(Op *op, const Batch *batch, const Updates *updates) {
    assert(updates->count > 0);
    const Schema *schema = op->node->schema;
    Arena *arena = batch->arena;
    const Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    const Column **olds = arena_array(arena, schema->column_count, sizeof *olds);
    for (uint32_t i = 0; i < op->node->aggregate_count; i++) {
        const Type *type = schema->columns[schema->key_count + i].type;
        Column *after = column_new(arena, type, updates->count);
        Column *before = op->old_wanted ? column_new(arena, type, updates->count) : NULL;
        aggregate_run(op, batch, updates, i, (Column *const[2]){before, after});
        columns[schema->key_count + i] = after;
        olds[schema->key_count + i] = before;
    }
    aggregate_count_items(op, columns, updates->count);
    aggregate_emit(op, batch, updates, columns, olds);
}

void aggregate_rows(Op *op, const Batch *batch, const RowKeys *keys, Updates *updates) {
    assert(updates->count > 0);
    assert(updates->old_count == 0);
    const Aggregation *self = op->self;
    touch_slots(batch, keys, updates);
    if (aggregate_is_final(self)) {
        for (uint32_t i = 0; i < op->node->aggregate_count; i++)
            aggregate_run(op, batch, updates, i, (Column *const[2]){NULL, NULL});
    } else if (self->last_only) {
        aggregate_last(op, batch, updates);
    } else {
        emit_updates(op, batch, updates);
    }
}
