/*
 * op_sink.c - rows become records of the sink's topic.
 *
 * Key bytes in the key format (behind those of a windowed key the window's start, of a session its
 * end and start, 8 bytes big-endian each), value bytes in the value format; a null value and a
 * delete have none. The partition is murmur2 of the key without the window, as Kafka's clients do
 * it; a record without a key goes where its source offset says, so that a second run does the same.
 */
#include <assert.h>

#include "base/hash.h"
#include "data/time_pattern.h"
#include "runtime/op.h"
#include "storage/log.h"

typedef struct Sink {
    const PlanTopic *topic;
    uint32_t target; /* of the outbox */
    uint32_t partitions;
    const Format *key_format, *value_format;
    Encoder *key_encoder, *value_encoder; /* key: NULL without key columns */
    const TimePattern *time_pattern;
    bool consolidate;
    bool keys_pass; /* keys are the source record's: one without any has no key here either */
    Buf key, value;
} Sink;

static Encoder *open_encoder(const PlanFormat *format, const Schema *schema, bool is_key,
                             Arena *arena) {
    SerdeSpec *spec = arena_alloc(arena, sizeof *spec);
    uint32_t from = is_key ? 0 : schema->key_count;
    uint32_t to = is_key ? schema->key_count : schema->column_count;
    *spec = (SerdeSpec){.format = format->format, .columns = schema->columns + from,
                        .column_count = to - from, .is_key = is_key,
                        .unwrapped = format->unwrapped, .delimiter = format->delimiter};
    Encoder *encoder = format->format->encoder_new(spec, arena);
    assert(encoder);
    return encoder;
}

/* Whether a projection's keys are columns of its input's key. */
static bool keeps_keys(const Plan *plan, const PlanNode *node) {
    assert(node->kind == PLAN_PROJECT);
    uint32_t key_count = plan->nodes[node->inputs[0]]->schema->key_count;
    for (uint32_t i = 0; i < node->schema->key_count; i++) {
        if (node->exprs[i]->kind != EXPR_COLUMN || node->exprs[i]->column >= key_count)
            return false;
    }
    return true;
}

/* Whether nothing between the source and the sink makes new keys. */
static bool keys_pass(const Plan *plan, const PlanNode *sink) {
    assert(sink->kind == PLAN_SINK);
    const PlanNode *node = sink;
    while (node->input_count == 1) {
        node = plan->nodes[node->inputs[0]];
        bool passes = node->kind == PLAN_FILTER || node->kind == PLAN_MATERIALIZE ||
                      (node->kind == PLAN_PROJECT && keeps_keys(plan, node));
        if (!passes)
            break;
    }
    return node->kind == PLAN_SOURCE;
}

static ErrCode sink_open(Op *op, OpEnv *env, Err *err) {
    assert(op->node->kind == PLAN_SINK);
    Sink *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    self->topic = op->node->topic;
    LogTopic topic;
    if (!log_topic_find(env->storage, self->topic->topic, &topic))
        return err_set(err, ERR_NOT_FOUND, "the sink's topic '%s' is not there",
                       self->topic->topic);
    self->partitions = topic.partition_count;
    self->consolidate = env->consolidate && op->node->is_table;
    self->target = outbox_target(env->outbox, topic.id, topic.partition_count, self->consolidate);
    const Schema *schema = self->topic->schema;
    self->keys_pass = keys_pass(env->plan, op->node);
    self->key_format = self->topic->key.format;
    self->value_format = self->topic->value.format;
    if (schema->key_count > 0)
        self->key_encoder = open_encoder(&self->topic->key, schema, true, env->query_arena);
    self->value_encoder = open_encoder(&self->topic->value, schema, false, env->query_arena);
    if (self->topic->timestamp_format)
        return time_pattern_new(bytes_of(self->topic->timestamp_format), env->query_arena,
                                &self->time_pattern, err);
    return ERR_OK;
}

static bool all_null(const Batch *batch, uint32_t row, uint32_t count) {
    assert(count <= batch->schema->column_count);
    for (uint32_t i = 0; i < count; i++) {
        if (!column_is_null(batch->columns[i], row))
            return false;
    }
    return true;
}

