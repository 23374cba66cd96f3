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

enum { READER_WINDOW_BYTES = 1 << 20, READER_ROW_BYTES_MAX = 16 << 20 };

ErrCode row_reader_new(const RowReaderOptions *options, RowReader **reader, Err *err) {
    RowReader *made = mem_alloc(sizeof *made);
    made->options = *options;
    made->arena = arena_new("row reader", 0);
    made->chunk_arena = arena_new("rows", 0);
    made->window_line = 1;
    made->input_done = options->input == NULL;
    if (!options->input)
        buf_bytes(&made->window, options->text);
    ErrCode code = ERR_OK;
    if (options->format == ROW_FORMAT_NDJSON)
        row_json_open(made);
    else
        code = row_csv_open(made, err);
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
    arena_free(reader->chunk_arena);
    arena_free(reader->arena);
    mem_free(reader);
}

uint64_t row_reader_skipped(const RowReader *reader) {
    return reader->skipped;
}

/* Moves what is left to the front and reads more behind it. */
ErrCode row_reader_fill(RowReader *reader, Err *err) {
    Buf *window = &reader->window;
    if (reader->taken > 0) {
        memmove(window->data, window->data + reader->taken, window->size - reader->taken);
        window->size -= reader->taken;
        reader->window_offset += reader->taken;
        reader->taken = 0;
    }
    if (reader->input_done)
        return ERR_OK;
    if (window->size > READER_ROW_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "%s:%llu: a row has more than %d MiB", reader->options.name,
                       (unsigned long long)reader->window_line, READER_ROW_BYTES_MAX >> 20);
    uint32_t got;
    uint8_t *room = buf_room(window, READER_WINDOW_BYTES);
    TRY(io_input_read(reader->options.input, room, READER_WINDOW_BYTES, &got, err));
    window->size += got;
    if (got == 0)
        reader->input_done = true;
    return ERR_OK;
}

ErrCode row_reader_bad_row(RowReader *reader, uint64_t line, Err *err, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!reader->options.skip_errors)
        return err_set(err, ERR_FORMAT, "%s:%llu: %s", reader->options.name,
                       (unsigned long long)line, text);
    reader->skipped++;
    if (reader->options.skipped) {
        char message[640];
        snprintf(message, sizeof message, "%s:%llu: %s (row left out)", reader->options.name,
                 (unsigned long long)line, text);
        reader->options.skipped(reader->options.context, message);
    }
    return ERR_OK;
}

ErrCode row_reader_next(RowReader *reader, RowChunk *chunk, bool *more, Err *err) {
    arena_reset(reader->chunk_arena);
    *chunk = (RowChunk){0};
    for (;;) {
        ErrCode code = reader->options.format == ROW_FORMAT_NDJSON
                           ? row_json_chunk(reader, chunk, err)
                           : row_csv_chunk(reader, chunk, err);
        TRY(code);
        bool rest = reader->taken < reader->window.size;
        *more = rest || !reader->input_done;
        if (chunk->count > 0 || !*more)
            break;
        if (!reader->progress)
            TRY(row_reader_fill(reader, err));
    }
    chunk->end_offset = reader->window_offset + reader->taken;
    chunk->end_line = reader->window_line;
    return ERR_OK;
}

ErrCode row_reader_resume(RowReader *reader, uint64_t offset, uint64_t line, Err *err) {
    assert(reader->options.input);
    TRY(io_input_seek(reader->options.input, offset, err));
    buf_reset(&reader->window);
    reader->taken = 0;
    reader->window_offset = offset;
    reader->window_line = line;
    reader->input_done = false;
    return ERR_OK;
}

/* -- ndjson ------------------------------------------------------------------------------------ */

void row_json_open(RowReader *reader) {
    const Schema *schema = reader->options.schema;
    SerdeSpec *spec = arena_alloc(reader->arena, sizeof *spec);
    *spec = (SerdeSpec){.format = &format_json,
                        .columns = schema->columns,
                        .column_count = schema->column_count};
    bool *used = arena_array(reader->arena, schema->column_count, sizeof *used);
    memset(used, true, schema->column_count);
    reader->decoder = format_json.decoder_new(spec, used, reader->arena);
}

/* Cuts lines off the window; returns how many rows. lines[i] is the line number of row i. */
static uint32_t row_json_lines(RowReader *reader, Bytes *rows, uint64_t *lines) {
    const uint8_t *data = reader->window.data;
    size_t size = reader->window.size, at = reader->taken;
    uint32_t count = 0;
    while (at < size && count < ROW_CHUNK_ROWS) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        if (!end && !reader->input_done)
            break;
        size_t stop = end ? (size_t)(end - data) : size;
        size_t trimmed = stop;
        while (trimmed > at && (data[trimmed - 1] == '\r' || data[trimmed - 1] == ' '))
            trimmed--;
        if (trimmed > at) {
            lines[count] = reader->window_line;
            rows[count++] = (Bytes){data + at, (uint32_t)(trimmed - at)};
        }
        reader->window_line++;
        at = end ? stop + 1 : size;
    }
    reader->progress = at > reader->taken;
    reader->taken = at;
    return count;
}

typedef struct RowJsonErrors {
    const char **texts;
    Arena *arena;
} RowJsonErrors;

static void row_json_error(void *context, uint32_t record, const char *text) {
    RowJsonErrors *errors = context;
    errors->texts[record] = arena_strdup(errors->arena, text);
}

ErrCode row_json_chunk(RowReader *reader, RowChunk *chunk, Err *err) {
    Arena *arena = reader->chunk_arena;
    uint32_t width = reader->options.schema->column_count;
    Bytes *rows = arena_raw(arena, ROW_CHUNK_ROWS * sizeof *rows);
    uint64_t *lines = arena_raw(arena, ROW_CHUNK_ROWS * sizeof *lines);
    uint32_t count = row_json_lines(reader, rows, lines);
    if (count == 0)
        return ERR_OK;
    Column **columns = arena_array(arena, width, sizeof *columns);
    uint8_t *status = arena_alloc(arena, count);
    RowJsonErrors errors = {arena_array(arena, count, sizeof(char *)), arena};
    DecodeInput input = {.records = rows,
                         .count = count,
                         .arena = arena,
                         .error = row_json_error,
                         .error_context = &errors};
    format_json.decode(reader->decoder, &input, columns, status);
    uint16_t *good = arena_raw(arena, count * sizeof *good);
    uint32_t good_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (status[i] == DECODE_OK) {
            good[good_count++] = (uint16_t)i;
            continue;
        }
        const char *why = errors.texts[i] ? errors.texts[i] : "a row is a JSON object, not null";
        TRY(row_reader_bad_row(reader, lines[i], err, "%s", why));
    }
    row_reader_give(reader, chunk, columns, good, good_count, count);
    return ERR_OK;
}

void row_reader_give(RowReader *reader, RowChunk *chunk, Column **columns, const uint16_t *good,
                     uint32_t good_count, uint32_t count) {
    uint32_t width = reader->options.schema->column_count;
    for (uint32_t i = 0; good_count < count && i < width; i++)
        columns[i] = column_gather(reader->chunk_arena, columns[i], good, good_count);
    chunk->columns = (const Column *const *)columns;
    chunk->count = good_count;
}
