/* export.c - see export.h. */
#include "kafka/export.h"

#include <assert.h>
#include <stdio.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"
#include "kafka/kill_point.h"

enum {
    EXPORT_VERSION = 1,
    EXPORT_TIMEOUT_MS = 30000, /* of everything */
    EXPORT_ADMIN_MS = 10000,   /* of a question */
    EXPORT_CONNECT_MS = 3000,
    EXPORT_TROUBLE_MS = 5000,  /* while something is known to be wrong */
    EXPORT_SLICE_MS = 2000,    /* slot_call.c says why it is long */
    EXPORT_POLL_MS = 100,
    EXPORT_NAME_SIZE = 512,
};

struct KafkaExport {
    KafkaTrouble trouble;
    KafkaClient *client;
    rd_kafka_topic_t *topic, *positions;
    char positions_topic[EXPORT_NAME_SIZE];
    char *name;
    uint32_t partitions;
    const atomic_bool *stop;
    bool open;      /* a transaction is */
    int64_t marked; /* where the record of the opening lies; -1: not known */
    bool failed;
    Err error;
};

static void export_delivered(void *context, const rd_kafka_message_t *message) {
    KafkaExport *export = context;
    if (!message->err && message->_private)
        export->marked = message->offset;
    if (!message->err || export->failed)
        return;
    export->failed = true;
    (void)!kafka_error(&export->error, message->err, "A record for topic %s, partition %d",
                       rd_kafka_topic_name(message->rkt), (int)message->partition);
}

/* Until `since` lies too far back, or it is to end. */
static ErrCode export_may_wait(KafkaExport *export, int64_t since_us, Err *err) {
    int64_t waited_ms = (io_posix_mono_us() - since_us) / 1000, since_ms;
    Err why;
    if (atomic_load(export->stop))
        return err_set(err, ERR_CANCELLED, "Export %s is ended", export->name);
    bool troubled = kafka_trouble_now(&export->trouble, &since_ms, &why) != ERR_OK;
    if (troubled && waited_ms > EXPORT_TROUBLE_MS)
        return *err = why, why.code;
    if (waited_ms > EXPORT_TIMEOUT_MS)
        return err_set(err, ERR_BROKER_DOWN, "Export %s: no answer in %d s", export->name,
                       EXPORT_TIMEOUT_MS / 1000);
    return ERR_OK;
}

/* == Transactions ============================================================================= */

static ErrCode export_produce(KafkaExport *export, const Outgoing *out, Err *err) {
    int64_t since_us = io_posix_mono_us();
    for (;;) {
        ErrCode code = outgoing_produce(export->client->handle, out, err);
        if (code != ERR_BUSY)
            return code;
        TRY(export_may_wait(export, since_us, err));
        (void)rd_kafka_poll(export->client->handle, EXPORT_POLL_MS);
    }
}

static ErrCode export_begin(KafkaExport *export, Err *err) {
    if (export->open)
        return ERR_OK;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(export->client->handle);
    TRY(kafka_error_take(error, export->name, err));
    export->open = true;
    return ERR_OK;
}

static ErrCode export_flush(KafkaExport *export, Err *err) {
    int64_t since_us = io_posix_mono_us();
    while (!export->failed && rd_kafka_outq_len(export->client->handle) > 0) {
        TRY(export_may_wait(export, since_us, err));
        (void)rd_kafka_flush(export->client->handle, EXPORT_POLL_MS);
    }
    return export->failed ? (*err = export->error, err->code) : ERR_OK;
}

/* A record for the topic of positions; report: see export_delivered(). */
static ErrCode export_position_send(KafkaExport *export, const LogRecord *record, void *report,
                                    Err *err) {
    assert(export->positions);
    Outgoing out = {.topic = export->positions, .record = record, .report = report,
                    .is_now = true, .copied = true};
    return export_produce(export, &out, err);
}

/* Calls again until there is an answer: `call` is one that can be resumed. */
static ErrCode export_call(KafkaExport *export,
                           rd_kafka_error_t *(*call)(rd_kafka_t *, int timeout_ms), Err *err) {
    int64_t since_us = io_posix_mono_us();
    for (;;) {
        rd_kafka_error_t *error = call(export->client->handle, EXPORT_SLICE_MS);
        bool again = error && rd_kafka_error_is_retriable(error);
        ErrCode code = kafka_error_take(error, export->name, err);
        if (code == ERR_OK)
            kafka_trouble_over(&export->trouble);
        if (code == ERR_OK || !again)
            return code;
        TRY(export_may_wait(export, since_us, err));
    }
}

