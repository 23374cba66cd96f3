/*
 * aggregate_session.c - SESSION windows: a row joins the sessions of its group that are not further
 * away than the gap, and makes one of them.
 *
 * Output as in Kafka Streams: a tombstone for each session the row found - also when it changes no
 * bound of the only one - unless all of them is this one moment; then the row of the new session.
 * The first one found grows, the others are merged into it, in order of end.
 *
 * Rows are collected as updates, so that kernels run once for many of them. States must be up to
 * date before they are merged: a row that finds several sessions ends the collection, its
 * tombstones go out as a batch of their own, and the next collection begins with it.
 */
#include <assert.h>

#include "base/mem.h"
#include "runtime/aggregate_impl.h"

/* What comes out, in order: for an update its tombstone, if it has one, and its row. */
typedef struct SessionRows {
    Updates updates;
    uint32_t count;    /* rows of output */
    uint16_t *update;  /* [row] */
    uint8_t *kind;     /* [row] */
    int64_t *start, *end; /* [row] */
    uint16_t *old;     /* rows that had a value before */
    uint32_t old_count;
} SessionRows;

static void rows_init(SessionRows *rows, Arena *arena, uint32_t room) {
    assert(room > 0);
    updates_init(&rows->updates, arena, room, false);
    rows->updates.repeated = true;
    rows->count = rows->old_count = 0;
    rows->update = arena_raw(arena, room * 2 * sizeof *rows->update);
    rows->old = arena_raw(arena, room * 2 * sizeof *rows->old);
    rows->kind = arena_raw(arena, room * 2);
    rows->start = arena_raw(arena, room * 4 * sizeof *rows->start);
    rows->end = rows->start + room * 2;
}

static void add_row(SessionRows *rows, RowKind kind, const Session *session, bool had_old) {
    uint32_t at = rows->count++;
    assert(session->start <= session->end);
    rows->update[at] = (uint16_t)rows->updates.count;
    rows->kind[at] = (uint8_t)kind;
    rows->start[at] = session->start;
    rows->end[at] = session->end;
    if (had_old)
        rows->old[rows->old_count++] = (uint16_t)at;
}

/* -- Output ----------------------------------------------------------------------------------- */

static void emit_rows(Op *op, const Batch *batch, const SessionRows *rows,
                      const Column *const *columns, const Column *const *olds) {
    assert(rows->count > 0);
    Batch *output = op_batch(op, batch);
    output->schema = op->node->schema;
    output->columns = columns;
    uint16_t *sources = arena_raw(batch->arena, rows->count * sizeof *sources);
    for (uint32_t i = 0; i < rows->count; i++)
        sources[i] = rows->updates.rows[rows->update[i]];
    op_rows_from(output, batch, sources, rows->count);
    output->kind = rows->kind;
    output->rowtime = output->window_end = rows->end;
    output->window_start = rows->start;
    op_attach_old(op, output, olds, rows->old, rows->old_count);
    op_emit(op, output);
}

static void group_columns(const Op *op, const Batch *batch, const SessionRows *rows,
                          const Column **columns, const Column **olds) {
    uint16_t *source = arena_raw(batch->arena, rows->count * sizeof *source);
    assert(rows->count > 0);
    for (uint32_t i = 0; i < rows->count; i++)
        source[i] = rows->updates.rows[rows->update[i]];
    for (uint32_t i = 0; i < op->node->schema->key_count; i++)
        columns[i] = olds[i] = column_gather(batch->arena, batch->columns[i], source, rows->count);
}

/* What was emitted keeps its part of the arrays. */
static void rows_go_on(SessionRows *rows) {
    rows->updates.rows += rows->updates.count;
    rows->updates.slots += rows->updates.count;
    rows->update += rows->count;
    rows->kind += rows->count;
    rows->start += rows->count;
    rows->end += rows->count;
    rows->old += rows->old_count;
    rows->updates.count = rows->count = rows->old_count = 0;
    assert(rows->updates.old_count == 0);
}

