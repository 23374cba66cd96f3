/*
 * partition_read.c - reads batches back from a segment: find the chunk, read, prove, cut.
 *
 * A block is read from the beginning of a chunk, so that the chunk's sum proves every byte of it,
 * heads included, to be the one that was written: batches that were whole then are whole now, and
 * their own CRCs need no second look. What is damaged ends the block before it; only a fetch that
 * wants the damaged batch itself fails.
 */
#include <assert.h>
#include <inttypes.h>

#include "base/mem.h"
#include "storage/partition_lists_impl.h"

/* == The index ================================================================================ */

/* Loads the index outside the lock and puts it in place if nobody was faster and no chunk was
 * completed meanwhile. */
static ErrCode index_try_load(Partition *partition, Segment *segment, Err *err) {
    assert(segment->readers > 0);
    SegmentPlace place = partition_place(partition);
    SegmentIndex index = {0};
    bool rebuilt;
    lock_take(&partition->lock);
    SegmentState state = segment->state;
    lock_release(&partition->lock);
    TRY(segment_index_load(&place, &state, &index, &rebuilt, err));
    lock_take(&partition->lock);
    if (!segment->loaded && segment_chunk_count(&segment->state) == index.count) {
        assert(index.count == 0 || segment->state.root == state.root);
        segment->index = index;
        segment->loaded = true;
        segment->stale_files = rebuilt;
        index = (SegmentIndex){0};
    }
    lock_release(&partition->lock);
    segment_index_free(&index);
    return ERR_OK;
}

ErrCode partition_need_index(Partition *partition, Segment *segment, Err *err) {
    assert(segment->readers > 0);
    for (;;) {
        lock_take(&partition->lock);
        bool loaded = segment->loaded;
        lock_release(&partition->lock);
        if (loaded)
            return ERR_OK;
        TRY(index_try_load(partition, segment, err));
    }
}

/* == One read ================================================================================= */

typedef struct SegmentRead {
    Partition *partition;
    Segment *segment;
    SegmentState state; /* as of the beginning: nothing beyond its size is read */
    char path[SEGMENT_PATH_SIZE];
    IoFile *file;
    uint8_t *memory;
    uint32_t from, to;  /* what `memory` holds: whole chunks, or up to the state's size */
    uint32_t good;      /* bytes before it are proved by sums */
    int64_t next_offset; /* behind the batches that were found */
} SegmentRead;

static const uint8_t *read_at(const SegmentRead *read, uint32_t position) {
    assert(position >= read->from && position <= read->to);
    return read->memory + (position - read->from);
}

/* Bytes of the chunk's sum may be more than the state knew when we began: never fewer. */
static uint64_t chunk_sum(const SegmentRead *read, uint32_t chunk) {
    assert(read->segment->readers > 0);
    Partition *partition = read->partition;
    if (chunk >= segment_chunk_count(&read->state))
        return read->state.open.sum;
    lock_take(&partition->lock);
    assert(chunk < read->segment->index.count);
    uint64_t sum = read->segment->index.entries[chunk].sum;
    lock_release(&partition->lock);
    return sum;
}

/* Reads on to the end of the chunk of `to` and finds out how far chunks are good. */
static ErrCode read_range(SegmentRead *read, uint64_t to, Err *err) {
    assert(read->from <= read->good);
    assert(read->good % SEGMENT_CHUNK_BYTES == 0 && read->good == read->to);
    to = (to + SEGMENT_CHUNK_BYTES - 1) / SEGMENT_CHUNK_BYTES * SEGMENT_CHUNK_BYTES;
    read->to = to < read->state.size ? (uint32_t)to : read->state.size;
    assert(read->good < read->to);
    uint32_t size = read->to - read->good, got;
    read->memory = mem_resize(read->memory, read->to - read->from);
    TRY(read->file->ops->read(read->file, read->good, read->memory + (read->good - read->from),
                              size, &got, err));
    for (uint32_t end = read->good + got; read->good < read->to;) {
        uint32_t left = read->to - read->good;
        uint32_t step = left < SEGMENT_CHUNK_BYTES ? left : SEGMENT_CHUNK_BYTES;
        if (read->good + step > end ||
            segment_sum(0, (Bytes){read_at(read, read->good), step}) !=
                chunk_sum(read, read->good / SEGMENT_CHUNK_BYTES))
            break;
        read->good += step;
    }
    return ERR_OK;
}

static ErrCode read_damaged(const SegmentRead *read, uint32_t position, const char *reason,
                            Err *err) {
    assert(position <= read->state.size);
    assert(reason);
    return err_set(err, ERR_CORRUPT, "%s: damaged near byte %" PRIu32 ": %s", read->path, position,
                   reason);
}

/* Goes from the batch at *position to the one with `offset`; *position may end at or behind what
 * is good. */
static ErrCode read_skip(const SegmentRead *read, uint32_t *position, int64_t offset, Err *err) {
    assert(*position >= read->from);
    RecordBatchInfo info;
    while (*position + (uint64_t)RECORD_BATCH_HEAD_SIZE <= read->good) {
        Bytes head = {read_at(read, *position), RECORD_BATCH_HEAD_SIZE};
        if (!record_batch_peek(head, &info))
            return read_damaged(read, *position, "no batch where one must begin", err);
        if (info.last_offset >= offset)
            return ERR_OK;
        *position += info.size;
    }
    return ERR_OK;
}

/* The end of the batches from `position` on that are whole, good and fit bytes_max; `position`
 * itself when the first is not whole. */
