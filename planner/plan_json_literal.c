/*
 * plan_json_literal.c - values of literals as a stored plan has them.
 */
#include <assert.h>
#include <string.h>

#include "data/decimal.h"
#include "data/number_text.h"
#include "planner/plan_json_impl.h"

bool plan_json_integer(json_t *value, int64_t min, int64_t max, int64_t *number) {
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= min && *number <= max;
}

static Bytes json_bytes(json_t *value) {
    return (Bytes){(const uint8_t *)json_string_value(value), (uint32_t)json_string_length(value)};
}

static bool literal_decimal(Bytes text, Column *column) {
    Decimal value, exact;
    uint32_t precision, scale;
    if (!decimal_parse(text, &value, &precision, &scale) ||
        !decimal_rescale_exact(value, scale, column->type->scale, column->type->precision, &exact))
        return false;
    decimal_store(column->data, column->type->precision, exact);
    return true;
}

static int hex_digit(uint8_t digit) {
    return digit >= '0' && digit <= '9' ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                          : -1;
}

static bool literal_hex(Bytes text, Arena *arena, Column *column) {
    uint8_t *bytes = arena_alloc(arena, text.size / 2);
    for (uint32_t i = 0; i + 1 < text.size; i += 2) {
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    column->bytes[0] = (Bytes){bytes, text.size / 2};
    return text.size % 2 == 0;
}

static bool literal_text(json_t *value, Arena *arena, Column *column) {
    if (!json_is_string(value))
        return false;
    Bytes text = json_bytes(value);
    switch (column->type->kind) {
    case TYPE_DOUBLE: return number_parse_double(text, column->f64);
    case TYPE_DECIMAL: return literal_decimal(text, column);
    case TYPE_STRING: column->bytes[0] = arena_bytes(arena, text); return true;
    case TYPE_BYTES: return literal_hex(text, arena, column);
    default: return false;
    }
}

static bool literal_value(json_t *value, Arena *arena, Column *column) {
    int64_t number;
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        column->boolean[0] = json_is_true(value);
        return json_is_boolean(value);
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE:
        if (!plan_json_integer(value, INT32_MIN, INT32_MAX, &number))
            return false;
        column->i32[0] = (int32_t)number;
        return true;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: return plan_json_integer(value, INT64_MIN, INT64_MAX, column->i64);
    default: return literal_text(value, arena, column);
    }
}

ErrCode plan_json_literal(Getter *getter, Expr *expr, Err *err) {
    json_t *value = getter_member(getter, "value");
    if (!value || expr->type->kind == TYPE_NULL)
        return get_corrupt(getter, "value", err);
    Column *column = column_new(getter->arena, expr->type, 1);
    if (!json_is_null(value)) {
        if (!literal_value(value, getter->arena, column))
            return get_corrupt(getter, "value", err);
        column_set_present(column, 0);
    }
    expr->literal = column;
    return ERR_OK;
}