/* The record's key, and its partition. */
static ErrCode put_key(Op *op, const Batch *batch, uint32_t row, LogRecord *record,
                       uint32_t *partition, Err *err) {
    Sink *self = op->self;
    buf_reset(&self->key);
    buf_room(&self->key, 1); /* an empty key is not a null one */
    bool is_null = true;
    const char *reason;
    bool has_key = self->key_encoder &&
                   !(self->keys_pass && all_null(batch, row, self->topic->schema->key_count));
    if (has_key &&
        !self->key_format->encode(self->key_encoder, batch->columns, row, &self->key, &is_null,
                                  &reason))
        return op_fail(op, batch, row, err, "cannot write the key to topic %s: %s",
                       self->topic->topic, reason);
    bool one = op->env->single_partition || self->partitions == 1;
    if (is_null) {
        uint64_t spread = (uint64_t)batch->partition + (uint64_t)batch->offset[row];
        *partition = one ? 0 : (uint32_t)(spread % self->partitions);
        record->key = (Bytes){0};
        return ERR_OK;
    }
    *partition = one ? 0 : hash_partition(buf_view(&self->key), self->partitions);
    if (self->topic->window != WINDOW_NONE) {
        assert(batch->window_start && batch->window_end);
        if (self->topic->window == WINDOW_SESSION)
            buf_u64_be(&self->key, (uint64_t)batch->window_end[row]);
        buf_u64_be(&self->key, (uint64_t)batch->window_start[row]);
    }
    record->key = buf_view(&self->key);
    return ERR_OK;
}

/* The time the record gets; false: there is none, and the row is dropped. */
static bool record_time(const Sink *self, const Batch *batch, uint32_t row, int64_t *timestamp) {
    assert(row < batch->row_count);
    *timestamp = batch->rowtime[row];
    if (self->topic->timestamp_column < 0 || batch->kind[row] != ROW_VALUE)
        return true;
    const Column *column = batch->columns[self->topic->timestamp_column];
    if (column_is_null(column, row)) {
        batch_row_error(batch, row, "timestamp", "the timestamp column is NULL");
        return false;
    }
    if (!self->time_pattern) {
        *timestamp = column->i64[row];
    } else if (!time_pattern_parse(self->time_pattern, column->bytes[row], timestamp)) {
        batch_row_error(batch, row, "timestamp", "'%.*s' does not fit the format '%s'",
                        (int)(column->bytes[row].size < 64 ? column->bytes[row].size : 64),
                        (const char *)column->bytes[row].data, self->topic->timestamp_format);
        return false;
    }
    if (*timestamp < 0) {
        batch_row_error(batch, row, "timestamp", "the timestamp %lld is negative",
                        (long long)*timestamp);
        return false;
    }
    return true;
}

static ErrCode put_value(Op *op, const Batch *batch, uint32_t row, LogRecord *record, Err *err) {
    assert(row < batch->row_count);
    Sink *self = op->self;
    record->value = (Bytes){0};
    if (batch->kind[row] != ROW_VALUE)
        return ERR_OK;
    buf_reset(&self->value);
    buf_room(&self->value, 1); /* an empty value is not a null one */
    bool is_null = false;
    const char *reason;
    if (!self->value_format->encode(self->value_encoder,
                                    batch->columns + self->topic->schema->key_count, row,
                                    &self->value, &is_null, &reason))
        return op_fail(op, batch, row, err, "cannot write the value to topic %s: %s",
                       self->topic->topic, reason);
    if (!is_null)
        record->value = buf_view(&self->value);
    if ((size_t)record->key.size + record->value.size > RECORD_BYTES_MAX)
        return op_fail(op, batch, row, err,
                       "a record of %zu bytes for topic %s is over %d",
                       (size_t)record->key.size + record->value.size, self->topic->topic,
                       RECORD_BYTES_MAX);
    return ERR_OK;
}

