/*
 * row_csv.c - csv rows to columns (RFC 4180).
 *
 * A row is cut into cells; the cells of one column over a chunk are decoded together: STRING as
 * they are, times from ISO text, everything else as bare JSON values, numbers through the quoted
 * form, which takes what Java's parsers take ("007", "+5").
 */
#include <strings.h>

#include "base/mem.h"
#include "data/time_text.h"
#include "engine/row_reader_impl.h"
#include "grammar/parse.h"

typedef struct CsvRow {
    Bytes *cells; /* data NULL: empty without quotes */
    uint32_t count;
    uint32_t lines; /* line ends in it, its own included */
    bool complete;
    const char *fault;
} CsvRow;

/* Takes a quoted cell that begins behind its quote at *at; moves *at behind the closing one. */
static bool csv_quoted(const RowReader *reader, size_t *at, Arena *arena, Bytes *cell,
                       uint32_t *lines) {
    const uint8_t *data = reader->window.data;
    size_t size = reader->window.size;
    uint8_t *text = arena_raw(arena, 1);
    size_t begin = *at, doubled = 0, end = begin;
    for (;; end++) {
        if (end >= size)
            return false;
        *lines += data[end] == '\n';
        if (data[end] != '"')
            continue;
        if (end + 1 >= size && !reader->input_done)
            return false;
        if (end + 1 >= size || data[end + 1] != '"')
            break;
        doubled++;
        end++;
    }
    *at = end + 1;
    *cell = (Bytes){data + begin, (uint32_t)(end - begin)};
    if (doubled == 0)
        return true;
    text = arena_raw(arena, end - begin);
    uint32_t written = 0;
    for (size_t i = begin; i < end; i++) {
        text[written++] = data[i];
        i += data[i] == '"';
    }
    *cell = (Bytes){text, written};
    return true;
}

static Bytes csv_plain(const RowReader *reader, size_t *at) {
    const uint8_t *data = reader->window.data;
    size_t begin = *at, end = begin;
    while (end < reader->window.size && data[end] != ',' && data[end] != '\n')
        end++;
    *at = end;
    bool line_end = end >= reader->window.size || data[end] == '\n';
    if (line_end && end > begin && data[end - 1] == '\r')
        end--;
    return end > begin ? (Bytes){data + begin, (uint32_t)(end - begin)} : (Bytes){NULL, 0};
}

/* Cuts the row at window[taken]; moves taken behind it when it is complete. */
static CsvRow csv_row(RowReader *reader, Arena *arena) {
    CsvRow row = {0};
    size_t at = reader->taken, size = reader->window.size, capacity = 0;
    const uint8_t *data = reader->window.data;
    for (;;) {
        Bytes cell;
        if (at < size && data[at] == '"') {
            at++;
            if (!csv_quoted(reader, &at, arena, &cell, &row.lines)) {
                row.fault = "a quote is not closed";
                row.complete = reader->input_done;
                reader->taken = row.complete ? size : reader->taken;
                return row;
            }
            if (at < size && data[at] == '\r')
                at++;
            if (at < size && data[at] != ',' && data[at] != '\n' && !row.fault)
                row.fault = "text follows a closing quote";
            while (row.fault && at < size && data[at] != ',' && data[at] != '\n')
                at++;
        } else {
            cell = csv_plain(reader, &at);
        }
        row.cells = arena_grow(arena, row.cells, &capacity, row.count + 1, sizeof *row.cells);
        row.cells[row.count++] = cell;
        if (at >= size) {
            row.complete = reader->input_done;
            break;
        }
        if (data[at++] == '\n') {
            row.complete = true;
            break;
        }
    }
    row.lines += row.complete;
    if (row.complete)
        reader->taken = at;
    return row;
}

static int32_t csv_find_column(const Schema *schema, Bytes name) {
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const char *column = schema->columns[i].name;
        if (strlen(column) == name.size &&
            strncasecmp(column, (const char *)name.data, name.size) == 0)
            return (int32_t)i;
    }
    return -1;
}

