/*
 * plan_json_impl.h - the names that plans are stored with, for writing and reading.
 *
 * Enumerators go by name, never by number: the order of an enum is not part of the format.
 */
#ifndef PLANNER_PLAN_JSON_IMPL_H
#define PLANNER_PLAN_JSON_IMPL_H

#include <jansson.h>

#include "planner/plan_json.h"

enum {
    PLAN_JSON_VERSION = 1,      /* of the whole */
    PLAN_JSON_NODE_VERSION = 1, /* of each kind of node, so far */
};

/* Lists end in NULL; index = enumerator. */
extern const char *const plan_json_expr_kinds[], *const plan_json_ops[], *const plan_json_pseudos[],
    *const plan_json_windows[], *const plan_json_node_kinds[], *const plan_json_joins[],
    *const plan_json_plan_kinds[], *const plan_json_roles[];

/* Whether the lambdas among a call's arguments are what its function takes: their parameters'
 * types and their results'. */
bool plan_json_lambdas_fit(const Expr *call, Arena *arena);

#endif
