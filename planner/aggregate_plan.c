/*
 * aggregate_plan.c - GROUP BY: what is grouped and aggregated, and what the select list may say.
 *
 * The select list and HAVING are bound over the rows of FROM first. Then every part of them that
 * equals a grouping expression, or is an aggregate call, becomes a column of the AGGREGATE node;
 * a column that is still there is in no group.
 */
#include <assert.h>
#include <string.h>

#include "planner/planner_impl.h"

/* -- Checks ------------------------------------------------------------------------------------ */

static bool has_aggregate_visit(void *context, const Expr *expr) {
    assert(expr);
    (void)context;
    return expr->kind == EXPR_COLUMN && expr->column >= AGGREGATE_COLUMN;
}

/* On tables: aggregates that cannot take a row back are replaced by such that can, or refused. */
static ErrCode aggregate_undo(const Draft *draft, Err *err) {
    const Planner *planner = draft->planner;
    bool extensions = planner_setting_on(planner, "weir.extensions", true);
    const char **names = arena_array(planner->arena, draft->aggregates.count, sizeof *names);
    uint32_t count = 0;
    bool of_table = draft->top->is_table && draft->kind != PLAN_PULL;
    for (size_t i = 0; i < draft->aggregates.count && of_table; i++) {
        AggregateCallRef *call = &draft->aggregates.calls[i];
        const Aggregate *twin =
            call->aggregate->undo || extensions ? aggregate_of_table(call->aggregate) : NULL;
        if (twin)
            call->aggregate = twin;
        else
            names[count++] = call->aggregate->name;
    }
    if (count == 0)
        return ERR_OK;
    return err_set(err, ERR_SEMANTIC,
                   "The aggregation function%s %s cannot be applied to a table source, only to a "
                   "stream source.",
                   count > 1 ? "s" : "", planner_list(planner, names, count, "and"));
}

ErrCode draft_kafka_sources(const Draft *draft, const char *what, Err *err) {
    const Planner *planner = draft->planner;
    const char **names = arena_array(planner->arena, draft->scope.source_count, sizeof *names);
    uint32_t count = 0;
    for (uint32_t i = 0; i < draft->scope.source_count; i++) {
        if (draft->scope.sources[i].source->topic.value.format == &format_kafka)
            names[count++] = draft->scope.sources[i].source->name;
    }
    if (count == 0)
        return ERR_OK;
    return err_set(err, ERR_FORMAT,
                   "Source(s) %s are using the 'KAFKA' value format. This format does not yet "
                   "support %s.",
                   planner_list(planner, names, count, NULL), what);
}

/* -- Rewriting --------------------------------------------------------------------------------- */

typedef struct GroupMap {
    const Draft *draft;
    const Expr *stray; /* a column that is neither grouped nor aggregated */
} GroupMap;

static const Expr *group_map(void *context, const Expr *expr) {
    assert(expr);
    GroupMap *map = context;
    const Draft *draft = map->draft;
    assert(draft->key_count > 0);
    Arena *arena = draft->planner->arena;
    for (uint32_t i = 0; i < draft->key_count; i++) {
        if (expr_equal(draft->keys[i].expr, expr))
            return expr_column(arena, i, expr->type, expr->text);
    }
    if (expr->kind == EXPR_COLUMN && expr->column >= AGGREGATE_COLUMN)
        return expr_column(arena, draft->key_count + expr->column - AGGREGATE_COLUMN, expr->type,
                           expr->text);
    bool bound = expr->kind == EXPR_PSEUDO && draft->ast->window.kind != AST_WINDOW_NONE &&
                 (expr->pseudo == PSEUDO_WINDOWSTART || expr->pseudo == PSEUDO_WINDOWEND);
    if ((expr->kind == EXPR_COLUMN || expr->kind == EXPR_PSEUDO) && !bound)
        map->stray = expr;
    return NULL;
}

