/*
 * scan_decode.c - records to columns: the decoders of a source, its times, windows and headers.
 *
 * A row is good when its key and value decode, it has a time, and a table's row has a key; whether
 * it is does not depend on which columns are used.
 */
#include <assert.h>
#include <stdio.h>

#include "runtime/scan_impl.h"

enum { WINDOW_TIME_BYTES = 8, WINDOW_SESSION_BYTES = 16 };

/* -- Making a decoder ------------------------------------------------------------------------- */

static const char *copy_text(Arena *arena, const char *text) {
    return text ? arena_strdup(arena, text) : NULL;
}

static const PlanTopic *copy_topic(const PlanTopic *topic, const Schema *schema, Arena *arena) {
    assert(schema);
    if (!topic)
        return NULL;
    PlanTopic *copy = arena_alloc(arena, sizeof *copy);
    *copy = *topic;
    copy->topic = copy_text(arena, topic->topic);
    copy->timestamp_format = copy_text(arena, topic->timestamp_format);
    copy->schema = schema;
    return copy;
}

static const ScanSpec *copy_spec(const ScanSpec *spec, Arena *arena) {
    assert(spec->schema);
    ScanSpec *copy = arena_alloc(arena, sizeof *copy);
    *copy = *spec;
    copy->schema = schema_copy(arena, spec->schema);
    copy->topic = copy_topic(spec->topic, copy->schema, arena);
    bool *used = arena_alloc(arena, spec->schema->column_count);
    for (uint32_t i = 0; i < spec->schema->column_count; i++)
        used[i] = !spec->used || spec->used[i];
    if (spec->topic && spec->topic->timestamp_column >= 0)
        used[spec->topic->timestamp_column] = true;
    copy->used = used;
    return copy;
}

/* The columns of one role, in order, as a decoder wants them. */
static Decoder *make_decoder(const ScanSpec *spec, bool is_key, uint32_t *count, Arena *arena) {
    assert(spec->topic);
    assert(spec->used);
    const Schema *schema = spec->schema;
    SchemaColumn *columns = arena_array(arena, schema->column_count, sizeof *columns);
    bool *used = arena_alloc(arena, schema->column_count);
    *count = 0;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].role != (is_key ? COLUMN_KEY : COLUMN_VALUE))
            continue;
        columns[*count] = schema->columns[i];
        used[(*count)++] = spec->used[i];
    }
    if (*count == 0)
        return NULL;
    const PlanFormat *format = is_key ? &spec->topic->key : &spec->topic->value;
    SerdeSpec *serde = arena_alloc(arena, sizeof *serde);
    *serde = (SerdeSpec){.format = format->format, .columns = columns, .column_count = *count,
                         .is_key = is_key, .unwrapped = format->unwrapped,
                         .delimiter = format->delimiter};
    return format->format->decoder_new(serde, used, arena);
}

static void make_missing(ScanDecoder *decoder, Arena *arena) {
    assert(!decoder->missing);
    const ScanSpec *spec = decoder->spec;
    const Column **missing = arena_array(arena, spec->schema->column_count, sizeof *missing);
    for (uint32_t i = 0; i < spec->schema->column_count; i++) {
        if (!spec->used[i])
            missing[i] = column_new(arena, spec->schema->columns[i].type, BATCH_ROWS_MAX);
    }
    decoder->missing = missing;
}

ErrCode scan_decoder_init(ScanDecoder *decoder, const ScanSpec *spec, Arena *arena, Err *err) {
    *decoder = (ScanDecoder){.spec = copy_spec(spec, arena)};
    spec = decoder->spec;
    const Schema *schema = spec->schema;
    if (!spec->topic)
        return ERR_OK; /* split_internal() needs nothing */
    uint32_t key_count;
    decoder->key = make_decoder(spec, true, &key_count, arena);
    assert(key_count == schema->key_count);
    decoder->value = make_decoder(spec, false, &decoder->value_count, arena);
    make_missing(decoder, arena);
    if (spec->topic->timestamp_format)
        return time_pattern_new(bytes_of(spec->topic->timestamp_format), arena,
                                &decoder->time_pattern, err);
    return ERR_OK;
}

