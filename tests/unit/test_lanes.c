/* test_lanes.c - windows behind a repartition: however many tasks write the internal topic, their
 * rows are merged by time, and none is late that would not be with one partition. */
#include "tests/unit/query_bench.h"

enum { ROWS = 3000, GROUPS = 3, WINDOW_MS = 500 };

static void open_engine(Bench *bench, uint32_t partitions, uint32_t workers, int64_t skew_ms) {
    bench_begin(bench, 0);
    bench->options.task_skew_max_ms = skew_ms;
    runtime_free(bench->runtime);
    storage_close(bench->storage);
    bench->storage = bench_open(bench->io, &(StorageOptions){.threads = workers > 0});
    bench->options.workers = workers;
    bench->runtime = runtime_new(bench->io, bench->storage, &bench->options);
    bench_make_topic(bench, "S", partitions);
    bench_make_topic(bench, "T", partitions);
    bench_make_topic(bench, "OUT", partitions);
}

/* COUNT(*) by G in windows without grace, of this node. */
static void plan_windows(Bench *bench, uint32_t source, uint32_t partitions) {
    uint32_t moved = bench_project(bench, PLAN_REPARTITION, source, "G INT KEY",
                                   BENCH_EXPRS(bench_column(bench, source, "G")));
    PlanNode *node = bench_aggregate(bench, moved, "G INT KEY, N BIGINT",
                                     (const BenchCall[]){{"COUNT", NULL}}, 1);
    node->window = (PlanWindow){.kind = WINDOW_TUMBLING, .size_ms = WINDOW_MS,
                                .advance_ms = WINDOW_MS, .retention_ms = 1000000};
    node->windowed = true;
    bench_sink(bench, node->id, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
    bench_prepare(bench, partitions);
}

/* Over stream S keyed by K. */
static void open_world(Bench *bench, uint32_t partitions, uint32_t workers, int64_t skew_ms) {
    open_engine(bench, partitions, workers, skew_ms);
    plan_windows(bench, bench_source(bench, "S", "K INT KEY, G INT", false), partitions);
}

/* Over stream S joined with table T. */
static void open_joined(Bench *bench, uint32_t partitions, uint32_t workers) {
    open_engine(bench, partitions, workers, 0);
    uint32_t left = bench_source(bench, "S", "K INT KEY, G INT", false);
    uint32_t right = bench_source(bench, "T", "K INT KEY, V INT", true);
    uint32_t join = bench_join(bench, left, right, JOIN_LEFT, bench_column(bench, left, "K"),
                               "JK INT KEY, K INT, G INT, T_K INT, T_V INT");
    plan_windows(bench, join, partitions);
    bench->query_options.table_first = true;
    bench->query_options.commit_interval_ms = -1;
}

/* Each partition has a long run of time: read one after the other, almost all would be late. */
static void put_rows(Bench *bench, uint32_t partitions, int from, int to) {
    for (uint32_t partition = 0; partition < partitions; partition++) {
        RecordBatch batch = {0};
        for (int i = from; i < to; i++) {
            if ((uint32_t)(i * 7 % 11) % partitions != partition)
                continue;
            char key[16], value[32];
            snprintf(key, sizeof key, "%d", i);
            snprintf(value, sizeof value, "{\"G\": %d}", i % GROUPS);
            record_batch_add(&batch, &(LogRecord){.timestamp = i * 10, .key = bytes_of(key),
                                                  .value = bytes_of(value)});
        }
        record_batch_seal(&batch);
        Commit *commit = commit_new(bench->storage, 0);
        commit_append(commit, (TopicPartition){bench_topic_id(bench, "S"), partition}, &batch);
        CHECK_OK(commit_wait(commit, NULL, err));
        record_batch_free(&batch);
    }
}

/* The sum over all windows of their last counts: every row once. */
static int64_t rows_counted(Bench *bench, uint32_t partitions) {
    static int64_t last[GROUPS][ROWS * 10 / WINDOW_MS + 1];
    memset(last, 0, sizeof last);
    for (uint32_t partition = 0; partition < partitions; partition++) {
        char *text = arena_strdup(bench->arena, bench_records(bench, "OUT", partition, true));
        for (char *record = strtok(text, " "); record; record = strtok(NULL, " ")) {
            int group = 0, count = 0;
            long start = 0;
            assert_int_equal(sscanf(record, "%d@%ld|{\"N\":%d}", &group, &start, &count), 3);
            assert_true(last[group][start / WINDOW_MS] < count);
            last[group][start / WINDOW_MS] = count;
        }
    }
    int64_t sum = 0;
    for (int group = 0; group < GROUPS; group++) {
        for (size_t i = 0; i < sizeof last[0] / sizeof last[0][0]; i++)
            sum += last[group][i];
    }
    return sum;
}

static void no_row_is_late(void **state) {
    (void)state;
    const uint32_t worlds[][2] = {{1, 0}, {2, 0}, {3, 0}, {3, 1}, {3, 2}, {8, 2}};
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
        Bench bench;
        open_world(&bench, worlds[i][0], worlds[i][1], 0);
        put_rows(&bench, worlds[i][0], 0, ROWS / 2);
        bench_start(&bench);
        CHECK_OK(query_catch_up(bench.query, 20000, err));
        bench_stop(&bench);
        put_rows(&bench, worlds[i][0], ROWS / 2, ROWS);
        bench_start(&bench);
        CHECK_OK(query_catch_up(bench.query, 20000, err));
        QueryFigures figures;
        query_figures(bench.query, &figures);
        assert_int_equal(figures.late_rows, 0);
        assert_int_equal(figures.lag, 0);
        assert_int_equal(rows_counted(&bench, worlds[i][0]), ROWS);
        bench_end(&bench);
    }
}

