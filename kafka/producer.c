/* producer.c - opens producers and hands the records of commits over: see producer_impl.h. */
#include "kafka/producer_impl.h"

#include <assert.h>
#include <stdio.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/timestamp.h"
#include "storage/log.h"

/* Beyond this a value is copied: the library sends larger ones from where they lie, and may still
 * be doing so when their commit is gone. */
enum { VALUE_BORROWED_MAX = 32 << 10, PRODUCER_HEADERS_MAX = 1024 };

/* == Producers ================================================================================ */

ErrCode producer_open(Producer *producer, const KafkaConfig *config, KafkaTrouble *trouble,
                      const char *transactional_id, Err *err) {
    assert(!producer->client);
    assert(producer->storage && producer->stores);
    KafkaClientOptions options = {
        .role = KAFKA_WRITE,
        .transactional_id = transactional_id,
        .transaction_timeout_ms = producer->timeout_ms,
        .delivered = bundle_delivered,
        .trouble = trouble,
    };
    return kafka_client_open(config, &options, &producer->client, err);
}

void producer_close(Producer *producer) {
    for (size_t i = 0; i < producer->topic_count; i++)
        rd_kafka_topic_destroy(producer->topics[i].topic);
    mem_free(producer->topics);
    if (producer->positions)
        rd_kafka_topic_destroy(producer->positions);
    kafka_client_close(producer->client);
    buf_free(&producer->key);
    producer->client = NULL;
    producer->positions = NULL;
    producer->topics = NULL;
    producer->topic_count = producer->topic_capacity = producer->topic_last = 0;
}

static ErrCode producer_topic(Producer *producer, uint32_t topic_id, rd_kafka_topic_t **topic,
                              Err *err) {
    assert(producer->client);
    size_t at = producer->topic_last;
    if (at >= producer->topic_count || producer->topics[at].id != topic_id)
        for (at = 0; at < producer->topic_count && producer->topics[at].id != topic_id;)
            at++;
    if (at == producer->topic_count) {
        LogTopic known;
        if (!log_topic_get(producer->storage, topic_id, &known))
            return err_set(err, ERR_TOPIC_MISSING, "there is no topic with id %u any more",
                           topic_id);
        rd_kafka_topic_t *made = rd_kafka_topic_new(producer->client->handle, known.name, NULL);
        if (!made)
            return kafka_error(err, rd_kafka_last_error(), "Topic %s", known.name);
        producer->topics = mem_grow(producer->topics, &producer->topic_capacity, at + 1,
                                    sizeof *producer->topics);
        producer->topics[at] = (ProducerTopic){topic_id, made};
        producer->topic_count++;
    }
    producer->topic_last = at;
    *topic = producer->topics[at].topic;
    return ERR_OK;
}

/* == One record =============================================================================== */

static rd_kafka_headers_t *outgoing_headers(Bytes encoded) {
    RecordHeader headers[PRODUCER_HEADERS_MAX];
    uint32_t count = record_headers_get(encoded, headers, PRODUCER_HEADERS_MAX);
    if (count == 0)
        return NULL;
    rd_kafka_headers_t *made = rd_kafka_headers_new(count);
    for (uint32_t i = 0; i < count; i++)
        (void)rd_kafka_header_add(made, (const char *)headers[i].key.data,
                                  (ssize_t)headers[i].key.size, headers[i].value.data,
                                  (ssize_t)headers[i].value.size);
    return made;
}

ErrCode outgoing_produce(rd_kafka_t *handle, const Outgoing *out, Err *err) {
    const LogRecord *record = out->record;
    rd_kafka_headers_t *headers = record->headers.data ? outgoing_headers(record->headers) : NULL;
    bool copied = out->copied || record->value.size > VALUE_BORROWED_MAX;
    int flags = copied ? RD_KAFKA_MSG_F_COPY : 0;
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = out->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = (int32_t)out->partition},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP,
         .u.i64 = out->is_now ? 0 : kafka_timestamp_given(record->timestamp)},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {(void *)(uintptr_t)record->key.data, record->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)(uintptr_t)record->value.data, record->value.size}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = out->report},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = flags},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof parts / sizeof parts[0] - (headers ? 0 : 1);
    rd_kafka_error_t *error = rd_kafka_produceva(handle, parts, count);
    if (!error)
        return ERR_OK;
    if (headers)
        rd_kafka_headers_destroy(headers);
    if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_error_destroy(error);
        return err_set(err, ERR_BUSY, "the library's queue of records is full");
    }
    char what[300];
    (void)snprintf(what, sizeof what, "A record for topic %s, partition %u",
                   rd_kafka_topic_name(out->topic), out->partition);
    return kafka_error_take(error, what, err);
}

