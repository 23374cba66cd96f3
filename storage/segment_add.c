/*
 * segment_add.c - see segment_add.h.
 *
 * One segment is being written at a time; one that is full is sealed and waits in `sealed` for the
 * commit. Batches are written from the memory that the caller filled; while there are few, that
 * memory then serves readers as the partition's tail does (partition_add_segment()).
 */
#include "storage/segment_add.h"

#include <assert.h>

#include "base/mem.h"
#include "storage/commit_impl.h"
#include "storage/segment_impl.h"
#include "storage/storage_impl.h"

enum { SEGMENT_ADD_TRIES = 3 }; /* checkpoints that may be needed until all is sealed */

struct SegmentAdd {
    Storage *storage;
    TopicPartition where;
    Topic *topic; /* one reference */
    char *folder;
    SegmentWriter writer; /* of the last segment */
    SegmentState *sealed; /* those before it */
    size_t sealed_count, sealed_capacity;
    int64_t base, next;
    uint64_t bytes;
    TailItem *kept; /* all batches, or none */
    size_t kept_count, kept_capacity;
};

/* A failed write of data is the end of the storage, as everywhere; lack of space is not. */
static ErrCode segment_add_failed(SegmentAdd *add, ErrCode code, Err *err) {
    assert(add->storage);
    if (code == ERR_OK || code == ERR_NO_SPACE)
        return code;
    Err cause = *err;
    return storage_fail(add->storage, &cause, err);
}

static ErrCode segment_add_find(SegmentAdd *add, Err *err) {
    assert(!add->topic);
    add->topic = topics_find(&add->storage->topics, add->where.topic_id);
    if (!add->topic || add->where.partition >= add->topic->partition_count)
        return err_set(err, ERR_NOT_FOUND, "topic id %u has no partition %u", add->where.topic_id,
                       add->where.partition);
    return ERR_OK;
}

/* Until every record of the partition is in a sealed segment. Whoever loads one partition is
 * likely to load its neighbours: one checkpoint does for all. */
static ErrCode segment_add_seal(SegmentAdd *add, Partition *partition, Err *err) {
    assert(add->topic);
    for (int i = 0; i < SEGMENT_ADD_TRIES && !partition_addable(partition); i++) {
        for (uint32_t j = 0; j < add->topic->partition_count; j++)
            partition_want_seal(add->topic->partitions[j]);
        TRY(checkpoint_wait(add->storage, err));
    }
    if (partition_addable(partition))
        return ERR_OK;
    return err_set(err, ERR_BUSY, "others append to topic id %u, partition %u", add->where.topic_id,
                   add->where.partition);
}

static ErrCode segment_add_writer(SegmentAdd *add, Err *err) {
    assert(!add->writer.file);
    assert(add->next >= add->base);
    SegmentState state = segment_state_new(add->next);
    state.added = true;
    SegmentPlace place = {add->storage->io, add->folder};
    return segment_writer_open(&add->writer, &place, &state, err);
}

static ErrCode segment_add_begin(SegmentAdd *add, Err *err) {
    assert(add->topic);
    assert(add->bytes == 0);
    Partition *partition = add->topic->partitions[add->where.partition];
    if (reserve_is_missed(add->storage))
        return err_set(err, ERR_NO_SPACE, "no space for a load into %s", add->storage->folder);
    TRY(segment_add_seal(add, partition, err));
    TRY(segment_add_failed(add, partition_make_folder(partition, err), err));
    int64_t start;
    partition_offsets(partition, &start, &add->base);
    add->next = add->base;
    return segment_add_failed(add, segment_add_writer(add, err), err);
}

