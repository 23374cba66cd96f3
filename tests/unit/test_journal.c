/* test_journal.c - frames and journal files; the worked examples of docs/formats. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "storage/commit_impl.h"
#include "storage/journal_reader_impl.h"
#include "storage/storage_impl.h"
#include "storage/table_file_impl.h"
#include "tests/unit/storage_bench.h"

/* == The worked examples ====================================================================== */

static char *read_text(const char *path) {
    Io *io = io_posix();
    IoFile *file;
    uint64_t size = 0;
    uint32_t got = 0;
    CHECK_OK(io->ops->open(io, path, IO_READ, &file, err));
    CHECK_OK(file->ops->size(file, &size, err));
    char *text = mem_alloc((size_t)size + 1);
    CHECK_OK(file->ops->read(file, 0, text, (uint32_t)size, &got, err));
    file->ops->close(file);
    return text;
}

/* The document shows these bytes, 16 a line: "0010  4a 4e ...". */
static void check_example(const char *path, Bytes bytes) {
    char *text = read_text(path);
    bool shown = true;
    for (uint32_t at = 0; at < bytes.size; at += 16) {
        Buf line = {0};
        buf_printf(&line, "%04x ", at);
        for (uint32_t i = at; i < at + 16 && i < bytes.size; i++)
            buf_printf(&line, " %02x", bytes.data[i]);
        buf_text(&line, "\n");
        if (!strstr(text, buf_cstr(&line))) {
            fprintf(stderr, "%s does not show: %s", path, buf_cstr(&line));
            shown = false;
        }
        buf_free(&line);
    }
    mem_free(text);
    assert_true(shown);
}

/* A frame of a position, a put and a record, and the head of the file it begins. */
static void journal_example(void **state) {
    (void)state;
    Io *io = io_mem_new();
    io_mem_set_clock(io, 1700000000000);
    Storage *storage = bench_open(io, NULL);
    Commit *commit = commit_new(storage, 1);
    commit->seq = 9;
    commit_position(commit, 2, (TopicPartition){3, 0}, 42);
    commit_put(commit, 4, bytes_of("JFK"), bytes_of("200"));
    RecordBatch batch = {0};
    record_batch_add(&batch, &(LogRecord){.timestamp = 1700000000000, .value = bytes_of("hi")});
    record_batch_seal(&batch);
    commit_append(commit, (TopicPartition){5, 1}, &batch);
    record_batch_free(&batch);
    FrameHead head = {
        .durable_lsn = 6, .wall_ms = 1700000000000, .entry_count = 3, .offset_count = 1};
    FrameOffset offset = {2, 1000};
    FrameChain chain = {.lsn = 6, .epoch = 0x2abcdef, .sum = 0x1122334455667788};
    Bytes entries = buf_view(&commit->body);
    Buf frame = {0};
    frame_write(buf_room(&frame, 1024), &head, &offset, entries, hash_bytes(entries), &chain);
    frame.size = head.size;
    check_example("docs/formats/journal.md", buf_view(&frame));
    buf_free(&frame);
    commit_drop(commit);
    storage_close(storage);
    io_mem_free(io);
}

