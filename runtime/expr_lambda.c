/*
 * expr_lambda.c - applies a lambda to elements: its program runs over batches of them.
 *
 * A batch has one row for each element: the parameters as they come, and what is captured picked
 * by the row that the element belongs to. Many elements are done in chunks whose memory is used
 * again; what outlives them is copied.
 */
#include "base/limits.h"
#include "runtime/expr_impl.h"
#include "runtime/view.h"
#include "udf/pick.h"

/* Elements of captured arrays that one chunk may repeat. */
enum { LAMBDA_REPEATED_MAX = 64 << 10 };

typedef struct LambdaRun {
    const ExprLambda *lambda;
    ExprProgram *outer;
    const ExprInst *inst;
    const FunctionElements *elements;
} LambdaRun;

static const Column *lambda_captured(const LambdaRun *run, uint32_t index) {
    assert(run->lambda->first_capture + index < run->inst->list_count);
    return expr_operand(run->outer, run->inst->list[run->lambda->first_capture + index]);
}

static const int64_t *lambda_fact(const LambdaRun *run, const int64_t *fact, uint32_t from,
                                  uint32_t count, Arena *arena) {
    int64_t *copy = arena_raw(arena, count * sizeof *copy);
    assert(fact);
    for (uint32_t i = 0; i < count; i++)
        copy[i] = fact[run->elements->rows[from + i]];
    return copy;
}

/* Elements [from, from + count) as a batch. */
static void lambda_batch(const LambdaRun *run, uint32_t from, uint32_t count, Arena *arena,
                         Batch *batch) {
    const Batch *outer = run->outer->batch;
    const FunctionElements *elements = run->elements;
    uint32_t param_count = run->lambda->param_count;
    uint32_t column_count = run->lambda->schema->column_count;
    const Column **columns = arena_array(arena, column_count, sizeof *columns);
    Column *captured = arena_array(arena, column_count, sizeof *captured);
    assert(count > 0 && count <= BATCH_ROWS_MAX);
    for (uint32_t i = 0; i < param_count; i++)
        columns[i] = view_column(arena, elements->params[i], from, count);
    for (uint32_t i = param_count; i < column_count; i++) {
        const Column *source = lambda_captured(run, i - param_count);
        Pick pick = {&source, 1, NULL, elements->rows + from, count};
        pick_values(&pick, source->type, arena, &captured[i]);
        columns[i] = &captured[i];
    }
    *batch = (Batch){.schema = run->lambda->schema, .columns = columns, .row_count = count,
                     .selected_count = count, .selected = batch_all_rows(count),
                     .rowtime = lambda_fact(run, outer->rowtime, from, count, arena),
                     .offset = lambda_fact(run, outer->offset, from, count, arena),
                     .partition = outer->partition, .topic = outer->topic, .arena = arena,
                     .errors = outer->errors};
}

/* results[0]: values, results[1]: where it failed; NULL: it cannot. */
static void lambda_chunk(const LambdaRun *run, uint32_t from, uint32_t count, Arena *arena,
                         const Column *results[2]) {
    Batch batch;
    lambda_batch(run, from, count, arena, &batch);
    results[1] = NULL;
    run->lambda->program->io = run->outer->io;
    expr_run(run->lambda->program, &batch, results);
    assert(results[0]->length == count);
}

/* How many elements at once: fewer where each repeats a long captured array. */
static uint32_t lambda_chunk_size(const LambdaRun *run) {
    const FunctionElements *elements = run->elements;
    uint32_t longest = 0, capture_count = run->lambda->schema->column_count -
                                          run->lambda->param_count;
    for (uint32_t i = 0; i < capture_count; i++) {
        const Column *column = lambda_captured(run, i);
        for (uint32_t k = 0; column->offsets && k < elements->count; k++) {
            uint32_t row = elements->rows[k];
            uint32_t size = column->offsets[row + 1] - column->offsets[row];
            longest = size > longest ? size : longest;
        }
    }
    uint32_t size = LAMBDA_REPEATED_MAX / (longest + 1);
    return size == 0 ? 1 : size < BATCH_ROWS_MAX ? size : BATCH_ROWS_MAX;
}

static bool lambda_any(const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (bytes[i])
            return true;
    }
    return false;
}

static Column *lambda_copy(const Column *column, const Type *type, Arena *arena) {
    Column *copy = arena_alloc(arena, sizeof *copy);
    uint32_t *rows = arena_raw(arena, (size_t)column->length * sizeof *rows);
    for (uint32_t i = 0; i < column->length; i++)
        rows[i] = i;
    Pick pick = {&column, 1, NULL, rows, column->length};
    pick_values(&pick, type, arena, copy);
    pick_own(copy, arena);
    return copy;
}

/* All chunks, one after the other. */
static void lambda_chunks(const LambdaRun *run, uint32_t size, Column *result, uint8_t *failed) {
    const FunctionElements *elements = run->elements;
    uint32_t count = elements->count, chunk_count = (count + size - 1) / size;
    const Column **chunks = arena_array(elements->arena, chunk_count, sizeof *chunks);
    uint32_t *which = arena_raw(elements->arena, (size_t)count * sizeof *which);
    uint32_t *rows = arena_raw(elements->arena, (size_t)count * sizeof *rows);
    Arena *scratch = arena_new("lambda", 0);
    const Type *type = run->lambda->program->regs[run->lambda->program->results[0]].type;
    for (uint32_t at = 0, chunk = 0; at < count; at += size, chunk++) {
        uint32_t part = count - at < size ? count - at : size;
        const Column *results[2];
        arena_reset(scratch);
        lambda_chunk(run, at, part, scratch, results);
        chunks[chunk] = lambda_copy(results[0], type, elements->arena);
        if (results[1])
            memcpy(failed + at, results[1]->boolean, part);
        for (uint32_t i = 0; i < part; i++) {
            which[at + i] = chunk;
            rows[at + i] = i;
        }
    }
    arena_free(scratch);
    Pick pick = {chunks, chunk_count, which, rows, count};
    pick_values(&pick, type, elements->arena, result);
}

void expr_lambda_apply(const FunctionCall *call, uint32_t arg, const FunctionElements *elements,
                       Column *result, const uint8_t **failed) {
    const ExprCallContext *context = call->context;
    const ExprCall *extra = context->inst->extra;
    LambdaRun run = {&extra->lambdas[arg], context->program, context->inst, elements};
    assert(run.lambda->program && arg < call->arg_count);
    *failed = NULL;
    if (elements->count == 0) {
        const ExprProgram *program = run.lambda->program;
        column_init(result, elements->arena, program->regs[program->results[0]].type, 0);
        return;
    }
    uint32_t size = lambda_chunk_size(&run);
    if (elements->count <= size) {
        const Column *results[2];
        lambda_chunk(&run, 0, elements->count, elements->arena, results);
        *result = *results[0];
        if (results[1] && lambda_any(results[1]->boolean, elements->count))
            *failed = results[1]->boolean;
        return;
    }
    uint8_t *marks = arena_alloc(elements->arena, elements->count);
    lambda_chunks(&run, size, result, marks);
    if (lambda_any(marks, elements->count))
        *failed = marks;
}
