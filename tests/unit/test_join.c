/* test_join.c - stream-table joins, repartitions, several partitions, stages and workers. */
#include "base/hash.h"
#include "tests/unit/query_bench.h"

/* SELECT L.ID, L.V, R.NAME FROM L [INNER|LEFT] JOIN R ON L.K = R.K: the source's key is K. */
static void plan_join(Bench *bench, PlanJoinKind kind) {
    uint32_t left = bench_source(bench, "L", "K STRING KEY, V INT", false);
    uint32_t right = bench_source(bench, "R", "K STRING KEY, NAME STRING", true);
    uint32_t join = bench_join(bench, left, right, kind, bench_column(bench, left, "K"),
                               "JK STRING KEY, L_K STRING, L_V INT, R_K STRING, R_NAME STRING");
    bench_sink(bench, join, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
}

static void open_join(Bench *bench, uint32_t step_rows, PlanJoinKind kind) {
    bench_begin(bench, step_rows);
    bench_make_topic(bench, "L", 1);
    bench_make_topic(bench, "R", 1);
    bench_make_topic(bench, "OUT", 1);
    plan_join(bench, kind);
    bench_prepare(bench, 1);
}

/* Interleaved in time; a row joins what the table was at its time. */
static void put_both(Bench *bench) {
    bench_put(bench, "L", 0, "\"a\"", "{\"V\": 1}", 10);
    bench_put(bench, "R", 0, "\"a\"", "{\"NAME\": \"A\"}", 20);
    bench_put(bench, "L", 0, "\"a\"", "{\"V\": 2}", 20); /* ties: the table first */
    bench_put(bench, "R", 0, "\"a\"", "{\"NAME\": \"AA\"}", 30);
    bench_put(bench, "R", 0, NULL, "{\"NAME\": \"none\"}", 31);
    bench_put(bench, "L", 0, "\"a\"", "{\"V\": 3}", 40);
    bench_put(bench, "L", 0, NULL, "{\"V\": 4}", 41);
    bench_put(bench, "L", 0, "\"a\"", NULL, 42);
    bench_put(bench, "R", 0, "\"a\"", NULL, 50);
    bench_put(bench, "L", 0, "\"a\"", "{\"V\": 5}", 60);
    bench_put(bench, "R", 0, "\"b\"", "{\"NAME\": null}", 65);
    bench_put(bench, "L", 0, "\"b\"", "{\"V\": 6}", 70);
}

static void rows_join_the_table_of_their_time(void **state) {
    (void)state;
    for (uint32_t step_rows = 0; step_rows < 4; step_rows++) {
        Bench bench;
        open_join(&bench, step_rows, JOIN_INNER);
        put_both(&bench);
        bench_start(&bench);
        bench_pump(&bench);
        assert_string_equal(
            bench_records(&bench, "OUT", 0, false),
            "\"a\"|{\"L_K\":\"a\",\"L_V\":2,\"R_K\":\"a\",\"R_NAME\":\"A\"}@20 "
            "\"a\"|{\"L_K\":\"a\",\"L_V\":3,\"R_K\":\"a\",\"R_NAME\":\"AA\"}@40 "
            "\"b\"|{\"L_K\":\"b\",\"L_V\":6,\"R_K\":\"b\",\"R_NAME\":null}@70");
        bench_end(&bench);
    }
}

static void left_join_keeps_every_row(void **state) {
    (void)state;
    Bench bench;
    open_join(&bench, 0, JOIN_LEFT);
    put_both(&bench);
    bench_start(&bench);
    bench_pump(&bench);
    assert_string_equal(
        bench_records(&bench, "OUT", 0, false),
        "\"a\"|{\"L_K\":\"a\",\"L_V\":1,\"R_K\":null,\"R_NAME\":null}@10 "
        "\"a\"|{\"L_K\":\"a\",\"L_V\":2,\"R_K\":\"a\",\"R_NAME\":\"A\"}@20 "
        "\"a\"|{\"L_K\":\"a\",\"L_V\":3,\"R_K\":\"a\",\"R_NAME\":\"AA\"}@40 "
        "-|{\"L_K\":null,\"L_V\":4,\"R_K\":null,\"R_NAME\":null}@41 "
        "\"a\"|{\"L_K\":\"a\",\"L_V\":5,\"R_K\":null,\"R_NAME\":null}@60 "
        "\"b\"|{\"L_K\":\"b\",\"L_V\":6,\"R_K\":\"b\",\"R_NAME\":null}@70");
    bench_end(&bench);
}

static void tables_are_read_first_when_asked(void **state) {
    (void)state;
    Bench bench;
    open_join(&bench, 0, JOIN_INNER);
    bench.query_options.table_first = true;
    bench_put(&bench, "L", 0, "\"a\"", "{\"V\": 1}", 10);
    bench_put(&bench, "R", 0, "\"a\"", "{\"NAME\": \"A\"}", 20);
    bench_put(&bench, "R", 0, "\"a\"", "{\"NAME\": \"AA\"}", 30);
    bench_start(&bench);
    bench_pump(&bench);
    bench_put(&bench, "R", 0, "\"a\"", "{\"NAME\": \"AAA\"}", 40);
    bench_put(&bench, "L", 0, "\"a\"", "{\"V\": 2}", 35);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"L_K\":\"a\",\"L_V\":1,\"R_K\":\"a\",\"R_NAME\":\"AA\"}@10 "
                        "\"a\"|{\"L_K\":\"a\",\"L_V\":2,\"R_K\":\"a\",\"R_NAME\":\"AA\"}@35");
    bench_end(&bench);
}

