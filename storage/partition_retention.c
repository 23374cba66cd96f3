/*
 * partition_retention.c - how much of a partition's head is to go: by age, by size.
 *
 * Units go whole and in order: sealed segments, the growing one, then the batches in memory that
 * are in neither. A unit goes by age when its highest timestamp is too old (one young record keeps
 * all that follows it), by size when what remains without it is still enough. Nothing is changed
 * here: the start becomes true by a LOGSTART entry of the journal, segments below it go with the
 * next checkpoint.
 */
#include <assert.h>

#include "storage/partition_lists_impl.h"

/* With the lock held: the first tail item that is in no segment, even in part. */
static size_t retention_first_item(const Partition *partition) {
    assert(partition->kept <= partition->tail_count);
    int64_t on_disk = 0;
    if (partition->segment_count > 0)
        on_disk = partition->segments[partition->segment_count - 1]->state.end_offset;
    size_t low = 0, high = partition->tail_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (partition->tail[middle].info.base_offset < on_disk)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* With the lock held. */
static uint64_t retention_bytes(const Partition *partition, size_t first_item, int64_t start) {
    assert(first_item <= partition->tail_count);
    uint64_t bytes = 0;
    for (size_t i = 0; i < partition->segment_count; i++)
        if (partition->segments[i]->state.end_offset > start)
            bytes += partition->segments[i]->state.size;
    for (size_t i = first_item; i < partition->tail_count; i++)
        if (partition->tail[i].info.last_offset >= start)
            bytes += partition->tail[i].info.size;
    return bytes;
}

uint64_t partition_bytes(Partition *partition) {
    lock_take(&partition->lock);
    assert(partition->start <= partition->end);
    uint64_t bytes =
        retention_bytes(partition, retention_first_item(partition), partition->start);
    lock_release(&partition->lock);
    return bytes;
}

uint64_t partition_bytes_growing(Partition *partition) {
    lock_take(&partition->lock);
    assert(partition->segment_count <= partition->segment_capacity);
    size_t count = partition->segment_count;
    int64_t sealed = partition->start;
    if (count > 0 && !partition->segments[count - 1]->state.sealed)
        count--;
    if (count > 0 && partition->segments[count - 1]->state.end_offset > sealed)
        sealed = partition->segments[count - 1]->state.end_offset;
    uint64_t bytes = retention_bytes(partition, retention_first_item(partition), sealed);
    lock_release(&partition->lock);
    return bytes;
}

/* What may go as one. */
typedef struct RetentionUnit {
    int64_t end_offset, max_timestamp;
    uint64_t size;
} RetentionUnit;

typedef struct RetentionCut {
    const LogRetention *retention;
    int64_t oldest_ms; /* that stays */
    int64_t start;     /* so far */
    uint64_t bytes;    /* from there on */
} RetentionCut;

/* Whether the unit goes; then the cut is behind it. */
static bool retention_take(RetentionCut *cut, RetentionUnit unit) {
    assert(unit.size > 0);
    if (unit.end_offset <= cut->start)
        return true; /* gone already */
    bool old = cut->retention->ms >= 0 && unit.max_timestamp < cut->oldest_ms;
    bool over = cut->retention->bytes >= 0 && cut->bytes >= unit.size &&
                cut->bytes - unit.size >= (uint64_t)cut->retention->bytes;
    if (!old && !over)
        return false;
    cut->start = unit.end_offset;
    cut->bytes -= cut->bytes >= unit.size ? unit.size : cut->bytes;
    return true;
}

int64_t partition_retention_start(Partition *partition, const LogRetention *retention,
                                  int64_t now_ms) {
    assert(retention);
    lock_take(&partition->lock);
    size_t item = retention_first_item(partition);
    RetentionCut cut = {.retention = retention, .start = partition->start};
    if (retention->ms >= 0)
        cut.oldest_ms = now_ms < INT64_MIN + retention->ms ? INT64_MIN : now_ms - retention->ms;
    if (retention->bytes >= 0)
        cut.bytes = retention_bytes(partition, item, cut.start);
    bool goes = true;
    for (size_t i = 0; goes && i < partition->segment_count; i++) {
        const SegmentState *state = &partition->segments[i]->state;
        goes = retention_take(
            &cut, (RetentionUnit){state->end_offset, state->max_timestamp, state->size});
    }
    for (; goes && item < partition->tail_count; item++) {
        const RecordBatchInfo *info = &partition->tail[item].info;
        goes = retention_take(
            &cut, (RetentionUnit){info->last_offset + 1, info->max_timestamp, info->size});
    }
    assert(cut.start >= partition->start && cut.start <= partition->end);
    lock_release(&partition->lock);
    return cut.start;
}
