/*
 * explain.c - a plan as text: from what comes out down to what is read, an input one step in.
 */
#include "planner/explain.h"

#include <assert.h>

#include "udf/value_text.h"

static const char *const explain_kinds[] = {
    [PLAN_SOURCE] = "Source",         [PLAN_MATERIALIZE] = "Materialize",
    [PLAN_STORE] = "Store",           [PLAN_FILTER] = "Filter",
    [PLAN_PROJECT] = "Project",       [PLAN_REPARTITION] = "Repartition",
    [PLAN_JOIN_TABLE] = "JoinTable",  [PLAN_JOIN_STREAM] = "JoinStream",
    [PLAN_AGGREGATE] = "Aggregate",
    [PLAN_SINK] = "Sink",             [PLAN_RESULT] = "Result",
    [PLAN_JOIN_TABLES] = "JoinTables", [PLAN_SUBSCRIBE] = "Subscribe",
    [PLAN_JOIN_FOREIGN] = "JoinForeign", [PLAN_RESOLVE] = "Resolve",
    [PLAN_FLAT_MAP] = "FlatMap",      [PLAN_ROW] = "Row",
};

static const char *const explain_joins[] = {"INNER", "LEFT", "RIGHT", "FULL"};
static const char *const explain_windows[] = {"", "TUMBLING", "HOPPING", "SESSION"};

void explain_expr(Buf *out, const Expr *expr) {
    assert(out && expr);
    buf_text(out, expr->text);
}

/* NAME := expression, ...: a plain column only by its name. */
static void explain_exprs(Buf *out, const PlanNode *node) {
    for (uint32_t i = 0; i < node->schema->column_count; i++) {
        const SchemaColumn *column = &node->schema->columns[i];
        buf_printf(out, "%s%s", i > 0 ? ", " : " ", column->name);
        if (column->role == COLUMN_KEY)
            buf_text(out, " KEY");
        buf_text(out, " := ");
        explain_expr(out, node->exprs[i]);
    }
}

static void explain_aggregates(Buf *out, const PlanNode *node, const Plan *plan) {
    const Schema *input = plan->nodes[node->inputs[0]]->schema;
    for (uint32_t i = 0; i < node->aggregate_count; i++) {
        const PlanAggregate *aggregate = &node->aggregates[i];
        buf_printf(out, "%s%s(", i > 0 ? ", " : " ", aggregate->aggregate->name);
        for (uint32_t j = 0; j < aggregate->arg_count; j++)
            buf_printf(out, "%s%s", j > 0 ? ", " : "", input->columns[aggregate->args[j]].name);
        for (uint32_t j = 0; j < aggregate->limits.literal_count; j++) {
            buf_text(out, j + aggregate->arg_count > 0 ? ", " : "");
            value_text_print(out, aggregate->limits.literals[j], 0);
        }
        buf_text(out, ")");
    }
    for (uint32_t i = 0; i < node->schema->key_count; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : " BY ", node->schema->columns[i].name);
    const PlanWindow *window = &node->window;
    if (window->kind == WINDOW_NONE)
        return;
    buf_printf(out, " %s %lld ms, ", explain_windows[window->kind], (long long)window->size_ms);
    if (window->kind == WINDOW_HOPPING)
        buf_printf(out, "every %lld ms, ", (long long)window->advance_ms);
    buf_printf(out, "grace %lld ms", (long long)window->grace_ms);
    if (window->final != FINAL_NONE)
        buf_printf(out, ", final%s", window->final == FINAL_KSQLDB ? " as ksqlDB" : "");
    if (window->idle_timeout_ms > 0)
        buf_printf(out, ", idle after %lld ms", (long long)window->idle_timeout_ms);
}

static void explain_within(Buf *out, const PlanNode *node) {
    const PlanWithin *within = &node->within;
    buf_printf(out, " %s ON %s WITHIN (%lld ms, %lld ms)", explain_joins[node->join],
               node->schema->columns[0].name, (long long)within->before_ms,
               (long long)within->after_ms);
    if (!within->eager)
        buf_printf(out, ", grace %lld ms", (long long)within->grace_ms);
    if (node->predicate) {
        buf_text(out, " AND ");
        explain_expr(out, node->predicate);
    }
}

static void explain_table_calls(Buf *out, const PlanNode *node) {
    uint32_t first = node->schema->column_count - node->table_call_count;
    for (uint32_t i = 0; i < node->table_call_count; i++)
        buf_printf(out, "%s%s := %s", i > 0 ? ", " : " ", node->schema->columns[first + i].name,
                   node->table_calls[i].text);
}

