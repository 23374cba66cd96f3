/*
 * test_io.c - the outside world: what io.h promises holds on the machine and in memory alike.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io_hold.h"
#include "base/io_mem.h"
#include "base/thread.h"
#include "base/mem.h"

/* The same stories are told on all of them; `root` is a fresh folder. */
typedef enum Kind { POSIX, HELD, MEM, MEM_FAULTS, MEM_HELD, KINDS } Kind;

typedef struct World {
    Kind kind;
    Io *io, *under;
    char root[64];
    Arena *arena;
    Err err;
} World;

static void world_open(World *world, Kind kind) {
    *world = (World){.kind = kind, .arena = arena_new("test", 0)};
    world->under = kind <= HELD ? io_posix() : io_mem_new();
    if (kind == MEM_FAULTS)
        io_mem_start_faults(world->under, 1);
    bool held = kind == HELD || kind == MEM_HELD;
    world->io = held ? io_hold_new(world->under) : world->under;
    snprintf(world->root, sizeof world->root, "/tmp/weir-test-io-%ld", (long)getpid());
    Io *io = world->io;
    assert_int_equal(io->ops->make_folder(io, "/tmp", &world->err), ERR_OK);
    assert_int_equal(io->ops->make_folder(io, world->root, &world->err), ERR_OK);
}

static const char *at(World *world, const char *name) {
    return arena_printf(world->arena, "%s/%s", world->root, name);
}

static void world_close(World *world) {
    char **names;
    uint32_t count;
    Io *io = world->io;
    assert_int_equal(io->ops->list(io, world->root, world->arena, &names, &count, &world->err), 0);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(io->ops->remove(io, at(world, names[i]), &world->err), ERR_OK);
    assert_int_equal(io->ops->remove(io, world->root, &world->err), ERR_OK);
    arena_free(world->arena);
    if (world->io != world->under)
        io_hold_free(world->io);
    if (world->kind >= MEM)
        io_mem_free(world->under);
}

static IoFile *open_file(World *world, const char *name, IoMode mode) {
    IoFile *file = NULL;
    ErrCode code = world->io->ops->open(world->io, at(world, name), mode, &file, &world->err);
    if (code != ERR_OK)
        fail_msg("%s", world->err.message);
    return file;
}

static void put(World *world, IoFile *file, uint64_t offset, const char *text) {
    if (file->ops->write(file, offset, bytes_of(text), &world->err) != ERR_OK)
        fail_msg("%s", world->err.message);
}

static void expect(World *world, IoFile *file, uint64_t offset, const char *text) {
    char got[256];
    uint32_t size;
    assert_int_equal(file->ops->read(file, offset, got, sizeof got, &size, &world->err), ERR_OK);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(got, text, size);
}

