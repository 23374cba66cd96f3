/*
 * op_join_tables.c - two tables under one key: every change of either side is a change of the join.
 *
 * The store holds both sides of a key in one slot (state_pair.h), so a row costs one lookup, and
 * what was before is known whatever the input knows. In order of seq each row changes its side and
 * meets the other as it is; what it met is kept as bytes per row until drain(), which makes one
 * batch per input batch: bytes that the store gives up meanwhile stay until the epoch ends.
 *
 * With `own` the side that changes and `other` the one it meets, as in Kafka Streams: where the
 * join cannot be without the other side (INNER; the optional side of LEFT and RIGHT), a change
 * without it is nothing; elsewhere a change is forwarded unless there is and was nothing at all. A
 * result that is not there is a delete, even if there was none before. Its time is the greater of
 * the row's and the other side's.
 *
 * Output columns: the key, all of the left, all of the right.
 */
#include <assert.h>

#include "runtime/ids.h"
#include "runtime/op.h"
#include "runtime/row_keys.h"
#include "runtime/state_pair.h"

/* What the rows of one input batch met. */
typedef struct Changes {
    const Batch *batch;
    uint32_t side; /* that changes: the port */
    RowKeys *keys;
    Bytes *own_before, *own_after, *other; /* [physical row]; data NULL: absent */
    uint8_t *kind;
    int64_t *rowtime;
    uint16_t *selected, *old_selected;
    uint32_t selected_count, old_count;
    bool own_missing; /* some result has no row of the side that changed */
    struct Changes *next;
} Changes;

typedef struct JoinTables {
    StatePair *pair;
    RowLayout key, values[2];
    PlanJoinKind kind;
    Buf scratch;
    uint64_t step;
    Changes *changes, *last; /* of this step's batches */
} JoinTables;

/* Whose rows are told of when they have no other side: of INNER joins the left's, since a right
 * table often has more than is asked for. */
static uint8_t wanting(PlanJoinKind kind) {
    return kind == JOIN_FULL ? 3 : kind == JOIN_RIGHT ? 2 : 1;
}

static ErrCode join_open(Op *op, OpEnv *env, Err *err) {
    const PlanNode *node = op->node;
    assert(node->kind == PLAN_JOIN_TABLES && node->input_count == 2);
    JoinTables *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    self->kind = node->join;
    for (uint32_t side = 0; side < 2; side++) {
        const PlanNode *input = env->plan->nodes[node->inputs[side]];
        if (input->schema->key_count != 1 || input->windowed)
            return err_set(err, ERR_UNSUPPORTED,
                           "a join needs tables without windows whose key is one column");
        self->key = row_layout_of(input->schema, 0, 1, env->query_arena);
        self->values[side] =
            row_layout_of(input->schema, 1, input->schema->column_count, env->query_arena);
    }
    assert(node->schema->column_count ==
           3 + self->values[0].column_count + self->values[1].column_count);
    StateSpec spec = {NULL, ids_store(env->plan, env->first_id, env->partitions, node->id,
                                      env->partition),
                      env->snapshot};
    TRY(state_pair_new(&spec, wanting(self->kind), &self->pair, err));
    state_list_add(env->states, &self->pair->state);
    return ERR_OK;
}

static ErrCode join_prepare(Op *op, int port, Batch *batch, Err *err) {
    assert(port == 0 || port == 1);
    (void)err;
    JoinTables *self = op->self;
    Arena *arena = batch->arena;
    if (self->step != op->env->step)
        self->changes = self->last = NULL;
    self->step = op->env->step;
    Changes *changes = arena_alloc(arena, sizeof *changes);
    changes->batch = batch;
    changes->side = (uint32_t)port;
    changes->keys = row_keys_new(batch, batch->columns, 1, ROW_KEYS_PLAIN, &self->scratch);
    for (uint32_t i = 0; i < batch->selected_count; i++)
        slot_table_prefetch(&self->pair->slots, changes->keys->hashes[i]);
    changes->own_before = arena_array(arena, batch->row_count, sizeof *changes->own_before);
    changes->own_after = arena_array(arena, batch->row_count, sizeof *changes->own_after);
    changes->other = arena_array(arena, batch->row_count, sizeof *changes->other);
    changes->kind = arena_alloc(arena, batch->row_count);
    changes->rowtime = arena_array(arena, batch->row_count, sizeof *changes->rowtime);
    size_t rows_size = batch->selected_count * sizeof(uint16_t);
    changes->selected = arena_raw(arena, rows_size);
    changes->old_selected = arena_raw(arena, rows_size);
    if (self->last)
        self->last->next = changes;
    else
        self->changes = changes;
    self->last = changes;
    return ERR_OK;
}

