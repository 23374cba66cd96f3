/*
 * decimal_type.c - which DECIMAL the result of an operation is: ksqlDB's table.
 *
 * ksqlDB's decimals know no largest precision, ours do; where the table asks for more digits, the
 * statement is refused and told how to get along with fewer.
 */
#include <assert.h>

#include "base/limits.h"
#include "data/decimal.h"

void decimal_shape(const Type *type, uint32_t *precision, uint32_t *scale) {
    assert(type->kind == TYPE_INT || type->kind == TYPE_BIGINT || type->kind == TYPE_DECIMAL);
    *precision = type->kind == TYPE_INT ? 10 : type->kind == TYPE_BIGINT ? 19 : type->precision;
    *scale = type->kind == TYPE_DECIMAL ? type->scale : 0;
}

void decimal_literal_shape(uint32_t *precision, uint32_t scale) {
    if (*precision <= scale)
        *precision = scale + 1; /* the zero before the point counts */
}

static uint32_t larger(uint32_t left, uint32_t right) {
    return left > right ? left : right;
}

static uint32_t smaller(uint32_t left, uint32_t right) {
    return left < right ? left : right;
}

/* The rules of the operators; '|' stands for the common type of a list. */
static void result_shape(char op, const uint32_t left[2], const uint32_t right[2],
                         uint32_t *precision, uint32_t *scale) {
    uint32_t left_whole = left[0] - left[1];
    uint32_t right_whole = right[0] - right[1];
    *scale = larger(left[1], right[1]);
    switch (op) {
    case '+':
    case '-':
        *precision = *scale + larger(left_whole, right_whole) + 1;
        break;
    case '*':
        *scale = left[1] + right[1];
        *precision = left[0] + right[0] + 1;
        break;
    case '/':
        *scale = larger(6, left[1] + right[0] + 1);
        *precision = left_whole + right[1] + *scale;
        break;
    case '%':
        *precision = *scale + smaller(left_whole, right_whole);
        break;
    default:
        assert(op == '|');
        *precision = *scale + larger(left_whole, right_whole);
    }
}

static ErrCode result_type(Arena *arena, char op, const Type *const operands[2],
                           const Type **type, Err *err) {
    uint32_t left[2], right[2], precision, scale;
    decimal_shape(operands[0], &left[0], &left[1]);
    decimal_shape(operands[1], &right[0], &right[1]);
    result_shape(op, left, right, &precision, &scale);
    if (precision <= DECIMAL_PRECISION_MAX)
        return type_decimal(arena, precision, scale, type, err);
    return err_set(err, ERR_LIMIT,
                   "%s %c %s gives DECIMAL(%u, %u), but decimals have at most %d digits. CAST an "
                   "operand to a DECIMAL with fewer digits, or to DOUBLE.",
                   type_text(arena, operands[0]), op == '|' ? ',' : op,
                   type_text(arena, operands[1]), precision, scale, DECIMAL_PRECISION_MAX);
}

ErrCode decimal_result_type(Arena *arena, char op, const Type *left, const Type *right,
                            const Type **type, Err *err) {
    assert(op == '+' || op == '-' || op == '*' || op == '/' || op == '%');
    return result_type(arena, op, (const Type *const[2]){left, right}, type, err);
}

ErrCode decimal_common_type(Arena *arena, const Type *left, const Type *right, const Type **type,
                            Err *err) {
    return result_type(arena, '|', (const Type *const[2]){left, right}, type, err);
}
