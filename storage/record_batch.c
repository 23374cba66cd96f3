/*
 * record_batch.c - writes and reads Kafka's RecordBatch v2.
 *
 * A record's length comes before its bytes as a varint, so sizes are computed first and every byte
 * is written once. Reading trusts nothing: record_batch_check() proves the head and the sum,
 * record_iter_next() stays inside the batch whatever the records claim.
 */
#include "storage/record_batch.h"

#include <assert.h>
#include <inttypes.h>

#include "base/hash.h"
#include "base/limits.h"
#include "storage/record_varint.h"

enum {
    AT_BATCH_LENGTH = 8,
    AT_LEADER_EPOCH = 12,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21,
    AT_LAST_OFFSET_DELTA = 23,
    AT_BASE_TIMESTAMP = 27,
    AT_MAX_TIMESTAMP = 35,
    AT_PRODUCER_ID = 43,
    AT_PRODUCER_EPOCH = 51,
    AT_BASE_SEQUENCE = 53,
    AT_COUNT = 57,

    LENGTH_STARTS = 12, /* batchLength counts what follows it */
    MAGIC = 2,
    COMPRESSION_MASK = 7,
    VARINT_SIZE_MAX = 10,
    RECORD_SIZE_MIN = 7, /* length, attributes, two deltas, two null lengths, no headers */
    RECORD_VARINTS_MAX = 6 * VARINT_SIZE_MAX + 1, /* what a record adds to its bytes, at most */
};

/* == Integers ================================================================================= */

static uint64_t get_be(const uint8_t *source, unsigned size) {
    assert(size <= 8);
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | source[i];
    return value;
}

static inline int64_t unzigzag(uint64_t value) {
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static const uint8_t *get_long_zigzag(const uint8_t *next, const uint8_t *end, int64_t *value) {
    uint64_t bits = 0;
    for (unsigned shift = 0; next < end && shift < 70; shift += 7) {
        uint8_t byte = *next++;
        if (shift == 63 && byte > 1)
            return NULL;
        bits |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = unzigzag(bits);
            return next;
        }
    }
    return NULL;
}

/* The zig-zag integer at `next`; NULL when it is cut off or too long. Most have a byte or two. */
static inline const uint8_t *get_zigzag(const uint8_t *next, const uint8_t *end, int64_t *value) {
    if (end - next < 2)
        return get_long_zigzag(next, end, value);
    if (next[0] < 0x80) {
        *value = unzigzag(next[0]);
        return next + 1;
    }
    if (next[1] < 0x80) {
        *value = unzigzag((next[0] & 0x7fU) | (uint64_t)next[1] << 7);
        return next + 2;
    }
    return get_long_zigzag(next, end, value);
}

/* == Writing ================================================================================== */

void record_batch_free(RecordBatch *batch) {
    assert(batch);
    buf_free(&batch->buf);
    *batch = (RecordBatch){0};
}

void record_batch_reset(RecordBatch *batch) {
    assert(batch);
    buf_reset(&batch->buf);
    batch->count = 0;
    batch->base_timestamp = batch->max_timestamp = 0;
}

static inline uint64_t bytes_length(Bytes bytes) {
    return bytes.data ? zigzag(bytes.size) : zigzag(-1);
}

static inline uint8_t *put_sized(uint8_t *target, uint64_t length, Bytes bytes) {
    assert(bytes.data || bytes.size == 0);
    target = put_varint(target, length);
    if (bytes.size > 0)
        memcpy(target, bytes.data, bytes.size);
    return target + bytes.size;
}

static void record_batch_start(RecordBatch *batch, int64_t timestamp) {
    assert(batch->count == 0);
    assert(batch->buf.size == 0);
    memset(buf_room(&batch->buf, RECORD_BATCH_HEAD_SIZE), 0, RECORD_BATCH_HEAD_SIZE);
    batch->buf.size = RECORD_BATCH_HEAD_SIZE;
    batch->base_timestamp = batch->max_timestamp = timestamp;
}

