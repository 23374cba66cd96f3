/*
 * describe_query.c - what DESCRIBE says of queries, and of the records that flow through a source's
 * topic.
 *
 * Counts are since the start of the queries: a restart begins anew.
 */
#include "data/time_text.h"
#include "engine/cause.h"
#include "engine/result_impl.h"

static void describe_errors(WeirResult *result, CatalogQuery *query) {
    RowError errors[ROW_ERRORS_KEPT];
    uint32_t count = query_last_errors(query->running, errors);
    for (uint32_t i = 0; i < count; i++) {
        result_cell_printf(result, "Error of %s", query->id);
        result_cell_printf(result, "%s at %s[%d] offset %lld: %s", errors[i].kind, errors[i].topic,
                           errors[i].partition, (long long)errors[i].offset, errors[i].text);
    }
}

static void describe_figures(WeirResult *result, CatalogQuery *query, const QueryFigures *figures) {
    result_cell_printf(result, "Rows of %s", query->id);
    result_cell_printf(result, "in %llu, out %llu, errors %llu, late %llu, lag %lld, %llu/s",
                       (unsigned long long)figures->rows_in, (unsigned long long)figures->rows_out,
                       (unsigned long long)figures->row_errors,
                       (unsigned long long)figures->late_rows, (long long)figures->lag,
                       (unsigned long long)figures->rate);
    result_cell_printf(result, "State of %s", query->id);
    result_cell_printf(result, "%llu rows, %llu bytes, commits %llu",
                       (unsigned long long)figures->state_rows,
                       (unsigned long long)figures->state_bytes,
                       (unsigned long long)figures->commits);
}

static void describe_causes(Call *call, const CatalogQuery *query) {
    Buf text = {0};
    if (cause_put(&text, &call->weir->catalog, query, false)) {
        result_cell_printf(call->result, "Warnings of %s", query->id);
        result_cell(call->result, buf_cstr(&text));
    }
    buf_free(&text);
}

void engine_describe_query(Call *call, CatalogQuery *query, const char *what) {
    WeirResult *result = call->result;
    QueryFigures figures = {0};
    if (query->running)
        query_figures(query->running, &figures);
    Buf reason = {0};
    show_query_reason(&reason, call->weir, query, &figures);
    result_cell_printf(result, "%s %s", what, query->id);
    result_cell_printf(result, "%s%s%s", show_query_state(query, &figures),
                       reason.size > 0 ? ": " : "", buf_cstr(&reason));
    buf_free(&reason);
    if (!query->running)
        return;
    describe_figures(result, query, &figures);
    describe_causes(call, query);
    if (figures.row_errors > 0)
        describe_errors(result, query);
}

/* -- One query --------------------------------------------------------------------------------- */

static void describe_names(WeirResult *result, const CatalogQuery *query) {
    Buf names = {0};
    for (uint32_t i = 0; i < query->read_count; i++)
        buf_printf(&names, "%s%s", i > 0 ? ", " : "", query->reads[i]);
    result_cell(result, "Sources");
    result_cell(result, buf_cstr(&names));
    result_cell(result, "Sink");
    result_cell(result, query->plan->sink_source);
    buf_free(&names);
}

void engine_describe_running(Call *call, CatalogQuery *query) {
    static const char *const columns[] = {"Property", "Value"};
    WeirResult *result = call->result;
    result_columns(result, columns, 2);
    engine_describe_query(call, query, "Status of");
    describe_names(result, query);
    result_cell(result, "Statement");
    result_cell(result, query->plan->statement);
    result_done(result);
}

/* -- Records of a topic ------------------------------------------------------------------------ */

/* The newest record's time; -1: there is none. */
static int64_t describe_last_ms(Storage *storage, TopicPartition where) {
    int64_t start, end, last_ms = -1;
    LogBlock *block = NULL;
    RecordBatchInfo info;
    Err ignored;
    if (storage_cluster(storage)) /* not worth another place to read from */
        return -1;
    if (log_offsets(storage, where, &start, &end, &ignored) != ERR_OK || end <= start ||
        log_fetch(storage, where, end - 1, 1, &block, &ignored) != ERR_OK || !block)
        return -1;
    for (Bytes left = log_block_bytes(block);
         left.size > 0 && record_batch_check(left, &info, &ignored) == ERR_OK;
         left = (Bytes){left.data + info.size, left.size - info.size})
        last_ms = info.max_timestamp > last_ms ? info.max_timestamp : last_ms;
    log_block_unref(block);
    return last_ms;
}

static void describe_messages(Call *call, const LogTopic *topic) {
    int64_t records = 0, last_ms = -1;
    for (uint32_t p = 0; p < topic->partition_count; p++) {
        int64_t start, end;
        Err ignored;
        TopicPartition where = {topic->id, p};
        if (log_offsets_now(call->weir->storage, where, &start, &end, &ignored) == ERR_OK)
            records += end - start;
        int64_t time_ms = describe_last_ms(call->weir->storage, where);
        last_ms = time_ms > last_ms ? time_ms : last_ms;
    }
    Buf text = {0};
    buf_printf(&text, "%lld", (long long)records);
    if (last_ms >= 0) {
        buf_text(&text, ", the last of ");
        time_print_timestamp(&text, last_ms);
    }
    result_cell(call->result, "Messages");
    result_cell(call->result, buf_cstr(&text));
    buf_free(&text);
}

typedef struct Traffic {
    uint32_t queries;
    uint64_t rows, rate, failed;
} Traffic;

static void traffic_add(Traffic *traffic, const OpFigures *op, bool reads) {
    traffic->queries++;
    traffic->rows += op->rows_out + (reads ? op->row_errors : 0);
    traffic->failed += op->row_errors;
    traffic->rate += op->rate;
}

static void traffic_of_query(const CatalogQuery *query, const char *topic, Traffic *produced,
                             Traffic *consumed) {
    Arena *arena = arena_new("traffic", 0);
    OpFigures *ops = arena_array(arena, query->plan->node_count, sizeof *ops);
    query_op_figures(query->running, ops);
    for (uint32_t i = 0; i < query->plan->node_count; i++) {
        const PlanNode *node = query->plan->nodes[i];
        bool reads = node->kind == PLAN_SOURCE;
        if ((reads || node->kind == PLAN_SINK) && strcmp(node->topic->topic, topic) == 0)
            traffic_add(reads ? consumed : produced, &ops[i], reads);
    }
    arena_free(arena);
}

static void describe_traffic(WeirResult *result, const char *what, const Traffic *traffic) {
    if (traffic->queries == 0)
        return;
    result_cell(result, what);
    result_cell_printf(result, "%llu messages, %llu/s, %llu failed",
                       (unsigned long long)traffic->rows, (unsigned long long)traffic->rate,
                       (unsigned long long)traffic->failed);
}

void engine_describe_traffic(Call *call, const Source *source) {
    const Catalog *catalog = &call->weir->catalog;
    LogTopic topic;
    Traffic produced = {0}, consumed = {0};
    if (!log_topic_find(call->weir->storage, source->topic.topic, &topic))
        return;
    describe_messages(call, &topic);
    for (size_t i = 0; i < catalog->query_count; i++)
        if (catalog->queries[i]->running)
            traffic_of_query(catalog->queries[i], source->topic.topic, &produced, &consumed);
    describe_traffic(call->result, "Produced by queries", &produced);
    describe_traffic(call->result, "Consumed by queries", &consumed);
}
