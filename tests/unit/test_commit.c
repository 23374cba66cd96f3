/* test_commit.c - commits: whole or not at all, in order, visible only when durable. */
#include <stdatomic.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/thread.h"
#include "storage/storage_impl.h"
#include "tests/unit/storage_bench.h"

static void positions_state_and_records_together(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t topic, store = storage_new_id(storage), task = storage_new_id(storage);
    bench_topic(storage, &topic, "clicks", 2);
    TopicPartition first = {topic, 0}, second = {topic, 1};
    Commit *commit = commit_new(storage, 1);
    commit_position(commit, task, first, 42);
    commit_put(commit, store, bytes_of("a"), bytes_of("1"));
    commit_put(commit, store, bytes_of("b"), bytes_of("2"));
    commit_put(commit, store, bytes_of("a"), bytes_of("3"));
    bench_append(commit, first, "x", 3);
    bench_append(commit, second, "y", 2);
    bench_append(commit, first, "z", 1);
    assert_true(commit_bytes(commit) > 200);
    int64_t offset;
    CHECK_OK(commit_wait(commit, &offset, err));
    assert_int_equal(offset, 0);
    for (int round = 0; round < 2; round++) { /* as it runs, and after a restart */
        assert_int_equal(log_position(storage, task, first), 42);
        assert_int_equal(log_position(storage, task, second), -1);
        Snapshot *snapshot = snapshot_open(storage);
        assert_string_equal(bench_get(snapshot, store, "a"), "3");
        assert_string_equal(bench_get(snapshot, store, "b"), "2");
        snapshot_close(snapshot);
        assert_string_equal(bench_log(storage, first, 0), "0:x0 1:x1 2:x2 3:z0");
        assert_string_equal(bench_log(storage, second, 1), "1:y1");
        storage_close(storage);
        storage = bench_open(io, NULL);
    }
    commit = commit_new(storage, 1);
    commit_position(commit, task, second, 7);
    commit_position(commit, task, first, -1);
    CHECK_OK(commit_wait(commit, &offset, err));
    assert_int_equal(offset, -1);
    assert_int_equal(log_position(storage, task, first), -1);
    assert_int_equal(log_position(storage, task, second), 7);
    commit = commit_new(storage, 1);
    commit_positions_drop(commit, task);
    CHECK_OK(commit_wait(commit, NULL, err));
    assert_int_equal(log_position(storage, task, second), -1);
    storage_close(storage);
    io_mem_free(io);
}

/* == Topics =================================================================================== */

static void topics_come_and_go(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t b, a;
    LogTopic topic, *topics;
    uint32_t count;
    bench_topic(storage, &b, "bb", 3);
    bench_topic(storage, &a, "aa", 1);
    assert_true(a > b);
    Arena *arena = arena_new("test", 0);
    log_topics(storage, arena, &topics, &count);
    assert_int_equal(count, 2);
    assert_string_equal(topics[0].name, "aa");
    assert_int_equal(topics[1].partition_count, 3);
    Commit *commit = commit_new(storage, 0);
    commit_topic_create(commit, storage_new_id(storage), "aa", 1);
    CHECK_CODE(ERR_SEMANTIC, commit_wait(commit, NULL, err));
    commit = commit_new(storage, 0);
    commit_topic_create(commit, storage_new_id(storage), "", 1);
    CHECK_CODE(ERR_LIMIT, commit_wait(commit, NULL, err));
    commit = commit_new(storage, 0);
    commit_topic_create(commit, storage_new_id(storage), "many", PARTITIONS_MAX + 1);
    CHECK_CODE(ERR_LIMIT, commit_wait(commit, NULL, err));
    commit = commit_new(storage, 0);
    bench_append(commit, (TopicPartition){b, 3}, "x", 1);
    CHECK_CODE(ERR_NOT_FOUND, commit_wait(commit, NULL, err));
    commit = commit_new(storage, 0);
    commit_topic_delete(commit, b);
    CHECK_OK(commit_wait(commit, NULL, err));
    assert_false(log_topic_find(storage, "bb", &topic));
    assert_true(log_topic_get(storage, a, &topic));
    commit = commit_new(storage, 0);
    commit_topic_delete(commit, b);
    CHECK_CODE(ERR_NOT_FOUND, commit_wait(commit, NULL, err));
    int64_t start, end;
    CHECK_CODE(ERR_NOT_FOUND,
               log_offsets(storage, (TopicPartition){b, 0}, &start, &end, err));
    CHECK_OK(log_offsets(storage, (TopicPartition){a, 0}, &start, &end, err));
    assert_int_equal(start, 0);
    assert_int_equal(end, 0);
    storage_close(storage);
    storage = bench_open(io, NULL);
    assert_false(log_topic_get(storage, b, &topic));
    assert_true(log_topic_find(storage, "aa", &topic));
    assert_true(storage_new_id(storage) > a);
    arena_free(arena);
    storage_close(storage);
    io_mem_free(io);
}

