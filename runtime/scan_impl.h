/*
 * scan_impl.h - the inside of scans: collected records, and their way to columns.
 */
#ifndef RUNTIME_SCAN_IMPL_H
#define RUNTIME_SCAN_IMPL_H

#include "data/time_pattern.h"
#include "runtime/scan.h"

/* Raw records of a block that is being made; arrays of row_count in its arena. */
typedef struct ScanRecords {
    Bytes *keys, *values, *headers;
    int64_t *timestamp;
    bool any_headers;
} ScanRecords;

typedef struct ScanDecoder {
    const ScanSpec *spec; /* own copy */
    uint32_t value_count; /* columns of role VALUE */
    Decoder *key, *value; /* NULL: no such columns */
    const TimePattern *time_pattern;
    const Column **missing; /* [column]: what stands for columns that are not used */
} ScanDecoder;

/* Copies the spec and compiles the decoders, all in `arena`. */
ErrCode scan_decoder_init(ScanDecoder *decoder, const ScanSpec *spec, Arena *arena, Err *err);

/* Whether a cursor for `spec` can read what this decoder makes. */
bool scan_decoder_fits(const ScanDecoder *decoder, const ScanSpec *spec);

/* Fills the block's columns, kinds, times, good rows and errors from the records. */
ErrCode scan_decode(const ScanDecoder *decoder, const ScanRecords *records, Block *block, Err *err);

/* HEADERS and HEADER('k') columns. */
const Column *scan_header_column(const SchemaColumn *column, const Bytes *headers, uint32_t count,
                                 Arena *arena);

#endif
