/*
 * testkit_records.c - records of a test as JSON trees or text, to bytes and back.
 *
 * To bytes: JSON formats take the tree's own text; the others decode it with the JSON format into
 * columns and encode those. Back: JSON bytes are a tree already; the others are decoded into
 * columns and written as JSON. A string for DELIMITED is the whole line as it stands.
 */
#include "base/base64.h"
#include "base/mem.h"
#include "engine/testkit_impl.h"
#include "engine/value_text.h"
#include "storage/log.h"

enum { WINDOW_BOUND_SIZE = 8 };

/* One side of a record: its format and columns. */
typedef struct Side {
    SerdeSpec spec;
    WindowKind window; /* keys */
    int64_t window_size_ms;
} Side;

static uint32_t side_value_count(const Schema *schema) {
    uint32_t count = 0;
    for (uint32_t i = schema->key_count; i < schema->column_count; i++)
        count += schema->columns[i].role == COLUMN_VALUE;
    return count;
}

static Side side_of(const PlanTopic *topic, bool is_key) {
    const Schema *schema = topic->schema;
    const PlanFormat *format = is_key ? &topic->key : &topic->value;
    return (Side){.spec = {.format = format->format,
                           .columns = schema->columns + (is_key ? 0 : schema->key_count),
                           .column_count = is_key ? schema->key_count : side_value_count(schema),
                           .is_key = is_key,
                           .unwrapped = format->unwrapped,
                           .delimiter = format->delimiter},
                  .window = is_key ? topic->window : WINDOW_NONE,
                  .window_size_ms = topic->window_size_ms};
}

/* The source over a topic that was created first, or the sink of a query. NULL: none. */
static const Source *side_source(const Weir *weir, const char *topic) {
    for (size_t i = 0; i < weir->catalog.source_count; i++)
        if (strcmp(weir->catalog.sources[i].source->topic.topic, topic) == 0)
            return weir->catalog.sources[i].source;
    return NULL;
}

typedef struct SideError {
    Err *err;
    bool failed;
} SideError;

static void side_error(void *context, uint32_t record, const char *text) {
    SideError *error = context;
    (void)record;
    error->failed = true;
    ErrCode code = err_set(error->err, ERR_FORMAT, "%s", text);
    (void)code;
}

/* Decodes one record of a format into columns of length 1. */
static ErrCode side_decode(const SerdeSpec *spec, Bytes bytes, Arena *arena, Column ***columns,
                           uint8_t *status, Err *err) {
    bool *used = arena_array(arena, spec->column_count, sizeof *used);
    memset(used, true, spec->column_count);
    SideError error = {err, false};
    DecodeInput input = {.records = &bytes,
                         .count = 1,
                         .arena = arena,
                         .error = side_error,
                         .error_context = &error};
    *columns = arena_array(arena, spec->column_count, sizeof(Column *));
    Decoder *decoder = spec->format->decoder_new(spec, used, arena);
    spec->format->decode(decoder, &input, *columns, status);
    if (*status == DECODE_BAD)
        return error.failed ? ERR_FORMAT : err_set(err, ERR_FORMAT, "the record does not fit");
    return ERR_OK;
}

static bool side_is_wrapped_tree(const Side *side, Bytes json) {
    uint32_t at = 0;
    while (at < json.size && (json.data[at] == ' ' || json.data[at] == '\t'))
        at++;
    return at < json.size && json.data[at] == '{' &&
           (side->spec.column_count != 1 || side->spec.columns[0].type->kind != TYPE_STRUCT ||
            !side->spec.unwrapped);
}

