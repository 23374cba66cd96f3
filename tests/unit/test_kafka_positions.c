/* test_kafka_positions.c - records of positions and changelogs: what is written is what is read,
 * what is damaged is refused, and of commands and kill points their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/kill_point.h"
#include "kafka/positions_impl.h"
#include "kafka/stores_impl.h"
#include "kafka/timestamp.h"

static const SlotMark mark = {7, "fifteen letters"};

static LogRecord record_of(const TaskPositions *task, uint8_t key[POSITION_KEY_SIZE], Buf *value) {
    positions_key(task->owner_id, task->task_id, key);
    positions_encode(task, &mark, value);
    return (LogRecord){.key = {key, POSITION_KEY_SIZE}, .value = buf_view(value)};
}

static void test_a_task_is_read_as_it_was_written(void **state) {
    (void)state;
    PositionTable table = {0}, read = {0};
    SlotMark found = {0};
    Buf value = {0};
    uint8_t key[POSITION_KEY_SIZE];
    Err err;
    TaskPositions *task = positions_task(&table, NULL, 3, 40);
    for (uint32_t i = 0; i < 5; i++)
        positions_set(task, (TopicPartition){9, i}, 100 + i);
    positions_set(task, (TopicPartition){9, 2}, 555);
    positions_set(task, (TopicPartition){9, 0}, -1); /* forgotten */
    LogRecord record = record_of(task, key, &value);
    assert_true(positions_read(&read, &found, &record));
    assert_int_equal(positions_verdict(&read, "t", 0, &err), ERR_OK);
    assert_true(slot_mark_equal(&found, &mark));
    TaskPositions *again = positions_find(&read, 40);
    assert_non_null(again);
    assert_int_equal(again->owner_id, 3);
    assert_int_equal(again->count, 4);
    int64_t sum = 0;
    for (size_t i = 0; i < again->count; i++)
        sum += again->items[i].next;
    assert_int_equal(sum, 101 + 555 + 103 + 104);
    record.value = (Bytes){NULL, 0}; /* a tombstone */
    assert_true(positions_read(&read, &found, &record));
    assert_null(positions_find(&read, 40));
    buf_free(&value);
    positions_free(&table);
    positions_free(&read);
}

/* A record of one task; the table has been its writer. */
typedef struct OnePosition {
    PositionTable table;
    Buf value;
    uint8_t key[POSITION_KEY_SIZE];
    LogRecord record;
} OnePosition;

static void one_position(OnePosition *one) {
    *one = (OnePosition){0};
    TaskPositions *task = positions_task(&one->table, NULL, 1, 2);
    positions_set(task, (TopicPartition){1, 1}, 1);
    one->record = record_of(task, one->key, &one->value);
    one->record.offset = 4711;
}

static void one_free(OnePosition *one) {
    buf_free(&one->value);
    positions_free(&one->table);
}

static void assert_damaged(const PositionTable *table) {
    Err err;
    assert_int_equal(positions_verdict(table, "_x-positions", 3, &err), ERR_BAD_RECORD);
    assert_non_null(strstr(err.message, "_x-positions, partition 3, offset 4711"));
}

static void test_damaged_positions_are_refused(void **state) {
    (void)state;
    PositionTable read = {0};
    SlotMark found = {0};
    OnePosition one;
    Err err;
    one_position(&one);
    LogRecord record = one.record;
    for (uint32_t cut = 0; cut < one.record.value.size; cut++) {
        record.value.size = cut;
        assert_true(positions_read(&read, &found, &record));
        assert_damaged(&read);
    }
    static const struct {
        uint32_t at;
        uint8_t byte;
    } damages[] = {{0, 99}, {8, 0xff}, {25, 2}, {29, 0x7f}, {33, 9}, {41, 0x80}};
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        uint8_t *byte = &one.value.data[damages[i].at], good = *byte;
        *byte = damages[i].byte;
        assert_true(positions_read(&read, &found, &one.record));
        assert_damaged(&read);
        *byte = good;
    }
    assert_int_equal(found.seq, 0); /* nothing of it counted */
    assert_true(positions_read(&read, &found, &one.record)); /* a good one makes it good */
    assert_int_equal(positions_verdict(&read, "t", 0, &err), ERR_OK);
    one_free(&one);
    positions_free(&read);
}

