/*
 * test_replace.c - CREATE OR REPLACE of a query with internal topics, while rows come: each row is
 * written once, by the old plan or by the new one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/thread.h"
#include "engine/weir.h"

enum { ROWS = 40000, CHUNK = 2000, REPLACES = 30 };

static void done(Weir *weir, const char *sql) {
    WeirError error;
    if (weir_execute(weir, sql, NULL, &error) != WEIR_OK)
        fail_msg("%s: %s: %s", sql, error.code, error.message);
}

static void *insert_rows(void *context) {
    Weir *weir = context;
    for (int row = 0; row < ROWS;) {
        char text[CHUNK * 40];
        size_t used = 0;
        for (int i = 0; i < CHUNK; i++, row++)
            used += (size_t)snprintf(text + used, sizeof text - used,
                                     "{\"K\":%d,\"A\":%d,\"B\":1}\n", row % 7, row);
        WeirError error;
        if (weir_insert(weir, "S", text, &error) != WEIR_OK)
            abort();
    }
    return NULL;
}

/* Each A once: their count and sum in the result, however they were written. */
static void assert_all_once(Weir *weir) {
    WeirResult *result;
    WeirError error;
    WeirStatus status;
    int64_t count = 0, sum = 0;
    assert_int_equal(weir_execute(weir, "SELECT * FROM sums;", &result, &error), WEIR_OK);
    while ((status = weir_next(result, 5000, &error)) == WEIR_ROW) {
        count += weir_integer(result, 1);
        sum += weir_integer(result, 2);
    }
    assert_int_equal(status, WEIR_END);
    assert_int_equal(count, ROWS);
    assert_int_equal(sum, (int64_t)ROWS * (ROWS - 1) / 2);
    weir_result_free(result);
}

static void test_rows_in_flight(void **state) {
    static const char *const replaces[] = {
        "STREAM o AS SELECT b, a, 1 AS one FROM s PARTITION BY b",
        "TABLE sums AS SELECT one % 2, COUNT(*), SUM(a) FROM o GROUP BY one % 2 HAVING SUM(a) > 0",
        "STREAM o AS SELECT b, a, k + 0 AS one FROM s WHERE a >= 0 PARTITION BY b",
        "TABLE sums AS SELECT one % 2, COUNT(*), SUM(a) FROM o WHERE one >= 0 GROUP BY one % 2",
    };
    (void)state;
    WeirOptions options = {.workers = 2};
    Weir *weir;
    assert_int_equal(weir_open(NULL, &options, &weir, NULL), WEIR_OK);
    done(weir, "CREATE STREAM s (k INT KEY, a BIGINT, b INT)"
               " WITH (KAFKA_TOPIC='s', PARTITIONS=2, VALUE_FORMAT='JSON');"
               "CREATE STREAM o AS SELECT b, a, 0 AS one FROM s PARTITION BY b;"
               "CREATE TABLE sums AS SELECT one % 2, COUNT(*), SUM(a) FROM o GROUP BY one % 2;");
    Thread thread;
    thread_start(&thread, "insert", insert_rows, weir);
    for (int i = 0; i < REPLACES; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "CREATE OR REPLACE %s;", replaces[i % 4]);
        done(weir, sql);
    }
    thread_join(&thread);
    assert_all_once(weir);
    weir_close(weir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
