/*
 * op_join_foreign.c - left rows meet the right row they refer to: see op_foreign.h.
 *
 * Port 0 brings left rows under their foreign keys, port 1 the right table. What a change makes is
 * noted in order as answers, which point into the store's bytes (they stay until the epoch ends);
 * drain() turns them into rows, a chunk a pass, because a right row may have any number of left
 * ones. Behind a chunk of the same step nobody may have seen later rows of another input: where
 * the rows are joined again in this task, all chunks go out in one pass.
 *
 * Where results go to other tasks, so does word of rows that enter and leave (op_foreign.h).
 * As in Kafka Streams a left row answers if it met a right row, if the join is LEFT, or if there
 * may be something to take back; a right row, and its delete, answers for each left row in order
 * of their keys, with the greater of both times.
 *
 * Output columns: the left input's between foreign key and note (its key first), all of the right,
 * the note.
 */
#include <assert.h>

#include "base/hash.h"
#include "runtime/ids.h"
#include "runtime/op_foreign.h"
#include "runtime/row_keys.h"
#include "runtime/state_foreign.h"

/* A row to be. */
typedef struct Answer {
    Bytes left_key, foreign_key; /* row keys; foreign_key data NULL: no right row */
    Bytes left, right;           /* row values; data NULL: none */
    int64_t rowtime, note, offset;
    uint64_t seq;
} Answer;

/* The keys of an input batch. */
typedef struct Keys {
    RowKeys *foreign;
    Bytes *left;      /* port 0, [selected index]: row key of the left row */
    ForeignKey *both; /* port 0: foreign key and left key; key.data NULL: no foreign key */
    struct Keys *next;
} Keys;

typedef struct JoinForeign {
    StateForeign *foreign;
    RowLayout left_key, left, right_key, right;
    bool inner, one_pass;
    bool tells; /* RESOLVE, in other tasks, of rows that enter and leave */
    Buf scratch;
    uint64_t step;
    Keys *keys; /* of this step's batches */
    Answer *answers;
    size_t answer_count, answer_capacity, answered;
    Arena *answer_arena; /* of the step's first pass: answers live in it */
    const Batch *batch;  /* any of this step: facts that rows share */
} JoinForeign;

/* Whether rows of `op` meet those of another input in this task. */
static bool joined_again(const Op *op) {
    for (uint32_t i = 0; i < op->edge_count; i++) {
        const Op *target = op->edges[i].op;
        assert(target != op);
        if (target->node->input_count > 1 || joined_again(target))
            return true;
    }
    return false;
}

static ErrCode foreign_open(Op *op, OpEnv *env, Err *err) {
    const PlanNode *node = op->node;
    assert(node->kind == PLAN_JOIN_FOREIGN && node->input_count == 2);
    JoinForeign *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    const Schema *left = env->plan->nodes[node->inputs[0]]->schema;
    const Schema *right = env->plan->nodes[node->inputs[1]]->schema;
    uint32_t key_count = node->schema->key_count, left_end = left->column_count - 1;
    assert(left_end > key_count && right->key_count == 1);
    assert(node->schema->column_count == left_end - 1 + right->column_count + 1);
    Arena *arena = env->query_arena;
    self->left_key = row_layout_of(left, 1, 1 + key_count, arena);
    self->left = row_layout_of(left, 1 + key_count, left_end, arena);
    self->right_key = row_layout_of(right, 0, 1, arena);
    self->right = row_layout_of(right, 1, right->column_count, arena);
    self->inner = node->join == JOIN_INNER;
    self->one_pass = joined_again(op);
    self->tells = op->edge_count == 1 && env->cut[op->edges[0].op->node->id];
    StateSpec spec = {NULL, ids_store(env->plan, env->first_id, env->partitions, node->id,
                                      env->partition),
                      env->snapshot};
    TRY(state_foreign_new(&spec, &self->foreign, err));
    state_list_add(env->states, &self->foreign->state);
    return ERR_OK;
}

/* -- Keys ------------------------------------------------------------------------------------- */

