/*
 * op_aggregate.c - GROUP BY: one slot per group (and window), updated in place.
 *
 * A run of rows is resolved to slots first - late rows and rows without a group fall out - and
 * then each aggregate's kernel goes over all updates in one call. Output has one row per update:
 * the group's columns and the results after it; `old` the results before it.
 *
 * Stream time is the running maximum over the rows that have a group. A row is late for its window
 * when the window's end is not after stream time less grace. The time of a result is the greater
 * of the row's and of the group's results before.
 */
#include <assert.h>
#include <stdio.h>

#include "runtime/ids.h"
#include "runtime/op.h"
#include "runtime/row_keys.h"
#include "runtime/view.h"

typedef struct Aggregation {
    const StoreLayout *layout;
    StateTable *table;   /* without windows */
    StateWindow *window; /* with */
    Buf scratch;
    uint64_t step;
    RowKeys *keys; /* of this step's batches */
} Aggregation;

/* The rows of a run that change a group. */
typedef struct Updates {
    uint32_t count;
    uint16_t *rows;  /* physical, of the input */
    uint16_t *index; /* of the selection */
    SlotTable **tables;
    AggregateHeap **heaps; /* theirs; NULL: without windows there is only one */
    Slot **slots;
    int64_t *rowtime, *window_start, *window_end;
    uint16_t *old_rows; /* positions in the output whose group was there before */
    uint32_t old_count;
} Updates;

static ErrCode aggregate_open(Op *op, OpEnv *env, Err *err) {
    const PlanNode *node = op->node;
    assert(node->kind == PLAN_AGGREGATE);
    if (node->window.kind != WINDOW_NONE && node->window.kind != WINDOW_TUMBLING)
        return err_set(err, ERR_UNSUPPORTED, "only TUMBLING windows can be aggregated yet");
    if (env->plan->nodes[node->inputs[0]]->is_table)
        return err_set(err, ERR_UNSUPPORTED, "a table cannot be aggregated yet");
    Aggregation *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    self->layout = store_layout_new(env->plan, node, env->query_arena);
    StateSpec spec = {self->layout, ids_store(env->plan, env->first_id, env->partitions, node->id,
                                              env->partition),
                      env->snapshot};
    if (node->window.kind == WINDOW_TUMBLING) {
        TRY(state_window_new(&spec, &self->window, err));
        state_list_add(env->states, &self->window->state);
    } else {
        TRY(state_table_new(&spec, &self->table, err));
        state_list_add(env->states, &self->table->state);
    }
    return ERR_OK;
}

