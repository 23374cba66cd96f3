/*
 * serde_kafka.c - the format KAFKA: one bare value, as Kafka's own serializers write it.
 *
 * INT and BIGINT big-endian in 4 and 8 bytes, DOUBLE as its IEEE 754 bits likewise, STRING as
 * UTF-8, BYTES as they are; no bytes at all for a missing value. No columns: nothing is read or
 * written, which is how keys of sources without a key are.
 */
#include <assert.h>
#include <stdio.h>

#include "base/reader.h"
#include "data/serde_impl.h"

struct Decoder {
    const SerdeSpec *spec;
    bool used;
    uint32_t size; /* of each record; 0: any */
};

struct Encoder {
    const SerdeSpec *spec;
};

static bool kafka_has_type(TypeKind kind) {
    return kind == TYPE_INT || kind == TYPE_BIGINT || kind == TYPE_DOUBLE || kind == TYPE_STRING ||
           kind == TYPE_BYTES;
}

static ErrCode kafka_check(const SerdeSpec *spec, Err *err) {
    if (spec->column_count > 1)
        return serde_refuse_columns("The 'KAFKA' format only supports a single field.", spec, err);
    if (spec->column_count == 1 && !kafka_has_type(spec->columns[0].type->kind))
        return serde_refuse_type("KAFKA", &spec->columns[0], false, err);
    return ERR_OK;
}

static uint32_t kafka_size(const SerdeSpec *spec) {
    TypeKind kind = spec->column_count == 0 ? TYPE_BYTES : spec->columns[0].type->kind;
    return kind == TYPE_INT ? 4 : kind == TYPE_BIGINT || kind == TYPE_DOUBLE ? 8 : 0;
}

static Decoder *kafka_decoder_new(const SerdeSpec *spec, const bool *used, Arena *arena) {
    assert(spec->column_count <= 1);
    Decoder *decoder = arena_alloc(arena, sizeof *decoder);
    decoder->spec = spec;
    decoder->used = spec->column_count == 1 && used[0];
    decoder->size = kafka_size(spec);
    return decoder;
}

static void kafka_read(Column *column, uint32_t row, Bytes record, Arena *arena) {
    Reader in = reader_of(record);
    uint64_t bits;
    column_set_present(column, row);
    switch (column->type->kind) {
    case TYPE_INT:
        column->i32[row] = (int32_t)reader_u32_be(&in);
        break;
    case TYPE_BIGINT:
        column->i64[row] = (int64_t)reader_u64_be(&in);
        break;
    case TYPE_DOUBLE:
        bits = reader_u64_be(&in);
        memcpy(&column->f64[row], &bits, sizeof bits);
        break;
    case TYPE_STRING:
        column->bytes[row] = serde_utf8(arena, record);
        break;
    default:
        assert(column->type->kind == TYPE_BYTES);
        column->bytes[row] = record;
    }
    assert(reader_ok(&in));
}

static void kafka_misfit(const Decoder *decoder, const DecodeInput *input, uint32_t index) {
    char text[SERDE_ERROR_SIZE];
    const SchemaColumn *column = &decoder->spec->columns[0];
    const char *type = column->type->kind == TYPE_INT      ? "INTEGER"
                       : column->type->kind == TYPE_BIGINT ? "BIGINT"
                                                           : "DOUBLE";
    snprintf(text, sizeof text, "Error deserializing KAFKA: column `%s`: %s has %u bytes, got %u",
             column->name, type, decoder->size, input->records[index].size);
    input->error(input->error_context, index, text);
}

static void kafka_decode(Decoder *decoder, const DecodeInput *input, Column **columns,
                         uint8_t *status) {
    serde_columns_new(decoder->spec, &decoder->used, input, columns);
    for (uint32_t i = 0; i < input->count; i++) {
        Bytes record = input->records[i];
        if (!record.data || decoder->spec->column_count == 0) {
            status[i] = DECODE_NULL;
        } else if (decoder->size > 0 && record.size != decoder->size) {
            status[i] = DECODE_BAD;
            kafka_misfit(decoder, input, i);
        } else {
            status[i] = DECODE_OK;
            if (decoder->used)
                kafka_read(columns[0], i, record, input->arena);
        }
    }
}

static Encoder *kafka_encoder_new(const SerdeSpec *spec, Arena *arena) {
    Encoder *encoder = arena_alloc(arena, sizeof *encoder);
    encoder->spec = spec;
    return encoder;
}

static bool kafka_encode(Encoder *encoder, const Column *const *columns, uint32_t row, Buf *out,
                         bool *is_null, const char **reason) {
    *reason = NULL;
    *is_null = encoder->spec->column_count == 0 || column_is_null(columns[0], row);
    if (*is_null)
        return true;
    const Column *column = columns[0];
    uint64_t bits;
    switch (column->type->kind) {
    case TYPE_INT:
        buf_u32_be(out, (uint32_t)column->i32[row]);
        break;
    case TYPE_BIGINT:
        buf_u64_be(out, (uint64_t)column->i64[row]);
        break;
    case TYPE_DOUBLE:
        memcpy(&bits, &column->f64[row], sizeof bits);
        buf_u64_be(out, bits);
        break;
    default:
        assert(column->type->kind == TYPE_STRING || column->type->kind == TYPE_BYTES);
        buf_bytes(out, column->bytes[row]);
    }
    return true;
}

const Format format_kafka = {
    .name = "KAFKA",
    .check = kafka_check,
    .decoder_new = kafka_decoder_new,
    .decode = kafka_decode,
    .encoder_new = kafka_encoder_new,
    .encode = kafka_encode,
};
