/* segment_add.c - see segment_add.h. */
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
    SegmentWriter writer;
    int64_t base, next;
    uint64_t bytes;
};

/* A failed write of data is the end of the storage, as everywhere; lack of space is not. */
static ErrCode segment_add_failed(SegmentAdd *add, ErrCode code, Err *err) {
    if (code == ERR_OK || code == ERR_NO_SPACE)
        return code;
    Err cause = *err;
    return storage_fail(add->storage, &cause, err);
}

static ErrCode segment_add_find(SegmentAdd *add, Err *err) {
    add->topic = topics_find(&add->storage->topics, add->where.topic_id);
    if (!add->topic || add->where.partition >= add->topic->partition_count)
        return err_set(err, ERR_NOT_FOUND, "topic id %u has no partition %u", add->where.topic_id,
                       add->where.partition);
    return ERR_OK;
}

/* Until every record of the partition is in a sealed segment. */
static ErrCode segment_add_seal(SegmentAdd *add, Partition *partition, Err *err) {
    for (int i = 0; i < SEGMENT_ADD_TRIES && !partition_addable(partition); i++) {
        partition_want_seal(partition);
        TRY(checkpoint_wait(add->storage, err));
    }
    if (partition_addable(partition))
        return ERR_OK;
    return err_set(err, ERR_BUSY, "others append to topic id %u, partition %u", add->where.topic_id,
                   add->where.partition);
}

static ErrCode segment_add_begin(SegmentAdd *add, Err *err) {
    Partition *partition = add->topic->partitions[add->where.partition];
    TRY(segment_add_seal(add, partition, err));
    TRY(segment_add_failed(add, partition_make_folder(partition, err), err));
    int64_t start;
    partition_offsets(partition, &start, &add->base);
    add->next = add->base;
    SegmentState state = segment_state_new(add->base);
    state.added = true;
    SegmentPlace place = {add->storage->io, add->folder};
    return segment_add_failed(add, segment_writer_open(&add->writer, &place, &state, err), err);
}

ErrCode segment_add_open(Storage *storage, TopicPartition where, SegmentAdd **add, Err *err) {
    assert(!writer_is_me(storage));
    TRY(storage_state(storage, err));
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

ErrCode segment_add_batch(SegmentAdd *add, const RecordBatch *batch, Err *err) {
    Bytes bytes = buf_view(&batch->buf);
    assert(batch->count > 0);
    assert(bytes.size >= RECORD_BATCH_HEAD_SIZE);
    if (add->bytes > 0 && add->bytes + bytes.size > SEGMENT_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the segment is full (SEGMENT_BYTES_MAX)");
    uint8_t head[RECORD_BATCH_HEAD_SIZE];
    memcpy(head, bytes.data, sizeof head);
    record_batch_patch(head, add->next, 0);
    RecordBatchInfo info = {
        .base_offset = add->next,
        .last_offset = add->next + batch->count - 1,
        .base_timestamp = batch->base_timestamp,
        .max_timestamp = batch->max_timestamp,
        .size = bytes.size,
        .count = batch->count,
    };
    segment_writer_begin(&add->writer, &info);
    ErrCode code = segment_writer_put(&add->writer, (Bytes){head, sizeof head}, err);
    if (code == ERR_OK)
        code = segment_writer_put(
            &add->writer, (Bytes){bytes.data + sizeof head, bytes.size - (uint32_t)sizeof head},
            err);
    add->next = info.last_offset + 1;
    add->bytes += bytes.size;
    return segment_add_failed(add, code, err);
}

uint64_t segment_add_bytes(const SegmentAdd *add) {
    assert(add);
    return add->bytes;
}

int64_t segment_add_base(const SegmentAdd *add) {
    assert(add);
    return add->base;
}

static ErrCode segment_add_finish(SegmentAdd *add, Err *err) {
    Io *io = add->storage->io;
    TRY(segment_writer_finish(&add->writer, true, err));
    return io->ops->sync_folder(io, add->folder, err);
}

ErrCode commit_segment(Commit *commit, SegmentAdd *add, Err *err) {
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
    Buf state = {0};
    segment_state_put(&state, &add->writer.state);
    if (commit_begin(commit, ENTRY_SEGADD, 0, 12 + state.size)) {
        buf_u32_le(&commit->body, add->where.topic_id);
        buf_u32_le(&commit->body, add->where.partition);
        buf_u32_le(&commit->body, 0);
        buf_bytes(&commit->body, buf_view(&state));
        commit_close_entry(commit);
    }
    buf_free(&state);
    return ERR_OK;
}

/* The segment and its index files; whatever stays is removed at the next start. */
static void segment_add_remove(SegmentAdd *add) {
    static const char *const endings[] = {"seg", "idx", "tix"};
    Io *io = add->storage->io;
    SegmentPlace place = {io, add->folder};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[SEGMENT_PATH_SIZE];
        Err ignored;
        segment_path(&place, &add->writer.state, endings[i], path);
        (void)!io->ops->remove(io, path, &ignored);
    }
}

void segment_add_end(SegmentAdd *add, bool keep) {
    assert(add->topic);
    bool begun = add->writer.state.added;
    if (begun && !keep)
        segment_add_remove(add);
    segment_writer_close(&add->writer);
    atomic_store(&add->topic->adding[add->where.partition], false);
    topic_unref(add->topic);
    mem_free(add->folder);
    mem_free(add);
}

void segment_add_drop(SegmentAdd *add) {
    if (add)
        segment_add_end(add, storage_failed(add->storage));
}
