/*
 * op_materialize.c - table rows become table changes: keeps every row, knows the one before.
 *
 * The store is a StateTable whose slots hold the row's value bytes. Every row is forwarded, also a
 * delete of a key that was never there: what follows decides.
 */
#include <assert.h>

#include "runtime/ids.h"
#include "runtime/op.h"
#include "runtime/row_keys.h"
#include "runtime/view.h"

typedef struct Materialize {
    const StoreLayout *layout;
    StateTable *table;
    Buf scratch;
    uint64_t step;
    RowKeys *keys; /* of this step's batches */
} Materialize;

static ErrCode materialize_open(Op *op, OpEnv *env, Err *err) {
    assert(op->node->kind == PLAN_MATERIALIZE);
    Materialize *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    self->layout = store_layout_new(env->plan, op->node, env->query_arena);
    StateSpec spec = {self->layout, ids_store(env->plan, env->first_id, env->partitions,
                                              op->node->id, env->partition),
                      env->snapshot};
    TRY(state_table_new(&spec, &self->table, err));
    state_list_add(env->states, &self->table->state);
    return ERR_OK;
}

static ErrCode materialize_prepare(Op *op, int port, Batch *batch, Err *err) {
    assert(port == 0);
    (void)port;
    (void)err;
    Materialize *self = op->self;
    if (self->step != op->env->step)
        self->keys = NULL;
    self->step = op->env->step;
    uint32_t flags = ROW_KEYS_PARTIAL | (self->layout->windowed ? ROW_KEYS_WINDOWED : 0u);
    RowKeys *keys = row_keys_new(batch, batch->columns, self->layout->keys.column_count, flags,
                                 &self->scratch);
    keys->next = self->keys;
    self->keys = keys;
    for (uint32_t i = 0; i < batch->selected_count; i++)
        slot_table_prefetch(&self->table->slots, keys->hashes[i]);
    return ERR_OK;
}

static void put_value(Materialize *self, const Batch *batch, uint32_t row) {
    assert(row < batch->row_count);
    assert(batch->kind[row] == ROW_VALUE);
    buf_reset(&self->scratch);
    if (self->layout->windowed)
        buf_varint(&self->scratch,
                   (uint64_t)(batch->window_end[row] - batch->window_start[row]));
    row_value_put(&self->scratch, batch->columns + self->layout->keys.column_count,
                  self->layout->values.column_count, row);
}

/* What was before, without the window size. */
static Bytes old_row(const Materialize *self, const Slot *slot) {
    Reader in = reader_of((Bytes){slot->value, slot->value_size});
    if (self->layout->windowed)
        reader_varint(&in);
    Bytes row = reader_bytes(&in, reader_left(&in));
    assert(reader_ok(&in) && row.data);
    return row;
}

/* Changes the slot to the row's; true: there was a value, *old has its bytes. */
static bool change_row(Materialize *self, const Batch *batch, uint32_t index, Bytes *old) {
    assert(index < batch->selected_count);
    const RowKeys *keys = row_keys_find(self->keys, batch);
    uint32_t row = batch->selected[index];
    SlotTable *slots = &self->table->slots;
    Slot *slot = slot_table_touch(slots, keys->hashes[index], keys->keys[index]);
    bool had_old = slot->present;
    *old = had_old ? old_row(self, slot) : (Bytes){0};
    if (batch->kind[row] == ROW_VALUE) {
        put_value(self, batch, row);
        slot_table_set_value(slots, slot, buf_view(&self->scratch));
    } else {
        slot_table_drop_value(slots, slot);
    }
    slot_table_set_present(slots, slot, batch->kind[row] == ROW_VALUE);
    slot->rowtime = batch->rowtime[row];
    return had_old;
}

/* The rows before, over the same physical rows: keys are the new rows'. */
static ErrCode old_columns(Op *op, const Batch *batch, const Bytes *rows, Batch *old, Err *err) {
    assert(batch->row_count > 0);
    Materialize *self = op->self;
    if (!op->old_wanted) {
        old->columns = NULL;
        return ERR_OK;
    }
    Column **columns = arena_array(batch->arena, batch->schema->column_count, sizeof *columns);
    uint32_t key_count = self->layout->keys.column_count;
    TRY(row_value_get(rows, batch->row_count, &self->layout->values, batch->arena,
                      columns + key_count, err));
    for (uint32_t i = 0; i < key_count; i++)
        columns[i] = (Column *)(uintptr_t)batch->columns[i];
    old->columns = (const Column *const *)columns;
    return ERR_OK;
}

static ErrCode materialize_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                                 Err *err) {
    assert(port == 0 && from < to);
    (void)port;
    Materialize *self = op->self;
    Batch *output = view_rows(batch->arena, batch, from, to);
    uint32_t first = batch->selected[from];
    Batch *old = op_batch(op, output);
    Bytes *rows = arena_array(batch->arena, output->row_count, sizeof *rows);
    uint16_t *old_selected = arena_raw(batch->arena, (to - from) * sizeof *old_selected);
    old->selected_count = 0;
    const RowKeys *keys = row_keys_find(self->keys, batch);
    uint16_t *selected = arena_raw(batch->arena, (to - from) * sizeof *selected);
    output->selected_count = 0;
    for (uint32_t i = from; i < to; i++) {
        if (!keys->keys[i].data)
            continue; /* a table has no row without a key */
        uint16_t row = (uint16_t)(batch->selected[i] - first);
        selected[output->selected_count++] = row;
        if (change_row(self, batch, i, &rows[row]))
            old_selected[old->selected_count++] = row;
    }
    output->selected = selected;
    output->schema = op->node->schema;
    old->selected = old_selected;
    old->schema = op->node->schema;
    old->old = NULL;
    TRY(old_columns(op, output, rows, old, err));
    output->old = old;
    op_emit(op, output);
    return ERR_OK;
}

static void materialize_close(Op *op) {
    Materialize *self = op->self;
    if (self)
        buf_free(&self->scratch);
}

const OpOps op_materialize_ops = {
    .name = "Materialize",
    .in_order = true,
    .open = materialize_open,
    .prepare = materialize_prepare,
    .apply = materialize_apply,
    .close = materialize_close,
};
