/*
 * send.c - writes one record of the service's own (a member, a command) and waits for its offset.
 *
 * Each record has a producer of its own, which is closed before the return: then nothing of it
 * comes later from this side, whatever is returned.
 */
#include <assert.h>

#include "base/io.h"
#include "kafka/cluster_impl.h"

enum { SEND_TIMEOUT_MS = 20000, SEND_SLICE_MS = 100 };
enum { SEND_HURRY_TURNS = 5, SEND_HURRY_MS = 10 };

typedef struct Sending {
    bool answered;
    rd_kafka_resp_err_t error;
    int64_t offset;
} Sending;

static void sending_delivered(void *context, const rd_kafka_message_t *message) {
    Sending *sending = context;
    sending->answered = true;
    sending->error = message->err;
    sending->offset = message->offset;
}

/* A producer begins when it has an id. When the first broker is not up by then, librdkafka from
 * 2.10 on waits half a second, unless an answer about topics comes before. */
static void sending_hurry(rd_kafka_t *handle) {
    const struct rd_kafka_metadata *metadata = NULL;
    (void)rd_kafka_metadata(handle, 0, NULL, &metadata, SEND_SLICE_MS);
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
}

ErrCode send_record(KafkaCluster *cluster, const SentRecord *record, int64_t *offset, Err *err) {
    assert(record->topic);
    Sending sending = {0};
    KafkaClient *client = NULL;
    KafkaClientOptions options = {.role = KAFKA_WRITE, .delivered = sending_delivered,
                                  .context = &sending, .trouble = &cluster->trouble};
    int64_t end_us = io_posix_mono_us() + SEND_TIMEOUT_MS * (int64_t)1000;
    ErrCode code;
    TRY_DONE(kafka_client_open(cluster->config, &options, &client, err));
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = record->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {(void *)(uintptr_t)record->key.data, record->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)(uintptr_t)record->value.data, record->value.size}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    TRY_DONE(kafka_error_take(rd_kafka_produceva(client->handle, parts,
                                                 sizeof parts / sizeof parts[0]),
                              record->topic, err));
    for (int turn = 0; !sending.answered && io_posix_mono_us() < end_us; turn++) {
        bool early = turn < SEND_HURRY_TURNS;
        if (early)
            sending_hurry(client->handle);
        (void)rd_kafka_flush(client->handle, early ? SEND_HURRY_MS : SEND_SLICE_MS);
    }
    if (!sending.answered)
        code = err_set(err, ERR_BROKER_DOWN, "Topic %s: a record was not acknowledged in time",
                       record->topic);
    else if (sending.error)
        code = kafka_error(err, sending.error, "Topic %s", record->topic);
    else if (offset)
        *offset = sending.offset;
done:
    kafka_client_close(client);
    return code;
}
