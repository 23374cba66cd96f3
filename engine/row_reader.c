/*
 * row_reader.c - see row_reader.h.
 *
 * The input is read into one window of bytes; a chunk is the complete rows in it. ndjson rows are
 * cut at newlines and decoded by the JSON format as one record each. csv rows become one array of
 * cells per column (row_csv.c), and each column is decoded by the JSON format as bare values.
 * Invariant: window[0, taken) has been given out, window[taken, size) not.
 */
#include "engine/row_reader_impl.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum {
    READER_WINDOW_BYTES = 256 << 10,
    READER_ROW_BYTES_MAX = 16 << 20,
    READER_WAIT_MS = 100, /* how soon a cancelled wait ends */
};

/* Moves what is left to the front, so that more can stand behind it. */
static void reader_shift(RowReader *reader) {
    Buf *window = &reader->window;
    assert(reader->taken <= window->size);
    if (reader->taken == 0)
        return;
    memmove(window->data, window->data + reader->taken, window->size - reader->taken);
    window->size -= reader->taken;
    reader->window_offset += reader->taken;
    reader->taken = 0;
}

static ErrCode reader_wait(RowReader *reader, Err *err) {
    const RowReaderOptions *options = &reader->options;
    if (!options->waiting)
        return ERR_OK;
    for (int64_t wait_ms = 0; !io_input_ready(options->input, wait_ms); wait_ms = READER_WAIT_MS)
        TRY(options->waiting(options->context, err));
    return ERR_OK;
}

ErrCode row_reader_fill(RowReader *reader, Err *err) {
    Buf *window = &reader->window;
    reader_shift(reader);
    if (reader->input_done)
        return ERR_OK;
    if (window->size > READER_ROW_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "%s:%llu: a row has more than %d MiB", reader->options.name,
                       (unsigned long long)reader->window_line, READER_ROW_BYTES_MAX >> 20);
    uint32_t got;
    TRY(reader_wait(reader, err));
    uint8_t *room = buf_room(window, READER_WINDOW_BYTES);
    TRY(io_input_read(reader->options.input, room, READER_WINDOW_BYTES, &got, err));
    window->size += got;
    reader->input_done = got == 0;
    return ERR_OK;
}

/* Past a byte order mark, which some editors write in front. */
static ErrCode reader_skip_mark(RowReader *reader, Err *err) {
    while (reader->window.size < 3 && !reader->input_done)
        TRY(row_reader_fill(reader, err));
    if (reader->window.size >= 3 && memcmp(reader->window.data, "\xEF\xBB\xBF", 3) == 0)
        reader->taken = 3;
    return ERR_OK;
}

static void reader_columns(RowReader *reader) {
    const Schema *schema = reader->options.schema;
    reader->columns = arena_array(reader->arena, schema->column_count, sizeof(SchemaColumn));
    reader->places = arena_array(reader->arena, schema->column_count, sizeof(uint32_t));
    reader->used = arena_array(reader->arena, schema->column_count, sizeof(bool));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].role == COLUMN_HEADERS)
            continue;
        reader->columns[reader->column_count] = schema->columns[i];
        reader->used[reader->column_count] = !reader->options.used || reader->options.used[i];
        reader->places[reader->column_count++] = i;
    }
}

static void row_json_open(RowReader *reader) {
    SerdeSpec *spec = arena_alloc(reader->arena, sizeof *spec);
    *spec = (SerdeSpec){.format = &format_json,
                        .columns = reader->columns,
                        .column_count = reader->column_count};
    reader->decoder = format_json.decoder_new(spec, reader->used, reader->arena);
}

static ErrCode reader_open(RowReader *reader, Err *err) {
    reader_columns(reader);
    TRY(reader_skip_mark(reader, err));
    if (reader->options.format == ROW_FORMAT_CSV)
        return row_csv_open(reader, err);
    row_json_open(reader);
    return ERR_OK;
}

ErrCode row_reader_new(const RowReaderOptions *options, RowReader **reader, Err *err) {
    RowReader *made = mem_alloc(sizeof *made);
    made->options = *options;
    made->arena = arena_new("row reader", 0);
    made->chunk_arena = arena_new("rows", 0);
    made->window_line = 1;
    made->input_done = options->input == NULL;
    if (!options->input)
        buf_bytes(&made->window, options->text);
    ErrCode code = reader_open(made, err);
    if (code != ERR_OK) {
        row_reader_free(made);
        return code;
    }
    *reader = made;
    return ERR_OK;
}

void row_reader_free(RowReader *reader) {
    if (!reader)
        return;
    buf_free(&reader->window);
    mem_free(reader->row_cells);
    arena_free(reader->chunk_arena);
    arena_free(reader->arena);
    mem_free(reader);
}

uint64_t row_reader_skipped(const RowReader *reader) {
    return reader->skipped;
}

ErrCode row_reader_reject(RowReader *reader, uint64_t line, Err *err, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!reader->options.skip_errors)
        return err_set(err, ERR_FORMAT, "%s:%llu: %s", reader->options.name,
                       (unsigned long long)line, text);
    reader->skipped++;
    if (reader->options.notice) {
        char message[640];
        snprintf(message, sizeof message, "%s:%llu: %s (row left out)", reader->options.name,
                 (unsigned long long)line, text);
        reader->options.notice(reader->options.context, message);
    }
    return ERR_OK;
}

/* -- Chunks ------------------------------------------------------------------------------------ */

void row_cut_init(RowReader *reader, RowCut *cut) {
    Arena *arena = reader->chunk_arena;
    *cut = (RowCut){.places = arena_raw(arena, ROW_CHUNK_ROWS * sizeof *cut->places),
                    .faults = arena_array(arena, ROW_CHUNK_ROWS, sizeof *cut->faults)};
}