/* A topic can be made, filled and dropped by one commit, in the order of its entries. */
static void one_commit_makes_and_fills(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t id = storage_new_id(storage);
    Commit *commit = commit_new(storage, 0);
    commit_topic_create(commit, id, "t", 2);
    bench_append(commit, (TopicPartition){id, 1}, "x", 2);
    bench_append(commit, (TopicPartition){id, 1}, "y", 1);
    CHECK_OK(commit_wait(commit, NULL, err));
    assert_string_equal(bench_log(storage, (TopicPartition){id, 1}, 0), "0:x0 1:x1 2:y0");
    commit = commit_new(storage, 0);
    commit_topic_delete(commit, id);
    bench_append(commit, (TopicPartition){id, 1}, "z", 1);
    CHECK_CODE(ERR_NOT_FOUND, commit_wait(commit, NULL, err));
    assert_string_equal(bench_log(storage, (TopicPartition){id, 1}, 2), "2:y0");
    storage_close(storage);
    io_mem_free(io);
}

static void log_start_is_raised(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t topic;
    bench_topic(storage, &topic, "t", 1);
    TopicPartition where = {topic, 0};
    Commit *commit = commit_new(storage, 0);
    bench_append(commit, where, "x", 5);
    commit_log_start(commit, where, 3);
    CHECK_OK(commit_wait(commit, NULL, err));
    for (int round = 0; round < 2; round++) {
        int64_t start, end;
        CHECK_OK(log_offsets(storage, where, &start, &end, err));
        assert_int_equal(start, 3);
        assert_int_equal(end, 5);
        assert_string_equal(bench_log(storage, where, 3), "3:x3 4:x4");
        storage_close(storage);
        storage = bench_open(io, NULL);
    }
    storage_close(storage);
    io_mem_free(io);
}

/* == Catalog ================================================================================== */

static void catalog_in_key_order(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    Commit *commit = commit_new(storage, 0);
    uint32_t id = storage_new_id(storage); /* only the text below knows it */
    commit_catalog_put(commit, bytes_of("b"), bytes_of("CREATE B"));
    commit_catalog_put(commit, bytes_of("a"), bytes_of("CREATE A"));
    commit_catalog_put(commit, bytes_of("c"), bytes_of("CREATE C"));
    commit_catalog_remove(commit, bytes_of("b"));
    CHECK_OK(commit_wait(commit, NULL, err));
    for (int round = 0; round < 2; round++) {
        Snapshot *snapshot = snapshot_open(storage);
        StoreIter *iter;
        Bytes key, value;
        CHECK_OK(catalog_scan(snapshot, &iter, err));
        assert_true(store_iter_next(iter, &key, &value));
        assert_true(bytes_equal(key, bytes_of("a")) && bytes_equal(value, bytes_of("CREATE A")));
        assert_true(store_iter_next(iter, &key, &value));
        assert_true(bytes_equal(key, bytes_of("c")) && bytes_equal(value, bytes_of("CREATE C")));
        assert_false(store_iter_next(iter, &key, &value));
        CHECK_OK(store_iter_close(iter, err));
        snapshot_close(snapshot);
        storage_close(storage);
        storage = bench_open(io, NULL);
    }
    assert_true(storage_new_id(storage) > id);
    storage_close(storage);
    io_mem_free(io);
}

/* == Order, groups, listeners ================================================================= */

typedef struct Heard {
    int done;
    int64_t ends[8];
    int count;
    uint64_t lsn;
    Storage *storage;
} Heard;

static void hear(void *context, TopicPartition where, int64_t end_offset) {
    Heard *heard = context;
    int64_t start, end;
    assert_int_equal(heard->done, 0); /* readers are told before writers */
    CHECK_OK(log_offsets(heard->storage, where, &start, &end, err));
    assert_true(end >= end_offset);
    heard->ends[heard->count++] = end_offset;
}

static void hear_done(void *arg, const CommitOutcome *outcome) {
    Heard *heard = arg;
    assert_int_equal(outcome->result, COMMIT_DURABLE);
    assert_true(outcome->lsn > heard->lsn);
    assert_true(storage_visible_lsn(heard->storage) >= outcome->lsn);
    assert_int_equal(outcome->appended_count, 1);
    assert_int_equal(outcome->appended[0].base_offset, heard->done * 2);
    assert_int_equal(outcome->appended[0].last_offset, heard->done * 2 + 1);
    heard->lsn = outcome->lsn;
    heard->done++;
}

