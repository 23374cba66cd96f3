/*
 * test_weir_cluster.c - the engine over a cluster in memory: statements, queries, what comes back
 * after a restart with and without the folder, and what happens when commits are refused.
 */
#include "engine/engine_impl.h"
#include "runtime/worker.h"
#include "tests/unit/fake_cluster.h"

typedef struct Bed {
    Io *io;
    FakeCluster *fake;
    EngineCluster how;
    uint32_t workers;
    Weir *weir;
} Bed;

static ErrCode bed_open_cluster(void *context, Storage *storage, Cluster **cluster, Err *err) {
    Bed *bed = context;
    (void)err;
    fake_open(bed->fake, storage);
    *cluster = &bed->fake->base;
    return ERR_OK;
}

static void bed_stop_cluster(void *context, Cluster *cluster) {
    Bed *bed = context;
    if (bed->workers > 0)
        fake_stop(bed->fake);
    fake_pump(cluster);
}

static void bed_open(Bed *bed) {
    bed->how = (EngineCluster){.open = bed_open_cluster, .stop = bed_stop_cluster, .context = bed,
                               .service_id = "svc_"};
    EngineOptions options = {.workers = bed->workers, .cluster = &bed->how};
    CHECK_OK(engine_open(bed->io, "data", &options, &bed->weir, err));
    if (bed->workers > 0)
        fake_start(bed->fake);
}

static Bed *bed_new(uint32_t workers) {
    Bed *bed = mem_alloc(sizeof *bed);
    bed->io = io_mem_new();
    bed->fake = fake_new();
    bed->workers = workers;
    return bed;
}

static void bed_close(Bed *bed) {
    weir_close(bed->weir);
    bed->weir = NULL;
}

static void bed_lose_folder(Bed *bed) {
    io_mem_free(bed->io);
    bed->io = io_mem_new();
}

static void bed_free(Bed *bed) {
    fake_free(bed->fake);
    io_mem_free(bed->io);
    mem_free(bed);
}

static WeirResult *run(Bed *bed, const char *sql) {
    WeirResult *result;
    WeirError error;
    if (weir_execute(bed->weir, sql, &result, &error) != WEIR_OK)
        fail_msg("%s: %s: %s", sql, error.code, error.message);
    return result;
}

static void done(Bed *bed, const char *sql) {
    weir_result_free(run(bed, sql));
}

static void assert_fails(Bed *bed, const char *sql, const char *code) {
    WeirError error;
    assert_int_equal(weir_execute(bed->weir, sql, NULL, &error), WEIR_FAILED);
    assert_string_equal(error.code, code);
}

static void assert_rows(Bed *bed, const char *sql, const char *want) {
    char text[8192] = "";
    size_t used = 0;
    WeirResult *result = run(bed, sql);
    WeirError error;
    while (weir_next(result, 5000, &error) == WEIR_ROW)
        for (uint32_t i = 0; i < weir_column_count(result); i++) {
            const char *cell = weir_text(result, i);
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", cell ? cell : "NULL",
                                     i + 1 < weir_column_count(result) ? "|" : ";");
            assert_true(used < sizeof text);
        }
    weir_result_free(result);
    assert_string_equal(text, want);
}

#define SCORES                                                                          \
    "CREATE STREAM scores (player STRING KEY, team STRING, points INT) WITH "           \
    "(KAFKA_TOPIC='scores', PARTITIONS=3, REPLICAS=2, VALUE_FORMAT='JSON', RETENTION_MS=5000);"
#define TOTALS                                                                          \
    "CREATE TABLE totals AS SELECT team, SUM(points) AS total, COUNT(*) AS games "      \
    "FROM scores GROUP BY team;"

static void insert(Bed *bed, int from, int to) {
    for (int i = from; i < to; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "INSERT INTO scores (player, team, points) VALUES ('p%d', 't%d', "
                 "%d);", i % 7, i % 3, i);
        done(bed, sql);
    }
}

static int64_t records_of(Bed *bed, const char *topic) {
    FakeTopic *found = fake_topic(bed->fake, topic);
    assert_non_null(found);
    int64_t records = 0;
    for (uint32_t p = 0; p < found->partition_count; p++)
        for (size_t i = 0; i < found->partitions[p].count; i++) {
            RecordBatchInfo info;
            CHECK_OK(record_batch_check(log_block_bytes(found->partitions[p].blocks[i]), &info,
                                        err));
            records += info.count;
        }
    return records;
}

