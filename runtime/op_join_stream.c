/*
 * op_join_stream.c - rows of two streams that have equal keys and meet within a window of time.
 *
 * A left row at t meets the right rows in [t - before, t + after]. Each row looks among the rows of
 * the other side that came before it, in order of (time, arrival), and is then kept itself. A row
 * of an outer side that met nobody comes out with NULLs: at once where the join has no GRACE PERIOD
 * (`eager`) or its window has passed already; otherwise it waits, and comes out when stream time
 * has passed its window and the grace. Stream time is the largest time of both inputs.
 *
 * What waits is looked through only by a row that makes stream time, and only when the least time
 * noted (pending_min) is far enough behind. That note is the time of the last row looked at, as in
 * Kafka Streams: where one side only can wait, rows come out in groups.
 *
 *   place in the order:  time u64 BE, 0 right or 1 left, the key as it is on the wire (0x00 as 0x00
 *                        0xFF, ended by 0x00 0x01), window bounds, arrival u64 BE
 *   its value:           varint size of the row key, row key, row value
 *
 * apply() notes what comes out, drain() makes batches of it. Output columns: the join key, the left
 * columns, the right columns.
 */
#include <assert.h>

#include "base/hash.h"
#include "runtime/expr.h"
#include "runtime/ids.h"
#include "runtime/op.h"
#include "runtime/placement.h"
#include "runtime/row_keys.h"
#include "runtime/state_join.h"

typedef struct JoinInput {
    struct JoinInput *next;
    const Batch *batch;
    RowKeys *keys;
    uint32_t port;
} JoinInput;

typedef struct JoinOutput {
    const JoinInput *input; /* the row that makes it */
    uint16_t row, index;    /* physical, and of the selection */
    int64_t rowtime;
    const OrderedNode *waited; /* NULL: the row itself ... */
    const JoinRow *other;      /* ... and whom it met; NULL: nobody */
} JoinOutput;

/* A row of the other side within the window, and whether it fits the further conditions. */
typedef struct JoinCandidate {
    const JoinRow *row;
    uint16_t index; /* of the selection: who meets it */
    bool fits;
} JoinCandidate;

typedef struct JoinStream {
    StateJoin *state;
    ExprProgram *fits; /* further conditions of an outer join, over the output; NULL: none */
    JoinCandidate *candidates; /* of the run, in order */
    size_t candidate_count, candidate_capacity, candidate_next;
    int64_t before[2], after[2]; /* [port]: how far the other side is looked for */
    int64_t grace;
    bool outer[2], waits;
    uint32_t bounds_size; /* of window bounds in front of each key */
    RowLayout key, values[2];
    const Format *format; /* of keys in the order of what waits */
    Encoder *encoder;
    Buf scratch, place, waiting, wire;
    uint64_t step;
    JoinInput *inputs, *last;
    JoinOutput *outputs; /* of this pass, in order */
    size_t count, capacity, next;
} JoinStream;

enum { WINDOW_BOUNDS_SIZE = 16, PLACE_TIME_SIZE = 8, PLACE_SIDE_SIZE = 1, ARRIVAL_SIZE = 8 };

/* -- Opening ----------------------------------------------------------------------------------- */

/* What waits comes out in the order of keys as they are on the wire: those of the side that stays,
 * or of the left one. */
static void open_order(JoinStream *self, const Plan *plan, const PlanNode *node, Arena *arena) {
    const PlanTopic *topic = placement_of(plan, node->inputs[0]);
    const PlanNode *left = plan->nodes[node->inputs[0]];
    while (left->input_count > 0)
        left = plan->nodes[left->inputs[0]];
    if (!topic)
        topic = left->topic;
    assert(left->kind == PLAN_SOURCE && topic);
    SerdeSpec *spec = arena_alloc(arena, sizeof *spec);
    *spec = (SerdeSpec){.format = topic->key.format,
                        .columns = plan->nodes[node->inputs[0]]->schema->columns,
                        .column_count = 1, .is_key = true, .unwrapped = true,
                        .delimiter = topic->key.delimiter};
    Err ignored;
    if (spec->format == &format_none || spec->format->check(spec, &ignored) != ERR_OK)
        spec->format = &format_json;
    self->format = spec->format;
    self->encoder = spec->format->encoder_new(spec, arena);
}

