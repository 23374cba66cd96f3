/*
 * row_key.h - values to bytes whose memcmp order is the SQL order.
 *
 * Keys of state stores: the columns one after the other, each: 0x00 for NULL (first), 0x01 then
 *   BOOLEAN          1 byte
 *   INT TIME DATE    4 bytes big-endian, sign bit flipped
 *   BIGINT TIMESTAMP 8 bytes likewise
 *   DOUBLE           8 bytes big-endian; sign flipped, negative ones inverted; -0.0 as 0.0, any
 *                    NaN as the one after Infinity
 *   DECIMAL          32 bytes big-endian of the 256-bit value, sign flipped
 *   STRING BYTES     bytes with 0x00 written as 0x00 0xFF, ended by 0x00 0x01
 *   ARRAY            0x02 before each element, 0x01 at the end;  STRUCT: its fields;
 *   MAP              not a key (the planner refuses it)
 * One value has one key, and no key is the beginning of another.
 */
#ifndef DATA_ROW_KEY_H
#define DATA_ROW_KEY_H

#include "base/buf.h"
#include "base/reader.h"
#include "data/row_value.h"

/* Appends the key of one row over columns[0..count). */
void row_key_put(Buf *out, const Column *const *columns, uint32_t count, uint32_t row);

/* Appends one value, or the NULL byte. */
void row_key_put_value(Buf *out, const Column *column, uint32_t row);

/* Reads `key_count` keys back into columns[i] of layout->types[i], each of length key_count. Bytes
 * that are no key of these types fail with CORRUPT. Strings are copied into `arena`. */
ErrCode row_key_get(const Bytes *keys, uint32_t key_count, const RowLayout *layout, Arena *arena,
                    Column **columns, Err *err);

#endif