static void tables_come_back(uint32_t workers, bool lazy) {
    Bed *bed = bed_new(workers);
    bed->fake->lazy = lazy;
    bed_open(bed);
    done(bed, SCORES TOTALS);
    insert(bed, 0, 30);
    assert_rows(bed, "SELECT * FROM totals;", "t0|135|10;t1|145|10;t2|155|10;");
    for (int round = 0; round < 4; round++) {
        bed_close(bed);
        if (round % 2 == 1)
            bed_lose_folder(bed);
        bed_open(bed);
        assert_rows(bed, "SELECT * FROM totals;",
                    round < 2 ? "t0|135|10;t1|145|10;t2|155|10;"
                              : "t0|168|11;t1|179|11;t2|155|10;");
        if (round == 1)
            insert(bed, 33, 35);
        assert_rows(bed, "SELECT total FROM totals WHERE team = 't0';",
                    round < 1 ? "135;" : "168;");
    }
    assert_true(bed->fake->transactions > 0);
    bed_close(bed);
    bed_free(bed);
}

static void tables_come_back_by_hand(void **state) {
    (void)state;
    tables_come_back(0, false);
}

static void tables_come_back_with_threads(void **state) {
    (void)state;
    tables_come_back(3, false);
}

static void tables_come_back_lazily(void **state) {
    (void)state;
    tables_come_back(0, true);
    tables_come_back(2, true);
}

static void topics_are_made_as_said(void **state) {
    (void)state;
    Bed *bed = bed_new(0);
    bed_open(bed);
    done(bed, SCORES);
    FakeTopic *topic = fake_topic(bed->fake, "scores");
    assert_int_equal(topic->partition_count, 3);
    assert_true(topic->has_config);
    assert_int_equal(topic->config.replicas, 2);
    assert_int_equal(topic->config.retention_ms, 5000);
    assert_false(topic->config.compact);
    assert_true(strstr(buf_cstr(&bed->fake->statement), "CREATE STREAM scores") != NULL);
    done(bed, TOTALS);
    assert_string_equal(buf_cstr(&bed->fake->statement), TOTALS);
    topic = fake_topic(bed->fake, "TOTALS");
    assert_true(topic->config.compact && !topic->config.expires);
    topic = fake_topic(bed->fake, "_confluent-ksql-svc_query_CTAS_TOTALS_0-Aggregate-GroupBy-"
                                  "repartition");
    assert_non_null(topic);
    assert_int_equal(topic->config.retention_ms, -1);
    topic = fake_topic(bed->fake, "_confluent-ksql-svc_query_CTAS_TOTALS_0-Aggregate-Aggregate-"
                                  "Materialize-changelog");
    assert_non_null(topic);
    assert_int_equal(topic->partition_count, 3);
    assert_true(topic->config.compact);
    done(bed, "CREATE TABLE hourly AS SELECT team, COUNT(*) AS n FROM scores WINDOW TUMBLING "
              "(SIZE 1 HOUR, RETENTION 30 DAYS, GRACE PERIOD 1 DAYS) GROUP BY team;");
    topic = fake_topic(bed->fake, "HOURLY");
    assert_true(topic->config.expires && !topic->config.compact);
    size_t before = bed->fake->topic_count;
    done(bed, "DROP TABLE hourly DELETE TOPIC; TERMINATE CTAS_TOTALS_0;");
    assert_int_equal(bed->fake->topic_count, before - 5);
    assert_null(fake_topic(bed->fake, "HOURLY"));
    assert_rows(bed, "SHOW TOPICS;", "TOTALS|3|NULL;scores|3|NULL;");
    bed_close(bed);
    bed_free(bed);
}

