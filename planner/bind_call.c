/*
 * bind_call.c - function calls: scalar functions, aggregates, table functions.
 *
 * An aggregate call becomes a column past all real ones and waits in Binder.aggregates until the
 * aggregation is laid out.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "grammar/parse.h"
#include "planner/planner_impl.h"

/* Casts the arguments to what the overload takes. */
static void call_cast_args(const Planner *planner, const Expr **args, uint32_t count,
                           const Type *const *types) {
    for (uint32_t i = 0; i < count; i++) {
        const Type *type = types[i]->kind == TYPE_NULL ? &type_string : types[i];
        args[i] = cast_to(planner, args[i], type);
    }
}

static const Type **call_types(const Planner *planner, const Expr *const *args, uint32_t count) {
    const Type **types = arena_array(planner->arena, count, sizeof *types);
    for (uint32_t i = 0; i < count; i++)
        types[i] = args[i]->type;
    return types;
}

/* The users' overloads, where no built-in one fits: `err` says why none does. */
static ErrCode call_user(Binder *binder, UserCall *call, const Expr **args, const Expr **expr,
                         Err *err) {
    const PlannerHost *host = binder->planner->host;
    if (host->user_functions)
        call->overloads = host->user_functions(host->context, call->name, &call->overload_count);
    if (call->overload_count == 0)
        return err->code;
    const UserFunction *function;
    TRY(user_resolve(call, &function, err));
    return bind_user_call(binder, function, args, expr, err);
}

/* Adds the nearest name to "Can't find any functions with the name 'X'". */
static ErrCode call_unknown(const Planner *planner, const char *name, Err *err) {
    uint32_t count = 0;
    while (function_at(count))
        count++;
    const char **names = arena_array(planner->arena, count, sizeof *names);
    for (uint32_t i = 0; i < count; i++)
        names[i] = function_at(i)->name;
    const char *near = parse_nearest(name, names, count);
    if (!near)
        return err->code;
    const char *text = arena_text(planner->arena, bytes_of(err->message));
    return err_set(err, ERR_UNKNOWN_NAME, "%s\nDid you mean %s?", text, near);
}

static ErrCode call_scalar(Binder *binder, const char *name, const Expr **args, uint32_t count,
                           const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    const Type **types = call_types(planner, args, count);
    FunctionMatch match;
    if (function_resolve(name, types, count, planner->arena, &match, err) != ERR_OK) {
        UserCall call = {.name = name, .types = types, .type_count = count};
        ErrCode code = call_user(binder, &call, args, expr, err);
        return code == ERR_UNKNOWN_NAME ? call_unknown(planner, name, err) : code;
    }
    call_cast_args(planner, args, count, match.cast_types);
    Expr *made = expr_new(planner->arena, EXPR_CALL, match.result, args, count);
    made->function = match.function;
    *expr = made;
    return ERR_OK;
}

/* -- Aggregates -------------------------------------------------------------------------------- */

static bool calls_equal(const AggregateCallRef *left, const AggregateCallRef *right) {
    if (left->aggregate != right->aggregate || left->arg_count != right->arg_count)
        return false;
    for (uint32_t i = 0; i < left->arg_count; i++) {
        if (!expr_equal(left->args[i], right->args[i]))
            return false;
    }
    if (left->limits.literal_count != right->limits.literal_count)
        return false;
    for (uint32_t i = 0; i < left->limits.literal_count; i++) {
        const Column *one = left->limits.literals[i], *other = right->limits.literals[i];
        if (!type_equal(one->type, other->type) || !column_value_equal(one, 0, other, 0))
            return false;
    }
    return true;
}

/* The call's number: that of an equal one met before, or a new one. */
static uint32_t calls_add(const Planner *planner, AggregateCalls *calls, AggregateCallRef call) {
    for (size_t i = 0; i < calls->count; i++) {
        if (calls_equal(&calls->calls[i], &call))
            return (uint32_t)i;
    }
    calls->calls = arena_grow(planner->arena, calls->calls, &calls->capacity, calls->count + 1,
                              sizeof *calls->calls);
    calls->calls[calls->count] = call;
    return (uint32_t)calls->count++;
}

