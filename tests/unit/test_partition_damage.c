/*
 * test_partition_damage.c - damaged files, failing calls, a full disk: a fetch gives the right
 * bytes or names what is wrong and where.
 */
#include "tests/unit/partition_world.h"

/* == Damage =================================================================================== */

static const char *segment_file(const char *ending) {
    static char path[100];
    snprintf(path, sizeof path, "%s/00000000000000000000.%s", folder, ending);
    return path;
}

/* Right bytes, or CORRUPT that names the file. */
static bool fetch_good(World *world, int64_t offset) {
    LogBlock *block = NULL;
    Err err;
    ErrCode code = partition_fetch(world->partition, offset, 5000, &block, &err);
    if (code == ERR_OK) {
        expect_block(world, offset, block);
        log_block_unref(block);
        return true;
    }
    assert_int_equal(code, ERR_CORRUPT);
    assert_null(block);
    assert_non_null(strstr(err.message, segment_file("seg")));
    return false;
}

static void test_any_flipped_bit_of_a_segment_is_seen(void **state) {
    (void)state;
    World world = world_new(12, 1000);
    while (world.bytes.size < 3 * (size_t)SEGMENT_CHUNK_BYTES)
        append(&world);
    checkpoint(&world, false);
    read_all(&world);
    for (int round = 0; round < 150; round++) {
        size_t item = dice(&world.seed) % (world.count * 4 / 5);
        ModelBatch *batch = &world.batches[item];
        /* Every bit of a head in turn, leader epoch included, and some of the rest. */
        uint64_t at = batch->at + (round < 100 ? (uint64_t)round % 61
                                               : dice(&world.seed) % batch->size);
        unsigned bit = (unsigned)dice(&world.seed) % 8;
        assert_true(io_mem_flip(world.io, segment_file("seg"), at, bit));
        assert_false(fetch_good(&world, batch->base));
        assert_false(fetch_good(&world, batch->last));
        uint32_t good = 0;
        for (int i = 0; i < 20; i++)
            good += fetch_good(&world, (int64_t)(dice(&world.seed) % (uint64_t)model_end(&world)));
        assert_true(good > 0);
        assert_true(io_mem_flip(world.io, segment_file("seg"), at, bit));
        assert_true(fetch_good(&world, batch->base));
    }
    world_free(&world);
}

static void test_a_lost_index_is_made_again(void **state) {
    (void)state;
    static const char *const endings[] = {"idx", "tix"};
    World world = world_new(13, WORLD_SEGMENT_BYTES / 100);
    grow_segments(&world, 3);
    for (int round = 0; round < 24; round++) {
        const char *path = segment_file(endings[round % 2]);
        Err err;
        IoFile *file;
        if (round < 2) {
            assert_int_equal(world.io->ops->remove(world.io, path, &err), ERR_OK);
        } else if (round < 4) {
            assert_int_equal(world.io->ops->open(world.io, path, IO_WRITE, &file, &err), ERR_OK);
            assert_int_equal(file->ops->resize(file, 30, &err), ERR_OK);
            file->ops->close(file);
        } else {
            assert_true(io_mem_flip(world.io, path, dice(&world.seed) % 40,
                                    (unsigned)round % 8));
        }
        partition_free(world.partition);
        load(&world);
        read_all(&world);
        checkpoint(&world, false); /* writes it again */
        partition_free(world.partition);
        load(&world);
        io_mem_fail(world.io, IO_MEM_READ, 4, false); /* idx, tix, segment: no fourth read */
        assert_true(fetch_good(&world, 0));
        io_mem_fail(world.io, IO_MEM_READ, 0, false);
    }
    world_free(&world);
}

static void test_a_lost_index_and_a_flipped_bit_are_seen(void **state) {
    (void)state;
    World world = world_new(14, WORLD_SEGMENT_BYTES / 100);
    grow_segments(&world, 2);
    Err err;
    assert_int_equal(world.io->ops->remove(world.io, segment_file("idx"), &err), ERR_OK);
    for (int round = 0; round < 61; round++) {
        assert_true(io_mem_flip(world.io, segment_file("seg"), (uint64_t)round, 3));
        partition_free(world.partition);
        load(&world);
        assert_false(fetch_good(&world, 0));
        assert_true(fetch_good(&world, model_end(&world) - 1));
        assert_true(io_mem_flip(world.io, segment_file("seg"), (uint64_t)round, 3));
    }
    world_free(&world);
}

static ErrCode load_from(World *world, Bytes saved, Err *err) {
    partition_free(world->partition);
    world->partition = world_partition(world->io);
    uint8_t *copy = mem_alloc(saved.size); /* of its own size, for ASan */
    memcpy(copy, saved.data, saved.size);
    ErrCode code = partition_load(world->partition, (Bytes){copy, saved.size}, err);
    mem_free(copy);
    return code;
}