static void table_survives_a_restart(void **state) {
    (void)state;
    Bench bench;
    open_join(&bench, 0, JOIN_INNER);
    bench_put(&bench, "R", 0, "\"a\"", "{\"NAME\": \"A\"}", 20);
    bench_put(&bench, "R", 0, "\"b\"", "{\"NAME\": \"B\"}", 20);
    bench_put(&bench, "R", 0, "\"b\"", NULL, 21);
    bench_start(&bench);
    bench_pump(&bench);
    bench_stop(&bench);
    bench_start(&bench);
    bench_put(&bench, "L", 0, "\"a\"", "{\"V\": 2}", 35);
    bench_put(&bench, "L", 0, "\"b\"", "{\"V\": 3}", 35);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"L_K\":\"a\",\"L_V\":2,\"R_K\":\"a\",\"R_NAME\":\"A\"}@35");
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.state_rows, 1);
    bench_end(&bench);
}

static void the_same_from_a_script(void **state) {
    (void)state;
    for (uint32_t step_rows = 0; step_rows < 4; step_rows++) {
        Bench bench;
        bench_begin(&bench, step_rows);
        bench.options.single_partition = true;
        runtime_free(bench.runtime);
        bench.runtime = runtime_new(bench.io, bench.storage, &bench.options);
        bench_make_topic(&bench, "L", 4);
        bench_make_topic(&bench, "R", 4);
        bench_make_topic(&bench, "OUT", 4);
        plan_join(&bench, JOIN_INNER);
        bench_prepare(&bench, 4);
        put_both(&bench);
        bench_start(&bench);
        uint32_t left = bench_topic_id(&bench, "L"), right = bench_topic_id(&bench, "R");
        /* In an order of its own: rows 0 and 1 of L behind all of the table, and one left out. */
        const QueryScriptItem items[] = {{right, 0}, {right, 1}, {right, 2}, {left, 0}, {left, 1},
                                         {right, 3}, {left, 3}, {left, 5}, {right, 4}, {left, 6}};
        CHECK_OK(query_run_script(bench.query, items, 10, err));
        assert_string_equal(
            bench_records(&bench, "OUT", 0, false),
            "\"a\"|{\"L_K\":\"a\",\"L_V\":1,\"R_K\":\"a\",\"R_NAME\":\"AA\"}@10 "
            "\"a\"|{\"L_K\":\"a\",\"L_V\":2,\"R_K\":\"a\",\"R_NAME\":\"AA\"}@20 "
            "\"b\"|{\"L_K\":\"b\",\"L_V\":6,\"R_K\":\"b\",\"R_NAME\":null}@70");
        bench_end(&bench);
    }
}

static void script_without_one_side_reads_it_first(void **state) {
    (void)state;
    Bench bench;
    open_join(&bench, 0, JOIN_INNER);
    bench_put(&bench, "R", 0, "\"a\"", "{\"NAME\": \"A\"}", 20);
    bench_put(&bench, "L", 0, "\"a\"", "{\"V\": 1}", 10);
    bench_put(&bench, "L", 0, "\"a\"", "{\"V\": ", 11);
    bench_put(&bench, "L", 0, "\"a\"", "{\"V\": 2}", 12);
    bench_start(&bench);
    uint32_t left = bench_topic_id(&bench, "L");
    const QueryScriptItem items[] = {{left, 0}, {left, 1}, {left, 2}};
    CHECK_OK(query_run_script(bench.query, items, 3, err));
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"L_K\":\"a\",\"L_V\":1,\"R_K\":\"a\",\"R_NAME\":\"A\"}@10 "
                        "\"a\"|{\"L_K\":\"a\",\"L_V\":2,\"R_K\":\"a\",\"R_NAME\":\"A\"}@12");
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.row_errors, 1);
    bench_end(&bench);
}

/* -- Repartitions ------------------------------------------------------------------------------ */

