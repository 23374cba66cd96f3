/* timestamp.c - see timestamp.h. */
#include "kafka/timestamp.h"

#include <assert.h>
#include <string.h>

/* In the year 262143: no record has it by chance. */
static const int64_t TIMESTAMP_FOR_0 = 8210266876799999 - 7777777;

/* Behind the public part of a record the library has a good 100 bytes of its own, always. */
enum { TIMESTAMP_LOOK_BYTES = 88 };

static rd_kafka_resp_err_t timestamp_on_send(rd_kafka_t *handle, rd_kafka_message_t *message,
                                             void *opaque) {
    (void)handle;
    (void)opaque;
    rd_kafka_timestamp_type_t type;
    if (rd_kafka_message_timestamp(message, &type) != TIMESTAMP_FOR_0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    char *own = (char *)(message + 1);
    for (size_t at = 0; at < TIMESTAMP_LOOK_BYTES; at += sizeof(int64_t)) {
        int64_t value;
        memcpy(&value, own + at, sizeof value);
        if (value != TIMESTAMP_FOR_0)
            continue;
        value = 0;
        memcpy(own + at, &value, sizeof value);
        if (rd_kafka_message_timestamp(message, &type) == 0)
            break;
        value = TIMESTAMP_FOR_0; /* it was something else */
        memcpy(own + at, &value, sizeof value);
    }
    assert(rd_kafka_message_timestamp(message, &type) == 0);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t timestamp_on_new(rd_kafka_t *handle, const rd_kafka_conf_t *conf,
                                            void *opaque, char *text, size_t text_size) {
    (void)conf;
    (void)opaque;
    (void)text;
    (void)text_size;
    return rd_kafka_interceptor_add_on_send(handle, "weir", timestamp_on_send, NULL);
}

void kafka_timestamp_hook(rd_kafka_conf_t *conf) {
    assert(conf);
    rd_kafka_resp_err_t code =
        rd_kafka_conf_interceptor_add_on_new(conf, "weir", timestamp_on_new, NULL);
    assert(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    (void)code;
}

int64_t kafka_timestamp_given(int64_t timestamp) {
    assert(timestamp != TIMESTAMP_FOR_0);
    return timestamp == 0 ? TIMESTAMP_FOR_0 : timestamp;
}
