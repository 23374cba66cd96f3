/*
 * bind_expr.c - syntax tree to bound expression: the way in, columns and literals.
 *
 * Every node knows its type when its arguments do; implicit casts are put in as EXPR_CAST, so that
 * the runtime meets operands of one type. The text of a node is what ksqlDB would print.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "data/number_text.h"
#include "planner/planner_impl.h"

static ErrCode bind_unsupported(const AstExpr *ast, const char *what, Err *err) {
    return err_set_at(err, ERR_UNSUPPORTED, ast->pos.line, ast->pos.column,
                      "%s not supported yet.", what);
}

/* SECOND as an argument: the column of this name, where there is one, else the unit. */
static ErrCode bind_unit(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    uint32_t count = 0;
    assert(ast->kind == AST_UNIT && !ast->qualifier);
    if (binder->scope)
        scope_find(binder->scope, NULL, ast->name, &count);
    if (count == 0)
        return bind_literal(binder, ast, expr, err);
    AstExpr column = *ast;
    column.kind = AST_COLUMN;
    return bind_column(binder, &column, expr, err);
}

static ErrCode bind_kind(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    switch (ast->kind) {
    case AST_NULL:
    case AST_BOOLEAN:
    case AST_INTEGER:
    case AST_DECIMAL:
    case AST_DOUBLE:
    case AST_STRING:
    case AST_TYPED: return bind_literal(binder, ast, expr, err);
    case AST_UNIT: return bind_unit(binder, ast, expr, err);
    case AST_COLUMN: return bind_column(binder, ast, expr, err);
    case AST_DEREF: return bind_deref(binder, ast, expr, err);
    case AST_SUBSCRIPT: return bind_subscript(binder, ast, expr, err);
    case AST_CALL: return bind_call(binder, ast, expr, err);
    case AST_CAST: return bind_cast(binder, ast, expr, err);
    case AST_CASE: return bind_case(binder, ast, expr, err);
    case AST_ARRAY: return bind_array(binder, ast, expr, err);
    case AST_MAP: return bind_map(binder, ast, expr, err);
    case AST_STRUCT: return bind_struct(binder, ast, expr, err);
    case AST_NEGATE: return bind_negate(binder, ast, expr, err);
    case AST_PLUS: return bind_expr(binder, ast->args[0], expr, err);
    case AST_BINARY:
        return ast->op == AST_OP_CONCAT ? bind_concat(binder, ast, expr, err)
                                        : bind_arithmetic(binder, ast, expr, err);
    case AST_COMPARE: return bind_compare(binder, ast, expr, err);
    case AST_AND:
    case AST_OR:
    case AST_NOT: return bind_logic(binder, ast, expr, err);
    case AST_BETWEEN: return bind_between(binder, ast, expr, err);
    case AST_IN: return bind_in(binder, ast, expr, err);
    case AST_LIKE: return bind_like(binder, ast, expr, err);
    case AST_IS_NULL: return bind_logic(binder, ast, expr, err);
    case AST_LAMBDA:
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "A lambda can be an argument of a function only.");
    case AST_AT_ZONE: return bind_unsupported(ast, "AT TIME ZONE is", err);
    case AST_VARIABLE:
        return err_set_at(err, ERR_UNKNOWN_NAME, ast->pos.line, ast->pos.column,
                          "Variable '%s' is not defined.", ast->name);
    case AST_ALL_FIELDS:
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "'->*' can stand in the select list only.");
    }
    return bind_unsupported(ast, "This expression is", err);
}

ErrCode bind_expr(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    assert(binder && ast);
    if (binder->depth >= EXPR_DEPTH_MAX)
        return err_set_at(err, ERR_LIMIT, ast->pos.line, ast->pos.column,
                          "Expressions may be nested %d deep at most.", EXPR_DEPTH_MAX);
    binder->depth++;
    ErrCode code = bind_kind(binder, ast, expr, err);
    binder->depth--;
    if (code != ERR_OK) {
        if (err->line == 0) {
            err->line = ast->pos.line;
            err->column = ast->pos.column;
        }
        return code;
    }
    Expr *named = arena_alloc(binder->planner->arena, sizeof *named);
    *named = **expr;
    named->text = planner_expr(binder->planner, ast);
    if (binder->frame)
        named->text = arena_printf(binder->planner->arena, "%s in %s", named->text,
                                   binder->frame->function->name);
    *expr = named;
    return ERR_OK;
}