/* Row keys of the left rows, and behind those of the foreign keys. */
static void left_keys(JoinForeign *self, const Batch *batch, Keys *keys) {
    Arena *arena = batch->arena;
    uint32_t count = batch->selected_count;
    keys->left = arena_array(arena, count, sizeof *keys->left);
    keys->both = arena_array(arena, count, sizeof *keys->both);
    buf_reset(&self->scratch);
    for (uint32_t i = 0; i < count; i++) {
        size_t before = self->scratch.size;
        buf_bytes(&self->scratch, keys->foreign->keys[i]);
        row_key_put(&self->scratch, batch->columns + 1, self->left_key.column_count,
                    batch->selected[i]);
        keys->both[i].key.size = (uint32_t)(self->scratch.size - before);
    }
    const uint8_t *bytes = arena_bytes(arena, buf_view(&self->scratch)).data;
    for (uint32_t i = 0; i < count; i++) {
        ForeignKey *both = &keys->both[i];
        uint32_t size = keys->foreign->keys[i].size;
        assert(both->key.size > size);
        keys->left[i] = (Bytes){bytes + size, both->key.size - size};
        if (keys->foreign->keys[i].data) {
            both->key.data = bytes;
            both->hash = hash_bytes(both->key);
            both->foreign_size = size;
            both->foreign_hash = keys->foreign->hashes[i];
            state_foreign_prefetch(self->foreign, both);
        }
        bytes += both->key.size;
    }
}

static ErrCode foreign_prepare(Op *op, int port, Batch *batch, Err *err) {
    assert(port == 0 || port == 1);
    (void)err;
    JoinForeign *self = op->self;
    if (self->step != op->env->step) {
        assert(self->answered == self->answer_count);
        self->keys = NULL;
        self->answers = NULL;
        self->answer_count = self->answer_capacity = self->answered = 0;
        self->answer_arena = batch->arena;
    }
    self->step = op->env->step;
    self->batch = batch;
    Keys *keys = arena_alloc(batch->arena, sizeof *keys);
    keys->foreign = row_keys_new(batch, batch->columns, 1, ROW_KEYS_PLAIN, &self->scratch);
    keys->next = self->keys;
    self->keys = keys;
    for (uint32_t i = 0; i < batch->selected_count; i++)
        slot_table_prefetch(&self->foreign->rights, keys->foreign->hashes[i]);
    if (port == 0)
        left_keys(self, batch, keys);
    return ERR_OK;
}

static const Keys *keys_of(const JoinForeign *self, const Batch *batch) {
    const Keys *keys = self->keys;
    while (keys && keys->foreign->batch != batch)
        keys = keys->next;
    assert(keys);
    return keys;
}

/* -- Changes ---------------------------------------------------------------------------------- */

static void answer(JoinForeign *self, const Batch *batch, uint32_t row, Answer made) {
    assert(made.left_key.data);
    made.seq = batch->seq[row];
    made.offset = batch->offset[row];
    self->answers = arena_grow(self->answer_arena, self->answers, &self->answer_capacity,
                               self->answer_count + 1, sizeof *self->answers);
    self->answers[self->answer_count++] = made;
}

/* A left row as it is now, kept under its foreign key. */
static void left_row(JoinForeign *self, const Batch *batch, const Keys *keys, uint32_t index) {
    uint32_t row = batch->selected[index];
    int64_t note = batch->columns[batch->schema->column_count - 1]->i64[row];
    Answer made = {.left_key = keys->left[index], .rowtime = batch->rowtime[row]};
    buf_reset(&self->scratch);
    row_value_put(&self->scratch, batch->columns + 1 + self->left_key.column_count,
                  self->left.column_count, row);
    made.left = buf_view(&self->scratch);
    const Slot *right = NULL;
    if (keys->both[index].key.data) {
        ForeignLeft left = {.value = made.left, .rowtime = made.rowtime,
                            .version = foreign_version(note)};
        made.left = state_foreign_put(self->foreign, &keys->both[index], &left);
        right = slot_table_find(&self->foreign->rights, keys->foreign->hashes[index],
                                keys->foreign->keys[index]);
    } else {
        made.left = arena_bytes(self->answer_arena, made.left);
    }
    bool matched = right && right->present;
    bool silent = !matched && self->inner && foreign_kind(note) == FOREIGN_ROW;
    if (silent && !self->tells)
        return;
    made.note = foreign_note(foreign_version(note), silent                      ? FOREIGN_LEAVE
                                                    : matched || !self->inner ? FOREIGN_ROW
                                                                              : FOREIGN_DELETE);
    made.note = foreign_note_entering(made.note, foreign_enters(note));
    if (matched) {
        made.foreign_key = keys->foreign->keys[index];
        made.right = (Bytes){right->value, right->value_size};
        if (right->rowtime > made.rowtime)
            made.rowtime = right->rowtime;
    }
    answer(self, batch, row, made);
}

