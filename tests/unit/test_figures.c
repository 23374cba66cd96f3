/* test_figures.c - what operators count: rows, causes, errors, state, lag; for any step size. */
#include "tests/unit/query_bench.h"

/* SELECT ... FROM L [kind] JOIN R ON L.K = R.K WHERE L.V > 1. */
static void open_query(Bench *bench, uint32_t step_rows, PlanJoinKind kind) {
    bench_begin(bench, step_rows);
    bench_make_topic(bench, "L", 1);
    bench_make_topic(bench, "R", 1);
    bench_make_topic(bench, "OUT", 1);
    uint32_t left = bench_source(bench, "L", "K STRING KEY, V INT", false);
    uint32_t right = bench_source(bench, "R", "K STRING KEY, NAME STRING", true);
    uint32_t join = bench_join(bench, left, right, kind, bench_column(bench, left, "K"),
                               "JK STRING KEY, L_K STRING, L_V INT, R_K STRING, R_NAME STRING");
    uint32_t filter = bench_filter(
        bench, join, bench_compare(bench, bench_column(bench, join, "L_V"), OP_GREATER,
                                   bench_int(bench, &type_int, 1)));
    bench_sink(bench, filter, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
    bench_prepare(bench, 1);
}

enum { LEFT, RIGHT, JOIN, FILTER, SINK, NODES };

static void put_rows(Bench *bench) {
    bench_put(bench, "R", 0, "\"a\"", "{\"NAME\": \"A\"}", 5);
    bench_put(bench, "R", 0, "\"b\"", "{\"NAME\": \"B\"}", 5);
    bench_put(bench, "L", 0, "\"a\"", "{\"V\": 1}", 10);
    bench_put(bench, "L", 0, "\"x\"", "{\"V\": 2}", 11);
    bench_put(bench, "L", 0, "\"a\"", "{\"V\": 3}", 12);
    bench_put(bench, "L", 0, "\"a\"", "{broken", 13);
    bench_put(bench, "L", 0, NULL, "{\"V\": 4}", 14);
}

static void every_operator_counts_its_rows(void **state) {
    (void)state;
    for (uint32_t step_rows = 0; step_rows < 4; step_rows++) {
        Bench bench;
        OpFigures ops[NODES];
        open_query(&bench, step_rows, JOIN_INNER);
        put_rows(&bench);
        bench_start(&bench);
        query_op_figures(bench.query, ops);
        assert_int_equal(ops[LEFT].lag, 5);
        assert_int_equal(ops[RIGHT].lag, 2);
        assert_int_equal(ops[LEFT].rows_out, 0);
        bench_pump(&bench);
        query_op_figures(bench.query, ops);
        assert_int_equal(ops[LEFT].lag, 0);
        assert_int_equal(ops[LEFT].rows_out, 4);
        assert_int_equal(ops[LEFT].row_errors, 1);
        assert_int_equal(ops[RIGHT].rows_out, 2);
        assert_int_equal(ops[JOIN].rows_in, 6);
        assert_int_equal(ops[JOIN].rows_out, 2);
        assert_int_equal(ops[JOIN].no_match, 2);
        assert_int_equal(ops[FILTER].rows_in, 2);
        assert_int_equal(ops[FILTER].rows_out, 1);
        assert_int_equal(ops[SINK].rows_in, 1);
        assert_int_equal(ops[SINK].rows_out, 1);
        assert_true(ops[JOIN].has_state);
        assert_false(ops[FILTER].has_state);
        assert_int_equal(ops[JOIN].state_rows, 2);
        assert_true(ops[JOIN].state_bytes > 0);
        bench_end(&bench);
    }
}

static void a_query_sums_its_operators(void **state) {
    (void)state;
    Bench bench;
    QueryFigures figures;
    open_query(&bench, 0, JOIN_LEFT);
    put_rows(&bench);
    bench_start(&bench);
    query_figures(bench.query, &figures);
    assert_int_equal(figures.lag, 7);
    bench_pump(&bench);
    query_figures(bench.query, &figures);
    assert_int_equal(figures.lag, 0);
    assert_int_equal(figures.rows_in, 7);
    assert_int_equal(figures.rows_out, 3);
    assert_int_equal(figures.unread, 1);
    assert_int_equal(figures.row_errors, 1);
    assert_int_equal(figures.no_match, 2); /* LEFT: they are there, with NULLs */
    assert_int_equal(figures.filtered, 1);
    bench_end(&bench);
}

/* Time and rates come from the clock of the Io alone. */
static void time_and_rate_follow_the_clock(void **state) {
    (void)state;
    Bench bench;
    OpFigures ops[NODES];
    open_query(&bench, 0, JOIN_INNER);
    io_mem_set_clock(bench.io, 1000);
    put_rows(&bench);
    bench_start(&bench);
    bench_pump(&bench);
    query_op_figures(bench.query, ops);
    assert_int_equal(ops[LEFT].time_us, 0);
    assert_int_equal(ops[LEFT].rate, 0);
    io_mem_advance_clock(bench.io, 1000000);
    query_op_figures(bench.query, ops);
    assert_int_equal(ops[LEFT].rate, 4); /* since the start, a second ago */
    io_mem_advance_clock(bench.io, 7000000);
    bench_put(&bench, "L", 0, "\"a\"", "{\"V\": 5}", 20);
    bench_pump(&bench);
    query_op_figures(bench.query, ops);
    assert_int_equal(ops[LEFT].rate, 0); /* one in eight seconds */
    for (uint32_t i = 0; i < 8; i++)
        bench_put(&bench, "L", 0, "\"a\"", "{\"V\": 5}", 20);
    bench_pump(&bench);
    io_mem_advance_clock(bench.io, 2000000);
    bench_pump(&bench);
    query_op_figures(bench.query, ops);
    assert_int_equal(ops[LEFT].rate, 4); /* nine in two seconds */
    io_mem_advance_clock(bench.io, 1000000);
    bench_pump(&bench);
    query_op_figures(bench.query, ops);
    assert_int_equal(ops[LEFT].rate, 0);
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_counts_its_rows),
        cmocka_unit_test(a_query_sums_its_operators),
        cmocka_unit_test(time_and_rate_follow_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
