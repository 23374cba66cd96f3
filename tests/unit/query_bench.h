/*
 * query_bench.h - what the tests of runtime/ share: plans built by hand over topics on files in
 * memory, records in and out as text.
 *
 * A plan is built node by node; nodes are named by their number. Records are "key|value" with the
 * bytes as they are in the log.
 */
#ifndef TESTS_UNIT_QUERY_BENCH_H
#define TESTS_UNIT_QUERY_BENCH_H

#include <stdio.h>

#include "data/batch.h"
#include "planner/plan.h"
#include "runtime/runtime.h"
#include "tests/unit/storage_bench.h"

enum { BENCH_NODES_MAX = 24 };

typedef struct Bench {
    Io *io;
    Storage *storage;
    Runtime *runtime;
    RuntimeOptions options;
    Arena *arena;
    PlanNode *nodes[BENCH_NODES_MAX];
    uint32_t node_count;
    Plan plan;
    uint32_t first_id, partitions;
    uint32_t internal_topics[BENCH_NODES_MAX];
    QueryOptions query_options;
    Query *query;
} Bench;

static inline void bench_begin(Bench *bench, uint32_t step_rows) {
    *bench = (Bench){.io = io_mem_new(), .arena = arena_new("bench", 0)};
    bench->options.step_rows = step_rows;
    bench->storage = bench_open(bench->io, NULL);
    bench->runtime = runtime_new(bench->io, bench->storage, &bench->options);
}

static inline void bench_end(Bench *bench) {
    if (bench->query)
        query_stop(bench->query);
    runtime_free(bench->runtime);
    storage_close(bench->storage);
    io_mem_free(bench->io);
    arena_free(bench->arena);
}

/* -- Schemas, expressions, nodes --------------------------------------------------------------- */

static inline const Type *bench_type(const char *name) {
    static const struct {
        const char *name;
        const Type *type;
    } types[] = {{"INT", &type_int},       {"BIGINT", &type_bigint}, {"DOUBLE", &type_double},
                 {"STRING", &type_string}, {"BOOLEAN", &type_boolean},
                 {"TIMESTAMP", &type_timestamp}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    }
    fail_msg("no type %s", name);
    return NULL;
}

/* "ID BIGINT KEY, V INT, ..." */
static inline const Schema *bench_schema(Bench *bench, const char *text) {
    Schema *schema = arena_alloc(bench->arena, sizeof *schema);
    SchemaColumn *columns = arena_array(bench->arena, 32, sizeof *columns);
    char *left = arena_strdup(bench->arena, text), *column_state = NULL;
    for (char *part = strtok_r(left, ",", &column_state); part;
         part = strtok_r(NULL, ",", &column_state)) {
        char *word_state = NULL;
        SchemaColumn *column = &columns[schema->column_count++];
        column->name = strtok_r(part, " ", &word_state);
        column->type = bench_type(strtok_r(NULL, " ", &word_state));
        column->role = strtok_r(NULL, " ", &word_state) ? COLUMN_KEY : COLUMN_VALUE;
        schema->key_count += column->role == COLUMN_KEY;
    }
    schema->columns = columns;
    return schema;
}

static inline Expr *bench_expr(Bench *bench, ExprKind kind, const Type *type) {
    Expr *expr = arena_alloc(bench->arena, sizeof *expr);
    expr->kind = kind;
    expr->type = type;
    expr->text = "expr";
    return expr;
}

/* Column `name` of what node `id` puts out. */
static inline const Expr *bench_column(Bench *bench, uint32_t id, const char *name) {
    int32_t column = schema_find(bench->nodes[id]->schema, name);
    if (column < 0)
        fail_msg("no column %s", name);
    Expr *expr = bench_expr(bench, EXPR_COLUMN, bench->nodes[id]->schema->columns[column].type);
    expr->column = (uint32_t)column;
    expr->text = arena_strdup(bench->arena, name);
    return expr;
}

static inline const Expr *bench_pseudo(Bench *bench, ExprPseudo pseudo) {
    Expr *expr = bench_expr(bench, EXPR_PSEUDO, &type_bigint);
    expr->pseudo = pseudo;
    return expr;
}

