/*
 * arbiter.c - see arbiter.h.
 */
#include "runtime/arbiter.h"

#include <assert.h>
#include <stdio.h>

#include "data/row_value.h"
#include "runtime/ids.h"
#include "runtime/view.h"
#include "storage/cluster.h"

enum {
    DROPPED_BLOCKS_MAX = 16, /* blocks of nothing but dropped rows that one look goes over */
    SCRIPT_WAIT_US = 10000,
    SCRIPT_WAITS_MAX = 3000,
};

TopicPartition arbiter_lane(const ArbiterInput *input) {
    return ids_lane(input->spec.where, input->position_lane);
}

/* -- Heads ------------------------------------------------------------------------------------ */

static const char *input_name(const ArbiterInput *input) {
    assert(input->node);
    return input->spec.topic ? input->spec.topic->topic : input->node->path;
}

/* The log was cut before these records were read. */
static void report_gone(const ArbiterInput *input, int64_t count, OpEnv *env) {
    RowError error = {.kind = "gone", .partition = (int32_t)input->spec.where.partition,
                      .offset = input->cursor.offset, .rowtime = -1};
    assert(count > 0);
    snprintf(error.step, sizeof error.step, "%s", input->node->path);
    snprintf(error.topic, sizeof error.topic, "%s", input_name(input));
    snprintf(error.text, sizeof error.text, "%lld records were gone before they were read",
             (long long)count);
    row_errors_add(env->errors, &error);
}

static void report_errors(const ArbiterInput *input, uint32_t to, OpEnv *env) {
    assert(to <= input->cursor.block->row_count);
    assert(env->errors);
    const Block *block = input->cursor.block;
    for (uint32_t i = 0; i < block->error_count; i++) {
        const BlockError *error = &block->errors[i];
        if (error->row < input->cursor.row || error->row >= to)
            continue;
        RowError row_error = {.partition = (int32_t)input->spec.where.partition,
                              .of_key = error->of_key,
                              .offset = block->offset[error->row],
                              .rowtime = block->rowtime[error->row]};
        snprintf(row_error.step, sizeof row_error.step, "%s", input->node->path);
        snprintf(row_error.kind, sizeof row_error.kind, "%s", error->kind);
        snprintf(row_error.topic, sizeof row_error.topic, "%s", input_name(input));
        snprintf(row_error.text, sizeof row_error.text, "%s", error->text);
        row_errors_add(env->errors, &row_error);
    }
}

/* Moves the cursor behind all rows before `to`. */
static void take_rows(ArbiterInput *input, uint32_t to, OpEnv *env) {
    Cursor *cursor = &input->cursor;
    assert(cursor->block && to > cursor->row);
    if (cursor->block->gone > 0 && cursor->offset == cursor->block->first_offset)
        report_gone(input, cursor->block->gone, env);
    uint64_t errors = env->errors->passed;
    report_errors(input, to, env);
    op_count(input->source, OP_ERRORS, env->errors->passed - errors);
    if (input->spec.topic) /* internal topics are no input of the query */
        atomic_fetch_add_explicit(&env->counters->rows_in, to - cursor->row,
                                  memory_order_relaxed);
    cursor_take(cursor, to);
    atomic_store_explicit(&input->seen, cursor->offset, memory_order_release);
}

static bool is_fatal(const BlockError *error, const OpEnv *env) {
    bool of_time = strcmp(error->kind, "timestamp") == 0;
    return env->fail_on & (of_time ? QUERY_FAIL_ON_TIME : QUERY_FAIL_ON_DECODE);
}

/* Among the records that are not taken. */
static void find_fatal(ArbiterInput *input, const OpEnv *env) {
    assert(input->cursor.block);
    const Block *block = input->cursor.block;
    input->fatal = NULL;
    for (uint32_t i = 0; i < block->error_count && env->fail_on; i++) {
        const BlockError *error = &block->errors[i];
        if (error->row >= input->cursor.row && is_fatal(error, env) &&
            (!input->fatal || error->row < input->fatal->row))
            input->fatal = error;
    }
}

/* Nothing can be taken before the fatal record. */
static bool at_fatal(const ArbiterInput *input) {
    const Cursor *cursor = &input->cursor;
    return input->fatal && cursor->block && cursor->row <= input->fatal->row &&
           (cursor->next >= cursor->good_count || cursor->good[cursor->next] > input->fatal->row);
}

