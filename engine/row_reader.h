/*
 * row_reader.h - rows of a text file (ndjson or csv) as columns of a schema: COPY, weir_insert().
 *
 * ndjson: one JSON object a line, members by column name in any case. csv: RFC 4180 quoting, first
 * line names the columns (HEADER), or columns in the schema's order. A cell that is empty and not
 * quoted is NULL. Blank lines are skipped. Header columns of the schema are never read: a file has
 * no record headers. Rows come in chunks; a bad row is an error that names file and line, or is
 * left out and counted.
 */
#ifndef ENGINE_ROW_READER_H
#define ENGINE_ROW_READER_H

#include "base/io_input.h"
#include "data/column.h"
#include "data/schema.h"

typedef enum RowFormat { ROW_FORMAT_NDJSON, ROW_FORMAT_CSV } RowFormat;

typedef struct RowReaderOptions {
    const Schema *schema;
    const bool *used; /* per column: whether its values are wanted; NULL: all. All are checked. */
    RowFormat format;
    bool header;      /* csv */
    bool skip_errors; /* leave bad rows out */
    IoInput *input;   /* borrowed; NULL: `text` */
    Bytes text;
    const char *name; /* for messages: the file's name */
    /* Hints: each row left out, columns of a csv file that the schema lacks; may be NULL. */
    void (*notice)(void *context, const char *message);
    /* Called while the input has nothing: at once, then again and again; a failure ends the wait.
     * Everything given out before is the caller's to finish. May be NULL. */
    ErrCode (*waiting)(void *context, Err *err);
    void *context;
} RowReaderOptions;

/* Where a row stands: enough to name it, and to go on behind it. */
typedef struct RowPlace {
    uint64_t line;       /* its first */
    uint64_t end_offset; /* bytes of input up to its end */
    uint64_t end_line;   /* the number of the line behind it */
} RowPlace;

typedef struct RowChunk {
    const Column *const *columns; /* schema->column_count; NULL: not used, or a header column */
    const RowPlace *places;
    uint32_t count;
    uint32_t bytes_max; /* of the longest row, as it stands in the file */
} RowChunk;

typedef struct RowReader RowReader;

ErrCode row_reader_new(const RowReaderOptions *options, RowReader **reader, Err *err);
void row_reader_free(RowReader *reader); /* NULL is allowed */

/* The next rows, borrowed until the next call. *more false: this chunk is the last. Rows in front
 * of a bad one are given out before its error comes. */
ErrCode row_reader_next(RowReader *reader, RowChunk *chunk, bool *more, Err *err);

/* Says that a row that was given out is bad all the same: the error that names it, or ERR_OK where
 * bad rows are left out (then it has been counted). */
ErrCode row_reader_reject(RowReader *reader, uint64_t line, Err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Goes on behind a row that this or an earlier reader of the same file gave; a csv header is read
 * first all the same. */
ErrCode row_reader_resume(RowReader *reader, uint64_t offset, uint64_t line, Err *err);

/* Behind what was given out: where a reader of the same file would go on. */
void row_reader_place(const RowReader *reader, uint64_t *offset, uint64_t *line);

uint64_t row_reader_skipped(const RowReader *reader);

#endif
