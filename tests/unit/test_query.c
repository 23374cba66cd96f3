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

/* 100 records of many kinds. */
static void put_many(Bench *bench) {
    RecordBatch batch = {0};
    for (int i = 0; i < 100; i++) {
        char key[16], value[32];
        snprintf(key, sizeof key, "\"k%d\"", i % 7);
        snprintf(value, sizeof value, i % 13 == 5 ? "{\"V\": \"x\"}" : "{\"V\": %d}", i % 30);
        LogRecord record = {.timestamp = 1000 + i, .key = bytes_of(key), .value = bytes_of(value)};
        if (i % 11 == 3)
            record.key = (Bytes){0};
        if (i % 17 == 9)
            record.value = (Bytes){0};
        record_batch_add(&batch, &record);
    }
    record_batch_seal(&batch);
    Commit *commit = commit_new(bench->storage, 0);
    commit_append(commit, (TopicPartition){bench_topic_id(bench, "S"), 0}, &batch);
    CHECK_OK(commit_wait(commit, NULL, err));
    record_batch_free(&batch);
}

static void same_bytes_for_any_step(void **state) {
    (void)state;
    char *first = NULL;
    const uint32_t sizes[] = {0, 1, 7, 64};
    for (size_t i = 0; i < 4; i++) {
        Bench bench;
        open_filter_project(&bench, sizes[i]);
        put_many(&bench);
        bench_start(&bench);
        bench_pump(&bench);
        const char *records = bench_records(&bench, "OUT", 0, false);
        QueryFigures figures;
        query_figures(bench.query, &figures);
        assert_int_equal(figures.row_errors, 8);
        assert_int_equal(figures.rows_in, 100);
        if (!first)
            first = mem_strdup(records);
        assert_string_equal(records, first);
        bench_end(&bench);
    }
    assert_true(strlen(first) > 500);
    mem_free(first);
}

static void bad_rows_are_counted_with_their_place(void **state) {
    (void)state;
    Bench bench;
    open_filter_project(&bench, 0);
    bench_start(&bench);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 50}", 1);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": ", 2);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 51}", 3);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 52}", -5);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"W\":51}@1 \"a\"|{\"W\":52}@3");
    RowError errors[ROW_ERRORS_KEPT];
    assert_int_equal(query_last_errors(bench.query, errors), 2);
    assert_string_equal(errors[0].kind, "timestamp");
    assert_int_equal(errors[0].offset, 3);
    assert_string_equal(errors[1].kind, "deserialization");
    assert_string_equal(errors[1].topic, "S");
    assert_int_equal(errors[1].offset, 1);
    assert_int_equal(errors[1].rowtime, 2);
    bench_end(&bench);
}

/* Stops and starts with and without the storage between; every record comes out once. */
static void goes_on_where_it_was(void **state) {
    (void)state;
    Bench bench;
    open_filter_project(&bench, 0);
    for (int round = 0; round < 6; round++) {
        char value[32];
        snprintf(value, sizeof value, "{\"V\": %d}", 20 + round);
        bench_put(&bench, "S", 0, "\"a\"", value, round);
        bench_start(&bench);
        bench_pump(&bench);
        bench_stop(&bench);
        if (round % 2 == 0)
            continue;
        runtime_free(bench.runtime);
        storage_close(bench.storage);
        bench.storage = bench_open(bench.io, NULL);
        bench.runtime = runtime_new(bench.io, bench.storage, &bench.options);
    }
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"W\":21}@0 \"a\"|{\"W\":22}@1 \"a\"|{\"W\":23}@2 "
                        "\"a\"|{\"W\":24}@3 \"a\"|{\"W\":25}@4 \"a\"|{\"W\":26}@5");
    Commit *commit = commit_new(bench.storage, 0);
    query_remove_state(commit, &bench.plan, bench.first_id, 1);
    CHECK_OK(commit_wait(commit, NULL, err));
    bench_start(&bench);
    bench_pump(&bench);
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.rows_in, 6); /* from the beginning again */
    bench_end(&bench);
}

