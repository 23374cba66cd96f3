/*
 * row_value.c - see row_value.h for the format.
 *
 * An array's body is the bitmap of its elements and then the present ones; a map has one count and
 * two bodies, keys and values. Bits behind the last of a bitmap are zero, and nothing follows the
 * last value.
 */
#include "data/row_value.h"

#include <assert.h>

#include "data/decimal.h"
#include "data/row_impl.h"

RowLayout row_layout_of(const Schema *schema, uint32_t from, uint32_t to, Arena *arena) {
    assert(from <= to && to <= schema->column_count);
    const Type **types = arena_array(arena, to - from, sizeof *types);
    for (uint32_t i = from; i < to; i++)
        types[i - from] = schema->columns[i].type;
    return (RowLayout){types, to - from};
}

/* == Writing == */

static void value_put(Buf *out, const Column *column, uint32_t row);

/* Zeroed room for a bitmap; returns where it begins, as the Buf may move. */
static size_t bitmap_put(Buf *out, uint32_t count) {
    size_t at = out->size;
    size_t size = (size_t)(count + 7) / 8;
    memset(buf_room(out, size), 0, size);
    out->size += size;
    return at;
}

static void bitmap_set(Buf *out, size_t bitmap, uint32_t index) {
    uint8_t *byte = out->data + bitmap + index / 8;
    *byte = (uint8_t)(*byte | 1U << (index % 8));
}

static void range_put(Buf *out, const Column *column, uint32_t from, uint32_t to) {
    size_t bitmap = bitmap_put(out, to - from);
    for (uint32_t i = from; i < to; i++) {
        if (column_is_null(column, i))
            continue;
        bitmap_set(out, bitmap, i - from);
        value_put(out, column, i);
    }
}

static void array_put(Buf *out, const Column *column, uint32_t row) {
    uint32_t from = column->offsets[row];
    uint32_t to = column->offsets[row + 1];
    buf_varint(out, to - from);
    for (uint32_t i = 0; i < column->type->field_count; i++)
        range_put(out, &column->children[i], from, to);
}

static void struct_put(Buf *out, const Column *column, uint32_t row) {
    size_t bitmap = bitmap_put(out, column->type->field_count);
    for (uint32_t i = 0; i < column->type->field_count; i++) {
        if (column_is_null(&column->children[i], row))
            continue;
        bitmap_set(out, bitmap, i);
        value_put(out, &column->children[i], row);
    }
}

static void bytes_put(Buf *out, Bytes bytes) {
    buf_varint(out, bytes.size);
    buf_bytes(out, bytes);
}

static void value_put(Buf *out, const Column *column, uint32_t row) {
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        buf_u8(out, column->boolean[row]);
        break;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE:
        buf_zigzag(out, column->i32[row]);
        break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        buf_zigzag(out, column->i64[row]);
        break;
    case TYPE_DOUBLE:
        buf_put(out, &column->f64[row], sizeof(double));
        break;
    case TYPE_DECIMAL: {
        uint32_t width = type_width(column->type);
        buf_put(out, (const uint8_t *)column->data + (size_t)row * width, width);
        break;
    }
    case TYPE_STRING:
    case TYPE_BYTES:
        bytes_put(out, column->bytes[row]);
        break;
    case TYPE_ARRAY:
    case TYPE_MAP:
        array_put(out, column, row);
        break;
    case TYPE_STRUCT:
        struct_put(out, column, row);
        break;
    case TYPE_NULL:
        assert(column->type->kind != TYPE_NULL);
    }
}

void row_value_put(Buf *out, const Column *const *columns, uint32_t count, uint32_t row) {
    buf_varint(out, count);
    size_t bitmap = bitmap_put(out, count);
    for (uint32_t i = 0; i < count; i++) {
        if (column_is_null(columns[i], row))
            continue;
        bitmap_set(out, bitmap, i);
        value_put(out, columns[i], row);
    }
}

/* == Reading: whatever does not fit makes the reader fail == */

static void value_read(Reader *in, RowBuild *build);

/* Borrows a bitmap of `count` bits; fails on set bits behind them. */
static const uint8_t *bitmap_read(Reader *in, uint32_t count) {
    Bytes bitmap = reader_bytes(in, count / 8 + (count % 8 != 0));
    if (reader_ok(in) && count % 8 != 0 && bitmap.data[bitmap.size - 1] >> (count % 8) != 0)
        in->failed = true;
    return bitmap.data;
}

static bool bitmap_has(const uint8_t *bitmap, uint32_t index) {
    return bitmap[index / 8] >> (index % 8) & 1;
}

