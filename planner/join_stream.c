/*
 * join_stream.c - streams with streams: rows of equal keys whose times lie within a window.
 *
 * Either side may move to the join's key; rows of both are kept while others can still meet them.
 */
#include <assert.h>

#include "planner/join_impl.h"

static ErrCode stream_check(JoinPlan *join, JoinClause *clause, Err *err) {
    const AstSource *ast = &join->draft->ast->sources[clause->right];
    if (!ast->has_within)
        return join_fails(join, clause,
                          "Stream-Stream joins must have a WITHIN clause specified. None was "
                          "provided.",
                          err);
    draft_unsupported(join->draft, "Stream-stream joins are not supported yet.");
    return ERR_OK;
}

static void stream_nodes(JoinPlan *join, const JoinClause *clause) {
    JoinInputs inputs;
    join_inputs(join, clause, &inputs);
    join_add(join, clause, PLAN_JOIN_TABLE, &inputs);
}

const JoinShape join_shape_stream = {
    .check = stream_check,
    .nodes = stream_nodes,
    .keys = join_keys,
};
