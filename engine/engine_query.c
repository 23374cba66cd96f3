/*
 * engine_query.c - persistent queries of the catalog: made, started, ended, waited for.
 *
 * A query's ids (group, tasks, stores) are a run of fresh ids, kept in its catalog entry, so a
 * restart finds its positions and state. Its internal topics are named after it and die with it.
 */
#include "engine/engine_query_impl.h"

#include "base/limits.h"
#include "planner/plan_json.h"

/* The most partitions among the plan's topics: how many tasks a stage has. */
static uint32_t query_partitions(Weir *weir, const Plan *plan) {
    uint32_t partitions = 1;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const PlanNode *node = plan->nodes[i];
        LogTopic topic;
        if (node->kind != PLAN_SOURCE || !log_topic_find(weir->storage, node->topic->topic, &topic))
            continue;
        if (topic.partition_count > partitions)
            partitions = topic.partition_count;
    }
    if (plan->partition_count > partitions)
        partitions = plan->partition_count;
    return partitions;
}

static uint32_t query_fresh_ids(Weir *weir, uint32_t count) {
    assert(count > 0);
    uint32_t first = storage_new_id(weir->storage);
    for (uint32_t i = 1; i < count; i++) {
        uint32_t next = storage_new_id(weir->storage);
        assert(next == first + i); /* only the engine draws ids, under its lock */
        (void)next;
    }
    return first;
}

static void query_make_topics(Weir *weir, CatalogQuery *query, Commit *commit) {
    static const TopicConfig config = {.replicas = -1, .retention_ms = -1,
                                       .retention_bytes = CONFIG_DEFAULT};
    uint32_t *topics = arena_array(query->arena, query->plan->node_count, sizeof *topics);
    for (uint32_t i = 0; i < query->plan->node_count; i++) {
        uint32_t partitions;
        if (query->plan->nodes[i]->kind != PLAN_REPARTITION ||
            !query_internal_topic(weir->runtime, query->plan, i, &partitions))
            continue;
        Buf name = {0};
        engine_query_topic_name(weir, query, i, false, &name);
        topics[i] = engine_make_query_topic(weir, buf_cstr(&name), partitions, &config, commit);
        buf_free(&name);
    }
    query->internal_topics = topics;
}

/* Names in FROM, for the checks of DROP; the query of a SOURCE TABLE has no FROM. */
static void query_note_reads(CatalogQuery *query, const AstStatement *statement) {
    const AstQuery *ast = statement->query;
    static const AstQuery no_query;
    if (!ast)
        ast = &no_query;
    const char **names = arena_array(query->arena, ast->source_count, sizeof *names);
    for (uint32_t i = 0; i < ast->source_count; i++)
        names[i] = arena_strdup(query->arena, ast->sources[i].name);
    query->reads = names;
    query->read_count = ast->source_count;
}

/* Its ids and internal topics: fresh ones. */
static void query_begin(Weir *weir, CatalogQuery *query, Commit *commit) {
    query->partitions = query_partitions(weir, query->plan);
    query->first_id = query_fresh_ids(weir, query_ids_needed(query->plan, query->partitions));
    if (commit)
        query_make_topics(weir, query, commit);
    if (commit && engine_has_cluster(weir))
        engine_make_changelogs(weir, query, commit);
    if (!commit)
        query->internal_topics =
            arena_array(query->arena, query->plan->node_count, sizeof(uint32_t));
}

uint32_t engine_query_fail_on(const Settings *settings) {
    uint32_t fail_on = 0;
    if (settings_is_true(settings, "ksql.timestamp.throw.on.invalid"))
        fail_on |= QUERY_FAIL_ON_TIME;
    if (settings_is_true(settings, "ksql.fail.on.deserialization.error"))
        fail_on |= QUERY_FAIL_ON_DECODE;
    if (settings_is_true(settings, "weir.failed.record.skip"))
        fail_on |= QUERY_SKIP_FAILED;
    return fail_on;
}

/* A query reads its tables to their ends before its streams: what a generator is still to give a
 * table belongs to it. */
static ErrCode query_wait_for_tables(Weir *weir, const Plan *plan, Err *err) {
    int64_t timeout_ms = settings_number(&weir->settings, "weir.lookup.wait.ms");
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const PlanNode *node = plan->nodes[i];
        if (node->kind == PLAN_SOURCE && node->is_table) {
            edges_catch_up(weir->edges, node->topic->topic, timeout_ms);
            TRY(datagen_catch_up(weir->datagen, node->topic->topic, timeout_ms, err));
        }
    }
    return ERR_OK;
}

