/*
 * partition.c - a partition in memory: its tail, its offsets, and where a fetch finds its bytes.
 *
 * Appending keeps a reference to the frame buffer and copies nothing. A fetch from the tail gives
 * batches that lie one after the other in one buffer as a view of it; where the runs are short it
 * gathers many into one block, because a block per small batch costs its reader more than the copy.
 */
#include <assert.h>
#include <inttypes.h>

#include "base/mem.h"
#include "storage/partition_lists_impl.h"

enum {
    GATHER_ITEMS_MAX = 256,     /* batches copied into one block */
    VIEW_BYTES_MIN = 16 << 10,  /* a run of this size is given as it lies: a copy is 1 us */
};

Partition *partition_new(Io *io, const char *folder, TopicPartition where) {
    assert(io);
    assert(folder);
    Partition *partition = mem_alloc(sizeof *partition);
    partition->io = io;
    partition->folder = mem_strdup(folder);
    partition->where = where;
    partition->segment_bytes_max = SEGMENT_BYTES_MAX;
    lock_init(&partition->lock);
    return partition;
}

void partition_set_segment_bytes(Partition *partition, uint32_t bytes_max) {
    assert(partition->segment_count == 0);
    assert(bytes_max > 0 && bytes_max <= SEGMENT_BYTES_MAX);
    partition->segment_bytes_max = bytes_max;
}

static void segment_free(Segment *segment) {
    assert(segment->index.count <= segment->index.capacity);
    assert(segment->readers == 0);
    segment_index_free(&segment->index);
    mem_free(segment);
}

void partition_free(Partition *partition) {
    if (!partition)
        return;
    for (size_t i = 0; i < partition->tail_count; i++)
        log_block_unref(partition->tail[i].block);
    for (size_t i = 0; i < partition->segment_count; i++)
        segment_free(partition->segments[i]);
    for (size_t i = 0; i < partition->dropped_count; i++)
        segment_free(partition->dropped[i]);
    mem_free(partition->tail);
    mem_free(partition->segments);
    mem_free(partition->dropped);
    mem_free(partition->folder);
    lock_close(&partition->lock);
    mem_free(partition);
}

/* == The writer's side ======================================================================== */

/* With the lock held: the offset behind the tail, which is not empty. */
static int64_t tail_end(const Partition *partition) {
    assert(partition->tail_count <= partition->tail_capacity);
    assert(partition->tail_count > 0);
    return partition->tail[partition->tail_count - 1].info.last_offset + 1;
}

/* With the lock held: the first items go out of the tail; they are on disk. */
static void drop_items(Partition *partition, size_t count) {
    assert(partition->kept <= partition->tail_count);
    assert(count <= partition->tail_count);
    for (size_t i = 0; i < count; i++) {
        partition->tail_bytes -= partition->tail[i].info.size;
        log_block_unref(partition->tail[i].block);
    }
    partition->tail_count -= count;
    partition->tail_first += count;
    partition->kept -= count < partition->kept ? count : partition->kept;
    if (count > 0)
        memmove(partition->tail, partition->tail + count,
                partition->tail_count * sizeof *partition->tail);
}

void partition_append(Partition *partition, LogBlock *block, Bytes batch,
                      const RecordBatchInfo *info) {
    assert(block);
    assert(batch.size == info->size);
    assert(info->last_offset >= info->base_offset);
    log_block_ref(block);
    lock_take(&partition->lock);
    assert(info->base_offset == partition->end);
    if (partition->kept > 0 && tail_end(partition) != info->base_offset)
        drop_items(partition, partition->kept); /* the last segment was not kept */
    partition->tail = mem_grow(partition->tail, &partition->tail_capacity,
                               partition->tail_count + 1, sizeof *partition->tail);
    partition->tail[partition->tail_count++] = (TailItem){block, batch.data, *info};
    partition->tail_bytes += batch.size;
    partition->end = info->last_offset + 1;
    lock_release(&partition->lock);
}

void partition_set_start(Partition *partition, int64_t start) {
    assert(start >= 0);
    lock_take(&partition->lock);
    assert(start <= partition->end);
    if (start > partition->start)
        partition->start = start;
    lock_release(&partition->lock);
}

void partition_freeze(Partition *partition) {
    lock_take(&partition->lock);
    partition->frozen = partition->tail_first + partition->tail_count;
    partition->frozen_start = partition->start;
    partition->frozen_end = partition->end;
    assert(partition->written <= partition->frozen);
    lock_release(&partition->lock);
}

void partition_want_seal(Partition *partition) {
    lock_take(&partition->lock);
    partition->seal_wanted = true;
    lock_release(&partition->lock);
}

/* With the lock held. */
static bool all_sealed(const Partition *partition) {
    size_t count = partition->segment_count;
    assert(partition->kept <= partition->tail_count);
    return partition->tail_count == partition->kept &&
           (count == 0 || partition->segments[count - 1]->state.sealed);
}

