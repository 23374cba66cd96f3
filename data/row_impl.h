/*
 * row_impl.h - columns under construction: what row_key.c and row_value.c read their bytes into.
 *
 * A RowBuild is a column that takes one value after the other. The columns of a row have their
 * length from the start, the elements of arrays and maps grow by doubling. Every slot not yet
 * taken is zero, so a missing value costs nothing but its place.
 */
#ifndef DATA_ROW_IMPL_H
#define DATA_ROW_IMPL_H

#include "base/err.h"
#include "base/reader.h"
#include "data/column.h"

typedef struct RowBuild RowBuild;

struct RowBuild {
    Column *column; /* column->length: how many values there is room for */
    uint32_t used;
    RowBuild *children;
    Arena *arena;
};

/* Builds for columns of these types, with room for `length` values each. */
RowBuild *row_build_new(Arena *arena, const Type *const *types, uint32_t count, uint32_t length);

/* Takes the next slot: a missing value, or the index of a present one, for the caller to fill. A
 * present array is ended by row_build_end() once its elements are in the children. */
bool row_build_null(RowBuild *build);
bool row_build_slot(RowBuild *build, uint32_t *slot);
void row_build_end(RowBuild *build, uint32_t slot);

/* The finished columns: lengths as used, no validity where nothing is missing. */
void row_build_finish(RowBuild *builds, uint32_t count, Column **columns);

/* The error of a reader or build that stopped within row `index`, of `what`. */
ErrCode row_build_error(const Arena *arena, const char *what, uint32_t index,
                        uint32_t byte, Err *err);

#endif