/* The first time it fails the step, like a row; then it blocks. */
static ErrCode stop_at_fatal(ArbiterInput *input, ArbiterStep *step, Err *err) {
    const Block *block = input->cursor.block;
    int64_t offset = block->offset[input->fatal->row];
    assert(at_fatal(input));
    if (input->stop_offset == offset) {
        step->blocked = true;
        return ERR_OK;
    }
    input->stop_offset = offset;
    step->env->row_failed = true;
    return err_set(err, ERR_RUNTIME, "%s of the record at offset %lld of topic %s, partition %u: "
                   "%s", input->fatal->kind, (long long)offset, input_name(input),
                   input->spec.where.partition, input->fatal->text);
}

/* Of a cluster, records may be there that have not come yet. */
static bool is_to_come(const ArbiterInput *input, const OpEnv *env) {
    int64_t start, end;
    Err ignored; /* then reading says it */
    assert(!input->cursor.block);
    return storage_cluster(env->storage) &&
           log_offsets(env->storage, input->spec.where, &start, &end, &ignored) == ERR_OK &&
           input->cursor.offset < end;
}

/* Loads the next good row of the input, if there is one; rows before it that were dropped are
 * taken. */
static ErrCode load_head(ArbiterInput *input, OpEnv *env, Err *err) {
    assert(input->cursor.scan);
    Cursor *cursor = &input->cursor;
    input->fatal = NULL;
    for (uint32_t blocks = 0; cursor->offset < input->end; blocks++) {
        if (!cursor->block || cursor->row >= cursor->block->row_count)
            note_begin(env->note, &(NoteRows){env->task_id, 0, arbiter_lane(input),
                                              cursor->offset}, env->alone);
        TRY(cursor_load(cursor, err));
        if (!cursor->block)
            break;
        find_fatal(input, env);
        if (at_fatal(input) && input->fatal->row > cursor->row)
            take_rows(input, input->fatal->row, env);
        if (cursor->next < cursor->good_count || input->fatal)
            return ERR_OK;
        if (blocks == DROPPED_BLOCKS_MAX) { /* others want to run too */
            env->skipping = true;
            return ERR_OK;
        }
        take_rows(input, cursor->block->row_count, env);
    }
    if (cursor->offset < input->end && is_to_come(input, env)) {
        env->waiting = true;
        return ERR_OK;
    }
    input->first_until = 0; /* whatever it was: there is nothing more */
    atomic_store_explicit(&input->seen, cursor->offset, memory_order_release);
    return ERR_OK;
}

/* Has a row that is not chosen yet, in the block at hand. */
static bool has_row(const ArbiterInput *input) {
    assert(input->chosen_next >= input->cursor.next || !input->cursor.block);
    const Block *block = input->cursor.block;
    if (!block || input->chosen_next >= input->cursor.good_count)
        return false;
    if (input->fatal && input->cursor.good[input->chosen_next] > input->fatal->row)
        return false;
    return block->offset[input->cursor.good[input->chosen_next]] < input->end;
}

static int64_t row_time(const ArbiterInput *input) {
    assert(has_row(input));
    return input->cursor.block->rowtime[input->cursor.good[input->chosen_next]];
}

static int64_t row_offset(const ArbiterInput *input) {
    assert(has_row(input));
    return input->cursor.block->offset[input->cursor.good[input->chosen_next]];
}

static bool comes_before(const ArbiterInput *left, const ArbiterInput *right) {
    assert(left != right);
    int64_t left_time = row_time(left), right_time = row_time(right);
    if (left_time != right_time)
        return left_time < right_time;
    if (left->spec.is_table != right->spec.is_table)
        return left->spec.is_table;
    if (left->order != right->order)
        return left->order < right->order;
    return left->spec.where.partition < right->spec.where.partition;
}

/* NULL: no input has a row at hand. */
static ArbiterInput *first_of(ArbiterInput *inputs, uint32_t count) {
    assert(count > 0);
    ArbiterInput *first = NULL;
    bool tables_first = false;
    for (uint32_t i = 0; i < count; i++) {
        ArbiterInput *input = &inputs[i];
        if (!has_row(input))
            continue;
        bool is_first = row_offset(input) < input->first_until;
        if (!first || (is_first && !tables_first) ||
            (is_first == tables_first && comes_before(input, first)))
            first = input;
        tables_first = tables_first || is_first;
    }
    return first;
}