static ErrCode join_open(Op *op, OpEnv *env, Err *err) {
    const PlanNode *node = op->node;
    const PlanWithin *within = &node->within;
    JoinStream *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    for (uint32_t port = 0; port < 2; port++) {
        const Schema *schema = env->plan->nodes[node->inputs[port]]->schema;
        assert(schema->key_count == 1);
        self->key = row_layout_of(schema, 0, 1, env->query_arena);
        self->values[port] = row_layout_of(schema, 1, schema->column_count, env->query_arena);
        self->before[port] = port == 0 ? within->before_ms : within->after_ms;
        self->after[port] = port == 0 ? within->after_ms : within->before_ms;
    }
    self->outer[0] = node->join == JOIN_LEFT || node->join == JOIN_FULL;
    self->outer[1] = node->join == JOIN_RIGHT || node->join == JOIN_FULL;
    self->waits = (self->outer[0] || self->outer[1]) && !within->eager;
    self->grace = within->grace_ms;
    if (self->waits)
        open_order(self, env->plan, node, env->query_arena);
    self->bounds_size = node->windowed ? WINDOW_BOUNDS_SIZE : 0;
    if (node->predicate) {
        TRY(expr_compile(&node->predicate, 1, env->query_arena, &self->fits, err));
        expr_set_io(self->fits, env->io);
    }
    StateJoinSpec spec = {ids_store(env->plan, env->first_id, env->partitions, node->id,
                                    env->partition),
                          env->snapshot, within->before_ms + within->after_ms,
                          within->before_ms + within->after_ms + within->grace_ms,
                          node->join == JOIN_INNER ? within->after_ms : -1};
    TRY(state_join_new(&spec, &self->state, err));
    state_list_add(env->states, &self->state->state);
    return ERR_OK;
}

static ErrCode join_prepare(Op *op, int port, Batch *batch, Err *err) {
    (void)err;
    JoinStream *self = op->self;
    if (self->step != op->env->step) {
        assert(self->next == self->count);
        self->step = op->env->step;
        self->inputs = self->last = NULL;
        self->outputs = NULL;
        self->candidates = NULL;
        self->candidate_count = self->candidate_capacity = 0;
        self->count = self->capacity = self->next = 0;
    }
    JoinInput *input = arena_alloc(batch->arena, sizeof *input);
    input->batch = batch;
    input->port = (uint32_t)port;
    input->keys = row_keys_new(batch, batch->columns, 1,
                               self->bounds_size > 0 ? ROW_KEYS_BOUNDS : ROW_KEYS_PLAIN,
                               &self->scratch);
    for (uint32_t i = 0; i < batch->selected_count; i++)
        state_join_prefetch(self->state, input->keys->hashes[i],
                            batch->rowtime[batch->selected[i]]);
    *(self->last ? &self->last->next : &self->inputs) = input;
    self->last = input;
    return ERR_OK;
}

/* -- Rows -------------------------------------------------------------------------------------- */

static JoinOutput *add_output(Op *op, const JoinInput *input, uint32_t index) {
    JoinStream *self = op->self;
    assert(index < input->batch->selected_count);
    if (self->count == self->capacity)
        self->outputs = arena_grow(op->env->step_arena, self->outputs, &self->capacity,
                                   self->count + 1, sizeof *self->outputs);
    JoinOutput *output = &self->outputs[self->count++];
    uint16_t row = input->batch->selected[index];
    *output = (JoinOutput){.input = input, .row = row, .index = (uint16_t)index,
                           .rowtime = input->batch->rowtime[row]};
    return output;
}

static bool window_open(const JoinStream *self, uint32_t port, int64_t rowtime) {
    assert(port < 2);
    return rowtime + self->after[port] + self->grace >= self->state->times.stream;
}

static void put_time(uint8_t *place, int64_t rowtime) {
    assert(rowtime >= 0);
    for (int i = 0; i < PLACE_TIME_SIZE; i++)
        place[i] = (uint8_t)((uint64_t)rowtime >> (56 - 8 * i));
}

static int64_t get_time(const OrderedNode *node) {
    Reader in = reader_of(ordered_key(node));
    assert(node->key_size > PLACE_TIME_SIZE + PLACE_SIDE_SIZE + ARRIVAL_SIZE);
    return (int64_t)reader_u64_be(&in);
}

/* One that has NULLs for its other side. */
static JoinOutput *add_unmatched(Op *op, const JoinInput *input, uint32_t index) {
    op_count(op, OP_NO_MATCH, 1);
    return add_output(op, input, index);
}

