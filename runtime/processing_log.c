/*
 * processing_log.c - see processing_log.h. The layout is ksqlDB's:
 *
 *   {"level":"ERROR","logger":"processing.CSAS_O_0.Project","time":1700000000000,
 *    "message":{"type":1,"deserializationError":null,"recordProcessingError":{"errorMessage":"...",
 *               "record":null,"cause":[]},"productionError":null,...}}
 */
#include "runtime/processing_log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "data/json_text.h"
#include "runtime/worker.h"

enum { LOG_MOVE_US = 5000000 }; /* longer only where a disk is full */

typedef enum LogType { LOG_DESERIALIZATION, LOG_RECORD, LOG_PRODUCTION, LOG_SERIALIZATION } LogType;

/* -- Which log --------------------------------------------------------------------------------- */

bool processing_log_wanted(const Group *group) {
    const LogTarget *target = &group->worker->runtime->log;
    assert(group->query);
    return group->persistent && atomic_load_explicit(&target->topic_id, memory_order_relaxed) &&
           atomic_load_explicit(&group->query->logged, memory_order_relaxed);
}

void runtime_set_log(Runtime *runtime, const RuntimeLog *log) {
    LogTarget *target = &runtime->log;
    lock_take(&target->lock);
    bool moves = atomic_load(&target->topic_id) != log->topic_id;
    if (moves)
        atomic_store(&target->topic_id, 0);
    Io *io = runtime->io;
    int64_t end_us = io->ops->mono_us(io) + LOG_MOVE_US;
    while (moves && runtime->threads && target->users > 0 && io->ops->mono_us(io) < end_us)
        signal_wait_for(&target->changed, &target->lock, LOG_MOVE_US / 100);
    target->partitions = log->partitions;
    target->rows_include = log->rows_include;
    target->records_max = log->records_max;
    atomic_store(&target->topic_id, log->topic_id);
    lock_release(&target->lock);
}

/* Takes part in the log; topic_id 0: there is none. */
static RuntimeLog log_enter(LogTarget *target) {
    lock_take(&target->lock);
    RuntimeLog log = {.topic_id = atomic_load(&target->topic_id), .partitions = target->partitions,
                      .rows_include = target->rows_include, .records_max = target->records_max};
    target->users += log.topic_id != 0;
    lock_release(&target->lock);
    return log;
}

void processing_log_end(Group *group) {
    LogTarget *target = &group->worker->runtime->log;
    lock_take(&target->lock);
    assert(target->users > 0);
    target->users--;
    signal_all(&target->changed);
    lock_release(&target->lock);
}

/* -- The record that was bad ------------------------------------------------------------------- */

/* The key or value of the record at the error's place, in `out`; false: it is not there any more.
 */
static bool log_find_record(Storage *storage, const RowError *error, Buf *out) {
    LogTopic topic;
    LogBlock *block = NULL;
    Err ignored;
    if (error->offset < 0 || !log_topic_find(storage, error->topic, &topic))
        return false;
    TopicPartition where = {topic.id, (uint32_t)error->partition};
    if (log_fetch(storage, where, error->offset, 1, &block, &ignored) != ERR_OK || !block)
        return false;
    bool found = false;
    Bytes bytes = log_block_bytes(block);
    RecordBatchInfo info;
    while (!found && record_batch_peek(bytes, &info) && info.size <= bytes.size) {
        RecordIter iter;
        LogRecord record;
        record_iter_init(&iter, (Bytes){bytes.data, info.size});
        while (!found && record_iter_next(&iter, &record)) {
            found = record.offset == error->offset;
            if (found)
                buf_bytes(out, error->of_key ? record.key : record.value);
        }
        bytes = (Bytes){bytes.data + info.size, bytes.size - info.size};
    }
    log_block_unref(block);
    return found;
}

static void log_put_record(Buf *out, Storage *storage, const RowError *error, bool as_base64) {
    Buf record = {0};
    if (!log_find_record(storage, error, &record)) {
        buf_text(out, "null");
    } else if (as_base64 || !utf8_valid(buf_view(&record))) {
        buf_u8(out, '"');
        base64_print(out, buf_view(&record));
        buf_u8(out, '"');
    } else {
        json_print_string(out, buf_view(&record));
    }
    buf_free(&record);
}

/* -- Entries ----------------------------------------------------------------------------------- */

static LogType log_type(const RowError *error) {
    assert(error->kind[0]);
    return strcmp(error->kind, "deserialization") == 0 ? LOG_DESERIALIZATION
           : strcmp(error->kind, "serialization") == 0 ? LOG_SERIALIZATION
                                                       : LOG_RECORD;
}

