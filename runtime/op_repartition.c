/*
 * op_repartition.c - rows under another key.
 *
 * Where the reader is this task (no edges were cut), the projected rows go on with their seq.
 * Otherwise they are written to an internal topic:
 *
 *   key   := the key as the side to be joined has it on the wire, so that both lie in partitions
 *            of one number; the row key (data/row_key.h) where no such side waits
 *   value := kind u8 (RowKind), varint partition of the writing task, row value of all columns
 *
 * with the row's time as timestamp. A row without a key goes where its source offset says.
 *
 * Rows of a table that is joined keep their keys here, only the partitions differ: deletes go
 * through as they are, old values do not. Where a table is grouped (old values are known), its
 * changes go on under the keys of their groups (table_group.h): kind has REPARTITION_OLD where an
 * old value is there, and the row is all columns new, then all columns old.
 */
#include <assert.h>

#include "base/hash.h"
#include "data/row_key.h"
#include "runtime/op_project.h"
#include "runtime/placement.h"
#include "runtime/scan.h"
#include "runtime/table_group.h"
#include "storage/log.h"

typedef struct Repartition {
    Projection projection;
    bool cut;
    uint32_t target; /* of the outbox */
    uint32_t partitions;
    const Format *format; /* of the keys; NULL: row keys */
    Encoder *encoder;
    Buf key, value;
    const Column **both; /* of a table that is grouped: new columns, then old ones */
} Repartition;

static bool is_grouped_table(const PlanNode *node) {
    assert(node->kind == PLAN_REPARTITION);
    return node->is_table && node->old_known;
}

static ErrCode repartition_open(Op *op, OpEnv *env, Err *err) {
    assert(op->node->kind == PLAN_REPARTITION);
    Repartition *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    TRY(projection_open(&self->projection, op->node, env, err));
    self->cut = op->edge_count == 0;
    if (!self->cut)
        return ERR_OK;
    LogTopic topic;
    uint32_t topic_id = env->internal_topics ? env->internal_topics[op->node->id] : 0;
    if (topic_id == 0 || !log_topic_get(env->storage, topic_id, &topic))
        return err_set(err, ERR_INTERNAL, "the internal topic of step %s is missing",
                       op->node->path);
    self->partitions = topic.partition_count;
    self->both = arena_array(env->query_arena, op->node->schema->column_count * 2u,
                             sizeof *self->both);
    self->target = outbox_target(env->outbox, topic_id, topic.partition_count, false);
    const PlanTopic *joined = placement_moved(env->plan, op->node->id);
    if (joined && joined->schema->key_count == op->node->schema->key_count)
        self->encoder = placement_encoder(joined, env->query_arena, &self->format);
    return ERR_OK;
}

/* The record's key; data NULL: the row has none. */
static ErrCode put_key(Op *op, Repartition *self, const Batch *batch, uint32_t row, Bytes *key,
                       Err *err) {
    assert(row < batch->row_count);
    buf_reset(&self->key);
    buf_room(&self->key, 1); /* an empty key is not a null one */
    bool is_null = true;
    uint32_t key_count = op->node->schema->key_count;
    for (uint32_t i = 0; i < key_count; i++)
        is_null = is_null && column_is_null(batch->columns[i], row);
    const char *reason;
    if (is_null)
        *key = (Bytes){0};
    else if (!self->format)
        row_key_put(&self->key, batch->columns, key_count, row);
    else if (!self->format->encode(self->encoder, batch->columns, row, &self->key, &is_null,
                                   &reason))
        return op_fail(op, batch, row, err, "cannot write the key: %s", reason);
    *key = is_null ? (Bytes){0} : buf_view(&self->key);
    return ERR_OK;
}