/* Promises are looked at first: what was promised is visible then. */
static ErrCode load_heads(ArbiterInput *inputs, uint32_t count, OpEnv *env, Err *err) {
    assert(count > 0);
    env->skipping = false;
    env->waiting = false;
    for (uint32_t i = 0; i < count; i++)
        inputs[i].promised =
            inputs[i].promise ? atomic_load_explicit(inputs[i].promise, memory_order_acquire)
                              : INT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        TRY(load_head(&inputs[i], env, err));
        inputs[i].chosen_next = inputs[i].cursor.next;
    }
    return ERR_OK;
}

/* The last time at which rows may be taken while some lanes are empty. */
static int64_t promised_max(const ArbiterInput *inputs, uint32_t count, int64_t rowtime_max) {
    for (uint32_t i = 0; i < count; i++) {
        const ArbiterInput *input = &inputs[i];
        if (input->promised == INT64_MAX || has_row(input))
            continue;
        int64_t last = input->promised == INT64_MIN ? INT64_MIN : input->promised - 1;
        rowtime_max = last < rowtime_max ? last : rowtime_max;
    }
    return rowtime_max;
}

ErrCode arbiter_peek(ArbiterInput *inputs, uint32_t count, OpEnv *env, int64_t *rowtime,
                     int64_t *earliest, Err *err) {
    assert(rowtime && earliest);
    assert(env->counters);
    TRY(load_heads(inputs, count, env, err));
    const ArbiterInput *first = env->waiting ? NULL : first_of(inputs, count);
    *rowtime = first ? row_time(first) : INT64_MAX;
    *earliest = env->skipping ? INT64_MIN : *rowtime;
    for (uint32_t i = 0; i < count; i++) {
        if (has_row(&inputs[i]) && row_time(&inputs[i]) < *earliest)
            *earliest = row_time(&inputs[i]);
    }
    for (uint32_t i = 0; i < count && !first; i++) {
        if (at_fatal(&inputs[i]))
            *rowtime = INT64_MIN + 1; /* there is something to do */
    }
    return ERR_OK;
}

/* -- Choosing --------------------------------------------------------------------------------- */

/* Chooses the input's next row; false: the step is full. */
static bool choose_row(ArbiterInput *input, ArbiterStep *step, uint32_t *bytes) {
    assert(has_row(input));
    assert(step->rows <= step->rows_max);
    const Block *block = input->cursor.block;
    uint32_t row = input->cursor.good[input->chosen_next];
    uint32_t size = block->size[row];
    if (step->rows == step->rows_max || (step->rows > 0 && *bytes + size > STEP_BYTES_MAX) ||
        block->rowtime[row] > step->rowtime_max)
        return false;
    if (block->offset[row] == input->stop_offset) {
        step->blocked = step->rows == 0;
        return false;
    }
    *bytes += size;
    step->rows++;
    if (block->rowtime[row] < step->rowtime_min)
        step->rowtime_min = block->rowtime[row];
    input->numbers[input->chosen_next - input->cursor.next] = step->next_seq++;
    input->chosen_next++;
    return true;
}

/* The same for the rows at hand of the only input; false: the step is full. */
static bool choose_rows(ArbiterInput *input, ArbiterStep *step, uint32_t *bytes) {
    const Block *block = input->cursor.block;
    const uint16_t *good = input->cursor.good;
    uint32_t first = input->cursor.next, i = input->chosen_next;
    uint32_t last = input->fatal ? input->fatal->row : UINT32_MAX;
    uint32_t sum = *bytes, rows = step->rows;
    int64_t rowtime_min = step->rowtime_min;
    uint64_t seq = step->next_seq;
    assert(step->rows > 0);
    bool full = false;
    for (; i < input->cursor.good_count; i++) {
        uint32_t row = good[i], size = block->size[row];
        int64_t rowtime = block->rowtime[row], offset = block->offset[row];
        if (offset >= input->end || row > last)
            break;
        full = rows == step->rows_max || sum + size > STEP_BYTES_MAX ||
               rowtime > step->rowtime_max || offset == input->stop_offset;
        if (full)
            break;
        sum += size;
        rows++;
        rowtime_min = rowtime < rowtime_min ? rowtime : rowtime_min;
        input->numbers[i - first] = seq++;
    }
    *bytes = sum;
    step->rows = rows;
    step->rowtime_min = rowtime_min;
    step->next_seq = seq;
    input->chosen_next = i;
    return !full;
}