static uint32_t waited_port(const OrderedNode *node) {
    return ordered_key(node).data[PLACE_TIME_SIZE] == 0 ? 1 : 0;
}

/* Everything whose window has closed comes out, in order. */
static void emit_waiting(Op *op, const JoinInput *input, uint32_t index) {
    JoinStream *self = op->self;
    JoinTimes *times = &self->state->times;
    assert(self->waits);
    if (times->pending_min != INT64_MAX && window_open(self, input->port, times->pending_min))
        return;
    times->pending_min = INT64_MAX;
    bool open[2] = {false, false};
    OrderedNode *next;
    for (OrderedNode *node = ordered_map_seek(&self->state->pending, (Bytes){0}); node;
         node = next) {
        next = ordered_next(node);
        int64_t rowtime = get_time(node);
        uint32_t port = waited_port(node);
        times->pending_min = rowtime;
        if (open[0] && open[1])
            break;
        if (window_open(self, port, rowtime)) {
            open[port] = true;
            continue;
        }
        JoinOutput *output = add_unmatched(op, input, index);
        output->waited = node;
        output->rowtime = rowtime;
        ordered_map_remove(&self->state->pending, node);
    }
}

/* So that no key is the beginning of another. */
static void put_terminated(Buf *out, Bytes bytes) {
    for (uint32_t i = 0; i < bytes.size; i++) {
        buf_u8(out, bytes.data[i]);
        if (bytes.data[i] == 0)
            buf_u8(out, 0xFF);
    }
    buf_u8(out, 0);
    buf_u8(out, 1);
}

/* The place of a row with the key of this one, without its arrival; its time is set by
 * put_time(). A key that cannot be written stands as its row key. */
static void make_place(JoinStream *self, uint32_t port, const JoinInput *input, uint32_t index) {
    assert(port < 2 && self->encoder);
    Bytes key = input->keys->keys[index];
    bool is_null;
    const char *reason;
    buf_reset(&self->place);
    buf_reset(&self->wire);
    buf_u64_be(&self->place, 0);
    buf_u8(&self->place, port == 0 ? 1 : 0);
    if (self->format->encode(self->encoder, input->batch->columns, input->batch->selected[index],
                             &self->wire, &is_null, &reason))
        put_terminated(&self->place, buf_view(&self->wire));
    else
        put_terminated(&self->place, key);
    buf_put(&self->place, key.data, self->bounds_size);
}

/* Who has met somebody waits no longer: all rows of that time and key. */
static void stop_waiting(JoinStream *self, int64_t rowtime) {
    put_time(self->place.data, rowtime);
    Bytes place = buf_view(&self->place);
    OrderedNode *next;
    assert(place.size > PLACE_TIME_SIZE + PLACE_SIDE_SIZE);
    for (OrderedNode *node = ordered_map_seek(&self->state->pending, place); node; node = next) {
        Bytes key = ordered_key(node);
        next = ordered_next(node);
        if (key.size != place.size + ARRIVAL_SIZE ||
            memcmp(key.data, place.data, place.size) != 0)
            return;
        ordered_map_remove(&self->state->pending, node);
    }
}

static void wait_for_other(JoinStream *self, const JoinInput *input, uint32_t index,
                           Bytes value) {
    JoinTimes *times = &self->state->times;
    Bytes key = input->keys->keys[index];
    int64_t rowtime = input->batch->rowtime[input->batch->selected[index]];
    assert(rowtime >= 0);
    if (rowtime < times->pending_min)
        times->pending_min = rowtime;
    make_place(self, input->port, input, index);
    put_time(self->place.data, rowtime);
    buf_u64_be(&self->place, self->state->arrival++);
    buf_reset(&self->waiting);
    buf_varint(&self->waiting, key.size);
    buf_bytes(&self->waiting, key);
    buf_bytes(&self->waiting, value);
    ordered_map_put(&self->state->pending, buf_view(&self->place), buf_view(&self->waiting));
}

/* The same for this row alone. It was given the number before its own when it began to wait. */
static void stop_waiting_one(JoinStream *self, const JoinRow *row) {
    put_time(self->place.data, row->rowtime);
    size_t size = self->place.size;
    buf_u64_be(&self->place, row->arrival - 1);
    OrderedNode *node = ordered_map_seek(&self->state->pending, buf_view(&self->place));
    if (node && bytes_equal(ordered_key(node), buf_view(&self->place)))
        ordered_map_remove(&self->state->pending, node);
    self->place.size = size;
}

