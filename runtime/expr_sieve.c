/*
 * expr_sieve.c - predicates that begin with column AND constant comparisons, without their program.
 *
 * `a >= 10 AND a < 20 AND f(b)`: what its leading comparisons say of each column is one interval,
 * and one pass over the column writes the rows inside of it, 64 rows at a time skipped where none
 * is. Only those rows go through the program, if there is more to the predicate. That is exact: a
 * comparison of a column with a constant never fails, is FALSE where the column is missing, and
 * what stands behind a FALSE in a conjunction is not looked at.
 */
#include <math.h>

#include "runtime/expr_impl.h"

enum { SIEVE_TESTS_MAX = 8, SIEVE_ROWS = 64 };

typedef enum SieveKind { SIEVE_I32, SIEVE_I64, SIEVE_F64 } SieveKind;

/* The values from low to high of a column pass. */
typedef struct SieveTest {
    uint32_t column;
    SieveKind kind;
    int64_t low, high;
    double f64_low, f64_high;
} SieveTest;

struct ExprSieve {
    SieveTest tests[SIEVE_TESTS_MAX]; /* one a column, in the predicate's order */
    uint32_t count;
    bool whole; /* nothing else is in the predicate */
    bool none;  /* an interval is empty */
};

/* == Building == */

/* The only instruction that writes the register; NULL: none or several. */
static const ExprInst *sieve_writer(const ExprProgram *program, uint32_t reg) {
    const ExprInst *writer = NULL;
    for (uint32_t i = 0; i < program->inst_count; i++) {
        const ExprInst *inst = &program->insts[i];
        if (expr_op_narrows(inst->op) || inst->target != reg)
            continue;
        if (writer)
            return NULL;
        writer = inst;
    }
    return writer;
}

static SieveTest *sieve_test(ExprSieve *sieve, uint32_t column, SieveKind kind) {
    for (uint32_t i = 0; i < sieve->count; i++)
        if (sieve->tests[i].column == column)
            return &sieve->tests[i];
    if (sieve->count == SIEVE_TESTS_MAX)
        return NULL;
    SieveTest *test = &sieve->tests[sieve->count++];
    bool narrow = kind == SIEVE_I32;
    *test = (SieveTest){.column = column, .kind = kind, .low = narrow ? INT32_MIN : INT64_MIN,
                        .high = narrow ? INT32_MAX : INT64_MAX, .f64_low = -HUGE_VAL,
                        .f64_high = HUGE_VAL};
    return test;
}

static bool sieve_is_empty(const SieveTest *test) {
    return test->low > test->high || !(test->f64_low <= test->f64_high);
}

typedef enum SieveSide { SIEVE_EQ, SIEVE_LT, SIEVE_LE, SIEVE_GT, SIEVE_GE } SieveSide;

static void sieve_meet_integer(SieveTest *test, SieveSide side, int64_t value) {
    int64_t low = INT64_MIN, high = INT64_MAX;
    bool beyond = (side == SIEVE_LT && value == INT64_MIN) ||
                  (side == SIEVE_GT && value == INT64_MAX);
    if (side == SIEVE_EQ || side == SIEVE_GE)
        low = value;
    if (side == SIEVE_EQ || side == SIEVE_LE)
        high = value;
    if (side == SIEVE_LT && !beyond)
        high = value - 1;
    if (side == SIEVE_GT && !beyond)
        low = value + 1;
    test->low = low > test->low ? low : test->low;
    test->high = high < test->high ? high : test->high;
    if (beyond) {
        test->low = 1;
        test->high = 0;
    }
}

/* Nothing is below -infinity or equal to NaN: then the interval has no number. */
static void sieve_meet_double(SieveTest *test, SieveSide side, double value) {
    double low = -HUGE_VAL, high = HUGE_VAL;
    bool beyond = isnan(value) || (side == SIEVE_LT && value == -HUGE_VAL) ||
                  (side == SIEVE_GT && value == HUGE_VAL);
    if (side == SIEVE_EQ || side == SIEVE_GE)
        low = value;
    if (side == SIEVE_EQ || side == SIEVE_LE)
        high = value;
    if (side == SIEVE_LT)
        high = nextafter(value, -HUGE_VAL);
    if (side == SIEVE_GT)
        low = nextafter(value, HUGE_VAL);
    test->f64_low = low > test->f64_low ? low : test->f64_low;
    test->f64_high = high < test->f64_high ? high : test->f64_high;
    if (beyond) {
        test->f64_low = 1;
        test->f64_high = 0;
    }
}

