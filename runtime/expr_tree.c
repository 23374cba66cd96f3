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
           left->param_count == right->param_count && left->negated == right->negated &&
           left->escape == right->escape && left->open == right->open &&
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

bool expr_tree_has_local(const Expr *expr) {
    assert(expr);
    if (expr->kind == EXPR_LOCAL)
        return true;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (expr_tree_has_local(expr->args[i]))
            return true;
    return false;
}

bool expr_tree_is_constant(const Expr *expr) {
    assert(expr);
    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_PSEUDO || expr->kind == EXPR_LOCAL ||
        expr->kind == EXPR_PARAM)
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
    case EXPR_LOCAL:
    case EXPR_PSEUDO: return true;
    case EXPR_IS_NULL:
    case EXPR_NOT: break;
    case EXPR_AND:
    case EXPR_OR: break;
    case EXPR_NEGATE:
    case EXPR_COMPARE:
        if (!tree_is_fixed(expr->args[0]->type) ||
            expr->args[expr->arg_count - 1]->type->kind != expr->args[0]->type->kind)
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