static JoinFind find_others(const JoinStream *self, const JoinInput *input, uint32_t index) {
    uint32_t port = input->port;
    int64_t rowtime = input->batch->rowtime[input->batch->selected[index]];
    assert(rowtime >= 0);
    return state_join_find(self->state, 1 - port, input->keys->hashes[index],
                           input->keys->keys[index], rowtime - self->before[port],
                           rowtime + self->after[port]);
}

/* The next row that this one meets: of those found now, or of the candidates that fit. */
static const JoinRow *next_other(JoinStream *self, JoinFind *find, uint32_t index) {
    if (!self->fits)
        return state_join_next(find);
    for (; self->candidate_next < self->candidate_count; self->candidate_next++) {
        const JoinCandidate *candidate = &self->candidates[self->candidate_next];
        if (candidate->index > index)
            return NULL;
        if (candidate->index < index || !candidate->fits)
            continue; /* of a row that met nobody: a null value */
        self->candidate_next++;
        return candidate->row;
    }
    return NULL;
}

static bool meet_others(Op *op, const JoinInput *input, uint32_t index) {
    JoinStream *self = op->self;
    uint32_t other = 1 - input->port;
    JoinFind find = {0};
    if (!self->fits)
        find = find_others(self, input, index);
    bool found = false;
    const JoinRow *row;
    while ((row = next_other(self, &find, index))) {
        if (self->waits && self->outer[other] && self->state->pending.count > 0) {
            if (!found)
                make_place(self, other, input, index);
            if (self->fits)
                stop_waiting_one(self, row);
            else
                stop_waiting(self, row->rowtime);
        }
        if (self->state->alone_ms >= 0 && other == 0)
            state_join_met(self->state, row);
        JoinOutput *output = add_output(op, input, index);
        output->other = row;
        if (row->rowtime > output->rowtime)
            output->rowtime = row->rowtime;
        found = true;
    }
    return found;
}

static void join_row(Op *op, const JoinInput *input, uint32_t index) {
    JoinStream *self = op->self;
    const Batch *batch = input->batch;
    uint32_t row = batch->selected[index], port = input->port;
    int64_t rowtime = batch->rowtime[row];
    JoinTimes *times = &self->state->times;
    if (rowtime > times->stream)
        times->stream = rowtime;
    if (batch->kind[row] != ROW_VALUE)
        return;
    Bytes key = input->keys->keys[index];
    if (!key.data) {
        if (self->outer[port])
            add_unmatched(op, input, index);
        else
            op_count(op, OP_NO_MATCH, 1);
        return;
    }
    if (self->waits && rowtime == times->stream)
        emit_waiting(op, input, index);
    bool found = meet_others(op, input, index);
    buf_reset(&self->scratch);
    row_value_put(&self->scratch, batch->columns + 1, self->values[port].column_count, row);
    if (self->outer[port] && !found) {
        if (self->waits && rowtime + self->after[port] >= times->stream)
            wait_for_other(self, input, index, buf_view(&self->scratch));
        else
            add_unmatched(op, input, index);
    }
    const JoinRow *kept = state_join_add(self->state, port, input->keys->hashes[index], key,
                                         rowtime, buf_view(&self->scratch));
    if (kept && found && port == 0 && self->state->alone_ms >= 0)
        state_join_met(self->state, kept);
    if (kept)
        return;
    batch_row_note(batch, row, "late", "the row is too late to be kept for the join");
    op_count(op, OP_LATE, 1);
}

/* -- Output ------------------------------------------------------------------------------------ */

/* Outputs of one input, all of rows that waited or none, side by side. */
typedef struct JoinGroup {
    const Batch *batch;
    uint32_t port;
    uint32_t count;
    const JoinOutput **outputs;
    Arena *arena;
} JoinGroup;

/* A key as columns hold it; data NULL: missing. */
static Bytes inner_key(const JoinStream *self, Bytes key) {
    static const uint8_t missing[] = {0};
    assert(!key.data || key.size > self->bounds_size);
    if (!key.data)
        return (Bytes){missing, sizeof missing};
    return (Bytes){key.data + self->bounds_size, key.size - self->bounds_size};
}

static ErrCode key_column(const JoinStream *self, const JoinGroup *group, const Bytes *keys,
                          const Column **column, Err *err) {
    Column *columns[1];
    assert(group->count > 0);
    TRY(row_key_get(keys, group->count, &self->key, group->arena, columns, err));
    *column = columns[0];
    return ERR_OK;
}

