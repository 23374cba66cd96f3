/*
 * serde_delimited.c - the format DELIMITED: a line of text, one field a column.
 *
 * An empty field is a missing value, of STRING too. Fields are read as Java reads numbers; DECIMAL
 * must fit without rounding, BYTES are base64, times are integers.
 */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "base/base64.h"
#include "data/decimal.h"
#include "data/number_text.h"
#include "data/serde_impl.h"

enum { TIME_MS_MAX = 24 * 60 * 60 * 1000 - 1, FIELD_SHOWN_MAX = 60 };

struct Decoder {
    const SerdeSpec *spec;
    const bool *used;
    char delimiter;
    CsvLine line;
    Arena *arena; /* of the input */
    char error[SERDE_ERROR_SIZE];
};

struct Encoder {
    const SerdeSpec *spec;
    char delimiter;
};

static char delimiter_of(const SerdeSpec *spec) {
    return spec->delimiter ? spec->delimiter : ',';
}

static ErrCode delimited_check(const SerdeSpec *spec, Err *err) {
    for (uint32_t i = 0; i < spec->column_count; i++)
        if (type_is_nested(spec->columns[i].type))
            return serde_refuse_type("DELIMITED", &spec->columns[i], true, err);
    char delimiter = delimiter_of(spec);
    if (delimiter == '"' || delimiter == '\n' || delimiter == '\r' || (delimiter & 0x80))
        return err_set(err, ERR_FORMAT, "A quote, a line end or a byte that is not ASCII cannot be "
                       "a delimiter.");
    return ERR_OK;
}

static Decoder *delimited_decoder_new(const SerdeSpec *spec, const bool *used, Arena *arena) {
    Decoder *decoder = arena_alloc(arena, sizeof *decoder);
    bool *copy = arena_array(arena, spec->column_count + 1, sizeof *copy);
    memcpy(copy, used, spec->column_count * sizeof *copy);
    decoder->spec = spec;
    decoder->used = copy;
    decoder->delimiter = delimiter_of(spec);
    decoder->line.field_max = spec->column_count;
    decoder->line.fields =
        arena_array(arena, spec->column_count + 1, sizeof *decoder->line.fields);
    return decoder;
}

/* == Reading == */

static bool __attribute__((format(printf, 2, 3)))
decoder_fail(Decoder *decoder, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(decoder->error, sizeof decoder->error, format, args);
    va_end(args);
    return false;
}

/* The field is not what its column needs. */
static bool field_fail(Decoder *decoder, const SchemaColumn *column, Bytes field,
                       const char *needed) {
    bool cut = field.size > FIELD_SHOWN_MAX;
    uint32_t shown = cut ? utf8_whole((Bytes){field.data, FIELD_SHOWN_MAX}) : field.size;
    return decoder_fail(decoder, "Error deserializing delimited: column `%s`: '%.*s'%s is not %s",
                        column->name, (int)shown, (const char *)field.data, cut ? "..." : "",
                        needed);
}

static bool equal_any_case(Bytes text, const char *lower) {
    uint32_t i = 0;
    for (; i < text.size && lower[i]; i++)
        if ((text.data[i] | 0x20) != lower[i])
            return false;
    return i == text.size && !lower[i];
}

static bool read_integer(Decoder *decoder, const SchemaColumn *column, Bytes field,
                         int64_t *value) {
    switch (column->type->kind) {
    case TYPE_INT:
        return (number_parse_i64(field, value) && *value == (int32_t)*value) ||
               field_fail(decoder, column, field, "an INTEGER");
    case TYPE_TIME:
        return (number_parse_i64(field, value) && *value >= 0 && *value <= TIME_MS_MAX) ||
               field_fail(decoder, column, field,
                          "a TIME (milliseconds of a day, 0 to 86399999)");
    case TYPE_DATE:
        return (number_parse_i64(field, value) && *value == (int32_t)*value) ||
               field_fail(decoder, column, field, "a DATE (days since 1970-01-01)");
    case TYPE_TIMESTAMP:
        return number_parse_i64(field, value) ||
               field_fail(decoder, column, field, "a TIMESTAMP (milliseconds since 1970-01-01)");
    default:
        return number_parse_i64(field, value) || field_fail(decoder, column, field, "a BIGINT");
    }
}