ErrCode bind_predicate(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    TRY(bind_expr(binder, ast, expr, err));
    if ((*expr)->type->kind == TYPE_BOOLEAN)
        return ERR_OK;
    return err_set_at(err, ERR_TYPE, ast->pos.line, ast->pos.column,
                      "Type error in %s expression: Should evaluate to boolean but is %s (%s) "
                      "instead.",
                      binder->clause, (*expr)->text,
                      type_text(binder->planner->arena, (*expr)->type));
}

ErrCode bind_args(Binder *binder, const AstExpr *ast, const Expr ***args, Err *err) {
    *args = arena_array(binder->planner->arena, ast->arg_count, sizeof **args);
    for (uint32_t i = 0; i < ast->arg_count; i++)
        TRY(bind_expr(binder, ast->args[i], &(*args)[i], err));
    return ERR_OK;
}

/* -- Literals ---------------------------------------------------------------------------------- */

static ErrCode bind_integer(Arena *arena, const AstExpr *ast, const Expr **expr, Err *err) {
    int64_t value;
    if (!number_parse_i64(ast->text, &value))
        return err_set_at(err, ERR_SYNTAX, ast->pos.line, ast->pos.column,
                          "Invalid numeric literal: %.*s", (int)ast->text.size,
                          (const char *)ast->text.data);
    bool fits = value >= INT32_MIN && value <= INT32_MAX;
    Expr *literal = expr_literal(arena, fits ? &type_int : &type_bigint);
    if (fits)
        literal->literal->i32[0] = (int32_t)value;
    else
        literal->literal->i64[0] = value;
    *expr = literal;
    return ERR_OK;
}

static ErrCode bind_decimal(Arena *arena, const AstExpr *ast, const Expr **expr, Err *err) {
    Decimal value;
    uint32_t precision, scale;
    if (!decimal_parse(ast->text, &value, &precision, &scale))
        return err_set_at(err, ERR_LIMIT, ast->pos.line, ast->pos.column,
                          "Invalid numeric literal: %.*s. Decimals have %d digits at most.",
                          (int)ast->text.size, (const char *)ast->text.data,
                          DECIMAL_PRECISION_MAX);
    /* 0.5 has one digit of its own, but is a DECIMAL(2, 1). */
    uint32_t digits = precision > scale ? precision : scale + 1;
    const Type *type;
    TRY(type_decimal(arena, digits, scale, &type, err));
    Expr *literal = expr_literal(arena, type);
    decimal_store(literal->literal->data, type->precision, value);
    *expr = literal;
    return ERR_OK;
}

static ErrCode bind_double(Arena *arena, const AstExpr *ast, const Expr **expr, Err *err) {
    Expr *literal = expr_literal(arena, &type_double);
    if (!number_parse_double(ast->text, literal->literal->f64) ||
        !isfinite(literal->literal->f64[0]))
        return err_set_at(err, ERR_SYNTAX, ast->pos.line, ast->pos.column,
                          "Number overflows DOUBLE: %.*s", (int)ast->text.size,
                          (const char *)ast->text.data);
    *expr = literal;
    return ERR_OK;
}

