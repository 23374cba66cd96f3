/* test_cluster.c - a log elsewhere: nothing is in the folder before the cluster has it. */
#include "storage/cluster.h"
#include "tests/unit/fake_cluster.h"

typedef struct Told {
    CommitResult result;
    ErrCode code;
    int64_t base;
    uint32_t count, order;
} Told;

static uint32_t told_order;

static void tell(void *arg, const CommitOutcome *outcome) {
    Told *told = arg;
    told->result = outcome->result;
    told->code = outcome->result == COMMIT_ABORTED ? outcome->err->code : ERR_OK;
    told->base = outcome->appended_count > 0 ? outcome->appended[0].base_offset : -1;
    told->count++;
    told->order = ++told_order;
}

typedef struct Bed {
    Io *io;
    FakeCluster *fake;
    Storage *storage;
} Bed;

static void bed_open(Bed *bed) {
    bed->storage = bench_open(bed->io, &(StorageOptions){.durability = DURABILITY_OS});
    fake_attach(bed->fake, bed->storage);
}

static Bed bed_new(void) {
    Bed bed = {.io = io_mem_new(), .fake = fake_new()};
    bed_open(&bed);
    return bed;
}

/* The next one has the same folder, or an empty one. */
static void bed_again(Bed *bed, bool lost) {
    storage_close(bed->storage);
    if (lost) {
        io_mem_free(bed->io);
        bed->io = io_mem_new();
    }
    bed_open(bed);
}

static void bed_free(Bed *bed) {
    storage_close(bed->storage);
    fake_free(bed->fake);
    io_mem_free(bed->io);
}

static const char *state_of(Bed *bed, uint32_t store, const char *key) {
    Snapshot *snapshot = snapshot_open(bed->storage);
    const char *text = bench_get(snapshot, store, key);
    snapshot_close(snapshot);
    return text;
}

static void pump(Bed *bed) {
    CHECK_OK(storage_pump(bed->storage, err));
}

static Commit *group_commit(Bed *bed, uint32_t task, TopicPartition from, int64_t offset) {
    Commit *commit = commit_new(bed->storage, task);
    commit_slot(commit, 3);
    commit_position(commit, task, from, offset);
    return commit;
}

static void nothing_is_here_before_it_is_there(void **state) {
    (void)state;
    Bed bed = bed_new();
    uint32_t topic, task = storage_new_id(bed.storage), store = storage_new_id(bed.storage);
    assert_true(task >= STORE_FIRST_FREE);
    bench_topic(bed.storage, &topic, "out", 2);
    TopicPartition out = {topic, 1};
    bed.fake->held = true;
    Commit *commit = group_commit(&bed, task, out, 7);
    commit_put(commit, store, bytes_of("k"), bytes_of("v"));
    bench_append(commit, out, "r", 3);
    Told told = {0};
    uint64_t lsn = storage_visible_lsn(bed.storage);
    CHECK_OK(commit_submit(commit, tell, &told, err));
    pump(&bed);
    assert_int_equal(told.count, 0);
    assert_int_equal(storage_visible_lsn(bed.storage), lsn);
    assert_int_equal(log_position(bed.storage, task, out), -1);
    assert_string_equal(state_of(&bed, store, "k"), "-");
    assert_true(fake_answer(bed.fake));
    assert_int_equal(told.count, 0); /* not before the folder has it */
    pump(&bed);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.result, COMMIT_DURABLE);
    assert_int_equal(told.base, 0);
    assert_int_equal(log_position(bed.storage, task, out), 7);
    assert_string_equal(state_of(&bed, store, "k"), "v");
    assert_string_equal(state_of(&bed, STORE_CLUSTER, "n"), "2");
    assert_string_equal(fake_log(bed.storage, out, 0), "0:r0 1:r1 2:r2");
    int64_t start, end;
    CHECK_OK(log_offsets_now(bed.storage, out, &start, &end, err));
    assert_int_equal(end, 4); /* with the marker */
    bed_free(&bed);
}

