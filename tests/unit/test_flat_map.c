/* test_flat_map.c - table functions: rows out of rows, in chunks, and steps that make too much. */
#include "tests/unit/query_bench.h"

enum { ELEMENTS = 6 };

/* ARRAY[V, 1, 2, ...] of so many elements, the second one NULL. */
static const Expr *array_of(Bench *bench, uint32_t source, uint32_t count) {
    const Expr **args = arena_array(bench->arena, count, sizeof *args);
    for (uint32_t i = 0; i < count; i++)
        args[i] = bench_int(bench, &type_int, i);
    args[0] = bench_column(bench, source, "V");
    if (count > 1)
        column_set_null((Column *)(uintptr_t)args[1]->literal, 0);
    Expr *array = bench_expr(bench, EXPR_ARRAY, type_array(bench->arena, &type_int));
    array->args = args;
    array->arg_count = count;
    return array;
}

static PlanTableCall table_call(Bench *bench, const char *name, const Expr *arg) {
    const Type *types[] = {arg->type};
    TableMatch match;
    CHECK_OK(table_resolve(name, types, 1, bench->arena, &match, err));
    const Expr **args = arena_array(bench->arena, 1, sizeof *args);
    args[0] = arg;
    return (PlanTableCall){match.function, args, 1, name};
}

/* SELECT ID, EXPLODE(ARRAY[...]), CUBE_EXPLODE(ARRAY[...]) FROM S */
static void open_explode(Bench *bench, uint32_t step_rows, uint32_t elements) {
    bench_begin(bench, step_rows);
    bench_make_topic(bench, "S", 1);
    bench_make_topic(bench, "OUT", 1);
    uint32_t source = bench_source(bench, "S", "ID STRING KEY, V INT", false);
    PlanNode *node = bench_node_on(bench, PLAN_FLAT_MAP, "FlatMap", source);
    Schema *schema = arena_alloc(bench->arena, sizeof *schema);
    *schema = *bench_schema(bench, "ID STRING KEY, V INT, X INT, C INT");
    ((SchemaColumn *)(uintptr_t)schema->columns)[3].type = type_array(bench->arena, &type_int);
    node->schema = schema;
    PlanTableCall *calls = arena_array(bench->arena, 2, sizeof *calls);
    calls[0] = table_call(bench, "EXPLODE", array_of(bench, source, 3));
    calls[1] = table_call(bench, "CUBE_EXPLODE", array_of(bench, source, elements));
    node->table_calls = calls;
    node->table_call_count = 2;
    bench_sink(bench, node->id, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
    bench_prepare(bench, 1);
}

static void zips_and_pads(void **state) {
    (void)state;
    Bench bench;
    open_explode(&bench, 0, 2);
    bench_start(&bench);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 5}", 100);
    bench_put(&bench, "S", 0, "\"b\"", NULL, 101);
    bench_put(&bench, "S", 0, "\"c\"", "{}", 102);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"V\":5,\"X\":5,\"C\":[null,null]}@100 "
                        "\"a\"|{\"V\":5,\"X\":null,\"C\":[5,null]}@100 "
                        "\"a\"|{\"V\":5,\"X\":2,\"C\":null}@100 "
                        "\"c\"|{\"V\":null,\"X\":null,\"C\":[null,null]}@102 "
                        "\"c\"|{\"V\":null,\"X\":null,\"C\":null}@102 "
                        "\"c\"|{\"V\":null,\"X\":2,\"C\":null}@102");
    bench_end(&bench);
}

static void same_bytes_for_any_chunk(void **state) {
    (void)state;
    char *first = NULL;
    const uint32_t sizes[] = {0, 1, 7, 64};
    for (size_t i = 0; i < 4; i++) {
        Bench bench;
        open_explode(&bench, sizes[i] < BATCH_ROWS_MAX ? sizes[i] : 0, ELEMENTS);
        for (int row = 0; row < 40; row++) {
            char value[32];
            snprintf(value, sizeof value, row % 5 == 3 ? "{}" : "{\"V\": %d}", row);
            bench_put(&bench, "S", 0, "\"k\"", row % 11 == 2 ? NULL : value, 1000 + row);
        }
        bench_start(&bench);
        bench_pump(&bench);
        const char *records = bench_records(&bench, "OUT", 0, false);
        if (!first)
            first = mem_strdup(records);
        assert_string_equal(records, first);
        QueryFigures figures;
        query_figures(bench.query, &figures);
        assert_int_equal(figures.lag, 0);
        bench_end(&bench);
    }
    /* 7 of 40 rows have no V, 4 no value; one cube of 32 or 16 rows each. */
    assert_true(strlen(first) > 20000);
    mem_free(first);
}

/* 21 elements are one too many: the other function still makes its rows. */
static void a_failing_call_makes_no_values(void **state) {
    (void)state;
    Bench bench;
    open_explode(&bench, 0, 21);
    bench_start(&bench);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 5}", 1);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"V\":5,\"X\":5,\"C\":null}@1 "
                        "\"a\"|{\"V\":5,\"X\":null,\"C\":null}@1 "
                        "\"a\"|{\"V\":5,\"X\":2,\"C\":null}@1");
    RowError errors[ROW_ERRORS_KEPT];
    assert_int_equal(query_last_errors(bench.query, errors), 1);
    assert_string_equal(errors[0].kind, "table function");
    bench_end(&bench);
}

#ifdef HOSTILE_LIMITS /* elsewhere it takes 32 MiB to make too much */
enum { CUT_ELEMENTS = 13, TOO_MANY_ELEMENTS = 17 };

/* A step whose rows make more than a commit takes is cut into several; each row comes once. */
static void steps_that_make_too_much_are_cut(void **state) {
    (void)state;
    Bench bench;
    open_explode(&bench, 0, CUT_ELEMENTS);
    for (int row = 0; row < 8; row++)
        bench_put(&bench, "S", 0, "\"k\"", "{\"V\": 1}", row);
    bench_start(&bench);
    bench_pump(&bench);
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.state, QUERY_RUNNING);
    assert_int_equal(figures.lag, 0);
    assert_true(figures.commits > 1);
    int64_t start, end;
    TopicPartition where = {bench_topic_id(&bench, "OUT"), 0};
    CHECK_OK(log_offsets(bench.storage, where, &start, &end, err));
    assert_int_equal(end, 8 << (CUT_ELEMENTS - 1));
    bench_end(&bench);
}

/* One record alone makes too much: the query stops in front of it. */
static void one_record_that_makes_too_much(void **state) {
    (void)state;
    Bench bench;
    open_explode(&bench, 0, TOO_MANY_ELEMENTS);
    bench_put(&bench, "S", 0, "\"k\"", NULL, 1);
    bench_put(&bench, "S", 0, "\"k\"", "{\"V\": 1}", 2);
    bench_start(&bench);
    bench_pump(&bench);
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.state, QUERY_ERROR);
    assert_int_equal(figures.error.code, ERR_LIMIT);
    assert_int_equal(figures.lag, 1);
    assert_string_equal(bench_records(&bench, "OUT", 0, false), "");
    bench_end(&bench);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zips_and_pads),
        cmocka_unit_test(same_bytes_for_any_chunk),
        cmocka_unit_test(a_failing_call_makes_no_values),
#ifdef HOSTILE_LIMITS
        cmocka_unit_test(steps_that_make_too_much_are_cut),
        cmocka_unit_test(one_record_that_makes_too_much),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