/* storage NULL: without the record. */
static void log_put_details(Buf *out, const RowError *error, Storage *storage) {
    LogType type = log_type(error);
    if (type != LOG_RECORD)
        buf_printf(out, "{\"target\":\"%s\",\"errorMessage\":", error->of_key ? "key" : "value");
    else
        buf_text(out, "{\"errorMessage\":");
    json_print_string(out, bytes_of(error->text));
    buf_text(out, type == LOG_DESERIALIZATION ? ",\"recordB64\":" : ",\"record\":");
    if (storage)
        log_put_record(out, storage, error, type == LOG_DESERIALIZATION);
    else
        buf_text(out, "null");
    buf_text(out, ",\"cause\":[]");
    if (type != LOG_RECORD) {
        buf_text(out, ",\"topic\":");
        json_print_string(out, bytes_of(error->topic));
    }
    buf_u8(out, '}');
}

static void log_put_message(Buf *out, const RowError *error, Storage *storage) {
    static const char *const members[] = {"deserializationError", "recordProcessingError",
                                          "productionError", "serializationError",
                                          "kafkaStreamsThreadError"};
    LogType type = log_type(error);
    buf_printf(out, "{\"type\":%d", (int)type);
    for (uint32_t i = 0; i < sizeof members / sizeof *members; i++) {
        buf_printf(out, ",\"%s\":", members[i]);
        if (i == (uint32_t)type)
            log_put_details(out, error, storage);
        else
            buf_text(out, "null");
    }
    buf_u8(out, '}');
}

static void log_put_entry(Buf *out, const Group *group, const RowError *error, Storage *storage,
                          int64_t now_ms) {
    const char *id = group->query->plan->query_id;
    Buf logger = {0};
    buf_printf(&logger, "processing.%s%s%s", id ? id : "", error->step[0] ? "." : "", error->step);
    buf_text(out, "{\"level\":\"ERROR\",\"logger\":");
    json_print_string(out, buf_view(&logger));
    buf_printf(out, ",\"time\":%lld,\"message\":", (long long)now_ms);
    log_put_message(out, error, storage);
    buf_u8(out, '}');
    buf_free(&logger);
}

/* -- A commit's entries ------------------------------------------------------------------------ */

/* Where this group's entries go: one partition, so that they stay in order. */
static TopicPartition log_place(const Group *group, const RuntimeLog *log) {
    assert(log->partitions > 0);
    return (TopicPartition){log->topic_id, group->tasks[0]->partition % log->partitions};
}

/* The log keeps its last records_max records; an eighth more before it is cut. */
static void log_cut(Storage *storage, TopicPartition where, int64_t records_max, Commit *commit) {
    int64_t start, end;
    Err ignored;
    if (log_offsets(storage, where, &start, &end, &ignored) == ERR_OK &&
        end - start > records_max + records_max / 8)
        commit_log_start(commit, where, end - records_max);
}

bool processing_log_begin(Group *group, Commit *commit) {
    RowErrors *errors = &group->errors;
    Runtime *runtime = group->worker->runtime;
    assert(errors->pending_count <= ROW_ERRORS_PENDING_MAX);
    if (errors->pending_count == 0)
        return false;
    RuntimeLog log = log_enter(&runtime->log);
    if (log.topic_id == 0) {
        row_errors_forget(errors);
        return false;
    }
    TopicPartition where = log_place(group, &log);
    uint32_t target = outbox_target(group->outbox, log.topic_id, log.partitions, false);
    Storage *storage = log.rows_include ? runtime->storage : NULL;
    RowError more = errors->pending[errors->pending_count - 1];
    more.of_key = false;
    snprintf(more.kind, sizeof more.kind, "more");
    snprintf(more.text, sizeof more.text, "%llu more bad rows are not in the log.",
             (unsigned long long)errors->pending_more);
    Buf entry = {0};
    LogRecord record = {.timestamp = runtime->io->ops->now_ms(runtime->io)};
    for (uint32_t i = 0; i < errors->pending_count + (errors->pending_more > 0); i++) {
        bool last = i == errors->pending_count;
        buf_reset(&entry);
        log_put_entry(&entry, group, last ? &more : &errors->pending[i], last ? NULL : storage,
                      record.timestamp);
        record.value = buf_view(&entry);
        outbox_put(group->outbox, target, where.partition, &record, true);
    }
    buf_free(&entry);
    log_cut(runtime->storage, where, log.records_max, commit);
    row_errors_forget(errors);
    return true;
}
