/*
 * json_bed.h - what tests of the JSON format stand on: schemas from a line of text, records in
 * memory of exactly their size, so that the sanitizers see each byte read too many.
 *
 * A schema is NAME:type,... with the types b BOOLEAN, i INT, l BIGINT, d DOUBLE, s STRING, y BYTES,
 * t TIME, a DATE, T TIMESTAMP, n(p.s) DECIMAL, [t] ARRAY, {t} MAP, (NAME:t,...) STRUCT. With a @
 * before it the only column is bare.
 */
#ifndef TESTS_JSON_BED_H
#define TESTS_JSON_BED_H

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/serde.h"

enum { BED_COLUMNS_MAX = 64 };

typedef struct JsonBed {
    Arena *arena;
    Arena *batch_arena;
    SchemaColumn columns[BED_COLUMNS_MAX];
    SerdeSpec spec;
    Decoder *decoder;
    Decoder *checker; /* no column used */
    Encoder *encoder;
    Bytes *records; /* copies */
    uint32_t count;
    Column *decoded[BED_COLUMNS_MAX];
    uint8_t *status;
    char **errors;
} JsonBed;

static inline const Type *bed_type(Arena *arena, const char **at);

static inline const char *bed_name(Arena *arena, const char **at) {
    const char *colon = strchr(*at, ':');
    const char *name = arena_text(arena, (Bytes){(const uint8_t *)*at, (uint32_t)(colon - *at)});
    *at = colon + 1;
    return name;
}

static inline const Type *bed_struct(Arena *arena, const char **at) {
    TypeField fields[BED_COLUMNS_MAX];
    uint32_t count = 0;
    while (**at != ')') {
        fields[count].name = bed_name(arena, at);
        fields[count++].type = bed_type(arena, at);
        *at += **at == ',';
    }
    ++*at;
    return type_struct(arena, fields, count);
}

static inline const Type *bed_decimal(Arena *arena, const char **at) {
    char *end;
    Err err;
    const Type *type = NULL;
    long precision = strtol(*at + 1, &end, 10), scale = strtol(end + 1, &end, 10);
    *at = end + 1;
    return type_decimal(arena, precision, scale, &type, &err) == ERR_OK ? type : NULL;
}

static inline const Type *bed_type(Arena *arena, const char **at) {
    static const char letters[] = "bildsytaT";
    static const Type *const scalars[] = {&type_boolean, &type_int,  &type_bigint,
                                          &type_double,  &type_string, &type_bytes,
                                          &type_time,    &type_date, &type_timestamp};
    char letter = *(*at)++;
    const Type *type;
    switch (letter) {
    case '[':
        type = type_array(arena, bed_type(arena, at));
        break;
    case '{':
        type = type_map(arena, &type_string, bed_type(arena, at));
        break;
    case '(':
        return bed_struct(arena, at);
    case 'n':
        return bed_decimal(arena, at);
    default:
        return scalars[strchr(letters, letter) - letters];
    }
    ++*at; /* the bracket at the end */
    return type;
}

static inline void bed_columns(JsonBed *bed, const char *schema) {
    bool bare = *schema == '@';
    const char *at = schema + bare;
    uint32_t count = 0;
    while (*at) {
        const char *name = bed_name(bed->arena, &at);
        bed->columns[count++] = (SchemaColumn){name, bed_type(bed->arena, &at), COLUMN_VALUE, NULL};
        at += *at == ',';
    }
    bed->spec = (SerdeSpec){.format = &format_json, .columns = bed->columns,
                            .column_count = count, .unwrapped = bare};
}

static inline void bed_open_spec(JsonBed *bed) {
    bool all[BED_COLUMNS_MAX], none[BED_COLUMNS_MAX] = {false};
    memset(all, true, sizeof all);
    bed->decoder = format_json.decoder_new(&bed->spec, all, bed->arena);
    bed->checker = format_json.decoder_new(&bed->spec, none, bed->arena);
    bed->encoder = format_json.encoder_new(&bed->spec, bed->arena);
}

static inline JsonBed *bed_open(const char *schema) {
    JsonBed *bed = mem_alloc(sizeof *bed);
    bed->arena = arena_new("bed", 0);
    bed->batch_arena = arena_new("batch", 0);
    bed_columns(bed, schema);
    bed_open_spec(bed);
    return bed;
}

static inline void bed_forget(JsonBed *bed) {
    for (uint32_t i = 0; i < bed->count; i++) {
        mem_free((void *)(uintptr_t)bed->records[i].data);
        mem_free(bed->errors[i]);
    }
    mem_free(bed->records);
    mem_free(bed->errors);
    mem_free(bed->status);
    bed->records = NULL;
    bed->errors = NULL;
    bed->status = NULL;
    bed->count = 0;
    arena_reset(bed->batch_arena);
}

static inline void bed_close(JsonBed *bed) {
    bed_forget(bed);
    arena_free(bed->batch_arena);
    arena_free(bed->arena);
    mem_free(bed);
}

static inline void bed_error(void *context, uint32_t record, const char *text) {
    JsonBed *bed = context;
    mem_free(bed->errors[record]);
    bed->errors[record] = mem_strdup(text);
}

/* Decodes the records into bed->decoded, bed->status and bed->errors; data NULL is no bytes.
 * false: with no column used the status of a record was another one. */
static inline bool bed_decode(JsonBed *bed, const Bytes *records, uint32_t count) {
    bed_forget(bed);
    bed->records = mem_array(count, sizeof *bed->records);
    bed->errors = mem_array(count, sizeof *bed->errors);
    bed->status = mem_array(count, 1);
    bed->count = count;
    for (uint32_t i = 0; i < count; i++) {
        if (!records[i].data)
            continue;
        uint8_t *copy = mem_resize(NULL, records[i].size);
        if (records[i].size > 0)
            memcpy(copy, records[i].data, records[i].size);
        bed->records[i] = (Bytes){copy, records[i].size};
    }
    DecodeInput input = {bed->records, count, bed->batch_arena, bed_error, bed};
    uint8_t *again = mem_array(count, 1);
    Column *none[BED_COLUMNS_MAX];
    format_json.decode(bed->checker, &input, none, again);
    format_json.decode(bed->decoder, &input, bed->decoded, bed->status);
    bool same = memcmp(again, bed->status, count) == 0;
    for (uint32_t i = 0; i < bed->spec.column_count; i++)
        same = same && !none[i] && bed->decoded[i] && bed->decoded[i]->length == count;
    mem_free(again);
    return same;
}

/* The record written again: its JSON, "null" for none, or what was wrong with it. In the bed's
 * batch arena. */
static inline const char *bed_text(JsonBed *bed, uint32_t record) {
    if (bed->status[record] == DECODE_BAD)
        return bed->errors[record] ? bed->errors[record] : "bad without a word";
    if (bed->status[record] == DECODE_NULL)
        return "no value";
    Buf out = {0};
    bool is_null;
    const char *reason = "";
    bool ok = format_json.encode(bed->encoder, (const Column *const *)bed->decoded, record, &out,
                                 &is_null, &reason);
    const char *text = !ok ? reason : is_null ? "null"
                                              : arena_text(bed->batch_arena, buf_view(&out));
    buf_free(&out);
    return text;
}

#endif
