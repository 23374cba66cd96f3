/*
 * test_io_mem.c - the disk that fails: what was synced stays, what was not meets the fate that the
 * seed has for it, and the same seed gives the same disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/io_mem.h"
#include "base/mem.h"

enum { SECTOR = 512 };

static const IoMemDamage lose_all = {.drop = 100, .drop_name = 100};
static const IoMemDamage keep_all = {0};

static uint64_t dice(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static Err err;

static Io *disk_new(void) {
    Io *io = io_mem_new();
    io_mem_start_faults(io, 1);
    assert_int_equal(io->ops->make_folder(io, "d", &err), ERR_OK);
    assert_int_equal(io->ops->sync_folder(io, "", &err), ERR_OK);
    return io;
}

static IoFile *open_file(Io *io, const char *path) {
    IoFile *file = NULL;
    if (io->ops->open(io, path, IO_WRITE, &file, &err) != ERR_OK)
        fail_msg("%s", err.message);
    return file;
}

static void put(IoFile *file, uint64_t offset, const void *data, uint32_t size) {
    if (file->ops->write(file, offset, (Bytes){data, size}, &err) != ERR_OK)
        fail_msg("%s", err.message);
}

static void sync_file(IoFile *file) {
    if (file->ops->sync(file, &err) != ERR_OK)
        fail_msg("%s", err.message);
}

static void sync_folder(Io *io) {
    if (io->ops->sync_folder(io, "d", &err) != ERR_OK)
        fail_msg("%s", err.message);
}

static bool there(Io *io, const char *path) {
    IoFile *file;
    if (io->ops->open(io, path, IO_READ, &file, &err) != ERR_OK)
        return false;
    file->ops->close(file);
    return true;
}

/* A file whose sector i is filled with `fill` + i; sizes in sectors. */
static void fill(IoFile *file, uint32_t sectors, uint8_t first) {
    uint8_t bytes[SECTOR];
    for (uint32_t i = 0; i < sectors; i++) {
        memset(bytes, (uint8_t)(first + i), SECTOR);
        put(file, i * SECTOR, bytes, SECTOR);
    }
}

/* How many sectors of the file are whole: old (first `old`), new, and neither. */
typedef struct Fates {
    uint32_t old, fresh, torn, other, size;
} Fates;

static Fates fates(Io *io, const char *path, uint8_t old, uint8_t fresh) {
    uint8_t bytes[SECTOR];
    Fates sum = {0};
    IoFile *file = open_file(io, path);
    for (uint32_t i = 0;; i++) {
        uint32_t got, olds = 0, news = 0;
        assert_int_equal(file->ops->read(file, i * SECTOR, bytes, SECTOR, &got, &err), ERR_OK);
        if (got == 0)
            break;
        for (uint32_t at = 0; at < got; at++) {
            olds += bytes[at] == (uint8_t)(old + i);
            news += bytes[at] == (uint8_t)(fresh + i);
        }
        sum.old += olds == got;
        sum.fresh += news == got;
        bool edge = bytes[0] != bytes[got - 1];
        sum.torn += olds > 0 && news > 0 && olds + news == got && edge;
        sum.other += olds + news != got;
        sum.size += got;
    }
    file->ops->close(file);
    return sum;
}

static Fates crash_half_written(const IoMemDamage *damage, uint64_t seed) {
    Io *io = disk_new();
    IoFile *file = open_file(io, "d/f");
    fill(file, 40, 0);
    sync_file(file);
    sync_folder(io);
    fill(file, 20, 100);
    io_mem_crash(io, seed, damage);
    file->ops->close(file);
    Fates sum = fates(io, "d/f", 0, 100);
    io_mem_free(io);
    return sum;
}

static void test_what_is_synced_stays(void **state) {
    (void)state;
    Fates sum = crash_half_written(&lose_all, 1);
    assert_int_equal(sum.size, 40 * SECTOR);
    assert_int_equal(sum.old, 40);
    sum = crash_half_written(&keep_all, 1);
    assert_int_equal(sum.fresh, 20);
    assert_int_equal(sum.old, 20);
}

static void test_each_sector_has_its_own_fate(void **state) {
    (void)state;
    IoMemDamage damage = {.drop = 30, .tear = 30, .garbage = 20};
    Fates all = {0};
    for (uint64_t seed = 0; seed < 50; seed++) {
        Fates sum = crash_half_written(&damage, seed);
        assert_int_equal(sum.old + sum.fresh + sum.torn + sum.other, 40);
        assert_true(sum.old >= 20);
        all.old += sum.old - 20;
        all.fresh += sum.fresh;
        all.torn += sum.torn;
        all.other += sum.other;
    }
    assert_in_range(all.old, 220, 380); /* of 1000 */
    assert_in_range(all.fresh, 130, 270);
    assert_in_range(all.torn, 220, 380);
    assert_in_range(all.other, 130, 270);
}

