/* test_recovery.c - what crashes, damage and failing calls leave, and what is made of it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "storage/journal_reader_impl.h"
#include "storage/storage_impl.h"
#include "storage/table_file_impl.h"
#include "tests/unit/storage_bench.h"

static const StorageOptions small = {
    .journal_file_bytes = 64 << 10, .frame_bytes_max = 2500, .checkpoint_bytes = 1 << 20};

static Io *new_disk(void) {
    Io *io = io_mem_new();
    io_mem_set_clock(io, 1000000);
    io_mem_start_faults(io, 3);
    return io;
}

static void put(Storage *storage, const char *key, const char *value) {
    Commit *commit = commit_new(storage, 1);
    commit_put(commit, 5, bytes_of(key), bytes_of(value));
    CHECK_OK(commit_wait(commit, NULL, err));
}

static const char *get(Storage *storage, const char *key) {
    Snapshot *snapshot = snapshot_open(storage);
    const char *value = bench_get(snapshot, 5, key);
    snapshot_close(snapshot);
    return value;
}

static void stop(Io *io, Storage *storage) {
    static const IoMemDamage drop = {.drop = 100, .drop_name = 100};
    io_mem_crash_at(io, 1);
    storage_close(storage);
    io_mem_crash(io, 1, &drop);
}

/* == Crashes ================================================================================== */

static void what_was_not_synced_is_gone(void **state) {
    (void)state;
    Io *io = new_disk();
    Storage *storage = bench_open(io, &small);
    put(storage, "a", "1");
    io_mem_crash_at(io, 2); /* the write takes place, the sync does not */
    Commit *commit = commit_new(storage, 1);
    commit_put(commit, 5, bytes_of("a"), bytes_of("2"));
    CHECK_CODE(ERR_STORAGE_FAILED, commit_wait(commit, NULL, err));
    stop(io, storage);
    storage = bench_open(io, &small);
    assert_string_equal(get(storage, "a"), "1");
    put(storage, "a", "3");
    stop(io, storage);
    storage = bench_open(io, &small);
    assert_string_equal(get(storage, "a"), "3");
    storage_close(storage);
    io_mem_free(io);
}

/* Parts of a commit without its last frame: nothing of it is there. The parts are forced to disk
 * by files that are too small for all of them. */
static void a_chain_without_end_is_dropped(void **state) {
    (void)state;
    StorageOptions options = small;
    options.journal_file_bytes = 16 << 10;
    for (uint64_t changes = 1; changes < 40; changes++) {
        Io *io = new_disk();
        Storage *storage = bench_open(io, &options);
        put(storage, "a", "1");
        Commit *commit = commit_new(storage, 1);
        for (uint32_t i = 0; i < 2000; i++)
            commit_put(commit, 5, (Bytes){(const uint8_t *)&i, 4}, bytes_of("some value"));
        io_mem_crash_at(io, changes);
        Err error;
        bool acknowledged = commit_wait(commit, NULL, &error) == ERR_OK;
        stop(io, storage);
        storage = bench_open(io, &options);
        StorageFigures figures;
        storage_figures(storage, &figures);
        assert_true(figures.state_entries == 2001 || figures.state_entries == 1);
        assert_true(!acknowledged || figures.state_entries == 2001);
        storage_close(storage);
        io_mem_free(io);
    }
}

/* One story, stopped at its n-th change, for every n, with several damages each. */
static bool story(Io *io, uint32_t *acknowledged) {
    Storage *storage;
    Err error;
    if (storage_open(io, "data", &small, &storage, &error) != ERR_OK)
        return false;
    uint32_t topic = storage_new_id(storage);
    for (uint32_t i = 0; i < 12 && !storage_failed(storage); i++) {
        Commit *commit = commit_new(storage, 1);
        if (i == 0)
            commit_topic_create(commit, topic, "t", 1);
        char value[16];
        snprintf(value, sizeof value, "%u", i + 1);
        commit_put(commit, 5, bytes_of("n"), bytes_of(value));
        bench_append(commit, (TopicPartition){topic, 0}, "x", 2);
        if (commit_wait(commit, NULL, &error) == ERR_OK)
            *acknowledged = i + 1;
        if (i % 5 == 4)
            (void)!storage_checkpoint(storage, &error);
    }
    storage_close(storage);
    return !io_mem_stopped(io);
}

