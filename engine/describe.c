/* describe.c - DESCRIBE of sources and functions; EXPLAIN. */
#include <strings.h>

#include "engine/engine_impl.h"
#include "engine/engine_query_impl.h"
#include "engine/result_impl.h"
#include "planner/explain.h"

static void describe_column_type(Call *call, const Source *source, uint32_t index) {
    const SchemaColumn *column = &source->topic.schema->columns[index];
    const char *note = column->role == COLUMN_HEADERS ? " (headers)"
                       : column->role == COLUMN_VALUE ? ""
                       : source->is_table             ? " (primary key)"
                                                      : " (key)";
    result_cell_printf(call->result, "%s%s", type_text(call->arena, column->type), note);
}

static void describe_columns(Call *call, const Source *source) {
    static const char *const names[] = {"Field", "Type"};
    const Schema *schema = source->topic.schema;
    result_columns(call->result, names, 2);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        result_cell(call->result, schema->columns[i].name);
        describe_column_type(call, source, i);
    }
    result_done(call->result);
}

/* -- EXTENDED: rows of property and value ------------------------------------------------------ */

static void describe_topic(Call *call, const Source *source) {
    LogTopic topic;
    result_cell(call->result, "Topic");
    result_cell(call->result, source->topic.topic);
    if (!log_topic_find(call->weir->storage, source->topic.topic, &topic)) {
        result_cell(call->result, "Partitions");
        result_cell(call->result, "none: the topic is gone");
        return;
    }
    for (uint32_t p = 0; p < topic.partition_count; p++) {
        int64_t start, end;
        Err ignored;
        if (log_offsets(call->weir->storage, (TopicPartition){topic.id, p}, &start, &end,
                        &ignored) != ERR_OK)
            continue;
        result_cell_printf(call->result, "Partition %u", p);
        result_cell_printf(call->result, "offsets %lld to %lld", (long long)start,
                           (long long)end);
    }
}

static void describe_property(WeirResult *result, const char *name, const char *value) {
    result_cell(result, name);
    result_cell(result, value);
}

static void describe_window(WeirResult *result, const PlanTopic *topic) {
    static const char *const kinds[] = {"", "TUMBLING", "HOPPING", "SESSION"};
    if (topic->window == WINDOW_NONE)
        return;
    result_cell(result, "Window");
    if (topic->window_size_ms > 0)
        result_cell_printf(result, "%s, %lld ms", kinds[topic->window],
                           (long long)topic->window_size_ms);
    else
        result_cell(result, kinds[topic->window]);
}

static void describe_extended(Call *call, const Source *source) {
    static const char *const names[] = {"Property", "Value"};
    WeirResult *result = call->result;
    const Schema *schema = source->topic.schema;
    result_columns(result, names, 2);
    describe_property(result, "Name", source->name);
    describe_property(result, "Kind", source->is_table ? "TABLE" : "STREAM");
    for (uint32_t i = 0; i < schema->column_count; i++) {
        result_cell_printf(result, "Column %s", schema->columns[i].name);
        describe_column_type(call, source, i);
    }
    if (source->topic.timestamp_column >= 0)
        describe_property(result, "Timestamp column",
                          schema->columns[source->topic.timestamp_column].name);
    describe_window(result, &source->topic);
    describe_property(result, "Key format", source->topic.key.format->name);
    describe_property(result, "Value format", source->topic.value.format->name);
    describe_topic(call, source);
    engine_describe_traffic(call, source);
    describe_property(result, "Statement", source->statement);
    const Catalog *catalog = &call->weir->catalog;
    for (size_t i = 0; i < catalog->query_count; i++) {
        CatalogQuery *query = catalog->queries[i];
        if (query->plan->sink_source && strcmp(query->plan->sink_source, source->name) == 0)
            engine_describe_query(call, query, "Written by");
        for (uint32_t r = 0; r < query->read_count; r++)
            if (strcmp(query->reads[r], source->name) == 0)
                engine_describe_query(call, query, "Read by");
    }
    result_done(result);
}

static ErrCode describe_source(Call *call, Err *err) {
    const Source *source;
    const char *name = call->statement->name;
    CatalogQuery *query = catalog_query(&call->weir->catalog, name);
    if (query && !catalog_source(&call->weir->catalog, name)) {
        engine_describe_running(call, query);
        return ERR_OK;
    }
    TRY(engine_find_source(call->weir, name, call->statement->name_pos, &source, err));
    if (call->statement->extended)
        describe_extended(call, source);
    else
        describe_columns(call, source);
    return ERR_OK;
}

static ErrCode describe_all(Call *call) {
    static const char *const names[] = {"Name", "Type", "Topic", "Columns"};
    const Catalog *catalog = &call->weir->catalog;
    bool tables = call->statement->show == AST_SHOW_TABLES;
    result_columns(call->result, names, 4);
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *source = catalog->sources[i].source;
        if (source->is_table != tables)
            continue;
        Buf schema = {0};
        schema_print(&schema, source->topic.schema);
        result_cell(call->result, source->name);
        result_cell(call->result, tables ? "TABLE" : "STREAM");
        result_cell(call->result, source->topic.topic);
        result_cell(call->result, buf_cstr(&schema));
        buf_free(&schema);
    }
    result_done(call->result);
    return ERR_OK;
}

