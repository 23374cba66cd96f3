/*
 * segment.c - the state of a segment, its index files, and how both are proved; writing is in
 * segment_writer.c.
 */
#include "storage/segment_impl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"

enum {
    INDEX_HEAD_BYTES = 16,
    IDX_ENTRY_BYTES = 24,
    TIX_ENTRY_BYTES = 8,
    STATE_SEALED = 1,
    STATE_ADDED = 2,
    NAME_DIGITS = 20,
};

static const char idx_magic[8] = "WEIRIDX1", tix_magic[8] = "WEIRTIX1";

/* == Names ==================================================================================== */

void segment_path(const SegmentPlace *place, const SegmentState *state, const char *ending,
                  char path[SEGMENT_PATH_SIZE]) {
    assert(state->base_offset >= 0);
    int size = snprintf(path, SEGMENT_PATH_SIZE, "%s/%020" PRId64 "%s.%s", place->folder,
                        state->base_offset, state->added ? "a" : "", ending);
    assert(size > 0 && size < SEGMENT_PATH_SIZE);
    (void)size;
}

int64_t segment_name_base(const char *name, bool *added) {
    assert(name);
    int64_t base = 0;
    for (int i = 0; i < NAME_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9' || base > (INT64_MAX - 9) / 10)
            return -1;
        base = base * 10 + (name[i] - '0');
    }
    const char *ending = name + NAME_DIGITS;
    *added = *ending == 'a';
    ending += *added;
    bool ours = strcmp(ending, ".seg") == 0 || strcmp(ending, ".idx") == 0 ||
                strcmp(ending, ".tix") == 0;
    return ours ? base : -1;
}

/* == State ==================================================================================== */

SegmentState segment_state_new(int64_t base_offset) {
    assert(base_offset >= 0);
    return (SegmentState){
        .base_offset = base_offset,
        .end_offset = base_offset,
        .max_timestamp = INT64_MIN,
        .open = {.offset = -1, .time = INT64_MIN},
        .last_offset = -1,
    };
}

uint32_t segment_chunk_count(const SegmentState *state) {
    assert(state->size > 0 || !state->sealed);
    uint32_t round_up = state->sealed ? SEGMENT_CHUNK_BYTES - 1 : 0;
    assert(state->size <= UINT32_MAX - SEGMENT_CHUNK_BYTES);
    return (state->size + round_up) / SEGMENT_CHUNK_BYTES;
}

static void put_entry(Buf *out, const SegmentEntry *entry) {
    buf_u64_le(out, (uint64_t)entry->offset);
    buf_u32_le(out, entry->position);
    buf_u32_le(out, 0);
    buf_u64_le(out, entry->sum);
}

void segment_state_put(Buf *out, const SegmentState *state) {
    assert(state->end_offset >= state->base_offset);
    assert(state->sealed || state->size % SEGMENT_BLOCK_BYTES == 0);
    buf_u64_le(out, (uint64_t)state->base_offset);
    buf_u64_le(out, (uint64_t)state->end_offset);
    buf_u32_le(out, state->size);
    buf_u32_le(out, (state->sealed ? STATE_SEALED : 0U) | (state->added ? STATE_ADDED : 0U));
    buf_u64_le(out, (uint64_t)state->max_timestamp);
    buf_u64_le(out, state->root);
    put_entry(out, &state->open);
    buf_u64_le(out, (uint64_t)state->last_offset);
    buf_u32_le(out, state->last_position);
}

static void get_entry(Reader *reader, SegmentEntry *entry) {
    assert(entry);
    entry->offset = (int64_t)reader_u64_le(reader);
    entry->position = reader_u32_le(reader);
    if (reader_u32_le(reader) != 0)
        reader->failed = true;
    entry->sum = reader_u64_le(reader);
}

bool segment_state_get(Reader *reader, SegmentState *state) {
    assert(state);
    *state = (SegmentState){0};
    state->base_offset = (int64_t)reader_u64_le(reader);
    state->end_offset = (int64_t)reader_u64_le(reader);
    state->size = reader_u32_le(reader);
    uint32_t flags = reader_u32_le(reader);
    state->sealed = flags & STATE_SEALED;
    state->added = flags & STATE_ADDED;
    state->max_timestamp = (int64_t)reader_u64_le(reader);
    state->root = reader_u64_le(reader);
    get_entry(reader, &state->open);
    state->open.time = state->max_timestamp;
    state->last_offset = (int64_t)reader_u64_le(reader);
    state->last_position = reader_u32_le(reader);
    return reader_ok(reader) && flags <= (STATE_SEALED | STATE_ADDED) &&
           (state->sealed || !state->added) && state->base_offset >= 0 &&
           state->end_offset > state->base_offset && state->size > 0 &&
           state->size <= UINT32_MAX - SEGMENT_CHUNK_BYTES &&
           (state->sealed || state->size % SEGMENT_BLOCK_BYTES == 0) &&
           state->open.position < state->size && state->last_position < state->size;
}

