/*
 * expr_tree.c - questions about expression trees that compiling asks.
 *
 * Every walk is bounded by the planner's EXPR_DEPTH_MAX.
 */
#include "base/hash.h"
#include "base/limits.h"
#include "runtime/expr_impl.h"

static bool tree_same_node(const Expr *left, const Expr *right) {
    return left->kind == right->kind && left->op == right->op && left->column == right->column &&
           left->param_count == right->param_count && left->implicit == right->implicit &&
           left->negated == right->negated && left->escape == right->escape &&
           left->function == right->function && left->arg_count == right->arg_count &&
           (left->kind != EXPR_PSEUDO || left->pseudo == right->pseudo) &&
           type_equal(left->type, right->type);
}

bool expr_tree_equal(const Expr *left, const Expr *right) {
    assert(left && right);
    if (left == right)
        return true;
    if (!tree_same_node(left, right))
        return false;
    if (left->kind == EXPR_LITERAL && !column_value_equal(left->literal, 0, right->literal, 0))
        return false;
    for (uint32_t i = 0; i < left->arg_count; i++)
        if (!expr_tree_equal(left->args[i], right->args[i]))
            return false;
    return true;
}

/* Literals count by type only: few trees differ in nothing else. */
uint64_t expr_tree_hash(const Expr *expr) {
    uint64_t hash = hash_u64((uint64_t)expr->kind << 40 | (uint64_t)expr->op << 32 | expr->column);
    if (expr->kind == EXPR_PSEUDO)
        hash ^= hash_u64((uint64_t)expr->pseudo + 1);
    hash ^= (uint64_t)(uintptr_t)expr->function ^ (uint64_t)expr->type->kind << 48;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        hash = hash_u64(hash * 31 + expr_tree_hash(expr->args[i]));
    return hash;
}

bool expr_tree_is_pure(const Expr *expr) {
    assert(expr);
    if (expr->kind == EXPR_CALL && (expr->function->flags & FUNCTION_NOT_CONSTANT))
        return false;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (!expr_tree_is_pure(expr->args[i]))
            return false;
    return true;
}

bool expr_tree_is_constant(const Expr *expr) {
    assert(expr);
    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_PSEUDO || expr->kind == EXPR_PARAM)
        return false;
    if (expr->kind == EXPR_CALL && (expr->function->flags & FUNCTION_NOT_CONSTANT))
        return false;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (!expr_tree_is_constant(expr->args[i]))
            return false;
    return true;
}

static bool tree_is_fixed(const Type *type) {
    return type->kind != TYPE_STRING && type->kind != TYPE_BYTES && !type_is_nested(type) &&
           type->kind != TYPE_NULL && type_width(type) <= 8;
}