static void a_refused_commit_leaves_nothing(void **state) {
    (void)state;
    Bed bed = bed_new();
    uint32_t topic, task = storage_new_id(bed.storage), store = storage_new_id(bed.storage);
    bench_topic(bed.storage, &topic, "out", 1);
    TopicPartition out = {topic, 0};
    err_report(&bed.fake->refusal, ERR_TIMEOUT, 0, 0, "the broker is away");
    Commit *commit = group_commit(&bed, task, out, 7);
    commit_put(commit, store, bytes_of("k"), bytes_of("v"));
    bench_append(commit, out, "r", 3);
    Told told = {0};
    CHECK_OK(commit_submit(commit, tell, &told, err));
    pump(&bed);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.result, COMMIT_ABORTED);
    assert_int_equal(told.code, ERR_TIMEOUT);
    assert_int_equal(log_position(bed.storage, task, out), -1);
    assert_string_equal(state_of(&bed, store, "k"), "-");
    assert_string_equal(fake_log(bed.storage, out, 0), "");
    CHECK_OK(storage_state(bed.storage, err));
    bed.fake->refusal.code = ERR_OK; /* and the same again */
    commit = group_commit(&bed, task, out, 7);
    bench_append(commit, out, "r", 1);
    CHECK_OK(commit_wait(commit, NULL, err));
    assert_int_equal(log_position(bed.storage, task, out), 7);
    bed_free(&bed);
}

static void answers_come_in_order(void **state) {
    (void)state;
    Bed bed = bed_new();
    uint32_t topic, task = storage_new_id(bed.storage), store = storage_new_id(bed.storage);
    bench_topic(bed.storage, &topic, "out", 1);
    TopicPartition out = {topic, 0};
    bed.fake->held = true;
    Told told[8] = {{0}};
    told_order = 0;
    for (int i = 0; i < 8; i++) {
        Commit *commit = group_commit(&bed, task, out, i);
        char text[24];
        snprintf(text, sizeof text, "%d", i);
        commit_put(commit, store, bytes_of("k"), bytes_of(text));
        CHECK_OK(commit_submit(commit, tell, &told[i], err));
    }
    for (int i = 0; i < 8; i++) {
        bed.fake->refusal.code = i % 3 == 1 ? ERR_TIMEOUT : ERR_OK;
        assert_true(fake_answer(bed.fake));
    }
    assert_false(fake_answer(bed.fake));
    pump(&bed);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(told[i].order, i + 1);
        assert_int_equal(told[i].result, i % 3 == 1 ? COMMIT_ABORTED : COMMIT_DURABLE);
    }
    assert_string_equal(state_of(&bed, store, "k"), "6"); /* 7 was refused */
    assert_int_equal(log_position(bed.storage, task, out), 6);
    bed_free(&bed);
}

/* Records alone take no room in the folder; its own notes need no cluster. */
static void what_goes_where(void **state) {
    (void)state;
    Bed bed = bed_new();
    uint32_t topic;
    bench_topic(bed.storage, &topic, "out", 1);
    assert_int_equal(bed.fake->commands, 1);
    StorageFigures before, after;
    storage_figures(bed.storage, &before);
    Commit *commit = commit_new(bed.storage, 0);
    bench_append(commit, (TopicPartition){topic, 0}, "r", 3);
    bench_append(commit, (TopicPartition){topic, 0}, "s", 1);
    int64_t first;
    CHECK_OK(commit_wait(commit, &first, err));
    storage_figures(bed.storage, &after);
    assert_int_equal(bed.fake->plain, 1);
    assert_int_equal(before.frames, after.frames);
    commit = commit_new(bed.storage, 0);
    commit_put(commit, STORE_COPY, bytes_of("file"), bytes_of("row 3"));
    CHECK_OK(commit_wait(commit, NULL, err));
    assert_int_equal(bed.fake->plain + bed.fake->transactions + bed.fake->commands, 2);
    assert_string_equal(state_of(&bed, STORE_COPY, "file"), "row 3");
    commit = commit_new(bed.storage, 0); /* both at once */
    bench_append(commit, (TopicPartition){topic, 0}, "t", 1);
    commit_put(commit, STORE_COPY, bytes_of("file"), bytes_of("row 4"));
    CHECK_OK(commit_wait(commit, &first, err));
    assert_int_equal(first, 6);
    assert_string_equal(state_of(&bed, STORE_COPY, "file"), "row 4");
    commit = commit_new(bed.storage, 0);
    bench_append(commit, (TopicPartition){topic, 1}, "t", 1);
    CHECK_CODE(ERR_NOT_FOUND, commit_wait(commit, NULL, err));
    assert_int_equal(bed.fake->plain, 2);
    bed_free(&bed);
}

