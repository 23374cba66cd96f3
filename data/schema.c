/*
 * schema.c - see schema.h.
 *
 * Sources have few columns and names are looked up when statements are planned, never per row:
 * a plain search is all it takes.
 */
#include "data/schema.h"

#include <assert.h>
#include <string.h>

int32_t schema_find(const Schema *schema, const char *name) {
    assert(schema && name);
    for (uint32_t i = 0; i < schema->column_count; i++)
        if (strcmp(schema->columns[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

static void schema_print_column(Buf *out, const SchemaColumn *column) {
    buf_u8(out, '`');
    for (const char *at = column->name; *at; at++) {
        if (*at == '`')
            buf_u8(out, '`');
        buf_u8(out, (uint8_t)*at);
    }
    buf_text(out, "` ");
    type_print(out, column->type);
    if (column->role == COLUMN_KEY)
        buf_text(out, " KEY");
    if (column->role == COLUMN_HEADERS && column->header)
        buf_printf(out, " HEADER('%s')", column->header);
    else if (column->role == COLUMN_HEADERS)
        buf_text(out, " HEADERS");
}

void schema_print(Buf *out, const Schema *schema) {
    assert(schema);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (i > 0)
            buf_text(out, ", ");
        schema_print_column(out, &schema->columns[i]);
    }
}

const Schema *schema_copy(Arena *arena, const Schema *schema) {
    assert(arena && schema);
    Schema *copy = arena_alloc(arena, sizeof *copy);
    SchemaColumn *columns = arena_array(arena, schema->column_count, sizeof *columns);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const SchemaColumn *column = &schema->columns[i];
        columns[i].name = arena_strdup(arena, column->name);
        columns[i].type = type_copy(arena, column->type);
        columns[i].role = column->role;
        columns[i].header = column->header ? arena_strdup(arena, column->header) : NULL;
    }
    *copy = (Schema){columns, schema->column_count, schema->key_count};
    return copy;
}

static bool schema_same_text(const char *left, const char *right) {
    return left && right ? strcmp(left, right) == 0 : left == right;
}

bool schema_equal(const Schema *left, const Schema *right) {
    assert(left && right);
    if (left->column_count != right->column_count || left->key_count != right->key_count)
        return false;
    for (uint32_t i = 0; i < left->column_count; i++) {
        const SchemaColumn *a = &left->columns[i], *b = &right->columns[i];
        if (strcmp(a->name, b->name) != 0 || a->role != b->role ||
            !schema_same_text(a->header, b->header) || !type_equal(a->type, b->type))
            return false;
    }
    return true;
}
