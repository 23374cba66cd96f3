/*
 * op_aggregate.c - GROUP BY: one slot per group (and window), updated in place.
 *
 * A run of rows is resolved to updates of groups first (aggregate_pick.c), which then change the
 * store and become output (aggregate_rows.c).
 */
#include <assert.h>

#include "base/mem.h"
#include "runtime/aggregate_impl.h"
#include "runtime/ids.h"

/* A sink that consolidates and a lookup keep the last result of a group; lists can wait for it. */
static bool last_will_do(const OpEnv *env) {
    assert(env->plan);
    return env->plan->kind == PLAN_PULL ||
           (env->plan->kind == PLAN_PERSISTENT && env->consolidate);
}

static bool makes_lists(const PlanNode *node) {
    assert(node->kind == PLAN_AGGREGATE);
    bool lists = false;
    for (uint32_t i = 0; i < node->aggregate_count; i++)
        lists = lists || type_is_nested(node->aggregates[i].type);
    return lists;
}

static ErrCode aggregate_open(Op *op, OpEnv *env, Err *err) {
    const PlanNode *node = op->node;
    assert(node->kind == PLAN_AGGREGATE);
    Aggregation *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    self->of_table = env->plan->nodes[node->inputs[0]]->is_table;
    assert(!self->of_table || node->window.kind == WINDOW_NONE);
    op->tick_ms = node->window.final != FINAL_NONE ? 0 : INT64_MAX;
    self->closings.resume = true;
    self->last_only = makes_lists(node) && last_will_do(env);
    self->large = makes_lists(node) && !self->last_only &&
                  node->window.kind != WINDOW_SESSION && node->window.final == FINAL_NONE;
    self->items_per_row = LARGE_ITEMS_MAX / 16; /* until there is a result */
    self->layout = store_layout_new(env->plan, node, env->query_arena);
    StateSpec spec = {self->layout, ids_store(env->plan, env->first_id, env->partitions, node->id,
                                              env->partition),
                      env->snapshot};
    if (node->window.kind == WINDOW_SESSION) {
        TRY(state_session_new(&spec, &self->sessions, err));
        state_list_add(env->states, &self->sessions->state);
    } else if (node->window.kind != WINDOW_NONE) {
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
    const uint32_t range[2] = {from, to};
    const PlanWindow *window = &op->node->window;
    if (self->sessions) {
        aggregate_sessions(op, batch, keys, range);
        return ERR_OK;
    }
    if (self->large || window->advance_ms < window->size_ms) {
        aggregate_hop_add(op, batch, keys, range);
        return ERR_OK;
    }
    if (self->of_table) {
        aggregate_changes(op, batch, keys, range);
        return ERR_OK;
    }
    Updates updates;
    updates_init(&updates, batch->arena, (uint32_t)to - from, self->window != NULL);
    aggregate_pick(op, batch, keys, &updates, range);
    if (updates.count > 0)
        aggregate_rows(op, batch, keys, &updates);
    return ERR_OK;
}

/* Work that HOPPING windows owe, then what EMIT FINAL does; then what is over may go. */
static ErrCode aggregate_drain(Op *op, bool *more, Err *err) {
    Aggregation *self = op->self;
    uint32_t room = op->env->drain_rows_max;
    (void)err;
    assert(!*more);
    *more = self->hop_first && aggregate_hop(op, room);
    if (!*more && self->closings.count > 0)
        *more = aggregate_final(op, room);
    if (*more)
        return ERR_OK;
    if (self->window)
        state_window_expire(self->window);
    else if (self->sessions)
        state_session_expire(self->sessions);
    return ERR_OK;
}

static ErrCode aggregate_tick(Op *op, int64_t now_ms, Err *err) {
    assert(now_ms >= 0);
    (void)err;
    op->owes = aggregate_final_tick(op, now_ms);
    return ERR_OK;
}

static void aggregate_clear(Op *op) {
    Aggregation *self = op->self;
    assert(self);
    self->hop_first = self->hop_last = NULL;
    if (aggregate_is_final(self))
        aggregate_final_clear(op);
}

static void aggregate_close(Op *op) {
    Aggregation *self = op->self;
    if (!self)
        return;
    buf_free(&self->scratch);
    mem_free(self->found.slots);
    mem_free(self->closings.items);
    mem_free(self->closings.slots.slots);
}

const OpOps op_aggregate_ops = {
    .name = "Aggregate",
    .in_order = true,
    .open = aggregate_open,
    .prepare = aggregate_prepare,
    .apply = aggregate_apply,
    .drain = aggregate_drain,
    .clear = aggregate_clear,
    .tick = aggregate_tick,
    .close = aggregate_close,
};
