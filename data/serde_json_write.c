/*
 * serde_json_write.c - rows to JSON.
 *
 * An encoder is a tree of parts beside the tree of types; what stands before each value - brace or
 * comma, the name escaped, a colon - is made once. Every column and field is written, missing ones
 * as null, in the order of the schema and without white space.
 */
#include <assert.h>
#include <math.h>

#include "base/base64.h"
#include "data/decimal.h"
#include "data/number_text.h"
#include "data/serde_json_impl.h"

enum { JSON_SHORT = 32 }; /* names up to there are copied in one piece */

/* A column, field, element, key or value. */
typedef struct JsonPart JsonPart;

struct JsonPart {
    const Type *type;
    Bytes before; /* {"NAME": or ,"NAME": of a column or field; JSON_SHORT more bytes follow */
    JsonPart *children;
};

struct Encoder {
    bool bare;
    uint32_t count;
    JsonPart *parts;
};

/* == Strings == */

static uint8_t *json_put_escape(uint8_t *at, uint8_t c) {
    assert(c < 0x20 || c == '"' || c == '\\');
    static const char hex[] = "0123456789ABCDEF";
    static const char short_form[] = "btn?fr"; /* of 0x08 to 0x0d */
    *at++ = '\\';
    if (c >= 0x20 || (c >= 0x08 && c <= 0x0d && c != 0x0b)) {
        *at++ = c >= 0x20 ? c : (uint8_t)short_form[c - 0x08];
        return at;
    }
    memcpy(at, "u00", 3);
    at[3] = (uint8_t)hex[c >> 4];
    at[4] = (uint8_t)hex[c & 15];
    return at + 5;
}

/* There is always room for what is left unescaped, one escape and the closing quote. */
void json_print_string(Buf *out, Bytes text) {
    assert(out && (text.data || text.size == 0));
    enum { ESCAPE_SIZE = 6 };
    const uint8_t *at = text.data, *end = at + text.size;
    uint8_t *to = buf_room(out, (size_t)text.size + ESCAPE_SIZE + 2);
    *to++ = '"';
    for (;;) {
        at = at == end ? end : json_copy(&to, at, end);
        if (at == end)
            break;
        to = json_put_escape(to, *at++);
        out->size = (size_t)(to - out->data);
        to = buf_room(out, (size_t)(end - at) + ESCAPE_SIZE + 2);
    }
    *to++ = '"';
    out->size = (size_t)(to - out->data);
}

/* == Compiling == */

static void json_part_init(JsonPart *part, Arena *arena, const Type *type);

/* The parts of an object, each with what stands before it. */
static JsonPart *json_parts_new(Arena *arena, uint32_t count, const TypeField *fields) {
    assert(fields || count == 0);
    JsonPart *parts = arena_array(arena, count, sizeof *parts);
    Buf before = {0};
    for (uint32_t i = 0; i < count; i++) {
        json_part_init(&parts[i], arena, fields[i].type);
        if (!fields[i].name)
            continue;
        buf_reset(&before);
        buf_u8(&before, i == 0 ? '{' : ',');
        json_print_string(&before, bytes_of(fields[i].name));
        buf_u8(&before, ':');
        size_t size = before.size;
        memset(buf_room(&before, JSON_SHORT), 0, JSON_SHORT);
        before.size += JSON_SHORT;
        parts[i].before = arena_bytes(arena, buf_view(&before));
        parts[i].before.size = (uint32_t)size;
    }
    buf_free(&before);
    return parts;
}

static void json_part_init(JsonPart *part, Arena *arena, const Type *type) {
    assert(type);
    part->type = type;
    part->children = json_parts_new(arena, type->field_count, type->fields);
}

Encoder *json_encoder_new(const SerdeSpec *spec, Arena *arena) {
    assert(spec && arena && (!spec->unwrapped || spec->column_count == 1));
    Encoder *encoder = arena_alloc(arena, sizeof *encoder);
    TypeField *fields = arena_array(arena, spec->column_count, sizeof *fields);
    for (uint32_t i = 0; i < spec->column_count; i++)
        fields[i] = (TypeField){spec->columns[i].name, spec->columns[i].type};
    encoder->bare = spec->unwrapped;
    encoder->count = spec->column_count;
    encoder->parts = json_parts_new(arena, spec->column_count, fields);
    return encoder;
}

/* == Values == */

static void json_write_before(Buf *out, Bytes before) {
    assert(before.size > 0);
    uint8_t *to = buf_room(out, (size_t)before.size + JSON_SHORT);
    if (__builtin_expect(before.size <= JSON_SHORT, 1))
        memcpy(to, before.data, JSON_SHORT);
    else
        memcpy(to, before.data, before.size);
    out->size += before.size;
}

static void json_write_value(Buf *out, const JsonPart *part, const Column *column, uint32_t row);

static void json_write_double(Buf *out, double value) {
    bool quoted = !isfinite(value);
    if (quoted)
        buf_u8(out, '"');
    number_print_double(out, value);
    if (quoted)
        buf_u8(out, '"');
}

static void json_write_base64(Buf *out, Bytes bytes) {
    buf_u8(out, '"');
    base64_print(out, bytes);
    buf_u8(out, '"');
}

static void json_write_decimal(Buf *out, const Column *column, uint32_t row) {
    assert(column->type->kind == TYPE_DECIMAL);
    const Type *type = column->type;
    const uint8_t *data = (const uint8_t *)column->data + (size_t)row * type_width(type);
    decimal_print(out, decimal_load(data, type->precision), type->scale);
}

