/*
 * progress.c - how far a push query is, in figures and in words, for whoever waits for its rows.
 */
#include <assert.h>

#include "engine/analyze_impl.h"
#include "engine/cause.h"
#include "engine/result_impl.h"

enum { TELL_US = 100000 };

bool engine_tells(const Weir *weir, bool over, int64_t *told_us) {
    if (!weir->options.progress)
        return false;
    int64_t now_us = weir->io->ops->mono_us(weir->io);
    if (!over && now_us - *told_us < TELL_US)
        return false;
    *told_us = now_us;
    return true;
}

void engine_tell(const Weir *weir, const WeirWork *work) {
    assert(weir->options.progress && work->what);
    weir->options.progress(weir->options.progress_context, work);
}

const char *weir_made_query(const WeirResult *result) {
    return result->push ? NULL : result->query_id;
}

static bool progress_figures(const WeirResult *result, QueryFigures *figures) {
    Weir *weir = result->weir;
    const char *made = weir_made_query(result);
    if (result->push && result->push->running)
        query_figures(result->push->running, figures);
    if (result->push || !made)
        return result->push && result->push->running;
    shared_lock_read(&weir->lock);
    const CatalogQuery *query = catalog_query(&weir->catalog, made);
    bool found = query && query->running;
    if (found)
        query_figures(query->running, figures);
    shared_lock_release(&weir->lock);
    return found && figures->state == QUERY_RUNNING;
}

bool weir_progress(const WeirResult *result, WeirProgress *progress) {
    if (result->print) {
        *progress = (WeirProgress){.rows_in = print_polled(result->print),
                                   .lag = print_lag(result->print)};
        return true;
    }
    QueryFigures figures;
    if (!progress_figures(result, &figures))
        return false;
    *progress = (WeirProgress){.rows_in = figures.rows_in,
                               .row_errors = figures.row_errors,
                               .late_rows = figures.late_rows,
                               .no_match = figures.no_match,
                               .lag = figures.lag,
                               .rate = figures.rate};
    return true;
}

bool weir_is_caught_up(WeirResult *result) {
    Err ignored;
    if (result->print)
        return print_lag(result->print) == 0;
    return result->push && result->push->running &&
           query_catch_up(result->push->running, 0, &ignored) == ERR_OK;
}

/* Records that a topic holds now. */
static uint64_t topic_records(const Weir *weir, const char *name, Arena *arena) {
    LogTopic *topics;
    uint32_t count;
    uint64_t records = 0;
    log_topics(weir->storage, arena, &topics, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(topics[i].name, name) != 0)
            continue;
        for (uint32_t p = 0; p < topics[i].partition_count; p++) {
            int64_t start, end;
            Err err;
            if (log_offsets(weir->storage, (TopicPartition){topics[i].id, p}, &start, &end,
                            &err) == ERR_OK)
                records += (uint64_t)(end - start);
        }
    }
    return records;
}

/* What the topics of the query's FROM hold; false: nothing at all. */
static bool hint_topics(const WeirResult *result, Buf *text) {
    const Plan *plan = result->push->plan;
    Arena *arena = arena_new("hint", 0);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const PlanNode *node = plan->nodes[i];
        if (node->kind != PLAN_SOURCE)
            continue;
        uint64_t records = topic_records(result->weir, node->topic->topic, arena);
        sum += records;
        if (records == 0)
            buf_printf(text, " Topic %s is empty.", node->topic->topic);
        else
            buf_printf(text, " Topic %s holds %llu record%s.", node->topic->topic,
                       (unsigned long long)records, records == 1 ? "" : "s");
    }
    arena_free(arena);
    return sum > 0;
}

static void hint_print(const WeirResult *result, Buf *text) {
    Arena *arena = arena_new("hint", 0);
    uint64_t records = topic_records(result->weir, print_topic(result->print), arena);
    buf_printf(text, "No records yet. Topic %s holds %llu.%s", print_topic(result->print),
               (unsigned long long)records,
               print_began_at_end(result->print) && records > 0
                   ? " PRINT ... FROM BEGINNING; shows them."
                   : "");
    arena_free(arena);
}

static void warnings_put(WeirResult *result, Buf *text, bool all) {
    Weir *weir = result->weir;
    shared_lock_read(&weir->lock);
    const CatalogQuery *query = result->analyze ? analyze_query(result) : result->push;
    if (query)
        (void)cause_put(text, &weir->catalog, query, all);
    shared_lock_release(&weir->lock);
}

const char *weir_warnings(WeirResult *result) {
    buf_reset(&result->text);
    warnings_put(result, &result->text, false);
    return buf_cstr(&result->text);
}

/* Where the rows went that were read. */
static void hint_causes(WeirResult *result, const WeirProgress *progress, Buf *text) {
    Buf causes = {0};
    warnings_put(result, &causes, true);
    buf_printf(text, " %llu read", (unsigned long long)progress->rows_in);
    if (progress->lag > 0)
        buf_printf(text, " so far, %lld to go", (long long)progress->lag);
    buf_printf(text, "%s%s.", causes.size > 0 ? ": " : ", none gave a row", buf_cstr(&causes));
    if (progress->late_rows > 0)
        buf_text(text, " A longer GRACE PERIOD of the window takes rows that come late.");
    buf_free(&causes);
}

const char *weir_hint(WeirResult *result) {
    WeirProgress progress;
    buf_reset(&result->text);
    if (result->print) {
        hint_print(result, &result->text);
        return buf_cstr(&result->text);
    }
    if (!weir_progress(result, &progress))
        return "";
    Buf *text = &result->text;
    buf_text(text, "No rows yet.");
    bool any = hint_topics(result, text);
    if (progress.rows_in > 0)
        hint_causes(result, &progress, text);
    else if (any && result->push->from_end)
        buf_text(text, " The query began at their ends: SET "
                       "'auto.offset.reset'='earliest'; reads what they hold.");
    return buf_cstr(text);
}
