/* test_kafka_slot.c - a slot's transactions against librdkafka's mock of a cluster: what is told to
 * whom when they commit, when records are refused, and when there is no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"

enum { API_PRODUCE = 0, API_END_TXN = 26, OUT_ID = 100, TASK_ID = 200, STORE_ID = 300, CHANGES_ID };

typedef struct Told {
    uint32_t count;
    CommitResult result;
    ErrCode code;
    int64_t base;
    char text[200];
} Told;

/* On the storage's writer thread. */
static void tell(void *arg, const CommitOutcome *outcome) {
    Told *told = arg;
    told->result = outcome->result;
    told->code = outcome->result == COMMIT_ABORTED ? outcome->err->code : ERR_OK;
    if (told->code != ERR_OK)
        (void)snprintf(told->text, sizeof told->text, "%.190s", outcome->err->message);
    told->base = outcome->appended_count > 0 ? outcome->appended[0].base_offset : -1;
    __atomic_store_n(&told->count, told->count + 1, __ATOMIC_SEQ_CST);
}

static uint32_t told_count(const Told *told) {
    return __atomic_load_n(&told->count, __ATOMIC_SEQ_CST);
}

typedef struct Bed {
    rd_kafka_t *handle;
    rd_kafka_mock_cluster_t *mock;
    Io *io;
    Storage *storage;
    KafkaConfig *config;
    KafkaCluster cluster;
    Slot slot;
} Bed;

static Bed *bed; /* of the test that runs */

static void bed_submit(Cluster *cluster, Commit *commit) {
    assert_ptr_equal(cluster, &bed->cluster.cluster);
    slot_submit(&bed->slot, commit);
}

static const ClusterOps bed_ops = {.submit = bed_submit};

/* Steps until `until`, or a while. */
static void bed_step(bool (*until)(void)) {
    int64_t end_us = io_posix_mono_us() + 20000000;
    while (!until() && io_posix_mono_us() < end_us) {
        (void)slot_step(&bed->slot);
        lock_take(&bed->cluster.lock);
        if (!bed->cluster.kicked)
            (void)signal_wait_for(&bed->cluster.work, &bed->cluster.lock, 1000);
        bed->cluster.kicked = false;
        lock_release(&bed->cluster.lock);
    }
    assert_true(until());
}

static bool is_reading(void) {
    lock_take(&bed->cluster.lock);
    bool reading = bed->slot.step == SLOT_STEP_READING;
    lock_release(&bed->cluster.lock);
    return reading;
}

static bool is_owned(void) {
    return bed->slot.state == SLOT_OWNED && bed->slot.waiting_count == 0;
}

static bool is_deciding(void) {
    return bed->slot.state == SLOT_DECIDING && bed->slot.step == SLOT_STEP_MEMBERS;
}

/* What take.c does: positions have been read. */
static void bed_read(uint64_t seq) {
    bed->slot.found_mark.seq = seq;
    memcpy(bed->slot.found_mark.author, bed->cluster.uuid, AUTHOR_SIZE);
    bed->slot.step = SLOT_STEP_READ;
}

static void bed_topics(void) {
    Err err;
    Commit *commit = commit_new(bed->storage, 0);
    commit_topic_create(commit, OUT_ID, "out", 2);
    commit_topic_create(commit, CHANGES_ID, "changes", 1);
    assert_int_equal(commit_local_wait(commit, &err), ERR_OK);
    assert_int_equal(rd_kafka_mock_topic_create(bed->mock, "out", 2, 1), 0);
    assert_int_equal(rd_kafka_mock_topic_create(bed->mock, "changes", 1, 1), 0);
    assert_int_equal(rd_kafka_mock_topic_create(bed->mock, "_t_-positions", 1, 1), 0);
}

