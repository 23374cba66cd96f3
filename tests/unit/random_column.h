/*
 * random_column.h - random types and columns for tests, and the SQL order to hold them against.
 *
 * Values come from small ranges and from the edges of each type, so that equal ones and those that
 * differ in one place are frequent.
 */
#ifndef TESTS_RANDOM_COLUMN_H
#define TESTS_RANDOM_COLUMN_H

#include <math.h>

#include "data/column.h"
#include "data/decimal.h"

static uint64_t chance_state = 0x9E3779B97F4A7C15U;

static inline uint64_t chance(void) {
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return chance_state;
}

static inline uint32_t chance_below(uint32_t limit) {
    return (uint32_t)(chance() >> 16) % limit;
}

static inline const Type *random_scalar(Arena *arena) {
    static const Type *const scalars[] = {&type_boolean, &type_int,  &type_bigint,
                                          &type_double,  &type_string, &type_time,
                                          &type_date,    &type_timestamp, &type_bytes};
    const Type *type;
    Err err;
    uint32_t index = chance_below(12);
    if (index < 9)
        return scalars[index];
    int64_t precision = index == 9 ? 9 : index == 10 ? 30 : 76;
    return type_decimal(arena, precision, 3, &type, &err) == ERR_OK ? type : NULL;
}

/* At most `depth` levels of nesting; with MAPs or without. */
static inline const Type *random_type(Arena *arena, uint32_t depth, bool maps) {
    static const char *const names[] = {"A", "B", "C"};
    uint32_t shape = depth == 0 ? 3 : chance_below(5);
    if (shape == 0)
        return type_array(arena, random_type(arena, depth - 1, maps));
    if (shape == 1 && maps)
        return type_map(arena, &type_string, random_type(arena, depth - 1, maps));
    if (shape > 2)
        return random_scalar(arena);
    TypeField fields[3];
    uint32_t count = 1 + chance_below(3);
    for (uint32_t i = 0; i < count; i++)
        fields[i] = (TypeField){names[i], random_type(arena, depth - 1, maps)};
    return type_struct(arena, fields, count);
}

static inline int64_t random_integer(int64_t min, int64_t max) {
    uint32_t shape = chance_below(8);
    if (shape == 0)
        return min;
    if (shape == 1)
        return max;
    int64_t value = shape < 5 ? (int64_t)chance_below(5) - 2 : (int64_t)chance();
    return value < min || value > max ? 0 : value;
}

static bool random_negative_zero = true; /* false: what does not keep -0.0 apart is tested */

