/*
 * test_partition.c - a partition against a list of batches: whatever is appended, written, saved,
 * lost in a crash and loaded again, a fetch gives those bytes, to any reader at any time.
 */
#include "tests/unit/partition_world.h"

#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/thread.h"

static void live(World *world, int steps) {
    for (int step = 0; step < steps; step++) {
        uint64_t roll = dice(&world->seed) % 16;
        if (roll < 6)
            append(world);
        else if (roll < 12)
            fetch_some(world);
        else if (roll < 14)
            checkpoint(world, dice(&world->seed) % 2);
        else if (roll == 14)
            crash(world);
        if (io_mem_stopped(world->io))
            crash(world);
        else if (roll == 15)
            io_mem_crash_at(world->io, 1 + dice(&world->seed) % 12);
    }
    io_mem_crash_at(world->io, 0);
    if (io_mem_stopped(world->io))
        crash(world);
    read_all(world);
    crash(world);
    read_all(world);
}

static void test_any_life_keeps_every_batch(void **state) {
    (void)state;
    static const uint32_t sizes[] = {10, 100, 1000, 9000, 90000};
    for (uint64_t seed = 1; seed <= 15; seed++) {
        World world = world_new(seed, sizes[seed % 5]);
        live(&world, sizes[seed % 5] > 10000 ? 25 : 60);
        world_free(&world);
    }
}

static void test_an_empty_partition(void **state) {
    (void)state;
    World world = world_new(1, 10);
    LogBlock *block;
    Err err;
    assert_null(fetch(&world, 0, 100));
    assert_int_equal(partition_fetch(world.partition, 1, 100, &block, &err), ERR_NOT_FOUND);
    assert_int_equal(partition_fetch(world.partition, -1, 100, &block, &err), ERR_NOT_FOUND);
    checkpoint(&world, false);
    crash(&world);
    read_all(&world);
    assert_int_equal(partition_delete_files(world.partition, &err), ERR_OK);
    world_free(&world);
}


/* == Readers ================================================================================== */

/* Three batches in one buffer come as a view of it; small ones from many buffers come as one. */
static void test_the_tail_is_given_by_reference(void **state) {
    (void)state;
    World world = world_new(5, 3000);
    for (int i = 0; i < 60; i++)
        model_batch(&world);
    size_t size = world.bytes.size;
    uint8_t *frame = mem_alloc(size);
    memcpy(frame, world.bytes.data, size);
    LogBlock *buffer = log_block_take(frame, (uint32_t)size);
    for (size_t i = 0; i < world.count; i++) {
        RecordBatchInfo info;
        Err err;
        Bytes bytes = {frame + world.batches[i].at, world.batches[i].size};
        assert_int_equal(record_batch_check(bytes, &info, &err), ERR_OK);
        partition_append(world.partition, buffer, bytes, &info);
    }
    log_block_unref(buffer);
    LogBlock *block = fetch(&world, 0, UINT32_MAX);
    assert_ptr_equal(log_block_bytes(block).data, frame);
    assert_int_equal(log_block_bytes(block).size, size);
    LogBlock *second = fetch(&world, world.batches[7].last, 100000);
    assert_ptr_equal(log_block_bytes(second).data, frame + world.batches[7].at);
    /* Both outlive the tail. */
    checkpoint(&world, false);
    assert_true(partition_tail_bytes(world.partition) < size);
    partition_free(world.partition);
    expect_block(&world, 0, block);
    expect_block(&world, world.batches[7].last, second);
    log_block_unref(block);
    expect_block(&world, world.batches[7].last, second);
    log_block_unref(second);
    load(&world);
    read_all(&world);
    world_free(&world);
}

static void test_small_batches_are_gathered(void **state) {
    (void)state;
    World world = world_new(6, 5);
    for (int i = 0; i < 400; i++) {
        model_batch(&world);
        give(&world, world.count - 1, 1);
    }
    LogBlock *block = fetch(&world, 0, 8000);
    assert_true(log_block_bytes(block).size > 7000);
    assert_true(expect_block(&world, 0, block) > 10);
    log_block_unref(block);
    read_all(&world);
    world_free(&world);
}

/* What a checkpoint leaves in memory is little, however long the partition is. */
static void test_memory_ends_with_the_checkpoint(void **state) {
    (void)state;
    World world = world_new(7, 1000);
    for (int i = 0; i < 100; i++)
        append(&world);
    assert_int_equal(partition_tail_bytes(world.partition), world.bytes.size);
    checkpoint(&world, false);
    uint32_t largest = 0;
    for (size_t i = 0; i < world.count; i++)
        largest = world.batches[i].size > largest ? world.batches[i].size : largest;
    assert_true(partition_tail_bytes(world.partition) < 4096 + largest);
    size_t segments = world.bytes.size / WORLD_SEGMENT_BYTES + 1;
    assert_true(world.saved.size < 1000 + 4096 + 100 * segments);
    read_all(&world);
    world_free(&world);
}

