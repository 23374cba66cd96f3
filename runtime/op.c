/*
 * op.c - see op.h: how batches go from operator to operator within a step.
 *
 * Invariant of a run: the rows of all inputs of an in_order operator are applied in order of seq;
 * rows of one seq in order of their batch's arrival.
 */
#include "runtime/op.h"

#include <assert.h>
#include <stdio.h>

void op_emit(Op *op, Batch *batch) {
    assert(batch->row_count <= UINT16_MAX + 1u);
    if (batch->selected_count == 0)
        return;
    op_count(op, OP_ROWS_OUT, batch->selected_count);
    for (uint32_t i = 0; i < op->edge_count; i++) {
        Op *target = op->edges[i].op;
        op_count(target, OP_ROWS_IN, batch->selected_count);
        target->inputs = arena_grow(op->env->query_arena, target->inputs, &target->input_capacity,
                                    target->input_count + 1, sizeof *target->inputs);
        target->inputs[target->input_count++] = (OpInput){op->edges[i].port, batch, 0};
    }
}

static uint64_t input_seq(const OpInput *input) {
    const Batch *batch = input->batch;
    assert(input->next < batch->selected_count);
    return batch->seq[batch->selected[input->next]];
}

/* The input whose next row comes first (of equal ones the first that came), and the seq that ends
 * its run. NULL: all applied. */
static OpInput *first_input(Op *op, uint64_t *run_end) {
    assert(op->input_count > 0);
    OpInput *first = NULL;
    *run_end = UINT64_MAX;
    for (size_t i = 0; i < op->input_count; i++) {
        OpInput *input = &op->inputs[i];
        if (input->next == input->batch->selected_count)
            continue;
        uint64_t seq = input_seq(input);
        if (!first) {
            first = input;
        } else if (seq < input_seq(first)) {
            *run_end = input_seq(first);
            first = input;
        } else if (seq + 1 < *run_end) {
            *run_end = seq + 1; /* it came later: rows of this seq go first */
        }
    }
    return first;
}

/* The end of the run of `input`: rows of seq below run_end, but at least one. */
static uint32_t run_length_end(const OpInput *input, uint64_t run_end) {
    const Batch *batch = input->batch;
    uint32_t end = input->next + 1;
    while (end < batch->selected_count && batch->seq[batch->selected[end]] < run_end)
        end++;
    assert(end > input->next);
    return end;
}

static ErrCode apply_runs(Op *op, Err *err) {
    assert(op->ops->in_order);
    uint64_t run_end;
    for (OpInput *input = first_input(op, &run_end); input; input = first_input(op, &run_end)) {
        uint32_t from = input->next;
        input->next = run_length_end(input, run_end);
        TRY(op->ops->apply(op, input->port, input->batch, (uint16_t)from, (uint16_t)input->next,
                           err));
    }
    return ERR_OK;
}

static ErrCode apply_whole(Op *op, Err *err) {
    for (size_t i = 0; i < op->input_count; i++) {
        OpInput *input = &op->inputs[i];
        assert(input->batch->selected_count <= UINT16_MAX);
        TRY(op->ops->apply(op, input->port, input->batch, 0,
                           (uint16_t)input->batch->selected_count, err));
    }
    return ERR_OK;
}

ErrCode op_run(Op *op, Err *err) {
    assert(op->env);
    if (!op->ops || op->input_count == 0)
        return ERR_OK;
    op->env->errors->step = op->node->path;
    uint64_t errors = op->env->errors->passed;
    for (size_t i = 0; op->ops->prepare && i < op->input_count; i++)
        TRY(op->ops->prepare(op, op->inputs[i].port, op->inputs[i].batch, err));
    TRY(op->ops->in_order && op->input_count > 1 ? apply_runs(op, err) : apply_whole(op, err));
    op->input_count = 0;
    if (op->env->errors->passed > errors)
        op_count(op, OP_ERRORS, op->env->errors->passed - errors);
    if (op->ops->drain)
        return op_drain(op, err);
    op_clock(op);
    return ERR_OK;
}

static uint64_t op_counted(const Op *op, OpCount what) {
    assert(what < OP_COUNTS);
    return atomic_load_explicit(&op->counts[what], memory_order_relaxed);
}

void op_figures_add(OpFigures *figures, const Op *op) {
    assert(figures);
    figures->rows_in += op_counted(op, OP_ROWS_IN);
    figures->rows_out += op_counted(op, OP_ROWS_OUT);
    figures->row_errors += op_counted(op, OP_ERRORS);
    figures->late_rows += op_counted(op, OP_LATE);
    figures->no_match += op_counted(op, OP_NO_MATCH);
    figures->filtered += op_counted(op, OP_FILTERED);
    figures->time_us += op_counted(op, OP_TIME_US);
}

void op_clock(Op *op) {
    Io *io = op->env->io;
    assert(io);
    int64_t now_us = io->ops->mono_us(io);
    if (now_us > *op->env->clock_us)
        op_count(op, OP_TIME_US, (uint64_t)(now_us - *op->env->clock_us));
    *op->env->clock_us = now_us;
}

ErrCode op_drain(Op *op, Err *err) {
    assert(op->ops->drain && op->env->drain_rows_max > 0);
    op->owes = false;
    op->env->errors->step = op->node->path;
    uint64_t errors = op->env->errors->passed;
    TRY(op->ops->drain(op, &op->owes, err));
    if (op->env->errors->passed > errors)
        op_count(op, OP_ERRORS, op->env->errors->passed - errors);
    op_clock(op);
    return ERR_OK;
}

void op_clear(Op *op) {
    assert(op->env);
    op->input_count = 0;
    op->owes = false;
    if (op->ops && op->ops->clear && op->self)
        op->ops->clear(op);
}

ErrCode op_fail(Op *op, const Batch *batch, uint32_t row, Err *err, const char *format, ...) {
    assert(row < batch->row_count);
    char text[ROW_ERROR_TEXT_SIZE * 2];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    op->env->row_failed = true;
    op->env->failed_seq = batch->seq[row];
    return err_set(err, ERR_RUNTIME, "%s", text);
}

void op_rows_from(Batch *output, const Batch *batch, const uint16_t *rows, uint32_t count) {
    Arena *arena = batch->arena;
    assert(count > 0 && count <= UINT16_MAX);
    uint64_t *seq = arena_raw(arena, count * sizeof *seq);
    int64_t *offset = arena_raw(arena, count * sizeof *offset);
    Bytes *headers = batch->headers ? arena_raw(arena, count * sizeof *headers) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        assert(rows[i] < batch->row_count);
        seq[i] = batch->seq[rows[i]];
        offset[i] = batch->offset[rows[i]];
        if (headers)
            headers[i] = batch->headers[rows[i]];
    }
    output->seq = seq;
    output->offset = offset;
    output->headers = headers;
    output->row_count = output->selected_count = count;
    output->selected = batch_all_rows(count);
}

void op_attach_old(Op *op, Batch *output, const Column *const *columns, const uint16_t *rows,
                   uint32_t count) {
    Batch *old = op_batch(op, output);
    assert(count <= output->row_count);
    old->columns = op->old_wanted ? columns : NULL;
    old->selected = rows;
    old->selected_count = count;
    old->old = NULL;
    output->old = old;
}

Batch *op_batch(Op *op, const Batch *batch) {
    Batch *copy = arena_raw(op->env->step_arena, sizeof *copy);
    *copy = *batch;
    assert(copy->arena == op->env->step_arena);
    return copy;
}
