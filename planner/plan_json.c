/*
 * plan_json.c - writes plans and sources as JSON; plan_json_get.c reads them.
 *
 * Members at their default (false, none, no list) are left out. Types are texts as SQL writes
 * them, literals of DOUBLE and DECIMAL are texts too, so that no digit is lost.
 */
#include "planner/plan_json.h"

#include <assert.h>
#include <string.h>

#include "data/decimal.h"
#include "data/number_text.h"
#include "planner/plan_json_impl.h"

const char *const plan_json_expr_kinds[] = {
    "literal", "column", "pseudo", "call",      "cast",  "case",  "arithmetic", "concat",
    "negate",  "compare", "and",   "or",        "not",   "in",    "like",       "is_null",
    "subscript", "deref", "array", "map",       "struct", "let", "local",
    "lambda",  "param", NULL};
const char *const plan_json_ops[] = {"none", "+",  "-",  "*", "/",  "%",        "=",
                                     "<>",   "<",  "<=", ">", ">=", "distinct", "not_distinct",
                                     NULL};
const char *const plan_json_pseudos[] = {"rowtime",     "rowpartition", "rowoffset",
                                         "windowstart", "windowend",    NULL};
const char *const plan_json_finals[] = {"none", "complete", "ksqldb", NULL};
const char *const plan_json_windows[] = {"none", "tumbling", "hopping", "session", NULL};
const char *const plan_json_node_kinds[] = {"source", "materialize", "row", "store", "filter",
                                            "project", "flat_map", "repartition", "join_table",
                                            "join_stream", "join_tables", "subscribe",
                                            "join_foreign", "resolve", "aggregate", "sink",
                                            "result", NULL};
const char *const plan_json_joins[] = {"inner", "left", "right", "full", NULL};
const char *const plan_json_plan_kinds[] = {"persistent", "push", "pull", NULL};
const char *const plan_json_roles[] = {"key", "value", "headers", NULL};

/* -- Members ----------------------------------------------------------------------------------- */

static void put(json_t *object, const char *name, json_t *value) {
    int failed = json_object_set_new(object, name, value);
    assert(failed == 0);
    (void)failed;
}

static json_t *text_json(Bytes text) {
    json_t *value = json_stringn((const char *)text.data, text.size);
    assert(value); /* the parser lets only UTF-8 through */
    return value;
}

static void put_text(json_t *object, const char *name, const char *text) {
    if (text)
        put(object, name, text_json(bytes_of(text)));
}

static void put_flag(json_t *object, const char *name, bool value) {
    if (value)
        put(object, name, json_true());
}

static void put_i64(json_t *object, const char *name, int64_t value, int64_t otherwise) {
    if (value != otherwise)
        put(object, name, json_integer(value));
}

static void put_type(json_t *object, const char *name, const Type *type) {
    Buf buf = {0};
    type_print(&buf, type);
    put(object, name, text_json(buf_view(&buf)));
    buf_free(&buf);
}

/* -- Expressions ------------------------------------------------------------------------------- */

static json_t *literal_text(Buf *buf) {
    json_t *value = text_json(buf_view(buf));
    buf_free(buf);
    return value;
}

static json_t *literal_bytes(Bytes bytes) {
    Buf buf = {0};
    for (uint32_t i = 0; i < bytes.size; i++)
        buf_printf(&buf, "%02x", bytes.data[i]);
    buf_cstr(&buf);
    return literal_text(&buf);
}

static json_t *literal_json(const Column *column) {
    Buf buf = {0};
    if (column_is_null(column, 0))
        return json_null();
    switch (column->type->kind) {
    case TYPE_BOOLEAN: return json_boolean(column->boolean[0]);
    case TYPE_INT:
    case TYPE_TIME:
    case TYPE_DATE: return json_integer(column->i32[0]);
    case TYPE_BIGINT:
    case TYPE_TIMESTAMP: return json_integer(column->i64[0]);
    case TYPE_DOUBLE: number_print_double(&buf, column->f64[0]); return literal_text(&buf);
    case TYPE_DECIMAL:
        decimal_print(&buf, decimal_load(column->data, column->type->precision),
                      column->type->scale);
        return literal_text(&buf);
    case TYPE_STRING: return text_json(column->bytes[0]);
    case TYPE_BYTES: return literal_bytes(column->bytes[0]);
    default: break;
    }
    /* Nested values are constructors over literals, or missing. */
    assert(type_is_nested(column->type));
    return json_null();
}