static void json_write_array(Buf *out, const JsonPart *part, const Column *column, uint32_t row) {
    assert(row < column->length);
    buf_u8(out, '[');
    for (uint32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++) {
        if (i > column->offsets[row])
            buf_u8(out, ',');
        json_write_value(out, &part->children[0], &column->children[0], i);
    }
    buf_u8(out, ']');
}

static void json_write_map(Buf *out, const JsonPart *part, const Column *column, uint32_t row) {
    const Column *keys = &column->children[0];
    assert(keys->type->kind == TYPE_STRING);
    buf_u8(out, '{');
    for (uint32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++) {
        if (i > column->offsets[row])
            buf_u8(out, ',');
        if (column_is_null(keys, i))
            buf_text(out, "\"null\""); /* as ksqlDB does */
        else
            json_print_string(out, keys->bytes[i]);
        buf_u8(out, ':');
        json_write_value(out, &part->children[1], &column->children[1], i);
    }
    buf_u8(out, '}');
}

static void json_write_struct(Buf *out, const JsonPart *part, const Column *column,
                              uint32_t row) {
    assert(part->type->kind == TYPE_STRUCT);
    uint32_t count = part->type->field_count;
    if (count == 0)
        buf_u8(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        json_write_before(out, part->children[i].before);
        json_write_value(out, &part->children[i], &column->children[i], row);
    }
    buf_u8(out, '}');
}

static void json_write_value(Buf *out, const JsonPart *part, const Column *column, uint32_t row) {
    assert(part->type->kind == column->type->kind);
    if (column_is_null(column, row)) {
        buf_put(out, "null", 4);
        return;
    }
    switch (part->type->kind) {
    case TYPE_NULL: buf_put(out, "null", 4); break;
    case TYPE_BOOLEAN: buf_text(out, column->boolean[row] ? "true" : "false"); break;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE: number_print_i64(out, column->i32[row]); break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: number_print_i64(out, column->i64[row]); break;
    case TYPE_DOUBLE: json_write_double(out, column->f64[row]); break;
    case TYPE_DECIMAL: json_write_decimal(out, column, row); break;
    case TYPE_STRING: json_print_string(out, column->bytes[row]); break;
    case TYPE_BYTES: json_write_base64(out, column->bytes[row]); break;
    case TYPE_ARRAY: json_write_array(out, part, column, row); break;
    case TYPE_MAP: json_write_map(out, part, column, row); break;
    case TYPE_STRUCT: json_write_struct(out, part, column, row); break;
    }
}

/* == Rows == */

/* What number_put_scaled() takes, INT and BIGINT as what they are; false: another value. */
static inline bool json_small_number(const Column *column, uint32_t row, int64_t *value) {
    const Type *type = column->type;
    switch (type->kind) {
    case TYPE_INT: *value = column->i32[row]; return true;
    case TYPE_BIGINT: *value = column->i64[row]; return true;
    case TYPE_DECIMAL:
        return type->scale <= NUMBER_SCALE_MAX &&
               decimal_load_i64((const uint8_t *)column->data + (size_t)row * type_width(type),
                                type->precision, value);
    default: return false;
    }
}

/* A column with what stands before it: the common kinds are put in place without a call each. */
static void json_write_column(Buf *out, const JsonPart *part, const Column *column,
                              uint32_t row) {
    const TypeKind kind = part->type->kind;
    assert(kind == column->type->kind);
    bool is_null = column_is_null(column, row);
    Bytes text = {NULL, 0};
    if (kind == TYPE_STRING && !is_null)
        text = column->bytes[row];
    uint8_t *to = buf_room(out, (size_t)part->before.size + JSON_SHORT + NUMBER_I64_ROOM +
                                    text.size);
    memcpy(to, part->before.data, JSON_SHORT);
    if (__builtin_expect(part->before.size > JSON_SHORT, 0))
        memcpy(to, part->before.data, part->before.size);
    out->size += part->before.size;
    to += part->before.size;
    int64_t number = 0;
    if (is_null || (kind != TYPE_STRING && !json_small_number(column, row, &number))) {
        json_write_value(out, part, column, row);
        return;
    }
    if (kind == TYPE_STRING) {
        *to++ = '"';
        if (text.size > 0 &&
            json_copy(&to, text.data, text.data + text.size) != text.data + text.size) {
            json_write_value(out, part, column, row); /* once more, with escapes */
            return;
        }
        *to++ = '"';
    } else if (kind == TYPE_DECIMAL) {
        to = number_put_scaled(to, number, column->type->scale);
    } else {
        to = number_put_i64(to, number);
    }
    out->size = (size_t)(to - out->data);
}

static void json_write_row(const Encoder *encoder, const Column *const *columns, uint32_t row,
                           Buf *out) {
    assert(encoder->parts);
    if (encoder->bare) {
        json_write_value(out, &encoder->parts[0], columns[0], row);
        return;
    }
    if (encoder->count == 0)
        buf_u8(out, '{');
    for (uint32_t i = 0; i < encoder->count; i++)
        json_write_column(out, &encoder->parts[i], columns[i], row);
    buf_u8(out, '}');
}

bool json_encode(Encoder *encoder, const Column *const *columns, uint32_t row, Buf *out,
                 bool *is_null, const char **reason) {
    assert(encoder && (columns || encoder->count == 0) && out && is_null && reason);
    (void)reason; /* a row of columns can always be written */
    *is_null = encoder->bare && column_is_null(columns[0], row);
    if (*is_null)
        return true;
    json_write_row(encoder, columns, row, out);
    return true;
}
