/*
 * cluster.c - the engine's side of a Kafka cluster as the log: topics that are taken over, names
 * and configurations of those that are made, and a catalog that another process has changed.
 *
 * Without a cluster nothing here does anything, but engine_start_edge().
 */
#include <strings.h>

#include "base/mem.h"
#include "data/time_text.h"
#include "engine/engine_query_impl.h"
#include "planner/plan.h"

enum {
    CLUSTER_RETENTION_MS = 604800000,
    CLUSTER_DAY_MS = 86400000,
    CLUSTER_REVIVE_US = 15000000,
};

bool engine_has_cluster(const Weir *weir) {
    return weir->storage && storage_cluster(weir->storage);
}

const char *engine_service_id(const Weir *weir) {
    const EngineCluster *cluster = weir->options.cluster;
    return cluster && cluster->service_id ? cluster->service_id : "default_";
}

Commit *engine_commit(const Call *call) {
    Commit *commit = commit_new(call->weir->storage, 0);
    if (engine_has_cluster(call->weir))
        commit_statement(commit, call->text);
    return commit;
}

WeirStatus weir_trouble(Weir *weir, WeirError *error) {
    Cluster *cluster = weir->cluster;
    int64_t since_ms;
    Err why;
    if (!cluster || !cluster->ops->trouble ||
        cluster->ops->trouble(cluster, &since_ms, &why) == ERR_OK)
        return WEIR_OK;
    Err told;
    Buf since = {0};
    time_print_timestamp(&since, since_ms);
    err_report(&told, why.code, 0, 0, "since %s: %s", buf_cstr(&since), why.message);
    buf_free(&since);
    return engine_status(why.code, &told, error);
}

/* A StorageWaitFn. */
static bool engine_wait(void *context, const Err *why, int64_t since_ms, uint32_t *memory) {
    Weir *weir = context;
    uint32_t interrupts = atomic_load(&weir->interrupts) * 2 + 1; /* never 0 */
    if (*memory == 0)
        *memory = interrupts;
    if (*memory != interrupts)
        return false;
    if (!weir->options.waits)
        return true;
    Buf text = {0};
    if (why) {
        buf_printf(&text, "%s since ", err_name(why->code));
        time_print_timestamp(&text, since_ms);
        buf_printf(&text, " (%s)", why->message);
    }
    bool go_on = weir->options.waits(weir->options.waits_context, why ? buf_cstr(&text) : NULL);
    buf_free(&text);
    return go_on;
}

ErrCode engine_cluster_open(Weir *weir, Err *err) {
    const EngineCluster *cluster = weir->options.cluster;
    if (!cluster)
        return ERR_OK;
    storage_on_wait(weir->storage, engine_wait, weir);
    TRY(cluster->open(cluster->context, weir->storage, &weir->cluster, err));
    storage_attach(weir->storage, weir->cluster);
    Buf log = {0};
    buf_printf(&log, "%sksql_processing_log", engine_service_id(weir));
    weir->log_name = mem_strdup(buf_cstr(&log));
    buf_free(&log);
    if (cluster->at_least_once)
        settings_start(&weir->settings, "processing.guarantee", "at_least_once");
    return ERR_OK;
}

ErrCode engine_cluster_doubt(Weir *weir, const CatalogQuery *query, Err *err) {
    if (!engine_has_cluster(weir) || err->code != ERR_CORRUPT)
        return err->code;
    Buf why = {0};
    buf_printf(&why, "%.600s", err->message);
    for (uint32_t i = 0; query->changelogs && i < query->plan->node_count; i++) {
        LogTopic topic;
        if (query->changelogs[i] != 0 &&
            log_topic_get(weir->storage, query->changelogs[i], &topic))
            buf_printf(&why, "; state is restored from topic %s", topic.name);
    }
    ErrCode code = err_set(err, ERR_RUNTIME, "%.1000s", buf_cstr(&why));
    buf_free(&why);
    return code;
}

void engine_cluster_notice(Weir *weir) {
    char text[768];
    if (!weir->cluster || !weir->options.cluster->notice || !weir->options.notice)
        return;
    if (weir->options.cluster->notice(weir->options.cluster->context, weir->cluster, text,
                                      sizeof text))
        engine_notice(weir, "%s", text);
}