enum { COMMIT_INTERVAL_MS_MAX = 86400000 }; /* a day */

/* How often it commits, and how much it reads at once. */
static void query_note_pace(CatalogQuery *query, const Settings *settings) {
    int64_t rows = settings_number(settings, "max.poll.records");
    int64_t interval_ms = settings_number(settings, "commit.interval.ms");
    query->step_rows = rows < 1 ? 1 : rows > BATCH_ROWS_MAX ? BATCH_ROWS_MAX : (uint32_t)rows;
    query->commit_interval_ms = interval_ms <= 0 ? -1 : interval_ms;
    if (query->commit_interval_ms > COMMIT_INTERVAL_MS_MAX)
        query->commit_interval_ms = COMMIT_INTERVAL_MS_MAX;
}

ErrCode engine_query_new(Call *call, const EngineQueryNew *make, CatalogQuery **prepared,
                         Err *err) {
    Weir *weir = call->weir;
    if (settings_is_true(&weir->settings, "weir.table.first"))
        TRY(query_wait_for_tables(weir, make->plan, err));
    CatalogQuery *query = catalog_query_new(make->plan->query_id);
    Buf json = {0};
    plan_json_put(&json, make->plan);
    ErrCode code = plan_json_get(buf_view(&json), query->arena, &query->plan, err);
    buf_free(&json);
    if (code != ERR_OK) {
        catalog_query_free(query);
        return code;
    }
    query->from_end =
        strcmp(settings_get(&weir->settings, "auto.offset.reset"), "latest") == 0;
    query->consolidate = settings_number(&weir->settings, "cache.max.bytes.buffering") > 0;
    query_note_pace(query, &weir->settings);
    query->fail_on = engine_query_fail_on(&weir->settings);
    query_note_reads(query, call->statement);
    if (make->old)
        engine_query_inherit(query, make->old);
    if (!make->old || make->rebuild)
        query_begin(weir, query, make->commit);
    *prepared = query;
    return ERR_OK;
}

ErrCode engine_start_query(Weir *weir, CatalogQuery *query, Err *err) {
    assert(!query->running);
    if (weir->options.manual_queries && query->plan->kind == PLAN_PERSISTENT)
        return ERR_OK;
    QueryOptions options = {.plan = query->plan,
                            .first_id = query->first_id,
                            .partitions = query->partitions,
                            .paused = query->paused,
                            .from_end = query->from_end,
                            .fail_on = query->fail_on,
                            .table_first = settings_is_true(&weir->settings, "weir.table.first"),
                            .consolidate = query->consolidate,
                            .step_rows = query->step_rows,
                            .commit_interval_ms = query->commit_interval_ms,
                            .logged = engine_log_takes(weir, query),
                            .retry_initial_ms = settings_number(
                                &weir->settings, "ksql.query.retry.backoff.initial.ms"),
                            .retry_max_ms = settings_number(&weir->settings,
                                                            "ksql.query.retry.backoff.max.ms"),
                            .internal_topics = query->internal_topics,
                            .changelogs = query->changelogs};
    ErrCode code = query_start(weir->runtime, &options, &query->running, err);
    if (code != ERR_OK) {
        query->running = NULL;
        code = engine_cluster_doubt(weir, query, err);
        query->start_error = *err;
        if (code == ERR_CANCELLED)
            engine_query_later(weir, query);
        return code;
    }
    query->start_error.code = ERR_OK;
    engine_note_growth(weir, query);
    Cluster *cluster = storage_cluster(weir->storage);
    if (cluster && cluster->ops->query && query->plan->kind == PLAN_PERSISTENT)
        cluster->ops->query(cluster, query->first_id,
                            query_ids_needed(query->plan, query->partitions), query->id);
    return ERR_OK;
}

void engine_query_remove(const CatalogQuery *query, Commit *commit) {
    assert(!query->running);
    catalog_remove_query(commit, query->id);
    for (uint32_t i = 0; i < query->plan->node_count; i++)
        if (query->internal_topics[i] != 0)
            commit_topic_delete(commit, query->internal_topics[i]);
    for (uint32_t i = 0; query->changelogs && i < query->plan->node_count; i++)
        if (query->changelogs[i] != 0)
            commit_topic_delete(commit, query->changelogs[i]);
    query_remove_state(commit, query->plan, query->first_id, query->partitions);
}

