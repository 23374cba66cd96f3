/*
 * processing_log.c - the processing log: bad rows as a topic and a stream, and SHOW ERRORS.
 *
 * The log is on while its topic is there: the settings *.auto.create only make it, so it stays on
 * over a restart, and DROP STREAM ... DELETE TOPIC ends it. Queries that read the log, or what is
 * made of it by other queries, are not logged: their errors would make new ones for ever.
 */
#include "base/limits.h"
#include "engine/engine_impl.h"
#include "engine/result_impl.h"
#include "grammar/parse.h"

static const char log_columns[] =
    "logger STRING, level STRING, time BIGINT, message STRUCT<type INT, "
    "deserializationError STRUCT<target STRING, errorMessage STRING, recordB64 STRING, "
    "cause ARRAY<STRING>, `topic` STRING>, "
    "recordProcessingError STRUCT<errorMessage STRING, record STRING, cause ARRAY<STRING>>, "
    "productionError STRUCT<errorMessage STRING>, "
    "serializationError STRUCT<target STRING, errorMessage STRING, record STRING, "
    "cause ARRAY<STRING>, `topic` STRING>, "
    "kafkaStreamsThreadError STRUCT<errorMessage STRING, threadName STRING, "
    "cause ARRAY<STRING>>>";

/* ksqlDB's name of it begins with the service. */
static const char *log_default_name(const Weir *weir) {
    return weir->log_name ? weir->log_name : "default_ksql_processing_log";
}

static const char *log_topic_name(const Weir *weir) {
    const char *name = settings_get(&weir->settings, "ksql.logging.processing.topic.name");
    return name && *name ? name : log_default_name(weir);
}

/* -- Making it --------------------------------------------------------------------------------- */

static uint32_t log_partitions(const Weir *weir) {
    int64_t count = settings_number(&weir->settings, "ksql.logging.processing.topic.partitions");
    return count >= 1 && count <= PARTITIONS_MAX ? (uint32_t)count : 1;
}

static ErrCode log_make_topic(const Call *call, Err *err) {
    Weir *weir = call->weir;
    LogTopic found;
    bool there = log_topic_find(weir->storage, log_topic_name(weir), &found);
    if (there && !log_topic_is_borrowed(&found))
        return ERR_OK;
    Commit *commit = engine_commit(call);
    commit_topic_create(commit, storage_new_id(weir->storage), log_topic_name(weir),
                        there ? found.partition_count : log_partitions(weir));
    return commit_wait(commit, NULL, err);
}

/* As if CREATE STREAM had been typed. */
static ErrCode log_make_stream(Call *call, Err *err) {
    Weir *weir = call->weir;
    const char *name = settings_get(&weir->settings, "ksql.logging.processing.stream.name");
    if (catalog_source(&weir->catalog, name))
        return ERR_OK;
    Buf sql = {0};
    buf_printf(&sql, "CREATE STREAM `%s` (%s) WITH (KAFKA_TOPIC='%s', VALUE_FORMAT='JSON');", name,
               log_columns, log_topic_name(weir));
    Parser parser = {.script = bytes_of(arena_strdup(call->arena, buf_cstr(&sql)))};
    buf_free(&sql);
    Call inner = *call;
    inner.result = result_new(weir);
    ErrCode code = parse_next(&parser, call->arena, &inner.statement, err);
    if (code == ERR_OK)
        code = engine_create(&inner, err);
    weir_result_free(inner.result);
    return code;
}

ErrCode engine_log_make(Call *call, Err *err) {
    const Settings *settings = &call->weir->settings;
    bool stream = settings_is_true(settings, "ksql.logging.processing.stream.auto.create");
    if (stream || settings_is_true(settings, "ksql.logging.processing.topic.auto.create"))
        TRY(log_make_topic(call, err));
    return stream ? log_make_stream(call, err) : ERR_OK;
}

/* -- Who writes to it -------------------------------------------------------------------------- */

static const PlanNode *log_next_node(const CatalogQuery *query, PlanNodeKind kind, uint32_t *at) {
    while (*at < query->plan->node_count) {
        const PlanNode *node = query->plan->nodes[(*at)++];
        if (node->kind == kind)
            return node;
    }
    return NULL;
}

