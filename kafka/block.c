/*
 * block.c - writes record batches around what librdkafka has taken apart.
 *
 * Invariant: a batch is closed before its offsets or bytes would not fit its head.
 */
#include "kafka/block.h"

#include <assert.h>

#include "base/hash.h"
#include "base/limits.h"
#include "storage/record_varint.h"

enum {
    AT_LENGTH = 8,
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21,
    AT_LAST_OFFSET_DELTA = 23,
    AT_BASE_TIMESTAMP = 27,
    AT_MAX_TIMESTAMP = 35,
    AT_PRODUCER_ID = 43,
    AT_COUNT = 57,
    LENGTH_STARTS = 12,
    MAGIC = 2,
    APPEND_TIME = 1 << 3,
    RECORD_EXTRA = 48, /* lengths, deltas and attributes of a record, at their longest */
    BATCH_BYTES = 4 << 20, /* a batch is closed above it; one record more must fit the limit */
};

static inline uint8_t *put_sized(uint8_t *target, uint64_t length, const void *data, size_t size) {
    target = put_varint(target, length);
    if (size > 0)
        memcpy(target, data, size);
    return target + size;
}

void kafka_block_begin(BlockWriter *writer, size_t size) {
    assert(!writer->open && writer->buf.size == 0);
    buf_grow(&writer->buf, size + RECORD_BATCH_HEAD_SIZE);
}

static void batch_open(BlockWriter *writer, int64_t offset, int64_t timestamp) {
    assert(!writer->open);
    writer->open = true;
    writer->batch = writer->buf.size;
    writer->count = 0;
    writer->base_offset = writer->last_offset = offset;
    writer->base_timestamp = writer->max_timestamp = timestamp;
    writer->append_time = false;
    memset(buf_room(&writer->buf, RECORD_BATCH_HEAD_SIZE), 0, RECORD_BATCH_HEAD_SIZE);
    writer->buf.size += RECORD_BATCH_HEAD_SIZE;
}

static void batch_close(BlockWriter *writer) {
    if (!writer->open)
        return;
    uint8_t *head = writer->buf.data + writer->batch;
    size_t size = writer->buf.size - writer->batch;
    assert(size <= RECORD_BATCH_BYTES_MAX);
    put_be(head, (uint64_t)writer->base_offset, 8);
    put_be(head + AT_LENGTH, size - LENGTH_STARTS, 4);
    head[AT_MAGIC] = MAGIC;
    put_be(head + AT_ATTRIBUTES, writer->append_time ? APPEND_TIME : 0, 2);
    put_be(head + AT_LAST_OFFSET_DELTA, (uint64_t)(writer->last_offset - writer->base_offset), 4);
    put_be(head + AT_BASE_TIMESTAMP, (uint64_t)writer->base_timestamp, 8);
    put_be(head + AT_MAX_TIMESTAMP, (uint64_t)writer->max_timestamp, 8);
    memset(head + AT_PRODUCER_ID, 0xff, AT_COUNT - AT_PRODUCER_ID);
    put_be(head + AT_COUNT, writer->count, 4);
    Bytes summed = {head + AT_ATTRIBUTES, (uint32_t)(size - AT_ATTRIBUTES)};
    put_be(head + AT_CRC, hash_crc32c(0, summed), 4);
    writer->open = false;
}

/* The encoded headers, count included; a record without has a zero byte. */
static inline Bytes headers_of(BlockWriter *writer, const rd_kafka_message_t *message) {
    static const uint8_t none = 0;
    LogRecord record;
    rd_kafka_headers_t *found;
    if (rd_kafka_message_headers(message, &found) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return (Bytes){&none, 1};
    kafka_message_record(message, &writer->headers, &record);
    return record.headers;
}

void kafka_block_add(BlockWriter *writer, const rd_kafka_message_t *message) {
    rd_kafka_timestamp_type_t type;
    int64_t offset = message->offset, timestamp = rd_kafka_message_timestamp(message, &type);
    size_t bytes = message->key_len + message->len;
    if (writer->open && (offset - writer->base_offset > INT32_MAX ||
                         writer->buf.size - writer->batch + bytes > BATCH_BYTES))
        batch_close(writer);
    if (!writer->open)
        batch_open(writer, offset, timestamp);
    assert(offset > writer->last_offset || writer->count == 0);
    Bytes headers = headers_of(writer, message);
    uint64_t time_delta = zigzag((int64_t)((uint64_t)timestamp - (uint64_t)writer->base_timestamp));
    uint64_t offset_delta = zigzag(offset - writer->base_offset);
    uint64_t key_length = zigzag(message->key ? (int64_t)message->key_len : -1);
    uint64_t value_length = zigzag(message->payload ? (int64_t)message->len : -1);
    uint64_t size = 1 + (uint64_t)varint_size(time_delta) + varint_size(offset_delta) +
                    varint_size(key_length) + varint_size(value_length) + bytes + headers.size;
    uint8_t *next = buf_room(&writer->buf, (size_t)size + RECORD_EXTRA);
    next = put_varint(next, zigzag((int64_t)size));
    *next++ = 0;
    next = put_varint(next, time_delta);
    next = put_varint(next, offset_delta);
    next = put_sized(next, key_length, message->key, message->key_len);
    next = put_sized(next, value_length, message->payload, message->len);
    memcpy(next, headers.data, headers.size);
    writer->buf.size = (size_t)(next + headers.size - writer->buf.data);
    writer->last_offset = offset;
    writer->append_time |= type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    if (timestamp > writer->max_timestamp)
        writer->max_timestamp = timestamp;
    writer->count++;
}

void kafka_block_cover(BlockWriter *writer, int64_t last_offset) {
    assert(!writer->open || last_offset >= writer->last_offset);
    if (writer->open && last_offset - writer->base_offset > INT32_MAX)
        batch_close(writer);
    if (!writer->open)
        batch_open(writer, last_offset, 0);
    writer->last_offset = last_offset;
}

LogBlock *kafka_block_end(BlockWriter *writer) {
    batch_close(writer);
    Buf buf = writer->buf;
    writer->buf = (Buf){0};
    if (buf.size > 0)
        return log_block_own(buf.data, buf_view(&buf));
    buf_free(&buf);
    return NULL;
}

void kafka_block_free(BlockWriter *writer) {
    buf_free(&writer->buf);
    buf_free(&writer->headers);
    writer->open = false;
}