bool partition_addable(Partition *partition) {
    lock_take(&partition->lock);
    bool addable = all_sealed(partition);
    lock_release(&partition->lock);
    return addable;
}

ErrCode partition_add_segment(Partition *partition, Bytes state, Err *err) {
    assert(state.data);
    Reader reader = reader_of(state);
    SegmentPlace place = partition_place(partition);
    Segment *segment = mem_alloc(sizeof *segment);
    bool known = segment_state_get(&reader, &segment->state) && reader_left(&reader) == 0 &&
                 segment->state.sealed && segment->state.added;
    ErrCode code = known ? segment_adopt(&place, &segment->state, err)
                         : err_set(err, ERR_CORRUPT, "impossible segment to be added");
    lock_take(&partition->lock);
    if (code == ERR_OK &&
        (!all_sealed(partition) || segment->state.base_offset != partition->end))
        code = err_set(err, ERR_CORRUPT, "a segment to be added does not begin at the end");
    if (code == ERR_OK) {
        partition->segments =
            mem_grow(partition->segments, &partition->segment_capacity,
                     partition->segment_count + 1, sizeof *partition->segments);
        partition->segments[partition->segment_count++] = segment;
        partition->end = segment->state.end_offset;
    }
    lock_release(&partition->lock);
    if (code != ERR_OK)
        mem_free(segment);
    return code;
}

void partition_keep(Partition *partition, const TailItem *items, size_t count) {
    assert(items);
    assert(count > 0);
    lock_take(&partition->lock);
    assert(all_sealed(partition) && partition->skip == 0);
    assert(items[count - 1].info.last_offset + 1 == partition->end);
    if (partition->tail_count > 0 && tail_end(partition) != items[0].info.base_offset)
        drop_items(partition, partition->tail_count);
    partition->tail = mem_grow(partition->tail, &partition->tail_capacity,
                               partition->tail_count + count, sizeof *partition->tail);
    memcpy(partition->tail + partition->tail_count, items, count * sizeof *items);
    partition->tail_count += count;
    partition->kept = partition->tail_count;
    partition->written = partition->tail_first + partition->tail_count;
    for (size_t i = 0; i < count; i++)
        partition->tail_bytes += items[i].info.size;
    size_t spare = 0;
    uint64_t bytes = partition->tail_bytes;
    while (bytes > PARTITION_KEEP_BYTES)
        bytes -= partition->tail[spare++].info.size;
    drop_items(partition, spare);
    lock_release(&partition->lock);
}

/* Takes segments wholly below the frozen start out of the list; the checkpoint that does not name
 * them is valid, so their files may go. */
static void drop_segments(Partition *partition) {
    assert(partition->frozen_start <= partition->frozen_end);
    size_t count = 0;
    while (count < partition->segment_count && partition->segments[count]->state.sealed &&
           partition->segments[count]->state.end_offset <= partition->frozen_start)
        count++;
    if (count == 0)
        return;
    partition->dropped = mem_grow(partition->dropped, &partition->dropped_capacity,
                                  partition->dropped_count + count, sizeof *partition->dropped);
    for (size_t i = 0; i < count; i++)
        partition->dropped[partition->dropped_count++] = partition->segments[i];
    partition->segment_count -= count;
    memmove(partition->segments, partition->segments + count,
            partition->segment_count * sizeof *partition->segments);
}

void partition_settle(Partition *partition) {
    lock_take(&partition->lock);
    assert(partition->written >= partition->tail_first);
    uint64_t settled =
        partition->written < partition->frozen ? partition->written : partition->frozen;
    if (settled > partition->tail_first)
        drop_items(partition, (size_t)(settled - partition->tail_first));
    drop_segments(partition);
    lock_release(&partition->lock);
}

/* == The readers' side ======================================================================== */

void partition_offsets(Partition *partition, int64_t *start, int64_t *end) {
    assert(start && end);
    lock_take(&partition->lock);
    assert(partition->start <= partition->end);
    *start = partition->start;
    *end = partition->end;
    lock_release(&partition->lock);
}

uint64_t partition_tail_bytes(Partition *partition) {
    lock_take(&partition->lock);
    uint64_t bytes = partition->tail_bytes;
    lock_release(&partition->lock);
    return bytes;
}

uint64_t partition_segment_bytes(Partition *partition) {
    uint64_t bytes = 0;
    lock_take(&partition->lock);
    for (size_t i = 0; i < partition->segment_count; i++)
        bytes += partition->segments[i]->state.size;
    assert(partition->segment_count > 0 || bytes == 0);
    lock_release(&partition->lock);
    return bytes;
}

/* What a fetch takes out of the tail while it holds the lock: one run as it lies, or many items. */
typedef struct TailRun {
    LogBlock *blocks[GATHER_ITEMS_MAX]; /* referenced */
    Bytes bytes[GATHER_ITEMS_MAX];
    uint32_t count, size;
} TailRun;

