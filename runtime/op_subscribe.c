/*
 * op_subscribe.c - the rows of a table under a foreign key: see op_foreign.h.
 *
 * The store has the foreign key of each row, by the row's own key, and (as its rowtime) the version
 * at which the row came under it. A row whose foreign key changed makes two: word to the old one,
 * and itself under the new one. As in ksqlDB nothing is told of a delete of what was not there.
 * Where ksqlDB leaves the old result of an INNER join alone when a foreign key becomes NULL, it is
 * taken back here: for an INNER join such a row is not there.
 *
 * Output columns: the foreign key, all of the input, the note.
 */
#include <assert.h>

#include "runtime/expr.h"
#include "runtime/ids.h"
#include "runtime/op_foreign.h"
#include "runtime/state_foreign.h"
#include "runtime/row_keys.h"

/* What is told of the rows of an input batch, in order. */
typedef struct Words {
    const Batch *batch;
    RowKeys *keys;
    const Column *foreign_key;
    uint16_t *rows;  /* of the input: those of this and the next two lists */
    Bytes *foreign;  /* row value of the foreign key it goes to */
    int64_t *notes;
    uint32_t count;  /* at most two for each row */
    struct Words *next;
} Words;

typedef struct Subscribe {
    StoreLayout *layout;
    StateTable *table;
    ExprProgram *program;
    bool inner;
    Buf scratch;
    uint64_t step;
    Words *words, *last; /* of this step's batches */
} Subscribe;

static ErrCode subscribe_open(Op *op, OpEnv *env, Err *err) {
    const PlanNode *node = op->node;
    assert(node->kind == PLAN_SUBSCRIBE);
    Subscribe *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    const Schema *input = env->plan->nodes[node->inputs[0]]->schema;
    assert(node->schema->column_count == input->column_count + 2);
    self->inner = node->join == JOIN_INNER;
    self->layout = arena_alloc(env->query_arena, sizeof *self->layout);
    self->layout->node = node;
    self->layout->schema = input;
    self->layout->keys = row_layout_of(input, 0, input->key_count, env->query_arena);
    self->layout->values = row_layout_of(node->schema, 0, 1, env->query_arena);
    TRY(expr_compile(&node->join_key, 1, env->query_arena, &self->program, err));
    expr_set_io(self->program, env->io);
    StateSpec spec = {self->layout, ids_store(env->plan, env->first_id, env->partitions, node->id,
                                              env->partition),
                      env->snapshot};
    TRY(state_table_new(&spec, &self->table, err));
    state_list_add(env->states, &self->table->state);
    return ERR_OK;
}

/* The foreign keys of the rows that are there. */
static const Column *foreign_keys(const Subscribe *self, const Batch *batch) {
    assert(batch->selected_count > 0);
    uint16_t *selected = arena_raw(batch->arena, batch->selected_count * sizeof *selected);
    Batch part = *batch;
    part.selected = selected;
    part.selected_count = 0;
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        selected[part.selected_count] = batch->selected[i];
        part.selected_count += batch->kind[batch->selected[i]] == ROW_VALUE;
    }
    if (part.selected_count == 0)
        return column_new(batch->arena, self->layout->values.types[0], batch->row_count);
    const Column *column;
    expr_run(self->program, &part, &column);
    return column;
}

static ErrCode subscribe_prepare(Op *op, int port, Batch *batch, Err *err) {
    assert(port == 0);
    (void)port;
    (void)err;
    Subscribe *self = op->self;
    Arena *arena = batch->arena;
    if (self->step != op->env->step)
        self->words = self->last = NULL;
    self->step = op->env->step;
    Words *words = arena_alloc(arena, sizeof *words);
    words->batch = batch;
    words->foreign_key = foreign_keys(self, batch);
    words->keys = row_keys_new(batch, batch->columns, self->layout->keys.column_count,
                               ROW_KEYS_PARTIAL, &self->scratch);
    for (uint32_t i = 0; i < batch->selected_count; i++)
        slot_table_prefetch(&self->table->slots, words->keys->hashes[i]);
    size_t room = 2 * (size_t)batch->selected_count;
    words->rows = arena_raw(arena, room * sizeof *words->rows);
    words->foreign = arena_raw(arena, room * sizeof *words->foreign);
    words->notes = arena_raw(arena, room * sizeof *words->notes);
    if (self->last)
        self->last->next = words;
    else
        self->words = words;
    self->last = words;
    return ERR_OK;
}

static void tell(Words *words, uint16_t row, Bytes foreign, int64_t note) {
    assert(foreign.data && words->count < 2 * words->batch->selected_count);
    words->rows[words->count] = row;
    words->foreign[words->count] = foreign;
    words->notes[words->count++] = note;
}

/* A row value of one column: its count, one byte of validity, the value. */
static bool is_null_value(Bytes value) {
    assert(value.size >= 2);
    return (value.data[1] & 1) == 0;
}

/* What is told of a row from its foreign key before and now; data NULL: it is not there. entered:
 * the version at which it came under the one before, and then under the one now. */
static void tell_row(Words *words, uint16_t row, Bytes old, Bytes now, int64_t *entered) {
    int64_t version = words->batch->offset[row];
    assert(old.data || now.data);
    bool stays = old.data && now.data && bytes_equal(old, now);
    if (old.data && !stays)
        tell(words, row, old, foreign_note(*entered, FOREIGN_LEAVE));
    if (!now.data) {
        tell(words, row, old, foreign_note(version, FOREIGN_DELETE));
        return;
    }
    bool was_joined = old.data && !is_null_value(old);
    int64_t note = foreign_note(version, was_joined ? FOREIGN_CHANGE : FOREIGN_ROW);
    tell(words, row, now, foreign_note_entering(note, !stays));
    if (!stays)
        *entered = version;
}

