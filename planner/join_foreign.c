/*
 * join_foreign.c - tables with tables by a foreign key: the result has the left table's key.
 */
#include <assert.h>

#include "planner/join_impl.h"

static ErrCode foreign_check(JoinPlan *join, JoinClause *clause, Err *err) {
    const Scope *scope = &join->draft->scope;
    Arena *arena = join->draft->planner->arena;
    const Source *left = scope->sources[clause->left_source].source;
    const Source *right = scope->sources[clause->right].source;
    TRY(join_tables_check(join, clause, err));
    if (clause->right > 1)
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join condition: foreign-key table-table joins are "
                                       "not supported as part of n-way joins. Got %s.",
                                       clause->got),
                          err);
    if (left->topic.window != WINDOW_NONE || right->topic.window != WINDOW_NONE)
        return join_fails(join, clause,
                          "Foreign-key table-table joins are not supported on windowed tables.",
                          err);
    if (clause->kind == AST_JOIN_FULL)
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join type: full-outer join not supported for "
                                       "foreign-key table-table join. Got %s %s %s.",
                                       left->name, join_word(clause->kind), right->name),
                          err);
    if (clause->kind == AST_JOIN_RIGHT)
        return join_fails(join, clause, "RIGHT OUTER JOIN on a foreign key is not supported", err);
    draft_unsupported(join->draft, "Foreign-key table-table joins are not supported yet.");
    return ERR_OK;
}

static void foreign_nodes(JoinPlan *join, const JoinClause *clause) {
    JoinInputs inputs;
    join_inputs(join, clause, &inputs);
    PlanNode *node = join_add(join, clause, PLAN_JOIN_TABLE, &inputs);
    assert(node->is_table);
    node->join_key = expr_column(join->draft->planner->arena, 0,
                                 inputs.left->schema->columns[0].type, clause->left->text);
}

/* A join on a foreign key keeps the left table's key. */
static void foreign_keys(JoinPlan *join, const JoinClause *clause) {
    const Draft *draft = join->draft;
    const Schema *schema = draft->scope.sources[clause->left_source].source->topic.schema;
    join->key_count = 0;
    join->strong_count = 0;
    join->draft->foreign_table = draft->scope.sources[clause->left_source].alias;
    for (uint32_t i = 0; i < schema->key_count; i++)
        join_key_add(join, draft->scope.columns[join->first[clause->left_source] + i].expr);
    if (schema->key_count == 1)
        join->strong[join->strong_count++] = join->keys[0].expr;
}

const JoinShape join_shape_foreign = {
    .check = foreign_check,
    .nodes = foreign_nodes,
    .keys = foreign_keys,
    .own_key = true,
};