static bool same_text(const char *left, const char *right) {
    return left == right || (left && right && strcmp(left, right) == 0);
}

static bool same_format(const PlanFormat *left, const PlanFormat *right) {
    return left->format == right->format && left->unwrapped == right->unwrapped &&
           left->delimiter == right->delimiter;
}

static bool same_topic(const PlanTopic *left, const PlanTopic *right) {
    if (!left || !right)
        return left == right;
    return same_format(&left->key, &right->key) && same_format(&left->value, &right->value) &&
           left->window == right->window && left->window_size_ms == right->window_size_ms &&
           left->timestamp_column == right->timestamp_column &&
           same_text(left->timestamp_format, right->timestamp_format);
}

bool scan_decoder_fits(const ScanDecoder *decoder, const ScanSpec *spec) {
    assert(decoder->spec);
    const ScanSpec *ours = decoder->spec;
    if (ours->where.topic_id != spec->where.topic_id ||
        ours->where.partition != spec->where.partition || ours->is_table != spec->is_table ||
        !same_topic(ours->topic, spec->topic) || !schema_equal(ours->schema, spec->schema))
        return false;
    for (uint32_t i = 0; i < spec->schema->column_count; i++) {
        if ((!spec->used || spec->used[i]) && !ours->used[i])
            return false;
    }
    return true;
}

/* -- Decoding a block ------------------------------------------------------------------------- */

typedef struct DecodeContext {
    Block *block;
    const char *kind;
    uint8_t *bad; /* [row]: an error is noted */
    bool of_key;  /* the key is what is read */
} DecodeContext;

static void note_error(DecodeContext *context, uint32_t row, const char *kind, const char *text) {
    Block *block = context->block;
    assert(row < block->row_count);
    if (context->bad[row])
        return; /* the first one is enough */
    context->bad[row] = 1;
    if (!block->errors)
        block->errors = arena_array(block->arena, block->row_count, sizeof *block->errors);
    block->errors[block->error_count++] =
        (BlockError){row, kind, arena_strdup(block->arena, text), context->of_key};
}

static void note_decode_error(void *context, uint32_t record, const char *text) {
    note_error(context, record, "deserialization", text);
}

/* Splits the window off the keys: bounds into the block, the rest back into keys[]. */
static void split_windows(const ScanDecoder *decoder, Bytes *keys, DecodeContext *context) {
    assert(context->block->row_count > 0);
    assert(!context->block->window_start);
    Block *block = context->block;
    const PlanTopic *topic = decoder->spec->topic;
    bool session = topic->window == WINDOW_SESSION;
    uint32_t suffix = session ? WINDOW_SESSION_BYTES : WINDOW_TIME_BYTES;
    block->window_start = arena_array(block->arena, block->row_count, sizeof(int64_t));
    block->window_end = arena_array(block->arena, block->row_count, sizeof(int64_t));
    for (uint32_t i = 0; i < block->row_count; i++) {
        if (!keys[i].data || keys[i].size < suffix) {
            note_error(context, i, "deserialization", "the key has no window");
            continue;
        }
        keys[i].size -= suffix;
        Reader in = reader_of((Bytes){keys[i].data + keys[i].size, suffix});
        uint64_t end = session ? reader_u64_be(&in) : 0, start = reader_u64_be(&in);
        if (!session)
            end = start > INT64_MAX ? 0 : start + (uint64_t)topic->window_size_ms;
        if (start > INT64_MAX || end > INT64_MAX || end < start) {
            note_error(context, i, "deserialization", "the window of the key is no span of time");
            continue;
        }
        block->window_start[i] = (int64_t)start;
        block->window_end[i] = (int64_t)end;
    }
}

