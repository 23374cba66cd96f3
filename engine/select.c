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

ErrCode engine_push(Call *call, const Planned *planned, Err *err) {
    Weir *weir = call->weir;
    WeirResult *result = call->result;
    Plan plan = *planned->plan;
    plan.query_id = arena_printf(call->arena, "transient_%s_%llu",
                                 call->statement->query->sources[0].name,
                                 (unsigned long long)++weir->push_count);
    EngineQueryNew make = {.plan = &plan};
    TRY(engine_query_new(call, &make, &result->push, err));
    result->queue = result_queue_new(PUSH_QUEUE_ROWS_MAX);
    QueryOptions options = {.plan = result->push->plan,
                            .partitions = result->push->partitions,
                            .first_id = result->push->first_id,
                            .from_end = result->push->from_end,
                            .fail_on = result->push->fail_on,
                            .table_first = settings_is_true(&weir->settings, "weir.table.first"),
                            .results = result->queue,
                            .internal_topics = result->push->internal_topics};
    TRY(query_start(weir->runtime, &options, &result->push->running, err));
    result->query_id = result->push->id;
    const Plan *kept = result->push->plan;
    result->schema = kept->nodes[kept->node_count - 1]->schema;
    result->visible_count = kept->visible_count;
    return ERR_OK;
}

static const PlanNode *select_store_node(const Plan *plan) {
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i]->kind == PLAN_STORE)
            return plan->nodes[i];
    return NULL;
}

ErrCode engine_pull(Call *call, const Planned *planned, Err *err) {
    Weir *weir = call->weir;
    Buf json = {0};
    const Plan *plan;
    plan_json_put(&json, planned->plan);
    ErrCode code = plan_json_get(buf_view(&json), call->result->arena, &plan, err);
    buf_free(&json);
    TRY(code);
    LookupStore store = {0};
    const PlanNode *node = select_store_node(plan);
    if (node) {
        CatalogQuery *query = catalog_query(&weir->catalog, node->store_query);
        if (!query)
            return err_set(err, ERR_SEMANTIC, "The query %s that feeds this table is gone.",
                           node->store_query);
        TRY(engine_catch_up_topic(weir, node->topic->topic,
                                  settings_number(&weir->settings, "weir.lookup.wait.ms"), err));
        store = (LookupStore){query->plan, query->first_id, query->partitions};
    }
    ResultRows rows = {0};
    TRY(lookup_run(weir->runtime, plan, node ? &store : NULL, call->result->arena, &rows, err));
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