ErrCode bind_literal(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    Arena *arena = binder->planner->arena;
    switch (ast->kind) {
    case AST_NULL: *expr = expr_null(arena, &type_null); return ERR_OK;
    case AST_BOOLEAN: *expr = expr_boolean(arena, ast->boolean); return ERR_OK;
    case AST_INTEGER: return bind_integer(arena, ast, expr, err);
    case AST_DECIMAL: return bind_decimal(arena, ast, expr, err);
    case AST_DOUBLE: return bind_double(arena, ast, expr, err);
    case AST_STRING: *expr = expr_string(arena, ast->text); return ERR_OK;
    case AST_UNIT: *expr = expr_string(arena, bytes_of(ast->name)); return ERR_OK;
    default: break;
    }
    assert(ast->kind == AST_TYPED);
    if (strcmp(ast->name, "DECIMAL") != 0)
        return err_set_at(err, ERR_UNKNOWN_NAME, ast->pos.line, ast->pos.column,
                          "Unknown type: %s", ast->name);
    return bind_decimal(arena, ast, expr, err);
}

/* -- Columns ----------------------------------------------------------------------------------- */

static ErrCode bind_unknown_column(Binder *binder, const AstExpr *ast, Err *err) {
    const Planner *planner = binder->planner;
    const Scope *scope = binder->scope;
    const char **names = arena_array(planner->arena, scope->column_count, sizeof *names);
    uint32_t count = 0;
    for (size_t i = 0; i < scope->column_count; i++) {
        const ScopeColumn *column = &scope->columns[i];
        if (!ast->qualifier || strcmp(scope->sources[column->source].alias, ast->qualifier) == 0)
            names[count++] = column->name;
    }
    if (binder->frame)
        return err_set_at(err, ERR_UNKNOWN_NAME, ast->pos.line, ast->pos.column,
                          "Function %s has no parameter '%s%s%s'.%s",
                          binder->frame->function->name, ast->qualifier ? ast->qualifier : "",
                          ast->qualifier ? "." : "", ast->name,
                          planner_nearest(planner, ast->name, names, count));
    const char *note = strcmp(binder->clause, "PARTITION BY") == 0
                           ? arena_printf(planner->arena,
                                          " '%s' must be a column in the source schema since "
                                          "PARTITION BY is applied on the input.",
                                          ast->name)
                           : "";
    return err_set_at(err, ERR_UNKNOWN_NAME, ast->pos.line, ast->pos.column,
                      "%s column '%s%s%s' cannot be resolved.%s%s", binder->clause,
                      ast->qualifier ? ast->qualifier : "", ast->qualifier ? "." : "", ast->name,
                      note, planner_nearest(planner, ast->name, names, count));
}

/* WINDOWSTART and WINDOWEND of the window that the query itself makes. */
static ErrCode bind_window_bound(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    if (binder->inside || strcmp(binder->clause, "SELECT") != 0)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "Window bounds column %s can only be used in the SELECT clause of "
                          "windowed aggregations and can not be passed to aggregate functions.",
                          ast->name);
    bool start = strcmp(ast->name, "WINDOWSTART") == 0;
    *expr = expr_pseudo(binder->planner->arena, start ? PSEUDO_WINDOWSTART : PSEUDO_WINDOWEND,
                        ast->name);
    return ERR_OK;
}

ErrCode bind_column(Binder *binder, const AstExpr *ast, const Expr **expr, Err *err) {
    const Planner *planner = binder->planner;
    assert(ast->kind == AST_COLUMN && ast->name);
    const Expr *param = ast->qualifier ? NULL : bind_lambda_param(binder, ast->name);
    if (param) {
        *expr = param;
        return ERR_OK;
    }
    if (!binder->scope)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "Unsupported column reference in insert value: %s",
                          planner_expr(planner, ast));
    uint32_t index, count;
    if (ast->qualifier && !binder->frame)
        TRY(scope_find_source(planner, binder->scope, ast->qualifier, ast->pos, &index, err));
    const ScopeColumn *column = scope_find(binder->scope, ast->qualifier, ast->name, &count);
    bool bound = strcmp(ast->name, "WINDOWSTART") == 0 || strcmp(ast->name, "WINDOWEND") == 0;
    if (bound && binder->window_bounds && count == 0)
        return bind_window_bound(binder, ast, expr, err);
    if (count > 1)
        return scope_ambiguous(planner, binder->scope, ast, err);
    if (!column)
        return bind_unknown_column(binder, ast, err);
    *expr = column->expr;
    return ERR_OK;
}