static void waiting_commits_share_a_sync(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    uint32_t topic;
    bench_topic(storage, &topic, "t", 1);
    Heard heard = {.storage = storage};
    StorageFigures before, after;
    storage_figures(storage, &before);
    log_listen(storage, hear, &heard);
    for (int i = 0; i < 5; i++) {
        Commit *commit = commit_new(storage, (uint32_t)i);
        bench_append(commit, (TopicPartition){topic, 0}, "x", 2);
        CHECK_OK(commit_submit(commit, hear_done, &heard, err));
    }
    assert_string_equal(bench_log(storage, (TopicPartition){topic, 0}, 0), "");
    assert_int_equal(heard.count, 0);
    CHECK_OK(storage_pump(storage, err));
    assert_int_equal(heard.done, 5);
    assert_int_equal(heard.count, 5);
    assert_int_equal(heard.ends[4], 10);
    storage_figures(storage, &after);
    assert_int_equal(after.frames, before.frames + 5);
    assert_int_equal(after.groups, before.groups + 1);
    assert_int_equal(after.syncs, before.syncs + 1);
    storage_close(storage);
    io_mem_free(io);
}

/* == Large commits ============================================================================ */

static void a_large_commit_is_a_chain_of_frames(void **state) {
    (void)state;
    Io *io = io_mem_new();
    StorageOptions options = {.frame_bytes_max = 4096, .journal_file_bytes = 32 << 10};
    Storage *storage = bench_open(io, &options);
    uint32_t topic, store = storage_new_id(storage);
    bench_topic(storage, &topic, "t", 1);
    StorageFigures before, after;
    storage_figures(storage, &before);
    Commit *commit = commit_new(storage, 1);
    for (uint32_t i = 0; i < 2000; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%06u", i);
        commit_put(commit, store, bytes_of(key), bytes_of("some value of some length"));
        if (i % 200 == 0)
            bench_append(commit, (TopicPartition){topic, 0}, "x", 3);
    }
    CHECK_OK(commit_wait(commit, NULL, err));
    storage_figures(storage, &after);
    assert_true(after.frames - before.frames > 15);
    for (int round = 0; round < 2; round++) {
        Snapshot *snapshot = snapshot_open(storage);
        assert_string_equal(bench_get(snapshot, store, "key001999"), "some value of some length");
        snapshot_close(snapshot);
        int64_t start, end;
        CHECK_OK(log_offsets(storage, (TopicPartition){topic, 0}, &start, &end, err));
        assert_int_equal(end, 30);
        storage_close(storage);
        storage = bench_open(io, &options);
    }
    storage_close(storage);
    io_mem_free(io);
}

static void limits_are_errors(void **state) {
    (void)state;
    Io *io = io_mem_new();
    StorageOptions options = {.frame_bytes_max = 4096};
    Storage *storage = bench_open(io, &options);
    uint8_t *large = mem_alloc(1 << 20);
    Commit *commit = commit_new(storage, 1);
    commit_put(commit, 9, bytes_of("k"), (Bytes){large, 5000});
    commit_put(commit, 9, bytes_of("k"), bytes_of("small"));
    CHECK_CODE(ERR_LIMIT, commit_wait(commit, NULL, err));
    commit = commit_new(storage, 1);
    for (uint32_t i = 0; i < COMMIT_BYTES_MAX / 4000 + 2; i++)
        commit_put(commit, 9, (Bytes){(const uint8_t *)&i, 4}, (Bytes){large, 3999});
    assert_true(commit_bytes(commit) <= COMMIT_BYTES_MAX + (1U << 20));
    Err error;
    assert_int_equal(commit_submit(commit, NULL, NULL, &error), ERR_LIMIT);
    commit_drop(commit);
    Snapshot *snapshot = snapshot_open(storage);
    assert_string_equal(bench_get(snapshot, 9, "k"), "-");
    snapshot_close(snapshot);
    mem_free(large);
    storage_close(storage);
    io_mem_free(io);
}

/* == Failure and space ======================================================================== */

static void aborted(void *arg, const CommitOutcome *outcome) {
    int *count = arg;
    assert_int_equal(outcome->result, COMMIT_ABORTED);
    assert_int_equal(outcome->err->code, ERR_STORAGE_FAILED);
    ++*count;
}

