/*
 * expr_logic.c - truth values, NULL tests, and the narrowing of selections.
 *
 * A truth value is a byte 0 or 1, and 0 where it is missing, so that most of logic is arithmetic
 * on bytes. AND and OR run over all rows: where the left side decides, the right one may hold
 * anything, since it was computed for a narrower selection.
 */
#include "runtime/expr_impl.h"

/* == Selections == */

/* Rows of the selection where truth[row] == wanted; if `validity`, only present ones. */
static uint32_t logic_narrow(uint16_t *restrict target, const ExprSelection *selection,
                             const Column *truth, uint8_t wanted) {
    uint32_t count = 0;
    const uint8_t *value = truth->boolean;
    for (uint32_t i = 0; i < selection->count; i++) {
        uint16_t row = selection->rows[i];
        target[count] = row;
        count += value[row] == wanted;
    }
    if (!truth->validity || wanted == 1)
        return count; /* what is missing is 0 */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        target[kept] = target[i];
        kept += expr_present(truth->validity, target[i]);
    }
    return kept;
}

static uint16_t *logic_rows(ExprProgram *program, const ExprInst *inst) {
    uint32_t count = expr_selection(program, inst)->count;
    assert(inst->target < program->selection_count);
    uint16_t *rows = arena_raw(program->batch->arena, (size_t)count * sizeof *rows);
    program->selections[inst->target].rows = rows;
    return rows;
}

void expr_logic_narrow_true(ExprProgram *program, const ExprInst *inst) {
    uint16_t *rows = logic_rows(program, inst);
    program->selections[inst->target].count =
        logic_narrow(rows, expr_selection(program, inst), expr_operand(program, inst->a), 1);
}

void expr_logic_narrow_false(ExprProgram *program, const ExprInst *inst) {
    uint16_t *rows = logic_rows(program, inst);
    program->selections[inst->target].count =
        logic_narrow(rows, expr_selection(program, inst), expr_operand(program, inst->a), 0);
}

/* == Moving values of branches == */

#define LOGIC_MOVE(ctype)                                       \
    do {                                                        \
        const ctype *from = source->data;                       \
        ctype *to = target->data;                               \
        for (uint32_t i = 0; i < selection->count; i++)         \
            to[selection->rows[i]] = from[selection->rows[i]];  \
    } while (0)

typedef struct Logic32 {
    uint64_t word[4];
} Logic32;

static void logic_move_data(Column *target, const Column *source,
                            const ExprSelection *selection) {
    uint32_t width = type_width(target->type);
    assert(width > 0); /* nested values are picked */
    switch (width) {
    case 1: LOGIC_MOVE(uint8_t); break;
    case 4: LOGIC_MOVE(uint32_t); break;
    case 8: LOGIC_MOVE(uint64_t); break;
    case 16: LOGIC_MOVE(Bytes); break;
    default: LOGIC_MOVE(Logic32); break;
    }
}

_Static_assert(sizeof(Bytes) == 16, "one loop moves strings and wide decimals");

void expr_logic_move(ExprProgram *program, const ExprInst *inst) {
    const Column *source = expr_operand(program, inst->a);
    const ExprSelection *selection = expr_selection(program, inst);
    Column *target = &program->columns[inst->target];
    assert(target->validity && target->length == program->row_count);
    if (source->data == NULL)
        return; /* NULL without a type */
    logic_move_data(target, source, selection);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (expr_present(source->validity, row))
            column_set_present(target, row);
    }
}

/* == Truth == */

VECTOR_LOOP static void logic_and_all(uint8_t *restrict r, const uint8_t *restrict a,
                                      const uint8_t *restrict b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        r[i] = a[i] & b[i];
}

/* b may hold any byte where a is 1. */
VECTOR_LOOP static void logic_or_all(uint8_t *restrict r, const uint8_t *restrict a,
                                     const uint8_t *restrict b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        r[i] = (uint8_t)(a[i] | (b[i] & (a[i] ^ 1)));
}

/* 64 truth bytes as bits; the last word may be short. */
static uint64_t logic_bits(const uint8_t *truth, uint32_t count) {
    uint64_t bits = 0;
    for (uint32_t i = 0; i < count && i < 64; i++)
        bits |= (uint64_t)(truth[i] & 1) << i;
    return bits;
}

/* Present where a is and either decides (a == decisive) or b is present as well. */
static void logic_validity(ExprProgram *program, const ExprInst *inst, Column *target,
                           uint8_t decisive) {
    const Column *a = expr_operand(program, inst->a), *b = expr_operand(program, inst->b);
    if (!a->validity && !b->validity)
        return;
    uint32_t words = column_words(program->row_count);
    target->validity = expr_validity(program);
    for (uint32_t i = 0; i < words; i++) {
        uint64_t truth = logic_bits(a->boolean + (size_t)i * 64, program->row_count - i * 64);
        uint64_t decided = decisive ? truth : ~truth;
        uint64_t left = a->validity ? a->validity[i] : UINT64_MAX;
        uint64_t right = b->validity ? b->validity[i] : UINT64_MAX;
        target->validity[i] = left & (decided | right);
    }
    expr_zero_missing(target);
}

