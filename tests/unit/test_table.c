/* test_table.c - tables: rows become changes with old values, and filters work by pairs. */
#include "tests/unit/query_bench.h"

/* SELECT K, V + 1 AS W FROM T WHERE V > 10 [materialised before] */
static void open_table(Bench *bench, uint32_t step_rows, bool materialized) {
    bench_begin(bench, step_rows);
    bench_make_topic(bench, "T", 1);
    bench_make_topic(bench, "OUT", 1);
    uint32_t source = bench_source(bench, "T", "K STRING KEY, V INT", true);
    uint32_t table = materialized ? bench_materialize(bench, source, "Materialize") : source;
    uint32_t filter = bench_filter(bench, table,
                                   bench_compare(bench, bench_column(bench, table, "V"),
                                                 OP_GREATER, bench_int(bench, &type_int, 10)));
    uint32_t project = bench_project(
        bench, PLAN_PROJECT, filter, "K STRING KEY, W INT",
        BENCH_EXPRS(bench_column(bench, filter, "K"),
                    bench_binary(bench, EXPR_ARITHMETIC, OP_ADD, bench_column(bench, filter, "V"),
                                 bench_int(bench, &type_int, 1))));
    bench_sink(bench, project, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
    bench_prepare(bench, 1);
}

static void put_changes(Bench *bench) {
    bench_put(bench, "T", 0, "\"a\"", "{\"V\": 5}", 1);   /* none */
    bench_put(bench, "T", 0, "\"a\"", "{\"V\": 20}", 2);  /* insert */
    bench_put(bench, "T", 0, "\"a\"", "{\"V\": 30}", 3);  /* update */
    bench_put(bench, "T", 0, NULL, "{\"V\": 99}", 4);     /* no key */
    bench_put(bench, "T", 0, "\"a\"", "{\"V\": 7}", 5);   /* delete */
    bench_put(bench, "T", 0, "\"a\"", NULL, 6);           /* none */
    bench_put(bench, "T", 0, "\"b\"", NULL, 7);           /* never there */
    bench_put(bench, "T", 0, "\"b\"", "{\"V\": 11}", 8);  /* insert */
    bench_put(bench, "T", 0, "\"b\"", NULL, 9);           /* delete */
    bench_put(bench, "T", 0, "\"b\"", "{\"V\": null}", 10); /* NULL does not pass */
}

static void filter_by_pairs(void **state) {
    (void)state;
    for (uint32_t step_rows = 0; step_rows < 4; step_rows++) {
        Bench bench;
        open_table(&bench, step_rows, true);
        put_changes(&bench);
        bench_start(&bench);
        bench_pump(&bench);
        assert_string_equal(bench_records(&bench, "OUT", 0, false),
                            "\"a\"|{\"W\":21}@2 \"a\"|{\"W\":31}@3 \"a\"|-@5 \"b\"|{\"W\":12}@8 "
                            "\"b\"|-@9");
        QueryFigures figures;
        query_figures(bench.query, &figures);
        assert_int_equal(figures.row_errors, 0); /* nothing is computed of rows that are gone */
        assert_int_equal(figures.state_rows, 1);
        bench_end(&bench);
    }
}

static void without_old_values_deletes_are_forwarded(void **state) {
    (void)state;
    Bench bench;
    open_table(&bench, 0, false);
    put_changes(&bench);
    bench_start(&bench);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|-@1 \"a\"|{\"W\":21}@2 \"a\"|{\"W\":31}@3 \"a\"|-@5 \"a\"|-@6 "
                        "\"b\"|-@7 \"b\"|{\"W\":12}@8 \"b\"|-@9 \"b\"|-@10");
    bench_end(&bench);
}

static void old_values_survive_a_restart(void **state) {
    (void)state;
    Bench bench;
    open_table(&bench, 0, true);
    bench_put(&bench, "T", 0, "\"a\"", "{\"V\": 20}", 1);
    bench_start(&bench);
    bench_pump(&bench);
    bench_stop(&bench);
    runtime_free(bench.runtime);
    storage_close(bench.storage);
    bench.storage = bench_open(bench.io, NULL);
    bench.runtime = runtime_new(bench.io, bench.storage, &bench.options);
    bench_start(&bench);
    bench_put(&bench, "T", 0, "\"a\"", "{\"V\": 2}", 2);
    bench_put(&bench, "T", 0, "\"c\"", "{\"V\": 2}", 3);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false), "\"a\"|{\"W\":21}@1 \"a\"|-@2");
    bench_end(&bench);
}

static void consolidated_changes(void **state) {
    (void)state;
    Bench bench;
    open_table(&bench, 0, true);
    bench.query_options.consolidate = true;
    bench_put(&bench, "T", 0, "\"c\"", "{\"V\": 50}", 0);
    bench_start(&bench);
    bench_pump(&bench);
    put_changes(&bench);
    bench_put(&bench, "T", 0, "\"c\"", "{\"V\": 60}", 11);
    bench_put(&bench, "T", 0, "\"c\"", "{\"V\": 1}", 12);
    bench_put(&bench, "T", 0, "\"d\"", "{\"V\": 61}", 13);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"c\"|{\"W\":51}@0 \"c\"|-@12 \"d\"|{\"W\":62}@13");
    bench_end(&bench);
}

/* A windowed table that is kept again: the key is the window's and the group's. */
static void windows_materialised(void **state) {
    (void)state;
    Bench bench;
    bench_begin(&bench, 0);
    bench_make_topic(&bench, "S", 1);
    bench_make_topic(&bench, "OUT", 1);
    uint32_t source = bench_source(&bench, "S", "K STRING KEY, V INT", false);
    PlanNode *node = bench_aggregate(&bench, source, "K STRING KEY, S INT",
                                     (const BenchCall[]){{"SUM", "V"}}, 1);
    node->window = (PlanWindow){.kind = WINDOW_TUMBLING, .size_ms = 10, .advance_ms = 10,
                                .grace_ms = 100, .retention_ms = 110};
    node->windowed = true;
    uint32_t table = bench_materialize(&bench, node->id, "Materialize");
    uint32_t filter = bench_filter(&bench, table,
                                   bench_compare(&bench, bench_column(&bench, table, "S"),
                                                 OP_GREATER, bench_int(&bench, &type_int, 0)));
    bench_sink(&bench, filter, "OUT");
    bench_plan(&bench, PLAN_PERSISTENT);
    bench_prepare(&bench, 1);
    bench_start(&bench);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 1}", 5);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 2}", 15);
    bench_pump(&bench);
    bench_stop(&bench);
    bench_start(&bench);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": -9}", 6);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, true),
                        "\"a\"@0|{\"S\":1}@5 \"a\"@10|{\"S\":2}@15 \"a\"@0|-@6");
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_by_pairs),
        cmocka_unit_test(without_old_values_deletes_are_forwarded),
        cmocka_unit_test(old_values_survive_a_restart),
        cmocka_unit_test(consolidated_changes),
        cmocka_unit_test(windows_materialised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
