/* row_writer.c - see row_writer.h. */
#include "engine/row_writer.h"

#include <assert.h>
#include <strings.h>

#include "engine/value_text.h"

static const char *const text_names[] = {"ndjson", "json", "csv", "tsv"};
enum { TEXT_COUNT = sizeof text_names / sizeof text_names[0] };

bool row_text_find(const char *name, RowText *text) {
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        if (strcasecmp(name, text_names[i]) != 0)
            continue;
        *text = (RowText)i;
        return true;
    }
    return false;
}

RowText row_text_guess(const char *path) {
    RowText text = ROW_TEXT_NDJSON;
    const char *dot = strrchr(path, '.');
    if (dot)
        (void)row_text_find(dot + 1, &text);
    return text;
}

/* -- Cells ------------------------------------------------------------------------------------- */

static void writer_csv(Bytes cell, Buf *out) {
    bool plain = cell.size > 0;
    for (uint32_t i = 0; plain && i < cell.size; i++)
        plain = !strchr(",\"\r\n", cell.data[i]) || cell.data[i] == 0;
    if (plain) {
        buf_bytes(out, cell);
        return;
    }
    buf_u8(out, '"');
    for (uint32_t i = 0; i < cell.size; i++) {
        if (cell.data[i] == '"')
            buf_u8(out, '"');
        buf_u8(out, cell.data[i]);
    }
    buf_u8(out, '"');
}

static void writer_tsv(Bytes cell, Buf *out) {
    static const char plain[] = "\t\n\r\\", marks[] = "tnr\\";
    for (uint32_t i = 0; i < cell.size; i++) {
        const char *found = cell.data[i] ? strchr(plain, cell.data[i]) : NULL;
        if (found)
            buf_u8(out, '\\');
        buf_u8(out, found ? (uint8_t)marks[found - plain] : cell.data[i]);
    }
}

static void writer_cell(const RowWriter *writer, Bytes cell, uint32_t column, Buf *out) {
    bool tsv = writer->text == ROW_TEXT_TSV;
    if (column > 0)
        buf_u8(out, tsv ? '\t' : ',');
    if (tsv)
        writer_tsv(cell, out);
    else
        writer_csv(cell, out);
}

static void writer_cells(const RowWriter *writer, const WeirResult *result, Buf *out) {
    Buf cell = {0};
    for (uint32_t i = 0; i < result->visible_count; i++) {
        const Column *column = result->rows.columns[i];
        buf_reset(&cell);
        if (column_is_null(column, result->row)) {
            buf_text(out, i == 0 ? "" : writer->text == ROW_TEXT_TSV ? "\t" : ",");
            buf_text(out, writer->text == ROW_TEXT_TSV ? "\\N" : "");
            continue;
        }
        value_text_put(&cell, column, result->row);
        writer_cell(writer, buf_view(&cell), i, out);
    }
    buf_u8(out, '\n');
    buf_free(&cell);
}

static void writer_object(const WeirResult *result, Buf *out) {
    buf_u8(out, '{');
    for (uint32_t i = 0; i < result->visible_count; i++) {
        if (i > 0)
            buf_u8(out, ',');
        value_json_string(out, bytes_of(result->schema->columns[i].name));
        buf_u8(out, ':');
        value_json_put(out, result->rows.columns[i], result->row);
    }
    buf_u8(out, '}');
}

/* -- Rows -------------------------------------------------------------------------------------- */

void row_writer_begin(const RowWriter *writer, const WeirResult *result, Buf *out) {
    assert(result->schema && writer->rows == 0);
    bool cells = writer->text == ROW_TEXT_CSV || writer->text == ROW_TEXT_TSV;
    if (!cells || !writer->header)
        return;
    for (uint32_t i = 0; i < result->visible_count; i++)
        writer_cell(writer, bytes_of(result->schema->columns[i].name), i, out);
    buf_u8(out, '\n');
}

void row_writer_row(RowWriter *writer, WeirResult *result, Buf *out) {
    assert(result->row < result->rows.count);
    switch (writer->text) {
    case ROW_TEXT_JSON:
        buf_text(out, writer->rows > 0 ? ",\n " : "[");
        writer_object(result, out);
        break;
    case ROW_TEXT_NDJSON:
        writer_object(result, out);
        buf_u8(out, '\n');
        break;
    case ROW_TEXT_CSV:
    case ROW_TEXT_TSV:
        writer_cells(writer, result, out);
        break;
    }
    writer->rows++;
}

void row_writer_end(const RowWriter *writer, Buf *out) {
    if (writer->text == ROW_TEXT_JSON)
        buf_text(out, writer->rows > 0 ? "]\n" : "[]\n");
}
