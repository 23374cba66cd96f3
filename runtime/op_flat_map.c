/*
 * op_flat_map.c - table functions: rows out of rows.
 *
 *   input row   EXPLODE([1, 2])   EXPLODE(['a', 'b', 'c'])
 *   k, v   -->  k, v, 1, 'a'
 *               k, v, 2, 'b'
 *               k, v, NULL, 'c'
 *
 * apply() evaluates the arguments and asks each function how many values it makes of each row;
 * the rows themselves are made by drain(), a chunk a call, so that a row of a million values needs
 * the memory of one chunk. A null value makes no rows; a function that fails for a row makes none
 * for it.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "runtime/expr.h"
#include "runtime/op.h"

/* One input batch, with what is still to come of it. */
typedef struct FlatInput {
    struct FlatInput *next;
    const Batch *batch;
    TableCall *calls;        /* one a call of the node */
    const uint16_t *rows;    /* that hold a value */
    uint32_t row_count;
    uint32_t row;    /* index in rows[]: whose turn it is */
    uint32_t number; /* of its next value */
} FlatInput;

typedef struct FlatMap {
    ExprProgram *args; /* of all calls, one after the other; NULL: none has any */
    uint32_t arg_count;
    FlatInput *first, *last; /* in the arena of the pass that brought them */
} FlatMap;

static ErrCode flat_map_open(Op *op, OpEnv *env, Err *err) {
    const PlanNode *node = op->node;
    assert(node->kind == PLAN_FLAT_MAP && !node->is_table);
    FlatMap *self = arena_alloc(env->query_arena, sizeof *self);
    op->self = self;
    for (uint32_t i = 0; i < node->table_call_count; i++)
        self->arg_count += node->table_calls[i].arg_count;
    if (self->arg_count == 0)
        return ERR_OK;
    const Expr **args = arena_array(env->query_arena, self->arg_count, sizeof *args);
    for (uint32_t i = 0, at = 0; i < node->table_call_count; i++) {
        for (uint32_t k = 0; k < node->table_calls[i].arg_count; k++)
            args[at++] = node->table_calls[i].args[k];
    }
    TRY(expr_compile(args, self->arg_count, env->query_arena, &self->args, err));
    expr_set_io(self->args, env->io);
    return ERR_OK;
}

/* -- Counting ---------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void flat_map_fail(void *context, uint32_t row,
                                                                const char *format, ...) {
    const Batch *batch = context;
    char reason[ROW_ERROR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    batch_row_error(batch, row, "table function", "%s", reason);
}

static void keep_values(FlatInput *input, const Batch *batch) {
    assert(batch->selected_count > 0);
    uint16_t *rows = arena_raw(batch->arena, batch->selected_count * sizeof *rows);
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        rows[input->row_count] = batch->selected[i];
        input->row_count += batch->kind[batch->selected[i]] == ROW_VALUE;
    }
    input->rows = rows;
}

/* The rows where every argument is there. */
static void count_rows(TableCall *call, const FlatInput *input) {
    uint16_t *rows = arena_raw(call->arena, input->row_count * sizeof *rows);
    for (uint32_t i = 0; i < input->row_count; i++) {
        bool missing = false;
        for (uint32_t k = 0; k < call->arg_count; k++)
            missing = missing || column_is_null(call->args[k], input->rows[i]);
        rows[call->row_count] = input->rows[i];
        call->row_count += !missing;
    }
    call->rows = rows;
    assert(call->row_count <= input->row_count);
}

static void count_values(const PlanNode *node, FlatInput *input, const Column *const *args) {
    Batch *batch = (Batch *)(uintptr_t)input->batch;
    assert(input->row_count > 0);
    input->calls = arena_array(batch->arena, node->table_call_count, sizeof *input->calls);
    for (uint32_t i = 0; i < node->table_call_count; i++) {
        TableCall *call = &input->calls[i];
        *call = (TableCall){.args = args, .arg_count = node->table_calls[i].arg_count,
                            .arena = batch->arena, .fail = flat_map_fail, .context = batch};
        args += call->arg_count;
        call->counts = arena_array(batch->arena, batch->row_count, sizeof *call->counts);
        count_rows(call, input);
        node->table_calls[i].function->count(call);
    }
}

static ErrCode flat_map_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                              Err *err) {
    assert(port == 0 && from == 0 && to == batch->selected_count);
    (void)port;
    (void)err;
    FlatMap *self = op->self;
    FlatInput *input = arena_alloc(batch->arena, sizeof *input);
    input->batch = batch;
    keep_values(input, batch);
    if (input->row_count == 0)
        return ERR_OK;
    Batch values = *batch;
    values.selected = input->rows;
    values.selected_count = input->row_count;
    const Column **args = arena_array(batch->arena, self->arg_count, sizeof *args);
    if (self->args)
        expr_run(self->args, &values, args);
    count_values(op->node, input, args);
    if (self->last)
        self->last->next = input;
    else
        self->first = input;
    self->last = input;
    return ERR_OK;
}

/* -- Making rows ------------------------------------------------------------------------------- */

/* Rows to make now: value number numbers[i] of row rows[i]. */
typedef struct FlatChunk {
    uint16_t *rows;
    uint32_t *numbers;
    uint32_t count;
} FlatChunk;

/* How many rows one row becomes. */
static uint32_t longest(const FlatInput *input, uint32_t call_count, uint32_t row) {
    uint32_t count = 0;
    assert(row < input->batch->row_count);
    for (uint32_t i = 0; i < call_count; i++) {
        if (input->calls[i].counts[row] > count)
            count = input->calls[i].counts[row];
    }
    return count;
}