void engine_cluster_stop(Weir *weir) {
    if (!weir->cluster)
        return;
    const EngineCluster *cluster = weir->options.cluster;
    if (cluster->stop)
        cluster->stop(cluster->context, weir->cluster);
    storage_attach(weir->storage, NULL);
}

void engine_cluster_close(Weir *weir) {
    const EngineCluster *cluster = weir->options.cluster;
    if (weir->cluster && cluster->close)
        cluster->close(cluster->context, weir->cluster);
    mem_free(weir->log_name);
    weir->cluster = NULL;
}

/* -- Topics ------------------------------------------------------------------------------------ */

bool engine_topic_is_hidden(const Weir *weir, const char *name) {
    static const char *const ends[] = {"-commands", "-members", "-positions", "-exports"};
    const char *id = engine_service_id(weir);
    if (plan_topic_is_internal(name))
        return true;
    bool of_service = engine_has_cluster(weir) && name[0] == '_' &&
                      strncmp(name + 1, id, strlen(id)) == 0;
    for (size_t i = 0; of_service && i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(name + 1 + strlen(id), ends[i]) == 0)
            return true;
    return false;
}

ErrCode engine_check_own_topic(const Call *call, const char *name, Err *err) {
    AstPos pos = call->statement->name_pos;
    if (plan_topic_is_internal(name) || !engine_topic_is_hidden(call->weir, name))
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "%s is the service's own topic: PRINT shows what is in it.", name);
}

void engine_adopt_topic(Weir *weir, const char *name, Commit *commit) {
    LogTopic topic;
    if (!engine_has_cluster(weir) || !log_topic_find(weir->storage, name, &topic) ||
        !log_topic_is_borrowed(&topic))
        return;
    commit_topic_create(commit, storage_new_id(weir->storage), name, topic.partition_count);
}

/* The longest time that a window of the plan is kept; -1: there is none. */
static int64_t plan_windows_ms(const Plan *plan) {
    int64_t longest = -1;
    for (uint32_t i = 0; plan && i < plan->node_count; i++) {
        const PlanWindow *window = &plan->nodes[i]->window;
        int64_t kept = window->retention_ms > 0 ? window->retention_ms
                                                : window->size_ms + window->grace_ms;
        if (window->kind != WINDOW_NONE && kept > longest)
            longest = kept;
    }
    return longest;
}

void engine_configure_topic(Weir *weir, const Planned *planned, uint32_t topic_id,
                            Commit *commit) {
    if (!engine_has_cluster(weir))
        return;
    const Source *source = planned->source;
    bool windowed = source->topic.window != WINDOW_NONE;
    TopicConfig config = {
        .replicas = planned->replicas > 0 ? planned->replicas : -1,
        .retention_ms = planned->says_ms || planned->retention.ms >= 0 ? planned->retention.ms
                                                                       : CONFIG_DEFAULT,
        .retention_bytes = planned->says_bytes || planned->retention.bytes >= 0
                               ? planned->retention.bytes
                               : CONFIG_DEFAULT,
        .compact = source->is_table && !windowed,
        .expires = source->is_table && windowed,
    };
    int64_t windows_ms = plan_windows_ms(planned->plan);
    bool unlimited = planned->says_ms && config.retention_ms < 0;
    if (config.expires && windows_ms > CLUSTER_RETENTION_MS && !unlimited &&
        config.retention_ms < windows_ms)
        config.retention_ms = windows_ms;
    commit_topic_config(commit, topic_id, &config);
}

ErrCode engine_start_edge(Weir *weir, const Source *source, int32_t replicas, Err *err) {
    bool windowed = source->topic.window != WINDOW_NONE;
    LogTopic topic;
    TRY(log_topic_look(weir->storage, source->topic.topic, &topic, err));
    const CatalogTopic *kept = catalog_topic(&weir->catalog, topic.id);
    bool by_time = kept && kept->retention.ms >= 0, by_size = kept && kept->retention.bytes >= 0;
    /* Ours keeps all where nothing is said, and so does theirs. */
    TopicConfig config = {
        .replicas = replicas > 0 ? replicas : -1,
        .retention_ms = by_time ? kept->retention.ms : -1,
        .retention_bytes = by_size ? kept->retention.bytes : CONFIG_DEFAULT,
        .compact = source->is_table && !windowed,
        .expires = source->is_table && windowed && by_time,
    };
    return edge_start(weir->edges, source, &config, err);
}

