/*
 * test_processing_log.c - the processing log in a flood of bad rows: bounded, cut, and still whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/row_error.h"
#include "engine/testkit.h"
#include "storage/log.h"

static Testkit *kit;
static Arena *arena;

static int setup(void **state) {
    (void)state;
    TestkitOptions options = {.consolidate = true};
    Err err;
    arena = arena_new("test", 0);
    return testkit_new(&options, &kit, &err) == ERR_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    testkit_free(kit);
    arena_free(arena);
    return 0;
}

static void sql(const char *text) {
    Err err;
    if (testkit_execute(kit, text, NULL, &err) != ERR_OK)
        fail_msg("%s: %s", text, err.message);
}

static void insert(const char *value, uint32_t count) {
    Err err;
    for (uint32_t i = 0; i < count; i++) {
        TestkitRecord record = {.topic = "s", .value = bytes_of(value)};
        assert_int_equal(testkit_append(kit, &record, true, &err), ERR_OK);
    }
    assert_int_equal(testkit_run(kit, &err), ERR_OK);
}

static const char *const source =
    "CREATE STREAM s (v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);"
    "SET 'ksql.logging.processing.stream.auto.create' = 'true';";

static void offsets(int64_t *start, int64_t *end) {
    LogTopic topic;
    Err err;
    Storage *storage = engine_storage(testkit_weir(kit));
    assert_true(log_topic_find(storage, "default_ksql_processing_log", &topic));
    assert_int_equal(log_offsets(storage, (TopicPartition){topic.id, 0}, start, end, &err),
                     ERR_OK);
}

/* The text of entry `index` of those that are kept. */
static const char *entry(uint32_t index) {
    TestkitRead read = {.topic = "default_ksql_processing_log", .index = index, .text = true,
                        .arena = arena};
    TestkitRecord record;
    bool found;
    Err err;
    if (testkit_read(kit, &read, &record, &found, &err) != ERR_OK)
        fail_msg("read: %s", err.message);
    return found ? arena_text(arena, record.value) : NULL;
}

/* However many rows a step has: each is in an entry or in the count of one. */
static void test_flood(void **state) {
    (void)state;
    sql(source);
    sql("CREATE STREAM o AS SELECT 1 / v AS d FROM s;");
    insert("{\"v\":0}", 3000);
    int64_t start, end;
    offsets(&start, &end);
    assert_int_equal(start, 0);
    uint64_t told = 0, counts = 0;
    for (uint32_t i = 0; i < end; i++) {
        const char *text = entry(i), *more = strstr(text, " more bad rows are not in the log");
        const char *number = more;
        while (number && number[-1] != '"')
            number--;
        told += number ? strtoull(number, NULL, 10) : 1;
        counts += number != NULL;
    }
    assert_int_equal(told, 3000);
    assert_true(counts > 0);
    assert_true(end <= (int64_t)counts * (ROW_ERRORS_PENDING_MAX + 1) + ROW_ERRORS_PENDING_MAX);
}

/* The log keeps the last ones, and what it keeps can be read. */
static void test_cut(void **state) {
    (void)state;
    sql(source);
    sql("SET 'weir.logging.processing.records.max' = '16';");
    sql("CREATE STREAM o AS SELECT 1 / v AS d FROM s;");
    int64_t start, end;
    for (int i = 0; i < 50; i++) {
        insert("{\"v\":0}", 3);
        offsets(&start, &end);
        assert_in_range(end - start, 1, 16 + 16 / 8 + 3);
    }
    assert_int_equal(end, 150);
    assert_true(start > 100);
    Err err;
    assert_int_equal(testkit_restart(kit, &err), ERR_OK);
    int64_t after;
    offsets(&after, &end);
    assert_int_equal(after, start);
    assert_non_null(strstr(entry(0), "division by zero"));
}

/* Who reads the log more slowly than it is cut goes on with what is left, and says so. */
static void test_slow_reader(void **state) {
    (void)state;
    sql(source);
    sql("SET 'weir.logging.processing.records.max' = '16';");
    sql("CREATE STREAM o AS SELECT 1 / v AS d FROM s;");
    sql("CREATE STREAM e AS SELECT time FROM KSQL_PROCESSING_LOG;");
    insert("{\"v\":0}", 3);
    sql("PAUSE CSAS_E_1;");
    for (int i = 0; i < 20; i++)
        insert("{\"v\":0}", 3);
    sql("RESUME CSAS_E_1;");
    insert("{\"v\":0}", 1);
    uint64_t count;
    assert_true(testkit_row_errors(kit, "CSAS_E_1", &count));
    assert_int_equal(count, 1);
    sql("PAUSE CSAS_E_1;");
    for (int i = 0; i < 20; i++)
        insert("{\"v\":0}", 3);
    Err err;
    assert_int_equal(testkit_restart(kit, &err), ERR_OK);
    sql("RESUME CSAS_E_1;");
    insert("{\"v\":0}", 1);
    assert_true(testkit_row_errors(kit, "CSAS_E_1", &count));
    assert_int_equal(count, 1);
    TestkitRead read = {.topic = "E", .index = 20, .text = true, .arena = arena};
    TestkitRecord record;
    bool found;
    assert_int_equal(testkit_read(kit, &read, &record, &found, &err), ERR_OK);
    assert_true(found);
}

/* Late rows are no errors, but they are told. */
static void test_late(void **state) {
    (void)state;
    sql(source);
    sql("CREATE TABLE t AS SELECT v, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 MILLISECONDS, "
        "GRACE PERIOD 0 MILLISECONDS) GROUP BY v;");
    Err err;
    static const int64_t times[] = {5, 100, 7, 8};
    for (int i = 0; i < 4; i++) {
        TestkitRecord record = {.topic = "s", .value = bytes_of("{\"v\":1}"),
                                .timestamp = times[i]};
        assert_int_equal(testkit_append(kit, &record, true, &err), ERR_OK);
    }
    assert_int_equal(testkit_run(kit, &err), ERR_OK);
    int64_t start, end;
    offsets(&start, &end);
    assert_int_equal(end, 2);
    assert_non_null(strstr(entry(1), "too late for its window"));
    uint64_t count;
    assert_true(testkit_row_errors(kit, "CTAS_T_0", &count));
    assert_int_equal(count, 0);
}

/* A group's errors reach the query's, and only what is wanted waits. */
static void test_pending(void **state) {
    (void)state;
    RowErrors query, group;
    row_errors_init(&query);
    row_errors_init_group(&group, &query);
    RowError error = {.kind = "expression", .text = "x"};
    row_errors_add(&group, &error);
    assert_int_equal(group.pending_count, 0);
    group.logs = true;
    group.step = "Project";
    for (int i = 0; i < ROW_ERRORS_PENDING_MAX + 5; i++)
        row_errors_add(&group, &error);
    row_errors_note(&group, &error);
    assert_int_equal(group.pending_count, ROW_ERRORS_PENDING_MAX);
    assert_int_equal(group.pending_more, 6);
    assert_string_equal(group.pending[0].step, "Project");
    RowError last[ROW_ERRORS_KEPT];
    uint64_t count;
    assert_int_equal(row_errors_last(&query, last, &count), ROW_ERRORS_KEPT);
    assert_int_equal(count, ROW_ERRORS_PENDING_MAX + 6);
    assert_string_equal(last[0].step, "Project");
    row_errors_forget(&group);
    assert_int_equal(group.pending_count, 0);
    row_errors_close(&group);
    row_errors_close(&query);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late, setup, teardown),
        cmocka_unit_test(test_pending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
