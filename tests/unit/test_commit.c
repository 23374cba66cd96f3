/* test_commit.c - commits: whole or not at all, in order, visible only when durable. */
#include <stdio.h>

#include "tests/unit/storage_bench.h"

static void positions_state_and_records_together(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t topic, store = storage_new_id(storage), task = storage_new_id(storage);
    bench_topic(storage, &topic, "clicks", 2);
    TopicPartition first = {topic, 0}, second = {topic, 1};
    Commit *commit = commit_new(storage, 1);
    commit_position(commit, task, first, 42);
    commit_put(commit, store, bytes_of("a"), bytes_of("1"));
    commit_put(commit, store, bytes_of("b"), bytes_of("2"));
    commit_put(commit, store, bytes_of("a"), bytes_of("3"));
    bench_append(commit, first, "x", 3);
    bench_append(commit, second, "y", 2);
    bench_append(commit, first, "z", 1);
    int64_t offset;
    CHECK_OK(commit_wait(commit, &offset, err));
    assert_int_equal(offset, 0);
    assert_int_equal(log_position(storage, task, first), 42);
    assert_int_equal(log_position(storage, task, second), -1);
    Snapshot *snapshot = snapshot_open(storage);
    assert_string_equal(bench_get(snapshot, store, "a"), "3");
    assert_string_equal(bench_get(snapshot, store, "b"), "2");
    snapshot_close(snapshot);
    assert_string_equal(bench_log(storage, first, 0), "0:x0 1:x1 2:x2 3:z0");
    assert_string_equal(bench_log(storage, second, 1), "1:y1");
    storage_close(storage);
    storage = bench_open(io, NULL);
    assert_int_equal(log_position(storage, task, first), 42);
    assert_string_equal(bench_log(storage, first, 2), "2:x2 3:z0");
    snapshot = snapshot_open(storage);
    assert_string_equal(bench_get(snapshot, store, "a"), "3");
    snapshot_close(snapshot);
    storage_close(storage);
    io_mem_free(io);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_state_and_records_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
