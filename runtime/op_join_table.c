/*
 * op_join_table.c - a stream's rows with the table's row of their key, as the table is when the
 * row comes.
 *
 * Port 1 keeps the table, port 0 looks up, both in order of seq; only stream rows cause output.
 * What a stream row found is kept as bytes per row until drain(), which makes one batch per input
 * batch: bytes that the table gives up meanwhile stay until the epoch ends.
 *
 * Output columns: the join key, the left columns, the right columns (keys and values).
 */
#include <assert.h>

#include "runtime/expr.h"
#include "runtime/ids.h"
#include "runtime/op.h"
#include "runtime/row_keys.h"

typedef struct JoinLeft {
    const Batch *batch;
    const Column *key; /* of the join */
    RowKeys *keys;
    Bytes *right; /* [physical row]: value bytes of the table's row; data NULL: none */
    uint16_t *selected;
    uint32_t selected_count, matched_count;
    struct JoinLeft *next;
} JoinLeft;

typedef struct JoinTable {
    const StoreLayout *layout;
    StateTable *table;
    ExprProgram *key;
    Buf scratch;
    uint64_t step;
    RowKeys *right_keys; /* of this step's batches */
    JoinLeft *lefts, *last;
} JoinTable;

static ErrCode join_open(Op *op, OpEnv *env, Err *err) {
    const PlanNode *node = op->node;
    JoinTable *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    self->layout = store_layout_new(env->plan, node, env->query_arena);
    if (self->layout->keys.column_count != 1 || self->layout->windowed)
        return err_set(err, ERR_UNSUPPORTED,
                       "a join needs a table without windows whose key is one column");
    assert(node->schema->column_count == 1 + env->plan->nodes[node->inputs[0]]->schema->column_count
                                             + self->layout->schema->column_count);
    TRY(expr_compile(&node->join_key, 1, env->query_arena, &self->key, err));
    expr_set_io(self->key, env->io);
    StateSpec spec = {self->layout, ids_store(env->plan, env->first_id, env->partitions, node->id,
                                              env->partition),
                      env->snapshot};
    TRY(state_table_new(&spec, &self->table, err));
    state_list_add(env->states, &self->table->state);
    return ERR_OK;
}

static RowKeys *prepare_keys(JoinTable *self, const Batch *batch, const Column *const *columns) {
    assert(columns[0]);
    RowKeys *keys = row_keys_new(batch, columns, 1, ROW_KEYS_PLAIN, &self->scratch);
    for (uint32_t i = 0; i < batch->selected_count; i++)
        slot_table_prefetch(&self->table->slots, keys->hashes[i]);
    return keys;
}

static ErrCode join_prepare(Op *op, int port, Batch *batch, Err *err) {
    (void)err;
    JoinTable *self = op->self;
    if (self->step != op->env->step) {
        self->step = op->env->step;
        self->right_keys = NULL;
        self->lefts = self->last = NULL;
    }
    if (port == 1) {
        RowKeys *keys = prepare_keys(self, batch, batch->columns);
        keys->next = self->right_keys;
        self->right_keys = keys;
        return ERR_OK;
    }
    assert(port == 0);
    JoinLeft *left = arena_alloc(batch->arena, sizeof *left);
    left->batch = batch;
    expr_run(self->key, batch, &left->key);
    left->keys = prepare_keys(self, batch, &left->key);
    left->right = arena_array(batch->arena, batch->row_count, sizeof *left->right);
    left->selected = arena_raw(batch->arena, batch->selected_count * sizeof *left->selected);
    if (self->last)
        self->last->next = left;
    else
        self->lefts = left;
    self->last = left;
    return ERR_OK;
}

static void keep_right(JoinTable *self, const Batch *batch, uint32_t from, uint32_t to) {
    assert(to <= batch->selected_count);
    const RowKeys *keys = row_keys_find(self->right_keys, batch);
    SlotTable *slots = &self->table->slots;
    for (uint32_t i = from; i < to; i++) {
        if (!keys->keys[i].data)
            continue;
        uint32_t row = batch->selected[i];
        Slot *slot = slot_table_touch(slots, keys->hashes[i], keys->keys[i]);
        bool present = batch->kind[row] == ROW_VALUE;
        if (present) {
            buf_reset(&self->scratch);
            row_value_put(&self->scratch, batch->columns + self->layout->keys.column_count,
                          self->layout->values.column_count, row);
            slot_table_set_value(slots, slot, buf_view(&self->scratch));
        } else {
            slot_table_drop_value(slots, slot);
        }
        slot_table_set_present(slots, slot, present);
        slot->rowtime = batch->rowtime[row];
    }
}