static void starts_at_the_end_where_asked(void **state) {
    (void)state;
    Bench bench;
    open_filter_project(&bench, 0);
    bench.query_options.from_end = true;
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 100}", 1);
    bench_start(&bench);
    bench_pump(&bench);
    bench_stop(&bench); /* nothing came, and yet the beginning is fixed */
    bench_put(&bench, "S", 0, "\"b\"", "{\"V\": 200}", 2);
    bench_start(&bench);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false), "\"b\"|{\"W\":201}@2");
    bench_end(&bench);
}

static void paused_query_waits(void **state) {
    (void)state;
    Bench bench;
    open_filter_project(&bench, 0);
    bench_start(&bench);
    query_pause(bench.query, true);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 100}", 1);
    bench_pump(&bench);
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.state, QUERY_PAUSED);
    assert_int_equal(figures.lag, 1);
    CHECK_CODE(ERR_LIMIT, query_catch_up(bench.query, 0, err));
    query_pause(bench.query, false);
    CHECK_OK(query_catch_up(bench.query, 1000, err));
    assert_string_equal(bench_records(&bench, "OUT", 0, false), "\"a\"|{\"W\":101}@1");
    bench_end(&bench);
}

/* SELECT ID, V, AS_VALUE(V) AS W FROM S: a long V makes a record that is over the limit. */
static void plan_twice(Bench *bench) {
    uint32_t source = bench_source(bench, "S", "ID STRING KEY, V STRING", false);
    const Expr *value = bench_column(bench, source, "V");
    uint32_t project = bench_project(bench, PLAN_PROJECT, source,
                                     "ID STRING KEY, V STRING, W STRING",
                                     BENCH_EXPRS(bench_column(bench, source, "ID"), value, value));
    bench_sink(bench, project, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
}

static void put_long(Bench *bench, int64_t timestamp) {
    Buf value = {0};
    buf_text(&value, "{\"V\": \"");
    for (int i = 0; i < 600000; i++)
        buf_u8(&value, 'x');
    buf_text(&value, "\"}");
    bench_put(bench, "S", 0, "\"c\"", buf_cstr(&value), timestamp);
    buf_free(&value);
}

/* A record that cannot be written stops the query at exactly its offset, for every step size. */
static void failing_row_stops_at_its_offset(void **state) {
    (void)state;
    const uint32_t sizes[] = {0, 1, 7};
    for (size_t i = 0; i < 3; i++) {
        Bench bench;
        bench_begin(&bench, sizes[i]);
        bench_make_topic(&bench, "S", 1);
        bench_make_topic(&bench, "OUT", 1);
        plan_twice(&bench);
        bench_prepare(&bench, 1);
        bench_put(&bench, "S", 0, "\"a\"", "{\"V\": \"x\"}", 1);
        bench_put(&bench, "S", 0, "\"b\"", "{\"V\": \"y\"}", 2);
        put_long(&bench, 3);
        bench_put(&bench, "S", 0, "\"d\"", "{\"V\": \"z\"}", 4);
        for (int again = 0; again < 2; again++) {
            bench_start(&bench);
            bench_pump(&bench);
            QueryFigures figures;
            query_figures(bench.query, &figures);
            assert_int_equal(figures.state, QUERY_ERROR);
            assert_int_equal(figures.error.code, ERR_RUNTIME);
            assert_non_null(strstr(figures.error.message, "topic OUT is over 1048576"));
            CHECK_CODE(ERR_RUNTIME, query_catch_up(bench.query, 1000, err));
            bench_stop(&bench);
            assert_int_equal(log_position(bench.storage, bench.first_id,
                                          (TopicPartition){bench_topic_id(&bench, "S"), 0}), 2);
        }
        assert_string_equal(bench_records(&bench, "OUT", 0, false),
                            "\"a\"|{\"V\":\"x\",\"W\":\"x\"}@1 "
                            "\"b\"|{\"V\":\"y\",\"W\":\"y\"}@2");
        bench_end(&bench);
    }
}

static void null_keys_spread_the_same_way_each_time(void **state) {
    (void)state;
    char *first = NULL;
    for (uint32_t step_rows = 0; step_rows < 3; step_rows++) {
        Bench bench;
        bench_begin(&bench, step_rows);
        bench_make_topic(&bench, "S", 1);
        bench_make_topic(&bench, "OUT", 3);
        plan_filter_project(&bench);
        bench_prepare(&bench, 1);
        for (int i = 0; i < 5; i++)
            bench_put(&bench, "S", 0, NULL, "{\"V\": 100}", i);
        bench_start(&bench);
        bench_pump(&bench);
        Buf all = {0};
        for (uint32_t partition = 0; partition < 3; partition++) {
            buf_text(&all, bench_records(&bench, "OUT", partition, false));
            buf_text(&all, ";");
        }
        if (!first)
            first = mem_strdup(buf_cstr(&all));
        assert_string_equal(buf_cstr(&all), first);
        buf_free(&all);
        bench_end(&bench);
    }
    assert_string_equal(first, "-|{\"W\":101}@0 -|{\"W\":101}@3;-|{\"W\":101}@1 -|{\"W\":101}@4;"
                               "-|{\"W\":101}@2;");
    mem_free(first);
}

static void time_from_a_column(void **state) {
    (void)state;
    Bench bench;
    bench_begin(&bench, 0);
    bench_make_topic(&bench, "S", 1);
    bench_make_topic(&bench, "OUT", 1);
    uint32_t source = bench_source(&bench, "S", "ID STRING KEY, T STRING, U BIGINT", false);
    PlanTopic *topic = (PlanTopic *)(uintptr_t)bench.nodes[source]->topic;
    topic->timestamp_column = 1;
    topic->timestamp_format = "yyyy-MM-dd HH:mm";
    uint32_t project = bench_project(&bench, PLAN_PROJECT, source,
                                     "ID STRING KEY, U BIGINT, R BIGINT",
                                     BENCH_EXPRS(bench_column(&bench, source, "ID"),
                                                 bench_column(&bench, source, "U"),
                                                 bench_pseudo(&bench, PSEUDO_ROWTIME)));
    PlanNode *sink = bench_sink(&bench, project, "OUT");
    ((PlanTopic *)(uintptr_t)sink->topic)->timestamp_column = 1;
    bench_plan(&bench, PLAN_PERSISTENT);
    bench_prepare(&bench, 1);
    bench_put(&bench, "S", 0, "\"a\"", "{\"T\": \"1970-01-01 00:01\", \"U\": 7}", 1);
    bench_put(&bench, "S", 0, "\"b\"", "{\"T\": \"yesterday\", \"U\": 8}", 2);
    bench_put(&bench, "S", 0, "\"c\"", "{\"T\": \"1970-01-01 00:02\", \"U\": -9}", 3);
    bench_put(&bench, "S", 0, "\"d\"", "{\"T\": \"1970-01-01 00:02\"}", 4);
    bench_put(&bench, "S", 0, "\"e\"", "{\"T\": null}", 5);
    bench_start(&bench);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"U\":7,\"R\":60000}@7");
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.row_errors, 4);
    bench_end(&bench);
}