static void explain_topic(Buf *out, const PlanNode *node) {
    const PlanTopic *topic = node->topic;
    buf_printf(out, " %s (%s, %s)", topic->topic, topic->key.format->name,
               topic->value.format->name);
    if (node->kind != PLAN_SOURCE || !node->used)
        return;
    const char *separator = " reads ";
    for (uint32_t i = 0; i < node->schema->column_count; i++) {
        if (!node->used[i])
            continue;
        buf_printf(out, "%s%s", separator, node->schema->columns[i].name);
        separator = ", ";
    }
}

/* How much of a store is read. */
static void explain_lookup(Buf *out, const PlanLookup *lookup) {
    if (lookup->by_key)
        buf_printf(out, ", %u key%s", lookup->key_count, lookup->key_count == 1 ? "" : "s");
    else if (lookup->min_count > 0 || lookup->max_count > 0)
        buf_text(out, ", a range of keys");
    else
        buf_text(out, ", all rows");
    if (lookup->window_start_min != INT64_MIN || lookup->window_start_max != INT64_MAX)
        buf_text(out, ", some windows");
}

static void explain_inside(Buf *out, const Plan *plan, const PlanNode *node) {
    switch (node->kind) {
    case PLAN_SOURCE:
    case PLAN_SINK: explain_topic(out, node); break;
    case PLAN_STORE:
        buf_printf(out, " of %s/%s", node->store_query, node->store_path);
        explain_lookup(out, &plan->lookup);
        break;
    case PLAN_FILTER:
        buf_text(out, " ");
        explain_expr(out, node->predicate);
        break;
    case PLAN_PROJECT:
    case PLAN_REPARTITION: explain_exprs(out, node); break;
    case PLAN_FLAT_MAP: explain_table_calls(out, node); break;
    case PLAN_JOIN_TABLE:
        buf_printf(out, " %s ON ", explain_joins[node->join]);
        explain_expr(out, node->join_key);
        break;
    case PLAN_JOIN_STREAM: explain_within(out, node); break;
    case PLAN_SUBSCRIBE:
        buf_text(out, " BY ");
        explain_expr(out, node->join_key);
        break;
    case PLAN_JOIN_FOREIGN:
    case PLAN_JOIN_TABLES: buf_printf(out, " %s", explain_joins[node->join]); break;
    case PLAN_AGGREGATE: explain_aggregates(out, node, plan); break;
    default: break;
    }
}

void explain_step(Buf *out, const Plan *plan, const PlanNode *node, uint32_t depth) {
    assert(out && node);
    for (uint32_t i = 0; i < depth; i++)
        buf_text(out, "   ");
    buf_printf(out, "%s%s [%s]%s", depth > 0 ? "<- " : "", explain_kinds[node->kind], node->path,
               node->is_table ? " table" : "");
    explain_inside(out, plan, node);
    if (node->note)
        buf_printf(out, " -- %s", node->note);
}

void explain_short(Buf *out, const Plan *plan, const PlanNode *node, uint32_t depth) {
    assert(out && node);
    for (uint32_t i = 0; i < depth; i++)
        buf_text(out, " ");
    buf_printf(out, "%s%s", explain_kinds[node->kind], node->is_table ? " table" : "");
    explain_inside(out, plan, node);
}

static void explain_visit(const Plan *plan, uint32_t id, uint32_t depth, ExplainFn *visit,
                          void *context) {
    const PlanNode *node = plan->nodes[id];
    visit(context, node, depth);
    for (uint32_t i = 0; i < node->input_count; i++)
        explain_visit(plan, node->inputs[i], depth + 1, visit, context);
}

void explain_walk(const Plan *plan, ExplainFn *visit, void *context) {
    assert(plan->node_count > 0);
    explain_visit(plan, plan->node_count - 1, 0, visit, context);
}

typedef struct ExplainPlan {
    Buf *out;
    const Plan *plan;
} ExplainPlan;

static void explain_line(void *context, const PlanNode *node, uint32_t depth) {
    const ExplainPlan *explain = context;
    explain_step(explain->out, explain->plan, node, depth);
    buf_text(explain->out, "\n");
}

void explain_plan(Buf *out, const Plan *plan) {
    assert(out && plan);
    ExplainPlan explain = {out, plan};
    explain_walk(plan, explain_line, &explain);
}
