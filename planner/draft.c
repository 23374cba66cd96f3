/*
 * draft.c - a plan while it is laid out: nodes, sources, WHERE, and the order of the work.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "planner/planner_impl.h"

/* State is tied to paths, so no two nodes may share one. */
static const char *draft_path(Draft *draft, const char *path) {
    const char *unique = path;
    for (uint32_t number = 1, i = 0; i < draft->node_count; i++) {
        if (strcmp(draft->nodes[i]->path, unique) == 0) {
            unique = arena_printf(draft->planner->arena, "%s_%u", path, number++);
            i = 0;
        }
    }
    return unique;
}

PlanNode *draft_add(Draft *draft, PlanNodeKind kind, const char *path, const PlanNode *input) {
    Arena *arena = draft->planner->arena;
    assert(!input || draft->nodes[input->id] == input);
    PlanNode *node = arena_alloc(arena, sizeof *node);
    node->kind = kind;
    node->version = 1;
    node->path = draft_path(draft, path);
    if (input) {
        node->inputs[node->input_count++] = input->id;
        node->schema = input->schema;
        node->is_table = input->is_table;
        node->old_known = input->old_known;
        node->windowed = input->windowed;
    }
    draft->nodes = arena_grow(arena, draft->nodes, &draft->node_capacity, draft->node_count + 1,
                              sizeof(PlanNode *));
    node->id = (uint32_t)draft->node_count;
    draft->nodes[draft->node_count++] = node;
    draft->top = node;
    return node;
}

void draft_unsupported(Draft *draft, const char *format, ...) {
    if (draft->unsupported)
        return;
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    draft->unsupported = arena_strdup(draft->planner->arena, text);
}

Binder draft_binder(Draft *draft, const char *clause) {
    const Scope *scope = &draft->scope;
    bool flat = scope->source_count > 0 &&
                scope->sources[0].source->topic.value.format == &format_delimited;
    return (Binder){.planner = draft->planner, .scope = scope, .clause = clause,
                    .flat_state = flat};
}

PlanNode *draft_project(Draft *draft, const char *path, const Schema *schema,
                        const Expr *const *exprs) {
    assert(schema);
    assert(exprs || schema->column_count == 0);
    PlanNode *node = draft_add(draft, PLAN_PROJECT, path, draft->top);
    node->schema = schema;
    node->exprs = exprs;
    return node;
}

/* -- FROM -------------------------------------------------------------------------------------- */

void draft_source_nodes(Draft *draft, const Source *source, const char *path) {
    assert(source);
    assert(source->topic.schema);
    PlanNode *node = draft_add(draft, PLAN_SOURCE, path, NULL);
    node->topic = &source->topic;
    node->schema = source->topic.schema;
    node->is_table = source->is_table;
    node->windowed = source->topic.window != WINDOW_NONE;
    /* A filter must know which rows it let pass before, a group what it loses, and so must what is
     * kept. */
    bool filtered = draft->kind == PLAN_PUSH && (draft->ast->where || draft->ast->group_by_count);
    if (!source->is_table ||
        (node->windowed && !filtered && draft->kind != PLAN_PERSISTENT))
        return;
    PlanNode *table = draft_add(draft, PLAN_MATERIALIZE,
                                arena_printf(draft->planner->arena, "%s-Reduce", path), node);
    table->old_known = true;
    draft->materialized = table;
}

/* Pseudo columns of a source read straight from its rows. */
static void from_pseudo(Draft *draft, uint32_t index) {
    static const struct {
        const char *name;
        ExprPseudo pseudo;
    } pseudos[] = {{"ROWTIME", PSEUDO_ROWTIME},
                   {"ROWPARTITION", PSEUDO_ROWPARTITION},
                   {"ROWOFFSET", PSEUDO_ROWOFFSET},
                   {"WINDOWSTART", PSEUDO_WINDOWSTART},
                   {"WINDOWEND", PSEUDO_WINDOWEND}};
    bool windowed = draft->scope.sources[index].source->topic.window != WINDOW_NONE;
    for (uint32_t i = 0; i < (windowed ? 5 : 3); i++) {
        Expr *expr = expr_pseudo(draft->planner->arena, pseudos[i].pseudo, pseudos[i].name);
        ScopeColumn column = {index, pseudos[i].name, expr, true};
        scope_add(draft->planner, &draft->scope, column);
    }
}

static void from_single(Draft *draft) {
    const Planner *planner = draft->planner;
    const Source *source = draft->scope.sources[0].source;
    const Schema *schema = source->topic.schema;
    draft_source_nodes(draft, source, "KsqlTopic");
    draft->keys = arena_array(planner->arena, schema->key_count, sizeof *draft->keys);
    draft->key_count = schema->key_count;
    draft->key_word = "key column";
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const SchemaColumn *column = &schema->columns[i];
        Expr *expr = expr_column(planner->arena, i, column->type,
                                 planner_name(planner, column->name));
        scope_add(planner, &draft->scope, (ScopeColumn){0, column->name, expr, false});
        if (i < schema->key_count)
            draft->keys[i] = (ResultKey){expr, column->name, expr->text, NULL};
    }
    if (schema->key_count == 1 && source->topic.window == WINDOW_NONE) {
        draft->row_keys = arena_array(planner->arena, 1, sizeof *draft->row_keys);
        draft->row_keys[draft->row_key_count++] = draft->keys[0].expr;
    }
    from_pseudo(draft, 0);
    draft->window = source->topic.window;
    draft->window_size_ms = source->topic.window_size_ms;
}

