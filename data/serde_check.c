/*
 * serde_check.c - see serde_impl.h: refusing columns, checking text, filling columns.
 */
#include <assert.h>

#include "base/utf8.h"
#include "data/serde_impl.h"

/* STRUCT<`A` INTEGER> is a STRUCT here. */
static const char *kind_name(Buf *text, const Type *type) {
    type_print(text, type);
    buf_cstr(text);
    text->data[strcspn((const char *)text->data, "<(")] = 0;
    return (const char *)text->data;
}

ErrCode serde_refuse_type(const char *format, const SchemaColumn *column, bool name_column,
                          Err *err) {
    Buf text = {0};
    ErrCode code = err_set(err, ERR_FORMAT, "The '%s' format does not support type '%s'%s%s%s",
                           format, kind_name(&text, column->type),
                           name_column ? ", column: `" : "", name_column ? column->name : "",
                           name_column ? "`" : "");
    buf_free(&text);
    return code;
}

ErrCode serde_refuse_columns(const char *sentence, const SerdeSpec *spec, Err *err) {
    Buf text = {0};
    Schema schema = {
        .columns = spec->columns,
        .column_count = spec->column_count,
        .key_count = spec->is_key ? spec->column_count : 0,
    };
    schema_print(&text, &schema);
    ErrCode code = err_set(err, ERR_FORMAT, "%s Got: [%s]", sentence, buf_cstr(&text));
    buf_free(&text);
    return code;
}

/* The range of second bytes that may follow a lead byte, and how many bytes follow in all. As in
 * Java, a surrogate is one piece, though it is no character. */
static uint32_t lead_shape(uint8_t lead, uint8_t *low, uint8_t *high) {
    *low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    *high = lead == 0xF4 ? 0x8F : 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 1;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 2;
    return lead >= 0xF0 && lead <= 0xF4 ? 3 : 0;
}

/* Size of the longest beginning of a character at `at`; *whole: it is one. */
static uint32_t character_size(const uint8_t *at, const uint8_t *end, bool *whole) {
    uint8_t low, high;
    uint32_t size = 1;
    *whole = *at < 0x80;
    if (*whole)
        return size;
    uint32_t more = lead_shape(*at, &low, &high);
    while (size <= more && at + size < end && at[size] >= low && at[size] <= high) {
        size++;
        low = 0x80;
        high = 0xBF;
    }
    bool surrogate = *at == 0xED && size > 1 && at[1] >= 0xA0;
    *whole = more > 0 && size == more + 1 && !surrogate;
    return size;
}

Bytes serde_utf8(Arena *arena, Bytes text) {
    if (utf8_valid(text))
        return text;
    static const uint8_t replacement[3] = {0xEF, 0xBF, 0xBD};
    uint8_t *copy = arena_raw(arena, (size_t)text.size * sizeof replacement);
    uint32_t size = 0;
    const uint8_t *end = text.data + text.size;
    bool whole;
    for (const uint8_t *at = text.data; at < end;) {
        uint32_t taken = character_size(at, end, &whole);
        uint32_t put = whole ? taken : (uint32_t)sizeof replacement;
        memcpy(copy + size, whole ? at : replacement, put);
        size += put;
        at += taken;
    }
    return (Bytes){copy, size};
}

void serde_columns_new(const SerdeSpec *spec, const bool *used, const DecodeInput *input,
                       Column **columns) {
    for (uint32_t i = 0; i < spec->column_count; i++)
        columns[i] = used[i] ? column_new(input->arena, spec->columns[i].type, input->count)
                             : NULL;
}

void serde_columns_clear(Column *const *columns, uint32_t count, uint32_t row) {
    for (uint32_t i = 0; i < count; i++) {
        if (!columns[i])
            continue;
        uint32_t width = type_width(columns[i]->type);
        assert(width > 0); /* no nested types in these formats */
        column_set_null(columns[i], row);
        memset((uint8_t *)columns[i]->data + (size_t)row * width, 0, width);
    }
}