static ErrCode csv_no_columns(const RowReader *reader, Err *err) {
    const Schema *schema = reader->options.schema;
    Buf names = {0};
    for (uint32_t i = 0; i < schema->column_count; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", schema->columns[i].name);
    ErrCode code = err_set(err, ERR_FORMAT,
                           "%s:1: the header names no column of the source, which has: %s",
                           reader->options.name, buf_cstr(&names));
    buf_free(&names);
    return code;
}

/* Which schema column each cell fills: by the header's names, or by place. */
static ErrCode csv_open_columns(RowReader *reader, Err *err) {
    const Schema *schema = reader->options.schema;
    if (!reader->options.header) {
        reader->cell_count = schema->column_count;
        reader->cell_columns = arena_array(reader->arena, schema->column_count, sizeof(int32_t));
        for (uint32_t i = 0; i < schema->column_count; i++)
            reader->cell_columns[i] = (int32_t)i;
        return ERR_OK;
    }
    CsvRow row = {0};
    while (!(row = csv_row(reader, reader->arena)).complete)
        TRY(row_reader_fill(reader, err));
    reader->window_line += row.lines;
    reader->cell_count = row.count;
    reader->cell_columns = arena_array(reader->arena, row.count, sizeof(int32_t));
    bool any = false;
    for (uint32_t i = 0; i < row.count; i++) {
        Bytes name = row.cells[i];
        if (i == 0 && name.size >= 3 && memcmp(name.data, "\xEF\xBB\xBF", 3) == 0)
            name = (Bytes){name.data + 3, name.size - 3}; /* a byte order mark */
        reader->cell_columns[i] = csv_find_column(schema, name);
        any |= reader->cell_columns[i] >= 0;
    }
    return any ? ERR_OK : csv_no_columns(reader, err);
}

ErrCode row_csv_open(RowReader *reader, Err *err) {
    const Schema *schema = reader->options.schema;
    TRY(csv_open_columns(reader, err));
    static const bool used = true;
    reader->cell_decoders = arena_array(reader->arena, schema->column_count, sizeof(Decoder *));
    for (uint32_t i = 0; i < schema->column_count; i++) {
        SerdeSpec *spec = arena_alloc(reader->arena, sizeof *spec);
        *spec = (SerdeSpec){.format = &format_json,
                            .columns = &schema->columns[i],
                            .column_count = 1,
                            .unwrapped = true};
        reader->cell_decoders[i] = format_json.decoder_new(spec, &used, reader->arena);
    }
    return ERR_OK;
}

/* -- A chunk ----------------------------------------------------------------------------------- */

/* Cells of one column over the rows of a chunk, and what is wrong with each row. */
typedef struct CsvChunk {
    Arena *arena;
    uint32_t count;
    Bytes **cells; /* [schema column][row] */
    uint64_t *lines;
    const char **faults;
    const char *column; /* under conversion */
} CsvChunk;

static bool csv_is_blank(const CsvRow *row) {
    return row->count == 1 && !row->cells[0].data && !row->fault;
}

static void csv_take_row(RowReader *reader, CsvChunk *chunk, const CsvRow *row) {
    uint32_t at = chunk->count++;
    chunk->lines[at] = reader->window_line;
    chunk->faults[at] = row->fault;
    if (!row->fault && row->count != reader->cell_count)
        chunk->faults[at] = arena_printf(chunk->arena, "%u cells where %u are wanted", row->count,
                                         reader->cell_count);
    for (uint32_t i = 0; i < row->count && i < reader->cell_count; i++)
        if (reader->cell_columns[i] >= 0)
            chunk->cells[reader->cell_columns[i]][at] = row->cells[i];
}

static void csv_error(void *context, uint32_t record, const char *text) {
    CsvChunk *chunk = context;
    if (!chunk->faults[record])
        chunk->faults[record] = arena_printf(chunk->arena, "column %s: %s", chunk->column, text);
}

/* Text of a time column as the number the decoder wants; numbers pass as they are. */
static Bytes csv_time(const Type *type, Bytes cell, Arena *arena) {
    int64_t ms;
    int32_t small;
    if (type->kind == TYPE_TIMESTAMP && time_parse_timestamp(cell, &ms) && cell.size >= 8)
        return bytes_of(arena_printf(arena, "%lld", (long long)ms));
    if (type->kind == TYPE_DATE && cell.size >= 8 && time_parse_date(cell, &small))
        return bytes_of(arena_printf(arena, "%d", small));
    if (type->kind == TYPE_TIME && time_parse_time(cell, &small))
        return bytes_of(arena_printf(arena, "%d", small));
    return cell;
}

static Bytes csv_json_value(const Type *type, Bytes cell, Arena *arena) {
    if (!cell.data || type->kind == TYPE_BOOLEAN || type_is_nested(type))
        return cell;
    if (type->kind == TYPE_TIMESTAMP || type->kind == TYPE_DATE || type->kind == TYPE_TIME)
        return csv_time(type, cell, arena);
    uint8_t *quoted = arena_raw(arena, (size_t)cell.size + 2);
    quoted[0] = '"';
    memcpy(quoted + 1, cell.data, cell.size);
    quoted[cell.size + 1] = '"';
    return (Bytes){quoted, cell.size + 2};
}

static Column *csv_text_column(const CsvChunk *chunk, const Bytes *cells) {
    Column *column = column_new(chunk->arena, &type_string, chunk->count);
    for (uint32_t i = 0; i < chunk->count; i++) {
        if (!cells[i].data)
            continue;
        column->bytes[i] = cells[i];
        column_set_present(column, i);
    }
    return column;
}

static Column *csv_column(RowReader *reader, CsvChunk *chunk, uint32_t at, uint8_t *status) {
    const SchemaColumn *column = &reader->options.schema->columns[at];
    Bytes *cells = chunk->cells[at];
    if (column->type->kind == TYPE_STRING)
        return csv_text_column(chunk, cells);
    chunk->column = column->name;
    for (uint32_t i = 0; i < chunk->count; i++)
        cells[i] = csv_json_value(column->type, cells[i], chunk->arena);
    DecodeInput input = {.records = cells,
                         .count = chunk->count,
                         .arena = chunk->arena,
                         .error = csv_error,
                         .error_context = chunk};
    Column *values = NULL;
    format_json.decode(reader->cell_decoders[at], &input, &values, status);
    return values;
}

static void csv_new_chunk(const RowReader *reader, CsvChunk *chunk) {
    Arena *arena = reader->chunk_arena;
    uint32_t width = reader->options.schema->column_count;
    *chunk = (CsvChunk){.arena = arena,
                        .cells = arena_array(arena, width, sizeof(Bytes *)),
                        .lines = arena_array(arena, ROW_CHUNK_ROWS, sizeof(uint64_t)),
                        .faults = arena_array(arena, ROW_CHUNK_ROWS, sizeof(char *))};
    for (uint32_t i = 0; i < width; i++)
        chunk->cells[i] = arena_array(arena, ROW_CHUNK_ROWS, sizeof(Bytes));
}

ErrCode row_csv_chunk(RowReader *reader, RowChunk *result, Err *err) {
    CsvChunk chunk;
    uint32_t width = reader->options.schema->column_count;
    size_t before = reader->taken;
    csv_new_chunk(reader, &chunk);
    while (chunk.count < ROW_CHUNK_ROWS && reader->taken < reader->window.size) {
        CsvRow row = csv_row(reader, chunk.arena);
        if (!row.complete)
            break;
        if (!csv_is_blank(&row))
            csv_take_row(reader, &chunk, &row);
        reader->window_line += row.lines;
    }
    reader->progress = reader->taken > before;
    if (chunk.count == 0)
        return ERR_OK;
    Column **columns = arena_array(chunk.arena, width, sizeof *columns);
    uint8_t *status = arena_alloc(chunk.arena, chunk.count);
    for (uint32_t i = 0; i < width; i++)
        columns[i] = csv_column(reader, &chunk, i, status);
    uint16_t *good = arena_raw(chunk.arena, chunk.count * sizeof *good);
    uint32_t good_count = 0;
    for (uint32_t i = 0; i < chunk.count; i++) {
        if (!chunk.faults[i])
            good[good_count++] = (uint16_t)i;
        else
            TRY(row_reader_bad_row(reader, chunk.lines[i], err, "%s", chunk.faults[i]));
    }
    row_reader_give(reader, result, columns, good, good_count, chunk.count);
    return ERR_OK;
}