/* The select items over the columns of the AGGREGATE node. */
static ErrCode group_items(Draft *draft, Err *err) {
    const Planner *planner = draft->planner;
    const char **strays = arena_array(planner->arena, draft->item_count, sizeof *strays);
    uint32_t count = 0;
    AstPos pos = {0};
    for (size_t i = 0; i < draft->item_count; i++) {
        SelectItem *item = &draft->items[i];
        GroupMap map = {draft, NULL};
        item->expr = expr_map(planner->arena, item->expr, group_map, &map);
        if (!map.stray)
            continue;
        if (count == 0)
            pos = item->pos;
        strays[count++] = item->written ? item->written : item->expr->text;
    }
    if (count == 0)
        return ERR_OK;
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Non-aggregate SELECT expression(s) not part of GROUP BY: %s\nEither add the "
                      "column(s) to the GROUP BY or remove them from the SELECT.",
                      planner_list(planner, strays, count, NULL));
}

/* -- Layout ------------------------------------------------------------------------------------ */

/* Columns in front of AGGREGATE: the group, then what is aggregated, each once. */
typedef struct GroupInput {
    SchemaColumn *columns;
    const Expr **exprs;
    uint32_t count;
} GroupInput;

static uint32_t group_input_add(const Draft *draft, GroupInput *input, const Expr *expr) {
    assert(input);
    for (uint32_t i = draft->key_count; i < input->count; i++) {
        if (expr_equal(input->exprs[i], expr))
            return i;
    }
    input->exprs[input->count] = expr;
    input->columns[input->count] = (SchemaColumn){
        .name = arena_printf(draft->planner->arena, "KSQL_INTERNAL_COL_%u",
                             input->count - draft->key_count),
        .type = expr->type,
        .role = COLUMN_VALUE};
    return input->count++;
}

static PlanAggregate *group_input(const Draft *draft, GroupInput *input) {
    Arena *arena = draft->planner->arena;
    const AggregateCalls *calls = &draft->aggregates;
    uint32_t room = draft->key_count;
    for (size_t i = 0; i < calls->count; i++)
        room += calls->calls[i].arg_count;
    input->columns = arena_array(arena, room, sizeof *input->columns);
    input->exprs = arena_array(arena, room, sizeof *input->exprs);
    for (uint32_t i = 0; i < draft->key_count; i++) {
        const ResultKey *key = &draft->keys[i];
        input->exprs[i] = key->expr;
        input->columns[i] = (SchemaColumn){.name = key->name, .type = key->expr->type,
                                           .role = COLUMN_KEY};
    }
    input->count = draft->key_count;
    PlanAggregate *aggregates = arena_array(arena, calls->count, sizeof *aggregates);
    for (size_t i = 0; i < calls->count; i++) {
        const AggregateCallRef *call = &calls->calls[i];
        uint32_t *args = arena_array(arena, call->arg_count, sizeof *args);
        for (uint32_t j = 0; j < call->arg_count; j++)
            args[j] = group_input_add(draft, input, call->args[j]);
        aggregates[i] = (PlanAggregate){call->aggregate, call->type, args, call->arg_count,
                                        call->limits};
    }
    return aggregates;
}

static const Schema *group_schema(const Draft *draft, const SchemaColumn *columns,
                                  uint32_t count) {
    assert(columns || count == 0);
    Schema *schema = arena_alloc(draft->planner->arena, sizeof *schema);
    *schema = (Schema){columns, count, draft->key_count};
    return schema;
}

/* Group keys, then a column per aggregate. */
static const Schema *group_output(const Draft *draft) {
    Arena *arena = draft->planner->arena;
    uint32_t count = draft->key_count + (uint32_t)draft->aggregates.count;
    SchemaColumn *columns = arena_array(arena, count, sizeof *columns);
    for (uint32_t i = 0; i < draft->key_count; i++)
        columns[i] = (SchemaColumn){.name = draft->keys[i].name,
                                    .type = draft->keys[i].expr->type, .role = COLUMN_KEY};
    for (uint32_t i = draft->key_count; i < count; i++)
        columns[i] = (SchemaColumn){
            .name = arena_printf(arena, "KSQL_AGG_VARIABLE_%u", i - draft->key_count),
            .type = draft->aggregates.calls[i - draft->key_count].type,
            .role = COLUMN_VALUE};
    return group_schema(draft, columns, count);
}

