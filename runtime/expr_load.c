/*
 * expr_load.c - values that come from outside a program: columns and facts of the batch.
 */
#include "runtime/expr_impl.h"

void expr_load_column(ExprProgram *program, const ExprInst *inst) {
    const Batch *batch = program->batch;
    const Column *source = batch->columns[inst->index];
    assert(inst->index < batch->schema->column_count);
    assert(source && source->length >= program->row_count);
    program->columns[inst->target] = *source;
}

static void load_fact(ExprProgram *program, Column *target, const int64_t *fact) {
    if (fact) {
        target->data = (void *)(uintptr_t)fact; /* columns are read-only from here on */
        return;
    }
    target->data = arena_array(program->batch->arena, program->row_count, sizeof(int64_t));
    target->validity = expr_validity(program);
    memset(target->validity, 0, column_words(program->row_count) * sizeof *target->validity);
}

static void load_partition(ExprProgram *program, Column *target) {
    int32_t *data = arena_raw(program->batch->arena, program->row_count * sizeof *data);
    for (uint32_t i = 0; i < program->row_count; i++)
        data[i] = program->batch->partition;
    target->data = data;
}

void expr_load_pseudo(ExprProgram *program, const ExprInst *inst) {
    const Batch *batch = program->batch;
    Column *target = &program->columns[inst->target];
    *target = (Column){.type = program->regs[inst->target].type, .length = program->row_count};
    switch ((ExprPseudo)inst->index) {
    case PSEUDO_ROWTIME: load_fact(program, target, batch->rowtime); break;
    case PSEUDO_ROWOFFSET: load_fact(program, target, batch->offset); break;
    case PSEUDO_WINDOWSTART: load_fact(program, target, batch->window_start); break;
    case PSEUDO_WINDOWEND: load_fact(program, target, batch->window_end); break;
    case PSEUDO_ROWPARTITION: load_partition(program, target); break;
    }
}

void expr_load_blank(ExprProgram *program, const ExprInst *inst) {
    assert(inst->target < program->reg_count);
    expr_target_missing(program, inst);
}
