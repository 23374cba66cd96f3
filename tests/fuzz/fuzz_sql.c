/*
 * fuzz_sql.c - any text as a script: parsed, bound, planned and executed over a few rows.
 *
 * Each input is a script for an engine of its own, in memory, with two streams and two tables that
 * hold some rows. Statements that fail are passed over; results are read, queries run until they
 * have nothing left to do, and the engine is opened again, so that what was stored is read as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/testkit.h"

enum { STATEMENTS_MAX = 40, ROWS_MAX = 200, SCRIPT_MAX = 8192 };

static const char prelude[] =
    "CREATE STREAM s (k STRING KEY, a INT, b BIGINT, d DOUBLE, m DECIMAL(5, 2), t STRING, y BYTES, "
    "f BOOLEAN, da DATE, ti TIME, ts TIMESTAMP, r STRUCT<x INT, y STRING>, l ARRAY<INT>, "
    "p MAP<STRING, INT>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);"
    "CREATE TABLE t (id INT PRIMARY KEY, n STRING, v BIGINT) "
    "WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);"
    "CREATE STREAM c (a INT, b STRING) "
    "WITH (KAFKA_TOPIC='c', VALUE_FORMAT='DELIMITED', PARTITIONS=2);"
    "CREATE TABLE q AS SELECT a, COUNT(*) AS n, SUM(b) AS total FROM s GROUP BY a;";

static const char rows_s[] =
    "{\"k\":\"a\",\"a\":1,\"b\":2,\"d\":1.5,\"m\":2.50,\"t\":\"abc\",\"y\":\"YWJj\",\"f\":true,"
    "\"da\":1,\"ti\":1000,\"ts\":1600000000000,\"r\":{\"x\":1,\"y\":\"z\"},\"l\":[1,2,null],"
    "\"p\":{\"a\":1}}\n{\"k\":\"b\",\"a\":1}\n{\"k\":null,\"a\":-7,\"t\":\"\",\"l\":[]}\n";

/* Not for the input's sake: a prelude that does not run is a mistake of this file. */
static void must(bool good, const char *text) {
    if (good)
        return;
    fprintf(stderr, "fuzz_sql: %s\n", text);
    abort();
}

static void read_rows(WeirResult *result) {
    WeirError error;
    for (int i = 0; i < ROWS_MAX && weir_next(result, 0, &error) == WEIR_ROW; i++) {
        for (uint32_t column = 0; column < weir_column_count(result); column++)
            (void)weir_text(result, column);
        (void)weir_json_row(result);
    }
}

/* Whether the script may have changed anything: a statement without rows was done. */
static bool run_script(Weir *weir, const char *sql, size_t size) {
    WeirScript script = {.sql = sql, .size = size};
    bool changed = false;
    Err err;
    for (int i = 0; i < STATEMENTS_MAX && script.next < size; i++) {
        WeirResult *result = NULL;
        bool done = false;
        size_t before = script.next;
        ErrCode code = engine_execute_next(weir, &script, &result, &done, &err);
        if (code == ERR_OK && done)
            break;
        must(code == ERR_OK || err.message[0], "an error without a text");
        must(script.next > before, "the script does not get on");
        if (code != ERR_OK || !result)
            continue;
        (void)weir_message(result);
        changed |= weir_column_count(result) == 0;
        ErrCode ran = engine_pump(weir, &err);
        must(ran == ERR_OK || err.message[0], "a failure without a text");
        read_rows(result);
        weir_result_free(result);
    }
    return changed;
}

static Testkit *new_kit(void) {
    TestkitOptions options = {.step_rows = 7};
    Testkit *kit = NULL;
    Err err = {0};
    WeirError error;
    must(testkit_new(&options, &kit, &err) == ERR_OK, err.message);
    must(testkit_execute(kit, prelude, NULL, &err) == ERR_OK, err.message);
    must(weir_insert(testkit_weir(kit), "S", rows_s, &error) == WEIR_OK, "rows of S");
    must(weir_insert(testkit_weir(kit), "T", "{\"id\":1,\"n\":\"x\",\"v\":5}\n", &error) == WEIR_OK,
         "rows of T");
    return kit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Testkit *kit; /* stays while nothing was changed: making one takes most of the time */
    Err err = {0};
    if (size > SCRIPT_MAX || (size > 0 && memchr(data, 0, size)))
        return 0;
    char *sql = malloc(size + 1);
    must(sql != NULL, "no memory");
    if (size > 0)
        memcpy(sql, data, size);
    sql[size] = 0;
    if (!kit)
        kit = new_kit();
    if (run_script(testkit_weir(kit), sql, size)) {
        ErrCode ran = testkit_run(kit, &err);
        must(ran == ERR_OK || err.message[0], "a failure without a text");
        must(testkit_restart(kit, &err) == ERR_OK, err.message);
        testkit_free(kit);
        kit = NULL;
    }
    free(sql);
    return 0;
}