/* Key and values of a side out of bytes. */
static ErrCode side_columns(const JoinStream *self, const JoinGroup *group, uint32_t port,
                            const Bytes *sides[2], const Column **columns, Err *err) {
    assert(port < 2);
    const RowLayout *layout = &self->values[port];
    Column **values = arena_array(group->arena, layout->column_count, sizeof *values);
    TRY(key_column(self, group, sides[0], &columns[0], err));
    TRY(row_value_get(sides[1], group->count, layout, group->arena, values, err));
    for (uint32_t i = 0; i < layout->column_count; i++)
        columns[1 + i] = values[i];
    return ERR_OK;
}

/* The rows that were met, each of them once, and which of them each output met. Many rows meet the
 * same few: their bytes are read once. */
typedef struct MetRows {
    Bytes *keys, *values;
    uint16_t *which;
    uint32_t count;
} MetRows;

static void find_met(const JoinStream *self, const JoinGroup *group, MetRows *met) {
    Arena *arena = group->arena;
    uint32_t mask = 15;
    while (mask < 2 * group->count)
        mask = mask * 2 + 1;
    uint16_t *table = arena_array(arena, mask + 1, sizeof *table); /* output + 1 */
    met->keys = arena_array(arena, group->count, sizeof *met->keys);
    met->values = arena_array(arena, group->count, sizeof *met->values);
    met->which = arena_raw(arena, group->count * sizeof *met->which);
    assert(group->count < UINT16_MAX && met->count == 0);
    for (uint32_t i = 0; i < group->count; i++) {
        const JoinOutput *output = group->outputs[i];
        const JoinRow *other = output->other;
        uint32_t at = (uint32_t)hash_u64((uint64_t)(uintptr_t)other) & mask;
        while (table[at] > 0 && group->outputs[table[at] - 1]->other != other)
            at = (at + 1) & mask;
        if (table[at] > 0) {
            met->which[i] = met->which[table[at] - 1];
            continue;
        }
        table[at] = (uint16_t)(i + 1);
        met->which[i] = (uint16_t)met->count;
        met->keys[met->count] =
            inner_key(self, other ? output->input->keys->keys[output->index] : (Bytes){0});
        if (other)
            met->values[met->count] = (Bytes){other->bytes, other->size};
        met->count++;
    }
}

/* Rows as they are, beside those they met. */
static ErrCode met_columns(const JoinStream *self, const JoinGroup *group, const Column **sides[2],
                           const Column **key, Err *err) {
    Arena *arena = group->arena;
    uint16_t *rows = arena_raw(arena, group->count * sizeof *rows);
    for (uint32_t i = 0; i < group->count; i++)
        rows[i] = group->outputs[i]->row;
    for (uint32_t i = 0; i < group->batch->schema->column_count; i++)
        sides[group->port][i] = column_gather(arena, group->batch->columns[i], rows, group->count);
    *key = sides[group->port][0];
    MetRows met = {0};
    find_met(self, group, &met);
    uint32_t other = 1 - group->port;
    JoinGroup once = *group;
    once.count = met.count;
    TRY(side_columns(self, &once, other, (const Bytes *[2]){met.keys, met.values}, sides[other],
                     err));
    for (uint32_t i = 0; i <= self->values[other].column_count && met.count < group->count; i++)
        sides[other][i] = column_gather(arena, sides[other][i], met.which, group->count);
    return ERR_OK;
}

/* Rows that waited, out of their bytes. */
static ErrCode waited_columns(const JoinStream *self, const JoinGroup *group,
                              const Column **sides[2], const Column **key, Err *err) {
    Arena *arena = group->arena;
    Bytes *bytes[2][2], *keys = arena_array(arena, group->count, sizeof *keys);
    for (uint32_t port = 0; port < 2; port++) {
        bytes[port][0] = arena_array(arena, group->count, sizeof **bytes[port]);
        bytes[port][1] = arena_array(arena, group->count, sizeof **bytes[port]);
    }
    for (uint32_t i = 0; i < group->count; i++) {
        const OrderedNode *node = group->outputs[i]->waited;
        Reader in = reader_of(ordered_value(node));
        uint32_t port = waited_port(node), key_size = (uint32_t)reader_varint(&in);
        keys[i] = inner_key(self, reader_bytes(&in, key_size));
        bytes[port][0][i] = keys[i];
        bytes[port][1][i] = reader_bytes(&in, reader_left(&in));
        bytes[1 - port][0][i] = inner_key(self, (Bytes){0});
        if (!reader_ok(&in))
            return err_set(err, ERR_CORRUPT, "a row that waits in a join is cut short");
    }
    for (uint32_t port = 0; port < 2; port++)
        TRY(side_columns(self, group, port,
                         (const Bytes *[2]){bytes[port][0], bytes[port][1]}, sides[port], err));
    return key_column(self, group, keys, key, err);
}

