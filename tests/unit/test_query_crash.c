/* test_query_crash.c - the machine stops anywhere: what comes out is as if it had not. */
#include "tests/unit/crash_bench.h"

enum { ROWS = 40 };

/* SELECT K, COUNT(*), SUM(V), MAX(NAME) GROUP BY K over one partition: per-update emission. */
static void plan_one_stage(Bench *bench) {
    uint32_t source = bench_source(bench, "S", "K STRING KEY, V INT, NAME STRING", false);
    PlanNode *node = bench_aggregate(bench, source, "K STRING KEY, N BIGINT, S INT, M STRING",
                                     (const BenchCall[]){{"COUNT", NULL}, {"SUM", "V"},
                                                         {"MAX", "NAME"}}, 3);
    node->window = (PlanWindow){.kind = WINDOW_TUMBLING, .size_ms = 10, .advance_ms = 10,
                                .grace_ms = 3, .retention_ms = 13};
    node->windowed = true;
    bench_sink(bench, node->id, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
}

/* SELECT V, COUNT(*) GROUP BY V over two partitions: two stages. */
static void plan_two_stages(Bench *bench) {
    uint32_t source = bench_source(bench, "S", "K STRING KEY, V INT, NAME STRING", false);
    uint32_t moved = bench_project(bench, PLAN_REPARTITION, source, "V INT KEY, K STRING",
                                   BENCH_EXPRS(bench_column(bench, source, "V"),
                                               bench_column(bench, source, "K")));
    PlanNode *node = bench_aggregate(bench, moved, "V INT KEY, N BIGINT, M STRING",
                                     (const BenchCall[]){{"COUNT", NULL}, {"MAX", "K"}}, 2);
    bench_sink(bench, node->id, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
}

/* SELECT * FROM S A FULL JOIN S B WITHIN (3, 5) GRACE 4 ON A.K = B.K over one partition. */
static void plan_join(Bench *bench) {
    uint32_t left = bench_source(bench, "S", "K STRING KEY, V INT, NAME STRING", false);
    uint32_t right = bench_source(bench, "S", "K STRING KEY, V INT, NAME STRING", false);
    PlanNode *node = bench_node_on(bench, PLAN_JOIN_STREAM, "Join", left);
    node->input_count = 2;
    node->inputs[1] = right;
    node->schema = bench_schema(bench, "JK STRING KEY, AK STRING, AV INT, AN STRING, BK STRING, "
                                       "BV INT, BN STRING");
    node->join = JOIN_FULL;
    node->within = (PlanWithin){.before_ms = 3, .after_ms = 5, .grace_ms = 4};
    bench_sink(bench, node->id, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
}

typedef struct Shape {
    void (*plan)(Bench *bench);
    uint32_t partitions;
    bool windowed;
} Shape;

static const Shape one_stage = {plan_one_stage, 1, true}, two_stages = {plan_two_stages, 2, false},
                   join = {plan_join, 1, false};

static void open_world(Bench *bench, uint64_t seed, const Shape *shape) {
    uint32_t partitions = shape->partitions;
    crash_open(bench, seed);
    bench_make_topic(bench, "S", partitions);
    bench_make_topic(bench, "OUT", partitions);
    shape->plan(bench);
    bench_prepare(bench, partitions);
}

static void put_row(Bench *bench, void *context, int number) {
    uint32_t partitions = *(const uint32_t *)context;
    char key[16], value[64];
    snprintf(key, sizeof key, "\"k%d\"", number % 4);
    snprintf(value, sizeof value, "{\"V\": %d, \"NAME\": \"n%d\"}", number % 3, number * 7 % 10);
    bench_put(bench, "S", (uint32_t)number % partitions, key, value, number + number % 7);
}

/* The nth change of the disk stops the machine; false: it never came to that. */
static bool run_until(Bench *bench, uint64_t nth, uint32_t partitions) {
    return crash_run(bench, &(CrashRun){ROWS, 8, put_row, &partitions, nth, nth});
}

static void byte_for_byte(const Shape *shape) {
    char *undisturbed = NULL;
    bool stopped = true;
    uint64_t nth = 0;
    for (; stopped && nth < 200; nth++) {
        Bench bench;
        open_world(&bench, 100 + nth, shape);
        stopped = run_until(&bench, nth, 1);
        const char *records = bench_records(&bench, "OUT", 0, shape->windowed);
        if (nth == 0)
            undisturbed = mem_strdup(records);
        assert_string_equal(records, undisturbed);
        stopped = stopped || nth == 0;
        bench_end(&bench);
    }
    assert_true(nth > 15);
    assert_true(strlen(undisturbed) > 500);
    mem_free(undisturbed);
}

static void one_stage_byte_for_byte(void **state) {
    (void)state;
    byte_for_byte(&one_stage);
}

static void join_byte_for_byte(void **state) {
    (void)state;
    byte_for_byte(&join);
}

/* The last value of each of three keys, wherever they lie. */
static const char *last_values(Bench *bench) {
    const char *last[3] = {"-", "-", "-"};
    for (uint32_t i = 0; i < 2; i++) {
        char *records = arena_strdup(bench->arena, bench_records(bench, "OUT", i, false));
        for (char *record = strtok(records, " "); record; record = strtok(NULL, " "))
            last[record[0] - '0'] = record;
    }
    return arena_printf(bench->arena, "%.25s %.25s %.25s", last[0], last[1], last[2]);
}

static void two_stages_by_last_value(void **state) {
    (void)state;
    char *undisturbed = NULL;
    bool stopped = true;
    uint64_t nth = 0;
    for (; stopped && nth < 200; nth++) {
        Bench bench;
        open_world(&bench, 300 + nth, &two_stages);
        stopped = run_until(&bench, nth, 2);
        const char *values = last_values(&bench);
        if (nth == 0)
            undisturbed = mem_strdup(values);
        assert_string_equal(values, undisturbed);
        stopped = stopped || nth == 0;
        bench_end(&bench);
    }
    assert_true(nth > 25);
    assert_non_null(strstr(undisturbed, "0|{\"N\":14,\"M\":\"k3\"}"));
    mem_free(undisturbed);
}

/* The sync of a commit fails: the query says so, and nothing of it was seen. */
static void failed_storage_stops_the_query(void **state) {
    (void)state;
    Bench bench;
    open_world(&bench, 1, &one_stage);
    uint32_t partitions = 1;
    put_row(&bench, &partitions, 0);
    bench_start(&bench);
    bench_pump(&bench);
    put_row(&bench, &partitions, 1);
    io_mem_fail(bench.io, IO_MEM_SYNC, 1, true);
    Err err;
    ErrCode code = runtime_pump(bench.runtime, &err);
    assert_true(code == ERR_OK || code == ERR_STORAGE_FAILED || code == ERR_IO);
    assert_int_not_equal(runtime_pump(bench.runtime, &err), ERR_OK);
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.state, QUERY_ERROR);
    assert_int_equal(figures.error.code, ERR_STORAGE_FAILED);
    assert_int_not_equal(query_catch_up(bench.query, 100, &err), ERR_OK);
    io_mem_fail(bench.io, IO_MEM_SYNC, 0, false);
    crash_reopen(&bench, 5);
    bench_start(&bench);
    bench_pump(&bench);
    assert_string_equal(bench_records(&bench, "OUT", 0, true),
                        "\"k0\"@0|{\"N\":1,\"S\":0,\"M\":\"n0\"}@0 "
                        "\"k1\"@0|{\"N\":1,\"S\":1,\"M\":\"n7\"}@2");
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_stage_byte_for_byte),
        cmocka_unit_test(join_byte_for_byte),
        cmocka_unit_test(two_stages_by_last_value),
        cmocka_unit_test(failed_storage_stops_the_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