/* JSON tree -> bytes of the side's format. *none: the record has no bytes. */
static ErrCode side_encode(const Side *side, Bytes json, Arena *arena, Buf *out, bool *none,
                           Err *err) {
    const JsonNode *node;
    *none = json.data == NULL;
    if (*none)
        return ERR_OK;
    TRY(json_tree_parse(json, arena, &node, err));
    *none = node->kind == JSON_NULL || side->spec.format == &format_none ||
            (side->spec.column_count == 0 && side->spec.format != &format_json);
    if (*none)
        return ERR_OK;
    if (side->spec.format == &format_json) {
        buf_bytes(out, json);
        return ERR_OK;
    }
    if (side->spec.format == &format_delimited && node->kind == JSON_STRING) {
        buf_bytes(out, node->text);
        return ERR_OK;
    }
    SerdeSpec json_spec = side->spec;
    json_spec.format = &format_json;
    json_spec.unwrapped = !side_is_wrapped_tree(side, json);
    Column **columns;
    uint8_t status;
    TRY(side_decode(&json_spec, json, arena, &columns, &status, err));
    const char *reason = "";
    SerdeSpec *spec = arena_alloc(arena, sizeof *spec);
    *spec = side->spec;
    Encoder *encoder = spec->format->encoder_new(spec, arena);
    if (!spec->format->encode(encoder, (const Column *const *)columns, 0, out, none, &reason))
        return err_set(err, ERR_FORMAT, "%s", reason);
    return ERR_OK;
}

/* Text of a .test file -> bytes: KAFKA scalars are converted, everything else stands as it is. */
static ErrCode side_encode_text(const Side *side, Bytes text, Arena *arena, Buf *out, bool *none,
                                Err *err) {
    *none = text.data == NULL || side->spec.format == &format_none;
    if (*none)
        return ERR_OK;
    if (side->spec.format != &format_kafka || side->spec.column_count == 0 ||
        side->spec.columns[0].type->kind == TYPE_STRING) {
        buf_bytes(out, text);
        return ERR_OK;
    }
    return side_encode(side, text, arena, out, none, err);
}

static void side_put_window(const Side *side, const TestkitRecord *record, Buf *out) {
    if (side->window == WINDOW_NONE)
        return;
    if (side->window == WINDOW_SESSION)
        buf_u64_be(out, (uint64_t)record->window_end);
    buf_u64_be(out, (uint64_t)record->window_start);
}

static Bytes side_view(const Buf *buf, bool none) {
    static const uint8_t empty;
    if (none)
        return (Bytes){NULL, 0};
    return (Bytes){buf->data ? buf->data : &empty, (uint32_t)buf->size};
}

static ErrCode testkit_commit_record(Testkit *kit, const LogTopic *topic, const LogRecord *record,
                                     Err *err) {
    RecordBatch batch = {0};
    int64_t offset = 0;
    record_batch_add(&batch, record);
    record_batch_seal(&batch);
    Commit *commit = commit_new(kit->weir->storage, 0);
    commit_append(commit, (TopicPartition){topic->id, 0}, &batch);
    record_batch_free(&batch);
    TRY(commit_wait(commit, &offset, err));
    kit->arrivals = mem_grow(kit->arrivals, &kit->arrival_capacity, kit->arrival_count + 1,
                             sizeof *kit->arrivals);
    kit->arrivals[kit->arrival_count++] = (QueryScriptItem){topic->id, offset};
    return ERR_OK;
}

