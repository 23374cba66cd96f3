/* test_observe.c - hints, warnings, progress and EXPLAIN ANALYZE through weir.h. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/weir.h"

#define SCORES                                                                            \
    "CREATE STREAM scores (player STRING KEY, points INT)"                                \
    " WITH (KAFKA_TOPIC='scores', PARTITIONS=1, VALUE_FORMAT='JSON');"
#define RAW                                                                               \
    "CREATE STREAM raw (player STRING KEY, t STRING)"                                     \
    " WITH (KAFKA_TOPIC='scores', VALUE_FORMAT='KAFKA');"
#define USERS                                                                             \
    "CREATE TABLE users (id STRING PRIMARY KEY, name STRING)"                             \
    " WITH (KAFKA_TOPIC='users', PARTITIONS=1, VALUE_FORMAT='JSON');"
#define ROWS                                                                              \
    "INSERT INTO scores (ROWTIME, player, points) VALUES (50000, 'x', 1);"                \
    "INSERT INTO scores (ROWTIME, player, points) VALUES (10, 'y', 2);"

static Weir *open_weir(const WeirOptions *options) {
    Weir *weir;
    WeirError error;
    if (weir_open(NULL, options, &weir, &error) != WEIR_OK)
        fail_msg("%s", error.message);
    return weir;
}

static WeirResult *run(Weir *weir, const char *sql) {
    WeirResult *result;
    WeirError error;
    if (weir_execute(weir, sql, &result, &error) != WEIR_OK)
        fail_msg("%s: %s", sql, error.message);
    return result;
}

static void done(Weir *weir, const char *sql) {
    weir_result_free(run(weir, sql));
}

static void assert_hint(Weir *weir, const char *sql, const char *want) {
    WeirResult *result = run(weir, sql);
    WeirError error;
    for (int i = 0; i < 100 && !weir_is_caught_up(result); i++)
        assert_int_not_equal(weir_next(result, 10, &error), WEIR_FAILED);
    assert_string_equal(weir_hint(result), want);
    weir_result_free(result);
}

static void hints_name_the_cause(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    done(weir, SCORES RAW USERS);
    assert_hint(weir, "SELECT * FROM scores EMIT CHANGES;", "No rows yet. Topic scores is empty.");
    done(weir, ROWS);
    assert_hint(weir, "SELECT * FROM scores WHERE points > 9 EMIT CHANGES;",
                "No rows yet. Topic scores holds 2 records. 2 read: 2 rows filtered by "
                "(POINTS > 9).");
    assert_hint(weir, "SELECT name FROM scores JOIN users ON player = id EMIT CHANGES;",
                "No rows yet. Topic scores holds 2 records. Topic users is empty. 2 read: 2 rows "
                "without a match in USERS (left out).");
    assert_hint(weir, "SELECT player, COUNT(*) FROM scores WINDOW TUMBLING (SIZE 5 SECONDS, GRACE "
                "PERIOD 1 SECOND) GROUP BY player HAVING COUNT(*) > 1 EMIT CHANGES;",
                "No rows yet. Topic scores holds 2 records. 2 read: 1 row late (grace 1 s), 1 row "
                "filtered by (COUNT(*) > 1). A longer GRACE PERIOD of the window takes "
                "rows that come late.");
    done(weir, "SET 'auto.offset.reset'='latest';");
    assert_hint(weir, "SELECT * FROM scores EMIT CHANGES;",
                "No rows yet. Topic scores holds 2 records. The query began at their ends: SET "
                "'auto.offset.reset'='earliest'; reads what they hold.");
    weir_close(weir);
}

static void records_that_cannot_be_read_say_why(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    done(weir, SCORES RAW "INSERT INTO raw (player, t) VALUES ('a', '{bad');");
    assert_hint(weir, "SELECT * FROM scores EMIT CHANGES;",
                "No rows yet. Topic scores holds 1 record. 1 read: 1 record of SCORES could not be "
                "read (Not JSON: member name expected at byte 1).");
    weir_close(weir);
}

static void warnings_leave_out_what_is_meant(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, SCORES USERS ROWS);
    WeirResult *result = run(weir, "SELECT player, name FROM scores LEFT JOIN users ON player = id "
                             "WHERE points > 1 EMIT CHANGES LIMIT 1;");
    while (weir_next(result, -1, &error) == WEIR_ROW)
        continue;
    assert_string_equal(weir_warnings(result), "2 rows without a match in USERS (NULLs)");
    weir_result_free(result);
    result = run(weir, "SHOW TOPICS;");
    assert_string_equal(weir_warnings(result), "");
    weir_result_free(result);
    weir_close(weir);
}

/* The cell of the row of SHOW QUERIES whose id this is; "none": there is no such row. */
static void assert_query(Weir *weir, const char *id, uint32_t column, const char *want) {
    WeirError error;
    bool found = false;
    WeirResult *result = run(weir, "SHOW QUERIES;");
    while (weir_next(result, -1, &error) == WEIR_ROW) {
        if (strcmp(weir_text(result, 0), id) != 0)
            continue;
        assert_string_equal(weir_text(result, column), want);
        found = true;
    }
    assert_int_equal(found, strcmp(want, "none") != 0);
    weir_result_free(result);
}