void record_batch_add(RecordBatch *batch, const LogRecord *record) {
    assert(record->key.data || record->key.size == 0);
    assert(record->value.data || record->value.size == 0);
    if (batch->count == 0)
        record_batch_start(batch, record->timestamp);
    /* The difference wraps, and so does the reader's sum: any two timestamps fit a batch. */
    uint64_t time_delta =
        zigzag((int64_t)((uint64_t)record->timestamp - (uint64_t)batch->base_timestamp));
    uint64_t offset_delta = zigzag(batch->count);
    uint64_t key_length = bytes_length(record->key), value_length = bytes_length(record->value);
    static const uint8_t no_headers = 0;
    Bytes headers = record->headers.size > 0 ? record->headers : (Bytes){&no_headers, 1};

    uint64_t size = 1 + (uint64_t)varint_size(time_delta) + varint_size(offset_delta) +
                    varint_size(key_length) + record->key.size + varint_size(value_length) +
                    record->value.size + headers.size;
    uint8_t *next = buf_room(&batch->buf, (size_t)size + VARINT_SIZE_MAX);
    next = put_varint(next, zigzag((int64_t)size));
    *next++ = 0;
    next = put_varint(next, time_delta);
    next = put_varint(next, offset_delta);
    next = put_sized(next, key_length, record->key);
    next = put_sized(next, value_length, record->value);
    memcpy(next, headers.data, headers.size);
    batch->buf.size = (size_t)(next + headers.size - batch->buf.data);
    if (record->timestamp > batch->max_timestamp)
        batch->max_timestamp = record->timestamp;
    batch->count++;
}

static uint32_t batch_crc(const uint8_t *batch, uint32_t size) {
    assert(size >= RECORD_BATCH_HEAD_SIZE);
    return hash_crc32c(0, (Bytes){batch + AT_ATTRIBUTES, size - AT_ATTRIBUTES});
}

void record_batch_seal(RecordBatch *batch) {
    assert(batch->buf.size > RECORD_BATCH_HEAD_SIZE);
    assert(batch->count > 0);
    assert(batch->buf.size <= RECORD_BATCH_BYTES_MAX);
    uint32_t size = (uint32_t)batch->buf.size;
    uint8_t *head = batch->buf.data;
    put_be(head, 0, 8);
    put_be(head + AT_BATCH_LENGTH, size - LENGTH_STARTS, 4);
    put_be(head + AT_LEADER_EPOCH, 0, 4);
    head[AT_MAGIC] = MAGIC;
    put_be(head + AT_ATTRIBUTES, 0, 2);
    put_be(head + AT_LAST_OFFSET_DELTA, batch->count - 1, 4);
    put_be(head + AT_BASE_TIMESTAMP, (uint64_t)batch->base_timestamp, 8);
    put_be(head + AT_MAX_TIMESTAMP, (uint64_t)batch->max_timestamp, 8);
    put_be(head + AT_PRODUCER_ID, UINT64_MAX, 8);
    put_be(head + AT_PRODUCER_EPOCH, UINT16_MAX, 2);
    put_be(head + AT_BASE_SEQUENCE, UINT32_MAX, 4);
    put_be(head + AT_COUNT, batch->count, 4);
    put_be(head + AT_CRC, batch_crc(head, size), 4);
}

uint32_t record_batch_record_size(const LogRecord *record) {
    uint64_t size = (uint64_t)record->key.size + record->value.size + record->headers.size;
    assert(size <= UINT32_MAX - RECORD_VARINTS_MAX);
    return (uint32_t)size + RECORD_VARINTS_MAX;
}

void record_batch_patch(uint8_t *batch, int64_t base_offset, int32_t leader_epoch) {
    assert(leader_epoch >= -1);
    assert(batch);
    assert(base_offset >= 0);
    put_be(batch, (uint64_t)base_offset, 8);
    put_be(batch + AT_LEADER_EPOCH, (uint32_t)leader_epoch, 4);
}

/* == Checking ================================================================================= */

ErrCode record_batch_size(Bytes bytes, uint32_t *size, Err *err) {
    assert(size);
    if (bytes.size < LENGTH_STARTS)
        return err_set(err, ERR_CORRUPT, "record batch: cut off after %u bytes", bytes.size);
    uint64_t length = get_be(bytes.data + AT_BATCH_LENGTH, 4);
    if (length < RECORD_BATCH_HEAD_SIZE - LENGTH_STARTS ||
        length > RECORD_BATCH_BYTES_MAX - LENGTH_STARTS)
        return err_set(err, ERR_CORRUPT, "record batch: impossible length %" PRIu64, length);
    *size = (uint32_t)length + LENGTH_STARTS;
    return ERR_OK;
}

