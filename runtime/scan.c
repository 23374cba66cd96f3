/*
 * scan.c - see scan.h: cursors, the ring, and how records are collected into a block.
 */
#include "runtime/scan.h"

#include <assert.h>

#include "base/mem.h"
#include "runtime/scan_impl.h"

enum {
    SCAN_BLOCK_BYTES = 1 << 20,   /* of records in one block */
    SCAN_SOURCES_MAX = 256,       /* log buffers under one block: single small appends */
    SCAN_FREE_MAX = 4,            /* blocks kept for the next one, with their memory */
};

/* The blocks decoded last, one of two ways: those at the front, and those of cursors behind, which
 * would only drive the others out. */
typedef struct ScanRing {
    Block *blocks[SCAN_BLOCKS_MAX];
    uint32_t next;
} ScanRing;

struct Scan {
    ScanSet *set;
    Scan *next;
    uint32_t cursor_count;
    Arena *arena;
    ScanDecoder decoder;
    ScanRing front, behind;
    int64_t front_offset; /* behind the foremost block */
    Block *free;
    uint32_t free_count;
};

struct ScanSet {
    Storage *storage;
    Scan *first;
};

ScanSet *scan_set_new(Storage *storage) {
    assert(storage);
    ScanSet *set = mem_alloc(sizeof *set);
    set->storage = storage;
    return set;
}

void scan_set_free(ScanSet *set) {
    if (!set)
        return;
    assert(!set->first);
    mem_free(set);
}

/* -- Blocks ----------------------------------------------------------------------------------- */

void block_ref(Block *block) {
    assert(block->references > 0);
    block->references++;
}

static void release_sources(Block *block) {
    assert(block->source_count <= SCAN_SOURCES_MAX);
    for (size_t i = 0; i < block->source_count; i++)
        log_block_unref(block->sources[i]);
    block->source_count = 0;
}

static void block_free(Block *block) {
    assert(block->references == 0);
    release_sources(block);
    mem_free(block->sources);
    arena_free(block->arena);
    mem_free(block);
}

void block_unref(Scan *scan, Block *block) {
    if (!block)
        return;
    assert(block->references > 0);
    if (--block->references > 0)
        return;
    release_sources(block);
    if (scan->free_count == SCAN_FREE_MAX) {
        block_free(block);
        return;
    }
    block->next_free = scan->free;
    scan->free = block;
    scan->free_count++;
}

static Block *block_new(Scan *scan) {
    Block *block = scan->free;
    if (!block) {
        block = mem_alloc(sizeof *block);
        block->arena = arena_new("block", 0);
        block->references = 1;
        return block;
    }
    scan->free = block->next_free;
    scan->free_count--;
    arena_reset(block->arena);
    *block = (Block){.references = 1, .arena = block->arena, .sources = block->sources,
                     .source_capacity = block->source_capacity};
    return block;
}

/* -- Scans ------------------------------------------------------------------------------------ */

static void scan_free(Scan *scan) {
    assert(scan->cursor_count == 0);
    for (uint32_t i = 0; i < SCAN_BLOCKS_MAX; i++) {
        block_unref(scan, scan->front.blocks[i]);
        block_unref(scan, scan->behind.blocks[i]);
    }
    while (scan->free) {
        Block *block = scan->free;
        scan->free = block->next_free;
        block_free(block);
    }
    arena_free(scan->arena);
    mem_free(scan);
}

static Scan *find_scan(ScanSet *set, const ScanSpec *spec) {
    assert(spec);
    assert(spec->schema);
    for (Scan *scan = set->first; scan; scan = scan->next) {
        if (scan_decoder_fits(&scan->decoder, spec))
            return scan;
    }
    return NULL;
}

ErrCode cursor_open(Cursor *cursor, ScanSet *set, const ScanSpec *spec, Err *err) {
    assert(!cursor->scan && cursor->offset >= 0);
    Scan *scan = find_scan(set, spec);
    if (!scan) {
        scan = mem_alloc(sizeof *scan);
        scan->set = set;
        scan->arena = arena_new("scan", 0);
        ErrCode code = scan_decoder_init(&scan->decoder, spec, scan->arena, err);
        if (code != ERR_OK) {
            scan_free(scan);
            return code;
        }
        scan->next = set->first;
        set->first = scan;
    }
    scan->cursor_count++;
    cursor->scan = scan;
    if (cursor->lane >= 0)
        cursor->own = mem_array(BATCH_ROWS_MAX, sizeof *cursor->own);
    return ERR_OK;
}

