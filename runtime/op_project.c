/*
 * op_project.c - SELECT: a new list of columns over the same rows.
 *
 * Key columns are computed for every row, the others only for rows that hold a value: a null value
 * and a delete stay what they are, and report no errors of expressions over nothing. Of a row with
 * a null value a new key keeps what can be made of the old key; the rest of it is NULL.
 */
#include <assert.h>

#include "runtime/op_project.h"

/* Whether an expression needs more of a row than its key. */
static bool needs_value(const Expr *expr, uint32_t key_count) {
    assert(expr);
    if (expr->kind == EXPR_PSEUDO || (expr->kind == EXPR_COLUMN && expr->column >= key_count))
        return true;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (needs_value(expr->args[i], key_count))
            return true;
    }
    return false;
}

static const Expr *null_of(const Expr *expr, Arena *arena) {
    assert(expr->type);
    Expr *literal = arena_alloc(arena, sizeof *literal);
    *literal = (Expr){.kind = EXPR_LITERAL, .type = expr->type, .text = "NULL",
                      .literal = column_new(arena, expr->type, 1)};
    return literal;
}

static ErrCode open_null_keys(Projection *projection, OpEnv *env, Err *err) {
    assert(projection->keys);
    const PlanNode *node = projection->node;
    uint32_t count = node->schema->key_count;
    uint32_t key_count = env->plan->nodes[node->inputs[0]]->schema->key_count;
    const Expr **exprs = arena_array(env->query_arena, count, sizeof *exprs);
    bool differ = false;
    for (uint32_t i = 0; i < count; i++) {
        bool needs = needs_value(node->exprs[i], key_count);
        exprs[i] = needs ? null_of(node->exprs[i], env->query_arena) : node->exprs[i];
        differ = differ || needs;
    }
    if (!differ || node->is_table)
        return ERR_OK;
    TRY(expr_compile(exprs, count, env->query_arena, &projection->null_keys, err));
    expr_set_io(projection->null_keys, env->io);
    return ERR_OK;
}

/* Of a deleted row its key, window and time are there. */
static bool is_fact(const Expr *expr, uint32_t key_count) {
    assert(expr);
    return expr->kind == EXPR_PSEUDO || (expr->kind == EXPR_COLUMN && expr->column < key_count);
}

static ErrCode open_facts(Projection *projection, OpEnv *env, Err *err) {
    const PlanNode *node = projection->node;
    uint32_t count = node->schema->column_count;
    uint32_t key_count = env->plan->nodes[node->inputs[0]]->schema->key_count;
    const Expr **exprs = arena_array(env->query_arena, count, sizeof *exprs);
    uint32_t *columns = arena_array(env->query_arena, count, sizeof *columns);
    for (uint32_t i = node->schema->key_count; i < count; i++) {
        if (!is_fact(node->exprs[i], key_count))
            continue;
        exprs[projection->fact_count] = node->exprs[i];
        columns[projection->fact_count++] = i;
    }
    projection->fact_columns = columns;
    if (projection->fact_count == 0)
        return ERR_OK;
    return expr_compile(exprs, projection->fact_count, env->query_arena, &projection->facts, err);
}

ErrCode projection_open(Projection *projection, const PlanNode *node, OpEnv *env, Err *err) {
    assert(node->kind == PLAN_PROJECT || node->kind == PLAN_REPARTITION);
    assert(node->exprs);
    uint32_t key_count = node->schema->key_count;
    *projection = (Projection){.node = node};
    if (key_count > 0) {
        TRY(expr_compile(node->exprs, key_count, env->query_arena, &projection->keys, err));
        expr_set_io(projection->keys, env->io);
        TRY(open_null_keys(projection, env, err));
    }
    if (node->schema->column_count > key_count) {
        TRY(expr_compile(node->exprs + key_count, node->schema->column_count - key_count,
                         env->query_arena, &projection->values, err));
        expr_set_io(projection->values, env->io);
    }
    if (node->is_table && env->plan->kind == PLAN_PUSH)
        return open_facts(projection, env, err);
    return ERR_OK;
}

uint32_t projection_run_end(const Projection *projection, const Batch *batch, uint32_t from,
                            uint32_t to) {
    assert(from < to && to <= batch->selected_count);
    if (!projection->null_keys)
        return to;
    uint8_t kind = batch->kind[batch->selected[from]];
    uint32_t end = from + 1;
    while (end < to && (batch->kind[batch->selected[end]] == ROW_NULL) == (kind == ROW_NULL))
        end++;
    return end;
}

/* The batch with only the rows that hold a value; itself where all do. */
static const Batch *only_values(const Batch *batch, Batch *part) {
    assert(batch->selected_count > 0);
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

/* The column with NULL in the deleted rows, whatever it holds there. */
static const Column *null_deleted(const Column *column, const Batch *batch) {
    assert(column->length == batch->row_count);
    uint32_t words = column_words(batch->row_count);
    Column *copy = arena_alloc(batch->arena, sizeof *copy);
    *copy = *column;
    copy->validity = arena_raw(batch->arena, words * sizeof *copy->validity);
    for (uint32_t i = 0; i < words; i++)
        copy->validity[i] = column->validity ? column->validity[i] : UINT64_MAX;
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint32_t row = batch->selected[i];
        if (batch->kind[row] == ROW_DELETE)
            copy->validity[row / 64] &= ~(1ULL << row % 64);
    }
    return copy;
}

static void put_facts(const Projection *projection, const Batch *batch, const Column **columns) {
    assert(projection->fact_columns);
    const Schema *schema = projection->node->schema;
    for (uint32_t i = schema->key_count; i < schema->column_count; i++)
        columns[i] = null_deleted(columns[i], batch);
    if (!projection->facts)
        return;
    const Column **facts = arena_array(batch->arena, projection->fact_count, sizeof *facts);
    expr_run(projection->facts, batch, facts);
    for (uint32_t i = 0; i < projection->fact_count; i++)
        columns[projection->fact_columns[i]] = facts[i];
}

static const Column *const *project(const Projection *projection, const Batch *batch,
                                    const Batch *values) {
    assert(batch->selected_count > 0);
    assert(values->row_count == batch->row_count);
    const Schema *schema = projection->node->schema;
    const Column **columns =
        arena_array(batch->arena, schema->column_count, sizeof *columns);
    bool null_value = batch->kind[batch->selected[0]] == ROW_NULL && projection->null_keys;
    if (projection->keys)
        expr_run(null_value ? projection->null_keys : projection->keys, batch, columns);
    if (!projection->values)
        return columns;
    const Column **results = columns + schema->key_count;
    if (values->selected_count > 0) {
        expr_run(projection->values, values, results);
    } else {
        for (uint32_t i = schema->key_count; i < schema->column_count; i++)
            columns[i] = column_new(batch->arena, schema->columns[i].type, batch->row_count);
    }
    if (projection->fact_columns && values->selected_count < batch->selected_count)
        put_facts(projection, batch, columns);
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
        bool some = batch->old->selected_count > 0;
        old->columns = some ? project(projection, batch->old, batch->old) : output->columns;
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
    for (uint32_t at = from; at < to;) {
        uint32_t end = projection_run_end(op->self, batch, at, to);
        Batch *rows = op_batch(op, batch);
        rows->selected = batch->selected + at;
        rows->selected_count = end - at;
        op_emit(op, projection_run(op->self, rows, op->old_wanted));
        at = end;
    }
    return ERR_OK;
}

const OpOps op_project_ops = {
    .name = "Project",
    .open = project_open,
    .apply = project_apply,
};