/* The whole block of the only input, where nothing in it stands in the way; false: its rows are to
 * be looked at. */
static bool choose_block(ArbiterInput *input, ArbiterStep *step) {
    const Cursor *cursor = &input->cursor;
    const Block *block = cursor->block;
    if (!input->spec.topic || !block || cursor->row > 0 || input->fatal ||
        block->good_count != block->row_count)
        return false;
    uint32_t count = block->row_count;
    int64_t first = block->offset[0], last = block->offset[count - 1];
    if (count > step->rows_max || block->bytes > STEP_BYTES_MAX || last >= input->end ||
        block->rowtime_max > step->rowtime_max ||
        (input->stop_offset >= first && input->stop_offset <= last))
        return false;
    assert(step->next_seq == 0);
    input->seq = batch_first_seq;
    step->next_seq = count;
    step->rows = count;
    step->rowtime_min = block->rowtime_min;
    input->chosen_next = count;
    return true;
}

static void begin_step(ArbiterInput *inputs, uint32_t count, ArbiterStep *step) {
    assert(step->arena);
    step->rows = 0;
    step->next_seq = 0;
    step->blocked = false;
    step->script_taken = 0;
    step->rowtime_min = INT64_MAX;
    assert(step->rows_max > 0 && step->rows_max <= BATCH_ROWS_MAX);
    for (uint32_t i = 0; i < count; i++)
        inputs[i].seq = inputs[i].numbers =
            arena_raw(step->arena, step->rows_max * sizeof *inputs[i].numbers);
}

/* Whether, with this input's block used up, the order of what follows is unknown: its next head
 * may come before the others'. */
static bool ends_step(const ArbiterInput *input) {
    assert(input->cursor.block);
    return input->chosen_next >= input->cursor.good_count || !has_row(input);
}

void arbiter_first(const ArbiterInput *inputs, uint32_t count, NoteRows *rows) {
    const ArbiterInput *first = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const ArbiterInput *input = &inputs[i];
        if (input->chosen_next > input->cursor.next && (!first || input->seq[0] < first->seq[0]))
            first = input;
    }
    assert(first && first->cursor.block);
    rows->where = arbiter_lane(first);
    rows->offset = first->cursor.block->offset[first->cursor.good[first->cursor.next]];
}

static ErrCode choose_script(ArbiterInput *inputs, uint32_t count, ArbiterStep *step, Err *err);

ErrCode arbiter_choose(ArbiterInput *inputs, uint32_t count, ArbiterStep *step, Err *err) {
    begin_step(inputs, count, step);
    if (step->script)
        return choose_script(inputs, count, step, err);
    TRY(load_heads(inputs, count, step->env, err));
    if (step->env->skipping || step->env->waiting)
        return ERR_OK; /* whose row is next is not known yet */
    for (uint32_t i = 0; i < count; i++) {
        if (at_fatal(&inputs[i]))
            return stop_at_fatal(&inputs[i], step, err);
    }
    step->rowtime_max = promised_max(inputs, count, step->rowtime_max);
    if (count == 1 && choose_block(&inputs[0], step))
        return ERR_OK;
    uint32_t bytes = 0;
    for (ArbiterInput *input = first_of(inputs, count); input; input = first_of(inputs, count)) {
        if (!choose_row(input, step, &bytes))
            return ERR_OK;
        if (count == 1 && !choose_rows(input, step, &bytes))
            return ERR_OK;
        if (ends_step(input))
            return ERR_OK;
    }
    return ERR_OK;
}

/* -- Scripts ---------------------------------------------------------------------------------- */

static ArbiterInput *input_of_topic(ArbiterInput *inputs, uint32_t count, uint32_t topic_id) {
    assert(topic_id > 0);
    for (uint32_t i = 0; i < count; i++) {
        if (inputs[i].spec.where.topic_id == topic_id)
            return &inputs[i];
    }
    return NULL;
}

