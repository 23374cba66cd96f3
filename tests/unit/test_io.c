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

#include "base/io_mem.h"
#include "base/mem.h"

/* The same stories are told on both; `root` is a fresh folder. */
typedef struct World {
    Io *io;
    char root[64];
    Arena *arena;
    Err err;
} World;

static void world_open(World *world, bool memory) {
    *world = (World){.io = memory ? io_mem_new() : io_posix(), .arena = arena_new("test", 0)};
    snprintf(world->root, sizeof world->root, "/tmp/weir-test-io-%ld", (long)getpid());
    assert_int_equal(world->io->ops->make_folder(world->io, memory ? "/tmp" : "/", &world->err),
                     ERR_OK);
    assert_int_equal(world->io->ops->make_folder(world->io, world->root, &world->err), ERR_OK);
}

static const char *at(World *world, const char *name) {
    return arena_printf(world->arena, "%s/%s", world->root, name);
}

static void world_close(World *world, bool memory) {
    char **names;
    uint32_t count;
    Io *io = world->io;
    assert_int_equal(io->ops->list(io, world->root, world->arena, &names, &count, &world->err), 0);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(io->ops->remove(io, at(world, names[i]), &world->err), ERR_OK);
    assert_int_equal(io->ops->remove(io, world->root, &world->err), ERR_OK);
    arena_free(world->arena);
    if (memory)
        io_mem_free(io);
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

static void files_story(bool memory) {
    World world;
    world_open(&world, memory);
    Io *io = world.io;
    IoFile *file = NULL, *other = NULL;
    assert_int_equal(io->ops->open(io, at(&world, "a"), IO_READ, &file, &world.err),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(world.err.message, at(&world, "a")));
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
    world_close(&world, memory);
}

static void test_files(void **state) {
    (void)state;
    files_story(false);
    files_story(true);
}

static void names_story(bool memory) {
    World world;
    world_open(&world, memory);
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
    IoFile *inner = open_file(&world, "d/inner", IO_WRITE);
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
    world_close(&world, memory);
}

static void test_names(void **state) {
    (void)state;
    names_story(false);
    names_story(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