static void left_change(JoinForeign *self, const Batch *batch, const Keys *keys, uint32_t index) {
    uint32_t row = batch->selected[index];
    assert(batch->kind[row] == ROW_VALUE);
    int64_t note = batch->columns[batch->schema->column_count - 1]->i64[row];
    ForeignNote kind = foreign_kind(note);
    if (kind == FOREIGN_ROW || kind == FOREIGN_CHANGE) {
        left_row(self, batch, keys, index);
        return;
    }
    if (keys->both[index].key.data)
        state_foreign_remove(self->foreign, &keys->both[index]);
    if (kind == FOREIGN_DELETE || self->tells)
        answer(self, batch, row,
               (Answer){.left_key = keys->left[index], .rowtime = batch->rowtime[row],
                        .note = note});
}

/* A right row changes: each left row that refers to it answers. */
static void right_change(JoinForeign *self, const Batch *batch, const Keys *keys, uint32_t index) {
    uint32_t row = batch->selected[index];
    assert(keys->foreign->keys[index].data);
    SlotTable *rights = &self->foreign->rights;
    Slot *slot =
        slot_table_touch(rights, keys->foreign->hashes[index], keys->foreign->keys[index]);
    bool present = batch->kind[row] == ROW_VALUE;
    if (present) {
        buf_reset(&self->scratch);
        row_value_put(&self->scratch, batch->columns + 1, self->right.column_count, row);
        slot_table_set_value(rights, slot, buf_view(&self->scratch));
    } else {
        slot_table_drop_value(rights, slot);
    }
    state_foreign_set_right(self->foreign, slot, present);
    slot->rowtime = batch->rowtime[row];
    Bytes right = {slot->value, slot->value_size};
    size_t count;
    const ForeignLeft *lefts = state_foreign_lefts(self->foreign, keys->foreign->keys[index],
                                                   keys->foreign->hashes[index], &count);
    bool joined = present || !self->inner;
    ForeignNote note = joined ? FOREIGN_ROW : FOREIGN_DELETE;
    for (size_t i = 0; i < count; i++) {
        Answer made = {.left_key = lefts[i].key, .left = joined ? lefts[i].value : (Bytes){0},
                       .right = right, .rowtime = slot->rowtime,
                       .note = foreign_note(lefts[i].version, note)};
        if (present)
            made.foreign_key = keys->foreign->keys[index];
        if (lefts[i].rowtime > made.rowtime)
            made.rowtime = lefts[i].rowtime;
        answer(self, batch, row, made);
    }
}

static ErrCode foreign_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                             Err *err) {
    assert(from < to);
    (void)err;
    JoinForeign *self = op->self;
    const Keys *keys = keys_of(self, batch);
    for (uint32_t i = from; i < to; i++)
        slot_table_prefetch_slot(&self->foreign->rights, keys->foreign->hashes[i]);
    for (uint32_t i = from; i < to; i++) {
        if (port == 0)
            left_change(self, batch, keys, i);
        else if (keys->foreign->keys[i].data)
            right_change(self, batch, keys, i);
    }
    return ERR_OK;
}

/* -- Output ----------------------------------------------------------------------------------- */

/* Columns of one row key each, of the answers' left or foreign keys. */
static ErrCode key_columns(const RowLayout *layout, const Bytes *keys, uint32_t count,
                           Arena *arena, const Column **columns, Err *err) {
    static const uint8_t missing[] = {0};
    assert(count > 0);
    Bytes *all = arena_array(arena, count, sizeof *all);
    for (uint32_t i = 0; i < count; i++)
        all[i] = keys[i].data ? keys[i] : (Bytes){missing, sizeof missing};
    return row_key_get(all, count, layout, arena, (Column **)(void *)columns, err);
}

/* What the columns of a chunk are made from. */
typedef struct Parts {
    Bytes *left_keys, *lefts, *foreign_keys, *rights;
} Parts;

static Parts chunk_parts(const Answer *answers, uint32_t count, Arena *arena) {
    assert(count > 0);
    Parts parts;
    parts.left_keys = arena_array(arena, count, sizeof(Bytes));
    parts.lefts = arena_array(arena, count, sizeof(Bytes));
    parts.foreign_keys = arena_array(arena, count, sizeof(Bytes));
    parts.rights = arena_array(arena, count, sizeof(Bytes));
    for (uint32_t i = 0; i < count; i++) {
        parts.left_keys[i] = answers[i].left_key;
        parts.lefts[i] = answers[i].left;
        parts.foreign_keys[i] = answers[i].foreign_key;
        parts.rights[i] = answers[i].right;
    }
    return parts;
}

