/*
 * schema.h - the columns of a source: what they are called, what they hold, where they come from.
 *
 * Order is key columns, then value columns, then header columns as declared among the values.
 * Immutable; lives in the arena of its source or plan.
 */
#ifndef DATA_SCHEMA_H
#define DATA_SCHEMA_H

#include "data/type.h"

typedef enum ColumnRole { COLUMN_KEY, COLUMN_VALUE, COLUMN_HEADERS } ColumnRole;

typedef struct SchemaColumn {
    const char *name;
    const Type *type;
    ColumnRole role;
    const char *header; /* HEADER('k'): k */
} SchemaColumn;

typedef struct Schema {
    const SchemaColumn *columns; /* keys first */
    uint32_t column_count;
    uint32_t key_count;
} Schema;

/* -1: none. Exact names. */
int32_t schema_find(const Schema *schema, const char *name);

/* `ID` INTEGER KEY, `A` STRING: as in ksqlDB's messages and the cases; PRIMARY is never printed. */
void schema_print(Buf *out, const Schema *schema);
const Schema *schema_copy(Arena *arena, const Schema *schema); /* deep */
bool schema_equal(const Schema *left, const Schema *right);

#endif
