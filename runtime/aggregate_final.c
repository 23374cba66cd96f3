/*
 * aggregate_final.c - EMIT FINAL: one row of output for each group of a window, when it is closed.
 *
 * A time window is closed when stream time has come to its end plus grace, a session when it has
 * passed end, gap and grace. Nothing changes a closed window any more, so what a row closes is
 * given out after the run it is in, window by window in order of start (sessions: of end), and in a
 * window in order of key; the rows have the seq and the headers of the one that closed them.
 * What was given out is part of the state; there are no timers. A step gives out what a commit
 * has room for; the rest comes in ticks, in front of further rows.
 *
 * ksqlDB's way (FINAL_KSQLDB) has no time windows whose retention is over when they are closed: it
 * looks for them in its store. Without RETENTION one jump of stream time loses them.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "runtime/aggregate_impl.h"

/* -- What is closed --------------------------------------------------------------------------- */

/* At this stream time: windows that start there or earlier, sessions that end there or earlier. */
static int64_t closed_until(const Aggregation *self, int64_t stream_time) {
    const PlanWindow *plan = &self->layout->node->window;
    assert(plan->kind != WINDOW_NONE);
    if (stream_time == INT64_MIN)
        return -1;
    return stream_time - plan->grace_ms - plan->size_ms - (self->sessions != NULL);
}

/* The first start that is still looked for; the last window begins with the advance before now. */
static int64_t kept_from(const Aggregation *self, int64_t stream_time) {
    const PlanWindow *plan = &self->layout->node->window;
    assert(stream_time >= 0);
    if (plan->final != FINAL_KSQLDB || self->sessions)
        return 0;
    return stream_time - stream_time % plan->advance_ms - self->window->retention_ms;
}

static void add_closing(Closings *closings, const Closing *closing) {
    assert(closings->count == 0 || closings->items[closings->count - 1].until <= closing->until);
    closings->items = mem_grow(closings->items, &closings->capacity, closings->count + 1,
                               sizeof *closings->items);
    closings->items[closings->count++] = *closing;
}

/* Whether something is closed that no closing speaks of yet. */
static bool closes(const Aggregation *self, int64_t until) {
    const Closings *closings = &self->closings;
    assert(closings->next <= closings->count);
    int64_t known = closings->count > 0 ? closings->items[closings->count - 1].until : -1;
    if (self->sessions)
        return until > known && state_session_closes(self->sessions, until + 1);
    if (known < self->window->given.now.until)
        known = self->window->given.now.until;
    return until > known && state_window_next(self->window, known) <= until;
}

void aggregate_final_row(Op *op, const Batch *batch, uint32_t row, int64_t before) {
    Aggregation *self = op->self;
    Closings *closings = &self->closings;
    closings->row_came = true;
    if (op->node->window.idle_timeout_ms > 0)
        op->tick_ms = 0;
    closings->seq = batch->seq[row];
    closings->offset = batch->offset[row];
    int64_t now = self->sessions ? self->sessions->stream_time : self->window->stream_time;
    assert(now >= before);
    if (now == before)
        return;
    int64_t until = closed_until(self, now);
    if (until < 0)
        return;
    if (!closes(self, until))
        return;
    Closing closing = {.from = kept_from(self, now), .until = until, .seq = batch->seq[row],
                       .offset = batch->offset[row],
                       .headers = batch->headers ? batch->headers[row] : (Bytes){0}};
    closings->topic = batch->topic;
    add_closing(closings, &closing);
}

/* Stream time at which the next thing is closed; INT64_MAX: nothing is open. */
static int64_t next_closing(const Aggregation *self) {
    const PlanWindow *plan = &self->layout->node->window;
    int64_t first = self->sessions ? state_session_first_end(self->sessions)
                                   : state_window_next(self->window,
                                                       self->window->given.now.until);
    assert(self->closings.count == 0);
    if (first == INT64_MAX)
        return INT64_MAX;
    return state_window_end(first, plan->size_ms + plan->grace_ms + (self->sessions != NULL));
}

static bool tick_clock(Op *op, int64_t now_ms) {
    Aggregation *self = op->self;
    Closings *closings = &self->closings;
    int64_t timeout_ms = op->node->window.idle_timeout_ms;
    int64_t *stream_time = self->sessions ? &self->sessions->stream_time
                                          : &self->window->stream_time;
    assert(timeout_ms > 0 && closings->count == 0);
    if (closings->row_came || now_ms < closings->row_ms || !closings->ticked) {
        closings->row_time = *stream_time;
        closings->row_ms = now_ms;
        closings->row_came = false;
        closings->ticked = true;
    }
    int64_t due = closings->row_time == INT64_MIN ? INT64_MAX : next_closing(self);
    op->tick_ms = INT64_MAX;
    if (due == INT64_MAX)
        return false;
    int64_t wait_ms = due - closings->row_time > timeout_ms ? due - closings->row_time : timeout_ms;
    op->tick_ms = state_window_end(closings->row_ms, wait_ms);
    if (now_ms < op->tick_ms)
        return false;
    *stream_time = due;
    op->tick_ms = 0; /* there may be more */
    closings->topic = "";
    add_closing(closings, &(Closing){.until = closed_until(self, due), .seq = closings->seq,
                                     .offset = closings->offset});
    return true;
}