static ErrCode chunk_columns(const JoinForeign *self, const Answer *answers, uint32_t count,
                             Arena *arena, const Column **columns, Err *err) {
    Parts parts = chunk_parts(answers, count, arena);
    TRY(key_columns(&self->left_key, parts.left_keys, count, arena, columns, err));
    columns += self->left_key.column_count;
    TRY(row_value_get(parts.lefts, count, &self->left, arena, (Column **)(void *)columns, err));
    columns += self->left.column_count;
    TRY(key_columns(&self->right_key, parts.foreign_keys, count, arena, columns, err));
    columns++;
    TRY(row_value_get(parts.rights, count, &self->right, arena, (Column **)(void *)columns, err));
    columns += self->right.column_count;
    Column *note = arena_alloc(arena, sizeof *note);
    *note = (Column){.type = &type_bigint, .length = count};
    note->i64 = arena_raw(arena, count * sizeof *note->i64);
    for (uint32_t i = 0; i < count; i++)
        note->i64[i] = answers[i].note;
    *columns = note;
    return ERR_OK;
}

static void chunk_facts(Batch *output, const Answer *answers, uint32_t count) {
    Arena *arena = output->arena;
    uint64_t *seq = arena_raw(arena, count * sizeof *seq);
    int64_t *rowtime = arena_raw(arena, count * sizeof *rowtime);
    int64_t *offset = arena_raw(arena, count * sizeof *offset);
    for (uint32_t i = 0; i < count; i++) {
        seq[i] = answers[i].seq;
        rowtime[i] = answers[i].rowtime;
        offset[i] = answers[i].offset;
        assert(i == 0 || seq[i] >= seq[i - 1]);
    }
    output->seq = seq;
    output->rowtime = rowtime;
    output->offset = offset;
    output->kind = arena_alloc(arena, count); /* ROW_VALUE all */
    output->selected = batch_all_rows(count);
    output->row_count = output->selected_count = count;
    output->headers = NULL;
    output->window_start = output->window_end = NULL;
    output->old = NULL;
}
_Static_assert(ROW_VALUE == 0, "zeroed kinds are values");

static ErrCode emit_chunk(Op *op, const Answer *answers, uint32_t count, Err *err) {
    const JoinForeign *self = op->self;
    assert(count > 0 && count <= BATCH_ROWS_MAX);
    Arena *arena = op->env->step_arena;
    Batch *output = arena_raw(arena, sizeof *output);
    *output = *self->batch;
    output->arena = arena;
    output->schema = op->node->schema;
    const Column **columns = arena_array(arena, output->schema->column_count, sizeof *columns);
    output->columns = columns;
    chunk_facts(output, answers, count);
    TRY(chunk_columns(self, answers, count, arena, columns, err));
    op_emit(op, output);
    return ERR_OK;
}

static ErrCode foreign_drain(Op *op, bool *more, Err *err) {
    JoinForeign *self = op->self;
    assert(self->answered <= self->answer_count);
    while (self->answered < self->answer_count) {
        size_t left = self->answer_count - self->answered;
        uint32_t max = self->one_pass ? BATCH_ROWS_MAX : op->env->drain_rows_max;
        uint32_t count = left < max ? (uint32_t)left : max;
        TRY(emit_chunk(op, self->answers + self->answered, count, err));
        self->answered += count;
        if (!self->one_pass)
            break;
    }
    *more = self->answered < self->answer_count;
    return ERR_OK;
}

static void foreign_clear(Op *op) {
    JoinForeign *self = op->self;
    assert(self);
    self->answers = NULL;
    self->answer_count = self->answer_capacity = self->answered = 0;
}

static void foreign_close(Op *op) {
    JoinForeign *self = op->self;
    if (self)
        buf_free(&self->scratch);
}

const OpOps op_join_foreign_ops = {
    .name = "ForeignKeyJoin",
    .in_order = true,
    .open = foreign_open,
    .prepare = foreign_prepare,
    .apply = foreign_apply,
    .drain = foreign_drain,
    .clear = foreign_clear,
    .close = foreign_close,
};
