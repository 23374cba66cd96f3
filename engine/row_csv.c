/*
 * row_csv.c - csv rows to columns (RFC 4180).
 *
 * A row is cut into cells; the cells of one column over a chunk are decoded together: STRING as
 * they are, times from ISO text, everything else as bare JSON values, numbers through the quoted
 * form, which takes what Java's parsers take ("007", "+5").
 */
#include <strings.h>

#include "base/mem.h"
#include "data/number_text.h"
#include "data/time_text.h"
#include "engine/row_reader_impl.h"

typedef struct CsvRow {
    uint32_t count; /* of reader->row_cells; data NULL: empty without quotes */
    uint32_t lines; /* line ends in it, its own included */
    bool complete;
    const char *fault;
} CsvRow;

/* -- Rows -------------------------------------------------------------------------------------- */

/* "a""b" without its outer quotes -> a"b */
static Bytes csv_undouble(Bytes quoted, Arena *arena) {
    uint8_t *text = arena_raw(arena, quoted.size);
    uint32_t size = 0;
    for (uint32_t i = 0; i < quoted.size; i++) {
        text[size++] = quoted.data[i];
        i += quoted.data[i] == '"';
    }
    return (Bytes){text, size};
}

/* Takes a quoted cell that begins behind its quote at *at; moves *at behind the closing one.
 * false: the quote is not closed in the window. */
static bool csv_quoted(const RowReader *reader, size_t *at, Bytes *cell, uint32_t *lines) {
    const uint8_t *data = reader->window.data;
    size_t size = reader->window.size, begin = *at, end = begin;
    bool doubled = false;
    for (;; end++) {
        if (end >= size || (end + 1 == size && data[end] == '"' && !reader->input_done))
            return false;
        *lines += data[end] == '\n';
        if (data[end] != '"')
            continue;
        if (end + 1 == size || data[end + 1] != '"')
            break;
        doubled = true;
        end++;
    }
    *at = end + 1;
    *cell = (Bytes){data + begin, (uint32_t)(end - begin)};
    if (doubled)
        *cell = csv_undouble(*cell, reader->chunk_arena);
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

/* What may stand between a closing quote and the next ',' or line end: nothing. */
static void csv_behind_quote(const RowReader *reader, size_t *at, CsvRow *row) {
    const uint8_t *data = reader->window.data;
    size_t size = reader->window.size;
    if (*at < size && data[*at] == '\r' && (*at + 1 == size || data[*at + 1] == '\n'))
        ++*at;
    if (*at < size && data[*at] != ',' && data[*at] != '\n')
        row->fault = "text follows a closing quote";
    while (*at < size && data[*at] != ',' && data[*at] != '\n')
        ++*at;
}

static void csv_add_cell(RowReader *reader, CsvRow *row, Bytes cell) {
    if (row->count == reader->row_capacity)
        reader->row_cells = mem_grow(reader->row_cells, &reader->row_capacity, row->count + 1,
                                     sizeof *reader->row_cells);
    reader->row_cells[row->count++] = cell;
}

/* Cuts the row at window[taken]; moves taken behind it when it is complete. */
static CsvRow csv_row(RowReader *reader) {
    CsvRow row = {0};
    size_t at = reader->taken;
    const uint8_t *data = reader->window.data;
    for (;;) {
        Bytes cell = {0};
        if (at < reader->window.size && data[at] == '"') {
            at++;
            if (!csv_quoted(reader, &at, &cell, &row.lines)) {
                row.fault = "a quote is not closed";
                at = reader->window.size;
            } else {
                csv_behind_quote(reader, &at, &row);
            }
        } else {
            cell = csv_plain(reader, &at);
        }
        bool ends = at < reader->window.size && data[at] == '\n';
        row.complete = ends || (at >= reader->window.size && reader->input_done);
        if (!row.complete && at >= reader->window.size)
            return row;
        if (!row.fault)
            csv_add_cell(reader, &row, cell);
        at += at < reader->window.size;
        if (row.complete)
            break;
    }
    row.lines++;
    reader->taken = at;
    return row;
}

/* -- The header -------------------------------------------------------------------------------- */

static Bytes csv_trim(Bytes cell) {
    while (cell.size > 0 && (cell.data[0] == ' ' || cell.data[0] == '\t'))
        cell = (Bytes){cell.data + 1, cell.size - 1};
    while (cell.size > 0 &&
           (cell.data[cell.size - 1] == ' ' || cell.data[cell.size - 1] == '\t'))
        cell.size--;
    return cell;
}

static int32_t csv_find_column(const RowReader *reader, Bytes name) {
    for (uint32_t i = 0; i < reader->column_count; i++)
        if (bytes_equal(bytes_of(reader->columns[i].name), name))
            return (int32_t)i;
    for (uint32_t i = 0; i < reader->column_count; i++) {
        const char *column = reader->columns[i].name;
        if (strlen(column) == name.size &&
            strncasecmp(column, (const char *)name.data, name.size) == 0)
            return (int32_t)i;
    }
    return -1;
}

static ErrCode csv_no_columns(const RowReader *reader, Err *err) {
    Buf names = {0};
    for (uint32_t i = 0; i < reader->column_count; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", reader->columns[i].name);
    ErrCode code = err_set(err, ERR_FORMAT,
                           "%s:1: the header names no column of the source, which has: %s",
                           reader->options.name, buf_cstr(&names));
    buf_free(&names);
    return code;
}

/* Columns of the file that the source does not have: a hint, since data often has more. */
static void csv_hint_unknown(const RowReader *reader, uint32_t count) {
    Buf text = {0};
    buf_printf(&text, "%s: the source does not have", reader->options.name);
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (reader->cell_columns[i] >= 0)
            continue;
        buf_text(&text, unknown++ > 0 ? ", " : " ");
        buf_bytes(&text, csv_trim(reader->row_cells[i]));
    }
    buf_text(&text, unknown == 1 ? "; this column is left out" : "; these columns are left out");
    if (unknown > 0 && reader->options.notice)
        reader->options.notice(reader->options.context, buf_cstr(&text));
    buf_free(&text);
}

static ErrCode csv_match_header(RowReader *reader, uint32_t count, Err *err) {
    bool *seen = arena_array(reader->arena, reader->column_count, sizeof *seen);
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        int32_t column = csv_find_column(reader, csv_trim(reader->row_cells[i]));
        reader->cell_columns[i] = column;
        if (column < 0)
            continue;
        if (seen[column])
            return err_set(err, ERR_FORMAT, "%s:1: the header names column %s twice",
                           reader->options.name, reader->columns[column].name);
        seen[column] = any = true;
    }
    if (!any)
        return csv_no_columns(reader, err);
    csv_hint_unknown(reader, count);
    return ERR_OK;
}

