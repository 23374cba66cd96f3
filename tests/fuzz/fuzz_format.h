/*
 * fuzz_format.h - any bytes as records of a format, over a schema that the bytes choose.
 *
 *   input := schema (2 bytes, a seed) | options (1 byte) | records, one a line
 *
 * What must hold for every input:
 *   1. whether a record is good does not depend on the columns in use, nor on the records beside it
 *   2. a record that is refused is refused with a text
 *   3. what was read can be written (or is refused with a text), reads back as the same values, and
 *      is written as the same bytes again
 * Each record lies in memory of just its size.
 */
#ifndef TESTS_FUZZ_FUZZ_FORMAT_H
#define TESTS_FUZZ_FUZZ_FORMAT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/serde.h"

enum { FUZZ_COLUMNS = 6, FUZZ_RECORDS = 24, FUZZ_SIZE_MAX = 4096 };

typedef struct FuzzFormat {
    const Format *format;
    uint32_t state; /* of chance */
    Arena *arena;
    SchemaColumn columns[FUZZ_COLUMNS];
    SerdeSpec spec;
    Bytes records[FUZZ_RECORDS];
    uint32_t count;
    Bytes written; /* the record that was read, written again */
} FuzzFormat;

typedef struct FuzzRead {
    Column *columns[FUZZ_COLUMNS];
    uint8_t status[FUZZ_RECORDS];
    bool told[FUZZ_RECORDS]; /* an error had a text */
} FuzzRead;

static FuzzFormat *fuzz_present; /* for the report */

static inline void fuzz_report(const char *text) {
    const FuzzFormat *fuzz = fuzz_present;
    Buf out = {0};
    fprintf(stderr, "fuzz: %s\n", text);
    for (uint32_t i = 0; fuzz && i < fuzz->spec.column_count; i++) {
        buf_printf(&out, "  %s ", fuzz->columns[i].name);
        type_print(&out, fuzz->columns[i].type);
    }
    if (fuzz)
        buf_printf(&out, "%s%s\n", fuzz->spec.is_key ? " key" : "",
                   fuzz->spec.unwrapped ? " bare" : "");
    for (uint32_t i = 0; fuzz && i < fuzz->count; i++)
        buf_printf(&out, "  [%.*s]\n", (int)fuzz->records[i].size,
                   (const char *)fuzz->records[i].data);
    if (fuzz)
        buf_printf(&out, "  written [%.*s]\n", (int)fuzz->written.size,
                   (const char *)fuzz->written.data);
    fprintf(stderr, "%s", buf_cstr(&out));
    buf_free(&out);
}

static inline void fuzz_must(bool good, const char *text) {
    if (good)
        return;
    fuzz_report(text);
    abort();
}

static inline uint32_t fuzz_chance(FuzzFormat *fuzz, uint32_t count) {
    fuzz->state = fuzz->state * 1664525u + 1013904223u;
    return (fuzz->state >> 8) % count;
}

/* -- Schemas ---------------------------------------------------------------------------------- */

static inline const Type *fuzz_type(FuzzFormat *fuzz, int depth) {
    static const TypeKind kinds[] = {TYPE_BOOLEAN, TYPE_INT,  TYPE_BIGINT, TYPE_DOUBLE, TYPE_STRING,
                                     TYPE_BYTES,   TYPE_TIME, TYPE_DATE,   TYPE_TIMESTAMP};
    static const char *const names[] = {"X", "Y", "a_b", "long_name_of_a_field"};
    const Type *type = NULL;
    Err err;
    uint32_t shape = fuzz_chance(fuzz, depth > 0 ? 14 : 10);
    if (shape < 9)
        return type_scalar(kinds[shape]);
    if (shape == 9) {
        uint32_t precision = 1 + fuzz_chance(fuzz, fuzz_chance(fuzz, 2) ? 76 : 20);
        uint32_t scale = fuzz_chance(fuzz, precision + 1);
        fuzz_must(type_decimal(fuzz->arena, precision, scale, &type, &err) == ERR_OK, "a decimal");
        return type;
    }
    if (shape == 10)
        return type_array(fuzz->arena, fuzz_type(fuzz, depth - 1));
    if (shape == 11)
        return type_map(fuzz->arena, &type_string, fuzz_type(fuzz, depth - 1));
    TypeField fields[4];
    uint32_t count = 1 + fuzz_chance(fuzz, 4);
    for (uint32_t i = 0; i < count; i++)
        fields[i] = (TypeField){names[i], fuzz_type(fuzz, depth - 1)};
    return type_struct(fuzz->arena, fields, count);
}

static inline bool fuzz_schema(FuzzFormat *fuzz, int depth, const uint8_t head[3]) {
    static const char *const names[] = {"A", "B", "abc", "D_1", "a", "LONG_NAME_OF_A_COLUMN"};
    Err err;
    fuzz->state = (uint32_t)head[0] << 8 | head[1];
    (void)fuzz_chance(fuzz, 2);
    uint32_t count = 1 + fuzz_chance(fuzz, FUZZ_COLUMNS);
    bool key = head[2] & 1;
    for (uint32_t i = 0; i < count; i++)
        fuzz->columns[i] = (SchemaColumn){names[i], fuzz_type(fuzz, depth),
                                          key ? COLUMN_KEY : COLUMN_VALUE, NULL};
    fuzz->spec = (SerdeSpec){.format = fuzz->format, .columns = fuzz->columns,
                             .column_count = count, .is_key = key,
                             .unwrapped = count == 1 && (head[2] & 2),
                             .delimiter = head[2] & 4 ? '\t' : ','};
    return fuzz->format->check(&fuzz->spec, &err) == ERR_OK;
}

