/*
 * join_plan.c - FROM a JOIN b: which rows meet, what they are called, which key they have.
 */
#include "planner/planner_impl.h"

ErrCode draft_join(Draft *draft, Err *err) {
    const AstQuery *ast = draft->ast;
    return err_set_at(err, ERR_UNSUPPORTED, ast->pos.line, ast->pos.column,
                      "Joins are not supported yet.");
}
