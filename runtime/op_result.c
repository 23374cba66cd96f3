/*
 * op_result.c - rows for the client of a push query.
 *
 * The task does not run while the queue has no room for a step, so putting never waits.
 */
#include <assert.h>

#include "runtime/op.h"
#include "runtime/result_impl.h"

typedef struct Result {
    int64_t left; /* rows until LIMIT; -1: no limit */
} Result;

static ErrCode result_open(Op *op, OpEnv *env, Err *err) {
    assert(op->node->kind == PLAN_RESULT);
    if (!env->results)
        return err_set(err, ERR_INTERNAL, "a push query needs a result queue");
    Result *self = arena_alloc(env->query_arena, sizeof *self);
    self->left = env->plan->limit;
    env->limit_reached = self->left == 0;
    op->self = self;
    result_queue_open(env->results, op->node->schema);
    return ERR_OK;
}

/* A stream's records without a value are no rows. */
static Batch *without_nulls(Op *op, Batch *batch, uint16_t *from, uint16_t *to) {
    uint32_t nulls = 0;
    for (uint32_t i = *from; i < *to; i++)
        nulls += batch->kind[batch->selected[i]] == ROW_NULL;
    if (nulls == 0)
        return batch;
    Batch *kept = op_batch(op, batch);
    uint16_t *selected = arena_raw(batch->arena, (uint32_t)(*to - *from) * sizeof *selected);
    kept->selected_count = 0;
    for (uint32_t i = *from; i < *to; i++)
        if (batch->kind[batch->selected[i]] != ROW_NULL)
            selected[kept->selected_count++] = batch->selected[i];
    assert(kept->selected_count + nulls == (uint32_t)(*to - *from));
    kept->selected = selected;
    *from = 0;
    *to = (uint16_t)kept->selected_count;
    return kept;
}

static ErrCode result_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to, Err *err) {
    assert(port == 0 && from < to);
    (void)port;
    (void)err;
    Result *self = op->self;
    batch = without_nulls(op, batch, &from, &to);
    uint32_t count = (uint32_t)to - from;
    if (self->left >= 0 && count > (uint64_t)self->left)
        count = (uint32_t)self->left;
    if (count > 0)
        result_queue_put(op->env->results, batch, from, from + count);
    if (self->left >= 0) {
        self->left -= count;
        op->env->limit_reached = self->left == 0;
    }
    atomic_fetch_add_explicit(&op->env->counters->rows_out, count, memory_order_relaxed);
    op_count(op, OP_ROWS_OUT, count);
    return ERR_OK;
}

const OpOps op_result_ops = {
    .name = "Result",
    .in_order = true,
    .open = result_open,
    .apply = result_apply,
};