static ErrCode call_aggregate_allowed(Binder *binder, const AstExpr *ast, Err *err) {
    if (binder->inside)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "Aggregate functions can not be nested: %s(%s)", binder->inside,
                          planner_expr(binder->planner, ast));
    if (!binder->aggregates)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "%s does not support aggregate functions: %s is an aggregate function."
                          "%s",
                          binder->clause, ast->name,
                          strcmp(binder->clause, "WHERE") == 0
                              ? "\nHAVING, behind GROUP BY, is the condition on groups."
                              : "");
    return ERR_OK;
}

/* What these keep between rows has no form in a format without nested values. */
static bool call_state_is_nested(const char *name) {
    static const char *const flat[] = {"COUNT", "SUM", "MIN", "MAX", "SUM_LIST", "TEST_UDAF"};
    for (uint32_t i = 0; i < sizeof flat / sizeof *flat; i++) {
        if (strcasecmp(flat[i], name) == 0)
            return false;
    }
    return true;
}

/* Takes the constants from the end of the arguments. */
static ErrCode call_literals(const Planner *planner, const AstExpr *ast, const Expr **args,
                             uint32_t count, AggregateLimits *limits, Err *err) {
    assert(count <= ast->arg_count);
    const Column **literals = arena_array(planner->arena, count, sizeof *literals);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = ast->arg_count - count + i;
        if (args[at]->kind != EXPR_LITERAL)
            return err_set_at(err, ERR_SEMANTIC, ast->args[at]->pos.line, ast->args[at]->pos.column,
                              "Parameter %u passed to function %s must be a literal constant, but "
                              "was expression: '%s'",
                              at + 1, ast->name, planner_expr(planner, ast->args[at]));
        literals[i] = args[at]->literal;
    }
    limits->literals = literals;
    limits->literal_count = count;
    return ERR_OK;
}

/* How many elements a collection may have: a setting of its function. */
static uint32_t call_element_count_max(const Planner *planner, const char *name) {
    assert(name);
    static const char *const names[] = {"COLLECT_LIST", "COLLECT_SET"};
    static const char *const settings[] = {"ksql.functions.collect_list.limit",
                                           "ksql.functions.collect_set.limit"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i], name) != 0)
            continue;
        long max = strtol(planner_setting(planner, settings[i], "0"), NULL, 10);
        return max > 0 && max < INT32_MAX ? (uint32_t)max : 0;
    }
    return 0;
}

/* An aggregate's overload, with its arguments cast and its constants taken. */
static ErrCode call_resolve_aggregate(Binder *binder, const AstExpr *ast, const Expr **args,
                                      AggregateCallRef *call, Err *err) {
    const Planner *planner = binder->planner;
    const Type **types = call_types(planner, args, ast->arg_count);
    AggregateMatch match;
    TRY(aggregate_resolve(ast->name, types, ast->arg_count, planner->arena, &match, err));
    call_cast_args(planner, args, ast->arg_count, match.cast_types);
    *call = (AggregateCallRef){.aggregate = match.aggregate, .type = match.result,
                               .text = planner_expr(planner, ast), .args = args,
                               .arg_count = ast->arg_count - match.literal_count};
    TRY(call_literals(planner, ast, args, match.literal_count, &call->limits, err));
    call->limits.element_count_max = call_element_count_max(planner, ast->name);
    const char *wrong =
        match.aggregate->ops->check ? match.aggregate->ops->check(&call->limits) : NULL;
    return wrong ? err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column, "%s", wrong)
                 : ERR_OK;
}

