/*
 * row_writer.h - rows of a result as the text of a file: what row_reader.h reads, and two more.
 *
 *   ndjson   one object a line
 *   json     one array of them
 *   csv      RFC 4180: NULL is an empty cell, an empty text is ""
 *   tsv      as PostgreSQL's COPY writes it: NULL is \N, \t \n \r \\ stand for themselves
 */
#ifndef ENGINE_ROW_WRITER_H
#define ENGINE_ROW_WRITER_H

#include "engine/result_impl.h"

typedef enum RowText { ROW_TEXT_NDJSON, ROW_TEXT_JSON, ROW_TEXT_CSV, ROW_TEXT_TSV } RowText;

/* false: no such format. */
bool row_text_find(const char *name, RowText *text);
#define ROW_TEXT_NAMES "ndjson, json, csv, tsv"

/* By the ending of a file's name; ndjson where it says nothing. */
RowText row_text_guess(const char *path);

typedef struct RowWriter {
    RowText text;
    bool header; /* csv, tsv: names of columns first */
    uint64_t rows;
} RowWriter;

/* Appends what stands before the first row, the result's present row, and what ends the text. */
void row_writer_begin(const RowWriter *writer, const WeirResult *result, Buf *out);
void row_writer_row(RowWriter *writer, WeirResult *result, Buf *out);
void row_writer_end(const RowWriter *writer, Buf *out);

#endif
