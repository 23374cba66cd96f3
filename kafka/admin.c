/*
 * admin.c - changes and questions about topics, one blocking call each.
 *
 * Every call has a queue of its own, so that answers cannot be taken for another thread's.
 */
#include "kafka/admin_impl.h"

#include <assert.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/patience.h"

enum { AGAIN_MS = 50, SEEN_WAIT_MS = 5000, TROUBLED_WAIT_MS = 1000, ANSWER_WAIT_MS = 5000 };

ErrCode kafka_admin_open(const KafkaConfig *config, KafkaTrouble *trouble, int timeout_ms,
                         KafkaAdmin **admin, Err *err) {
    assert(timeout_ms > 0);
    KafkaClientOptions options = {.role = KAFKA_CATCH_UP, .trouble = trouble};
    KafkaClient *client;
    TRY(kafka_client_open(config, &options, &client, err));
    *admin = mem_alloc(sizeof **admin);
    **admin = (KafkaAdmin){.client = client, .handle = client->handle, .timeout_ms = timeout_ms};
    return ERR_OK;
}

void kafka_admin_close(KafkaAdmin *admin) {
    if (!admin)
        return;
    kafka_client_close(admin->client);
    mem_free(admin);
}

void kafka_admin_hasten(KafkaAdmin *admin) {
    admin->hasty = true;
}

KafkaClient *kafka_admin_client(KafkaAdmin *admin) {
    return admin->client;
}

/* -- Requests ---------------------------------------------------------------------------------- */

/* A request that runs out of time while it waits for a broker ends the process when the broker
 * comes back: librdkafka counts it twice (its issue 4605, all versions). So none is made before a
 * broker has just answered. */
static ErrCode admin_check_broker(KafkaAdmin *admin, Err *err) {
    const struct rd_kafka_metadata *metadata = NULL;
    int64_t end_us = kafka_admin_end_us(ANSWER_WAIT_MS);
    ErrCode code;
    int slice_ms = 0;
    do {
        TRY(patience_check(err));
        rd_kafka_resp_err_t theirs = rd_kafka_metadata(admin->handle, 0, NULL, &metadata,
                                                       patience_slice(end_us, &slice_ms));
        code = kafka_error(err, theirs, "The cluster");
    } while (kafka_admin_again(admin, code, end_us));
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    return code;
}

ErrCode kafka_admin_begin(KafkaAdmin *admin, rd_kafka_admin_op_t op, AdminRequest *request,
                          Err *err) {
    char text[128];
    *request = (AdminRequest){0};
    TRY(admin_check_broker(admin, err));
    *request = (AdminRequest){.queue = rd_kafka_queue_new(admin->handle),
                              .options = rd_kafka_AdminOptions_new(admin->handle, op)};
    rd_kafka_resp_err_t code = rd_kafka_AdminOptions_set_request_timeout(
        request->options, admin->timeout_ms, text, sizeof text);
    assert(code == RD_KAFKA_RESP_ERR_NO_ERROR);
    (void)code;
    return ERR_OK;
}

ErrCode kafka_admin_wait(KafkaAdmin *admin, AdminRequest *request, const char *what, Err *err) {
    enum { LATE_MS = 1000 }; /* librdkafka's own time-out comes first */
    request->event = rd_kafka_queue_poll(request->queue, admin->timeout_ms + LATE_MS);
    (void)rd_kafka_poll(admin->handle, 0);
    if (!request->event)
        return kafka_error(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "%s", what);
    rd_kafka_resp_err_t code = rd_kafka_event_error(request->event);
    return kafka_error(err, code, "%s", what);
}

void kafka_admin_end(AdminRequest *request) {
    if (request->event)
        rd_kafka_event_destroy(request->event);
    if (!request->queue)
        return; /* it did not begin */
    rd_kafka_AdminOptions_destroy(request->options);
    rd_kafka_queue_destroy(request->queue);
}

int64_t kafka_admin_end_us(int timeout_ms) {
    return io_posix_mono_us() + timeout_ms * (int64_t)1000;
}

bool kafka_admin_again(KafkaAdmin *admin, ErrCode code, int64_t end_us) {
    bool passes = code == ERR_BROKER_DOWN || code == ERR_LEADER_MOVED;
    if (!passes || io_posix_mono_us() >= end_us)
        return false;
    (void)rd_kafka_poll(admin->handle, AGAIN_MS);
    return true;
}

/* The first result that is neither OK nor `fine`; broker's words, where there are some. */
static ErrCode admin_results(const rd_kafka_topic_result_t **results, size_t count,
                             rd_kafka_resp_err_t fine, const char *what, Err *err) {
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        const char *text = rd_kafka_topic_result_error_string(results[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == fine)
            continue;
        ErrCode ours = kafka_error_code(code);
        if (ours == ERR_RUNTIME) /* the request was wrong: INVALID_CONFIG, INVALID_PARTITIONS */
            ours = ERR_SEMANTIC;
        return err_set(err, ours, "%s %s: %s", what, rd_kafka_topic_result_name(results[i]),
                       text ? text : rd_kafka_err2str(code));
    }
    return ERR_OK;
}