/* One side's columns into their places in the block; its statuses. */
static uint8_t *decode_side(const ScanDecoder *decoder, bool is_key, const Bytes *records,
                            DecodeContext *context) {
    Block *block = context->block;
    context->of_key = is_key;
    const Schema *schema = decoder->spec->schema;
    uint8_t *status = arena_alloc(block->arena, block->row_count);
    Decoder *side = is_key ? decoder->key : decoder->value;
    if (!side) {
        for (uint32_t i = 0; i < block->row_count; i++)
            status[i] = records[i].data ? DECODE_OK : DECODE_NULL;
        return status;
    }
    Column **columns = arena_array(block->arena, schema->column_count, sizeof *columns);
    DecodeInput input = {.records = records, .count = block->row_count, .arena = block->arena,
                         .error = note_decode_error, .error_context = context};
    const PlanFormat *format = is_key ? &decoder->spec->topic->key : &decoder->spec->topic->value;
    format->format->decode(side, &input, columns, status);
    uint32_t at = 0;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].role != (is_key ? COLUMN_KEY : COLUMN_VALUE))
            continue;
        block->columns[i] = decoder->spec->used[i] ? columns[at] : decoder->missing[i];
        assert(block->columns[i]);
        at++;
    }
    for (uint32_t i = 0; block->error_count > 0 && i < block->row_count; i++)
        context->bad[i] = context->bad[i] || status[i] == DECODE_BAD;
    return status;
}

static void decode_headers(const ScanDecoder *decoder, const Bytes *headers, Block *block) {
    assert(block->columns);
    const Schema *schema = decoder->spec->schema;
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (schema->columns[i].role == COLUMN_HEADERS)
            block->columns[i] = decoder->spec->used[i]
                                    ? scan_header_column(&schema->columns[i], headers,
                                                         block->row_count, block->arena)
                                    : decoder->missing[i];
    }
}

/* The time in the source's timestamp column; false: there is none. */
static bool column_time(const ScanDecoder *decoder, const Column *column, uint32_t row,
                        int64_t *rowtime, char text[128]) {
    assert(row < column->length);
    if (column_is_null(column, row)) {
        snprintf(text, 128, "the timestamp column is NULL");
        return false;
    }
    if (!decoder->time_pattern) {
        *rowtime = column->i64[row];
        return true;
    }
    Bytes value = column->bytes[row];
    if (time_pattern_parse(decoder->time_pattern, value, rowtime))
        return true;
    snprintf(text, 128, "'%.*s' does not fit the format '%s'",
             (int)(value.size < 48 ? value.size : 48), (const char *)value.data,
             decoder->spec->topic->timestamp_format);
    return false;
}

/* Times that are there and good for all rows: the records' own, or those of a whole column. */
static bool plain_times(const ScanDecoder *decoder, const int64_t *timestamp, Block *block) {
    int32_t index = decoder->spec->topic->timestamp_column;
    const Column *column = index >= 0 ? block->columns[index] : NULL;
    if (block->error_count > 0 || (column && (column->validity || decoder->time_pattern)))
        return false;
    const int64_t *source = column ? column->i64 : timestamp;
    int64_t signs = 0;
    for (uint32_t i = 0; i < block->row_count; i++) {
        block->rowtime[i] = source[i];
        signs |= source[i];
    }
    assert(!column || column->length == block->row_count);
    return signs >= 0;
}

static void extract_times(const ScanDecoder *decoder, const int64_t *timestamp,
                          DecodeContext *context) {
    assert(!context->block->rowtime);
    Block *block = context->block;
    int32_t index = decoder->spec->topic->timestamp_column;
    block->rowtime = arena_raw(block->arena, block->row_count * sizeof *block->rowtime);
    if (plain_times(decoder, timestamp, block))
        return;
    char text[128];
    for (uint32_t i = 0; i < block->row_count; i++) {
        block->rowtime[i] = timestamp[i];
        if (context->bad[i])
            continue;
        /* What has no value keeps the record's own time. */
        if (index >= 0 && block->kind[i] == ROW_VALUE &&
            !column_time(decoder, block->columns[index], i, &block->rowtime[i], text)) {
            note_error(context, i, "timestamp", text);
        } else if (block->rowtime[i] < 0) {
            snprintf(text, sizeof text, "the timestamp %lld is negative",
                     (long long)block->rowtime[i]);
            note_error(context, i, "timestamp", text);
        }
    }
}