/* Puts the row into its side of the slot. */
static void change_side(JoinTables *self, const Changes *changes, Slot *slot, uint32_t row) {
    const Batch *batch = changes->batch;
    assert(row < batch->row_count);
    if (batch->kind[row] != ROW_VALUE) {
        state_pair_drop(self->pair, slot, changes->side);
        return;
    }
    buf_reset(&self->scratch);
    row_value_put(&self->scratch, batch->columns + 1, self->values[changes->side].column_count,
                  row);
    state_pair_set(self->pair, slot, changes->side, buf_view(&self->scratch),
                   batch->rowtime[row]);
}

/* Whether the join has a row. */
static bool joined(PlanJoinKind kind, bool left, bool right) {
    switch (kind) {
    case JOIN_INNER: return left && right;
    case JOIN_LEFT: return left;
    case JOIN_RIGHT: return right;
    case JOIN_FULL: break;
    }
    assert(kind == JOIN_FULL);
    return left || right;
}

/* Notes the change of the join; own: the side's row before and after it, other: what it met. */
static void note_change(const JoinTables *self, Changes *changes, uint16_t row, const bool own[2],
                        const PairSide *other) {
    assert(changes->selected_count < changes->batch->selected_count);
    uint32_t side = changes->side;
    /* Nothing without the other side, even where this one is there. */
    bool needs_other = !joined(self->kind, side == 0, side == 1);
    if (!other->present && (needs_other || (!own[0] && !own[1])))
        return;
    bool now = side == 0 ? joined(self->kind, own[1], other->present)
                         : joined(self->kind, other->present, own[1]);
    bool before = side == 0 ? joined(self->kind, own[0], other->present)
                            : joined(self->kind, other->present, own[0]);
    int64_t rowtime = changes->batch->rowtime[row];
    changes->selected[changes->selected_count++] = row;
    changes->kind[row] = now ? ROW_VALUE : ROW_DELETE;
    changes->own_missing = changes->own_missing || (now && !own[1]);
    changes->rowtime[row] =
        other->present && other->rowtime > rowtime ? other->rowtime : rowtime;
    changes->other[row] = pair_side_bytes(other);
    if (before)
        changes->old_selected[changes->old_count++] = row;
}

static Changes *changes_of(const JoinTables *self, const Batch *batch) {
    Changes *changes = self->changes;
    while (changes && changes->batch != batch)
        changes = changes->next;
    assert(changes);
    return changes;
}

static ErrCode join_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to, Err *err) {
    assert(from < to);
    (void)err;
    JoinTables *self = op->self;
    Changes *changes = changes_of(self, batch);
    assert(changes->side == (uint32_t)port);
    (void)port;
    const RowKeys *keys = changes->keys;
    SlotTable *slots = &self->pair->slots;
    for (uint32_t i = from; i < to; i++)
        slot_table_prefetch_slot(slots, keys->hashes[i]);
    for (uint32_t i = from; i < to; i++) {
        if (!keys->keys[i].data)
            continue; /* a table has no row without a key */
        uint16_t row = batch->selected[i];
        Slot *slot = slot_table_touch(slots, keys->hashes[i], keys->keys[i]);
        const PairSide *side = state_pair_side(slot, changes->side);
        bool own[2] = {side->present, batch->kind[row] == ROW_VALUE};
        changes->own_before[row] = pair_side_bytes(side);
        change_side(self, changes, slot, row);
        changes->own_after[row] = pair_side_bytes(side);
        note_change(self, changes, row, own, state_pair_side(slot, 1 - changes->side));
    }
    return ERR_OK;
}

/* -- Output ----------------------------------------------------------------------------------- */

/* Where a side's columns lie in the output: its key, then its values. */
static const Column **side_columns(const JoinTables *self, const Column **columns, uint32_t side) {
    assert(side < 2);
    return columns + 1 + (side == 0 ? 0 : 1 + self->values[0].column_count);
}