static void test_a_short_tail_costs_no_file(void **state) {
    (void)state;
    World world = world_new(8, 10);
    model_batch(&world);
    give(&world, 0, 1);
    uint64_t before = io_mem_changes(world.io);
    checkpoint(&world, false);
    assert_int_equal(io_mem_changes(world.io), before);
    crash(&world);
    read_all(&world);
    world_free(&world);
}

/* == The start ================================================================================ */

/* Segments below the start stay until a checkpoint without them is valid, then go. */
static void test_segments_below_the_start_go(void **state) {
    (void)state;
    World world = world_new(9, WORLD_SEGMENT_BYTES / 200);
    grow_segments(&world, 3);
    LogBlock *block;
    Err err;
    world.start = model_end(&world) - 3;
    partition_set_start(world.partition, world.start);
    assert_int_equal(partition_fetch(world.partition, world.start - 1, 1, &block, &err),
                     ERR_NOT_FOUND);
    read_all(&world);
    assert_int_equal(count_files(&world, ".seg"), 3);
    checkpoint(&world, false);
    assert_int_equal(count_files(&world, ".seg"), 3);
    checkpoint(&world, false);
    assert_int_equal(count_files(&world, ".seg"), 1);
    read_all(&world);
    crash(&world);
    read_all(&world);
    assert_int_equal(partition_delete_files(world.partition, &err), ERR_OK);
    assert_int_equal(count_files(&world, ""), 0);
    assert_int_equal(partition_delete_files(world.partition, &err), ERR_OK);
    world_free(&world);
}

/* A crash between a write and its checkpoint leaves segments that nobody names. */
static void test_files_that_nobody_names_are_removed(void **state) {
    (void)state;
    World world = world_new(10, WORLD_SEGMENT_BYTES / 200);
    Err err;
    static const IoMemDamage keep_all = {0};
    append(&world);
    checkpoint(&world, false);
    size_t before = world.bytes.size;
    while (world.bytes.size - before < 2 * (size_t)WORLD_SEGMENT_BYTES)
        append(&world);
    partition_freeze(world.partition);
    assert_int_equal(write_tail(&world), ERR_OK);
    assert_true(count_files(&world, ".seg") >= 2);
    partition_free(world.partition);
    io_mem_crash(world.io, 1, &keep_all);
    load(&world);
    assert_int_equal(partition_remove_unclaimed(world.partition, &err), ERR_OK);
    assert_int_equal(count_files(&world, ".seg"), 0);
    read_all(&world);
    checkpoint(&world, false);
    read_all(&world);
    world_free(&world);
}

/* == Time ===================================================================================== */

static void expect_time(World *world, int64_t time) {
    int64_t want = model_end(world), got = -1;
    for (size_t i = 0; i < world->count && want == model_end(world); i++) {
        if (world->batches[i].last < world->start || world->batches[i].time < time)
            continue;
        RecordIter iter;
        LogRecord record;
        record_iter_init(&iter, (Bytes){world->bytes.data + world->batches[i].at,
                                        world->batches[i].size});
        while (record_iter_next(&iter, &record) && want == model_end(world))
            if (record.timestamp >= time && record.offset >= world->start)
                want = record.offset;
    }
    Err err;
    if (partition_find_time(world->partition, time, &got, &err) != ERR_OK)
        fail_msg("%s", err.message);
    assert_int_equal(got, want);
}

static void test_time_gives_an_offset(void **state) {
    (void)state;
    World world = world_new(11, WORLD_SEGMENT_BYTES / 400);
    grow_segments(&world, 2);
    append(&world);
    for (int round = 0; round < 3; round++) {
        expect_time(&world, INT64_MIN);
        expect_time(&world, INT64_MAX);
        for (int i = 0; i < 100; i++)
            expect_time(&world, 990 + (int64_t)(dice(&world.seed) % (world.count * 10 + 100)));
        world.start = model_end(&world) * (round + 1) / 3 - 1;
        partition_set_start(world.partition, world.start);
        if (round == 1)
            crash(&world);
    }
    world_free(&world);
}

/* == The machine ============================================================================== */

