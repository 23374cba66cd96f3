/*
 * partition_write.c - a checkpoint of one partition: tails to segments, what is left to bytes, and
 * back again. The format of the bytes: docs/formats/segment.md.
 *
 * write() looks at the frozen items only. It goes through them segment by segment: a plan says up
 * to which item and byte the segment is written and whether it is sealed there; then the bytes are
 * written and synced with no lock held; then the lists learn of it. A batch may lie across the
 * written end: its bytes before are in the segment, those after in the checkpoint, and the whole
 * stays in the tail.
 */
#include <assert.h>
#include <inttypes.h>

#include "base/hash.h"
#include "base/mem.h"
#include "storage/partition_lists_impl.h"

enum {
    SAVE_MAGIC = 0x31545057, /* "WPT1" */
    SAVE_SEGMENTS_MAX = 1 << 20,
    COPY_ITEMS_MAX = 128, /* items looked at under one lock */
};

/* == Folders ================================================================================== */

enum { FOLDER_LEVELS = 2 }; /* of a partition below topics/: its topic's and its own */

/* Makes the folder and those above it that are missing. */
static ErrCode make_folders(Io *io, char *path, Err *err) {
    assert(io);
    assert(path[0] != '\0');
    ErrCode code = io->ops->make_folder(io, path, err);
    char *slash = strrchr(path, '/');
    if (code != ERR_NOT_FOUND || !slash || slash == path)
        return code;
    *slash = '\0';
    code = make_folders(io, path, err);
    *slash = '/';
    return code == ERR_OK ? io->ops->make_folder(io, path, err) : code;
}

/* Makes both names durable, from the top: also of folders that are there already, for the last
 * process may have made them and failed to sync. */
static ErrCode sync_folders(Io *io, char *path, uint32_t levels, Err *err) {
    assert(io && levels > 0);
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return io->ops->sync_folder(io, slash ? "/" : ".", err);
    *slash = '\0';
    ErrCode code = levels > 1 ? sync_folders(io, path, levels - 1, err) : ERR_OK;
    if (code == ERR_OK)
        code = io->ops->sync_folder(io, path, err);
    *slash = '/';
    return code;
}

ErrCode partition_make_folder(Partition *partition, Err *err) {
    if (atomic_load(&partition->folder_made))
        return ERR_OK;
    char *path = mem_strdup(partition->folder);
    ErrCode code = make_folders(partition->io, path, err);
    if (code == ERR_OK)
        code = sync_folders(partition->io, path, FOLDER_LEVELS, err);
    mem_free(path);
    atomic_store(&partition->folder_made, code == ERR_OK);
    return code;
}

/* == What to write ============================================================================ */

/* The next stretch of one segment. */
typedef struct WritePlan {
    bool fresh;     /* the segment is new; it begins with item `first` */
    bool seal;
    uint64_t first; /* items [first, end) give it bytes; the last one perhaps not all */
    uint64_t end;
    uint32_t skip;  /* bytes of `first` that are on disk already */
    uint32_t size;  /* of the segment afterwards */
    int64_t base_offset;
} WritePlan;

static Segment *growing_segment(const Partition *partition) {
    assert(partition->segment_count <= partition->segment_capacity);
    if (partition->segment_count == 0)
        return NULL;
    Segment *last = partition->segments[partition->segment_count - 1];
    return last->state.sealed ? NULL : last;
}

/* With the lock held. false: nothing is due. */
static bool plan_write(const Partition *partition, WritePlan *plan) {
    assert(partition->written >= partition->tail_first);
    Segment *segment = growing_segment(partition);
    uint64_t item = partition->written;
    uint64_t size = segment ? segment->state.size : 0; /* with all items before `item` */
    *plan = (WritePlan){.fresh = !segment, .first = item, .skip = partition->skip};
    assert(segment || partition->skip == 0);
    size -= partition->skip;
    for (; item < partition->frozen; item++) {
        const RecordBatchInfo *info = &partition->tail[item - partition->tail_first].info;
        if (item == plan->first)
            plan->base_offset = info->base_offset;
        bool begun = item == plan->first && plan->skip > 0;
        if (!begun && size > 0 && size + info->size > partition->segment_bytes_max) {
            plan->seal = true;
            break;
        }
        size += info->size;
    }
    plan->end = item;
    if (partition->seal_wanted && size > 0)
        plan->seal = true;
    uint64_t before = segment ? segment->state.size : 0;
    if (!plan->seal && size < before + TAIL_WRITE_BYTES_MIN)
        return false;
    if (!plan->seal)
        size -= size % SEGMENT_BLOCK_BYTES;
    plan->size = (uint32_t)size;
    return true;
}

