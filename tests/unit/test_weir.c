/*
 * test_weir.c - Weir inside a program: what weir.h promises, from one thread and from several.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/thread.h"
#include "engine/weir.h"

#define SCORES                                                                            \
    "CREATE STREAM scores (player STRING KEY, points INT)"                                \
    " WITH (KAFKA_TOPIC='scores', PARTITIONS=2, VALUE_FORMAT='JSON');"
#define TOTALS                                                                            \
    "CREATE TABLE totals AS SELECT player, SUM(points) AS total, COUNT(*) AS games"       \
    " FROM scores GROUP BY player;"

static Weir *open_weir(const char *folder) {
    WeirOptions options = {.workers = 2, .os_durability = true};
    Weir *weir;
    WeirError error;
    if (weir_open(folder, &options, &weir, &error) != WEIR_OK)
        fail_msg("%s: %s", error.code, error.message);
    return weir;
}

static WeirResult *run(Weir *weir, const char *sql) {
    WeirResult *result;
    WeirError error;
    if (weir_execute(weir, sql, &result, &error) != WEIR_OK)
        fail_msg("%s: %s: %s", sql, error.code, error.message);
    return result;
}

static void done(Weir *weir, const char *sql) {
    weir_result_free(run(weir, sql));
}

static void insert(Weir *weir, const char *rows) {
    WeirError error;
    if (weir_insert(weir, "SCORES", rows, &error) != WEIR_OK)
        fail_msg("%s: %s", error.code, error.message);
}

/* All rows as "a|b;c|d" in `text`. */
static void rows_text(WeirResult *result, char *text, size_t size) {
    WeirError error;
    WeirStatus status;
    size_t used = 0;
    text[0] = '\0';
    while ((status = weir_next(result, 5000, &error)) == WEIR_ROW)
        for (uint32_t i = 0; i < weir_column_count(result) && used < size; i++) {
            const char *cell = weir_text(result, i);
            const char *end = i + 1 < weir_column_count(result) ? "|" : ";";
            used += (size_t)snprintf(text + used, size - used, "%s%s", cell ? cell : "NULL", end);
        }
    if (status == WEIR_FAILED)
        fail_msg("%s: %s", error.code, error.message);
    assert_int_equal(status, WEIR_END);
}

static void assert_rows(Weir *weir, const char *sql, const char *want) {
    char text[4096];
    WeirResult *result = run(weir, sql);
    rows_text(result, text, sizeof text);
    assert_string_equal(text, want);
    weir_result_free(result);
}

static void assert_fails(Weir *weir, const char *sql, const char *code, uint32_t line,
                         uint32_t column) {
    WeirResult *result = NULL;
    WeirError error;
    assert_int_equal(weir_execute(weir, sql, &result, &error), WEIR_FAILED);
    assert_null(result);
    assert_string_equal(error.code, code);
    assert_int_equal(error.line, line);
    assert_int_equal(error.column, column);
    assert_true(strlen(error.message) > 0);
}

/* -- One thread -------------------------------------------------------------------------------- */