/* Facts of a head that lies whole in memory; nothing is checked. */
static RecordBatchInfo batch_info(const uint8_t *head, uint32_t size) {
    assert(head);
    RecordBatchInfo info = {
        .base_offset = (int64_t)get_be(head, 8),
        .base_timestamp = (int64_t)get_be(head + AT_BASE_TIMESTAMP, 8),
        .max_timestamp = (int64_t)get_be(head + AT_MAX_TIMESTAMP, 8),
        .size = size,
        .count = (uint32_t)get_be(head + AT_COUNT, 4),
    };
    uint32_t last_delta = (uint32_t)get_be(head + AT_LAST_OFFSET_DELTA, 4);
    info.last_offset = (int64_t)((uint64_t)info.base_offset + last_delta);
    return info;
}

static ErrCode batch_check_counts(const uint8_t *head, const RecordBatchInfo *info, Err *err) {
    assert(info->size >= RECORD_BATCH_HEAD_SIZE);
    uint32_t last_delta = (uint32_t)get_be(head + AT_LAST_OFFSET_DELTA, 4);
    uint64_t attributes = get_be(head + AT_ATTRIBUTES, 2);
    if (attributes & COMPRESSION_MASK)
        return err_set(err, ERR_CORRUPT, "record batch: compression type %u is not supported",
                       (unsigned)(attributes & COMPRESSION_MASK));
    if (info->base_offset < 0 || last_delta > INT32_MAX ||
        info->base_offset > INT64_MAX - 1 - (int64_t)last_delta)
        return err_set(err, ERR_CORRUPT, "record batch: impossible offsets %" PRId64 " + %u",
                       info->base_offset, last_delta);
    uint32_t room = info->size - RECORD_BATCH_HEAD_SIZE;
    /* Without a record: compaction leaves such ones, and a cluster's markers. */
    if (info->count > room / RECORD_SIZE_MIN || (info->count > 0 && last_delta < info->count - 1))
        return err_set(err, ERR_CORRUPT, "record batch: impossible count %u of records in %u bytes",
                       info->count, info->size);
    return ERR_OK;
}

ErrCode record_batch_check(Bytes bytes, RecordBatchInfo *info, Err *err) {
    assert(info);
    uint32_t size;
    TRY(record_batch_size(bytes, &size, err));
    if (size > bytes.size)
        return err_set(err, ERR_CORRUPT, "record batch: %u bytes, cut off after %u", size,
                       bytes.size);
    const uint8_t *head = bytes.data;
    if (head[AT_MAGIC] != MAGIC)
        return err_set(err, ERR_CORRUPT, "record batch: format version %u, not %d", head[AT_MAGIC],
                       MAGIC);
    uint32_t want = (uint32_t)get_be(head + AT_CRC, 4), is = batch_crc(head, size);
    if (want != is)
        return err_set(err, ERR_CORRUPT, "record batch: checksum %08x, not %08x", is, want);
    RecordBatchInfo facts = batch_info(head, size);
    TRY(batch_check_counts(head, &facts, err));
    *info = facts;
    return ERR_OK;
}

bool record_batch_peek(Bytes head, RecordBatchInfo *info) {
    assert(info);
    uint32_t size;
    Err unread;
    if (head.size < RECORD_BATCH_HEAD_SIZE || record_batch_size(head, &size, &unread) != ERR_OK ||
        head.data[AT_MAGIC] != MAGIC)
        return false;
    *info = batch_info(head.data, size);
    return batch_check_counts(head.data, info, &unread) == ERR_OK;
}

int64_t record_batch_end(Bytes batch) {
    assert(batch.size >= RECORD_BATCH_HEAD_SIZE);
    return batch_info(batch.data, batch.size).last_offset + 1;
}

/* == Walking ================================================================================== */

void record_iter_init(RecordIter *iter, Bytes batch) {
    assert(batch.size >= RECORD_BATCH_HEAD_SIZE);
    RecordBatchInfo info = batch_info(batch.data, batch.size);
    iter->reader = reader_of((Bytes){batch.data + RECORD_BATCH_HEAD_SIZE,
                                     batch.size - RECORD_BATCH_HEAD_SIZE});
    iter->base_offset = info.base_offset;
    iter->base_timestamp = info.base_timestamp;
    iter->left = info.count;
}