static void test_records_of_others_are_nobodys(void **state) {
    (void)state;
    PositionTable read = {0};
    SlotMark found = {0};
    OnePosition one;
    one_position(&one);
    static const char *const keys[] = {"", "customer", "1234567", "123456789",
                                       "a long key of text"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        one.record.key = bytes_of(keys[i]);
        assert_false(positions_read(&read, &found, &one.record));
    }
    one.record.key = (Bytes){NULL, 0};
    assert_false(positions_read(&read, &found, &one.record));
    assert_int_equal(read.count, 0);
    assert_int_equal(found.seq, 0);
    one_free(&one);
}

static void test_changes_are_merged_over_what_is_known(void **state) {
    (void)state;
    PositionTable known = {0}, changes = {0};
    positions_set(positions_task(&known, NULL, 1, 5), (TopicPartition){1, 0}, 10);
    positions_set(positions_task(&known, NULL, 1, 6), (TopicPartition){1, 1}, 20);
    TaskPositions *task = positions_task(&changes, &known, 1, 5);
    assert_int_equal(task->count, 1); /* what is known of it comes with it */
    positions_set(task, (TopicPartition){2, 0}, 30);
    positions_drop(positions_task(&changes, &known, 1, 6));
    assert_int_equal(positions_find(&known, 5)->count, 1);
    positions_merge(&known, &changes);
    assert_int_equal(positions_find(&known, 5)->count, 2);
    assert_null(positions_find(&known, 6));
    assert_int_equal(changes.count, 0);
    positions_free(&known);
}

/* The tables keep order whatever comes: against a plain array. */
static void test_many_tasks_are_found(void **state) {
    (void)state;
    PositionTable table = {0};
    int64_t next[200];
    memset(next, -1, sizeof next);
    uint32_t random = 12345;
    for (int i = 0; i < 2000; i++) {
        random = random * 1103515245 + 12345;
        uint32_t task = random >> 8 & 127;
        next[task] = i;
        positions_set(positions_task(&table, NULL, 1, task + 1), (TopicPartition){1, 0}, i);
    }
    for (uint32_t task = 0; task < 200; task++) {
        const TaskPositions *found = positions_find(&table, task + 1);
        assert_int_equal(found ? found->items[0].next : -1, next[task]);
    }
    positions_free(&table);
}

static void test_later_marks_win(void **state) {
    (void)state;
    PositionTable table = {0};
    SlotMark found = {9, "another author."};
    SlotMark before = found;
    OnePosition one;
    one_position(&one);
    assert_true(positions_read(&table, &found, &one.record));
    assert_true(slot_mark_equal(&found, &before)); /* 7 is not later than 9 */
    found.seq = 7;
    assert_false(slot_mark_equal(&found, &mark)); /* of another author */
    assert_true(positions_read(&table, &found, &one.record));
    assert_true(slot_mark_equal(&found, &mark));
    one_free(&one);
    positions_free(&table);
}

