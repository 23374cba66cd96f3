/* host.c - what the planner may ask about the catalog, topics and settings (PlannerHost). */
#include "engine/engine_impl.h"
#include "kafka/import.h"

static const Source *host_find_source(void *context, const char *name) {
    const Weir *weir = context;
    return catalog_source(&weir->catalog, name);
}

static uint32_t host_source_count(void *context) {
    const Weir *weir = context;
    return (uint32_t)weir->catalog.source_count;
}

static const Source *host_source_at(void *context, uint32_t index) {
    const Weir *weir = context;
    assert(index < weir->catalog.source_count);
    return weir->catalog.sources[index].source;
}

static ErrCode host_topic_partitions(void *context, const char *topic, uint32_t *partitions,
                                     Err *err) {
    const Weir *weir = context;
    LogTopic found;
    Err why;
    ErrCode code = log_topic_look(weir->storage, topic, &found, &why);
    *partitions = code == ERR_OK ? found.partition_count : 0;
    if (code == ERR_OK || code == ERR_NOT_FOUND)
        return ERR_OK;
    return *err = why, code; /* whether there is one is not known */
}

static const char *host_setting(void *context, const char *name) {
    const Weir *weir = context;
    return settings_get(&weir->settings, name);
}

static const Type *host_custom_type(void *context, const char *name) {
    const Weir *weir = context;
    const CatalogType *type = catalog_type(&weir->catalog, name);
    return type ? type->type : NULL;
}

static bool host_query_exists(void *context, const char *query_id) {
    const Weir *weir = context;
    return catalog_query(&weir->catalog, query_id) != NULL;
}

static const Plan *host_query_plan(void *context, const char *query_id) {
    const Weir *weir = context;
    const CatalogQuery *query = catalog_query(&weir->catalog, query_id);
    return query ? query->plan : NULL;
}

static const char *host_sink_query(void *context, const char *source, uint32_t index) {
    const Weir *weir = context;
    for (size_t i = 0; i < weir->catalog.query_count; i++) {
        const CatalogQuery *query = weir->catalog.queries[i];
        if (query->plan->sink_source && strcmp(query->plan->sink_source, source) == 0 &&
            index-- == 0)
            return query->id;
    }
    return NULL;
}

static const UserFunction *const *host_user_functions(void *context, const char *name,
                                                      uint32_t *count) {
    const Weir *weir = context;
    return catalog_functions(&weir->catalog, name, count);
}

static uint64_t host_next_query_number(void *context) {
    const Weir *weir = context;
    return weir->catalog.next_query_number;
}

static int64_t host_now_ms(void *context) {
    const Weir *weir = context;
    return weir->io->ops->now_ms(weir->io);
}

static ErrCode host_broker_topic(void *context, const char *broker, const char *topic,
                                 uint32_t *partitions, Err *err) {
    const Weir *weir = context;
    const KafkaConfig *config;
    if (engine_has_cluster(weir))
        return err_set(err, ERR_UNSUPPORTED,
                       "A query lives in one world, and here that is the service's own cluster. "
                       "BROKER is for topics in a folder: weir DIR --config FILE.");
    TRY(edge_config(weir->edges, broker, &config, err));
    return topic ? kafka_topic_partitions(config, topic, partitions, err) : ERR_OK;
}

/* In a cluster it is the cluster's to say. */
static bool cluster_retention(const Weir *weir, const char *topic, PlannedRetention *retention,
                              int32_t *replicas) {
    Cluster *cluster = weir->cluster;
    ClusterTopic facts;
    Err ignored; /* then the topic gets the cluster's defaults */
    if (!cluster->ops->describe ||
        cluster->ops->describe(cluster, &topic, 1, false, &facts, &ignored) != ERR_OK ||
        facts.partitions == 0 || facts.retention_ms == CONFIG_DEFAULT)
        return false;
    *retention = (PlannedRetention){facts.retention_ms, facts.retention_bytes};
    *replicas = facts.replicas;
    return true;
}

static bool host_topic_retention(void *context, const char *topic, PlannedRetention *retention,
                                 int32_t *replicas) {
    const Weir *weir = context;
    LogTopic found;
    if (engine_has_cluster(weir))
        return cluster_retention(weir, topic, retention, replicas);
    const CatalogTopic *kept = log_topic_find(weir->storage, topic, &found)
                                   ? catalog_topic(&weir->catalog, found.id)
                                   : NULL;
    if (kept)
        *retention = (PlannedRetention){kept->retention.ms, kept->retention.bytes};
    return true;
}

PlannerHost engine_host(Weir *weir) {
    return (PlannerHost){.context = weir,
                         .find_source = host_find_source,
                         .source_count = host_source_count,
                         .source_at = host_source_at,
                         .topic_partitions = host_topic_partitions,
                         .setting = host_setting,
                         .custom_type = host_custom_type,
                         .query_exists = host_query_exists,
                         .user_functions = host_user_functions,
                         .query_plan = host_query_plan,
                         .sink_query = host_sink_query,
                         .next_query_number = host_next_query_number,
                         .now_ms = host_now_ms,
                         .broker_topic = host_broker_topic,
                         .topic_retention = host_topic_retention};
}

ErrCode engine_find_source(Weir *weir, const char *name, AstPos pos, const Source **source,
                           Err *err) {
    *source = catalog_source(&weir->catalog, name);
    if (*source)
        return ERR_OK;
    Arena *scratch = arena_new("names", 0);
    PlannerHost host = engine_host(weir);
    ErrCode code = err_set_at(err, ERR_UNKNOWN_NAME, pos.line, pos.column,
                              "Could not find STREAM/TABLE '%s' in the Metastore%s", name,
                              plan_source_hint(&host, name, scratch));
    arena_free(scratch);
    return code;
}