static ErrCode aggregate_prepare(Op *op, int port, Batch *batch, Err *err) {
    assert(port == 0);
    (void)port;
    (void)err;
    Aggregation *self = op->self;
    if (self->step != op->env->step)
        self->keys = NULL;
    self->step = op->env->step;
    RowKeys *keys = row_keys_new(batch, batch->columns, self->layout->keys.column_count,
                                 ROW_KEYS_PLAIN, &self->scratch);
    keys->next = self->keys;
    self->keys = keys;
    if (!self->table)
        return ERR_OK;
    for (uint32_t i = 0; i < batch->selected_count; i++)
        slot_table_prefetch(&self->table->slots, keys->hashes[i]);
    return ERR_OK;
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

/* Finds the bucket of a row's window; false: the row is late for it. */
static bool in_window(Aggregation *self, Updates *updates, int64_t rowtime) {
    StateWindow *window = self->window;
    const PlanWindow *plan = &self->layout->node->window;
    assert(rowtime >= 0);
    if (rowtime > window->stream_time)
        window->stream_time = rowtime;
    int64_t start = rowtime - rowtime % plan->size_ms;
    int64_t end = start + plan->size_ms;
    if (end <= window->stream_time - plan->grace_ms)
        return false;
    updates->window_start[updates->count] = start;
    updates->window_end[updates->count] = end;
    updates->tables[updates->count] = &state_window_bucket(window, start)->slots;
    updates->heaps[updates->count] = &updates->tables[updates->count]->blobs;
    return true;
}

static void pick_rows(Op *op, Aggregation *self, const Batch *batch, const RowKeys *keys,
                      Updates *updates, const uint32_t range[2]) {
    assert(range[0] < range[1]);
    assert(updates->count == 0);
    uint64_t late = 0;
    for (uint32_t i = range[0]; i < range[1]; i++) {
        uint16_t row = batch->selected[i];
        if (batch->kind[row] != ROW_VALUE)
            continue;
        if (!keys->keys[i].data) {
            no_group(self, batch, row);
            continue;
        }
        if (!self->window) {
            updates->tables[updates->count] = &self->table->slots;
        } else if (!in_window(self, updates, batch->rowtime[row])) {
            late++;
            batch_row_note(batch, row, "late", "the row is too late for its window");
            continue;
        }
        updates->rows[updates->count] = row;
        updates->index[updates->count++] = (uint16_t)i;
    }
    if (late > 0)
        op_count(op, OP_LATE, late);
}

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

typedef struct FailContext {
    const Batch *batch;
    const char *name;
} FailContext;

static void aggregate_fail(void *context, uint32_t row, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void aggregate_fail(void *context, uint32_t row, const char *format, ...) {
    const FailContext *fail = context;
    char text[ROW_ERROR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(row < fail->batch->row_count);
    batch_row_error(fail->batch, row, "aggregate", "%s: %s", fail->name, text);
}

/* All updates of one aggregate. In windows the slots lie in several tables, and the blocks of a
 * state belong to its own. */
static void run_aggregate(Op *op, const Batch *batch, const Updates *updates, uint32_t index,
                          Column *before, Column *after) {
    assert(index < op->node->aggregate_count);
    assert(after->length == updates->count);
    const Aggregation *self = op->self;
    const PlanAggregate *plan = &op->node->aggregates[index];
    Arena *arena = batch->arena;
    void **states = arena_raw(arena, updates->count * sizeof *states);
    for (uint32_t i = 0; i < updates->count; i++)
        states[i] = (uint8_t *)updates->slots[i]->fixed + self->layout->state_offsets[index];
    const Column **args = arena_array(arena, plan->arg_count, sizeof *args);
    for (uint32_t i = 0; i < plan->arg_count; i++)
        args[i] = batch->columns[plan->args[i]];
    FailContext fail = {batch, plan->aggregate->name};
    AggregateCall call = {.states = states, .rows = updates->rows, .count = updates->count,
                          .args = args, .arg_count = plan->arg_count, .before = before,
                          .after = after, .heaps = updates->heaps, .arena = arena,
                          .fail = aggregate_fail, .context = &fail};
    if (!self->window)
        call.heap = &self->table->slots.blobs;
    plan->aggregate->update(&call);
}

static void output_facts(Batch *output, const Batch *batch, const Updates *updates) {
    assert(updates->count > 0);
    Arena *arena = batch->arena;
    uint64_t *seq = arena_raw(arena, updates->count * sizeof *seq);
    int64_t *offset = arena_raw(arena, updates->count * sizeof *offset);
    Bytes *headers =
        batch->headers ? arena_raw(arena, updates->count * sizeof *headers) : NULL;
    for (uint32_t i = 0; i < updates->count; i++) {
        seq[i] = batch->seq[updates->rows[i]];
        offset[i] = batch->offset[updates->rows[i]];
        if (headers)
            headers[i] = batch->headers[updates->rows[i]];
    }
    output->headers = headers;
    output->seq = seq;
    output->offset = offset;
    output->rowtime = updates->rowtime;
    output->kind = arena_alloc(arena, updates->count); /* ROW_VALUE all */
    output->window_start = updates->window_start;
    output->window_end = updates->window_end;
}
_Static_assert(ROW_VALUE == 0, "zeroed kinds are values");

static const Column *group_column(const Batch *batch, const Updates *updates, uint32_t column) {
    assert(column < batch->schema->key_count);
    const Column *source = batch->columns[column];
    if (updates->count == batch->row_count && source->length == batch->row_count)
        return source; /* ascending rows, so these are all of them */
    return column_gather(batch->arena, source, updates->rows, updates->count);
}

static void emit_updates(Op *op, const Batch *batch, const Updates *updates) {
    assert(updates->count > 0);
    assert(op->node->is_table);
    const Schema *schema = op->node->schema;
    Arena *arena = batch->arena;
    Batch *output = op_batch(op, batch);
    const Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    const Column **olds = arena_array(arena, schema->column_count, sizeof *olds);
    for (uint32_t i = 0; i < schema->key_count; i++)
        columns[i] = olds[i] = group_column(batch, updates, i);
    for (uint32_t i = 0; i < op->node->aggregate_count; i++) {
        const Type *type = schema->columns[schema->key_count + i].type;
        Column *after = column_new(arena, type, updates->count);
        Column *before = op->old_wanted ? column_new(arena, type, updates->count) : NULL;
        run_aggregate(op, batch, updates, i, before, after);
        columns[schema->key_count + i] = after;
        olds[schema->key_count + i] = before;
    }
    output->schema = schema;
    output->columns = columns;
    output->row_count = output->selected_count = updates->count;
    output->selected = batch_all_rows(updates->count);
    output_facts(output, batch, updates);
    output->old = op_batch(op, output);
    output->old->columns = op->old_wanted ? olds : NULL;
    output->old->selected = updates->old_rows;
    output->old->selected_count = updates->old_count;
    output->old->old = NULL;
    op_emit(op, output);
}

static void updates_init(Updates *updates, Arena *arena, uint32_t count, bool windowed) {
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

static ErrCode aggregate_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                               Err *err) {
    assert(port == 0 && from < to);
    (void)port;
    (void)err;
    Aggregation *self = op->self;
    const RowKeys *keys = row_keys_find(self->keys, batch);
    Updates updates;
    updates_init(&updates, batch->arena, (uint32_t)to - from, self->window != NULL);
    pick_rows(op, self, batch, keys, &updates, (const uint32_t[2]){from, to});
    if (updates.count > 0) {
        touch_slots(batch, keys, &updates);
        emit_updates(op, batch, &updates);
    }
    if (self->window)
        state_window_expire(self->window);
    return ERR_OK;
}

static void aggregate_close(Op *op) {
    Aggregation *self = op->self;
    if (self)
        buf_free(&self->scratch);
}

const OpOps op_aggregate_ops = {
    .name = "Aggregate",
    .in_order = true,
    .open = aggregate_open,
    .prepare = aggregate_prepare,
    .apply = aggregate_apply,
    .close = aggregate_close,
};