/* Which column each cell fills: by the header's names, or by place. */
static ErrCode csv_open_columns(RowReader *reader, Err *err) {
    if (!reader->options.header) {
        reader->cell_count = reader->column_count;
        reader->cell_columns = arena_array(reader->arena, reader->column_count, sizeof(int32_t));
        for (uint32_t i = 0; i < reader->column_count; i++)
            reader->cell_columns[i] = (int32_t)i;
        return ERR_OK;
    }
    CsvRow row;
    while (!(row = csv_row(reader)).complete)
        TRY(row_reader_fill(reader, err));
    if (row.fault)
        return err_set(err, ERR_FORMAT, "%s:1: %s", reader->options.name, row.fault);
    reader->window_line += row.lines;
    reader->cell_count = row.count;
    reader->cell_columns = arena_array(reader->arena, row.count, sizeof(int32_t));
    return csv_match_header(reader, row.count, err);
}

ErrCode row_csv_open(RowReader *reader, Err *err) {
    TRY(csv_open_columns(reader, err));
    reader->cell_decoders = arena_array(reader->arena, reader->column_count, sizeof(Decoder *));
    for (uint32_t i = 0; i < reader->column_count; i++) {
        SerdeSpec *spec = arena_alloc(reader->arena, sizeof *spec);
        *spec = (SerdeSpec){.format = &format_json,
                            .columns = &reader->columns[i],
                            .column_count = 1,
                            .unwrapped = true};
        reader->cell_decoders[i] = format_json.decoder_new(spec, &reader->used[i], reader->arena);
    }
    return ERR_OK;
}

/* -- A chunk ----------------------------------------------------------------------------------- */

typedef struct CsvChunk {
    Arena *arena;
    RowCut cut;
    Bytes **cells;      /* [column][row] */
    const char *column; /* under conversion */
} CsvChunk;

static void csv_take_row(RowReader *reader, CsvChunk *chunk, const CsvRow *row, size_t begin) {
    uint32_t at = chunk->cut.count;
    row_cut_add(reader, &chunk->cut, reader->window_line - row->lines, reader->taken - begin,
                reader->taken);
    chunk->cut.faults[at] = row->fault;
    if (!row->fault && row->count != reader->cell_count)
        chunk->cut.faults[at] = arena_printf(chunk->arena, "%u cells where %u are wanted",
                                             row->count, reader->cell_count);
    for (uint32_t i = 0; i < row->count && i < reader->cell_count; i++)
        if (reader->cell_columns[i] >= 0)
            chunk->cells[reader->cell_columns[i]][at] = reader->row_cells[i];
}