static void item_read(Reader *in, RowBuild *build, bool present) {
    if (present)
        value_read(in, build);
    else if (!row_build_null(build))
        in->failed = true;
}

static void range_read(Reader *in, RowBuild *build, uint32_t count) {
    const uint8_t *bitmap = bitmap_read(in, count);
    for (uint32_t i = 0; i < count && reader_ok(in); i++)
        item_read(in, build, bitmap_has(bitmap, i));
}

static void array_read(Reader *in, RowBuild *build, uint32_t slot) {
    uint64_t count = reader_varint(in);
    if (count > UINT32_MAX / 2)
        in->failed = true;
    for (uint32_t i = 0; i < build->column->type->field_count && reader_ok(in); i++)
        range_read(in, &build->children[i], (uint32_t)count);
    if (reader_ok(in))
        row_build_end(build, slot);
}

static void struct_read(Reader *in, RowBuild *build) {
    uint32_t count = build->column->type->field_count;
    const uint8_t *bitmap = bitmap_read(in, count);
    for (uint32_t i = 0; i < count && reader_ok(in); i++)
        item_read(in, &build->children[i], bitmap_has(bitmap, i));
}

static void decimal_read(Reader *in, Column *column, uint32_t slot) {
    uint32_t width = type_width(column->type);
    Bytes bytes = reader_bytes(in, width);
    if (!reader_ok(in))
        return;
    memcpy((uint8_t *)column->data + (size_t)slot * width, bytes.data, width);
    if (!decimal_storable(decimal_load(bytes.data, column->type->precision),
                          column->type->precision))
        in->failed = true;
}

static void i32_read(Reader *in, int32_t *target) {
    int64_t value = reader_zigzag(in);
    if (value < INT32_MIN || value > INT32_MAX)
        in->failed = true;
    *target = (int32_t)value;
}

static void boolean_read(Reader *in, uint8_t *target) {
    *target = reader_u8(in);
    if (*target > 1)
        in->failed = true;
}

static void bytes_read(Reader *in, Bytes *target) {
    uint64_t size = reader_varint(in);
    if (size > reader_left(in))
        in->failed = true;
    else
        *target = reader_bytes(in, (uint32_t)size);
}

static void value_read(Reader *in, RowBuild *build) {
    Column *column = build->column;
    uint32_t slot;
    if (!row_build_slot(build, &slot)) {
        in->failed = true;
        return;
    }
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        boolean_read(in, &column->boolean[slot]);
        break;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE:
        i32_read(in, &column->i32[slot]);
        break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        column->i64[slot] = reader_zigzag(in);
        break;
    case TYPE_DOUBLE: {
        uint64_t bits = reader_u64_le(in);
        memcpy(&column->f64[slot], &bits, sizeof bits);
        break;
    }
    case TYPE_DECIMAL:
        decimal_read(in, column, slot);
        break;
    case TYPE_STRING:
    case TYPE_BYTES:
        bytes_read(in, &column->bytes[slot]);
        break;
    case TYPE_ARRAY:
    case TYPE_MAP:
        array_read(in, build, slot);
        break;
    case TYPE_STRUCT:
        struct_read(in, build);
        break;
    case TYPE_NULL:
        assert(column->type->kind != TYPE_NULL);
    }
}

static void row_read(Reader *in, RowBuild *builds, uint32_t column_count) {
    uint64_t count = reader_varint(in);
    if (count > column_count) {
        in->failed = true;
        return;
    }
    const uint8_t *bitmap = bitmap_read(in, (uint32_t)count);
    for (uint32_t i = 0; i < column_count && reader_ok(in); i++)
        item_read(in, &builds[i], i < count && bitmap_has(bitmap, i));
    if (reader_left(in) > 0)
        in->failed = true;
}

ErrCode row_value_get(const Bytes *rows, uint32_t row_count, const RowLayout *layout, Arena *arena,
                      Column **columns, Err *err) {
    assert(layout && arena);
    RowBuild *builds = row_build_new(arena, layout->types, layout->column_count, row_count);
    for (uint32_t i = 0; i < row_count; i++) {
        if (!rows[i].data) {
            for (uint32_t k = 0; k < layout->column_count; k++)
                row_build_null(&builds[k]);
            continue;
        }
        Reader in = reader_of(rows[i]);
        row_read(&in, builds, layout->column_count);
        if (!reader_ok(&in))
            return row_build_error(arena, "row", i, (uint32_t)(in.next - rows[i].data), err);
    }
    row_build_finish(builds, layout->column_count, columns);
    return ERR_OK;
}
