/* topic.c - topics as the cluster has them, and changes of them that are no commands. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kafka/cluster_impl.h"

static KafkaAdmin *admin_of(Cluster *cluster) {
    assert(cluster);
    return ((KafkaCluster *)cluster)->admin;
}

/* A topic that is not there has one name in storage/. */
static ErrCode topic_missing(ErrCode code, const char *name, Err *err) {
    assert(name);
    if (code == ERR_TOPIC_MISSING)
        return err_set(err, ERR_NOT_FOUND, "there is no topic %s in the cluster", name);
    return code;
}

ErrCode topic_find(Cluster *cluster, const char *name, uint32_t *partitions, Err *err) {
    KafkaTopic topic;
    TRY(topic_missing(kafka_admin_topic(admin_of(cluster), name, &topic, err), name, err));
    *partitions = topic.partitions;
    assert(topic.partitions > 0);
    return ERR_OK;
}

ErrCode topic_all(Cluster *cluster, Arena *arena, LogTopic **topics, uint32_t *count, Err *err) {
    KafkaTopic *found;
    assert(topics && count);
    TRY(kafka_admin_topics(admin_of(cluster), arena, &found, count, err));
    *topics = arena_array(arena, *count, sizeof **topics);
    for (uint32_t i = 0; i < *count; i++) {
        LogTopic *topic = &(*topics)[i];
        topic->partition_count = found[i].partitions;
        (void)snprintf(topic->name, sizeof topic->name, "%s", found[i].name);
    }
    return ERR_OK;
}

/* == describe() =============================================================================== */

static void describe_configs(const KafkaTopicConfig *configs, uint32_t count,
                             ClusterTopic *topic) {
    assert(topic);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = configs[i].name, *value = configs[i].value ? configs[i].value : "";
        if (strcmp(name, "retention.ms") == 0)
            topic->retention_ms = strtoll(value, NULL, 10);
        if (strcmp(name, "retention.bytes") == 0)
            topic->retention_bytes = strtoll(value, NULL, 10);
        if (strcmp(name, "cleanup.policy") != 0)
            continue;
        topic->expires = strstr(value, "compact") && strstr(value, "delete");
        topic->compact = strstr(value, "compact") && !topic->expires;
    }
}

static void describe_groups(const KafkaGroup *groups, uint32_t count, ClusterTopic *topic) {
    assert(topic);
    topic->groups = (int32_t)count;
    topic->members = 0;
    topic->lag = 0;
    for (uint32_t i = 0; i < count; i++) {
        topic->members += (int32_t)groups[i].members;
        topic->lag += groups[i].lag;
    }
}

/* What a user may not see is shown as not known, and fails nothing. */
static ErrCode describe_one(KafkaAdmin *admin, const char *name, bool readers, Arena *arena,
                            ClusterTopic *topic, Err *err) {
    KafkaTopic found;
    KafkaTopicConfig *configs;
    KafkaGroup *groups;
    uint32_t count;
    Err why;
    *topic = (ClusterTopic){0};
    ErrCode code = kafka_admin_topic(admin, name, &found, &why);
    if (code == ERR_TOPIC_MISSING)
        return ERR_OK;
    if (code != ERR_OK)
        return *err = why, code;
    *topic = (ClusterTopic){
        .partitions = found.partitions, .replicas = (int32_t)found.replicas,
        .groups = -1, .members = -1, .lag = -1,
        .retention_ms = CONFIG_DEFAULT, .retention_bytes = CONFIG_DEFAULT,
    };
    if (kafka_admin_configs(admin, name, arena, &configs, &count, &why) == ERR_OK)
        describe_configs(configs, count, topic);
    if (readers && kafka_admin_groups(admin, &found, arena, &groups, &count, &why) == ERR_OK)
        describe_groups(groups, count, topic);
    return ERR_OK;
}

ErrCode topic_describe(Cluster *cluster, const char *const *names, uint32_t count, bool readers,
                       ClusterTopic *topics, Err *err) {
    Arena *arena = arena_new("kafka topics", 0);
    ErrCode code = ERR_OK;
    assert(topics || count == 0);
    for (uint32_t i = 0; i < count && code == ERR_OK; i++)
        code = describe_one(admin_of(cluster), names[i], readers, arena, &topics[i], err);
    arena_free(arena);
    return code;
}

/* == alter() and remove() ===================================================================== */

uint32_t topic_configs(const TopicConfig *config, Arena *arena,
                       KafkaPair pairs[TOPIC_CONFIGS_MAX]) {
    uint32_t count = 0;
    if (!config)
        return 0;
    if (config->retention_ms != CONFIG_DEFAULT)
        pairs[count++] = (KafkaPair){"retention.ms",
                                     arena_printf(arena, "%" PRId64, config->retention_ms)};
    if (config->retention_bytes != CONFIG_DEFAULT)
        pairs[count++] = (KafkaPair){"retention.bytes",
                                     arena_printf(arena, "%" PRId64, config->retention_bytes)};
    if (config->compact || config->expires)
        pairs[count++] = (KafkaPair){"cleanup.policy",
                                     config->expires ? "compact,delete" : "compact"};
    assert(count <= TOPIC_CONFIGS_MAX);
    return count;
}

uint32_t topic_configs_keep(KafkaPair pairs[TOPIC_CONFIGS_MAX]) {
    pairs[0] = (KafkaPair){"cleanup.policy", "delete"};
    pairs[1] = (KafkaPair){"retention.ms", "-1"};
    pairs[2] = (KafkaPair){"retention.bytes", "-1"};
    return 3;
}

ErrCode topic_alter(Cluster *cluster, const char *name, uint32_t partitions,
                    const TopicConfig *config, Err *err) {
    KafkaAdmin *admin = admin_of(cluster);
    KafkaPair pairs[TOPIC_CONFIGS_MAX];
    Arena *arena = arena_new("kafka configs", 0);
    uint32_t count = topic_configs(config, arena, pairs);
    ErrCode code = ERR_OK;
    if (partitions > 0)
        code = kafka_admin_grow(admin, name, partitions, err);
    if (code == ERR_OK && count > 0)
        code = kafka_admin_configure(admin, name, pairs, count, err);
    arena_free(arena);
    return topic_missing(code, name, err);
}

ErrCode topic_remove(Cluster *cluster, const char *name, Err *err) {
    uint32_t partitions;
    TRY(topic_find(cluster, name, &partitions, err));
    return kafka_admin_delete(admin_of(cluster), &name, 1, err);
}