static void values_of_all_types(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, "CREATE STREAM a (k STRING KEY, b BOOLEAN, i INT, l BIGINT, d DOUBLE,"
               " m DECIMAL(21,2), t STRING, y BYTES, ts TIMESTAMP, da DATE, ti TIME, ar ARRAY<INT>,"
               " ma MAP<STRING, INT>, st STRUCT<X INT>)"
               " WITH (KAFKA_TOPIC='a', PARTITIONS=1, VALUE_FORMAT='JSON');");
    assert_int_equal(weir_insert(weir, "a",
                                 "{\"k\":\"key\",\"b\":true,\"i\":-7,\"l\":9007199254740993,"
                                 "\"d\":-2.75,\"m\":1234567890123456789.25,\"t\":\"q\\\"\\n\","
                                 "\"y\":\"AQI=\",\"ts\":1,\"da\":2,\"ti\":3000,\"ar\":[1,null],"
                                 "\"ma\":{\"x\":1},\"st\":{\"X\":5}}\n{\"k\":null}",
                                 &error),
                     WEIR_OK);
    WeirResult *result = run(weir, "SELECT * FROM a EMIT CHANGES LIMIT 2;");
    assert_true(weir_is_push(result));
    assert_int_equal(weir_column_count(result), 14);
    assert_string_equal(weir_column_name(result, 4), "D");
    assert_string_equal(weir_column_type(result, 5), "DECIMAL(21, 2)");
    assert_string_equal(weir_column_type(result, 13), "STRUCT<`X` INTEGER>");
    assert_int_equal(weir_next(result, 5000, &error), WEIR_ROW);
    static const char *const texts[] = {
        "key", "true", "-7", "9007199254740993", "-2.75", "1234567890123456789.25", "q\"\n",
        "AQI=", "1970-01-01T00:00:00.001", "1970-01-03", "00:00:03", "[1,null]", "{\"x\":1}",
        "{\"X\":5}"};
    for (uint32_t i = 0; i < 14; i++) {
        assert_false(weir_is_null(result, i));
        assert_string_equal(weir_text(result, i), texts[i]);
    }
    assert_true(weir_boolean(result, 1));
    assert_int_equal(weir_integer(result, 1), 1);
    assert_int_equal(weir_integer(result, 2), -7);
    assert_int_equal(weir_integer(result, 3), 9007199254740993);
    assert_true(weir_double(result, 4) == -2.75);
    assert_int_equal(weir_integer(result, 4), -2);
    assert_int_equal(weir_integer(result, 5), 1234567890123456789);
    assert_int_equal(weir_integer(result, 8), 1);
    assert_int_equal(weir_integer(result, 9), 2);
    assert_int_equal(weir_integer(result, 6), 0);
    assert_string_equal(weir_json(result, 6), "\"q\\\"\\n\"");
    assert_false(weir_is_delete(result));
    assert_non_null(strstr(weir_json_row(result), "\"L\":9007199254740993,\"D\":-2.75,\"M\":12"));
    assert_int_equal(weir_next(result, 5000, &error), WEIR_ROW);
    for (uint32_t i = 0; i < 14; i++) {
        assert_true(weir_is_null(result, i));
        assert_null(weir_text(result, i));
        assert_string_equal(weir_json(result, i), "null");
        assert_int_equal(weir_integer(result, i), 0);
        assert_true(weir_double(result, i) == 0);
        assert_false(weir_boolean(result, i));
    }
    assert_int_equal(weir_next(result, 5000, &error), WEIR_END);
    assert_int_equal(weir_next(result, 0, &error), WEIR_END);
    weir_result_free(result);
    weir_close(weir);
}

static void whole_numbers_of_doubles(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, "CREATE STREAM a (d DOUBLE) WITH (KAFKA_TOPIC='a', PARTITIONS=1,"
               " VALUE_FORMAT='JSON');");
    assert_int_equal(weir_insert(weir, "A", "{\"D\":1e300}\n{\"D\":-1e300}\n{\"D\":\"NaN\"}", NULL),
                     WEIR_OK);
    WeirResult *result = run(weir, "SELECT * FROM a EMIT CHANGES LIMIT 3;");
    static const int64_t want[] = {INT64_MAX, INT64_MIN, 0};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weir_next(result, 5000, &error), WEIR_ROW);
        assert_true(weir_integer(result, 0) == want[i]);
    }
    weir_result_free(result);
    weir_close(weir);
}

static void messages_and_tables(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    WeirResult *result = run(weir, SCORES);
    assert_string_equal(weir_message(result), "Stream created");
    assert_int_equal(weir_column_count(result), 0);
    assert_false(weir_is_push(result));
    assert_int_equal(weir_next(result, -1, &error), WEIR_END);
    weir_result_free(result);
    result = run(weir, "SHOW TOPICS");
    assert_string_equal(weir_message(result), "");
    assert_string_equal(weir_column_type(result, 2), "BIGINT");
    assert_int_equal(weir_next(result, 0, &error), WEIR_ROW);
    assert_int_equal(weir_integer(result, 1), 2);
    assert_string_equal(weir_json_row(result),
                        "{\"Topic\":\"scores\",\"Partitions\":2,\"Records\":0}");
    weir_result_free(result);
    result = run(weir, "  ");
    assert_string_equal(weir_message(result), "");
    assert_int_equal(weir_next(result, 0, &error), WEIR_END);
    weir_result_free(result);
    weir_result_free(NULL);
    assert_int_equal(weir_execute(weir, "SHOW TOPICS; SHOW STREAMS;", NULL, NULL), WEIR_OK);
    weir_close(weir);
    weir_close(NULL);
}

