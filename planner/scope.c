/*
 * scope.c - what column names mean at a place of a query.
 *
 * One flat list: each source's columns and pseudo columns with the expression that reads them from
 * the rows FROM makes.
 */
#include <assert.h>
#include <string.h>

#include "planner/planner_impl.h"

void scope_add(const Planner *planner, Scope *scope, ScopeColumn column) {
    assert(column.expr && column.source < scope->source_count);
    scope->columns = arena_grow(planner->arena, scope->columns, &scope->column_capacity,
                                scope->column_count + 1, sizeof *scope->columns);
    scope->columns[scope->column_count++] = column;
}

ErrCode scope_find_source(const Planner *planner, const Scope *scope, const char *alias,
                          AstPos pos, uint32_t *index, Err *err) {
    const char **names = arena_array(planner->arena, scope->source_count, sizeof *names);
    for (uint32_t i = 0; i < scope->source_count; i++) {
        names[i] = scope->sources[i].alias;
        if (strcmp(names[i], alias) == 0) {
            *index = i;
            return ERR_OK;
        }
    }
    return err_set_at(err, ERR_UNKNOWN_NAME, pos.line, pos.column,
                      "'%s' is not a valid stream/table name or alias.%s", alias,
                      planner_nearest(planner, alias, names, scope->source_count));
}

const ScopeColumn *scope_find(const Scope *scope, const char *qualifier, const char *name,
                              uint32_t *count) {
    const ScopeColumn *found = NULL;
    *count = 0;
    for (size_t i = 0; i < scope->column_count; i++) {
        const ScopeColumn *column = &scope->columns[i];
        if (strcmp(column->name, name) != 0 ||
            (qualifier && strcmp(scope->sources[column->source].alias, qualifier) != 0))
            continue;
        found = column;
        (*count)++;
    }
    return *count == 1 ? found : NULL;
}

ErrCode scope_ambiguous(const Planner *planner, const Scope *scope, const AstExpr *ast, Err *err) {
    const char **names = arena_array(planner->arena, scope->column_count, sizeof *names);
    uint32_t count = 0;
    for (size_t i = 0; i < scope->column_count; i++) {
        const ScopeColumn *column = &scope->columns[i];
        if (strcmp(column->name, ast->name) == 0)
            names[count++] = arena_printf(planner->arena, "%s.%s",
                                          scope->sources[column->source].alias, column->name);
    }
    return err_set_at(err, ERR_AMBIGUOUS, ast->pos.line, ast->pos.column,
                      "Column '%s' is ambiguous. Could be %s.", ast->name,
                      planner_list(planner, names, count, "or"));
}
