/* test_window_crash.c - the machine stops anywhere: every kind of window comes back, byte for byte,
 * whatever the steps are. */
#include "base/hash.h"
#include "tests/unit/crash_bench.h"

enum { ROWS = 48, TURN_ROWS = 8, NTH_MAX = 400 };

typedef struct Case {
    const char *name;
    PlanWindow window;
    uint32_t stops_min; /* changes of the disk at which the machine stops */
} Case;

static const Case cases[] = {
    {"hopping", {.kind = WINDOW_HOPPING, .size_ms = 10, .advance_ms = 4, .grace_ms = 3,
                 .retention_ms = 13}, 15},
    {"session", {.kind = WINDOW_SESSION, .size_ms = 4, .advance_ms = 4, .grace_ms = 6,
                 .retention_ms = 10}, 15},
    {"tumbling final", {.kind = WINDOW_TUMBLING, .size_ms = 5, .advance_ms = 5, .grace_ms = 3,
                        .retention_ms = 8, .final = FINAL_COMPLETE}, 15},
    {"hopping final", {.kind = WINDOW_HOPPING, .size_ms = 9, .advance_ms = 2, .grace_ms = 2,
                       .retention_ms = 11, .final = FINAL_KSQLDB}, 15},
    {"session final", {.kind = WINDOW_SESSION, .size_ms = 3, .advance_ms = 3, .grace_ms = 4,
                       .retention_ms = 7, .final = FINAL_COMPLETE}, 15},
};

static void plan_case(Bench *bench, const Case *one) {
    uint32_t source = bench_source(bench, "S", "K STRING KEY, V INT, NAME STRING", false);
    PlanNode *node = bench_aggregate(bench, source, "K STRING KEY, N BIGINT, S INT, M STRING",
                                     (const BenchCall[]){{"COUNT", NULL}, {"SUM", "V"},
                                                         {"MAX", "NAME"}}, 3);
    node->window = one->window;
    node->windowed = true;
    bench_sink(bench, node->id, "OUT");
    bench_plan(bench, PLAN_PERSISTENT);
}

static void open_world(Bench *bench, const Case *one, uint64_t seed) {
    crash_open(bench, seed);
    bench_make_topic(bench, "S", 1);
    bench_make_topic(bench, "OUT", 1);
    plan_case(bench, one);
    bench_prepare(bench, 1);
}

/* Out of order, with jumps that end sessions and windows. */
static void put_row(Bench *bench, void *context, int number) {
    (void)context;
    char key[16], value[64];
    snprintf(key, sizeof key, "\"k%d\"", number * 5 % 3);
    snprintf(value, sizeof value, "{\"V\": %d, \"NAME\": \"n%d\"}", number % 3, number * 7 % 10);
    bench_put(bench, "S", 0, key, value, number + number / 12 * 9 + number * 7 % 5);
}

/* The nth change of the disk stops the machine; false: it never came to that. */
static bool run_until(Bench *bench, uint64_t nth) {
    return crash_run(bench, &(CrashRun){ROWS, TURN_ROWS, put_row, NULL, nth, nth});
}

static void byte_for_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *undisturbed = NULL;
        bool stopped = true;
        uint64_t nth = 0;
        for (; stopped && nth < NTH_MAX; nth += nth == 0 ? 1 + i % 2 : 2) { /* odd ones or even */
            Bench bench;
            open_world(&bench, &cases[i], 100 + nth);
            stopped = run_until(&bench, nth);
            const char *records = bench_records(&bench, "OUT", 0, true);
            if (nth == 0)
                undisturbed = mem_strdup(records);
            if (strcmp(records, undisturbed) != 0)
                fail_msg("%s, stopped at %d:\n%s\nnot\n%s", cases[i].name, (int)nth, records,
                         undisturbed);
            stopped = stopped || nth == 0;
            bench_end(&bench);
        }
        assert_true(nth > cases[i].stops_min && nth < NTH_MAX);
        assert_true(strlen(undisturbed) > 300);
        mem_free(undisturbed);
    }
}

/* -- A window that one commit does not hold ---------------------------------------------------- */

enum { LARGE_GROUPS = 60, LARGE_BYTES = STEP_OUTPUT_BYTES_MAX / 160 };

static const Case large[] = {
    {"large window", {.kind = WINDOW_TUMBLING, .size_ms = 500, .advance_ms = 500, .grace_ms = 0,
                      .retention_ms = 500, .final = FINAL_COMPLETE}, 0},
    {"large sessions", {.kind = WINDOW_SESSION, .size_ms = 50, .advance_ms = 50, .grace_ms = 0,
                        .retention_ms = 50, .final = FINAL_COMPLETE}, 0},
};

static void put_large(Bench *bench) {
    char *value = mem_alloc(LARGE_BYTES + 64);
    char key[16];
    for (int i = 0; i < LARGE_GROUPS; i++) {
        int head = snprintf(value, 64, "{\"V\": 1, \"NAME\": \"");
        memset(value + head, 'a' + i % 26, LARGE_BYTES);
        snprintf(value + head + LARGE_BYTES, 3, "\"}");
        snprintf(key, sizeof key, "\"k%02d\"", i);
        bench_put(bench, "S", 0, key, value, i * 7);
    }
    bench_put(bench, "S", 0, "\"z\"", "{\"V\": 1}", 100000);
    bench_put(bench, "S", 0, "\"z\"", "{\"V\": 2}", 200000);
    mem_free(value);
}

/* Keys and sizes of the values in order. */
static uint64_t run_large(const Case *one, uint64_t nth, uint64_t *changes) {
    Bench bench;
    open_world(&bench, one, 0);
    put_large(&bench);
    uint64_t before = io_mem_changes(bench.io);
    io_mem_crash_at(bench.io, nth);
    if (!crash_start_and_pump(&bench)) {
        crash_reopen(&bench, nth);
        assert_true(crash_start_and_pump(&bench));
    }
    *changes = io_mem_changes(bench.io) - before;
    const char *records = bench_records(&bench, "OUT", 0, true);
    assert_true(strlen(records) > (size_t)LARGE_GROUPS * LARGE_BYTES);
    uint64_t hash = hash_bytes(bytes_of(records));
    bench_end(&bench);
    return hash;
}

static void large_windows_resume(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        uint64_t changes, ignored;
        uint64_t undisturbed = run_large(&large[i], 0, &changes);
        assert_true(changes > 4);
        for (uint64_t nth = 1; nth < changes; nth += 1 + changes / 5)
            assert_int_equal(run_large(&large[i], nth, &ignored), undisturbed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(byte_for_byte),
                                       cmocka_unit_test(large_windows_resume)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