static ErrCode read_batches(SegmentRead *read, uint32_t position, uint32_t bytes_max,
                            uint32_t *end, Err *err) {
    assert(position < read->good);
    assert(position >= read->from);
    uint32_t first = position;
    read->next_offset = -1;
    while (position < read->good) {
        Bytes bytes = {read_at(read, position), read->good - position};
        RecordBatchInfo info;
        uint32_t size;
        Err cause;
        if (bytes.size < RECORD_BATCH_HEAD_SIZE || record_batch_size(bytes, &size, &cause) ||
            size > bytes.size)
            break;
        if (position > first && (uint64_t)position - first + size > bytes_max)
            break;
        bool good = record_batch_peek(bytes, &info) && info.base_offset >= read->next_offset;
        if (!good && position == first)
            return read_damaged(read, position, "no batch where one must begin", err);
        if (!good)
            break;
        read->next_offset = info.last_offset + 1;
        position += size;
    }
    *end = position;
    return ERR_OK;
}

/* Where the batch that begins at `position` ends; at least its head, when that is not all there. */
static uint64_t read_batch_end(const SegmentRead *read, uint32_t position) {
    assert(position >= read->from);
    uint32_t size;
    Err unread;
    Bytes head = {NULL, 0};
    if (position < read->good)
        head = (Bytes){read_at(read, position), read->good - position};
    if (head.size < RECORD_BATCH_HEAD_SIZE || record_batch_size(head, &size, &unread) != ERR_OK)
        size = RECORD_BATCH_HEAD_SIZE;
    return (uint64_t)position + size;
}

/* Begins with what was read of the segment before, if that is what is wanted now. Complete chunks
 * of a segment do not change, so the last one's sum says that it is the same segment. */
static void read_rest(SegmentRead *read, const FetchWanted *wanted, uint32_t *position) {
    static const LogBlockRest none;
    const LogBlockRest *rest = wanted->before ? log_block_rest(wanted->before) : &none;
    uint32_t end = rest->position + rest->bytes.size;
    if (rest->bytes.size == 0 || rest->next_offset != wanted->offset ||
        rest->base_offset != read->state.base_offset || rest->added != read->state.added ||
        end > read->state.size || end % SEGMENT_CHUNK_BYTES != 0 ||
        rest->sum != chunk_sum(read, end / SEGMENT_CHUNK_BYTES - 1))
        return;
    *position = read->from = rest->position;
    read->to = read->good = end;
    read->memory = mem_resize(NULL, rest->bytes.size);
    memcpy(read->memory, rest->bytes.data, rest->bytes.size);
}

/* What is good behind the block's batches. */
static void read_keep_rest(const SegmentRead *read, LogBlock *block, uint32_t position) {
    assert(position > read->from && position <= read->good);
    if (position == read->good || read->good % SEGMENT_CHUNK_BYTES != 0)
        return;
    LogBlockRest rest = {.bytes = {read_at(read, position), read->good - position},
                         .next_offset = read->next_offset,
                         .base_offset = read->state.base_offset,
                         .added = read->state.added,
                         .position = position,
                         .sum = chunk_sum(read, read->good / SEGMENT_CHUNK_BYTES - 1)};
    log_block_set_rest(block, &rest);
}

/* Reads more and more until the wanted batch is whole. */
static ErrCode read_wanted(SegmentRead *read, uint32_t position, const FetchWanted *wanted,
                           LogBlock **block, Err *err) {
    assert(block);
    assert(position < read->state.size);
    uint32_t bytes_max = wanted->bytes_max;
    read->from = read->to = read->good = position - position % SEGMENT_CHUNK_BYTES;
    read_rest(read, wanted, &position);
    uint64_t to = (uint64_t)position + bytes_max;
    for (;;) {
        uint32_t end = position;
        if (to > read->to && read->to < read->state.size)
            TRY(read_range(read, to, err));
        TRY(read_skip(read, &position, wanted->offset, err));
        if (position < read->good) {
            TRY(read_batches(read, position, bytes_max, &end, err));
            if (end > position) {
                *block = log_block_take_part(
                    read->memory, (Bytes){read_at(read, position), end - position});
                read_keep_rest(read, *block, end);
                read->memory = NULL;
                return ERR_OK;
            }
        }
        to = read_batch_end(read, position);
        if (read->good < read->to || to > read->state.size)
            return read_damaged(read, read->good, "its sum is wrong", err);
        if (to < (uint64_t)position + bytes_max)
            to = (uint64_t)position + bytes_max;
    }
}

ErrCode partition_read_segment(Partition *partition, Segment *segment, const FetchWanted *wanted,
                               LogBlock **block, Err *err) {
    assert(wanted->offset >= 0);
    assert(segment->readers > 0);
    FetchWanted bounded = *wanted;
    SegmentRead read = {.partition = partition, .segment = segment};
    SegmentPlace place = partition_place(partition);
    TRY(partition_need_index(partition, segment, err));
    lock_take(&partition->lock);
    read.state = segment->state;
    SegmentEntry entry = segment_index_find(&segment->index, &read.state, wanted->offset);
    lock_release(&partition->lock);
    segment_path(&place, &read.state, "seg", read.path);
    ErrCode code = partition->io->ops->open(partition->io, read.path, IO_READ, &read.file, err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_CORRUPT, "%s is missing", read.path);
    TRY(code);
    if (bounded.bytes_max > SEGMENT_READ_BYTES)
        bounded.bytes_max = SEGMENT_READ_BYTES;
    if (bounded.bytes_max < RECORD_BATCH_HEAD_SIZE)
        bounded.bytes_max = RECORD_BATCH_HEAD_SIZE;
    code = read_wanted(&read, entry.position, &bounded, block, err);
    read.file->ops->close(read.file);
    mem_free(read.memory);
    return code;
}
