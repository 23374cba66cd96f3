/*
 * expr_throw.c - noting the rows where an expression threw: see expr_impl.h.
 *
 * The register is a truth value without missing ones, FALSE at first. Marks are set by the
 * instructions behind those that may throw, under the selection they ran for.
 */
#include "runtime/expr_impl.h"
#include "udf/pick.h"

void expr_throw_none(ExprProgram *program, const ExprInst *inst) {
    Column *target = expr_target(program, inst);
    assert(target->type->kind == TYPE_BOOLEAN);
    memset(target->boolean, 0, target->length);
}

void expr_throw_mark(ExprProgram *program, const ExprInst *inst) {
    const Column *a = expr_operand(program, inst->a);
    const ExprSelection *selection = expr_selection(program, inst);
    Column *target = &program->columns[inst->target];
    assert(target->boolean && !target->validity);
    if (!a->validity)
        return;
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        target->boolean[row] |= !expr_present(a->validity, row);
    }
}

void expr_throw_merge(ExprProgram *program, const ExprInst *inst) {
    const Column *a = expr_operand(program, inst->a);
    const ExprSelection *selection = expr_selection(program, inst);
    Column *target = &program->columns[inst->target];
    assert(target->boolean && !target->validity);
    for (uint32_t i = 0; i < selection->count; i++)
        target->boolean[selection->rows[i]] |= a->boolean[selection->rows[i]];
}

/* Nested values are picked: a missing one has no elements. */
static void throw_nested(ExprProgram *program, const ExprInst *inst, const Column *thrown) {
    const Column *a = expr_operand(program, inst->a);
    const ExprSelection *selection = expr_selection(program, inst);
    uint32_t *rows = arena_raw(program->batch->arena, program->row_count * sizeof *rows);
    memset(rows, 0xFF, program->row_count * sizeof *rows);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (!thrown->boolean[row])
            rows[row] = row;
    }
    Pick pick = {&a, 1, NULL, rows, program->row_count};
    pick_values(&pick, program->regs[inst->target].type, program->batch->arena,
                &program->columns[inst->target]);
}

static bool throw_any(const Column *thrown) {
    uint8_t any = 0;
    for (uint32_t i = 0; i < thrown->length; i++)
        any |= thrown->boolean[i];
    return any != 0;
}

/* A copy: the operand's memory may be used again while the target is still read. */
static void throw_copy(ExprProgram *program, const ExprInst *inst, const Column *a) {
    Column *target = expr_target(program, inst);
    memcpy(target->data, a->data, (size_t)target->length * type_width(target->type));
    target->validity = a->validity;
}

void expr_throw_apply(ExprProgram *program, const ExprInst *inst) {
    const Column *thrown = expr_operand(program, inst->b);
    uint32_t width = type_width(program->regs[inst->target].type);
    if (width == 0) {
        throw_nested(program, inst, thrown);
        return;
    }
    const Column *a = expr_operand(program, inst->a);
    if (!throw_any(thrown)) {
        throw_copy(program, inst, a);
        return;
    }
    const ExprSelection *selection = expr_selection(program, inst);
    Column *target = expr_target_missing(program, inst);
    assert(target->length == a->length);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (thrown->boolean[row] || !expr_present(a->validity, row))
            continue;
        memcpy((uint8_t *)target->data + (size_t)row * width,
               (const uint8_t *)a->data + (size_t)row * width, width);
        column_set_present(target, row);
    }
}