static inline const Expr *bench_int(Bench *bench, const Type *type, int64_t value) {
    Expr *expr = bench_expr(bench, EXPR_LITERAL, type);
    Column *column = column_new(bench->arena, type, 1);
    if (type->kind == TYPE_INT)
        column->i32[0] = (int32_t)value;
    else
        column->i64[0] = value;
    column_set_present(column, 0);
    expr->literal = column;
    return expr;
}

static inline const Expr *bench_text(Bench *bench, const char *value) {
    Expr *expr = bench_expr(bench, EXPR_LITERAL, &type_string);
    Column *column = column_new(bench->arena, &type_string, 1);
    column->bytes[0] = arena_bytes(bench->arena, bytes_of(value));
    column_set_present(column, 0);
    expr->literal = column;
    return expr;
}

static inline const Expr *bench_binary(Bench *bench, ExprKind kind, ExprOp op, const Expr *left,
                                       const Expr *right) {
    const Type *type = kind == EXPR_COMPARE ? &type_boolean : left->type;
    Expr *expr = bench_expr(bench, kind, type);
    const Expr **args = arena_array(bench->arena, 2, sizeof *args);
    args[0] = left;
    args[1] = right;
    expr->op = op;
    expr->args = args;
    expr->arg_count = 2;
    return expr;
}

static inline const Expr *bench_compare(Bench *bench, const Expr *left, ExprOp op,
                                        const Expr *right) {
    return bench_binary(bench, EXPR_COMPARE, op, left, right);
}

static inline PlanNode *bench_node(Bench *bench, PlanNodeKind kind, const char *path) {
    assert_true(bench->node_count < BENCH_NODES_MAX);
    PlanNode *node = arena_alloc(bench->arena, sizeof *node);
    node->kind = kind;
    node->version = 1;
    node->id = bench->node_count;
    node->path = path;
    bench->nodes[bench->node_count++] = node;
    return node;
}

static inline PlanNode *bench_node_on(Bench *bench, PlanNodeKind kind, const char *path,
                                      uint32_t input) {
    PlanNode *node = bench_node(bench, kind, path);
    node->input_count = 1;
    node->inputs[0] = input;
    node->schema = bench->nodes[input]->schema;
    node->is_table = bench->nodes[input]->is_table;
    node->old_known = bench->nodes[input]->old_known;
    node->windowed = bench->nodes[input]->windowed;
    return node;
}

static inline PlanTopic *bench_plan_topic(Bench *bench, const char *name, const Schema *schema) {
    PlanTopic *topic = arena_alloc(bench->arena, sizeof *topic);
    *topic = (PlanTopic){.topic = name, .schema = schema, .timestamp_column = -1};
    topic->key.format = schema->key_count > 0 ? &format_json : &format_none;
    topic->key.unwrapped = schema->key_count == 1;
    topic->value.format = &format_json;
    return topic;
}

static inline uint32_t bench_source(Bench *bench, const char *name, const char *schema,
                                    bool is_table) {
    PlanNode *node = bench_node(bench, PLAN_SOURCE, name);
    node->schema = bench_schema(bench, schema);
    node->topic = bench_plan_topic(bench, name, node->schema);
    bool *used = arena_alloc(bench->arena, node->schema->column_count);
    memset(used, 1, node->schema->column_count);
    node->used = used;
    node->is_table = is_table;
    return node->id;
}

static inline uint32_t bench_filter(Bench *bench, uint32_t input, const Expr *predicate) {
    PlanNode *node = bench_node_on(bench, PLAN_FILTER, "Filter", input);
    node->predicate = predicate;
    return node->id;
}

static inline uint32_t bench_materialize(Bench *bench, uint32_t input, const char *path) {
    PlanNode *node = bench_node_on(bench, PLAN_MATERIALIZE, path, input);
    node->old_known = true;
    return node->id;
}

/* PROJECT and REPARTITION: exprs as many as the schema has columns. */
static inline uint32_t bench_project(Bench *bench, PlanNodeKind kind, uint32_t input,
                                     const char *schema, const Expr *const *exprs) {
    PlanNode *node = bench_node_on(bench, kind, kind == PLAN_PROJECT ? "Project" : "Repartition",
                                   input);
    node->schema = bench_schema(bench, schema);
    const Expr **copy = arena_array(bench->arena, node->schema->column_count, sizeof *copy);
    memcpy(copy, exprs, node->schema->column_count * sizeof *copy);
    node->exprs = copy;
    return node->id;
}

