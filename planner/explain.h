/*
 * explain.h - a plan as text for people: the DAG from sink to sources, a line a node.
 */
#ifndef PLANNER_EXPLAIN_H
#define PLANNER_EXPLAIN_H

#include "base/buf.h"
#include "planner/plan.h"

void explain_plan(Buf *out, const Plan *plan);

/* One line of it without its end; and all nodes in the order of their lines. */
typedef void ExplainFn(void *context, const PlanNode *node, uint32_t depth);
void explain_step(Buf *out, const Plan *plan, const PlanNode *node, uint32_t depth);
/* The same where columns follow: a blank a step in, and without the node's path. */
void explain_short(Buf *out, const Plan *plan, const PlanNode *node, uint32_t depth);
void explain_walk(const Plan *plan, ExplainFn *visit, void *context);
void explain_expr(Buf *out, const Expr *expr);

#endif
