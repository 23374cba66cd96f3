/*
 * expr_arith.c - arithmetic on INTEGER, BIGINT and DOUBLE.
 *
 * Integers wrap as Java's do, so they are computed unsigned. What cannot fail has one dense loop
 * (with a variant for a constant right side) and one over the selection. Division of integers is
 * in expr_divide.c.
 */
#include <math.h>

#include "runtime/expr_impl.h"

/* == What cannot fail == */

#define ARITH_BINARY(name, ctype, expression)                                                    \
    VECTOR_LOOP static void arith_##name##_all(ctype *restrict r, const ctype *restrict a,       \
                                               const ctype *restrict b, uint32_t count) {        \
        for (uint32_t i = 0; i < count; i++) {                                                   \
            ctype x = a[i], y = b[i];                                                            \
            r[i] = expression;                                                                   \
        }                                                                                        \
    }                                                                                            \
    VECTOR_LOOP static void arith_##name##_constant(ctype *restrict r, const ctype *restrict a,  \
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
    VECTOR_LOOP static void arith_##name##_all(ctype *restrict r, const ctype *restrict a,       \
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
