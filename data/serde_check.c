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

Bytes serde_utf8(Arena *arena, Bytes text) {
    if (utf8_valid(text))
        return text;
    uint8_t *copy = arena_raw(arena, (size_t)text.size * UTF8_REPAIR_GROWTH);
    return (Bytes){copy, utf8_repair(copy, text)};
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