/* Both queries read one scan; the second one uses fewer columns and starts later. */
static void two_queries_over_one_topic(void **state) {
    (void)state;
    Bench bench, other;
    open_filter_project(&bench, 7);
    bench_make_topic(&bench, "OUT2", 1);
    put_many(&bench);
    bench_start(&bench);
    bench_pump(&bench);
    other = bench;
    other.node_count = 0;
    other.plan = (Plan){0};
    plan_filter_project(&other);
    ((PlanTopic *)(uintptr_t)other.nodes[other.node_count - 1]->topic)->topic = "OUT2";
    bench_prepare(&other, 1);
    bench_start(&other);
    put_many(&bench);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT2", 0, false),
                        bench_records(&bench, "OUT", 0, false));
    bench_stop(&other);
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_and_project),
        cmocka_unit_test(same_bytes_for_any_step),
        cmocka_unit_test(bad_rows_are_counted_with_their_place),
        cmocka_unit_test(goes_on_where_it_was),
        cmocka_unit_test(starts_at_the_end_where_asked),
        cmocka_unit_test(paused_query_waits),
        cmocka_unit_test(failing_row_stops_at_its_offset),
        cmocka_unit_test(null_keys_spread_the_same_way_each_time),
        cmocka_unit_test(time_from_a_column),
        cmocka_unit_test(two_queries_over_one_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