static void csv_error(void *context, uint32_t record, const char *text) {
    CsvChunk *chunk = context;
    if (!chunk->cut.faults[record])
        chunk->cut.faults[record] =
            arena_printf(chunk->arena, "column %s: %s", chunk->column, text);
}

/* Text of a time column as the number the decoder wants; numbers pass as they are. */
static Bytes csv_time(const Type *type, Bytes cell, Arena *arena) {
    int64_t ms;
    int32_t small;
    if (number_parse_i64(cell, &ms))
        return cell;
    if (type->kind == TYPE_TIMESTAMP && time_parse_timestamp(cell, &ms))
        return bytes_of(arena_printf(arena, "%lld", (long long)ms));
    if (type->kind == TYPE_DATE && time_parse_date(cell, &small))
        return bytes_of(arena_printf(arena, "%d", small));
    if (type->kind == TYPE_TIME && time_parse_time(cell, &small))
        return bytes_of(arena_printf(arena, "%d", small));
    return cell;
}

static Bytes csv_boolean(Bytes cell) {
    if (cell.size == 4 && strncasecmp((const char *)cell.data, "true", 4) == 0)
        return bytes_of("true");
    if (cell.size == 5 && strncasecmp((const char *)cell.data, "false", 5) == 0)
        return bytes_of("false");
    return cell;
}

static Bytes csv_json_value(const Type *type, Bytes cell, Arena *arena) {
    static const uint8_t nothing;
    if (!cell.data || type_is_nested(type))
        return cell;
    cell = csv_trim(cell);
    if (type->kind == TYPE_BOOLEAN)
        return csv_boolean(cell);
    if (type->kind == TYPE_TIMESTAMP || type->kind == TYPE_DATE || type->kind == TYPE_TIME)
        return cell.size > 0 ? csv_time(type, cell, arena) : (Bytes){&nothing, 0};
    uint8_t *quoted = arena_raw(arena, (size_t)cell.size + 2);
    quoted[0] = '"';
    memcpy(quoted + 1, cell.data, cell.size);
    quoted[cell.size + 1] = '"';
    return (Bytes){quoted, cell.size + 2};
}

static Column *csv_text_column(const CsvChunk *chunk, const Bytes *cells) {
    Column *column = column_new(chunk->arena, &type_string, chunk->cut.count);
    for (uint32_t i = 0; i < chunk->cut.count; i++) {
        if (!cells[i].data)
            continue;
        column->bytes[i] = cells[i];
        column_set_present(column, i);
    }
    return column;
}

static Column *csv_column(RowReader *reader, CsvChunk *chunk, uint32_t at, uint8_t *status) {
    const SchemaColumn *column = &reader->columns[at];
    Bytes *cells = chunk->cells[at];
    if (column->type->kind == TYPE_STRING)
        return reader->used[at] ? csv_text_column(chunk, cells) : NULL;
    chunk->column = column->name;
    for (uint32_t i = 0; i < chunk->cut.count; i++)
        cells[i] = csv_json_value(column->type, cells[i], chunk->arena);
    DecodeInput input = {.records = cells,
                         .count = chunk->cut.count,
                         .arena = chunk->arena,
                         .error = csv_error,
                         .error_context = chunk};
    Column *values = NULL;
    format_json.decode(reader->cell_decoders[at], &input, &values, status);
    return values;
}

static void csv_cut_rows(RowReader *reader, CsvChunk *chunk) {
    size_t before = reader->taken;
    while (chunk->cut.count < ROW_CHUNK_ROWS && reader->taken < reader->window.size) {
        size_t begin = reader->taken;
        CsvRow row = csv_row(reader);
        if (!row.complete)
            break;
        reader->window_line += row.lines;
        bool blank = row.count == 1 && !reader->row_cells[0].data && !row.fault;
        if (!blank)
            csv_take_row(reader, chunk, &row, begin);
    }
    reader->progress = reader->taken > before;
}

void row_csv_chunk(RowReader *reader, RowChunk *result) {
    Arena *arena = reader->chunk_arena;
    CsvChunk chunk = {.arena = arena,
                      .cells = arena_array(arena, reader->column_count, sizeof(Bytes *))};
    row_cut_init(reader, &chunk.cut);
    for (uint32_t i = 0; i < reader->column_count; i++)
        chunk.cells[i] = arena_array(arena, ROW_CHUNK_ROWS, sizeof(Bytes));
    csv_cut_rows(reader, &chunk);
    if (chunk.cut.count == 0)
        return;
    Column **columns = arena_array(arena, reader->column_count, sizeof *columns);
    uint8_t *status = arena_alloc(arena, chunk.cut.count);
    for (uint32_t i = 0; i < reader->column_count; i++)
        columns[i] = csv_column(reader, &chunk, i, status);
    row_reader_give(reader, &chunk.cut, columns, result);
}