/* -- Topics of queries ------------------------------------------------------------------------- */

void engine_query_topic_name(const Weir *weir, const CatalogQuery *query, uint32_t node,
                             bool changelog, Buf *out) {
    const char *what = changelog ? "changelog" : "repartition";
    const char *path = query->plan->nodes[node]->path;
    bool aggregate = query->plan->nodes[node]->kind == PLAN_AGGREGATE;
    if (engine_has_cluster(weir)) /* ksqlDB's names */
        buf_printf(out, "_confluent-ksql-%squery_%s-%s%s-%s", engine_service_id(weir), query->id,
                   path, changelog && aggregate ? "-Aggregate-Materialize" : "", what);
    else
        buf_printf(out, "_weir-%s-%s-%s", query->id, path, what);
}

uint32_t engine_make_query_topic(Weir *weir, const char *name, uint32_t partitions,
                                 const TopicConfig *config, Commit *commit) {
    uint32_t id = storage_new_id(weir->storage);
    LogTopic there;
    Buf other = {0};
    buf_text(&other, name);
    if (engine_has_cluster(weir) && log_topic_find(weir->storage, name, &there))
        buf_printf(&other, "-%u", id);
    commit_topic_create(commit, id, buf_cstr(&other), partitions);
    if (engine_has_cluster(weir))
        commit_topic_config(commit, id, config);
    buf_free(&other);
    return id;
}

static TopicConfig changelog_config(const CatalogQuery *query, uint32_t node) {
    const PlanWindow *window = &query->plan->nodes[node]->window;
    TopicConfig config = {.replicas = -1, .retention_ms = CONFIG_DEFAULT,
                          .retention_bytes = CONFIG_DEFAULT};
    config.expires = window->kind != WINDOW_NONE;
    config.compact = !config.expires;
    int64_t kept = window->retention_ms > window->size_ms ? window->retention_ms : window->size_ms;
    if (config.expires)
        config.retention_ms = kept + window->grace_ms + CLUSTER_DAY_MS;
    return config;
}

void engine_make_changelogs(Weir *weir, CatalogQuery *query, Commit *commit) {
    uint32_t *topics = arena_array(query->arena, query->plan->node_count, sizeof *topics);
    query->changelogs = topics;
    for (uint32_t i = 0; i < query->plan->node_count; i++) {
        uint32_t partitions;
        if (!query_changelog(weir->runtime, query->plan, i, &partitions))
            continue;
        Buf name = {0};
        engine_query_topic_name(weir, query, i, true, &name);
        TopicConfig config = changelog_config(query, i);
        topics[i] = engine_make_query_topic(weir, buf_cstr(&name), partitions, &config, commit);
        buf_free(&name);
    }
}

void engine_note_growth(const Weir *weir, CatalogQuery *query) {
    Cluster *cluster = weir->cluster;
    query->grown = NULL;
    for (uint32_t i = 0; cluster && i < query->plan->node_count; i++) {
        const PlanNode *node = query->plan->nodes[i];
        LogTopic topic;
        uint32_t partitions;
        Err ignored; /* reading says it */
        if (node->kind == PLAN_SOURCE &&
            log_topic_find(weir->storage, node->topic->topic, &topic) &&
            cluster->ops->topic_find(cluster, topic.name, &partitions, &ignored) == ERR_OK &&
            partitions > topic.partition_count)
            query->grown = node->topic->topic;
    }
}

/* -- Queries that could not start -------------------------------------------------------------- */

bool engine_query_waits(const CatalogQuery *query) {
    return !query->running && query->start_error.code != ERR_OK &&
           err_action(query->start_error.code) == ERR_ACTION_RETRY;
}