static void test_a_damaged_checkpoint_is_seen(void **state) {
    (void)state;
    World world = world_new(15, WORLD_SEGMENT_BYTES / 100);
    grow_segments(&world, 2);
    Err err;
    Bytes saved = buf_view(&world.saved);
    for (uint32_t size = 0; size < saved.size; size += 1 + size / 16)
        assert_int_equal(load_from(&world, (Bytes){saved.data, size}, &err), ERR_CORRUPT);
    for (int round = 0; round < 300; round++) {
        uint32_t at = (uint32_t)(dice(&world.seed) % saved.size);
        world.saved.data[at] ^= (uint8_t)(1 << round % 8);
        assert_int_equal(load_from(&world, saved, &err), ERR_CORRUPT);
        world.saved.data[at] ^= (uint8_t)(1 << round % 8);
    }
    assert_int_equal(load_from(&world, saved, &err), ERR_OK);
    read_all(&world);
    world_free(&world);
}

static void test_a_missing_or_short_segment_is_seen(void **state) {
    (void)state;
    World world = world_new(16, WORLD_SEGMENT_BYTES / 100);
    grow_segments(&world, 2);
    Err err;
    IoFile *file;
    assert_int_equal(world.io->ops->open(world.io, segment_file("seg"), IO_WRITE, &file, &err), 0);
    uint64_t size;
    assert_int_equal(file->ops->size(file, &size, &err), ERR_OK);
    assert_int_equal(file->ops->resize(file, size - 1, &err), ERR_OK);
    file->ops->close(file);
    assert_int_equal(load_from(&world, buf_view(&world.saved), &err), ERR_CORRUPT);
    assert_non_null(strstr(err.message, segment_file("seg")));
    assert_int_equal(world.io->ops->remove(world.io, segment_file("seg"), &err), ERR_OK);
    assert_int_equal(load_from(&world, buf_view(&world.saved), &err), ERR_CORRUPT);
    assert_non_null(strstr(err.message, "missing"));
    world_free(&world);
}

/* Every call of a checkpoint and of a fetch fails once: an error, no damage, and what was claimed
 * before still loads. */
static void test_any_failing_call_is_an_error(void **state) {
    (void)state;
    static const IoMemCall calls[] = {IO_MEM_WRITE, IO_MEM_SYNC, IO_MEM_NAME};
    for (uint64_t nth = 1; nth <= 12; nth++) {
        for (size_t i = 0; i < 3; i++) {
            World world = world_new(17 + nth, WORLD_SEGMENT_BYTES / 200);
            Err err;
            append(&world);
            checkpoint(&world, false);
            while (world.bytes.size < (size_t)WORLD_SEGMENT_BYTES * 3 / 2)
                append(&world);
            partition_freeze(world.partition);
            io_mem_fail(world.io, calls[i], nth, false);
            if (partition_write(world.partition, &err) != ERR_OK) {
                assert_int_equal(err.code, ERR_IO);
                assert_non_null(strstr(err.message, "cannot "));
            }
            io_mem_fail(world.io, calls[i], 0, false);
            read_all(&world);
            crash(&world);
            read_all(&world);
            world_free(&world);
        }
    }
    World world = world_new(40, WORLD_SEGMENT_BYTES / 200);
    grow_segments(&world, 2);
    for (uint64_t nth = 1; nth <= 4; nth++) {
        LogBlock *block;
        Err err;
        partition_free(world.partition);
        load(&world);
        io_mem_fail(world.io, IO_MEM_READ, nth, false);
        ErrCode code = partition_fetch(world.partition, 0, 1000, &block, &err);
        assert_int_equal(code, nth < 4 ? ERR_IO : ERR_OK);
        if (code == ERR_OK)
            log_block_unref(block);
        io_mem_fail(world.io, IO_MEM_READ, 0, false);
        read_all(&world);
    }
    world_free(&world);
}

static void test_a_full_disk_is_no_damage(void **state) {
    (void)state;
    World world = world_new(50, WORLD_SEGMENT_BYTES / 200);
    Err err;
    while (world.bytes.size < (size_t)WORLD_SEGMENT_BYTES * 3 / 2)
        append(&world);
    for (uint64_t space = 0; space < 2 * (uint64_t)WORLD_SEGMENT_BYTES;
         space += WORLD_SEGMENT_BYTES / 4) {
        io_mem_set_space(world.io, space);
        partition_freeze(world.partition);
        ErrCode code = partition_write(world.partition, &err);
        assert_true(code == ERR_OK || code == ERR_NO_SPACE);
        read_all(&world);
    }
    io_mem_set_space(world.io, UINT64_MAX);
    checkpoint(&world, false);
    crash(&world);
    read_all(&world);
    world_free(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_flipped_bit_of_a_segment_is_seen),
        cmocka_unit_test(test_a_lost_index_is_made_again),
        cmocka_unit_test(test_a_lost_index_and_a_flipped_bit_are_seen),
        cmocka_unit_test(test_a_damaged_checkpoint_is_seen),
        cmocka_unit_test(test_a_missing_or_short_segment_is_seen),
        cmocka_unit_test(test_any_failing_call_is_an_error),
        cmocka_unit_test(test_a_full_disk_is_no_damage),
    };
    return cmocka_run_group_tests_name("partition_damage", tests, NULL, NULL);
}