ErrCode segment_add_open(Storage *storage, TopicPartition where, SegmentAdd **add, Err *err) {
    assert(add);
    assert(!writer_is_me(storage));
    TRY(storage_state(storage, err));
    if (storage->cluster)
        return err_set(err, ERR_BUSY, "a cluster takes records one commit after the other");
    SegmentAdd *opened = mem_alloc(sizeof *opened);
    opened->storage = storage;
    opened->where = where;
    ErrCode code = segment_add_find(opened, err);
    bool busy = code == ERR_OK && atomic_exchange(&opened->topic->adding[where.partition], true);
    if (busy)
        code = err_set(err, ERR_BUSY, "topic id %u, partition %u is being loaded", where.topic_id,
                       where.partition);
    if (code != ERR_OK) {
        if (opened->topic)
            topic_unref(opened->topic);
        mem_free(opened);
        return code;
    }
    char *folder = topic_folder(storage->folder, where.topic_id);
    Buf path = {0};
    buf_printf(&path, "%s/%u", folder, where.partition);
    opened->folder = mem_strdup(buf_cstr(&path));
    buf_free(&path);
    mem_free(folder);
    code = segment_add_begin(opened, err);
    if (code == ERR_OK)
        *add = opened;
    else
        segment_add_end(opened, storage_failed(storage));
    return code;
}

/* Seals the segment that is full, and begins the next. */
static ErrCode segment_add_next(SegmentAdd *add, Err *err) {
    assert(segment_writer_size(&add->writer) > 0);
    assert(add->next > add->base);
    TRY(segment_writer_finish(&add->writer, true, err));
    add->sealed = mem_grow(add->sealed, &add->sealed_capacity, add->sealed_count + 1,
                           sizeof *add->sealed);
    add->sealed[add->sealed_count++] = add->writer.state;
    segment_writer_close(&add->writer);
    return segment_add_writer(add, err);
}

static ErrCode segment_add_write(SegmentAdd *add, const RecordBatchInfo *info, const uint8_t *data,
                                 Err *err) {
    assert(info->size > 0);
    assert(add->writer.file);
    if (segment_writer_size(&add->writer) > 0 &&
        segment_writer_size(&add->writer) + info->size > add->storage->options.segment_bytes_max)
        TRY(segment_add_next(add, err));
    segment_writer_begin(&add->writer, info);
    return segment_writer_put(&add->writer, (Bytes){data, info->size}, err);
}

static void segment_add_forget(SegmentAdd *add) {
    assert(add->kept || add->kept_count == 0);
    for (size_t i = 0; i < add->kept_count; i++)
        log_block_unref(add->kept[i].block);
    mem_free(add->kept);
    add->kept = NULL;
    add->kept_count = add->kept_capacity = 0;
}

/* The batch's memory as a block of the log. */
static void segment_add_keep(SegmentAdd *add, RecordBatch *batch, const RecordBatchInfo *info) {
    assert(info->size == batch->buf.size);
    assert(add->bytes >= info->size);
    if (add->bytes > PARTITION_KEEP_BYTES) {
        segment_add_forget(add);
        record_batch_reset(batch);
        return;
    }
    SpareMemory *spare = &add->storage->spare;
    uint8_t *data = batch->buf.data;
    LogBlock *block = log_block_take_spare(data, batch->buf.capacity, (Bytes){data, info->size},
                                           spare);
    add->kept = mem_grow(add->kept, &add->kept_capacity, add->kept_count + 1, sizeof *add->kept);
    add->kept[add->kept_count++] = (TailItem){block, data, *info};
    batch->buf = (Buf){0};
    if (info->size > SPARE_MEMORY_STEP / 2)
        batch->buf.data = spare_memory_take(spare, info->size, &batch->buf.capacity);
    record_batch_reset(batch);
}

ErrCode segment_add_batch(SegmentAdd *add, RecordBatch *batch, Err *err) {
    assert(add->writer.file);
    assert(batch->count > 0);
    assert(batch->buf.size >= RECORD_BATCH_HEAD_SIZE);
    record_batch_patch(batch->buf.data, add->next, 0);
    RecordBatchInfo info = {
        .base_offset = add->next,
        .last_offset = add->next + batch->count - 1,
        .base_timestamp = batch->base_timestamp,
        .max_timestamp = batch->max_timestamp,
        .size = (uint32_t)batch->buf.size,
        .count = batch->count,
    };
    ErrCode code = segment_add_write(add, &info, batch->buf.data, err);
    add->next = info.last_offset + 1;
    add->bytes += info.size;
    segment_add_keep(add, batch, &info);
    return segment_add_failed(add, code, err);
}

