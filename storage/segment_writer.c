/*
 * segment_writer.c - adds batches to a segment and keeps its sums; the same bookkeeping makes an
 * index again from a segment alone.
 *
 * Bytes are gathered in an aligned buffer that begins at a multiple of 4 KiB of the file and are
 * written when it is full, so every write but the last one of a sealed segment is of whole aligned
 * blocks. Invariant: the state is never ahead of the bytes that were written.
 */
#include <assert.h>
#include <inttypes.h>

#include "base/mem.h"
#include "storage/segment_impl.h"

enum {
    STAGING_BYTES = 4 * SEGMENT_READ_BYTES, /* each write wakes the disk */
    LOOK_AHEAD_BYTES = RECORD_BATCH_HEAD_SIZE, /* of a batch that begins at the end of a chunk */
};

/* == Bookkeeping ============================================================================== */

static void state_begin(SegmentState *state, uint32_t position, const RecordBatchInfo *info) {
    assert(info->base_offset >= state->end_offset);
    uint32_t chunk = position - position % SEGMENT_CHUNK_BYTES;
    if (info->max_timestamp > state->max_timestamp)
        state->max_timestamp = info->max_timestamp;
    if (state->open.offset < 0 || state->open.position < chunk) {
        state->open.offset = info->base_offset;
        state->open.position = position;
    }
    state->open.time = state->max_timestamp;
    state->end_offset = info->last_offset + 1;
    state->last_offset = info->base_offset;
    state->last_position = position;
}

/* The chunk is complete: its entry joins the chain, and the next one is open. */
static void state_close_chunk(SegmentState *state, SegmentIndex *entries) {
    assert(entries);
    assert(state->open.offset >= 0);
    segment_index_add(entries, &state->open);
    state->root = segment_root(state->root, &state->open);
    state->open = (SegmentEntry){state->last_offset, state->last_position, 0,
                                 state->max_timestamp};
}

/* == Writing ================================================================================== */

ErrCode segment_writer_open(SegmentWriter *writer, const SegmentPlace *place,
                            const SegmentState *state, Err *err) {
    assert(!state->sealed);
    assert(state->size % SEGMENT_BLOCK_BYTES == 0);
    *writer = (SegmentWriter){.place = *place, .state = *state};
    writer->first_chunk = segment_chunk_count(state);
    char path[SEGMENT_PATH_SIZE];
    segment_path(place, state, "seg", path);
    TRY(place->io->ops->open(place->io, path, IO_DIRECT, &writer->file, err));
    uint64_t size;
    TRY(writer->file->ops->size(writer->file, &size, err));
    if (size < state->size)
        return err_set(err, ERR_CORRUPT, "%s: %" PRIu64 " bytes, must be %u", path, size,
                       state->size);
    if (size > state->size)
        TRY(writer->file->ops->resize(writer->file, state->size, err));
    writer->memory = mem_resize(NULL, STAGING_BYTES + SEGMENT_BLOCK_BYTES);
    uintptr_t over = (uintptr_t)writer->memory % SEGMENT_BLOCK_BYTES;
    writer->staging = writer->memory + (over ? SEGMENT_BLOCK_BYTES - over : 0);
    return ERR_OK;
}

uint32_t segment_writer_size(const SegmentWriter *writer) {
    assert(writer->used <= STAGING_BYTES);
    return writer->state.size + writer->used;
}

void segment_writer_begin(SegmentWriter *writer, const RecordBatchInfo *info) {
    assert(info->size > 0);
    assert(info->last_offset >= info->base_offset);
    assert(writer->file);
    state_begin(&writer->state, segment_writer_size(writer), info);
}

static void writer_sum(SegmentWriter *writer) {
    assert(writer->used <= STAGING_BYTES);
    assert(writer->summed <= writer->used);
    Bytes fresh = {writer->staging + writer->summed, writer->used - writer->summed};
    writer->state.open.sum = segment_sum(writer->state.open.sum, fresh);
    writer->summed = writer->used;
}

static ErrCode writer_flush(SegmentWriter *writer, Err *err) {
    assert(writer->file);
    assert(writer->state.size % SEGMENT_BLOCK_BYTES == 0);
    if (writer->used == 0)
        return ERR_OK;
    assert(writer->summed == writer->used);
    Bytes bytes = {writer->staging, writer->used};
    TRY(writer->file->ops->write(writer->file, writer->state.size, bytes, err));
    writer->state.size += writer->used;
    writer->used = writer->summed = 0;
    return ERR_OK;
}

ErrCode segment_writer_put(SegmentWriter *writer, Bytes bytes, Err *err) {
    assert(!writer->state.sealed);
    assert(writer->file);
    while (bytes.size > 0) {
        uint32_t room = STAGING_BYTES - writer->used;
        uint32_t chunk_used = segment_writer_size(writer) % SEGMENT_CHUNK_BYTES;
        uint32_t chunk_room = SEGMENT_CHUNK_BYTES - chunk_used;
        uint32_t step = room < chunk_room ? room : chunk_room;
        if (step > bytes.size)
            step = bytes.size;
        memcpy(writer->staging + writer->used, bytes.data, step);
        writer->used += step;
        bytes = (Bytes){bytes.data + step, bytes.size - step};
        if (step == chunk_room) {
            writer_sum(writer);
            state_close_chunk(&writer->state, &writer->entries);
        }
        if (writer->used == STAGING_BYTES) {
            writer_sum(writer);
            TRY(writer_flush(writer, err));
        }
    }
    return ERR_OK;
}

