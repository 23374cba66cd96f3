/*
 * tail.c - a consumer of partitions that knows where their ends were.
 *
 * The broker is asked for the ends (last stable offsets), and nothing is fetched where there is
 * nothing. Markers and aborted records at an end are no messages: there librdkafka's
 * end-of-partition event says that the end is reached. At the end fetching stops: a fetch that
 * waits for more at the broker would hold up every other request of the handle.
 */
#include "kafka/tail.h"

#include <assert.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/admin_impl.h"
#include "kafka/message.h"
#include "kafka/patience.h"

enum { TAIL_MESSAGES = 1024, TAIL_SLICE_MS = 100, TAIL_TIMEOUT_MS = 60 * 1000 };

typedef struct TailPart {
    KafkaTailOptions options;
    char *name;
    rd_kafka_topic_t *topic;
    bool started;
    bool at_end; /* librdkafka has said so, since it was started */
    int64_t next, end;
} TailPart;

struct KafkaTail {
    KafkaAdmin *admin;
    TailPart *parts;
    uint32_t count, last; /* whose the last message was */
    rd_kafka_queue_t *queue;
    int timeout_ms;
    Buf headers;
    rd_kafka_message_t *messages[TAIL_MESSAGES];
};

/* == Where partitions begin and end =========================================================== */

static ErrCode part_check(const TailPart *part, const KafkaOffsets *log, bool first, Err *err) {
    if (part->next <= log->end && (!first || part->next >= log->start))
        return ERR_OK;
    if (!first)
        return err_set(err, ERR_TOPIC_DELETED,
                       "Topic %s, partition %u ends at offset %lld, and was read up to %lld: it "
                       "was deleted and made anew", part->name, part->options.partition,
                       (long long)log->end, (long long)part->next);
    return err_set(err, ERR_NOT_FOUND,
                   "Topic %s, partition %u has offsets %lld to %lld, not %lld", part->name,
                   part->options.partition, (long long)log->start, (long long)log->end,
                   (long long)part->next);
}

/* One question for all whose end is not known. `first`: where they begin, too. */
static ErrCode tail_ask(KafkaTail *tail, bool first, Err *err) {
    KafkaPartition *asked = mem_array(tail->count, sizeof *asked);
    uint32_t count = 0;
    int64_t end_us = kafka_admin_end_us(tail->timeout_ms);
    ErrCode code = ERR_OK;
    for (uint32_t i = 0; i < tail->count; i++) {
        const TailPart *part = &tail->parts[i];
        if (!first || part->options.end <= 0)
            asked[count++] = (KafkaPartition){.topic = part->name,
                                              .partition = part->options.partition};
    }
    do {
        if (count > 0)
            code = kafka_admin_offsets_of(tail->admin, asked, count, err);
    } while (kafka_admin_again(tail->admin, code, end_us));
    TRY_DONE(code);
    for (uint32_t i = 0, k = 0; i < tail->count; i++) {
        TailPart *part = &tail->parts[i];
        if (first && part->options.end > 0)
            continue;
        const KafkaOffsets *log = &asked[k++].offsets;
        if (first && part->next < 0)
            part->next = log->start;
        TRY_DONE(part_check(part, log, first, err));
        part->end = log->end > part->options.until ? log->end : part->options.until;
    }
done:
    mem_free(asked);
    return code;
}

/* == Beginning and ending ===================================================================== */

static ErrCode tail_open(KafkaAdmin *admin, const KafkaTailOptions *options, uint32_t count,
                         KafkaTail **tail, Err *err) {
    rd_kafka_t *handle = kafka_admin_client(admin)->handle;
    KafkaTail *opened = mem_alloc(sizeof *opened);
    opened->admin = admin;
    opened->count = count;
    opened->parts = mem_array(count, sizeof *opened->parts);
    opened->timeout_ms = options[0].timeout_ms > 0 ? options[0].timeout_ms : TAIL_TIMEOUT_MS;
    for (uint32_t i = 0; i < count; i++) {
        assert(options[i].record && (options[i].from >= 0 || options[i].end <= 0));
        TailPart *part = &opened->parts[i];
        *part = (TailPart){.options = options[i], .name = mem_strdup(options[i].topic),
                           .next = options[i].from, .end = options[i].end};
    }
    ErrCode code;
    TRY_DONE(tail_ask(opened, true, err));
    opened->queue = rd_kafka_queue_new(handle);
    for (uint32_t i = 0; i < count; i++)
        opened->parts[i].topic = rd_kafka_topic_new(handle, opened->parts[i].name, NULL);
done:
    if (code == ERR_OK)
        *tail = opened;
    else
        kafka_tail_close(opened);
    return code;
}

