/* test_checkpoint_state.c - many checkpoints over a state that changes: what tables hold. */
#include <stdio.h>

#include "storage/removed_impl.h"
#include "storage/storage_impl.h"
#include "tests/unit/dice.h"
#include "tests/unit/storage_bench.h"

enum { KEYS = 300, ROUNDS = 150, STORE = 9 };

static const StorageOptions small = {.journal_file_bytes = 64 << 10, .checkpoint_bytes = 64 << 20};

typedef struct Model {
    uint32_t values[KEYS]; /* 0: absent */
} Model;

static Bytes make_key(uint32_t index, uint8_t key[2]) {
    key[0] = (uint8_t)(index / 100);
    key[1] = (uint8_t)(index % 100);
    return (Bytes){key, 2};
}

static void change(Storage *storage, Model *model, uint32_t round) {
    Commit *commit = commit_new(storage, 1);
    for (uint32_t i = below(40); i > 0; i--) {
        uint8_t key[2], end[2];
        uint8_t value[200] = {(uint8_t)round, (uint8_t)i};
        uint32_t index = below(KEYS), kind = below(20);
        if (kind < 13) {
            Bytes bytes = {value, 2 + below(sizeof value - 2)};
            commit_put(commit, STORE, make_key(index, key), bytes);
            model->values[index] = round << 8 | i;
        } else if (kind < 19) {
            commit_remove(commit, STORE, make_key(index, key));
            model->values[index] = 0;
        } else {
            uint32_t last = index + below(60);
            bool to_end = last >= KEYS;
            commit_remove_range(commit, STORE, make_key(index, key),
                                to_end ? (Bytes){NULL, 0} : make_key(last, end));
            for (uint32_t k = index; k < last && k < KEYS; k++)
                model->values[k] = 0;
        }
    }
    CHECK_OK(commit_wait(commit, NULL, err));
}

static void check(Storage *storage, const Model *model) {
    Snapshot *snapshot = snapshot_open(storage);
    uint64_t there = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        uint8_t bytes[2];
        Bytes key = make_key(i, bytes), value;
        CHECK_OK(store_get(snapshot, STORE, &key, 1, &value, err));
        there += model->values[i] != 0;
        assert_int_equal(value.data != NULL, model->values[i] != 0);
        if (value.data) {
            assert_int_equal(value.data[0], model->values[i] >> 8);
            assert_int_equal(value.data[1], model->values[i] & 255);
        }
    }
    snapshot_close(snapshot);
    StorageFigures figures;
    storage_figures(storage, &figures);
    assert_int_equal(figures.state_entries, there);
}

static void stop(Io *io, Storage *storage) {
    static const IoMemDamage drop = {.drop = 100, .drop_name = 100};
    io_mem_crash_at(io, 1);
    storage_close(storage);
    io_mem_crash(io, 1, &drop);
}

static uint32_t table_files(Io *io) {
    Arena *arena = arena_new("test", 0);
    char **names;
    uint32_t count;
    CHECK_OK(io->ops->list(io, "data/tables", arena, &names, &count, err));
    arena_free(arena);
    return count;
}

/* Checkpoints after some of the commits, crashes after some: all that was acknowledged is there,
 * and no file but those that count. */
static void tables_together_are_the_state(void **state) {
    (void)state;
    uint32_t most = 0, merges = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        dice_state = seed;
        Io *io = io_mem_new();
        io_mem_set_clock(io, 1000000);
        io_mem_start_faults(io, seed);
        Storage *storage = bench_open(io, &small);
        Model model = {{0}};
        uint32_t tables = 0;
        for (uint32_t round = 1; round <= ROUNDS; round++) {
            change(storage, &model, round);
            if (below(3) == 0)
                CHECK_OK(storage_checkpoint(storage, err));
            if (below(8) == 0) {
                stop(io, storage);
                storage = bench_open(io, &small);
            }
            check(storage, &model);
            uint32_t now = storage->checkpoint.last.table_count;
            assert_int_equal(table_files(io), now);
            merges += now < tables;
            tables = now;
            most = tables > most ? tables : most;
        }
        storage_close(storage);
        io_mem_free(io);
    }
    assert_true(most > 2);
    assert_true(merges > 0);
}