/* Counts operations into *budget; false when one may fail or takes long. */
static bool tree_cheap(const Expr *expr, int *budget) {
    if (--*budget < 0)
        return false;
    switch (expr->kind) {
    case EXPR_LITERAL:
    case EXPR_COLUMN:
    case EXPR_PSEUDO: return true;
    case EXPR_IS_NULL:
    case EXPR_NOT: break;
    case EXPR_AND:
    case EXPR_OR: break;
    case EXPR_NEGATE:
    case EXPR_COMPARE:
        if (!tree_is_fixed(expr->args[0]->type) || expr_tree_converts(expr))
            return false;
        break;
    case EXPR_ARITHMETIC:
        if (!tree_is_fixed(expr->type) || expr->op == OP_DIVIDE || expr->op == OP_MODULUS)
            return false;
        break;
    default: return false;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (!tree_cheap(expr->args[i], budget))
            return false;
    return true;
}

bool expr_tree_is_cheap(const Expr *expr) {
    int budget = 8;
    assert(expr);
    return tree_cheap(expr, &budget);
}

/* == Throwing == */

/* Failures of its arguments end here. */
static bool tree_catches(const Expr *expr) {
    ExprKind kind = expr->kind;
    return (kind == EXPR_CAST && !expr->implicit) || kind == EXPR_ARRAY || kind == EXPR_MAP ||
           kind == EXPR_STRUCT || kind == EXPR_LAMBDA;
}

bool expr_tree_is_caught(const Expr *expr) {
    assert(expr);
    return expr->kind == EXPR_CALL || expr->kind == EXPR_DEREF;
}

/* A number that is there whatever the row: constants of the usual kind. */
static bool tree_is_present(const Expr *expr) {
    if (expr->kind == EXPR_LITERAL)
        return expr->type->kind != TYPE_NULL && !column_is_null(expr->literal, 0);
    bool plain = expr->type->kind == TYPE_INT || expr->type->kind == TYPE_BIGINT ||
                 expr->type->kind == TYPE_DOUBLE;
    if (expr->kind == EXPR_NEGATE)
        return plain && tree_is_present(expr->args[0]);
    return expr->kind == EXPR_ARITHMETIC && plain && expr->op != OP_DIVIDE &&
           expr->op != OP_MODULUS && tree_is_present(expr->args[0]) &&
           tree_is_present(expr->args[1]);
}

bool expr_tree_is_nullable(const Expr *expr) {
    assert(expr);
    switch (expr->kind) {
    case EXPR_LITERAL: return !tree_is_present(expr);
    case EXPR_COMPARE:
    case EXPR_IN:
    case EXPR_IS_NULL: return false;
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
        for (uint32_t i = 0; i < expr->arg_count; i++) {
            if (expr_tree_is_nullable(expr->args[i]))
                return true;
        }
        return false;
    default: return true;
    }
}

bool expr_tree_can_throw(const Expr *expr) {
    assert(expr);
    if (tree_catches(expr))
        return false;
    switch (expr->kind) {
    case EXPR_ARITHMETIC:
    case EXPR_NEGATE: return !tree_is_present(expr);
    case EXPR_CALL:
    case EXPR_CONCAT:
    case EXPR_LIKE: return true;
    case EXPR_COMPARE:
        if (expr_tree_converts(expr))
            return true;
        break;
    case EXPR_SUBSCRIPT:
        if (expr->args[0]->type->kind == TYPE_ARRAY && !tree_is_present(expr->args[1]))
            return true;
        break;
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
        if (expr_tree_is_nullable(expr))
            return true;
        break;
    default: break;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        bool condition = expr->kind == EXPR_CASE && i % 2 == 0 && i + 1 < expr->arg_count;
        if (expr_tree_can_throw(expr->args[i]) ||
            (condition && expr_tree_is_nullable(expr->args[i])))
            return true;
    }
    return false;
}

/* A comparison that reads or rounds: it may throw itself, where both sides are there. */
bool expr_tree_converts(const Expr *expr) {
    assert(expr);
    return expr->kind == EXPR_COMPARE && expr->args[0]->type->kind != TYPE_NULL &&
           expr->args[1]->type->kind != TYPE_NULL &&
           expr->args[0]->type->kind != expr->args[1]->type->kind;
}

/* Whether a missing argument number i makes the whole missing. */
static bool tree_passes_on(const Expr *expr, uint32_t i) {
    switch (expr->kind) {
    case EXPR_COMPARE:
    case EXPR_IN:
    case EXPR_IS_NULL: return false;
    case EXPR_CASE: return i % 2 == 1 || i + 1 == expr->arg_count;
    case EXPR_CALL: return !(expr->function->flags & FUNCTION_SEES_NULLS);
    case EXPR_SUBSCRIPT: return i == 0 || expr->args[0]->type->kind == TYPE_ARRAY;
    default: return true;
    }
}

bool expr_tree_hides_throw(const Expr *expr) {
    assert(expr);
    if (tree_catches(expr))
        return false;
    if (expr_tree_converts(expr))
        return true;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        bool passes = tree_passes_on(expr, i);
        if (expr->kind == EXPR_CALL && expr_tree_is_caught(expr->args[i]))
            continue;
        if (expr_tree_hides_throw(expr->args[i]) ||
            (!passes && expr_tree_can_throw(expr->args[i])))
            return true;
        if (expr->kind == EXPR_CASE && !passes && expr_tree_is_nullable(expr->args[i]))
            return true;
    }
    return false;
}
