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

static ErrCode tables_check(JoinPlan *join, JoinClause *clause, Err *err) {
    TRY(join_tables_check(join, clause, err));
    draft_unsupported(join->draft, "Table-table joins are not supported yet.");
    return ERR_OK;
}

static void tables_nodes(JoinPlan *join, const JoinClause *clause) {
    JoinInputs inputs;
    join_inputs(join, clause, &inputs);
    PlanNode *node = join_add(join, clause, PLAN_JOIN_TABLE, &inputs);
    assert(node->is_table);
    node->join_key = expr_column(join->draft->planner->arena, 0,
                                 inputs.left->schema->columns[0].type, clause->left->text);
}

const JoinShape join_shape_tables = {
    .check = tables_check,
    .nodes = tables_nodes,
    .keys = join_keys,
};