static void test_a_size_is_lost_on_its_own(void **state) {
    (void)state;
    Io *io = disk_new();
    IoFile *file = open_file(io, "d/f");
    fill(file, 8, 0);
    sync_file(file);
    sync_folder(io);
    assert_int_equal(file->ops->resize(file, 100000, &err), ERR_OK);
    io_mem_crash(io, 1, &lose_all);
    file->ops->close(file);
    assert_int_equal(fates(io, "d/f", 0, 50).size, 8 * SECTOR);
    /* A cut that is lost gives everything back. */
    file = open_file(io, "d/f");
    assert_int_equal(file->ops->resize(file, 3 * SECTOR - 5, &err), ERR_OK);
    assert_int_equal(fates(io, "d/f", 0, 50).size, 3 * SECTOR - 5);
    io_mem_crash(io, 1, &lose_all);
    file->ops->close(file);
    assert_int_equal(fates(io, "d/f", 0, 50).old, 8);
    file = open_file(io, "d/f");
    assert_int_equal(file->ops->resize(file, 2 * SECTOR, &err), ERR_OK);
    sync_file(file);
    io_mem_crash(io, 1, &lose_all);
    file->ops->close(file);
    assert_int_equal(fates(io, "d/f", 0, 50).size, 2 * SECTOR);
    io_mem_free(io);
}

static void test_names_need_their_folder(void **state) {
    (void)state;
    Io *io = disk_new();
    IoFile *kept = open_file(io, "d/kept"), *lost = NULL;
    fill(kept, 2, 0);
    sync_file(kept);
    sync_folder(io);
    lost = open_file(io, "d/lost");
    fill(lost, 2, 0);
    sync_file(lost); /* its bytes, not its name */
    assert_int_equal(io->ops->rename(io, "d/kept", "d/renamed", &err), ERR_OK);
    assert_int_equal(io->ops->make_folder(io, "d/sub", &err), ERR_OK);
    IoFile *inner = open_file(io, "d/sub/inner");
    assert_int_equal(io->ops->sync_folder(io, "d/sub", &err), ERR_OK);
    io_mem_crash(io, 1, &lose_all);
    kept->ops->close(kept);
    lost->ops->close(lost);
    inner->ops->close(inner);
    assert_true(there(io, "d/kept"));
    assert_false(there(io, "d/renamed"));
    assert_false(there(io, "d/lost"));
    assert_false(there(io, "d/sub/inner"));
    assert_int_equal(fates(io, "d/kept", 0, 9).old, 2);

    kept = open_file(io, "d/new");
    fill(kept, 3, 7);
    sync_file(kept);
    kept->ops->close(kept);
    assert_int_equal(io->ops->rename(io, "d/new", "d/kept", &err), ERR_OK);
    sync_folder(io);
    assert_int_equal(io->ops->remove(io, "d/kept", &err), ERR_OK);
    assert_false(there(io, "d/kept"));
    io_mem_crash(io, 1, &lose_all);
    assert_false(there(io, "d/new"));
    assert_int_equal(fates(io, "d/kept", 7, 50).old, 3);
    assert_int_equal(io->ops->remove(io, "d/kept", &err), ERR_OK);
    io_mem_crash(io, 1, &keep_all);
    assert_false(there(io, "d/kept"));
    io_mem_free(io);
}

/* Any subset of renames survives, but a file never has two names or two files one. */
static void test_any_order_of_names_is_a_tree(void **state) {
    (void)state;
    static const char *const names[] = {"d/a", "d/b", "d/c", "d/e/a", "d/e/b"};
    for (uint64_t seed = 1; seed < 300; seed++) {
        Io *io = disk_new();
        uint64_t random = seed * 31 + 7;
        assert_int_equal(io->ops->make_folder(io, "d/e", &err), ERR_OK);
        for (int step = 0; step < 30; step++) {
            const char *from = names[dice(&random) % 5], *to = names[dice(&random) % 5];
            IoFile *file = NULL;
            ErrCode code = ERR_OK;
            uint64_t roll = dice(&random) % 8;
            if (roll < 3) {
                code = io->ops->open(io, from, IO_WRITE, &file, &err);
                if (code == ERR_OK)
                    file->ops->close(file);
            } else if (roll < 6) {
                code = io->ops->rename(io, from, to, &err);
            } else if (roll == 6) {
                code = io->ops->remove(io, from, &err);
            } else {
                code = io->ops->sync_folder(io, dice(&random) % 2 ? "d" : "d/e", &err);
            }
            assert_true(code == ERR_OK || code == ERR_NOT_FOUND);
            if (dice(&random) % 10 == 0) {
                io_mem_crash(io, dice(&random), NULL);
                assert_int_equal(io->ops->make_folder(io, "d/e", &err), ERR_OK);
            }
        }
        io_mem_free(io);
    }
}