static ErrCode from_source(Draft *draft, const AstSource *ast, Err *err) {
    assert(ast);
    const Planner *planner = draft->planner;
    Scope *scope = &draft->scope;
    const Source *source;
    TRY(planner_source(planner, ast->name, ast->pos, &source, err));
    bool windowed_table = source->is_table && source->topic.window != WINDOW_NONE;
    bool allowed = draft->ast->source_count == 1 &&
                   planner_setting_on(planner, "weir.extensions", true);
    if (draft->kind == PLAN_PERSISTENT && windowed_table && !allowed)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "KSQL does not support persistent queries on windowed tables.");
    scope->sources[scope->source_count++] =
        (ScopeSource){source, ast->alias ? ast->alias : ast->name, ast->pos};
    return ERR_OK;
}

ErrCode draft_from(Draft *draft, Err *err) {
    const AstQuery *ast = draft->ast;
    if (ast->source_count == 0)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "A query that goes on needs a FROM clause: SELECT without one is "
                          "answered once, and at once.");
    if (ast->source_count > SOURCES_MAX)
        return err_set_at(err, ERR_LIMIT, ast->pos.line, ast->pos.column,
                          "A query reads %d sources at most.", SOURCES_MAX);
    draft->scope.sources = arena_array(draft->planner->arena, ast->source_count,
                                       sizeof *draft->scope.sources);
    for (uint32_t i = 0; i < ast->source_count; i++)
        TRY(from_source(draft, &ast->sources[i], err));
    if (ast->source_count == 1) {
        from_single(draft);
        return ERR_OK;
    }
    return draft_join(draft, err);
}

ErrCode draft_where(Draft *draft, Err *err) {
    assert(draft->top);
    if (!draft->ast->where)
        return ERR_OK;
    Binder binder = draft_binder(draft, "WHERE");
    binder.time_texts = true;
    const Expr *predicate;
    TRY(bind_predicate(&binder, draft->ast->where, &predicate, err));
    PlanNode *node = draft_add(draft, PLAN_FILTER, "WhereFilter", draft->top);
    node->predicate = predicate;
    return ERR_OK;
}

/* -- The whole query --------------------------------------------------------------------------- */

static ErrCode query_clauses(Draft *draft, Err *err) {
    const AstQuery *ast = draft->ast;
    if (ast->group_by && ast->group_by_count == 0)
        return err_set_at(err, ERR_SYNTAX, ast->pos.line, ast->pos.column,
                          "GROUP BY requires at least one expression");
    if (ast->partition_by && ast->partition_by_count == 0)
        return err_set_at(err, ERR_SYNTAX, ast->pos.line, ast->pos.column,
                          "PARTITION BY requires at least one expression");
    if (ast->group_by_count > 0 && ast->partition_by_count > 0)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "Queries only support one of PARTITION BY and GROUP BY");
    if (ast->order_by_count > 0)
        draft_unsupported(draft, "ORDER BY is supported in lookups only.");
    if (ast->has_offset)
        draft_unsupported(draft, "OFFSET is supported in lookups only.");
    return ERR_OK;
}

/* A joined table is kept for lookups of what is made of it, and for a filter that must know which
 * rows it let pass before. */
static void draft_keep_join(Draft *draft) {
    assert(draft->top);
    bool filtered = draft->ast->where && !draft->top->old_known;
    if ((draft->kind != PLAN_PERSISTENT && !filtered) || !draft->top->is_table ||
        draft->materialized)
        return;
    PlanNode *table = draft_add(draft, PLAN_MATERIALIZE, "Join-Materialize", draft->top);
    table->old_known = true;
    draft->materialized = table;
}

ErrCode draft_query(Draft *draft, Err *err) {
    TRY(query_clauses(draft, err));
    TRY(draft_from(draft, err));
    draft_keep_join(draft);
    TRY(draft_where(draft, err));
    TRY(draft_partition_by(draft, err));
    TRY(draft_items(draft, err));
    TRY(draft_flat_map(draft, err));
    TRY(draft_aggregate(draft, err));
    return draft->kind == PLAN_PERSISTENT ? draft_project_keyed(draft, err)
                                          : draft_project_plain(draft, err);
}

ErrCode draft_finish(Draft *draft, Plan *plan, Err *err) {
    assert(plan);
    if (draft->unsupported)
        return err_set(err, ERR_UNSUPPORTED, "%s", draft->unsupported);
    assert(draft->node_count > 0 && draft->top == draft->nodes[draft->node_count - 1]);
    plan->kind = draft->kind;
    plan->nodes = (const PlanNode *const *)draft->nodes;
    plan->node_count = (uint32_t)draft->node_count;
    plan->materialized = draft->materialized ? (int32_t)draft->materialized->id : -1;
    plan->limit = draft->limit;
    plan->statement = planner_statement(draft->planner);
    const UserUses *uses = draft->planner->uses;
    plan->functions = uses ? uses->functions : NULL;
    plan->function_count = uses ? (uint32_t)uses->count : 0;
    plan->lookup.window_start_min = INT64_MIN;
    plan->lookup.window_start_max = INT64_MAX;
    draft_used(draft);
    return ERR_OK;
}
