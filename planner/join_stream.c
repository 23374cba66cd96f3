/*
 * join_stream.c - streams with streams: rows of equal keys whose times lie within a window.
 *
 * Either side may move to the join's key; rows of both are kept while others can still meet them.
 */
#include <assert.h>

#include "planner/join_impl.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

/* Without GRACE PERIOD rows may be a day late, and outer rows do not wait. */
static ErrCode stream_within(const AstSource *ast, PlanWithin *within, Err *err) {
    assert(ast->has_within);
    *within = (PlanWithin){ast_duration_ms(ast->before), ast_duration_ms(ast->after),
                           ast->grace.present ? ast_duration_ms(ast->grace) : DAY_MS,
                           !ast->grace.present};
    if (within->before_ms <= WITHIN_MS_MAX && within->after_ms <= WITHIN_MS_MAX &&
        within->grace_ms <= WITHIN_MS_MAX)
        return ERR_OK;
    return err_set_at(err, ERR_LIMIT, ast->pos.line, ast->pos.column,
                      "WITHIN and GRACE PERIOD may be 10,000 years at most.");
}

static ErrCode stream_check(JoinPlan *join, JoinClause *clause, Err *err) {
    const AstSource *ast = &join->draft->ast->sources[clause->right];
    if (!ast->has_within)
        return join_fails(join, clause,
                          "Stream-Stream joins must have a WITHIN clause specified. None was "
                          "provided.",
                          err);
    return stream_within(ast, &clause->within, err);
}

static void stream_nodes(JoinPlan *join, const JoinClause *clause) {
    JoinInputs inputs;
    join_inputs(join, clause, &inputs);
    PlanNode *node = join_add(join, clause, PLAN_JOIN_STREAM, &inputs);
    assert(!node->is_table);
    node->within = clause->within;
}

const JoinShape join_shape_stream = {
    .check = stream_check,
    .nodes = stream_nodes,
    .keys = join_keys,
};