static void scripts_step_by_step(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    WeirResult *result;
    WeirScript script = {.sql = SCORES " SHOW TOPICS;\n  SELECT;\nSHOW STREAMS"};
    assert_int_equal(weir_execute_next(weir, &script, &result, &error), WEIR_OK);
    weir_result_free(result);
    assert_int_equal(weir_execute_next(weir, &script, &result, &error), WEIR_OK);
    weir_result_free(result);
    assert_int_equal(script.executed, 2);
    assert_int_equal(weir_execute_next(weir, &script, &result, &error), WEIR_FAILED);
    assert_null(result);
    assert_string_equal(error.code, "syntax");
    assert_int_equal(error.statement, 2);
    assert_int_equal(error.line, 2);
    assert_int_equal(weir_execute_next(weir, &script, &result, &error), WEIR_OK);
    assert_int_equal(weir_next(result, 0, &error), WEIR_ROW);
    weir_result_free(result);
    assert_int_equal(weir_execute_next(weir, &script, &result, &error), WEIR_END);
    weir_close(weir);
}

static void a_script_may_be_a_part_of_a_text(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    WeirResult *result;
    WeirScript script = {.sql = "SHOW NOTHING; SHOW", .size = 13, .line = 7, .column = 3};
    assert_int_equal(weir_execute_next(weir, &script, &result, &error), WEIR_FAILED);
    assert_int_equal(error.line, 7);
    assert_int_equal(error.column, 8);
    assert_non_null(strstr(error.message, "\n  SHOW NOTHING;\n       ^"));
    assert_int_equal(weir_execute_next(weir, &script, &result, &error), WEIR_END);
    weir_close(weir);
}

static void errors_have_positions(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    done(weir, SCORES);
    assert_fails(weir, "SELECT player,\n  nothing FROM scores EMIT CHANGES;", "unknown_name", 2, 3);
    assert_fails(weir, "SELECT player FORM scores EMIT CHANGES;", "syntax", 1, 15);
    assert_fails(weir, "SHOW TOPICS; SELECT * FROM nope EMIT CHANGES;", "unknown_name", 1, 28);
    assert_fails(weir, "SELECT 'open", "syntax", 1, 8);
    assert_fails(weir, "COPY scores FROM '/no/such/file'", "not_found", 0, 0);
    assert_fails(weir, "PRINT nope;", "unknown_name", 1, 7);
    WeirError error;
    assert_int_equal(weir_execute(weir, SCORES "SHOW TOPICS;", NULL, &error), WEIR_FAILED);
    assert_string_equal(error.code, "semantic");
    assert_int_equal(error.statement, 0);
    weir_close(weir);
}

static void open_statements(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool complete;
        char open;
    } cases[] = {{"SELECT 1;", true, 0},   {"SELECT 1", false, '-'},   {"SELECT ';", false, '\''},
                 {"SELECT \"a;", false, '"'}, {"SELECT `a;", false, '`'}, {"SELECT (1", false, '('},
                 {"/* ;", false, '*'},     {"SELECT 1; -- x", true, 0}, {"-- x;", false, '-'}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char open = 0;
        assert_int_equal(weir_is_complete(cases[i].text, &open), cases[i].complete);
        if (!cases[i].complete)
            assert_int_equal(open, cases[i].open);
    }
}

static void inserts_are_whole(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, SCORES);
    const char *rows = "{\"player\":\"ann\",\"points\":1}\n\n"
                       "{\"player\":\"bob\",\"points\":\"x\"}\n";
    assert_int_equal(weir_insert(weir, "SCORES", rows, &error), WEIR_FAILED);
    assert_string_equal(error.code, "format");
    assert_non_null(strstr(error.message, "row:3: "));
    assert_int_equal(weir_insert(weir, "nope", "{}", &error), WEIR_FAILED);
    assert_string_equal(error.code, "unknown_name");
    assert_rows(weir, "SHOW TOPICS;", "scores|2|0;");
    assert_int_equal(weir_insert(weir, "scores", "", &error), WEIR_OK);
    assert_int_equal(weir_insert(weir, "scores", "{\"POINTS\":1}\n{\"Player\":\"a\"}", &error),
                     WEIR_OK);
    assert_rows(weir, "SHOW TOPICS;", "scores|2|2;");
    weir_close(weir);
}