static void drop_source(Cursor *cursor) {
    if (cursor->source)
        log_block_unref(cursor->source);
    cursor->source = NULL;
    cursor->rest = (Bytes){0};
    cursor->in_batch = false;
}

void cursor_close(Cursor *cursor) {
    Scan *scan = cursor->scan;
    if (!scan)
        return;
    drop_source(cursor);
    block_unref(scan, cursor->block);
    mem_free(cursor->own);
    *cursor = (Cursor){.offset = cursor->offset, .lane = cursor->lane};
    assert(scan->cursor_count > 0);
    if (--scan->cursor_count > 0)
        return;
    Scan **link = &scan->set->first;
    while (*link != scan)
        link = &(*link)->next;
    *link = scan->next;
    scan_free(scan);
}

void cursor_seek(Cursor *cursor, int64_t offset) {
    assert(offset >= 0);
    assert(cursor->scan && offset >= 0);
    block_unref(cursor->scan, cursor->block);
    cursor->block = NULL;
    cursor->offset = offset;
}

void cursor_take(Cursor *cursor, uint32_t row) {
    Block *block = cursor->block;
    assert(block && row > cursor->row && row <= block->row_count);
    cursor->row = row;
    if (row == block->row_count)
        cursor->next = cursor->good_count;
    while (cursor->next < cursor->good_count && cursor->good[cursor->next] < row)
        cursor->next++;
    cursor->offset = row == block->row_count ? block->next_offset : block->offset[row];
}

/* -- Collecting records ----------------------------------------------------------------------- */

/* The fields of a checked batch that say where it ends and whether it holds data. */
static void begin_batch(Cursor *cursor) {
    Reader head = reader_of(cursor->rest);
    int64_t base_offset = (int64_t)reader_u64_be(&head);
    uint32_t size = reader_u32_be(&head) + 12;
    reader_bytes(&head, 9); /* epoch, magic, crc */
    uint16_t attributes = reader_u16_be(&head);
    uint32_t last_delta = reader_u32_be(&head);
    assert(reader_ok(&head) && size <= cursor->rest.size);
    record_iter_init(&cursor->iter, (Bytes){cursor->rest.data, size});
    if (attributes & 1 << 5)
        cursor->iter.left = 0; /* control records are not for us */
    cursor->in_batch = true;
    cursor->batch_end = base_offset + last_delta + 1;
    cursor->rest.data += size;
    cursor->rest.size -= size;
}

/* The log was cut in front of the cursor: it goes on where the log begins now. */
static bool skip_gone(Cursor *cursor) {
    int64_t start, end;
    Err ignored;
    const ScanSpec *spec = cursor->scan->decoder.spec;
    if (log_offsets(cursor->scan->set->storage, spec->where, &start, &end, &ignored) != ERR_OK ||
        cursor->read_offset >= start)
        return false;
    cursor->gone += start - cursor->read_offset;
    cursor->read_offset = start;
    return true;
}

/* The next buffer of the log; false: there is none. */
static ErrCode fetch_source(Cursor *cursor, bool *got, Err *err) {
    assert(got);
    assert(cursor->rest.size == 0);
    assert(!cursor->in_batch);
    const ScanSpec *spec = cursor->scan->decoder.spec;
    LogBlock *before = cursor->source;
    cursor->source = NULL;
    drop_source(cursor);
    ErrCode code = log_fetch_on(cursor->scan->set->storage, spec->where, cursor->read_offset,
                                before, &cursor->source, err);
    while (code == ERR_NOT_FOUND && skip_gone(cursor))
        code = log_fetch(cursor->scan->set->storage, spec->where, cursor->read_offset,
                         SEGMENT_READ_BYTES, &cursor->source, err);
    if (before)
        log_block_unref(before);
    TRY(code);
    *got = cursor->source != NULL;
    if (cursor->source)
        cursor->rest = log_block_bytes(cursor->source);
    return ERR_OK;
}