static void topics_of_others_can_be_read(void **state) {
    (void)state;
    Bed bed = bed_new();
    FakeTopic *theirs = fake_make_topic(bed.fake, "theirs", 3);
    LogTopic topic, *topics;
    uint32_t ours, count;
    bench_topic(bed.storage, &ours, "ours", 1);
    assert_true(log_topic_find(bed.storage, "theirs", &topic));
    assert_true(log_topic_is_borrowed(&topic));
    assert_int_equal(topic.partition_count, 3);
    assert_false(log_topic_find(bed.storage, "nobodys", &topic));
    Arena *arena = arena_new("test", 0);
    log_topics(bed.storage, arena, &topics, &count);
    assert_int_equal(count, 2);
    assert_string_equal(topics[0].name, "ours");
    assert_int_equal(topics[0].id, ours);
    assert_string_equal(topics[1].name, "theirs");
    RecordBatch batch = {0};
    record_batch_add(&batch, &(LogRecord){.timestamp = 1, .value = bytes_of("hello")});
    record_batch_seal(&batch);
    fake_append(theirs, 2, buf_view(&batch.buf));
    record_batch_free(&batch);
    TopicPartition where = {topics[1].id, 2};
    assert_string_equal(fake_log(bed.storage, where, 0), "0:hello");
    Commit *commit = commit_new(bed.storage, 0);
    bench_append(commit, where, "never", 1);
    CHECK_CODE(ERR_NOT_FOUND, commit_wait(commit, NULL, err));
    uint32_t adopted; /* from now on it has an id of the service's */
    bench_topic(bed.storage, &adopted, "theirs", 3);
    assert_true(log_topic_find(bed.storage, "theirs", &topic));
    assert_int_equal(topic.id, adopted);
    assert_string_equal(fake_log(bed.storage, where, 0), "0:hello"); /* who reads on */
    assert_string_equal(fake_log(bed.storage, (TopicPartition){adopted, 2}, 0), "0:hello");
    arena_free(arena);
    bed_free(&bed);
}

