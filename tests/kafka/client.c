/*
 * client.c - the clients of a cluster against a real broker: topics, configs, offsets, tails.
 *
 *   client BOOTSTRAP      prints what fails and "N passed, M failed"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kafka/tail.h"
#include "tests/kafka/check.h"

typedef struct Seen {
    uint32_t count;
    char last[64];
} Seen;

static ErrCode see(void *context, const LogRecord *record, Err *err) {
    Seen *seen = context;
    (void)err;
    seen->count++;
    (void)snprintf(seen->last, sizeof seen->last, "%.*s", (int)record->value.size,
                   (const char *)record->value.data);
    return ERR_OK;
}

static KafkaClient *writer_open(const KafkaConfig *config, const char *id) {
    KafkaClientOptions options = {.role = KAFKA_WRITE, .transactional_id = id};
    KafkaClient *client = NULL;
    Err err;
    check_ok(kafka_client_open(config, &options, &client, &err), &err, "producer");
    if (client && id)
        check_ok(kafka_error_take(rd_kafka_init_transactions(client->handle, 10000), "init", &err),
                 &err, "init_transactions");
    return client;
}

static void put(KafkaClient *client, const char *topic, const char *value) {
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value, strlen(value)}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    Err err;
    check_ok(kafka_error_take(rd_kafka_produceva(client->handle, parts,
                                                 sizeof parts / sizeof parts[0]),
                              topic, &err), &err, "produce");
}

/* `count` records in a transaction. */
static void transaction(KafkaClient *client, const char *topic, const char *word, bool commit) {
    Err err;
    char value[32];
    check_ok(kafka_error_take(rd_kafka_begin_transaction(client->handle), "begin", &err), &err,
             "begin");
    for (int i = 0; i < 5; i++) {
        (void)snprintf(value, sizeof value, "%s%d", word, i);
        put(client, topic, value);
    }
    (void)rd_kafka_flush(client->handle, 10000);
    rd_kafka_error_t *error = commit ? rd_kafka_commit_transaction(client->handle, 10000)
                                     : rd_kafka_abort_transaction(client->handle, 10000);
    check_ok(kafka_error_take(error, "end", &err), &err, commit ? "commit" : "abort");
    (void)usleep(100 * 1000); /* markers are written behind the answer */
}

static void check_tail(KafkaAdmin *admin, KafkaClient *writer, const char *topic) {
    Err err;
    Seen seen = {0};
    int64_t next = -1;
    KafkaTailOptions options = {.topic = topic, .from = -1, .timeout_ms = 10000, .record = see,
                                .context = &seen};
    check_ok(kafka_tail_read(admin, &options, &next, &err), &err, "tail of an empty topic");
    check(seen.count == 0 && next == 0, "nothing in an empty topic");
    transaction(writer, topic, "a", true);
    check_ok(kafka_tail_read(admin, &options, &next, &err), &err, "tail");
    check(seen.count == 5 && next == 6 && strcmp(seen.last, "a4") == 0, "five and a marker");
    transaction(writer, topic, "b", false);
    seen.count = 0;
    check_ok(kafka_tail_read(admin, &options, &next, &err), &err, "tail behind an abort");
    check(seen.count == 5 && next == 12, "five, aborted ones and two markers");
    options.from = 100;
    check(kafka_tail_read(admin, &options, &next, &err) == ERR_NOT_FOUND, "beyond the end");
    KafkaTail *tail;
    uint32_t count;
    options.from = next;
    seen.count = 0;
    check_ok(kafka_tail_open(admin, &options, &tail, &err), &err, "tail from the end");
    check_ok(kafka_tail_more(tail, 10, &count, &err), &err, "more");
    check(count == 0, "nothing new");
    transaction(writer, topic, "c", true);
    check_ok(kafka_tail_to_end(tail, &err), &err, "to the end");
    check(seen.count == 5 && strcmp(seen.last, "c4") == 0, "what came");
    kafka_tail_close(tail);
    options.topic = "there-is-none";
    options.from = -1;
    check(kafka_tail_read(admin, &options, &next, &err) == ERR_TOPIC_MISSING, "no such topic");
}

static const char *config_of(const KafkaTopicConfig *configs, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(configs[i].name, name) == 0 && !configs[i].is_default)
            return configs[i].value;
    return "default";
}

/* A broker tells of a change a moment after it has made it. */
static bool becomes(KafkaAdmin *admin, const char *topic, const char *name, const char *value) {
    Err err;
    Arena *arena = arena_new("test", 0);
    KafkaTopicConfig *configs;
    uint32_t count;
    bool same = false;
    for (int i = 0; i < 50 && !same; i++) {
        check_ok(kafka_admin_configs(admin, topic, arena, &configs, &count, &err), &err, "configs");
        same = strcmp(config_of(configs, count, name), value) == 0;
        if (!same)
            (void)usleep(50 * 1000);
    }
    arena_free(arena);
    return same;
}