static json_t *expr_json(const Expr *expr);

static json_t *exprs_json(const Expr *const *exprs, uint32_t count) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(array, expr_json(exprs[i]));
    return array;
}

static json_t *expr_json(const Expr *expr) {
    json_t *object = json_object();
    put_text(object, "kind", plan_json_expr_kinds[expr->kind]);
    put_type(object, "type", expr->type);
    if (expr->op != OP_NONE)
        put_text(object, "op", plan_json_ops[expr->op]);
    if (expr->kind == EXPR_PSEUDO)
        put_text(object, "pseudo", plan_json_pseudos[expr->pseudo]);
    if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_DEREF || expr->kind == EXPR_LET ||
        expr->kind == EXPR_LOCAL || expr->kind == EXPR_LAMBDA || expr->kind == EXPR_PARAM)
        put(object, "column", json_integer(expr->column));
    put_i64(object, "params", expr->param_count, 0);
    put_flag(object, "negated", expr->negated);
    put_flag(object, "open", expr->open);
    put_i64(object, "escape", (unsigned char)expr->escape, 0);
    if (expr->kind == EXPR_LITERAL)
        put(object, "value", literal_json(expr->literal));
    if (expr->kind == EXPR_CALL) {
        put_text(object, "function", expr->function->name);
        put_text(object, "signature", expr->function->signature);
        put_flag(object, "user", expr->function->user != NULL);
    }
    if (expr->arg_count > 0)
        put(object, "args", exprs_json(expr->args, expr->arg_count));
    put_text(object, "text", expr->text);
    return object;
}

/* -- Topics ------------------------------------------------------------------------------------ */

static json_t *schema_json(const Schema *schema) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const SchemaColumn *column = &schema->columns[i];
        json_t *object = json_object();
        put_text(object, "name", column->name);
        put_type(object, "type", column->type);
        if (column->role != COLUMN_VALUE)
            put_text(object, "role", plan_json_roles[column->role]);
        put_text(object, "header", column->header);
        json_array_append_new(array, object);
    }
    return array;
}

/* key_count stands apart: rows of a RESULT may have key columns anywhere. */
static void put_schema(json_t *object, const Schema *schema) {
    put(object, "schema", schema_json(schema));
    put_i64(object, "keys", schema->key_count, 0);
}

static json_t *format_json_of(const PlanFormat *format) {
    json_t *object = json_object();
    put_text(object, "format", format->format->name);
    put_flag(object, "unwrapped", format->unwrapped);
    put_i64(object, "delimiter", (unsigned char)format->delimiter, 0);
    return object;
}

static json_t *topic_json(const PlanTopic *topic) {
    json_t *object = json_object();
    put_text(object, "topic", topic->topic);
    put_schema(object, topic->schema);
    put(object, "key", format_json_of(&topic->key));
    put(object, "value", format_json_of(&topic->value));
    if (topic->window != WINDOW_NONE)
        put_text(object, "window", plan_json_windows[topic->window]);
    put_i64(object, "window_size_ms", topic->window_size_ms, 0);
    put_i64(object, "timestamp_column", topic->timestamp_column, -1);
    put_text(object, "timestamp_format", topic->timestamp_format);
    return object;
}

/* -- Nodes ------------------------------------------------------------------------------------- */

static json_t *window_json(const PlanWindow *window) {
    json_t *object = json_object();
    put_text(object, "kind", plan_json_windows[window->kind]);
    put_i64(object, "size_ms", window->size_ms, 0);
    put_i64(object, "advance_ms", window->advance_ms, 0);
    put_i64(object, "grace_ms", window->grace_ms, 0);
    put_i64(object, "retention_ms", window->retention_ms, 0);
    if (window->final != FINAL_NONE)
        put_text(object, "final", plan_json_finals[window->final]);
    put_i64(object, "idle_timeout_ms", window->idle_timeout_ms, 0);
    return object;
}

