/*
 * projection.c - the select list: stars become columns, expressions get their names.
 *
 * Names that are not written follow ksqlDB: a column's own (with its source where two have it), a
 * field's own (numbered where it is taken), KSQL_COL_n for all else.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "planner/planner_impl.h"

static ErrCode items_add(Draft *draft, SelectItem item, Err *err) {
    if (draft->item_count >= SELECT_ITEMS_MAX)
        return err_set_at(err, ERR_LIMIT, item.pos.line, item.pos.column,
                          "A select list has %d columns at most.", SELECT_ITEMS_MAX);
    draft->items = arena_grow(draft->planner->arena, draft->items, &draft->item_capacity,
                              draft->item_count + 1, sizeof *draft->items);
    draft->items[draft->item_count++] = item;
    return ERR_OK;
}

/* -- Names ------------------------------------------------------------------------------------- */

static bool name_taken(const Draft *draft, const char *name) {
    for (size_t i = 0; i < draft->scope.column_count; i++) {
        if (strcmp(draft->scope.columns[i].name, name) == 0)
            return true;
    }
    for (uint32_t i = 0; i < draft->made_name_count; i++) {
        if (strcmp(draft->made_names[i], name) == 0)
            return true;
    }
    return false;
}

/* "BASE" or "BASE_1", "BASE_2"; with `base` NULL "KSQL_COL_0", "KSQL_COL_1". */
static const char *name_unique(Draft *draft, const char *base) {
    Arena *arena = draft->planner->arena;
    assert(!base || *base);
    const char *name = base;
    uint32_t number = 0;
    if (!base)
        name = "KSQL_COL_0";
    while (name_taken(draft, name))
        name = arena_printf(arena, "%s_%u", base ? base : "KSQL_COL", ++number);
    draft->made_names = arena_grow(arena, draft->made_names, &draft->made_name_capacity,
                                   draft->made_name_count + 1, sizeof *draft->made_names);
    draft->made_names[draft->made_name_count++] = name;
    return name;
}

const char *draft_default_name(Draft *draft, const AstExpr *ast) {
    assert(ast);
    uint32_t count;
    if (ast->kind == AST_DEREF)
        return name_unique(draft, ast->name);
    if (ast->kind != AST_COLUMN)
        return name_unique(draft, NULL);
    scope_find(&draft->scope, NULL, ast->name, &count);
    if (count <= 1 || !ast->qualifier)
        return ast->name;
    return arena_printf(draft->planner->arena, "%s_%s", ast->qualifier, ast->name);
}

/* -- Stars ------------------------------------------------------------------------------------- */

static bool is_key_expr(const Draft *draft, const Expr *expr) {
    for (uint32_t i = 0; i < draft->key_count; i++) {
        if (expr_equal(draft->keys[i].expr, expr))
            return true;
    }
    return false;
}

static ErrCode star_column(Draft *draft, const ScopeColumn *column, AstPos pos, Err *err) {
    assert(column);
    bool join = draft->scope.source_count > 1;
    const char *name = column->name;
    if (join)
        name = arena_printf(draft->planner->arena, "%s_%s",
                            draft->scope.sources[column->source].alias, name);
    return items_add(draft, (SelectItem){name, NULL, column->expr, pos, false}, err);
}

/* After PARTITION BY: the new key, the other values, then what was the key before. */
static ErrCode star_partitioned(Draft *draft, AstPos pos, Err *err) {
    const Scope *scope = &draft->scope;
    for (uint32_t i = 0; i < draft->key_count; i++) {
        const ResultKey *key = &draft->keys[i];
        TRY(items_add(draft, (SelectItem){key->name, NULL, key->expr, pos, false}, err));
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < scope->column_count; i++) {
            const ScopeColumn *column = &scope->columns[i];
            bool was_key = !column->pseudo && column->expr->kind == EXPR_COLUMN &&
                           column->expr->column < draft->source_key_count;
            bool pseudo = column->pseudo && scope->source_count == 1;
            if (!pseudo && was_key == (pass == 1) && !is_key_expr(draft, column->expr))
                TRY(star_column(draft, column, pos, err));
        }
    }
    return ERR_OK;
}

/* Window bounds stand behind the keys. Where they have names of their own, as in joins, they are
 * columns of the result too; elsewhere only people get to see them. */
static ErrCode star_bounds(Draft *draft, uint32_t source, AstPos pos, Err *err) {
    const Scope *scope = &draft->scope;
    if (scope->source_count == 1 && draft->kind == PLAN_PERSISTENT)
        return ERR_OK;
    for (size_t i = 0; i < scope->column_count; i++) {
        const ScopeColumn *column = &scope->columns[i];
        bool bound = strcmp(column->name, "WINDOWSTART") == 0 ||
                     strcmp(column->name, "WINDOWEND") == 0;
        if (column->pseudo && column->source == source && bound)
            TRY(star_column(draft, column, pos, err));
    }
    return ERR_OK;
}

