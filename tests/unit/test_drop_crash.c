/* test_drop_crash.c - the machine stops in the middle of DROP ... CASCADE and of retention: all of
 * it has happened, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/io_mem.h"
#include "engine/engine.h"

enum { CHANGES_MAX = 400 };

static const char script[] =
    "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', "
    "  PARTITIONS=2);"
    "CREATE STREAM high WITH (KAFKA_TOPIC='high', RETENTION_MS=1000) AS SELECT * FROM s;"
    "CREATE TABLE counts WITH (KAFKA_TOPIC='counts') AS SELECT v, COUNT(*) AS n FROM high "
    "  GROUP BY v;"
    "INSERT INTO s (ROWTIME, k, v) VALUES (0, 'a', 1); INSERT INTO s (ROWTIME, k, v) VALUES (1, "
    "  'b', 1);";

/* NULL: it cannot be opened; the machine has stopped. */
static Weir *open_weir(Io *io) {
    EngineOptions options = {.checkpoint_bytes = 4000};
    Weir *weir = NULL;
    Err err;
    return engine_open(io, "data", &options, &weir, &err) == ERR_OK ? weir : NULL;
}

static bool run(Weir *weir, const char *sql) {
    WeirError error;
    Err err;
    return weir_execute(weir, sql, NULL, &error) == WEIR_OK && engine_pump(weir, &err) == ERR_OK;
}

/* "A B ": the first column of what a statement answers. */
static void list(Weir *weir, const char *sql, char *target, size_t size) {
    WeirResult *result;
    WeirError error;
    size_t used = 0;
    assert_int_equal(weir_execute(weir, sql, &result, &error), WEIR_OK);
    target[0] = '\0';
    while (weir_next(result, 0, &error) == WEIR_ROW && used < size)
        used += (size_t)snprintf(target + used, size - used, "%s ", weir_text(result, 0));
    weir_result_free(result);
}

static void check(Weir *weir, bool must_be_gone) {
    char streams[100], tables[100], queries[100], topics[300];
    list(weir, "SHOW STREAMS;", streams, sizeof streams);
    list(weir, "SHOW TABLES;", tables, sizeof tables);
    list(weir, "SHOW QUERIES;", queries, sizeof queries);
    list(weir, "SHOW ALL TOPICS;", topics, sizeof topics);
    bool gone = streams[0] == '\0';
    assert_true(gone || !must_be_gone);
    assert_string_equal(streams, gone ? "" : "HIGH S ");
    assert_string_equal(tables, gone ? "" : "COUNTS ");
    assert_string_equal(queries, gone ? "" : "CSAS_HIGH_0 CTAS_COUNTS_1 ");
    assert_string_equal(topics, gone ? ""
                                     : "_weir-CTAS_COUNTS_1-Aggregate-GroupBy-repartition "
                                       "counts high s ");
}

/* Stops at the n-th change of the disk; false: the statement was done before that. */
static bool stops_at(unsigned change) {
    Io *io = io_mem_new();
    io_mem_start_faults(io, change);
    io_mem_set_clock(io, 500);
    Weir *weir = open_weir(io);
    assert_non_null(weir);
    assert_true(run(weir, script));
    io_mem_crash_at(io, change);
    io_mem_set_clock(io, 5000); /* the records of HIGH are too old */
    bool done = run(weir, "SHOW TOPICS;") &&
                run(weir, "DROP STREAM s DELETE TOPIC CASCADE;");
    bool stopped = io_mem_stopped(io);
    weir_close(weir);
    io_mem_crash(io, change * 7 + 1, NULL);
    weir = open_weir(io);
    assert_non_null(weir);
    check(weir, done);
    Err err;
    assert_int_equal(engine_pump(weir, &err), ERR_OK); /* what is there still works */
    assert_true(run(weir, "DROP STREAM IF EXISTS s DELETE TOPIC CASCADE;"));
    check(weir, true);
    weir_close(weir);
    io_mem_free(io);
    return stopped;
}

static void cascade_is_whole_or_nothing(void **state) {
    (void)state;
    unsigned change = 1;
    while (change < CHANGES_MAX && stops_at(change))
        change += 1 + change / 16;
    assert_true(change > 3 && change < CHANGES_MAX); /* it was cut off, and it came to its end */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cascade_is_whole_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