/* The next record at or after read_offset. */
static ErrCode next_record(Cursor *cursor, LogRecord *record, bool *got, Err *err) {
    assert(cursor->read_offset >= 0);
    for (;;) {
        while (cursor->in_batch && record_iter_next(&cursor->iter, record)) {
            if (record->offset < cursor->read_offset)
                continue;
            cursor->read_offset = record->offset + 1;
            *got = true;
            return ERR_OK;
        }
        if (cursor->in_batch && cursor->read_offset < cursor->batch_end)
            cursor->read_offset = cursor->batch_end;
        cursor->in_batch = false;
        if (cursor->rest.size == 0) {
            TRY(fetch_source(cursor, got, err));
            if (!*got)
                return ERR_OK;
        }
        begin_batch(cursor);
    }
}

static void keep_source(Block *block, LogBlock *source) {
    assert(source);
    assert(block->source_count < SCAN_SOURCES_MAX);
    if (block->source_count > 0 && block->sources[block->source_count - 1] == source)
        return;
    log_block_ref(source);
    block->sources = mem_grow(block->sources, &block->source_capacity, block->source_count + 1,
                              sizeof *block->sources);
    block->sources[block->source_count++] = source;
}

static void records_init(ScanRecords *records, Block *block) {
    assert(block->row_count == 0);
    Arena *arena = block->arena;
    records->any_headers = false;
    records->keys = arena_raw(arena, BATCH_ROWS_MAX * sizeof *records->keys);
    records->values = arena_raw(arena, BATCH_ROWS_MAX * sizeof *records->values);
    records->headers = arena_raw(arena, BATCH_ROWS_MAX * sizeof *records->headers);
    records->timestamp = arena_raw(arena, BATCH_ROWS_MAX * sizeof *records->timestamp);
    block->offset = arena_raw(arena, BATCH_ROWS_MAX * sizeof *block->offset);
    block->size = arena_raw(arena, BATCH_ROWS_MAX * sizeof *block->size);
}

/* Field by field, as the record was just written: one wide load would wait for both stores. */
static inline void put_bytes(Bytes *target, Bytes source) {
    target->data = source.data;
    target->size = source.size;
}

static void add_record(ScanRecords *records, Block *block, const LogRecord *record) {
    uint32_t row = block->row_count++;
    assert(row < BATCH_ROWS_MAX);
    put_bytes(&records->keys[row], record->key);
    put_bytes(&records->values[row], record->value);
    put_bytes(&records->headers[row], record->headers);
    records->any_headers |= record->headers.data != NULL;
    records->timestamp[row] = record->timestamp;
    block->offset[row] = record->offset;
    block->size[row] = record->key.size + record->value.size;
}

/* Reads records on from the cursor's offset; row_count 0: at the end of the log. An error behind
 * records comes when those are taken. */
static ErrCode collect(Cursor *cursor, ScanRecords *records, Block *block, Err *err) {
    assert(block->source_count == 0);
    assert(cursor->offset >= 0);
    if (!cursor->source || cursor->read_offset != cursor->offset) {
        drop_source(cursor);
        cursor->read_offset = cursor->offset;
    }
    records_init(records, block);
    block->first_offset = cursor->offset;
    cursor->gone = 0;
    uint32_t bytes = 0;
    while (block->row_count < BATCH_ROWS_MAX && bytes < SCAN_BLOCK_BYTES &&
           block->source_count < SCAN_SOURCES_MAX) {
        LogRecord record;
        bool got = true;
        ErrCode code = next_record(cursor, &record, &got, err);
        cursor->stuck = code != ERR_OK;
        if (code != ERR_OK && block->row_count == 0)
            return code;
        if (code != ERR_OK || !got)
            break;
        keep_source(block, cursor->source);
        add_record(records, block, &record);
        bytes += block->size[block->row_count - 1];
    }
    block->next_offset = cursor->read_offset;
    block->gone = cursor->gone;
    return ERR_OK;
}

/* -- Loading ---------------------------------------------------------------------------------- */

/* *place: where to begin, mostly right behind the block before; then where it was. */
static Block *find_in_ring(const ScanRing *ring, int64_t offset, uint32_t *place) {
    uint32_t at = *place;
    for (uint32_t i = 0; i < SCAN_BLOCKS_MAX; i++) {
        at = at + 1 < SCAN_BLOCKS_MAX ? at + 1 : 0;
        Block *block = ring->blocks[at];
        if (block && offset >= block->first_offset && offset < block->next_offset) {
            *place = at;
            return block;
        }
    }
    return NULL;
}