/* Copies items, whose bytes the tail keeps until settle(). */
static uint32_t copy_items(Partition *partition, uint64_t first, uint64_t end, TailItem *items) {
    assert(first < end);
    assert(items);
    uint64_t count = end - first < COPY_ITEMS_MAX ? end - first : COPY_ITEMS_MAX;
    lock_take(&partition->lock);
    assert(first >= partition->tail_first);
    assert(end <= partition->tail_first + partition->tail_count);
    memcpy(items, partition->tail + (first - partition->tail_first),
           (size_t)count * sizeof *items);
    lock_release(&partition->lock);
    return (uint32_t)count;
}

/* == Writing ================================================================================== */

/* Gives the writer the plan's bytes. *item and *skip end where the segment ends. */
static ErrCode write_items(Partition *partition, SegmentWriter *writer, const WritePlan *plan,
                           uint64_t *item, uint32_t *skip, Err *err) {
    assert(plan->size >= writer->state.size);
    assert(plan->first < plan->end || plan->size == writer->state.size);
    TailItem items[COPY_ITEMS_MAX];
    uint32_t left = plan->size - writer->state.size;
    *item = plan->first;
    *skip = plan->skip;
    while (*item < plan->end && left > 0) {
        uint32_t count = copy_items(partition, *item, plan->end, items);
        for (uint32_t i = 0; i < count && left > 0; i++) {
            const RecordBatchInfo *info = &items[i].info;
            assert(*skip < info->size);
            if (*skip == 0)
                segment_writer_begin(writer, info);
            uint32_t size = info->size - *skip < left ? info->size - *skip : left;
            TRY(segment_writer_put(writer, (Bytes){items[i].data + *skip, size}, err));
            left -= size;
            *skip += size;
            if (*skip == info->size) {
                *skip = 0;
                ++*item;
            }
        }
    }
    assert(left == 0);
    return ERR_OK;
}

/* With the lock held: the lists learn what is on disk. */
static void publish(Partition *partition, Segment *segment, const SegmentWriter *writer) {
    assert(writer->state.base_offset == segment->state.base_offset);
    assert(!segment->state.sealed);
    assert(writer->state.size >= segment->state.size);
    bool fresh = segment->state.size == 0;
    segment->state = writer->state;
    if (segment->loaded)
        segment_index_join(&segment->index, &writer->entries);
    if (!fresh)
        return;
    partition->segments = mem_grow(partition->segments, &partition->segment_capacity,
                                   partition->segment_count + 1, sizeof *partition->segments);
    partition->segments[partition->segment_count++] = segment;
}

static ErrCode write_segment(Partition *partition, const WritePlan *plan, Err *err) {
    assert(plan->first <= plan->end);
    assert(plan->size > 0);
    SegmentPlace place = partition_place(partition);
    lock_take(&partition->lock);
    Segment *segment = growing_segment(partition);
    lock_release(&partition->lock);
    assert(!segment == plan->fresh);
    if (!segment) {
        segment = mem_alloc(sizeof *segment);
        segment->state = segment_state_new(plan->base_offset);
        segment->loaded = true;
    }
    SegmentWriter writer;
    uint64_t item;
    uint32_t skip;
    ErrCode code = segment_writer_open(&writer, &place, &segment->state, err);
    if (code == ERR_OK)
        code = write_items(partition, &writer, plan, &item, &skip, err);
    if (code == ERR_OK)
        code = segment_writer_finish(&writer, plan->seal, err);
    if (code == ERR_OK) {
        lock_take(&partition->lock);
        publish(partition, segment, &writer);
        partition->written = item;
        partition->skip = skip;
        assert(!plan->seal || (item == plan->end && skip == 0));
        if (plan->seal && item == partition->frozen)
            partition->seal_wanted = false;
        lock_release(&partition->lock);
    } else if (plan->fresh) {
        mem_free(segment);
    }
    segment_writer_close(&writer);
    return code;
}