static void test_the_nth_call_fails(void **state) {
    (void)state;
    Io *io = disk_new();
    IoFile *file = open_file(io, "d/f");
    uint8_t bytes[SECTOR];
    uint32_t got;
    fill(file, 4, 0);
    io_mem_fail(io, IO_MEM_WRITE, 2, false);
    Bytes some = {bytes, SECTOR};
    memset(bytes, 9, SECTOR);
    assert_int_equal(file->ops->write(file, 0, some, &err), ERR_OK);
    assert_int_equal(file->ops->write(file, 0, some, &err), ERR_IO);
    assert_int_equal(file->ops->write(file, 0, some, &err), ERR_OK);
    io_mem_fail(io, IO_MEM_READ, 1, true);
    for (int i = 0; i < 3; i++)
        assert_int_equal(file->ops->read(file, 0, bytes, SECTOR, &got, &err), ERR_IO);
    assert_non_null(strstr(err.message, "d/f"));
    io_mem_fail(io, IO_MEM_READ, 0, false);
    assert_int_equal(file->ops->read(file, 0, bytes, SECTOR, &got, &err), ERR_OK);
    io_mem_fail(io, IO_MEM_NAME, 1, false);
    assert_int_equal(io->ops->make_folder(io, "x", &err), ERR_IO);
    assert_int_equal(io->ops->make_folder(io, "x", &err), ERR_OK);
    io_mem_fail(io, IO_MEM_SYNC, 1, false);
    assert_int_equal(io->ops->sync_folder(io, "d", &err), ERR_IO);
    file->ops->close(file);
    io_mem_free(io);
}

/* Linux marks the pages of a failed sync clean: a second sync says yes and does nothing. */
static void test_a_failed_sync_is_not_mended_by_another(void **state) {
    (void)state;
    Io *io = disk_new();
    IoFile *file = open_file(io, "d/f");
    fill(file, 40, 0);
    sync_file(file);
    sync_folder(io);
    fill(file, 40, 100);
    io_mem_fail(io, IO_MEM_SYNC, 1, false);
    assert_int_equal(file->ops->sync(file, &err), ERR_IO);
    Fates seen = fates(io, "d/f", 0, 100);
    assert_in_range(seen.fresh, 5, 35); /* the others have gone from the cache */
    assert_int_equal(seen.fresh + seen.old, 40);
    sync_file(file);
    sync_file(file);
    uint8_t again[SECTOR];
    memset(again, 100, SECTOR);
    put(file, 0, again, SECTOR); /* but what is written again is synced again */
    sync_file(file);
    io_mem_crash(io, 3, &lose_all);
    file->ops->close(file);
    seen = fates(io, "d/f", 0, 100);
    assert_int_equal(seen.fresh, 1);
    assert_int_equal(seen.old, 39);
    io_mem_free(io);
}

static void test_the_machine_stops_at_the_nth_change(void **state) {
    (void)state;
    Io *io = disk_new();
    IoFile *file = open_file(io, "d/f");
    fill(file, 4, 0);
    sync_file(file);
    sync_folder(io);
    uint64_t before = io_mem_changes(io);
    io_mem_crash_at(io, 3);
    fill(file, 2, 100);
    assert_int_equal(io_mem_changes(io), before + 2);
    assert_false(io_mem_stopped(io));
    assert_int_equal(file->ops->sync(file, &err), ERR_IO);
    assert_true(io_mem_stopped(io));
    uint8_t byte;
    uint32_t got;
    char **names;
    uint64_t size;
    Arena *arena = arena_new("test", 0);
    assert_int_equal(file->ops->read(file, 0, &byte, 1, &got, &err), ERR_IO);
    assert_int_equal(file->ops->write(file, 0, (Bytes){&byte, 1}, &err), ERR_IO);
    assert_int_equal(file->ops->size(file, &size, &err), ERR_IO);
    assert_int_equal(io->ops->list(io, "d", arena, &names, &got, &err), ERR_IO);
    assert_int_equal(io->ops->remove(io, "d/f", &err), ERR_IO);
    assert_int_equal(io->ops->free_space(io, "d", &size, &err), ERR_IO);
    arena_free(arena);
    io_mem_crash(io, 1, &lose_all);
    assert_false(io_mem_stopped(io));
    assert_int_equal(file->ops->read(file, 0, &byte, 1, &got, &err), ERR_IO); /* a dead handle */
    file->ops->close(file);
    assert_int_equal(fates(io, "d/f", 0, 100).old, 4);
    io_mem_free(io);
}