static void a_lost_folder_comes_back(void **state) {
    (void)state;
    Bed bed = bed_new();
    uint32_t topic, gone, task = storage_new_id(bed.storage), store = storage_new_id(bed.storage);
    bench_topic(bed.storage, &topic, "out", 2);
    bench_topic(bed.storage, &gone, "gone", 1);
    Commit *commit = commit_new(bed.storage, 0);
    commit_catalog_put(commit, bytes_of("s/A"), bytes_of("stream"));
    commit_catalog_put(commit, bytes_of("s/B"), bytes_of("stream"));
    commit_topic_delete(commit, gone);
    commit_statement(commit, bytes_of("CREATE STREAM a;"));
    CHECK_OK(commit_wait(commit, NULL, err));
    assert_string_equal(buf_cstr(&bed.fake->statement), "CREATE STREAM a;");
    assert_null(fake_topic(bed.fake, "gone"));
    for (int i = 0; i < 5; i++) {
        commit = group_commit(&bed, task, (TopicPartition){topic, 0}, i * 10);
        char key[24];
        snprintf(key, sizeof key, "k%d", i);
        commit_put(commit, store, bytes_of(key), bytes_of("v"));
        if (i == 3)
            commit_remove_range(commit, store, bytes_of("k1"), bytes_of("k3"));
        bench_append(commit, (TopicPartition){topic, 1}, "x", 1);
        CHECK_OK(commit_wait(commit, NULL, err));
    }
    uint32_t last = storage_new_id(bed.storage);
    for (int round = 0; round < 4; round++) {
        LogTopic found;
        assert_true(log_topic_find(bed.storage, "out", &found));
        assert_int_equal(found.id, topic);
        assert_false(log_topic_find(bed.storage, "gone", &found));
        assert_int_equal(log_position(bed.storage, task, (TopicPartition){topic, 0}), 40);
        assert_string_equal(state_of(&bed, store, "k0"), "v");
        assert_string_equal(state_of(&bed, store, "k1"), "-");
        assert_string_equal(state_of(&bed, store, "k4"), "v");
        assert_string_equal(fake_log(bed.storage, (TopicPartition){topic, 1}, 7), "8:x0");
        Snapshot *snapshot = snapshot_open(bed.storage);
        StoreIter *iter;
        Bytes key, value;
        int entries = 0;
        CHECK_OK(catalog_scan(snapshot, &iter, err));
        while (store_iter_next(iter, &key, &value))
            entries++;
        CHECK_OK(store_iter_close(iter, err));
        snapshot_close(snapshot);
        assert_int_equal(entries, 2);
        assert_int_equal(storage_visible_lsn(bed.storage) > 0, 1);
        bed_again(&bed, round % 2 == 0);
        assert_true(storage_new_id(bed.storage) >= last);
    }
    commit = commit_new(bed.storage, 0);
    commit_positions_drop(commit, task);
    commit_remove_range(commit, store, (Bytes){0}, (Bytes){0});
    commit_catalog_remove(commit, bytes_of("s/A"));
    CHECK_OK(commit_wait(commit, NULL, err));
    bed_again(&bed, true);
    assert_int_equal(log_position(bed.storage, task, (TopicPartition){topic, 0}), -1);
    assert_string_equal(state_of(&bed, store, "k4"), "-");
    bed_free(&bed);
}

static void damaged_commands_are_refused(void **state) {
    (void)state;
    Bed bed = bed_new();
    Commit *commit = commit_new(bed.storage, 0);
    uint32_t topic = storage_new_id(bed.storage);
    commit_topic_create(commit, topic, "t", 1);
    commit_catalog_put(commit, bytes_of("s/A"), bytes_of("stream"));
    commit_put(commit, 900, bytes_of("k"), bytes_of("v"));
    commit_position(commit, 77, (TopicPartition){topic, 0}, 5);
    commit_positions_drop(commit, 78);
    CHECK_OK(commit_wait(commit, NULL, err));
    const Buf *good = &bed.fake->kept[0];
    uint32_t refused = 0;
    Buf bad = {0};
    for (uint32_t size = 0; size < good->size; size++) { /* cut anywhere: an error or a prefix */
        Err err;
        commit = commit_load(bed.storage, (Bytes){good->data, size}, &err);
        refused += commit == NULL;
        commit_drop(commit);
    }
    assert_true(refused > good->size / 2);
    for (size_t at = 0; at < good->size; at++) { /* changed anywhere: never a crash */
        Err err;
        buf_reset(&bad);
        buf_bytes(&bad, buf_view(good));
        bad.data[at] ^= 0x15;
        commit_drop(commit_load(bed.storage, buf_view(&bad), &err));
    }
    buf_free(&bad);
    bed_free(&bed);
}

