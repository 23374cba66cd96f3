/* show.c - SHOW TOPICS, STREAMS, TABLES, QUERIES, FUNCTIONS, PROPERTIES, VARIABLES, TYPES. */
#include "data/time_text.h"
#include "engine/cause.h"
#include "engine/result_impl.h"
#include "planner/extensions.h"

static const char *show_format(const PlanFormat *format) {
    return format->format->name;
}

/* "Q_1, B": the queries that read or write it, and the sources made of it whose query is gone. */
static void show_users(Call *call, const Source *source) {
    const Catalog *catalog = &call->weir->catalog;
    Buf users = {0};
    for (size_t i = 0; i < catalog->query_count; i++) {
        const CatalogQuery *query = catalog->queries[i];
        if (engine_query_reads(query, source->name) || engine_query_writes(query, source->name))
            buf_printf(&users, "%s%s", users.size ? ", " : "", query->id);
    }
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *other = catalog->sources[i].source;
        bool has_query = other->query_id && catalog_query(catalog, other->query_id);
        if (engine_source_reads(other, source->name) && !has_query)
            buf_printf(&users, "%s%s", users.size ? ", " : "", other->name);
    }
    result_cell(call->result, users.size > 0 ? buf_cstr(&users) : NULL);
    buf_free(&users);
}

static ErrCode show_sources(Call *call, bool tables) {
    static const char *const names[] = {"Name",         "Topic",    "Key Format",
                                        "Value Format", "Windowed", "Used By"};
    const Catalog *catalog = &call->weir->catalog;
    result_columns(call->result, names, call->statement->extended ? 6 : 5);
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *source = catalog->sources[i].source;
        if (source->is_table != tables)
            continue;
        engine_tell_generated(call, source);
        result_cell(call->result, source->name);
        result_cell(call->result, source->topic.topic);
        result_cell(call->result, show_format(&source->topic.key));
        result_cell(call->result, show_format(&source->topic.value));
        result_cell(call->result, source->topic.window == WINDOW_NONE ? "false" : "true");
        if (call->statement->extended)
            show_users(call, source);
    }
    return ERR_OK;
}

const char *show_query_state(const CatalogQuery *query, const QueryFigures *figures) {
    if (!query->running)
        return query->start_error.code == ERR_OK ? "STOPPED"
               : engine_query_waits(query)       ? "RETRYING"
                                                 : "ERROR";
    switch (figures->state) {
    case QUERY_RUNNING:
        return figures->retry_count > 0 ? "RETRYING" : "RUNNING";
    case QUERY_PAUSED:
        return "PAUSED";
    case QUERY_ERROR:
        return "ERROR";
    case QUERY_FINISHED:
        return "FINISHED";
    }
    return "UNKNOWN";
}

/* By what the user can get it on. */
static void show_query_ways_out(Buf *out, const CatalogQuery *query, bool retries) {
    QueryStop stop = {0};
    if (!retries)
        buf_printf(out, "; RESUME %s; tries again", query->id);
    if (query->running)
        query_stopped_at(query->running, &stop);
    if (stop.known)
        buf_printf(out, "%s ALTER QUERY %s SKIP 1; leaves out the record at offset %lld of topic "
                   "%s, partition %u", retries ? ";" : ",", query->id, (long long)stop.offset,
                   stop.topic, stop.where.partition);
}

static void show_cluster_state(Buf *out, const Weir *weir, int64_t since_ms, const Err *err) {
    const ClusterOps *ops = weir->cluster->ops;
    buf_printf(out, "%s%s since ", out->size > 0 ? "; " : "", err_name(err->code));
    time_print_timestamp(out, since_ms);
    buf_printf(out, ": %s", err->message);
    if (ops->retried)
        buf_printf(out, ": %s", ops->retried(weir->cluster, err->code));
}

/* Commits of tasks over the topic that do not come to an end: the first trouble. */
static void show_slot_states(Buf *out, const Weir *weir, const char *name) {
    Cluster *cluster = weir->cluster;
    LogTopic topic;
    if (!cluster->ops->slot_state || !log_topic_find(weir->storage, name, &topic))
        return;
    for (uint32_t p = 0; p < topic.partition_count; p++) {
        int64_t since_ms;
        Err err;
        uint32_t slot = cluster->ops->slot(cluster, name, p);
        if (cluster->ops->slot_state(cluster, slot, &since_ms, &err) != ERR_OK) {
            show_cluster_state(out, weir, since_ms, &err);
            return;
        }
    }
}

