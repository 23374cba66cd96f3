/*
 * partition_time.c - from a time to an offset: which record is the first at or after it.
 *
 * Timestamps need not rise, so the answer is the first batch whose highest timestamp reaches the
 * time. Running maxima (per segment, per chunk in the .tix file) say where to begin; the last
 * steps read batches. Where deleted records held a maximum, reading goes on further.
 */
#include <assert.h>

#include "storage/partition_lists_impl.h"

/* Where in the segment to begin; it has a batch that reaches the time. */
static ErrCode time_in_segment(Partition *partition, Segment *segment, int64_t timestamp,
                               int64_t *offset, Err *err) {
    assert(segment->readers > 0);
    assert(offset);
    TRY(partition_need_index(partition, segment, err));
    lock_take(&partition->lock);
    const SegmentIndex *index = &segment->index;
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->entries[middle].time < timestamp)
            low = middle + 1;
        else
            high = middle;
    }
    assert(low < index->count || segment->state.max_timestamp >= timestamp);
    *offset = low < index->count ? index->entries[low].offset : segment->state.open.offset;
    lock_release(&partition->lock);
    return ERR_OK;
}

/* With the lock held. */
static Segment *time_segment(const Partition *partition, int64_t timestamp) {
    assert(partition->start <= partition->end);
    for (size_t i = 0; i < partition->segment_count; i++) {
        const SegmentState *state = &partition->segments[i]->state;
        if (state->end_offset > partition->start && state->max_timestamp >= timestamp)
            return partition->segments[i];
    }
    return NULL;
}

/* With the lock held: the offset of the first tail batch that reaches the time, or the end. */
static int64_t time_in_tail(const Partition *partition, int64_t timestamp) {
    assert(partition->tail_count >= partition->kept);
    for (size_t i = 0; i < partition->tail_count; i++)
        if (partition->tail[i].info.max_timestamp >= timestamp)
            return partition->tail[i].info.base_offset;
    return partition->end;
}

/* The first record in the block, at or after `from`, that reaches the time. Otherwise false, and
 * *next is where the block ends. */
static bool time_in_block(const LogBlock *block, int64_t timestamp, int64_t from, int64_t *next) {
    assert(from >= 0);
    assert(next);
    Bytes bytes = log_block_bytes(block);
    RecordBatchInfo info;
    while (record_batch_peek(bytes, &info)) {
        assert(info.size <= bytes.size);
        RecordIter iter;
        LogRecord record;
        record_iter_init(&iter, (Bytes){bytes.data, info.size});
        while (info.max_timestamp >= timestamp && record_iter_next(&iter, &record)) {
            if (record.offset >= from && record.timestamp >= timestamp) {
                *next = record.offset;
                return true;
            }
        }
        *next = info.last_offset + 1;
        bytes = (Bytes){bytes.data + info.size, bytes.size - info.size};
    }
    return false;
}

ErrCode partition_find_time(Partition *partition, int64_t timestamp, int64_t *offset, Err *err) {
    assert(offset);
    lock_take(&partition->lock);
    int64_t start = partition->start, at = partition->end;
    Segment *segment = time_segment(partition, timestamp);
    if (segment)
        segment->readers++;
    else
        at = time_in_tail(partition, timestamp);
    lock_release(&partition->lock);
    if (segment) {
        ErrCode code = time_in_segment(partition, segment, timestamp, &at, err);
        lock_take(&partition->lock);
        segment->readers--;
        lock_release(&partition->lock);
        TRY(code);
    }
    assert(at >= 0);
    if (at < start)
        at = start;
    for (bool found = false; !found;) {
        LogBlock *block;
        TRY(partition_fetch(partition, at, SEGMENT_READ_BYTES, &block, err));
        if (!block)
            break;
        found = time_in_block(block, timestamp, at, &at);
        log_block_unref(block);
    }
    *offset = at;
    return ERR_OK;
}