/* A record of the script that was dropped when it was decoded. */
static void skip_dropped(ArbiterInput *input, int64_t offset, OpEnv *env) {
    assert(input->cursor.block);
    assert(offset >= 0);
    const Block *block = input->cursor.block;
    uint32_t row = input->cursor.row;
    while (row < block->row_count && block->offset[row] <= offset)
        row++;
    if (row > input->cursor.row)
        take_rows(input, row, env);
    input->chosen_next = input->cursor.next;
}

/* Scripts name what is there: it is waited for. */
static ErrCode load_waiting(ArbiterInput *input, const OpEnv *env, Err *err) {
    assert(input->cursor.scan);
    for (uint32_t i = 0; i < SCRIPT_WAITS_MAX; i++) {
        TRY(cursor_load(&input->cursor, err));
        if (input->cursor.block || !is_to_come(input, env))
            break;
        storage_await(env->storage, SCRIPT_WAIT_US);
    }
    return ERR_OK;
}

/* One item of the script; *full: the step ends before it. */
static ErrCode choose_item(ArbiterInput *input, int64_t offset, ArbiterStep *step, uint32_t *bytes,
                           bool *full, Err *err) {
    assert(offset >= 0);
    assert(step->script_taken < step->script_count);
    Cursor *cursor = &input->cursor;
    bool chosen = input->chosen_next > cursor->next;
    *full = true;
    if (chosen && (!has_row(input) || row_offset(input) != offset))
        return ERR_OK; /* another block, or rows left out: after this step */
    if (!chosen && cursor->offset < offset &&
        !(cursor->block && cursor->next < cursor->good_count &&
          cursor->block->offset[cursor->good[cursor->next]] == offset))
        cursor_seek(cursor, offset);
    if (!chosen) {
        TRY(load_waiting(input, step->env, err));
        if (!cursor->block)
            return err_set(err, ERR_INTERNAL, "the script names a record that is not there");
        input->chosen_next = cursor->next;
        find_fatal(input, step->env);
        if (at_fatal(input) && cursor->block->offset[input->fatal->row] == offset)
            return stop_at_fatal(input, step, err);
        if (!has_row(input) || row_offset(input) != offset) {
            skip_dropped(input, offset, step->env);
            *full = false;
            return ERR_OK;
        }
    }
    *full = !choose_row(input, step, bytes);
    return ERR_OK;
}

static ErrCode choose_script(ArbiterInput *inputs, uint32_t count, ArbiterStep *step, Err *err) {
    assert(step->script);
    assert(count > 0);
    for (uint32_t i = 0; i < count; i++)
        inputs[i].chosen_next = inputs[i].cursor.next;
    uint32_t bytes = 0;
    while (step->script_taken < step->script_count) {
        const QueryScriptItem *item = &step->script[step->script_taken];
        ArbiterInput *input = input_of_topic(inputs, count, item->topic_id);
        if (!input)
            return err_set(err, ERR_INTERNAL, "the script names a topic that is not read");
        bool full;
        TRY(choose_item(input, item->offset, step, &bytes, &full, err));
        if (full)
            return ERR_OK;
        step->script_taken++;
    }
    return ERR_OK;
}

/* -- Batches ---------------------------------------------------------------------------------- */

/* The selection and seq of the chosen rows, over physical rows from `first` on. */
static void batch_rows(Batch *batch, const ArbiterInput *input, uint32_t first, Arena *arena) {
    assert(input->chosen_next > input->cursor.next);
    assert(batch->row_count > 0);
    uint32_t count = input->chosen_next - input->cursor.next;
    const uint16_t *good = input->cursor.good + input->cursor.next;
    batch->selected_count = count;
    if (count == batch->row_count) { /* none dropped in between */
        batch->selected = batch_all_rows(count);
        batch->seq = input->seq;
        return;
    }
    uint16_t *selected = arena_raw(arena, count * sizeof *selected);
    uint64_t *seq = arena_array(arena, batch->row_count, sizeof *seq);
    for (uint32_t i = 0; i < count; i++) {
        selected[i] = (uint16_t)(good[i] - first);
        seq[selected[i]] = input->seq[i];
    }
    batch->selected = selected;
    batch->seq = seq;
}