ErrCode segment_writer_finish(SegmentWriter *writer, bool seal, Err *err) {
    assert(writer->file);
    assert(!writer->state.sealed);
    assert(seal || segment_writer_size(writer) % SEGMENT_BLOCK_BYTES == 0);
    writer_sum(writer);
    if (seal && segment_writer_size(writer) % SEGMENT_CHUNK_BYTES != 0)
        state_close_chunk(&writer->state, &writer->entries);
    TRY(writer_flush(writer, err));
    TRY(writer->file->ops->sync(writer->file, err));
    writer->state.sealed = seal;
    return segment_index_write(&writer->place, &writer->state, &writer->entries,
                               writer->first_chunk, err);
}

void segment_writer_close(SegmentWriter *writer) {
    if (writer->file)
        writer->file->ops->close(writer->file);
    segment_index_free(&writer->entries);
    mem_free(writer->memory);
    *writer = (SegmentWriter){0};
}

/* == An index from its segment ================================================================ */

typedef struct SegmentScan {
    const SegmentState *want;
    SegmentState state; /* made again from nothing */
    uint32_t next;      /* where the next batch begins */
} SegmentScan;

/* The head of the batch at the end of `bytes`, of which the last may not be whole on disk: then the
 * state knows it. */
static bool scan_head(const SegmentScan *scan, Bytes bytes, RecordBatchInfo *info) {
    const SegmentState *want = scan->want;
    assert(bytes.size > 0);
    if (scan->next != want->last_position || bytes.size >= RECORD_BATCH_HEAD_SIZE)
        return record_batch_peek(bytes, info);
    *info = (RecordBatchInfo){.base_offset = want->last_offset,
                              .last_offset = want->end_offset - 1,
                              .max_timestamp = want->max_timestamp,
                              .size = UINT32_MAX - scan->next};
    return true;
}

/* The batches that begin in [position, position + size), of which `bytes` has more. false: these
 * are no batches. */
static bool scan_begins(SegmentScan *scan, uint32_t position, uint32_t size, Bytes bytes) {
    assert(bytes.size >= size);
    assert(scan->next >= position);
    while (scan->next < position + size) {
        uint32_t at = scan->next - position;
        RecordBatchInfo info;
        if (!scan_head(scan, (Bytes){bytes.data + at, bytes.size - at}, &info) ||
            info.base_offset < scan->state.end_offset)
            return false;
        state_begin(&scan->state, scan->next, &info);
        scan->next = info.size > UINT32_MAX - scan->next ? UINT32_MAX : scan->next + info.size;
    }
    return true;
}

static ErrCode scan_chunks(SegmentScan *scan, IoFile *file, const SegmentState *state,
                           SegmentIndex *index, Err *err) {
    assert(index->count == 0);
    uint8_t *memory = mem_resize(NULL, SEGMENT_CHUNK_BYTES + LOOK_AHEAD_BYTES);
    uint32_t count = segment_chunk_count(state);
    ErrCode code = ERR_OK;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = i * SEGMENT_CHUNK_BYTES, got;
        uint32_t left = state->size - position;
        uint32_t size = left < SEGMENT_CHUNK_BYTES ? left : SEGMENT_CHUNK_BYTES;
        uint32_t want = left < size + LOOK_AHEAD_BYTES ? left : size + LOOK_AHEAD_BYTES;
        TRY_DONE(file->ops->read(file, position, memory, want, &got, err));
        if (got < want || !scan_begins(scan, position, size, (Bytes){memory, want})) {
            code = err_set(err, ERR_CORRUPT, "damaged near byte %u", position);
            goto done;
        }
        scan->state.open.sum = segment_sum(0, (Bytes){memory, size});
        state_close_chunk(&scan->state, index);
    }
done:
    mem_free(memory);
    return code;
}

ErrCode segment_index_rebuild(const SegmentPlace *place, const SegmentState *state,
                              SegmentIndex *index, Err *err) {
    assert(index->count == 0);
    char path[SEGMENT_PATH_SIZE];
    segment_path(place, state, "seg", path);
    IoFile *file;
    ErrCode code = place->io->ops->open(place->io, path, IO_READ, &file, err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_CORRUPT, "%s is missing", path);
    TRY(code);
    SegmentScan scan = {.want = state, .state = segment_state_new(state->base_offset)};
    Err cause;
    code = scan_chunks(&scan, file, state, index, &cause);
    file->ops->close(file);
    if (code == ERR_CORRUPT)
        return err_set(err, ERR_CORRUPT, "%s: %s", path, cause.message);
    if (code != ERR_OK)
        return err_set(err, code, "%s", cause.message);
    if (scan.state.root != state->root)
        return err_set(err, ERR_CORRUPT,
                       "%s: its index is lost and its bytes are not those of the checkpoint", path);
    return ERR_OK;
}