/* Runs the kernels over what was collected, and emits it. */
static void flush(Op *op, const Batch *batch, SessionRows *rows) {
    const Schema *schema = op->node->schema;
    Arena *arena = batch->arena;
    const Updates *updates = &rows->updates;
    if (updates->count == 0)
        return;
    bool emits = op->node->window.final == FINAL_NONE;
    const Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    const Column **olds = arena_array(arena, schema->column_count, sizeof *olds);
    if (emits)
        group_columns(op, batch, rows, columns, olds);
    for (uint32_t i = 0; i < op->node->aggregate_count; i++) {
        uint32_t at = schema->key_count + i;
        const Type *type = schema->columns[at].type;
        Column *after = emits ? column_new(arena, type, updates->count) : NULL;
        Column *before = emits && op->old_wanted ? column_new(arena, type, updates->count) : NULL;
        aggregate_run(op, batch, updates, i, (Column *const[2]){before, after});
        if (after)
            columns[at] = column_gather(arena, after, rows->update, rows->count);
        if (before)
            olds[at] = column_gather(arena, before, rows->update, rows->count);
    }
    if (emits)
        emit_rows(op, batch, rows, columns, olds);
    rows_go_on(rows);
}

/* -- Merging ---------------------------------------------------------------------------------- */

/* The tombstones of several sessions that this row will make one, with their last results. */
static void emit_tombstones(Op *op, const Batch *batch, const SessionList *found, uint32_t row) {
    const Aggregation *self = op->self;
    const Schema *schema = op->node->schema;
    Arena *arena = batch->arena;
    uint32_t count = (uint32_t)found->count;
    SessionRows rows;
    rows_init(&rows, arena, count);
    for (uint32_t i = 0; i < count; i++) {
        rows.updates.rows[i] = (uint16_t)row;
        add_row(&rows, ROW_DELETE, session_of(found->slots[i]), true);
        rows.updates.count++;
    }
    const Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    const Column **olds = arena_array(arena, schema->column_count, sizeof *olds);
    group_columns(op, batch, &rows, columns, olds);
    void **states = arena_raw(arena, count * sizeof *states);
    for (uint32_t i = 0; i < op->node->aggregate_count; i++) {
        uint32_t at = schema->key_count + i;
        Column *before = column_new(arena, schema->columns[at].type, count);
        for (uint32_t k = 0; k < count; k++)
            states[k] = (uint8_t *)found->slots[k]->fixed + self->layout->state_offsets[i];
        AggregateFail fail = {batch, op->node->aggregates[i].aggregate->name};
        AggregateCall call = {.states = states, .rows = rows.updates.rows, .count = count,
                              .limits = op->node->aggregates[i].limits, .after = before,
                              .heap = &self->sessions->slots.blobs, .arena = arena,
                              .fail = aggregate_fail, .context = &fail};
        op->node->aggregates[i].aggregate->ops->result(&call);
        columns[at] = olds[at] = before;
    }
    emit_rows(op, batch, &rows, columns, olds);
}

/* All sessions but the first into the first. */
static void merge_sessions(Op *op, const Batch *batch, const SessionList *found, uint32_t row) {
    const Aggregation *self = op->self;
    assert(found->count > 1);
    for (uint32_t i = 0; i < op->node->aggregate_count; i++) {
        const PlanAggregate *plan = &op->node->aggregates[i];
        const Type **types = arena_array(batch->arena, plan->arg_count, sizeof *types);
        for (uint32_t k = 0; k < plan->arg_count; k++)
            types[k] = batch->columns[plan->args[k]]->type;
        uint32_t offset = self->layout->state_offsets[i];
        AggregateFail fail = {batch, plan->aggregate->name};
        AggregateMerge merge = {.into = (uint8_t *)found->slots[0]->fixed + offset,
                                .arg_types = types, .arg_count = plan->arg_count,
                                .limits = plan->limits,
                                .heap = &self->sessions->slots.blobs, .row = row,
                                .fail = aggregate_fail, .context = &fail};
        for (size_t k = 1; k < found->count; k++) {
            merge.from = (uint8_t *)found->slots[k]->fixed + offset;
            plan->aggregate->ops->merge(&merge);
        }
    }
    for (size_t k = 1; k < found->count; k++)
        state_session_remove(self->sessions, found->slots[k]);
}