/* -- Making topics ----------------------------------------------------------------------------- */

/* The controller has it so; whom we ask next may learn of it a moment later. */
static ErrCode admin_wait_topic(KafkaAdmin *admin, const char *name, uint32_t partitions,
                                Err *err) {
    int64_t end_us = io_posix_mono_us() + SEEN_WAIT_MS * 1000;
    KafkaTopic topic;
    for (;;) {
        ErrCode code = kafka_admin_topic(admin, name, &topic, err);
        bool late = code == ERR_TOPIC_MISSING || code == ERR_LEADER_MOVED ||
                    (code == ERR_OK && topic.partitions < partitions);
        if (!late || io_posix_mono_us() >= end_us)
            return code;
        (void)rd_kafka_poll(admin->handle, AGAIN_MS);
    }
}

static ErrCode admin_new_topic(const KafkaNewTopic *topic, rd_kafka_NewTopic_t **made, Err *err) {
    char text[256];
    *made = rd_kafka_NewTopic_new(topic->name, (int)topic->partitions,
                                  topic->replicas < 1 ? -1 : topic->replicas, text, sizeof text);
    if (!*made)
        return err_set(err, ERR_SEMANTIC, "Topic %s: %s", topic->name, text);
    for (uint32_t i = 0; i < topic->config_count; i++) {
        const KafkaPair *pair = &topic->configs[i];
        rd_kafka_resp_err_t code = rd_kafka_NewTopic_set_config(*made, pair->name, pair->value);
        TRY(kafka_error(err, code, "Topic %s: %s", topic->name, pair->name));
    }
    return ERR_OK;
}

static ErrCode admin_create(KafkaAdmin *admin, rd_kafka_NewTopic_t **made, uint32_t count,
                            Err *err) {
    AdminRequest request;
    size_t answered = 0;
    ErrCode code;
    TRY_DONE(kafka_admin_begin(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS, &request, err));
    rd_kafka_CreateTopics(admin->handle, made, count, request.options, request.queue);
    TRY_DONE(kafka_admin_wait(admin, &request, "Creating topics", err));
    const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(request.event), &answered);
    code = admin_results(results, answered, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS,
                         "Creating topic", err);
done:
    kafka_admin_end(&request);
    return code;
}

ErrCode kafka_admin_create(KafkaAdmin *admin, const KafkaNewTopic *topics, uint32_t count,
                           Err *err) {
    assert(count > 0);
    rd_kafka_NewTopic_t **made = mem_array(count, sizeof(rd_kafka_NewTopic_t *));
    int64_t end_us = kafka_admin_end_us(admin->timeout_ms);
    ErrCode code;
    for (uint32_t i = 0; i < count; i++)
        TRY_DONE(admin_new_topic(&topics[i], &made[i], err));
    do {
        code = admin_create(admin, made, count, err);
    } while (kafka_admin_again(admin, code, end_us));
    for (uint32_t i = 0; code == ERR_OK && i < count; i++)
        code = admin_wait_topic(admin, topics[i].name, 1, err);
done:
    for (uint32_t i = 0; i < count; i++)
        if (made[i])
            rd_kafka_NewTopic_destroy(made[i]);
    mem_free(made);
    return code;
}

static ErrCode admin_delete(KafkaAdmin *admin, rd_kafka_DeleteTopic_t **gone, uint32_t count,
                            Err *err) {
    AdminRequest request;
    size_t answered = 0;
    ErrCode code;
    TRY_DONE(kafka_admin_begin(admin, RD_KAFKA_ADMIN_OP_DELETETOPICS, &request, err));
    rd_kafka_DeleteTopics(admin->handle, gone, count, request.options, request.queue);
    TRY_DONE(kafka_admin_wait(admin, &request, "Deleting topics", err));
    const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(
        rd_kafka_event_DeleteTopics_result(request.event), &answered);
    code = admin_results(results, answered, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
                         "Deleting topic", err);
done:
    kafka_admin_end(&request);
    return code;
}

ErrCode kafka_admin_delete(KafkaAdmin *admin, const char *const *names, uint32_t count, Err *err) {
    assert(count > 0);
    int64_t end_us = kafka_admin_end_us(admin->timeout_ms);
    rd_kafka_DeleteTopic_t **gone = mem_array(count, sizeof(rd_kafka_DeleteTopic_t *));
    ErrCode code;
    for (uint32_t i = 0; i < count; i++)
        gone[i] = rd_kafka_DeleteTopic_new(names[i]);
    do {
        code = admin_delete(admin, gone, count, err);
    } while (kafka_admin_again(admin, code, end_us));
    rd_kafka_DeleteTopic_destroy_array(gone, count);
    mem_free(gone);
    return code;
}

