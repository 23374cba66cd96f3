/*
 * serde.h - formats: record bytes to columns and back.
 *
 * A Format is one const table (format_json, format_delimited, format_kafka, format_none). A
 * Decoder is compiled once per (format, columns, used columns) and then turns many records into
 * columns in one pass: used columns are converted, the others skipped, and every declared column
 * is checked for type and range, so that whether a record is good never depends on who reads it.
 * No allocation per row: everything comes from the arena of the step or block.
 *
 * Key and value are two decoders. A key decoder sees key columns only, a value decoder value
 * columns only.
 */
#ifndef DATA_SERDE_H
#define DATA_SERDE_H

#include "base/buf.h"
#include "data/column.h"
#include "data/schema.h"

typedef struct SerdeSpec {
    const struct Format *format;
    const SchemaColumn *columns; /* the key's, or the value's (without HEADERS columns) */
    uint32_t column_count;
    bool is_key;
    bool unwrapped; /* one column whose bytes are the bare value */
    char delimiter; /* DELIMITED; ',' by default */
} SerdeSpec;

typedef enum DecodeStatus {
    DECODE_OK,
    DECODE_NULL, /* the record has no bytes (or a bare JSON null): all columns missing */
    DECODE_BAD,  /* the record does not fit: dropped, with a row error */
} DecodeStatus;

/* Called for each bad record with its index; `text` is borrowed during the call. */
typedef void DecodeErrorFn(void *context, uint32_t record, const char *text);

typedef struct Decoder Decoder;
typedef struct Encoder Encoder;

typedef struct DecodeInput {
    const Bytes *records; /* data NULL: no bytes (null key or value) */
    uint32_t count;
    Arena *arena; /* for columns and unescaped strings */
    DecodeErrorFn *error;
    void *error_context;
} DecodeInput;

typedef struct Format {
    const char *name; /* "JSON" */
    bool can_wrap;    /* a single column may be wrapped or bare */
    bool can_unwrap;
    bool multi_column; /* can carry several columns */
    /* Whether the format can carry these columns: FORMAT error in ksqlDB's words. */
    ErrCode (*check)(const SerdeSpec *spec, Err *err);
    /* `used[i]`: column i is to be converted. The decoder lives in `arena` and borrows spec. */
    Decoder *(*decoder_new)(const SerdeSpec *spec, const bool *used, Arena *arena);
    /* Fills columns[i] for used columns (NULL for the others), each of length input->count, and
     * status[0..count). Strings point into the records where they need no unescaping. */
    void (*decode)(Decoder *decoder, const DecodeInput *input, Column **columns, uint8_t *status);
    Encoder *(*encoder_new)(const SerdeSpec *spec, Arena *arena);
    /* Appends the bytes of one row to `out`; *is_null: the row is written as no bytes (a missing
     * bare value). false: the row cannot be written, `reason` says why. */
    bool (*encode)(Encoder *encoder, const Column *const *columns, uint32_t row, Buf *out,
                   bool *is_null, const char **reason);
} Format;

extern const Format format_json, format_delimited, format_kafka, format_none;

/* By name, any case; NULL: none. AVRO, PROTOBUF, ... are known names but not found here. */
const Format *format_find(const char *name);
bool format_is_known_name(const char *name); /* one of ksqlDB's eight */

#endif
