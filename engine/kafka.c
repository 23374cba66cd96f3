/*
 * kafka.c - a Kafka cluster as the log: its configuration, how it is opened for a storage, and
 * which statements the service has executed before.
 */
#include "engine/kafka.h"

#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"
#include "engine/engine_impl.h"
#include "kafka/kafka.h"
#include "storage/store.h"

struct EngineKafka {
    EngineCluster cluster;
    KafkaConfig *config;
    bool ours;   /* the log is the cluster's */
    bool looked; /* `executed` is complete */
    uint64_t *executed; /* hashes of statements */
    size_t executed_count, executed_capacity;
    uint64_t *given; /* hashes of statements that were asked about */
    size_t given_count, given_capacity;
};

const char *weir_kafka_version(void) {
    return kafka_library_version();
}

static ErrCode kafka_open(void *context, Storage *storage, Cluster **cluster, Err *err) {
    const EngineKafka *kafka = context;
    return kafka_cluster_open(kafka->config, storage, cluster, err);
}

static void kafka_stop(void *context, Cluster *cluster) {
    (void)context;
    kafka_cluster_stop(cluster);
}

static void kafka_close(void *context, Cluster *cluster) {
    (void)context;
    kafka_cluster_close(cluster);
}

static bool kafka_notice(void *context, Cluster *cluster, char *text, size_t size) {
    (void)context;
    return kafka_cluster_notice(cluster, text, size);
}

ErrCode engine_kafka_new(const WeirOptions *options, EngineKafka **kafka, Err *err) {
    bool ours = options->kafka != NULL;
    KafkaConfigSource source = {.bootstrap = ours && *options->kafka ? options->kafka : NULL,
                                .file = options->kafka_config,
                                .named_only = !ours};
    KafkaConfig *config;
    TRY(kafka_config_load(&source, &config, err));
    EngineKafka *made = mem_alloc(sizeof *made);
    made->config = config;
    made->ours = ours;
    made->cluster = (EngineCluster){.open = kafka_open,
                                    .stop = kafka_stop,
                                    .close = kafka_close,
                                    .notice = kafka_notice,
                                    .context = made,
                                    .service_id = config->service_id,
                                    .at_least_once = config->at_least_once};
    *kafka = made;
    return ERR_OK;
}

const EngineCluster *engine_kafka_cluster(const EngineKafka *kafka) {
    return kafka && kafka->ours ? &kafka->cluster : NULL;
}

const KafkaConfig *engine_kafka_edges(const EngineKafka *kafka) {
    return kafka && !kafka->ours ? kafka->config : NULL;
}

void engine_kafka_free(EngineKafka *kafka) {
    if (!kafka)
        return;
    kafka_config_free(kafka->config);
    mem_free(kafka->executed);
    mem_free(kafka->given);
    mem_free(kafka);
}

/* -- Statements that were executed before ------------------------------------------------------ */

/* A statement without its comments and its ';', each token behind one blank. *end: behind it. */
static uint64_t statement_hash(Bytes sql, size_t from, size_t *end) {
    WeirToken token;
    Buf text = {0};
    bool over = false;
    while (!over && weir_token((const char *)sql.data, sql.size, from, &token)) {
        const uint8_t *start = sql.data + from;
        bool counts = token.kind != WEIR_TOKEN_BLANK && token.kind != WEIR_TOKEN_COMMENT;
        over = token.kind == WEIR_TOKEN_SYMBOL && *start == ';';
        if (counts && !over) {
            buf_u8(&text, ' ');
            buf_put(&text, start, token.end - from);
        }
        from = token.end;
    }
    *end = from;
    uint64_t hash = hash_bytes(buf_view(&text));
    buf_free(&text);
    return hash;
}

static void statement_seen(void *context, Bytes text) {
    EngineKafka *kafka = context;
    size_t end;
    kafka->executed = mem_grow(kafka->executed, &kafka->executed_capacity,
                               kafka->executed_count + 1, sizeof *kafka->executed);
    kafka->executed[kafka->executed_count++] = statement_hash(text, 0, &end);
}

/* Moves on to `end`; columns are counted in bytes, as the parser counts them. */
static void script_skip(WeirScript *script, size_t end) {
    assert(end >= script->next && end <= script->size);
    if (script->line == 0)
        script->line = script->column = 1;
    for (; script->next < end; script->next++) {
        script->column++;
        if (script->sql[script->next] == '\n') {
            script->line++;
            script->column = 1;
        }
    }
}

/* Whether it may write rows by itself. */
static bool statement_writes(Bytes sql, size_t from) {
    WeirToken token;
    while (weir_token((const char *)sql.data, sql.size, from, &token)) {
        Bytes word = {sql.data + from, (uint32_t)(token.end - from)};
        if (token.kind != WEIR_TOKEN_BLANK && token.kind != WEIR_TOKEN_COMMENT)
            return bytes_is_word(word, "INSERT") || bytes_is_word(word, "COPY");
        from = token.end;
    }
    return false;
}

/* Who the statement is among all that are asked about: the second one like it is another one. */
static uint64_t statement_given(EngineKafka *kafka, uint64_t hash) {
    uint64_t before = 0;
    for (size_t i = 0; i < kafka->given_count; i++)
        before += kafka->given[i] == hash;
    kafka->given = mem_grow(kafka->given, &kafka->given_capacity, kafka->given_count + 1,
                            sizeof *kafka->given);
    kafka->given[kafka->given_count++] = hash;
    uint64_t once = hash + before * 0x9e3779b97f4a7c15ULL;
    return once != 0 ? once : 1;
}

/* Whether its rows are there. */
static ErrCode statement_has_written(Weir *weir, uint64_t once, bool *written, Err *err) {
    Tally tally;
    uint64_t figure;
    TRY(engine_once_open(weir, once, &tally, err));
    ErrCode code = tally_read(&tally, &figure, err);
    tally_close(&tally);
    *written = code == ERR_OK && figure != 0;
    return code;
}

ErrCode engine_once_open(Weir *weir, uint64_t once, Tally *tally, Err *err) {
    assert(once != 0);
    uint8_t key[8];
    for (int i = 0; i < 8; i++)
        key[i] = (uint8_t)(once >> (8 * i));
    TallyOptions options = {.store_id = STORE_COPY, .key = {key, sizeof key}, .count = 1};
    return tally_open(weir->storage, &options, tally, err);
}

WeirStatus weir_skip_executed(Weir *weir, WeirScript *script, bool *skipped, WeirError *error) {
    EngineKafka *kafka = weir->kafka;
    Err err;
    *skipped = false;
    if (!kafka || !kafka->ours)
        return WEIR_OK;
    if (!kafka->looked &&
        kafka_cluster_statements(weir->cluster, statement_seen, kafka, &err) != ERR_OK)
        return engine_status(err.code, &err, error);
    kafka->looked = true;
    if (script->size == 0)
        script->size = strlen(script->sql);
    size_t end;
    Bytes sql = {(const uint8_t *)script->sql, (uint32_t)script->size};
    uint64_t hash = statement_hash(sql, script->next, &end);
    for (size_t i = 0; i < kafka->executed_count && !*skipped; i++)
        *skipped = kafka->executed[i] == hash;
    script->once = 0;
    if (!*skipped && statement_writes(sql, script->next)) {
        script->once = statement_given(kafka, hash);
        if (statement_has_written(weir, script->once, skipped, &err) != ERR_OK)
            return engine_status(err.code, &err, error);
    }
    if (*skipped)
        script_skip(script, end);
    return WEIR_OK;
}
