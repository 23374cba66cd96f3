/*
 * value_order.c - see value_order.h.
 */
#include "udf/value_order.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "data/decimal.h"

bool value_has_order(const Type *type) {
    assert(type);
    return !type_is_nested(type) && type->kind != TYPE_NULL;
}

int value_compare_f64(double left, double right) {
    if (left < right || left > right)
        return left < right ? -1 : 1;
    bool left_nan = left != left, right_nan = right != right;
    if (left_nan || right_nan)
        return left_nan - right_nan;
    int64_t left_bits, right_bits;
    memcpy(&left_bits, &left, sizeof left_bits);
    memcpy(&right_bits, &right, sizeof right_bits);
    return (left_bits > right_bits) - (left_bits < right_bits);
}

static int order_i64(int64_t left, int64_t right) {
    return (left > right) - (left < right);
}

static Decimal order_decimal(const Column *column, uint32_t row) {
    const uint8_t *data = column->data;
    assert(column->type->kind == TYPE_DECIMAL);
    return decimal_load(data + (size_t)row * type_width(column->type), column->type->precision);
}

int value_compare(const Column *left, uint32_t left_row, const Column *right, uint32_t right_row) {
    assert(left->type->kind == right->type->kind && value_has_order(left->type));
    switch (left->type->kind) {
    case TYPE_BOOLEAN: return left->boolean[left_row] - right->boolean[right_row];
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE: return order_i64(left->i32[left_row], right->i32[right_row]);
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: return order_i64(left->i64[left_row], right->i64[right_row]);
    case TYPE_DOUBLE: return value_compare_f64(left->f64[left_row], right->f64[right_row]);
    case TYPE_STRING: return utf8_compare(left->bytes[left_row], right->bytes[right_row]);
    case TYPE_BYTES: return bytes_compare(left->bytes[left_row], right->bytes[right_row]);
    default:
        return decimal_compare(order_decimal(left, left_row), left->type->scale,
                               order_decimal(right, right_row), right->type->scale);
    }
}

static uint64_t hash_nested(const Column *column, uint32_t row) {
    const Type *type = column->type;
    uint64_t hash = type->kind;
    if (type->kind == TYPE_STRUCT) {
        for (uint32_t i = 0; i < type->field_count; i++)
            hash = hash_u64(hash + value_hash(&column->children[i], row));
        return hash;
    }
    for (uint32_t at = column->offsets[row]; at < column->offsets[row + 1]; at++) {
        uint64_t part = value_hash(&column->children[0], at);
        if (type->kind == TYPE_MAP) /* entries have no order */
            hash += hash_u64(part * 31 + value_hash(&column->children[1], at));
        else
            hash = hash_u64(hash + part);
    }
    return hash;
}

uint64_t value_hash(const Column *column, uint32_t row) {
    assert(column);
    if (column->type->kind == TYPE_NULL || column_is_null(column, row))
        return 1;
    if (type_is_nested(column->type))
        return hash_nested(column, row);
    switch (column->type->kind) {
    case TYPE_STRING:
    case TYPE_BYTES: return hash_bytes(column->bytes[row]);
    case TYPE_DOUBLE: {
        double value = column->f64[row];
        uint64_t bits = 2; /* one for all NaN */
        if (value == value)
            memcpy(&bits, &value, sizeof bits);
        return hash_u64(value == 0 ? 0 : bits);
    }
    default: break;
    }
    uint32_t width = type_width(column->type);
    return hash_bytes((Bytes){(const uint8_t *)column->data + (size_t)row * width, width});
}
