/*
 * plan_json_lambda.c - whether the lambdas of a stored call fit its function.
 *
 * The types of a lambda's parameters are not stored: they follow from the function and the other
 * arguments, as when the call was bound. What the body says of them must be the same.
 */
#include <assert.h>

#include "planner/plan_json_impl.h"
#include "planner/planner_impl.h"

typedef struct LambdaParams {
    const Expr *lambda;
    const Type *const *types;
} LambdaParams;

/* A parameter of the lambda that is used as another type. */
static bool lambda_other_type(void *context, const Expr *expr) {
    const LambdaParams *params = context;
    uint32_t slot = expr->column - params->lambda->column;
    return expr->kind == EXPR_PARAM && expr->column >= params->lambda->column &&
           slot < params->lambda->param_count && !type_equal(params->types[slot], expr->type);
}

static bool lambda_fits(const Expr *call, FunctionArgs *args, uint32_t index, Arena *arena) {
    Err err;
    SignatureLambda *lambda = (SignatureLambda *)(uintptr_t)&args->lambdas[index];
    const Type **params = arena_array(arena, lambda->param_count, sizeof *params);
    assert(lambda->param_count > 0);
    if (function_lambda_params(call->function->name, args, index, arena, params, &err) != ERR_OK)
        return false;
    LambdaParams context = {call->args[index], params};
    if (expr_find(call->args[index]->args[0], lambda_other_type, &context))
        return false;
    lambda->params = params;
    lambda->result = call->args[index]->type;
    return true;
}

bool plan_json_lambdas_fit(const Expr *call, Arena *arena) {
    uint32_t count = call->arg_count, lambda_count = 0;
    const Type **types = arena_array(arena, count, sizeof *types);
    SignatureLambda *lambdas = arena_array(arena, count, sizeof *lambdas);
    FunctionArgs args = {types, lambdas, count};
    for (uint32_t i = 0; i < count; i++) {
        types[i] = call->args[i]->type;
        lambdas[i].param_count = call->args[i]->param_count;
        lambda_count += lambdas[i].param_count > 0;
    }
    bool wanted = call->function->flags & FUNCTION_TAKES_LAMBDAS;
    if (lambda_count == 0 || !wanted)
        return lambda_count == 0 && !wanted;
    for (uint32_t i = 0; i < count; i++) {
        if (lambdas[i].param_count > 0 && !lambda_fits(call, &args, i, arena))
            return false;
    }
    FunctionMatch match;
    Err err;
    return function_resolve_args(call->function->name, &args, arena, &match, &err) == ERR_OK &&
           match.function == call->function && type_equal(match.result, call->type);
}
