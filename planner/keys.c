/*
 * keys.c - the key of the result: PARTITION BY, and which select items are key columns.
 *
 * A result's key columns are those of its rows (or of PARTITION BY, GROUP BY, a join); each must be
 * selected once in a persistent query, and is called as the select list calls it.
 */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "planner/planner_impl.h"

/* -- PARTITION BY ------------------------------------------------------------------------------ */

static ErrCode partition_allowed(const Draft *draft, Err *err) {
    assert(draft);
    const AstExpr *first = draft->ast->partition_by[0];
    const ScopeSource *source = &draft->scope.sources[0];
    if (draft->top->is_table)
        return err_set_at(err, ERR_SEMANTIC, first->pos.line, first->pos.column,
                          "Cannot repartition a TABLE source. If this is a join, make sure that "
                          "the criteria uses the TABLE's key column %s instead of [%s]",
                          source->source->topic.schema->columns[0].name,
                          planner_expr(draft->planner, first));
    if (draft->top->windowed)
        return err_set_at(err, ERR_SEMANTIC, first->pos.line, first->pos.column,
                          "Implicit repartitioning of windowed sources is not supported. See "
                          "https://github.com/confluentinc/ksql/issues/4385.");
    return ERR_OK;
}

ErrCode draft_key_exprs(Draft *draft, Binder *binder, const AstExpr *const *asts, uint32_t count,
                        Err *err) {
    assert(asts || count == 0);
    const Planner *planner = draft->planner;
    assert(count > 0);
    if (count > SELECT_ITEMS_MAX)
        return err_set_at(err, ERR_LIMIT, asts[0]->pos.line, asts[0]->pos.column,
                          "%s takes %d expressions at most.", binder->clause, SELECT_ITEMS_MAX);
    ResultKey *keys = arena_array(planner->arena, count, sizeof *keys);
    for (uint32_t i = 0; i < count; i++) {
        const AstExpr *ast = asts[i];
        TRY(bind_expr(binder, ast, &keys[i].expr, err));
        keys[i].text = planner_expr(planner, ast);
        for (uint32_t j = 0; j < i; j++) {
            if (expr_equal(keys[j].expr, keys[i].expr))
                return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                                  "Duplicate %s expression: %s", binder->clause, keys[i].text);
        }
        if (count > 1 && keys[i].expr->type->kind == TYPE_NULL)
            return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                              "Cannot %s multiple columns including NULL", binder->clause);
        keys[i].name = draft_default_name(draft, ast);
    }
    draft->keys = keys;
    draft->key_count = count;
    draft->any_key = false;
    draft->key_synthetic = false;
    return ERR_OK;
}

/* The single key column again: nothing moves. */
static bool partition_is_key(const Draft *draft) {
    for (uint32_t i = 0; i < draft->row_key_count && draft->key_count == 1; i++) {
        if (expr_equal(draft->row_keys[i], draft->keys[0].expr))
            return true;
    }
    return false;
}

ErrCode draft_partition_by(Draft *draft, Err *err) {
    const AstQuery *ast = draft->ast;
    if (ast->partition_by_count == 0)
        return ERR_OK;
    uint32_t before_count = draft->any_key ? 1 : draft->key_count;
    Binder binder = draft_binder(draft, "PARTITION BY");
    TRY(partition_allowed(draft, err));
    TRY(draft_key_exprs(draft, &binder, ast->partition_by, ast->partition_by_count, err));
    draft->made_name_count = 0; /* the select list numbers its names on its own */
    draft->source_key_count = before_count;
    draft->key_word = "partitioning expression";
    if (draft->key_count == 1 && draft->keys[0].expr->type->kind == TYPE_NULL)
        draft->key_count = 0;
    draft->partitioned = !partition_is_key(draft);
    return ERR_OK;
}

/* -- Which items are keys ---------------------------------------------------------------------- */

static bool item_is(const SelectItem *item, const ResultKey *key) {
    assert(item && key);
    assert(item->expr && key->expr);
    return expr_equal(item->expr, key->expr);
}