static json_t *within_json(const PlanWithin *within) {
    json_t *object = json_object();
    put_i64(object, "before_ms", within->before_ms, 0);
    put_i64(object, "after_ms", within->after_ms, 0);
    put_i64(object, "grace_ms", within->grace_ms, 0);
    put_flag(object, "eager", within->eager);
    return object;
}

static json_t *limits_json(const AggregateLimits *limits) {
    json_t *object = json_object(), *literals = json_array();
    for (uint32_t i = 0; i < limits->literal_count; i++) {
        json_t *literal = json_object();
        put_type(literal, "type", limits->literals[i]->type);
        put(literal, "value", literal_json(limits->literals[i]));
        json_array_append_new(literals, literal);
    }
    put(object, "literals", literals);
    put_i64(object, "elements_max", limits->element_count_max, 0);
    return object;
}

static json_t *aggregates_json(const PlanNode *node) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < node->aggregate_count; i++) {
        const PlanAggregate *aggregate = &node->aggregates[i];
        json_t *object = json_object(), *args = json_array();
        put_text(object, "function", aggregate->aggregate->name);
        put_text(object, "signature", aggregate->aggregate->signature);
        put_type(object, "type", aggregate->type);
        for (uint32_t j = 0; j < aggregate->arg_count; j++)
            json_array_append_new(args, json_integer(aggregate->args[j]));
        put(object, "args", args);
        put_flag(object, "of_table",
                 aggregate_by_signature(aggregate->aggregate->name,
                                        aggregate->aggregate->signature) != aggregate->aggregate);
        if (aggregate->limits.literal_count > 0 || aggregate->limits.element_count_max > 0)
            put(object, "limits", limits_json(&aggregate->limits));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *table_calls_json(const PlanNode *node) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < node->table_call_count; i++) {
        const PlanTableCall *call = &node->table_calls[i];
        json_t *object = json_object();
        put_text(object, "function", call->function->name);
        put_text(object, "signature", call->function->signature);
        put(object, "args", exprs_json(call->args, call->arg_count));
        put_text(object, "text", call->text);
        json_array_append_new(array, object);
    }
    return array;
}

static void put_node_inside(json_t *object, const PlanNode *node) {
    if (node->topic)
        put(object, "topic", topic_json(node->topic));
    if (node->kind == PLAN_SOURCE && node->used) {
        json_t *used = json_array();
        for (uint32_t i = 0; i < node->schema->column_count; i++)
            json_array_append_new(used, json_boolean(node->used[i]));
        put(object, "used", used);
    }
    put_text(object, "store_query", node->store_query);
    put_text(object, "store_path", node->store_path);
    if (node->predicate)
        put(object, "predicate", expr_json(node->predicate));
    if (node->exprs)
        put(object, "exprs", exprs_json(node->exprs, node->schema->column_count));
    if (plan_is_join(node->kind) || plan_is_foreign(node->kind))
        put_text(object, "join", plan_json_joins[node->join]);
    if (node->join_key)
        put(object, "join_key", expr_json(node->join_key));
    if (node->kind == PLAN_JOIN_STREAM)
        put(object, "within", within_json(&node->within));
    if (node->kind == PLAN_FLAT_MAP)
        put(object, "table_calls", table_calls_json(node));
    if (node->kind == PLAN_AGGREGATE) {
        put(object, "window", window_json(&node->window));
        put(object, "aggregates", aggregates_json(node));
    }
}

static json_t *node_json(const PlanNode *node) {
    json_t *object = json_object(), *inputs = json_array();
    put_text(object, "kind", plan_json_node_kinds[node->kind]);
    put(object, "version", json_integer(node->version));
    put_text(object, "path", node->path);
    put_text(object, "note", node->note);
    for (uint32_t i = 0; i < node->input_count; i++)
        json_array_append_new(inputs, json_integer(node->inputs[i]));
    put(object, "inputs", inputs);
    put_schema(object, node->schema);
    put_flag(object, "is_table", node->is_table);
    put_flag(object, "old_known", node->old_known);
    put_flag(object, "windowed", node->windowed);
    put_node_inside(object, node);
    return object;
}

/* -- The whole --------------------------------------------------------------------------------- */