/* A commit that a changelog's records make does to a store what the first one did. */
static void test_a_changelog_restores_a_store(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage;
    StorageOptions options = {.threads = true};
    Err err;
    assert_int_equal(storage_open(io, "/store", &options, &storage, &err), ERR_OK);
    const uint32_t id = STORE_FIRST_FREE + 5;
    const char *const keys[] = {"a", "b", "c", "d", "e"};
    Commit *commit = commit_new(storage, 0);
    Buf key = {0};
    for (int i = 0; i < 5; i++) {
        changelog_key(&key, bytes_of(keys[i]));
        LogRecord record = {.key = buf_view(&key), .value = bytes_of(keys[i])};
        assert_int_equal(changelog_apply(commit, id, &record), CHANGELOG_APPLIED);
    }
    changelog_range(&key, bytes_of("b"), bytes_of("d"));
    LogRecord range = {.key = buf_view(&key), .value = bytes_of("")};
    assert_int_equal(changelog_apply(commit, id, &range), CHANGELOG_APPLIED);
    changelog_key(&key, bytes_of("e"));
    LogRecord removed = {.key = buf_view(&key)};
    assert_int_equal(changelog_apply(commit, id, &removed), CHANGELOG_APPLIED);
    LogRecord foreign = {.key = bytes_of("Xa"), .value = bytes_of("1")};
    assert_int_equal(changelog_apply(commit, id, &foreign), CHANGELOG_STRANGER);
    foreign.key = (Bytes){(const uint8_t *)"R\x09""a", 3}; /* shorter than it says */
    assert_int_equal(changelog_apply(commit, id, &foreign), CHANGELOG_DAMAGED);
    foreign.key = (Bytes){NULL, 0};
    assert_int_equal(changelog_apply(commit, id, &foreign), CHANGELOG_STRANGER);
    assert_int_equal(commit_wait(commit, NULL, &err), ERR_OK);
    Snapshot *snapshot = snapshot_open(storage);
    StoreIter *iter;
    Bytes found, value;
    char left[16] = "";
    assert_int_equal(store_scan(snapshot, id, (Bytes){NULL, 0}, (Bytes){NULL, 0}, &iter, &err),
                     ERR_OK);
    while (store_iter_next(iter, &found, &value))
        strncat(left, (const char *)found.data, found.size);
    assert_int_equal(store_iter_close(iter, &err), ERR_OK);
    assert_string_equal(left, "ad");
    snapshot_close(snapshot);
    buf_free(&key);
    storage_close(storage);
    io_mem_free(io);
}

static void test_stores_are_restored_once(void **state) {
    (void)state;
    StoreTable table;
    ClusterStore store = {STORE_FIRST_FREE, {4, 2}, 3}, found;
    stores_init(&table);
    stores_open(&table, &store);
    stores_open(&table, &store);
    store.store_id++;
    store.slot = 5;
    stores_open(&table, &store);
    assert_int_equal(table.count, 2);
    assert_true(stores_find(&table, STORE_FIRST_FREE, &found));
    assert_int_equal(found.changelog.partition, 2);
    const uint32_t slots[] = {1, 3}, others[] = {5};
    ClusterStore *stores;
    assert_int_equal(stores_unrestored(&table, slots, 2, &stores), 1);
    assert_int_equal(stores[0].store_id, STORE_FIRST_FREE);
    mem_free(stores);
    stores_restored(&table, STORE_FIRST_FREE);
    assert_int_equal(stores_unrestored(&table, slots, 2, &stores), 0);
    mem_free(stores);
    assert_int_equal(stores_unrestored(&table, others, 1, &stores), 1);
    mem_free(stores);
    stores_close(&table, STORE_FIRST_FREE);
    assert_false(stores_find(&table, STORE_FIRST_FREE, &found));
    assert_int_equal(table.count, 1);
    stores_free(&table);
}

static void test_kill_points_have_names(void **state) {
    (void)state;
    assert_string_equal(kill_point_name(KILL_AFTER_PRODUCE), "AFTER_PRODUCE");
    for (int i = KILL_NONE + 1; i < KILL_POINT_COUNT; i++)
        assert_true(strlen(kill_point_text((KillPoint)i)) > 10);
    assert_int_equal(setenv("WEIR_KILL_POINT", "no_such_place:1", 1), 0);
    kill_point_arm();
    for (int i = KILL_NONE + 1; i < KILL_POINT_COUNT; i++)
        kill_point_pass((KillPoint)i); /* nothing is armed: we live */
    assert_int_equal(unsetenv("WEIR_KILL_POINT"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_is_read_as_it_was_written),
        cmocka_unit_test(test_damaged_positions_are_refused),
        cmocka_unit_test(test_records_of_others_are_nobodys),
        cmocka_unit_test(test_changes_are_merged_over_what_is_known),
        cmocka_unit_test(test_many_tasks_are_found),
        cmocka_unit_test(test_later_marks_win),
        cmocka_unit_test(test_a_changelog_restores_a_store),
        cmocka_unit_test(test_stores_are_restored_once),
        cmocka_unit_test(test_kill_points_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