/* A commit of several frames, with more notes than fit its last. */
static void large_commits(void **state) {
    (void)state;
    Bed bed = {.io = io_mem_new(), .fake = fake_new()};
    bed.storage = bench_open(bed.io, &(StorageOptions){.frame_bytes_max = 8192});
    fake_attach(bed.fake, bed.storage);
    uint32_t topic, task = storage_new_id(bed.storage), store = storage_new_id(bed.storage);
    bench_topic(bed.storage, &topic, "out", 1);
    char value[1000];
    memset(value, 'v', sizeof value);
    for (uint32_t count = 1; count < 40; count += 3) {
        Commit *commit = group_commit(&bed, task, (TopicPartition){topic, 0}, count);
        for (uint32_t i = 0; i < count; i++) {
            char key[24];
            snprintf(key, sizeof key, "%u", i);
            commit_put(commit, store + i % 3, bytes_of(key), (Bytes){(uint8_t *)value, 1000 - i});
        }
        bench_append(commit, (TopicPartition){topic, 0}, "x", 100);
        CHECK_OK(commit_wait(commit, NULL, err));
    }
    assert_int_equal(strlen(state_of(&bed, store, "36")), 964);
    bed_again(&bed, true);
    assert_int_equal(strlen(state_of(&bed, store, "36")), 964);
    bed_free(&bed);
}

static void fenced(void **state) {
    (void)state;
    Bed bed = bed_new();
    Err cause;
    err_report(&cause, ERR_FENCED, 0, 0, "a newer process runs");
    storage_end(bed.storage, &cause);
    CHECK_CODE(ERR_FENCED, storage_state(bed.storage, err));
    Commit *commit = commit_new(bed.storage, 0);
    commit_catalog_put(commit, bytes_of("s/A"), bytes_of("stream"));
    CHECK_CODE(ERR_FENCED, commit_wait(commit, NULL, err));
    bed_free(&bed);
}

static bool give_up(void *context, const Err *why, int64_t since_ms, uint32_t *memory) {
    (void)since_ms;
    assert_null(why);
    *memory += 1;
    *(uint32_t *)context = *memory;
    return *memory < 2;
}

/* Records may be left to the cluster; what changes the catalog is waited for to its end. */
static void who_waits_may_give_up(void **state) {
    (void)state;
    Bed bed = {.io = io_mem_new(), .fake = fake_new()};
    StorageOptions options = {.durability = DURABILITY_OS, .threads = true};
    TopicPartition where = {0, 0};
    uint32_t asked = 0;
    bed.storage = bench_open(bed.io, &options);
    fake_attach(bed.fake, bed.storage);
    fake_start(bed.fake);
    bench_topic(bed.storage, &where.topic_id, "t", 1);
    storage_on_wait(bed.storage, give_up, &asked);
    bed.fake->held = true;
    Commit *commit = commit_new(bed.storage, 0);
    bench_append(commit, where, "x", 2);
    CHECK_CODE(ERR_CANCELLED, commit_wait(commit, NULL, err));
    assert_int_equal(asked, 2);
    bed.fake->held = false;
    commit = commit_new(bed.storage, 0);
    commit_catalog_put(commit, bytes_of("s/A"), bytes_of("stream"));
    CHECK_OK(commit_wait(commit, NULL, err));
    assert_string_equal(fake_log(bed.storage, where, 0), "0:x0 1:x1");
    fake_stop(bed.fake);
    bed_free(&bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_here_before_it_is_there),
        cmocka_unit_test(a_refused_commit_leaves_nothing),
        cmocka_unit_test(answers_come_in_order),
        cmocka_unit_test(what_goes_where),
        cmocka_unit_test(topics_of_others_can_be_read),
        cmocka_unit_test(a_lost_folder_comes_back),
        cmocka_unit_test(damaged_commands_are_refused),
        cmocka_unit_test(large_commits),
        cmocka_unit_test(fenced),
        cmocka_unit_test(who_waits_may_give_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