uint64_t segment_add_bytes(const SegmentAdd *add) {
    assert(add);
    return add->bytes;
}

int64_t segment_add_base(const SegmentAdd *add) {
    assert(add->base <= add->next);
    assert(add);
    return add->base;
}

static ErrCode segment_add_finish(SegmentAdd *add, Err *err) {
    assert(add->writer.file);
    assert(add->next > add->base);
    Io *io = add->storage->io;
    TRY(segment_writer_finish(&add->writer, true, err));
    return io->ops->sync_folder(io, add->folder, err);
}

static void segment_add_entry(SegmentAdd *add, const SegmentState *state, Commit *commit) {
    assert(state->sealed);
    assert(state->added);
    Buf encoded = {0};
    segment_state_put(&encoded, state);
    if (commit_begin(commit, ENTRY_SEGADD, 0, 12 + encoded.size)) {
        buf_u32_le(&commit->body, add->where.topic_id);
        buf_u32_le(&commit->body, add->where.partition);
        buf_u32_le(&commit->body, 0);
        buf_bytes(&commit->body, buf_view(&encoded));
        commit_close_entry(commit);
    }
    buf_free(&encoded);
}

ErrCode commit_segment(Commit *commit, SegmentAdd *add, Err *err) {
    assert(add->next > add->base);
    assert(add->bytes > 0);
    ErrCode code = segment_add_failed(add, segment_add_finish(add, err), err);
    if (code != ERR_OK) {
        segment_add_end(add, storage_failed(add->storage));
        return code;
    }
    commit->segments = mem_grow(commit->segments, &commit->segment_capacity,
                                commit->segment_count + 1, sizeof *commit->segments);
    commit->segments[commit->segment_count++] =
        (CommitSegment){add->where, add->base, add->next, add};
    for (size_t i = 0; i < add->sealed_count; i++)
        segment_add_entry(add, &add->sealed[i], commit);
    segment_add_entry(add, &add->writer.state, commit);
    return ERR_OK;
}

void segment_add_publish(SegmentAdd *add) {
    assert(add->kept || add->kept_count == 0);
    assert(add->writer.state.sealed);
    if (add->kept_count == 0)
        return;
    Partition *partition = add->topic->partitions[add->where.partition];
    partition_keep(partition, add->kept, add->kept_count);
    add->kept_count = 0; /* the references went with them */
}

/* A segment and its index files; whatever stays is removed at the next start. */
static void segment_add_remove(SegmentAdd *add, const SegmentState *state) {
    assert(state->added);
    static const char *const endings[] = {"seg", "idx", "tix"};
    Io *io = add->storage->io;
    SegmentPlace place = {io, add->folder};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[SEGMENT_PATH_SIZE];
        Err ignored;
        segment_path(&place, state, endings[i], path);
        (void)!io->ops->remove(io, path, &ignored);
    }
}

void segment_add_end(SegmentAdd *add, bool keep) {
    assert(add->folder || !add->writer.file);
    assert(add->topic);
    for (size_t i = 0; i < add->sealed_count && !keep; i++)
        segment_add_remove(add, &add->sealed[i]);
    if (add->writer.state.added && !keep)
        segment_add_remove(add, &add->writer.state);
    segment_writer_close(&add->writer);
    segment_add_forget(add);
    atomic_store(&add->topic->adding[add->where.partition], false);
    topic_unref(add->topic);
    mem_free(add->sealed);
    mem_free(add->folder);
    mem_free(add);
}

void segment_add_drop(SegmentAdd *add) {
    if (add)
        segment_add_end(add, storage_failed(add->storage));
}