/* What the state says is closed, and was not given out: a commit came in the middle of it. */
static void resume(Aggregation *self) {
    int64_t now = self->sessions ? self->sessions->stream_time : self->window->stream_time;
    int64_t until = closed_until(self, now);
    assert(self->closings.count == 0);
    self->closings.resume = false;
    self->closings.topic = "";
    if (until >= 0 && closes(self, until))
        add_closing(&self->closings, &(Closing){.until = until});
}

bool aggregate_final_tick(Op *op, int64_t now_ms) {
    Aggregation *self = op->self;
    assert(now_ms >= 0);
    op->tick_ms = INT64_MAX;
    if (self->closings.resume)
        resume(self);
    if (self->closings.count > 0) {
        op->tick_ms = op->node->window.idle_timeout_ms > 0 ? 0 : INT64_MAX;
        return true;
    }
    return op->node->window.idle_timeout_ms > 0 && tick_clock(op, now_ms);
}

/* -- Giving out ------------------------------------------------------------------------------- */

static int compare_slots(const void *left_void, const void *right_void) {
    const Slot *left = *(Slot *const *)left_void, *right = *(Slot *const *)right_void;
    return bytes_compare((Bytes){left->key, left->key_size},
                         (Bytes){right->key, right->key_size});
}

static void gather_bucket(Closings *closings, WindowBucket *bucket) {
    SlotTable *table = &bucket->slots;
    SessionList *list = &closings->slots;
    assert(list->count == 0);
    list->slots = mem_grow(list->slots, &list->capacity, table->count + 1, sizeof *list->slots);
    for (uint32_t i = 0; i <= table->mask; i++) {
        Slot *slot = table->entries[i].slot;
        if (slot && slot->present)
            list->slots[list->count++] = slot;
    }
    closings->start = bucket->start;
    closings->heap = &table->blobs;
    if (list->count > 0)
        qsort(list->slots, list->count, sizeof *list->slots, compare_slots);
}

/* Groups of the window that were given out before are left out. */
static void skip_given(Aggregation *self) {
    Closings *closings = &self->closings;
    const Buf *key = &self->window->given.now.key;
    assert(closings->slot_next == 0);
    while (key->size > 0 && closings->slot_next < closings->slots.count) {
        const Slot *slot = closings->slots.slots[closings->slot_next];
        if (bytes_compare((Bytes){slot->key, slot->key_size}, buf_view(key)) > 0)
            return;
        closings->slot_next++;
    }
}

/* The next groups to be given out for the present closing. false: it is done. */
static bool gather(Aggregation *self) {
    Closings *closings = &self->closings;
    int64_t until = closings->items[closings->next].until;
    closings->slots.count = closings->slot_next = 0;
    if (self->sessions) {
        closings->heap = &self->sessions->slots.blobs;
        state_session_close(self->sessions, until + 1, BATCH_ROWS_MAX, &closings->slots);
        if (closings->slots.count == 0)
            return false;
        Slot *last = closings->slots.slots[closings->slots.count - 1];
        state_given_move(&self->sessions->given, session_of(last)->end);
        return true;
    }
    StateGiven *given = &self->window->given;
    int64_t from = closings->items[closings->next].from;
    if (given->now.until < from - 1)
        state_given_move(given, from - 1);
    int64_t start = state_window_next(self->window, given->now.until);
    assert(start > given->now.until);
    if (start > until) {
        if (until > given->now.until)
            state_given_move(given, until);
        return false;
    }
    gather_bucket(closings, state_window_bucket(self->window, start));
    skip_given(self);
    closings->in_window = true;
    return true;
}

/* All groups of what was gathered are given out. */
static void window_done(Aggregation *self) {
    Closings *closings = &self->closings;
    assert(closings->slot_next == closings->slots.count);
    if (closings->in_window)
        state_given_move(&self->window->given, closings->start);
    closings->in_window = false;
}

static void no_failure(void *context, uint32_t row, const char *format, ...) {
    assert(format);
    (void)context;
    (void)row;
}

static void result_columns(Op *op, Slot *const *slots, uint32_t count, const Column **columns) {
    const Aggregation *self = op->self;
    const Schema *schema = op->node->schema;
    Arena *arena = op->env->step_arena;
    assert(count > 0);
    void **states = arena_raw(arena, count * sizeof *states);
    for (uint32_t i = 0; i < op->node->aggregate_count; i++) {
        const PlanAggregate *plan = &op->node->aggregates[i];
        for (uint32_t k = 0; k < count; k++)
            states[k] = (uint8_t *)slots[k]->fixed + self->layout->state_offsets[i];
        Column *after = column_new(arena, schema->columns[schema->key_count + i].type, count);
        AggregateCall call = {.states = states, .rows = batch_all_rows(count), .count = count,
                              .arg_count = plan->arg_count, .limits = plan->limits,
                              .after = after, .heap = self->closings.heap, .arena = arena,
                              .fail = no_failure};
        plan->aggregate->ops->result(&call);
        columns[schema->key_count + i] = after;
    }
}

