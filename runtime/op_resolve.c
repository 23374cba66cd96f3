/*
 * op_resolve.c - results of a foreign-key join become changes of a table: see op_foreign.h.
 *
 * Where they come from other tasks, the store has the highest version met of each left key, and
 * results of older ones are stale. Deleted keys stay in it: a stale result may come after the
 * delete. Where JOIN_FOREIGN is in this task results come in order, and nothing is kept.
 *
 * What was before is not known: deletes are forwarded even if there was nothing, as in ksqlDB.
 */
#include <assert.h>

#include "runtime/ids.h"
#include "runtime/op_foreign.h"
#include "runtime/row_keys.h"

/* The rows of an input batch. */
typedef struct Results {
    const Batch *batch;
    RowKeys *keys; /* NULL: they are in order */
    const uint8_t *kind;
    struct Results *next;
} Results;

typedef struct Resolve {
    StoreLayout *layout;
    StateTable *table;
    bool in_order;
    Buf scratch;
    uint64_t step;
    Results *results; /* of this step's batches */
} Resolve;

static ErrCode resolve_open(Op *op, OpEnv *env, Err *err) {
    const PlanNode *node = op->node;
    assert(node->kind == PLAN_RESOLVE);
    Resolve *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    self->in_order = !env->cut[node->inputs[0]];
    self->layout = arena_alloc(env->query_arena, sizeof *self->layout);
    self->layout->node = node;
    self->layout->schema = node->schema;
    self->layout->keys = row_layout_of(node->schema, 0, node->schema->key_count,
                                        env->query_arena);
    assert(self->layout->keys.column_count > 0);
    StateSpec spec = {self->layout, ids_store(env->plan, env->first_id, env->partitions, node->id,
                                              env->partition),
                      env->snapshot};
    TRY(state_table_new(&spec, &self->table, err));
    state_list_add(env->states, &self->table->state);
    return ERR_OK;
}

static const int64_t *notes_of(const Batch *batch) {
    assert(batch->schema->column_count > 0);
    return batch->columns[batch->schema->column_count - 1]->i64;
}

static ErrCode resolve_prepare(Op *op, int port, Batch *batch, Err *err) {
    assert(port == 0);
    (void)port;
    (void)err;
    Resolve *self = op->self;
    if (self->step != op->env->step)
        self->results = NULL;
    self->step = op->env->step;
    Results *results = arena_alloc(batch->arena, sizeof *results);
    results->batch = batch;
    results->next = self->results;
    self->results = results;
    uint8_t *kind = arena_raw(batch->arena, batch->row_count);
    const int64_t *notes = notes_of(batch);
    for (uint32_t row = 0; row < batch->row_count; row++)
        kind[row] = foreign_kind(notes[row]) == FOREIGN_DELETE ? ROW_DELETE : ROW_VALUE;
    results->kind = kind;
    if (self->in_order)
        return ERR_OK;
    results->keys = row_keys_new(batch, batch->columns, self->layout->keys.column_count,
                                 ROW_KEYS_PARTIAL, &self->scratch);
    for (uint32_t i = 0; i < batch->selected_count; i++)
        slot_table_prefetch(&self->table->slots, results->keys->hashes[i]);
    return ERR_OK;
}

/* Whether no later version of this row was met; then this is the latest. */
static bool is_latest(Resolve *self, const Results *results, uint32_t index) {
    const Batch *batch = results->batch;
    uint32_t row = batch->selected[index];
    assert(results->keys->keys[index].data);
    int64_t version = foreign_version(notes_of(batch)[row]);
    SlotTable *slots = &self->table->slots;
    Slot *slot =
        slot_table_find(slots, results->keys->hashes[index], results->keys->keys[index]);
    if (slot && slot->present) {
        Reader in = reader_of((Bytes){slot->value, slot->value_size});
        int64_t latest = reader_zigzag(&in);
        if (version <= latest)
            return version == latest;
    }
    slot = slot_table_touch(slots, results->keys->hashes[index], results->keys->keys[index]);
    buf_reset(&self->scratch);
    buf_zigzag(&self->scratch, version);
    slot_table_set_value(slots, slot, buf_view(&self->scratch));
    slot_table_set_present(slots, slot, true);
    slot->rowtime = batch->rowtime[row];
    return true;
}

static ErrCode resolve_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                             Err *err) {
    assert(port == 0 && from < to);
    (void)port;
    (void)err;
    Resolve *self = op->self;
    const Results *results = self->results;
    while (results && results->batch != batch)
        results = results->next;
    assert(results);
    Batch *output = op_batch(op, batch);
    output->schema = op->node->schema;
    output->kind = results->kind;
    output->selected = batch->selected + from;
    output->selected_count = (uint32_t)to - from;
    output->old = NULL;
    if (!self->in_order) {
        uint16_t *selected = arena_raw(batch->arena, (to - from) * sizeof *selected);
        output->selected = selected;
        output->selected_count = 0;
        for (uint32_t i = from; i < to; i++) {
            selected[output->selected_count] = batch->selected[i];
            output->selected_count += is_latest(self, results, i);
        }
    }
    op_emit(op, output);
    return ERR_OK;
}

static void resolve_close(Op *op) {
    Resolve *self = op->self;
    if (self)
        buf_free(&self->scratch);
}

const OpOps op_resolve_ops = {
    .name = "Resolve",
    .in_order = true,
    .open = resolve_open,
    .prepare = resolve_prepare,
    .apply = resolve_apply,
    .close = resolve_close,
};