/* Tasks that hold each other back: slower, and the same. */
static void no_row_is_late_with_a_skew_limit(void **state) {
    (void)state;
    for (uint32_t workers = 0; workers < 3; workers++) {
        Bench bench;
        open_world(&bench, 3, workers, 200);
        put_rows(&bench, 3, 0, 300);
        bench_start(&bench);
        CHECK_OK(query_catch_up(bench.query, 20000, err));
        QueryFigures figures;
        query_figures(bench.query, &figures);
        assert_int_equal(figures.late_rows, 0);
        assert_int_equal(rows_counted(&bench, 3), 300);
        bench_end(&bench);
    }
}

/* One partition has a long table, of a later time, to read before its first row: others wait. */
static void rows_wait_for_who_still_reads_a_table(void **state) {
    (void)state;
    for (uint32_t workers = 0; workers < 3; workers++) {
        Bench bench;
        open_joined(&bench, 3, workers);
        RecordBatch batch = {0};
        for (int i = 0; i < 5 * ROWS; i++) {
            char key[16];
            snprintf(key, sizeof key, "%d", i);
            record_batch_add(&batch, &(LogRecord){.timestamp = 1000000000, .key = bytes_of(key),
                                                  .value = bytes_of("{\"V\": 1}")});
        }
        record_batch_seal(&batch);
        Commit *commit = commit_new(bench.storage, 0);
        commit_append(commit, (TopicPartition){bench_topic_id(&bench, "T"), 0}, &batch);
        CHECK_OK(commit_wait(commit, NULL, err));
        record_batch_free(&batch);
        put_rows(&bench, 3, 0, ROWS);
        bench_start(&bench);
        CHECK_OK(query_catch_up(bench.query, 20000, err));
        QueryFigures figures;
        query_figures(bench.query, &figures);
        assert_int_equal(figures.late_rows, 0);
        assert_int_equal(rows_counted(&bench, 3), ROWS);
        bench_end(&bench);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_row_is_late),
        cmocka_unit_test(no_row_is_late_with_a_skew_limit),
        cmocka_unit_test(rows_wait_for_who_still_reads_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
