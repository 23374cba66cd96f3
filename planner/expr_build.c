/*
 * expr_build.c - makes, compares and rewrites bound expressions.
 *
 * An Expr is immutable once it is part of a tree; trees may share branches. A NULL whose type is
 * not known yet has type_null and no literal column; cast_to() gives it one.
 */
#include <assert.h>
#include <string.h>

#include "planner/planner_impl.h"

Expr *expr_new(Arena *arena, ExprKind kind, const Type *type, const Expr *const *args,
               uint32_t arg_count) {
    assert(type);
    Expr *expr = arena_alloc(arena, sizeof *expr);
    expr->kind = kind;
    expr->type = type;
    expr->text = "";
    if (arg_count > 0) {
        const Expr **copy = arena_array(arena, arg_count, sizeof *copy);
        memcpy(copy, args, arg_count * sizeof *copy);
        expr->args = copy;
        expr->arg_count = arg_count;
    }
    return expr;
}

Expr *expr_column(Arena *arena, uint32_t column, const Type *type, const char *text) {
    Expr *expr = expr_new(arena, EXPR_COLUMN, type, NULL, 0);
    expr->column = column;
    expr->text = text;
    return expr;
}

Expr *expr_pseudo(Arena *arena, ExprPseudo pseudo, const char *text) {
    const Type *type = pseudo == PSEUDO_ROWPARTITION ? &type_int : &type_bigint;
    Expr *expr = expr_new(arena, EXPR_PSEUDO, type, NULL, 0);
    expr->pseudo = pseudo;
    expr->text = text;
    return expr;
}

Expr *expr_null(Arena *arena, const Type *type) {
    Expr *expr = expr_new(arena, EXPR_LITERAL, type, NULL, 0);
    expr->text = "null";
    if (type->kind != TYPE_NULL)
        expr->literal = column_new(arena, type, 1);
    return expr;
}

Expr *expr_literal(Arena *arena, const Type *type) {
    assert(type->kind != TYPE_NULL);
    Expr *expr = expr_new(arena, EXPR_LITERAL, type, NULL, 0);
    Column *column = column_new(arena, type, 1);
    column_set_present(column, 0);
    expr->literal = column;
    return expr;
}

Expr *expr_boolean(Arena *arena, bool value) {
    Expr *expr = expr_literal(arena, &type_boolean);
    expr->literal->boolean[0] = value;
    expr->text = value ? "true" : "false";
    return expr;
}

Expr *expr_bigint(Arena *arena, int64_t value) {
    Expr *expr = expr_literal(arena, &type_bigint);
    expr->literal->i64[0] = value;
    expr->text = arena_printf(arena, "%lld", (long long)value);
    return expr;
}

Expr *expr_string(Arena *arena, Bytes text) {
    Expr *expr = expr_literal(arena, &type_string);
    expr->literal->bytes[0] = arena_bytes(arena, text);
    expr->text = arena_printf(arena, "'%.*s'", (int)text.size, (const char *)text.data);
    return expr;
}

bool expr_is_null(const Expr *expr) {
    return expr->kind == EXPR_LITERAL &&
           (expr->literal == NULL || column_is_null(expr->literal, 0));
}

static bool literal_equal(const Expr *left, const Expr *right) {
    if (!left->literal || !right->literal)
        return left->literal == right->literal;
    return column_value_equal(left->literal, 0, right->literal, 0);
}

bool expr_equal(const Expr *left, const Expr *right) {
    assert(left && right);
    if (left == right)
        return true;
    if (left->kind != right->kind || left->op != right->op || left->pseudo != right->pseudo ||
        left->column != right->column || left->param_count != right->param_count ||
        left->negated != right->negated || left->escape != right->escape ||
        left->function != right->function || left->arg_count != right->arg_count ||
        !type_equal(left->type, right->type))
        return false;
    if (left->kind == EXPR_LITERAL)
        return literal_equal(left, right);
    /* RANDOM() is not RANDOM(). */
    if (left->kind == EXPR_CALL && left->function->flags & FUNCTION_NOT_CONSTANT)
        return false;
    for (uint32_t i = 0; i < left->arg_count; i++) {
        if (!expr_equal(left->args[i], right->args[i]))
            return false;
    }
    return true;
}

const Expr *expr_map(Arena *arena, const Expr *expr, ExprMapFn *map, void *context) {
    const Expr *mapped = map(context, expr);
    if (mapped)
        return mapped;
    if (expr->arg_count == 0)
        return expr;
    const Expr **args = arena_array(arena, expr->arg_count, sizeof *args);
    bool same = true;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        args[i] = expr_map(arena, expr->args[i], map, context);
        same = same && args[i] == expr->args[i];
    }
    if (same)
        return expr;
    Expr *copy = arena_alloc(arena, sizeof *copy);
    *copy = *expr;
    copy->args = args;
    return copy;
}

const Expr *expr_find(const Expr *expr, ExprVisitFn *visit, void *context) {
    if (visit(context, expr))
        return expr;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        const Expr *found = expr_find(expr->args[i], visit, context);
        if (found)
            return found;
    }
    return NULL;
}