/* Push queries are seen while somebody holds their results, and TERMINATE ends them. */
static void push_queries_are_shown(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, SCORES "CREATE STREAM o AS SELECT * FROM scores;");
    WeirResult *first = run(weir, "SELECT * FROM scores EMIT CHANGES;");
    WeirResult *second = run(weir, "SELECT player FROM scores EMIT CHANGES LIMIT 1;");
    assert_query(weir, "CSAS_O_0", 1, "PERSISTENT");
    assert_query(weir, "transient_SCORES_1", 1, "PUSH");
    assert_query(weir, "transient_SCORES_1", 2, "RUNNING");
    assert_query(weir, "transient_SCORES_1", 7, "SELECT * FROM scores EMIT CHANGES");
    assert_query(weir, "transient_SCORES_2", 3, "");
    done(weir, ROWS);
    while (weir_next(second, -1, &error) == WEIR_ROW)
        continue;
    assert_query(weir, "transient_SCORES_2", 2, "FINISHED");
    weir_result_free(second);
    assert_query(weir, "transient_SCORES_2", 1, "none");
    done(weir, "TERMINATE TRANSIENT_SCORES_1;");
    WeirStatus status;
    while ((status = weir_next(first, 5000, &error)) == WEIR_ROW)
        continue;
    assert_int_equal(status, WEIR_FAILED);
    weir_result_free(first);
    first = run(weir, "SELECT * FROM scores EMIT CHANGES;");
    done(weir, "TERMINATE ALL;");
    while ((status = weir_next(first, 5000, &error)) == WEIR_ROW)
        continue;
    assert_int_equal(status, WEIR_FAILED);
    weir_result_free(first);
    assert_query(weir, "CSAS_O_0", 1, "none");
    weir_close(weir);
}

static void assert_warning(Weir *weir, const char *query, const char *want) {
    WeirError error;
    bool found = false;
    assert_int_equal(weir_catch_up(weir, 5000, &error), WEIR_OK);
    WeirResult *result = run(weir, "SHOW QUERIES;");
    while (weir_next(result, -1, &error) == WEIR_ROW) {
        if (strcmp(weir_text(result, 0), query) != 0)
            continue;
        assert_string_equal(weir_text(result, 6), want);
        found = true;
    }
    assert_true(found);
    weir_result_free(result);
}

#define SIDE(what, name, columns, key)                                                    \
    "CREATE " what " " name " (k STRING " key ", " columns ")"                            \
    " WITH (KAFKA_TOPIC='" name "', PARTITIONS=1, VALUE_FORMAT='JSON');"

