/*
 * lookup_stream.c - a lookup's rows out of a topic: every record from the first one up to the ends
 * that the partitions had when the lookup began.
 *
 * Partition by partition, each in order of offset; the cursors are the lookup's own.
 */
#include <assert.h>

#include "runtime/lookup_impl.h"
#include "runtime/scan.h"
#include "runtime/view.h"
#include "runtime/worker.h"
#include "storage/cluster.h"

enum { RECORD_WAIT_US = 10000, RECORD_WAITS_MAX = 3000 };

/* Reports the bad records among the block's physical rows [first, to). */
static void report_errors(const Block *block, Batch *batch, uint32_t first, uint32_t to) {
    for (uint32_t i = 0; i < block->error_count; i++) {
        const BlockError *error = &block->errors[i];
        if (error->row >= first && error->row < to)
            batch_row_error(batch, error->row - first, error->kind, "%s", error->text);
    }
}

/* What is read of one partition. */
typedef struct StreamRange {
    TopicPartition where;
    int64_t start, end;
} StreamRange;

static void batch_facts(Batch *batch, const Block *block, uint32_t first) {
    assert(first < block->row_count);
    batch->rowtime = block->rowtime + first;
    batch->kind = block->kind + first;
    batch->offset = block->offset + first;
    batch->headers = block->headers ? block->headers + first : NULL;
    batch->window_start = block->window_start ? block->window_start + first : NULL;
    batch->window_end = block->window_start ? block->window_end + first : NULL;
}

/* The block's physical rows [first, to); those that are dropped, lie at or behind the end, or have
 * a null value are not selected. */
static Batch *make_batch(Lookup *lookup, const Cursor *cursor, const StreamRange *range,
                         uint32_t first, uint32_t to) {
    assert(first < to);
    Arena *arena = lookup->env.step_arena;
    const Block *block = cursor->block;
    const PlanNode *node = lookup->first_node;
    uint32_t count = to - first;
    Batch *batch = arena_alloc(arena, sizeof *batch);
    const Column **columns = arena_array(arena, node->schema->column_count, sizeof *columns);
    for (uint32_t i = 0; i < node->schema->column_count; i++)
        columns[i] = view_column(arena, block->columns[i], first, count);
    uint16_t *selected = arena_raw(arena, count * sizeof *selected);
    *batch = (Batch){.schema = node->schema, .columns = columns, .row_count = count,
                     .selected = selected, .partition = (int32_t)range->where.partition,
                     .topic = node->topic->topic, .arena = arena, .errors = &lookup->errors};
    batch->seq = arena_array(arena, count, sizeof *batch->seq);
    batch_facts(batch, block, first);
    for (uint32_t i = cursor->next; i < cursor->good_count && cursor->good[i] < to; i++) {
        uint32_t row = cursor->good[i];
        if (row >= first && block->offset[row] < range->end && block->kind[row] == ROW_VALUE)
            selected[batch->selected_count++] = (uint16_t)(row - first);
    }
    return batch;
}

/* The rows of the block that the cursor is in, from its row on. */
static ErrCode run_block(Lookup *lookup, Cursor *cursor, const StreamRange *range, Err *err) {
    const Block *block = cursor->block;
    assert(cursor->row < block->row_count);
    while (!lookup->enough && cursor->block && cursor->row < block->row_count) {
        uint32_t first = cursor->row, left = block->row_count - first;
        uint32_t to = first + (left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX);
        bool last = to == block->row_count;
        arena_reset(lookup->env.step_arena);
        Batch *batch = make_batch(lookup, cursor, range, first, to);
        report_errors(block, batch, first, to);
        TRY(lookup_run_batch(lookup, batch, err));
        cursor_take(cursor, to);
        if (last)
            return ERR_OK;
    }
    return ERR_OK;
}

/* Records of a cluster come when they come. */
static ErrCode wait_for_records(Lookup *lookup, uint32_t *waits, Err *err) {
    assert(lookup->runtime->storage);
    if (++*waits > RECORD_WAITS_MAX)
        return err_set(err, ERR_TIMEOUT, "no records of topic %s have come for %d s",
                       lookup->first_node->topic->topic,
                       RECORD_WAITS_MAX / (1000000 / RECORD_WAIT_US));
    storage_await(lookup->runtime->storage, RECORD_WAIT_US);
    return ERR_OK;
}

static ErrCode run_partition(Lookup *lookup, ScanSet *scans, const StreamRange *range, Err *err) {
    const PlanNode *node = lookup->first_node;
    Cursor cursor = {.offset = range->start, .lane = -1};
    ScanSpec spec = {.where = range->where, .topic = node->topic, .schema = node->schema,
                     .used = node->used, .is_table = node->is_table};
    ErrCode code;
    uint32_t waits = 0;
    assert(range->start <= range->end);
    TRY_DONE(cursor_open(&cursor, scans, &spec, err));
    while (cursor.offset < range->end && !lookup->enough) {
        TRY_DONE(cursor_load(&cursor, err));
        if (!cursor.block && storage_cluster(lookup->runtime->storage) &&
            cursor.offset < range->end) {
            TRY_DONE(wait_for_records(lookup, &waits, err));
            continue;
        }
        if (!cursor.block)
            break;
        waits = 0;
        TRY_DONE(run_block(lookup, &cursor, range, err));
    }
done:
    cursor_close(&cursor);
    return code;
}

/* The ends of all partitions are taken before the first is read. */
static ErrCode find_ranges(Lookup *lookup, StreamRange **ranges, uint32_t *count, Err *err) {
    Storage *storage = lookup->runtime->storage;
    LogTopic topic;
    assert(lookup->first_node->topic);
    if (!log_topic_find(storage, lookup->first_node->topic->topic, &topic))
        return err_set(err, ERR_NOT_FOUND, "topic %s is not there",
                       lookup->first_node->topic->topic);
    *count = topic.partition_count;
    *ranges = arena_array(lookup->arena, topic.partition_count, sizeof **ranges);
    for (uint32_t i = 0; i < topic.partition_count; i++) {
        StreamRange *range = &(*ranges)[i];
        range->where = (TopicPartition){topic.id, i};
        TRY(log_offsets_now(storage, range->where, &range->start, &range->end, err));
    }
    return ERR_OK;
}

ErrCode lookup_stream_run(Lookup *lookup, Err *err) {
    assert(lookup->first_node->kind == PLAN_SOURCE);
    StreamRange *ranges;
    uint32_t count;
    TRY(find_ranges(lookup, &ranges, &count, err));
    ScanSet *scans = scan_set_new(lookup->runtime->storage);
    ErrCode code = ERR_OK;
    for (uint32_t i = 0; i < count && code == ERR_OK && !lookup->enough; i++)
        code = run_partition(lookup, scans, &ranges[i], err);
    scan_set_free(scans);
    return code;
}
