/*
 * row_reader.h - rows of a text file (ndjson or csv) as columns of a schema: COPY, weir_insert().
 *
 * ndjson: one JSON object a line, members by column name in any case. csv: RFC 4180 quoting, first
 * line names the columns (HEADER), or columns in the schema's order. A cell that is empty and not
 * quoted is NULL. Blank lines are skipped. Rows come in chunks; a bad row is an error that names
 * file and line, or is left out and counted.
 */
#ifndef ENGINE_ROW_READER_H
#define ENGINE_ROW_READER_H

#include "base/io_input.h"
#include "data/column.h"
#include "data/schema.h"

typedef enum RowFormat { ROW_FORMAT_NDJSON, ROW_FORMAT_CSV } RowFormat;

typedef struct RowReaderOptions {
    const Schema *schema;
    RowFormat format;
    bool header;      /* csv */
    bool skip_errors; /* leave bad rows out */
    IoInput *input;   /* borrowed; NULL: `text` */
    Bytes text;
    const char *name; /* for messages: the file's name */
    void (*skipped)(void *context, const char *message); /* each row left out; may be NULL */
    void *context;
} RowReaderOptions;

typedef struct RowChunk {
    const Column *const *columns; /* schema->column_count */
    uint32_t count;
    uint64_t end_offset; /* bytes of input behind the chunk's last row */
    uint64_t end_line;
} RowChunk;

typedef struct RowReader RowReader;

ErrCode row_reader_new(const RowReaderOptions *options, RowReader **reader, Err *err);
void row_reader_free(RowReader *reader); /* NULL is allowed */

/* The next rows, borrowed until the next call. *more false: this chunk is the last. */
ErrCode row_reader_next(RowReader *reader, RowChunk *chunk, bool *more, Err *err);

/* Goes on at a place that an earlier chunk gave; a csv header is read first all the same. */
ErrCode row_reader_resume(RowReader *reader, uint64_t offset, uint64_t line, Err *err);

uint64_t row_reader_skipped(const RowReader *reader);

#endif