static bool sieve_opcode(ExprOpcode op, SieveKind *kind, SieveSide *side) {
    static const struct {
        ExprOpcode op;
        SieveKind kind;
        SieveSide side;
    } known[] = {
        {EXPR_OP_EQ_I32, SIEVE_I32, SIEVE_EQ}, {EXPR_OP_LT_I32, SIEVE_I32, SIEVE_LT},
        {EXPR_OP_LE_I32, SIEVE_I32, SIEVE_LE}, {EXPR_OP_GT_I32, SIEVE_I32, SIEVE_GT},
        {EXPR_OP_GE_I32, SIEVE_I32, SIEVE_GE}, {EXPR_OP_EQ_I64, SIEVE_I64, SIEVE_EQ},
        {EXPR_OP_LT_I64, SIEVE_I64, SIEVE_LT}, {EXPR_OP_LE_I64, SIEVE_I64, SIEVE_LE},
        {EXPR_OP_GT_I64, SIEVE_I64, SIEVE_GT}, {EXPR_OP_GE_I64, SIEVE_I64, SIEVE_GE},
        {EXPR_OP_EQ_F64, SIEVE_F64, SIEVE_EQ}, {EXPR_OP_LT_F64, SIEVE_F64, SIEVE_LT},
        {EXPR_OP_LE_F64, SIEVE_F64, SIEVE_LE}, {EXPR_OP_GT_F64, SIEVE_F64, SIEVE_GT},
        {EXPR_OP_GE_F64, SIEVE_F64, SIEVE_GE},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].op != op)
            continue;
        *kind = known[i].kind;
        *side = known[i].side;
        return true;
    }
    return false;
}

/* `5 < a` says that a > 5. */
static SieveSide sieve_mirror(SieveSide side) {
    switch (side) {
    case SIEVE_LT: return SIEVE_GT;
    case SIEVE_LE: return SIEVE_GE;
    case SIEVE_GT: return SIEVE_LT;
    case SIEVE_GE: return SIEVE_LE;
    case SIEVE_EQ: break;
    }
    return side;
}

/* false: no comparison of a column with a constant that is there. */
static bool sieve_add(ExprSieve *sieve, const ExprProgram *program, const ExprInst *inst) {
    SieveKind kind;
    SieveSide side;
    if (!sieve_opcode(inst->op, &kind, &side))
        return false;
    bool mirrored = program->regs[inst->a].constant != NULL;
    const Column *constant = program->regs[mirrored ? inst->a : inst->b].constant;
    const ExprInst *column = sieve_writer(program, mirrored ? inst->b : inst->a);
    if (!constant || column_is_null(constant, 0) || !column || column->op != EXPR_OP_COLUMN)
        return false;
    SieveTest *test = sieve_test(sieve, column->index, kind);
    if (!test)
        return false;
    assert(test->kind == kind);
    side = mirrored ? sieve_mirror(side) : side;
    if (kind == SIEVE_F64)
        sieve_meet_double(test, side, constant->f64[0]);
    else
        sieve_meet_integer(test, side, kind == SIEVE_I32 ? constant->i32[0] : constant->i64[0]);
    sieve->none = sieve->none || sieve_is_empty(test);
    return true;
}

/* The leading comparisons of what the register says; false: there is more to it. */
static bool sieve_walk(ExprSieve *sieve, const ExprProgram *program, uint32_t reg) {
    const ExprInst *inst = sieve_writer(program, reg);
    if (!inst)
        return false;
    if (inst->op == EXPR_OP_AND)
        return sieve_walk(sieve, program, inst->a) && sieve_walk(sieve, program, inst->b);
    return sieve_add(sieve, program, inst);
}

const ExprSieve *expr_sieve_build(const ExprProgram *program) {
    assert(program && program->arena);
    if (program->result_count != 1)
        return NULL;
    ExprSieve sieve = {0};
    sieve.whole = sieve_walk(&sieve, program, program->results[0]);
    if (sieve.count == 0)
        return NULL;
    ExprSieve *made = arena_alloc(program->arena, sizeof *made);
    *made = sieve;
    return made;
}

/* == Sieving == */

/* Whether a value is outside of the interval. Of integers the distance from the lowest one is
 * compared, as a signed number: half of all numbers are in `low` and off `end` already. */
#define SIEVE_FAR(x, low, end) ((int64_t)((x) - (low)) > (end))
#define SIEVE_FAR_32(x, low, end) ((int32_t)((x) - (low)) > (end))
#define SIEVE_BEYOND(x, low, end) (!(((x) >= (low)) & ((x) <= (end))))

