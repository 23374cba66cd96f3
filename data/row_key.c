/*
 * row_key.c - see row_key.h for the format.
 *
 * Every form is prefix-free, so that keys may be put one after the other and still be compared as
 * bytes, and canonical: one value, one key. NaN is one value, after Infinity. A reader therefore
 * refuses what a writer would not have written.
 */
#include "data/row_key.h"

#include <assert.h>

#include "data/decimal.h"
#include "data/row_impl.h"

enum {
    KEY_NULL = 0x00,
    KEY_PRESENT = 0x01,
    KEY_ZERO = 0x00,     /* in strings: announces one of the next two */
    KEY_ZERO_END = 0x01, /* the string is over */
    KEY_ZERO_BYTE = 0xFF, /* it was a byte of the string */
    KEY_ARRAY_END = 0x01,
    KEY_ARRAY_MORE = 0x02,
};

#define SIGN_32 0x80000000U
#define SIGN_64 0x8000000000000000U
#define NAN_BITS 0x7ff8000000000000U

/* == Writing == */

static void string_put(Buf *out, Bytes bytes) {
    const uint8_t *next = bytes.data;
    size_t left = bytes.size;
    while (left > 0) {
        const uint8_t *zero = memchr(next, 0, left);
        size_t run = zero ? (size_t)(zero - next) : left;
        buf_put(out, next, run);
        if (!zero)
            break;
        buf_u8(out, KEY_ZERO);
        buf_u8(out, KEY_ZERO_BYTE);
        next = zero + 1;
        left -= run + 1;
    }
    buf_u8(out, KEY_ZERO);
    buf_u8(out, KEY_ZERO_END);
}

/* The order of doubles as that of unsigned integers. */
static uint64_t double_key(double value) {
    uint64_t bits;
    if (value == 0)
        value = 0; /* -0.0 too */
    memcpy(&bits, &value, sizeof bits);
    if (value != value)
        bits = NAN_BITS;
    return bits & SIGN_64 ? ~bits : bits ^ SIGN_64;
}

static void decimal_put(Buf *out, const Column *column, uint32_t row) {
    const uint8_t *source = (const uint8_t *)column->data;
    source += (size_t)row * type_width(column->type);
    Decimal value = decimal_load(source, column->type->precision);
    buf_u64_be(out, value.word[3] ^ SIGN_64);
    for (int i = 2; i >= 0; i--)
        buf_u64_be(out, value.word[i]);
}

static void array_put(Buf *out, const Column *column, uint32_t row) {
    for (uint32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++) {
        buf_u8(out, KEY_ARRAY_MORE);
        row_key_put_value(out, &column->children[0], i);
    }
    buf_u8(out, KEY_ARRAY_END);
}

static void present_put(Buf *out, const Column *column, uint32_t row) {
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        buf_u8(out, column->boolean[row]);
        break;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE:
        buf_u32_be(out, (uint32_t)column->i32[row] ^ SIGN_32);
        break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        buf_u64_be(out, (uint64_t)column->i64[row] ^ SIGN_64);
        break;
    case TYPE_DOUBLE:
        buf_u64_be(out, double_key(column->f64[row]));
        break;
    case TYPE_DECIMAL:
        decimal_put(out, column, row);
        break;
    case TYPE_STRING:
    case TYPE_BYTES:
        string_put(out, column->bytes[row]);
        break;
    case TYPE_ARRAY:
        array_put(out, column, row);
        break;
    case TYPE_STRUCT:
        for (uint32_t i = 0; i < column->type->field_count; i++)
            row_key_put_value(out, &column->children[i], row);
        break;
    case TYPE_MAP:
    case TYPE_NULL:
        assert(column->type->kind != TYPE_MAP && column->type->kind != TYPE_NULL);
    }
}

void row_key_put_value(Buf *out, const Column *column, uint32_t row) {
    bool missing = column_is_null(column, row);
    buf_u8(out, missing ? KEY_NULL : KEY_PRESENT);
    if (!missing)
        present_put(out, column, row);
}

void row_key_put(Buf *out, const Column *const *columns, uint32_t count, uint32_t row) {
    assert(columns || count == 0);
    for (uint32_t i = 0; i < count; i++)
        row_key_put_value(out, columns[i], row);
}

/* == Reading: whatever does not fit makes the reader fail == */

static void value_read(Reader *in, RowBuild *build);

/* Finds the end of the string that begins here: its size in the key, without the end, and how many
 * zero bytes it holds. */
