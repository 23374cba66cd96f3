/*
 * op_aggregate.c - GROUP BY: one slot per group (and window), updated in place.
 *
 * A run of rows is resolved to updates of groups first (aggregate_pick.c), which then change the
 * store and become output (aggregate_rows.c).
 */
#include <assert.h>

#include "runtime/aggregate_impl.h"
#include "runtime/ids.h"

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

static ErrCode aggregate_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                               Err *err) {
    assert(port == 0 && from < to);
    (void)port;
    (void)err;
    Aggregation *self = op->self;
    const RowKeys *keys = row_keys_find(self->keys, batch);
    Updates updates;
    updates_init(&updates, batch->arena, (uint32_t)to - from, self->window != NULL);
    aggregate_pick(op, batch, keys, &updates, (const uint32_t[2]){from, to});
    if (updates.count > 0)
        aggregate_rows(op, batch, keys, &updates);
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
