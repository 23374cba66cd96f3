/*
 * join_tables.c - tables with tables, key with key: the result is a table of that key.
 */
#include <assert.h>

#include "planner/join_impl.h"

/* What both kinds of joins between tables want. */
ErrCode join_tables_check(const JoinPlan *join, const JoinClause *clause, Err *err) {
    const AstSource *ast = &join->draft->ast->sources[clause->right];
    if (ast->has_within)
        return join_fails(join, clause,
                          "A window definition was provided for a Table-Table join. These joins "
                          "are not windowed. Please drop the window definition (ie. the WITHIN "
                          "clause) and try to execute your join again.",
                          err);
    if (!join_is_key(join, clause->right, clause->right_expr))
        return join_fails(join, clause,
                          arena_printf(join->draft->planner->arena,
                                       "Invalid join condition: table-table joins require to join "
                                       "on the primary key of the right input table. Got %s.",
                                       clause->got),
                          err);
    return ERR_OK;
}

/* Tables stay where their keys are: rows that are already joined must still have this key. */
static ErrCode tables_check(JoinPlan *join, JoinClause *clause, Err *err) {
    TRY(join_tables_check(join, clause, err));
    for (uint32_t i = 0; i < join->strong_count; i++) {
        if (expr_equal(join->strong[i], clause->left))
            return ERR_OK;
    }
    const char *key = join->strong_count > 0 ? join_text(join, join->strong[0]) : "ROWKEY";
    return join_fails(join, clause,
                      arena_printf(join->draft->planner->arena,
                                   "Cannot repartition a TABLE source. If this is a join, make "
                                   "sure that the criteria uses the TABLE's key column %s instead "
                                   "of [%s]",
                                   key, join_text(join, clause->left)),
                      err);
}

static void tables_nodes(JoinPlan *join, const JoinClause *clause) {
    JoinInputs inputs;
    join_inputs(join, clause, &inputs);
    PlanNode *node = join_add(join, clause, PLAN_JOIN_TABLES, &inputs);
    assert(node->is_table && inputs.left->is_table && inputs.right->is_table);
    node->old_known = true;
}

const JoinShape join_shape_tables = {
    .check = tables_check,
    .nodes = tables_nodes,
    .keys = join_keys,
};
