/*
 * expr.c - running a program: registers get memory, instructions run one after the other.
 *
 * An instruction whose selection is empty is left out; its target is then all missing, so that
 * what reads it over all rows finds memory of the right size.
 */
#include <stdio.h>

#include "runtime/expr_impl.h"

/* == What kernels share == */

enum { REPEATED_ROWS_MIN = 16, REPEATED_ROWS_MAX = 4 * BATCH_ROWS_MAX };

/* Flat values are repeated once for all runs, as long as batches do not grow. */
void expr_expand(ExprProgram *program, uint32_t reg) {
    ExprReg *it = &program->regs[reg];
    Column *target = &program->columns[reg];
    assert(it->constant && it->constant->length == 1);
    uint32_t rows = program->row_count;
    if (type_is_nested(it->constant->type) || rows > REPEATED_ROWS_MAX) {
        *target = *column_repeat(program->batch->arena, it->constant, 0, rows);
        return;
    }
    uint32_t known = it->repeated ? it->repeated->length : 0;
    if (known < rows) {
        for (known = known ? known : REPEATED_ROWS_MIN; known < rows;)
            known *= 4;
        it->repeated = column_repeat(program->arena, it->constant, 0, known);
    }
    *target = *it->repeated;
    target->length = rows;
}

const Column *expr_operand(ExprProgram *program, uint32_t reg) {
    assert(reg < program->reg_count);
    if (program->regs[reg].constant && program->columns[reg].length != program->row_count)
        expr_expand(program, reg);
    return &program->columns[reg];
}

static void *expr_memory(ExprProgram *program, const ExprReg *reg, uint32_t width) {
    if (reg->buffer == EXPR_NONE)
        return arena_raw(program->batch->arena, (size_t)program->row_count * width);
    assert(program->buffers[reg->buffer].width == width);
    return program->buffers[reg->buffer].data;
}

Column *expr_target(ExprProgram *program, const ExprInst *inst) {
    const ExprReg *reg = &program->regs[inst->target];
    Column *target = &program->columns[inst->target];
    uint32_t width = type_width(reg->type);
    assert(width > 0 && !reg->constant);
    *target = (Column){.type = reg->type, .length = program->row_count};
    target->data = expr_memory(program, reg, width);
    bool pointers = reg->type->kind == TYPE_STRING || reg->type->kind == TYPE_BYTES;
    if (pointers && expr_selection(program, inst)->count < program->row_count)
        memset(target->data, 0, (size_t)program->row_count * width);
    return target;
}

uint64_t *expr_validity(ExprProgram *program) {
    assert(program->batch);
    return arena_raw(program->batch->arena,
                     column_words(program->row_count) * sizeof(uint64_t));
}

Column *expr_target_missing(ExprProgram *program, const ExprInst *inst) {
    const ExprReg *reg = &program->regs[inst->target];
    Column *target = &program->columns[inst->target];
    uint32_t width = type_width(reg->type);
    if (width == 0) {
        column_init(target, program->batch->arena, reg->type, program->row_count);
        return target;
    }
    *target = (Column){.type = reg->type, .length = program->row_count};
    target->data = expr_memory(program, reg, width);
    memset(target->data, 0, (size_t)program->row_count * width);
    target->validity = expr_validity(program);
    memset(target->validity, 0, column_words(program->row_count) * sizeof(uint64_t));
    return target;
}

void expr_row_error(const ExprProgram *program, const ExprInst *inst, uint32_t row,
                    const char *reason) {
    assert(reason && row < program->row_count);
    batch_row_error(program->batch, row, "expression", "%s: %s", inst->text ? inst->text : "",
                    reason);
}

/* The validity of an operand as words; NULL: nothing is missing. */
static const uint64_t *expr_operand_validity(ExprProgram *program, uint32_t reg) {
    if (reg == EXPR_NONE)
        return NULL;
    const Column *constant = program->regs[reg].constant;
    if (constant && !column_is_null(constant, 0))
        return NULL;
    return expr_operand(program, reg)->validity;
}

