/*
 * expr.h - expressions as flat programs over columns.
 *
 * Typed registers, one opcode one loop over the selected rows; short circuits (AND, OR, CASE)
 * narrow the selection instead of jumping. A value that fails becomes NULL and a row error.
 * ksqlDB's two-valued logic: a comparison with NULL is FALSE, NOT of it TRUE.
 * A program keeps scratch between runs: one task, one program.
 */
#ifndef RUNTIME_EXPR_H
#define RUNTIME_EXPR_H

#include "data/batch.h"
#include "planner/plan.h"

typedef struct ExprProgram ExprProgram;

/* Compiles `count` expressions over one input into one program (common parts once). */
ErrCode expr_compile(const Expr *const *exprs, uint32_t count, Arena *arena, ExprProgram **program,
                     Err *err);

/* The clock and chance that functions of this program see; without one they fail. */
void expr_set_io(ExprProgram *program, Io *io);

/* results[i]: values of expression i at the batch's selected rows, a column of batch->row_count
 * physical rows in batch->arena or one of the batch's own columns. */
void expr_run(ExprProgram *program, const Batch *batch, const Column **results);

/* For a program of one BOOLEAN expression: writes the selected rows where it is true to
 * selected[], which has room for batch->selected_count; returns how many. A row whose predicate
 * fails or is NULL does not pass. */
uint32_t expr_select(ExprProgram *program, const Batch *batch, uint16_t *selected);

/* Evaluates constant expressions: columns of length 1 in `arena`. RUNTIME error with the row
 * error's text where one fails. */
ErrCode expr_constant(const Expr *const *exprs, uint32_t count, Arena *arena,
                      const Column **results, Err *err);

/* The program as text, an instruction a line: for tests and EXPLAIN ANALYZE. */
void expr_disassemble(Buf *out, const ExprProgram *program);

#endif
