/*
 * members.c - which processes there are of a service: a record of each in `_<id>-members`.
 *
 * The offset of a record is its process's rank. Who sees a newer process is over; so whoever wants
 * to be sure that none was there reads to the end first, after it has fenced the others.
 */
#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "kafka/cluster_impl.h"
#include "kafka/watermark.h"

static void member_text(const uint8_t uuid[AUTHOR_SIZE], Buf *text) {
    for (int i = 0; i < AUTHOR_SIZE; i++)
        buf_printf(text, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
}

/* Whether a key is a uuid as text: what any version of Weir writes. */
static bool member_is(Bytes key) {
    enum { UUID_TEXT_SIZE = 36 };
    bool is = key.size == UUID_TEXT_SIZE;
    for (uint32_t i = 0; is && i < key.size; i++)
        is = i == 8 || i == 13 || i == 18 || i == 23 ? key.data[i] == '-'
                                                     : isxdigit(key.data[i]) != 0;
    return is;
}

/* A KafkaRecordFn. Records of processes that have ended are null. */
static ErrCode member_seen(void *context, const LogRecord *record, Err *err) {
    KafkaCluster *cluster = context;
    (void)err;
    if (!member_is(record->key))
        cluster_stranger(cluster, cluster->members_topic, 0, record->offset);
    else if (record->value.data && record->offset > cluster->members.newest)
        cluster->members.newest = record->offset;
    return ERR_OK;
}

/* With the lock. */
static ErrCode members_verdict(KafkaCluster *cluster, Err *err) {
    const Members *members = &cluster->members;
    assert(members->rank >= 0);
    if (members->newest <= members->rank)
        return ERR_OK;
    return err_set(err, ERR_FENCED,
                   "a newer process of the service '%s' has taken over "
                   "(member %" PRId64 ", this one is %" PRId64 ")",
                   cluster->config->service_id, members->newest, members->rank);
}

ErrCode members_check(KafkaCluster *cluster, Err *err) {
    Members *members = &cluster->members;
    lock_take(&members->lock);
    ErrCode code = kafka_tail_to_end(members->tail, err);
    if (code == ERR_OK)
        code = members_verdict(cluster, err);
    lock_release(&members->lock);
    return code;
}

/* A look is short, and sees nothing where the cluster takes longer to answer: now and then the end
 * is asked for, and read to. With the lock. */
static ErrCode members_ask(KafkaCluster *cluster, Err *err) {
    enum { ASK_US = 3000000, ASK_WAIT_MS = 1000 };
    Members *members = &cluster->members;
    int64_t now_us = io_posix_mono_us(), start, end;
    if (now_us - members->asked_us < ASK_US)
        return ERR_OK;
    members->asked_us = now_us;
    rd_kafka_resp_err_t code =
        kafka_watermarks(kafka_admin_client(cluster->admin)->handle, cluster->members_topic, 0,
                         &start, &end, ASK_WAIT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || end <= kafka_tail_next(members->tail))
        return ERR_OK;
    return kafka_tail_to_end(members->tail, err);
}

ErrCode members_look(KafkaCluster *cluster, Err *err) {
    enum { LOOK_WAIT_MS = 100 }; /* the end is seen in less, where the cluster answers */
    Members *members = &cluster->members;
    lock_take(&members->lock);
    ErrCode code = kafka_tail_more(members->tail, LOOK_WAIT_MS, NULL, err);
    Err ask_err;
    if (members_ask(cluster, &ask_err) != ERR_OK && code == ERR_OK)
        code = (*err = ask_err, ask_err.code);
    if (code == ERR_OK)
        code = members_verdict(cluster, err);
    lock_release(&members->lock);
    return code;
}

static void member_value(const KafkaCluster *cluster, Buf *uuid, Buf *value) {
    char host[256] = "";
    assert(uuid->size == 0);
    (void)gethostname(host, sizeof host - 1);
    for (char *at = host; *at; at++)
        if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ')
            *at = '?';
    member_text(cluster->uuid, uuid);
    buf_printf(value, "{\"uuid\":\"%s\",\"host\":\"%s\",\"pid\":%ld,\"started\":%" PRId64 "}",
               buf_cstr(uuid), host, (long)getpid(), io_posix()->ops->now_ms(io_posix()));
}

ErrCode members_join(KafkaCluster *cluster, Err *err) {
    Members *members = &cluster->members;
    assert(!members->tail);
    Buf uuid = {0}, value = {0};
    KafkaTailOptions options = {.topic = cluster->members_topic, .from = -1,
                                .record = member_seen, .context = cluster};
    members->newest = -1;
    member_value(cluster, &uuid, &value);
    SentRecord record = {cluster->members_topic, buf_view(&uuid), buf_view(&value)};
    ErrCode code;
    TRY_DONE(send_record(cluster, &record, &members->rank, err));
    options.from = members->rank + 1; /* who was there before is of no interest */
    TRY_DONE(kafka_tail_open(cluster->admin, &options, &members->tail, err));
    TRY_DONE(members_check(cluster, err));
done:
    buf_free(&uuid);
    buf_free(&value);
    return code;
}

void members_leave(KafkaCluster *cluster) {
    Members *members = &cluster->members;
    Buf uuid = {0};
    Err ignored; /* compaction removes it, or not: an old rank harms nobody */
    int64_t since_ms;
    bool answers = kafka_trouble_now(&cluster->trouble, &since_ms, &ignored) == ERR_OK;
    if (members->tail && answers) { /* otherwise the end would wait for nothing */
        member_text(cluster->uuid, &uuid);
        SentRecord record = {cluster->members_topic, buf_view(&uuid), {NULL, 0}};
        (void)!send_record(cluster, &record, NULL, &ignored);
        buf_free(&uuid);
    }
    kafka_tail_close(members->tail);
    members->tail = NULL;
}