/* COUNT(*) by G of stream L (keyed by K, joined with R on G before): two stages. */
static void plan_stages(Bench *bench) {
    uint32_t left = bench_source(bench, "L", "K STRING KEY, G STRING", false);
    uint32_t moved = bench_project(bench, PLAN_REPARTITION, left, "G STRING KEY, K STRING",
                                   BENCH_EXPRS(bench_column(bench, left, "G"),
                                               bench_column(bench, left, "K")));
    uint32_t right = bench_source(bench, "R", "G STRING KEY, NAME STRING", true);
    uint32_t join = bench_join(bench, moved, right, JOIN_INNER, bench_column(bench, moved, "G"),
                               "JG STRING KEY, L_G STRING, L_K STRING, R_G STRING, "
                               "R_NAME STRING");
    uint32_t named = bench_project(bench, PLAN_REPARTITION, join, "NAME STRING KEY, K STRING",
                                   BENCH_EXPRS(bench_column(bench, join, "R_NAME"),
                                               bench_column(bench, join, "L_K")));
    PlanNode *count = bench_aggregate(bench, named, "NAME STRING KEY, N BIGINT",
                                      (const BenchCall[]){{"COUNT", NULL}}, 1);
    bench_sink(bench, count->id, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
}

static const char *const groups[] = {"red", "green", "blue", "pink", "grey"};

static void put_rows(Bench *bench, uint32_t partitions, int count) {
    for (int i = 0; i < count; i++) {
        char key[16], value[32];
        snprintf(key, sizeof key, "\"k%d\"", i);
        snprintf(value, sizeof value, "{\"G\": \"%s\"}", groups[i % 5]);
        bench_put(bench, "L", (uint32_t)i % partitions, key, value, i);
    }
}

static void put_table(Bench *bench, uint32_t partitions) {
    for (int i = 0; i < 4; i++) { /* grey has no row */
        char key[16], value[32];
        snprintf(key, sizeof key, "\"%s\"", groups[i]);
        snprintf(value, sizeof value, "{\"NAME\": \"%c\"}", i % 2 ? 'x' : 'y');
        bench_put(bench, "R", hash_partition(bytes_of(key), partitions), key, value, i);
    }
}

/* The last value of each key over all partitions, "x=.. y=..". */
static const char *last_counts(Bench *bench, uint32_t partitions) {
    static char text[256];
    const char *last[2] = {"-", "-"};
    for (uint32_t i = 0; i < partitions; i++) {
        char *records = arena_strdup(bench->arena, bench_records(bench, "OUT", i, false));
        for (char *record = strtok(records, " "); record; record = strtok(NULL, " "))
            last[record[1] - 'x'] = record;
    }
    snprintf(text, sizeof text, "%s %s", last[0], last[1]);
    return text;
}

static void open_stages(Bench *bench, uint32_t left, uint32_t right, uint32_t workers) {
    bench_begin(bench, 0);
    runtime_free(bench->runtime);
    storage_close(bench->storage);
    bench->storage = bench_open(bench->io, &(StorageOptions){.threads = workers > 0});
    bench->options.workers = workers;
    bench->runtime = runtime_new(bench->io, bench->storage, &bench->options);
    bench_make_topic(bench, "L", left);
    bench_make_topic(bench, "R", right);
    bench_make_topic(bench, "OUT", 2);
    plan_stages(bench);
    bench_prepare(bench, left > right ? left : right);
    bench->query_options.table_first = true;
    put_table(bench, right);
}

static void any_partitions_and_workers_count_the_same(void **state) {
    (void)state;
    const uint32_t worlds[][3] = {{1, 1, 0}, {3, 1, 0}, {1, 3, 0}, {3, 3, 0},
                                  {1, 1, 1}, {3, 3, 1}, {3, 3, 2}, {5, 2, 2}};
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
        Bench bench;
        open_stages(&bench, worlds[i][0], worlds[i][1], worlds[i][2]);
        assert_int_equal(bench.internal_topics[1] != 0, worlds[i][0] + worlds[i][1] > 2);
        bench_start(&bench);
        CHECK_OK(query_catch_up(bench.query, 10000, err)); /* the tables */
        put_rows(&bench, worlds[i][0], 50);
        CHECK_OK(query_catch_up(bench.query, 10000, err));
        bench_stop(&bench);
        put_rows(&bench, worlds[i][0], 50);
        bench_start(&bench);
        CHECK_OK(query_catch_up(bench.query, 10000, err));
        const char *counts = last_counts(&bench, 2);
        assert_non_null(strstr(counts, "\"x\"|{\"N\":40}"));
        assert_non_null(strstr(counts, "\"y\"|{\"N\":40}"));
        QueryFigures figures;
        query_figures(bench.query, &figures);
        assert_int_equal(figures.lag, 0);
        bench_end(&bench);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_join_the_table_of_their_time),
        cmocka_unit_test(left_join_keeps_every_row),
        cmocka_unit_test(tables_are_read_first_when_asked),
        cmocka_unit_test(table_survives_a_restart),
        cmocka_unit_test(the_same_from_a_script),
        cmocka_unit_test(script_without_one_side_reads_it_first),
        cmocka_unit_test(any_partitions_and_workers_count_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
