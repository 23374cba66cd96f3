/*
 * create.c - CREATE STREAM/TABLE [AS], ALTER, INSERT INTO ... SELECT, INSERT INTO ... VALUES.
 *
 * Everything a statement makes (topics, catalog entries) is one commit; only when that is durable
 * is the query started and the source shown.
 */
#include "engine/engine_query_impl.h"
#include "engine/result_impl.h"

void engine_create_topic(Call *call, const Planned *planned, Commit *commit) {
    const Source *source = planned->source;
    if (!planned->create_topic) {
        engine_adopt_topic(call->weir, source->topic.topic, commit);
        return;
    }
    call->topic = (CatalogTopic){
        .id = storage_new_id(call->weir->storage),
        .retention = {planned->retention.ms, planned->retention.bytes},
    };
    commit_topic_create(commit, call->topic.id, source->topic.topic, source->partition_count);
    engine_configure_topic(call->weir, planned, call->topic.id, commit);
    if (engine_has_cluster(call->weir)) /* which keeps to it by itself */
        call->topic.id = 0;
    else if (call->topic.retention.ms >= 0 || call->topic.retention.bytes >= 0)
        catalog_put_topic(commit, &call->topic);
    if (planned->notice_partitions)
        engine_notice(call->weir,
                      "Topic %s did not exist and was made with 1 partition; say PARTITIONS=n in "
                      "the WITH clause for more.",
                      source->topic.topic);
}

void engine_show_topic(Call *call) {
    if (call->topic.id == 0)
        return;
    catalog_show_topic(&call->weir->catalog, &call->topic);
    engine_retention_refresh(call->weir);
}

/* A table of keys over a topic that drops records is told about that. */
static void create_warn(Call *call, const Source *source) {
    LogTopic topic;
    if (source->is_table && source->topic.window == WINDOW_NONE &&
        log_topic_find(call->weir->storage, source->topic.topic, &topic) &&
        catalog_topic(&call->weir->catalog, topic.id))
        engine_notice(call->weir,
                      "Topic %s does not keep all of its records: keys of table %s that are not "
                      "written again are lost to queries made later.",
                      topic.name, source->name);
}

/* Makes what is new durable, then shows and starts it. `query` may be NULL. */
static ErrCode create_carry_out(Call *call, const Planned *planned, CatalogQuery *query,
                                Commit *commit, Err *err) {
    Catalog *catalog = &call->weir->catalog;
    if (planned->source)
        catalog_put_source(commit, planned->source);
    if (query) {
        query->number = (uint32_t)catalog->next_query_number;
        catalog_put_query(commit, query);
        catalog_put_number(commit, catalog->next_query_number + 1);
    }
    TRY(commit_wait(commit, NULL, err));
    engine_show_topic(call);
    if (planned->source)
        TRY(catalog_show_source(catalog, planned->source, err));
    if (!query)
        return ERR_OK;
    catalog->next_query_number++;
    catalog_show_query(catalog, query);
    return engine_start_query(call->weir, query, err);
}

static ErrCode create_source(Call *call, const Planned *planned, Err *err) {
    Commit *commit = engine_commit(call);
    engine_create_topic(call, planned, commit);
    CatalogQuery *query = NULL;
    if (planned->plan) {
        EngineQueryNew make = {.plan = planned->plan, .commit = commit};
        ErrCode code = engine_query_new(call, &make, &query, err);
        if (code != ERR_OK) {
            commit_drop(commit);
            return code;
        }
    }
    TRY(create_carry_out(call, planned, query, commit, err));
    if (planned->source->broker)
        TRY(engine_start_edge(call->weir, planned->source, planned->replicas, err));
    if (planned->source->datagen)
        TRY(datagen_start(call->weir->datagen, planned->source, true, err));
    create_warn(call, planned->source);
    result_message(call->result, "%s created", planned->source->is_table ? "Table" : "Stream");
    return ERR_OK;
}

static ErrCode create_query(Call *call, const Planned *planned, Err *err) {
    Commit *commit = engine_commit(call);
    CatalogQuery *query;
    if (planned->source)
        engine_create_topic(call, planned, commit);
    EngineQueryNew make = {.plan = planned->plan, .commit = commit};
    ErrCode code = engine_query_new(call, &make, &query, err);
    if (code != ERR_OK) {
        commit_drop(commit);
        return code;
    }
    query->is_insert = planned->kind == PLANNED_INSERT_SELECT;
    TRY(create_carry_out(call, planned, query, commit, err));
    if (planned->source && planned->source->broker)
        TRY(engine_start_edge(call->weir, planned->source, planned->replicas, err));
    call->result->query_id = arena_strdup(call->result->arena, query->id);
    result_message(call->result, "Created query with ID %s", query->id);
    return ERR_OK;
}

/* Queries that read it keep the columns they were made with. */
static ErrCode create_altered(Call *call, const Planned *planned, Err *err) {
    Commit *commit = engine_commit(call);
    TRY(create_carry_out(call, planned, NULL, commit, err));
    result_message(call->result, "%s %s altered.", planned->source->is_table ? "Table" : "Stream",
                   call->statement->name); /* the source's own is gone with the old one */
    return ERR_OK;
}

ErrCode engine_create(Call *call, Err *err) {
    PlannerHost host = engine_host(call->weir);
    Planned planned = {0};
    TRY(plan_statement(&host, call->statement, call->arena, &planned, err));
    if (planned.source)
        TRY(engine_check_own_topic(call, planned.source->topic.topic, err));
    switch (planned.kind) {
    case PLANNED_CREATE_SOURCE:
        return create_source(call, &planned, err);
    case PLANNED_ALTER:
        return create_altered(call, &planned, err);
    case PLANNED_CREATE_AS:
    case PLANNED_INSERT_SELECT:
        if (planned.replaces)
            return engine_replace_query(call, &planned, err);
        return create_query(call, &planned, err);
    case PLANNED_INSERT_VALUES:
        return engine_insert_values(call, &planned, err);
    case PLANNED_NOTHING:
        result_message(call->result, "%s", planned.message);
        return ERR_OK;
    case PLANNED_PUSH:
    case PLANNED_PULL:
    case PLANNED_ASSERT_VALUES:
    case PLANNED_ASSERT_SOURCE:
        break;
    }
    return err_set(err, ERR_INTERNAL, "a CREATE or INSERT was planned as something else");
}
