/*
 * expr_call.c - calls of the functions of udf/.
 *
 * Rows where an argument is missing are left out, unless the function wants to see them; the
 * result starts all missing, so what a function does not write is NULL.
 */
#include <stdarg.h>
#include <stdio.h>

#include "runtime/expr_impl.h"

__attribute__((format(printf, 3, 4))) static void call_fail(void *context, uint32_t row,
                                                            const char *format, ...) {
    const ExprCallContext *call = context;
    char reason[ROW_ERROR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    uint32_t failed = ((const ExprCall *)call->inst->extra)->failed;
    if (failed != EXPR_NONE)
        call->program->columns[failed].boolean[row] = 1;
    expr_row_error(call->program, call->inst, row, reason);
}

/* Rows of the selection where every argument is there. */
static uint32_t call_present_rows(const ExprSelection *selection, const Column *const *args,
                                  uint32_t arg_count, uint16_t *rows) {
    uint32_t count = selection->count;
    assert(rows);
    memcpy(rows, selection->rows, count * sizeof *rows);
    for (uint32_t arg = 0; arg < arg_count; arg++) {
        const uint64_t *validity = args[arg] ? args[arg]->validity : NULL;
        if (!validity)
            continue;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < count; i++) {
            rows[kept] = rows[i];
            kept += expr_present(validity, rows[i]);
        }
        count = kept;
    }
    return count;
}

void expr_call_none_failed(ExprProgram *program, const ExprCall *call) {
    if (call->failed == EXPR_NONE)
        return;
    Column *failed = &program->columns[call->failed];
    *failed = (Column){.type = &type_boolean, .length = program->row_count};
    failed->data = arena_alloc(program->batch->arena, program->row_count);
    assert(failed->boolean);
}

void expr_call(ExprProgram *program, const ExprInst *inst) {
    const ExprCall *extra = inst->extra;
    const ExprSelection *selection = expr_selection(program, inst);
    Arena *arena = program->batch->arena;
    uint32_t arg_count = inst->index;
    const Column **args = arena_array(arena, arg_count, sizeof *args);
    for (uint32_t i = 0; i < arg_count; i++)
        args[i] = inst->list[i] == EXPR_NONE ? NULL : expr_operand(program, inst->list[i]);
    ExprCallContext context = {program, inst};
    FunctionCall call = {.args = args, .arg_count = arg_count, .rows = selection->rows,
                         .row_count = selection->count, .arena = arena, .state = extra->state,
                         .io = program->io, .fail = call_fail, .context = &context,
                         .apply = expr_lambda_apply};
    call.result = expr_target_missing(program, inst);
    expr_call_none_failed(program, extra);
    if (!(extra->function->flags & FUNCTION_SEES_NULLS) && arg_count > 0) {
        uint16_t *rows = arena_raw(arena, selection->count * sizeof *rows);
        call.row_count = call_present_rows(selection, args, arg_count, rows);
        call.rows = rows;
    }
    extra->function->kernel(&call);
    assert(call.result->length == program->row_count);
    if (call.row_count == program->row_count && column_is_full(call.result))
        call.result->validity = NULL;
}