void row_cut_add(RowReader *reader, RowCut *cut, uint64_t line, size_t size, size_t end) {
    assert(cut->count < ROW_CHUNK_ROWS);
    cut->places[cut->count++] = (RowPlace){.line = line,
                                           .end_offset = reader->window_offset + end,
                                           .end_line = reader->window_line};
    if (size > cut->bytes_max)
        cut->bytes_max = (uint32_t)size;
}

/* The rows without a fault, up to one that ends the reading; their places move together. */
static uint32_t reader_good_rows(RowReader *reader, const RowCut *cut, uint16_t *good) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < cut->count && reader->failure.code == ERR_OK; i++) {
        if (cut->faults[i]) {
            (void)!row_reader_reject(reader, cut->places[i].line, &reader->failure, "%s",
                                     cut->faults[i]);
            continue;
        }
        cut->places[count] = cut->places[i];
        good[count++] = (uint16_t)i;
    }
    return count;
}

void row_reader_give(RowReader *reader, const RowCut *cut, Column **columns, RowChunk *chunk) {
    Arena *arena = reader->chunk_arena;
    uint16_t *good = arena_raw(arena, cut->count * sizeof *good);
    uint32_t count = reader_good_rows(reader, cut, good);
    const Column **given =
        arena_array(arena, reader->options.schema->column_count, sizeof *given);
    for (uint32_t i = 0; i < reader->column_count; i++)
        given[reader->places[i]] =
            count == cut->count || !reader->used[i]
                ? columns[i]
                : column_gather(arena, columns[i], good, count);
    *chunk = (RowChunk){given, cut->places, count, cut->bytes_max};
}

static void row_json_chunk(RowReader *reader, RowChunk *chunk);

ErrCode row_reader_next(RowReader *reader, RowChunk *chunk, bool *more, Err *err) {
    for (;;) {
        arena_reset(reader->chunk_arena);
        *chunk = (RowChunk){0};
        if (reader->failure.code != ERR_OK) {
            *err = reader->failure;
            return err->code;
        }
        if (reader->options.format == ROW_FORMAT_CSV)
            row_csv_chunk(reader, chunk);
        else
            row_json_chunk(reader, chunk);
        *more = reader->taken < reader->window.size || !reader->input_done ||
                reader->failure.code != ERR_OK;
        if (chunk->count > 0 || !*more)
            return ERR_OK;
        if (!reader->progress && reader->failure.code == ERR_OK)
            TRY(row_reader_fill(reader, err));
    }
}

ErrCode row_reader_resume(RowReader *reader, uint64_t offset, uint64_t line, Err *err) {
    assert(reader->options.input);
    TRY(io_input_seek(reader->options.input, offset, err));
    buf_reset(&reader->window);
    reader->taken = 0;
    reader->window_offset = offset;
    reader->window_line = line;
    reader->input_done = false;
    reader->failure = (Err){.code = ERR_OK};
    return ERR_OK;
}

void row_reader_place(const RowReader *reader, uint64_t *offset, uint64_t *line) {
    assert(reader->taken <= reader->window.size);
    *offset = reader->window_offset + reader->taken;
    *line = reader->window_line;
}

/* -- ndjson ------------------------------------------------------------------------------------ */

/* Cuts lines off the window into rows[]. */
static void row_json_lines(RowReader *reader, RowCut *cut, Bytes *rows) {
    const uint8_t *data = reader->window.data;
    size_t size = reader->window.size, at = reader->taken;
    while (at < size && cut->count < ROW_CHUNK_ROWS) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        if (!end && !reader->input_done)
            break;
        size_t stop = end ? (size_t)(end - data) : size;
        size_t next = end ? stop + 1 : size;
        while (stop > at && (data[stop - 1] == '\r' || data[stop - 1] == ' '))
            stop--;
        uint64_t line = reader->window_line++;
        if (stop > at) {
            rows[cut->count] = (Bytes){data + at, (uint32_t)(stop - at)};
            row_cut_add(reader, cut, line, stop - at, next);
        }
        at = next;
    }
    reader->progress = at > reader->taken;
    reader->taken = at;
}

typedef struct RowJsonErrors {
    const RowCut *cut;
    Arena *arena;
} RowJsonErrors;

static void row_json_error(void *context, uint32_t record, const char *text) {
    RowJsonErrors *errors = context;
    errors->cut->faults[record] = arena_strdup(errors->arena, text);
}

static void row_json_chunk(RowReader *reader, RowChunk *chunk) {
    Arena *arena = reader->chunk_arena;
    RowCut cut;
    row_cut_init(reader, &cut);
    Bytes *rows = arena_raw(arena, ROW_CHUNK_ROWS * sizeof *rows);
    row_json_lines(reader, &cut, rows);
    if (cut.count == 0)
        return;
    Column **columns = arena_array(arena, reader->column_count, sizeof *columns);
    uint8_t *status = arena_alloc(arena, cut.count);
    RowJsonErrors errors = {&cut, arena};
    DecodeInput input = {.records = rows,
                         .count = cut.count,
                         .arena = arena,
                         .error = row_json_error,
                         .error_context = &errors};
    format_json.decode(reader->decoder, &input, columns, status);
    for (uint32_t i = 0; i < cut.count; i++)
        if (status[i] != DECODE_OK && !cut.faults[i])
            cut.faults[i] = "a row is a JSON object, not null";
    row_reader_give(reader, &cut, columns, chunk);
}