/* Functions of users have more to show: version, language, body and who uses them. */
static void describe_user_functions(Call *call, const UserFunction *const *functions,
                                    uint32_t count) {
    static const char *const names[] = {"Signature", "Language", "Version", "Body", "Used By"};
    result_columns(call->result, names, 5);
    result_numbers(call->result, 2);
    for (uint32_t i = 0; i < count; i++) {
        const UserFunction *function = functions[i];
        Buf users = {0};
        engine_function_users(call->weir, function, &users);
        result_cell_printf(call->result, "%s%s", function->name, function->function.signature);
        result_cell(call->result, user_language_text(function->language));
        result_cell_printf(call->result, "%u", function->version);
        result_cell_printf(call->result, "%s%s%s", function->body, function->symbol ? ", " : "",
                           function->symbol ? function->symbol : "");
        result_cell(call->result, buf_cstr(&users));
        buf_free(&users);
    }
    result_done(call->result);
}

static ErrCode describe_function(Call *call, Err *err) {
    static const char *const names[] = {"Signature", "Help"};
    const char *name = call->statement->name;
    uint32_t found = 0;
    const UserFunction *const *users = catalog_functions(&call->weir->catalog, name, &found);
    if (found > 0) {
        describe_user_functions(call, users, found);
        return ERR_OK;
    }
    result_columns(call->result, names, 2);
    const Function *function;
    for (uint32_t i = 0; (function = function_at(i)) != NULL; i++)
        if (strcasecmp(function->name, name) == 0) {
            result_cell_printf(call->result, "%s%s", function->name, function->signature);
            result_cell(call->result, function->help);
            found++;
        }
    const Aggregate *aggregate;
    for (uint32_t i = 0; (aggregate = aggregate_at(i)) != NULL; i++)
        if (strcasecmp(aggregate->name, name) == 0) {
            result_cell_printf(call->result, "%s%s", aggregate->name, aggregate->signature);
            result_cell(call->result, aggregate->help);
            found++;
        }
    const TableFunction *table;
    for (uint32_t i = 0; (table = table_at(i)) != NULL; i++)
        if (strcasecmp(table->name, name) == 0) {
            result_cell_printf(call->result, "%s%s", table->name, table->signature);
            result_cell(call->result, table->help);
            found++;
        }
    result_done(call->result);
    if (found > 0)
        return ERR_OK;
    return err_set_at(err, ERR_UNKNOWN_NAME, call->statement->name_pos.line,
                      call->statement->name_pos.column,
                      "Can't find any functions with the name '%s'", name);
}

ErrCode engine_describe(Call *call, Err *err) {
    switch (call->statement->kind) {
    case AST_DESCRIBE:
        return describe_source(call, err);
    case AST_DESCRIBE_ALL:
        return describe_all(call);
    default:
        return describe_function(call, err);
    }
}

/* -- EXPLAIN ----------------------------------------------------------------------------------- */

static ErrCode explain_statement(Call *call, const Plan **plan, Err *err) {
    const AstStatement *inner = call->statement->inner;
    PlannerHost host = engine_host(call->weir);
    Planned planned = {0};
    bool plans = inner->kind == AST_SELECT || inner->kind == AST_INSERT_SELECT ||
                 ((inner->kind == AST_CREATE_STREAM || inner->kind == AST_CREATE_TABLE) &&
                  inner->query);
    if (!plans)
        return err_set_at(err, ERR_SEMANTIC, inner->pos.line, inner->pos.column,
                          "The provided statement does not run a ksql query");
    TRY(plan_statement(&host, inner, call->arena, &planned, err));
    if (planned.message)
        result_message(call->result, "%s", planned.message);
    *plan = planned.plan;
    return ERR_OK;
}

/* One row a line, so that the plan is on standard output like any answer. */
static void explain_rows(WeirResult *result, const Plan *plan, const CatalogQuery *query) {
    static const char *const names[] = {"Execution plan"};
    Buf text = {0};
    QueryFigures figures = {0};
    if (query && query->running)
        query_figures(query->running, &figures);
    if (query)
        show_query_reason(&text, query, &figures);
    if (text.size > 0) {
        Buf head = {0};
        buf_printf(&head, "Status: %s: %s\n", show_query_state(query, &figures), buf_cstr(&text));
        buf_free(&text);
        text = head;
    }
    explain_plan(&text, plan);
    buf_cstr(&text);
    result_columns(result, names, 1);
    for (char *line = (char *)text.data, *end; line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (*line)
            result_cell(result, line);
    }
    result_done(result);
    buf_free(&text);
}

ErrCode engine_explain(Call *call, Err *err) {
    const AstStatement *statement = call->statement;
    const Plan *plan = NULL;
    const CatalogQuery *query = NULL;
    if (statement->analyze)
        return engine_analyze(call, err);
    const AstStatement *inner = statement->inner;
    if (inner && (inner->kind == AST_DROP_STREAM || inner->kind == AST_DROP_TABLE) &&
        settings_is_true(&call->weir->settings, "weir.extensions"))
        return engine_explain_drop(call, inner, err);
    if (inner) {
        TRY(explain_statement(call, &plan, err));
    } else {
        query = catalog_query(&call->weir->catalog, statement->name);
        if (!query)
            return err_set_at(err, ERR_UNKNOWN_NAME, statement->name_pos.line,
                              statement->name_pos.column,
                              "Query with id:%s does not exist, use SHOW QUERIES to view the full "
                              "set of queries.",
                              statement->name);
        plan = query->plan;
    }
    if (plan)
        explain_rows(call->result, plan, query);
    return ERR_OK;
}