static void final_facts(const Aggregation *self, Slot *const *slots, Batch *output, Arena *arena) {
    const Closings *closings = &self->closings;
    const Closing *closing = &closings->items[closings->next];
    uint32_t count = output->row_count;
    uint64_t *seq = arena_raw(arena, count * sizeof *seq);
    int64_t *times = arena_raw(arena, 4 * count * sizeof *times);
    int64_t *offset = times + count, *start = offset + count, *end = start + count;
    Bytes *headers = closing->headers.data ? arena_raw(arena, count * sizeof *headers) : NULL;
    assert(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        seq[i] = closing->seq;
        times[i] = slots[i]->rowtime;
        offset[i] = closing->offset;
        start[i] = self->sessions ? session_of(slots[i])->start : closings->start;
        end[i] = self->sessions ? session_of(slots[i])->end
                                : state_window_end(start[i], self->layout->node->window.size_ms);
        if (headers)
            headers[i] = closing->headers;
    }
    output->seq = seq;
    output->rowtime = times;
    output->offset = offset;
    output->window_start = start;
    output->window_end = end;
    output->headers = headers;
    output->kind = arena_alloc(arena, count); /* ROW_VALUE all */
}

static void emit_slots(Op *op, Slot *const *slots, uint32_t count) {
    const Aggregation *self = op->self;
    const Schema *schema = op->node->schema;
    Arena *arena = op->env->step_arena;
    Batch *output = arena_alloc(arena, sizeof *output);
    const Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    Bytes *keys = arena_array(arena, count, sizeof *keys);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = self->sessions ? session_row_key(slots[i])
                                 : (Bytes){slots[i]->key, slots[i]->key_size};
    Err err;
    ErrCode code = row_key_get(keys, count, &self->layout->keys, arena, (Column **)columns, &err);
    assert(code == ERR_OK);
    (void)code;
    result_columns(op, slots, count, columns);
    *output = (Batch){.schema = schema, .columns = columns, .row_count = count,
                      .selected_count = count, .selected = batch_all_rows(count),
                      .partition = (int32_t)op->env->partition, .topic = self->closings.topic,
                      .arena = arena, .errors = op->env->errors};
    final_facts(self, slots, output, arena);
    output->old = op_batch(op, output); /* nothing was there before */
    output->old->columns = op->old_wanted ? columns : NULL;
    output->old->selected_count = 0;
    op_emit(op, output);
}

/* Whether the step has made enough: the rest comes behind a commit, and what closed it waits with
 * copies of its headers. ksqlDB's way is not interrupted: the state does not say what it left
 * out. */
static bool has_enough(Op *op) {
    const Aggregation *self = op->self;
    const Closings *closings = &self->closings;
    bool between = self->window || closings->slot_next == closings->slots.count;
    assert(closings->next < closings->count);
    if (!between || op->node->window.final != FINAL_COMPLETE || !op->env->outbox ||
        outbox_bytes(op->env->outbox) <= STEP_OUTPUT_BYTES_MAX / 4)
        return false;
    for (size_t i = closings->next; i < closings->count; i++) {
        Closing *closing = &closings->items[i];
        if (closing->headers.data && !closing->kept)
            closing->headers = arena_bytes(op->env->query_arena, closing->headers);
        closing->kept = true;
    }
    op->tick_ms = 0;
    return true;
}

bool aggregate_final(Op *op, uint32_t room) {
    Aggregation *self = op->self;
    Closings *closings = &self->closings;
    assert(room > 0);
    while (closings->next < closings->count) {
        size_t left = closings->slots.count - closings->slot_next;
        if (has_enough(op))
            return false;
        if (left == 0) {
            window_done(self);
            closings->next += !gather(self);
            continue;
        }
        if (room == 0)
            return true;
        uint32_t count = left < room ? (uint32_t)left : room;
        emit_slots(op, closings->slots.slots + closings->slot_next, count);
        closings->slot_next += count;
        room -= count;
        const Slot *last = closings->slots.slots[closings->slot_next - 1];
        if (self->window)
            state_given_key(&self->window->given, (Bytes){last->key, last->key_size});
    }
    closings->count = closings->next = 0;
    return false;
}

void aggregate_final_clear(Op *op) {
    Aggregation *self = op->self;
    Closings *closings = &self->closings;
    assert(closings->next <= closings->count);
    closings->count = closings->next = 0;
    closings->slots.count = closings->slot_next = 0;
    closings->in_window = false;
    closings->resume = true;
    op->tick_ms = 0;
}
