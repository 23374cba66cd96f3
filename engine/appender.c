/*
 * appender.c - see appender.h.
 *
 * Per row: both encoders write into one reused buffer each, the key's hash picks the partition's
 * open batch, and the batch copies the bytes. Nothing is allocated once the buffers have grown.
 */
#include "engine/appender.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "planner/planner.h"
#include "storage/log.h"

struct Appender {
    Arena *arena;
    LogTopic topic;
    const Schema *schema;
    bool is_table;
    uint32_t *value_places; /* schema column of each value column */
    const Column **values;  /* the row's, gathered by value_places */
    uint32_t value_count;
    bool values_stand_together; /* no header column among them: nothing to gather */
    const Format *key_format, *value_format;
    Encoder *key_encoder, *value_encoder;
    Buf key, value;
    RecordBatch *batches; /* one per partition */
    size_t bytes;         /* in the batches, about */
    uint32_t next_partition, last_partition;
};

/* The value columns without headers, in order; notes where they are in the schema. */
static SchemaColumn *appender_values(Appender *appender) {
    const Schema *schema = appender->schema;
    uint32_t most = schema->column_count - schema->key_count;
    SchemaColumn *columns = arena_array(appender->arena, most, sizeof *columns);
    appender->value_places = arena_array(appender->arena, most, sizeof(uint32_t));
    appender->values = arena_array(appender->arena, most, sizeof(Column *));
    for (uint32_t i = schema->key_count; i < schema->column_count; i++) {
        if (schema->columns[i].role != COLUMN_VALUE)
            continue;
        columns[appender->value_count] = schema->columns[i];
        appender->value_places[appender->value_count++] = i;
    }
    uint32_t last = appender->value_count - 1;
    appender->values_stand_together =
        appender->value_count == 0 || appender->value_places[last] == schema->key_count + last;
    return columns;
}

static Encoder *appender_encoder(Appender *appender, const PlanFormat *format,
                                 const SchemaColumn *columns, bool is_key) {
    SerdeSpec *spec = arena_alloc(appender->arena, sizeof *spec);
    *spec = (SerdeSpec){.format = format->format,
                        .columns = columns,
                        .column_count = is_key ? appender->schema->key_count
                                               : appender->value_count,
                        .is_key = is_key,
                        .unwrapped = format->unwrapped,
                        .delimiter = format->delimiter};
    return format->format->encoder_new(spec, appender->arena);
}

ErrCode appender_new(Storage *storage, const Source *source, Appender **appender, Err *err) {
    LogTopic topic;
    if (plan_topic_is_internal(source->topic.topic))
        return err_set(err, ERR_SEMANTIC, "Cannot insert values into read-only topic: %s",
                       source->topic.topic);
    if (!log_topic_find(storage, source->topic.topic, &topic))
        return err_set(err, ERR_NOT_FOUND, "The topic %s of %s is gone.", source->topic.topic,
                       source->name);
    Appender *made = mem_alloc(sizeof *made);
    made->arena = arena_new("appender", 0);
    made->topic = topic;
    made->schema = schema_copy(made->arena, source->topic.schema);
    made->is_table = source->is_table;
    const SchemaColumn *values = appender_values(made);
    made->key_format = source->topic.key.format;
    made->value_format = source->topic.value.format;
    made->key_encoder = appender_encoder(made, &source->topic.key, made->schema->columns, true);
    made->value_encoder = appender_encoder(made, &source->topic.value, values, false);
    made->batches = mem_array(topic.partition_count, sizeof *made->batches);
    *appender = made;
    return ERR_OK;
}

void appender_free(Appender *appender) {
    if (!appender)
        return;
    for (uint32_t i = 0; i < appender->topic.partition_count; i++)
        record_batch_free(&appender->batches[i]);
    mem_free(appender->batches);
    buf_free(&appender->key);
    buf_free(&appender->value);
    arena_free(appender->arena);
    mem_free(appender);
}

uint32_t appender_topic_id(const Appender *appender) {
    return appender->topic.id;
}

const LogTopic *appender_topic(const Appender *appender) {
    return &appender->topic;
}

uint32_t appender_partitions(const Appender *appender) {
    assert(appender->topic.partition_count > 0);
    return appender->topic.partition_count;
}