/* What does not stop the query: topics that are not what they were, commits without an answer. */
static void show_cluster_states(Buf *out, const Weir *weir, const CatalogQuery *query) {
    Cluster *cluster = weir->cluster;
    for (uint32_t i = 0; cluster->ops->topic_state && i < query->plan->node_count; i++) {
        const PlanNode *node = query->plan->nodes[i];
        int64_t since_ms;
        Err err;
        if (node->kind != PLAN_SOURCE)
            continue;
        if (cluster->ops->topic_state(cluster, node->topic->topic, &since_ms, &err) != ERR_OK)
            show_cluster_state(out, weir, since_ms, &err);
        show_slot_states(out, weir, node->topic->topic);
    }
}

void show_query_reason(Buf *out, const Weir *weir, const CatalogQuery *query,
                       const QueryFigures *figures) {
    const Err *reason = query->running ? &figures->error : &query->start_error;
    if (weir->cluster && reason->code == ERR_OK && figures->state == QUERY_RUNNING)
        show_cluster_states(out, weir, query);
    if (out->size == 0 && query->grown && reason->code == ERR_OK)
        buf_printf(out, "partitions_grown: topic %s has more partitions than the query reads: drop "
                        "the sources over it, and declare them again",
                   query->grown);
    if (reason->code == ERR_OK || (query->running && figures->state == QUERY_FINISHED))
        return;
    bool waits = engine_query_waits(query);
    if (figures->retry_count > 0 || waits)
        buf_printf(out, "%s: ", err_name(reason->code));
    buf_printf(out, "%s (%s)", reason->message, query_error_type(reason->code));
    bool retries = figures->retry_count > 0 && !waits;
    if (waits)
        buf_text(out, ", starts when the cluster answers");
    else if (retries)
        buf_printf(out, ", since %lld s, again in %lld ms after %u tries",
                   (long long)figures->retry_for_ms / 1000, (long long)figures->retry_in_ms,
                   figures->retry_count);
    if (retries && weir->cluster && weir->cluster->ops->retried)
        buf_printf(out, ": %s", weir->cluster->ops->retried(weir->cluster, reason->code));
    if (retries || figures->state == QUERY_ERROR || !query->running)
        show_query_ways_out(out, query, retries);
}

/* Why the query is in ERROR, or what it left out. */
static void show_query_warnings(Call *call, const CatalogQuery *query,
                                const QueryFigures *figures) {
    Buf text = {0};
    show_query_reason(&text, call->weir, query, figures);
    if (text.size == 0)
        (void)cause_put(&text, &call->weir->catalog, query, false);
    result_cell(call->result, buf_cstr(&text));
    buf_free(&text);
}

static void show_number(WeirResult *result, uint64_t number) {
    result_cell_printf(result, "%llu", (unsigned long long)number);
}

static void show_query_extended(WeirResult *result, const QueryFigures *figures) {
    show_number(result, figures->rows_in);
    show_number(result, figures->rows_out);
    show_number(result, figures->row_errors);
    show_number(result, figures->filtered);
    show_number(result, figures->late_rows);
    show_number(result, figures->no_match);
    show_number(result, figures->state_rows);
    show_number(result, figures->state_bytes);
    show_number(result, figures->commits);
    show_number(result, (uint64_t)figures->running_us / 1000000);
}

typedef struct ShowQueries {
    Call *call;
    const char *type;
} ShowQueries;

static void show_query(void *context, const CatalogQuery *query) {
    const ShowQueries *show = context;
    WeirResult *result = show->call->result;
    QueryFigures figures = {0};
    if (query->running)
        query_figures(query->running, &figures);
    result_cell(result, query->id);
    result_cell(result, show->type);
    result_cell(result, show_query_state(query, &figures));
    result_cell(result, query->plan->sink_source ? query->plan->sink_source : "");
    result_cell_printf(result, "%lld", (long long)figures.lag);
    show_number(result, figures.rate);
    show_query_warnings(show->call, query, &figures);
    result_cell(result, query->plan->statement);
    if (show->call->statement->extended)
        show_query_extended(result, &figures);
}

static ErrCode show_queries(Call *call) {
    static const char *const names[] = {
        "Query ID", "Query Type", "Status",  "Sink",     "Lag",        "Rows/s",
        "Warnings", "Query",      "Rows In", "Rows Out", "Row Errors", "Filtered",
        "Late",     "No Match",   "State Rows", "State Bytes", "Commits", "Seconds"};
    const Catalog *catalog = &call->weir->catalog;
    uint32_t count = call->statement->extended ? sizeof names / sizeof names[0] : 8;
    result_columns(call->result, names, count);
    for (uint32_t i = 4; i < count; i++)
        if (i < 6 || i >= 8)
            result_numbers(call->result, i);
    ShowQueries show = {call, "PERSISTENT"};
    for (size_t i = 0; i < catalog->query_count; i++)
        show_query(&show, catalog->queries[i]);
    show.type = "PUSH";
    push_each(call->weir, show_query, &show);
    return ERR_OK;
}