/* The item with `offset`, or the first after it. */
static size_t tail_find(const Partition *partition, int64_t offset) {
    assert(partition->tail_count > 0);
    assert(offset >= partition->tail[0].info.base_offset);
    size_t low = 0, high = partition->tail_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (partition->tail[middle].info.last_offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    assert(low < partition->tail_count);
    return low;
}

/* Adds the items that lie one after the other in one buffer, from `item` on. Returns how many. */
static size_t run_add(TailRun *run, const Partition *partition, size_t item, uint32_t bytes_max) {
    assert(item < partition->tail_count);
    assert(run->count < GATHER_ITEMS_MAX);
    const TailItem *items = partition->tail;
    size_t count = 1;
    uint32_t size = items[item].info.size;
    while (item + count < partition->tail_count &&
           items[item + count].block == items[item].block &&
           items[item + count].data == items[item].data + size &&
           (uint64_t)run->size + size + items[item + count].info.size <= bytes_max) {
        size += items[item + count].info.size;
        count++;
    }
    log_block_ref(items[item].block);
    run->blocks[run->count] = items[item].block;
    run->bytes[run->count++] = (Bytes){items[item].data, size};
    run->size += size;
    return count;
}

/* With the lock held. */
static void run_collect(TailRun *run, const Partition *partition, int64_t offset,
                        uint32_t bytes_max) {
    assert(partition->tail_count > 0);
    size_t item = tail_find(partition, offset);
    run->count = run->size = 0;
    item += run_add(run, partition, item, bytes_max);
    if (run->size >= VIEW_BYTES_MIN)
        return;
    if (bytes_max > SEGMENT_READ_BYTES)
        bytes_max = SEGMENT_READ_BYTES;
    while (item < partition->tail_count && run->count < GATHER_ITEMS_MAX &&
           (uint64_t)run->size + partition->tail[item].info.size <= bytes_max)
        item += run_add(run, partition, item, bytes_max);
}

static LogBlock *run_block(TailRun *run) {
    assert(run->size > 0);
    assert(run->count > 0);
    LogBlock *block;
    if (run->count == 1) {
        block = log_block_view(run->blocks[0], run->bytes[0]);
    } else {
        uint8_t *memory = mem_resize(NULL, run->size);
        uint32_t size = 0;
        for (uint32_t i = 0; i < run->count; i++) {
            memcpy(memory + size, run->bytes[i].data, run->bytes[i].size);
            size += run->bytes[i].size;
        }
        assert(size == run->size);
        block = log_block_take(memory, size);
    }
    for (uint32_t i = 0; i < run->count; i++)
        log_block_unref(run->blocks[i]);
    return block;
}

/* With the lock held: the last segment that begins at or before `offset`. */
static Segment *segment_find(const Partition *partition, int64_t offset) {
    assert(partition->segment_count <= partition->segment_capacity);
    size_t low = 0, high = partition->segment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (partition->segments[middle]->state.base_offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? partition->segments[low - 1] : NULL;
}

static ErrCode fetch_from_segment(Partition *partition, const FetchWanted *wanted,
                                  LogBlock **block, Err *err) {
    assert(block && !*block);
    Segment *segment = segment_find(partition, wanted->offset);
    assert(segment);
    segment->readers++;
    lock_release(&partition->lock);
    ErrCode code = partition_read_segment(partition, segment, wanted, block, err);
    lock_take(&partition->lock);
    segment->readers--;
    return code;
}

static ErrCode fetch(Partition *partition, const FetchWanted *wanted, LogBlock **block,
                     Err *err) {
    assert(block);
    int64_t offset = wanted->offset;
    TailRun run = {.count = 0};
    ErrCode code = ERR_OK;
    *block = NULL;
    lock_take(&partition->lock);
    if (offset < partition->start || offset > partition->end)
        code = err_set(err, ERR_NOT_FOUND,
                       "offset %" PRId64 " of partition %" PRIu32 " is outside %" PRId64
                       "..%" PRId64,
                       offset, partition->where.partition, partition->start, partition->end);
    else if (partition->tail_count > 0 && offset >= partition->tail[0].info.base_offset &&
             offset < tail_end(partition))
        run_collect(&run, partition, offset, wanted->bytes_max);
    else if (offset < partition->end)
        code = fetch_from_segment(partition, wanted, block, err);
    lock_release(&partition->lock);
    if (run.count > 0)
        *block = run_block(&run);
    return code;
}

ErrCode partition_fetch(Partition *partition, int64_t offset, uint32_t bytes_max, LogBlock **block,
                        Err *err) {
    FetchWanted wanted = {.offset = offset, .bytes_max = bytes_max};
    assert(partition);
    return fetch(partition, &wanted, block, err);
}

ErrCode partition_fetch_on(Partition *partition, int64_t offset, const LogBlock *before,
                           LogBlock **block, Err *err) {
    FetchWanted wanted = {.offset = offset, .bytes_max = SEGMENT_READ_BYTES, .before = before};
    assert(partition);
    return fetch(partition, &wanted, block, err);
}
