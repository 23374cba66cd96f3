/*
 * expr_decimal.c - DECIMAL arithmetic.
 *
 * Up to 38 digits a decimal is a 64- or 128-bit integer. The compiler brings both operands to one
 * scale and width (SCALE_D64, SCALE_D128: exact and never too large, the types say so) and then
 * sums and products are plain integer instructions, since ksqlDB's result types have room for
 * every result. Quotients must be exact. Wider ones go through decimal.h value by value.
 */
#include "runtime/expr_impl.h"

/* == Up to 38 digits == */

VECTOR_LOOP static void decimal_scale_all(int64_t *restrict r, const int64_t *restrict a,
                                          int64_t factor, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        r[i] = (int64_t)((uint64_t)a[i] * (uint64_t)factor);
}

void expr_decimal_scale_d64(ExprProgram *program, const ExprInst *inst) {
    const ExprScale *scale = inst->extra;
    const Column *a = expr_operand(program, inst->a);
    Column *target = expr_target(program, inst);
    assert(type_width(a->type) == 8 && type_width(target->type) == 8);
    decimal_scale_all(target->data, a->data, (int64_t)scale->factor, program->row_count);
    expr_strict(program, inst, target);
}

__extension__ typedef unsigned __int128 DecimalU128;

static ExprI128 decimal_multiply_128(ExprI128 x, ExprI128 y) {
    return (ExprI128)((DecimalU128)x * (DecimalU128)y);
}

void expr_decimal_scale_d128(ExprProgram *program, const ExprInst *inst) {
    const ExprScale *scale = inst->extra;
    const Column *a = expr_operand(program, inst->a);
    Column *target = expr_target(program, inst);
    uint32_t width = type_width(a->type);
    assert(type_width(target->type) == 16 && width <= 16);
    ExprI128 *r = target->data;
    for (uint32_t i = 0; i < program->row_count; i++) {
        ExprI128 value = width == 8 ? a->i64[i] : ((const ExprI128 *)a->data)[i];
        r[i] = decimal_multiply_128(value, scale->factor);
    }
    expr_strict(program, inst, target);
}

#define DECIMAL_BINARY(name, expression)                                    \
    void expr_decimal_##name(ExprProgram *program, const ExprInst *inst) {  \
        const ExprI128 *a = expr_operand(program, inst->a)->data;           \
        const ExprI128 *b = expr_operand(program, inst->b)->data;           \
        Column *target = expr_target(program, inst);                        \
        ExprI128 *r = target->data;                                         \
        for (uint32_t i = 0; i < program->row_count; i++) {                 \
            DecimalU128 x = (DecimalU128)a[i], y = (DecimalU128)b[i];       \
            r[i] = (ExprI128)(expression);                                  \
        }                                                                   \
        expr_strict(program, inst, target);                                 \
    }

DECIMAL_BINARY(add_i128, x + y)
DECIMAL_BINARY(sub_i128, x - y)
DECIMAL_BINARY(mul_i128, x * y)

void expr_decimal_neg_i128(ExprProgram *program, const ExprInst *inst) {
    const ExprI128 *a = expr_operand(program, inst->a)->data;
    Column *target = expr_target(program, inst);
    assert(type_width(target->type) == 16);
    ExprI128 *r = target->data;
    for (uint32_t i = 0; i < program->row_count; i++)
        r[i] = (ExprI128)(0 - (DecimalU128)a[i]);
    expr_strict(program, inst, target);
}

static void decimal_put_128(Column *target, uint32_t row, ExprI128 value) {
    if (type_width(target->type) == 8)
        target->i64[row] = (int64_t)value;
    else
        ((ExprI128 *)target->data)[row] = value;
    column_set_present(target, row);
}

static const char decimal_by_zero[] = "division by zero";
static const char decimal_inexact[] = "the result has more digits than its type";