ErrCode segment_adopt(const SegmentPlace *place, const SegmentState *state, Err *err) {
    assert(state->base_offset >= 0);
    assert(state->size > 0);
    char path[SEGMENT_PATH_SIZE];
    segment_path(place, state, "seg", path);
    IoFile *file;
    ErrCode code = place->io->ops->open(place->io, path, IO_READ, &file, err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_CORRUPT, "%s is missing", path);
    TRY(code);
    uint64_t size;
    code = file->ops->size(file, &size, err);
    file->ops->close(file);
    TRY(code);
    if (size < state->size)
        return err_set(err, ERR_CORRUPT, "%s: %" PRIu64 " bytes, must be %u", path, size,
                       state->size);
    if (size == state->size)
        return ERR_OK;
    TRY(place->io->ops->open(place->io, path, IO_WRITE, &file, err));
    code = file->ops->resize(file, state->size, err);
    file->ops->close(file);
    return code;
}

/* == Sums ===================================================================================== */

uint64_t segment_sum(uint64_t sum, Bytes bytes) {
    assert(bytes.data || bytes.size == 0);
    for (uint32_t at = 0; at < bytes.size; at += SEGMENT_BLOCK_BYTES) {
        uint32_t left = bytes.size - at;
        uint32_t size = left < SEGMENT_BLOCK_BYTES ? left : SEGMENT_BLOCK_BYTES;
        sum = hash_u64(sum + hash_bytes((Bytes){bytes.data + at, size}));
    }
    return sum;
}

uint64_t segment_root(uint64_t root, const SegmentEntry *entry) {
    assert(entry->offset >= 0);
    uint64_t link[] = {root, (uint64_t)entry->offset, entry->position, entry->sum,
                       (uint64_t)entry->time};
    uint8_t bytes[sizeof link];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(link[i / 8] >> 8 * (i % 8));
    return hash_bytes((Bytes){bytes, sizeof bytes});
}

/* == The index in memory ====================================================================== */

void segment_index_add(SegmentIndex *index, const SegmentEntry *entry) {
    assert(entry->offset >= 0);
    index->entries = mem_grow(index->entries, &index->capacity, index->count + 1,
                              sizeof *index->entries);
    index->entries[index->count++] = *entry;
}

void segment_index_join(SegmentIndex *index, const SegmentIndex *more) {
    assert(index->count <= index->capacity);
    assert(index != more);
    for (size_t i = 0; i < more->count; i++)
        segment_index_add(index, &more->entries[i]);
}

void segment_index_free(SegmentIndex *index) {
    mem_free(index->entries);
    *index = (SegmentIndex){0};
}