/* The next rows of this input, at most rows_max; all of it done: input->row is past the end. */
static FlatChunk take_chunk(FlatInput *input, uint32_t call_count, uint32_t rows_max,
                            Arena *arena) {
    assert(rows_max > 0);
    FlatChunk chunk = {arena_raw(arena, rows_max * sizeof *chunk.rows),
                       arena_raw(arena, rows_max * sizeof *chunk.numbers), 0};
    while (input->row < input->row_count && chunk.count < rows_max) {
        uint16_t row = input->rows[input->row];
        uint32_t count = longest(input, call_count, row);
        for (; input->number < count && chunk.count < rows_max; input->number++) {
            chunk.rows[chunk.count] = row;
            chunk.numbers[chunk.count++] = input->number;
        }
        if (input->number < count)
            break;
        input->row++;
        input->number = 0;
    }
    return chunk;
}

static const int64_t *gather_times(const int64_t *times, const FlatChunk *chunk, Arena *arena) {
    if (!times)
        return NULL;
    int64_t *copy = arena_raw(arena, chunk->count * sizeof *copy);
    for (uint32_t i = 0; i < chunk->count; i++)
        copy[i] = times[chunk->rows[i]];
    return copy;
}

/* A view whose row i is the input's row chunk->rows[i]; its columns are still to be set. */
static Batch *gather_facts(const Batch *batch, const FlatChunk *chunk, Arena *arena) {
    assert(chunk->count > 0 && !batch->old);
    Batch *output = arena_raw(arena, sizeof *output);
    *output = *batch;
    output->arena = arena;
    output->row_count = output->selected_count = chunk->count;
    output->selected = batch_all_rows(chunk->count);
    uint64_t *seq = arena_raw(arena, chunk->count * sizeof *seq);
    uint8_t *kind = arena_raw(arena, chunk->count);
    Bytes *headers = batch->headers ? arena_raw(arena, chunk->count * sizeof *headers) : NULL;
    for (uint32_t i = 0; i < chunk->count; i++) {
        seq[i] = batch->seq[chunk->rows[i]];
        kind[i] = ROW_VALUE;
        if (headers)
            headers[i] = batch->headers[chunk->rows[i]];
    }
    output->seq = seq;
    output->kind = kind;
    output->headers = headers;
    output->rowtime = gather_times(batch->rowtime, chunk, arena);
    output->offset = gather_times(batch->offset, chunk, arena);
    output->window_start = gather_times(batch->window_start, chunk, arena);
    output->window_end = gather_times(batch->window_end, chunk, arena);
    return output;
}

/* The column of one call. */
static const Column *make_values(TableCall *call, const PlanTableCall *plan, const Type *type,
                                 const FlatChunk *chunk, Arena *arena) {
    uint32_t *rows = arena_raw(arena, chunk->count * sizeof *rows);
    for (uint32_t i = 0; i < chunk->count; i++) {
        bool there = chunk->numbers[i] < call->counts[chunk->rows[i]];
        rows[i] = there ? chunk->rows[i] : TABLE_NO_ROW;
    }
    Column *column = arena_alloc(arena, sizeof *column);
    call->arena = arena;
    plan->function->values(call, &(TableWanted){rows, chunk->numbers, chunk->count}, type,
                           column);
    assert(column->length == chunk->count);
    return column;
}

static Batch *make_rows(const PlanNode *node, FlatInput *input, const FlatChunk *chunk,
                        Arena *arena) {
    const Batch *batch = input->batch;
    const Schema *schema = node->schema;
    Batch *output = gather_facts(batch, chunk, arena);
    uint32_t passed = schema->column_count - node->table_call_count;
    assert(passed == batch->schema->column_count);
    const Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    for (uint32_t i = 0; i < passed; i++) {
        if (batch->columns[i])
            columns[i] = column_gather(arena, batch->columns[i], chunk->rows, chunk->count);
    }
    for (uint32_t i = 0; i < node->table_call_count; i++)
        columns[passed + i] = make_values(&input->calls[i], &node->table_calls[i],
                                          schema->columns[passed + i].type, chunk, arena);
    output->schema = schema;
    output->columns = columns;
    return output;
}

static ErrCode flat_map_drain(Op *op, bool *more, Err *err) {
    FlatMap *self = op->self;
    OpEnv *env = op->env;
    uint32_t room = env->drain_rows_max;
    assert(room > 0 && room <= BATCH_ROWS_MAX);
    (void)err;
    while (self->first && room > 0) {
        FlatInput *input = self->first;
        FlatChunk chunk =
            take_chunk(input, op->node->table_call_count, room, env->step_arena);
        room -= chunk.count;
        if (chunk.count > 0)
            op_emit(op, make_rows(op->node, input, &chunk, env->step_arena));
        if (input->row < input->row_count)
            continue;
        self->first = input->next;
        if (!self->first)
            self->last = NULL;
    }
    *more = self->first != NULL;
    return ERR_OK;
}

static void flat_map_clear(Op *op) {
    FlatMap *self = op->self;
    assert(self);
    self->first = self->last = NULL;
}

const OpOps op_flat_map_ops = {
    .name = "FlatMap",
    .open = flat_map_open,
    .apply = flat_map_apply,
    .drain = flat_map_drain,
    .clear = flat_map_clear,
};