ErrCode kafka_admin_grow(KafkaAdmin *admin, const char *name, uint32_t partitions, Err *err) {
    char text[256];
    AdminRequest request;
    size_t answered = 0;
    ErrCode code;
    rd_kafka_NewPartitions_t *grown =
        rd_kafka_NewPartitions_new(name, partitions, text, sizeof text);
    if (!grown)
        return err_set(err, ERR_SEMANTIC, "Topic %s: %s", name, text);
    TRY_DONE(kafka_admin_begin(admin, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, &request, err));
    rd_kafka_CreatePartitions(admin->handle, &grown, 1, request.options, request.queue);
    TRY_DONE(kafka_admin_wait(admin, &request, "Adding partitions", err));
    const rd_kafka_topic_result_t **results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(request.event), &answered);
    code = admin_results(results, answered, RD_KAFKA_RESP_ERR_NO_ERROR, "Adding partitions to",
                         err);
done:
    kafka_admin_end(&request);
    rd_kafka_NewPartitions_destroy(grown);
    return code == ERR_OK ? admin_wait_topic(admin, name, partitions, err) : code;
}

/* -- Which topics there are -------------------------------------------------------------------- */

/* Who asks while no broker answers is not to wait long for the same. */
static int admin_patience_ms(KafkaAdmin *admin) {
    int64_t since_ms;
    Err why;
    return admin->hasty &&
                   kafka_trouble_now(admin->client->trouble, &since_ms, &why) == ERR_BROKER_DOWN
               ? TROUBLED_WAIT_MS
               : admin->timeout_ms;
}

static ErrCode admin_metadata(KafkaAdmin *admin, const char *name,
                              const struct rd_kafka_metadata **metadata, Err *err) {
    rd_kafka_topic_t *topic = name ? rd_kafka_topic_new(admin->handle, name, NULL) : NULL;
    int patience_ms = admin_patience_ms(admin);
    int64_t end_us = kafka_admin_end_us(patience_ms);
    int slice_ms = 0;
    ErrCode code;
    do {
        TRY_DONE(patience_check(err));
        rd_kafka_resp_err_t theirs = rd_kafka_metadata(admin->handle, name == NULL, topic, metadata,
                                                       patience_slice(end_us, &slice_ms));
        (void)rd_kafka_poll(admin->handle, 0);
        code = kafka_error(err, theirs, name ? "Topic %s" : "Topics", name);
    } while (kafka_admin_again(admin, code, end_us));
done:
    if (topic)
        rd_kafka_topic_destroy(topic);
    if (code == ERR_OK)
        kafka_trouble_over(admin->client->trouble);
    return code;
}

ErrCode kafka_admin_topic(KafkaAdmin *admin, const char *name, KafkaTopic *topic, Err *err) {
    const struct rd_kafka_metadata *metadata;
    TRY(admin_metadata(admin, name, &metadata, err));
    ErrCode code = ERR_OK;
    if (metadata->topic_cnt < 1) {
        code = kafka_error(err, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "Topic %s", name);
    } else if (metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = kafka_error(err, metadata->topics[0].err, "Topic %s", name);
    } else {
        const struct rd_kafka_metadata_topic *found = &metadata->topics[0];
        *topic = (KafkaTopic){.name = name, .partitions = (uint32_t)found->partition_cnt};
        if (found->partition_cnt > 0)
            topic->replicas = (uint32_t)found->partitions[0].replica_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return code;
}

static int topic_compare(const void *left, const void *right) {
    return strcmp(((const KafkaTopic *)left)->name, ((const KafkaTopic *)right)->name);
}

ErrCode kafka_admin_topics(KafkaAdmin *admin, Arena *arena, KafkaTopic **topics, uint32_t *count,
                           Err *err) {
    const struct rd_kafka_metadata *metadata;
    TRY(admin_metadata(admin, NULL, &metadata, err));
    KafkaTopic *all = arena_array(arena, (size_t)metadata->topic_cnt, sizeof *all);
    *count = 0;
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *found = &metadata->topics[i];
        if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR || found->partition_cnt < 1)
            continue;
        all[(*count)++] = (KafkaTopic){.name = arena_strdup(arena, found->topic),
                                       .partitions = (uint32_t)found->partition_cnt,
                                       .replicas = (uint32_t)found->partitions[0].replica_cnt};
    }
    rd_kafka_metadata_destroy(metadata);
    qsort(all, *count, sizeof *all, topic_compare);
    *topics = all;
    return ERR_OK;
}