/* Rows are where their group is already: grouped by the one key column. */
static bool group_is_key(const Draft *draft) {
    for (uint32_t i = 0; i < draft->row_key_count && draft->key_count == 1; i++) {
        if (expr_equal(draft->row_keys[i], draft->keys[0].expr))
            return true;
    }
    return false;
}

static void group_nodes(Draft *draft, const PlanWindow *window) {
    GroupInput input;
    PlanAggregate *aggregates = group_input(draft, &input);
    assert(input.count >= draft->key_count && draft->aggregates.count > 0);
    bool stays = group_is_key(draft) || draft->kind == PLAN_PULL;
    PlanNodeKind kind = stays ? PLAN_PROJECT : PLAN_REPARTITION;
    PlanNode *group = draft_add(draft, kind, "Aggregate-GroupBy", draft->top);
    group->schema = group_schema(draft, input.columns, input.count);
    group->exprs = input.exprs;
    group->windowed = false;
    group->is_table = group->is_table && draft->kind != PLAN_PULL;
    group->old_known = group->is_table; /* changes: what a group loses, and what it gains */
    PlanNode *node = draft_add(draft, PLAN_AGGREGATE, "Aggregate", group);
    node->schema = group_output(draft);
    node->is_table = true;
    node->windowed = window->kind != WINDOW_NONE;
    node->window = *window;
    node->aggregates = aggregates;
    node->aggregate_count = (uint32_t)draft->aggregates.count;
    draft->materialized = node;
}

/* HAVING filters changes of the result: it needs the values before. */
static ErrCode group_having(Draft *draft, const Expr *having, Err *err) {
    if (!having)
        return ERR_OK;
    GroupMap map = {draft, NULL};
    const Expr *predicate = expr_map(draft->planner->arena, having, group_map, &map);
    if (map.stray)
        return err_set(err, ERR_SEMANTIC, "Non-aggregate HAVING expression not part of GROUP BY: "
                       "%s", map.stray->text);
    draft->top->old_known = true;
    PlanNode *node = draft_add(draft, PLAN_FILTER, "HavingFilter", draft->top);
    node->predicate = predicate;
    return ERR_OK;
}

/* -- Clauses ----------------------------------------------------------------------------------- */

static ErrCode aggregate_having(Draft *draft, const Expr **having, Err *err) {
    assert(having);
    *having = NULL;
    if (!draft->ast->having)
        return ERR_OK;
    Binder binder = draft_binder(draft, "HAVING");
    binder.aggregates = &draft->aggregates;
    binder.time_texts = true;
    binder.window_bounds = draft->ast->window.kind != AST_WINDOW_NONE;
    return bind_predicate(&binder, draft->ast->having, having, err);
}

/* GROUP BY's expressions become the keys. A push query without one puts all rows into one group. */
static ErrCode aggregate_groups(Draft *draft, Err *err) {
    const AstQuery *ast = draft->ast;
    Binder binder = draft_binder(draft, "GROUP BY");
    binder.window_bounds = ast->window.kind != AST_WINDOW_NONE;
    draft->key_word = "grouping expression";
    if (ast->group_by_count > 0)
        return draft_key_exprs(draft, &binder, ast->group_by, ast->group_by_count, err);
    ResultKey *key = arena_alloc(draft->planner->arena, sizeof *key);
    *key = (ResultKey){expr_bigint(draft->planner->arena, 1), "KSQL_COL_0", "1", NULL};
    draft->keys = key;
    draft->key_count = 1;
    draft->any_key = false;
    return ERR_OK;
}