static void topics_of_others_are_taken_over(void **state) {
    (void)state;
    Bed *bed = bed_new(0);
    FakeTopic *theirs = fake_make_topic(bed->fake, "theirs", 1);
    RecordBatch batch = {0};
    record_batch_add(&batch, &(LogRecord){.timestamp = 7, .value = bytes_of("{\"A\":5}")});
    record_batch_seal(&batch);
    fake_append(theirs, 0, buf_view(&batch.buf));
    record_batch_free(&batch);
    bed_open(bed);
    assert_rows(bed, "SHOW TOPICS;", "theirs|1|NULL;");
    WeirResult *result = run(bed, "PRINT 'theirs' FROM BEGINNING LIMIT 1;");
    WeirError error;
    assert_int_equal(weir_next(result, 5000, &error), WEIR_ROW);
    weir_result_free(result);
    done(bed, "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='theirs', VALUE_FORMAT='JSON');");
    done(bed, "CREATE STREAM t AS SELECT a + 1 AS b FROM s;");
    assert_rows(bed, "SELECT b FROM t;", "6;");
    assert_int_equal(fake_topic(bed->fake, "T")->partition_count, 1);
    bed_close(bed);
    bed_lose_folder(bed);
    bed_open(bed);
    done(bed, "INSERT INTO s (a) VALUES (7);");
    assert_rows(bed, "SELECT b FROM t;", "6;8;");
    assert_int_equal(records_of(bed, "T"), 2);
    LogTopic topic; /* what nobody here uses is not the service's any more, and stays */
    assert_true(log_topic_find(bed->fake->storage, "theirs", &topic));
    assert_false(log_topic_is_borrowed(&topic));
    done(bed, "DROP STREAM t; DROP STREAM s;");
    assert_true(log_topic_find(bed->fake->storage, "theirs", &topic));
    assert_true(log_topic_is_borrowed(&topic));
    assert_int_equal(fake_topic(bed->fake, "theirs")->partition_count, 1);
    fake_remove_topic(bed->fake, "theirs"); /* others make it anew, larger */
    fake_make_topic(bed->fake, "theirs", 3);
    done(bed, "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='theirs', VALUE_FORMAT='JSON');");
    assert_true(log_topic_find(bed->fake->storage, "theirs", &topic));
    assert_int_equal(topic.partition_count, 3);
    bed_close(bed);
    bed_free(bed);
}

static void refused_commits_are_tried_again(void **state) {
    (void)state;
    Bed *bed = bed_new(0);
    io_mem_set_clock(bed->io, 1000000);
    bed_open(bed);
    done(bed, "SET 'ksql.query.retry.backoff.initial.ms'='1';" SCORES TOTALS);
    insert(bed, 0, 5);
    assert_rows(bed, "SELECT * FROM totals;", "t0|3|2;t1|5|2;t2|2|1;");
    insert(bed, 5, 8);
    err_report(&bed->fake->refusal, ERR_TIMEOUT, 0, 0, "the broker is away");
    CHECK_OK(engine_pump(bed->weir, err));
    assert_true(bed->fake->aborted > 0);
    WeirResult *result = run(bed, "DESCRIBE totals EXTENDED;");
    weir_result_free(result);
    bed->fake->refusal.code = ERR_OK;
    io_mem_advance_clock(bed->io, 60000000);
    CHECK_OK(engine_pump(bed->weir, err)); /* what is tried again has more to come behind it */
    CHECK_OK(engine_pump(bed->weir, err));
    assert_rows(bed, "SELECT * FROM totals;", "t0|9|3;t1|12|3;t2|7|2;");
    err_report(&bed->fake->fetch_error, ERR_TIMEOUT, 0, 0, "the broker is away");
    CHECK_OK(engine_pump(bed->weir, err));
    assert_rows(bed, "SELECT * FROM totals;", "t0|9|3;t1|12|3;t2|7|2;"); /* as committed */
    bed->fake->fetch_error.code = ERR_OK;
    io_mem_advance_clock(bed->io, 60000000);
    insert(bed, 8, 9);
    assert_rows(bed, "SELECT * FROM totals;", "t0|9|3;t1|12|3;t2|15|3;");
    int64_t records = records_of(bed, "TOTALS");
    assert_true(records >= 3 && records <= 9);
    bed_close(bed);
    bed_free(bed);
}

/* A try that was due is in a commit that has no answer: the worker has nothing to do meanwhile. */
static void commits_without_answer_are_waited_for(void **state) {
    (void)state;
    Bed *bed = bed_new(0);
    io_mem_set_clock(bed->io, 1000000);
    bed_open(bed);
    done(bed, SCORES TOTALS);
    insert(bed, 0, 5);
    err_report(&bed->fake->refusal, ERR_TIMEOUT, 0, 0, "the broker is away");
    bed->fake->refusals = 1;
    CHECK_OK(engine_pump(bed->weir, err));
    assert_true(bed->fake->aborted > 0);
    bed->fake->held = true;
    io_mem_advance_clock(bed->io, 60000000);
    Worker *worker = &bed->weir->runtime->workers[0];
    bool worked = true;
    int64_t due_us;
    for (int i = 0; i < 100 && worked; i++)
        worker_turn(worker, &worked, &due_us);
    assert_false(worked);
    assert_int_equal(bed->fake->waiting_count, 1);
    assert_true(due_us > bed->io->ops->mono_us(bed->io));
    bed->fake->held = false;
    assert_rows(bed, "SELECT * FROM totals;", "t0|3|2;t1|5|2;t2|2|1;");
    bed_close(bed);
    bed_free(bed);
}

