/* test_store.c - lookups and scans: snapshots, ranges, stores that do not mix; table files. */
#include <stdio.h>

#include "storage/storage_impl.h"
#include "storage/table_file_impl.h"
#include "tests/unit/storage_bench.h"

static void put(Storage *storage, uint32_t store, const char *key, const char *value) {
    Commit *commit = commit_new(storage, 1);
    commit_put(commit, store, bytes_of(key), bytes_of(value));
    CHECK_OK(commit_wait(commit, NULL, err));
}

/* "key=value ..." of a range; NULL: no bound. */
static const char *scan(Snapshot *snapshot, uint32_t store, const char *from, const char *to) {
    static char text[1024];
    Bytes none = {NULL, 0}, key, value;
    StoreIter *iter;
    size_t used = 0;
    text[0] = '\0';
    CHECK_OK(store_scan(snapshot, store, from ? bytes_of(from) : none, to ? bytes_of(to) : none,
                        &iter, err));
    while (store_iter_next(iter, &key, &value))
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s=%.*s", used ? " " : "",
                                 (int)key.size, (const char *)key.data, (int)value.size,
                                 (const char *)value.data);
    assert_false(store_iter_next(iter, &key, &value));
    CHECK_OK(store_iter_close(iter, err));
    return text;
}

static void a_snapshot_stays_as_it_was(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t store = storage_new_id(storage);
    put(storage, store, "a", "1");
    put(storage, store, "b", "1");
    Snapshot *before = snapshot_open(storage);
    uint64_t lsn = snapshot_lsn(before);
    assert_int_equal(lsn, storage_visible_lsn(storage));
    put(storage, store, "a", "2");
    Commit *commit = commit_new(storage, 1);
    commit_remove(commit, store, bytes_of("b"));
    commit_remove(commit, store, bytes_of("never there"));
    commit_put(commit, store, bytes_of("c"), (Bytes){NULL, 0});
    CHECK_OK(commit_wait(commit, NULL, err));
    Snapshot *after = snapshot_open(storage);
    assert_true(snapshot_lsn(after) > lsn);
    assert_string_equal(scan(before, store, NULL, NULL), "a=1 b=1");
    assert_string_equal(scan(after, store, NULL, NULL), "a=2 c=");
    assert_string_equal(bench_get(after, store, "b"), "-");
    assert_string_equal(bench_get(after, store, "c"), "");
    CHECK_OK(storage_checkpoint(storage, err));
    assert_string_equal(bench_get(before, store, "b"), "1");
    snapshot_close(before);
    snapshot_close(after);
    storage_close(storage);
    io_mem_free(io);
}

static void ranges_stay_in_their_store(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t first = storage_new_id(storage), second = storage_new_id(storage);
    const char *const keys[] = {"", "a", "aa", "ab", "b", "\xff\xff"};
    for (size_t i = 0; i < 6; i++) {
        put(storage, first, keys[i], "1");
        put(storage, second, keys[i], "2");
        put(storage, UINT32_MAX, keys[i], "3");
    }
    Snapshot *snapshot = snapshot_open(storage);
    assert_string_equal(scan(snapshot, first, NULL, NULL), "=1 a=1 aa=1 ab=1 b=1 \xff\xff=1");
    assert_string_equal(scan(snapshot, first, "aa", "b"), "aa=1 ab=1");
    assert_string_equal(scan(snapshot, first, "ac", NULL), "b=1 \xff\xff=1");
    assert_string_equal(scan(snapshot, UINT32_MAX, "b", NULL), "b=3 \xff\xff=3");
    assert_string_equal(scan(snapshot, second + 1, NULL, NULL), "");
    snapshot_close(snapshot);
    Commit *commit = commit_new(storage, 1);
    commit_remove_range(commit, first, bytes_of("aa"), bytes_of("b"));
    commit_remove_range(commit, UINT32_MAX, bytes_of("a"), (Bytes){NULL, 0});
    commit_put(commit, first, bytes_of("ab"), bytes_of("again"));
    CHECK_OK(commit_wait(commit, NULL, err));
    for (int round = 0; round < 2; round++) {
        snapshot = snapshot_open(storage);
        assert_string_equal(scan(snapshot, first, "a", "c"), "a=1 ab=again b=1");
        assert_string_equal(scan(snapshot, second, "a", "b"), "a=2 aa=2 ab=2");
        assert_string_equal(scan(snapshot, UINT32_MAX, NULL, NULL), "=3");
        snapshot_close(snapshot);
        storage_close(storage);
        storage = bench_open(io, NULL);
    }
    commit = commit_new(storage, 1);
    commit_remove_range(commit, first, (Bytes){NULL, 0}, (Bytes){NULL, 0});
    CHECK_OK(commit_wait(commit, NULL, err));
    snapshot = snapshot_open(storage);
    assert_string_equal(scan(snapshot, first, NULL, NULL), "");
    assert_string_equal(scan(snapshot, second, "b", NULL), "b=2 \xff\xff=2");
    snapshot_close(snapshot);
    storage_close(storage);
    io_mem_free(io);
}