static void files_story(Kind kind) {
    World world;
    world_open(&world, kind);
    Io *io = world.io;
    IoFile *file = NULL, *other = NULL;
    assert_int_equal(io->ops->open(io, at(&world, "a"), IO_READ, &file, &world.err),
                     ERR_NOT_FOUND);
    const char *want = arena_printf(world.arena, "cannot open %s: No such file or directory; check",
                                    at(&world, "a"));
    assert_memory_equal(world.err.message, want, strlen(want));
    file = open_file(&world, "a", IO_CREATE);
    assert_int_equal(io->ops->open(io, at(&world, "a"), IO_CREATE, &other, &world.err), ERR_IO);
    put(&world, file, 0, "hello world");
    put(&world, file, 6, "there");
    expect(&world, file, 0, "hello there");
    expect(&world, file, 6, "there");
    expect(&world, file, 11, "");
    expect(&world, file, 1000, "");
    assert_int_equal(file->ops->sync(file, &world.err), ERR_OK);
    uint64_t size;
    assert_int_equal(file->ops->resize(file, 5, &world.err), ERR_OK);
    assert_int_equal(file->ops->resize(file, 8, &world.err), ERR_OK);
    char got[9] = "xxxxxxxx";
    uint32_t count;
    assert_int_equal(file->ops->read(file, 0, got, 8, &count, &world.err), ERR_OK);
    assert_int_equal(count, 8);
    assert_memory_equal(got, "hello\0\0\0", 8);
    assert_int_equal(file->ops->allocate(file, 100000, &world.err), ERR_OK);
    assert_int_equal(file->ops->allocate(file, 10, &world.err), ERR_OK);
    assert_int_equal(file->ops->size(file, &size, &world.err), ERR_OK);
    assert_int_equal(size, 100000);
    assert_int_equal(file->ops->read(file, 99999, got, 8, &count, &world.err), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(got[0], 0);
    other = open_file(&world, "a", IO_READ);
    assert_int_equal(other->ops->write(other, 0, bytes_of("x"), &world.err), ERR_IO);
    file->ops->close(file);
    other->ops->close(other);
    world_close(&world);
}

static void test_files(void **state) {
    (void)state;
    for (Kind kind = 0; kind < KINDS; kind++)
        files_story(kind);
}

static void names_story(Kind kind) {
    World world;
    world_open(&world, kind);
    Io *io = world.io;
    const char *made[] = {"b", "a-b", "a", "c"};
    for (int i = 0; i < 4; i++) {
        IoFile *file = open_file(&world, made[i], IO_WRITE);
        put(&world, file, 0, made[i]);
        file->ops->close(file);
    }
    assert_int_equal(io->ops->make_folder(io, at(&world, "d"), &world.err), ERR_OK);
    assert_int_equal(io->ops->make_folder(io, at(&world, "d"), &world.err), ERR_OK);
    assert_int_equal(io->ops->make_folder(io, at(&world, "a"), &world.err), ERR_IO);
    assert_int_equal(io->ops->make_folder(io, at(&world, "x/y"), &world.err), ERR_NOT_FOUND);
    IoFile *inner = NULL;
    assert_int_equal(io->ops->open(io, at(&world, "d"), IO_READ, &inner, &world.err), ERR_IO);
    assert_int_equal(io->ops->open(io, at(&world, "d"), IO_WRITE, &inner, &world.err), ERR_IO);
    assert_int_equal(io->ops->open(io, at(&world, "a/x"), IO_WRITE, &inner, &world.err),
                     world.kind >= MEM ? ERR_NOT_FOUND : ERR_IO);
    inner = open_file(&world, "d/inner", IO_WRITE);
    assert_int_equal(io->ops->remove(io, at(&world, "d"), &world.err), ERR_IO);
    assert_int_equal(io->ops->sync_folder(io, at(&world, "d"), &world.err), ERR_OK);
    assert_int_equal(io->ops->rename(io, at(&world, "c"), at(&world, "b"), &world.err), ERR_OK);
    char **names;
    uint32_t count;
    assert_int_equal(io->ops->list(io, world.root, world.arena, &names, &count, &world.err), 0);
    const char *want[] = {"a", "a-b", "b", "d"};
    assert_int_equal(count, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(names[i], want[i]);
    IoFile *file = open_file(&world, "b", IO_READ);
    expect(&world, file, 0, "c");
    /* An open file outlives its name. */
    assert_int_equal(io->ops->remove(io, at(&world, "b"), &world.err), ERR_OK);
    expect(&world, file, 0, "c");
    file->ops->close(file);
    assert_int_equal(io->ops->remove(io, at(&world, "b"), &world.err), ERR_NOT_FOUND);
    assert_int_equal(io->ops->list(io, at(&world, "x"), world.arena, &names, &count, &world.err),
                     ERR_NOT_FOUND);
    inner->ops->close(inner);
    assert_int_equal(io->ops->remove(io, at(&world, "d/inner"), &world.err), ERR_OK);
    world_close(&world);
}

static void test_names(void **state) {
    (void)state;
    for (Kind kind = 0; kind < KINDS; kind++)
        names_story(kind);
}

static void lock_story(Kind kind) {
    World world;
    world_open(&world, kind);
    Io *io = world.io;
    IoFile *lock, *other = NULL;
    assert_int_equal(io->ops->lock(io, at(&world, "lock"), &lock, &world.err), ERR_OK);
    assert_int_equal(io->ops->lock(io, at(&world, "lock"), &other, &world.err), ERR_BUSY);
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(world.err.message, pid));
    assert_non_null(strstr(world.err.message, at(&world, "lock")));
    lock->ops->close(lock);
    assert_int_equal(io->ops->lock(io, at(&world, "lock"), &other, &world.err), ERR_OK);
    other->ops->close(other);
    world_close(&world);
}

static void test_locks(void **state) {
    (void)state;
    for (Kind kind = 0; kind < KINDS; kind++)
        lock_story(kind);
}

/* A file of pages against a plain array, at any offset, with cuts; synced at times. */
enum { PLAIN_MAX = 40000 };

typedef struct Plain {
    uint8_t bytes[PLAIN_MAX];
    uint32_t size;
} Plain;

static uint64_t dice(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void plain_step(World *world, IoFile *file, Plain *plain, uint64_t *seed) {
    static uint8_t some[9000];
    uint32_t offset = (uint32_t)(dice(seed) % 30000), size = (uint32_t)(dice(seed) % 9000);
    uint64_t roll = dice(seed) % 10;
    for (uint32_t i = 0; i < size; i += 50)
        some[i] = (uint8_t)dice(seed);
    if (roll < 6) {
        assert_int_equal(file->ops->write(file, offset, (Bytes){some, size}, &world->err), 0);
        memcpy(plain->bytes + offset, some, size);
        if (size > 0 && offset + size > plain->size)
            plain->size = offset + size;
    } else if (roll < 8) {
        assert_int_equal(file->ops->resize(file, offset, &world->err), ERR_OK);
        if (offset < plain->size)
            memset(plain->bytes + offset, 0, plain->size - offset);
        plain->size = offset;
    } else if (roll == 8) {
        assert_int_equal(file->ops->allocate(file, offset, &world->err), ERR_OK);
        plain->size = plain->size > offset ? plain->size : offset;
    } else {
        assert_int_equal(file->ops->sync(file, &world->err), ERR_OK);
    }
}

static void expect_plain(World *world, IoFile *file, const Plain *plain) {
    static uint8_t got[PLAIN_MAX];
    uint32_t count;
    uint64_t size;
    assert_int_equal(file->ops->size(file, &size, &world->err), ERR_OK);
    assert_int_equal(size, plain->size);
    assert_int_equal(file->ops->read(file, 0, got, PLAIN_MAX, &count, &world->err), ERR_OK);
    assert_int_equal(count, plain->size);
    assert_memory_equal(got, plain->bytes, count);
}

static void plain_story(Kind kind, IoMode mode, uint64_t seed) {
    World world;
    world_open(&world, kind);
    Plain plain = {.size = 0};
    IoFile *file = open_file(&world, "f", mode);
    for (int step = 0; step < 60; step++) {
        plain_step(&world, file, &plain, &seed);
        if (step % 7 == 0)
            expect_plain(&world, file, &plain);
        if (step % 20 == 19) {
            file->ops->close(file);
            file = open_file(&world, "f", mode);
        }
    }
    expect_plain(&world, file, &plain);
    file->ops->close(file);
    world_close(&world);
}

static void test_a_file_is_an_array(void **state) {
    (void)state;
    for (Kind kind = 0; kind < KINDS; kind++)
        for (uint64_t seed = 1; seed <= 4; seed++)
            plain_story(kind, seed % 2 ? IO_WRITE : IO_DIRECT, seed * 77);
}

static void test_direct_takes_aligned_blocks_from_anywhere(void **state) {
    (void)state;
    World world;
    world_open(&world, POSIX);
    enum { SIZE = 1 << 20 };
    uint8_t *memory = mem_alloc(SIZE + 1), *got = mem_alloc(SIZE);
    for (uint32_t i = 0; i <= SIZE; i++)
        memory[i] = (uint8_t)(i * 7 + i / 4096);
    IoFile *file = open_file(&world, "direct", IO_DIRECT);
    uint32_t count;
    for (uint32_t shift = 0; shift < 2; shift++) {
        Bytes bytes = {memory + shift, SIZE};
        assert_int_equal(file->ops->write(file, 4096, bytes, &world.err), ERR_OK);
        assert_int_equal(file->ops->read(file, 4096, got, SIZE, &count, &world.err), ERR_OK);
        assert_int_equal(count, SIZE);
        assert_memory_equal(got, bytes.data, SIZE);
    }
    file->ops->close(file);
    mem_free(memory);
    mem_free(got);
    world_close(&world);
}

/* What was not synced is not in the file below, whatever its readers see. */
static void test_hold_keeps_what_is_not_synced(void **state) {
    (void)state;
    World world;
    world_open(&world, MEM_HELD);
    IoFile *file = open_file(&world, "f", IO_WRITE), *below = NULL;
    put(&world, file, 0, "synced");
    assert_int_equal(file->ops->sync(file, &world.err), ERR_OK);
    put(&world, file, 0, "SYNCED and more");
    expect(&world, file, 0, "SYNCED and more");
    Io *under = world.under;
    assert_int_equal(under->ops->open(under, at(&world, "f"), IO_READ, &below, &world.err), 0);
    expect(&world, below, 0, "synced");
    file->ops->close(file);
    expect(&world, below, 0, "synced");
    assert_int_equal(world.io->ops->rename(world.io, at(&world, "f"), at(&world, "g"), &world.err),
                     ERR_OK);
    file = open_file(&world, "g", IO_WRITE);
    expect(&world, file, 0, "SYNCED and more");
    assert_int_equal(file->ops->resize(file, 4, &world.err), ERR_OK);
    expect(&world, below, 0, "synced");
    assert_int_equal(file->ops->sync(file, &world.err), ERR_OK);
    expect(&world, below, 0, "SYNC");
    below->ops->close(below);
    file->ops->close(file);
    world_close(&world);
}

static void test_the_machine_can_be_held(void **state) {
    (void)state;
    Io *plain = io_posix();
    io_posix_hold_unsynced(true);
    assert_ptr_not_equal(io_posix(), plain);
    assert_true(io_posix()->ops->now_ms(io_posix()) > 1600000000000);
    io_posix_hold_unsynced(false);
    assert_ptr_equal(io_posix(), plain);
}

static void test_clock_chance_and_space(void **state) {
    (void)state;
    for (Kind kind = 0; kind < KINDS; kind++) {
        World world;
        world_open(&world, kind);
        Io *io = world.io;
        uint64_t bytes = 0;
        int64_t before = io->ops->mono_us(io);
        assert_true(io->ops->mono_us(io) >= before);
        assert_true(io->ops->now_ms(io) > 1600000000000);
        assert_true(io->ops->random_u64(io) != io->ops->random_u64(io));
        assert_int_equal(io->ops->free_space(io, world.root, &bytes, &world.err), ERR_OK);
        assert_true(bytes > 0);
        world_close(&world);
    }
}

static void *write_stripe(void *arg) {
    IoFile *file = arg;
    Err err;
    uint8_t stripe[64];
    for (uint32_t i = 0; i < 500; i++) {
        memset(stripe, (int)(i % 251), sizeof stripe);
        uint32_t got;
        if (file->ops->write(file, i * 64, (Bytes){stripe, 64}, &err) != ERR_OK ||
            file->ops->read(file, i * 32, stripe, 64, &got, &err) != ERR_OK)
            return "failed";
    }
    return NULL;
}

static void test_threads_share_a_file(void **state) {
    (void)state;
    for (Kind kind = 0; kind < KINDS; kind++) {
        World world;
        world_open(&world, kind);
        Thread threads[3];
        IoFile *file = open_file(&world, "f", IO_WRITE);
        for (int i = 0; i < 3; i++)
            thread_start(&threads[i], "stripe", write_stripe, file);
        for (int i = 0; i < 3; i++)
            thread_join(&threads[i]);
        uint8_t got[500 * 64];
        uint32_t count;
        assert_int_equal(file->ops->read(file, 0, got, sizeof got, &count, &world.err), ERR_OK);
        assert_int_equal(count, sizeof got);
        for (uint32_t i = 0; i < count; i++)
            assert_int_equal(got[i], i / 64 % 251);
        file->ops->close(file);
        world_close(&world);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_a_file_is_an_array),
        cmocka_unit_test(test_direct_takes_aligned_blocks_from_anywhere),
        cmocka_unit_test(test_hold_keeps_what_is_not_synced),
        cmocka_unit_test(test_the_machine_can_be_held),
        cmocka_unit_test(test_clock_chance_and_space),
        cmocka_unit_test(test_threads_share_a_file),
    };
    return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
