/*
 * column.h - values of one type, one after the other.
 *
 * `data` by type:
 *   BOOLEAN            uint8_t, 0 or 1
 *   INT TIME DATE      int32_t
 *   BIGINT TIMESTAMP   int64_t
 *   DOUBLE             double
 *   STRING BYTES       Bytes: each points into memory that outlives the column (log buffer, arena)
 *   DECIMAL            two's complement integers, little-endian, unscaled: int64_t up to precision
 *                      18, 16 bytes up to 38, 32 bytes up to 76 (decimal.h)
 *   ARRAY MAP          offsets[length + 1] into children[0] (element or key), children[1] (value)
 *   STRUCT             children[field], each of this column's length
 *
 * `validity` has one bit a value, 1 present; NULL: none is missing. What `data` holds at a missing
 * value is zero (strings {NULL,0}; an array's range is empty), so that kernels may read it.
 * A Column is immutable once built and belongs to an arena.
 */
#ifndef DATA_COLUMN_H
#define DATA_COLUMN_H

#include <assert.h>

#include "base/arena.h"
#include "data/type.h"

typedef struct Column Column;

struct Column {
    const Type *type;
    uint32_t length;
    uint64_t *validity;
    union {
        void *data;
        uint8_t *boolean;
        int32_t *i32;
        int64_t *i64;
        double *f64;
        Bytes *bytes;
    };
    uint32_t *offsets;
    Column *children; /* an array: ARRAY 1, MAP 2, STRUCT one a field */
};

static inline bool column_is_null(const Column *column, uint32_t row) {
    assert(row < column->length);
    return column->validity && !(column->validity[row / 64] >> (row % 64) & 1);
}

static inline uint32_t column_words(uint32_t length) {
    return (length + 63) / 64;
}

/* A column of `length` missing values, writable until it is shared: children of ARRAY and MAP are
 * empty and to be set by the caller, of STRUCT are made. data is zeroed. */
Column *column_new(Arena *arena, const Type *type, uint32_t length);

/* The same in place, for children. */
void column_init(Column *column, Arena *arena, const Type *type, uint32_t length);

/* Marks a value of a column from column_new() as present. Only for columns with validity. */
/* Whether no value is missing. */
bool column_is_full(const Column *column);

static inline void column_set_present(Column *column, uint32_t row) {
    column->validity[row / 64] |= (uint64_t)1 << (row % 64);
}

static inline void column_set_null(Column *column, uint32_t row) {
    column->validity[row / 64] &= ~((uint64_t)1 << (row % 64));
}

/* A new column with the values of `source` at rows[0..count); strings are shared, not copied. */
Column *column_gather(Arena *arena, const Column *source, const uint16_t *rows, uint32_t count);

/* One value as a new column of length 1 repeated `length` times is column_repeat(). */
Column *column_repeat(Arena *arena, const Column *source, uint32_t row, uint32_t length);

/* Whether two values of equal type, present or missing, are the same one as items of collections
 * are: NULL is NULL, NaN is NaN, 0.0 is not -0.0; maps have no order. */
bool column_value_equal(const Column *left, uint32_t left_row, const Column *right,
                        uint32_t right_row);

#endif
