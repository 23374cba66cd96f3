/*
 * service_topic.c - the topics of the service itself: made where they are missing, and looked at
 * where they are there already, for one that expires records would lose what the service is.
 */
#include <assert.h>

#include "kafka/cluster_impl.h"

typedef struct ServiceTopic {
    const char *name;
    uint32_t partitions;
    const KafkaPair *configs; /* how it is made; the checked ones must stay so */
    uint32_t config_count;
    bool checked;
} ServiceTopic;

static const KafkaPair keeps_last[] = {{"cleanup.policy", "compact"}};

/* Who may not see the configs is believed. */
static ErrCode service_configs(KafkaCluster *cluster, const ServiceTopic *topic, Arena *arena,
                               Err *err) {
    KafkaTopicConfig *there;
    uint32_t count;
    Err why;
    ErrCode code = kafka_admin_configs(cluster->admin, topic->name, arena, &there, &count, &why);
    if (code != ERR_OK && code != ERR_AUTHORISATION_DENIED)
        *err = why;
    if (code != ERR_OK)
        return code == ERR_AUTHORISATION_DENIED ? ERR_OK : code;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < topic->config_count; k++) {
            const KafkaPair *wanted = &topic->configs[k];
            const char *value = there[i].value ? there[i].value : "";
            if (strcmp(there[i].name, wanted->name) == 0 && strcmp(value, wanted->value) != 0)
                return err_set(err, ERR_CLUSTER_CHANGED,
                               "Topic %s has %s=%s and would lose what the service needs: set "
                               "%s=%s (kafka-configs.sh --alter), or take another ksql.service.id",
                               topic->name, wanted->name, value, wanted->name, wanted->value);
        }
    return ERR_OK;
}

static ErrCode service_topic(KafkaCluster *cluster, const ServiceTopic *topic, Err *err) {
    KafkaNewTopic made = {.name = topic->name, .partitions = topic->partitions,
                          .replicas = cluster->config->replicas, .configs = topic->configs,
                          .config_count = topic->config_count};
    KafkaTopic there;
    Err why;
    assert(topic->partitions > 0);
    ErrCode code = kafka_admin_topic(cluster->admin, topic->name, &there, &why);
    if (code == ERR_TOPIC_MISSING)
        return kafka_admin_create(cluster->admin, &made, 1, err);
    if (code != ERR_OK)
        return *err = why, code;
    if (there.partitions != topic->partitions)
        return err_set(err, ERR_CLUSTER_CHANGED,
                       "Topic %s has %u partitions, and the service '%s' needs %u: it is not the "
                       "service's. Delete it, or take another ksql.service.id",
                       topic->name, there.partitions, cluster->config->service_id,
                       topic->partitions);
    if (!topic->checked)
        return ERR_OK;
    Arena *arena = arena_new("kafka service topic", 0);
    code = service_configs(cluster, topic, arena, err);
    arena_free(arena);
    return code;
}

/* A folder that has statements of a topic that is not there must not begin it anew. */
static ErrCode service_is_there(KafkaCluster *cluster, Err *err) {
    KafkaTopic there;
    Err why;
    ErrCode code = kafka_admin_topic(cluster->admin, cluster->commands_topic, &there, &why);
    if (code == ERR_TOPIC_MISSING)
        return err_set(err, ERR_CLUSTER_CHANGED,
                       "Topic %s is gone, and the folder has statements of the service '%s' from "
                       "it. For a new service use another folder",
                       cluster->commands_topic, cluster->config->service_id);
    if (code != ERR_OK)
        *err = why;
    return code;
}

ErrCode service_topics(KafkaCluster *cluster, Err *err) {
    KafkaPair keep[TOPIC_CONFIGS_MAX];
    ServiceTopic commands = {cluster->commands_topic, 1, keep, topic_configs_keep(keep), true};
    ServiceTopic members = {cluster->members_topic, 1, keeps_last, 1, false}; /* ranks stay true */
    assert(cluster->admin);
    if (cluster->commands.applied >= 0)
        TRY(service_is_there(cluster, err));
    TRY(service_topic(cluster, &commands, err));
    return service_topic(cluster, &members, err);
}

ErrCode service_positions_topic(KafkaCluster *cluster, Err *err) {
    ServiceTopic positions = {cluster->positions_topic, cluster->slot_count, keeps_last, 1, true};
    assert(cluster->slot_count > 0);
    return service_topic(cluster, &positions, err);
}