#define BENCH_EXPRS(...) ((const Expr *const[]){__VA_ARGS__})

typedef struct BenchCall {
    const char *name, *column; /* column NULL: of no column */
} BenchCall;

static inline void bench_aggregate_call(Bench *bench, const Schema *input, const BenchCall *call,
                                        PlanAggregate *target) {
    const Type *types[1] = {0};
    int32_t column = call->column ? schema_find(input, call->column) : -1;
    if (column >= 0)
        types[0] = input->columns[column].type;
    AggregateMatch match;
    CHECK_OK(aggregate_resolve(call->name, types, call->column ? 1 : 0, bench->arena, &match, err));
    uint32_t *args = arena_array(bench->arena, 1, sizeof *args);
    args[0] = (uint32_t)(column < 0 ? 0 : column);
    *target = (PlanAggregate){match.aggregate, match.result, args, call->column ? 1 : 0,
                              {0}};
}

static inline PlanNode *bench_aggregate(Bench *bench, uint32_t input, const char *schema,
                                        const BenchCall *calls, uint32_t count) {
    PlanNode *node = bench_node_on(bench, PLAN_AGGREGATE, "Aggregate", input);
    node->schema = bench_schema(bench, schema);
    node->is_table = node->old_known = true;
    PlanAggregate *aggregates = arena_array(bench->arena, count, sizeof *aggregates);
    for (uint32_t i = 0; i < count; i++)
        bench_aggregate_call(bench, bench->nodes[input]->schema, &calls[i], &aggregates[i]);
    node->aggregates = aggregates;
    node->aggregate_count = count;
    return node;
}

static inline uint32_t bench_join(Bench *bench, uint32_t left, uint32_t right, PlanJoinKind kind,
                                  const Expr *key, const char *schema) {
    PlanNode *node = bench_node_on(bench, PLAN_JOIN_TABLE, "Join", left);
    node->input_count = 2;
    node->inputs[1] = right;
    node->schema = bench_schema(bench, schema);
    node->join = kind;
    node->join_key = key;
    return node->id;
}

static inline PlanNode *bench_sink(Bench *bench, uint32_t input, const char *topic) {
    PlanNode *node = bench_node_on(bench, PLAN_SINK, "Sink", input);
    PlanTopic *plan_topic = bench_plan_topic(bench, topic, node->schema);
    if (node->windowed)
        plan_topic->window = WINDOW_TUMBLING;
    node->topic = plan_topic;
    return node;
}

static inline uint32_t bench_result(Bench *bench, uint32_t input) {
    return bench_node_on(bench, PLAN_RESULT, "Result", input)->id;
}

/* -- Running ----------------------------------------------------------------------------------- */

static inline const Plan *bench_plan(Bench *bench, PlanKind kind) {
    bench->plan.kind = kind;
    bench->plan.query_id = "CSAS_TEST_0";
    bench->plan.nodes = (const PlanNode *const *)bench->nodes;
    bench->plan.node_count = bench->node_count;
    bench->plan.materialized = -1;
    bench->plan.limit = bench->plan.limit ? bench->plan.limit : -1;
    return &bench->plan;
}

/* Ids and internal topics as an engine makes them. */
static inline void bench_prepare(Bench *bench, uint32_t partitions) {
    bench->partitions = partitions;
    uint32_t count = query_ids_needed(&bench->plan, partitions);
    bench->first_id = storage_new_id(bench->storage);
    for (uint32_t i = 1; i < count; i++)
        storage_new_id(bench->storage);
    for (uint32_t i = 0; i < bench->node_count; i++) {
        uint32_t topic_partitions;
        if (query_internal_topic(bench->runtime, &bench->plan, i, &topic_partitions)) {
            char name[32];
            snprintf(name, sizeof name, "internal-%u", i);
            bench_topic(bench->storage, &bench->internal_topics[i], name, topic_partitions);
        }
    }
}

static inline void bench_start(Bench *bench) {
    QueryOptions options = bench->query_options;
    options.plan = &bench->plan;
    options.first_id = bench->first_id;
    options.partitions = bench->partitions;
    options.internal_topics = bench->internal_topics;
    CHECK_OK(query_start(bench->runtime, &options, &bench->query, err));
}

