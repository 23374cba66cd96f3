/* test_segment_add.c - bulk loads: segments that are written whole and added by a commit. */
#include <stdio.h>

#include "base/limits.h"
#include "storage/segment_add.h"
#include "storage/storage_impl.h"
#include "tests/unit/storage_bench.h"

static SegmentAdd *add_segment(Storage *storage, TopicPartition where, const char *text,
                               uint32_t batches) {
    SegmentAdd *add;
    CHECK_OK(segment_add_open(storage, where, &add, err));
    for (uint32_t i = 0; i < batches; i++) {
        RecordBatch batch = {0};
        Buf value = {0};
        buf_printf(&value, "%s%u", text, i);
        record_batch_add(&batch, &(LogRecord){.timestamp = 1000, .value = buf_view(&value)});
        record_batch_seal(&batch);
        CHECK_OK(segment_add_batch(add, &batch, err));
        record_batch_free(&batch);
        buf_free(&value);
    }
    return add;
}

static void append_one(Storage *storage, TopicPartition where, const char *text) {
    Commit *commit = commit_new(storage, 0);
    bench_append(commit, where, text, 1);
    CHECK_OK(commit_wait(commit, NULL, err));
}

static void a_segment_is_added_by_a_commit(void **state) {
    (void)state;
    static const IoMemDamage drop = {.drop = 100, .drop_name = 100};
    Io *io = io_mem_new();
    io_mem_start_faults(io, 4);
    Storage *storage = bench_open(io, NULL);
    uint32_t topic, store = storage_new_id(storage);
    bench_topic(storage, &topic, "t", 2);
    TopicPartition where = {topic, 1};
    append_one(storage, where, "a");
    SegmentAdd *add = add_segment(storage, where, "x", 3), *second;
    assert_int_equal(segment_add_base(add), 1);
    assert_true(segment_add_bytes(add) > 3 * RECORD_BATCH_HEAD_SIZE);
    CHECK_CODE(ERR_BUSY, segment_add_open(storage, where, &second, err));
    Commit *commit = commit_new(storage, 0);
    CHECK_OK(commit_segment(commit, add, err));
    commit_put(commit, store, bytes_of("loaded"), bytes_of("3"));
    assert_string_equal(bench_log(storage, where, 0), "0:a0");
    CHECK_OK(commit_wait(commit, NULL, err));
    append_one(storage, where, "b");
    assert_string_equal(bench_log(storage, where, 0), "0:a0 1:x0 2:x1 3:x2 4:b0");
    for (int round = 0; round < 3; round++) {
        if (round == 2)
            CHECK_OK(storage_checkpoint(storage, err));
        io_mem_crash_at(io, 1);
        storage_close(storage);
        io_mem_crash(io, 1, &drop);
        storage = bench_open(io, NULL);
        assert_string_equal(bench_log(storage, where, 0), "0:a0 1:x0 2:x1 3:x2 4:b0");
    }
    add = add_segment(storage, where, "y", 1);
    assert_int_equal(segment_add_base(add), 5);
    commit = commit_new(storage, 0);
    CHECK_OK(commit_segment(commit, add, err));
    commit_log_start(commit, where, 4);
    CHECK_OK(commit_wait(commit, NULL, err));
    CHECK_OK(storage_checkpoint(storage, err));
    assert_string_equal(bench_log(storage, where, 4), "4:b0 5:y0");
    storage_close(storage);
    io_mem_free(io);
}

static uint32_t count_segments(Io *io, uint32_t topic) {
    Arena *arena = arena_new("test", 0);
    char **names, *path = arena_printf(arena, "data/topics/%u/0", topic);
    uint32_t count, found = 0;
    CHECK_OK(io->ops->list(io, path, arena, &names, &count, err));
    for (uint32_t i = 0; i < count; i++)
        found += strstr(names[i], ".seg") != NULL;
    arena_free(arena);
    return found;
}

static void a_segment_gives_way_to_appends(void **state) {
    (void)state;
    Io *io = io_mem_new();
    io_mem_start_faults(io, 4);
    Storage *storage = bench_open(io, NULL);
    uint32_t topic;
    bench_topic(storage, &topic, "t", 1);
    TopicPartition where = {topic, 0};
    SegmentAdd *add = add_segment(storage, where, "x", 2);
    append_one(storage, where, "a");
    CHECK_OK(storage_checkpoint(storage, err)); /* the record stays in the tail */
    Commit *commit = commit_new(storage, 0);
    CHECK_OK(commit_segment(commit, add, err));
    assert_int_equal(count_segments(io, topic), 1);
    CHECK_CODE(ERR_BUSY, commit_wait(commit, NULL, err));
    assert_int_equal(count_segments(io, topic), 0);
    add = add_segment(storage, where, "y", 2);
    assert_int_equal(segment_add_base(add), 1);
    assert_int_equal(count_segments(io, topic), 2);
    segment_add_drop(add);
    assert_int_equal(count_segments(io, topic), 1);
    add = add_segment(storage, where, "z", 2);
    commit = commit_new(storage, 0);
    bench_append(commit, where, "b", 1);
    CHECK_OK(commit_segment(commit, add, err));
    CHECK_CODE(ERR_SEMANTIC, commit_wait(commit, NULL, err));
    add = add_segment(storage, where, "z", 2);
    io_mem_crash_at(io, 1);
    segment_add_drop(add);
    storage_close(storage);
    io_mem_crash(io, 1, NULL);
    storage = bench_open(io, NULL);
    assert_string_equal(bench_log(storage, where, 0), "0:a0");
    assert_int_equal(count_segments(io, topic), 1);
    storage_close(storage);
    io_mem_free(io);
}