static void lookups_see_what_was_written(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, SCORES TOTALS);
    for (int i = 1; i <= 20; i++) {
        char want[64];
        insert(weir, "{\"player\":\"ann\",\"points\":2}");
        snprintf(want, sizeof want, "%d;", 2 * i);
        assert_rows(weir, "SELECT total FROM totals WHERE player = 'ann';", want);
    }
    insert(weir, "{\"player\":\"bob\",\"points\":2}");
    assert_int_equal(weir_catch_up(weir, 5000, &error), WEIR_OK);
    assert_rows(weir, "SELECT player FROM totals WHERE total < 10;", "bob;");
    weir_close(weir);
}

static void rows_wait(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, SCORES);
    WeirResult *push = run(weir, "SELECT points FROM scores EMIT CHANGES;");
    assert_int_equal(weir_next(push, 0, &error), WEIR_WAITING);
    assert_int_equal(weir_next(push, 20, &error), WEIR_WAITING);
    insert(weir, "{\"player\":\"ann\",\"points\":7}");
    assert_int_equal(weir_next(push, 5000, &error), WEIR_ROW);
    assert_int_equal(weir_integer(push, 0), 7);
    assert_int_equal(weir_next(push, 0, &error), WEIR_WAITING);
    weir_result_free(push);
    weir_close(weir);
}

static void a_topic_goes_under_a_push_query(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, SCORES);
    insert(weir, "{\"player\":\"ann\",\"points\":7}");
    WeirResult *push = run(weir, "SELECT points FROM scores EMIT CHANGES;");
    assert_int_equal(weir_next(push, 5000, &error), WEIR_ROW);
    done(weir, "DROP STREAM scores DELETE TOPIC;" SCORES);
    assert_int_equal(weir_next(push, 5000, &error), WEIR_FAILED);
    assert_string_equal(error.code, "not_found");
    weir_result_free(push);
    weir_close(weir);
}

/* -- Several threads --------------------------------------------------------------------------- */

typedef struct Canceller {
    Weir *weir;
    WeirResult *result;
} Canceller;

static void *cancel_soon(void *arg) {
    Canceller *canceller = arg;
    usleep(30000);
    if (canceller->result)
        weir_cancel(canceller->result);
    else
        weir_interrupt(canceller->weir);
    return NULL;
}

static void a_waiting_row_is_cancelled(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    done(weir, SCORES);
    Canceller canceller = {weir, run(weir, "SELECT * FROM scores EMIT CHANGES;")};
    Thread thread;
    thread_start(&thread, "cancel", cancel_soon, &canceller);
    assert_int_equal(weir_next(canceller.result, -1, &error), WEIR_FAILED);
    assert_string_equal(error.code, "cancelled");
    assert_int_equal(weir_next(canceller.result, -1, &error), WEIR_FAILED);
    thread_join(&thread);
    weir_result_free(canceller.result);
    weir_close(weir);
}

static void rows_are_counted_and_discarded(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    uint64_t rows = 0;
    done(weir, SCORES);
    assert_int_equal(weir_insert(weir, "SCORES", "{\"PLAYER\":\"a\",\"POINTS\":1}\n"
                                                 "{\"PLAYER\":\"b\",\"POINTS\":7}\n"
                                                 "{\"PLAYER\":\"c\",\"POINTS\":9}\n", &error),
                     WEIR_OK);
    WeirResult *result = run(weir, "SELECT * FROM scores WHERE points > 5 EMIT CHANGES;");
    assert_int_equal(weir_discard(result, 5000, &rows, &error), WEIR_OK);
    assert_int_equal(rows, 2);
    weir_result_free(result);
    weir_close(weir);
}

typedef struct Fifo {
    char path[64];
    int fd;
} Fifo;

static void fifo_open(Fifo *fifo) {
    snprintf(fifo->path, sizeof fifo->path, "/tmp/weir-test-fifo-%ld", (long)getpid());
    unlink(fifo->path);
    assert_int_equal(mkfifo(fifo->path, 0600), 0);
    fifo->fd = open(fifo->path, O_RDWR); /* so that neither end waits for the other */
    assert_true(fifo->fd >= 0);
}