ErrCode testkit_append(Testkit *kit, const TestkitRecord *record, bool text, Err *err) {
    const Source *source = side_source(kit->weir, record->topic);
    LogTopic topic;
    TRY(testkit_topic(kit, record->topic, 1, err));
    if (!log_topic_find(kit->weir->storage, record->topic, &topic))
        return err_set(err, ERR_NOT_FOUND, "no topic %s", record->topic);
    static const Schema no_columns;
    PlanTopic unknown = {.schema = &no_columns,
                         .key = {.format = &format_json},
                         .value = {.format = &format_json}};
    const PlanTopic *plan = source ? &source->topic : &unknown;
    Arena *arena = arena_new("test record", 0);
    Side key_side = side_of(plan, true), value_side = side_of(plan, false);
    Buf key = {0}, value = {0};
    bool key_none, value_none;
    ErrCode code;
    TRY_DONE((text ? side_encode_text : side_encode)(&key_side, record->key, arena, &key, &key_none,
                                                     err));
    if (!key_none)
        side_put_window(&key_side, record, &key);
    TRY_DONE((text ? side_encode_text : side_encode)(&value_side, record->value, arena, &value,
                                                     &value_none, err));
    LogRecord log = {.timestamp = record->timestamp,
                     .key = side_view(&key, key_none),
                     .value = side_view(&value, value_none),
                     .headers = record->headers};
    TRY_DONE(testkit_commit_record(kit, &topic, &log, err));
done:
    buf_free(&key);
    buf_free(&value);
    arena_free(arena);
    return code;
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* Bytes -> JSON text (or, for .test files, the format's own text). */
static ErrCode side_read(const Side *side, Bytes bytes, bool text, Arena *arena, Bytes *json,
                         Err *err) {
    if (!bytes.data || side->spec.format == &format_none) {
        *json = (Bytes){NULL, 0};
        return ERR_OK;
    }
    Buf out = {0};
    if (side->spec.format == &format_json || (text && side->spec.format == &format_delimited)) {
        buf_bytes(&out, bytes);
    } else if (side->spec.format == &format_delimited) {
        value_json_string(&out, bytes);
    } else {
        Column **columns;
        uint8_t status;
        TRY(side_decode(&side->spec, bytes, arena, &columns, &status, err));
        if (text && status == DECODE_OK)
            value_text_put(&out, columns[0], 0);
        else
            value_json_put(&out, columns[0], 0);
    }
    *json = arena_bytes(arena, buf_view(&out));
    buf_free(&out);
    return ERR_OK;
}

static ErrCode side_take_window(const Side *side, Bytes *key, TestkitRecord *record, Err *err) {
    uint32_t size = side->window == WINDOW_NONE      ? 0
                    : side->window == WINDOW_SESSION ? 2 * WINDOW_BOUND_SIZE
                                                     : WINDOW_BOUND_SIZE;
    if (size == 0 || !key->data)
        return ERR_OK;
    if (key->size < size)
        return err_set(err, ERR_CORRUPT, "a windowed key has %u bytes", key->size);
    Reader reader = reader_of((Bytes){key->data + key->size - size, size});
    record->window = side->window == WINDOW_SESSION ? 's' : 't';
    if (side->window == WINDOW_SESSION)
        record->window_end = (int64_t)reader_u64_be(&reader);
    record->window_start = (int64_t)reader_u64_be(&reader);
    if (side->window != WINDOW_SESSION)
        record->window_end = record->window_start + side->window_size_ms;
    key->size -= size;
    return ERR_OK;
}

static ErrCode testkit_convert(const PlanTopic *topic, const LogRecord *log,
                               const TestkitRead *read, TestkitRecord *record, Err *err) {
    Arena *arena = read->arena;
    Side key_side = side_of(topic, true), value_side = side_of(topic, false);
    Bytes key = log->key;
    record->timestamp = log->timestamp;
    TRY(side_take_window(&key_side, &key, record, err));
    TRY(side_read(&key_side, key, read->text, arena, &record->key, err));
    TRY(side_read(&value_side, log->value, read->text, arena, &record->value, err));
    if (log->headers.data)
        record->headers = arena_bytes(arena, log->headers);
    return ERR_OK;
}

/* The record that `skip` others come before, over the partitions searched so far. */
typedef struct TestkitSearch {
    uint32_t skip;
    Arena *arena;
    LogRecord record;
    bool hit;
} TestkitSearch;

static Bytes testkit_keep(Arena *arena, Bytes bytes) {
    return bytes.data ? arena_bytes(arena, bytes) : bytes;
}

/* Searches one batch; *offset becomes the one behind it. */
static void testkit_find_in_batch(Bytes batch, int64_t offset, TestkitSearch *search) {
    RecordIter iter;
    LogRecord record;
    record_iter_init(&iter, batch);
    while (!search->hit && record_iter_next(&iter, &record)) {
        if (record.offset < offset || search->skip-- > 0)
            continue;
        search->hit = true;
        record.key = testkit_keep(search->arena, record.key);
        record.value = testkit_keep(search->arena, record.value);
        record.headers = testkit_keep(search->arena, record.headers);
        search->record = record;
    }
}

static ErrCode testkit_find(Testkit *kit, TopicPartition where, TestkitSearch *search, Err *err) {
    int64_t offset, end;
    TRY(log_offsets_now(kit->weir->storage, where, &offset, &end, err));
    while (!search->hit) {
        LogBlock *block;
        TRY(log_fetch_wait(kit->weir->storage, where, offset, 1 << 20, &block, err));
        if (!block)
            return ERR_OK;
        Bytes rest = log_block_bytes(block);
        uint32_t size;
        ErrCode code = ERR_OK;
        while (code == ERR_OK && rest.size > 0 && !search->hit) {
            code = record_batch_size(rest, &size, err);
            if (code != ERR_OK)
                break;
            testkit_find_in_batch(rest, offset, search);
            offset = record_batch_end(rest);
            rest = (Bytes){rest.data + size, rest.size - size};
        }
        log_block_unref(block);
        TRY(code);
    }
    return ERR_OK;
}

static ErrCode testkit_search(Testkit *kit, const char *name, TestkitSearch *search, Err *err) {
    LogTopic topic;
    if (!log_topic_find(kit->weir->storage, name, &topic))
        return ERR_OK;
    for (uint32_t p = 0; p < topic.partition_count && !search->hit; p++)
        TRY(testkit_find(kit, (TopicPartition){topic.id, p}, search, err));
    return ERR_OK;
}

ErrCode testkit_read(Testkit *kit, const TestkitRead *read, TestkitRecord *record, bool *found,
                     Err *err) {
    const Source *source = side_source(kit->weir, read->topic);
    *record = (TestkitRecord){.topic = read->topic};
    TestkitSearch search = {.skip = read->index, .arena = read->arena};
    if (source)
        TRY(testkit_search(kit, read->topic, &search, err));
    *found = search.hit;
    return search.hit ? testkit_convert(&source->topic, &search.record, read, record, err) : ERR_OK;
}

/* *columns stays NULL for a null key or value, and where there are no columns to be read. */
static ErrCode testkit_columns(const Side *side, Bytes bytes, Arena *arena, Column ***columns,
                               Err *err) {
    uint8_t status;
    if (!bytes.data || side->spec.column_count == 0)
        return ERR_OK;
    TRY(side_decode(&side->spec, bytes, arena, columns, &status, err));
    if (status == DECODE_NULL)
        *columns = NULL;
    return ERR_OK;
}

ErrCode testkit_row(Testkit *kit, const Source *source, uint32_t index, TestkitRow *row, Err *err) {
    Side key_side = side_of(&source->topic, true), value_side = side_of(&source->topic, false);
    TestkitSearch search = {.skip = index, .arena = row->arena};
    TRY(testkit_search(kit, source->topic.topic, &search, err));
    row->found = search.hit;
    if (!search.hit)
        return ERR_OK;
    Bytes key = search.record.key;
    row->record.timestamp = search.record.timestamp;
    row->is_tombstone = search.record.value.data == NULL;
    TRY(side_take_window(&key_side, &key, &row->record, err));
    TRY(testkit_columns(&key_side, key, row->arena, &row->key, err));
    return testkit_columns(&value_side, search.record.value, row->arena, &row->value, err);
}

/* -- Whole topics and sources as JSON ---------------------------------------------------------- */

static void testkit_headers_json(Bytes encoded, Buf *out) {
    RecordHeader headers[64];
    uint32_t count = record_headers_get(encoded, headers, 64);
    buf_text(out, ",\"headers\":[");
    for (uint32_t i = 0; i < count; i++) {
        buf_text(out, i ? ",{\"KEY\":" : "{\"KEY\":");
        value_json_string(out, headers[i].key);
        buf_text(out, headers[i].value.data ? ",\"VALUE\":\"" : ",\"VALUE\":null");
        base64_print(out, headers[i].value);
        buf_text(out, headers[i].value.data ? "\"}" : "}");
    }
    buf_u8(out, ']');
}

static void testkit_record_json(const TestkitRecord *record, Buf *out) {
    buf_text(out, "{\"key\":");
    buf_bytes(out, record->key.data ? record->key : bytes_of("null"));
    buf_text(out, ",\"value\":");
    buf_bytes(out, record->value.data ? record->value : bytes_of("null"));
    buf_printf(out, ",\"timestamp\":%lld", (long long)record->timestamp);
    if (record->window)
        buf_printf(out, ",\"window\":{\"start\":%lld,\"end\":%lld,\"type\":\"%s\"}",
                   (long long)record->window_start, (long long)record->window_end,
                   record->window == 's' ? "session" : "time");
    if (record->headers.data)
        testkit_headers_json(record->headers, out);
    buf_u8(out, '}');
}

static ErrCode testkit_topic_json(Testkit *kit, const char *topic, Buf *out, Err *err) {
    Arena *arena = arena_new("topic", 0);
    ErrCode code = ERR_OK;
    value_json_string(out, bytes_of(topic));
    buf_text(out, ":[");
    for (uint32_t i = 0; code == ERR_OK; i++) {
        TestkitRecord record;
        bool found;
        TestkitRead read = {.topic = topic, .index = i, .arena = arena};
        code = testkit_read(kit, &read, &record, &found, err);
        if (code != ERR_OK || !found)
            break;
        if (i > 0)
            buf_u8(out, ',');
        testkit_record_json(&record, out);
        arena_reset(arena);
    }
    buf_u8(out, ']');
    arena_free(arena);
    return code;
}

ErrCode testkit_topics_json(Testkit *kit, Buf *out, Err *err) {
    const Catalog *catalog = &kit->weir->catalog;
    bool first = true;
    buf_u8(out, '{');
    for (size_t i = 0; i < catalog->source_count; i++) {
        const char *topic = catalog->sources[i].source->topic.topic;
        if (side_source(kit->weir, topic) != catalog->sources[i].source)
            continue; /* another source over the same topic was shown */
        if (!first)
            buf_u8(out, ',');
        first = false;
        TRY(testkit_topic_json(kit, topic, out, err));
    }
    buf_u8(out, '}');
    return ERR_OK;
}

static void testkit_format_json(const PlanFormat *format, const PlanTopic *window, Buf *out) {
    static const char *const kinds[] = {"", "TUMBLING", "HOPPING", "SESSION"};
    buf_printf(out, "{\"format\":\"%s\"", format->format->name);
    if (window && window->window != WINDOW_NONE)
        buf_printf(out, ",\"windowType\":\"%s\"", kinds[window->window]);
    if (window && window->window != WINDOW_NONE && window->window != WINDOW_SESSION)
        buf_printf(out, ",\"windowSize\":%lld", (long long)window->window_size_ms);
    buf_u8(out, '}');
}

void testkit_sources_json(Testkit *kit, Buf *out) {
    const Catalog *catalog = &kit->weir->catalog;
    buf_u8(out, '[');
    for (size_t i = 0; i < catalog->source_count; i++) {
        const Source *source = catalog->sources[i].source;
        Buf schema = {0};
        schema_print(&schema, source->topic.schema);
        buf_text(out, i ? ",{\"name\":" : "{\"name\":");
        value_json_string(out, bytes_of(source->name));
        buf_printf(out, ",\"type\":\"%s\",\"schema\":", source->is_table ? "table" : "stream");
        value_json_string(out, buf_view(&schema));
        buf_text(out, ",\"keyFormat\":");
        testkit_format_json(&source->topic.key, &source->topic, out);
        buf_text(out, ",\"valueFormat\":");
        testkit_format_json(&source->topic.value, NULL, out);
        buf_u8(out, '}');
        buf_free(&schema);
    }
    buf_u8(out, ']');
}