/* For the join: a row without foreign key is not in an INNER one. */
static Bytes joined_key(const Subscribe *self, Bytes foreign) {
    return foreign.data && self->inner && is_null_value(foreign) ? (Bytes){0} : foreign;
}

/* What is stored may be foreign: over a cluster it comes from a changelog. */
static bool slot_fits(const Slot *slot) {
    return !slot->present || (foreign_version_fits(slot->rowtime) && slot->value_size >= 2);
}

static ErrCode change_row(Subscribe *self, Words *words, uint32_t index, Err *err) {
    const Batch *batch = words->batch;
    assert(index < batch->selected_count);
    uint16_t row = batch->selected[index];
    SlotTable *slots = &self->table->slots;
    Slot *slot = slot_table_touch(slots, words->keys->hashes[index], words->keys->keys[index]);
    if (!slot_fits(slot))
        return err_set(err, ERR_CORRUPT, "a stored row of a foreign-key join does not fit");
    Bytes old = slot->present ? (Bytes){slot->value, slot->value_size} : (Bytes){0}, now = {0};
    if (batch->kind[row] == ROW_VALUE) {
        buf_reset(&self->scratch);
        row_value_put(&self->scratch, &words->foreign_key, 1, row);
        if (!old.data || !bytes_equal(old, buf_view(&self->scratch)))
            slot_table_set_value(slots, slot, buf_view(&self->scratch));
        now = (Bytes){slot->value, slot->value_size};
    } else {
        slot_table_drop_value(slots, slot);
    }
    old = joined_key(self, old);
    now = joined_key(self, now);
    if (old.data || now.data)
        tell_row(words, row, old, now, &slot->rowtime);
    slot_table_set_present(slots, slot, batch->kind[row] == ROW_VALUE);
    return ERR_OK;
}

static ErrCode subscribe_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                               Err *err) {
    assert(port == 0 && from < to);
    (void)port;
    Subscribe *self = op->self;
    Words *words = self->words;
    while (words && words->batch != batch)
        words = words->next;
    assert(words);
    for (uint32_t i = from; i < to; i++)
        slot_table_prefetch_slot(&self->table->slots, words->keys->hashes[i]);
    for (uint32_t i = from; i < to; i++) {
        if (words->keys->keys[i].data) /* a table has no row without a key */
            TRY(change_row(self, words, i, err));
    }
    return ERR_OK;
}

/* -- Output ----------------------------------------------------------------------------------- */

static void chunk_facts(Batch *output, const Batch *batch, const uint16_t *rows, uint32_t count) {
    Arena *arena = batch->arena;
    assert(count > 0 && count <= BATCH_ROWS_MAX);
    int64_t *rowtime = arena_raw(arena, count * sizeof *rowtime);
    for (uint32_t i = 0; i < count; i++)
        rowtime[i] = batch->rowtime[rows[i]];
    op_rows_from(output, batch, rows, count);
    output->rowtime = rowtime;
    output->kind = arena_alloc(arena, count); /* ROW_VALUE all */
    output->headers = NULL;
    output->old = NULL;
}
_Static_assert(ROW_VALUE == 0, "zeroed kinds are values");

static ErrCode emit_chunk(Op *op, const Words *words, uint32_t from, uint32_t count, Err *err) {
    const Subscribe *self = op->self;
    const Batch *batch = words->batch;
    const Schema *schema = op->node->schema;
    assert(from + count <= words->count);
    Arena *arena = batch->arena;
    Batch *output = op_batch(op, batch);
    const Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    output->schema = schema;
    output->columns = columns;
    chunk_facts(output, batch, words->rows + from, count);
    TRY(row_value_get(words->foreign + from, count, &self->layout->values, arena,
                      (Column **)(void *)columns, err));
    for (uint32_t i = 0; i < batch->schema->column_count; i++)
        columns[1 + i] = column_gather(arena, batch->columns[i], words->rows + from, count);
    Column *note = arena_alloc(arena, sizeof *note);
    *note = (Column){.type = &type_bigint, .length = count};
    note->i64 = words->notes + from;
    columns[schema->column_count - 1] = note;
    op_emit(op, output);
    return ERR_OK;
}

static ErrCode subscribe_drain(Op *op, bool *more, Err *err) {
    assert(!*more);
    (void)more;
    Subscribe *self = op->self;
    ErrCode code = ERR_OK;
    for (const Words *words = self->words; words && code == ERR_OK; words = words->next) {
        for (uint32_t at = 0; at < words->count && code == ERR_OK; at += BATCH_ROWS_MAX) {
            uint32_t left = words->count - at;
            code = emit_chunk(op, words, at, left < BATCH_ROWS_MAX ? left : BATCH_ROWS_MAX, err);
        }
    }
    self->words = self->last = NULL;
    return code;
}

static void subscribe_close(Op *op) {
    Subscribe *self = op->self;
    if (self)
        buf_free(&self->scratch);
}

const OpOps op_subscribe_ops = {
    .name = "Subscribe",
    .in_order = true,
    .open = subscribe_open,
    .prepare = subscribe_prepare,
    .apply = subscribe_apply,
    .drain = subscribe_drain,
    .close = subscribe_close,
};