/* Index files that were found damaged are written again. */
static ErrCode mend_indexes(Partition *partition, Err *err) {
    assert(partition->io);
    SegmentPlace place = partition_place(partition);
    for (size_t i = 0;; i++) {
        lock_take(&partition->lock);
        if (i >= partition->segment_count) {
            lock_release(&partition->lock);
            return ERR_OK;
        }
        Segment *segment = partition->segments[i];
        bool stale = segment->stale_files;
        segment->stale_files = false;
        lock_release(&partition->lock);
        if (stale)
            TRY(segment_index_write(&place, &segment->state, &segment->index, 0, err));
    }
}

static ErrCode remove_segment_files(const SegmentPlace *place, const SegmentState *state,
                                    Err *err) {
    assert(state->base_offset >= 0);
    static const char *const endings[] = {"seg", "idx", "tix"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[SEGMENT_PATH_SIZE];
        segment_path(place, state, endings[i], path);
        ErrCode code = place->io->ops->remove(place->io, path, err);
        if (code != ERR_OK && code != ERR_NOT_FOUND)
            return code;
    }
    return ERR_OK;
}

ErrCode partition_remove_dropped(Partition *partition, Err *err) {
    assert(partition->dropped || partition->dropped_count == 0);
    SegmentPlace place = partition_place(partition);
    for (size_t i = 0; i < partition->dropped_count;) {
        Segment *segment = partition->dropped[i];
        lock_take(&partition->lock);
        bool busy = segment->readers > 0;
        lock_release(&partition->lock);
        if (busy) {
            i++;
            continue;
        }
        TRY(remove_segment_files(&place, &segment->state, err));
        lock_take(&partition->lock);
        partition->dropped[i] = partition->dropped[--partition->dropped_count];
        lock_release(&partition->lock);
        segment_index_free(&segment->index);
        mem_free(segment);
    }
    return ERR_OK;
}

ErrCode partition_write(Partition *partition, Err *err) {
    bool fresh_files = false;
    TRY(partition_remove_dropped(partition, err));
    TRY(mend_indexes(partition, err));
    for (;;) {
        WritePlan plan;
        lock_take(&partition->lock);
        bool due = plan_write(partition, &plan);
        if (!due)
            partition->seal_wanted = false; /* there was nothing to seal */
        lock_release(&partition->lock);
        if (!due)
            break;
        TRY(partition_make_folder(partition, err));
        TRY(write_segment(partition, &plan, err));
        fresh_files = fresh_files || plan.fresh;
    }
    if (fresh_files)
        TRY(partition->io->ops->sync_folder(partition->io, partition->folder, err));
    return ERR_OK;
}

/* == The checkpoint's bytes =================================================================== */

/* Segments that were added after the freeze are not part of the checkpoint. */
static size_t frozen_segments(const Partition *partition) {
    assert(partition->frozen_start <= partition->frozen_end);
    size_t count = partition->segment_count;
    while (count > 0 &&
           partition->segments[count - 1]->state.base_offset >= partition->frozen_end)
        count--;
    return count;
}

/* The items that are not whole on disk, without what of the first one is. */
static void put_remainder(Partition *partition, Buf *out) {
    assert(partition->written >= partition->tail_first);
    assert(partition->written <= partition->frozen || partition->skip == 0);
    int64_t base_offset = partition->frozen_end;
    if (partition->written < partition->frozen)
        base_offset = partition->tail[partition->written - partition->tail_first].info.base_offset;
    buf_u64_le(out, (uint64_t)base_offset);
    uint32_t skip = partition->skip;
    buf_u32_le(out, skip);
    size_t size_at = out->size;
    buf_u32_le(out, 0);
    for (uint64_t item = partition->written; item < partition->frozen; item++) {
        const TailItem *it = &partition->tail[item - partition->tail_first];
        buf_put(out, it->data + skip, it->info.size - skip);
        skip = 0;
    }
    uint32_t size = (uint32_t)(out->size - size_at - 4);
    for (int i = 0; i < 4; i++)
        out->data[size_at + (size_t)i] = (uint8_t)(size >> 8 * i);
}

static size_t first_kept_segment(const Partition *partition) {
    assert(partition->frozen_start >= 0);
    size_t first = 0;
    while (first < partition->segment_count && partition->segments[first]->state.sealed &&
           partition->segments[first]->state.end_offset <= partition->frozen_start)
        first++;
    return first;
}

