/*
 * op_project.h - the columns of a PROJECT or REPARTITION node, computed from a batch.
 */
#ifndef RUNTIME_OP_PROJECT_H
#define RUNTIME_OP_PROJECT_H

#include "runtime/expr.h"
#include "runtime/op.h"

typedef struct Projection {
    const PlanNode *node;
    ExprProgram *keys, *values; /* NULL: there are none */
    ExprProgram *null_keys; /* of rows whose value is null: what needs one is NULL. NULL: the same
                               as `keys` */
    /* Push queries on tables: the columns that a deleted row has, too; the others are NULL there.
     * facts NULL: it has none. */
    ExprProgram *facts;
    const uint32_t *fact_columns; /* NULL: not such a query */
    uint32_t fact_count;
} Projection;

ErrCode projection_open(Projection *projection, const PlanNode *node, OpEnv *env, Err *err);

/* Key expressions may differ between rows with a value and rows without: the end of the rows from
 * `from` on, before `to`, that can be projected at once. */
uint32_t projection_run_end(const Projection *projection, const Batch *batch, uint32_t from,
                            uint32_t to);

/* The projected view of rows that can be projected at once. Its `old` (where the batch has one) has
 * columns only if old_wanted. */
Batch *projection_run(const Projection *projection, const Batch *batch, bool old_wanted);

#endif
