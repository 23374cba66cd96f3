/* test_group_by.c - GROUP BY: counts and sums, windows and lateness, HAVING, restarts. */
#include "base/hash.h"
#include "tests/unit/query_bench.h"

/* SELECT K, COUNT(*) AS N, SUM(V) AS S, MAX(NAME) AS M FROM S [WINDOW TUMBLING] GROUP BY K
 * [HAVING COUNT(*) > 1]; the source has K as key. */
typedef struct Shape {
    int64_t window_ms, grace_ms;
    bool having;
} Shape;

static uint32_t plan_aggregate(Bench *bench, uint32_t input, const Shape *shape) {
    PlanNode *node = bench_aggregate(bench, input, "K STRING KEY, N BIGINT, S INT, M STRING",
                                     (const BenchCall[]){{"COUNT", NULL}, {"SUM", "V"},
                                                         {"MAX", "NAME"}}, 3);
    if (shape->window_ms > 0) {
        node->window = (PlanWindow){.kind = WINDOW_TUMBLING,
                                    .size_ms = shape->window_ms,
                                    .advance_ms = shape->window_ms,
                                    .grace_ms = shape->grace_ms,
                                    .retention_ms = shape->window_ms + shape->grace_ms};
        node->windowed = true;
    }
    if (!shape->having)
        return node->id;
    return bench_filter(bench, node->id,
                        bench_compare(bench, bench_column(bench, node->id, "N"), OP_GREATER,
                                      bench_int(bench, &type_bigint, 1)));
}

static void open_aggregate(Bench *bench, uint32_t step_rows, const Shape *shape) {
    bench_begin(bench, step_rows);
    bench_make_topic(bench, "S", 1);
    bench_make_topic(bench, "OUT", 1);
    uint32_t source = bench_source(bench, "S", "K STRING KEY, V INT, NAME STRING", false);
    bench_sink(bench, plan_aggregate(bench, source, shape), "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
    bench_prepare(bench, 1);
    bench_start(bench);
}

static void put(Bench *bench, const char *key, int value, const char *name, int64_t timestamp) {
    char text[64];
    snprintf(text, sizeof text, "{\"V\": %d, \"NAME\": \"%s\"}", value, name);
    bench_put(bench, "S", 0, key, text, timestamp);
}

static void one_row_an_update(void **state) {
    (void)state;
    Bench bench;
    open_aggregate(&bench, 0, &(Shape){0});
    put(&bench, "\"a\"", 1, "x", 10);
    put(&bench, "\"b\"", 5, "y", 20);
    put(&bench, "\"a\"", 2, "z", 5);
    put(&bench, NULL, 9, "z", 30);
    bench_put(&bench, "S", 0, "\"a\"", NULL, 40);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": null, \"NAME\": \"a\"}", 50);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"N\":1,\"S\":1,\"M\":\"x\"}@10 "
                        "\"b\"|{\"N\":1,\"S\":5,\"M\":\"y\"}@20 "
                        "\"a\"|{\"N\":2,\"S\":3,\"M\":\"z\"}@10 "
                        "\"a\"|{\"N\":3,\"S\":3,\"M\":\"z\"}@50");
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.row_errors, 1);
    assert_int_equal(figures.state_rows, 2);
    bench_end(&bench);
}

static void state_survives(void **state) {
    (void)state;
    Bench bench;
    open_aggregate(&bench, 0, &(Shape){0});
    put(&bench, "\"a\"", 1, "mmmmmmmmmmmmmmmmmmmmmmmmmmmmm", 10);
    bench_pump(&bench);
    for (int i = 0; i < 3; i++) {
        bench_stop(&bench);
        runtime_free(bench.runtime);
        storage_close(bench.storage);
        bench.storage = bench_open(bench.io, NULL);
        bench.runtime = runtime_new(bench.io, bench.storage, &bench.options);
        bench_start(&bench);
        put(&bench, "\"a\"", 10, "b", 20);
        bench_pump(&bench);
    }
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"N\":1,\"S\":1,\"M\":\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmm\"}@10 "
                        "\"a\"|{\"N\":2,\"S\":11,\"M\":\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmm\"}@20 "
                        "\"a\"|{\"N\":3,\"S\":21,\"M\":\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmm\"}@20 "
                        "\"a\"|{\"N\":4,\"S\":31,\"M\":\"mmmmmmmmmmmmmmmmmmmmmmmmmmmmm\"}@20");
    bench_end(&bench);
}

static void windows_and_lateness(void **state) {
    (void)state;
    Bench bench;
    open_aggregate(&bench, 0, &(Shape){.window_ms = 10, .grace_ms = 5});
    put(&bench, "\"a\"", 1, "x", 3);
    put(&bench, "\"a\"", 1, "y", 12);
    put(&bench, "\"a\"", 1, "z", 9);  /* window 0 ends at 10 > 12 - 5 */
    put(&bench, NULL, 1, "z", 99);    /* in no group: does not move stream time */
    put(&bench, "\"b\"", 1, "x", 15); /* stream time 15: window 0 is over */
    put(&bench, "\"a\"", 1, "q", 8);  /* late */
    put(&bench, "\"a\"", 1, "q", 10);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, true),
                        "\"a\"@0|{\"N\":1,\"S\":1,\"M\":\"x\"}@3 "
                        "\"a\"@10|{\"N\":1,\"S\":1,\"M\":\"y\"}@12 "
                        "\"a\"@0|{\"N\":2,\"S\":2,\"M\":\"z\"}@9 "
                        "\"b\"@10|{\"N\":1,\"S\":1,\"M\":\"x\"}@15 "
                        "\"a\"@10|{\"N\":2,\"S\":2,\"M\":\"y\"}@12");
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.late_rows, 1);
    /* Window 0 goes when one starts behind its retention. */
    assert_int_equal(figures.state_rows, 3);
    bench_stop(&bench);
    bench_start(&bench);
    put(&bench, "\"a\"", 1, "q", 9); /* still late: stream time is state */
    put(&bench, "\"a\"", 1, "zz", 11);
    bench_pump(&bench);
    const char *records = bench_records(&bench, "OUT", 0, true);
    const char *last = strrchr(records, ' ');
    assert_string_equal(last, " \"a\"@10|{\"N\":3,\"S\":3,\"M\":\"zz\"}@12");
    bench_end(&bench);
}

