/*
 * tail.c - a consumer of one partition that knows where the end was.
 *
 * To the end: the broker is asked for it (the last stable offset), and nothing is fetched where
 * there is nothing. Markers and aborted records at the end are no messages: there librdkafka's
 * end-of-partition event says that the end is reached.
 */
#include "kafka/tail.h"

#include <assert.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/admin_impl.h"
#include "kafka/message.h"
#include "kafka/patience.h"
#include "kafka/watermark.h"

enum { TAIL_MESSAGES = 1024, TAIL_SLICE_MS = 50, TAIL_TIMEOUT_MS = 60 * 1000,
       TAIL_STUCK_US = 5000000 };

struct KafkaTail {
    KafkaAdmin *admin;
    KafkaTailOptions options;
    char *name;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    Buf headers;
    bool started;
    int64_t next;
    rd_kafka_message_t *messages[TAIL_MESSAGES];
};

static ErrCode tail_offsets(KafkaTail *tail, int64_t *start, int64_t *end, Err *err) {
    rd_kafka_t *handle = kafka_admin_client(tail->admin)->handle;
    int64_t end_us = kafka_admin_end_us(tail->options.timeout_ms);
    ErrCode code;
    int slice_ms = 0;
    do {
        TRY(patience_check(err));
        rd_kafka_resp_err_t theirs =
            kafka_watermarks(handle, tail->name, tail->options.partition, start, end,
                             patience_slice(end_us, &slice_ms));
        code = kafka_error(err, theirs, "Topic %s, partition %u", tail->name,
                           tail->options.partition);
    } while (kafka_admin_again(tail->admin, code, end_us));
    return code;
}

ErrCode kafka_tail_open(KafkaAdmin *admin, const KafkaTailOptions *options, KafkaTail **tail,
                        Err *err) {
    assert(options->record);
    int64_t start, end;
    rd_kafka_t *handle = kafka_admin_client(admin)->handle;
    KafkaTail *opened = mem_alloc(sizeof *opened);
    opened->admin = admin;
    opened->options = *options;
    opened->name = mem_strdup(options->topic);
    if (options->timeout_ms <= 0)
        opened->options.timeout_ms = TAIL_TIMEOUT_MS;
    ErrCode code;
    TRY_DONE(tail_offsets(opened, &start, &end, err));
    opened->next = options->from < 0 ? start : options->from;
    if (opened->next < start || opened->next > end)
        code = err_set(err, ERR_NOT_FOUND,
                       "Topic %s, partition %u has offsets %lld to %lld, not %lld", opened->name,
                       options->partition, (long long)start, (long long)end,
                       (long long)opened->next);
    opened->topic = rd_kafka_topic_new(handle, opened->name, NULL);
    opened->queue = rd_kafka_queue_new(handle);
done:
    if (code == ERR_OK)
        *tail = opened;
    else
        kafka_tail_close(opened);
    return code;
}

static ErrCode tail_start(KafkaTail *tail, Err *err) {
    if (tail->started)
        return ERR_OK;
    if (rd_kafka_consume_start_queue(tail->topic, (int32_t)tail->options.partition, tail->next,
                                     tail->queue) != 0)
        return kafka_error(err, rd_kafka_last_error(), "Topic %s", tail->name);
    tail->started = true;
    return ERR_OK;
}

static void tail_stop(KafkaTail *tail) {
    if (tail->started)
        (void)rd_kafka_consume_stop(tail->topic, (int32_t)tail->options.partition);
    tail->started = false;
}

/* One thing that came. A record that is refused is given again, when it is asked again. */
static ErrCode tail_message(KafkaTail *tail, const rd_kafka_message_t *message, Err *err) {
    LogRecord record;
    switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        if (message->offset < tail->next)
            return ERR_OK;
        kafka_message_record(message, &tail->headers, &record);
        TRY(tail->options.record(tail->options.context, &record, err));
        tail->next = message->offset + 1;
        return ERR_OK;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (message->offset > tail->next)
            tail->next = message->offset;
        return ERR_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return err_set(err, ERR_NOT_FOUND, "Topic %s, partition %u: offset %lld is gone",
                       tail->name, tail->options.partition, (long long)tail->next);
    default:
        return kafka_error(err, message->err, "Topic %s, partition %u", tail->name,
                           tail->options.partition);
    }
}

/* What librdkafka itself tries again. */
static bool tail_passes(ErrCode code) {
    return code == ERR_BROKER_DOWN || code == ERR_LEADER_MOVED;
}

ErrCode kafka_tail_more(KafkaTail *tail, int wait_ms, uint32_t *count, Err *err) {
    ErrCode code = ERR_OK;
    if (count)
        *count = 0;
    TRY(tail_start(tail, err));
    (void)rd_kafka_poll(kafka_admin_client(tail->admin)->handle, 0);
    ssize_t got = rd_kafka_consume_batch_queue(tail->queue, wait_ms, tail->messages, TAIL_MESSAGES);
    for (ssize_t i = 0; i < got; i++) {
        if (code == ERR_OK)
            code = tail_message(tail, tail->messages[i], err);
        if (code == ERR_OK && count && tail->messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            ++*count;
        if (tail_passes(code))
            code = ERR_OK;
        rd_kafka_message_destroy(tail->messages[i]);
    }
    if (code != ERR_OK)
        tail_stop(tail);
    return code;
}

ErrCode kafka_tail_to_end(KafkaTail *tail, Err *err) {
    int64_t start, end, timeout_us = tail->options.timeout_ms * (int64_t)1000;
    TRY(tail_offsets(tail, &start, &end, err));
    end = tail->options.until > end ? tail->options.until : end;
    int64_t at = tail->next, since_us = io_posix_mono_us(), begun_us = since_us;
    if (end < at)
        return err_set(err, ERR_TOPIC_DELETED,
                       "Topic %s, partition %u ends at offset %lld, and was read up to %lld: it "
                       "was deleted and made anew", tail->name, tail->options.partition,
                       (long long)end, (long long)at);
    while (tail->next < end) {
        TRY(patience_check(err));
        TRY(kafka_tail_more(tail, TAIL_SLICE_MS, NULL, err));
        int64_t now_us = io_posix_mono_us();
        if (tail->next > at) {
            at = tail->next;
            since_us = begun_us = now_us;
        } else if (now_us - since_us > timeout_us) {
            return kafka_error(err, RD_KAFKA_RESP_ERR__TIMED_OUT,
                               "Topic %s, partition %u: nothing came for %d s", tail->name,
                               tail->options.partition, tail->options.timeout_ms / 1000);
        } else if (now_us - begun_us > TAIL_STUCK_US) {
            tail_stop(tail); /* it is there, and the library does not see it */
            begun_us = now_us;
        }
    }
    return ERR_OK;
}

int64_t kafka_tail_next(const KafkaTail *tail) {
    return tail->next;
}

void kafka_tail_close(KafkaTail *tail) {
    if (!tail)
        return;
    tail_stop(tail);
    if (tail->queue)
        rd_kafka_queue_destroy(tail->queue);
    if (tail->topic)
        rd_kafka_topic_destroy(tail->topic);
    buf_free(&tail->headers);
    mem_free(tail->name);
    mem_free(tail);
}

ErrCode kafka_tail_read(KafkaAdmin *admin, const KafkaTailOptions *options, int64_t *next,
                        Err *err) {
    KafkaTail *tail;
    TRY(kafka_tail_open(admin, options, &tail, err));
    ErrCode code = kafka_tail_to_end(tail, err);
    if (code == ERR_OK && next)
        *next = kafka_tail_next(tail);
    kafka_tail_close(tail);
    return code;
}