static void fifo_close(Fifo *fifo) {
    if (fifo->fd >= 0)
        close(fifo->fd);
    fifo->fd = -1;
    unlink(fifo->path);
}

static void fifo_write(const Fifo *fifo, const char *text) {
    assert_int_equal(write(fifo->fd, text, strlen(text)), (ssize_t)strlen(text));
}

typedef struct Copier {
    Weir *weir;
    const Fifo *fifo;
    WeirStatus status;
    WeirError error;
} Copier;

static void *copy_fifo(void *arg) {
    Copier *copier = arg;
    char sql[128];
    snprintf(sql, sizeof sql, "COPY scores FROM '%s' (FORMAT ndjson);", copier->fifo->path);
    copier->status = weir_execute(copier->weir, sql, NULL, &copier->error);
    return NULL;
}

static void a_copy_is_seen_row_by_row_and_interrupted(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    WeirError error;
    Fifo fifo;
    fifo_open(&fifo);
    done(weir, SCORES);
    Copier copier = {.weir = weir, .fifo = &fifo};
    Thread thread;
    thread_start(&thread, "copy", copy_fifo, &copier);
    /* The catalog is free while the COPY waits. */
    WeirResult *push = run(weir, "SELECT points FROM scores EMIT CHANGES;");
    for (int i = 0; i < 3; i++) {
        char row[64];
        snprintf(row, sizeof row, "{\"player\":\"a\",\"points\":%d}\n", i);
        fifo_write(&fifo, row);
        assert_int_equal(weir_next(push, 5000, &error), WEIR_ROW);
        assert_int_equal(weir_integer(push, 0), i);
    }
    done(weir, TOTALS);
    assert_rows(weir, "SELECT games FROM totals WHERE player = 'a';", "3;");
    weir_result_free(push);
    weir_interrupt(weir);
    thread_join(&thread);
    assert_int_equal(copier.status, WEIR_FAILED);
    assert_string_equal(copier.error.code, "cancelled");
    assert_non_null(strstr(copier.error.message, "3 rows in front of it are loaded."));
    fifo_close(&fifo);
    weir_close(weir);
}

static void a_copy_ends_with_its_pipe(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    Fifo fifo;
    fifo_open(&fifo);
    done(weir, SCORES);
    Copier copier = {.weir = weir, .fifo = &fifo};
    Thread thread;
    thread_start(&thread, "copy", copy_fifo, &copier);
    WeirResult *push = run(weir, "SELECT points FROM scores EMIT CHANGES LIMIT 1;");
    fifo_write(&fifo, "{\"player\":\"a\",\"points\":1}\n{\"player\":\"b\"");
    char text[64];
    rows_text(push, text, sizeof text);
    assert_string_equal(text, "1;");
    weir_result_free(push);
    fifo_write(&fifo, "}");
    close(fifo.fd);
    fifo.fd = -1;
    thread_join(&thread);
    assert_int_equal(copier.status, WEIR_OK);
    assert_rows(weir, "SHOW TOPICS;", "scores|2|2;");
    fifo_close(&fifo);
    weir_close(weir);
}

enum { WRITES = 60 };

static void *write_rows(void *arg) {
    Weir *weir = arg;
    for (int i = 0; i < WRITES; i++) {
        WeirError error;
        WeirStatus status =
            i % 2 ? weir_insert(weir, "SCORES", "{\"player\":\"p\",\"points\":1}", &error)
                  : weir_execute(weir, "INSERT INTO scores (player, points) VALUES ('p', 1);", NULL,
                                 &error);
        if (status != WEIR_OK)
            return (void *)"failed";
    }
    return NULL;
}

static void *read_and_define(void *arg) {
    Weir *weir = arg;
    for (int i = 0; i < WRITES / 4; i++) {
        WeirError error;
        char sql[160];
        snprintf(sql, sizeof sql,
                 "SELECT games FROM totals WHERE player = 'p'; SHOW QUERIES; DEFINE x = '%d';"
                 "CREATE STREAM s%d AS SELECT player, points FROM scores;",
                 i, i % 4);
        if (weir_execute(weir, sql, NULL, &error) != WEIR_OK &&
            strcmp(error.code, "semantic") != 0) /* it exists */
            return (void *)"failed";
    }
    return NULL;
}