static void every_moment_of_a_story(void **state) {
    (void)state;
    bool whole = false;
    uint64_t n = 0;
    for (n = 1; !whole; n++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            Io *io = new_disk();
            uint32_t acknowledged = 0;
            io_mem_crash_at(io, n);
            whole = story(io, &acknowledged);
            io_mem_crash(io, n * 7 + seed, NULL);
            Storage *storage = bench_open(io, &small);
            uint32_t found = (uint32_t)strtoul(get(storage, "n") + 0, NULL, 10);
            found = strcmp(get(storage, "n"), "-") == 0 ? 0 : found;
            assert_in_range(found, acknowledged, acknowledged + 1);
            LogTopic topic;
            int64_t start, end = 0;
            if (log_topic_find(storage, "t", &topic))
                CHECK_OK(log_offsets(storage, (TopicPartition){topic.id, 0}, &start, &end, err));
            assert_int_equal(end, found * 2);
            storage_close(storage);
            io_mem_free(io);
        }
    assert_true(n > 60);
}

/* == Damage =================================================================================== */

/* Where the last commit's frame lies. */
static uint64_t last_frame(Io *io, const char *path, uint64_t seq, uint64_t lsn, uint32_t *size) {
    JournalReader reader;
    FrameHead head;
    uint64_t offset = JOURNAL_HEAD_BLOCK, at = 0;
    bool found = true;
    CHECK_OK(journal_reader_open(&reader, io, path, seq, err));
    while (found) {
        CHECK_OK(journal_scan_next(&reader, &offset, &head, &found, err));
        if (found && head.lsn == lsn) {
            at = offset - FRAME_ALIGN;
            *size = head.size;
        }
    }
    journal_reader_close(&reader);
    return at;
}

static void damage_is_fenced_and_named(void **state) {
    (void)state;
    Io *io = new_disk();
    Storage *storage = bench_open(io, &small);
    put(storage, "a", "1");
    put(storage, "a", "2");
    uint64_t lsn = storage_visible_lsn(storage), seq = storage->journal.current.seq;
    char *path = journal_path(&storage->journal, seq);
    io_mem_advance_clock(io, 100000);
    CHECK_OK(storage_pump(storage, err)); /* the MARK */
    assert_int_equal(storage_visible_lsn(storage), lsn + 1);
    CHECK_OK(storage_pump(storage, err)); /* one is enough */
    assert_int_equal(storage_visible_lsn(storage), lsn + 1);
    stop(io, storage);
    uint32_t size = 0;
    uint64_t at = last_frame(io, path, seq, lsn, &size);
    assert_true(at >= JOURNAL_HEAD_BLOCK);
    char named[64];
    snprintf(named, sizeof named, "%s: offset %llu", path, (unsigned long long)at);
    uint64_t changes = io_mem_changes(io);
    for (uint64_t bit = 0; bit < 8 * size; bit += 7) {
        Err error;
        assert_true(io_mem_flip(io, path, at + bit / 8, bit % 8));
        assert_int_equal(storage_open(io, "data", &small, &storage, &error), ERR_CORRUPT);
        assert_non_null(strstr(error.message, named));
        assert_true(io_mem_flip(io, path, at + bit / 8, bit % 8));
    }
    assert_true(io_mem_changes(io) <= changes + 300); /* locks and the folder's sync alone */
    storage = bench_open(io, &small);
    assert_string_equal(get(storage, "a"), "2");
    storage_close(storage);
    mem_free(path);
    io_mem_free(io);
}