static int bed_open(void **state) {
    char text[512];
    Err err;
    bed = mem_alloc(sizeof *bed);
    *state = bed;
    KafkaCluster *cluster = &bed->cluster;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "log_level", "3", text, sizeof text), 0);
    bed->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    assert_non_null(bed->handle);
    bed->mock = rd_kafka_mock_cluster_new(bed->handle, 1);
    const char *const environment[] = {NULL};
    KafkaConfigSource source = {.bootstrap = rd_kafka_mock_cluster_bootstraps(bed->mock),
                                .environment = environment};
    assert_int_equal(kafka_config_load(&source, &bed->config, &err), ERR_OK);
    bed->io = io_mem_new();
    StorageOptions options = {.durability = DURABILITY_OS, .threads = true};
    assert_int_equal(storage_open(bed->io, "/bed", &options, &bed->storage, &err), ERR_OK);
    bed_topics();
    *cluster = (KafkaCluster){.cluster = {&bed_ops}, .config = bed->config,
                              .storage = bed->storage, .uuid = "fifteen letters",
                              .positions_topic = "_t_-positions"};
    kafka_trouble_init(&cluster->trouble);
    stores_init(&cluster->stores);
    lock_init(&cluster->lock);
    signal_init(&cluster->work);
    signal_init(&cluster->changed);
    ClusterStore store = {STORE_ID, {CHANGES_ID, 0}, 0};
    stores_open(&cluster->stores, &store);
    calls_open(cluster);
    slot_init(&bed->slot, cluster, 0);
    storage_attach(bed->storage, &cluster->cluster);
    bed->slot.state = SLOT_TAKING; /* by take_slots() */
    bed_step(is_reading);
    bed_read(0);
    bed_step(is_owned);
    return 0;
}

static int bed_close(void **state) {
    (void)state;
    Err err;
    KafkaCluster *cluster = &bed->cluster;
    err_report(&err, ERR_CANCELLED, 0, 0, "the test is over");
    calls_close(cluster);
    slot_end(&bed->slot, &err);
    storage_close(bed->storage);
    slot_free(&bed->slot);
    stores_free(&cluster->stores);
    kafka_trouble_close(&cluster->trouble);
    signal_close(&cluster->work);
    signal_close(&cluster->changed);
    lock_close(&cluster->lock);
    kafka_config_free(bed->config);
    io_mem_free(bed->io);
    rd_kafka_mock_cluster_destroy(bed->mock);
    rd_kafka_destroy(bed->handle);
    mem_free(bed);
    return 0;
}

/* A commit of group `owner`: a record, a change of the store, a position. */
static void give(uint32_t owner, int64_t next, Told *told) {
    RecordBatch batch = {0};
    LogRecord record = {.timestamp = 0, .key = bytes_of("k"), .value = bytes_of("v")};
    Err err;
    *told = (Told){0};
    record_batch_add(&batch, &record);
    record_batch_add(&batch, &record);
    record_batch_seal(&batch);
    Commit *commit = commit_new(bed->storage, owner);
    commit_slot(commit, 0);
    commit_append(commit, (TopicPartition){OUT_ID, 0}, &batch);
    commit_put(commit, STORE_ID, bytes_of("key"), bytes_of("value"));
    commit_position(commit, TASK_ID + owner, (TopicPartition){OUT_ID, 1}, next);
    record_batch_free(&batch);
    assert_int_equal(commit_submit(commit, tell, told, &err), ERR_OK);
}

static void await(const Told *told, CommitResult result) {
    for (int i = 0; i < 20000 && told_count(told) == 0; i++) {
        lock_take(&bed->cluster.lock);
        (void)signal_wait_for(&bed->cluster.changed, &bed->cluster.lock, 1000);
        lock_release(&bed->cluster.lock);
    }
    assert_int_equal(told_count(told), 1);
    if (told->result != result)
        print_error("%s: %s\n", err_name(told->code), told->text);
    assert_int_equal(told->result, result);
}