static void checkpoint_example(void **state) {
    (void)state;
    Manifest manifest = {
        .generation = 3, .epoch = 0x2abcdef, .redo_seq = 5, .redo_lsn = 7,
        .redo_sum = 0x1122334455667788, .wall_ms = 1700000000000, .next_file_id = 2, .next_id = 6,
        .table_count = 1,
        .tables = {{.id = 1, .size = 300, .sum = 0x99aabbccddeeff00}}}, again;
    Buf copy = {0};
    manifest_encode(&manifest, &copy);
    check_example("docs/formats/checkpoint.md", buf_view(&copy));
    assert_true(manifest_decode(buf_view(&copy), &again));
    Buf second = {0};
    manifest_encode(&again, &second);
    assert_true(bytes_equal(buf_view(&copy), buf_view(&second)));
    buf_free(&second);
    for (uint32_t bit = 0; bit < copy.size * 8; bit++) {
        copy.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(manifest_decode(buf_view(&copy), &again));
        copy.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    buf_free(&copy);
}

static void table_example(void **state) {
    (void)state;
    Io *io = io_mem_new();
    TableWriter writer;
    TableRef ref;
    const uint8_t first[] = {0, 0, 0, 4, 'J', 'F', 'K'}, second[] = {0, 0, 0, 4, 'S', 'E', 'A'};
    CHECK_OK(io->ops->make_folder(io, "data", err));
    CHECK_OK(io->ops->make_folder(io, "data/tables", err));
    CHECK_OK(table_writer_open(&writer, io, "data", 1, err));
    table_writer_head(&writer, 7);
    TableEntry entries[] = {{TABLE_PUT, {first, 7}, bytes_of("200")},
                            {TABLE_PUT, {second, 7}, bytes_of("339")}};
    CHECK_OK(table_writer_add(&writer, &entries[0], err));
    CHECK_OK(table_writer_add(&writer, &entries[1], err));
    CHECK_OK(table_writer_finish(&writer, &ref, err));
    table_writer_close(&writer);
    uint8_t bytes[1024];
    uint32_t got;
    IoFile *file;
    CHECK_OK(io->ops->open(io, "data/tables/0000000000000001.tab", IO_READ, &file, err));
    CHECK_OK(file->ops->read(file, 0, bytes, sizeof bytes, &got, err));
    file->ops->close(file);
    assert_int_equal(got, ref.size);
    check_example("docs/formats/table_file.md", (Bytes){bytes, got});
    io_mem_free(io);
}

/* == Frames =================================================================================== */

static void every_bit_of_a_frame_counts(void **state) {
    (void)state;
    const uint8_t entry[] = {ENTRY_MARK, 1, 1, 0, 0, 0, 0, 0};
    Bytes entries = {entry, sizeof entry};
    FrameHead head = {.entry_count = 1}, read;
    FrameChain chain = {.lsn = 4, .epoch = 2, .sum = 3};
    uint8_t bytes[256];
    frame_write(bytes, &head, NULL, entries, hash_bytes(entries), &chain);
    Bytes frame = {bytes, head.size};
    uint64_t sum;
    assert_int_equal(frame_size(0, sizeof entry), head.size);
    assert_true(frame_read_head(frame, &read) && frame_check_body(frame, &read, &sum));
    assert_int_equal(sum, chain.sum);
    assert_true(frame_continues(&read, &(FrameChain){4, 2, 3}));
    assert_false(frame_continues(&read, &(FrameChain){5, 2, 3}));
    assert_false(frame_continues(&read, &(FrameChain){4, 1, 3}));
    assert_false(frame_continues(&read, &(FrameChain){4, 2, 4}));
    for (uint32_t bit = 0; bit < head.size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        bool valid = frame_read_head(frame, &read) && read.size <= frame.size &&
                     frame_check_body((Bytes){bytes, read.size}, &read, &sum);
        assert_false(valid);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

/* An old body under a new head, both whole, is not a frame. */
static void a_head_belongs_to_its_body(void **state) {
    (void)state;
    const uint8_t first[] = {ENTRY_MARK, 1, 1, 0, 1, 0, 0, 0, 'a'};
    const uint8_t second[] = {ENTRY_MARK, 1, 1, 0, 1, 0, 0, 0, 'b'};
    Bytes entries[] = {{first, sizeof first}, {second, sizeof second}};
    uint8_t frames[2][256];
    FrameHead head = {.entry_count = 1};
    uint64_t sum;
    for (int i = 0; i < 2; i++) {
        FrameChain chain = {.lsn = 4, .epoch = 2, .sum = 3};
        frame_write(frames[i], &head, NULL, entries[i], hash_bytes(entries[i]), &chain);
        assert_true(frame_check_body((Bytes){frames[i], head.size}, &head, &sum));
    }
    FrameChain chain = {.lsn = 5, .epoch = 2, .sum = 3}; /* another head, the same length */
    frame_write(frames[0], &head, NULL, entries[0], hash_bytes(entries[0]), &chain);
    uint32_t head_size = frame_head_size(0);
    memcpy(frames[0] + head_size, frames[1] + head_size, head.size - head_size);
    assert_true(frame_read_head((Bytes){frames[0], head.size}, &head));
    assert_false(frame_check_body((Bytes){frames[0], head.size}, &head, &sum));
}

/* == Files ==================================================================================== */

static void files_follow_one_another(void **state) {
    (void)state;
    Io *io = io_mem_new();
    io_mem_start_faults(io, 5);
    StorageOptions options = {.journal_file_bytes = 32 << 10, .checkpoint_bytes = 1 << 30};
    Storage *storage = bench_open(io, &options);
    uint64_t seq = storage->journal.current.seq;
    for (uint32_t i = 0; i < 60; i++) {
        Commit *commit = commit_new(storage, 1);
        commit_put(commit, 5, (Bytes){(const uint8_t *)&i, 4}, bytes_of("v"));
        CHECK_OK(commit_wait(commit, NULL, err));
    }
    assert_true(storage->journal.current.seq >= seq + 8); /* 7 groups of 4 KiB in each */
    io_mem_crash_at(io, 1);
    storage_close(storage);
    io_mem_crash(io, 1, NULL);
    storage = bench_open(io, &options);
    StorageFigures figures;
    storage_figures(storage, &figures);
    assert_int_equal(figures.state_entries, 60);
    uint64_t used = io_mem_used(io);
    for (uint32_t i = 0; i < 100; i++) { /* files are used again */
        Commit *commit = commit_new(storage, 1);
        commit_put(commit, 5, bytes_of("k"), bytes_of("v"));
        CHECK_OK(commit_wait(commit, NULL, err));
        if (i % 5 == 0)
            CHECK_OK(storage_checkpoint(storage, err));
    }
    assert_true(io_mem_used(io) <= used + (64 << 10));
    storage_close(storage);
    io_mem_free(io);
}

static void names_are_numbers(void **state) {
    (void)state;
    uint64_t seq;
    assert_true(journal_name_seq("J-00000000000000af", &seq));
    assert_int_equal(seq, 0xaf);
    assert_false(journal_name_seq("J-00000000000000aF", &seq));
    assert_false(journal_name_seq("J-af", &seq));
    assert_false(journal_name_seq("K-00000000000000af", &seq));
    assert_false(journal_name_seq("J-00000000000000af0", &seq));
}

/* Without syncs the journal promises nothing until it is idle; then it does. */
static void without_syncs_a_mark_makes_durable(void **state) {
    (void)state;
    Io *io = io_mem_new();
    io_mem_set_clock(io, 1000);
    io_mem_start_faults(io, 5);
    StorageOptions options = {.durability = DURABILITY_OS, .journal_file_bytes = 32 << 10};
    Storage *storage = bench_open(io, &options);
    uint64_t durable = storage->journal.durable_lsn;
    StorageFigures before, after;
    storage_figures(storage, &before);
    for (uint32_t i = 0; i < 20; i++) {
        Commit *commit = commit_new(storage, 1);
        commit_put(commit, 5, (Bytes){(const uint8_t *)&i, 4}, bytes_of("v"));
        CHECK_OK(commit_wait(commit, NULL, err));
    }
    storage_figures(storage, &after);
    assert_int_equal(before.syncs, after.syncs);
    assert_int_equal(storage->journal.durable_lsn, durable);
    io_mem_advance_clock(io, 100000);
    CHECK_OK(storage_pump(storage, err));
    assert_int_equal(storage->journal.durable_lsn, storage->journal.chain.lsn);
    static const IoMemDamage drop = {.drop = 100, .drop_name = 100};
    io_mem_crash_at(io, 1);
    storage_close(storage);
    io_mem_crash(io, 1, &drop);
    storage = bench_open(io, &options);
    storage_figures(storage, &after);
    assert_int_equal(after.state_entries, 20);
    storage_close(storage);
    io_mem_free(io);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_example),
        cmocka_unit_test(checkpoint_example),
        cmocka_unit_test(table_example),
        cmocka_unit_test(every_bit_of_a_frame_counts),
        cmocka_unit_test(a_head_belongs_to_its_body),
        cmocka_unit_test(files_follow_one_another),
        cmocka_unit_test(names_are_numbers),
        cmocka_unit_test(without_syncs_a_mark_makes_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