static ErrCode produce_record(Producer *producer, const Outgoing *out, Err *err) {
    BundleReport *report = out->report;
    TRY(outgoing_produce(producer->client->handle, out, err));
    report->records++;
    report->bundle->waiting++;
    return ERR_OK;
}

/* == Bundles ================================================================================== */

static void bundle_fail(Bundle *bundle, uint32_t commit, const Err *cause) {
    assert(cause->code != ERR_OK);
    if (bundle->failed) {
        /* Positions, which are everybody's, blame nobody. */
        if (bundle->failed_commit >= bundle->count)
            bundle->failed_commit = commit;
        return;
    }
    bundle->failed = true;
    bundle->failed_commit = commit;
    bundle->error = *cause;
}

void bundle_delivered(void *context, const rd_kafka_message_t *message) {
    (void)context;
    BundleReport *report = message->_private;
    Bundle *bundle = report->bundle;
    assert(bundle->waiting > 0 && report->answered < report->records);
    bundle->waiting--;
    report->answered++;
    if (message->err) {
        Err err;
        rd_kafka_resp_err_t code = message->err;
        bool purged = code == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                      code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
        kafka_error_report(&err, code, "A record for topic %s, partition %d",
                           rd_kafka_topic_name(message->rkt), (int)message->partition);
        if (!purged) /* that is the consequence of another failure */
            bundle_fail(bundle, report->commit, &err);
        return;
    }
    if (report->base_offset < 0 || message->offset < report->base_offset)
        report->base_offset = message->offset;
    if (message->offset > report->last_offset)
        report->last_offset = message->offset;
}

void bundle_add(Bundle *bundle, Commit *commit) {
    assert(!bundle->walking);
    bundle->commits = mem_grow(bundle->commits, &bundle->capacity, bundle->count + 1,
                               sizeof *bundle->commits);
    bundle->commits[bundle->count++] = commit;
    bundle->bytes += commit_bytes(commit);
}

static BundleReport *bundle_report(Bundle *bundle, uint32_t store_id) {
    if (!bundle->arena)
        bundle->arena = arena_new("kafka bundle", 0);
    BundleReport *report = arena_alloc(bundle->arena, sizeof *report);
    *report = (BundleReport){
        .bundle = bundle,
        .commit = (uint32_t)bundle->commit_at,
        .store_id = store_id,
        .base_offset = -1,
        .last_offset = -1,
    };
    bundle->reports = mem_grow(bundle->reports, &bundle->report_capacity,
                               bundle->report_count + 1, sizeof *bundle->reports);
    bundle->reports[bundle->report_count++] = report;
    return report;
}

/* Of a store in the commit that is being walked; NULL: it has no changelog. */
static BundleReport *bundle_store_report(Bundle *bundle, StoreTable *stores, uint32_t store_id) {
    assert(store_id != STORE_SYSTEM);
    if (bundle->report && bundle->report->store_id == store_id)
        return bundle->report;
    for (size_t i = bundle->report_count; i > 0; i--) {
        BundleReport *report = bundle->reports[i - 1];
        if (report->commit != bundle->commit_at)
            break;
        if (report->store_id == store_id)
            return report;
    }
    ClusterStore store;
    if (!stores_find(stores, store_id, &store))
        return NULL;
    BundleReport *report = bundle_report(bundle, store_id);
    report->where = store.changelog;
    return report;
}

static void change_positions(Bundle *bundle) {
    const CommitItem *item = &bundle->item;
    uint32_t owner_id = commit_owner_of(bundle->commits[bundle->commit_at]);
    if (item->kind == COMMIT_ITEM_POSITION) {
        TaskPositions *task = positions_task(&bundle->changes, bundle->known, owner_id,
                                             item->id);
        positions_set(task, item->where, item->offset);
        return;
    }
    Reader reader = reader_of(item->key); /* type u8, task u32 be */
    (void)reader_u8(&reader);
    uint32_t task_id = reader_u32_be(&reader);
    if (reader_ok(&reader))
        positions_drop(positions_task(&bundle->changes, bundle->known, owner_id, task_id));
}

