/*
 * op_project.c - SELECT: a new list of columns over the same rows.
 *
 * Key columns are computed for every row, the others only for rows that hold a value: a null value
 * and a delete stay what they are, and report no errors of expressions over nothing.
 */
#include <assert.h>

#include "runtime/op_project.h"

ErrCode projection_open(Projection *projection, const PlanNode *node, OpEnv *env, Err *err) {
    uint32_t key_count = node->schema->key_count;
    *projection = (Projection){.node = node};
    if (key_count > 0) {
        TRY(expr_compile(node->exprs, key_count, env->query_arena, &projection->keys, err));
        expr_set_io(projection->keys, env->io);
    }
    if (node->schema->column_count > key_count) {
        TRY(expr_compile(node->exprs + key_count, node->schema->column_count - key_count,
                         env->query_arena, &projection->values, err));
        expr_set_io(projection->values, env->io);
    }
    return ERR_OK;
}

/* The batch with only the rows that hold a value; itself where all do. */
static const Batch *only_values(const Batch *batch, Batch *part) {
    uint32_t i = 0;
    while (i < batch->selected_count && batch->kind[batch->selected[i]] == ROW_VALUE)
        i++;
    if (i == batch->selected_count)
        return batch;
    uint16_t *selected = arena_raw(batch->arena, batch->selected_count * sizeof *selected);
    uint32_t kept = 0;
    for (i = 0; i < batch->selected_count; i++) {
        selected[kept] = batch->selected[i];
        kept += batch->kind[batch->selected[i]] == ROW_VALUE;
    }
    *part = *batch;
    part->selected = selected;
    part->selected_count = kept;
    return part;
}

static const Column *const *project(const Projection *projection, const Batch *batch,
                                    const Batch *values) {
    const Schema *schema = projection->node->schema;
    const Column **columns =
        arena_array(batch->arena, schema->column_count, sizeof *columns);
    if (projection->keys)
        expr_run(projection->keys, batch, columns);
    if (!projection->values)
        return columns;
    const Column **results = columns + schema->key_count;
    if (values->selected_count > 0) {
        expr_run(projection->values, values, results);
    } else {
        for (uint32_t i = schema->key_count; i < schema->column_count; i++)
            columns[i] = column_new(batch->arena, schema->columns[i].type, batch->row_count);
    }
    return columns;
}

Batch *projection_run(const Projection *projection, const Batch *batch, bool old_wanted) {
    assert(batch->selected_count > 0);
    Batch part;
    Batch *output = arena_raw(batch->arena, sizeof *output);
    *output = *batch;
    output->schema = projection->node->schema;
    output->columns = project(projection, batch, only_values(batch, &part));
    if (!batch->old)
        return output;
    Batch *old = arena_raw(batch->arena, sizeof *old);
    *old = *batch->old;
    old->schema = output->schema;
    old->columns = NULL;
    if (old_wanted) {
        assert(batch->old->columns);
        old->columns = project(projection, batch->old, batch->old);
    }
    output->old = old;
    return output;
}

static ErrCode project_open(Op *op, OpEnv *env, Err *err) {
    assert(op->node->kind == PLAN_PROJECT);
    op->self = arena_alloc(env->query_arena, sizeof(Projection));
    return projection_open(op->self, op->node, env, err);
}

static ErrCode project_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                             Err *err) {
    assert(port == 0 && from == 0 && to == batch->selected_count);
    (void)err;
    (void)port;
    (void)from;
    (void)to;
    op_emit(op, projection_run(op->self, batch, op->old_wanted));
    return ERR_OK;
}

const OpOps op_project_ops = {
    .name = "Project",
    .open = project_open,
    .apply = project_apply,
};