/* Where the row, or the first after it, is among the old ones. */
static uint32_t find_old(const Batch *batch, uint16_t row) {
    uint32_t low = 0, high = batch->old ? batch->old->selected_count : 0;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (batch->old->selected[middle] < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether the row's key had a value before. *at: how far `old` was searched; rows ascend. */
static bool had_old(const Batch *batch, uint16_t row, uint32_t *at) {
    const Batch *old = batch->old;
    if (!old)
        return true;
    while (*at < old->selected_count && old->selected[*at] < row)
        ++*at;
    return *at < old->selected_count && old->selected[*at] == row;
}

static ErrCode sink_row(Op *op, const Batch *batch, uint16_t row, bool had_old, Err *err) {
    assert(row < batch->row_count);
    Sink *self = op->self;
    LogRecord record = {0};
    uint32_t partition = 0;
    if (batch->headers)
        record.headers = batch->headers[row];
    if (!record_time(self, batch, row, &record.timestamp))
        return ERR_OK;
    TRY(put_key(op, batch, row, &record, &partition, err));
    TRY(put_value(op, batch, row, &record, err));
    outbox_put(op->env->outbox, self->target, partition, &record, had_old);
    return ERR_OK;
}

static ErrCode apply_each(Op *op, const Batch *batch, uint16_t from, uint16_t to, Err *err) {
    assert(from < to);
    uint32_t old_at = find_old(batch, batch->selected[from]);
    for (uint32_t i = from; i < to; i++) {
        uint16_t row = batch->selected[i];
        TRY(sink_row(op, batch, row, had_old(batch, row, &old_at), err));
    }
    return ERR_OK;
}

/* -- The last change of a key ------------------------------------------------------------------
 *
 * A consolidating outbox keeps of many changes of a key the last. What the rows at hand would
 * change once more is not even made: of the rows of one key only the last is written, with what the
 * first knew of an old value. */

typedef struct SinkKey {
    Bytes key; /* data NULL: the row has none, and stands for itself */
    uint32_t partition;
    uint32_t last; /* row of the selection */
    bool had_old;
} SinkKey;

typedef struct SinkKeys {
    SinkKey *keys;
    uint32_t count;
    uint16_t *of_row; /* [row of the selection - from] index in keys; SINK_DROPPED: not written */
    uint16_t *table;  /* hash of a key to 1 + its index; 0: free */
    uint32_t mask;
} SinkKeys;

enum { SINK_DROPPED = UINT16_MAX };

static void keys_init(SinkKeys *keys, uint32_t rows, Arena *arena) {
    assert(rows > 0 && rows < SINK_DROPPED);
    keys->count = 0;
    keys->keys = arena_raw(arena, rows * sizeof *keys->keys);
    keys->of_row = arena_raw(arena, rows * sizeof *keys->of_row);
    for (keys->mask = 4; keys->mask < 2 * rows;)
        keys->mask *= 2;
    keys->table = arena_array(arena, keys->mask, sizeof *keys->table);
    keys->mask--;
}

/* The key's index; a new one is the caller's to fill in. */
static uint16_t keys_find(SinkKeys *keys, Bytes key, Arena *arena) {
    uint32_t at = (uint32_t)hash_bytes(key) & keys->mask;
    assert(key.data);
    for (; keys->table[at]; at = (at + 1) & keys->mask) {
        if (bytes_equal(keys->keys[keys->table[at] - 1].key, key))
            return (uint16_t)(keys->table[at] - 1);
    }
    keys->keys[keys->count].key = arena_bytes(arena, key);
    keys->table[at] = (uint16_t)++keys->count;
    return (uint16_t)(keys->count - 1);
}

static ErrCode find_keys(Op *op, const Batch *batch, uint16_t from, uint16_t to, SinkKeys *keys,
                         Err *err) {
    assert(from < to);
    uint32_t old_at = find_old(batch, batch->selected[from]);
    for (uint32_t i = from; i < to; i++) {
        uint16_t row = batch->selected[i];
        LogRecord record = {0};
        SinkKey fresh = {.last = i, .had_old = had_old(batch, row, &old_at)};
        keys->of_row[i - from] = SINK_DROPPED;
        if (!record_time(op->self, batch, row, &record.timestamp))
            continue;
        TRY(put_key(op, batch, row, &record, &fresh.partition, err));
        uint32_t before = keys->count;
        uint16_t index = (uint16_t)(record.key.data ? keys_find(keys, record.key, batch->arena)
                                                    : keys->count++);
        fresh.key = record.key.data ? keys->keys[index].key : (Bytes){0};
        if (keys->count > before)
            keys->keys[index] = fresh;
        keys->keys[index].last = i;
        keys->of_row[i - from] = index;
    }
    return ERR_OK;
}

static ErrCode apply_last(Op *op, const Batch *batch, uint16_t from, uint16_t to, Err *err) {
    Sink *self = op->self;
    SinkKeys keys;
    assert(self->consolidate);
    keys_init(&keys, (uint32_t)to - from, batch->arena);
    TRY(find_keys(op, batch, from, to, &keys, err));
    for (uint32_t i = from; i < to; i++) {
        uint16_t row = batch->selected[i], index = keys.of_row[i - from];
        if (index == SINK_DROPPED || keys.keys[index].last != i)
            continue;
        const SinkKey *key = &keys.keys[index];
        LogRecord record = {.key = key->key};
        if (batch->headers)
            record.headers = batch->headers[row];
        bool timed = record_time(self, batch, row, &record.timestamp);
        assert(timed);
        (void)timed;
        TRY(put_value(op, batch, row, &record, err));
        outbox_put(op->env->outbox, self->target, key->partition, &record, key->had_old);
    }
    return ERR_OK;
}

static ErrCode sink_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to, Err *err) {
    const Sink *self = op->self;
    assert(port == 0 && from < to);
    (void)port;
    assert(batch->schema->column_count == self->topic->schema->column_count);
    TRY(self->consolidate ? apply_last(op, batch, from, to, err)
                          : apply_each(op, batch, from, to, err));
    atomic_fetch_add_explicit(&op->env->counters->rows_out, (uint64_t)to - from,
                              memory_order_relaxed);
    op_count(op, OP_ROWS_OUT, (uint64_t)to - from);
    return ERR_OK;
}

static void sink_close(Op *op) {
    Sink *self = op->self;
    if (!self)
        return;
    buf_free(&self->key);
    buf_free(&self->value);
}

const OpOps op_sink_ops = {
    .name = "Sink",
    .in_order = true,
    .open = sink_open,
    .apply = sink_apply,
    .close = sink_close,
};
