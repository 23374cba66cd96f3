/*
 * join_table.c - a stream with a table: each row of the stream looks up the table's row of its key.
 */
#include <assert.h>

#include "planner/join_impl.h"

static ErrCode table_check(JoinPlan *join, JoinClause *clause, Err *err) {
    const Draft *draft = join->draft;
    const AstSource *ast = &draft->ast->sources[clause->right];
    Arena *arena = draft->planner->arena;
    if (ast->has_within)
        return join_fails(join, clause,
                          "A window definition was provided for a Stream-Table join. These joins "
                          "are not windowed. Please drop the window definition (ie. the WITHIN "
                          "clause) and try to execute your join again.",
                          err);
    if (clause->kind == AST_JOIN_FULL)
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join type: full-outer join not supported for "
                                       "stream-table join. Got %s %s %s.",
                                       draft->scope.sources[clause->left_source].source->name,
                                       join_word(clause->kind),
                                       draft->scope.sources[clause->right].source->name),
                          err);
    if (clause->kind == AST_JOIN_RIGHT)
        return join_fails(join, clause, "Invalid join type encountered: RIGHT", err);
    if (!join_is_key(join, clause->right, clause->right_expr))
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join condition: stream-table joins require to join "
                                       "on the table's primary key. Got %s.",
                                       clause->got),
                          err);
    return ERR_OK;
}

static void table_nodes(JoinPlan *join, const JoinClause *clause) {
    JoinInputs inputs;
    join_inputs(join, clause, &inputs);
    PlanNode *node = join_add(join, clause, PLAN_JOIN_TABLE, &inputs);
    assert(!node->is_table);
    node->join_key = expr_column(join->draft->planner->arena, 0,
                                 inputs.left->schema->columns[0].type, clause->left->text);
}

const JoinShape join_shape_table = {
    .check = table_check,
    .nodes = table_nodes,
    .keys = join_keys,
};
