/*
 * view.h - parts of columns and batches without copying values.
 *
 * A step takes rows [from, from + count) of a block; what it sees are columns that begin in the
 * middle of the block's. Only validity bits are copied, and only where they do not begin at a word.
 */
#ifndef RUNTIME_VIEW_H
#define RUNTIME_VIEW_H

#include "data/batch.h"

/* Rows [from, from + count) of `column`; valid as long as both the arena and the column. */
const Column *view_column(Arena *arena, const Column *column, uint32_t from, uint32_t count);

/* selected[from, to) of `batch` as a batch whose physical rows are only those between them. */
Batch *view_rows(Arena *arena, const Batch *batch, uint32_t from, uint32_t to);

#endif