static void load(Storage *storage, TopicPartition where, const char *text, uint32_t batches) {
    Commit *commit = commit_new(storage, 0);
    SegmentAdd *add = add_segment(storage, where, text, batches);
    CHECK_OK(commit_segment(commit, add, err));
    CHECK_OK(commit_wait(commit, NULL, err));
}

static void a_long_load_is_a_chain_of_segments(void **state) {
    (void)state;
    Io *io = io_mem_new();
    io_mem_start_faults(io, 4);
    StorageOptions options = {.segment_bytes_max = 200};
    Storage *storage = bench_open(io, &options);
    TopicPartition where = {0, 0};
    bench_topic(storage, &where.topic_id, "t", 1);
    SegmentAdd *add = add_segment(storage, where, "x", 7);
    assert_int_equal(count_segments(io, where.topic_id), 4); /* two batches in each */
    segment_add_drop(add);
    assert_int_equal(count_segments(io, where.topic_id), 0);
    load(storage, where, "x", 7);
    load(storage, where, "y", 2);
    append_one(storage, where, "a");
    static const char all[] = "0:x0 1:x1 2:x2 3:x3 4:x4 5:x5 6:x6 7:y0 8:y1 9:a0";
    assert_string_equal(bench_log(storage, where, 0), all);
    for (int round = 0; round < 2; round++) {
        io_mem_crash_at(io, 1);
        storage_close(storage);
        io_mem_crash(io, 1, NULL);
        storage = bench_open(io, &options);
        assert_string_equal(bench_log(storage, where, 0), all);
        assert_int_equal(count_segments(io, where.topic_id), 5);
        CHECK_OK(storage_checkpoint(storage, err));
    }
    storage_close(storage);
    io_mem_free(io);
}

/* What was added lately is read from memory: its file may be gone. */
static void what_is_added_serves_readers_from_memory(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    TopicPartition where = {0, 0};
    Err ignored;
    LogBlock *block;
    bench_topic(storage, &where.topic_id, "t", 1);
    append_one(storage, where, "a");
    load(storage, where, "x", 3);
    load(storage, where, "y", 2);
    char path[80];
    for (int base = 1; base <= 4; base += 3) {
        snprintf(path, sizeof path, "data/topics/%u/0/%020da.seg", where.topic_id, base);
        CHECK_OK(io->ops->remove(io, path, err));
    }
    append_one(storage, where, "b");
    assert_string_equal(bench_log(storage, where, 0), "0:a0 1:x0 2:x1 3:x2 4:y0 5:y1 6:b0");
    CHECK_OK(storage_checkpoint(storage, err));
    assert_string_equal(bench_log(storage, where, 6), "6:b0");
    assert_int_equal(log_fetch(storage, where, 2, 1 << 16, &block, &ignored), ERR_CORRUPT);
    storage_close(storage);
    io_mem_free(io);
}

/* A load that memory does not hold follows one that it does. */
static void memory_keeps_the_last_part(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    TopicPartition where = {0, 0};
    bench_topic(storage, &where.topic_id, "t", 1);
    Topic *topic = topics_find(&storage->topics, where.topic_id);
    Partition *partition = topic->partitions[0];
    uint32_t size = PARTITION_KEEP_BYTES / 8;
    if (size > SEGMENT_BYTES_MAX / 4)
        size = SEGMENT_BYTES_MAX / 4;
    Buf value = {0};
    memset(buf_room(&value, size), 'v', size);
    value.size = size;
    int64_t end = 0;
    for (uint32_t round = 0, count = 3; round < 4; round++, count = round == 2 ? 9 : 3) {
        SegmentAdd *add;
        CHECK_OK(segment_add_open(storage, where, &add, err));
        for (uint32_t i = 0; i < count; i++) {
            RecordBatch batch = {0};
            record_batch_add(&batch, &(LogRecord){.timestamp = 1, .value = buf_view(&value)});
            record_batch_seal(&batch);
            CHECK_OK(segment_add_batch(add, &batch, err));
            assert_int_equal(batch.count, 0);
            record_batch_free(&batch);
        }
        Commit *commit = commit_new(storage, 0);
        CHECK_OK(commit_segment(commit, add, err));
        CHECK_OK(commit_wait(commit, NULL, err));
        end += count;
        assert_true(partition_tail_bytes(partition) <= PARTITION_KEEP_BYTES);
        assert_true(round == 2 || partition_tail_bytes(partition) >= 3 * size);
        for (int64_t offset = 0; offset < end; offset++) {
            LogBlock *block;
            CHECK_OK(log_fetch(storage, where, offset, 1, &block, err));
            assert_non_null(block);
            assert_true(log_block_bytes(block).size > size);
            log_block_unref(block);
        }
    }
    StorageFigures figures;
    storage_figures(storage, &figures);
    assert_in_range(figures.segment_bytes, end * size, end * (size + 100));
    append_one(storage, where, "a");
    CHECK_OK(storage_checkpoint(storage, err));
    topic_unref(topic);
    storage_close(storage);
    buf_free(&value);
    io_mem_free(io);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_is_added_by_a_commit),
        cmocka_unit_test(a_segment_gives_way_to_appends),
        cmocka_unit_test(a_long_load_is_a_chain_of_segments),
        cmocka_unit_test(what_is_added_serves_readers_from_memory),
        cmocka_unit_test(memory_keeps_the_last_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