ErrCode kafka_tail_open(KafkaAdmin *admin, const KafkaTailOptions *options, KafkaTail **tail,
                        Err *err) {
    return tail_open(admin, options, 1, tail, err);
}

/* all: not only what lacks something. */
static ErrCode tail_start(KafkaTail *tail, bool all, Err *err) {
    for (uint32_t i = 0; i < tail->count; i++) {
        TailPart *part = &tail->parts[i];
        if (part->started || (!all && part->next >= part->end))
            continue;
        if (rd_kafka_consume_start_queue(part->topic, (int32_t)part->options.partition,
                                         part->next, tail->queue) != 0)
            return kafka_error(err, rd_kafka_last_error(), "Topic %s", part->name);
        part->started = true;
        part->at_end = false;
    }
    return ERR_OK;
}

static void tail_stop(KafkaTail *tail) {
    for (uint32_t i = 0; i < tail->count; i++) {
        TailPart *part = &tail->parts[i];
        if (part->started)
            (void)rd_kafka_consume_stop(part->topic, (int32_t)part->options.partition);
        part->started = false;
    }
}

void kafka_tail_close(KafkaTail *tail) {
    if (!tail)
        return;
    tail_stop(tail);
    if (tail->queue)
        rd_kafka_queue_destroy(tail->queue);
    for (uint32_t i = 0; i < tail->count; i++) {
        if (tail->parts[i].topic)
            rd_kafka_topic_destroy(tail->parts[i].topic);
        mem_free(tail->parts[i].name);
    }
    buf_free(&tail->headers);
    mem_free(tail->parts);
    mem_free(tail);
}

/* == Reading ================================================================================== */

/* Whose the message is; messages of a partition come together. NULL: of one that is stopped. */
static TailPart *tail_part(KafkaTail *tail, const rd_kafka_message_t *message) {
    for (uint32_t i = 0; i < tail->count; i++) {
        uint32_t at = (tail->last + i) % tail->count;
        TailPart *part = &tail->parts[at];
        if (part->topic == message->rkt &&
            (int32_t)part->options.partition == message->partition) {
            tail->last = at;
            return part;
        }
    }
    return NULL;
}

/* What librdkafka itself tries again. */
static bool tail_passes(ErrCode code) {
    return code == ERR_BROKER_DOWN || code == ERR_LEADER_MOVED;
}

static ErrCode part_failed(const TailPart *part, const rd_kafka_message_t *message, Err *err) {
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        return err_set(err, ERR_NOT_FOUND, "Topic %s, partition %u: offset %lld is gone",
                       part->name, part->options.partition, (long long)part->next);
    ErrCode code = kafka_error(err, message->err, "Topic %s, partition %u", part->name,
                               part->options.partition);
    return tail_passes(code) ? ERR_OK : code;
}

/* One thing that came. A record that is refused is given again, when it is asked again. */
static ErrCode tail_message(KafkaTail *tail, const rd_kafka_message_t *message, Err *err) {
    TailPart *part = tail_part(tail, message);
    LogRecord record;
    if (!part)
        return message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                       tail_passes(kafka_error_code(message->err))
                   ? ERR_OK
                   : kafka_error(err, message->err, "Reading");
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        part->at_end = true;
        if (message->offset > part->next)
            part->next = message->offset;
        return ERR_OK;
    }
    if (message->err)
        return part_failed(part, message, err);
    if (message->offset < part->next)
        return ERR_OK;
    kafka_message_record(message, &tail->headers, &record);
    TRY(part->options.record(part->options.context, &record, err));
    part->next = message->offset + 1;
    return ERR_OK;
}

