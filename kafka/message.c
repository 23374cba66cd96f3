/*
 * message.c - librdkafka's messages are taken apart already: key, value, time, headers.
 */
#include "kafka/message.h"

#include <assert.h>

enum { HEADERS_SOME = 64 };

/* Null and empty are two things; librdkafka says null by a null pointer. */
static Bytes message_bytes(const void *data, size_t size) {
    assert(size <= UINT32_MAX);
    return (Bytes){data, (uint32_t)size};
}

static Bytes message_headers(const rd_kafka_headers_t *found, Buf *target) {
    RecordHeader some[HEADERS_SOME];
    Buf many = {0};
    uint32_t count = (uint32_t)rd_kafka_header_cnt(found);
    RecordHeader *headers = some;
    if (count > HEADERS_SOME) {
        headers = (RecordHeader *)(void *)buf_room(&many, count * sizeof *headers);
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t size = 0;
        (void)rd_kafka_header_get_all(found, i, &name, &value, &size);
        headers[i] = (RecordHeader){bytes_of(name), message_bytes(value, size)};
    }
    buf_reset(target);
    record_headers_put(target, headers, count);
    buf_free(&many);
    return buf_view(target);
}

void kafka_message_record(const rd_kafka_message_t *message, Buf *headers, LogRecord *record) {
    rd_kafka_timestamp_type_t type;
    rd_kafka_headers_t *found;
    *record = (LogRecord){.offset = message->offset,
                          .timestamp = rd_kafka_message_timestamp(message, &type),
                          .key = message_bytes(message->key, message->key_len),
                          .value = message_bytes(message->payload, message->len)};
    if (rd_kafka_message_headers(message, &found) == RD_KAFKA_RESP_ERR_NO_ERROR)
        record->headers = message_headers(found, headers);
}