/* -- Rows ------------------------------------------------------------------------------------- */

static Session spanned(const SessionList *found, int64_t rowtime) {
    Session span = {.start = rowtime, .end = rowtime};
    for (size_t i = 0; i < found->count; i++) {
        const Session *session = session_of(found->slots[i]);
        span.start = session->start < span.start ? session->start : span.start;
        span.end = session->end > span.end ? session->end : span.end;
    }
    assert(span.start <= rowtime && rowtime <= span.end);
    return span;
}

/* The slot that the row updates; what it replaces is emitted or noted as tombstones. */
static Slot *join_sessions(Op *op, const Batch *batch, SessionRows *rows, uint32_t row,
                           const Session *span) {
    Aggregation *self = op->self;
    SessionList *found = &self->found;
    assert(found->count > 0);
    bool moment = span->start == span->end;
    if (found->count > 1) {
        flush(op, batch, rows);
        if (op->node->window.final == FINAL_NONE)
            emit_tombstones(op, batch, found, row);
        for (size_t i = 0; i < found->count; i++)
            slot_table_retouch(&self->sessions->slots, found->slots[i]);
        merge_sessions(op, batch, found, row);
    } else if (!moment) {
        add_row(rows, ROW_DELETE, session_of(found->slots[0]), true);
    }
    state_session_grow(self->sessions, found->slots[0], span->start, span->end);
    return found->slots[0];
}

static void session_row(Op *op, const Batch *batch, const RowKeys *keys, SessionRows *rows,
                        uint32_t i) {
    Aggregation *self = op->self;
    StateSession *sessions = self->sessions;
    uint32_t row = batch->selected[i];
    int64_t rowtime = batch->rowtime[row], before = sessions->stream_time;
    assert(rowtime >= 0);
    if (rowtime > before)
        sessions->stream_time = rowtime;
    SessionKey key = {keys->keys[i], keys->hashes[i]};
    self->found.count = 0;
    state_session_find(sessions, key, rowtime, before, &self->found);
    Session span = spanned(&self->found, rowtime);
    if (span.end < sessions->stream_time - sessions->grace_ms - sessions->gap_ms) {
        aggregate_late(op, batch, row);
        return;
    }
    size_t count = self->found.count;
    Slot *slot = count > 0 ? join_sessions(op, batch, rows, row, &span)
                           : state_session_add(sessions, key, span.start, span.end);
    /* A single moment is updated in place, and was there before. */
    add_row(rows, ROW_VALUE, &span, count == 1 && span.start == span.end);
    rows->updates.rows[rows->updates.count] = (uint16_t)row;
    rows->updates.slots[rows->updates.count++] = slot;
    if (aggregate_is_final(self))
        aggregate_final_row(op, batch, row, before);
}

void aggregate_sessions(Op *op, const Batch *batch, const RowKeys *keys, const uint32_t range[2]) {
    const Aggregation *self = op->self;
    SessionRows rows;
    assert(range[0] < range[1]);
    rows_init(&rows, batch->arena, range[1] - range[0]);
    for (uint32_t i = range[0]; i < range[1]; i++) {
        if (rows.updates.count == BATCH_ROWS_MAX)
            flush(op, batch, &rows);
        if (aggregate_row_counts(self, batch, keys, i))
            session_row(op, batch, keys, &rows, i);
    }
    flush(op, batch, &rows);
}