/* Where both sides are tables: as many as have no match now, not as they came. */
static void joins_of_tables_warn(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    done(weir, SIDE("TABLE", "a", "f STRING, v INT", "PRIMARY KEY")
               SIDE("TABLE", "b", "w INT", "PRIMARY KEY")
               "CREATE TABLE i AS SELECT a.k, v, w FROM a JOIN b ON a.k = b.k;"
               "CREATE TABLE l AS SELECT a.k, v, w FROM a LEFT JOIN b ON a.k = b.k;"
               "CREATE TABLE f AS SELECT ROWKEY, v, w FROM a FULL JOIN b ON a.k = b.k;"
               "CREATE TABLE fk AS SELECT a.k, v, w FROM a LEFT JOIN b ON f = b.k;");
    done(weir, "INSERT INTO a VALUES ('x', 'y', 1); INSERT INTO a VALUES ('y', 'y', 1);"
               "INSERT INTO a VALUES ('z', 'n', 1);");
    assert_warning(weir, "CTAS_I_0", "3 rows without a match in B (left out)");
    assert_warning(weir, "CTAS_FK_3", "3 rows without a match in B (NULLs)");
    done(weir, "INSERT INTO b VALUES ('y', 1); INSERT INTO b VALUES ('q', 1);");
    assert_warning(weir, "CTAS_I_0", "2 rows without a match in B (left out)");
    assert_warning(weir, "CTAS_L_1", "2 rows without a match in B (NULLs)");
    assert_warning(weir, "CTAS_F_2", "3 rows without a match (NULLs)");
    assert_warning(weir, "CTAS_FK_3", "1 row without a match in B (NULLs)");
    done(weir, "INSERT INTO b VALUES ('x', 1); INSERT INTO b VALUES ('z', 1);"
               "INSERT INTO b VALUES ('n', 1);");
    assert_warning(weir, "CTAS_I_0", "");
    assert_warning(weir, "CTAS_F_2", "2 rows without a match (NULLs)");
    assert_warning(weir, "CTAS_FK_3", "");
    weir_close(weir);
}

/* Rows of the left stream that nobody can meet any more. */
static void joins_of_streams_warn(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    done(weir, SIDE("STREAM", "a", "v INT", "KEY") SIDE("STREAM", "b", "w INT", "KEY")
               "CREATE STREAM o AS SELECT a.k, v, w FROM a JOIN b WITHIN 1 SECOND GRACE PERIOD 1 "
               "SECOND ON a.k = b.k;");
    done(weir, "INSERT INTO a (ROWTIME, k, v) VALUES (1000, 'x', 1);"
               "INSERT INTO a (ROWTIME, k, v) VALUES (1000, 'y', 1);"
               "INSERT INTO b (ROWTIME, k, w) VALUES (1500, 'y', 1);"
               "INSERT INTO a (ROWTIME, k, v) VALUES (1600, 'y', 1);");
    assert_warning(weir, "CSAS_O_0", "");
    done(weir, "INSERT INTO b (ROWTIME, k, w) VALUES (9000, 'q', 1);");
    assert_warning(weir, "CSAS_O_0", "1 row without a match in B (left out)");
    done(weir, "INSERT INTO a (ROWTIME, k, v) VALUES (99000, 'q', 1);");
    assert_warning(weir, "CSAS_O_0", "1 row without a match in B (left out)");
    weir_close(weir);
}

/* The cell of the row whose step begins with `step`. */
static void assert_step(WeirResult *result, const char *step, uint32_t column, const char *want) {
    WeirError error;
    bool found = false;
    while (weir_next(result, -1, &error) == WEIR_ROW) {
        if (strncmp(weir_text(result, 0) + strspn(weir_text(result, 0), " <-"), step,
                    strlen(step)) != 0)
            continue;
        assert_string_equal(weir_text(result, column), want);
        found = true;
    }
    assert_true(found);
}

