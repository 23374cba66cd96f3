/*
 * drive_kafka_slots.c - a small query over the slots of a service, without an engine: for tests
 * that end it at any moment and read what is left in the cluster.
 *
 *   drive_kafka_slots BOOTSTRAP DIR SERVICE COUNT [SLOTS [ALO]]
 *
 * SLOTS tasks, each in a slot of its own. A task numbers records from its position on: each commit
 * has up to 100 of them (value "TASK NUMBER") in its partition of topic SERVICE-out, the sum so far
 * in a store, and the position behind them. A commit that is rejected for a reason that passes is
 * done again. At COUNT records each it prints "done" and the sums, by the store as it is then.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kafka/kafka.h"
#include "storage/log.h"
#include "storage/store.h"

enum { RECORDS_PER_COMMIT = 100, TASKS_MAX = 64 };
enum { OUT_ID = 100, SOURCE_ID = 101, CHANGELOG_ID = 102, TASK_ID = 200, STORE_ID = 300 };

typedef struct Drive {
    Storage *storage;
    Cluster *cluster;
    KafkaConfig *config;
    Lock lock;
    Signal changed;
    uint32_t tasks;
    int64_t count;
    struct Task {
        struct Drive *drive;
        int64_t next, submitted, sum, sum_submitted;
        bool in_flight;
        ErrCode failed;
    } task[TASKS_MAX];
} Drive;

static void check(ErrCode code, const Err *err, const char *what) {
    if (code == ERR_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, err_name(code), err->message);
    exit(code == ERR_FENCED ? 3 : 2);
}

static void on_end(void *arg, const Err *cause) {
    (void)arg;
    fprintf(stderr, "end: %s: %s\n", err_name(cause->code), cause->message);
    _Exit(3);
}

static void committed(void *arg, const CommitOutcome *outcome) {
    struct Task *task = arg;
    Drive *drive = task->drive;
    lock_take(&drive->lock);
    task->in_flight = false;
    if (outcome->result == COMMIT_DURABLE) {
        task->next = task->submitted;
        task->sum = task->sum_submitted;
    } else {
        fprintf(stderr, "rejected: %s: %s\n", err_name(outcome->err->code), outcome->err->message);
        if (err_action(outcome->err->code) != ERR_ACTION_RETRY)
            task->failed = outcome->err->code;
    }
    signal_all(&drive->changed);
    lock_release(&drive->lock);
}

static void step(Drive *drive, uint32_t index) {
    struct Task *task = &drive->task[index];
    RecordBatch batch = {0};
    Err err;
    char text[64];
    Commit *commit = commit_new(drive->storage, 1000 + index);
    commit_slot(commit, index);
    int64_t next = task->next, sum = task->sum;
    for (int i = 0; i < RECORDS_PER_COMMIT && next < drive->count; i++) {
        (void)snprintf(text, sizeof text, "%u %" PRId64, index, next);
        LogRecord record = {.timestamp = next, .key = bytes_of("k"), .value = bytes_of(text)};
        record_batch_add(&batch, &record);
        sum += next++;
    }
    record_batch_seal(&batch);
    commit_append(commit, (TopicPartition){OUT_ID, index}, &batch);
    (void)snprintf(text, sizeof text, "%" PRId64, sum);
    commit_put(commit, STORE_ID + index, bytes_of("sum"), bytes_of(text));
    (void)snprintf(text, sizeof text, "%" PRId64, next);
    commit_put(commit, STORE_ID + index, bytes_of(text), bytes_of("seen"));
    commit_remove_range(commit, STORE_ID + index, bytes_of("0"), bytes_of(text));
    commit_position(commit, TASK_ID + index, (TopicPartition){SOURCE_ID, index}, next);
    record_batch_free(&batch);
    task->submitted = next;
    task->sum_submitted = sum;
    task->in_flight = true;
    check(commit_submit(commit, committed, task, &err), &err, "submit");
}

static void load(Drive *drive, uint32_t index) {
    struct Task *task = &drive->task[index];
    Snapshot *snapshot = snapshot_open(drive->storage);
    Bytes key = bytes_of("sum"), value;
    Err err;
    char text[64] = "0";
    check(store_get(snapshot, STORE_ID + index, &key, 1, &value, &err), &err, "store");
    if (value.data)
        (void)snprintf(text, sizeof text, "%.*s", (int)value.size, (const char *)value.data);
    snapshot_close(snapshot);
    int64_t next = log_position(drive->storage, TASK_ID + index,
                                (TopicPartition){SOURCE_ID, index});
    task->drive = drive;
    task->next = next < 0 ? 0 : next;
    task->sum = strtoll(text, NULL, 10);
    printf("task %u begins at %" PRId64 " with %" PRId64 "\n", index, task->next, task->sum);
    if (!drive->config->at_least_once && task->sum != task->next * (task->next - 1) / 2) {
        printf("WRONG: position and store do not agree\n");
        exit(1);
    }
}

static void make_topics(Drive *drive, const char *service) {
    LogTopic topic;
    char name[200];
    Err err;
    if (log_topic_get(drive->storage, OUT_ID, &topic))
        return;
    Commit *commit = commit_new(drive->storage, 0);
    TopicConfig compact = {.replicas = -1, .retention_ms = CONFIG_DEFAULT,
                           .retention_bytes = CONFIG_DEFAULT, .compact = true};
    TopicConfig keep = {.replicas = -1, .retention_ms = -1, .retention_bytes = CONFIG_DEFAULT};
    (void)snprintf(name, sizeof name, "%s-out", service);
    commit_topic_create(commit, OUT_ID, name, drive->tasks);
    commit_topic_config(commit, OUT_ID, &keep);
    (void)snprintf(name, sizeof name, "%s-source", service);
    commit_topic_create(commit, SOURCE_ID, name, drive->tasks);
    (void)snprintf(name, sizeof name, "%s-changelog", service);
    commit_topic_create(commit, CHANGELOG_ID, name, drive->tasks);
    commit_topic_config(commit, CHANGELOG_ID, &compact);
    commit_catalog_put(commit, bytes_of("query"), bytes_of("drive"));
    commit_statement(commit, bytes_of("CREATE STREAM DRIVE"));
    check(commit_wait(commit, NULL, &err), &err, "topics");
}

static void start(Drive *drive, const char *folder, const char *service) {
    StorageOptions options = {.durability = DURABILITY_OS, .threads = true};
    uint32_t slots[TASKS_MAX];
    Err err;
    check(storage_open(io_posix(), folder, &options, &drive->storage, &err), &err, "storage");
    check(kafka_cluster_open(drive->config, drive->storage, &drive->cluster, &err), &err,
          "cluster");
    kafka_cluster_on_end(drive->cluster, on_end, drive);
    storage_attach(drive->storage, drive->cluster);
    make_topics(drive, service);
    for (uint32_t i = 0; i < drive->tasks; i++) {
        ClusterStore store = {STORE_ID + i, {CHANGELOG_ID, i}, i};
        slots[i] = i;
        drive->cluster->ops->store_open(drive->cluster, &store);
    }
    drive->cluster->ops->query(drive->cluster, TASK_ID, drive->tasks, "CTAS_DRIVE_1");
    check(drive->cluster->ops->take(drive->cluster, slots, drive->tasks, &err), &err, "take");
    for (uint32_t i = 0; i < drive->tasks; i++)
        load(drive, i);
}

/* false: all is done. */
static bool step_all(Drive *drive) {
    bool more = false;
    for (uint32_t i = 0; i < drive->tasks; i++) {
        struct Task *task = &drive->task[i];
        lock_take(&drive->lock);
        bool wanted = !task->in_flight && task->next < drive->count && !task->failed;
        more = more || task->in_flight || (task->next < drive->count && !task->failed);
        lock_release(&drive->lock);
        if (wanted)
            step(drive, i);
    }
    return more;
}