/* Items are named as the select list names them: the group's columns take those names. */
static void aggregate_names(Draft *draft) {
    for (uint32_t k = 0; k < draft->key_count; k++) {
        for (size_t i = draft->item_count; i-- > 0;) {
            if (expr_equal(draft->items[i].expr, draft->keys[k].expr))
                draft->keys[k].name = draft->items[i].name;
        }
    }
}

static ErrCode aggregate_without_group(const Draft *draft, Err *err) {
    const AstQuery *ast = draft->ast;
    for (size_t i = 0; i < draft->item_count; i++) {
        const SelectItem *item = &draft->items[i];
        if (draft->kind == PLAN_PERSISTENT && !expr_find(item->expr, has_aggregate_visit, NULL))
            return err_set_at(err, ERR_SEMANTIC, item->pos.line, item->pos.column,
                              "Non-aggregate SELECT expression(s) not part of GROUP BY: %s\nEither "
                              "add the column(s) to the GROUP BY or remove them from the SELECT.",
                              item->written ? item->written : item->expr->text);
    }
    if (draft->kind == PLAN_PERSISTENT)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "%s AS SELECT statement does not support aggregate function [%s] without "
                          "a GROUP BY clause.",
                          draft->planner->statement->kind == AST_CREATE_TABLE ? "CREATE TABLE"
                                                                              : "CREATE STREAM",
                          draft->aggregates.calls[0].text);
    return ERR_OK;
}

static ErrCode aggregate_clauses(Draft *draft, Err *err) {
    const AstQuery *ast = draft->ast;
    bool grouped = ast->group_by_count > 0;
    if (!grouped && ast->window.kind != AST_WINDOW_NONE &&
        (draft->aggregates.count == 0 || draft->kind == PLAN_PERSISTENT))
        return err_set_at(err, ERR_SEMANTIC, ast->window.pos.line, ast->window.pos.column,
                          "WINDOW clause requires a GROUP BY clause.");
    if (!grouped && draft->aggregates.count > 0)
        TRY(aggregate_without_group(draft, err));
    if (!grouped && ast->having)
        return err_set_at(err, ERR_SEMANTIC, ast->having->pos.line, ast->having->pos.column,
                          "HAVING requires a GROUP BY clause.");
    if (grouped && draft->aggregates.count == 0)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "GROUP BY requires aggregate functions in either the SELECT or HAVING "
                          "clause.");
    if (ast->emit == AST_EMIT_FINAL && ast->window.kind == AST_WINDOW_NONE)
        return err_set_at(err, ERR_SEMANTIC, ast->pos.line, ast->pos.column,
                          "EMIT FINAL is only supported for windowed aggregations.");
    return ERR_OK;
}

bool draft_may_aggregate(const Draft *draft) {
    assert(draft->planner);
    return draft->kind != PLAN_PULL ||
           (draft->scope.source_count > 0 &&
            planner_setting_on(draft->planner, "weir.extensions", true));
}

ErrCode draft_aggregate(Draft *draft, Err *err) {
    const AstQuery *ast = draft->ast;
    const Expr *having;
    PlanWindow window;
    TRY(aggregate_having(draft, &having, err));
    TRY(aggregate_clauses(draft, err));
    if (ast->group_by_count == 0 && draft->aggregates.count == 0)
        return ERR_OK;
    TRY(aggregate_groups(draft, err));
    TRY(draft_window(draft, &window, err));
    aggregate_names(draft);
    TRY(aggregate_undo(draft, err));
    if (draft->kind != PLAN_PULL)
        TRY(draft_kafka_sources(draft, "GROUP BY", err));
    if (draft->kind != PLAN_PULL && draft->top->is_table && !draft->top->old_known)
        draft_unsupported(draft, "A windowed table can be aggregated with GROUP BY only.");
    TRY(group_items(draft, err));
    group_nodes(draft, &window);
    TRY(group_having(draft, having, err));
    for (uint32_t i = 0; i < draft->key_count; i++)
        draft->keys[i].expr = expr_column(draft->planner->arena, i, draft->keys[i].expr->type,
                                          draft->keys[i].text);
    return ERR_OK;
}
