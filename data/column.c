/*
 * column.c - see column.h.
 *
 * Gathering is the one way to make a column from parts of another: rows are widened to 32 bits
 * once, because the children of nested columns may be longer than a batch.
 */
#include "data/column.h"

#include <math.h>
#include <string.h>

Column *column_new(Arena *arena, const Type *type, uint32_t length) {
    Column *column = arena_alloc(arena, sizeof *column);
    column_init(column, arena, type, length);
    return column;
}

void column_init(Column *column, Arena *arena, const Type *type, uint32_t length) {
    assert(column && arena && type);
    *column = (Column){.type = type, .length = length};
    column->validity = arena_array(arena, column_words(length), sizeof *column->validity);
    uint32_t width = type_width(type);
    if (width > 0)
        column->data = arena_array(arena, length, width);
    if (!type_is_nested(type))
        return;
    uint32_t child_length = type->kind == TYPE_STRUCT ? length : 0;
    column->children = arena_array(arena, type->field_count, sizeof *column->children);
    for (uint32_t i = 0; i < type->field_count; i++)
        column_init(&column->children[i], arena, type->fields[i].type, child_length);
    if (type->kind != TYPE_STRUCT)
        column->offsets = arena_array(arena, (size_t)length + 1, sizeof *column->offsets);
}

/* == Gather == */

static void gather_u8(uint8_t *restrict target, const uint8_t *restrict source,
                      const uint32_t *rows, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        target[i] = source[rows[i]];
}

static void gather_u32(uint32_t *restrict target, const uint32_t *restrict source,
                       const uint32_t *rows, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        target[i] = source[rows[i]];
}

static void gather_u64(uint64_t *restrict target, const uint64_t *restrict source,
                       const uint32_t *rows, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        target[i] = source[rows[i]];
}

/* 16 bytes (strings, wide decimals) and 32. */
static void gather_wide(uint8_t *restrict target, const uint8_t *restrict source,
                        const uint32_t *rows, uint32_t count, uint32_t width) {
    if (width == 16) {
        for (uint32_t i = 0; i < count; i++)
            memcpy(target + (size_t)i * 16, source + (size_t)rows[i] * 16, 16);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        memcpy(target + (size_t)i * width, source + (size_t)rows[i] * width, width);
}

static void gather_data(Column *target, const Column *source, const uint32_t *rows,
                        uint32_t width) {
    uint32_t count = target->length;
    switch (width) {
    case 1: gather_u8(target->data, source->data, rows, count); break;
    case 4: gather_u32(target->data, source->data, rows, count); break;
    case 8: gather_u64(target->data, source->data, rows, count); break;
    default: gather_wide(target->data, source->data, rows, count, width); break;
    }
}

static void gather_validity(Column *target, Arena *arena, const Column *source,
                            const uint32_t *rows) {
    if (!source->validity)
        return;
    uint64_t *validity = arena_array(arena, column_words(target->length), sizeof *validity);
    for (uint32_t i = 0; i < target->length; i++) {
        uint64_t bit = source->validity[rows[i] / 64] >> (rows[i] % 64) & 1;
        validity[i / 64] |= bit << (i % 64);
    }
    target->validity = validity;
}

bool column_is_full(const Column *column) {
    const uint64_t *validity = column->validity;
    assert(validity || column->length <= UINT32_MAX - 63);
    if (!validity)
        return true;
    for (uint32_t i = 0; i < column->length / 64; i++)
        if (validity[i] != UINT64_MAX)
            return false;
    uint64_t rest = ((uint64_t)1 << (column->length % 64)) - 1;
    return rest == 0 || (validity[column->length / 64] & rest) == rest;
}

static void gather_into(Column *target, Arena *arena, const Column *source, const uint32_t *rows,
                        uint32_t count);

/* ARRAY and MAP: the ranges of the rows one after the other, then the children over them. */
static void gather_ranges(Column *target, Arena *arena, const Column *source,
                          const uint32_t *rows) {
    uint32_t count = target->length;
    target->offsets = arena_raw(arena, ((size_t)count + 1) * sizeof *target->offsets);
    target->offsets[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = source->offsets[rows[i] + 1] - source->offsets[rows[i]];
        assert(target->offsets[i] <= UINT32_MAX - size);
        target->offsets[i + 1] = target->offsets[i] + size;
    }
    uint32_t *inner = arena_raw(arena, (size_t)target->offsets[count] * sizeof *inner);
    uint32_t *next = inner;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t at = source->offsets[rows[i]]; at < source->offsets[rows[i] + 1]; at++)
            *next++ = at;
    for (uint32_t i = 0; i < source->type->field_count; i++)
        gather_into(&target->children[i], arena, &source->children[i], inner,
                    target->offsets[count]);
}

