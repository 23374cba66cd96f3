/*
 * expr_impl.h - the inside of expression programs: registers, selections, instructions.
 *
 *   Expr tree --expr_compile.c--> instructions over endless registers
 *             --expr_storage.c--> registers that live at the same time get buffers of their own,
 *                                 the others share them, so that a program stays in the L1 cache
 *   Batch ----expr.c------------> one kernel call an instruction, expr_*.c by what it does
 *
 * A register is a Column. Its values count only at the rows of the selection that its instruction
 * worked on; elsewhere it holds any bytes of the right size, so a kernel that cannot fail may
 * compute all rows in one dense loop. What a kernel leaves at missing values is zero.
 * Selections form a tree under the batch's: narrower ones see what wider ones computed.
 * A lambda is a program of its own, over batches whose rows are elements (expr_lambda.c).
 * Memory comes from the batch's arena at each run: a program holds no scratch between runs.
 */
#ifndef RUNTIME_EXPR_IMPL_H
#define RUNTIME_EXPR_IMPL_H

#include "base/vector.h"
#include "data/decimal.h"
#include "runtime/expr.h"

typedef enum ExprOpcode {
#define X(name, kernel, operands, meaning) EXPR_OP_##name,
#include "runtime/expr_op.def"
#undef X
    EXPR_OP_COUNT,
} ExprOpcode;

enum { EXPR_REGISTERS_MAX = 1 << 20 };

#define EXPR_NONE UINT32_MAX /* no register, no selection, no buffer */

typedef struct ExprInst {
    ExprOpcode op;
    uint32_t selection;
    uint32_t target; /* a register; of NARROW_* a selection */
    uint32_t a, b, c;
    uint32_t index; /* by opcode: of a column, a pseudo column, a field; an escape character; how
                       many arguments */
    const uint32_t *list; /* further operands: of CALL (arguments, EXPR_NONE for lambdas, then what
                             the lambdas capture), MAKE_*; PICK: register, selection, ... */
    uint32_t list_count;
    const void *extra; /* by opcode */
    const char *text;  /* of the expression, for row errors */
} ExprInst;

typedef struct ExprReg {
    const Type *type;
    const Column *constant; /* of length 1; NULL: made by an instruction */
    const Column *repeated; /* the constant for as many rows as batches had; NULL: none yet */
    bool escapes;           /* lives on in the batch's arena: results, parts of nested values */
    bool borrowed;          /* points into something else and needs no buffer */
    uint32_t buffer;
} ExprReg;

/* Memory for one register at a time. */
typedef struct ExprBuffer {
    uint32_t width;
    void *data;
} ExprBuffer;

typedef struct ExprSelection {
    uint32_t parent; /* EXPR_NONE: the batch's own */
    const uint16_t *rows;
    uint32_t count;
} ExprSelection;

struct ExprProgram {
    Arena *arena; /* the query's: during compile, and for constants that are repeated */
    ExprInst *insts;
    ExprReg *regs;
    ExprBuffer *buffers;
    ExprSelection *selections;
    Column *columns; /* one a register: its present value */
    uint32_t *results;
    uint32_t inst_count, reg_count, buffer_count, selection_count, result_count;
    Io *io;
    const struct ExprSieve *sieve; /* NULL: none */
    /* During a run. */
    const Batch *batch;
    uint32_t row_count;
};

/* Unscaled decimals of up to 38 digits. */
__extension__ typedef __int128 ExprI128;

typedef void ExprKernel(ExprProgram *program, const ExprInst *inst);

#define X(name, kernel, operands, meaning) ExprKernel kernel;
#include "runtime/expr_op.def"
#undef X

/* -- Trees (expr_tree.c) ---------------------------------------------------------------------- */

/* Structure of two trees, whatever their texts. Equal trees have equal hashes. */
bool expr_tree_equal(const Expr *left, const Expr *right);
uint64_t expr_tree_hash(const Expr *expr);
bool expr_tree_is_pure(const Expr *expr);     /* gives the same each time */
bool expr_tree_has_local(const Expr *expr);
bool expr_tree_is_constant(const Expr *expr); /* pure, and no row is looked at */
/* Few operations that cost about as much as narrowing a selection, and none that can fail. */
bool expr_tree_is_cheap(const Expr *expr);

/* -- Compiling -------------------------------------------------------------------------------- */

/* What the leading comparisons of a predicate say about columns (expr_sieve.c). */
typedef struct ExprSieve ExprSieve;

/* NULL: the program is no predicate, or does not begin with such comparisons. */
const ExprSieve *expr_sieve_build(const ExprProgram *program);

