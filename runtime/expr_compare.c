/*
 * expr_compare.c - comparisons: two-valued, FALSE where an operand is missing.
 *
 * Numbers have a dense loop, with a variant for a constant right side; strings, wide decimals and
 * nested values are compared at the selected rows only, and there > and >= are < and <= with the
 * sides exchanged.
 */
#include <math.h>

#include "base/utf8.h"
#include "runtime/expr_impl.h"

/* == Numbers == */

#define COMPARE_NUMBER(name, ctype, holds)                                                       \
    VECTOR_LOOP static void compare_##name##_all(uint8_t *restrict r, const ctype *restrict a,   \
                                                 const ctype *restrict b, uint32_t count) {      \
        for (uint32_t i = 0; i < count; i++)                                                     \
            r[i] = holds(a[i], b[i]);                                                           \
    }                                                                                            \
    VECTOR_LOOP static void compare_##name##_constant(uint8_t *restrict r,                       \
                                                      const ctype *restrict a, ctype b,          \
                                                      uint32_t count) {                          \
        for (uint32_t i = 0; i < count; i++)                                                     \
            r[i] = holds(a[i], b);                                                              \
    }                                                                                            \
    static void compare_##name##_rows(uint8_t *restrict r, const ctype *restrict a,              \
                                      const ctype *restrict b, const ExprSelection *selection) { \
        for (uint32_t i = 0; i < selection->count; i++) {                                        \
            uint32_t row = selection->rows[i];                                                   \
            r[row] = holds(a[row], b[row]);                                                     \
        }                                                                                        \
    }                                                                                            \
    void expr_compare_##name(ExprProgram *program, const ExprInst *inst) {                       \
        const Column *a = expr_operand(program, inst->a);                                        \
        const Column *constant = program->regs[inst->b].constant;                                \
        Column *target = expr_target(program, inst);                                             \
        if (expr_is_dense(program, inst) && constant)                                            \
            compare_##name##_constant(target->data, a->data, *(const ctype *)constant->data,     \
                                      program->row_count);                                       \
        else if (expr_is_dense(program, inst))                                                   \
            compare_##name##_all(target->data, a->data, expr_operand(program, inst->b)->data,    \
                                 program->row_count);                                            \
        else                                                                                     \
            compare_##name##_rows(target->data, a->data, expr_operand(program, inst->b)->data,   \
                                  expr_selection(program, inst));                                \
        expr_false_where_missing(program, inst, target);                                         \
    }

#define COMPARE_EQ(x, y) ((x) == (y))
#define COMPARE_NE(x, y) ((x) != (y))
#define COMPARE_LT(x, y) ((x) < (y))
#define COMPARE_LE(x, y) ((x) <= (y))
#define COMPARE_GT(x, y) ((x) > (y))
#define COMPARE_GE(x, y) ((x) >= (y))
/* NaN is not equal to anything, and not different from anything either. */
#define COMPARE_APART(x, y) ((x) < (y) || (x) > (y))

#define COMPARE_NUMBERS(type, ctype, apart)     \
    COMPARE_NUMBER(eq_##type, ctype, COMPARE_EQ) \
    COMPARE_NUMBER(ne_##type, ctype, apart)      \
    COMPARE_NUMBER(lt_##type, ctype, COMPARE_LT) \
    COMPARE_NUMBER(le_##type, ctype, COMPARE_LE) \
    COMPARE_NUMBER(gt_##type, ctype, COMPARE_GT) \
    COMPARE_NUMBER(ge_##type, ctype, COMPARE_GE)

COMPARE_NUMBER(eq_boolean, uint8_t, COMPARE_EQ)
COMPARE_NUMBER(ne_boolean, uint8_t, COMPARE_NE)
COMPARE_NUMBERS(i32, int32_t, COMPARE_NE)
COMPARE_NUMBERS(i64, int64_t, COMPARE_NE)
COMPARE_NUMBERS(f64, double, COMPARE_APART)
COMPARE_NUMBERS(i128, ExprI128, COMPARE_NE)

/* == What is compared value by value == */

#define COMPARE_ROWS(name, expression)                                                           \
    void expr_compare_##name(ExprProgram *program, const ExprInst *inst) {                       \
        const Column *a = expr_operand(program, inst->a);                                        \
        const Column *b = expr_operand(program, inst->b);                                        \
        Column *target = expr_target(program, inst);                                             \
        const ExprSelection *selection = expr_selection(program, inst);                          \
        for (uint32_t i = 0; i < selection->count; i++) {                                        \
            uint32_t row = selection->rows[i];                                                   \
            target->boolean[row] = expression;                                                   \
        }                                                                                        \
        expr_false_where_missing(program, inst, target);                                         \
    }

COMPARE_ROWS(eq_bytes, bytes_equal(a->bytes[row], b->bytes[row]))
COMPARE_ROWS(ne_bytes, !bytes_equal(a->bytes[row], b->bytes[row]))
COMPARE_ROWS(lt_bytes, bytes_compare(a->bytes[row], b->bytes[row]) < 0)
COMPARE_ROWS(le_bytes, bytes_compare(a->bytes[row], b->bytes[row]) <= 0)
COMPARE_ROWS(lt_string, utf8_compare(a->bytes[row], b->bytes[row]) < 0)
COMPARE_ROWS(le_string, utf8_compare(a->bytes[row], b->bytes[row]) <= 0)
COMPARE_ROWS(eq_nested, column_value_equal(a, row, b, row))
COMPARE_ROWS(ne_nested, !column_value_equal(a, row, b, row))

static Decimal compare_load(const Column *column, uint32_t row) {
    const uint8_t *data = column->data;
    assert(column->type->kind == TYPE_DECIMAL);
    return decimal_load(data + (size_t)row * type_width(column->type), column->type->precision);
}

static int compare_decimals(const Column *a, const Column *b, uint32_t row) {
    assert(row < a->length && row < b->length);
    return decimal_compare(compare_load(a, row), a->type->scale, compare_load(b, row),
                           b->type->scale);
}

COMPARE_ROWS(eq_decimal, compare_decimals(a, b, row) == 0)
COMPARE_ROWS(ne_decimal, compare_decimals(a, b, row) != 0)
COMPARE_ROWS(lt_decimal, compare_decimals(a, b, row) < 0)
COMPARE_ROWS(le_decimal, compare_decimals(a, b, row) <= 0)

/* DECIMAL against DOUBLE: the double is the decimal that it is printed as. */
void expr_compare_order(ExprProgram *program, const ExprInst *inst) {
    const Column *a = expr_operand(program, inst->a), *b = expr_operand(program, inst->b);
    const ExprSelection *selection = expr_selection(program, inst);
    Column *target = expr_target_missing(program, inst);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (!expr_present(a->validity, row) || !expr_present(b->validity, row))
            continue;
        if (!isfinite(b->f64[row])) {
            expr_row_error(program, inst, row, "a number that is not finite beside a DECIMAL");
            continue;
        }
        target->i32[row] = decimal_compare_double(compare_load(a, row), a->type->scale,
                                                  b->f64[row]);
        column_set_present(target, row);
    }
}