/* -- Reading and writing ---------------------------------------------------------------------- */

static inline void fuzz_told(void *context, uint32_t record, const char *text) {
    FuzzRead *read = context;
    fuzz_must(record < FUZZ_RECORDS && text && *text, "an error without a text");
    read->told[record] = true;
}

static inline FuzzRead *fuzz_read(FuzzFormat *fuzz, const bool *used, const Bytes *records,
                                  uint32_t count) {
    FuzzRead *read = arena_alloc(fuzz->arena, sizeof *read);
    Decoder *decoder = fuzz->format->decoder_new(&fuzz->spec, used, fuzz->arena);
    DecodeInput input = {records, count, fuzz->arena, fuzz_told, read};
    fuzz->format->decode(decoder, &input, read->columns, read->status);
    for (uint32_t i = 0; i < count; i++)
        fuzz_must(read->told[i] == (read->status[i] == DECODE_BAD), "refused without a word");
    return read;
}

static inline void fuzz_same_row(const FuzzFormat *fuzz, const FuzzRead *left, uint32_t row,
                                 const FuzzRead *right, uint32_t at) {
    fuzz_must(left->status[row] == right->status[at], "a record is good here and bad there");
    for (uint32_t i = 0; i < fuzz->spec.column_count; i++) {
        if (left->columns[i] && right->columns[i])
            fuzz_must(column_value_equal(left->columns[i], row, right->columns[i], at),
                      "a record is read in two ways");
    }
}

static inline bool fuzz_write(FuzzFormat *fuzz, const FuzzRead *read, uint32_t row,
                              Bytes *record) {
    Encoder *encoder = fuzz->format->encoder_new(&fuzz->spec, fuzz->arena);
    Buf out = {0};
    bool is_null = false;
    const char *reason = NULL;
    bool good = fuzz->format->encode(encoder, (const Column *const *)read->columns, row, &out,
                                     &is_null, &reason);
    fuzz_must(good || (reason && *reason), "not written without a word");
    *record = (Bytes){NULL, 0};
    if (!is_null)
        *record = (Bytes){(const uint8_t *)arena_text(fuzz->arena, buf_view(&out)),
                          (uint32_t)out.size};
    buf_free(&out);
    return good;
}

static inline void fuzz_again(FuzzFormat *fuzz, const bool *used, const FuzzRead *read,
                              uint32_t row) {
    Bytes first, second;
    if (!fuzz_write(fuzz, read, row, &first))
        return;
    fuzz->written = first;
    for (uint32_t i = 0; first.size == 0 && i < fuzz->spec.column_count; i++)
        fuzz_must(column_is_null(read->columns[i], row), "a value is written as nothing");
    if (first.size > 0 && memmem(first.data, first.size, "-0.0", 4))
        return; /* is read as 0.0, for JSON numbers are decimals */
    if (first.size == 0)
        return; /* missing: no bytes; of DELIMITED an empty line, which is not read, as in ksqlDB */
    FuzzRead *again = fuzz_read(fuzz, used, &first, 1);
    if (again->status[0] == DECODE_BAD || read->status[row] == DECODE_OK)
        fuzz_same_row(fuzz, read, row, again, 0);
    fuzz_must(fuzz_write(fuzz, again, 0, &second) && bytes_equal(first, second),
              "written in two ways");
}

/* -- One input -------------------------------------------------------------------------------- */

static inline void fuzz_records(FuzzFormat *fuzz, const uint8_t *data, size_t size) {
    while (fuzz->count < FUZZ_RECORDS) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t part = end ? (size_t)(end - data) : size;
        uint8_t *copy = malloc(part + (part == 0));
        fuzz_must(copy != NULL, "no memory");
        memcpy(copy, data, part);
        fuzz->records[fuzz->count++] = (Bytes){copy, (uint32_t)part};
        if (!end)
            break;
        data = end + 1;
        size -= part + 1;
    }
}

static inline void fuzz_check(FuzzFormat *fuzz) {
    bool all[FUZZ_COLUMNS], some[FUZZ_COLUMNS];
    for (uint32_t i = 0; i < FUZZ_COLUMNS; i++) {
        all[i] = true;
        some[i] = fuzz_chance(fuzz, 2) == 0;
    }
    FuzzRead *whole = fuzz_read(fuzz, all, fuzz->records, fuzz->count);
    FuzzRead *part = fuzz_read(fuzz, some, fuzz->records, fuzz->count);
    for (uint32_t i = 0; i < fuzz->count; i++) {
        fuzz_same_row(fuzz, whole, i, part, i);
        fuzz_same_row(fuzz, whole, i, fuzz_read(fuzz, all, &fuzz->records[i], 1), 0);
        if (whole->status[i] != DECODE_BAD)
            fuzz_again(fuzz, all, whole, i);
    }
}

static inline void fuzz_format(const Format *format, int depth, const uint8_t *data, size_t size) {
    FuzzFormat fuzz = {.format = format};
    fuzz_present = &fuzz;
    if (size < 3 || size > FUZZ_SIZE_MAX)
        return;
    fuzz.arena = arena_new("fuzz", 0);
    if (fuzz_schema(&fuzz, depth, data)) {
        fuzz_records(&fuzz, data + 3, size - 3);
        fuzz_check(&fuzz);
    }
    fuzz_present = NULL;
    for (uint32_t i = 0; i < fuzz.count; i++)
        free((void *)(uintptr_t)fuzz.records[i].data);
    arena_free(fuzz.arena);
}

#endif