ErrCode engine_end_query(Weir *weir, CatalogQuery *query, Commit *commit, Err *err) {
    assert(commit);
    if (query->running)
        query_stop(query->running);
    query->running = NULL;
    engine_query_remove(query, commit);
    ErrCode code = commit_wait(commit, NULL, err);
    if (code != ERR_OK) {
        Err kept_in_query;
        (void)!engine_start_query(weir, query, &kept_in_query); /* nothing has changed */
        return code;
    }
    catalog_hide_query(&weir->catalog, query->id);
    return ERR_OK;
}

static bool query_writes_topic(const CatalogQuery *query, const char *topic) {
    for (uint32_t i = 0; i < query->plan->node_count; i++) {
        const PlanNode *node = query->plan->nodes[i];
        if (node->kind == PLAN_SINK && strcmp(node->topic->topic, topic) == 0)
            return true;
    }
    return false;
}

/* Where a cluster cannot say how far there is to go, what is here is as of the last commit. */
static bool query_answers_anyway(Weir *weir, const CatalogQuery *query, const Err *cause) {
    if (!engine_has_cluster(weir) || err_action(cause->code) != ERR_ACTION_RETRY)
        return false;
    engine_notice(weir, "%s is as of its last commit: %s", query->id, cause->message);
    return true;
}

static ErrCode query_catch_up_from(Weir *weir, const char *topic, bool *seen, int64_t timeout_ms,
                                   Err *err);

/* Who fills the topic: a generator, queries. */
static ErrCode query_catch_up_source(Weir *weir, const char *topic, bool *seen,
                                     int64_t timeout_ms, Err *err) {
    edges_catch_up(weir->edges, topic, timeout_ms);
    TRY(datagen_catch_up(weir->datagen, topic, timeout_ms, err));
    return query_catch_up_from(weir, topic, seen, timeout_ms, err);
}

/* The query, and those that feed it. */
static ErrCode query_catch_up_all(Weir *weir, const CatalogQuery *query, bool *seen,
                                  int64_t timeout_ms, Err *err) {
    if (!query->running) {
        *err = query->start_error;
        return query_answers_anyway(weir, query, err) ? ERR_OK : err->code;
    }
    if (query->paused)
        return ERR_OK;
    for (uint32_t n = 0; n < query->plan->node_count; n++)
        if (query->plan->nodes[n]->kind == PLAN_SOURCE)
            TRY(query_catch_up_source(weir, query->plan->nodes[n]->topic->topic, seen,
                                      timeout_ms, err));
    ErrCode code = query_catch_up(query->running, timeout_ms, err);
    return code != ERR_OK && query_answers_anyway(weir, query, err) ? ERR_OK : code;
}

static ErrCode query_catch_up_from(Weir *weir, const char *topic, bool *seen, int64_t timeout_ms,
                                   Err *err) {
    for (size_t i = 0; i < weir->catalog.query_count; i++) {
        CatalogQuery *query = weir->catalog.queries[i];
        if (seen[i] || !query_writes_topic(query, topic))
            continue;
        seen[i] = true;
        TRY(query_catch_up_all(weir, query, seen, timeout_ms, err));
    }
    return ERR_OK;
}

ErrCode engine_catch_up_topic(Weir *weir, const char *topic, int64_t timeout_ms, Err *err) {
    Arena *scratch = arena_new("catch up", 0);
    bool *seen = arena_array(scratch, weir->catalog.query_count, sizeof *seen);
    edges_catch_up(weir->edges, topic, timeout_ms);
    ErrCode code = query_catch_up_from(weir, topic, seen, timeout_ms, err);
    arena_free(scratch);
    return code;
}

ErrCode engine_catch_up_query(Weir *weir, const CatalogQuery *query, const char *topic,
                              int64_t timeout_ms, Err *err) {
    if (query_writes_topic(query, topic))
        return engine_catch_up_topic(weir, topic, timeout_ms, err);
    Arena *scratch = arena_new("catch up", 0);
    bool *seen = arena_array(scratch, weir->catalog.query_count, sizeof *seen);
    ErrCode code = query_catch_up_all(weir, query, seen, timeout_ms, err);
    arena_free(scratch);
    return code;
}