static Batch *new_batch(const ArbiterInput *input, const ArbiterStep *step) {
    assert(input->node->schema);
    assert(step->arena);
    Batch *batch = arena_alloc(step->arena, sizeof *batch);
    *batch = (Batch){.schema = input->node->schema, .topic = input_name(input),
                     .partition = (int32_t)input->spec.where.partition, .arena = step->arena,
                     .errors = step->env->errors};
    return batch;
}

/* A range of the input's block. */
static void emit_range(const ArbiterInput *input, const ArbiterStep *step) {
    assert(input->spec.topic);
    assert(input->cursor.block->columns);
    const Cursor *cursor = &input->cursor;
    const Block *block = cursor->block;
    uint32_t first = cursor->good[cursor->next];
    uint32_t count = cursor->good[input->chosen_next - 1] + 1u - first;
    Batch *batch = new_batch(input, step);
    const Column **columns =
        arena_array(step->arena, batch->schema->column_count, sizeof *columns);
    for (uint32_t i = 0; i < batch->schema->column_count; i++)
        columns[i] = view_column(step->arena, block->columns[i], first, count);
    batch->columns = columns;
    batch->row_count = count;
    batch->rowtime = block->rowtime + first;
    batch->kind = block->kind + first;
    batch->offset = block->offset + first;
    batch->headers = block->headers ? block->headers + first : NULL;
    if (block->window_start) {
        batch->window_start = block->window_start + first;
        batch->window_end = block->window_end + first;
    }
    batch_rows(batch, input, first, step->arena);
    op_emit(input->source, batch);
}

/* Rows of an internal topic on their way into one batch. */
typedef struct MergedRows {
    uint32_t count;
    Bytes *raw, *headers;
    uint64_t *seq;
    int64_t *rowtime, *offset;
    uint8_t *kind;
} MergedRows;

static void merged_init(MergedRows *rows, const ArbiterStep *step) {
    assert(step->rows > 0);
    *rows = (MergedRows){0};
    rows->raw = arena_raw(step->arena, step->rows * sizeof *rows->raw);
    rows->headers = arena_array(step->arena, step->rows, sizeof *rows->headers);
    rows->seq = arena_raw(step->arena, step->rows * sizeof *rows->seq);
    rows->rowtime = arena_raw(step->arena, step->rows * sizeof *rows->rowtime);
    rows->offset = arena_raw(step->arena, step->rows * sizeof *rows->offset);
    rows->kind = arena_raw(step->arena, step->rows);
}

/* The lane, among inputs of one source, whose next row has the smallest seq; NULL: all are in. */
static ArbiterInput *next_lane(ArbiterInput *lanes, uint32_t count, uint32_t *taken) {
    assert(count > 0);
    ArbiterInput *next = NULL;
    uint64_t smallest = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (taken[i] == lanes[i].chosen_next - lanes[i].cursor.next)
            continue;
        if (lanes[i].seq[taken[i]] < smallest) {
            smallest = lanes[i].seq[taken[i]];
            next = &lanes[i];
        }
    }
    return next;
}

static void merge_lanes(ArbiterInput *lanes, uint32_t count, MergedRows *rows, Arena *arena) {
    assert(rows->count == 0);
    assert(rows->raw);
    uint32_t *taken = arena_array(arena, count, sizeof *taken);
    for (const ArbiterInput *lane = next_lane(lanes, count, taken); lane;
         lane = next_lane(lanes, count, taken)) {
        uint32_t index = taken[lane - lanes]++, at = rows->count++;
        const Block *block = lane->cursor.block;
        uint32_t row = lane->cursor.good[lane->cursor.next + index];
        rows->raw[at] = block->raw[row];
        rows->headers[at] = block->headers ? block->headers[row] : (Bytes){0};
        rows->seq[at] = lane->seq[index];
        rows->rowtime[at] = block->rowtime[row];
        rows->offset[at] = block->offset[row];
        rows->kind[at] = block->kind[row];
    }
}

