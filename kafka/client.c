/*
 * client.c - opens handles of librdkafka.
 *
 * What each role is set to is one table; the user's properties come after it and cannot touch what
 * promises rest on, for those are not in client_property.def.
 */
#include "kafka/client.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/patience.h"
#include "kafka/timestamp.h"

enum {
    FOR_READ = 1 << KAFKA_READ,
    FOR_CATCH_UP = 1 << KAFKA_CATCH_UP,
    FOR_WRITE = 1 << KAFKA_WRITE,
    FOR_CONSUMER = FOR_READ | FOR_CATCH_UP,
    FOR_ALL = FOR_CONSUMER | FOR_WRITE,
};

/* Below this version, SCRAM sends a nonce that later brokers refuse. */
enum { SCRAM_VERSION_MIN = 0x020601ff };

/* From this one on it can be said how long a full queue is not filled; before, up to a second. */
enum { QUEUE_BACKOFF_VERSION_MIN = 0x020200ff };

/* From this one on a broker may ask for measurements of the client. Nothing is sent that nobody
 * here has asked for, and closing a handle would wait a second for it. */
enum { METRICS_VERSION_MIN = 0x020500ff };

static const struct ClientSetting {
    int roles;
    const char *name, *value;
    int version_min; /* of librdkafka */
} settings[] = {
    {FOR_ALL, "client.id", "weir", 0},
    {FOR_ALL, "log_level", "4", 0},
    {FOR_ALL, "socket.nagle.disable", "true", 0},
    {FOR_ALL, "reconnect.backoff.ms", "50", 0},
    {FOR_ALL, "reconnect.backoff.max.ms", "1000", 0},
    {FOR_ALL, "enable.metrics.push", "false", METRICS_VERSION_MIN},
    {FOR_ALL, "topic.metadata.refresh.interval.ms", "10000", 0},
    {FOR_ALL, "topic.metadata.propagation.max.ms", "5000", 0},
    {FOR_CONSUMER, "isolation.level", "read_committed", 0},
    {FOR_CONSUMER, "enable.partition.eof", "true", 0},
    {FOR_CONSUMER, "check.crcs", "true", 0},
    {FOR_CONSUMER, "enable.auto.commit", "false", 0},
    {FOR_CONSUMER, "enable.auto.offset.store", "false", 0},
    {FOR_CONSUMER, "auto.offset.reset", "error", 0},
    {FOR_CONSUMER, "allow.auto.create.topics", "false", 0},
    {FOR_CONSUMER, "fetch.error.backoff.ms", "100", 0},
    /* A new partition waits for the fetch under way: short waits begin to read sooner. */
    {FOR_READ, "fetch.wait.max.ms", "100", 0},
    {FOR_CATCH_UP, "fetch.wait.max.ms", "10", 0},
    /* Limited by bytes, of each partition; reader_wake() keeps a small queue filled. */
    {FOR_CONSUMER, "queued.min.messages", "10000000", 0},
    {FOR_READ, "queued.max.messages.kbytes", "8192", 0},
    {FOR_CATCH_UP, "queued.max.messages.kbytes", "65536", 0},
    {FOR_CONSUMER, "fetch.queue.backoff.ms", "5", QUEUE_BACKOFF_VERSION_MIN},
    {FOR_WRITE, "enable.idempotence", "true", 0},
    {FOR_WRITE, "acks", "all", 0},
    /* A commit flushes: whatever waits for it is to be in few large batches. */
    {FOR_WRITE, "linger.ms", "50", 0},
    {FOR_WRITE, "batch.size", "1000000", 0},
    {FOR_WRITE, "message.max.bytes", "1000000000", 0}, /* the topic says how large one may be */
    {FOR_WRITE, "batch.num.messages", "100000", 0},
    {FOR_WRITE, "queue.buffering.max.messages", "1000000", 0},
    {FOR_WRITE, "queue.buffering.max.kbytes", "262144", 0},
};

const char *kafka_library_version(void) {
    return rd_kafka_version_str();
}

static void client_error(rd_kafka_t *handle, int code, const char *reason, void *opaque) {
    KafkaClient *client = opaque;
    char fatal[256];
    ErrCode ours = kafka_error_code((rd_kafka_resp_err_t)code);
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        ours = kafka_error_code(rd_kafka_fatal_error(handle, fatal, sizeof fatal));
        reason = fatal;
    }
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT && strstr(reason, "SSL alert"))
        ours = ERR_AUTHENTICATION; /* the broker does not believe our certificate */
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        kafka_trouble_note_new(client->trouble, ours, reason); /* why was said before */
    else if (ours != ERR_OK)
        kafka_trouble_note(client->trouble, ours, reason);
}