/* A length and its bytes; -1 is null. An empty run keeps a pointer, which tells it from null. */
static inline const uint8_t *get_sized(const uint8_t *next, const uint8_t *end, Bytes *bytes) {
    assert(next <= end);
    int64_t length;
    next = get_zigzag(next, end, &length);
    if (!next || length < -1 || length > end - next)
        return NULL;
    *bytes = length < 0 ? (Bytes){NULL, 0} : (Bytes){next, (uint32_t)length};
    return next + bytes->size;
}

/* The record in [next, end), which is exactly its length. */
static inline bool record_parse(RecordIter *iter, const uint8_t *next, const uint8_t *end,
                                LogRecord *record) {
    assert(next <= end);
    int64_t time_delta, offset_delta;
    if (next == end)
        return false;
    next = get_zigzag(next + 1, end, &time_delta);
    if (!next || !(next = get_zigzag(next, end, &offset_delta)))
        return false;
    if (offset_delta < 0 || offset_delta > INT32_MAX)
        return false;
    if (!(next = get_sized(next, end, &record->key)) ||
        !(next = get_sized(next, end, &record->value)) || next == end)
        return false;
    record->timestamp = (int64_t)((uint64_t)iter->base_timestamp + (uint64_t)time_delta);
    record->offset = iter->base_offset + offset_delta;
    bool none = end - next == 1 && *next == 0;
    record->headers = none ? (Bytes){NULL, 0} : (Bytes){next, (uint32_t)(end - next)};
    return true;
}

bool record_iter_next(RecordIter *iter, LogRecord *record) {
    assert(record);
    Reader *reader = &iter->reader;
    int64_t length;
    if (iter->left == 0 || reader->failed)
        return false;
    const uint8_t *start = get_zigzag(reader->next, reader->end, &length);
    if (!start || length < 0 || length > reader->end - start ||
        !record_parse(iter, start, start + length, record)) {
        reader->failed = true;
        return false;
    }
    reader->next = start + length;
    iter->left--;
    return true;
}

/* == Headers ================================================================================== */

void record_headers_put(Buf *out, const RecordHeader *headers, uint32_t count) {
    assert(out);
    buf_zigzag(out, count);
    for (uint32_t i = 0; i < count; i++) {
        assert(headers[i].key.data || headers[i].key.size == 0);
        buf_zigzag(out, headers[i].key.size);
        buf_bytes(out, headers[i].key);
        buf_zigzag(out, headers[i].value.data ? (int64_t)headers[i].value.size : -1);
        buf_bytes(out, headers[i].value);
    }
}

uint32_t record_headers_get(Bytes encoded, RecordHeader *headers, uint32_t max) {
    assert(headers || max == 0);
    const uint8_t *next = encoded.data, *end = encoded.data + encoded.size;
    int64_t count;
    if (encoded.size == 0 || !(next = get_zigzag(next, end, &count)) || count < 0)
        return 0;
    uint32_t got = 0;
    while (got < max && (int64_t)got < count) {
        RecordHeader header;
        if (!(next = get_sized(next, end, &header.key)) || !header.key.data ||
            !(next = get_sized(next, end, &header.value)))
            break;
        headers[got++] = header;
    }
    return got;
}

/* The declared number of headers, and nothing else. */
static bool headers_whole(Bytes encoded) {
    assert(encoded.data || encoded.size == 0);
    const uint8_t *next = encoded.data, *end = encoded.data + encoded.size;
    int64_t count = 0;
    RecordHeader header;
    if (encoded.size == 0)
        return true;
    next = get_zigzag(next, end, &count);
    for (; next && count > 0; count--) {
        next = get_sized(next, end, &header.key);
        if (next && header.key.data)
            next = get_sized(next, end, &header.value);
        else
            return false;
    }
    return next == end && count == 0;
}

ErrCode record_batch_check_records(Bytes batch, const RecordBatchInfo *info, Err *err) {
    assert(batch.size == info->size);
    RecordIter iter;
    LogRecord record;
    record_iter_init(&iter, batch);
    int64_t previous = info->base_offset - 1;
    bool good = true;
    while (good && record_iter_next(&iter, &record)) {
        good = record.offset > previous && record.offset <= info->last_offset &&
               headers_whole(record.headers);
        previous = good ? record.offset : previous;
    }
    if (!good || iter.left > 0 || reader_left(&iter.reader) > 0)
        return err_set(err, ERR_CORRUPT, "record batch: damaged after offset %" PRId64, previous);
    return ERR_OK;
}