static ErrCode item_star(Draft *draft, const AstItem *item, Err *err) {
    assert(item);
    const Scope *scope = &draft->scope;
    uint32_t source = UINT32_MAX, place = 0;
    if (scope->source_count == 0)
        return err_set_at(err, ERR_SEMANTIC, item->pos.line, item->pos.column,
                          "SELECT * needs a FROM clause.");
    if (item->kind == AST_ITEM_ALL_OF)
        TRY(scope_find_source(draft->planner, scope, item->qualifier, item->pos, &source, err));
    if (item->kind == AST_ITEM_ALL && draft->partitioned)
        return star_partitioned(draft, item->pos, err);
    if (item->kind == AST_ITEM_ALL && draft->key_synthetic)
        TRY(items_add(draft, (SelectItem){draft->keys[0].name, NULL, draft->keys[0].expr,
                                          item->pos, false}, err));
    for (size_t i = 0; i < scope->column_count; i++) {
        const ScopeColumn *column = &scope->columns[i];
        place = i > 0 && column->source == scope->columns[i - 1].source ? place + 1 : 0;
        if (source != UINT32_MAX && column->source != source)
            continue;
        if (place == scope->sources[column->source].source->topic.schema->key_count)
            TRY(star_bounds(draft, column->source, item->pos, err));
        if (!column->pseudo)
            TRY(star_column(draft, column, item->pos, err));
    }
    return ERR_OK;
}

/* s->*: one item a field. */
static ErrCode item_fields(Draft *draft, Binder *binder, const AstItem *item, Err *err) {
    assert(item);
    Arena *arena = draft->planner->arena;
    const AstExpr *ast = item->expr->kind == AST_ALL_FIELDS ? item->expr->args[0] : item->expr;
    const Expr *whole;
    TRY(bind_expr(binder, ast, &whole, err));
    if (whole->type->kind != TYPE_STRUCT)
        return err_set_at(err, ERR_TYPE, item->pos.line, item->pos.column,
                          "Cannot expand %s with '->*': it is %s, no STRUCT.", whole->text,
                          type_text(arena, whole->type));
    for (uint32_t i = 0; i < whole->type->field_count; i++) {
        const TypeField *field = &whole->type->fields[i];
        Expr *expr = expr_new(arena, EXPR_DEREF, field->type, &whole, 1);
        expr->column = i;
        expr->text = arena_printf(arena, "%s->%s", whole->text,
                                  planner_name(draft->planner, field->name));
        TRY(items_add(draft, (SelectItem){name_unique(draft, field->name), expr->text, expr,
                                          item->pos, false}, err));
    }
    return ERR_OK;
}

/* -- Items ------------------------------------------------------------------------------------- */

static ErrCode item_alias(const AstItem *item, Err *err) {
    assert(item);
    assert(item->kind == AST_ITEM_EXPR && item->expr);
    if (!item->alias || !planner_reserved_name(item->alias))
        return ERR_OK;
    const AstExpr *ast = item->expr;
    if (ast->kind == AST_COLUMN && strcmp(ast->name, item->alias) == 0)
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, item->pos.line, item->pos.column,
                      "`%s` is a reserved column name. You cannot use it as an alias for a column.",
                      item->alias);
}

static ErrCode item_expr(Draft *draft, Binder *binder, const AstItem *ast, Err *err) {
    assert(ast);
    TRY(item_alias(ast, err));
    SelectItem item = {.pos = ast->pos, .aliased = ast->alias != NULL};
    TRY(bind_expr(binder, ast->expr, &item.expr, err));
    item.written = planner_expr(draft->planner, ast->expr);
    item.name = ast->alias ? ast->alias : draft_default_name(draft, ast->expr);
    if (draft->kind == PLAN_PERSISTENT && planner_reserved_name(item.name))
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "Reserved column name in select: `%s`. Please remove or alias the "
                          "column.",
                          item.name);
    return items_add(draft, item, err);
}

ErrCode draft_item(Draft *draft, const char *name, const Expr *expr, Err *err) {
    return items_add(draft, (SelectItem){.name = name, .expr = expr}, err);
}

ErrCode draft_items(Draft *draft, Err *err) {
    const AstQuery *query = draft->ast;
    Binder binder = draft_binder(draft, "SELECT");
    binder.aggregates = draft_may_aggregate(draft) ? &draft->aggregates : NULL;
    bool lookup = draft->kind == PLAN_PULL && draft->scope.source_count > 0;
    binder.tables = lookup ? NULL : &draft->tables;
    binder.window_bounds = query->window.kind != AST_WINDOW_NONE && draft->scope.source_count == 1;
    for (uint32_t i = 0; i < query->item_count; i++) {
        const AstItem *item = &query->items[i];
        if (item->kind == AST_ITEM_EXPR)
            TRY(item_expr(draft, &binder, item, err));
        else if (item->kind == AST_ITEM_ALL_FIELDS)
            TRY(item_fields(draft, &binder, item, err));
        else
            TRY(item_star(draft, item, err));
    }
    return ERR_OK;
}