void engine_query_later(const Weir *weir, CatalogQuery *query) {
    int64_t since_ms;
    if (!weir->cluster)
        return;
    err_report(&query->start_error, ERR_BROKER_DOWN, 0, 0, "the cluster does not answer");
    if (weir->cluster->ops->trouble)
        (void)!weir->cluster->ops->trouble(weir->cluster, &since_ms, &query->start_error);
}

/* Then a query would only wait, and whoever tries to start it. */
static bool cluster_is_troubled(const Weir *weir) {
    Cluster *cluster = weir->cluster;
    int64_t since_ms;
    Err why;
    return cluster->ops->trouble && cluster->ops->trouble(cluster, &since_ms, &why) != ERR_OK;
}

void engine_revive(Weir *weir) {
    if (!weir->cluster)
        return;
    int64_t now_us = weir->io->ops->mono_us(weir->io), due_us = atomic_load(&weir->revive_us);
    if (now_us < due_us || cluster_is_troubled(weir) ||
        !atomic_compare_exchange_strong(&weir->revive_us, &due_us, now_us + CLUSTER_REVIVE_US))
        return;
    bool any = false;
    shared_lock_read(&weir->lock);
    for (size_t i = 0; i < weir->catalog.query_count; i++)
        any = any || engine_query_waits(weir->catalog.queries[i]);
    shared_lock_release(&weir->lock);
    if (!any)
        return;
    shared_lock_write(&weir->lock);
    for (size_t i = 0; i < weir->catalog.query_count; i++) {
        Err kept_in_query;
        if (engine_query_waits(weir->catalog.queries[i]))
            (void)!engine_start_query(weir, weir->catalog.queries[i], &kept_in_query);
    }
    shared_lock_release(&weir->lock);
    now_us = weir->io->ops->mono_us(weir->io); /* a try may have taken long: statements want in */
    atomic_store(&weir->revive_us, now_us + CLUSTER_REVIVE_US);
}

/* -- What other processes have changed --------------------------------------------------------- */

/* The query of the old catalog that is this one, untouched; NULL: there is none. */
static CatalogQuery *refresh_same(const Catalog *old, const CatalogQuery *query) {
    CatalogQuery *same = catalog_query(old, query->id);
    bool untouched = same && same->first_id == query->first_id && same->number == query->number &&
                     same->plan->node_count == query->plan->node_count;
    return untouched ? same : NULL;
}

/* Queries that run go on where they are the same ones; others end, and new ones begin. */
static void refresh_queries(Weir *weir, Catalog *fresh) {
    Catalog *old = &weir->catalog;
    for (size_t i = 0; i < fresh->query_count; i++) {
        CatalogQuery *same = refresh_same(old, fresh->queries[i]);
        if (!same)
            continue;
        for (size_t k = 0; k < old->query_count; k++)
            if (old->queries[k] == same)
                old->queries[k] = fresh->queries[i];
        fresh->queries[i] = same; /* each is in the other's place now */
    }
    for (size_t i = 0; i < old->query_count; i++) {
        if (old->queries[i]->running)
            query_stop(old->queries[i]->running);
        old->queries[i]->running = NULL;
    }
}

ErrCode engine_catalog_refresh(Weir *weir, Err *err) {
    Catalog fresh = {0};
    ErrCode code = catalog_load(&fresh, weir->storage, err);
    if (code != ERR_OK) {
        catalog_close(&fresh);
        return code;
    }
    refresh_queries(weir, &fresh);
    Catalog old = weir->catalog;
    weir->catalog = fresh;
    weir->catalog.functions = old.functions; /* plans that run point to them */
    weir->catalog.function_count = old.function_count;
    weir->catalog.function_capacity = old.function_capacity;
    old.functions = fresh.functions;
    old.function_count = fresh.function_count;
    old.function_capacity = fresh.function_capacity;
    catalog_close(&old);
    for (size_t i = 0; i < weir->catalog.query_count; i++) {
        Err kept_in_query;
        CatalogQuery *query = weir->catalog.queries[i];
        if (!query->running)
            (void)!engine_start_query(weir, query, &kept_in_query);
    }
    return ERR_OK;
}
