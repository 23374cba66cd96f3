/*
 * expr_arith.c - arithmetic on INTEGER, BIGINT and DOUBLE.
 *
 * Integers wrap as Java's do, so they are computed unsigned. What cannot fail has one dense loop
 * (with a variant for a constant right side) and one over the selection; division of integers
 * looks at every divisor.
 */
#include <math.h>

#include "runtime/expr_impl.h"

/* == What cannot fail == */

#define ARITH_BINARY(name, ctype, expression)                                                    \
    EXPR_VECTOR static void arith_##name##_all(ctype *restrict r, const ctype *restrict a,       \
                                               const ctype *restrict b, uint32_t count) {        \
        for (uint32_t i = 0; i < count; i++) {                                                   \
            ctype x = a[i], y = b[i];                                                            \
            r[i] = expression;                                                                   \
        }                                                                                        \
    }                                                                                            \
    EXPR_VECTOR static void arith_##name##_constant(ctype *restrict r, const ctype *restrict a,  \
                                                    ctype y, uint32_t count) {                   \
        for (uint32_t i = 0; i < count; i++) {                                                   \
            ctype x = a[i];                                                                      \
            r[i] = expression;                                                                   \
        }                                                                                        \
    }                                                                                            \
    static void arith_##name##_rows(ctype *restrict r, const ctype *restrict a,                  \
                                    const ctype *restrict b, const ExprSelection *selection) {   \
        for (uint32_t i = 0; i < selection->count; i++) {                                        \
            uint32_t row = selection->rows[i];                                                   \
            ctype x = a[row], y = b[row];                                                        \
            r[row] = expression;                                                                 \
        }                                                                                        \
    }                                                                                            \
    void expr_arith_##name(ExprProgram *program, const ExprInst *inst) {                         \
        const Column *a = expr_operand(program, inst->a);                                        \
        const Column *constant = program->regs[inst->b].constant;                                \
        Column *target = expr_target(program, inst);                                             \
        if (expr_is_dense(program, inst) && constant)                                            \
            arith_##name##_constant(target->data, a->data, *(const ctype *)constant->data,       \
                                    program->row_count);                                         \
        else if (expr_is_dense(program, inst))                                                   \
            arith_##name##_all(target->data, a->data, expr_operand(program, inst->b)->data,      \
                               program->row_count);                                              \
        else                                                                                     \
            arith_##name##_rows(target->data, a->data, expr_operand(program, inst->b)->data,     \
                                expr_selection(program, inst));                                  \
        expr_strict(program, inst, target);                                                      \
    }

ARITH_BINARY(add_i32, int32_t, (int32_t)((uint32_t)x + (uint32_t)y))
ARITH_BINARY(sub_i32, int32_t, (int32_t)((uint32_t)x - (uint32_t)y))
ARITH_BINARY(mul_i32, int32_t, (int32_t)((uint32_t)x * (uint32_t)y))
ARITH_BINARY(add_i64, int64_t, (int64_t)((uint64_t)x + (uint64_t)y))
ARITH_BINARY(sub_i64, int64_t, (int64_t)((uint64_t)x - (uint64_t)y))
ARITH_BINARY(mul_i64, int64_t, (int64_t)((uint64_t)x * (uint64_t)y))
ARITH_BINARY(add_f64, double, x + y)
ARITH_BINARY(sub_f64, double, x - y)
ARITH_BINARY(mul_f64, double, x * y)
ARITH_BINARY(div_f64, double, x / y)
ARITH_BINARY(mod_f64, double, fmod(x, y))

#define ARITH_NEGATE(name, ctype, expression)                                                    \
    EXPR_VECTOR static void arith_##name##_all(ctype *restrict r, const ctype *restrict a,       \
                                               uint32_t count) {                                 \
        for (uint32_t i = 0; i < count; i++) {                                                   \
            ctype x = a[i];                                                                      \
            r[i] = expression;                                                                   \
        }                                                                                        \
    }                                                                                            \
    void expr_arith_##name(ExprProgram *program, const ExprInst *inst) {                         \
        const Column *a = expr_operand(program, inst->a);                                        \
        Column *target = expr_target(program, inst);                                             \
        arith_##name##_all(target->data, a->data, program->row_count);                           \
        expr_strict(program, inst, target);                                                      \
    }

ARITH_NEGATE(neg_i32, int32_t, (int32_t)(0 - (uint32_t)x))
ARITH_NEGATE(neg_i64, int64_t, (int64_t)(0 - (uint64_t)x))
ARITH_NEGATE(neg_f64, double, -x)

/* == Division of integers == */

/* The smallest integer divided by -1 wraps to itself, with the remainder 0. */
static inline int32_t arith_div_i32(int32_t x, int32_t y) {
    return y == -1 ? (int32_t)(0 - (uint32_t)x) : x / y;
}

static inline int32_t arith_mod_i32(int32_t x, int32_t y) {
    return y == -1 ? 0 : x % y;
}

static inline int64_t arith_div_i64(int64_t x, int64_t y) {
    return y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
}

static inline int64_t arith_mod_i64(int64_t x, int64_t y) {
    return y == -1 ? 0 : x % y;
}

#define ARITH_DIVISION(name, ctype)                                                              \
    void expr_arith_##name(ExprProgram *program, const ExprInst *inst) {                         \
        const Column *left = expr_operand(program, inst->a);                                     \
        const Column *right = expr_operand(program, inst->b);                                    \
        Column *target = expr_target_missing(program, inst);                                     \
        const ExprSelection *selection = expr_selection(program, inst);                          \
        const ctype *a = left->data, *b = right->data;                                           \
        ctype *r = target->data;                                                                 \
        for (uint32_t i = 0; i < selection->count; i++) {                                        \
            uint32_t row = selection->rows[i];                                                   \
            if (!expr_present(left->validity, row) || !expr_present(right->validity, row))       \
                continue;                                                                        \
            if (b[row] == 0) {                                                                   \
                expr_row_error(program, inst, row, "division by zero");                          \
                continue;                                                                        \
            }                                                                                    \
            r[row] = arith_##name(a[row], b[row]);                                               \
            column_set_present(target, row);                                                     \
        }                                                                                        \
    }

ARITH_DIVISION(div_i32, int32_t)
ARITH_DIVISION(mod_i32, int32_t)
ARITH_DIVISION(div_i64, int64_t)
ARITH_DIVISION(mod_i64, int64_t)
