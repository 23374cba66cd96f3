/*
 * expr_compile_fail.c - trees that fail, and what fails with them (the rules are in plan.h).
 *
 * A tree that fails is NULL. For most operators that is all: NULL in, NULL out. Those that make
 * something else of a NULL (comparisons, IS NULL, IN, functions that see NULLs) ask where their
 * operands fail, and are made NULL there: a guard behind a truth value, a narrower selection for a
 * call. An operator whose NULLs all are failures needs no register to say so.
 */
#include "runtime/expr_compile_impl.h"

/* == Where == */

CompileFail compile_fail_of(const Expr *expr) {
    CompileFail fail = {FAIL_NOWHERE, EXPR_NONE};
    switch (expr->kind) {
    case EXPR_ARITHMETIC:
    case EXPR_CONCAT:
    case EXPR_NEGATE:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_LIKE:
    case EXPR_COMPARE:
    case EXPR_IN:
    case EXPR_IS_NULL: fail.where = FAIL_WHERE_NULL; break;
    case EXPR_CALL:
    case EXPR_LET:
    case EXPR_CASE:
    case EXPR_SUBSCRIPT:
    case EXPR_DEREF: fail.where = FAIL_WHERE_TRUE; break;
    default: break;
    }
    return fail;
}

uint32_t compile_failed(Compile *compile, uint32_t reg, CompileFail fail) {
    assert(reg != EXPR_NONE || fail.where != FAIL_WHERE_NULL);
    if (fail.where == FAIL_WHERE_NULL)
        return compile_unary(compile, EXPR_OP_IS_NULL, &type_boolean, reg);
    return fail.where == FAIL_WHERE_TRUE ? fail.reg : EXPR_NONE;
}

uint32_t compile_either(Compile *compile, uint32_t left, uint32_t right) {
    if (left == EXPR_NONE || right == EXPR_NONE)
        return left == EXPR_NONE ? right : left;
    return compile_binary(compile, EXPR_OP_OR, &type_boolean, left, right);
}

CompileFail compile_fail_at(uint32_t failed) {
    CompileFail fail = {failed == EXPR_NONE ? FAIL_NOWHERE : FAIL_WHERE_TRUE, failed};
    return fail;
}

uint32_t compile_guard(Compile *compile, uint32_t truth, uint32_t operand, CompileFail fail,
                       uint32_t only) {
    assert(compile_type(compile, truth)->kind == TYPE_BOOLEAN);
    if (fail.where == FAIL_NOWHERE)
        return truth;
    bool null = fail.where == FAIL_WHERE_NULL;
    ExprInst inst = {.op = null ? EXPR_OP_GUARD_NULL : EXPR_OP_GUARD_TRUE, .a = truth,
                     .b = null ? operand : fail.reg, .c = only};
    return compile_emit(compile, &type_boolean, inst);
}

/* Where the first is there and the second is not. */
static uint32_t fail_between(Compile *compile, uint32_t there, uint32_t missing) {
    uint32_t left = compile_unary(compile, EXPR_OP_IS_NOT_NULL, &type_boolean, there);
    uint32_t right = compile_unary(compile, EXPR_OP_IS_NULL, &type_boolean, missing);
    return compile_binary(compile, EXPR_OP_AND, &type_boolean, left, right);
}

/* == Truth values == */

uint32_t compile_is_null(Compile *compile, const Expr *expr, CompileFail *fail) {
    CompileFail operand;
    ExprOpcode op = expr->negated ? EXPR_OP_IS_NOT_NULL : EXPR_OP_IS_NULL;
    uint32_t reg = compile_open(compile, expr->args[0], &operand);
    uint32_t truth = compile_unary(compile, op, &type_boolean, reg);
    if (fail && operand.where == FAIL_NOWHERE)
        fail->where = FAIL_NOWHERE;
    return compile_guard(compile, truth, reg, operand, EXPR_NONE);
}

/* One side: its value, and as what it is compared. */
typedef struct FailSide {
    uint32_t value, reg;
    CompileFail fail;    /* of the value */
    uint32_t unreadable; /* the value is there but cannot be made comparable; EXPR_NONE: nowhere */
} FailSide;