static void threads_share_a_weir(void **state) {
    (void)state;
    Weir *weir = open_weir(NULL);
    void *(*const runs[])(void *) = {write_rows, read_and_define, write_rows, read_and_define};
    Thread threads[4];
    char want[32];
    done(weir, SCORES TOTALS);
    for (int i = 0; i < 4; i++)
        thread_start(&threads[i], "user", runs[i], weir);
    for (int i = 0; i < 4; i++) {
        void *failure;
        assert_int_equal(pthread_join(threads[i].handle, &failure), 0);
        assert_null(failure);
    }
    snprintf(want, sizeof want, "%d;", 2 * WRITES);
    assert_rows(weir, "SELECT games FROM totals WHERE player = 'p';", want);
    weir_close(weir);
}

/* -- Folders ----------------------------------------------------------------------------------- */

static void remove_folder(const char *path) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", path);
    assert_int_equal(system(command), 0);
}

static void folders_are_kept_and_held(void **state) {
    (void)state;
    char folder[64];
    WeirError error;
    Weir *other;
    snprintf(folder, sizeof folder, "/tmp/weir-test-weir-%ld", (long)getpid());
    remove_folder(folder);
    Weir *weir = open_weir(folder);
    assert_int_equal(weir_open(folder, NULL, &other, &error), WEIR_FAILED);
    assert_string_equal(error.code, "busy");
    assert_non_null(strstr(error.message, folder));
    done(weir, SCORES TOTALS);
    insert(weir, "{\"player\":\"ann\",\"points\":3}");
    weir_close(weir); /* with a running query, which may not have seen the row */
    weir = open_weir(folder);
    assert_rows(weir, "SELECT total FROM totals WHERE player = 'ann';", "3;");
    insert(weir, "{\"player\":\"ann\",\"points\":4}");
    assert_rows(weir, "SELECT total FROM totals WHERE player = 'ann';", "7;");
    weir_close(weir);
    weir = open_weir(folder);
    assert_rows(weir, "SELECT total FROM totals WHERE player = 'ann';", "7;");
    assert_rows(weir, "SELECT points FROM scores EMIT CHANGES LIMIT 2;", "3;4;");
    weir_close(weir);
    remove_folder(folder);
}

static void notice(void *context, const char *text) {
    snprintf(context, 256, "%s", text);
}

static void notices_and_settings(void **state) {
    (void)state;
    char text[256] = "";
    WeirOptions options = {.workers = 1, .from_latest = true, .notice = notice,
                           .notice_context = text};
    Weir *weir;
    WeirError error;
    assert_int_equal(weir_open(NULL, &options, &weir, &error), WEIR_OK);
    done(weir, "CREATE STREAM scores (player STRING KEY, points INT) WITH (KAFKA_TOPIC='new',"
               " VALUE_FORMAT='JSON');");
    assert_non_null(strstr(text, "Topic new did not exist"));
    insert(weir, "{\"player\":\"old\",\"points\":1}");
    WeirResult *push = run(weir, "SELECT player FROM scores EMIT CHANGES LIMIT 1;");
    insert(weir, "{\"player\":\"new\",\"points\":1}");
    rows_text(push, text, sizeof text);
    assert_string_equal(text, "new;");
    weir_result_free(push);
    weir_close(weir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_all_types),
        cmocka_unit_test(whole_numbers_of_doubles),
        cmocka_unit_test(messages_and_tables),
        cmocka_unit_test(scripts_step_by_step),
        cmocka_unit_test(a_script_may_be_a_part_of_a_text),
        cmocka_unit_test(errors_have_positions),
        cmocka_unit_test(open_statements),
        cmocka_unit_test(inserts_are_whole),
        cmocka_unit_test(lookups_see_what_was_written),
        cmocka_unit_test(rows_wait),
        cmocka_unit_test(a_topic_goes_under_a_push_query),
        cmocka_unit_test(a_waiting_row_is_cancelled),
        cmocka_unit_test(rows_are_counted_and_discarded),
        cmocka_unit_test(a_copy_is_seen_row_by_row_and_interrupted),
        cmocka_unit_test(a_copy_ends_with_its_pipe),
        cmocka_unit_test(threads_share_a_weir),
        cmocka_unit_test(folders_are_kept_and_held),
        cmocka_unit_test(notices_and_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
