/*
 * batch.h - the rows that an operator sees: a view.
 *
 * Up to 65,535 physical rows lie in columns; `selected` names the ones that count, in order of
 * `seq`. Filter writes the selection, project the list of columns: nothing is copied. Columns,
 * row facts and selection live in the step's arena or in a block that outlives the step.
 *
 * Column order is the schema's of the plan node that made the batch: keys first, then values.
 * Pseudo columns are read from the row facts, windows from window_start and window_end.
 *
 * Row kinds. A row's columns hold the *new* value; with `old` set the batch carries table changes:
 * `old` is a second view over the same rows whose columns hold the value before, and whose
 * selection names the rows that had one. kind ROW_DELETE: the new value is absent (a tombstone);
 * key columns still hold the key. ROW_NULL: a stream record whose value is null: value columns
 * are missing, and it passes through projections as a null value.
 */
#ifndef DATA_BATCH_H
#define DATA_BATCH_H

#include "base/limits.h"
#include "data/column.h"
#include "data/row_error.h"
#include "data/schema.h"

typedef enum RowKind {
    ROW_VALUE,
    ROW_NULL,   /* stream: null value */
    ROW_DELETE, /* table: tombstone */
} RowKind;

typedef struct Batch Batch;

struct Batch {
    const Schema *schema;
    const Column *const *columns; /* schema->column_count of them */
    uint32_t row_count;           /* physical rows in each column and in each array below */
    uint32_t selected_count;
    const uint16_t *selected; /* ascending physical rows */

    /* Facts of physical rows. */
    const uint64_t *seq;
    const int64_t *rowtime;
    const uint8_t *kind;    /* RowKind */
    const int64_t *offset;  /* of the source record, for errors and ROWOFFSET */
    const int64_t *window_start; /* NULL: rows have no window */
    const int64_t *window_end;
    const Bytes *headers; /* of the source record, encoded; NULL: none has any */
    int32_t partition; /* ROWPARTITION */
    const char *topic; /* of the source, for errors */

    Batch *old; /* NULL: not table changes, or old values are not known */

    Arena *arena;      /* the step's */
    RowErrors *errors; /* the task's */
};

/* Reports that this row failed. The row's own value becomes NULL, or the row is dropped: that is
 * the caller's choice. */
void batch_row_error(const Batch *batch, uint32_t row, const char *kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for what is no error but belongs to the log: rows that come too late. */
void batch_row_note(const Batch *batch, uint32_t row, const char *kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* All rows: 0, 1, 2, ... count-1; static memory. */
const uint16_t *batch_all_rows(uint32_t count);

/* The seq of rows that are a step's only ones: 0, 1, 2, ... for BATCH_ROWS_MAX rows; likewise. */
extern const uint64_t batch_first_seq[];

#endif