static FailSide fail_side(Compile *compile, const Expr *expr) {
    FailSide side = {.unreadable = EXPR_NONE};
    bool converts = expr->kind == EXPR_CAST && expr->open;
    side.value = compile_open(compile, converts ? expr->args[0] : expr, &side.fail);
    side.reg = converts ? compile_convert(compile, side.value, expr->type) : side.value;
    if (converts && compile_type(compile, side.value)->kind == TYPE_STRING)
        side.unreadable = fail_between(compile, side.value, side.reg);
    return side;
}

/* A DECIMAL beside a DOUBLE: their order against 0. What is no number fails. */
static uint32_t fail_compare_mixed(Compile *compile, ExprOp op, FailSide *a, FailSide *b) {
    bool swap = compile_type(compile, a->reg)->kind == TYPE_DOUBLE;
    uint32_t left = swap ? b->reg : a->reg, right = swap ? a->reg : b->reg;
    uint32_t order = compile_binary(compile, EXPR_OP_ORDER_DECIMAL_F64, &type_int, left, right);
    Column *zero = column_new(compile->arena, &type_int, 1);
    column_set_present(zero, 0);
    uint32_t nothing = compile_constant(compile, zero);
    (swap ? b : a)->unreadable = fail_between(compile, left, order);
    return compile_compare(compile, op, swap ? nothing : order, swap ? order : nothing);
}

/* Whether one of the two is NULL counts before any is converted. */
static uint32_t fail_distinct(Compile *compile, ExprOp op, const FailSide *left,
                              const FailSide *right, uint32_t differ) {
    ExprInst inst = {.op = op == OP_DISTINCT ? EXPR_OP_DISTINCT : EXPR_OP_NOT_DISTINCT,
                     .a = left->value, .b = right->value, .c = differ};
    return compile_emit(compile, &type_boolean, inst);
}

/* Where the left side is NULL the right one is not asked, and texts are read where both sides are
 * there. */
uint32_t compile_compare_tree(Compile *compile, const Expr *expr, CompileFail *fail) {
    FailSide left = fail_side(compile, expr->args[0]), right = fail_side(compile, expr->args[1]);
    TypeKind a = compile_type(compile, left.reg)->kind, b = compile_type(compile, right.reg)->kind;
    bool distinct = expr->op == OP_DISTINCT || expr->op == OP_NOT_DISTINCT;
    bool null = a == TYPE_NULL || b == TYPE_NULL, mixed = a != b && !null;
    ExprOp op = distinct && !null ? OP_NOT_EQUAL : expr->op;
    uint32_t truth = mixed ? fail_compare_mixed(compile, op, &left, &right)
                           : compile_compare(compile, op, left.reg, right.reg);
    if (distinct && !null)
        truth = fail_distinct(compile, expr->op, &left, &right, truth);
    uint32_t plain = mixed ? EXPR_NONE : truth;
    truth = compile_guard(compile, truth, EXPR_NONE, compile_fail_at(left.unreadable),
                          right.value);
    truth = compile_guard(compile, truth, EXPR_NONE, compile_fail_at(right.unreadable),
                          left.value);
    truth = compile_guard(compile, truth, left.value, left.fail, EXPR_NONE);
    truth = compile_guard(compile, truth, right.value, right.fail,
                          distinct ? EXPR_NONE : left.value);
    if (fail && truth == plain)
        fail->where = FAIL_NOWHERE;
    return truth;
}

/* == Values == */