/* A change of a store: a record in its changelog, if it has one. */
static ErrCode produce_change(Bundle *bundle, Producer *producer, Err *err) {
    static const uint8_t empty[1];
    const CommitItem *item = &bundle->item;
    BundleReport *report = bundle_store_report(bundle, producer->stores, item->id);
    if (!report)
        return ERR_OK; /* the folder's alone */
    bundle->report = report;
    LogRecord record = {0};
    if (item->kind == COMMIT_ITEM_REMOVE_RANGE)
        changelog_range(&producer->key, item->key, item->value);
    else
        changelog_key(&producer->key, item->key);
    record.key = buf_view(&producer->key);
    if (item->kind == COMMIT_ITEM_PUT)
        record.value = item->value;
    if (item->kind != COMMIT_ITEM_REMOVE && !record.value.data)
        record.value = (Bytes){empty, 0};
    Outgoing out = {.partition = report->where.partition, .record = &record, .report = report,
                    .is_now = true};
    TRY(producer_topic(producer, report->where.topic_id, &out.topic, err));
    return produce_record(producer, &out, err);
}

/* The next record of an append; *over: there is none. */
static ErrCode produce_appended(Bundle *bundle, Producer *producer, bool *over, Err *err) {
    if (!bundle->has_record)
        bundle->has_record = record_iter_next(&bundle->records, &bundle->record);
    *over = !bundle->has_record;
    if (*over)
        return ERR_OK;
    TopicPartition where = bundle->item.where;
    Outgoing out = {.partition = where.partition, .record = &bundle->record,
                    .report = bundle->report};
    TRY(producer_topic(producer, where.topic_id, &out.topic, err));
    TRY(produce_record(producer, &out, err));
    bundle->has_record = false;
    return ERR_OK;
}

/* One record at most of the item that is open; *over: the item is done. */
static ErrCode produce_item(Bundle *bundle, Producer *producer, bool *over, Err *err) {
    *over = true;
    switch (bundle->item.kind) {
    case COMMIT_ITEM_APPEND:
        return produce_appended(bundle, producer, over, err);
    case COMMIT_ITEM_PUT:
    case COMMIT_ITEM_REMOVE:
        return produce_change(bundle, producer, err);
    case COMMIT_ITEM_REMOVE_RANGE:
        if (bundle->item.id != STORE_SYSTEM)
            return produce_change(bundle, producer, err);
        break;
    default:
        break;
    }
    return ERR_OK;
}

static bool bundle_next_item(Bundle *bundle) {
    if (!commit_item_next(&bundle->items, &bundle->item))
        return false;
    CommitItem *item = &bundle->item;
    if (item->kind == COMMIT_ITEM_APPEND) {
        record_iter_init(&bundle->records, item->value);
        bundle->has_record = false;
        bundle->report = bundle_report(bundle, 0);
    } else if (item->kind == COMMIT_ITEM_POSITION ||
               (item->kind == COMMIT_ITEM_REMOVE_RANGE && item->id == STORE_SYSTEM)) {
        change_positions(bundle);
    }
    return true;
}

/* The next item of the next commit; false: there is none. */
static bool bundle_walk(Bundle *bundle) {
    while (bundle->commit_at < bundle->count) {
        if (!bundle->walking) {
            commit_items(bundle->commits[bundle->commit_at], &bundle->items);
            bundle->report = NULL;
            bundle->walking = true;
        }
        if (bundle_next_item(bundle))
            return true;
        bundle->walking = false;
        bundle->commit_at++;
    }
    return false;
}

ErrCode bundle_produce(Bundle *bundle, Producer *producer, uint32_t budget, bool *done, Err *err) {
    assert(producer->client && budget > 0);
    *done = false;
    for (uint32_t i = 0; i < budget; i++) {
        if (bundle->failed)
            return *err = bundle->error, bundle->error.code;
        if (!bundle->has_item && !bundle_walk(bundle)) {
            *done = true;
            return ERR_OK;
        }
        bool over;
        bundle->has_item = true;
        ErrCode code = produce_item(bundle, producer, &over, err);
        if (code == ERR_BUSY)
            return code;
        if (code != ERR_OK) {
            bundle_fail(bundle, (uint32_t)bundle->commit_at, err);
            return code;
        }
        bundle->has_item = !over;
    }
    return ERR_OK;
}

/* == Positions ================================================================================ */

static ErrCode produce_position(Bundle *bundle, Producer *producer, const TaskPositions *task,
                                Err *err) {
    uint8_t key[POSITION_KEY_SIZE];
    LogRecord record = {.key = {key, sizeof key}};
    Buf value = {0};
    positions_key(task->owner_id, task->task_id, key);
    if (!bundle->report)
        bundle->report = bundle_report(bundle, STORE_SYSTEM);
    if (!task->dropped) {
        positions_encode(task, &bundle->mark, &value);
        record.value = arena_bytes(bundle->arena, buf_view(&value));
    }
    buf_free(&value);
    Outgoing out = {.topic = producer->positions, .record = &record,
                    .partition = (uint32_t)producer->positions_partition,
                    .report = bundle->report, .is_now = true};
    return produce_record(producer, &out, err);
}