/* The transaction that is open. */
static ErrCode export_end(KafkaExport *export, Err *err) {
    assert(export->open);
    TRY(export_flush(export, err));
    kill_point_pass(KILL_EXPORT_FLUSHED);
    TRY(export_call(export, rd_kafka_commit_transaction, err));
    kill_point_pass(KILL_EXPORT_COMMITTED);
    export->open = false;
    return ERR_OK;
}

/* == Opening ================================================================================== */

typedef struct ExportRead {
    const KafkaExport *export;
    int64_t *next_offsets;
    int64_t damage_offset; /* of the last record, where it is damaged; -1: it is not */
} ExportRead;

bool export_position_decode(Bytes value, uint32_t partitions, int64_t *next_offsets) {
    Reader reader = reader_of(value);
    uint8_t version = reader_u8(&reader);
    uint32_t count = reader_u32_le(&reader);
    if (!reader_ok(&reader) || version != EXPORT_VERSION || count != partitions ||
        reader_left(&reader) != count * sizeof(uint64_t))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        next_offsets[i] = (int64_t)reader_u64_le(&reader);
        if (next_offsets[i] < 0)
            return false;
    }
    return true;
}

/* A KafkaRecordFn. The last one of the name counts; null: from the beginning. */
static ErrCode export_position(void *context, const LogRecord *record, Err *err) {
    ExportRead *read = context;
    uint32_t partitions = read->export->partitions;
    (void)err;
    if (!bytes_equal(record->key, bytes_of(read->export->name)))
        return ERR_OK;
    bool good = true;
    if (record->value.data)
        good = export_position_decode(record->value, partitions, read->next_offsets);
    else
        memset(read->next_offsets, 0, partitions * sizeof *read->next_offsets);
    read->damage_offset = good ? -1 : record->offset;
    return ERR_OK;
}

static ErrCode export_verdict(const ExportRead *read, Err *err) {
    const KafkaExport *export = read->export;
    if (read->damage_offset < 0)
        return ERR_OK;
    return err_set(err, ERR_CORRUPT,
                   "Topic %s, partition 0, offset %lld: the position of export %s is none of %u "
                   "partitions; it was written by a newer Weir, or not by Weir",
                   export->positions_topic, (long long)read->damage_offset, export->name,
                   export->partitions);
}

/* Of the topic that is made the configs are said, so that it is as CREATE says. */
static ErrCode export_make(KafkaAdmin *admin, const KafkaConfig *config,
                           const KafkaExportOptions *options, Err *err) {
    KafkaPair pairs[TOPIC_CONFIGS_MAX];
    Arena *arena = arena_new("kafka configs", 0);
    int32_t replicas = options->config.replicas;
    KafkaNewTopic topic = {.name = options->topic, .partitions = options->partitions,
                           .replicas = replicas > 0 ? replicas : config->replicas,
                           .configs = pairs,
                           .config_count = topic_configs(&options->config, arena, pairs)};
    ErrCode code = kafka_admin_create(admin, &topic, 1, err);
    arena_free(arena);
    return code;
}

static ErrCode export_topics(const KafkaExport *export, const KafkaConfig *config,
                             const KafkaExportOptions *options, KafkaAdmin *admin, Err *err) {
    KafkaPair compact[] = {{"cleanup.policy", "compact"}};
    KafkaTopic there;
    KafkaNewTopic positions = {.name = export->positions_topic, .partitions = 1,
                               .replicas = config->replicas, .configs = compact,
                               .config_count = 1};
    TRY(kafka_admin_create(admin, &positions, 1, err));
    Err why;
    ErrCode code = kafka_admin_topic(admin, options->topic, &there, &why);
    if (code == ERR_TOPIC_MISSING)
        return export_make(admin, config, options, err);
    if (code != ERR_OK)
        return *err = why, code;
    if (there.partitions != options->partitions)
        return err_set(err, ERR_SEMANTIC,
                       "topic %s of the other cluster has %u partitions instead of %u",
                       options->topic, there.partitions, options->partitions);
    return ERR_OK;
}

/* Other exports write into the topic of positions too: while a transaction of theirs is open,
 * nothing behind it can be read, our last position among it. So this one writes a record, and
 * reads until it has seen that. */
static ErrCode export_mark(KafkaExport *export, Err *err) {
    Buf key = {0};
    buf_printf(&key, "%s opened", export->name);
    LogRecord record = {.key = buf_view(&key)};
    export->marked = -1;
    ErrCode code = export_begin(export, err);
    if (code == ERR_OK)
        code = export_position_send(export, &record, &export->marked, err);
    if (code == ERR_OK)
        code = export_end(export, err);
    buf_free(&key);
    if (code == ERR_OK && export->marked < 0)
        return err_set(err, ERR_TRANSACTION_ABORTED, "Export %s: its opening was not written",
                       export->name);
    return code;
}

