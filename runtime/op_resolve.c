/*
 * op_resolve.c - results of a foreign-key join become changes of a table: see op_foreign.h.
 *
 * Where they come from other tasks, the store has the highest version met of each left key, and
 * results of older ones are stale. It also has a sum: a mix of each version that entered under a
 * foreign key is added, and taken away when it has left. At 0 nothing can be under way any more
 * (op_foreign.h), and the key goes: what stays are the rows that are there. Where JOIN_FOREIGN is
 * in this task results come in order, and nothing is kept.
 *
 *   value := zig-zag version, sum u64 (missing: 0, from before there were sums)
 *
 * What was before is not known: deletes are forwarded even if there was nothing, as in ksqlDB.
 */
#include <assert.h>

#include "base/hash.h"
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

typedef struct Latest {
    int64_t version; /* -1: no result was met */
    uint64_t sum;
} Latest;

static Latest get_latest(const Slot *slot) {
    Latest latest = {-1, 0};
    if (!slot->present)
        return latest;
    Reader in = reader_of((Bytes){slot->value, slot->value_size});
    latest.version = reader_zigzag(&in);
    if (reader_left(&in) > 0)
        latest.sum = reader_u64_be(&in);
    assert(reader_ok(&in));
    return latest;
}

static void put_latest(Resolve *self, Slot *slot, const Latest *latest) {
    SlotTable *slots = &self->table->slots;
    slot_table_set_present(slots, slot, latest->sum != 0);
    if (latest->sum == 0) {
        slot_table_drop_value(slots, slot);
        return;
    }
    buf_reset(&self->scratch);
    buf_zigzag(&self->scratch, latest->version);
    buf_u64_be(&self->scratch, latest->sum);
    slot_table_set_value(slots, slot, buf_view(&self->scratch));
}

/* Whether this is a result, and no later version of its row was met; notes what it says. */
static bool is_latest(Resolve *self, const Results *results, uint32_t index) {
    const Batch *batch = results->batch;
    uint32_t row = batch->selected[index];
    int64_t note = notes_of(batch)[row], version = foreign_version(note);
    assert(results->keys->keys[index].data);
    Slot *slot = slot_table_touch(&self->table->slots, results->keys->hashes[index],
                                  results->keys->keys[index]);
    Latest latest = get_latest(slot), before = latest;
    bool is_result = foreign_kind(note) != FOREIGN_LEAVE, stale = version < latest.version;
    if (foreign_enters(note))
        latest.sum += hash_u64((uint64_t)version + 1);
    else if (!is_result)
        latest.sum -= hash_u64((uint64_t)version + 1);
    if (is_result && !stale)
        latest.version = version;
    if (latest.version != before.version || latest.sum != before.sum)
        put_latest(self, slot, &latest);
    slot->rowtime = batch->rowtime[row];
    return is_result && !stale;
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
    if (!self->in_order) { /* in order there is nothing but results */
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