/* The key column, missing where rows[] is. */
static ErrCode side_key(const JoinTables *self, const Changes *changes, const Bytes *rows,
                        const Column **column, Err *err) {
    static const uint8_t missing[] = {0};
    const Batch *batch = changes->batch;
    *column = batch->columns[0];
    uint32_t absent = 0;
    for (uint32_t i = 0; i < changes->selected_count; i++)
        absent += !rows[changes->selected[i]].data;
    if (absent == 0)
        return ERR_OK;
    Bytes *keys = arena_array(batch->arena, batch->row_count, sizeof *keys);
    for (uint32_t row = 0; row < batch->row_count; row++)
        keys[row] = (Bytes){missing, sizeof missing};
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint32_t row = batch->selected[i];
        if (rows[row].data)
            keys[row] = changes->keys->keys[i];
    }
    Column *columns[1];
    TRY(row_key_get(keys, batch->row_count, &self->key, batch->arena, columns, err));
    *column = columns[0];
    assert((*column)->length == batch->row_count);
    return ERR_OK;
}

/* A side from what the store has or had. */
static ErrCode stored_side(const JoinTables *self, const Changes *changes, uint32_t side,
                           const Bytes *rows, const Column **columns, Err *err) {
    const Batch *batch = changes->batch;
    assert(batch->columns[0]);
    const Column **target = side_columns(self, columns, side);
    TRY(side_key(self, changes, rows, target, err));
    return row_value_get(rows, batch->row_count, &self->values[side], batch->arena,
                         (Column **)(void *)(target + 1), err);
}

/* The side that changed: the batch's columns, unless some result goes without them. */
static ErrCode new_side(const JoinTables *self, const Changes *changes, const Column **columns,
                        Err *err) {
    const Batch *batch = changes->batch;
    assert(1 + self->values[changes->side].column_count == batch->schema->column_count);
    if (changes->own_missing)
        return stored_side(self, changes, changes->side, changes->own_after, columns, err);
    memcpy(side_columns(self, columns, changes->side), batch->columns,
           batch->schema->column_count * sizeof *columns);
    return ERR_OK;
}

static ErrCode old_view(Op *op, const Changes *changes, Batch *output, Err *err) {
    const JoinTables *self = op->self;
    uint32_t count = op->node->schema->column_count;
    const Column **columns = NULL;
    if (op->old_wanted) {
        columns = arena_array(output->arena, count, sizeof *columns);
        memcpy(columns, output->columns, count * sizeof *columns);
        TRY(stored_side(self, changes, changes->side, changes->own_before, columns, err));
    }
    assert(changes->old_count <= changes->selected_count);
    op_attach_old(op, output, columns, changes->old_selected, changes->old_count);
    return ERR_OK;
}

static ErrCode emit_changes(Op *op, const Changes *changes, Err *err) {
    const JoinTables *self = op->self;
    const Batch *batch = changes->batch;
    assert(batch->arena == op->env->step_arena);
    if (changes->selected_count == 0)
        return ERR_OK;
    const Schema *schema = op->node->schema;
    const Column **columns = arena_array(batch->arena, schema->column_count, sizeof *columns);
    Batch *output = op_batch(op, batch);
    output->schema = schema;
    output->columns = columns;
    output->kind = changes->kind;
    output->rowtime = changes->rowtime;
    output->selected = changes->selected;
    output->selected_count = changes->selected_count;
    columns[0] = batch->columns[0];
    TRY(new_side(self, changes, columns, err));
    TRY(stored_side(self, changes, 1 - changes->side, changes->other, columns, err));
    TRY(old_view(op, changes, output, err));
    op_emit(op, output);
    return ERR_OK;
}

static ErrCode join_drain(Op *op, bool *more, Err *err) {
    assert(!*more);
    (void)more;
    JoinTables *self = op->self;
    ErrCode code = ERR_OK;
    for (const Changes *changes = self->changes; changes && code == ERR_OK;
         changes = changes->next)
        code = emit_changes(op, changes, err);
    self->changes = self->last = NULL;
    return code;
}

static void join_close(Op *op) {
    JoinTables *self = op->self;
    if (self)
        buf_free(&self->scratch);
}

const OpOps op_join_tables_ops = {
    .name = "TableTableJoin",
    .in_order = true,
    .open = join_open,
    .prepare = join_prepare,
    .apply = join_apply,
    .drain = join_drain,
    .close = join_close,
};