static void test_a_lock_ends_with_the_machine(void **state) {
    (void)state;
    Io *io = disk_new();
    IoFile *first, *second;
    assert_int_equal(io->ops->lock(io, "d/lock", &first, &err), ERR_OK);
    sync_folder(io);
    io_mem_crash(io, 1, &lose_all);
    assert_int_equal(io->ops->lock(io, "d/lock", &second, &err), ERR_OK);
    first->ops->close(first); /* of another life: does not free the lock */
    assert_int_equal(io->ops->lock(io, "d/lock", &first, &err), ERR_BUSY);
    second->ops->close(second);
    io_mem_free(io);
}

static void test_bits_rot(void **state) {
    (void)state;
    Io *io = disk_new();
    IoFile *file = open_file(io, "d/f");
    fill(file, 4, 0);
    sync_file(file);
    sync_folder(io);
    assert_true(io_mem_flip(io, "d/f", 700, 3));
    assert_false(io_mem_flip(io, "d/f", 4 * SECTOR, 3));
    assert_false(io_mem_flip(io, "d/none", 0, 3));
    assert_false(io_mem_flip(io, "d", 0, 3));
    assert_int_equal(fates(io, "d/f", 0, 100).old, 3);
    fill(file, 2, 100);
    io_mem_crash(io, 1, &lose_all);
    file->ops->close(file);
    assert_int_equal(fates(io, "d/f", 0, 100).old, 3);
    io_mem_free(io);
}

static void test_the_disk_is_full(void **state) {
    (void)state;
    Io *io = disk_new();
    IoFile *file = open_file(io, "d/f"), *other = open_file(io, "d/other");
    static uint8_t bytes[5 * 4096];
    uint64_t left;
    io_mem_set_space(io, 4 * 4096);
    assert_int_equal(file->ops->write(file, 0, (Bytes){bytes, sizeof bytes}, &err), ERR_NO_SPACE);
    assert_int_equal(io_mem_used(io), 0);
    put(file, 0, bytes, 2 * 4096 + 1);
    assert_int_equal(io_mem_used(io), 3 * 4096);
    assert_int_equal(io->ops->free_space(io, "d", &left, &err), ERR_OK);
    assert_int_equal(left, 4096);
    assert_int_equal(other->ops->allocate(other, 4097, &err), ERR_NO_SPACE);
    assert_int_equal(other->ops->allocate(other, 4096, &err), ERR_OK);
    put(file, 0, bytes, 3 * 4096); /* in place */
    assert_int_equal(file->ops->resize(file, 1, &err), ERR_OK);
    assert_int_equal(io_mem_used(io), 2 * 4096);
    assert_int_equal(io->ops->remove(io, "d/other", &err), ERR_OK);
    assert_int_equal(io_mem_used(io), 2 * 4096); /* still open */
    other->ops->close(other);
    assert_int_equal(io_mem_used(io), 4096);
    io_mem_crash(io, 1, &lose_all);
    assert_int_equal(io_mem_used(io), 4096); /* no name was synced: one handle */
    file->ops->close(file);
    io_mem_free(io);
}

