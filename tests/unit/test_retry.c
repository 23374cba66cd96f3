/* test_retry.c - a query that the environment fails waits, longer each time, and goes on. */
#include "tests/unit/query_bench.h"

enum { ROWS = 60 };

static void fill_journal(Bench *bench) {
    uint32_t store = storage_new_id(bench->storage);
    Err error;
    ErrCode code = ERR_OK;
    for (int i = 0; code == ERR_OK; i++) {
        Commit *commit = commit_new(bench->storage, 1);
        commit_put(commit, store, bytes_of("k"), bytes_of("v"));
        code = commit_wait(commit, NULL, &error);
        assert_true(i < 1000);
    }
    assert_int_equal(code, ERR_NO_SPACE);
}

/* SELECT K, NAME, NAME, NAME FROM S over a small journal, which cannot hold all that. */
static void open_full_world(Bench *bench) {
    *bench = (Bench){.io = io_mem_new(), .arena = arena_new("bench", 0)};
    io_mem_set_clock(bench->io, 1000);
    bench->storage = bench_open(bench->io, &(StorageOptions){.journal_file_bytes = 32 << 10,
                                                             .checkpoint_bytes = 1 << 20});
    bench->runtime = runtime_new(bench->io, bench->storage, &bench->options);
    bench_make_topic(bench, "S", 1);
    bench_make_topic(bench, "OUT", 1);
    uint32_t source = bench_source(bench, "S", "K STRING KEY, NAME STRING", false);
    const Expr *name = bench_column(bench, source, "NAME");
    uint32_t wide = bench_project(bench, PLAN_PROJECT, source,
                                  "K STRING KEY, A STRING, B STRING, C STRING",
                                  BENCH_EXPRS(bench_column(bench, source, "K"), name, name, name));
    bench_sink(bench, wide, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
    bench_prepare(bench, 1);
    char value[300];
    memset(value, 'x', sizeof value);
    memcpy(value, "{\"NAME\": \"", 10);
    memcpy(value + sizeof value - 3, "\"}", 3);
    for (int i = 0; i < ROWS; i++)
        bench_put(bench, "S", 0, "\"k\"", value, i);
    io_mem_set_space(bench->io, 0);
    fill_journal(bench);
}

static QueryFigures figures_after(Bench *bench, int64_t by_us) {
    QueryFigures figures;
    io_mem_advance_clock(bench->io, by_us);
    bench_pump(bench);
    query_figures(bench->query, &figures);
    return figures;
}

static void a_full_disk_is_waited_out(void **state) {
    (void)state;
    Bench bench;
    open_full_world(&bench);
    bench.query_options.retry_initial_ms = 2000;
    bench.query_options.retry_max_ms = 5000;
    bench_start(&bench);
    QueryFigures figures = figures_after(&bench, 0);
    assert_int_equal(figures.state, QUERY_RUNNING);
    assert_int_equal(figures.retry_count, 1);
    assert_int_equal(figures.retry_in_ms, 2000);
    assert_int_equal(figures.error.code, ERR_NO_SPACE);
    assert_string_equal(query_error_type(figures.error.code), "SYSTEM");
    assert_int_equal(figures_after(&bench, 1900000).retry_count, 1);
    figures = figures_after(&bench, 200000);
    assert_int_equal(figures.retry_count, 2);
    assert_int_equal(figures.retry_in_ms, 4000);
    figures = figures_after(&bench, 4100000);
    assert_int_equal(figures.retry_in_ms, 5000);
    io_mem_set_space(bench.io, UINT64_MAX);
    figures = figures_after(&bench, 5100000);
    assert_int_equal(figures.retry_count, 0);
    assert_int_equal(figures.lag, 0);
    assert_int_equal(figures.rows_out, ROWS);
    bench_end(&bench);
}

static void errors_have_a_side(void **state) {
    (void)state;
    assert_string_equal(query_error_type(ERR_RUNTIME), "USER");
    assert_string_equal(query_error_type(ERR_NOT_FOUND), "USER");
    assert_string_equal(query_error_type(ERR_IO), "SYSTEM");
    assert_string_equal(query_error_type(ERR_INTERNAL), "UNKNOWN");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_is_waited_out),
        cmocka_unit_test(errors_have_a_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