/* Present in both; NULL when nothing is missing in either. */
static uint64_t *expr_both(ExprProgram *program, const ExprInst *inst) {
    const uint64_t *a = expr_operand_validity(program, inst->a);
    const uint64_t *b = expr_operand_validity(program, inst->b);
    if (!a && !b)
        return NULL;
    uint64_t *both = expr_validity(program);
    uint32_t words = column_words(program->row_count);
    for (uint32_t i = 0; i < words; i++)
        both[i] = (a ? a[i] : UINT64_MAX) & (b ? b[i] : UINT64_MAX);
    return both;
}

/* Zeroes the values whose bit is not set. */
static void expr_zero(uint8_t *data, uint32_t width, const uint64_t *validity, uint32_t count) {
    for (uint32_t word = 0; word < column_words(count); word++) {
        uint32_t left = count - word * 64;
        uint64_t missing = ~validity[word];
        if (left < 64)
            missing &= ((uint64_t)1 << left) - 1;
        if (missing == UINT64_MAX) {
            memset(data + (size_t)word * 64 * width, 0, (size_t)64 * width);
            continue;
        }
        for (; missing != 0; missing &= missing - 1) {
            size_t row = word * 64 + (uint32_t)__builtin_ctzll(missing);
            memset(data + row * width, 0, width);
        }
    }
}

void expr_zero_missing(Column *target) {
    if (!target->validity)
        return;
    expr_zero(target->data, type_width(target->type), target->validity, target->length);
}

void expr_strict(ExprProgram *program, const ExprInst *inst, Column *target) {
    assert(target->length == program->row_count);
    target->validity = expr_both(program, inst);
    expr_zero_missing(target);
}

void expr_false_where_missing(ExprProgram *program, const ExprInst *inst, Column *target) {
    assert(target->type->kind == TYPE_BOOLEAN);
    const uint64_t *both = expr_both(program, inst);
    if (both)
        expr_zero(target->data, 1, both, target->length);
}

/* == Running == */

static ExprKernel *const expr_kernels[] = {
#define X(name, kernel, operands, meaning) [EXPR_OP_##name] = kernel,
#include "runtime/expr_op.def"
#undef X
};

_Static_assert(sizeof expr_kernels / sizeof expr_kernels[0] == EXPR_OP_COUNT, "one list");

/* What must be set up even when no row is selected: the target is read over all rows later. */
static void expr_skip(ExprProgram *program, const ExprInst *inst) {
    if (expr_op_narrows(inst->op)) {
        program->selections[inst->target].count = 0;
        program->selections[inst->target].rows = NULL;
    } else if (inst->op == EXPR_OP_COLUMN || inst->op == EXPR_OP_PSEUDO ||
               inst->op == EXPR_OP_BLANK) {
        expr_kernels[inst->op](program, inst);
    } else if (inst->op != EXPR_OP_MOVE) {
        expr_target_missing(program, inst);
        if (inst->op == EXPR_OP_CALL)
            expr_call_none_failed(program, inst->extra);
    }
}

static void expr_start(ExprProgram *program, const Batch *batch) {
    assert(batch->arena && batch->selected_count <= batch->row_count);
    program->batch = batch;
    program->row_count = batch->row_count;
    program->selections[0].rows = batch->selected;
    program->selections[0].count = batch->selected_count;
    for (uint32_t i = 0; i < program->buffer_count; i++) {
        ExprBuffer *buffer = &program->buffers[i];
        buffer->data = arena_raw(batch->arena, (size_t)batch->row_count * buffer->width);
    }
    memset(program->columns, 0, program->reg_count * sizeof *program->columns);
}

static void expr_execute(ExprProgram *program, const Batch *batch) {
    expr_start(program, batch);
    for (uint32_t i = 0; i < program->inst_count; i++) {
        const ExprInst *inst = &program->insts[i];
        assert(inst->op < EXPR_OP_COUNT);
        if (expr_selection(program, inst)->count == 0)
            expr_skip(program, inst);
        else
            expr_kernels[inst->op](program, inst);
    }
}