/* Waits for the first; takes what is there then. (A batch would be waited for until it is full.) */
static ErrCode tail_take(KafkaTail *tail, int wait_ms, uint32_t *count, Err *err) {
    ErrCode code = ERR_OK;
    (void)rd_kafka_poll(kafka_admin_client(tail->admin)->handle, 0);
    tail->messages[0] = rd_kafka_consume_queue(tail->queue, wait_ms);
    if (!tail->messages[0])
        return ERR_OK;
    ssize_t more = rd_kafka_consume_batch_queue(tail->queue, 0, tail->messages + 1,
                                                TAIL_MESSAGES - 1);
    for (ssize_t i = 0; i <= (more > 0 ? more : 0); i++) {
        bool is_record = tail->messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (code == ERR_OK)
            code = tail_message(tail, tail->messages[i], err);
        if (code == ERR_OK && is_record && count)
            ++*count;
        rd_kafka_message_destroy(tail->messages[i]);
    }
    return code;
}

static bool tail_is_at_end(const KafkaTail *tail) {
    for (uint32_t i = 0; i < tail->count; i++)
        if (!tail->parts[i].at_end)
            return false;
    return true;
}

ErrCode kafka_tail_more(KafkaTail *tail, int wait_ms, uint32_t *count, Err *err) {
    uint32_t came = 0;
    int64_t end_us = io_posix_mono_us() + wait_ms * (int64_t)1000, left_us = 0;
    ErrCode code = tail_start(tail, true, err);
    do {
        if (code == ERR_OK)
            code = tail_take(tail, (int)(left_us / 1000), &came, err);
        left_us = end_us - io_posix_mono_us();
    } while (code == ERR_OK && came == 0 && left_us > 1000 && !tail_is_at_end(tail));
    tail_stop(tail);
    if (count)
        *count = came;
    return code;
}

/* How much is still to come. */
static int64_t tail_left(const KafkaTail *tail) {
    int64_t left = 0;
    for (uint32_t i = 0; i < tail->count; i++)
        if (tail->parts[i].next < tail->parts[i].end)
            left += tail->parts[i].end - tail->parts[i].next;
    return left;
}

static ErrCode tail_run(KafkaTail *tail, Err *err) {
    int64_t left = tail_left(tail), since_us = io_posix_mono_us();
    if (left > 0)
        TRY(tail_start(tail, false, err));
    while (left > 0) {
        TRY(patience_check(err));
        TRY(tail_take(tail, TAIL_SLICE_MS, NULL, err));
        int64_t now_us = io_posix_mono_us(), now_left = tail_left(tail);
        if (now_left < left)
            since_us = now_us;
        else if (now_us - since_us > tail->timeout_ms * (int64_t)1000)
            return kafka_error(err, RD_KAFKA_RESP_ERR__TIMED_OUT,
                               "Topic %s: nothing came for %d s", tail->parts[0].name,
                               tail->timeout_ms / 1000);
        left = now_left;
    }
    return ERR_OK;
}

ErrCode kafka_tail_to_end(KafkaTail *tail, Err *err) {
    TRY(tail_ask(tail, false, err));
    ErrCode code = tail_run(tail, err);
    tail_stop(tail);
    return code;
}

int64_t kafka_tail_next(const KafkaTail *tail) {
    assert(tail->count == 1);
    return tail->parts[0].next;
}

ErrCode kafka_tail_read_all(KafkaAdmin *admin, const KafkaTailOptions *options, uint32_t count,
                            int64_t *next, Err *err) {
    KafkaTail *tail;
    assert(count > 0);
    TRY(tail_open(admin, options, count, &tail, err));
    ErrCode code = tail_run(tail, err);
    for (uint32_t i = 0; code == ERR_OK && next && i < count; i++)
        next[i] = tail->parts[i].next;
    kafka_tail_close(tail);
    return code;
}

ErrCode kafka_tail_read(KafkaAdmin *admin, const KafkaTailOptions *options, int64_t *next,
                        Err *err) {
    return kafka_tail_read_all(admin, options, 1, next, err);
}