static void commit_bytes_of(Storage *storage, uint32_t from, uint32_t count, uint32_t size) {
    static const uint8_t value[4096];
    Commit *commit = commit_new(storage, 1);
    for (uint32_t i = from; i < from + count; i++) {
        uint8_t key[4] = {0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        commit_put(commit, STORE, (Bytes){key, 4}, (Bytes){value, size});
    }
    CHECK_OK(commit_wait(commit, NULL, err));
}

/* The point of it: a little change of a large state makes a little table. */
static void little_changes_are_little_files(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, &small);
    const Manifest *last = &storage->checkpoint.last;
    commit_bytes_of(storage, 0, 500, 4000);
    CHECK_OK(storage_checkpoint(storage, err));
    assert_int_equal(last->table_count, 1);
    assert_true(last->tables[0].size > 2000000);
    for (uint32_t i = 1; i < 3; i++) {
        commit_bytes_of(storage, 10 * i, 1, 4000);
        CHECK_OK(storage_checkpoint(storage, err));
        assert_int_equal(last->table_count, i + 1);
        assert_true(last->tables[i].size < 9000);
    }
    storage_close(storage);
    io_mem_free(io);
}

static void removed_keys_are_sorted(void **state) {
    (void)state;
    static const char *const keys[] = {"b", "a", "c", "b", "a"};
    static const char *const ranges[][2] = {{"m", "p"}, {"a", "c"}, {"b", "d"}, {"p", "q"},
                                            {"x", ""},  {"y", "z"}, {"e", "f"}};
    static const char *const joined[][2] = {{"a", "d"}, {"e", "f"}, {"m", "q"}, {"x", ""}};
    Removed removed = {0}, copy = {0};
    for (size_t i = 0; i < 5; i++)
        removed_add(&removed, bytes_of(keys[i]));
    for (size_t i = 0; i < 7; i++)
        removed_add_range(&removed, bytes_of(ranges[i][0]), bytes_of(ranges[i][1]));
    removed_add_all(&copy, &removed);
    RemovedSorted sorted;
    removed_sort(&copy, &sorted);
    assert_int_equal(sorted.key_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sorted.keys[i].data[0], "abc"[i]);
    assert_int_equal(sorted.range_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(bytes_equal(sorted.ranges[i].min, bytes_of(joined[i][0])));
        assert_true(bytes_equal(sorted.ranges[i].max, bytes_of(joined[i][1])));
    }
    removed_sorted_free(&sorted);
    removed_free(&removed);
    removed_free(&copy);
}

/* Each value closes its block, and some block's write leaves nothing behind: the end of the file
 * finds no block open, wherever the last one began. */
static void files_end_where_a_block_does(void **state) {
    (void)state;
    static uint8_t value[40 << 10];
    for (uint32_t count = 1; count <= 20; count++) {
        Io *io = io_mem_new();
        Storage *storage;
        CHECK_OK(storage_open(io, "data", &small, &storage, err));
        for (uint32_t i = 0; i < count; i++) {
            uint8_t key[2];
            Commit *commit = commit_new(storage, 1);
            commit_put(commit, STORE, make_key(i, key), (Bytes){value, sizeof value});
            CHECK_OK(commit_wait(commit, NULL, err));
        }
        CHECK_OK(storage_checkpoint(storage, err));
        storage_close(storage);
        CHECK_OK(storage_open(io, "data", &small, &storage, err));
        StorageFigures figures;
        storage_figures(storage, &figures);
        assert_int_equal(figures.state_entries, count);
        storage_close(storage);
        io_mem_free(io);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_together_are_the_state),
        cmocka_unit_test(little_changes_are_little_files),
        cmocka_unit_test(files_end_where_a_block_does),
        cmocka_unit_test(removed_keys_are_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
