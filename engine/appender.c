/* appender.c - see appender.h. */
#include "engine/appender.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "storage/log.h"

struct Appender {
    Arena *arena;
    LogTopic topic;
    const Schema *schema;
    uint32_t value_count; /* value columns without headers */
    const Format *key_format, *value_format;
    Encoder *key_encoder, *value_encoder;
    Buf key, value;
    RecordBatch *batches; /* one per partition */
    uint32_t next_partition;
};

static uint32_t appender_value_count(const Schema *schema) {
    uint32_t count = 0;
    for (uint32_t i = schema->key_count; i < schema->column_count; i++)
        count += schema->columns[i].role == COLUMN_VALUE;
    return count;
}

static Encoder *appender_encoder(Appender *appender, const PlanFormat *format, bool is_key) {
    const Schema *schema = appender->schema;
    SerdeSpec *spec = arena_alloc(appender->arena, sizeof *spec);
    *spec = (SerdeSpec){.format = format->format,
                        .columns = schema->columns + (is_key ? 0 : schema->key_count),
                        .column_count = is_key ? schema->key_count : appender->value_count,
                        .is_key = is_key,
                        .unwrapped = format->unwrapped,
                        .delimiter = format->delimiter};
    return format->format->encoder_new(spec, appender->arena);
}

ErrCode appender_new(Storage *storage, const Source *source, Appender **appender, Err *err) {
    LogTopic topic;
    if (!log_topic_find(storage, source->topic.topic, &topic))
        return err_set(err, ERR_NOT_FOUND, "The topic %s of %s is gone.", source->topic.topic,
                       source->name);
    Appender *made = mem_alloc(sizeof *made);
    made->arena = arena_new("appender", 0);
    made->topic = topic;
    made->schema = schema_copy(made->arena, source->topic.schema);
    made->value_count = appender_value_count(made->schema);
    made->key_format = source->topic.key.format;
    made->value_format = source->topic.value.format;
    made->key_encoder = appender_encoder(made, &source->topic.key, true);
    made->value_encoder = appender_encoder(made, &source->topic.value, false);
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

/* Values and headers may be mixed in the schema: encoders see value columns only, which come
 * first here because DDL puts header columns last among the values they see. */
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
    if (*value_null)
        return ERR_OK;
    if (!appender->value_format->encode(appender->value_encoder,
                                        columns + appender->schema->key_count, row,
                                        &appender->value, value_null, &reason))
        return err_set(err, ERR_FORMAT, "The value cannot be written: %s", reason);
    if (appender->key.size + appender->value.size > RECORD_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "The record has %zu bytes; a record may have %d.",
                       appender->key.size + appender->value.size, RECORD_BYTES_MAX);
    return ERR_OK;
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
    record_batch_add(&appender->batches[partition], &record);
    return ERR_OK;
}

size_t appender_bytes(const Appender *appender) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < appender->topic.partition_count; i++)
        bytes += appender->batches[i].buf.size;
    return bytes;
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
}
