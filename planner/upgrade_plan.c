/*
 * upgrade_plan.c - CREATE OR REPLACE of a query: whether the new plan goes on where the old one is.
 *
 * Both plans are followed from their sinks to their sources. Filters and projections may come, go
 * and change; what keeps state, or sends rows elsewhere, must be the same. Nodes that keep state
 * are then equal in number and order, and so are the ids under which positions and state are kept
 * (runtime/ids.h). A table's rows are kept without the columns that nobody reads: where the new
 * plan reads more of them, it is a rebuild, which begins with no positions and no state.
 */
#include <assert.h>
#include <string.h>

#include "planner/plan_json.h"
#include "planner/planner_impl.h"

typedef struct UpgradePlan {
    const Plan *from, *to;
    const PlanNode *old, *now; /* where the walk is */
    bool rebuild;
} UpgradePlan;

static ErrCode upgrade_refused(const Planner *planner, const char *what, Err *err) {
    AstPos pos = planner->statement->name_pos;
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column, "Query is not upgradeable. %s",
                      what);
}

/* The texts by which plans are the same whatever their statements say. */
static bool same_plans(const Plan *left, const Plan *right) {
    Plan left_bare = *left, right_bare = *right;
    Buf left_json = {0}, right_json = {0};
    left_bare.statement = right_bare.statement = "";
    left_bare.query_id = right_bare.query_id = "";
    plan_json_put(&left_json, &left_bare);
    plan_json_put(&right_json, &right_bare);
    bool same = bytes_equal(buf_view(&left_json), buf_view(&right_json));
    buf_free(&left_json);
    buf_free(&right_json);
    return same;
}

static const PlanNode *input_of(const Plan *plan, const PlanNode *node) {
    assert(node->input_count > 0 && node->inputs[0] < plan->node_count);
    return plan->nodes[node->inputs[0]];
}

/* The next node at or below `node` that is more than a filter or a projection. */
static const PlanNode *past_passive(const Plan *plan, const PlanNode *node) {
    while (node->kind == PLAN_SINK || node->kind == PLAN_FILTER || node->kind == PLAN_PROJECT)
        node = input_of(plan, node);
    return node;
}

/* What ksqlDB calls a step that it cannot compare; NULL: it can. */
static const char *foreign_step(const Plan *plan, const PlanNode *node) {
    switch (node->kind) {
    case PLAN_AGGREGATE:
        return input_of(plan, node)->is_table       ? "TableAggregate"
               : node->window.kind != WINDOW_NONE ? "StreamWindowedAggregate"
                                                  : NULL;
    case PLAN_SOURCE:
        return !node->windowed ? NULL : node->is_table ? "WindowedTableSource"
                                                       : "WindowedStreamSource";
    case PLAN_REPARTITION:
        return "StreamSelectKey"; /* of a join; an aggregate's is compared with it */
    case PLAN_MATERIALIZE:
        return NULL;
    case PLAN_JOIN_TABLE:
        return "StreamTableJoin";
    case PLAN_JOIN_TABLES:
        return "TableTableJoin";
    case PLAN_SUBSCRIBE:
    case PLAN_JOIN_FOREIGN:
    case PLAN_RESOLVE:
        return "ForeignKeyTableTableJoin";
    case PLAN_JOIN_STREAM:
        return "StreamStreamJoin";
    default:
        return node->path;
    }
}

/* -- Node by node ------------------------------------------------------------------------------ */

static bool same_columns(const Schema *left, const Schema *right, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!type_equal(left->columns[i].type, right->columns[i].type))
            return false;
    }
    return true;
}

static bool same_exprs(const PlanNode *left, const PlanNode *right, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!expr_equal(left->exprs[i], right->exprs[i]))
            return false;
    }
    return same_columns(left->schema, right->schema, count);
}

/* The projection into the sink makes the keys. */
static ErrCode upgrade_keys(const Planner *planner, const UpgradePlan *walk, Err *err) {
    const PlanNode *old = input_of(walk->from, walk->old), *now = input_of(walk->to, walk->now);
    assert(walk->old->kind == PLAN_SINK && walk->now->kind == PLAN_SINK);
    if (old->kind != PLAN_PROJECT || now->kind != PLAN_PROJECT ||
        (old->schema->key_count == now->schema->key_count &&
         same_exprs(old, now, old->schema->key_count)))
        return ERR_OK;
    return upgrade_refused(planner, "The expressions of the key must match.", err);
}

static bool same_limits(const AggregateLimits *left, const AggregateLimits *right) {
    if (left->literal_count != right->literal_count ||
        left->element_count_max != right->element_count_max)
        return false;
    for (uint32_t i = 0; i < left->literal_count; i++) {
        const Column *one = left->literals[i], *other = right->literals[i];
        if (!type_equal(one->type, other->type) || !column_value_equal(one, 0, other, 0))
            return false;
    }
    return true;
}