/* Pages that were dropped come back, in other places; what was not written reads as zeros. */
static void test_dropped_pages_are_used_again(void **state) {
    (void)state;
    enum { SIZE_MAX_HERE = 100 * 4096 };
    static uint8_t model[SIZE_MAX_HERE], seen[SIZE_MAX_HERE], bytes[20000];
    Io *io = disk_new();
    IoFile *file = open_file(io, "d/f");
    uint64_t random = 5;
    uint32_t size = 0, got;
    memset(model, 0, sizeof model);
    for (int step = 0; step < 300; step++) {
        uint32_t at = (uint32_t)(dice(&random) % (sizeof model - sizeof bytes));
        if (dice(&random) % 3 == 0) {
            if (at < size)
                memset(model + at, 0, size - at);
            size = at;
            assert_int_equal(file->ops->resize(file, at, &err), ERR_OK);
        } else {
            uint32_t count = 1 + (uint32_t)(dice(&random) % sizeof bytes);
            memset(bytes, 1 + (int)(dice(&random) % 255), count);
            memcpy(model + at, bytes, count);
            size = at + count > size ? at + count : size;
            put(file, at, bytes, count);
        }
        assert_int_equal(file->ops->read(file, 0, seen, sizeof seen, &got, &err), ERR_OK);
        assert_int_equal(got, size);
        assert_memory_equal(seen, model, size);
    }
    file->ops->close(file);
    io_mem_free(io);
}

static void test_the_clock_is_moved_by_hand(void **state) {
    (void)state;
    Io *io = disk_new();
    io_mem_set_clock(io, 5000);
    int64_t mono = io->ops->mono_us(io);
    io_mem_advance_clock(io, 2500);
    assert_int_equal(io->ops->now_ms(io), 5002);
    assert_int_equal(io->ops->mono_us(io), mono + 2500);
    io_mem_set_clock(io, 1000); /* a clock may go back */
    assert_int_equal(io->ops->now_ms(io), 1000);
    assert_int_equal(io->ops->mono_us(io), mono + 2500);
    io_mem_free(io);
}

/* A life with every kind of fault; the sum of all that is left. */
static uint64_t life(uint64_t seed) {
    Io *io = disk_new();
    uint64_t random = seed, sum = 0;
    static uint8_t bytes[20000];
    Arena *arena = arena_new("test", 0);
    for (int round = 0; round < 20; round++) {
        char path[8];
        snprintf(path, sizeof path, "d/%d", (int)(dice(&random) % 4));
        IoFile *file = NULL;
        io_mem_fail(io, (IoMemCall)(dice(&random) % IO_MEM_CALLS), dice(&random) % 20, false);
        io_mem_crash_at(io, dice(&random) % 30);
        if (io->ops->open(io, path, IO_WRITE, &file, &err) == ERR_OK) {
            for (int step = 0; step < 5; step++) {
                uint32_t size = (uint32_t)(dice(&random) % sizeof bytes);
                memset(bytes, (int)dice(&random), size);
                sum += file->ops->write(file, dice(&random) % 9000, (Bytes){bytes, size}, &err);
                sum += dice(&random) % 3 ? 0 : file->ops->sync(file, &err);
            }
            sum += io->ops->sync_folder(io, "d", &err);
            file->ops->close(file);
        }
        io_mem_crash(io, dice(&random), NULL);
        char **names;
        uint32_t count = 0, got;
        assert_int_equal(io->ops->list(io, "d", arena, &names, &count, &err), ERR_OK);
        for (uint32_t i = 0; i < count; i++) {
            file = open_file(io, arena_printf(arena, "d/%s", names[i]));
            assert_int_equal(file->ops->read(file, 0, bytes, sizeof bytes, &got, &err), ERR_OK);
            sum = sum * 31 + hash_bytes((Bytes){bytes, got}) + got;
            file->ops->close(file);
        }
    }
    arena_free(arena);
    io_mem_free(io);
    return sum;
}

static void test_a_seed_is_a_life(void **state) {
    (void)state;
    uint64_t previous = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        uint64_t sum = life(seed);
        assert_int_equal(sum, life(seed));
        assert_true(sum != previous);
        previous = sum;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_synced_stays),
        cmocka_unit_test(test_each_sector_has_its_own_fate),
        cmocka_unit_test(test_a_size_is_lost_on_its_own),
        cmocka_unit_test(test_names_need_their_folder),
        cmocka_unit_test(test_any_order_of_names_is_a_tree),
        cmocka_unit_test(test_the_nth_call_fails),
        cmocka_unit_test(test_a_failed_sync_is_not_mended_by_another),
        cmocka_unit_test(test_the_machine_stops_at_the_nth_change),
        cmocka_unit_test(test_a_lock_ends_with_the_machine),
        cmocka_unit_test(test_bits_rot),
        cmocka_unit_test(test_the_disk_is_full),
        cmocka_unit_test(test_dropped_pages_are_used_again),
        cmocka_unit_test(test_the_clock_is_moved_by_hand),
        cmocka_unit_test(test_a_seed_is_a_life),
    };
    return cmocka_run_group_tests_name("io_mem", tests, NULL, NULL);
}