static void a_failed_sync_ends_the_storage(void **state) {
    (void)state;
    Io *io = io_mem_new();
    io_mem_start_faults(io, 1);
    Storage *storage = bench_open(io, NULL);
    uint32_t store = storage_new_id(storage);
    int count = 0;
    for (int i = 0; i < 3; i++) {
        Commit *commit = commit_new(storage, 1);
        commit_put(commit, store, bytes_of("k"), bytes_of("v"));
        CHECK_OK(commit_submit(commit, aborted, &count, err));
    }
    io_mem_fail(io, IO_MEM_SYNC, 1, false);
    CHECK_CODE(ERR_STORAGE_FAILED, storage_pump(storage, err));
    assert_int_equal(count, 3);
    CHECK_CODE(ERR_STORAGE_FAILED, storage_state(storage, err));
    Snapshot *snapshot = snapshot_open(storage);
    assert_string_equal(bench_get(snapshot, store, "k"), "-");
    snapshot_close(snapshot);
    Commit *commit = commit_new(storage, 1);
    CHECK_CODE(ERR_STORAGE_FAILED, commit_wait(commit, NULL, err));
    CHECK_CODE(ERR_STORAGE_FAILED, storage_checkpoint(storage, err));
    storage_close(storage);
    io_mem_free(io);
}

static void a_full_disk_refuses_and_resumes(void **state) {
    (void)state;
    Io *io = io_mem_new();
    io_mem_set_clock(io, 1000);
    StorageOptions options = {.journal_file_bytes = 32 << 10, .checkpoint_bytes = 1 << 20};
    Storage *storage = bench_open(io, &options);
    uint32_t store = storage_new_id(storage);
    io_mem_set_space(io, io_mem_used(io));
    Err error;
    ErrCode code = ERR_OK;
    uint32_t accepted = 0;
    while (code == ERR_OK) {
        Commit *commit = commit_new(storage, 1);
        commit_put(commit, store, (Bytes){(const uint8_t *)&accepted, 4}, bytes_of("v"));
        code = commit_wait(commit, NULL, &error);
        accepted += code == ERR_OK;
        assert_true(accepted < 100);
    }
    assert_int_equal(code, ERR_NO_SPACE);
    assert_true(accepted > 3);
    CHECK_OK(storage_state(storage, err));
    CHECK_OK(storage_pump(storage, err));
    io_mem_set_space(io, UINT64_MAX);
    io_mem_advance_clock(io, 1000001);
    Commit *commit = commit_new(storage, 1);
    commit_put(commit, store, bytes_of("after"), bytes_of("v"));
    CHECK_OK(commit_wait(commit, NULL, err));
    StorageFigures figures;
    storage_figures(storage, &figures);
    assert_int_equal(figures.state_entries, accepted + 1);
    storage_close(storage);
    io_mem_free(io);
}

/* == Threads ================================================================================== */

enum { PRODUCERS = 3, ROUNDS = 60 };

typedef struct Crowd {
    Storage *storage;
    uint32_t topic, store;
    atomic_uint next_producer, running;
} Crowd;

static void *produce(void *arg) {
    Crowd *crowd = arg;
    uint32_t me = atomic_fetch_add(&crowd->next_producer, 1);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        char key[16], value[16];
        snprintf(key, sizeof key, "count%u", me);
        snprintf(value, sizeof value, "%u", i + 1);
        Commit *commit = commit_new(crowd->storage, me + 1);
        commit_put(commit, crowd->store, bytes_of(key), bytes_of(value));
        commit_put(commit, crowd->store + 1, bytes_of(key), bytes_of(value));
        bench_append(commit, (TopicPartition){crowd->topic, me}, "a longer value that fills ", 40);
        int64_t offset;
        CHECK_OK(commit_wait(commit, &offset, err));
        assert_int_equal(offset, i * 40);
        if (i % 20 == 7) { /* topics come and go meanwhile */
            uint32_t id;
            char name[32];
            snprintf(name, sizeof name, "t%u-%u", me, i);
            bench_topic(crowd->storage, &id, name, 2);
            commit = commit_new(crowd->storage, 0);
            bench_append(commit, (TopicPartition){id, 1}, "x", 1);
            CHECK_OK(commit_wait(commit, NULL, err));
            commit = commit_new(crowd->storage, 0);
            commit_topic_delete(commit, id);
            CHECK_OK(commit_wait(commit, NULL, err));
        }
    }
    atomic_fetch_sub(&crowd->running, 1);
    return NULL;
}