static ErrCode call_aggregate(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    assert(!binder->inside || binder->aggregates);
    TRY(call_aggregate_allowed(binder, ast, err));
    if (binder->flat_state && call_state_is_nested(ast->name))
        return err_set_at(err, ERR_FORMAT, ast->pos.line, ast->pos.column,
                          "One of the functions used in the statement has an intermediate type "
                          "that the value format can not handle. Please remove the function or "
                          "change the format.");
    const Expr **args;
    binder->inside = ast->name;
    ErrCode code = bind_args(binder, ast, &args, err);
    binder->inside = NULL;
    TRY(code);
    AggregateCallRef call;
    TRY(call_resolve_aggregate(binder, ast, args, &call, err));
    uint32_t index = calls_add(planner, binder->aggregates, call);
    *expr = expr_column(planner->arena, AGGREGATE_COLUMN + index, call.type, call.text);
    return ERR_OK;
}

/* -- Table functions --------------------------------------------------------------------------- */

static ErrCode call_table_allowed(const Binder *binder, const AstExpr *ast, Err *err) {
    if (binder->in_table_function)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "Table functions cannot be nested: %s",
                          planner_expr(binder->planner, ast));
    if (binder->inside || !binder->tables)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "%s does not support table functions: %s is a table function.",
                          binder->inside ? binder->inside : binder->clause, ast->name);
    return ERR_OK;
}

static bool table_calls_equal(const PlanTableCall *left, const PlanTableCall *right) {
    if (left->function != right->function || left->arg_count != right->arg_count)
        return false;
    for (uint32_t i = 0; i < left->arg_count; i++) {
        if (!expr_equal(left->args[i], right->args[i]))
            return false;
    }
    return true;
}

static uint32_t table_calls_add(const Planner *planner, TableCalls *calls, TableCallRef ref) {
    for (size_t i = 0; i < calls->count; i++) {
        if (table_calls_equal(&calls->calls[i].call, &ref.call))
            return (uint32_t)i;
    }
    calls->calls = arena_grow(planner->arena, calls->calls, &calls->capacity, calls->count + 1,
                              sizeof *calls->calls);
    calls->calls[calls->count] = ref;
    return (uint32_t)calls->count++;
}

static ErrCode call_table(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    TRY(call_table_allowed(binder, ast, err));
    const Expr **args;
    binder->in_table_function = true;
    ErrCode code = bind_args(binder, ast, &args, err);
    binder->in_table_function = false;
    TRY(code);
    const Type **types = call_types(planner, args, ast->arg_count);
    TableMatch match;
    TRY(table_resolve(ast->name, types, ast->arg_count, planner->arena, &match, err));
    call_cast_args(planner, args, ast->arg_count, match.cast_types);
    binder->tables->met++;
    PlanTableCall call = {match.function, args, ast->arg_count, planner_expr(planner, ast)};
    uint32_t index = table_calls_add(planner, binder->tables, (TableCallRef){call, match.result});
    *expr = expr_column(planner->arena, TABLE_COLUMN + index, match.result, call.text);
    return ERR_OK;
}

/* -- The call ---------------------------------------------------------------------------------- */

ErrCode bind_call(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(ast->kind == AST_CALL && ast->name);
    if (aggregate_exists(ast->name))
        return call_aggregate(binder, ast, expr, err);
    if (table_exists(ast->name))
        return call_table(binder, ast, expr, err);
    for (uint32_t i = 0; i < ast->arg_count; i++) {
        if (ast->args[i]->kind == AST_LAMBDA)
            return bind_lambda_call(binder, ast, expr, err);
    }
    const Expr **args;
    TRY(bind_args(binder, ast, &args, err));
    return call_scalar(binder, ast->name, args, ast->arg_count, expr, err);
}

/* a || b || c is CONCAT(a, b, c) of texts or of bytes. */
ErrCode bind_concat(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    const Expr **args;
    TRY(bind_args(binder, ast, &args, err));
    return call_scalar(binder, "CONCAT", args, ast->arg_count, expr, err);
}
