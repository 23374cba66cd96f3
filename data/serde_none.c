/*
 * serde_none.c - the format NONE: nothing is read, nothing is written.
 */
#include <assert.h>

#include "data/serde_impl.h"

struct Decoder {
    uint32_t unused;
};

struct Encoder {
    uint32_t unused;
};

static ErrCode none_check(const SerdeSpec *spec, Err *err) {
    if (spec->column_count == 0)
        return ERR_OK;
    return serde_refuse_columns("The 'NONE' format can only be used when no columns are defined.",
                                spec, err);
}

static Decoder *none_decoder_new(const SerdeSpec *spec, const bool *used, Arena *arena) {
    (void)used;
    assert(spec->column_count == 0);
    return arena_alloc(arena, sizeof(Decoder));
}

/* Bytes that are there all the same are ignored, as ksqlDB ignores them. */
static void none_decode(Decoder *decoder, const DecodeInput *input, Column **columns,
                        uint8_t *status) {
    (void)decoder;
    (void)columns;
    memset(status, DECODE_NULL, input->count);
}

static Encoder *none_encoder_new(const SerdeSpec *spec, Arena *arena) {
    assert(spec->column_count == 0);
    return arena_alloc(arena, sizeof(Encoder));
}

static bool none_encode(Encoder *encoder, const Column *const *columns, uint32_t row, Buf *out,
                        bool *is_null, const char **reason) {
    (void)encoder;
    (void)columns;
    (void)row;
    (void)out;
    *is_null = true;
    *reason = NULL;
    return true;
}

const Format format_none = {
    .name = "NONE",
    .check = none_check,
    .decoder_new = none_decoder_new,
    .decode = none_decode,
    .encoder_new = none_encoder_new,
    .encode = none_encode,
};