/* == Table files ============================================================================== */

enum { TABLE_ENTRIES = 900 };

static Bytes table_key(uint32_t index, Buf *buf) {
    buf_reset(buf);
    buf_u32_be(buf, 7);
    buf_u32_be(buf, index);
    return buf_view(buf);
}

static Bytes table_value(uint32_t index, Buf *buf) {
    buf_reset(buf);
    for (uint32_t i = 0; i < index % 90; i++)
        buf_u8(buf, (uint8_t)(index + i));
    return buf_view(buf);
}

static ErrCode check_entry(void *context, const TableEntry *entry, Err *err) {
    (void)err;
    uint32_t *next = context;
    Buf buf = {0};
    assert_int_equal(entry->kind, TABLE_PUT);
    assert_true(bytes_equal(entry->key, table_key(*next, &buf)));
    assert_true(bytes_equal(entry->value, table_value(*next, &buf)));
    ++*next;
    buf_free(&buf);
    return ERR_OK;
}

static void write_table(Io *io, uint32_t entries, TableRef *ref) {
    TableWriter writer;
    Buf key = {0}, value = {0};
    CHECK_OK(table_writer_open(&writer, io, "data", 5, err));
    table_writer_head(&writer, 1234);
    for (uint32_t i = 0; i < entries; i++) {
        TableEntry entry = {TABLE_PUT, table_key(i, &key), table_value(i, &value)};
        CHECK_OK(table_writer_add(&writer, &entry, err));
    }
    CHECK_OK(table_writer_finish(&writer, ref, err));
    table_writer_close(&writer);
    buf_free(&key);
    buf_free(&value);
}

static void every_bit_of_a_table_file_counts(void **state) {
    (void)state;
    Io *io = io_mem_new();
    io_mem_start_faults(io, 1);
    CHECK_OK(io->ops->make_folder(io, "data", err));
    CHECK_OK(io->ops->make_folder(io, "data/tables", err));
    TableRef ref;
    uint32_t next = 0;
    write_table(io, TABLE_ENTRIES, &ref);
    CHECK_OK(table_read(io, "data", &ref, check_entry, &next, err));
    assert_int_equal(next, TABLE_ENTRIES);
    assert_true(ref.size > 2 * TABLE_BLOCK_BYTES);
    for (uint64_t at = 0; at < ref.size; at += 1 + at % 79) {
        next = 0;
        assert_true(io_mem_flip(io, "data/tables/0000000000000005.tab", at, (unsigned)at % 8));
        CHECK_CODE(ERR_CORRUPT, table_read(io, "data", &ref, check_entry, &next, err));
        assert_true(io_mem_flip(io, "data/tables/0000000000000005.tab", at, (unsigned)at % 8));
    }
    TableRef other = ref;
    other.sum++;
    CHECK_CODE(ERR_CORRUPT, table_read(io, "data", &other, check_entry, &next, err));
    other = (TableRef){.id = 6, .size = ref.size, .sum = ref.sum};
    CHECK_CODE(ERR_CORRUPT, table_read(io, "data", &other, check_entry, &next, err));
    io_mem_free(io);
}

static void an_unfinished_table_file_is_removed(void **state) {
    (void)state;
    Io *io = io_mem_new();
    CHECK_OK(io->ops->make_folder(io, "data", err));
    CHECK_OK(io->ops->make_folder(io, "data/tables", err));
    TableWriter writer;
    CHECK_OK(table_writer_open(&writer, io, "data", 5, err));
    table_writer_head(&writer, 1);
    table_writer_close(&writer);
    IoFile *file;
    CHECK_CODE(ERR_NOT_FOUND,
               io->ops->open(io, "data/tables/0000000000000005.tab", IO_READ, &file, err));
    io_mem_free(io);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_stays_as_it_was),
        cmocka_unit_test(ranges_stay_in_their_store),
        cmocka_unit_test(every_bit_of_a_table_file_counts),
        cmocka_unit_test(an_unfinished_table_file_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