void expr_logic_and(ExprProgram *program, const ExprInst *inst) {
    Column *target = expr_target(program, inst);
    logic_and_all(target->boolean, expr_operand(program, inst->a)->boolean,
                  expr_operand(program, inst->b)->boolean, program->row_count);
    logic_validity(program, inst, target, 0);
}

void expr_logic_or(ExprProgram *program, const ExprInst *inst) {
    Column *target = expr_target(program, inst);
    logic_or_all(target->boolean, expr_operand(program, inst->a)->boolean,
                 expr_operand(program, inst->b)->boolean, program->row_count);
    logic_validity(program, inst, target, 1);
}

void expr_logic_not(ExprProgram *program, const ExprInst *inst) {
    const Column *a = expr_operand(program, inst->a);
    Column *target = expr_target(program, inst);
    for (uint32_t i = 0; i < program->row_count; i++)
        target->boolean[i] = a->boolean[i] ^ 1;
    expr_strict(program, inst, target);
}

/* == NULL tests == */

static void logic_present(ExprProgram *program, const ExprInst *inst, bool wanted) {
    const Column *a = expr_operand(program, inst->a);
    Column *target = expr_target(program, inst);
    if (!a->validity) {
        memset(target->boolean, wanted, program->row_count);
        return;
    }
    for (uint32_t i = 0; i < program->row_count; i++)
        target->boolean[i] = (a->validity[i / 64] >> (i % 64) & 1) == wanted;
}

void expr_logic_is_null(ExprProgram *program, const ExprInst *inst) {
    logic_present(program, inst, false);
}

void expr_logic_is_not_null(ExprProgram *program, const ExprInst *inst) {
    logic_present(program, inst, true);
}

/* C is A <> B, FALSE where either is missing: two missing ones are not distinct, one is. */
static void logic_distinct(ExprProgram *program, const ExprInst *inst, bool distinct) {
    const Column *a = expr_operand(program, inst->a), *b = expr_operand(program, inst->b);
    const Column *differ = expr_operand(program, inst->c);
    Column *target = expr_target(program, inst);
    assert(!differ->validity);
    for (uint32_t i = 0; i < program->row_count; i++) {
        bool one = expr_present(a->validity, i) != expr_present(b->validity, i);
        target->boolean[i] = ((differ->boolean[i] & 1) || one) == distinct;
    }
}

void expr_logic_distinct(ExprProgram *program, const ExprInst *inst) {
    logic_distinct(program, inst, true);
}

void expr_logic_not_distinct(ExprProgram *program, const ExprInst *inst) {
    logic_distinct(program, inst, false);
}

/* == Guards: a truth value that fails with its operand == */

/* B, word by word: 1 where the row is to be NULL. */
static uint64_t logic_failed(const Column *b, bool null, uint32_t word, uint32_t count) {
    if (null)
        return b->validity ? ~b->validity[word] : 0;
    return b->data ? logic_bits(b->boolean + (size_t)word * 64, count - word * 64) : 0;
}

static void logic_guard(ExprProgram *program, const ExprInst *inst, bool null) {
    const Column *a = expr_operand(program, inst->a), *b = expr_operand(program, inst->b);
    const Column *only = inst->c == EXPR_NONE ? NULL : expr_operand(program, inst->c);
    Column *target = expr_target(program, inst);
    assert(target->type->kind == TYPE_BOOLEAN && a->data);
    memcpy(target->data, a->data, program->row_count);
    target->validity = a->validity;
    uint64_t any = 0;
    for (uint32_t i = 0; i < column_words(program->row_count); i++)
        any |= logic_failed(b, null, i, program->row_count);
    if (any == 0)
        return;
    target->validity = expr_validity(program);
    for (uint32_t i = 0; i < column_words(program->row_count); i++) {
        uint64_t failed = logic_failed(b, null, i, program->row_count);
        if (only && only->validity)
            failed &= only->validity[i];
        target->validity[i] = (a->validity ? a->validity[i] : UINT64_MAX) & ~failed;
    }
    expr_zero_missing(target);
}

void expr_logic_guard_null(ExprProgram *program, const ExprInst *inst) {
    logic_guard(program, inst, true);
}

void expr_logic_guard_true(ExprProgram *program, const ExprInst *inst) {
    logic_guard(program, inst, false);
}