static ErrCode export_connect(KafkaExport *export, const KafkaConfig *config,
                              const KafkaExportOptions *options, int64_t *next_offsets,
                              Err *err) {
    char transactional_id[EXPORT_NAME_SIZE], cluster_id[KAFKA_CLUSTER_ID_SIZE];
    KafkaAdmin *admin = NULL;
    ExportRead read = {export, next_offsets, -1};
    KafkaClientOptions client = {.role = KAFKA_WRITE, .transactional_id = transactional_id,
                                 .delivered = export_delivered, .context = export,
                                 .trouble = &export->trouble};
    ErrCode code;
    (void)snprintf(transactional_id, sizeof transactional_id, "%s-export-%s", config->service_id,
                   options->name);
    KafkaTailOptions tail = {.topic = export->positions_topic, .from = -1,
                             .record = export_position, .context = &read};
    TRY_DONE(kafka_admin_open(config, &export->trouble, EXPORT_ADMIN_MS, &admin, err));
    TRY_DONE(kafka_client_connect(kafka_admin_client(admin), config, EXPORT_CONNECT_MS, cluster_id,
                                  err)); /* says why it cannot */
    TRY_DONE(export_topics(export, config, options, admin, err));
    TRY_DONE(kafka_client_open(config, &client, &export->client, err));
    export->topic = rd_kafka_topic_new(export->client->handle, options->topic, NULL);
    export->positions = rd_kafka_topic_new(export->client->handle, export->positions_topic, NULL);
    assert(export->topic && export->positions);
    TRY_DONE(export_call(export, rd_kafka_init_transactions, err));
    kill_point_pass(KILL_EXPORT_OPENED);
    TRY_DONE(export_mark(export, err)); /* after the fencing: nothing of a former owner can come */
    tail.until = export->marked + 1;
    TRY_DONE(kafka_tail_read(admin, &tail, NULL, err));
    TRY_DONE(export_verdict(&read, err));
done:
    kafka_admin_close(admin);
    return code;
}

ErrCode kafka_export_open(const KafkaConfig *config, const KafkaExportOptions *options,
                          int64_t *next_offsets, KafkaExport **made, Err *err) {
    assert(options->partitions > 0 && options->partitions <= PARTITIONS_MAX);
    assert(options->stop);
    kill_point_arm();
    KafkaExport *export = mem_alloc(sizeof *export);
    export->stop = options->stop;
    kafka_trouble_init(&export->trouble);
    export->name = mem_strdup(options->name);
    export->partitions = options->partitions;
    (void)snprintf(export->positions_topic, sizeof export->positions_topic, "_%s-exports",
                   config->service_id);
    memset(next_offsets, 0, options->partitions * sizeof *next_offsets);
    ErrCode code = export_connect(export, config, options, next_offsets, err);
    if (code == ERR_OK)
        *made = export;
    else
        kafka_export_close(export);
    return code;
}

void kafka_export_close(KafkaExport *export) {
    if (!export)
        return;
    if (export->topic)
        rd_kafka_topic_destroy(export->topic);
    if (export->positions)
        rd_kafka_topic_destroy(export->positions);
    kafka_client_close(export->client);
    kafka_trouble_close(&export->trouble);
    mem_free(export->name);
    mem_free(export);
}

/* == Sending ================================================================================== */

ErrCode kafka_export_send(KafkaExport *export, uint32_t partition, const LogRecord *record,
                          Err *err) {
    assert(partition < export->partitions);
    if (export->failed)
        return *err = export->error, err->code;
    TRY(export_begin(export, err));
    Outgoing out = {.topic = export->topic, .partition = partition, .record = record,
                    .copied = true};
    TRY(export_produce(export, &out, err));
    (void)rd_kafka_poll(export->client->handle, 0);
    return ERR_OK;
}

ErrCode kafka_export_commit(KafkaExport *export, const int64_t *next_offsets, Err *err) {
    Buf value = {0};
    TRY(export_begin(export, err));
    kill_point_pass(KILL_EXPORT_SENT);
    buf_u8(&value, EXPORT_VERSION);
    buf_u32_le(&value, export->partitions);
    for (uint32_t i = 0; i < export->partitions; i++)
        buf_u64_le(&value, (uint64_t)next_offsets[i]);
    LogRecord record = {.key = bytes_of(export->name), .value = buf_view(&value)};
    ErrCode code = export_position_send(export, &record, NULL, err);
    buf_free(&value);
    TRY(code);
    return export_end(export, err);
}
