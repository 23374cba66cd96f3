/*
 * serde_csv.c - lines of separated values, as Apache Commons CSV reads and writes them by default.
 *
 *   record := (line end)* line [line end anything]
 *   line   := field (delimiter field)*
 *   field  := '"' ( '""' | any byte but '"' )* '"' white space*
 *           | bytes up to a delimiter or line end
 *
 * A quote within a field that does not begin with one is a byte like any other. Line ends are CR,
 * LF and CR LF.
 */
#include <assert.h>

#include "data/serde_impl.h"

typedef struct CsvReader {
    const uint8_t *at;
    const uint8_t *end;
    char delimiter;
    Arena *arena;
} CsvReader;

typedef enum FieldEnd {
    FIELD_DELIMITER,
    FIELD_LINE,
    FIELD_RECORD,
    FIELD_BAD,
} FieldEnd;

static bool is_line_end(uint8_t byte) {
    return byte == '\n' || byte == '\r';
}

/* Spaces, and the control characters that Java counts as white space. */
static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= 0x09 && byte <= 0x0D) || (byte >= 0x1C && byte <= 0x1F);
}

/* Steps over what ends a field. */
static FieldEnd field_end(CsvReader *csv) {
    if (csv->at == csv->end)
        return FIELD_RECORD;
    uint8_t byte = *csv->at++;
    if (byte == (uint8_t)csv->delimiter)
        return FIELD_DELIMITER;
    assert(is_line_end(byte));
    if (byte == '\r' && csv->at < csv->end && *csv->at == '\n')
        csv->at++;
    return FIELD_LINE;
}

static bool is_field_end(const CsvReader *csv) {
    return csv->at == csv->end || *csv->at == (uint8_t)csv->delimiter || is_line_end(*csv->at);
}

static FieldEnd simple_field(CsvReader *csv, Bytes *field) {
    const uint8_t *start = csv->at;
    while (!is_field_end(csv))
        csv->at++;
    *field = (Bytes){start, (uint32_t)(csv->at - start)};
    return field_end(csv);
}

/* Halves the doubled quotes. */
static Bytes unquoted(Bytes raw, Arena *arena) {
    uint8_t *copy = arena_raw(arena, raw.size);
    uint32_t size = 0;
    for (uint32_t i = 0; i < raw.size; i++) {
        copy[size++] = raw.data[i];
        i += raw.data[i] == '"';
    }
    return (Bytes){copy, size};
}

static FieldEnd quoted_field(CsvReader *csv, Bytes *field, const char **error) {
    const uint8_t *start = ++csv->at;
    bool doubled = false;
    for (;; csv->at += 2, doubled = true) {
        csv->at = csv->at == csv->end ? NULL
                                      : memchr(csv->at, '"', (size_t)(csv->end - csv->at));
        if (!csv->at) {
            *error = "the record ends within a quoted field";
            return FIELD_BAD;
        }
        if (csv->at + 1 == csv->end || csv->at[1] != '"')
            break;
    }
    *field = (Bytes){start, (uint32_t)(csv->at - start)};
    if (doubled)
        *field = unquoted(*field, csv->arena);
    csv->at++;
    while (!is_field_end(csv)) {
        if (!is_space(*csv->at++)) {
            *error = "a quoted field is followed by something else than the delimiter";
            return FIELD_BAD;
        }
    }
    return field_end(csv);
}

static FieldEnd next_field(CsvReader *csv, Bytes *field, const char **error) {
    bool quoted = csv->at < csv->end && *csv->at == '"' && csv->delimiter != '"';
    return quoted ? quoted_field(csv, field, error) : simple_field(csv, field);
}

/* The lines behind the first: nobody wants them, but Commons CSV reads them before it looks at the
 * first. */
static const char *rest_error(CsvReader *csv) {
    const char *error = NULL;
    Bytes ignored;
    while (csv->at < csv->end && next_field(csv, &ignored, &error) != FIELD_BAD)
        continue;
    return error;
}

const char *csv_split(CsvLine *line, Bytes record, char delimiter, Arena *arena) {
    CsvReader csv = {record.data, record.data + record.size, delimiter, arena};
    const char *error = NULL;
    FieldEnd end = FIELD_DELIMITER;
    line->field_count = 0;
    while (csv.at < csv.end && is_line_end(*csv.at))
        csv.at++;
    if (csv.at == csv.end)
        return "no fields in the record";
    while (end == FIELD_DELIMITER) {
        Bytes field;
        end = next_field(&csv, &field, &error);
        if (end != FIELD_BAD && line->field_count < line->field_max)
            line->fields[line->field_count] = field;
        line->field_count++;
    }
    return end == FIELD_LINE ? rest_error(&csv) : error;
}

static bool is_alphanumeric(uint8_t byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

/* Commons CSV is careful: it also quotes what begins like a comment, ends like white space, or
 * stands first in a line and is empty or begins with anything but a letter or digit. */
static bool needs_quotes(Bytes field, char delimiter, bool first) {
    if (field.size == 0)
        return first;
    uint8_t begin = field.data[0];
    if (begin <= '#' || (first && !is_alphanumeric(begin)))
        return true;
    for (uint32_t i = 0; i < field.size; i++) {
        uint8_t byte = field.data[i];
        if (byte == '"' || byte == (uint8_t)delimiter || is_line_end(byte))
            return true;
    }
    return field.data[field.size - 1] <= ' ';
}

void csv_quote(Buf *out, size_t start, char delimiter, bool first) {
    assert(start <= out->size);
    uint32_t size = (uint32_t)(out->size - start);
    Bytes field = {out->data ? out->data + start : NULL, size};
    if (!needs_quotes(field, delimiter, first))
        return;
    uint32_t quotes = 2;
    for (uint32_t i = 0; i < size; i++)
        quotes += field.data[i] == '"';
    buf_room(out, quotes);
    out->size += quotes;
    uint8_t *source = out->data + start + size;
    uint8_t *target = out->data + out->size;
    *--target = '"';
    while (source > out->data + start) {
        *--target = *--source;
        if (*source == '"')
            *--target = '"';
    }
    *--target = '"';
    assert(target == out->data + start);
}