/* had_old: the row has an old value; only where changes are written. */
static void put_columns(const Op *op, Repartition *self, const Batch *batch, uint32_t row,
                        bool had_old) {
    uint32_t count = op->node->schema->column_count;
    bool pairs = is_grouped_table(op->node);
    assert(pairs || !had_old);
    buf_u8(&self->value, (uint8_t)(batch->kind[row] | (had_old ? REPARTITION_OLD : 0)));
    buf_varint(&self->value, op->env->partition);
    if (!pairs) {
        row_value_put(&self->value, batch->columns, count, row);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        self->both[i] = batch->columns[i];
        self->both[count + i] = batch->old->columns[i];
    }
    row_value_put(&self->value, self->both, count * 2, row);
}

static ErrCode write_row(Op *op, const Batch *batch, uint32_t row, bool had_old, Err *err) {
    assert(((Repartition *)op->self)->cut);
    Repartition *self = op->self;
    LogRecord record = {.timestamp = batch->rowtime[row]};
    if (batch->headers)
        record.headers = batch->headers[row];
    TRY(put_key(op, self, batch, row, &record.key, err));
    buf_reset(&self->value);
    put_columns(op, self, batch, row, had_old);
    record.value = buf_view(&self->value);
    if ((size_t)record.key.size + record.value.size > RECORD_BYTES_MAX)
        return op_fail(op, batch, row, err, "a record of %zu bytes is over %d",
                       (size_t)record.key.size + record.value.size, RECORD_BYTES_MAX);
    uint64_t spread = (uint64_t)batch->partition + (uint64_t)batch->offset[row];
    uint32_t partition = record.key.data ? hash_partition(record.key, self->partitions)
                                         : (uint32_t)(spread % self->partitions);
    outbox_put(op->env->outbox, self->target, partition, &record, true);
    return ERR_OK;
}

static ErrCode group_table(Op *op, const Batch *batch, uint16_t from, uint16_t to, Err *err) {
    Repartition *self = op->self;
    Batch *rows = op_batch(op, batch);
    assert(batch->old);
    rows->selected = batch->selected + from;
    rows->selected_count = (uint32_t)to - from;
    rows->old = op_batch(op, batch->old);
    uint32_t low = 0, high = batch->old->selected_count;
    while (low < high && batch->old->selected[low] < rows->selected[0])
        low++;
    while (high > low && batch->old->selected[high - 1] > rows->selected[rows->selected_count - 1])
        high--;
    rows->old->selected = batch->old->selected + low;
    rows->old->selected_count = high - low;
    Batch *output = table_group_run(&self->projection, rows, &self->key);
    if (!output)
        return ERR_OK;
    if (!self->cut) {
        op_emit(op, output);
        return ERR_OK;
    }
    for (uint32_t i = 0, old_at = 0; i < output->row_count; i++) {
        bool had_old = old_at < output->old->selected_count && output->old->selected[old_at] == i;
        old_at += had_old;
        TRY(write_row(op, output, i, had_old, err));
    }
    op_count(op, OP_ROWS_OUT, output->row_count);
    return ERR_OK;
}

static ErrCode repartition_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                                 Err *err) {
    assert(port == 0 && from < to);
    (void)port;
    Repartition *self = op->self;
    if (is_grouped_table(op->node))
        return group_table(op, batch, from, to, err);
    /* A batch where all rows have a value, or none: rows are written in order. */
    for (uint32_t at = from; at < to;) {
        uint32_t end = projection_run_end(&self->projection, batch, at, to);
        Batch *rows = op_batch(op, batch);
        rows->selected = batch->selected + at;
        rows->selected_count = end - at;
        Batch *output = projection_run(&self->projection, rows, false);
        if (!self->cut)
            op_emit(op, output);
        for (uint32_t i = 0; self->cut && i < output->selected_count; i++)
            TRY(write_row(op, output, output->selected[i], false, err));
        if (self->cut)
            op_count(op, OP_ROWS_OUT, output->selected_count);
        at = end;
    }
    return ERR_OK;
}

static void repartition_close(Op *op) {
    Repartition *self = op->self;
    if (!self)
        return;
    buf_free(&self->key);
    buf_free(&self->value);
}

const OpOps op_repartition_ops = {
    .name = "Repartition",
    .in_order = true,
    .open = repartition_open,
    .apply = repartition_apply,
    .close = repartition_close,
};
