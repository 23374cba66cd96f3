/* test_reserve.c - space kept back: made, given up by who may have it, made again. */
#include "storage/segment_add.h"
#include "storage/storage_impl.h"
#include "tests/unit/storage_bench.h"

enum { MB = 1 << 20, ROOM = 32 * MB };

typedef struct World {
    Io *io;
    Storage *storage;
    uint32_t store, topic;
} World;

static uint64_t reserve_size(World *world) {
    IoFile *file;
    Err ignored;
    uint64_t size;
    if (world->io->ops->open(world->io, "data/reserve", IO_READ, &file, &ignored) != ERR_OK)
        return 0;
    CHECK_OK(file->ops->size(file, &size, err));
    file->ops->close(file);
    return size;
}

static void set_room(World *world, uint64_t bytes) {
    io_mem_set_space(world->io, io_mem_used(world->io) + bytes);
}

static void wait_and_pump(World *world, int64_t us) {
    io_mem_advance_clock(world->io, us);
    CHECK_OK(storage_pump(world->storage, err));
}

static void open_world(World *world) {
    static const StorageOptions options = {.journal_file_bytes = 32 << 10,
                                           .checkpoint_bytes = 1 << 30,
                                           .checkpoint_ms = 1000000000};
    world->storage = bench_open(world->io, &options);
}

/* A storage with a topic and a reserve. */
static void world_new(World *world) {
    *world = (World){.io = io_mem_new()};
    io_mem_start_faults(world->io, 1);
    io_mem_set_clock(world->io, 1000);
    open_world(world);
    world->store = storage_new_id(world->storage);
    bench_topic(world->storage, &world->topic, "t", 1);
    wait_and_pump(world, 20000000);
    assert_int_equal(reserve_size(world), 0); /* memory has no end */
    set_room(world, ROOM);
    wait_and_pump(world, 20000000);
    assert_in_range(reserve_size(world), ROOM / 100 - 4096, ROOM / 100);
}

static void world_free(World *world) {
    storage_close(world->storage);
    io_mem_free(world->io);
}

static ErrCode put(World *world, const char *key, uint32_t size) {
    Err ignored;
    Buf value = {0};
    memset(buf_room(&value, size), 'v', size);
    value.size = size;
    Commit *commit = commit_new(world->storage, 1);
    commit_put(commit, world->store, bytes_of(key), buf_view(&value));
    buf_free(&value);
    return commit_wait(commit, NULL, &ignored);
}

/* No more room, and none in the journal's files either. */
static void fill(World *world) {
    set_room(world, 0);
    uint32_t accepted = 0;
    while (put(world, "filler", 3000) == ERR_OK)
        assert_true(++accepted < 100);
    assert_true(accepted > 0);
    assert_int_equal(put(world, "filler", 3000), ERR_NO_SPACE);
}

static void a_full_disk_can_delete(void **state) {
    (void)state;
    World world;
    world_new(&world);
    uint64_t size = reserve_size(&world);
    fill(&world);
    wait_and_pump(&world, 2000000);
    assert_int_equal(reserve_size(&world), size);
    Commit *commit = commit_new(world.storage, 0);
    commit_topic_delete(commit, world.topic);
    CHECK_OK(commit_wait(commit, NULL, err));
    assert_int_equal(reserve_size(&world), 0);
    for (int i = 0; i < 10; i++)
        CHECK_OK(storage_pump(world.storage, err));
    StorageFigures figures;
    storage_figures(world.storage, &figures);
    assert_int_equal(figures.checkpoints, 1); /* it gives back what was deleted */
    world_free(&world);
}

static void what_is_given_up_is_not_for_others(void **state) {
    (void)state;
    World world;
    world_new(&world);
    uint64_t size = reserve_size(&world);
    fill(&world);
    CHECK_OK(storage_checkpoint(world.storage, err)); /* needs a file, and frees others */
    assert_int_equal(reserve_size(&world), 0);
    uint32_t accepted = 0;
    while (put(&world, "a", 3000) == ERR_OK) /* in files that are there already */
        assert_true(++accepted < 100);
    uint64_t left;
    CHECK_OK(world.io->ops->free_space(world.io, "data", &left, err));
    assert_true(left > 32 << 10);
    SegmentAdd *add;
    TopicPartition where = {world.topic, 0};
    CHECK_CODE(ERR_NO_SPACE, segment_add_open(world.storage, where, &add, err));
    Commit *commit = commit_new(world.storage, 1);
    commit_remove(commit, world.store, bytes_of("a"));
    CHECK_OK(commit_wait(commit, NULL, err)); /* but who removes may */
    set_room(&world, size);
    wait_and_pump(&world, 1100000);
    assert_int_equal(reserve_size(&world), 0);
    assert_int_equal(put(&world, "b", 30000), ERR_NO_SPACE);
    set_room(&world, 2 * size);
    wait_and_pump(&world, 1100000); /* by itself, within a second or so */
    assert_int_equal(reserve_size(&world), size);
    assert_int_equal(put(&world, "b", 30000), ERR_OK);
    world_free(&world);
}

static void a_full_disk_can_recover(void **state) {
    (void)state;
    World world;
    world_new(&world);
    assert_int_equal(put(&world, "k", 10), ERR_OK);
    io_mem_crash_at(world.io, 1);
    storage_close(world.storage);
    io_mem_crash(world.io, 1, NULL);
    set_room(&world, 0);
    uint64_t size = reserve_size(&world);
    assert_true(size > 0);
    open_world(&world);
    assert_int_equal(reserve_size(&world), 0);
    Snapshot *snapshot = snapshot_open(world.storage);
    assert_string_equal(bench_get(snapshot, world.store, "k"), "vvvvvvvvvv");
    snapshot_close(snapshot);
    storage_close(world.storage);
    Storage *storage;
    Io *io = world.io;
    io_mem_set_space(io, 0);
    CHECK_CODE(ERR_NO_SPACE, storage_open(io, "data", NULL, &storage, err));
    set_room(&world, ROOM);
    open_world(&world);
    wait_and_pump(&world, 1100000);
    assert_in_range(reserve_size(&world), size / 2, ROOM / 100);
    wait_and_pump(&world, 20000000);
    world_free(&world);
}

/* One that is much too small grows when there is room; a failing disk ends the storage. */
static void it_follows_the_disk(void **state) {
    (void)state;
    World world;
    world_new(&world);
    set_room(&world, 100ULL * ROOM);
    wait_and_pump(&world, 20000000);
    assert_in_range(reserve_size(&world), ROOM - 4096, 2 * ROOM);
    set_room(&world, 100000ULL * ROOM);
    io_mem_fail(world.io, IO_MEM_WRITE, 1, false);
    io_mem_advance_clock(world.io, 20000000);
    CHECK_CODE(ERR_STORAGE_FAILED, storage_pump(world.storage, err));
    world_free(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_can_delete),
        cmocka_unit_test(what_is_given_up_is_not_for_others),
        cmocka_unit_test(a_full_disk_can_recover),
        cmocka_unit_test(it_follows_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
