/*
 * bind_lambda.c - calls with lambdas: TRANSFORM(a, x => x + 1).
 *
 * The arguments that are no lambdas are bound first: they say what the parameters of the first
 * lambda are, whose result then is known for the next. Inside a body a name is a parameter of a
 * lambda around it, or else a column, which the lambda captures.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "planner/planner_impl.h"

/* The lambda around that has such a parameter, and which one; NULL: none. */
static const LambdaScope *lambda_of(const Binder *binder, const char *name, uint32_t *index) {
    for (const LambdaScope *lambda = binder->lambda; lambda; lambda = lambda->outer) {
        for (*index = 0; *index < lambda->count; (*index)++) {
            if (strcmp(lambda->names[*index], name) == 0)
                return lambda;
        }
    }
    return NULL;
}

const Expr *bind_lambda_param(const Binder *binder, const char *name) {
    uint32_t index;
    const LambdaScope *lambda = lambda_of(binder, name, &index);
    if (!lambda)
        return NULL;
    Expr *param = expr_new(binder->planner->arena, EXPR_PARAM, lambda->types[index], NULL, 0);
    param->column = lambda->first_slot + index;
    param->text = name;
    return param;
}

LambdaScope bind_lambda_outside(const Binder *binder) {
    const LambdaScope *outer = binder->lambda;
    return (LambdaScope){.first_slot = outer ? outer->first_slot + outer->count : 0};
}

static ErrCode lambda_names(const Binder *binder, const AstExpr *lambda, Err *err) {
    assert(lambda->kind == AST_LAMBDA && lambda->name_count > 0);
    for (uint32_t i = 0; i < lambda->name_count; i++) {
        uint32_t count = 0, index;
        if (lambda_of(binder, lambda->names[i], &index))
            return err_set_at(err, ERR_SEMANTIC, lambda->pos.line, lambda->pos.column,
                              "Reusing lambda arguments in nested lambda is not allowed: %s",
                              lambda->names[i]);
        if (binder->scope)
            scope_find(binder->scope, NULL, lambda->names[i], &count);
        if (count > 0)
            return err_set_at(err, ERR_SEMANTIC, lambda->pos.line, lambda->pos.column,
                              "Lambda function argument can't be a column name: %s",
                              lambda->names[i]);
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(lambda->names[i], lambda->names[j]) == 0)
                return err_set_at(err, ERR_SEMANTIC, lambda->pos.line, lambda->pos.column,
                                  "Two parameters of a lambda have the name %s.",
                                  lambda->names[i]);
        }
    }
    return ERR_OK;
}

/* The body with the parameters' types known. Neither aggregates nor table functions work on the
 * elements of a value. */
static ErrCode lambda_body(Binder *binder, const AstExpr *ast, const Type *const *types,
                           const Expr **body, Err *err) {
    const LambdaScope *outer = binder->lambda;
    LambdaScope lambda = {outer, ast->names, types, ast->name_count,
                          outer ? outer->first_slot + outer->count : 0};
    Binder inner = *binder;
    inner.lambda = &lambda;
    inner.aggregates = NULL;
    inner.tables = NULL;
    inner.clause = "A lambda";
    const Expr *value;
    TRY(bind_expr(&inner, ast->args[0], &value, err));
    Expr *made = expr_new(binder->planner->arena, EXPR_LAMBDA, value->type, &value, 1);
    made->column = lambda.first_slot;
    made->param_count = lambda.count;
    made->text = planner_expr(binder->planner, ast);
    *body = made;
    return ERR_OK;
}

/* A call while its arguments are bound one after the other. */
typedef struct LambdaCall {
    const AstExpr *ast;
    const Expr **args;
    const Type **types;
    SignatureLambda *lambdas;
    FunctionArgs known;
} LambdaCall;

static void call_start(const Planner *planner, const AstExpr *ast, LambdaCall *call) {
    uint32_t count = ast->arg_count;
    *call = (LambdaCall){.ast = ast,
                         .args = arena_array(planner->arena, count, sizeof *call->args),
                         .types = arena_array(planner->arena, count, sizeof *call->types),
                         .lambdas = arena_array(planner->arena, count, sizeof *call->lambdas)};
    call->known = (FunctionArgs){call->types, call->lambdas, count};
    for (uint32_t i = 0; i < count; i++) {
        call->types[i] = &type_null;
        if (ast->args[i]->kind == AST_LAMBDA)
            call->lambdas[i].param_count = ast->args[i]->name_count;
    }
}

static ErrCode call_values(Binder *binder, LambdaCall *call, Err *err) {
    for (uint32_t i = 0; i < call->ast->arg_count; i++) {
        const AstExpr *arg = call->ast->args[i];
        if (arg->kind == AST_LAMBDA) {
            TRY(lambda_names(binder, arg, err));
            continue;
        }
        TRY(bind_expr(binder, arg, &call->args[i], err));
        call->types[i] = call->args[i]->type;
    }
    return ERR_OK;
}

static ErrCode call_bodies(Binder *binder, LambdaCall *call, Err *err) {
    Arena *arena = binder->planner->arena;
    for (uint32_t i = 0; i < call->ast->arg_count; i++) {
        SignatureLambda *lambda = &call->lambdas[i];
        if (lambda->param_count == 0)
            continue;
        const Type **params = arena_array(arena, lambda->param_count, sizeof *params);
        TRY(function_lambda_params(call->ast->name, &call->known, i, arena, params, err));
        TRY(lambda_body(binder, call->ast->args[i], params, &call->args[i], err));
        lambda->params = params;
        lambda->result = call->args[i]->type;
    }
    return ERR_OK;
}

/* A body of NULL, and arguments of other types, become what the function takes. */
static void call_cast(const Planner *planner, LambdaCall *call, const FunctionMatch *match) {
    for (uint32_t i = 0; i < call->ast->arg_count; i++) {
        const Type *type = match->cast_types[i];
        if (type->kind == TYPE_NULL)
            type = &type_string;
        if (call->lambdas[i].param_count == 0) {
            call->args[i] = cast_to(planner, call->args[i], type);
            continue;
        }
        const Expr *body = cast_to(planner, call->args[i]->args[0], type);
        Expr *made = expr_new(planner->arena, EXPR_LAMBDA, type, &body, 1);
        made->column = call->args[i]->column;
        made->param_count = call->args[i]->param_count;
        made->text = call->args[i]->text;
        call->args[i] = made;
    }
}

ErrCode bind_lambda_call(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    assert(ast->kind == AST_CALL);
    LambdaCall call;
    FunctionMatch match;
    call_start(planner, ast, &call);
    TRY(call_values(binder, &call, err));
    TRY(call_bodies(binder, &call, err));
    TRY(function_resolve_args(ast->name, &call.known, planner->arena, &match, err));
    call_cast(planner, &call, &match);
    Expr *made = expr_new(planner->arena, EXPR_CALL, match.result, call.args, ast->arg_count);
    made->function = match.function;
    *expr = made;
    return ERR_OK;
}
