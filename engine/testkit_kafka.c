/*
 * testkit_kafka.c - a conformance kit whose topics are in a Kafka cluster.
 *
 * Each kit is a service of its own, with one slot. Names of topics are the case's, so a kit takes
 * away, when it ends, the topics that came while it was there: one kit at a time has the cluster.
 */
#include "base/mem.h"
#include "engine/testkit_impl.h"
#include "kafka/admin.h"
#include "kafka/kafka.h"

enum { TESTKIT_WAIT_MS = 10000, TESTKIT_LOOKS_MAX = 2000 };

struct TestkitKafka {
    EngineCluster cluster;
    KafkaConfig *config;
    KafkaAdmin *admin;
    Arena *arena;
    KafkaTopic *before; /* in order of name */
    uint32_t before_count;
};

static ErrCode testkit_kafka_config(const TestkitOptions *options, KafkaConfig **config, Err *err) {
    Buf service = {0};
    buf_printf(&service, "WEIR_KAFKA_KSQL_SERVICE_ID=%s", options->kafka_service);
    const char *environment[] = {buf_cstr(&service), "WEIR_KAFKA_WEIR_SLOTS=1",
                                 "WEIR_KAFKA_LINGER_MS=0", "WEIR_KAFKA_WEIR_COMMIT_INTERVAL_MS=1",
                                 NULL};
    KafkaConfigSource source = {.bootstrap = options->kafka, .environment = environment};
    ErrCode code = kafka_config_load(&source, config, err);
    if (code == ERR_OK)
        (*config)->keeps_all = true; /* records of cases are of 1970, and all are looked at */
    buf_free(&service);
    return code;
}

static ErrCode testkit_kafka_open(void *context, Storage *storage, Cluster **cluster, Err *err) {
    const TestkitKafka *kafka = context;
    return kafka_cluster_open(kafka->config, storage, cluster, err);
}

static void testkit_kafka_stop(void *context, Cluster *cluster) {
    (void)context;
    kafka_cluster_stop(cluster);
}

static void testkit_kafka_close(void *context, Cluster *cluster) {
    (void)context;
    kafka_cluster_close(cluster);
}

ErrCode testkit_kafka_new(const TestkitOptions *options, TestkitKafka **kafka, Err *err) {
    TestkitKafka *made = mem_alloc(sizeof *made);
    ErrCode code;
    made->arena = arena_new("topics before", 0);
    TRY_DONE(testkit_kafka_config(options, &made->config, err));
    made->cluster = (EngineCluster){.open = testkit_kafka_open,
                                    .stop = testkit_kafka_stop,
                                    .close = testkit_kafka_close,
                                    .context = made,
                                    .service_id = made->config->service_id};
    TRY_DONE(kafka_admin_open(made->config, NULL, TESTKIT_WAIT_MS, &made->admin, err));
    TRY_DONE(kafka_admin_topics(made->admin, made->arena, &made->before, &made->before_count, err));
done:
    if (code != ERR_OK)
        testkit_kafka_free(made);
    else
        *kafka = made;
    return code;
}

const EngineCluster *testkit_kafka_cluster(const TestkitKafka *kafka) {
    return kafka ? &kafka->cluster : NULL;
}

static bool testkit_kafka_is_ours(const TestkitKafka *kafka, const char *name) {
    bool internal = strncmp(name, "__", 2) == 0;
    for (uint32_t i = 0; i < kafka->before_count && !internal; i++)
        if (strcmp(kafka->before[i].name, name) == 0)
            return false;
    return !internal;
}

/* Names of the topics that came since; how many. */
static uint32_t testkit_kafka_new_topics(TestkitKafka *kafka, const char ***names) {
    KafkaTopic *topics;
    Err ignored;
    uint32_t count, kept = 0;
    *names = NULL;
    if (kafka_admin_topics(kafka->admin, kafka->arena, &topics, &count, &ignored) != ERR_OK)
        return 0;
    *names = arena_array(kafka->arena, count + 1, sizeof **names);
    for (uint32_t i = 0; i < count; i++)
        if (testkit_kafka_is_ours(kafka, topics[i].name))
            (*names)[kept++] = topics[i].name;
    return kept;
}

static void testkit_kafka_sweep(TestkitKafka *kafka) {
    const char **names;
    Err ignored;
    uint32_t count = testkit_kafka_new_topics(kafka, &names);
    if (count == 0 || kafka_admin_delete(kafka->admin, names, count, &ignored) != ERR_OK)
        return;
    /* Deleted is not yet gone: brokers hear of it a moment later. */
    for (int look = 0; look < TESTKIT_LOOKS_MAX; look++)
        if (testkit_kafka_new_topics(kafka, &names) == 0)
            return;
}

void testkit_kafka_free(TestkitKafka *kafka) {
    if (!kafka)
        return;
    if (kafka->admin && kafka->before)
        testkit_kafka_sweep(kafka);
    kafka_admin_close(kafka->admin);
    kafka_config_free(kafka->config);
    arena_free(kafka->arena);
    mem_free(kafka);
}
