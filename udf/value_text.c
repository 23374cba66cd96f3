/*
 * value_text.c - see value_text.h.
 */
#include "udf/value_text.h"

#include "base/base64.h"
#include "data/decimal.h"
#include "data/number_text.h"
#include "data/time_text.h"

static void text_list(Buf *out, const Column *column, uint32_t row) {
    bool map = column->type->kind == TYPE_MAP;
    assert(column->offsets);
    buf_u8(out, map ? '{' : '[');
    for (uint32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++) {
        if (i > column->offsets[row])
            buf_text(out, ", ");
        value_text_print_item(out, &column->children[0], i);
        if (map) {
            buf_u8(out, '=');
            value_text_print_item(out, &column->children[1], i);
        }
    }
    buf_u8(out, map ? '}' : ']');
}

static void text_struct(Buf *out, const Column *column, uint32_t row) {
    bool first = true;
    buf_text(out, "Struct{");
    for (uint32_t i = 0; i < column->type->field_count; i++) {
        if (column_is_null(&column->children[i], row))
            continue;
        if (!first)
            buf_u8(out, ',');
        first = false;
        buf_text(out, column->type->fields[i].name);
        buf_u8(out, '=');
        value_text_print_item(out, &column->children[i], row);
    }
    buf_u8(out, '}');
}

static void text_decimal(Buf *out, const Column *column, uint32_t row) {
    const Type *type = column->type;
    const uint8_t *data = column->data;
    Decimal value = decimal_load(data + (size_t)row * type_width(type), type->precision);
    decimal_print(out, value, type->scale);
}

void value_text_print(Buf *out, const Column *column, uint32_t row) {
    assert(out && column);
    if (column->type->kind == TYPE_NULL || column_is_null(column, row)) {
        buf_text(out, "null");
        return;
    }
    switch (column->type->kind) {
    case TYPE_NULL: break;
    case TYPE_BOOLEAN: buf_text(out, column->boolean[row] ? "true" : "false"); break;
    case TYPE_INT: number_print_i64(out, column->i32[row]); break;
    case TYPE_BIGINT: number_print_i64(out, column->i64[row]); break;
    case TYPE_DOUBLE: number_print_double(out, column->f64[row]); break;
    case TYPE_DECIMAL: text_decimal(out, column, row); break;
    case TYPE_STRING: buf_bytes(out, column->bytes[row]); break;
    case TYPE_BYTES: base64_print(out, column->bytes[row]); break;
    case TYPE_TIMESTAMP: time_print_timestamp(out, column->i64[row]); break;
    case TYPE_DATE: time_print_date(out, column->i32[row]); break;
    case TYPE_TIME: time_print_time(out, column->i32[row]); break;
    case TYPE_ARRAY:
    case TYPE_MAP: text_list(out, column, row); break;
    case TYPE_STRUCT: text_struct(out, column, row); break;
    }
}

void value_text_print_item(Buf *out, const Column *column, uint32_t row) {
    if (column->type->kind != TYPE_DECIMAL || column_is_null(column, row)) {
        value_text_print(out, column, row);
        return;
    }
    const Type *type = column->type;
    const uint8_t *data = column->data;
    Decimal value = decimal_load(data + (size_t)row * type_width(type), type->precision);
    decimal_print_short(out, value, type->scale);
}