static ErrCode keys_twice(const Draft *draft, const ResultKey *key, const SelectItem *first,
                          const SelectItem *second, Err *err) {
    assert(first != second);
    return err_set_at(err, ERR_SEMANTIC, second->pos.line, second->pos.column,
                      "The projection contains a key column (`%s`) more than once, aliased as: %s "
                      "and %s.\nEach key column must only be in the projection once. If you "
                      "intended to copy the key into the value, then consider using the AS_VALUE "
                      "function to indicate which key reference should be copied.",
                      key->name, planner_name(draft->planner, first->name),
                      planner_name(draft->planner, second->name));
}

/* Where a select list begins: what it lacks would stand there. */
static AstPos keys_pos(const Draft *draft) {
    return draft->ast->item_count > 0 ? draft->ast->items[0].pos : draft->ast->pos;
}

static ErrCode keys_missing(const Draft *draft, const bool *found, Err *err) {
    const Planner *planner = draft->planner;
    const char **names = arena_array(planner->arena, draft->key_count, sizeof *names);
    uint32_t count = 0;
    bool whole = strcmp(draft->key_word, "key column") == 0;
    AstPos pos = keys_pos(draft);
    for (uint32_t i = 0; i < draft->key_count; i++) {
        if (!found[i] || whole)
            names[count++] = draft->keys[i].text;
    }
    if (draft->foreign_table && !draft->any_key)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "Primary key column missing in projection. For foreign-key table-table "
                          "joins, the projection must include all primary key columns from the "
                          "left input table (`%s`). Missing column: %s.",
                          draft->foreign_table, names[0]);
    const char *all = planner_list(planner, names, count, NULL);
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Key missing from projection (ie, SELECT). See https://cnfl.io/2LV7ouS.\n"
                      "The query used to build %s must include the %s%s %s in its projection (eg, "
                      "SELECT %s...).%s",
                      arena_printf(planner->arena, "`%s`", draft->sink_name), draft->key_word,
                      count > 1 ? "s" : "",
                      planner_list(planner, names, count, draft->any_key ? "or" : "and"),
                      draft->any_key ? names[0] : all,
                      draft->key_synthetic
                          ? "\nROWKEY was added as a synthetic key column because the join "
                            "criteria did not match any source column. This expression must be "
                            "included in the projection and may be aliased."
                          : "");
}

/* key_items[i]: the item that is key column i. */
static ErrCode keys_find(const Draft *draft, const SelectItem **key_items, Err *err) {
    bool *found = arena_array(draft->planner->arena, draft->key_count, sizeof *found);
    uint32_t count = 0, wanted = draft->any_key ? 1 : draft->key_count;
    for (uint32_t k = 0; k < draft->key_count && count < wanted; k++) {
        const ResultKey *key = &draft->keys[k];
        for (size_t i = 0; i < draft->item_count; i++) {
            const SelectItem *item = &draft->items[i];
            if (!item_is(item, key))
                continue;
            if (found[k])
                return keys_twice(draft, key, key_items[count - 1], item, err);
            found[k] = true;
            key_items[count++] = item;
        }
    }
    return count >= wanted ? ERR_OK : keys_missing(draft, found, err);
}

/* ksqlDB's unfinished new planner lets streams lose their keys, and puts them in the order of the
 * select list. */
static bool keys_optional(const Draft *draft) {
    return !draft->top->is_table &&
           planner_setting_on(draft->planner, "ksql.new.query.planner.enabled", false);
}

/* By their places in the select list; in the same order what they are computed of. */
static void keys_as_selected(const Draft *draft, const SelectItem **key_items,
                             const Expr **values) {
    for (uint32_t i = 1; i < draft->key_count && !draft->any_key; i++) {
        for (uint32_t at = i; at > 0 && key_items[at - 1] > key_items[at]; at--) {
            const SelectItem *item = key_items[at];
            const Expr *value = values[at];
            key_items[at] = key_items[at - 1];
            values[at] = values[at - 1];
            key_items[at - 1] = item;
            values[at - 1] = value;
        }
    }
}

/* -- The projection ---------------------------------------------------------------------------- */