/* The same on real files, past the page cache where the file system can. */
static void test_real_files(void **state) {
    (void)state;
    Err err;
    Io *io = io_posix();
    char root[64], path[80];
    snprintf(root, sizeof root, "/tmp/weir-test-partition-%ld", (long)getpid());
    snprintf(path, sizeof path, "%s/3/0", root);
    World world = world_new(70, 3000);
    for (int round = 0; round < 3; round++) {
        partition_free(world.partition);
        world.partition = partition_new(io, path, (TopicPartition){3, 0});
        partition_set_segment_bytes(world.partition, WORLD_SEGMENT_BYTES);
        if (world.saved.size > 0)
            assert_int_equal(partition_load(world.partition, buf_view(&world.saved), &err), 0);
        if (round > 0)
            give(&world, model_find(&world, world.saved_end), 1);
        while (world.bytes.size < (size_t)(round + 1) * WORLD_SEGMENT_BYTES)
            append(&world);
        checkpoint(&world, false);
        append(&world);
        checkpoint(&world, false);
        read_all(&world);
        model_batch(&world);
        give(&world, world.count - 1, 1); /* for the next round: not in the checkpoint */
    }
    assert_int_equal(partition_delete_files(world.partition, &err), ERR_OK);
    snprintf(path, sizeof path, "%s/3", root);
    assert_int_equal(io->ops->remove(io, path, &err), ERR_OK);
    assert_int_equal(io->ops->remove(io, root, &err), ERR_OK);
    world_free(&world);
}

/* == Threads ================================================================================== */

typedef struct Shared {
    World world;
    atomic_bool stop;
    atomic_int turn; /* 0: nobody's, 1: the background thread writes */
    Buf saved;
} Shared;

static void *background(void *arg) {
    Shared *shared = arg;
    while (!atomic_load(&shared->stop)) {
        Err err;
        if (atomic_load(&shared->turn) != 1) {
            sched_yield();
            continue;
        }
        if (partition_write(shared->world.partition, &err) != ERR_OK)
            return "failed";
        buf_reset(&shared->saved);
        partition_save(shared->world.partition, &shared->saved);
        atomic_store(&shared->turn, 2);
    }
    return NULL;
}

static void *reader(void *arg) {
    Shared *shared = arg;
    uint64_t seed = (uint64_t)(uintptr_t)&seed | 1;
    LogBlock *kept[16] = {NULL};
    int64_t offsets[16];
    for (uint32_t i = 0; !atomic_load(&shared->stop); i++) {
        int64_t start, end;
        Err err;
        partition_offsets(shared->world.partition, &start, &end);
        if (start == end)
            continue;
        if (kept[i % 16])
            expect_block(&shared->world, offsets[i % 16], kept[i % 16]);
        log_block_unref(kept[i % 16]);
        offsets[i % 16] = start + (int64_t)(dice(&seed) % (uint64_t)(end - start));
        if (partition_fetch(shared->world.partition, offsets[i % 16],
                            (uint32_t)(dice(&seed) % 50000), &kept[i % 16], &err) != ERR_OK)
            return "failed";
        expect_block(&shared->world, offsets[i % 16], kept[i % 16]);
    }
    for (int i = 0; i < 16; i++)
        log_block_unref(kept[i]);
    return NULL;
}

static void test_readers_and_checkpoints_beside_appends(void **state) {
    (void)state;
    Shared shared = {.world = world_new(60, 700)};
    World *world = &shared.world;
    while (world->bytes.size < 24 * (size_t)TAIL_WRITE_BYTES_MIN)
        model_batch(world);
    size_t step = world->count / 8;
    int checkpoints = 0;
    Thread threads[3];
    thread_start(&threads[0], "background", background, &shared);
    thread_start(&threads[1], "reader", reader, &shared);
    thread_start(&threads[2], "reader", reader, &shared);
    for (size_t i = 0; i < world->count; i++) {
        give(world, i, 1);
        while (i % step == step - 1 && atomic_load(&shared.turn) == 1)
            sched_yield(); /* else the appends would be over before the first checkpoint */
        if (atomic_load(&shared.turn) == 2) {
            partition_settle(world->partition);
            atomic_store(&shared.turn, 0);
            checkpoints++;
        }
        if (i % step == 0 && atomic_load(&shared.turn) == 0) {
            partition_freeze(world->partition);
            atomic_store(&shared.turn, 1);
        }
    }
    atomic_store(&shared.stop, true);
    for (int i = 0; i < 3; i++)
        thread_join(&threads[i]);
    assert_true(checkpoints > 1);
    read_all(world);
    buf_free(&shared.saved);
    world_free(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_life_keeps_every_batch),
        cmocka_unit_test(test_an_empty_partition),
        cmocka_unit_test(test_the_tail_is_given_by_reference),
        cmocka_unit_test(test_small_batches_are_gathered),
        cmocka_unit_test(test_memory_ends_with_the_checkpoint),
        cmocka_unit_test(test_a_short_tail_costs_no_file),
        cmocka_unit_test(test_segments_below_the_start_go),
        cmocka_unit_test(test_files_that_nobody_names_are_removed),
        cmocka_unit_test(test_time_gives_an_offset),
        cmocka_unit_test(test_real_files),
        cmocka_unit_test(test_readers_and_checkpoints_beside_appends),
    };
    return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
