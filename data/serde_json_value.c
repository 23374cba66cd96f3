/*
 * serde_json_value.c - one scalar into its column, by ksqlDB's rules of what fits what.
 *
 * Both passes end here. A value is checked whether its column is used or not; only what is stored
 * depends on that. Integers are Java's intValue() and longValue(): the fraction is cut off, and of
 * what is too large the low bits stay.
 */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "base/base64.h"
#include "data/decimal.h"
#include "data/number_impl.h"
#include "data/number_text.h"
#include "data/serde_json_impl.h"

/* == What does not fit == */

/* Text over the end is cut. */
static void json_error_text(Decoder *json, size_t *size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void json_error_text(Decoder *json, size_t *size, const char *format, ...) {
    assert(*size < JSON_ERROR_SIZE);
    va_list args;
    va_start(args, format);
    int added = vsnprintf(json->error + *size, JSON_ERROR_SIZE - *size, format, args);
    va_end(args);
    *size += added < 0 ? 0 : (size_t)added;
    if (*size > JSON_ERROR_SIZE - 1)
        *size = JSON_ERROR_SIZE - 1;
    Bytes text = {(const uint8_t *)json->error, (uint32_t)*size};
    *size = utf8_whole(text);
    json->error[*size] = '\0';
}

static void json_error_path(Decoder *json, size_t *size) {
    assert(json->path_size <= sizeof json->path / sizeof *json->path);
    json_error_text(json, size, ", path: $");
    for (uint32_t i = 0; i < json->path_size; i++) {
        const JsonStep *step = &json->path[i];
        if (!step->name.data)
            json_error_text(json, size, "[%" PRIu32 "]", step->index);
        else
            json_error_text(json, size, ".%.*s%s", (int)step->name.size,
                            (const char *)step->name.data, step->suffix);
    }
}

bool json_value_fail(Decoder *json, const char *format, ...) {
    assert(json && format);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(json->error, JSON_ERROR_SIZE, format, args);
    va_end(args);
    size_t size = length < 0 ? 0 : (size_t)length;
    size = size < JSON_ERROR_SIZE ? size : JSON_ERROR_SIZE - 1;
    json_error_path(json, &size);
    return false;
}

bool json_value_misfit(Decoder *json, const JsonField *field, const char *source_type) {
    assert(field->type && source_type);
    Buf type = {0};
    type_print(&type, field->type);
    json_value_fail(json, "Can't convert type. sourceType: %s, requiredType: %s", source_type,
                    buf_cstr(&type));
    buf_free(&type);
    return false;
}

/* == Integers == */

enum { JSON_DAY_MS = 24 * 60 * 60 * 1000 };

bool json_value_i64(Decoder *json, JsonField *field, uint32_t slot, int64_t value) {
    switch (field->kind) {
    case TYPE_TIME:
        if (value < 0 || value >= JSON_DAY_MS)
            return json_value_fail(json, "Time of day is not from 0 to 86399999 ms: %" PRId64,
                                   value);
        break;
    case TYPE_DATE:
        if (value != (int32_t)value)
            return json_value_fail(json, "Date is out of range: %" PRId64 " days", value);
        break;
    default:
        assert(field->kind == TYPE_INT || field->kind == TYPE_BIGINT ||
               field->kind == TYPE_TIMESTAMP);
    }
    if (!field->used)
        return true;
    if (field->width == sizeof(int64_t))
        field->i64[slot] = value;
    else
        field->i32[slot] = (int32_t)(uint32_t)value;
    json_column_present(field, slot);
    return true;
}

/* The integer part modulo 2^64 of a JSON number of any size. */
static int64_t json_integer_part(Bytes text) {
    assert(text.size > 0);
    const uint8_t *at = text.data, *end = at + text.size;
    bool negative = *at == '-';
    at += negative;
    const uint8_t *mark = at;
    while (mark < end && (*mark | 0x20) != 'e')
        mark++;
    int64_t exponent = 0;
    if (mark < end) {
        bool below = mark[1] == '-';
        for (const uint8_t *e = mark + 1 + (below || mark[1] == '+'); e < end; e++)
            if (exponent < INT32_MAX)
                exponent = exponent * 10 + (*e - '0');
        exponent = below ? -exponent : exponent;
    }
    const uint8_t *point = memchr(at, '.', (size_t)(mark - at));
    int64_t left = (point ? point : mark) - at + exponent; /* digits of the integer part */
    uint64_t value = 0;
    for (; at < mark && left > 0; at++) {
        if (*at == '.')
            continue;
        value = value * 10 + (uint64_t)(*at - '0');
        left--;
    }
    for (; left > 0 && value != 0; left--) /* 10^64 is 0 modulo 2^64 */
        value *= 10;
    return (int64_t)(negative ? 0 - value : value);
}

static bool json_value_i64_text(Decoder *json, JsonField *field, uint32_t slot, Bytes text) {
    assert(field->kind != TYPE_DOUBLE);
    int64_t value;
    if (!number_parse_i64(text, &value))
        return json_value_misfit(json, field, "TextNode");
    if (field->kind == TYPE_INT && value != (int32_t)value)
        return json_value_misfit(json, field, "TextNode");
    return json_value_i64(json, field, slot, value);
}

/* == Doubles == */

static bool json_value_f64(JsonField *field, uint32_t slot, double value) {
    assert(field->kind == TYPE_DOUBLE);
    if (field->used) {
        field->f64[slot] = value;
        json_column_present(field, slot);
    }
    return true;
}

/* There is no minus zero among JSON's numbers: Java reads them as BigDecimal first. */
static double json_double(Bytes text) {
    double value = 0;
    bool ok = number_parse_double(text, &value);
    assert(ok);
    (void)ok;
    bool zero = true;
    for (uint32_t i = 0; zero && i < text.size && (text.data[i] | 0x20) != 'e'; i++)
        zero = text.data[i] < '1';
    return zero ? 0.0 : value;
}

/* Java's Double.parseDouble without its hexadecimal form: white space around, a type letter. */
static bool json_double_text(Bytes text, double *value) {
    assert(value);
    while (text.size > 0 && text.data[0] <= ' ')
        text = (Bytes){text.data + 1, text.size - 1};
    while (text.size > 0 && text.data[text.size - 1] <= ' ')
        text.size--;
    if (text.size == 0)
        return false;
    bool negative = text.data[0] == '-';
    uint32_t sign = negative || text.data[0] == '+';
    Bytes rest = {text.data + sign, text.size - sign};
    if (bytes_equal(rest, bytes_of("NaN")))
        *value = NAN;
    else if (bytes_equal(rest, bytes_of("Infinity")))
        *value = negative ? -INFINITY : INFINITY;
    else {
        uint8_t last = text.data[text.size - 1] | 0x20;
        text.size -= last == 'd' || last == 'f';
        return number_parse_double(text, value);
    }
    return true;
}

/* == Decimals, strings, bytes == */

static bool json_value_decimal(Decoder *json, JsonField *field, uint32_t slot, Bytes text) {
    assert(field->kind == TYPE_DECIMAL);
    Decimal value;
    uint32_t precision = field->type->precision, scale = field->type->scale;
    if (!decimal_parse_exact(text, precision, scale, &value)) {
        Buf reason = {0};
        decimal_print_misfit(&reason, text, precision, scale, false);
        json_value_fail(json, "%s", buf_cstr(&reason));
        buf_free(&reason);
        return false;
    }
    if (field->used) {
        decimal_store((uint8_t *)field->data + (size_t)slot * field->width, precision, value);
        json_column_present(field, slot);
    }
    return true;
}

static bool json_value_text(JsonField *field, uint32_t slot, Bytes text) {
    assert(field->used && slot < field->capacity);
    field->bytes[slot] = text;
    json_column_present(field, slot);
    return true;
}

static bool json_value_number_text(Decoder *json, JsonField *field, uint32_t slot, Bytes text) {
    assert(text.size > 0 && field->kind == TYPE_STRING);
    if (!field->used)
        return true;
    uint8_t *room = json_room(json, (size_t)text.size + JSON_NUMBER_GROWTH);
    Bytes printed = json_text_number(room, text);
    if (printed.data != text.data)
        json_room_take(json, printed.data + printed.size);
    return json_value_text(field, slot, printed);
}

static bool json_value_base64(Decoder *json, JsonField *field, uint32_t slot, Bytes text) {
    assert(field->kind == TYPE_BYTES);
    uint32_t size;
    uint8_t *room = field->used ? json_room(json, base64_room(text.size)) : NULL;
    if (!base64_parse(text, room, &size))
        return json_value_fail(json, "Text is not base64, as BYTES must be");
    if (!field->used)
        return true;
    json_room_take(json, room + size);
    return json_value_text(field, slot, (Bytes){room, size});
}

/* == By what the JSON value is == */

/* Jackson's name for it. */
static const char *json_number_type(Bytes text) {
    assert(text.size > 0);
    for (uint32_t i = 0; i < text.size; i++)
        if (text.data[i] == '.' || (text.data[i] | 0x20) == 'e')
            return "DecimalNode";
    int64_t value;
    if (!number_parse_i64(text, &value))
        return "BigIntegerNode";
    return value == (int32_t)value ? "IntNode" : "LongNode";
}

bool json_value_number(Decoder *json, JsonField *field, uint32_t slot, Bytes text) {
    assert(text.size > 0);
    switch (field->kind) {
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_TIME:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
        return json_value_i64(json, field, slot, json_integer_part(text));
    case TYPE_DOUBLE:
        return json_value_f64(field, slot, json_double(text));
    case TYPE_DECIMAL:
        return json_value_decimal(json, field, slot, text);
    case TYPE_STRING:
        return json_value_number_text(json, field, slot, text);
    default:
        return json_value_misfit(json, field, json_number_type(text));
    }
}

bool json_value_string(Decoder *json, JsonField *field, uint32_t slot, Bytes raw, bool escaped) {
    assert(raw.data);
    TypeKind kind = field->kind;
    if (kind == TYPE_STRING && !field->used)
        return true;
    Bytes text = json_text_string(json, raw, escaped);
    double number;
    switch (kind) {
    case TYPE_STRING:
        return json_value_text(field, slot, text);
    case TYPE_BYTES:
        return json_value_base64(json, field, slot, text);
    case TYPE_INT:
    case TYPE_BIGINT:
    case TYPE_TIME:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
        return json_value_i64_text(json, field, slot, text);
    case TYPE_DOUBLE:
        if (!json_double_text(text, &number))
            return json_value_misfit(json, field, "TextNode");
        return json_value_f64(field, slot, number);
    case TYPE_DECIMAL:
        return json_value_decimal(json, field, slot, text);
    default:
        return json_value_misfit(json, field, "TextNode");
    }
}

bool json_value_boolean(Decoder *json, JsonField *field, uint32_t slot, bool value) {
    TypeKind kind = field->kind;
    if (kind != TYPE_BOOLEAN && kind != TYPE_STRING)
        return json_value_misfit(json, field, "BooleanNode");
    if (!field->used)
        return true;
    if (kind == TYPE_STRING)
        return json_value_text(field, slot, bytes_of(value ? "true" : "false"));
    field->boolean[slot] = value;
    json_column_present(field, slot);
    return true;
}

bool json_value_nested_text(Decoder *json, JsonField *field, uint32_t slot, Bytes text) {
    assert(text.size >= 2);
    if (field->kind != TYPE_STRING)
        return json_value_misfit(json, field, *text.data == '{' ? "ObjectNode" : "ArrayNode");
    return !field->used || json_value_text(field, slot, json_text_nested(json, text));
}