static bool string_measure(const Reader *in, size_t *size, size_t *zeros) {
    const uint8_t *next = in->next;
    for (*zeros = 0;; (*zeros)++) {
        const uint8_t *zero = next == in->end ? NULL : memchr(next, KEY_ZERO,
                                                              (size_t)(in->end - next));
        if (!zero || zero + 1 == in->end)
            return false;
        *size = (size_t)(zero - in->next);
        if (zero[1] == KEY_ZERO_END)
            return true;
        if (zero[1] != KEY_ZERO_BYTE)
            return false;
        next = zero + 2;
    }
}

static void string_read(Reader *in, Arena *arena, Bytes *target) {
    size_t size, zeros;
    if (in->failed || !string_measure(in, &size, &zeros)) {
        in->failed = true;
        return;
    }
    uint8_t *copy = arena_raw(arena, size + 1);
    const uint8_t *source = in->next;
    *target = (Bytes){copy, (uint32_t)(size - zeros)};
    if (zeros == 0) {
        memcpy(copy, source, size);
    } else {
        for (const uint8_t *end = source + size; source < end; source++) {
            *copy++ = *source;
            source += *source == KEY_ZERO; /* skips the byte behind it */
        }
    }
    in->next += size + 2;
}

static void double_read(Reader *in, double *target) {
    uint64_t key = reader_u64_be(in);
    uint64_t bits = key & SIGN_64 ? key ^ SIGN_64 : ~key;
    memcpy(target, &bits, sizeof bits);
    if (double_key(*target) != key)
        in->failed = true;
}

static void decimal_read(Reader *in, Column *column, uint32_t slot) {
    Decimal value;
    value.word[3] = reader_u64_be(in) ^ SIGN_64;
    for (int i = 2; i >= 0; i--)
        value.word[i] = reader_u64_be(in);
    if (!reader_ok(in) || !decimal_storable(value, column->type->precision)) {
        in->failed = true;
        return;
    }
    uint32_t width = type_width(column->type);
    decimal_store((uint8_t *)column->data + (size_t)slot * width, column->type->precision, value);
}

static void boolean_read(Reader *in, uint8_t *target) {
    *target = reader_u8(in);
    if (*target > 1)
        in->failed = true;
}

static void array_read(Reader *in, RowBuild *build, uint32_t slot) {
    uint8_t mark = reader_u8(in);
    for (; reader_ok(in) && mark == KEY_ARRAY_MORE; mark = reader_u8(in))
        value_read(in, &build->children[0]);
    if (!reader_ok(in) || mark != KEY_ARRAY_END)
        in->failed = true;
    else
        row_build_end(build, slot);
}

static void present_read(Reader *in, RowBuild *build, uint32_t slot) {
    Column *column = build->column;
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        boolean_read(in, &column->boolean[slot]);
        break;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE:
        column->i32[slot] = (int32_t)(reader_u32_be(in) ^ SIGN_32);
        break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        column->i64[slot] = (int64_t)(reader_u64_be(in) ^ SIGN_64);
        break;
    case TYPE_DOUBLE:
        double_read(in, &column->f64[slot]);
        break;
    case TYPE_DECIMAL:
        decimal_read(in, column, slot);
        break;
    case TYPE_STRING:
    case TYPE_BYTES:
        string_read(in, build->arena, &column->bytes[slot]);
        break;
    case TYPE_ARRAY:
        array_read(in, build, slot);
        break;
    case TYPE_STRUCT:
        for (uint32_t i = 0; i < column->type->field_count && reader_ok(in); i++)
            value_read(in, &build->children[i]);
        break;
    case TYPE_MAP:
    case TYPE_NULL:
        assert(column->type->kind != TYPE_MAP && column->type->kind != TYPE_NULL);
    }
}

static void value_read(Reader *in, RowBuild *build) {
    uint8_t mark = reader_u8(in);
    uint32_t slot;
    bool taken = false;
    if (reader_ok(in) && mark == KEY_NULL)
        taken = row_build_null(build);
    else if (reader_ok(in) && mark == KEY_PRESENT && (taken = row_build_slot(build, &slot)))
        present_read(in, build, slot);
    if (!taken)
        in->failed = true;
}

ErrCode row_key_get(const Bytes *keys, uint32_t key_count, const RowLayout *layout, Arena *arena,
                    Column **columns, Err *err) {
    assert(layout && arena);
    RowBuild *builds = row_build_new(arena, layout->types, layout->column_count, key_count);
    for (uint32_t i = 0; i < key_count; i++) {
        Reader in = reader_of(keys[i]);
        for (uint32_t k = 0; k < layout->column_count && reader_ok(&in); k++)
            value_read(&in, &builds[k]);
        if (!reader_ok(&in) || reader_left(&in) > 0)
            return row_build_error(arena, "key", i, (uint32_t)(in.next - keys[i].data), err);
    }
    row_build_finish(builds, layout->column_count, columns);
    return ERR_OK;
}
