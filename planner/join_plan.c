/*
 * join_plan.c - FROM a JOIN b: which rows meet, what they are called, which key they have.
 *
 *   a: SOURCE -> PROJECT (or REPARTITION to the join's key)  \
 *   b: SOURCE -> PROJECT (likewise)                           > JOIN_... -> next join, or WHERE
 *
 * Several joins are made one after the other, from the left. What the kinds differ in is in their
 * own files (JoinShape). Columns nobody reads fall away when the plan is finished (used.c).
 */
#include <assert.h>
#include <string.h>

#include "planner/join_impl.h"

/* -- Names ------------------------------------------------------------------------------------- */

/* The names of sources and aliases: in ksqlDB each source once. */
static ErrCode join_names(const Draft *draft, Err *err) {
    const Scope *scope = &draft->scope;
    bool repeated = planner_extensions_on(draft->planner);
    for (uint32_t i = 0; i < scope->source_count; i++) {
        AstPos pos = scope->sources[i].pos;
        const char *name = scope->sources[i].source->name;
        for (uint32_t j = 0; j < i; j++) {
            bool same = scope->sources[j].source == scope->sources[i].source && !repeated;
            if (same && scope->source_count == 2)
                return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                                  "Can not join '%s' to '%s': self joins are not yet supported.",
                                  name, name);
            if (same)
                return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                                  "N-way joins do not support multiple occurrences of the same "
                                  "source. Source: '%s'.",
                                  name);
            if (strcmp(scope->sources[j].alias, scope->sources[i].alias) == 0)
                return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                                  "Alias '%s' is used twice in FROM.", scope->sources[i].alias);
        }
    }
    return ERR_OK;
}

/* -- Keys -------------------------------------------------------------------------------------- */

void join_key_add(JoinPlan *join, const Expr *expr) {
    assert(expr);
    if (expr->kind == EXPR_COLUMN)
        join->keys[join->key_count++] = (ResultKey){.expr = expr,
                                                          .text = join_text(join, expr)};
}

/* What equals the key of the joined rows: these may be selected as the key. `strong`: in every row;
 * the right side of a LEFT JOIN may be missing. */
void join_keys(JoinPlan *join, const JoinClause *clause) {
    assert(clause);
    bool outer = clause->kind == AST_JOIN_FULL;
    if (clause->right == 1 || !clause->continues || outer) {
        join->key_count = 0;
        join->strong_count = 0;
        join_key_add(join, clause->left);
        join->strong[join->strong_count++] = clause->left;
    }
    if (clause->kind == AST_JOIN_INNER)
        join->strong[join->strong_count++] = clause->right_expr;
    join_key_add(join, clause->right_expr);
    if (clause->kind == AST_JOIN_RIGHT) {
        join->strong_count = 0;
        join->strong[join->strong_count++] = clause->right_expr;
    }
    if (outer) {
        join->key_count = 0;
        join->strong_count = 0;
    }
}

/* A key that is no column of any source: called ROWKEY, to be selected by that name. */
static void join_synthetic(JoinPlan *join, const Expr *value) {
    Draft *draft = join->draft;
    const char *name = "ROWKEY";
    uint32_t count, number = 0;
    scope_find(&draft->scope, NULL, name, &count);
    while (count > 0) {
        name = arena_printf(draft->planner->arena, "ROWKEY_%u", ++number);
        scope_find(&draft->scope, NULL, name, &count);
    }
    draft->key_synthetic = true;
    join->keys[0] = (ResultKey){.expr = value, .name = name, .text = name};
    join->key_count = 1;
    scope_add(draft->planner, &draft->scope, (ScopeColumn){0, name, value, true});
}

/* The final places become what names mean from here on. */
static void join_finish(JoinPlan *join) {
    Draft *draft = join->draft;
    Arena *arena = draft->planner->arena;
    const Schema *schema = draft->top->schema;
    for (size_t i = 0; i < draft->scope.column_count; i++)
        draft->scope.columns[i].expr = join_placed(join, draft->scope.columns[i].expr);
    for (uint32_t i = 0; i < join->key_count; i++) {
        join->keys[i].expr = join_placed(join, join->keys[i].expr);
        join->keys[i].name = schema->columns[join->keys[i].expr->column].name;
    }
    for (uint32_t i = 0; i < join->strong_count; i++)
        join->strong[i] = join_placed(join, join->strong[i]);
    Expr *value = expr_column(arena, 0, schema->columns[0].type,
                              join->key_count > 0 ? join->keys[0].text : "ROWKEY");
    if (join->key_count == 0)
        join_synthetic(join, value);
    for (uint32_t i = 0; i < join->key_count && !join->foreign_key; i++)
        join->keys[i].value = value;
    draft->keys = join->keys;
    draft->key_count = join->key_count;
    draft->any_key = !join->foreign_key;
    draft->key_word = "join expression";
    draft->row_keys = join->strong;
    draft->row_key_count = join->strong_count;
    draft->materialized = NULL;
    draft->window = draft->scope.sources[0].source->topic.window;
    draft->window_size_ms = draft->scope.sources[0].source->topic.window_size_ms;
}

/* -- FROM -------------------------------------------------------------------------------------- */

static ErrCode join_one(JoinPlan *join, uint32_t right, Err *err) {
    const Draft *draft = join->draft;
    assert(right >= 1 && right < draft->scope.source_count);
    JoinClause clause = {.right = right, .kind = draft->ast->sources[right].join};
    TRY(join_bind(join, &clause, err));
    TRY(join_check(join, &clause, err));
    TRY(join_partitions(join, &clause, err));
    clause.shape->nodes(join, &clause);
    if (clause.also)
        TRY(join_also(join, &clause, err));
    clause.shape->keys(join, &clause);
    join->foreign_key = clause.shape->own_key;
    return ERR_OK;
}

ErrCode draft_join(Draft *draft, Err *err) {
    Arena *arena = draft->planner->arena;
    uint32_t count = draft->scope.source_count;
    const Source *left = draft->scope.sources[0].source;
    JoinPlan join = {.draft = draft, .key_format = &left->topic.key,
                     .partition_count = left->partition_count};
    TRY(join_names(draft, err));
    TRY(draft_kafka_sources(draft, "JOIN", err));
    join_scope(&join);
    uint32_t room = 2 * count + left->topic.schema->key_count;
    join.keys = arena_array(arena, room, sizeof *join.keys);
    join.strong = arena_array(arena, room, sizeof *join.strong);
    if (left->topic.schema->key_count == 1)
        join.strong[join.strong_count++] = draft->scope.columns[0].expr;
    for (uint32_t i = 1; i < count; i++)
        TRY(join_one(&join, i, err));
    join_finish(&join);
    return ERR_OK;
}