void expr_run(ExprProgram *program, const Batch *batch, const Column **results) {
    assert(program && results);
    expr_execute(program, batch);
    Column *columns = arena_array(batch->arena, program->result_count, sizeof *columns);
    for (uint32_t i = 0; i < program->result_count; i++) {
        columns[i] = *expr_operand(program, program->results[i]);
        results[i] = &columns[i];
    }
    program->batch = NULL;
}

/* Rows 0 to row_count - 1 that are true: most of a rare truth is gone over eight at a time. */
static uint32_t select_dense(const uint8_t *truth, uint32_t row_count, uint16_t *selected) {
    uint32_t count = 0, row = 0;
    while (row < row_count) {
        uint64_t eight = 1;
        uint32_t end = row_count - row < sizeof eight ? row_count : row + (uint32_t)sizeof eight;
        if (row + sizeof eight <= row_count)
            memcpy(&eight, truth + row, sizeof eight);
        for (; eight != 0 && row < end; row++) {
            selected[count] = (uint16_t)row;
            count += truth[row] == 1;
        }
        row = end;
    }
    return count;
}

static uint32_t select_rows(ExprProgram *program, const Batch *batch, uint16_t *selected) {
    expr_execute(program, batch);
    const Column *truth = expr_operand(program, program->results[0]);
    assert(truth->type->kind == TYPE_BOOLEAN || truth->type->kind == TYPE_NULL);
    uint32_t count = 0;
    if (truth->data && batch->selected_count == batch->row_count) {
        count = select_dense(truth->boolean, batch->row_count, selected);
    } else if (truth->data) {
        for (uint32_t i = 0; i < batch->selected_count; i++) {
            selected[count] = batch->selected[i];
            count += truth->boolean[batch->selected[i]] == 1;
        }
    }
    program->batch = NULL;
    return count;
}

uint32_t expr_select(ExprProgram *program, const Batch *batch, uint16_t *selected) {
    assert(program->result_count == 1);
    if (!program->sieve)
        return select_rows(program, batch, selected);
    bool whole;
    uint32_t count = expr_sieve_run(program->sieve, batch, selected, &whole);
    if (whole || count == 0)
        return count;
    Batch part = *batch;
    part.selected = selected; /* its rows move to the front */
    part.selected_count = count;
    return select_rows(program, &part, selected);
}

void expr_set_io(ExprProgram *program, Io *io) {
    assert(program);
    program->io = io;
}

/* == Constants == */

const Column *expr_constant_value(const Expr *expr, bool fold, Arena *arena, Io *io,
                                  char *reason) {
    static const uint16_t row = 0;
    static const Schema schema = {0};
    static const int64_t zero = 0;
    RowErrors errors;
    Err err;
    ExprProgram *program;
    if (expr_compile_program(&expr, 1, fold, arena, &program, &err) != ERR_OK) {
        snprintf(reason, ROW_ERROR_TEXT_SIZE, "%.*s", ROW_ERROR_TEXT_SIZE - 1, err.message);
        return NULL;
    }
    row_errors_init(&errors);
    Batch batch = {.schema = &schema, .row_count = 1, .selected_count = 1, .selected = &row,
                   .rowtime = &zero, .offset = &zero, .arena = arena, .errors = &errors};
    const Column *result;
    program->io = io;
    expr_run(program, &batch, &result);
    RowError last[ROW_ERRORS_KEPT];
    uint64_t count;
    uint32_t kept = row_errors_last(&errors, last, &count);
    if (kept > 0)
        snprintf(reason, ROW_ERROR_TEXT_SIZE, "%s", last[0].text);
    row_errors_close(&errors);
    return kept > 0 ? NULL : result;
}

ErrCode expr_constant(const Expr *const *exprs, uint32_t count, Arena *arena,
                      const Column **results, Err *err) {
    char reason[ROW_ERROR_TEXT_SIZE] = "";
    assert(exprs && results);
    for (uint32_t i = 0; i < count; i++) {
        results[i] = expr_constant_value(exprs[i], true, arena, io_posix(), reason);
        if (!results[i])
            return err_set(err, ERR_RUNTIME, "%s", reason);
    }
    return ERR_OK;
}