/* Those of the rows that made the outputs; window bounds are part of what is equal. */
static void group_facts(const JoinStream *self, const JoinGroup *group, Batch *output) {
    const Batch *batch = group->batch;
    Arena *arena = group->arena;
    uint32_t count = group->count;
    uint64_t *seq = arena_raw(arena, count * sizeof *seq);
    int64_t *times[4];
    for (uint32_t k = 0; k < 4; k++)
        times[k] = arena_raw(arena, count * sizeof **times);
    Bytes *headers = batch->headers ? arena_raw(arena, count * sizeof *headers) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        const JoinOutput *from = group->outputs[i];
        seq[i] = batch->seq[from->row];
        times[0][i] = from->rowtime;
        times[1][i] = batch->offset[from->row];
        if (headers)
            headers[i] = batch->headers[from->row];
        if (self->bounds_size == 0)
            continue;
        times[2][i] = batch->window_start[from->row];
        times[3][i] = batch->window_end[from->row];
        if (!from->waited)
            continue;
        Reader in = reader_of(ordered_value(from->waited));
        reader_varint(&in);
        times[2][i] = (int64_t)reader_u64_be(&in);
        times[3][i] = (int64_t)reader_u64_be(&in);
    }
    output->seq = seq;
    output->rowtime = times[0];
    output->offset = times[1];
    output->headers = headers;
    output->window_start = self->bounds_size > 0 ? times[2] : NULL;
    output->window_end = self->bounds_size > 0 ? times[3] : NULL;
    output->kind = arena_alloc(arena, count); /* ROW_VALUE all */
}
_Static_assert(ROW_VALUE == 0, "zeroed kinds are values");

static ErrCode make_batch(const Op *op, const JoinGroup *group, Batch **target, Err *err) {
    const JoinStream *self = op->self;
    const Schema *schema = op->node->schema;
    uint32_t left_count = 1 + self->values[0].column_count;
    assert(schema->column_count == 1 + left_count + 1 + self->values[1].column_count);
    const Column **columns = arena_array(group->arena, schema->column_count, sizeof *columns);
    const Column **sides[2] = {columns + 1, columns + 1 + left_count};
    if (group->outputs[0]->waited)
        TRY(waited_columns(self, group, sides, &columns[0], err));
    else
        TRY(met_columns(self, group, sides, &columns[0], err));
    Batch *output = arena_raw(group->arena, sizeof *output);
    *output = *group->batch;
    output->arena = group->arena;
    output->schema = schema;
    output->columns = columns;
    output->row_count = output->selected_count = group->count;
    output->selected = batch_all_rows(group->count);
    group_facts(self, group, output);
    *target = output;
    return ERR_OK;
}

static ErrCode emit_group(Op *op, const JoinGroup *group, Err *err) {
    Batch *output;
    assert(group->count > 0);
    TRY(make_batch(op, group, &output, err));
    op_emit(op, output);
    return ERR_OK;
}

/* -- Further conditions ------------------------------------------------------------------------ */

/* Whether candidates [from, to) fit. */
static ErrCode check_candidates(const Op *op, const JoinInput *input, size_t from, size_t to,
                                Err *err) {
    JoinStream *self = op->self;
    Arena *arena = op->env->step_arena;
    uint32_t count = (uint32_t)(to - from);
    assert(count > 0 && count <= BATCH_ROWS_MAX);
    JoinOutput *pairs = arena_array(arena, count, sizeof *pairs);
    JoinGroup group = {.batch = input->batch, .port = input->port, .count = count, .arena = arena};
    group.outputs = arena_raw(arena, count * sizeof *group.outputs);
    for (uint32_t i = 0; i < count; i++) {
        const JoinCandidate *candidate = &self->candidates[from + i];
        uint16_t row = input->batch->selected[candidate->index];
        pairs[i] = (JoinOutput){.input = input, .row = row, .index = candidate->index,
                                .rowtime = input->batch->rowtime[row], .other = candidate->row};
        group.outputs[i] = &pairs[i];
    }
    Batch *batch;
    TRY(make_batch(op, &group, &batch, err));
    uint16_t *selected = arena_raw(arena, count * sizeof *selected);
    uint32_t fitting = expr_select(self->fits, batch, selected);
    for (uint32_t i = 0; i < fitting; i++)
        self->candidates[from + selected[i]].fits = true;
    return ERR_OK;
}