static ErrCode projection_item(const Draft *draft, const SelectItem *item, Err *err) {
    (void)draft;
    if (type_contains(item->expr->type, TYPE_NULL))
        return err_set_at(err, ERR_TYPE, item->pos.line, item->pos.column,
                          "Can't infer a type of null. Please explicitly cast it to a required "
                          "type, e.g. CAST(null AS VARCHAR).");
    return ERR_OK;
}

static const Expr *projection_expr(const SelectItem *item) {
    assert(item);
    const Expr *expr = item->expr;
    /* AS_VALUE has done its work: this item is no key. */
    while (expr->kind == EXPR_CALL && expr->function->flags & FUNCTION_IDENTITY)
        expr = expr->args[0];
    return expr;
}

static ErrCode projection_add(const Draft *draft, Schema *schema, SchemaColumn *columns,
                              const SelectItem *item, Err *err) {
    assert(schema && columns);
    TRY(projection_item(draft, item, err));
    int32_t other = schema_find(schema, item->name);
    if (other >= 0)
        return err_set_at(err, ERR_SEMANTIC, item->pos.line, item->pos.column,
                          "%s: `%s` %s",
                          schema->columns[other].role == COLUMN_KEY
                              ? "Value columns clash with key columns"
                              : "Duplicate value columns found in schema",
                          item->name, type_text(draft->planner->arena, item->expr->type));
    columns[schema->column_count++] =
        (SchemaColumn){.name = item->name, .type = item->expr->type, .role = COLUMN_VALUE};
    return ERR_OK;
}

static bool is_among(const SelectItem *item, const SelectItem *const *items, uint32_t count) {
    assert(items || count == 0);
    for (uint32_t i = 0; i < count; i++) {
        if (items[i] == item)
            return true;
    }
    return false;
}

ErrCode draft_project_keyed(Draft *draft, Err *err) {
    Arena *arena = draft->planner->arena;
    uint32_t key_count = draft->any_key ? 1 : draft->key_count;
    const SelectItem **key_items = arena_array(arena, key_count, sizeof *key_items);
    ErrCode code = keys_find(draft, key_items, err);
    if (code != ERR_OK && !keys_optional(draft))
        return code;
    const Expr **values = arena_array(arena, key_count, sizeof *values);
    for (uint32_t i = 0; i < key_count; i++)
        values[i] = draft->keys[i].value;
    if (code != ERR_OK)
        key_count = 0;
    else if (keys_optional(draft))
        keys_as_selected(draft, key_items, values);
    Schema *schema = arena_alloc(arena, sizeof *schema);
    SchemaColumn *columns = arena_array(arena, draft->item_count, sizeof *columns);
    const Expr **exprs = arena_array(arena, draft->item_count, sizeof *exprs);
    schema->columns = columns;
    for (uint32_t i = 0; i < key_count; i++) {
        TRY(projection_add(draft, schema, columns, key_items[i], err));
        columns[i].role = COLUMN_KEY;
        exprs[i] = values[i] ? values[i] : key_items[i]->expr;
    }
    schema->key_count = key_count;
    for (size_t i = 0; i < draft->item_count; i++) {
        const SelectItem *item = &draft->items[i];
        if (is_among(item, key_items, key_count))
            continue;
        exprs[schema->column_count] = projection_expr(item);
        TRY(projection_add(draft, schema, columns, item, err));
    }
    AstPos pos = keys_pos(draft);
    if (schema->column_count == key_count)
        return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                          "The projection contains no value columns.");
    draft_project(draft, "Project", schema, exprs);
    return ERR_OK;
}

ErrCode draft_project_plain(Draft *draft, Err *err) {
    Arena *arena = draft->planner->arena;
    Schema *schema = arena_alloc(arena, sizeof *schema);
    SchemaColumn *columns = arena_array(arena, draft->item_count, sizeof *columns);
    const Expr **exprs = arena_array(arena, draft->item_count, sizeof *exprs);
    schema->columns = columns;
    for (size_t i = 0; i < draft->item_count; i++) {
        exprs[i] = projection_expr(&draft->items[i]);
        TRY(projection_add(draft, schema, columns, &draft->items[i], err));
    }
    draft_project(draft, "Project", schema, exprs);
    return ERR_OK;
}