int main(int argc, char **argv) {
    static Drive drive;
    Err err;
    if (argc < 5) {
        fprintf(stderr, "usage: drive_kafka_slots BOOTSTRAP DIR SERVICE COUNT [SLOTS [ALO]]\n");
        return 2;
    }
    KafkaConfigSource source = {.bootstrap = argv[1]};
    setvbuf(stdout, NULL, _IOLBF, 0);
    check(kafka_config_load(&source, &drive.config, &err), &err, "config");
    mem_free(drive.config->service_id);
    drive.config->service_id = mem_strdup(argv[3]);
    drive.config->at_least_once = argc > 6;
    drive.tasks = argc > 5 ? (uint32_t)strtoul(argv[5], NULL, 10) : 2;
    drive.count = strtoll(argv[4], NULL, 10);
    assert(drive.tasks <= TASKS_MAX);
    lock_init(&drive.lock);
    signal_init(&drive.changed);
    start(&drive, argv[2], argv[3]);
    while (step_all(&drive)) {
        lock_take(&drive.lock);
        (void)signal_wait_for(&drive.changed, &drive.lock, 5000);
        lock_release(&drive.lock);
    }
    for (uint32_t i = 0; i < drive.tasks; i++)
        printf("done %u %" PRId64 " %" PRId64 "\n", i, drive.task[i].next, drive.task[i].sum);
    kafka_cluster_stop(drive.cluster);
    storage_attach(drive.storage, NULL);
    storage_close(drive.storage);
    kafka_cluster_close(drive.cluster);
    kafka_config_free(drive.config);
    return 0;
}
