/*
 * expr_compile_lambda.c - lambdas of a call become programs of their own.
 *
 *   TRANSFORM(a, x => x + y)    y is column 4 of the batch
 *     program around:  r7 = COLUMN 4, and CALL's list ends in r7
 *     lambda's:        r0 = COLUMN 0 (x), r1 = COLUMN 1 (y, for each element), r2 = ADD r0 r1
 *
 * So a body is bound to a schema of parameters and captured values, and lambdas inside of it
 * capture from that in the same way.
 */
#include "runtime/expr_compile_impl.h"

typedef struct LambdaBody {
    Arena *arena;
    const Expr *lambda;
    const Expr **captures; /* leaves of the tree around, each once */
    size_t capture_count, capture_capacity;
    uint32_t *lets; /* numbers of the LETs around, inside of the body */
    size_t let_count, let_capacity;
} LambdaBody;

static const Expr *lambda_column(LambdaBody *body, const Expr *leaf, uint32_t column) {
    Expr *made = arena_alloc(body->arena, sizeof *made);
    *made = (Expr){.kind = EXPR_COLUMN, .type = leaf->type, .column = column, .text = leaf->text};
    return made;
}

static const Expr *lambda_capture(LambdaBody *body, const Expr *leaf) {
    uint32_t i = 0;
    while (i < body->capture_count && !expr_tree_equal(body->captures[i], leaf))
        i++;
    if (i == body->capture_count) {
        body->captures = arena_grow(body->arena, body->captures, &body->capture_capacity,
                                    body->capture_count + 1, sizeof *body->captures);
        body->captures[body->capture_count++] = leaf;
    }
    return lambda_column(body, leaf, body->lambda->param_count + i);
}

/* A local of a LET inside of the body. */
static bool lambda_has_local(const LambdaBody *body, const Expr *expr) {
    assert(expr->kind == EXPR_LOCAL);
    for (size_t i = 0; i < body->let_count; i++) {
        if (body->lets[i] == expr->column)
            return true;
    }
    return false;
}

static const Expr *lambda_map(LambdaBody *body, const Expr *expr);

static const Expr *lambda_map_args(LambdaBody *body, const Expr *expr) {
    const Expr **args = arena_array(body->arena, expr->arg_count, sizeof *args);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        bool inside = expr->kind == EXPR_LET && i == 1;
        if (inside) {
            body->lets = arena_grow(body->arena, body->lets, &body->let_capacity,
                                    body->let_count + 1, sizeof *body->lets);
            body->lets[body->let_count++] = expr->column;
        }
        args[i] = lambda_map(body, expr->args[i]);
        body->let_count -= inside;
    }
    Expr *copy = arena_alloc(body->arena, sizeof *copy);
    *copy = *expr;
    copy->args = args;
    return copy;
}

/* The body over the lambda's own schema. Parameters of lambdas inside of it stay. */
static const Expr *lambda_map(LambdaBody *body, const Expr *expr) {
    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_PSEUDO ||
        (expr->kind == EXPR_LOCAL && !lambda_has_local(body, expr)))
        return lambda_capture(body, expr);
    if (expr->kind == EXPR_PARAM) {
        assert(expr->column >= body->lambda->column); /* those around are columns by now */
        uint32_t index = expr->column - body->lambda->column;
        return index < body->lambda->param_count ? lambda_column(body, expr, index) : expr;
    }
    return expr->arg_count == 0 ? expr : lambda_map_args(body, expr);
}

/* The schema only counts: columns of the batches carry their own types. */
static const Schema *lambda_schema(Arena *arena, uint32_t column_count) {
    Schema *schema = arena_alloc(arena, sizeof *schema);
    schema->columns = arena_array(arena, column_count, sizeof *schema->columns);
    schema->column_count = column_count;
    return schema;
}

static void lambda_append(Compile *compile, uint32_t **list, uint32_t *list_count, uint32_t reg) {
    uint32_t *grown = arena_array(compile->arena, (size_t)*list_count + 1, sizeof *grown);
    memcpy(grown, *list, *list_count * sizeof *grown);
    grown[(*list_count)++] = reg;
    *list = grown;
}

const ExprLambda *compile_lambdas(Compile *compile, const Expr *call, uint32_t **list,
                                  uint32_t *list_count) {
    assert(*list_count == call->arg_count);
    Arena *arena = compile->arena;
    ExprLambda *lambdas = arena_array(arena, call->arg_count, sizeof *lambdas);
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const Expr *lambda = call->args[i];
        if (lambda->kind != EXPR_LAMBDA)
            continue;
        LambdaBody body = {.arena = arena, .lambda = lambda};
        const Expr *mapped = lambda_map(&body, lambda->args[0]);
        lambdas[i].param_count = lambda->param_count;
        lambdas[i].first_capture = *list_count;
        uint32_t column_count = lambda->param_count + (uint32_t)body.capture_count;
        lambdas[i].schema = lambda_schema(arena, column_count);
        for (size_t k = 0; k < body.capture_count; k++)
            lambda_append(compile, list, list_count, compile_expr(compile, body.captures[k]));
        Err err;
        if (expr_compile_lambda(mapped, compile->fold, arena, &lambdas[i], &err) != ERR_OK)
            *compile->err = err;
    }
    return lambdas;
}
