/*
 * explain.h - a plan as text for people: the DAG from sink to sources, a line a node.
 */
#ifndef PLANNER_EXPLAIN_H
#define PLANNER_EXPLAIN_H

#include "base/buf.h"
#include "planner/plan.h"

void explain_plan(Buf *out, const Plan *plan);
void explain_expr(Buf *out, const Expr *expr);

#endif