SegmentEntry segment_index_find(const SegmentIndex *index, const SegmentState *state,
                                int64_t offset) {
    assert(offset >= state->base_offset);
    assert(index->count == segment_chunk_count(state));
    bool open = state->size > index->count * (uint64_t)SEGMENT_CHUNK_BYTES;
    if (open && state->open.offset <= offset)
        return state->open;
    size_t low = 0, high = index->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (index->entries[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    assert(low < index->count);
    return index->entries[low];
}

/* == The index on disk ======================================================================== */

static void put_head(Buf *out, const char magic[8], int64_t base_offset) {
    assert(base_offset >= 0);
    buf_put(out, magic, 8);
    buf_u64_le(out, (uint64_t)base_offset);
}

static ErrCode index_write_file(const SegmentPlace *place, const char *path, uint64_t offset,
                                Bytes bytes, Err *err) {
    assert(path[0] != '\0');
    IoFile *file;
    assert(bytes.size > 0);
    TRY(place->io->ops->open(place->io, path, IO_WRITE, &file, err));
    ErrCode code = file->ops->write(file, offset, bytes, err);
    file->ops->close(file);
    return code;
}

ErrCode segment_index_write(const SegmentPlace *place, const SegmentState *state,
                            const SegmentIndex *index, uint32_t from, Err *err) {
    if (index->count == 0)
        return ERR_OK;
    assert(from + index->count <= segment_chunk_count(state));
    Buf idx = {0}, tix = {0};
    if (from == 0) {
        put_head(&idx, idx_magic, state->base_offset);
        put_head(&tix, tix_magic, state->base_offset);
    }
    for (size_t i = 0; i < index->count; i++) {
        put_entry(&idx, &index->entries[i]);
        buf_u64_le(&tix, (uint64_t)index->entries[i].time);
    }
    uint64_t head = from == 0 ? 0 : INDEX_HEAD_BYTES;
    char path[SEGMENT_PATH_SIZE];
    segment_path(place, state, "idx", path);
    ErrCode code = index_write_file(place, path, head + (uint64_t)from * IDX_ENTRY_BYTES,
                                    buf_view(&idx), err);
    if (code == ERR_OK) {
        segment_path(place, state, "tix", path);
        code = index_write_file(place, path, head + (uint64_t)from * TIX_ENTRY_BYTES,
                                buf_view(&tix), err);
    }
    buf_free(&idx);
    buf_free(&tix);
    return code;
}

/* The file's bytes after its head. *bytes is empty when the file cannot be it; an error only when
 * the disk fails. Caller frees `memory`. */
static ErrCode index_read_file(const SegmentPlace *place, const SegmentState *state,
                               const char magic[8], Buf *memory, uint32_t size, Err *err) {
    assert(memory->size == 0);
    char path[SEGMENT_PATH_SIZE];
    segment_path(place, state, magic == idx_magic ? "idx" : "tix", path);
    IoFile *file;
    ErrCode code = place->io->ops->open(place->io, path, IO_READ, &file, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(code);
    uint32_t got, whole = size + INDEX_HEAD_BYTES;
    code = file->ops->read(file, 0, buf_room(memory, whole), whole, &got, err);
    file->ops->close(file);
    TRY(code);
    Buf head = {0};
    put_head(&head, magic, state->base_offset);
    if (got == whole && memcmp(memory->data, head.data, INDEX_HEAD_BYTES) == 0)
        memory->size = whole;
    buf_free(&head);
    return ERR_OK;
}

/* Takes the entries from the files' bytes; false when they are not what the state says. */
static bool index_parse(const SegmentState *state, const Buf *idx, const Buf *tix,
                        SegmentIndex *index) {
    assert(index->count == 0);
    if (idx->size == 0 || tix->size == 0)
        return false;
    Reader idx_reader = reader_of(buf_view(idx)), tix_reader = reader_of(buf_view(tix));
    reader_bytes(&idx_reader, INDEX_HEAD_BYTES);
    reader_bytes(&tix_reader, INDEX_HEAD_BYTES);
    uint64_t root = 0;
    for (uint32_t i = segment_chunk_count(state); i > 0; i--) {
        SegmentEntry entry;
        get_entry(&idx_reader, &entry);
        entry.time = (int64_t)reader_u64_le(&tix_reader);
        if (!reader_ok(&idx_reader) || !reader_ok(&tix_reader) || entry.offset < 0)
            return false;
        root = segment_root(root, &entry);
        segment_index_add(index, &entry);
    }
    return root == state->root;
}

static ErrCode index_load_files(const SegmentPlace *place, const SegmentState *state,
                                SegmentIndex *index, bool *good, Err *err) {
    assert(index->count == 0);
    assert(good);
    uint32_t count = segment_chunk_count(state);
    Buf idx = {0}, tix = {0};
    ErrCode code = index_read_file(place, state, idx_magic, &idx, count * IDX_ENTRY_BYTES, err);
    if (code == ERR_OK)
        code = index_read_file(place, state, tix_magic, &tix, count * TIX_ENTRY_BYTES, err);
    *good = code == ERR_OK && index_parse(state, &idx, &tix, index);
    buf_free(&idx);
    buf_free(&tix);
    return code;
}

ErrCode segment_index_load(const SegmentPlace *place, const SegmentState *state,
                           SegmentIndex *index, bool *rebuilt, Err *err) {
    assert(rebuilt);
    assert(index->count == 0);
    *rebuilt = false;
    if (segment_chunk_count(state) == 0)
        return ERR_OK;
    bool good;
    ErrCode code = index_load_files(place, state, index, &good, err);
    if (code == ERR_OK && !good) {
        *rebuilt = true;
        segment_index_free(index);
        code = segment_index_rebuild(place, state, index, err);
    }
    if (code != ERR_OK)
        segment_index_free(index);
    return code;
}
