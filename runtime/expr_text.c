/*
 * expr_text.c - STRING + STRING.
 */
#include "base/limits.h"
#include "runtime/expr_impl.h"

/* 0 for a text that is too long: nested ones could double at each level. */
static size_t text_size(const Column *a, const Column *b, uint32_t row) {
    size_t size = (size_t)a->bytes[row].size + b->bytes[row].size;
    assert(row < a->length && row < b->length);
    return size > VALUE_BYTES_MAX ? 0 : size;
}

void expr_text_concat(ExprProgram *program, const ExprInst *inst) {
    const Column *a = expr_operand(program, inst->a), *b = expr_operand(program, inst->b);
    const ExprSelection *selection = expr_selection(program, inst);
    Column *target = expr_target_missing(program, inst);
    size_t total = 0;
    for (uint32_t i = 0; i < selection->count; i++)
        total += text_size(a, b, selection->rows[i]);
    uint8_t *next = arena_raw(program->batch->arena, total);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (!expr_present(a->validity, row) || !expr_present(b->validity, row))
            continue;
        if ((size_t)a->bytes[row].size + b->bytes[row].size > VALUE_BYTES_MAX) {
            expr_row_error(program, inst, row, "a text that no record can carry");
            continue;
        }
        Bytes left = a->bytes[row], right = b->bytes[row];
        target->bytes[row] = (Bytes){next, left.size + right.size};
        column_set_present(target, row);
        if (left.size > 0)
            memcpy(next, left.data, left.size);
        if (right.size > 0)
            memcpy(next + left.size, right.data, right.size);
        next += left.size + right.size;
    }
}
