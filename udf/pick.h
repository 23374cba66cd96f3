/*
 * pick.h - new columns of single values taken from others, nested ones as well.
 */
#ifndef UDF_PICK_H
#define UDF_PICK_H

#include "data/column.h"

#define PICK_MISSING UINT32_MAX

/* Value i is row rows[i] of sources[which[i]]; PICK_MISSING: NULL. All sources have one type. */
typedef struct Pick {
    const Column *const *sources;
    uint32_t source_count;
    const uint32_t *which; /* NULL: all of sources[0] */
    const uint32_t *rows;
    uint32_t count;
} Pick;

/* Fills *target with a column of `count` values in `arena`; strings are shared, not copied. A
 * source of TYPE_NULL gives NULLs. */
void pick_values(const Pick *pick, const Type *type, Arena *arena, Column *target);

/* Copies the texts and bytes in a column that pick_values() made, at any depth, into the arena. */
void pick_own(Column *column, Arena *arena);

#endif