static void gather_into(Column *target, Arena *arena, const Column *source, const uint32_t *rows,
                        uint32_t count) {
    *target = (Column){.type = source->type, .length = count};
    gather_validity(target, arena, source, rows);
    uint32_t width = type_width(source->type);
    if (width > 0) {
        target->data = arena_raw(arena, (size_t)count * width);
        gather_data(target, source, rows, width);
    }
    if (!type_is_nested(source->type))
        return;
    uint32_t fields = source->type->field_count;
    target->children = arena_array(arena, fields, sizeof *target->children);
    if (source->type->kind != TYPE_STRUCT) {
        gather_ranges(target, arena, source, rows);
        return;
    }
    for (uint32_t i = 0; i < fields; i++)
        gather_into(&target->children[i], arena, &source->children[i], rows, count);
}

Column *column_gather(Arena *arena, const Column *source, const uint16_t *rows, uint32_t count) {
    assert(arena && source && (rows || count == 0));
    uint32_t *wide = arena_raw(arena, (size_t)count * sizeof *wide);
    for (uint32_t i = 0; i < count; i++) {
        assert(rows[i] < source->length);
        wide[i] = rows[i];
    }
    Column *column = arena_alloc(arena, sizeof *column);
    gather_into(column, arena, source, wide, count);
    return column;
}

Column *column_repeat(Arena *arena, const Column *source, uint32_t row, uint32_t length) {
    assert(arena && source && row < source->length);
    uint32_t *rows = arena_raw(arena, (size_t)length * sizeof *rows);
    for (uint32_t i = 0; i < length; i++)
        rows[i] = row;
    Column *column = arena_alloc(arena, sizeof *column);
    gather_into(column, arena, source, rows, length);
    return column;
}

/* == Equality == */

/* As Java's Double.equals(): NaN is one value, 0.0 and -0.0 are two. */
static bool double_equal(double left, double right) {
    if (left == right)
        return signbit(left) == signbit(right);
    return isnan(left) && isnan(right);
}

static bool array_equal(const Column *left, uint32_t left_row, const Column *right,
                        uint32_t right_row) {
    uint32_t left_at = left->offsets[left_row], right_at = right->offsets[right_row];
    uint32_t size = left->offsets[left_row + 1] - left_at;
    if (size != right->offsets[right_row + 1] - right_at)
        return false;
    for (uint32_t i = 0; i < size; i++)
        if (!column_value_equal(&left->children[0], left_at + i, &right->children[0],
                                right_at + i))
            return false;
    return true;
}

/* Maps have no order; mostly two equal ones have their keys at the same places all the same. */
static bool map_equal(const Column *left, uint32_t left_row, const Column *right,
                      uint32_t right_row) {
    uint32_t left_at = left->offsets[left_row], right_at = right->offsets[right_row];
    uint32_t size = left->offsets[left_row + 1] - left_at;
    if (size != right->offsets[right_row + 1] - right_at)
        return false;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t tried = 0, at = i;
        while (tried < size && !column_value_equal(&left->children[0], left_at + i,
                                                   &right->children[0], right_at + at)) {
            tried++;
            at = (at + 1) % size;
        }
        if (tried == size || !column_value_equal(&left->children[1], left_at + i,
                                                 &right->children[1], right_at + at))
            return false;
    }
    return true;
}

static bool struct_equal(const Column *left, uint32_t left_row, const Column *right,
                         uint32_t right_row) {
    for (uint32_t i = 0; i < left->type->field_count; i++)
        if (!column_value_equal(&left->children[i], left_row, &right->children[i], right_row))
            return false;
    return true;
}

bool column_value_equal(const Column *left, uint32_t left_row, const Column *right,
                        uint32_t right_row) {
    assert(left->type->kind == right->type->kind);
    bool missing = column_is_null(left, left_row);
    if (missing || column_is_null(right, right_row))
        return missing && column_is_null(right, right_row);
    uint32_t width = type_width(left->type);
    switch (left->type->kind) {
    case TYPE_NULL: return true;
    case TYPE_DOUBLE: return double_equal(left->f64[left_row], right->f64[right_row]);
    case TYPE_STRING:
    case TYPE_BYTES: return bytes_equal(left->bytes[left_row], right->bytes[right_row]);
    case TYPE_ARRAY: return array_equal(left, left_row, right, right_row);
    case TYPE_MAP: return map_equal(left, left_row, right, right_row);
    case TYPE_STRUCT: return struct_equal(left, left_row, right, right_row);
    case TYPE_BOOLEAN:
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_DECIMAL:
    case TYPE_TIME:
    case TYPE_DATE:
    case TYPE_TIMESTAMP: break;
    }
    assert(width == type_width(right->type));
    return memcmp((const uint8_t *)left->data + (size_t)left_row * width,
                  (const uint8_t *)right->data + (size_t)right_row * width, width) == 0;
}