static void one_copy_of_a_checkpoint_is_enough(void **state) {
    (void)state;
    Io *io = new_disk();
    Storage *storage = bench_open(io, &small);
    put(storage, "a", "1");
    CHECK_OK(storage_checkpoint(storage, err));
    uint64_t generation = storage->checkpoint.last.generation;
    const char *path = generation % 2 == 1 ? "data/ckpt/A" : "data/ckpt/B";
    stop(io, storage);
    assert_true(io_mem_flip(io, path, 30, 1));
    storage = bench_open(io, &small);
    assert_string_equal(get(storage, "a"), "1");
    assert_int_equal(storage->checkpoint.last.generation, generation + 1);
    put(storage, "a", "2");
    path = generation % 2 == 0 ? "data/ckpt/A" : "data/ckpt/B";
    stop(io, storage);
    assert_true(io_mem_flip(io, path, 30, 1)); /* and without both, the one before is not taken */
    assert_true(io_mem_flip(io, path, MANIFEST_COPY_AT + 30, 1));
    CHECK_CODE(ERR_CORRUPT, storage_open(io, "data", &small, &storage, err));
    assert_true(io_mem_flip(io, path, 30, 1));
    storage = bench_open(io, &small);
    assert_string_equal(get(storage, "a"), "2");
    storage_close(storage);
    io_mem_free(io);
}

static void missing_files_are_damage(void **state) {
    (void)state;
    Io *io = new_disk();
    Storage *storage = bench_open(io, &small);
    put(storage, "a", "1");
    CHECK_OK(storage_checkpoint(storage, err));
    put(storage, "a", "2");
    char *path = journal_path(&storage->journal, storage->journal.current.seq);
    char *table = table_path("data", storage->checkpoint.last.tables[0].id);
    stop(io, storage);
    CHECK_OK(io->ops->rename(io, path, "data/journal/kept", err));
    CHECK_CODE(ERR_CORRUPT, storage_open(io, "data", &small, &storage, err));
    CHECK_OK(io->ops->rename(io, "data/journal/kept", path, err));
    CHECK_OK(io->ops->rename(io, table, "data/kept", err));
    CHECK_CODE(ERR_CORRUPT, storage_open(io, "data", &small, &storage, err));
    CHECK_OK(io->ops->rename(io, "data/kept", table, err));
    storage = bench_open(io, &small);
    assert_string_equal(get(storage, "a"), "2");
    storage_close(storage);
    CHECK_OK(io->ops->remove(io, "data/format", err));
    CHECK_CODE(ERR_CORRUPT, storage_open(io, "data", &small, &storage, err));
    mem_free(path);
    mem_free(table);
    io_mem_free(io);
}

/* == Failing calls ============================================================================ */

/* Whatever call fails, once: what was acknowledged is there, with a crash and without. */
static void every_failing_call(void **state) {
    (void)state;
    static const IoMemCall calls[] = {IO_MEM_READ, IO_MEM_WRITE, IO_MEM_SYNC, IO_MEM_NAME};
    for (size_t kind = 0; kind < 4; kind++)
        for (uint64_t n = 1; n < 60; n++) {
            Io *io = new_disk();
            uint32_t acknowledged = 0;
            io_mem_fail(io, calls[kind], n, false);
            (void)!story(io, &acknowledged);
            io_mem_fail(io, calls[kind], 0, false);
            if (n % 2 == 0)
                io_mem_crash(io, n, NULL);
            Storage *storage = bench_open(io, &small);
            uint32_t found = (uint32_t)strtoul(get(storage, "n"), NULL, 10);
            assert_in_range(found, acknowledged, acknowledged + 1);
            storage_close(storage);
            io_mem_free(io);
        }
}

static void one_process_at_a_time(void **state) {
    (void)state;
    Io *io = new_disk();
    Storage *storage = bench_open(io, &small), *second;
    CHECK_CODE(ERR_BUSY, storage_open(io, "data", &small, &second, err));
    storage_close(storage);
    storage = bench_open(io, &small);
    storage_close(storage);
    io_mem_free(io);
}

static void another_format_is_refused(void **state) {
    (void)state;
    Io *io = new_disk();
    Storage *storage = bench_open(io, &small);
    storage_close(storage);
    IoFile *file;
    CHECK_OK(io->ops->open(io, "data/format", IO_WRITE, &file, err));
    CHECK_OK(file->ops->write(file, 0, bytes_of("weir-data 2\n"), err));
    file->ops->close(file);
    CHECK_CODE(ERR_CORRUPT, storage_open(io, "data", &small, &storage, err));
    io_mem_free(io);
}