/* An index must be there, and is asked only where the array or map is. */
uint32_t compile_subscript(Compile *compile, const Expr *expr, CompileFail *fail) {
    CompileFail base, key;
    uint32_t value = compile_open(compile, expr->args[0], fail ? &base : NULL);
    uint32_t outer = compile->selection;
    bool array = compile_type(compile, value)->kind == TYPE_ARRAY;
    uint32_t index = compile_open(compile, expr->args[1], array && !fail ? NULL : &key);
    if (array && compile_type(compile, index)->kind == TYPE_BIGINT)
        index = compile_convert(compile, index, &type_int);
    uint32_t failed = EXPR_NONE;
    if (!array && key.where != FAIL_NOWHERE) {
        failed = compile_failed(compile, index, key);
        compile->selection = compile_narrow(compile, EXPR_OP_NARROW_FALSE, failed);
    }
    uint32_t reg =
        compile_binary(compile, array ? EXPR_OP_SUBSCRIPT_ARRAY : EXPR_OP_SUBSCRIPT_MAP,
                       expr->type, value, index);
    compile->selection = outer;
    if (!fail)
        return reg;
    const Column *constant = compile_constant_of(compile, index);
    if (array && !(constant && !column_is_null(constant, 0)))
        failed = fail_between(compile, value, index);
    else if (failed != EXPR_NONE)
        failed = compile_binary(compile, EXPR_OP_AND, &type_boolean, failed,
                                compile_unary(compile, EXPR_OP_IS_NOT_NULL, &type_boolean, value));
    *fail = compile_fail_at(
        compile_either(compile, compile_failed(compile, value, base), failed));
    return reg;
}

/* == Calls == */

/* An argument that fails for itself: a call, a field, a cast. */
static bool fail_stays(const Expr *arg) {
    return arg->kind == EXPR_CALL || arg->kind == EXPR_LET || arg->kind == EXPR_DEREF;
}

static void *fail_prepare(Compile *compile, const Function *function, const ExprInst *inst) {
    if (function->open)
        return function->open(function->user, compile->arena);
    if (!function->prepare)
        return NULL;
    const Column **constants = arena_array(compile->arena, inst->index, sizeof *constants);
    for (uint32_t i = 0; i < inst->index; i++)
        constants[i] = compile_constant_of(compile, inst->list[i]);
    return function->prepare(constants, inst->index, compile->arena);
}

/* The arguments' registers, EXPR_NONE for lambdas; *failed: where one of them takes the call with
 * it. */
static uint32_t *fail_args(Compile *compile, const Expr *expr, bool ask, uint32_t *failed) {
    uint32_t *list = arena_array(compile->arena, expr->arg_count, sizeof *list);
    *failed = EXPR_NONE;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        CompileFail fail;
        list[i] = EXPR_NONE;
        if (expr->args[i]->kind == EXPR_LAMBDA)
            continue;
        bool open = ask && !fail_stays(expr->args[i]);
        list[i] = compile_open(compile, expr->args[i], open ? &fail : NULL);
        compile->program->regs[list[i]].escapes |= type_is_nested(expr->type);
        if (open)
            *failed = compile_either(compile, *failed, compile_failed(compile, list[i], fail));
    }
    return list;
}

uint32_t compile_call(Compile *compile, const Expr *expr, CompileFail *fail) {
    const Function *function = expr->function;
    uint32_t outer = compile->selection, failed;
    bool sees_nulls = function->flags & FUNCTION_SEES_NULLS;
    if (function->flags & FUNCTION_IDENTITY) {
        bool stays = fail_stays(expr->args[0]);
        if (fail && stays)
            fail->where = FAIL_NOWHERE;
        return compile_open(compile, expr->args[0], stays ? NULL : fail);
    }
    ExprCall *call = arena_alloc(compile->arena, sizeof *call);
    ExprInst inst = {.op = EXPR_OP_CALL, .a = EXPR_NONE, .b = EXPR_NONE, .c = EXPR_NONE,
                     .extra = call, .index = expr->arg_count, .list_count = expr->arg_count};
    uint32_t *list = fail_args(compile, expr, sees_nulls || fail, &failed);
    *call = (ExprCall){.function = function, .failed = EXPR_NONE};
    if (function->flags & FUNCTION_TAKES_LAMBDAS)
        call->lambdas = compile_lambdas(compile, expr, &list, &inst.list_count);
    inst.list = list;
    if (!call->lambdas)
        call->state = fail_prepare(compile, function, &inst);
    if (fail)
        call->failed = compile_borrowed(compile, &type_boolean);
    if (sees_nulls && failed != EXPR_NONE)
        compile->selection = compile_narrow(compile, EXPR_OP_NARROW_FALSE, failed);
    uint32_t reg = compile_emit(compile, expr->type, inst);
    compile->selection = outer;
    if (fail)
        *fail = compile_fail_at(compile_either(compile, failed, call->failed));
    return reg;
}