static void figures_are_made_anew(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, SCORES "CREATE STREAM o AS SELECT * FROM scores;");
    WeirResult *result = run(weir, "EXPLAIN ANALYZE CSAS_O_0;");
    assert_false(weir_is_push(result));
    assert_true(weir_is_live(result));
    assert_step(result, "Source", 2, "0");
    done(weir, ROWS);
    assert_int_equal(weir_catch_up(weir, 5000, &error), WEIR_OK);
    assert_int_equal(weir_refresh(result, &error), WEIR_OK);
    assert_step(result, "Source", 2, "2");
    assert_string_equal(weir_warnings(result), "");
    done(weir, "TERMINATE CSAS_O_0;");
    assert_int_equal(weir_refresh(result, &error), WEIR_OK);
    assert_false(weir_is_live(result));
    assert_int_equal(weir_next(result, -1, &error), WEIR_END);
    weir_result_free(result);
    result = run(weir, "SHOW TOPICS;");
    assert_false(weir_is_live(result));
    assert_int_equal(weir_refresh(result, &error), WEIR_END);
    weir_result_free(result);
    weir_close(weir);
}

static void a_statement_is_run_to_its_end(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, SCORES ROWS);
    WeirResult *result = run(weir, "EXPLAIN ANALYZE SELECT * FROM scores EMIT CHANGES;");
    assert_step(result, "Result", 2, "2");
    assert_false(weir_is_live(result));
    weir_result_free(result);
    result = run(weir, "SET 'weir.analyze.wait.ms'='0';"
                 "EXPLAIN ANALYZE SELECT * FROM scores EMIT CHANGES;");
    assert_int_equal(weir_next(result, 0, &error), WEIR_ROW); /* as far as it came */
    weir_result_free(result);
    weir_close(weir);
}

typedef struct Works {
    uint32_t calls, overs;
    uint64_t rows, done, total;
} Works;

static void take_work(void *context, const WeirWork *work) {
    Works *works = context;
    works->calls++;
    works->overs += work->over;
    works->rows = work->rows;
    works->done = work->done;
    works->total = work->total;
    assert_string_equal(work->what, "COPY SCORES");
}

static void a_copy_tells_how_far_it_is(void **state) {
    (void)state;
    Works works = {0};
    WeirOptions options = {.progress = take_work, .progress_context = &works};
    Weir *weir = open_weir(&options);
    char path[64], sql[512];
    snprintf(path, sizeof path, "/tmp/weir-test-observe-%ld", (long)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"points\":1}\n{\"points\":2}\n", 26), 26);
    close(fd);
    snprintf(sql, sizeof sql, SCORES "COPY scores FROM '%s' (FORMAT ndjson);", path);
    done(weir, sql);
    unlink(path);
    assert_true(works.calls >= 2);
    assert_int_equal(works.overs, 1);
    assert_int_equal(works.rows, 2);
    assert_int_equal(works.done, 26);
    assert_int_equal(works.total, 26);
    weir_close(weir);
}

static void the_query_a_statement_made_is_followed(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirProgress progress;
    WeirError error;
    done(weir, SCORES ROWS);
    WeirResult *result = run(weir, "CREATE STREAM o AS SELECT * FROM scores;");
    assert_string_equal(weir_made_query(result), "CSAS_O_0");
    assert_int_equal(weir_catch_up(weir, 5000, &error), WEIR_OK);
    assert_true(weir_progress(result, &progress));
    assert_int_equal(progress.rows_in, 2);
    assert_int_equal(progress.lag, 0);
    done(weir, "TERMINATE CSAS_O_0;");
    assert_false(weir_progress(result, &progress));
    weir_result_free(result);
    weir_close(weir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hints_name_the_cause),
        cmocka_unit_test(records_that_cannot_be_read_say_why),
        cmocka_unit_test(push_queries_are_shown),
        cmocka_unit_test(joins_of_tables_warn),
        cmocka_unit_test(joins_of_streams_warn),
        cmocka_unit_test(warnings_leave_out_what_is_meant),
        cmocka_unit_test(figures_are_made_anew),
        cmocka_unit_test(a_statement_is_run_to_its_end),
        cmocka_unit_test(a_copy_tells_how_far_it_is),
        cmocka_unit_test(the_query_a_statement_made_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
