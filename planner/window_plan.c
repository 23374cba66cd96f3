/*
 * window_plan.c - the WINDOW clause: sizes, grace, retention, and when results come.
 *
 * Without GRACE PERIOD rows may come a day after the begin of their window, with EMIT FINAL not at
 * all: results then come as soon as a window is over.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
    if (window->size_ms > WINDOW_MS_MAX)
        return window_fails(ast, "The size of a window is too large.", err);
    if (ast->kind != AST_WINDOW_HOPPING)
        return ERR_OK;
    window->advance_ms = ast_duration_ms(ast->advance);
    if (window->advance_ms <= 0 || window->advance_ms > window->size_ms)
        return window_fails(ast, "ADVANCE BY must be greater than zero and at most the size of "
                            "the window.", err);
    return ERR_OK;
}

static int64_t at_most(int64_t value) {
    return value < WINDOW_MS_MAX ? value : WINDOW_MS_MAX;
}

static ErrCode window_spans(const AstWindow *ast, bool final, PlanWindow *window, Err *err) {
    assert(window->size_ms > 0);
    if (ast->grace.present)
        window->grace_ms = at_most(ast_duration_ms(ast->grace));
    else if (!final && window->size_ms < DAY_MS)
        window->grace_ms = DAY_MS - window->size_ms;
    int64_t needed = at_most(window->size_ms + window->grace_ms);
    window->retention_ms = ast->retention.present ? at_most(ast_duration_ms(ast->retention))
                                                  : needed;
    if (window->grace_ms < 0)
        return window_fails(ast, "GRACE PERIOD must not be negative.", err);
    if (window->retention_ms < needed)
        return window_fails(ast, "RETENTION must be at least the size of the window plus its "
                            "GRACE PERIOD.", err);
    return ERR_OK;
}

/* The settings are read when the query is made: it keeps them. */
static ErrCode window_final(const Planner *planner, const AstWindow *ast, PlanWindow *window,
                            Err *err) {
    if (!planner_setting_on(planner, "ksql.suppress.enabled", true))
        return window_fails(ast, "Suppression is currently disabled. You can enable it by setting "
                            "ksql.suppress.enabled to true", err);
    const char *final = planner_setting(planner, "emit.final", "complete");
    assert(final);
    window->final = strcmp(final, "ksqldb") == 0 ? FINAL_KSQLDB : FINAL_COMPLETE;
    long long timeout = strtoll(planner_setting(planner, "idle.timeout", "0"), NULL, 10);
    window->idle_timeout_ms = timeout > 0 ? at_most(timeout) : 0;
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
    TRY(window_spans(ast, final, window, err));
    if (final)
        TRY(window_final(draft->planner, ast, window, err));
    draft->window = window->kind;
    draft->window_size_ms = window->kind == WINDOW_SESSION ? 0 : window->size_ms;
    return ERR_OK;
}