static void conflicts_are_planned_again(void **state) {
    (void)state;
    Bed *bed = bed_new(0);
    bed_open(bed);
    err_report(&bed->fake->refusal, ERR_CONFLICT, 0, 0, "another was first");
    assert_fails(bed, SCORES, "conflict");
    bed->fake->refusal.code = ERR_OK;
    done(bed, SCORES TOTALS);
    assert_rows(bed, "SHOW STREAMS;", "SCORES|scores|KAFKA|JSON|false;");
    bed_close(bed);
    bed_free(bed);
}

/* What another process did first is here too, and the statement goes on from there. */
static void what_others_changed_is_taken_over(void **state) {
    (void)state;
    Bed *other = bed_new(0), *bed = bed_new(0);
    bed_open(other);
    bed_open(bed);
    done(other, SCORES TOTALS);
    done(bed, SCORES "CREATE STREAM plain AS SELECT * FROM scores;");
    bed_close(bed); /* the same service, but its second command is the other's */
    bed_lose_folder(bed);
    buf_reset(&bed->fake->kept[1]);
    buf_bytes(&bed->fake->kept[1], buf_view(&other->fake->kept[1]));
    static const char *const names[] = {
        "TOTALS", "_confluent-ksql-svc_query_CTAS_TOTALS_0-Aggregate-GroupBy-repartition",
        "_confluent-ksql-svc_query_CTAS_TOTALS_0-Aggregate-Aggregate-Materialize-changelog"};
    for (size_t i = 0; i < 3; i++)
        fake_make_topic(bed->fake, names[i], 3);
    size_t kept = bed->fake->kept_count;
    bed->fake->kept_count = 1; /* this one has not seen it yet */
    bed_open(bed);
    bed->fake->kept_count = kept;
    fake_restore(bed->fake); /* and now its folder has */
    assert_rows(bed, "SHOW TABLES;", "");
    bed->fake->refusals = 1;
    err_report(&bed->fake->refusal, ERR_CONFLICT, 0, 0, "another was first");
    done(bed, "CREATE STREAM more (a INT) WITH (KAFKA_TOPIC='more', PARTITIONS=1, "
              "VALUE_FORMAT='JSON');");
    assert_rows(bed, "SHOW STREAMS;", "MORE|more|NONE|JSON|false;SCORES|scores|KAFKA|JSON|false;");
    insert(bed, 0, 4);
    assert_rows(bed, "SELECT * FROM totals;", "t0|3|2;t1|1|1;t2|2|1;");
    bed->fake->refusals = 1;
    err_report(&bed->fake->refusal, ERR_CONFLICT, 0, 0, "another was first");
    done(bed, "CREATE STREAM again (a INT) WITH (KAFKA_TOPIC='more', VALUE_FORMAT='JSON');");
    insert(bed, 4, 5); /* a query that is the same goes on */
    assert_rows(bed, "SELECT * FROM totals;", "t0|3|2;t1|5|2;t2|2|1;");
    bed_close(bed);
    bed_close(other);
    bed_free(bed);
    bed_free(other);
}

static void a_fenced_process_is_over(void **state) {
    (void)state;
    Bed *bed = bed_new(2);
    bed_open(bed);
    done(bed, SCORES TOTALS);
    WeirError error;
    assert_int_equal(weir_state(bed->weir, &error), WEIR_OK);
    Err cause;
    err_report(&cause, ERR_FENCED, 0, 0, "a newer process runs");
    storage_end(bed->fake->storage, &cause);
    assert_int_equal(weir_state(bed->weir, &error), WEIR_FAILED);
    assert_string_equal(error.code, "fenced");
    assert_fails(bed, "SHOW QUERIES;", "fenced");
    bed_close(bed);
    bed_free(bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_come_back_by_hand),
        cmocka_unit_test(tables_come_back_with_threads),
        cmocka_unit_test(tables_come_back_lazily),
        cmocka_unit_test(topics_are_made_as_said),
        cmocka_unit_test(topics_of_others_are_taken_over),
        cmocka_unit_test(refused_commits_are_tried_again),
        cmocka_unit_test(commits_without_answer_are_waited_for),
        cmocka_unit_test(conflicts_are_planned_again),
        cmocka_unit_test(what_others_changed_is_taken_over),
        cmocka_unit_test(a_fenced_process_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
