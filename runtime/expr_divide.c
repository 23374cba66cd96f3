/*
 * expr_divide.c - division and remainder of INTEGER and BIGINT.
 *
 * Every divisor is looked at: zero is an error of the row. A constant one that is not 0, 1 or -1
 * becomes a multiplication by its reciprocal and shifts, exact for all 64-bit magnitudes
 * (T. Granlund, P. Montgomery, "Division by invariant integers using multiplication", 1994): with
 * l = ceil(log2 d) and m = floor(2^64 (2^l - d) / d) + 1, the quotient of n is
 * (t + (n - t) / 2) >> (l - 1) where t is the upper half of m * n.
 */
#include "runtime/expr_impl.h"

__extension__ typedef unsigned __int128 DivideWide;

typedef struct DivideBy {
    uint64_t magnitude, reciprocal; /* d, m */
    uint32_t shift;                 /* l - 1 */
    bool negative;
} DivideBy;

static inline uint64_t divide_magnitude(int64_t value) {
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

/* false: the divisor has no reciprocal here. */
static bool divide_by(int64_t divisor, DivideBy *by) {
    uint64_t d = divide_magnitude(divisor);
    if (d < 2)
        return false;
    uint32_t log = 64 - (uint32_t)__builtin_clzll(d - 1); /* 1 to 63 */
    DivideWide above = ((DivideWide)1 << log) - d;
    *by = (DivideBy){.magnitude = d, .shift = log - 1, .negative = divisor < 0,
                     .reciprocal = (uint64_t)((above << 64) / d + 1)};
    return true;
}

static inline uint64_t divide_quotient(uint64_t n, const DivideBy *by) {
    uint64_t t = (uint64_t)((DivideWide)by->reciprocal * n >> 64);
    return (t + ((n - t) >> 1)) >> by->shift;
}

static inline int64_t divide_div(int64_t x, const DivideBy *by) {
    uint64_t q = divide_quotient(divide_magnitude(x), by);
    return (int64_t)((x < 0) != by->negative ? 0 - q : q);
}

static inline int64_t divide_mod(int64_t x, const DivideBy *by) {
    uint64_t n = divide_magnitude(x), r = n - divide_quotient(n, by) * by->magnitude;
    return (int64_t)(x < 0 ? 0 - r : r);
}

/* The smallest integer divided by -1 wraps to itself, with the remainder 0. */
static inline int32_t divide_each_div_i32(int32_t x, int32_t y) {
    return y == -1 ? (int32_t)(0 - (uint32_t)x) : x / y;
}

static inline int32_t divide_each_mod_i32(int32_t x, int32_t y) {
    return y == -1 ? 0 : x % y;
}

static inline int64_t divide_each_div_i64(int64_t x, int64_t y) {
    return y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
}

static inline int64_t divide_each_mod_i64(int64_t x, int64_t y) {
    return y == -1 ? 0 : x % y;
}

#define DIVIDE(name, ctype, by_constant)                                                         \
    static void divide_rows_##name(ExprProgram *program, const ExprInst *inst) {                 \
        const Column *left = expr_operand(program, inst->a);                                     \
        const Column *right = expr_operand(program, inst->b);                                    \
        Column *target = expr_target_missing(program, inst);                                     \
        const ExprSelection *selection = expr_selection(program, inst);                          \
        const ctype *a = left->data, *b = right->data;                                           \
        ctype *r = target->data;                                                                 \
        for (uint32_t i = 0; i < selection->count; i++) {                                        \
            uint32_t row = selection->rows[i];                                                   \
            if (!expr_present(left->validity, row) || !expr_present(right->validity, row))       \
                continue;                                                                        \
            if (b[row] == 0) {                                                                   \
                expr_row_error(program, inst, row, "division by zero");                          \
                continue;                                                                        \
            }                                                                                    \
            r[row] = divide_each_##name(a[row], b[row]);                                         \
            column_set_present(target, row);                                                     \
        }                                                                                        \
    }                                                                                            \
    void expr_arith_##name(ExprProgram *program, const ExprInst *inst) {                         \
        const Column *constant = program->regs[inst->b].constant;                                \
        DivideBy by;                                                                             \
        if (!constant || column_is_null(constant, 0) || !expr_is_dense(program, inst) ||         \
            !divide_by(*(const ctype *)constant->data, &by)) {                                   \
            divide_rows_##name(program, inst);                                                   \
            return;                                                                              \
        }                                                                                        \
        const ctype *a = expr_operand(program, inst->a)->data;                                   \
        Column *target = expr_target(program, inst);                                             \
        ctype *r = target->data;                                                                 \
        for (uint32_t i = 0; i < program->row_count; i++)                                        \
            r[i] = (ctype)by_constant(a[i], &by);                                                \
        expr_strict(program, inst, target);                                                      \
    }

DIVIDE(div_i32, int32_t, divide_div)
DIVIDE(mod_i32, int32_t, divide_mod)
DIVIDE(div_i64, int64_t, divide_div)
DIVIDE(mod_i64, int64_t, divide_mod)