void partition_save(Partition *partition, Buf *out) {
    assert(out);
    size_t begin = out->size;
    lock_take(&partition->lock);
    assert(partition->frozen_start <= partition->frozen_end);
    size_t first = first_kept_segment(partition), count = frozen_segments(partition);
    buf_u32_le(out, SAVE_MAGIC);
    buf_u64_le(out, (uint64_t)partition->frozen_start);
    buf_u64_le(out, (uint64_t)partition->frozen_end);
    buf_u32_le(out, (uint32_t)(count - first));
    for (size_t i = first; i < count; i++)
        segment_state_put(out, &partition->segments[i]->state);
    put_remainder(partition, out);
    lock_release(&partition->lock);
    buf_u64_le(out, hash_bytes((Bytes){out->data + begin, (uint32_t)(out->size - begin)}));
}

/* == And back ================================================================================= */

static ErrCode saved_damaged(const Partition *partition, const char *reason, Err *err) {
    assert(reason);
    return err_set(err, ERR_CORRUPT,
                   "checkpoint of topic %" PRIu32 " partition %" PRIu32 ": %s",
                   partition->where.topic_id, partition->where.partition, reason);
}

static ErrCode load_segments(Partition *partition, Reader *reader, Err *err) {
    assert(partition->segment_count == 0);
    uint32_t count = reader_count(reader, reader_u32_le(reader), SAVE_SEGMENTS_MAX);
    SegmentPlace place = partition_place(partition);
    for (uint32_t i = 0; i < count; i++) {
        SegmentState state;
        if (!segment_state_get(reader, &state))
            return saved_damaged(partition, "impossible segment", err);
        Segment *last =
            i > 0 ? partition->segments[partition->segment_count - 1] : NULL;
        if (last && (!last->state.sealed || last->state.end_offset > state.base_offset))
            return saved_damaged(partition, "segments out of order", err);
        TRY(segment_adopt(&place, &state, err));
        Segment *segment = mem_alloc(sizeof *segment);
        segment->state = state;
        partition->segments = mem_grow(partition->segments, &partition->segment_capacity,
                                       partition->segment_count + 1, sizeof *partition->segments);
        partition->segments[partition->segment_count++] = segment;
    }
    return ERR_OK;
}

/* Appends the batches in `block`; the last must end the partition. */
static ErrCode load_batches(Partition *partition, LogBlock *block, int64_t end, Err *err) {
    assert(block);
    assert(end >= partition->end);
    Bytes left = log_block_bytes(block);
    while (left.size > 0) {
        RecordBatchInfo info;
        Err cause;
        if (record_batch_check(left, &info, &cause) != ERR_OK)
            return saved_damaged(partition, cause.message, err);
        if (info.base_offset != partition->end || info.last_offset >= end)
            return saved_damaged(partition, "offsets of the tail do not fit", err);
        partition_append(partition, block, (Bytes){left.data, info.size}, &info);
        left = (Bytes){left.data + info.size, left.size - info.size};
    }
    return partition->end == end ? ERR_OK : saved_damaged(partition, "the tail is short", err);
}

/* The bytes of the batch across the written end that are in the segment. */
static ErrCode load_head(Partition *partition, uint32_t skip, uint8_t *target, Err *err) {
    assert(skip > 0);
    assert(target);
    Segment *segment = growing_segment(partition);
    SegmentPlace place = partition_place(partition);
    assert(segment && skip <= segment->state.size);
    char path[SEGMENT_PATH_SIZE];
    segment_path(&place, &segment->state, "seg", path);
    IoFile *file;
    uint32_t got;
    TRY(place.io->ops->open(place.io, path, IO_READ, &file, err));
    ErrCode code = file->ops->read(file, segment->state.size - skip, target, skip, &got, err);
    file->ops->close(file);
    if (code == ERR_OK && got < skip)
        code = err_set(err, ERR_CORRUPT, "%s ends too early", path);
    return code;
}

/* The tail begins where the segments end, or inside their last batch. */
static bool tail_fits(const Partition *partition, int64_t base_offset, uint32_t skip) {
    assert(partition->tail_count == 0);
    assert(skip <= RECORD_BATCH_BYTES_MAX);
    if (partition->segment_count == 0)
        return skip == 0 && base_offset >= 0;
    const SegmentState *last = &partition->segments[partition->segment_count - 1]->state;
    if (skip == 0)
        return base_offset == last->end_offset;
    return !last->sealed && base_offset == last->last_offset &&
           last->last_position + skip == last->size;
}

