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
} Projection;

ErrCode projection_open(Projection *projection, const PlanNode *node, OpEnv *env, Err *err);

/* The projected view. Its `old` (where the batch has one) has columns only if old_wanted. */
Batch *projection_run(const Projection *projection, const Batch *batch, bool old_wanted);

#endif
