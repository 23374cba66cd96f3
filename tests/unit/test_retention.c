/* test_retention.c - what goes of a log by age and by size, and that its files go too. */
#include "base/limits.h"
#include "tests/unit/storage_bench.h"

/* Records [from, to), each a batch, with timestamps 10 * offset. */
static void append(Storage *storage, TopicPartition where, int64_t from, int64_t to,
                   uint32_t value_bytes) {
    uint8_t *value = mem_alloc(value_bytes + 1);
    memset(value, 'v', value_bytes + 1);
    for (int64_t i = from; i < to; i++) {
        RecordBatch batch = {0};
        record_batch_add(&batch, &(LogRecord){.timestamp = 10 * i, .value = {value, value_bytes}});
        record_batch_seal(&batch);
        Commit *commit = commit_new(storage, 0);
        commit_append(commit, where, &batch);
        CHECK_OK(commit_wait(commit, NULL, err));
        record_batch_free(&batch);
    }
    mem_free(value);
}

static int64_t due(Storage *storage, TopicPartition where, LogRetention retention,
                   int64_t now_ms) {
    int64_t start = -1;
    CHECK_OK(log_retention_start(storage, where, &retention, now_ms, &start, err));
    return start;
}

static void raise_start(Storage *storage, TopicPartition where, int64_t start) {
    Commit *commit = commit_new(storage, 0);
    commit_log_start(commit, where, start);
    CHECK_OK(commit_wait(commit, NULL, err));
}

static uint32_t files(Io *io, TopicPartition where) {
    Arena *arena = arena_new("test", 0);
    char **names, *path = arena_printf(arena, "data/topics/%u/%u", where.topic_id, where.partition);
    uint32_t count = 0;
    Err ignored;
    if (io->ops->list(io, path, arena, &names, &count, &ignored) != ERR_OK)
        count = 0;
    arena_free(arena);
    return count;
}

static void by_age(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t topic;
    bench_topic(storage, &topic, "t", 1);
    TopicPartition where = {topic, 0};
    LogRetention age = {.ms = 100, .bytes = -1};
    assert_int_equal(due(storage, where, age, 1000), 0);
    append(storage, where, 0, 10, 10); /* times 0 to 90 */
    assert_int_equal(due(storage, where, age, 100), 0);
    assert_int_equal(due(storage, where, age, 101), 1);
    assert_int_equal(due(storage, where, age, 151), 6);
    assert_int_equal(due(storage, where, age, 1000000), 10);
    assert_int_equal(due(storage, where, (LogRetention){-1, -1}, 1000000), 0);
    assert_int_equal(due(storage, where, (LogRetention){0, -1}, 91), 10);
    assert_int_equal(due(storage, where, (LogRetention){INT64_MAX, -1}, INT64_MIN), 0);
    /* One young record keeps what follows it, however old. */
    raise_start(storage, where, 9);
    append(storage, where, 10, 11, 10);
    append(storage, where, 3, 5, 10); /* offsets 11 and 12 with times 30 and 40 */
    assert_int_equal(due(storage, where, age, 195), 10);
    assert_int_equal(due(storage, where, age, 201), 13);
    storage_close(storage);
    io_mem_free(io);
}

static void by_size(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t topic;
    uint64_t all, one;
    bench_topic(storage, &topic, "t", 1);
    TopicPartition where = {topic, 0};
    append(storage, where, 0, 1, 1000);
    CHECK_OK(log_bytes(storage, where, &one, err));
    append(storage, where, 1, 10, 1000);
    CHECK_OK(log_bytes(storage, where, &all, err));
    assert_true(one > 1000 && all == 10 * one);
    int64_t bytes = (int64_t)one;
    assert_int_equal(due(storage, where, (LogRetention){-1, 10 * bytes}, 0), 0);
    assert_int_equal(due(storage, where, (LogRetention){-1, 9 * bytes + 1}, 0), 0);
    assert_int_equal(due(storage, where, (LogRetention){-1, 9 * bytes}, 0), 1);
    assert_int_equal(due(storage, where, (LogRetention){-1, 3 * bytes - 1}, 0), 7);
    assert_int_equal(due(storage, where, (LogRetention){-1, 0}, 0), 10);
    raise_start(storage, where, 7);
    CHECK_OK(log_bytes(storage, where, &all, err));
    assert_int_equal(all, 3 * one);
    assert_int_equal(due(storage, where, (LogRetention){-1, 3 * bytes}, 0), 7);
    assert_int_equal(due(storage, where, (LogRetention){-1, 2 * bytes}, 0), 8);
    assert_int_equal(due(storage, where, (LogRetention){35, 3 * bytes}, 115), 8); /* by age */
    storage_close(storage);
    io_mem_free(io);
}