static ErrCode load_tail(Partition *partition, Reader *reader, int64_t end, Err *err) {
    assert(end >= 0);
    assert(partition->tail_count == 0);
    int64_t base_offset = (int64_t)reader_u64_le(reader);
    uint32_t skip = reader_u32_le(reader);
    Bytes rest = reader_bytes(reader, reader_u32_le(reader));
    if (!reader_ok(reader) || skip > RECORD_BATCH_BYTES_MAX ||
        rest.size > UINT32_MAX - RECORD_BATCH_BYTES_MAX)
        return saved_damaged(partition, "impossible tail", err);
    if (!tail_fits(partition, base_offset, skip) || base_offset > end)
        return saved_damaged(partition, "the tail does not fit the segments", err);
    partition->end = base_offset;
    partition->skip = skip;
    if (skip + rest.size == 0)
        return base_offset == end ? ERR_OK : saved_damaged(partition, "the tail is missing", err);
    uint8_t *memory = mem_resize(NULL, skip + rest.size);
    LogBlock *block = log_block_take(memory, skip + rest.size);
    if (rest.size > 0)
        memcpy(memory + skip, rest.data, rest.size);
    ErrCode code = skip > 0 ? load_head(partition, skip, memory, err) : ERR_OK;
    if (code == ERR_OK)
        code = load_batches(partition, block, end, err);
    log_block_unref(block);
    return code;
}

static bool segment_claimed(const Partition *partition, int64_t base_offset, bool added) {
    assert(base_offset >= 0);
    for (size_t i = 0; i < partition->segment_count; i++)
        if (partition->segments[i]->state.base_offset == base_offset &&
            partition->segments[i]->state.added == added)
            return true;
    return false;
}

ErrCode partition_remove_unclaimed(Partition *partition, Err *err) {
    Io *io = partition->io;
    Arena *arena = arena_new("partition_load", 0);
    char **names;
    uint32_t count;
    ErrCode code = io->ops->list(io, partition->folder, arena, &names, &count, err);
    if (code == ERR_NOT_FOUND) {
        code = ERR_OK;
        count = 0;
    }
    for (uint32_t i = 0; code == ERR_OK && i < count; i++) {
        bool added;
        int64_t base = segment_name_base(names[i], &added);
        if (base >= 0 && !segment_claimed(partition, base, added))
            code = io->ops->remove(
                io, arena_printf(arena, "%s/%s", partition->folder, names[i]), err);
    }
    arena_free(arena);
    return code;
}

ErrCode partition_load(Partition *partition, Bytes saved, Err *err) {
    assert(partition->tail_count == 0);
    assert(partition->end == 0 && partition->segment_count == 0);
    if (saved.size < 8)
        return saved_damaged(partition, "cut off", err);
    Bytes body = {saved.data, saved.size - 8};
    Reader sum = reader_of((Bytes){saved.data + body.size, 8});
    if (reader_u64_le(&sum) != hash_bytes(body))
        return saved_damaged(partition, "wrong sum", err);
    Reader reader = reader_of(body);
    bool known = reader_u32_le(&reader) == SAVE_MAGIC;
    int64_t start = (int64_t)reader_u64_le(&reader), end = (int64_t)reader_u64_le(&reader);
    if (!known || start < 0 || start > end)
        return saved_damaged(partition, "unknown format", err);
    TRY(load_segments(partition, &reader, err));
    TRY(load_tail(partition, &reader, end, err));
    if (!reader_ok(&reader) || reader_left(&reader) > 0)
        return saved_damaged(partition, "too long", err);
    partition->start = start;
    partition_freeze(partition);
    return ERR_OK;
}

ErrCode partition_delete_files(Partition *partition, Err *err) {
    Io *io = partition->io;
    Arena *arena = arena_new("partition_delete", 0);
    char **names;
    uint32_t count;
    ErrCode code = io->ops->list(io, partition->folder, arena, &names, &count, err);
    bool there = code == ERR_OK;
    for (uint32_t i = 0; code == ERR_OK && i < count; i++) {
        code = io->ops->remove(io, arena_printf(arena, "%s/%s", partition->folder, names[i]), err);
        if (code == ERR_NOT_FOUND)
            code = ERR_OK;
    }
    if (there && code == ERR_OK)
        code = io->ops->remove(io, partition->folder, err);
    if (code == ERR_NOT_FOUND)
        code = ERR_OK;
    arena_free(arena);
    return code;
}