ErrCode bundle_produce_positions(Bundle *bundle, Producer *producer, bool *done, Err *err) {
    assert(bundle->commit_at == bundle->count && bundle->mark.seq > 0);
    const TaskPositions nobody = {0};
    bool marked = false; /* a tombstone does not say which transaction it was */
    *done = false;
    if (!producer->positions)
        producer->positions = rd_kafka_topic_new(producer->client->handle,
                                                 producer->positions_topic, NULL);
    if (bundle->changes_sent == 0)
        bundle->report = NULL;
    for (size_t i = 0; i < bundle->changes.count; i++)
        marked = marked || !bundle->changes.tasks[i].dropped;
    while (bundle->changes_sent < bundle->changes.count + !marked) {
        size_t at = bundle->changes_sent;
        const TaskPositions *task = at < bundle->changes.count ? &bundle->changes.tasks[at]
                                                               : &nobody;
        ErrCode code = produce_position(bundle, producer, task, err);
        if (code != ERR_OK && code != ERR_BUSY)
            bundle_fail(bundle, UINT32_MAX, err);
        TRY(code);
        bundle->changes_sent++;
    }
    *done = true;
    return ERR_OK;
}

/* == How they end ============================================================================= */

/* Empty, with its memory. */
static void bundle_clear(Bundle *bundle) {
    if (bundle->arena)
        arena_reset(bundle->arena);
    positions_free(&bundle->changes);
    *bundle = (Bundle){
        .commits = bundle->commits, .capacity = bundle->capacity, .arena = bundle->arena,
        .reports = bundle->reports, .report_capacity = bundle->report_capacity,
    };
}

/* Offsets and notes of one commit; where its answers never came, the folder's note stays behind. */
static void accept_one(Bundle *bundle, uint32_t index, size_t *report_at) {
    size_t from = *report_at, to = from;
    int64_t now_ms = io_posix()->ops->now_ms(io_posix());
    while (to < bundle->report_count && bundle->reports[to]->commit == index)
        to++;
    if (!bundle->arena) /* the commit had nothing for the cluster */
        bundle->arena = arena_new("kafka bundle", 0);
    int64_t *offsets = arena_array(bundle->arena, to - from, sizeof *offsets);
    ClusterNote *notes = arena_array(bundle->arena, to - from + 1, sizeof *notes);
    uint32_t offset_count = 0, note_count = 0;
    for (size_t i = from; i < to; i++) {
        const BundleReport *report = bundle->reports[i];
        if (report->store_id == STORE_SYSTEM) {
            offsets[offset_count++] = report->base_offset < 0 ? 0 : report->base_offset;
        } else if (report->answered == report->records && report->last_offset >= 0) {
            uint8_t *key = arena_alloc(bundle->arena, CHANGELOG_NOTE_KEY_SIZE);
            uint8_t *value = arena_alloc(bundle->arena, NOTE_SIZE);
            changelog_note_key(report->store_id, key);
            changelog_note_value(report->last_offset + 1, now_ms, value);
            notes[note_count++] = (ClusterNote){{key, CHANGELOG_NOTE_KEY_SIZE},
                                                {value, NOTE_SIZE}};
        }
    }
    *report_at = to;
    NoteMark mark;
    if (bundle->mark.seq > 0 && index + 1 == bundle->count) {
        note_mark(bundle->slot, &bundle->mark, &mark);
        notes[note_count++] = (ClusterNote){{mark.key, sizeof mark.key},
                                            {mark.value, sizeof mark.value}};
    }
    commit_accept(bundle->commits[index], offsets, notes, note_count);
}

void bundle_accept(Bundle *bundle) {
    size_t report_at = 0;
    for (uint32_t i = 0; i < bundle->count; i++)
        accept_one(bundle, i, &report_at);
    bundle_clear(bundle);
}

void bundle_reject(Bundle *bundle, const Err *cause) {
    assert(cause->code != ERR_OK);
    for (uint32_t i = 0; i < bundle->count; i++)
        commit_reject(bundle->commits[i], cause);
    bundle_clear(bundle);
}

void bundle_free(Bundle *bundle) {
    assert(bundle->count == 0);
    positions_free(&bundle->changes);
    mem_free(bundle->commits);
    mem_free(bundle->reports);
    arena_free(bundle->arena);
    *bundle = (Bundle){0};
}