/* What Java's Double.parseDouble takes: blanks around, NaN, Infinity, a closing f or d. */
static bool parse_double(Bytes text, double *value) {
    while (text.size > 0 && text.data[0] <= ' ')
        text = (Bytes){text.data + 1, text.size - 1};
    while (text.size > 0 && text.data[text.size - 1] <= ' ')
        text.size--;
    bool negative = text.size > 0 && text.data[0] == '-';
    bool sign = negative || (text.size > 0 && text.data[0] == '+');
    Bytes word = {text.data + sign, text.size - sign};
    if (bytes_equal(word, bytes_of("NaN"))) {
        *value = (double)NAN;
        return true;
    }
    if (bytes_equal(word, bytes_of("Infinity"))) {
        *value = negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (text.size > 1 && strchr("fFdD", text.data[text.size - 1]))
        text.size--;
    return number_parse_double(text, value);
}

static bool read_double(Decoder *decoder, const SchemaColumn *column, Bytes field, double *value) {
    return parse_double(field, value) || field_fail(decoder, column, field, "a DOUBLE");
}

static bool read_decimal(Decoder *decoder, const SchemaColumn *column, Bytes field,
                         Decimal *value) {
    const Type *type = column->type;
    if (decimal_parse_exact(field, type->precision, type->scale, value))
        return true;
    Buf text = {0};
    decimal_print_misfit(&text, field, type->precision, type->scale, false);
    decoder_fail(decoder, "Error deserializing delimited: column `%s`: %s", column->name,
                 buf_cstr(&text));
    buf_free(&text);
    return false;
}

/* `target` NULL: only checks. */
static bool read_bytes(Decoder *decoder, const SchemaColumn *column, Bytes field, Bytes *target) {
    uint8_t *room = target ? arena_raw(decoder->arena, base64_room(field.size)) : NULL;
    uint32_t size = 0;
    if (!base64_parse(field, room, &size))
        return field_fail(decoder, column, field, "base64");
    if (target)
        *target = (Bytes){room, size};
    return true;
}

/* One field into its column, which is NULL where nobody wants it: then it is only checked. */
static bool read_field(Decoder *decoder, uint32_t index, Column *column, uint32_t row) {
    const SchemaColumn *declared = &decoder->spec->columns[index];
    Bytes field = decoder->line.fields[index];
    int64_t integer = 0;
    double number = 0;
    Decimal decimal;
    if (field.size == 0)
        return true;
    if (column)
        column_set_present(column, row);
    switch (declared->type->kind) {
    case TYPE_BOOLEAN:
        if (column)
            column->boolean[row] = equal_any_case(field, "true");
        return true;
    case TYPE_STRING:
        if (column)
            column->bytes[row] = serde_utf8(decoder->arena, field);
        return true;
    case TYPE_BYTES:
        return read_bytes(decoder, declared, field, column ? &column->bytes[row] : NULL);
    case TYPE_DOUBLE:
        if (!read_double(decoder, declared, field, &number))
            return false;
        if (column)
            column->f64[row] = number;
        return true;
    case TYPE_DECIMAL:
        if (!read_decimal(decoder, declared, field, &decimal))
            return false;
        if (column)
            decimal_store((uint8_t *)column->data + (size_t)row * type_width(declared->type),
                          declared->type->precision, decimal);
        return true;
    default:
        if (!read_integer(decoder, declared, field, &integer))
            return false;
        if (column && type_width(declared->type) == 4)
            column->i32[row] = (int32_t)integer;
        else if (column)
            column->i64[row] = integer;
        return true;
    }
}

static bool read_record(Decoder *decoder, Bytes record, Column *const *columns, uint32_t row) {
    const SerdeSpec *spec = decoder->spec;
    const char *fault = csv_split(&decoder->line, record, decoder->delimiter, decoder->arena);
    if (fault)
        return decoder_fail(decoder, "Error deserializing delimited: %s", fault);
    if (decoder->line.field_count != spec->column_count)
        return decoder_fail(decoder, "Error deserializing delimited: column count mismatch, "
                            "expected: %u, got: %u", spec->column_count,
                            decoder->line.field_count);
    for (uint32_t i = 0; i < spec->column_count; i++)
        if (!read_field(decoder, i, columns[i], row))
            return false;
    return true;
}

static void delimited_decode(Decoder *decoder, const DecodeInput *input, Column **columns,
                             uint8_t *status) {
    decoder->arena = input->arena;
    serde_columns_new(decoder->spec, decoder->used, input, columns);
    for (uint32_t i = 0; i < input->count; i++) {
        bool empty = !input->records[i].data || decoder->spec->column_count == 0;
        status[i] = empty ? DECODE_NULL : DECODE_OK;
        if (status[i] == DECODE_NULL || read_record(decoder, input->records[i], columns, i))
            continue;
        status[i] = DECODE_BAD;
        serde_columns_clear(columns, decoder->spec->column_count, i);
        input->error(input->error_context, i, decoder->error);
    }
}

/* == Writing == */

static Encoder *delimited_encoder_new(const SerdeSpec *spec, Arena *arena) {
    Encoder *encoder = arena_alloc(arena, sizeof *encoder);
    encoder->spec = spec;
    encoder->delimiter = delimiter_of(spec);
    return encoder;
}

static void write_value(Buf *out, const Column *column, uint32_t row) {
    const Type *type = column->type;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        buf_text(out, column->boolean[row] ? "true" : "false");
        break;
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE:
        number_print_i64(out, column->i32[row]);
        break;
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP:
        number_print_i64(out, column->i64[row]);
        break;
    case TYPE_DOUBLE:
        number_print_double(out, column->f64[row]);
        break;
    case TYPE_DECIMAL: {
        const uint8_t *data = (const uint8_t *)column->data + (size_t)row * type_width(type);
        decimal_print(out, decimal_load(data, type->precision), type->scale);
        break;
    }
    case TYPE_STRING:
        buf_bytes(out, column->bytes[row]);
        break;
    case TYPE_BYTES:
        base64_print(out, column->bytes[row]);
        break;
    default:
        assert(!type_is_nested(type) && type->kind != TYPE_NULL);
    }
}

static bool is_no_record(const SerdeSpec *spec, const Column *const *columns, uint32_t row) {
    if (spec->column_count == 0)
        return true;
    return spec->is_key && spec->column_count == 1 && column_is_null(columns[0], row);
}

/* A key of one missing column is no key; of several it is a line of delimiters. */
static bool delimited_encode(Encoder *encoder, const Column *const *columns, uint32_t row,
                             Buf *out, bool *is_null, const char **reason) {
    const SerdeSpec *spec = encoder->spec;
    *reason = NULL;
    *is_null = is_no_record(spec, columns, row);
    for (uint32_t i = 0; i < spec->column_count; i++) {
        if (i > 0)
            buf_u8(out, (uint8_t)encoder->delimiter);
        if (column_is_null(columns[i], row))
            continue;
        size_t start = out->size;
        write_value(out, columns[i], row);
        csv_quote(out, start, encoder->delimiter, i == 0);
    }
    return true;
}

const Format format_delimited = {
    .name = "DELIMITED",
    .multi_column = true,
    .check = delimited_check,
    .decoder_new = delimited_decoder_new,
    .decode = delimited_decode,
    .encoder_new = delimited_encoder_new,
    .encode = delimited_encode,
};
