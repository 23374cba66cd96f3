/* test_query.c - queries of one task: filter, project, sink; steps of any size; restarts. */
#include "tests/unit/query_bench.h"

/* SELECT ID, V + 1 AS W FROM S WHERE V > 10 */
static void plan_filter_project(Bench *bench) {
    uint32_t source = bench_source(bench, "S", "ID STRING KEY, V INT", false);
    uint32_t filter = bench_filter(
        bench, source, bench_compare(bench, bench_column(bench, source, "V"), OP_GREATER,
                                     bench_int(bench, &type_int, 10)));
    uint32_t project = bench_project(
        bench, PLAN_PROJECT, filter, "ID STRING KEY, W INT",
        BENCH_EXPRS(bench_column(bench, filter, "ID"),
                    bench_binary(bench, EXPR_ARITHMETIC, OP_ADD, bench_column(bench, filter, "V"),
                                 bench_int(bench, &type_int, 1))));
    bench_sink(bench, project, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
}

static void open_filter_project(Bench *bench, uint32_t step_rows) {
    bench_begin(bench, step_rows);
    bench_make_topic(bench, "S", 1);
    bench_make_topic(bench, "OUT", 1);
    plan_filter_project(bench);
    bench_prepare(bench, 1);
}

static void filter_and_project(void **state) {
    (void)state;
    Bench bench;
    open_filter_project(&bench, 0);
    bench_start(&bench);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 5}", 100);
    bench_put(&bench, "S", 0, "\"b\"", "{\"V\": 11}", 101);
    bench_put(&bench, "S", 0, NULL, "{\"V\": 12}", 102);
    bench_put(&bench, "S", 0, "\"c\"", NULL, 103);
    bench_put(&bench, "S", 0, "\"d\"", "{\"V\": null}", 104);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"b\"|{\"W\":12}@101 -|{\"W\":13}@102");
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.state, QUERY_RUNNING);
    assert_int_equal(figures.rows_in, 5);
    assert_int_equal(figures.rows_out, 2);
    assert_int_equal(figures.lag, 0);
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_and_project),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
