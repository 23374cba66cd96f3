/*
 * serde_impl.h - what the formats DELIMITED, KAFKA and NONE share, and the CSV lines of DELIMITED.
 */
#ifndef DATA_SERDE_IMPL_H
#define DATA_SERDE_IMPL_H

#include "data/serde.h"

enum { SERDE_ERROR_SIZE = 320 };

/* FORMAT errors of check(): `format` cannot carry this column's type (named with `name_column`);
 * `sentence` and then the columns: "... Got: [`A` INTEGER KEY]". */
ErrCode serde_refuse_type(const char *format, const SchemaColumn *column, bool name_column,
                          Err *err);
ErrCode serde_refuse_columns(const char *sentence, const SerdeSpec *spec, Err *err);

/* The text as UTF-8: itself, or a copy where each piece that is none has become U+FFFD. */
Bytes serde_utf8(Arena *arena, Bytes text);

/* Columns to fill: NULL for those that are not used. */
void serde_columns_new(const SerdeSpec *spec, const bool *used, const DecodeInput *input,
                       Column **columns);
/* Takes back what a record that turned out bad has written. */
void serde_columns_clear(Column *const *columns, uint32_t count, uint32_t row);

/* == Lines of comma-separated values: serde_csv.c == */

typedef struct CsvLine {
    Bytes *fields; /* room for field_max; point into the record, or are unquoted in the arena */
    uint32_t field_max;
    uint32_t field_count; /* all there were, also those over field_max */
} CsvLine;

/* Splits the first line of a record; NULL, or why it cannot be read. What lies behind the first
 * line is ignored but must be readable too. */
const char *csv_split(CsvLine *line, Bytes record, char delimiter, Arena *arena);

/* Quotes what was written to `out` from `start` on, where a reader would need it. `first`: it is
 * the first field of its line. */
void csv_quote(Buf *out, size_t start, char delimiter, bool first);

#endif