/* The columns of merged rows: of changes of a table the new ones, then the old ones. */
static ErrCode merged_columns(const MergedRows *rows, const Schema *schema, bool pairs,
                              Arena *arena, const Column *const **columns, Err *err) {
    assert(rows->count > 0);
    uint32_t count = schema->column_count * (pairs ? 2u : 1u);
    const Type **types = arena_array(arena, count, sizeof *types);
    for (uint32_t i = 0; i < count; i++)
        types[i] = schema->columns[i % schema->column_count].type;
    RowLayout layout = {types, count};
    Column **made = arena_array(arena, count, sizeof *made);
    TRY(row_value_get(rows->raw, rows->count, &layout, arena, made, err));
    *columns = (const Column *const *)made;
    return ERR_OK;
}

/* Takes the flags from the kinds: which rows have an old value. */
static void merged_old(const MergedRows *rows, Batch *batch) {
    assert(batch->row_count == rows->count);
    Arena *arena = batch->arena;
    uint16_t *selected = arena_raw(arena, rows->count * sizeof *selected);
    Batch *old = arena_raw(arena, sizeof *old);
    *old = *batch;
    old->columns = batch->columns + batch->schema->column_count;
    old->selected = selected;
    old->selected_count = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        if (rows->kind[i] & REPARTITION_OLD)
            selected[old->selected_count++] = (uint16_t)i;
        rows->kind[i] = (uint8_t)(rows->kind[i] & ~REPARTITION_OLD);
    }
    batch->old = old;
}

/* The lanes of one source, in one batch. */
static ErrCode emit_merged(ArbiterInput *lanes, uint32_t count, const ArbiterStep *step,
                           Err *err) {
    assert(!lanes[0].spec.topic);
    assert(count > 0);
    MergedRows rows;
    merged_init(&rows, step);
    merge_lanes(lanes, count, &rows, step->arena);
    if (rows.count == 0)
        return ERR_OK;
    Batch *batch = new_batch(&lanes[0], step);
    const PlanNode *node = lanes[0].source->node;
    bool pairs = node->is_table && node->old_known;
    TRY(merged_columns(&rows, batch->schema, pairs, step->arena, &batch->columns, err));
    batch->row_count = batch->selected_count = rows.count;
    batch->selected = batch_all_rows(rows.count);
    batch->seq = rows.seq;
    batch->rowtime = rows.rowtime;
    batch->offset = rows.offset;
    batch->kind = rows.kind;
    batch->headers = rows.headers;
    if (pairs)
        merged_old(&rows, batch);
    op_emit(lanes[0].source, batch);
    return ERR_OK;
}

ErrCode arbiter_emit(ArbiterInput *inputs, uint32_t count, const ArbiterStep *step, Err *err) {
    assert(step->rows > 0);
    for (uint32_t i = 0; i < count;) {
        uint32_t lanes = 1;
        if (inputs[i].spec.topic) {
            if (inputs[i].chosen_next > inputs[i].cursor.next)
                emit_range(&inputs[i], step);
        } else {
            while (i + lanes < count && inputs[i + lanes].source == inputs[i].source)
                lanes++;
            TRY(emit_merged(&inputs[i], lanes, step, err));
        }
        i += lanes;
    }
    return ERR_OK;
}

ArbiterInput *arbiter_find(ArbiterInput *inputs, uint32_t count, uint64_t seq, int64_t *offset) {
    assert(offset);
    for (uint32_t i = 0; i < count; i++) {
        const Cursor *cursor = &inputs[i].cursor;
        for (uint32_t k = cursor->next; k < inputs[i].chosen_next; k++) {
            if (inputs[i].seq[k - cursor->next] != seq)
                continue;
            *offset = cursor->block->offset[cursor->good[k]];
            return &inputs[i];
        }
    }
    return NULL;
}

void arbiter_take(ArbiterInput *inputs, uint32_t count, const ArbiterStep *step) {
    assert(step->rows > 0 || step->script);
    for (uint32_t i = 0; i < count; i++) {
        ArbiterInput *input = &inputs[i];
        const Block *block = input->cursor.block;
        if (!block || input->chosen_next <= input->cursor.next)
            continue;
        /* With the last good row of a block go the dropped ones behind it, unless one is fatal. */
        uint32_t to = input->chosen_next == input->cursor.good_count && !step->script &&
                              !input->fatal
                          ? block->row_count
                          : input->cursor.good[input->chosen_next - 1] + 1u;
        take_rows(input, to, step->env);
    }
}
