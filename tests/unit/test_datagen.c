/* test_datagen.c - generators at work: the machine stops anywhere, each row is there once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/io_mem.h"
#include "base/limits.h"
#include "base/thread.h"
#include "engine/datagen.h"
#include "engine/engine_impl.h"

enum { ROWS = BATCH_ROWS_MAX * 9, STOPS = 16 }; /* some commits */

static Weir *open_weir(Io *io, uint32_t workers) {
    EngineOptions options = {.workers = workers};
    Weir *weir;
    Err err;
    if (engine_open(io, "/data", &options, &weir, &err) != ERR_OK)
        fail_msg("%s", err.message);
    return weir;
}

static void run(Weir *weir, const char *sql) {
    WeirError error;
    if (weir_execute(weir, sql, NULL, &error) != WEIR_OK)
        fail_msg("%s: %s", sql, error.message);
}

static void make_stream(Weir *weir) {
    char sql[200];
    snprintf(sql, sizeof sql, "CREATE STREAM s (seq BIGINT, word STRING) WITH (SOURCE='datagen',"
             " PARTITIONS=3, ROWS=%d);", ROWS);
    run(weir, sql);
}

/* Row n is in partition n % 3. */
static void assert_all_once(Weir *weir) {
    WeirResult *result;
    WeirError error;
    Err err;
    int64_t placed = 0;
    for (int64_t n = 0; n < ROWS; n++)
        placed += n * (n % 3);
    run(weir, "CREATE TABLE t AS SELECT 1 AS one, COUNT(*) AS n, SUM(seq) AS total,"
              " MAX(seq) AS last, SUM(seq * ROWPARTITION) AS placed FROM s GROUP BY 1;");
    if (weir->options.workers == 0)
        assert_int_equal(engine_pump(weir, &err), ERR_OK);
    assert_int_equal(weir_execute(weir, "SELECT n, total, last, placed FROM t;", &result, &error),
                     WEIR_OK);
    assert_int_equal(weir_next(result, 5000, &error), WEIR_ROW);
    assert_int_equal(weir_integer(result, 0), ROWS);
    assert_int_equal(weir_integer(result, 1), (int64_t)ROWS * (ROWS - 1) / 2);
    assert_int_equal(weir_integer(result, 2), ROWS - 1);
    assert_int_equal(weir_integer(result, 3), placed);
    weir_result_free(result);
}

static int64_t rows_of(Weir *weir) {
    DatagenFigures figures;
    assert_true(datagen_figures(weir->datagen, "S", &figures));
    return figures.rows;
}

/* The n-th change of the disk stops the machine. */
static void goes_on_after_a_crash(void **state) {
    (void)state;
    uint32_t in_the_middle = 0;
    for (uint64_t nth = 1; nth <= STOPS; nth++) {
        Io *io = io_mem_new();
        Err err;
        io_mem_start_faults(io, nth);
        Weir *weir = open_weir(io, 0);
        make_stream(weir);
        io_mem_crash_at(io, nth);
        (void)!engine_pump(weir, &err);
        weir_close(weir);
        io_mem_crash(io, nth, NULL);
        weir = open_weir(io, 0);
        in_the_middle += rows_of(weir) > 0 && rows_of(weir) < ROWS;
        assert_int_equal(engine_pump(weir, &err), ERR_OK);
        assert_int_equal(rows_of(weir), ROWS);
        assert_all_once(weir);
        weir_close(weir);
        io_mem_free(io);
    }
    assert_true(in_the_middle > 1);
}

/* A commit that fails is made again. */
static void tries_again(void **state) {
    (void)state;
    Io *io = io_mem_new();
    DatagenFigures figures;
    Err err;
    io_mem_start_faults(io, 1);
    io_mem_set_clock(io, 1000);
    Weir *weir = open_weir(io, 0);
    make_stream(weir);
    Commit *commit = commit_new(weir->storage, 0);
    LogTopic topic;
    assert_true(log_topic_find(weir->storage, "S", &topic));
    commit_topic_delete(commit, topic.id);
    assert_int_equal(commit_wait(commit, NULL, &err), ERR_OK);
    assert_int_equal(datagen_pump(weir->datagen, &err), ERR_OK);
    assert_true(datagen_figures(weir->datagen, "S", &figures));
    assert_int_equal(figures.state, DATAGEN_ERROR);
    assert_int_equal(figures.error.code, ERR_NOT_FOUND);
    assert_int_not_equal(datagen_catch_up(weir->datagen, "S", 10, &err), ERR_OK);
    weir_close(weir);
    io_mem_free(io);
}

/* DROP, PAUSE and closing come while it writes. */
static void ends_while_it_writes(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Weir *weir = open_weir(io, 2);
    for (int i = 0; i < 20; i++) {
        run(weir, "CREATE STREAM s (seq BIGINT, word STRING) WITH (SOURCE='datagen', PARTITIONS=2,"
                  " ROWS=100000000);");
        run(weir, i % 2 ? "PAUSE s;" : "PAUSE s; RESUME s;");
        run(weir, "DROP STREAM s DELETE TOPIC;");
    }
    make_stream(weir);
    WeirError error;
    assert_int_equal(weir_catch_up(weir, 20000, &error), WEIR_OK);
    assert_int_equal(rows_of(weir), ROWS);
    assert_all_once(weir);
    run(weir, "CREATE STREAM more (seq BIGINT) WITH (SOURCE='datagen', ROWS=100000000);");
    weir_close(weir);
    weir = open_weir(io, 2);
    run(weir, "PAUSE more;");
    assert_int_equal(rows_of(weir), ROWS);
    weir_close(weir);
    io_mem_free(io);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_after_a_crash),
        cmocka_unit_test(tries_again),
        cmocka_unit_test(ends_while_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