static inline double random_double(void) {
    static const double edges[] = {0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1.7976931348623157e308};
    uint32_t shape = chance_below(12);
    double value;
    uint64_t bits = chance();
    if (shape == 1 && !random_negative_zero)
        return 0.0;
    if (shape < 7)
        return edges[shape];
    if (shape == 7)
        return (double)NAN;
    if (shape == 8)
        return (double)INFINITY;
    if (shape == 9)
        return -(double)INFINITY;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline Bytes random_bytes(Arena *arena) {
    static const uint8_t alphabet[] = {0x00, 0x01, 0x02, 0xFF, 'a', 'b'};
    uint32_t size = chance_below(6);
    uint8_t *data = arena_alloc(arena, 8);
    for (uint32_t i = 0; i < size; i++)
        data[i] = alphabet[chance_below(sizeof alphabet)];
    return (Bytes){data, size};
}

static inline Decimal random_decimal(uint32_t precision) {
    char text[80];
    uint32_t size = 0, digits = chance_below(2) ? precision : 1 + chance_below(precision);
    Decimal value = {{0}};
    uint32_t found, scale;
    if (chance_below(2))
        text[size++] = '-';
    for (uint32_t i = 0; i < digits; i++)
        text[size++] = (char)('0' + chance_below(10));
    decimal_parse((Bytes){(uint8_t *)text, size}, &value, &found, &scale);
    return value;
}

static inline void random_value(Arena *arena, Column *column, uint32_t row) {
    const Type *type = column->type;
    switch (type->kind) {
    case TYPE_BOOLEAN: column->boolean[row] = chance_below(2) != 0; break;
    case TYPE_INT:
    case TYPE_DATE: column->i32[row] = (int32_t)random_integer(INT32_MIN, INT32_MAX); break;
    case TYPE_TIME: column->i32[row] = (int32_t)random_integer(0, 86399999); break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: column->i64[row] = random_integer(INT64_MIN, INT64_MAX); break;
    case TYPE_DOUBLE: column->f64[row] = random_double(); break;
    case TYPE_STRING:
    case TYPE_BYTES: column->bytes[row] = random_bytes(arena); break;
    case TYPE_DECIMAL:
        decimal_store((uint8_t *)column->data + (size_t)row * type_width(type), type->precision,
                      random_decimal(type->precision));
        break;
    default: break;
    }
}

static inline Column *random_column(Arena *arena, const Type *type, uint32_t length) {
    Column *column = column_new(arena, type, length);
    uint32_t elements = 0;
    for (uint32_t i = 0; i < length; i++) {
        bool present = chance_below(6) != 0;
        if (present) {
            column_set_present(column, i);
            random_value(arena, column, i);
        }
        if (column->offsets) {
            elements += present ? chance_below(4) : 0;
            column->offsets[i + 1] = elements;
        }
    }
    for (uint32_t i = 0; i < type->field_count; i++)
        column->children[i] = *random_column(arena, type->fields[i].type,
                                             column->offsets ? elements : length);
    return column;
}

static inline int order_of(bool less, bool more) {
    return less ? -1 : more;
}

static inline int sql_order(const Column *left, uint32_t at, const Column *right, uint32_t by);

static inline int range_order(const Column *left, uint32_t at, const Column *right, uint32_t by) {
    uint32_t a = left->offsets[at], b = right->offsets[by];
    for (; a < left->offsets[at + 1] && b < right->offsets[by + 1]; a++, b++) {
        int order = sql_order(&left->children[0], a, &right->children[0], b);
        if (order != 0)
            return order;
    }
    bool left_ends = a == left->offsets[at + 1], right_ends = b == right->offsets[by + 1];
    return order_of(left_ends && !right_ends, !left_ends && right_ends);
}

static inline int double_order(double left, double right) {
    if (left != left || right != right)
        return order_of(left == left && right != right, left != left && right == right);
    return order_of(left < right, left > right);
}

/* Missing values first, NaN last, -0.0 equal to 0.0, strings by their bytes. */
static inline int sql_order(const Column *left, uint32_t at, const Column *right, uint32_t by) {
    bool left_null = column_is_null(left, at), right_null = column_is_null(right, by);
    const Type *type = left->type;
    if (left_null || right_null)
        return order_of(left_null && !right_null, !left_null && right_null);
    switch (type->kind) {
    case TYPE_BOOLEAN: return (int)left->boolean[at] - (int)right->boolean[by];
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE: return order_of(left->i32[at] < right->i32[by], left->i32[at] > right->i32[by]);
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        return order_of(left->i64[at] < right->i64[by], left->i64[at] > right->i64[by]);
    case TYPE_DOUBLE: return double_order(left->f64[at], right->f64[by]);
    case TYPE_STRING:
    case TYPE_BYTES: return bytes_compare(left->bytes[at], right->bytes[by]);
    case TYPE_ARRAY: return range_order(left, at, right, by);
    case TYPE_DECIMAL: {
        size_t width = type_width(type);
        return decimal_compare(
            decimal_load((uint8_t *)left->data + at * width, type->precision), type->scale,
            decimal_load((uint8_t *)right->data + by * width, type->precision), type->scale);
    }
    default: break;
    }
    int order = 0;
    for (uint32_t i = 0; i < type->field_count && order == 0; i++)
        order = sql_order(&left->children[i], at, &right->children[i], by);
    return order;
}

/* Changes one to three places of a copy: a bit, a byte, the end, or one more byte. */
static inline Bytes random_damage(Arena *arena, Bytes bytes) {
    uint8_t *copy = arena_alloc(arena, (size_t)bytes.size + 4);
    uint32_t size = bytes.size;
    if (size > 0)
        memcpy(copy, bytes.data, size);
    for (uint32_t i = 1 + chance_below(3); i > 0; i--) {
        uint32_t shape = chance_below(5);
        uint32_t at = size == 0 ? 0 : chance_below(size);
        if (shape == 0)
            size = at;
        else if (shape == 1)
            copy[size++] = (uint8_t)chance();
        else if (shape == 2 && size > 0)
            copy[at] = (uint8_t)(copy[at] ^ 1U << chance_below(8));
        else if (size > 0)
            copy[at] = (uint8_t)chance();
    }
    return (Bytes){copy, size};
}

#endif
