/*
 * op_filter.c - WHERE and HAVING: narrows the selection.
 *
 * Streams: rows whose predicate is true pass; a null value never does. Tables, by pairs of old and
 * new: both pass - an update; only the new - an insert; only the old - a delete; none - nothing.
 * Without old values a new row that fails is forwarded as a delete, and so are deletes.
 */
#include <assert.h>

#include "base/vector.h"
#include "runtime/expr.h"
#include "runtime/op.h"

typedef struct Filter {
    ExprProgram *program;
} Filter;

static ErrCode filter_open(Op *op, OpEnv *env, Err *err) {
    assert(op->node->kind == PLAN_FILTER);
    Filter *filter = arena_alloc(env->query_arena, sizeof *filter);
    op->self = filter;
    TRY(expr_compile(&op->node->predicate, 1, env->query_arena, &filter->program, err));
    expr_set_io(filter->program, env->io);
    return ERR_OK;
}

VECTOR_LOOP static bool all_values(const uint8_t *kind, uint32_t count) {
    uint8_t any = 0;
    _Static_assert(ROW_VALUE == 0, "other kinds have bits");
    for (uint32_t i = 0; i < count; i++)
        any |= kind[i];
    return any == 0;
}

/* The selected rows that hold a value; the batch's own selection where all do. */
static uint32_t value_rows(const Batch *batch, const uint16_t **rows) {
    assert(batch->selected_count > 0);
    uint32_t kept = 0;
    *rows = batch->selected;
    if (batch->selected_count == batch->row_count && all_values(batch->kind, batch->row_count))
        return batch->row_count;
    while (kept < batch->selected_count && batch->kind[batch->selected[kept]] == ROW_VALUE)
        kept++;
    if (kept == batch->selected_count)
        return kept;
    uint16_t *values = arena_raw(batch->arena, batch->selected_count * sizeof *values);
    kept = 0;
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint16_t row = batch->selected[i];
        if (batch->kind[row] == ROW_VALUE)
            values[kept++] = row;
    }
    *rows = values;
    return kept;
}

/* Those of rows[0..count) whose predicate is true. */
static uint32_t passing_rows(Filter *filter, const Batch *batch, const uint16_t *rows,
                             uint32_t count, const uint16_t **passing) {
    uint16_t *selected = arena_raw(batch->arena, (count + 1u) * sizeof *selected);
    *passing = selected;
    if (count == 0)
        return 0;
    Batch part = *batch;
    part.selected = rows;
    part.selected_count = count;
    uint32_t kept = expr_select(filter->program, &part, selected);
    assert(kept <= count);
    return kept;
}

static void filter_stream(Op *op, Filter *filter, const Batch *batch) {
    assert(!op->node->is_table);
    const uint16_t *values;
    uint32_t count = value_rows(batch, &values);
    Batch *output = op_batch(op, batch);
    output->selected_count = passing_rows(filter, batch, values, count, &output->selected);
    op_count(op, OP_FILTERED, count - output->selected_count);
    output->schema = op->node->schema;
    op_emit(op, output);
}

/* Two ascending lists of passing rows and the batch's own become one list of changes. */
typedef struct FilterPairs {
    const Batch *batch;
    const uint16_t *passed, *old_passed;
    uint32_t passed_count, old_count;
    uint16_t *selected, *old_selected;
    uint8_t *kind;
    uint32_t selected_count, old_selected_count;
} FilterPairs;

static void pair_row(FilterPairs *pairs, uint16_t row, bool passes, bool old_passes) {
    assert(row < pairs->batch->row_count);
    bool old_known = pairs->batch->old != NULL;
    if (!passes && !old_passes && old_known)
        return;
    pairs->kind[row] = passes ? ROW_VALUE : ROW_DELETE;
    pairs->selected[pairs->selected_count++] = row;
    if (old_passes)
        pairs->old_selected[pairs->old_selected_count++] = row;
}

static void pair_rows(FilterPairs *pairs) {
    uint32_t new_at = 0, old_at = 0;
    for (uint32_t i = 0; i < pairs->batch->selected_count; i++) {
        uint16_t row = pairs->batch->selected[i];
        bool passes = new_at < pairs->passed_count && pairs->passed[new_at] == row;
        while (old_at < pairs->old_count && pairs->old_passed[old_at] < row)
            old_at++;
        bool old_passes = old_at < pairs->old_count && pairs->old_passed[old_at] == row;
        new_at += passes;
        old_at += old_passes;
        pair_row(pairs, row, passes, old_passes);
    }
    assert(new_at == pairs->passed_count);
}

static void filter_table(Op *op, Filter *filter, const Batch *batch) {
    assert(op->node->is_table);
    assert(!batch->old || batch->old->columns);
    Arena *arena = batch->arena;
    FilterPairs pairs = {.batch = batch};
    const uint16_t *values;
    uint32_t count = value_rows(batch, &values);
    pairs.passed_count = passing_rows(filter, batch, values, count, &pairs.passed);
    op_count(op, OP_FILTERED, count - pairs.passed_count);
    if (batch->old)
        pairs.old_count = passing_rows(filter, batch->old, batch->old->selected,
                                       batch->old->selected_count, &pairs.old_passed);
    pairs.selected = arena_raw(arena, batch->selected_count * sizeof *pairs.selected);
    pairs.old_selected = arena_raw(arena, (pairs.old_count + 1u) * sizeof *pairs.old_selected);
    pairs.kind = arena_raw(arena, batch->row_count);
    pair_rows(&pairs);
    Batch *output = op_batch(op, batch);
    output->schema = op->node->schema;
    output->kind = pairs.kind;
    output->selected = pairs.selected;
    output->selected_count = pairs.selected_count;
    if (batch->old) {
        output->old = op_batch(op, batch->old);
        output->old->selected = pairs.old_selected;
        output->old->selected_count = pairs.old_selected_count;
    }
    op_emit(op, output);
}

static ErrCode filter_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to, Err *err) {
    assert(port == 0 && from == 0 && to == batch->selected_count);
    (void)err;
    (void)from;
    (void)to;
    (void)port;
    if (op->node->is_table)
        filter_table(op, op->self, batch);
    else
        filter_stream(op, op->self, batch);
    return ERR_OK;
}

const OpOps op_filter_ops = {
    .name = "Filter",
    .open = filter_open,
    .apply = filter_apply,
};
