/*
 * row_value.h - values to compact bytes and back: state, internal topics.
 *
 *   row := varint column_count, validity bitmap (1 bit a column, byte-padded, low bit first), then
 *          each present value:
 *     BOOLEAN 1 byte · INT TIME DATE BIGINT TIMESTAMP zig-zag varint · DOUBLE 8 bytes, LE
 *     STRING BYTES varint size, bytes · DECIMAL its width in a column, little-endian
 *     ARRAY varint count, bitmap, values · MAP varint count, then keys as an ARRAY's body (bitmap,
 *     values), values likewise · STRUCT bitmap, values
 *
 * A row that ends early reads the columns after its count as missing: columns may be added at the
 * end of a type. Decoding never trusts the bytes.
 */
#ifndef DATA_ROW_VALUE_H
#define DATA_ROW_VALUE_H

#include "base/buf.h"
#include "base/reader.h"
#include "data/column.h"
#include "data/schema.h"

/* The types of a row's values, in order. */
typedef struct RowLayout {
    const Type *const *types;
    uint32_t column_count;
} RowLayout;

/* Of the schema's columns [from, to). */
RowLayout row_layout_of(const Schema *schema, uint32_t from, uint32_t to, Arena *arena);

void row_value_put(Buf *out, const Column *const *columns, uint32_t count, uint32_t row);

/* Reads rows[0..row_count) into columns of length row_count. A row with data NULL gives missing
 * values. Strings point into the rows' bytes. CORRUPT where the bytes do not fit. */
ErrCode row_value_get(const Bytes *rows, uint32_t row_count, const RowLayout *layout, Arena *arena,
                      Column **columns, Err *err);

#endif
