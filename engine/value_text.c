/* value_text.c - see value_text.h. */
#include "engine/value_text.h"

#include <math.h>

#include "base/base64.h"
#include "data/decimal.h"
#include "data/number_text.h"
#include "data/time_text.h"

static void value_json_escape(Buf *out, uint8_t byte) {
    static const char letters[] = "btn?fr"; /* for 8 to 13; vertical tab has none */
    if (byte == '"' || byte == '\\')
        buf_printf(out, "\\%c", byte);
    else if (byte >= 8 && byte <= 13 && byte != 11)
        buf_printf(out, "\\%c", letters[byte - 8]);
    else
        buf_printf(out, "\\u%04x", byte);
}

void value_json_string(Buf *out, Bytes text) {
    buf_u8(out, '"');
    uint32_t from = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        buf_put(out, text.data + from, i - from);
        value_json_escape(out, byte);
        from = i + 1;
    }
    buf_put(out, text.data + from, text.size - from);
    buf_u8(out, '"');
}

/* What both forms write the same, without quotes. false: not a plain scalar. */
static bool value_plain(Buf *out, const Column *column, uint32_t row) {
    const Type *type = column->type;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        buf_text(out, column->boolean[row] ? "true" : "false");
        return true;
    case TYPE_INT:
        number_print_i64(out, column->i32[row]);
        return true;
    case TYPE_BIGINT:
        number_print_i64(out, column->i64[row]);
        return true;
    case TYPE_DECIMAL: {
        const uint8_t *data = column->data;
        decimal_print(out, decimal_load(data + (size_t)type_width(type) * row, type->precision),
                      type->scale);
        return true;
    }
    default:
        return false;
    }
}

/* Times and bytes, without quotes. false: another type. */
static bool value_quoted(Buf *out, const Column *column, uint32_t row) {
    switch (column->type->kind) {
    case TYPE_TIME:
        time_print_time(out, column->i32[row]);
        return true;
    case TYPE_DATE:
        time_print_date(out, column->i32[row]);
        return true;
    case TYPE_TIMESTAMP:
        time_print_timestamp(out, column->i64[row]);
        return true;
    case TYPE_BYTES:
        base64_print(out, column->bytes[row]);
        return true;
    default:
        return false;
    }
}

static void value_json_array(Buf *out, const Column *column, uint32_t row) {
    buf_u8(out, '[');
    for (uint32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++) {
        if (i > column->offsets[row])
            buf_u8(out, ',');
        value_json_put(out, &column->children[0], i);
    }
    buf_u8(out, ']');
}

static void value_json_map(Buf *out, const Column *column, uint32_t row) {
    Buf key = {0};
    buf_u8(out, '{');
    for (uint32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++) {
        if (i > column->offsets[row])
            buf_u8(out, ',');
        buf_reset(&key);
        if (column_is_null(&column->children[0], i))
            buf_text(&key, "null");
        else
            value_text_put(&key, &column->children[0], i);
        value_json_string(out, buf_view(&key));
        buf_u8(out, ':');
        value_json_put(out, &column->children[1], i);
    }
    buf_u8(out, '}');
    buf_free(&key);
}

static void value_json_struct(Buf *out, const Column *column, uint32_t row) {
    buf_u8(out, '{');
    for (uint32_t i = 0; i < column->type->field_count; i++) {
        if (i > 0)
            buf_u8(out, ',');
        value_json_string(out, bytes_of(column->type->fields[i].name));
        buf_u8(out, ':');
        value_json_put(out, &column->children[i], row);
    }
    buf_u8(out, '}');
}

static void value_json_double(Buf *out, double value) {
    if (isfinite(value)) {
        number_print_double(out, value);
        return;
    }
    buf_u8(out, '"');
    number_print_double(out, value);
    buf_u8(out, '"');
}

void value_json_put(Buf *out, const Column *column, uint32_t row) {
    if (column_is_null(column, row)) {
        buf_text(out, "null");
        return;
    }
    switch (column->type->kind) {
    case TYPE_DOUBLE:
        value_json_double(out, column->f64[row]);
        return;
    case TYPE_STRING:
        value_json_string(out, column->bytes[row]);
        return;
    case TYPE_ARRAY:
        value_json_array(out, column, row);
        return;
    case TYPE_MAP:
        value_json_map(out, column, row);
        return;
    case TYPE_STRUCT:
        value_json_struct(out, column, row);
        return;
    default:
        break;
    }
    if (value_plain(out, column, row))
        return;
    buf_u8(out, '"');
    value_quoted(out, column, row);
    buf_u8(out, '"');
}

void value_text_put(Buf *out, const Column *column, uint32_t row) {
    assert(!column_is_null(column, row));
    if (column->type->kind == TYPE_STRING)
        buf_bytes(out, column->bytes[row]);
    else if (column->type->kind == TYPE_DOUBLE)
        number_print_double(out, column->f64[row]);
    else if (!value_plain(out, column, row) && !value_quoted(out, column, row))
        value_json_put(out, column, row);
}
