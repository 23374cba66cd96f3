/*
 * row_reader_impl.h - what row_reader.c and row_csv.c share.
 */
#ifndef ENGINE_ROW_READER_IMPL_H
#define ENGINE_ROW_READER_IMPL_H

#include "base/buf.h"
#include "base/limits.h"
#include "data/serde.h"
#include "engine/row_reader.h"

enum { ROW_CHUNK_ROWS = BATCH_ROWS_MAX };

struct RowReader {
    RowReaderOptions options;
    Arena *arena;       /* the reader's */
    Arena *chunk_arena; /* the present chunk's */
    SchemaColumn *columns; /* the schema's without header columns */
    uint32_t *places;      /* where each is in the schema */
    bool *used;
    uint32_t column_count;
    Buf window;
    size_t taken;
    uint64_t window_offset; /* of window[0] in the input */
    uint64_t window_line;   /* line number at window[taken] */
    bool input_done;
    bool progress; /* the last chunk call consumed bytes */
    uint64_t skipped;
    Err failure; /* of the row behind those given out last; code OK: none */
    Decoder *decoder;        /* ndjson: whole rows */
    Decoder **cell_decoders; /* csv: one per column, bare values; NULL for STRING */
    int32_t *cell_columns;   /* csv: column of each cell; -1: ignored */
    uint32_t cell_count;
    Bytes *row_cells; /* csv: of the row being cut */
    size_t row_capacity;
};

/* A chunk under construction: rows as they are cut, and what is wrong with each (NULL: nothing). */
typedef struct RowCut {
    RowPlace *places; /* ROW_CHUNK_ROWS */
    const char **faults;
    uint32_t count;
    uint32_t bytes_max;
} RowCut;

ErrCode row_reader_fill(RowReader *reader, Err *err);
void row_cut_init(RowReader *reader, RowCut *cut);

/* Notes a row of `size` bytes that ends in front of window[end]; window_line is behind it. */
void row_cut_add(RowReader *reader, RowCut *cut, uint64_t line, size_t size, size_t end);

/* Gives out the good rows of decoded columns (one per reader->columns); where bad rows are errors,
 * the rows in front of the first, which the next call then returns. */
void row_reader_give(RowReader *reader, const RowCut *cut, Column **columns, RowChunk *chunk);

ErrCode row_csv_open(RowReader *reader, Err *err);
void row_csv_chunk(RowReader *reader, RowChunk *chunk);

#endif