/* Both stores always agree, and offsets only grow. */
static void *look(void *arg) {
    Crowd *crowd = arg;
    int64_t seen[PRODUCERS] = {0};
    while (atomic_load(&crowd->running) > 0) {
        Snapshot *snapshot = snapshot_open(crowd->storage);
        for (uint32_t i = 0; i < PRODUCERS; i++) {
            char key[16];
            snprintf(key, sizeof key, "count%u", i);
            Bytes wanted = bytes_of(key), left, right;
            CHECK_OK(store_get(snapshot, crowd->store, &wanted, 1, &left, err));
            CHECK_OK(store_get(snapshot, crowd->store + 1, &wanted, 1, &right, err));
            assert_true(bytes_equal(left, right));
            int64_t start, end;
            TopicPartition where = {crowd->topic, i};
            CHECK_OK(log_offsets(crowd->storage, where, &start, &end, err));
            assert_true(end >= seen[i]);
            LogBlock *block;
            CHECK_OK(log_fetch(crowd->storage, where, seen[i], 4096, &block, err));
            if (block)
                log_block_unref(block);
            seen[i] = end;
        }
        snapshot_close(snapshot);
    }
    return NULL;
}

static void threads_commit_beside_checkpoints(void **state) {
    (void)state;
    Io *io = io_mem_new();
    StorageOptions options = {
        .threads = true, .checkpoint_bytes = 96 << 10, .journal_file_bytes = 64 << 10,
        .tail_bytes_max = 32 << 10, .mark_ms = 1};
    Crowd crowd = {.storage = bench_open(io, &options), .running = PRODUCERS};
    crowd.store = storage_new_id(crowd.storage);
    (void)storage_new_id(crowd.storage);
    bench_topic(crowd.storage, &crowd.topic, "t", PRODUCERS);
    Thread producers[PRODUCERS], reader;
    thread_start(&reader, "reader", look, &crowd);
    for (int i = 0; i < PRODUCERS; i++)
        thread_start(&producers[i], "producer", produce, &crowd);
    for (int i = 0; i < PRODUCERS; i++)
        thread_join(&producers[i]);
    thread_join(&reader);
    CHECK_OK(storage_checkpoint(crowd.storage, err));
    StorageFigures figures;
    storage_figures(crowd.storage, &figures);
    assert_true(figures.checkpoints > 1);
    storage_close(crowd.storage);
    options.threads = false;
    Storage *storage = bench_open(io, &options);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        int64_t start, end;
        CHECK_OK(log_offsets(storage, (TopicPartition){crowd.topic, i}, &start, &end, err));
        assert_int_equal(end, ROUNDS * 40);
    }
    storage_close(storage);
    io_mem_free(io);
}

static void tickets_are_waited_for_later(void **state) {
    (void)state;
    Io *io = io_mem_new();
    Storage *storage = bench_open(io, NULL);
    TopicPartition where = {0, 0};
    bench_topic(storage, &where.topic_id, "t", 1);
    CommitTicket tickets[3] = {{0}};
    int64_t start, end, first;
    for (int i = 0; i < 3; i++) {
        Commit *commit = commit_new(storage, 0);
        commit_expect(commit, 1 << 20);
        bench_append(commit, where, "x", 10);
        CHECK_OK(commit_send(commit, &tickets[i], err));
    }
    CHECK_OK(log_offsets(storage, where, &start, &end, err));
    assert_int_equal(end, 0);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(commit_ticket_wait(&tickets[i], &first, err));
        assert_int_equal(first, 10 * i);
        CHECK_OK(commit_ticket_wait(&tickets[i], &first, err));
        assert_int_equal(first, -1);
    }
    Commit *drop = commit_new(storage, 0), *late = commit_new(storage, 0);
    commit_topic_delete(drop, where.topic_id);
    bench_append(late, where, "y", 1);
    CHECK_OK(commit_send(drop, &tickets[0], err));
    CHECK_OK(commit_send(late, &tickets[1], err));
    CHECK_CODE(ERR_NOT_FOUND, commit_ticket_wait(&tickets[1], NULL, err));
    CHECK_OK(commit_ticket_wait(&tickets[0], NULL, err));
    storage_close(storage);
    io_mem_free(io);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_state_and_records_together),
        cmocka_unit_test(topics_come_and_go),
        cmocka_unit_test(one_commit_makes_and_fills),
        cmocka_unit_test(log_start_is_raised),
        cmocka_unit_test(catalog_in_key_order),
        cmocka_unit_test(waiting_commits_share_a_sync),
        cmocka_unit_test(a_large_commit_is_a_chain_of_frames),
        cmocka_unit_test(tickets_are_waited_for_later),
        cmocka_unit_test(limits_are_errors),
        cmocka_unit_test(a_failed_sync_ends_the_storage),
        cmocka_unit_test(a_full_disk_refuses_and_resumes),
        cmocka_unit_test(threads_commit_beside_checkpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
