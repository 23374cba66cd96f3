/*
 * replace.c - CREATE OR REPLACE of a running query: the new plan goes on where the old one stopped.
 *
 * The old query stops at its last commit; source and query change in one commit, and the new plan
 * starts with the ids, and so with the positions and the state, of the old one (or, where the
 * planner says rebuild, with none). Internal topics stay too: what is written to them feeds steps
 * with state, which the planner lets pass unchanged only. Until the commit nothing has changed:
 * after a failure the old query runs again.
 */
#include "engine/engine_query_impl.h"
#include "engine/result_impl.h"

/* The count-th REPARTITION node of a plan; NULL: there are not so many. */
static const PlanNode *replace_repartition(const Plan *plan, uint32_t count) {
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i]->kind == PLAN_REPARTITION && count-- == 0)
            return plan->nodes[i];
    return NULL;
}

/* The count-th node of a plan that keeps a store; NULL: there are not so many. */
static const PlanNode *replace_store(const Plan *plan, uint32_t count) {
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (query_keeps_store(plan, i) && count-- == 0)
            return plan->nodes[i];
    return NULL;
}

/* Stores are taken over in the order of their nodes: ids.h. */
static void inherit_changelogs(CatalogQuery *query, const CatalogQuery *old) {
    if (!old->changelogs)
        return;
    uint32_t *topics = arena_array(query->arena, query->plan->node_count, sizeof *topics);
    for (uint32_t i = 0;; i++) {
        const PlanNode *from = replace_store(old->plan, i), *to = replace_store(query->plan, i);
        if (!from || !to)
            break;
        topics[to->id] = old->changelogs[from->id];
    }
    query->changelogs = topics;
}

void engine_query_inherit(CatalogQuery *query, const CatalogQuery *old) {
    query->number = old->number;
    query->from_end = old->from_end;
    query->paused = old->paused;
    query->is_insert = old->is_insert;
    query->partitions = old->partitions;
    query->first_id = old->first_id;
    uint32_t *topics = arena_array(query->arena, query->plan->node_count, sizeof *topics);
    for (uint32_t i = 0;; i++) {
        const PlanNode *from = replace_repartition(old->plan, i);
        const PlanNode *to = replace_repartition(query->plan, i);
        assert((from == NULL) == (to == NULL)); /* the planner has compared them */
        if (!from)
            break;
        topics[to->id] = old->internal_topics[from->id];
    }
    query->internal_topics = topics;
    inherit_changelogs(query, old);
}

static ErrCode replace_commit(Call *call, const Planned *planned, const CatalogQuery *query,
                              Commit *commit, Err *err) {
    engine_create_topic(call, planned, commit);
    catalog_put_source(commit, planned->source);
    catalog_put_query(commit, query);
    TRY(commit_wait(commit, NULL, err));
    engine_show_topic(call);
    return catalog_show_source(&call->weir->catalog, planned->source, err);
}

/* The commit failed: nothing has changed. */
static void replace_undo(Weir *weir, CatalogQuery *old, CatalogQuery *query) {
    Err kept_in_query;
    catalog_query_free(query);
    (void)!engine_start_query(weir, old, &kept_in_query);
}

/* Of a query that begins anew. */
static void replace_forget(Commit *commit, const CatalogQuery *old) {
    query_remove_state(commit, old->plan, old->first_id, old->partitions);
    for (uint32_t i = 0; old->changelogs && i < old->plan->node_count; i++)
        if (old->changelogs[i] != 0)
            commit_topic_delete(commit, old->changelogs[i]);
}

ErrCode engine_replace_query(Call *call, const Planned *planned, Err *err) {
    Weir *weir = call->weir;
    CatalogQuery *old = catalog_query(&weir->catalog, planned->plan->query_id), *query = NULL;
    assert(old && planned->source);
    Commit *commit = engine_commit(call);
    EngineQueryNew make = {.plan = planned->plan,
                           .commit = commit,
                           .old = old,
                           .rebuild = planned->rebuild};
    ErrCode code = engine_query_new(call, &make, &query, err);
    if (code != ERR_OK) {
        commit_drop(commit);
        return code;
    }
    if (old->running)
        query_stop(old->running);
    old->running = NULL;
    if (planned->rebuild)
        replace_forget(commit, old);
    code = replace_commit(call, planned, query, commit, err);
    if (code != ERR_OK) {
        replace_undo(weir, old, query);
        return code;
    }
    catalog_swap_query(&weir->catalog, query);
    TRY(engine_start_query(weir, query, err));
    result_message(call->result, "Created query with ID %s", query->id);
    return ERR_OK;
}
