/* journal_reader.c - see journal_reader_impl.h. */
#include "storage/journal_reader_impl.h"

#include <assert.h>

#include "base/mem.h"

enum { WINDOW_BYTES = 1 << 20 };

/* *view: bytes from `at` on, as many as wanted, fewer at the end of the file. */
static ErrCode reader_view(JournalReader *reader, uint64_t at, uint64_t wanted, Bytes *view,
                           Err *err) {
    assert(reader->file);
    assert(view);
    uint64_t left = at < reader->size ? reader->size - at : 0;
    if (wanted > left)
        wanted = left;
    assert(wanted <= UINT32_MAX);
    bool inside = at >= reader->window_at &&
                  at + wanted <= reader->window_at + reader->window.size;
    if (!inside) {
        uint64_t size = wanted > WINDOW_BYTES ? wanted : WINDOW_BYTES;
        if (size > left)
            size = left;
        uint32_t got;
        reader->window_at = at;
        buf_reset(&reader->window);
        TRY(reader->file->ops->read(reader->file, at, buf_room(&reader->window, (size_t)size),
                                    (uint32_t)size, &got, err));
        reader->window.size = got;
        if (wanted > got)
            wanted = got;
    }
    *view = (Bytes){reader->window.data + (at - reader->window_at), (uint32_t)wanted};
    return ERR_OK;
}

ErrCode journal_reader_open(JournalReader *reader, Io *io, const char *path, uint64_t seq,
                            Err *err) {
    assert(io && path);
    *reader = (JournalReader){.seq = seq, .path = mem_strdup(path)};
    Bytes block;
    ErrCode code = ERR_OK;
    TRY_DONE(io->ops->open(io, path, IO_READ, &reader->file, err));
    TRY_DONE(reader->file->ops->size(reader->file, &reader->size, err));
    TRY_DONE(reader_view(reader, 0, JOURNAL_HEAD_SIZE, &block, err));
    reader->head_valid = journal_read_head(block, &reader->head) && reader->head.seq == seq;
done:
    if (code != ERR_OK)
        journal_reader_close(reader);
    return code;
}

void journal_reader_close(JournalReader *reader) {
    if (reader->file)
        reader->file->ops->close(reader->file);
    buf_free(&reader->window);
    mem_free(reader->path);
    *reader = (JournalReader){0};
}

/* A head at `at`, believed as far as its sum goes. */
static ErrCode reader_head(JournalReader *reader, uint64_t at, FrameHead *head, bool *found,
                           Err *err) {
    assert(head && found);
    assert(at % FRAME_ALIGN == 0);
    Bytes view;
    *found = false;
    TRY(reader_view(reader, at, FRAME_FIXED_SIZE, &view, err));
    if (view.size < FRAME_FIXED_SIZE)
        return ERR_OK;
    uint32_t size = frame_probe(view);
    if (size == 0 || size > reader->size - at)
        return ERR_OK;
    TRY(reader_view(reader, at, size, &view, err));
    *found = frame_read_head(view, head);
    return ERR_OK;
}

static ErrCode reader_frame(JournalReader *reader, const FrameChain *chain, uint64_t at,
                            JournalFound *next, bool *found, Err *err) {
    assert(at % FRAME_ALIGN == 0);
    Bytes view;
    TRY(reader_head(reader, at, &next->head, found, err));
    if (!*found || !frame_continues(&next->head, chain) || next->head.size > reader->size - at) {
        *found = false;
        return ERR_OK;
    }
    TRY(reader_view(reader, at, next->head.size, &view, err));
    *found = view.size == next->head.size && frame_check_body(view, &next->head, &next->sum);
    next->frame = view;
    next->offset = at;
    return ERR_OK;
}

ErrCode journal_read_next(JournalReader *reader, const FrameChain *chain, uint64_t *offset,
                          JournalFound *next, bool *found, Err *err) {
    assert(*offset >= JOURNAL_HEAD_BLOCK);
    uint64_t at = frame_align(*offset, FRAME_ALIGN), group = frame_align(*offset, GROUP_ALIGN);
    TRY(reader_frame(reader, chain, at, next, found, err));
    if (!*found && group != at)
        TRY(reader_frame(reader, chain, group, next, found, err));
    if (*found) {
        *offset = next->offset + next->head.size;
        return ERR_OK;
    }
    Bytes padding; /* zeros only: the next frame was to begin with the next group */
    TRY(reader_view(reader, at, group - at, &padding, err));
    uint32_t zeros = 0;
    while (zeros < padding.size && padding.data[zeros] == 0)
        zeros++;
    *offset = zeros == padding.size ? group : at;
    return ERR_OK;
}

/* The next place that is not known to be zeros: what a file has in reserve is not read. */
static uint64_t reader_written(const JournalReader *reader, uint64_t at) {
    IoFile *file = reader->file;
    assert(at % FRAME_ALIGN == 0);
    if (!file->ops->unwritten || (at >= reader->window_at &&
                                  at < reader->window_at + reader->window.size))
        return at;
    return file->ops->unwritten(file, at) / FRAME_ALIGN * FRAME_ALIGN;
}

ErrCode journal_scan_next(JournalReader *reader, uint64_t *offset, FrameHead *head, bool *found,
                          Err *err) {
    const uint32_t magic = FRAME_MAGIC;
    uint64_t at = frame_align(*offset, FRAME_ALIGN);
    *found = false;
    while (!*found && at < reader->size) {
        Bytes view;
        at = reader_written(reader, at);
        TRY(reader_view(reader, at, WINDOW_BYTES / 2, &view, err));
        uint32_t skip = 0;
        while (skip + 4 <= view.size &&
               (view.data[skip] != (uint8_t)magic ||
                view.data[skip + 1] != (uint8_t)(magic >> 8) ||
                view.data[skip + 2] != (uint8_t)(magic >> 16) ||
                view.data[skip + 3] != (uint8_t)(magic >> 24)))
            skip += FRAME_ALIGN;
        bool hit = skip + 4 <= view.size;
        if (view.size == 0)
            break;
        at += hit ? skip : view.size;
        at = frame_align(at, FRAME_ALIGN);
        if (!hit)
            continue;
        TRY(reader_head(reader, at, head, found, err));
        at += FRAME_ALIGN;
    }
    *offset = at;
    return ERR_OK;
}