static bool same_aggregates(const PlanNode *left, const PlanNode *right) {
    if (left->aggregate_count != right->aggregate_count)
        return false;
    for (uint32_t i = 0; i < left->aggregate_count; i++) {
        const PlanAggregate *old = &left->aggregates[i], *now = &right->aggregates[i];
        if (old->aggregate != now->aggregate || old->arg_count != now->arg_count ||
            !type_equal(old->type, now->type) || !same_limits(&old->limits, &now->limits) ||
            memcmp(old->args, now->args, old->arg_count * sizeof *old->args) != 0)
            return false;
    }
    return true;
}

/* With the projection in front of it, which says what is grouped and aggregated. */
static ErrCode upgrade_aggregate(const Planner *planner, UpgradePlan *walk, Err *err) {
    const PlanNode *old = input_of(walk->from, walk->old), *now = input_of(walk->to, walk->now);
    uint32_t key_count = old->schema->key_count;
    if (old->kind != now->kind || key_count != now->schema->key_count ||
        !same_exprs(old, now, key_count))
        return upgrade_refused(planner, "The expressions of GROUP BY must match.", err);
    if (old->schema->column_count != now->schema->column_count ||
        !same_exprs(old, now, old->schema->column_count) || !same_aggregates(walk->old, walk->now))
        return upgrade_refused(planner, "The aggregate functions must match.", err);
    walk->old = old;
    walk->now = now;
    return ERR_OK;
}

static bool same_topics(const PlanTopic *left, const PlanTopic *right) {
    bool formats = left->key.format == right->key.format &&
                   left->key.unwrapped == right->key.unwrapped &&
                   left->key.delimiter == right->key.delimiter &&
                   left->value.format == right->value.format &&
                   left->value.delimiter == right->value.delimiter;
    return formats && strcmp(left->topic, right->topic) == 0 &&
           left->timestamp_column == right->timestamp_column;
}

static ErrCode upgrade_from(const Planner *planner, const UpgradePlan *walk, Err *err) {
    const Schema *old = walk->old->schema, *now = walk->now->schema;
    if (!same_topics(walk->old->topic, walk->now->topic))
        return upgrade_refused(planner,
                               arena_printf(planner->arena,
                                            "The source must match: its topic, formats and "
                                            "timestamp column. It was %s and would be %s.",
                                            walk->old->topic->topic, walk->now->topic->topic),
                               err);
    if (old->key_count != now->key_count || old->column_count > now->column_count ||
        !same_columns(old, now, old->column_count))
        return upgrade_refused(planner, "The schema of the source must match.", err);
    return ERR_OK;
}

/* Whether the stored rows of a table lack columns that the new plan reads. */
static bool stored_too_little(const UpgradePlan *walk) {
    const PlanNode *old = input_of(walk->from, walk->old), *now = input_of(walk->to, walk->now);
    if (old->kind != PLAN_SOURCE || old->schema->column_count != now->schema->column_count)
        return true;
    for (uint32_t i = 0; i < now->schema->column_count; i++) {
        if (now->used && now->used[i] && old->used && !old->used[i])
            return true;
    }
    return false;
}

static ErrCode upgrade_step(const Planner *planner, UpgradePlan *walk, Err *err) {
    const char *foreign = foreign_step(walk->from, walk->old);
    if (foreign)
        return upgrade_refused(planner, arena_printf(planner->arena,
                                                     "Upgrades not yet supported for %s", foreign),
                               err);
    if (walk->old->kind != walk->now->kind)
        return upgrade_refused(planner,
                               arena_printf(planner->arena, "The steps must match: %s and %s.",
                                            walk->old->path, walk->now->path),
                               err);
    switch (walk->old->kind) {
    case PLAN_AGGREGATE:
        if (foreign_step(walk->to, walk->now))
            return upgrade_refused(planner, "The WINDOW clause must match.", err);
        return upgrade_aggregate(planner, walk, err);
    case PLAN_MATERIALIZE:
        walk->rebuild = walk->rebuild || stored_too_little(walk);
        return ERR_OK;
    default:
        return upgrade_from(planner, walk, err);
    }
}

ErrCode upgrade_plan(const Planner *planner, const Plan *old, const Plan *plan, bool *rebuild,
                     Err *err) {
    assert(old->node_count > 0 && plan->node_count > 0);
    UpgradePlan walk = {.from = old, .to = plan};
    *rebuild = false;
    if (same_plans(old, plan))
        return ERR_OK;
    walk.old = old->nodes[old->node_count - 1];
    walk.now = plan->nodes[plan->node_count - 1];
    if (walk.old->kind == PLAN_SINK)
        TRY(upgrade_keys(planner, &walk, err));
    for (bool more = true; more;) {
        walk.old = past_passive(old, walk.old);
        walk.now = past_passive(plan, walk.now);
        TRY(upgrade_step(planner, &walk, err));
        more = walk.old->input_count > 0;
        if (more) {
            walk.old = input_of(old, walk.old);
            walk.now = input_of(plan, walk.now);
        }
    }
    *rebuild = walk.rebuild;
    return ERR_OK;
}