/* Errors come to client_error() as well; the rest is of no use to who runs queries. */
static void client_log(const rd_kafka_t *handle, int level, const char *facility,
                       const char *text) {
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

static void client_delivered(rd_kafka_t *handle, const rd_kafka_message_t *message,
                             void *opaque) {
    KafkaClient *client = opaque;
    (void)handle;
    if (client->delivered)
        client->delivered(client->context, message);
}

static ErrCode client_set(rd_kafka_conf_t *conf, const char *name, const char *value, bool secret,
                          Err *err) {
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return ERR_OK;
    if (secret) /* the text would have it */
        return err_set(err, ERR_SEMANTIC, "Kafka configuration: %s has a wrong value", name);
    return err_set(err, ERR_SEMANTIC, "Kafka configuration: %s=%s: %s", name, value, text);
}

static ErrCode client_configure(const KafkaConfig *config, const KafkaClientOptions *options,
                                rd_kafka_conf_t *conf, Err *err) {
    char number[16];
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (settings[i].roles & 1 << options->role &&
            rd_kafka_version() >= settings[i].version_min)
            TRY(client_set(conf, settings[i].name, settings[i].value, false, err));
    TRY(client_set(conf, "bootstrap.servers", config->bootstrap, false, err));
    for (size_t i = 0; i < config->property_count; i++) {
        const KafkaProperty *property = &config->properties[i];
        TRY(client_set(conf, property->name, property->value, property->secret, err));
    }
    if (options->transactional_id) {
        assert(options->role == KAFKA_WRITE);
        uint32_t timeout_ms = options->transaction_timeout_ms ? options->transaction_timeout_ms
                                                              : config->transaction_timeout_ms;
        (void)snprintf(number, sizeof number, "%u", timeout_ms);
        TRY(client_set(conf, "transactional.id", options->transactional_id, false, err));
        TRY(client_set(conf, "transaction.timeout.ms", number, false, err));
    }
    return ERR_OK;
}

static ErrCode client_create(const KafkaConfig *config, const KafkaClientOptions *options,
                             KafkaClient *client, Err *err) {
    char text[512];
    bool writes = options->role == KAFKA_WRITE;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    ErrCode code;
    TRY_DONE(client_configure(config, options, conf, err));
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, client_log);
    rd_kafka_conf_set_error_cb(conf, client_error);
    if (writes) {
        rd_kafka_conf_set_dr_msg_cb(conf, client_delivered);
        kafka_timestamp_hook(conf);
    }
    client->handle = rd_kafka_new(writes ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, text,
                                  sizeof text);
    if (client->handle)
        return ERR_OK; /* conf is its own now */
    code = err_set(err, ERR_SEMANTIC, "Kafka configuration: %s", text);
done:
    rd_kafka_conf_destroy(conf);
    return code;
}

ErrCode kafka_client_open(const KafkaConfig *config, const KafkaClientOptions *options,
                          KafkaClient **client, Err *err) {
    assert(config->bootstrap);
    KafkaClient *opened = mem_alloc(sizeof *opened);
    kafka_trouble_init(&opened->own);
    opened->trouble = options->trouble ? options->trouble : &opened->own;
    opened->delivered = options->delivered;
    opened->context = options->context;
    ErrCode code = client_create(config, options, opened, err);
    if (code != ERR_OK)
        kafka_client_close(opened);
    else
        *client = opened;
    return code;
}

bool kafka_client_fills_late(void) {
    return rd_kafka_version() < QUEUE_BACKOFF_VERSION_MIN;
}

void kafka_client_close(KafkaClient *client) {
    if (!client)
        return;
    if (client->handle)
        rd_kafka_destroy_flags(client->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    kafka_trouble_close(&client->own);
    mem_free(client);
}

/* The first bytes of an answer that is not Kafka's, as librdkafka says them: a size. */
static const char *client_stranger(const char *text) {
    if (strstr(text, "Invalid response size 1213486160"))
        return "; that is an HTTP server, not Kafka";
    if (strstr(text, "Invalid response size 3525")) /* 0x1503, an alert */
        return "; the port wants TLS (security.protocol)";
    return "";
}

/* Why there is no answer. */
static ErrCode client_unconnected(KafkaClient *client, const KafkaConfig *config, Err *err) {
    int64_t since_ms;
    const char *mechanism = kafka_config_property(config, "sasl.mechanism");
    Err why;
    ErrCode code = kafka_trouble_now(client->trouble, &since_ms, &why);
    if (code == ERR_OK)
        return err_set(err, ERR_BROKER_DOWN, "Kafka at %s does not answer", config->bootstrap);
    if (code == ERR_AUTHENTICATION && mechanism && strncasecmp(mechanism, "SCRAM", 5) == 0 &&
        rd_kafka_version() < SCRAM_VERSION_MIN)
        return err_set(err, code,
                       "Kafka at %s: %.400s. librdkafka %s cannot do SCRAM with brokers that check "
                       "it as Kafka 3.9 and later do: librdkafka 2.6.1 can, or use PLAIN over TLS",
                       config->bootstrap, why.message, rd_kafka_version_str());
    return err_set(err, code, "Kafka at %s: %.600s%s", config->bootstrap, why.message,
                   client_stranger(why.message));
}

ErrCode kafka_client_connect(KafkaClient *client, const KafkaConfig *config, int timeout_ms,
                             char cluster_id[KAFKA_CLUSTER_ID_SIZE], Err *err) {
    enum { SLICE_MS = 50 };
    int64_t end_us = io_posix_mono_us() + timeout_ms * (int64_t)1000, since_ms;
    Err now;
    do {
        char *id = rd_kafka_clusterid(client->handle, SLICE_MS);
        if (id) {
            (void)snprintf(cluster_id, KAFKA_CLUSTER_ID_SIZE, "%s", id);
            rd_kafka_mem_free(client->handle, id);
            kafka_trouble_over(client->trouble);
            return ERR_OK;
        }
        (void)rd_kafka_poll(client->handle, 0);
    } while (io_posix_mono_us() < end_us && patience_check(&now) == ERR_OK &&
             kafka_trouble_now(client->trouble, &since_ms, &now) != ERR_AUTHENTICATION);
    return client_unconnected(client, config, err);
}