static void pick_good(const ScanDecoder *decoder, const uint8_t *key_status,
                      DecodeContext *context) {
    assert(context->block->good_count == 0);
    Block *block = context->block;
    block->good = arena_raw(block->arena, block->row_count * sizeof *block->good);
    if (block->error_count == 0 && !decoder->spec->is_table) {
        memcpy(block->good, batch_all_rows(block->row_count),
               block->row_count * sizeof *block->good);
        block->good_count = block->row_count;
        return;
    }
    for (uint32_t i = 0; i < block->row_count; i++) {
        bool keyless = decoder->spec->is_table && key_status && key_status[i] == DECODE_NULL;
        block->good[block->good_count] = (uint16_t)i;
        block->good_count += !context->bad[i] && !keyless;
    }
}

static void decode_source(const ScanDecoder *decoder, const ScanRecords *records, Block *block) {
    assert(block->columns);
    assert(block->kind);
    DecodeContext context = {.block = block, .of_key = true};
    context.bad = arena_alloc(block->arena, block->row_count);
    if (decoder->spec->topic->window != WINDOW_NONE)
        split_windows(decoder, records->keys, &context);
    bool keys_count = decoder->key || decoder->spec->is_table;
    const uint8_t *key_status =
        keys_count ? decode_side(decoder, true, records->keys, &context) : NULL;
    const uint8_t *value_status = decode_side(decoder, false, records->values, &context);
    decode_headers(decoder, records->headers, block);
    bool some_null = memchr(value_status, DECODE_NULL, block->row_count) != NULL;
    for (uint32_t i = 0; some_null && i < block->row_count; i++) {
        if (value_status[i] == DECODE_NULL)
            block->kind[i] = decoder->spec->is_table ? ROW_DELETE : ROW_NULL;
    }
    extract_times(decoder, records->timestamp, &context);
    pick_good(decoder, key_status, &context);
}

/* Records of our own: what does not fit is damage, not a bad row. */
static ErrCode split_internal(const ScanRecords *records, Block *block, Err *err) {
    assert(block->row_count > 0);
    assert(block->kind);
    block->raw = records->values;
    block->lane = arena_raw(block->arena, block->row_count * sizeof *block->lane);
    for (uint32_t i = 0; i < block->row_count; i++) {
        Reader in = reader_of(records->values[i]);
        block->kind[i] = reader_u8(&in);
        uint64_t lane = reader_varint(&in);
        block->raw[i] = reader_bytes(&in, reader_left(&in));
        uint32_t kind = block->kind[i] & ~(uint32_t)REPARTITION_OLD;
        if (!reader_ok(&in) || kind > ROW_DELETE || lane >= PARTITIONS_MAX)
            return err_set(err, ERR_CORRUPT, "a record of an internal topic does not fit");
        block->lane[i] = (uint32_t)lane;
    }
    block->good = arena_raw(block->arena, block->row_count * sizeof *block->good);
    memcpy(block->good, batch_all_rows(block->row_count),
           block->row_count * sizeof *block->good);
    block->good_count = block->row_count;
    block->rowtime = records->timestamp;
    return ERR_OK;
}

/* What all records have together, for whoever takes the block as a whole. */
static void sum_up(Block *block) {
    uint64_t bytes = 0;
    int64_t least = INT64_MAX, most = INT64_MIN;
    assert(block->rowtime && block->size);
    for (uint32_t i = 0; i < block->row_count; i++) {
        bytes += block->size[i];
        least = block->rowtime[i] < least ? block->rowtime[i] : least;
        most = block->rowtime[i] > most ? block->rowtime[i] : most;
    }
    block->bytes = bytes;
    block->rowtime_min = least;
    block->rowtime_max = most;
}

ErrCode scan_decode(const ScanDecoder *decoder, const ScanRecords *records, Block *block,
                    Err *err) {
    assert(block->row_count > 0 && !block->errors);
    block->kind = arena_alloc(block->arena, block->row_count);
    block->headers = records->any_headers ? records->headers : NULL;
    if (!decoder->spec->topic)
        return split_internal(records, block, err);
    block->columns =
        arena_array(block->arena, decoder->spec->schema->column_count, sizeof *block->columns);
    decode_source(decoder, records, block);
    sum_up(block);
    return ERR_OK;
}