static void check_configs(KafkaAdmin *admin, const char *name) {
    Err err;
    KafkaPair change = {"retention.ms", "12345000"}, wrong = {"retention.ms", "soon"};
    check_ok(kafka_admin_configure(admin, name, &change, 1, &err), &err, "configure");
    check(becomes(admin, name, "retention.ms", "12345000"), "retention.ms");
    check(becomes(admin, name, "cleanup.policy", "compact"), "the others stay");
    change.value = NULL;
    check_ok(kafka_admin_configure(admin, name, &change, 1, &err), &err, "back to the default");
    check(becomes(admin, name, "retention.ms", "default"), "as before");
    check(becomes(admin, name, "cleanup.policy", "compact"), "the others stay");
    check(kafka_admin_configure(admin, name, &wrong, 1, &err) == ERR_SEMANTIC, "a wrong value");
    check(strstr(err.message, "soon") != NULL, "the broker's words");
}

static void check_topics(KafkaAdmin *admin, const char *name) {
    Err err;
    KafkaPair config = {"cleanup.policy", "compact"};
    KafkaNewTopic made = {.name = name, .partitions = 3, .configs = &config, .config_count = 1};
    KafkaTopic topic;
    KafkaOffsets offsets[4];
    check_ok(kafka_admin_create(admin, &made, 1, &err), &err, "create");
    check_ok(kafka_admin_create(admin, &made, 1, &err), &err, "create again");
    check_ok(kafka_admin_topic(admin, name, &topic, &err), &err, "topic");
    check(topic.partitions == 3 && topic.replicas == 1, "as it was made");
    check_configs(admin, name);
    check_ok(kafka_admin_grow(admin, name, 4, &err), &err, "grow");
    check(kafka_admin_grow(admin, name, 2, &err) == ERR_SEMANTIC, "no topic shrinks");
    check_ok(kafka_admin_offsets(admin, name, 4, offsets, &err), &err, "offsets");
    check(offsets[3].start == 0 && offsets[3].end == 0, "all empty");
}

static void check_groups(KafkaAdmin *admin, const char *name) {
    Err err;
    Arena *arena = arena_new("test", 0);
    KafkaTopic topic;
    KafkaGroup *groups = NULL;
    uint32_t count = 0;
    KafkaPosition position = {name, 0, 5};
    check_ok(kafka_admin_topic(admin, name, &topic, &err), &err, "topic");
    check_ok(kafka_admin_group_set(admin, name, &position, 1, &err), &err, "group's offset");
    for (int i = 0; i < 50 && count == 0; i++) { /* the coordinator tells a moment later */
        check_ok(kafka_admin_groups(admin, &topic, arena, &groups, &count, &err), &err, "groups");
        (void)usleep(50 * 1000);
    }
    check(count == 1 && strcmp(groups[0].id, name) == 0, "the group is found");
    check(count == 1 && groups[0].lag == 13 && groups[0].members == 0, "its lag");
    arena_free(arena);
}

static void check_all(const KafkaConfig *config) {
    Err err;
    KafkaAdmin *admin;
    char id[KAFKA_CLUSTER_ID_SIZE], name[64], made[80];
    const char *both[] = {name, made};
    (void)snprintf(name, sizeof name, "client-%d", (int)getpid());
    (void)snprintf(made, sizeof made, "%s-made", name);
    check_ok(kafka_admin_open(config, NULL, 10000, &admin, &err), &err, "admin");
    check_ok(kafka_client_connect(kafka_admin_client(admin), config, 10000, id, &err), &err,
             "connect");
    check(strlen(id) > 10, "the cluster's id");
    check_topics(admin, made);
    KafkaNewTopic topic = {.name = name, .partitions = 1};
    check_ok(kafka_admin_create(admin, &topic, 1, &err), &err, "create");
    KafkaClient *writer = writer_open(config, name);
    if (writer) {
        check_tail(admin, writer, name);
        check_groups(admin, name);
    }
    kafka_client_close(writer);
    check_ok(kafka_admin_delete(admin, both, 2, &err), &err, "delete");
    check_ok(kafka_admin_delete(admin, both, 1, &err), &err, "delete what is not there");
    kafka_admin_close(admin);
}

int main(int argc, char **argv) {
    Err err;
    KafkaConfig *config;
    KafkaConfigSource source = {.bootstrap = argc > 1 ? argv[1] : "127.0.0.1:9092",
                                .file = argc > 2 ? argv[2] : NULL};
    if (kafka_config_load(&source, &config, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    check_all(config);
    kafka_config_free(config);
    printf("kafka: %u passed, %u failed\n", passed, failed);
    return failed > 0;
}
