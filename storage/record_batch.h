/*
 * record_batch.h - Kafka's RecordBatch v2: the one format of records, in memory, in the journal, in
 * segments and on the wire.
 *
 *   offset size field (big-endian)
 *      0     8  baseOffset            \ outside the CRC: the journal writer patches
 *      8     4  batchLength (after it) | baseOffset and partitionLeaderEpoch
 *     12     4  partitionLeaderEpoch   /
 *     16     1  magic = 2
 *     17     4  crc (CRC-32C of all after it)
 *     21     2  attributes (bits 0-2 compression, 3 timestampType, 4 transactional, 5 control)
 *     23     4  lastOffsetDelta
 *     27     8  baseTimestamp
 *     35     8  maxTimestamp
 *     43     8  producerId  51 2 producerEpoch  53 4 baseSequence
 *     57     4  recordsCount
 *     61        records: length, attributes, timestampDelta, offsetDelta, key, value, headers
 *               as zig-zag varints and bytes; length -1 is null
 */
#ifndef STORAGE_RECORD_BATCH_H
#define STORAGE_RECORD_BATCH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/reader.h"

enum { RECORD_BATCH_HEAD_SIZE = 61 };

typedef struct RecordHeader {
    Bytes key;
    Bytes value; /* data NULL: null */
} RecordHeader;

/* A record as a value: what is appended, and what a reader gives. */
typedef struct LogRecord {
    int64_t offset;
    int64_t timestamp; /* ms */
    Bytes key;         /* data NULL: null (size 0 with data: empty) */
    Bytes value;
    Bytes headers; /* the encoded headers (varint count, then pairs); data NULL: none */
} LogRecord;

/* An open batch being filled: bytes in `buf`, counts beside. Zeroed is empty and ready. */
typedef struct RecordBatch {
    Buf buf;
    uint32_t count;
    int64_t base_timestamp, max_timestamp;
} RecordBatch;

void record_batch_free(RecordBatch *batch);
void record_batch_reset(RecordBatch *batch);

/* Appends a record. record->offset is ignored: offsets are dense from the batch's base. */
void record_batch_add(RecordBatch *batch, const LogRecord *record);

/* At most this many bytes are added by record_batch_add(): whoever fills a batch stays below
 * RECORD_BATCH_BYTES_MAX by asking first. */
uint32_t record_batch_record_size(const LogRecord *record);

/* Fills in the head and the CRC; afterwards buf holds the whole batch with baseOffset 0. Needs at
 * least one record. */
void record_batch_seal(RecordBatch *batch);

/* Facts of an encoded batch whose bytes are checked: lengths, magic, CRC, no compression (yet).
 * CORRUPT with the reason otherwise. */
typedef struct RecordBatchInfo {
    int64_t base_offset, last_offset, base_timestamp, max_timestamp;
    uint32_t size;  /* whole, head included */
    uint32_t count; /* records */
} RecordBatchInfo;

/* `bytes` may go on after the batch. Afterwards the head can be believed; the records are still
 * read with care by record_iter_next(). */
ErrCode record_batch_check(Bytes bytes, RecordBatchInfo *info, Err *err);

/* For batches that others wrote: every record parses, offsets increase, nothing is left over.
 * `batch` is exactly the bytes that record_batch_check() accepted. */
ErrCode record_batch_check_records(Bytes batch, const RecordBatchInfo *info, Err *err);

/* What the length field (in the first 12 bytes) says; CORRUPT when no batch can be so long. */
ErrCode record_batch_size(Bytes bytes, uint32_t *size, Err *err);

/* Facts of a head (the first RECORD_BATCH_HEAD_SIZE bytes), plausible but not proved: no sum is
 * looked at. false: no such batch can be. */
bool record_batch_peek(Bytes head, RecordBatchInfo *info);

/* The offset behind a batch whose head can be believed, with or without records. */
int64_t record_batch_end(Bytes batch);

/* Writes the two fields that lie outside the CRC. */
void record_batch_patch(uint8_t *batch, int64_t base_offset, int32_t leader_epoch);

/* Walks the records of a checked batch. */
typedef struct RecordIter {
    Reader reader;
    int64_t base_offset, base_timestamp;
    uint32_t left;
} RecordIter;

void record_iter_init(RecordIter *iter, Bytes batch);
bool record_iter_next(RecordIter *iter, LogRecord *record); /* false: end, or damaged bytes */

/* Encodes and walks headers. */
void record_headers_put(Buf *out, const RecordHeader *headers, uint32_t count);
uint32_t record_headers_get(Bytes encoded, RecordHeader *headers, uint32_t max);

#endif
