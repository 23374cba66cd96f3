/*
 * testkit_queries.c - a conformance kit's queries: one after the other, each over the appended
 * records of its topics.
 *
 * A kit in a folder may die in the middle. One that goes on with the folder skips the records that
 * are before a query's positions, which its state and its outputs already have.
 */
#include "base/io_still.h"
#include "base/mem.h"
#include "engine/testkit_impl.h"
#include "runtime/ids.h"
#include "storage/log.h"

static bool testkit_reads(const Plan *plan, Storage *storage, uint32_t topic_id) {
    for (uint32_t i = 0; i < plan->node_count; i++) {
        LogTopic topic;
        const PlanNode *node = plan->nodes[i];
        if (node->kind == PLAN_SOURCE && log_topic_find(storage, node->topic->topic, &topic) &&
            topic.id == topic_id)
            return true;
    }
    return false;
}

/* What the query is to be given, from what it was not given yet; `items` has room for all arrivals.
 * Conformance kits run each query as one task, so what it was given is a beginning of it all. */
static QueryScript testkit_script(const Testkit *kit, const CatalogQuery *query,
                                  QueryScriptItem *items) {
    Storage *storage = kit->weir->storage;
    uint32_t task = ids_task(query->first_id, query->partitions, 0, 0);
    QueryScript script = {.items = items};
    for (size_t i = 0; i < kit->arrival_count; i++) {
        const QueryScriptItem *item = &kit->arrivals[i];
        if (!testkit_reads(query->plan, storage, item->topic_id))
            continue;
        int64_t position = log_position(storage, task, (TopicPartition){item->topic_id, 0});
        script.from += item->offset < position;
        items[script.count++] = *item;
    }
    script.to = script.count;
    return script;
}

const QueryScriptItem *testkit_arrivals(const Testkit *kit, size_t *count) {
    *count = kit->arrival_count;
    return kit->arrivals;
}

void testkit_set_arrivals(Testkit *kit, const QueryScriptItem *items, size_t count) {
    assert(kit->arrival_count == 0);
    kit->arrivals = mem_grow(kit->arrivals, &kit->arrival_capacity, count + 1, sizeof *items);
    if (count > 0)
        memcpy(kit->arrivals, items, count * sizeof *items);
    kit->arrival_count = count;
}

uint64_t testkit_item_count(const Testkit *kit) {
    QueryScriptItem *items = mem_array(kit->arrival_count + 1, sizeof *items);
    uint64_t count = 0;
    for (size_t i = 0; i < kit->weir->catalog.query_count; i++)
        count += testkit_script(kit, kit->weir->catalog.queries[i], items).count;
    mem_free(items);
    return count;
}

void testkit_die(Testkit *kit, uint64_t items, uint64_t nth_change) {
    assert(kit->options.folder);
    kit->dies = true;
    kit->die_items = items;
    kit->die_change = nth_change;
}

/* The records before the kit dies are processed whole; then every change of a file counts. */
static ErrCode testkit_run_script(Testkit *kit, Query *query, QueryScript script, Err *err) {
    if (!kit->dies || kit->die_items > script.count) {
        kit->die_items -= kit->dies ? script.count : 0;
        return query_run_script_part(query, &script, err);
    }
    script.to = (uint32_t)kit->die_items;
    TRY(query_run_script_part(query, &script, err));
    io_still_die_at(kit->io, kit->die_change);
    kit->die_items = UINT64_MAX; /* armed: the rest runs as far as it comes */
    script.from = script.to;
    script.to = script.count;
    return query_run_script_part(query, &script, err);
}

static ErrCode testkit_run_query(Testkit *kit, CatalogQuery *query, Err *err) {
    Weir *weir = kit->weir;
    QueryScriptItem *items = mem_array(kit->arrival_count + 1, sizeof *items);
    QueryScript script = testkit_script(kit, query, items);
    QueryOptions options = {.plan = query->plan,
                            .partitions = query->partitions,
                            .first_id = query->first_id,
                            .fail_on = query->fail_on,
                            .consolidate = query->consolidate,
                            .internal_topics = query->internal_topics};
    ErrCode code;
    TRY_DONE(query_start(weir->runtime, &options, &query->running, err));
    TRY_DONE(testkit_run_script(kit, query->running, script, err));
    /* It has read what it is to read: lookups take its state as it is. */
    query_pause(query->running, true);
    query->paused = true;
    if (kit->kafka)
        TRY_DONE(engine_pump(weir, err)); /* until the cluster has it */
    QueryFigures figures;
    query_figures(query->running, &figures);
    if (figures.state == QUERY_ERROR) {
        *err = figures.error;
        code = err->code;
    }
done:
    mem_free(items);
    return code;
}

/* Statements are executed at time 0; what runs then asks for the time of the day (UNIX_DATE), as
 * functions do under ksqlDB's own test driver. */
ErrCode testkit_run_queries(Testkit *kit, uint32_t *failed, Err *err) {
    assert(kit->options.conformance);
    Io *machine = io_posix();
    testkit_set_clock(kit, machine->ops->now_ms(machine));
    for (size_t i = 0; i < kit->weir->catalog.query_count; i++) {
        *failed = (uint32_t)i;
        TRY(testkit_run_query(kit, kit->weir->catalog.queries[i], err));
    }
    if (kit->dies)
        io_still_die_at(kit->io, 0);
    return ERR_OK;
}
