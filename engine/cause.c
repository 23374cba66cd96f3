/* cause.c - see cause.h. */
#include "engine/cause.h"

/* The source of the query's FROM with this topic, or the topic. */
static const char *cause_source_name(const Causes *causes, const char *topic) {
    const CatalogQuery *query = causes->query;
    for (uint32_t i = 0; query && i < query->read_count; i++) {
        const Source *source = catalog_source(causes->catalog, query->reads[i]);
        if (source && strcmp(source->topic.topic, topic) == 0)
            return source->name;
    }
    return topic;
}

/* The source that feeds a node, by way of its first inputs. */
static const char *cause_feeder(const Causes *causes, const PlanNode *node) {
    while (node->input_count > 0)
        node = causes->plan->nodes[node->inputs[0]];
    return node->topic ? cause_source_name(causes, node->topic->topic) : node->path;
}

void cause_put_bytes(Buf *out, uint64_t bytes) {
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    double value = (double)bytes / 1000;
    size_t unit = 0;
    if (bytes < 1000) {
        buf_printf(out, "%llu B", (unsigned long long)bytes);
        return;
    }
    for (; value >= 1000 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1000;
    buf_printf(out, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void cause_put_time(Buf *out, int64_t time_us) {
    if (time_us < 1000000)
        buf_printf(out, "%lld ms", (long long)time_us / 1000);
    else if (time_us < 120000000)
        buf_printf(out, "%.1f s", (double)time_us / 1e6);
    else if (time_us < 7200000000)
        buf_printf(out, "%lld min", (long long)time_us / 60000000);
    else
        buf_printf(out, "%.1f h", (double)time_us / 3.6e9);
}

/* "12 rows", in front of it ", " where something is there already. */
static void cause_count(Buf *out, size_t begin, uint64_t count, const char *what) {
    assert(count > 0);
    buf_printf(out, "%s%llu %s%s", out->size > begin ? ", " : "", (unsigned long long)count, what,
               count == 1 ? "" : "s");
}

static void cause_put_late(Buf *out, size_t begin, const PlanNode *node, uint64_t count) {
    cause_count(out, begin, count, "row");
    buf_text(out, " late");
    if (node->kind != PLAN_AGGREGATE || node->window.kind == WINDOW_NONE)
        return;
    int64_t grace_ms = node->window.grace_ms;
    if (grace_ms % 1000 == 0)
        buf_printf(out, " (grace %lld s)", (long long)grace_ms / 1000);
    else
        buf_printf(out, " (grace %lld ms)", (long long)grace_ms);
}

static void cause_put_no_match(Buf *out, size_t begin, const Causes *causes, const PlanNode *node,
                               uint64_t count) {
    cause_count(out, begin, count, "row");
    buf_text(out, " without a match");
    uint32_t other = node->join == JOIN_RIGHT ? 0 : 1;
    if (node->input_count == 2 && node->join != JOIN_FULL)
        buf_printf(out, " in %s",
                   cause_feeder(causes, causes->plan->nodes[node->inputs[other]]));
    buf_text(out, node->join == JOIN_INNER ? " (left out)" : " (NULLs)");
}

static void cause_put_errors(Buf *out, size_t begin, const Causes *causes, const PlanNode *node,
                             uint64_t count) {
    if (node->kind == PLAN_SOURCE) {
        cause_count(out, begin, count, "record");
        buf_printf(out, " of %s could not be read",
                   cause_source_name(causes, node->topic->topic));
    } else {
        cause_count(out, begin, count, "row error");
        buf_printf(out, " in %s", node->path);
    }
}

/* Returns whether errors are among it. */
static bool cause_put_most(Buf *out, size_t begin, const Causes *causes, const PlanNode *node) {
    const OpFigures *op = &causes->ops[node->id];
    if (op->late_rows > 0)
        cause_put_late(out, begin, node, op->late_rows);
    if (op->no_match > 0)
        cause_put_no_match(out, begin, causes, node, op->no_match);
    if (op->row_errors > 0)
        cause_put_errors(out, begin, causes, node, op->row_errors);
    return op->row_errors > 0;
}

void cause_put_node(Buf *out, const Causes *causes, const PlanNode *node) {
    size_t begin = out->size;
    uint64_t filtered = causes->ops[node->id].filtered;
    (void)cause_put_most(out, begin, causes, node);
    if (filtered > 0) {
        cause_count(out, begin, filtered, "row");
        buf_text(out, " filtered");
    }
}

bool cause_put(Buf *out, const Catalog *catalog, const CatalogQuery *query, bool all) {
    size_t begin = out->size;
    bool errors = false, transient = query->plan->kind != PLAN_PERSISTENT;
    RowError last[ROW_ERRORS_KEPT];
    if (!query->running)
        return false;
    Arena *arena = arena_new("causes", 0);
    OpFigures *ops = arena_array(arena, query->plan->node_count, sizeof *ops);
    query_op_figures(query->running, ops);
    Causes causes = {catalog, query, query->plan, ops};
    for (uint32_t i = 0; i < query->plan->node_count; i++) {
        const PlanNode *node = query->plan->nodes[i];
        bool failed = cause_put_most(out, begin, &causes, node);
        if (failed && !errors && transient && query_last_errors(query->running, last) > 0)
            buf_printf(out, " (%s)", last[0].text);
        errors |= failed;
        if (all && ops[i].filtered > 0) {
            cause_count(out, begin, ops[i].filtered, "row");
            buf_printf(out, " filtered by %s", node->predicate->text);
        }
    }
    if (errors && !transient)
        buf_printf(out, ": SHOW ERRORS FOR %s;", query->id);
    arena_free(arena);
    return out->size > begin;
}
