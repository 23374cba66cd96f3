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
    Buf window;
    size_t taken;
    uint64_t window_offset; /* of window[0] in the input */
    uint64_t window_line;   /* line number at window[taken] */
    bool input_done;
    bool progress; /* the last chunk call consumed bytes */
    uint64_t skipped;
    Decoder *decoder;         /* ndjson: whole rows */
    Decoder **cell_decoders;  /* csv: one per column, bare values; NULL for STRING and times */
    int32_t *cell_columns;    /* csv: schema column of each cell; -1: ignored */
    uint32_t cell_count;
};

ErrCode row_reader_fill(RowReader *reader, Err *err);

/* ERR_OK: the row is left out. */
ErrCode row_reader_bad_row(RowReader *reader, uint64_t line, Err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Gives out the good ones of `count` decoded rows. */
void row_reader_give(RowReader *reader, RowChunk *chunk, Column **columns, const uint16_t *good,
                     uint32_t good_count, uint32_t count);

void row_json_open(RowReader *reader);
ErrCode row_json_chunk(RowReader *reader, RowChunk *chunk, Err *err);
ErrCode row_csv_open(RowReader *reader, Err *err);
ErrCode row_csv_chunk(RowReader *reader, RowChunk *chunk, Err *err);

#endif
