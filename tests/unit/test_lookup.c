/* test_lookup.c - lookups of a query's table, and the rows of push queries. */
#include "base/hash.h"
#include "tests/unit/query_bench.h"

/* SELECT K, COUNT(*) AS N FROM S [WINDOW TUMBLING (SIZE 10)] GROUP BY K over 3 partitions. */
static void open_table(Bench *bench, bool windowed) {
    bench_begin(bench, 0);
    bench_make_topic(bench, "S", 3);
    bench_make_topic(bench, "OUT", 5);
    uint32_t source = bench_source(bench, "S", "K STRING KEY, V INT", false);
    PlanNode *node = bench_aggregate(bench, source, "K STRING KEY, N BIGINT, S INT",
                                     (const BenchCall[]){{"COUNT", NULL}, {"SUM", "V"}}, 2);
    if (windowed) {
        node->window = (PlanWindow){.kind = WINDOW_TUMBLING, .size_ms = 10, .advance_ms = 10,
                                    .grace_ms = 100, .retention_ms = 110};
        node->windowed = true;
    }
    bench_sink(bench, node->id, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
    bench_prepare(bench, 5); /* more than the source has: the sink's */
    bench_start(bench);
}

static void put_keyed(Bench *bench, const char *key, int value, int64_t timestamp) {
    char text[32], quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    snprintf(text, sizeof text, "{\"V\": %d}", value);
    bench_put(bench, "S", hash_partition(bytes_of(quoted), 3), quoted, text, timestamp);
}

/* The plan of a lookup in it; nodes go to a bench of their own. */
static void plan_lookup(Bench *lookup, const Bench *bench, const char *where_key) {
    *lookup = (Bench){.storage = bench->storage, .arena = bench->arena};
    PlanNode *store = bench_node(lookup, PLAN_STORE, "Store");
    store->schema = bench->nodes[1]->schema;
    store->windowed = bench->nodes[1]->windowed;
    store->is_table = true;
    store->store_path = "Aggregate";
    lookup->plan.lookup = (PlanLookup){.window_start_min = INT64_MIN,
                                       .window_start_max = INT64_MAX};
    if (where_key) {
        const Expr **keys = arena_array(lookup->arena, 3, sizeof *keys);
        keys[0] = keys[1] = bench_text(lookup, where_key);
        keys[2] = bench_text(lookup, "nobody");
        lookup->plan.lookup.by_key = true;
        lookup->plan.lookup.keys = keys;
        lookup->plan.lookup.key_count = 3;
    }
}

static const char *run_lookup(Bench *lookup, const Bench *bench) {
    static char text[65536];
    bench_plan(lookup, PLAN_PULL);
    LookupStore store = {&bench->plan, bench->first_id, bench->partitions};
    ResultRows rows;
    CHECK_OK(lookup_run(bench->runtime, &lookup->plan, &store, lookup->arena, &rows, err));
    Buf out = {0};
    bench_print_rows(&out, &rows);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    buf_free(&out);
    return text;
}

static void put_some(Bench *bench) {
    const char *const keys[] = {"pear", "fig", "apple", "kiwi", "plum"};
    for (int i = 0; i < 23; i++)
        put_keyed(bench, keys[i % 5], i, i);
    CHECK_OK(query_catch_up(bench->query, 1000, err));
}

static void by_key_and_by_scan(void **state) {
    (void)state;
    Bench bench, lookup;
    open_table(&bench, false);
    put_some(&bench);
    plan_lookup(&lookup, &bench, "fig");
    bench_result(&lookup, 0);
    assert_string_equal(run_lookup(&lookup, &bench), "fig,5,55");
    plan_lookup(&lookup, &bench, NULL);
    bench_result(&lookup, 0);
    assert_string_equal(run_lookup(&lookup, &bench),
                        "apple,5,60 fig,5,55 kiwi,4,42 pear,5,50 plum,4,46");
    bench_end(&bench);
}

static void filter_order_offset_limit(void **state) {
    (void)state;
    Bench bench, lookup;
    open_table(&bench, false);
    put_some(&bench);
    plan_lookup(&lookup, &bench, NULL);
    uint32_t filter = bench_filter(&lookup, 0,
                                   bench_compare(&lookup, bench_column(&lookup, 0, "S"),
                                                 OP_LESS, bench_int(&lookup, &type_int, 60)));
    uint32_t project = bench_project(&lookup, PLAN_PROJECT, filter, "S INT, K STRING, N BIGINT",
                                     BENCH_EXPRS(bench_column(&lookup, filter, "S"),
                                                 bench_column(&lookup, filter, "K"),
                                                 bench_column(&lookup, filter, "N")));
    bench_result(&lookup, project);
    static const PlanOrder order[] = {{2, true}, {0, false}};
    lookup.plan.order = order;
    lookup.plan.order_count = 2;
    assert_string_equal(run_lookup(&lookup, &bench),
                        "50,pear,5 55,fig,5 42,kiwi,4 46,plum,4");
    lookup.plan.limit = 2;
    lookup.plan.offset = 1;
    assert_string_equal(run_lookup(&lookup, &bench), "55,fig,5 42,kiwi,4");
    lookup.plan.offset = 9;
    assert_string_equal(run_lookup(&lookup, &bench), "");
    bench_end(&bench);
}

static void windows_in_order_of_key_then_start(void **state) {
    (void)state;
    Bench bench, lookup;
    open_table(&bench, true);
    put_some(&bench);
    plan_lookup(&lookup, &bench, "fig");
    lookup.plan.lookup.window_start_min = 5;
    uint32_t project = bench_project(&lookup, PLAN_PROJECT, 0,
                                     "K STRING KEY, WS BIGINT, WE BIGINT, N BIGINT",
                                     BENCH_EXPRS(bench_column(&lookup, 0, "K"),
                                                 bench_pseudo(&lookup, PSEUDO_WINDOWSTART),
                                                 bench_pseudo(&lookup, PSEUDO_WINDOWEND),
                                                 bench_column(&lookup, 0, "N")));
    bench_result(&lookup, project);
    assert_string_equal(run_lookup(&lookup, &bench), "fig,10,20,2 fig,20,30,1");
    lookup.plan.lookup.by_key = false;
    lookup.plan.lookup.window_start_max = 19;
    assert_string_equal(run_lookup(&lookup, &bench),
                        "apple,10,20,2 fig,10,20,2 kiwi,10,20,2 pear,10,20,2 plum,10,20,2");
    lookup.plan.lookup.window_start_min = INT64_MIN;
    lookup.plan.limit = 3;
    assert_string_equal(run_lookup(&lookup, &bench), "apple,0,10,2 apple,10,20,2 fig,0,10,2");
    bench_end(&bench);
}

/* More rows than one batch, and a materialised table. */
static void many_rows(void **state) {
    (void)state;
    Bench bench, lookup;
    bench_begin(&bench, 0);
    bench_make_topic(&bench, "S", 1);
    bench_make_topic(&bench, "OUT", 1);
    uint32_t source = bench_source(&bench, "S", "K STRING KEY, V INT", true);
    uint32_t table = bench_materialize(&bench, source, "Aggregate");
    bench_sink(&bench, table, "OUT");
    bench_plan(&bench, PLAN_PERSISTENT);
    bench_prepare(&bench, 1);
    bench_start(&bench);
    RecordBatch batch = {0};
    for (int i = 0; i < 3000; i++) {
        char key[16], value[32];
        snprintf(key, sizeof key, "\"%05d\"", i * 7 % 3000);
        snprintf(value, sizeof value, "{\"V\": %d}", i);
        record_batch_add(&batch, &(LogRecord){.timestamp = i, .key = bytes_of(key),
                                              .value = bytes_of(value)});
    }
    record_batch_seal(&batch);
    Commit *commit = commit_new(bench.storage, 0);
    commit_append(commit, (TopicPartition){bench_topic_id(&bench, "S"), 0}, &batch);
    CHECK_OK(commit_wait(commit, NULL, err));
    record_batch_free(&batch);
    bench_put(&bench, "S", 0, "\"00001\"", NULL, 5000);
    CHECK_OK(query_catch_up(bench.query, 1000, err));
    plan_lookup(&lookup, &bench, NULL);
    bench_result(&lookup, 0);
    const char *text = run_lookup(&lookup, &bench);
    assert_int_equal(strncmp(text, "00000,0 00002,", 14), 0);
    assert_string_equal(strrchr(text, ' ') + 1, "02999,857");
    plan_lookup(&lookup, &bench, "00001");
    bench_result(&lookup, 0);
    assert_string_equal(run_lookup(&lookup, &bench), "");
    bench_end(&bench);
}

/* -- Push queries ------------------------------------------------------------------------------ */

static void open_push(Bench *bench, ResultQueue *queue, int64_t limit) {
    bench_begin(bench, 0);
    bench_make_topic(bench, "S", 3);
    uint32_t source = bench_source(bench, "S", "K STRING KEY, V INT", false);
    bench_result(bench, source);
    bench->plan.limit = limit;
    bench_plan(bench, PLAN_PUSH);
    bench->query_options.results = queue;
}

static const char *take_all(Bench *bench, ResultQueue *queue, bool *ended) {
    Buf out = {0};
    ResultRows rows;
    do {
        bench_pump(bench);
        CHECK_OK(result_queue_take(queue, 0, &rows, ended, err));
        bench_print_rows(&out, &rows);
    } while (rows.count > 0);
    const char *text = arena_strdup(bench->arena, buf_cstr(&out));
    buf_free(&out);
    return text;
}

static void push_in_order_of_time(void **state) {
    (void)state;
    Bench bench;
    ResultQueue *queue = result_queue_new(2);
    open_push(&bench, queue, 0);
    bench_put(&bench, "S", 0, "\"a\"", "{\"V\": 1}", 30);
    bench_put(&bench, "S", 1, "\"b\"", "{\"V\": 2}", 10);
    bench_put(&bench, "S", 2, "\"c\"", NULL, 20);
    bench_put(&bench, "S", 1, NULL, "{\"V\": 4}", 30);
    bench_start(&bench);
    bool ended;
    assert_string_equal(take_all(&bench, queue, &ended), "b,2 a,1 -,4");
    assert_false(ended);
    bench_put(&bench, "S", 2, "\"d\"", "{\"V\": 5}", 1);
    assert_string_equal(take_all(&bench, queue, &ended), "d,5");
    bench_stop(&bench);
    ResultRows rows;
    CHECK_CODE(ERR_CANCELLED, result_queue_take(queue, 0, &rows, &ended, err));
    assert_true(ended);
    bench_end(&bench);
    result_queue_free(queue);
}

static void push_ends_at_its_limit(void **state) {
    (void)state;
    Bench bench;
    ResultQueue *queue = result_queue_new(100);
    open_push(&bench, queue, 3);
    for (int i = 0; i < 9; i++)
        put_keyed(&bench, "k", i, i);
    bench_start(&bench);
    bool ended;
    assert_string_equal(take_all(&bench, queue, &ended), "k,0 k,1 k,2");
    assert_true(ended);
    QueryFigures figures;
    query_figures(bench.query, &figures);
    assert_int_equal(figures.state, QUERY_FINISHED);
    bench_end(&bench);
    result_queue_free(queue);
}

static void bounded_push_ends_at_the_end(void **state) {
    (void)state;
    Bench bench;
    ResultQueue *queue = result_queue_new(100);
    open_push(&bench, queue, 0);
    bench.query_options.bounded = true;
    for (int i = 0; i < 4; i++)
        bench_put(&bench, "S", (uint32_t)i % 3, "\"k\"", i == 2 ? "{" : "{\"V\": 7}", i);
    bench_start(&bench);
    bench_put(&bench, "S", 0, "\"late\"", "{\"V\": 8}", 9);
    bool ended;
    assert_string_equal(take_all(&bench, queue, &ended), "k,7 k,7 k,7");
    assert_true(ended);
    bench_end(&bench);
    result_queue_free(queue);
}

/* COUNT(*) by V of a stream keyed by K, over three partitions: no internal topic is needed. */
static void push_aggregate_of_several_partitions(void **state) {
    (void)state;
    Bench bench;
    ResultQueue *queue = result_queue_new(100);
    bench_begin(&bench, 3);
    bench_make_topic(&bench, "S", 3);
    uint32_t source = bench_source(&bench, "S", "K STRING KEY, V INT", false);
    uint32_t moved = bench_project(&bench, PLAN_REPARTITION, source, "V INT KEY",
                                   BENCH_EXPRS(bench_column(&bench, source, "V")));
    PlanNode *count = bench_aggregate(&bench, moved, "V INT KEY, N BIGINT",
                                      (const BenchCall[]){{"COUNT", NULL}}, 1);
    bench_result(&bench, count->id);
    bench_plan(&bench, PLAN_PUSH);
    bench.query_options.results = queue;
    bench_prepare(&bench, 3);
    for (int i = 0; i < 6; i++) {
        char value[16];
        snprintf(value, sizeof value, "{\"V\": %d}", i % 2);
        bench_put(&bench, "S", (uint32_t)i % 3, "\"k\"", value, i);
    }
    bench_start(&bench);
    bool ended;
    assert_string_equal(take_all(&bench, queue, &ended), "0,1 1,1 0,2 1,2 0,3 1,3");
    bench_stop(&bench);
    result_queue_cancel(queue);
    bench_end(&bench);
    result_queue_free(queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_key_and_by_scan),
        cmocka_unit_test(filter_order_offset_limit),
        cmocka_unit_test(windows_in_order_of_key_then_start),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(push_in_order_of_time),
        cmocka_unit_test(push_ends_at_its_limit),
        cmocka_unit_test(bounded_push_ends_at_the_end),
        cmocka_unit_test(push_aggregate_of_several_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
