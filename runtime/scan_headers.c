/*
 * scan_headers.c - columns from record headers: HEADERS has all of them as an array of {KEY,
 * VALUE}, HEADER('k') the last one named k.
 */
#include <assert.h>

#include "runtime/scan_impl.h"

enum { HEADERS_MAX = 256 }; /* of one record; further ones are not seen */

static uint32_t read_headers(Bytes encoded, RecordHeader headers[HEADERS_MAX]) {
    return encoded.data ? record_headers_get(encoded, headers, HEADERS_MAX) : 0;
}

static const Column *one_header(const SchemaColumn *column, const Bytes *records, uint32_t count,
                                Arena *arena) {
    assert(column->header);
    assert(column->type->kind == TYPE_BYTES);
    Column *values = column_new(arena, column->type, count);
    Bytes name = bytes_of(column->header);
    RecordHeader headers[HEADERS_MAX];
    for (uint32_t row = 0; row < count; row++) {
        uint32_t found = read_headers(records[row], headers);
        while (found > 0 && !bytes_equal(headers[found - 1].key, name))
            found--;
        if (found == 0 || !headers[found - 1].value.data)
            continue;
        values->bytes[row] = headers[found - 1].value;
        column_set_present(values, row);
    }
    return values;
}

static void put_value(Column *column, uint32_t at, Bytes value) {
    assert(at < column->length);
    if (!value.data)
        return;
    column->bytes[at] = value;
    column_set_present(column, at);
}

static const Column *all_headers(const SchemaColumn *column, const Bytes *records, uint32_t count,
                                 Arena *arena) {
    assert(column->type->kind == TYPE_ARRAY);
    const Type *element = column->type->fields[0].type;
    assert(element->kind == TYPE_STRUCT && element->field_count == 2);
    RecordHeader headers[HEADERS_MAX];
    uint32_t total = 0;
    for (uint32_t row = 0; row < count; row++)
        total += read_headers(records[row], headers);
    Column *arrays = column_new(arena, column->type, count);
    arrays->children = column_new(arena, element, total);
    uint32_t at = 0;
    for (uint32_t row = 0; row < count; row++) {
        uint32_t found = read_headers(records[row], headers);
        arrays->offsets[row] = at;
        column_set_present(arrays, row);
        for (uint32_t i = 0; i < found; i++, at++) {
            column_set_present(arrays->children, at);
            put_value(&arrays->children->children[0], at, headers[i].key);
            put_value(&arrays->children->children[1], at, headers[i].value);
        }
    }
    arrays->offsets[count] = at;
    assert(at == total);
    return arrays;
}

const Column *scan_header_column(const SchemaColumn *column, const Bytes *headers, uint32_t count,
                                 Arena *arena) {
    assert(column->role == COLUMN_HEADERS);
    return column->header ? one_header(column, headers, count, arena)
                          : all_headers(column, headers, count, arena);
}
