/*
 * testkit.c - see testkit.h.
 *
 * A conformance kit keeps the order in which records were appended (`arrivals`), because a query of
 * a case reads the records of all its inputs in exactly that order.
 */
#include "engine/testkit_impl.h"

#include "base/io_mem.h"
#include "base/io_still.h"
#include "base/mem.h"
#include "storage/log.h"
#include "udf/function.h"

static ErrCode testkit_open(Testkit *kit, Err *err) {
    if (kit->options.conformance)
        function_enable_testing();
    EngineOptions options = {.step_rows = kit->options.step_rows,
                             .single_partition = kit->options.conformance,
                             .manual_queries = kit->options.conformance,
                             .cluster = testkit_kafka_cluster(kit->kafka)};
    const char *folder = kit->options.folder ? kit->options.folder : "/test";
    TRY(engine_open(kit->io, folder, &options, &kit->weir, err));
    kit->weir->kit = kit;
    if (!kit->options.consolidate)
        TRY(engine_set(kit->weir, "cache.max.bytes.buffering", "0", err));
    if (kit->options.conformance) {
        TRY(engine_set(kit->weir, "weir.extensions", "false", err));
        TRY(engine_set(kit->weir, "emit.final", "ksqldb", err));
        TRY(engine_set(kit->weir, "weir.topics.auto", "true", err));
        TRY(engine_set(kit->weir, "ksql.query.push.v2.enabled", "true", err));
        TRY(engine_set(kit->weir, "weir.topics.partitions", "4", err));
    }
    return engine_set(kit->weir, "weir.table.first", kit->options.conformance ? "false" : "true",
                      err);
}

ErrCode testkit_new(const TestkitOptions *options, Testkit **kit, Err *err) {
    Testkit *made = mem_alloc(sizeof *made);
    made->options = *options;
    made->io = options->folder ? io_still_new(io_posix(), 0) : io_mem_new();
    testkit_set_clock(made, 0);
    ErrCode code;
    if (options->kafka)
        TRY_DONE(testkit_kafka_new(options, &made->kafka, err));
    TRY_DONE(testkit_open(made, err));
done:
    if (code != ERR_OK)
        testkit_free(made);
    else
        *kit = made;
    return code;
}

void testkit_free(Testkit *kit) {
    if (!kit)
        return;
    weir_close(kit->weir);
    testkit_kafka_free(kit->kafka);
    if (kit->options.folder)
        io_still_free(kit->io);
    else
        io_mem_free(kit->io);
    mem_free(kit->arrivals);
    for (size_t i = 0; i < kit->cursor_count; i++)
        mem_free(kit->cursors[i].topic);
    mem_free(kit->cursors);
    mem_free(kit);
}

Weir *testkit_weir(Testkit *kit) {
    return kit->weir;
}

ErrCode testkit_restart(Testkit *kit, Err *err) {
    weir_close(kit->weir);
    kit->weir = NULL;
    return testkit_open(kit, err);
}

void testkit_set_clock(Testkit *kit, int64_t now_ms) {
    if (kit->options.folder)
        io_still_set_clock(kit->io, now_ms);
    else
        io_mem_set_clock(kit->io, now_ms);
}

ErrCode testkit_topic(Testkit *kit, const char *name, uint32_t partitions, Err *err) {
    LogTopic topic;
    Storage *storage = kit->weir->storage;
    if (log_topic_find(storage, name, &topic))
        return ERR_OK;
    Commit *commit = commit_new(storage, 0);
    commit_topic_create(commit, storage_new_id(storage), name, partitions);
    return commit_wait(commit, NULL, err);
}

ErrCode testkit_execute(Testkit *kit, const char *sql, uint32_t *failed, Err *err) {
    WeirScript script = {.sql = sql};
    WeirResult *result;
    bool done = false;
    while (!done) {
        ErrCode code = engine_execute_next(kit->weir, &script, &result, &done, err);
        if (failed)
            *failed = script.executed;
        TRY(code);
        weir_result_free(result);
    }
    return ERR_OK;
}

ErrCode testkit_run(Testkit *kit, Err *err) {
    return engine_pump(kit->weir, err);
}

bool testkit_row_errors(Testkit *kit, const char *query_id, uint64_t *count) {
    const CatalogQuery *query = catalog_query(&kit->weir->catalog, query_id);
    if (!query || !query->running)
        return false;
    QueryFigures figures;
    query_figures(query->running, &figures);
    *count = figures.row_errors;
    return true;
}

uint32_t *testkit_unread(Testkit *kit, const char *topic) {
    for (size_t i = 0; i < kit->cursor_count; i++)
        if (strcmp(kit->cursors[i].topic, topic) == 0)
            return &kit->cursors[i].next;
    kit->cursors =
        mem_grow(kit->cursors, &kit->cursor_capacity, kit->cursor_count + 1, sizeof *kit->cursors);
    TestkitCursor *cursor = &kit->cursors[kit->cursor_count++];
    *cursor = (TestkitCursor){mem_strdup(topic), 0};
    return &cursor->next;
}

const char *testkit_looked_at(const Testkit *kit, size_t index) {
    return index < kit->cursor_count ? kit->cursors[index].topic : NULL;
}
