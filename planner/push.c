/*
 * push.c - SELECT ... EMIT CHANGES: rows to a client as they come; and LIMIT.
 */
#include <assert.h>

#include "data/number_text.h"
#include "planner/planner_impl.h"

ErrCode draft_limit(Draft *draft, Err *err) {
    assert(draft);
    const AstQuery *ast = draft->ast;
    draft->limit = -1;
    if (!ast->has_limit)
        return ERR_OK;
    if (!number_parse_i64(ast->limit, &draft->limit) || draft->limit > INT32_MAX ||
        draft->limit < INT32_MIN)
        return err_set_at(err, ERR_SYNTAX, ast->limit_pos.line, ast->limit_pos.column,
                          "Value must be integer for command: LIMIT");
    if (draft->limit < 0)
        return err_set_at(err, ERR_SEMANTIC, ast->limit_pos.line, ast->limit_pos.column,
                          "%s queries don't support negative integers in the LIMIT clause.",
                          draft->kind == PLAN_PULL ? "Pull" : "Push");
    return ERR_OK;
}

static bool is_place(void *context, const Expr *expr) {
    assert(expr);
    (void)context;
    return expr->kind == EXPR_PSEUDO &&
           (expr->pseudo == PSEUDO_ROWPARTITION || expr->pseudo == PSEUDO_ROWOFFSET);
}

const Expr *expr_find_place(const Expr *expr) {
    return expr_find(expr, is_place, NULL);
}

bool plan_reads_place(const Plan *plan) {
    assert(plan);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const PlanNode *node = plan->nodes[i];
        if (node->predicate && expr_find_place(node->predicate))
            return true;
        for (uint32_t k = 0; node->exprs && k < node->schema->column_count; k++)
            if (expr_find_place(node->exprs[k]))
                return true;
    }
    return false;
}

ErrCode plan_push(Planner *planner, Planned *planned, Err *err) {
    assert(planned);
    Draft draft = {.planner = planner, .ast = planner->statement->query, .kind = PLAN_PUSH};
    TRY(draft_limit(&draft, err));
    TRY(draft_query(&draft, err));
    draft_add(&draft, PLAN_RESULT, "Result", draft.top);
    draft.materialized = NULL;
    Plan *plan = arena_alloc(planner->arena, sizeof *plan);
    plan->visible_count = draft.top->schema->column_count;
    plan->partition_count = draft.scope.sources[0].source->partition_count;
    TRY(draft_finish(&draft, plan, err));
    planned->kind = PLANNED_PUSH;
    planned->plan = plan;
    return ERR_OK;
}