static void having_deletes_what_passed_before(void **state) {
    (void)state;
    Bench bench;
    bench_begin(&bench, 0);
    bench_make_topic(&bench, "S", 1);
    bench_make_topic(&bench, "OUT", 1);
    uint32_t source = bench_source(&bench, "S", "K STRING KEY, V INT", false);
    PlanNode *node = bench_aggregate(&bench, source, "K STRING KEY, S INT",
                                     (const BenchCall[]){{"SUM", "V"}}, 1);
    uint32_t having = bench_filter(&bench, node->id,
                                   bench_compare(&bench, bench_column(&bench, node->id, "S"),
                                                 OP_GREATER, bench_int(&bench, &type_int, 10)));
    uint32_t project = bench_project(
        &bench, PLAN_PROJECT, having, "K STRING KEY, T INT",
        BENCH_EXPRS(bench_column(&bench, having, "K"),
                    bench_binary(&bench, EXPR_ARITHMETIC, OP_ADD,
                                 bench_column(&bench, having, "S"),
                                 bench_int(&bench, &type_int, 1))));
    uint32_t again = bench_filter(&bench, project,
                                  bench_compare(&bench, bench_column(&bench, project, "T"),
                                                OP_LESS, bench_int(&bench, &type_int, 50)));
    bench_sink(&bench, again, "OUT");
    bench_plan(&bench, PLAN_PERSISTENT);
    bench_prepare(&bench, 1);
    bench_start(&bench);
    const char *const values[] = {"5", "7", "3", "-9", "-1", "100", "-80"};
    for (int i = 0; i < 7; i++) {
        char text[32];
        snprintf(text, sizeof text, "{\"V\": %s}", values[i]);
        bench_put(&bench, "S", 0, "\"a\"", text, i);
    }
    bench_pump(&bench); /* sums 5 12 15 6 5 105 25 */
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"T\":13}@1 \"a\"|{\"T\":16}@2 \"a\"|-@3 \"a\"|{\"T\":26}@6");
    bench_end(&bench);
}

static void consolidated_once_a_commit(void **state) {
    (void)state;
    Bench bench;
    bench_begin(&bench, 0);
    bench.query_options.consolidate = true;
    bench_make_topic(&bench, "S", 1);
    bench_make_topic(&bench, "OUT", 1);
    uint32_t source = bench_source(&bench, "S", "K STRING KEY, V INT, NAME STRING", false);
    bench_sink(&bench, plan_aggregate(&bench, source, &(Shape){.having = true}), "OUT");
    bench_plan(&bench, PLAN_PERSISTENT);
    bench_prepare(&bench, 1);
    for (int i = 0; i < 50; i++)
        put(&bench, i % 5 == 0 ? "\"a\"" : "\"b\"", 1, "x", i);
    put(&bench, "\"c\"", 1, "x", 60);
    bench_start(&bench);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, false),
                        "\"a\"|{\"N\":10,\"S\":10,\"M\":\"x\"}@45 "
                        "\"b\"|{\"N\":40,\"S\":40,\"M\":\"x\"}@49");
    bench_end(&bench);
}

static void same_bytes_for_any_step(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        const Shape shapes[] = {{0}, {.window_ms = 20, .grace_ms = 7}, {.having = true}};
        char *first = NULL;
        for (uint32_t step_rows = 0; step_rows < 8; step_rows += step_rows == 1 ? 6 : 1) {
            Bench bench;
            open_aggregate(&bench, step_rows, &shapes[kind]);
            RecordBatch batch = {0};
            uint64_t dice = 7;
            for (int64_t i = 0; i < 300; i++) {
                char key[8], value[64];
                dice = hash_u64(dice + 1);
                snprintf(key, sizeof key, "\"%c\"", 'a' + (int)(dice % 5));
                snprintf(value, sizeof value, "{\"V\": %d, \"NAME\": \"n%d\"}",
                         (int)(dice >> 8 & 15), (int)(dice >> 16 & 255));
                record_batch_add(&batch, &(LogRecord){.timestamp = i + (int64_t)(dice >> 32 & 31),
                                                      .key = bytes_of(key),
                                                      .value = bytes_of(value)});
            }
            record_batch_seal(&batch);
            Commit *commit = commit_new(bench.storage, 0);
            commit_append(commit, (TopicPartition){bench_topic_id(&bench, "S"), 0}, &batch);
            CHECK_OK(commit_wait(commit, NULL, err));
            record_batch_free(&batch);
            bench_pump(&bench);
            const char *records = bench_records(&bench, "OUT", 0, shapes[kind].window_ms > 0);
            if (!first)
                first = mem_strdup(records);
            assert_string_equal(records, first);
            bench_end(&bench);
        }
        assert_true(strlen(first) > 1000);
        mem_free(first);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_row_an_update),
        cmocka_unit_test(state_survives),
        cmocka_unit_test(windows_and_lateness),
        cmocka_unit_test(having_deletes_what_passed_before),
        cmocka_unit_test(consolidated_once_a_commit),
        cmocka_unit_test(same_bytes_for_any_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