static json_t *lookup_json(const Plan *plan) {
    const PlanLookup *lookup = &plan->lookup;
    json_t *object = json_object();
    put_flag(object, "by_key", lookup->by_key);
    if (lookup->by_key) {
        uint32_t width = plan->nodes[0]->schema->key_count;
        put(object, "key_count", json_integer(lookup->key_count));
        put(object, "keys", exprs_json(lookup->keys, lookup->key_count * width));
    }
    if (lookup->min_count > 0)
        put(object, "min", exprs_json(lookup->min, lookup->min_count));
    if (lookup->max_count > 0)
        put(object, "max", exprs_json(lookup->max, lookup->max_count));
    put_i64(object, "window_start_min", lookup->window_start_min, INT64_MIN);
    put_i64(object, "window_start_max", lookup->window_start_max, INT64_MAX);
    return object;
}

static json_t *order_json(const Plan *plan) {
    json_t *array = json_array();
    for (uint32_t i = 0; i < plan->order_count; i++) {
        json_t *object = json_object();
        put(object, "column", json_integer(plan->order[i].column));
        put_flag(object, "descending", plan->order[i].descending);
        json_array_append_new(array, object);
    }
    return array;
}

static int put_dump(const char *bytes, size_t size, void *context) {
    buf_put(context, bytes, size);
    return 0;
}

static void put_document(Buf *out, json_t *object) {
    int failed = json_dump_callback(object, put_dump, out, JSON_COMPACT);
    assert(failed == 0);
    (void)failed;
    json_decref(object);
}

void plan_json_put(Buf *out, const Plan *plan) {
    assert(out && plan && plan->node_count > 0);
    json_t *object = json_object(), *nodes = json_array();
    put(object, "version", json_integer(PLAN_JSON_VERSION));
    put_text(object, "kind", plan_json_plan_kinds[plan->kind]);
    put_text(object, "query_id", plan->query_id);
    put_text(object, "statement", plan->statement);
    put_text(object, "sink_source", plan->sink_source);
    put_i64(object, "materialized", plan->materialized, -1);
    put_i64(object, "partition_count", plan->partition_count, 0);
    if (plan->kind == PLAN_PULL)
        put(object, "lookup", lookup_json(plan));
    put_i64(object, "limit", plan->limit, -1);
    put_i64(object, "offset", plan->offset, 0);
    if (plan->order_count > 0)
        put(object, "order", order_json(plan));
    put_i64(object, "visible_count", plan->visible_count, 0);
    put_flag(object, "one_group", plan->one_group);
    if (plan->function_count > 0)
        put(object, "functions", plan_json_functions(plan));
    for (uint32_t i = 0; i < plan->node_count; i++)
        json_array_append_new(nodes, node_json(plan->nodes[i]));
    put(object, "nodes", nodes);
    put_document(out, object);
}

static json_t *datagen_json(const Datagen *datagen) {
    json_t *object = json_object();
    put_text(object, "kind", datagen->kind);
    put_i64(object, "rows", datagen->rows, 0);
    put_i64(object, "rows_per_second", datagen->rows_per_second, 0);
    put_i64(object, "seed", datagen->seed, 0);
    put_i64(object, "start_ms", datagen->start_ms, 0);
    put_i64(object, "step_ms", datagen->step_ms, 0);
    put_i64(object, "per_second", datagen->per_second, 0);
    put_flag(object, "paused", datagen->paused);
    return object;
}

void source_json_put(Buf *out, const Source *source) {
    assert(out && source);
    json_t *object = json_object();
    put(object, "version", json_integer(PLAN_JSON_VERSION));
    put_text(object, "name", source->name);
    put_flag(object, "is_table", source->is_table);
    put_flag(object, "is_read_only", source->is_read_only);
    put(object, "topic", topic_json(&source->topic));
    put_text(object, "statement", source->statement);
    put_text(object, "query_id", source->query_id);
    put_i64(object, "partition_count", source->partition_count, 0);
    json_t *reads = json_array();
    for (uint32_t i = 0; i < source->read_count; i++)
        json_array_append_new(reads, text_json(bytes_of(source->reads[i])));
    if (source->read_count > 0)
        put(object, "reads", reads);
    else
        json_decref(reads);
    if (source->broker)
        put_text(object, "broker", source->broker);
    if (source->datagen)
        put(object, "datagen", datagen_json(source->datagen));
    put_document(out, object);
}
