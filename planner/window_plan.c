/*
 * window_plan.c - the WINDOW clause: sizes, grace, retention.
 */
#include <assert.h>

#include "planner/planner_impl.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static ErrCode window_fails(const AstWindow *ast, const char *text, Err *err) {
    return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column, "%s", text);
}

static ErrCode window_sizes(const AstWindow *ast, PlanWindow *window, Err *err) {
    window->size_ms = ast_duration_ms(ast->size);
    window->advance_ms = window->size_ms;
    if (window->size_ms <= 0)
        return window_fails(ast, "The size of a window must be greater than zero.", err);
    if (ast->kind != AST_WINDOW_HOPPING)
        return ERR_OK;
    window->advance_ms = ast_duration_ms(ast->advance);
    if (window->advance_ms <= 0 || window->advance_ms > window->size_ms)
        return window_fails(ast, "ADVANCE BY must be greater than zero and at most the size of "
                            "the window.", err);
    return ERR_OK;
}

ErrCode draft_window(Draft *draft, PlanWindow *window, Err *err) {
    const AstWindow *ast = &draft->ast->window;
    bool final = draft->ast->emit == AST_EMIT_FINAL;
    *window = (PlanWindow){.kind = WINDOW_NONE};
    draft->window = WINDOW_NONE;
    draft->window_size_ms = 0;
    if (ast->kind == AST_WINDOW_NONE)
        return ERR_OK;
    if (draft->top->is_table)
        return window_fails(ast, "WINDOW clauses can be used on streams only.", err);
    static const WindowKind kinds[] = {WINDOW_NONE, WINDOW_TUMBLING, WINDOW_HOPPING,
                                       WINDOW_SESSION};
    assert(ast->kind < sizeof kinds / sizeof *kinds);
    window->kind = kinds[ast->kind];
    TRY(window_sizes(ast, window, err));
    if (ast->grace.present)
        window->grace_ms = ast_duration_ms(ast->grace);
    else if (!final && window->size_ms < DAY_MS)
        window->grace_ms = DAY_MS - window->size_ms;
    int64_t needed = window->size_ms > INT64_MAX - window->grace_ms
                         ? INT64_MAX
                         : window->size_ms + window->grace_ms;
    window->retention_ms = ast->retention.present ? ast_duration_ms(ast->retention) : needed;
    if (window->retention_ms < needed)
        return window_fails(ast, "RETENTION must be at least the size of the window plus its "
                            "GRACE PERIOD.", err);
    if (window->kind == WINDOW_HOPPING)
        draft_unsupported(draft, "HOPPING windows are not supported yet.");
    if (window->kind == WINDOW_SESSION)
        draft_unsupported(draft, "SESSION windows are not supported yet.");
    if (final)
        draft_unsupported(draft, "EMIT FINAL is not supported yet.");
    draft->window = window->kind;
    draft->window_size_ms = window->kind == WINDOW_SESSION ? 0 : window->size_ms;
    return ERR_OK;
}