/* Quotients where A is scaled so far that the integer quotient has the scale of the result. */
void expr_decimal_div_d128(ExprProgram *program, const ExprInst *inst) {
    const Column *left = expr_operand(program, inst->a);
    const Column *right = expr_operand(program, inst->b);
    Column *target = expr_target_missing(program, inst);
    const ExprSelection *selection = expr_selection(program, inst);
    const ExprI128 *a = left->data, *b = right->data;
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (!expr_present(left->validity, row) || !expr_present(right->validity, row))
            continue;
        if (b[row] == 0)
            expr_row_error(program, inst, row, decimal_by_zero);
        else if (a[row] % b[row] != 0)
            expr_row_error(program, inst, row, decimal_inexact);
        else
            decimal_put_128(target, row, a[row] / b[row]);
    }
}

/* As in ksqlDB a remainder fails when the quotient has more digits than the result's type. */
static bool decimal_quotient_fits(ExprI128 quotient, ExprI128 limit) {
    assert(limit > 0);
    while ((quotient >= limit || quotient <= -limit) && quotient % 10 == 0)
        quotient /= 10;
    return quotient < limit && quotient > -limit;
}

void expr_decimal_mod_d128(ExprProgram *program, const ExprInst *inst) {
    const Column *left = expr_operand(program, inst->a);
    const Column *right = expr_operand(program, inst->b);
    Column *target = expr_target_missing(program, inst);
    const ExprSelection *selection = expr_selection(program, inst);
    const ExprI128 *a = left->data, *b = right->data;
    ExprI128 limit = 1;
    for (uint32_t i = 0; i < target->type->precision; i++)
        limit *= 10;
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (!expr_present(left->validity, row) || !expr_present(right->validity, row))
            continue;
        if (b[row] == 0)
            expr_row_error(program, inst, row, decimal_by_zero);
        else if (!decimal_quotient_fits(a[row] / b[row], limit))
            expr_row_error(program, inst, row, decimal_inexact);
        else
            decimal_put_128(target, row, a[row] % b[row]);
    }
}

/* == Any width == */

static Decimal decimal_value(const Column *column, uint32_t row) {
    const uint8_t *data = column->data;
    assert(column->type->kind == TYPE_DECIMAL);
    return decimal_load(data + (size_t)row * type_width(column->type), column->type->precision);
}

static void decimal_put(Column *target, uint32_t row, Decimal value) {
    uint8_t *data = target->data;
    decimal_store(data + (size_t)row * type_width(target->type), target->type->precision, value);
    column_set_present(target, row);
}

typedef bool DecimalOperation(Decimal left, uint32_t left_scale, Decimal right,
                              uint32_t right_scale, const Type *type, Decimal *result);

static void decimal_each(ExprProgram *program, const ExprInst *inst, DecimalOperation *operation,
                         bool divides) {
    const Column *a = expr_operand(program, inst->a);
    const Column *b = expr_operand(program, inst->b);
    Column *target = expr_target_missing(program, inst);
    const ExprSelection *selection = expr_selection(program, inst);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (!expr_present(a->validity, row) || !expr_present(b->validity, row))
            continue;
        Decimal right = decimal_value(b, row), result;
        if (divides && decimal_sign(right) == 0)
            expr_row_error(program, inst, row, decimal_by_zero);
        else if (!operation(decimal_value(a, row), a->type->scale, right, b->type->scale,
                            target->type, &result))
            expr_row_error(program, inst, row, decimal_inexact);
        else
            decimal_put(target, row, result);
    }
}

void expr_decimal_add(ExprProgram *program, const ExprInst *inst) {
    decimal_each(program, inst, decimal_add, false);
}

void expr_decimal_subtract(ExprProgram *program, const ExprInst *inst) {
    decimal_each(program, inst, decimal_subtract, false);
}

void expr_decimal_multiply(ExprProgram *program, const ExprInst *inst) {
    decimal_each(program, inst, decimal_multiply, false);
}

void expr_decimal_divide(ExprProgram *program, const ExprInst *inst) {
    decimal_each(program, inst, decimal_divide, true);
}

void expr_decimal_modulus(ExprProgram *program, const ExprInst *inst) {
    decimal_each(program, inst, decimal_modulus, true);
}

void expr_decimal_negate(ExprProgram *program, const ExprInst *inst) {
    const Column *a = expr_operand(program, inst->a);
    Column *target = expr_target_missing(program, inst);
    const ExprSelection *selection = expr_selection(program, inst);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (expr_present(a->validity, row))
            decimal_put(target, row, decimal_negate(decimal_value(a, row)));
    }
}