static inline void bench_stop(Bench *bench) {
    query_stop(bench->query);
    bench->query = NULL;
}

static inline void bench_pump(Bench *bench) {
    CHECK_OK(runtime_pump(bench->runtime, err));
}

static inline uint32_t bench_topic_id(Bench *bench, const char *name) {
    LogTopic topic;
    if (!log_topic_find(bench->storage, name, &topic))
        fail_msg("no topic %s", name);
    return topic.id;
}

static inline void bench_make_topic(Bench *bench, const char *name, uint32_t partitions) {
    uint32_t id;
    bench_topic(bench->storage, &id, name, partitions);
}

/* key or value NULL: none. */
static inline void bench_put(Bench *bench, const char *topic, uint32_t partition, const char *key,
                             const char *value, int64_t timestamp) {
    RecordBatch batch = {0};
    LogRecord record = {.timestamp = timestamp};
    if (key)
        record.key = bytes_of(key);
    if (value)
        record.value = bytes_of(value);
    record_batch_add(&batch, &record);
    record_batch_seal(&batch);
    Commit *commit = commit_new(bench->storage, 0);
    commit_append(commit, (TopicPartition){bench_topic_id(bench, topic), partition}, &batch);
    CHECK_OK(commit_wait(commit, NULL, err));
    record_batch_free(&batch);
}

/* A key's printable part, and a window's start behind it as "@start". */
static inline void bench_print_key(Buf *out, Bytes key, bool windowed) {
    if (!key.data) {
        buf_text(out, "-");
        return;
    }
    uint32_t size = windowed ? key.size - 8 : key.size;
    buf_put(out, key.data, size);
    if (windowed) {
        Reader in = reader_of((Bytes){key.data + size, 8});
        buf_printf(out, "@%llu", (unsigned long long)reader_u64_be(&in));
    }
}

/* "key|value@timestamp ..." of a partition, all records; in the bench's arena. */
static inline const char *bench_records(Bench *bench, const char *topic, uint32_t partition,
                                        bool windowed) {
    TopicPartition where = {bench_topic_id(bench, topic), partition};
    Buf out = {0};
    int64_t offset = 0;
    LogBlock *block;
    for (;;) {
        CHECK_OK(log_fetch(bench->storage, where, offset, 1 << 16, &block, err));
        if (!block)
            break;
        Bytes left = log_block_bytes(block);
        while (left.size > 0) {
            RecordBatchInfo info;
            RecordIter iter;
            LogRecord record;
            CHECK_OK(record_batch_check(left, &info, err));
            record_iter_init(&iter, (Bytes){left.data, info.size});
            while (record_iter_next(&iter, &record)) {
                if (record.offset < offset)
                    continue;
                offset = record.offset + 1;
                buf_text(&out, out.size > 0 ? " " : "");
                bench_print_key(&out, record.key, windowed);
                buf_text(&out, "|");
                if (record.value.data)
                    buf_bytes(&out, record.value);
                else
                    buf_text(&out, "-");
                buf_printf(&out, "@%lld", (long long)record.timestamp);
            }
            left = (Bytes){left.data + info.size, left.size - info.size};
        }
        log_block_unref(block);
    }
    const char *text = arena_text(bench->arena, buf_view(&out));
    buf_free(&out);
    return text;
}

/* The rows of a result as "value,value ...", one line. */
static inline void bench_print_rows(Buf *out, const ResultRows *rows) {
    for (uint32_t row = 0; row < rows->count; row++) {
        buf_text(out, out->size > 0 ? " " : "");
        buf_text(out, rows->kinds[row] == ROW_DELETE ? "!" : "");
        for (uint32_t i = 0; i < rows->schema->column_count; i++) {
            const Column *column = rows->columns[i];
            buf_text(out, i > 0 ? "," : "");
            if (column_is_null(column, row))
                buf_text(out, "-");
            else if (column->type->kind == TYPE_STRING)
                buf_bytes(out, column->bytes[row]);
            else if (column->type->kind == TYPE_INT)
                buf_printf(out, "%d", column->i32[row]);
            else if (column->type->kind == TYPE_DOUBLE)
                buf_printf(out, "%g", column->f64[row]);
            else
                buf_printf(out, "%lld", (long long)column->i64[row]);
        }
    }
}

#endif