static const Column *const *appender_row_values(Appender *appender,
                                                const Column *const *columns) {
    if (appender->values_stand_together)
        return columns + appender->schema->key_count;
    for (uint32_t i = 0; i < appender->value_count; i++)
        appender->values[i] = columns[appender->value_places[i]];
    return appender->values;
}

/* *value_null: in, whether the row is a tombstone. */
static ErrCode appender_encode(Appender *appender, const Column *const *columns, uint32_t row,
                               bool *key_null, bool *value_null, Err *err) {
    const char *reason = "";
    buf_reset(&appender->key);
    buf_reset(&appender->value);
    *key_null = true;
    if (appender->schema->key_count > 0 &&
        !appender->key_format->encode(appender->key_encoder, columns, row, &appender->key, key_null,
                                      &reason))
        return err_set(err, ERR_FORMAT, "The key cannot be written: %s", reason);
    if (*key_null && appender->is_table)
        return err_set(err, ERR_FORMAT, "The primary key is missing.");
    if (*value_null)
        return ERR_OK;
    if (!appender->value_format->encode(appender->value_encoder,
                                        appender_row_values(appender, columns), row,
                                        &appender->value, value_null, &reason))
        return err_set(err, ERR_FORMAT, "The value cannot be written: %s", reason);
    if (appender->key.size + appender->value.size > RECORD_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "The record has %zu bytes; a record may have %d.",
                       appender->key.size + appender->value.size, RECORD_BYTES_MAX);
    return ERR_OK;
}

void appender_set_round(Appender *appender, uint64_t rows) {
    appender->next_partition = (uint32_t)(rows % appender->topic.partition_count);
}

ErrCode appender_check(Appender *appender, const Column *const *columns, uint32_t row, Err *err) {
    bool key_null, value_null = false;
    return appender_encode(appender, columns, row, &key_null, &value_null, err);
}

ErrCode appender_add(Appender *appender, const Column *const *columns, uint32_t row,
                     int64_t rowtime, bool tombstone, Err *err) {
    bool key_null, value_null = tombstone;
    TRY(appender_encode(appender, columns, row, &key_null, &value_null, err));
    uint32_t partitions = appender->topic.partition_count;
    uint32_t partition = key_null ? appender->next_partition++ % partitions
                                  : hash_partition(buf_view(&appender->key), partitions);
    static const uint8_t empty;
    LogRecord record = {.timestamp = rowtime};
    if (!key_null)
        record.key = (Bytes){appender->key.data ? appender->key.data : &empty,
                             (uint32_t)appender->key.size};
    if (!value_null)
        record.value = (Bytes){appender->value.data ? appender->value.data : &empty,
                               (uint32_t)appender->value.size};
    RecordBatch *batch = &appender->batches[partition];
    size_t before = batch->buf.size;
    record_batch_add(batch, &record);
    appender->last_partition = partition;
    appender->bytes += batch->buf.size - before;
    return ERR_OK;
}

size_t appender_bytes(const Appender *appender) {
    return appender->bytes;
}

void appender_flush(Appender *appender, Commit *commit) {
    for (uint32_t i = 0; i < appender->topic.partition_count; i++) {
        RecordBatch *batch = &appender->batches[i];
        if (batch->count == 0)
            continue;
        record_batch_seal(batch);
        commit_append(commit, (TopicPartition){appender->topic.id, i}, batch);
        record_batch_reset(batch);
    }
    appender->bytes = 0;
}

size_t appender_last(const Appender *appender, uint32_t *partition) {
    *partition = appender->last_partition;
    return appender->batches[appender->last_partition].buf.size;
}

RecordBatch *appender_seal(Appender *appender, uint32_t partition) {
    assert(partition < appender->topic.partition_count);
    RecordBatch *batch = &appender->batches[partition];
    if (batch->count == 0)
        return NULL;
    assert(appender->bytes >= batch->buf.size);
    appender->bytes -= batch->buf.size;
    record_batch_seal(batch);
    return batch;
}

void appender_clear(Appender *appender) {
    for (uint32_t i = 0; i < appender->topic.partition_count; i++)
        record_batch_reset(&appender->batches[i]);
    appender->bytes = 0;
}
