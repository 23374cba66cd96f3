/*
 * create_as.c - CREATE STREAM AS and CREATE TABLE AS: a query and the topic it writes.
 */
#include <assert.h>
#include <string.h>

#include "planner/planner_impl.h"

/* TABLE for aggregations, table joins and tables; STREAM for the rest. */
static ErrCode create_as_kind(const Draft *draft, bool is_table, Err *err) {
    if (draft->top->is_table == is_table)
        return ERR_OK;
    const char *made = is_table ? "STREAM" : "TABLE";
    return err_set_at(err, ERR_SEMANTIC, draft->ast->pos.line, draft->ast->pos.column,
                      "Invalid result type. Your SELECT query produces a %s. Please use CREATE %s "
                      "AS SELECT statement instead.",
                      made, made);
}

static const char *create_as_topic(const Planner *planner, const Properties *properties) {
    const char *topic = properties_text(properties, PROPERTY_KAFKA_TOPIC);
    if (topic)
        return topic;
    return arena_printf(planner->arena, "%s%s",
                        planner_setting(planner, "ksql.output.topic.name.prefix", ""),
                        planner->statement->name);
}

static ErrCode create_as_source(const Planner *planner, const Draft *draft,
                                const Properties *properties, Source *source, Err *err) {
    assert(source);
    const AstStatement *statement = planner->statement;
    const Source *left = draft->scope.sources[0].source;
    PlanTopic *topic = &source->topic;
    source->name = statement->name;
    source->is_table = statement->kind == AST_CREATE_TABLE;
    source->statement = planner_statement(planner);
    source->partition_count = left->partition_count;
    const char **reads = arena_array(planner->arena, draft->scope.source_count, sizeof *reads);
    for (uint32_t i = 0; i < draft->scope.source_count; i++) {
        const char *name = draft->scope.sources[i].source->name;
        uint32_t k = 0;
        while (k < source->read_count && strcmp(reads[k], name) != 0)
            k++;
        reads[k] = name;
        source->read_count += k == source->read_count;
    }
    source->reads = reads;
    topic->topic = create_as_topic(planner, properties);
    topic->schema = draft->top->schema;
    topic->window = draft->window;
    topic->window_size_ms = draft->window_size_ms;
    TRY(create_topic_name(topic->topic, err));
    if (plan_topic_is_internal(topic->topic))
        return err_set_at(err, ERR_SEMANTIC, statement->name_pos.line, statement->name_pos.column,
                          "Cannot write to read-only topic: %s", topic->topic);
    TRY(formats_choose(planner, properties, &left->topic, topic, err));
    TRY(formats_timestamp(planner, properties, topic, err));
    return formats_retention(properties, source, err);
}

static ErrCode create_as_limit(const AstStatement *statement, Err *err) {
    assert(statement);
    const AstQuery *query = statement->query;
    if (!query->has_limit)
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, query->limit_pos.line, query->limit_pos.column,
                      "%s AS SELECT statements don't support LIMIT clause.",
                      statement->kind == AST_CREATE_TABLE ? "CREATE TABLE" : "CREATE STREAM");
}

/* The id of the query that writes there already, or a new one. */
static ErrCode create_as_query_id(const Planner *planner, const Source *old, Source *source,
                                  Err *err) {
    assert(source);
    const PlannerHost *host = planner->host;
    const char *first = old ? host->sink_query(host->context, old->name, 0) : NULL;
    const char *second = first ? host->sink_query(host->context, old->name, 1) : NULL;
    if (second)
        return err_set_at(err, ERR_SEMANTIC, planner->statement->name_pos.line,
                          planner->statement->name_pos.column,
                          "REPLACE for sink `%s` is not supported because there are multiple "
                          "queries writing into it: [%s, %s%s]",
                          source->name, first, second,
                          host->sink_query(host->context, old->name, 2) ? ", ..." : "");
    source->query_id = first;
    if (!first)
        source->query_id =
            arena_printf(planner->arena, "%s_%s_%llu", source->is_table ? "CTAS" : "CSAS",
                         source->name, (unsigned long long)host->next_query_number(host->context));
    return ERR_OK;
}

ErrCode plan_create_as(Planner *planner, Planned *planned, Err *err) {
    assert(planned);
    const AstStatement *statement = planner->statement;
    const PlannerHost *host = planner->host;
    bool is_table = statement->kind == AST_CREATE_TABLE;
    Properties properties;
    const Source *old;
    TRY(create_name(planner, err));
    bool extensions = planner_setting_on(planner, "weir.extensions", true);
    unsigned more = extensions ? PROPERTY_IN_EXTENSION_AS : 0;
    TRY(properties_read(planner, PROPERTY_IN_CREATE_AS | more, &properties, err));
    TRY(formats_names(planner, &properties, err));
    TRY(create_as_limit(statement, err));
    TRY(create_existing(planner, &old, planned, err));
    if (planned->kind == PLANNED_NOTHING)
        return ERR_OK;
    Draft draft = {.planner = planner, .ast = statement->query, .kind = PLAN_PERSISTENT,
                   .sink_name = statement->name, .limit = -1};
    TRY(draft_query(&draft, err));
    Source *source = arena_alloc(planner->arena, sizeof *source);
    TRY(create_as_source(planner, &draft, &properties, source, err));
    TRY(create_as_kind(&draft, is_table, err));
    TRY(broker_plan(planner, &properties, source, false, err));
    TRY(formats_partitions(planner, &properties, source, planned, err));
    if (old)
        TRY(upgrade_source(planner, old, source, err));
    PlanNode *sink = draft_add(&draft, PLAN_SINK, "Sink", draft.top);
    sink->topic = &source->topic;
    TRY(create_as_query_id(planner, old, source, err));
    Plan *plan = arena_alloc(planner->arena, sizeof *plan);
    plan->query_id = source->query_id;
    plan->sink_source = source->name;
    plan->partition_count = source->partition_count;
    TRY(draft_finish(&draft, plan, err));
    const Plan *present = host->query_plan(host->context, plan->query_id);
    planned->replaces = present != NULL;
    if (present)
        TRY(upgrade_plan(planner, present, plan, &planned->rebuild, err));
    planned->kind = PLANNED_CREATE_AS;
    planned->source = source;
    planned->plan = plan;
    return retention_plan(planner, &properties, draft.scope.sources[0].source, planned, err);
}