/* A segment goes whole; a growing one must be ended first, and then its files go. */
static void segments(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t topic;
    bench_topic(storage, &topic, "t", 1);
    TopicPartition where = {topic, 0};
    append(storage, where, 0, 5, SEGMENT_CHUNK_BYTES / 2);
    CHECK_OK(log_roll(storage, where, err));
    CHECK_OK(storage_checkpoint(storage, err));
    append(storage, where, 5, 10, SEGMENT_CHUNK_BYTES / 2);
    CHECK_OK(storage_checkpoint(storage, err));
    assert_int_equal(files(io, where), 6);
    LogRetention age = {.ms = 100, .bytes = -1};
    assert_int_equal(due(storage, where, age, 140), 0); /* the record of 40 is in the segment */
    assert_int_equal(due(storage, where, age, 141), 5);
    uint64_t all;
    CHECK_OK(log_bytes(storage, where, &all, err));
    raise_start(storage, where, 3); /* in the middle of a segment: its bytes stay */
    CHECK_OK(log_bytes(storage, where, &all, err));
    assert_int_equal(due(storage, where, age, 141), 5);
    raise_start(storage, where, 5);
    CHECK_OK(storage_checkpoint(storage, err));
    assert_int_equal(files(io, where), 3);
    CHECK_CODE(ERR_NOT_FOUND, log_fetch(storage, where, 4, 100, &(LogBlock *){NULL}, err));

    /* The growing one: nothing comes any more, its last block is not full. */
    assert_int_equal(due(storage, where, age, 191), 10);
    raise_start(storage, where, 10);
    CHECK_OK(log_roll(storage, where, err));
    CHECK_OK(storage_checkpoint(storage, err));
    assert_int_equal(files(io, where), 0);
    append(storage, where, 10, 11, 10);
    storage_close(storage);
    storage = bench_open(io, NULL);
    int64_t start, end;
    CHECK_OK(log_offsets(storage, where, &start, &end, err));
    assert_int_equal(start, 10);
    assert_int_equal(end, 11);
    CHECK_CODE(ERR_NOT_FOUND,
               log_retention_start(storage, (TopicPartition){topic, 1}, &age, 0, &start, err));
    storage_close(storage);
    io_mem_free(io);
}

/* Retention and the deletion of a topic do not know of each other. */
static void topics_that_go(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t topic;
    bench_topic(storage, &topic, "t", 1);
    append(storage, (TopicPartition){topic, 0}, 0, 3, 10);
    Commit *commit = commit_new(storage, 0);
    commit_topic_delete(commit, topic);
    commit_log_start(commit, (TopicPartition){topic, 0}, 2);
    commit_log_start(commit, (TopicPartition){4711, 0}, 2);
    CHECK_OK(commit_wait(commit, NULL, err));
    bench_topic(storage, &topic, "t", 1);
    append(storage, (TopicPartition){topic, 0}, 0, 3, 10);
    storage_close(storage);
    storage = bench_open(io, NULL);
    int64_t start, end;
    CHECK_OK(log_offsets(storage, (TopicPartition){topic, 0}, &start, &end, err));
    assert_int_equal(start, 0);
    assert_int_equal(end, 3);
    storage_close(storage);
    io_mem_free(io);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_age),
        cmocka_unit_test(by_size),
        cmocka_unit_test(segments),
        cmocka_unit_test(topics_that_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