/* Returns how many rows found nothing. */
static uint32_t look_up(JoinTable *self, JoinLeft *left, PlanJoinKind kind, uint32_t from,
                        uint32_t to) {
    assert(to <= left->batch->selected_count);
    assert(left->keys->batch == left->batch);
    const Batch *batch = left->batch;
    uint32_t missing = 0;
    for (uint32_t i = from; i < to; i++)
        slot_table_prefetch_slot(&self->table->slots, left->keys->hashes[i]);
    for (uint32_t i = from; i < to; i++) {
        uint16_t row = batch->selected[i];
        if (batch->kind[row] != ROW_VALUE)
            continue;
        const Slot *slot = NULL;
        if (left->keys->keys[i].data)
            slot = slot_table_find(&self->table->slots, left->keys->hashes[i],
                                   left->keys->keys[i]);
        bool matched = slot && slot->present;
        missing += !matched;
        if (!matched && kind == JOIN_INNER)
            continue;
        left->selected[left->selected_count++] = row;
        if (matched) {
            left->right[row] = (Bytes){slot->value, slot->value_size};
            left->matched_count++;
        }
    }
    return missing;
}

static ErrCode join_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to, Err *err) {
    assert(from < to && (port == 0 || port == 1));
    (void)err;
    JoinTable *self = op->self;
    if (port == 1) {
        keep_right(self, batch, from, to);
        return ERR_OK;
    }
    JoinLeft *left = self->lefts;
    while (left->batch != batch)
        left = left->next;
    op_count(op, OP_NO_MATCH, look_up(self, left, op->node->join, from, to));
    return ERR_OK;
}

/* The right side's key: the join's where a row was found. */
static ErrCode right_key(const JoinTable *self, const JoinLeft *left, const Column **column,
                         Err *err) {
    assert(left->matched_count <= left->selected_count);
    if (left->matched_count == left->selected_count) {
        *column = left->key;
        return ERR_OK;
    }
    static const uint8_t missing[] = {0};
    const Batch *batch = left->batch;
    Bytes *keys = arena_array(batch->arena, batch->row_count, sizeof *keys);
    for (uint32_t row = 0; row < batch->row_count; row++)
        keys[row] = (Bytes){missing, sizeof missing};
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        if (left->right[batch->selected[i]].data)
            keys[batch->selected[i]] = left->keys->keys[i];
    }
    Column *columns[1];
    TRY(row_key_get(keys, batch->row_count, &self->layout->keys, batch->arena, columns, err));
    *column = columns[0];
    return ERR_OK;
}

static ErrCode emit_left(Op *op, const JoinTable *self, const JoinLeft *left, Err *err) {
    assert(left->selected_count <= left->batch->selected_count);
    const Batch *batch = left->batch;
    if (left->selected_count == 0)
        return ERR_OK;
    Batch *output = op_batch(op, batch);
    output->schema = op->node->schema;
    const Column **columns =
        arena_array(batch->arena, output->schema->column_count, sizeof *columns);
    uint32_t left_count = batch->schema->column_count;
    columns[0] = left->key;
    memcpy(columns + 1, batch->columns, left_count * sizeof *columns);
    TRY(right_key(self, left, &columns[1 + left_count], err));
    Column **values = (Column **)(void *)(columns + 2 + left_count);
    TRY(row_value_get(left->right, batch->row_count, &self->layout->values, batch->arena, values,
                      err));
    output->columns = columns;
    output->selected = left->selected;
    output->selected_count = left->selected_count;
    op_emit(op, output);
    return ERR_OK;
}

static ErrCode join_drain(Op *op, bool *more, Err *err) {
    assert(!*more);
    (void)more;
    JoinTable *self = op->self;
    ErrCode code = ERR_OK;
    for (const JoinLeft *left = self->lefts; left && code == ERR_OK; left = left->next)
        code = emit_left(op, self, left, err);
    self->lefts = self->last = NULL;
    return code;
}

static void join_close(Op *op) {
    JoinTable *self = op->self;
    if (self)
        buf_free(&self->scratch);
}

const OpOps op_join_table_ops = {
    .name = "StreamTableJoin",
    .in_order = true,
    .open = join_open,
    .prepare = join_prepare,
    .apply = join_apply,
    .drain = join_drain,
    .close = join_close,
};