static Block *find_block(const Scan *scan, int64_t offset, uint32_t *place) {
    assert(offset >= 0);
    if (offset >= scan->front_offset)
        return NULL; /* nobody was there yet */
    Block *block = find_in_ring(&scan->front, offset, place);
    return block ? block : find_in_ring(&scan->behind, offset, place);
}

bool cursor_is_behind(const Cursor *cursor) {
    assert(cursor->scan);
    const Scan *scan = cursor->scan;
    uint32_t place = cursor->place;
    return scan->cursor_count > 1 && cursor->offset < scan->front_offset &&
           !find_in_ring(&scan->front, cursor->offset, &place);
}

/* With one cursor nobody else will ask for the block: its memory, still in the cache, is the next
 * one's. */
static void add_to_ring(Scan *scan, Block *block) {
    assert(block->row_count > 0);
    if (scan->cursor_count == 1)
        return;
    ScanRing *ring = block->first_offset >= scan->front_offset ? &scan->front : &scan->behind;
    if (ring == &scan->front)
        scan->front_offset = block->next_offset;
    block_unref(scan, ring->blocks[ring->next]);
    block_ref(block);
    ring->blocks[ring->next] = block;
    ring->next = (ring->next + 1) % SCAN_BLOCKS_MAX;
}

/* Whether values of this type may point into the record. */
static bool type_points(const Type *type) {
    return type->kind == TYPE_STRING || type->kind == TYPE_BYTES || type_is_nested(type);
}

/* A block of numbers needs the log's buffers no more: they are read into anew, still in the cache,
 * instead of waiting for the slowest cursor. */
static void drop_sources(const ScanDecoder *decoder, Block *block) {
    const ScanSpec *spec = decoder->spec;
    assert(block->row_count > 0);
    if (!spec->topic || block->headers)
        return;
    for (uint32_t i = 0; i < spec->schema->column_count; i++)
        if (spec->used[i] && type_points(spec->schema->columns[i].type))
            return;
    release_sources(block);
}

static ErrCode decode_block(Cursor *cursor, Block **target, Err *err) {
    assert(target);
    Scan *scan = cursor->scan;
    Block *block = block_new(scan);
    ScanRecords records;
    ErrCode code = collect(cursor, &records, block, err);
    if (code == ERR_OK && block->row_count > 0)
        code = scan_decode(&scan->decoder, &records, block, err);
    if (code != ERR_OK || block->row_count == 0) {
        if (code == ERR_OK || cursor->stuck) /* a gap is nothing to be read again */
            cursor->offset = cursor->read_offset;
        block_unref(scan, block);
        *target = NULL;
        return code;
    }
    drop_sources(&scan->decoder, block);
    add_to_ring(scan, block);
    *target = block;
    return ERR_OK;
}

/* The rows that count for this cursor. */
static void pick_lane(Cursor *cursor) {
    const Block *block = cursor->block;
    cursor->good = block->good;
    cursor->good_count = block->good_count;
    if (cursor->lane < 0)
        return;
    assert(block->lane && block->good_count <= BATCH_ROWS_MAX);
    cursor->good = cursor->own;
    cursor->good_count = 0;
    for (uint32_t i = 0; i < block->good_count; i++) {
        uint16_t row = block->good[i];
        if (block->lane[row] == (uint32_t)cursor->lane)
            cursor->own[cursor->good_count++] = row;
    }
}

ErrCode cursor_load(Cursor *cursor, Err *err) {
    assert(cursor->scan);
    Scan *scan = cursor->scan;
    if (cursor->block && cursor->row < cursor->block->row_count)
        return ERR_OK;
    block_unref(scan, cursor->block);
    cursor->block = NULL;
    Block *block = find_block(scan, cursor->offset, &cursor->place);
    if (block)
        block_ref(block);
    else
        TRY(decode_block(cursor, &block, err));
    if (!block)
        return ERR_OK;
    cursor->block = block;
    pick_lane(cursor);
    cursor->row = cursor->next = 0;
    while (cursor->row < block->row_count && block->offset[cursor->row] < cursor->offset)
        cursor->row++;
    while (cursor->next < cursor->good_count && cursor->good[cursor->next] < cursor->row)
        cursor->next++;
    if (cursor->row == block->row_count) { /* only gaps were left of it */
        cursor->offset = block->next_offset;
        return cursor_load(cursor, err);
    }
    return ERR_OK;
}