/* Selected rows that pass, to rows[] (room for all selected ones): for the others the predicate is
 * not TRUE and does not fail. *whole: for these it is TRUE. */
uint32_t expr_sieve_run(const ExprSieve *sieve, const Batch *batch, uint16_t *rows, bool *whole);

/* Gives registers their buffers (expr_storage.c). */
void expr_storage_assign(ExprProgram *program);

/* Runs one constant tree: a column of length 1, or NULL where it fails; `reason` has room for
 * ROW_ERROR_TEXT_SIZE. */
const Column *expr_constant_value(const Expr *expr, bool fold, Arena *arena, Io *io,
                                  char *reason);
/* Made of lambdas when a call is compiled. */
typedef struct ExprLambda {
    ExprProgram *program; /* NULL: this argument is no lambda */
    const Schema *schema; /* of its batches: parameters, then captured columns */
    uint32_t param_count;
    uint32_t first_capture; /* index in the CALL's list */
    bool fails;             /* results[1]: the elements for which it failed */
} ExprLambda;

/* results[1] of the program says where the expression failed, if lambda->fails. */
ErrCode expr_compile_lambda(const Expr *body, bool fold, Arena *arena, ExprLambda *lambda,
                            Err *err);
ErrCode expr_compile_program(const Expr *const *exprs, uint32_t count, bool fold, Arena *arena,
                             ExprProgram **program, Err *err);

/* What instructions carry in `extra`. */
typedef struct ExprCall {
    const Function *function;
    void *state;
    uint32_t failed; /* a BOOLEAN register: TRUE where the function failed; EXPR_NONE: not asked */
    const ExprLambda *lambdas; /* [argument]; NULL: there are none */
} ExprCall;

/* What a function's kernel gets as context. */
typedef struct ExprCallContext {
    ExprProgram *program;
    const ExprInst *inst;
} ExprCallContext;

/* FunctionCall.apply (expr_lambda.c). */
void expr_lambda_apply(const FunctionCall *call, uint32_t arg, const FunctionElements *elements,
                       Column *result, const uint8_t **failed);

typedef struct ExprScale {
    ExprI128 factor; /* a power of ten up to 10^38 */
} ExprScale;

/* -- What kernels share (expr.c) -------------------------------------------------------------- */

/* An operand; a constant is repeated for the rows of the batch on first use in a run. */
const Column *expr_operand(ExprProgram *program, uint32_t reg);
void expr_expand(ExprProgram *program, uint32_t reg);

/* The target with its memory, for kernels that write every row they want: nothing missing, data
 * not zeroed (strings: zeroed where the selection leaves rows out). */
Column *expr_target(ExprProgram *program, const ExprInst *inst);

/* The target all missing and zeroed: kernels write values and mark them. */
Column *expr_target_missing(ExprProgram *program, const ExprInst *inst);

/* The value at `row` failed: counted, NULL. */
void expr_row_error(const ExprProgram *program, const ExprInst *inst, uint32_t row,
                    const char *reason);

/* Sets the register where the call is to say which rows fail to none (expr_call.c). */
void expr_call_none_failed(ExprProgram *program, const ExprCall *call);

/* Missing where either operand is: NULL in, NULL out without an error, for all of arithmetic. */
void expr_strict(ExprProgram *program, const ExprInst *inst, Column *target);

/* Words for the target's validity; not zeroed. */
uint64_t *expr_validity(ExprProgram *program);

/* Writes zeros where the target is missing. */
void expr_zero_missing(Column *target);

/* The same for truth values of comparisons, which are never missing: FALSE instead. */
void expr_false_where_missing(ExprProgram *program, const ExprInst *inst, Column *target);

static inline const ExprSelection *expr_selection(const ExprProgram *program,
                                                  const ExprInst *inst) {
    assert(inst->selection < program->selection_count);
    return &program->selections[inst->selection];
}

/* Whether one loop over all rows beats one over the selected ones: a selected row costs about
 * four times as much as one of a vectorised loop. For kernels that cannot fail. */
static inline bool expr_is_dense(const ExprProgram *program, const ExprInst *inst) {
    return expr_selection(program, inst)->count >= program->row_count / 4;
}

/* Makes a selection, not a register. */
static inline bool expr_op_narrows(ExprOpcode op) {
    return op == EXPR_OP_NARROW_TRUE || op == EXPR_OP_NARROW_FALSE;
}

static inline bool expr_present(const uint64_t *validity, uint32_t row) {
    return !validity || (validity[row / 64] >> (row % 64) & 1);
}

#endif