static uint32_t count_names(Io *io, const char *folder) {
    Arena *arena = arena_new("test", 0);
    char **names;
    uint32_t count;
    CHECK_OK(io->ops->list(io, folder, arena, &names, &count, err));
    arena_free(arena);
    return count;
}

/* Not even a lock is left in a folder that is not ours. */
static void what_others_have_is_left_alone(void **state) {
    (void)state;
    static const char *const theirs[] = {"other/things", "other/topics", "other/ckpt"};
    Io *io = new_disk();
    Storage *storage;
    for (size_t i = 0; i < 3; i++) {
        char path[64];
        CHECK_OK(io->ops->make_folder(io, "other", err));
        CHECK_OK(io->ops->make_folder(io, theirs[i], err));
        snprintf(path, sizeof path, "%s/photos", theirs[i]);
        CHECK_OK(io->ops->make_folder(io, path, err));
        uint64_t changes = io_mem_changes(io);
        CHECK_CODE(ERR_CORRUPT, storage_open(io, "other", &small, &storage, err));
        assert_int_equal(io_mem_changes(io), changes);
        assert_int_equal(count_names(io, "other"), 1);
        CHECK_OK(io->ops->remove(io, path, err));
        CHECK_OK(io->ops->remove(io, theirs[i], err));
    }
    IoFile *file;
    CHECK_OK(io->ops->open(io, "other/format", IO_WRITE, &file, err));
    CHECK_OK(file->ops->write(file, 0, bytes_of("A5\n"), err));
    file->ops->close(file);
    CHECK_CODE(ERR_CORRUPT, storage_open(io, "other", &small, &storage, err));
    assert_int_equal(count_names(io, "other"), 1);
    CHECK_OK(io->ops->remove(io, "other/format", err));
    storage = bench_open(io, &small); /* and an empty one is taken */
    storage_close(storage);
    CHECK_OK(storage_open(io, "other", &small, &storage, err));
    storage_close(storage);
    io_mem_free(io);
}

/* An entry that a later version may write: refused when it must be understood, else skipped. */
static void entries_of_later_versions(void **state) {
    (void)state;
    for (int required = 0; required < 2; required++) {
        Io *io = new_disk();
        Storage *storage = bench_open(io, &small);
        put(storage, "a", "1");
        Journal *journal = &storage->journal;
        FrameHead head = {.entry_count = 1, .durable_lsn = journal->durable_lsn};
        const uint8_t entry[] = {99, (uint8_t)required, 1, 0, 2, 0, 0, 0, 'h', 'i'};
        uint8_t frame[GROUP_ALIGN] = {0};
        FrameChain chain = journal->chain;
        Bytes entries = {entry, sizeof entry};
        frame_write(frame, &head, NULL, entries, hash_bytes(entries), &chain);
        IoFile *file = journal->current.file;
        CHECK_OK(file->ops->write(file, journal->position, (Bytes){frame, sizeof frame}, err));
        CHECK_OK(file->ops->sync(file, err));
        stop(io, storage);
        if (required) {
            CHECK_CODE(ERR_UNSUPPORTED, storage_open(io, "data", &small, &storage, err));
        } else {
            storage = bench_open(io, &small);
            assert_string_equal(get(storage, "a"), "1");
            assert_int_equal(storage_visible_lsn(storage), chain.lsn);
            storage_close(storage);
        }
        io_mem_free(io);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_synced_is_gone),
        cmocka_unit_test(a_chain_without_end_is_dropped),
        cmocka_unit_test(every_moment_of_a_story),
        cmocka_unit_test(damage_is_fenced_and_named),
        cmocka_unit_test(one_copy_of_a_checkpoint_is_enough),
        cmocka_unit_test(missing_files_are_damage),
        cmocka_unit_test(every_failing_call),
        cmocka_unit_test(one_process_at_a_time),
        cmocka_unit_test(another_format_is_refused),
        cmocka_unit_test(what_others_have_is_left_alone),
        cmocka_unit_test(entries_of_later_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