static void test_commits_that_wait_are_one_transaction(void **state) {
    (void)state;
    Told first, second;
    give(1, 10, &first);
    give(2, 20, &second);
    assert_int_equal(log_position(bed->storage, TASK_ID + 1, (TopicPartition){OUT_ID, 1}), -1);
    bed_step(is_owned);
    await(&first, COMMIT_DURABLE);
    await(&second, COMMIT_DURABLE);
    assert_int_equal(bed->slot.transactions, 1);
    assert_int_equal(bed->slot.mark.seq, 1);
    assert_int_equal(first.base, 0);
    assert_int_equal(second.base, 2);
    assert_int_equal(log_position(bed->storage, TASK_ID + 2, (TopicPartition){OUT_ID, 1}), 20);
    assert_int_equal(positions_find(&bed->slot.positions, TASK_ID + 1)->items[0].next, 10);
    give(1, 11, &first);
    bed_step(is_owned);
    await(&first, COMMIT_DURABLE);
    assert_int_equal(bed->slot.mark.seq, 2);
}

static void test_a_refused_record_aborts(void **state) {
    (void)state;
    Told told;
    rd_kafka_mock_push_request_errors(bed->mock, API_PRODUCE, 3,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    give(1, 10, &told);
    bed_step(is_owned);
    await(&told, COMMIT_ABORTED);
    assert_int_equal(told.code, ERR_AUTHORISATION_DENIED);
    assert_int_equal(bed->slot.aborted, 1);
    assert_int_equal(bed->slot.mark.seq, 0);
    assert_int_equal(log_position(bed->storage, TASK_ID + 1, (TopicPartition){OUT_ID, 1}), -1);
}

static void test_a_coordinator_that_loads_is_waited_for(void **state) {
    (void)state;
    Told told;
    rd_kafka_mock_push_request_errors(bed->mock, API_END_TXN, 2,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    give(1, 10, &told);
    bed_step(is_owned);
    await(&told, COMMIT_DURABLE);
    assert_int_equal(bed->slot.decided, 0);
}

/* The end was asked for, and the answer says nothing for sure. */
static void doubt(Told *told) {
    rd_kafka_mock_push_request_errors(bed->mock, API_END_TXN, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
    give(1, 10, told);
    bed_step(is_deciding);
    assert_int_equal(told_count(told), 0);
    bed->slot.checked = true; /* members: nobody is newer */
    bed_step(is_reading);
    assert_int_equal(told_count(told), 0);
}

static void test_without_an_answer_positions_decide(void **state) {
    (void)state;
    Told told;
    doubt(&told);
    bed_read(1); /* it took effect */
    bed_step(is_owned);
    await(&told, COMMIT_DURABLE);
    assert_int_equal(bed->slot.mark.seq, 1);
    assert_int_equal(log_position(bed->storage, TASK_ID + 1, (TopicPartition){OUT_ID, 1}), 10);
}

static void test_without_an_effect_it_is_rejected(void **state) {
    (void)state;
    Told told;
    doubt(&told);
    bed_read(0);
    bed_step(is_owned);
    await(&told, COMMIT_ABORTED);
    assert_int_equal(err_action(told.code), ERR_ACTION_RETRY);
    assert_int_equal(log_position(bed->storage, TASK_ID + 1, (TopicPartition){OUT_ID, 1}), -1);
    assert_int_equal(bed->slot.decided, 1);
}

static bool is_over(void) {
    return bed->cluster.over;
}

static void test_what_another_wrote_ends_us(void **state) {
    (void)state;
    static Told told; /* it is told at the end */
    Err err;
    doubt(&told);
    bed_read(1);
    bed->slot.found_mark.author[0] ^= 1;
    bed_step(is_over);
    assert_int_equal(cluster_check(&bed->cluster, &err), ERR_FENCED);
    assert_int_equal(told_count(&told), 0); /* nobody knows */
}

#define SLOT_TEST(test) cmocka_unit_test_setup_teardown(test, bed_open, bed_close)

int main(void) {
    const struct CMUnitTest tests[] = {
        SLOT_TEST(test_commits_that_wait_are_one_transaction),
        SLOT_TEST(test_a_refused_record_aborts),
        SLOT_TEST(test_a_coordinator_that_loads_is_waited_for),
        SLOT_TEST(test_without_an_answer_positions_decide),
        SLOT_TEST(test_without_an_effect_it_is_rejected),
        SLOT_TEST(test_what_another_wrote_ends_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