/* Whether a query reads the topic, or what a query that is marked writes. */
static bool log_reaches(const Catalog *catalog, const CatalogQuery *query, const bool *marked,
                        const char *topic) {
    const PlanNode *source, *sink;
    for (uint32_t at = 0; (source = log_next_node(query, PLAN_SOURCE, &at)) != NULL;) {
        if (strcmp(source->topic->topic, topic) == 0)
            return true;
        for (size_t i = 0; i < catalog->query_count; i++)
            for (uint32_t k = 0;
                 marked[i] && (sink = log_next_node(catalog->queries[i], PLAN_SINK, &k)) != NULL;)
                if (strcmp(sink->topic->topic, source->topic->topic) == 0)
                    return true;
    }
    return false;
}

/* marked[]: queries that read the log, or what such queries write. */
static bool *log_marks(const Weir *weir, Arena *arena) {
    const Catalog *catalog = &weir->catalog;
    const char *topic = log_topic_name(weir);
    bool *marked = arena_array(arena, catalog->query_count, sizeof *marked);
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < catalog->query_count; i++) {
            if (marked[i] || !log_reaches(catalog, catalog->queries[i], marked, topic))
                continue;
            marked[i] = changed = true;
        }
    }
    return marked;
}

bool engine_log_is(const Weir *weir, const char *topic) {
    return strcmp(topic, log_topic_name(weir)) == 0;
}

bool engine_log_takes(const Weir *weir, const CatalogQuery *query) {
    Arena *scratch = arena_new("log", 0);
    const bool *marked = log_marks(weir, scratch);
    bool takes = query->plan->kind == PLAN_PERSISTENT;
    for (size_t i = 0; i < weir->catalog.query_count; i++)
        takes = takes && !(weir->catalog.queries[i] == query && marked[i]);
    arena_free(scratch);
    return takes;
}

void engine_log_refresh(Weir *weir) {
    LogTopic topic;
    const Settings *settings = &weir->settings;
    const Catalog *catalog = &weir->catalog;
    RuntimeLog log = {0};
    int64_t records_max = settings_number(settings, "weir.logging.processing.records.max");
    if (log_topic_find(weir->storage, log_topic_name(weir), &topic))
        log = (RuntimeLog){topic.id, topic.partition_count,
                           settings_is_true(settings, "ksql.logging.processing.rows.include"),
                           records_max > 0 ? records_max : 1};
    Arena *scratch = arena_new("log", 0);
    const bool *marked = log_marks(weir, scratch);
    for (size_t i = 0; i < catalog->query_count; i++) /* before anything is logged */
        if (catalog->queries[i]->running)
            query_set_logged(catalog->queries[i]->running, !marked[i]);
    arena_free(scratch);
    runtime_set_log(weir->runtime, &log);
}

void engine_log_leave(Weir *weir, const char *topic) {
    if (strcmp(topic, log_topic_name(weir)) == 0)
        runtime_set_log(weir->runtime, &(RuntimeLog){0});
}

/* -- SHOW ERRORS FOR query --------------------------------------------------------------------- */

ErrCode engine_show_errors(Call *call, Err *err) {
    static const char *const names[] = {"Kind",    "Step",    "Topic", "Partition",
                                        "Offset", "Rowtime", "Error"};
    const AstStatement *statement = call->statement;
    const CatalogQuery *query = catalog_query(&call->weir->catalog, statement->name);
    if (!query)
        return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line,
                          statement->name_pos.column,
                          "Unknown queryId: %s\nSHOW QUERIES lists the running ones.",
                          statement->name);
    RowError errors[ROW_ERRORS_KEPT];
    uint32_t count = query->running ? query_last_errors(query->running, errors) : 0;
    result_columns(call->result, names, 7);
    for (uint32_t i = 3; i < 6; i++)
        result_numbers(call->result, i);
    for (uint32_t i = 0; i < count; i++) {
        const RowError *error = &errors[i];
        result_cell(call->result, error->kind);
        result_cell(call->result, error->step);
        result_cell(call->result, error->topic);
        result_cell_printf(call->result, "%d", error->partition);
        result_cell_printf(call->result, "%lld", (long long)error->offset);
        result_cell_printf(call->result, "%lld", (long long)error->rowtime);
        result_cell(call->result, error->text);
    }
    return ERR_OK;
}