#define SIEVE_COLUMN(name, ctype, etype, flag, outside)                                          \
    VECTOR_LOOP static uint32_t sieve_all_##name(const ctype *a, uint32_t row_count, ctype low,  \
                                                 etype end, uint16_t *restrict rows) {           \
        uint32_t count = 0, row = 0;                                                             \
        for (; row_count - row >= SIEVE_ROWS; row += SIEVE_ROWS) {                               \
            const ctype *at = a + row;                                                           \
            flag none = -1;                                                                      \
            for (int i = 0; i < SIEVE_ROWS; i++)                                                 \
                none &= outside(at[i], low, end) ? -1 : 0;                                       \
            for (uint32_t i = 0; !none && i < SIEVE_ROWS; i++) {                                 \
                rows[count] = (uint16_t)(row + i);                                               \
                count += !outside(at[i], low, end);                                              \
            }                                                                                    \
        }                                                                                        \
        for (; row < row_count; row++) {                                                         \
            rows[count] = (uint16_t)row;                                                         \
            count += !outside(a[row], low, end);                                                 \
        }                                                                                        \
        return count;                                                                            \
    }                                                                                            \
    static uint32_t sieve_some_##name(const ctype *a, const uint16_t *from, uint32_t from_count, \
                                      ctype low, etype end, uint16_t *rows) {                    \
        uint32_t count = 0;                                                                      \
        for (uint32_t i = 0; i < from_count; i++) {                                              \
            uint16_t row = from[i];                                                              \
            rows[count] = row;                                                                   \
            count += !outside(a[row], low, end);                                                 \
        }                                                                                        \
        return count;                                                                            \
    }

SIEVE_COLUMN(i32, uint32_t, int32_t, int32_t, SIEVE_FAR_32)
SIEVE_COLUMN(i64, uint64_t, int64_t, int64_t, SIEVE_FAR)
SIEVE_COLUMN(f64, double, double, int64_t, SIEVE_BEYOND)

static uint32_t sieve_i32(const SieveTest *test, const Column *column, uint32_t row_count,
                          const uint16_t *from, uint32_t from_count, uint16_t *rows) {
    const uint32_t half = UINT32_C(1) << 31;
    uint32_t low = (uint32_t)test->low + half;
    int32_t end = (int32_t)((uint32_t)test->high - (uint32_t)test->low - half);
    return from ? sieve_some_i32(column->data, from, from_count, low, end, rows)
                : sieve_all_i32(column->data, row_count, low, end, rows);
}

static uint32_t sieve_i64(const SieveTest *test, const Column *column, uint32_t row_count,
                          const uint16_t *from, uint32_t from_count, uint16_t *rows) {
    const uint64_t half = UINT64_C(1) << 63;
    uint64_t low = (uint64_t)test->low + half;
    int64_t end = (int64_t)((uint64_t)test->high - (uint64_t)test->low - half);
    return from ? sieve_some_i64(column->data, from, from_count, low, end, rows)
                : sieve_all_i64(column->data, row_count, low, end, rows);
}

/* The whole column, or (from not NULL) some rows of it; rows may be from itself. */
static uint32_t sieve_column(const SieveTest *test, const Column *column, uint32_t row_count,
                             const uint16_t *from, uint32_t from_count, uint16_t *rows) {
    assert(column->length >= row_count);
    switch (test->kind) {
    case SIEVE_I32: return sieve_i32(test, column, row_count, from, from_count, rows);
    case SIEVE_I64: return sieve_i64(test, column, row_count, from, from_count, rows);
    case SIEVE_F64: break;
    }
    return from ? sieve_some_f64(column->f64, from, from_count, test->f64_low, test->f64_high, rows)
                : sieve_all_f64(column->f64, row_count, test->f64_low, test->f64_high, rows);
}

static uint32_t sieve_present(const Column *column, uint16_t *rows, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; column->validity && i < count; i++) {
        uint16_t row = rows[i];
        rows[kept] = row;
        kept += expr_present(column->validity, row);
    }
    return column->validity ? kept : count;
}

uint32_t expr_sieve_run(const ExprSieve *sieve, const Batch *batch, uint16_t *rows, bool *whole) {
    assert(sieve->count > 0 && batch->selected_count <= batch->row_count);
    *whole = sieve->whole;
    if (sieve->none)
        return 0;
    const uint16_t *from = batch->selected_count == batch->row_count ? NULL : batch->selected;
    uint32_t count = batch->selected_count;
    for (uint32_t i = 0; i < sieve->count && count > 0; i++) {
        const SieveTest *test = &sieve->tests[i];
        const Column *column = batch->columns[test->column];
        count = sieve_column(test, column, batch->row_count, from, count, rows);
        count = sieve_present(column, rows, count);
        from = rows;
    }
    return count;
}