static void show_user_functions(Call *call) {
    const Catalog *catalog = &call->weir->catalog;
    for (size_t i = 0; i < catalog->function_count; i++) {
        const UserFunction *function = catalog->functions[i];
        result_cell(call->result, function->name);
        result_cell(call->result, "SCALAR");
        result_cell(call->result, function->function.signature);
        result_cell_printf(call->result, "A user's function in %s, version %u.",
                           user_language_text(function->language), function->version);
    }
}

static ErrCode show_functions(Call *call) {
    static const char *const names[] = {"Function", "Type", "Signature", "Help"};
    result_columns(call->result, names, 4);
    const Function *function;
    for (uint32_t i = 0; (function = function_at(i)) != NULL; i++) {
        result_cell(call->result, function->name);
        result_cell(call->result, "SCALAR");
        result_cell(call->result, function->signature);
        result_cell(call->result, function->help);
    }
    const Aggregate *aggregate;
    for (uint32_t i = 0; (aggregate = aggregate_at(i)) != NULL; i++) {
        result_cell(call->result, aggregate->name);
        result_cell(call->result, "AGGREGATE");
        result_cell(call->result, aggregate->signature);
        result_cell(call->result, aggregate->help);
    }
    const TableFunction *table;
    for (uint32_t i = 0; (table = table_at(i)) != NULL; i++) {
        result_cell(call->result, table->name);
        result_cell(call->result, "TABLE");
        result_cell(call->result, table->signature);
        result_cell(call->result, table->help);
    }
    show_user_functions(call);
    return ERR_OK;
}

static ErrCode show_properties(Call *call) {
    static const char *const names[] = {"Property", "Value", "Help"};
    const char *name, *value, *help;
    result_columns(call->result, names, 3);
    for (uint32_t i = 0; settings_row(&call->weir->settings, i, &name, &value, &help); i++) {
        result_cell(call->result, name);
        result_cell(call->result, value);
        result_cell(call->result, help);
    }
    return ERR_OK;
}

static ErrCode show_variables(Call *call) {
    static const char *const names[] = {"Variable Name", "Value"};
    result_columns(call->result, names, 2);
    for (size_t i = 0; i < call->weir->variable_count; i++) {
        result_cell(call->result, call->weir->variables[i].name);
        result_cell(call->result, call->weir->variables[i].value);
    }
    return ERR_OK;
}

static ErrCode show_types(Call *call) {
    static const char *const names[] = {"Type Name", "Schema"};
    result_columns(call->result, names, 2);
    for (size_t i = 0; i < call->weir->catalog.type_count; i++) {
        result_cell(call->result, call->weir->catalog.types[i].name);
        result_cell(call->result, type_text(call->arena, call->weir->catalog.types[i].type));
    }
    return ERR_OK;
}

static ErrCode show_extensions(Call *call) {
    static const char *const names[] = {"Extension", "ksqlDB says", "Help"};
    result_columns(call->result, names, 3);
    for (uint32_t i = 0; i < extension_count; i++) {
        result_cell(call->result, extension_rows[i].name);
        result_cell(call->result, extension_rows[i].refusal);
        result_cell(call->result, extension_rows[i].help);
    }
    return ERR_OK;
}

static ErrCode show_rows(Call *call, Err *err) {
    switch (call->statement->show) {
    case AST_SHOW_TOPICS:
        return engine_show_topics(call, err);
    case AST_SHOW_STREAMS:
        return show_sources(call, false);
    case AST_SHOW_TABLES:
        return show_sources(call, true);
    case AST_SHOW_QUERIES:
        return show_queries(call);
    case AST_SHOW_FUNCTIONS:
        return show_functions(call);
    case AST_SHOW_PROPERTIES:
        return show_properties(call);
    case AST_SHOW_VARIABLES:
        return show_variables(call);
    case AST_SHOW_TYPES:
        return show_types(call);
    case AST_SHOW_QUICKSTARTS:
        engine_show_quickstarts(call);
        return ERR_OK;
    case AST_SHOW_EXTENSIONS:
        return show_extensions(call);
    case AST_SHOW_ERRORS:
        return engine_show_errors(call, err);
    case AST_SHOW_CONNECTORS:
    case AST_SHOW_CONNECTOR_PLUGINS:
        break;
    }
    return err_set(err, ERR_UNSUPPORTED, "Connectors are not supported by Weir yet");
}

ErrCode engine_show(Call *call, Err *err) {
    TRY(show_rows(call, err));
    result_done(call->result);
    return ERR_OK;
}