/* Whom the rows [from, to) of a run may meet, checked together: nothing that they do changes the
 * other side. */
static ErrCode find_candidates(Op *op, const JoinInput *input, uint16_t from, uint16_t to,
                               Err *err) {
    JoinStream *self = op->self;
    assert(self->fits && from < to);
    self->candidate_count = self->candidate_next = 0;
    for (uint16_t i = from; i < to; i++) {
        const JoinRow *row;
        if (!input->keys->keys[i].data)
            continue;
        JoinFind find = find_others(self, input, i);
        while ((row = state_join_next(&find))) {
            if (self->candidate_count == self->candidate_capacity)
                self->candidates =
                    arena_grow(op->env->step_arena, self->candidates, &self->candidate_capacity,
                               self->candidate_count + 1, sizeof *self->candidates);
            self->candidates[self->candidate_count++] = (JoinCandidate){row, i, false};
        }
    }
    for (size_t at = 0; at < self->candidate_count; at += BATCH_ROWS_MAX) {
        size_t left = self->candidate_count - at;
        TRY(check_candidates(op, input, at, at + (left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX),
                             err));
    }
    return ERR_OK;
}

static ErrCode join_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to, Err *err) {
    assert(from < to && (port == 0 || port == 1));
    JoinStream *self = op->self;
    const JoinInput *input = self->inputs;
    while (input->batch != batch || input->port != (uint32_t)port)
        input = input->next;
    if (self->fits)
        TRY(find_candidates(op, input, from, to, err));
    for (uint32_t i = from; i < to; i++)
        join_row(op, input, i);
    return ERR_OK;
}

/* The outputs [next, end) that can be handed on together. Within an input those that waited go
 * first, so none may come after another output of the same seq. */
static size_t chunk_end(const JoinStream *self, uint32_t rows_max) {
    assert(self->next < self->count);
    size_t end = self->next + 1;
    for (; end < self->count && end - self->next < rows_max; end++) {
        const JoinOutput *before = &self->outputs[end - 1], *output = &self->outputs[end];
        if (output->waited && !before->waited &&
            output->input->batch->seq[output->row] == before->input->batch->seq[before->row])
            break;
    }
    return end;
}

static ErrCode join_drain(Op *op, bool *more, Err *err) {
    JoinStream *self = op->self;
    if (self->next == self->count)
        return ERR_OK;
    Arena *arena = op->env->step_arena;
    size_t end = chunk_end(self, op->env->drain_rows_max);
    JoinGroup group = {.arena = arena};
    assert(end - self->next <= BATCH_ROWS_MAX);
    group.outputs = arena_raw(arena, (end - self->next) * sizeof *group.outputs);
    for (const JoinInput *input = self->inputs; input; input = input->next) {
        group.batch = input->batch;
        group.port = input->port;
        for (int waited = 1; waited >= 0; waited--) {
            group.count = 0;
            for (size_t i = self->next; i < end; i++) {
                const JoinOutput *output = &self->outputs[i];
                if (output->input == input && (output->waited != NULL) == (waited == 1))
                    group.outputs[group.count++] = output;
            }
            if (group.count > 0)
                TRY(emit_group(op, &group, err));
        }
    }
    self->next = end;
    *more = end < self->count;
    return ERR_OK;
}

static void join_clear(Op *op) {
    JoinStream *self = op->self;
    assert(self);
    self->next = self->count = 0;
}

static void join_close(Op *op) {
    JoinStream *self = op->self;
    if (!self)
        return;
    buf_free(&self->scratch);
    buf_free(&self->place);
    buf_free(&self->waiting);
    buf_free(&self->wire);
}

const OpOps op_join_stream_ops = {
    .name = "StreamStreamJoin",
    .in_order = true,
    .open = join_open,
    .prepare = join_prepare,
    .apply = join_apply,
    .drain = join_drain,
    .clear = join_clear,
    .close = join_close,
};
