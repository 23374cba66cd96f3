/*
 * select.c - SELECT: push queries (EMIT CHANGES) and lookups.
 *
 * A push query is a transient query whose rows end in a bounded queue; it lives and dies with its
 * result. A lookup reads a snapshot; before that it waits for the queries that feed the table, so
 * that it sees what was written before it was asked.
 */
#include "engine/engine_query_impl.h"
#include "engine/result_impl.h"
#include "planner/plan_json.h"

enum { PUSH_QUEUE_ROWS_MAX = 16384 };

/* ksqlDB's scalable push queries listen to the query that writes the source, from now on. Here the
 * rows are those of its topic either way: only the name is another one. */
static bool push_is_scalable(const Call *call, const Plan *plan) {
    const Weir *weir = call->weir;
    const AstQuery *ast = call->statement->query;
    const PlannerHost host = engine_host(call->weir);
    const char *source = ast->sources[0].name;
    if (!settings_is_true(&weir->settings, "ksql.query.push.v2.enabled") ||
        strcmp(settings_get(&weir->settings, "auto.offset.reset"), "latest") != 0)
        return false;
    bool plain = ast->source_count == 1 && !ast->group_by && !ast->partition_by && !ast->having &&
                 ast->window.kind == AST_WINDOW_NONE;
    for (uint32_t i = 0; plain && i < plan->node_count; i++)
        plain = plan->nodes[i]->kind != PLAN_FLAT_MAP && plan->nodes[i]->kind != PLAN_AGGREGATE;
    return plain && host.sink_query(host.context, source, 0) &&
           !host.sink_query(host.context, source, 1) && !plan_reads_place(plan);
}

ErrCode engine_push_start(Call *call, const Planned *planned, bool bounded, Err *err) {
    Weir *weir = call->weir;
    WeirResult *result = call->result;
    Plan plan = *planned->plan;
    plan.query_id = arena_printf(call->arena, "%s_%s_%llu",
                                 push_is_scalable(call, &plan) ? "SCALABLE_PUSH_QUERY"
                                                               : "transient",
                                 call->statement->query->sources[0].name,
                                 (unsigned long long)++weir->push_count);
    EngineQueryNew make = {.plan = &plan};
    TRY(engine_query_new(call, &make, &result->push, err));
    result->queue = result_queue_new(PUSH_QUEUE_ROWS_MAX);
    QueryOptions options = {.plan = result->push->plan,
                            .partitions = result->push->partitions,
                            .first_id = result->push->first_id,
                            .from_end = result->push->from_end && !bounded,
                            .fail_on = result->push->fail_on,
                            .table_first = settings_is_true(&weir->settings, "weir.table.first"),
                            .bounded = bounded,
                            .results = result->queue,
                            .internal_topics = result->push->internal_topics};
    TRY(query_start(weir->runtime, &options, &result->push->running, err));
    result->query_id = result->push->id;
    const Plan *kept = result->push->plan;
    result->schema = kept->nodes[kept->node_count - 1]->schema;
    result->visible_count = kept->visible_count;
    return ERR_OK;
}

ErrCode engine_push(Call *call, const Planned *planned, Err *err) {
    TRY(engine_push_start(call, planned, false, err));
    push_register(call->weir, call->result);
    return ERR_OK;
}

/* What a lookup reads; NULL: nothing. */
static const PlanNode *select_first_node(const Plan *plan) {
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i]->kind == PLAN_STORE || plan->nodes[i]->kind == PLAN_SOURCE)
            return plan->nodes[i];
    return NULL;
}

/* Every query that feeds what is read has processed what was there before the lookup. */
static ErrCode select_wait(Call *call, const PlanNode *node, LookupStore *store, Err *err) {
    Weir *weir = call->weir;
    const char *topic = node->topic->topic;
    int64_t wait_ms = settings_number(&weir->settings, "weir.lookup.wait.ms");
    if (node->kind == PLAN_SOURCE)
        return engine_catch_up_topic(weir, topic, wait_ms, err);
    CatalogQuery *query = catalog_query(&weir->catalog, node->store_query);
    if (!query)
        return err_set(err, ERR_SEMANTIC, "The query %s that feeds this table is gone.",
                       node->store_query);
    TRY(engine_catch_up_query(weir, query, topic, wait_ms, err));
    *store = (LookupStore){query->plan, query->first_id, query->partitions};
    return ERR_OK;
}

static ErrCode select_keep_plan(const Plan *plan, Arena *arena, const Plan **kept, Err *err) {
    Buf json = {0};
    plan_json_put(&json, plan);
    ErrCode code = plan_json_get(buf_view(&json), arena, kept, err);
    buf_free(&json);
    return code;
}

ErrCode engine_lookup_prepare(Call *call, const Planned *planned, Arena *arena,
                              EngineLookup *lookup, Err *err) {
    lookup->plan = planned->plan;
    if (arena)
        TRY(select_keep_plan(planned->plan, arena, &lookup->plan, err));
    const PlanNode *node = select_first_node(lookup->plan);
    lookup->has_store = node && node->kind == PLAN_STORE;
    lookup->scans_stream = node && node->kind == PLAN_SOURCE;
    return node ? select_wait(call, node, &lookup->store, err) : ERR_OK;
}

ErrCode engine_pull(Call *call, const Planned *planned, Err *err) {
    Weir *weir = call->weir;
    EngineLookup lookup;
    Arena *kept = weir->options.manual_queries ? call->result->arena : NULL; /* cases: as stored */
    TRY(engine_lookup_prepare(call, planned, kept, &lookup, err));
    ResultRows rows = {0};
    TRY(lookup_run(weir->runtime, lookup.plan, lookup.has_store ? &lookup.store : NULL,
                   call->result->arena, &rows, err));
    const Plan *plan = lookup.plan;
    call->result->scans_stream = lookup.scans_stream;
    call->result->limit_reached = plan->limit >= 0 && rows.count >= (uint64_t)plan->limit;
    result_rows(call->result, &rows, plan->visible_count);
    if (rows.error_count > 0)
        engine_notice(weir, "%llu value%s could not be computed: %s",
                      (unsigned long long)rows.error_count, rows.error_count == 1 ? "" : "s",
                      rows.error);
    return ERR_OK;
}

ErrCode engine_select(Call *call, Err *err) {
    PlannerHost host = engine_host(call->weir);
    Planned planned = {0};
    TRY(plan_statement(&host, call->statement, call->arena, &planned, err));
    assert(planned.kind == PLANNED_PUSH || planned.kind == PLANNED_PULL);
    return planned.kind == PLANNED_PUSH ? engine_push(call, &planned, err)
                                        : engine_pull(call, &planned, err);
}
