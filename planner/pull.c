/*
 * pull.c - lookups: SELECT without EMIT, over the store of the query that keeps the table; or
 * without FROM (an addition), over one row that has no columns.
 *
 *   STORE -> what stands between that store and its sink, again -> FILTER -> PROJECT -> RESULT
 *   SOURCE (a stream) -> FILTER -> PROJECT -> RESULT
 *   ROW -> FILTER -> FLAT_MAP -> PROJECT -> RESULT
 *
 * Aggregates and GROUP BY (an addition) put PROJECT -> AGGREGATE -> FILTER before the last PROJECT.
 */
#include <assert.h>
#include <string.h>

#include "data/number_text.h"
#include "planner/planner_impl.h"

/* -- What a lookup may not say ----------------------------------------------------------------- */

static ErrCode pull_clause(AstPos pos, const char *clause, Err *err) {
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "Pull queries don't support %s clauses. See https://cnfl.io/queries for more "
                      "info.\nAdd EMIT CHANGES if you intended to issue a push query.",
                      clause);
}

static ErrCode pull_clauses(const Planner *planner, const AstQuery *ast, Err *err) {
    assert(ast);
    if (ast->source_count > 1)
        return pull_clause(ast->sources[1].pos, "JOIN", err);
    if (ast->window.kind != AST_WINDOW_NONE)
        return pull_clause(ast->window.pos, "WINDOW", err);
    bool groups = planner_setting_on(planner, "weir.extensions", true);
    if (ast->group_by && !groups)
        return pull_clause(ast->pos, "GROUP BY", err);
    if (ast->partition_by)
        return pull_clause(ast->pos, "PARTITION BY", err);
    if (ast->having && !groups)
        return pull_clause(ast->having->pos, "HAVING", err);
    return ERR_OK;
}

static ErrCode pull_no_place(const Expr *expr, const char *clause, Err *err) {
    const Expr *found = expr_find_place(expr);
    if (!found)
        return ERR_OK;
    return err_set(err, ERR_SEMANTIC,
                   "Pull queries don't support the following columns in %s clauses: `%s`", clause,
                   found->pseudo == PSEUDO_ROWOFFSET ? "ROWOFFSET" : "ROWPARTITION");
}

/* -- The store --------------------------------------------------------------------------------- */

static ErrCode pull_not_queryable(const Draft *draft, const Source *source, Err *err) {
    AstPos pos = draft->ast->sources[0].pos;
    return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                      "The `%s` table isn't queryable. To derive a queryable table, you can do "
                      "'CREATE TABLE QUERYABLE_%s AS SELECT * FROM %s'. See "
                      "https://cnfl.io/queries for more info.",
                      source->name, source->name, source->name);
}

/* The node that reads node `id`; NULL: none. */
static const PlanNode *plan_reader(const Plan *plan, uint32_t id) {
    assert(plan);
    for (uint32_t i = id + 1; i < plan->node_count; i++) {
        if (plan->nodes[i]->input_count == 1 && plan->nodes[i]->inputs[0] == id)
            return plan->nodes[i];
    }
    return NULL;
}

/* The steps from the store to the sink again, over its present rows. */
static ErrCode pull_store(Draft *draft, const Source *source, Err *err) {
    const PlannerHost *host = draft->planner->host;
    const Plan *owner = source->query_id ? host->query_plan(host->context, source->query_id) : NULL;
    if (!owner || owner->materialized < 0)
        return pull_not_queryable(draft, source, err);
    assert((uint32_t)owner->materialized < owner->node_count);
    const PlanNode *kept = owner->nodes[owner->materialized];
    PlanNode *store = draft_add(draft, PLAN_STORE, "Store", NULL);
    store->schema = kept->schema;
    store->windowed = kept->windowed;
    store->topic = &source->topic;
    store->store_query = owner->query_id;
    store->store_path = kept->path;
    const PlanNode *next = plan_reader(owner, kept->id);
    for (; next && next->kind != PLAN_SINK; next = plan_reader(owner, next->id)) {
        if (next->kind != PLAN_FILTER && next->kind != PLAN_PROJECT)
            return pull_not_queryable(draft, source, err);
        PlanNode *copy = draft_add(draft, next->kind, next->path, draft->top);
        copy->schema = next->schema;
        copy->predicate = next->predicate;
        copy->exprs = next->exprs;
    }
    assert(schema_equal(draft->top->schema, source->topic.schema));
    return ERR_OK;
}

/* The table's key columns are the store's, in the same order: only then keys can be looked up. */
static bool pull_keys_kept(const Draft *draft) {
    for (size_t i = 0; i < draft->node_count; i++) {
        const PlanNode *node = draft->nodes[i];
        for (uint32_t k = 0; node->kind == PLAN_PROJECT && k < node->schema->key_count; k++) {
            if (node->exprs[k]->kind != EXPR_COLUMN || node->exprs[k]->column != k)
                return false;
        }
    }
    return draft->nodes[0]->schema->key_count == draft->top->schema->key_count;
}

/* -- ORDER BY ---------------------------------------------------------------------------------- */

/* An item's name, its place, or any expression (which becomes a hidden item). */
static ErrCode pull_order_item(Draft *draft, const AstOrder *ast, uint32_t visible,
                               uint32_t *column, Err *err) {
    assert(ast);
    assert(column);
    int64_t place;
    bool name = ast->expr->kind == AST_COLUMN && !ast->expr->qualifier;
    for (uint32_t i = 0; name && i < visible; i++) {
        if (strcmp(draft->items[i].name, ast->expr->name) == 0) {
            *column = i;
            return ERR_OK;
        }
    }
    if (ast->expr->kind == AST_INTEGER && number_parse_i64(ast->expr->text, &place)) {
        if (place < 1 || place > visible)
            return err_set_at(err, ERR_SEMANTIC, ast->expr->pos.line, ast->expr->pos.column,
                              "ORDER BY %lld: there are %u columns.", (long long)place, visible);
        *column = (uint32_t)place - 1;
        return ERR_OK;
    }
    Binder binder = draft_binder(draft, "ORDER BY");
    binder.aggregates = draft_may_aggregate(draft) ? &draft->aggregates : NULL;
    const Expr *expr;
    TRY(bind_expr(&binder, ast->expr, &expr, err));
    TRY(pull_no_place(expr, "ORDER BY", err));
    if (type_is_nested(expr->type) || expr->type->kind == TYPE_NULL)
        return err_set_at(err, ERR_TYPE, ast->expr->pos.line, ast->expr->pos.column,
                          "ORDER BY needs values that have an order, but %s is %s.", expr->text,
                          type_text(draft->planner->arena, expr->type));
    *column = (uint32_t)draft->item_count;
    return draft_item(draft, arena_printf(draft->planner->arena, "KSQL_ORDER_%u", *column), expr,
                      err);
}

static ErrCode pull_order(Draft *draft, Plan *plan, Err *err) {
    assert(plan);
    const AstQuery *ast = draft->ast;
    uint32_t visible = (uint32_t)draft->item_count;
    PlanOrder *order = arena_array(draft->planner->arena, ast->order_by_count, sizeof *order);
    for (uint32_t i = 0; i < ast->order_by_count; i++) {
        TRY(pull_order_item(draft, &ast->order_by[i], visible, &order[i].column, err));
        order[i].descending = ast->order_by[i].descending;
    }
    plan->order = order;
    plan->order_count = ast->order_by_count;
    plan->visible_count = visible;
    return ERR_OK;
}

static ErrCode pull_limits(Draft *draft, Plan *plan, Err *err) {
    assert(plan);
    const AstQuery *ast = draft->ast;
    TRY(draft_limit(draft, err));
    if (ast->has_limit &&
        !planner_setting_on(draft->planner, "ksql.query.pull.limit.clause.enabled", true))
        return err_set(err, ERR_SEMANTIC,
                       "LIMIT clause in pull queries is currently disabled. You can enable them by "
                       "setting ksql.query.pull.limit.clause.enabled=true.");
    if (!ast->has_offset)
        return ERR_OK;
    if (!number_parse_i64(ast->offset, &plan->offset) || plan->offset < 0)
        return err_set_at(err, ERR_SYNTAX, ast->pos.line, ast->pos.column,
                          "OFFSET must be a number of rows.");
    return ERR_OK;
}

/* -- The statement ----------------------------------------------------------------------------- */

/* Selected key columns and window bounds are told apart for the client. */
static void pull_roles(Draft *draft) {
    Arena *arena = draft->planner->arena;
    const Schema *schema = draft->top->schema;
    SchemaColumn *columns = arena_array(arena, schema->column_count, sizeof *columns);
    uint32_t key_count = draft->scope.source_count == 0
                             ? 0
                             : draft->scope.sources[0].source->topic.schema->key_count;
    if (draft->aggregates.count > 0)
        key_count = draft->ast->group_by_count; /* the columns are the AGGREGATE's */
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const Expr *expr = draft->items[i].expr;
        columns[i] = schema->columns[i];
        if ((expr->kind == EXPR_COLUMN && expr->column < key_count) ||
            (expr->kind == EXPR_PSEUDO &&
             (expr->pseudo == PSEUDO_WINDOWSTART || expr->pseudo == PSEUDO_WINDOWEND)))
            columns[i].role = COLUMN_KEY;
    }
    Schema *told = arena_alloc(arena, sizeof *told);
    *told = (Schema){columns, schema->column_count, 0};
    draft->top->schema = told; /* of the last projection, and so of the RESULT */
}

static ErrCode pull_items(Draft *draft, Err *err) {
    TRY(draft_items(draft, err));
    for (size_t i = 0; i < draft->item_count; i++)
        TRY(pull_no_place(draft->items[i].expr, "SELECT", err));
    for (size_t i = 0; i < draft->aggregates.count; i++)
        for (uint32_t k = 0; k < draft->aggregates.calls[i].arg_count; k++)
            TRY(pull_no_place(draft->aggregates.calls[i].args[k], "SELECT", err));
    return ERR_OK;
}

/* What is read: a store, a stream, or (NULL) nothing. */
static ErrCode pull_from(Draft *draft, const Source **source, Err *err) {
    assert(source);
    *source = NULL;
    if (draft->ast->source_count == 0) {
        PlanNode *row = draft_add(draft, PLAN_ROW, "Row", NULL);
        row->schema = arena_alloc(draft->planner->arena, sizeof *row->schema);
        return ERR_OK;
    }
    TRY(draft_from(draft, err));
    *source = draft->scope.sources[0].source;
    draft->node_count = 0; /* rows come from the store */
    draft->materialized = NULL;
    if ((*source)->is_table)
        return pull_store(draft, *source, err);
    if (!planner_setting_on(draft->planner, "ksql.query.pull.stream.enabled", true))
        return err_set(err, ERR_SEMANTIC,
                       "Pull queries on streams are disabled. To create a push query on the stream,"
                       " add EMIT CHANGES to the end. To enable pull queries on streams, set the "
                       "ksql.query.pull.stream.enabled config to 'true'.");
    draft_source_nodes(draft, *source, "KsqlTopic");
    return ERR_OK;
}

ErrCode plan_pull(Planner *planner, Planned *planned, Err *err) {
    assert(planned);
    const AstQuery *ast = planner->statement->query;
    Draft draft = {.planner = planner, .ast = ast, .kind = PLAN_PULL};
    Plan *plan = arena_alloc(planner->arena, sizeof *plan);
    const Source *source;
    TRY(pull_clauses(planner, ast, err));
    TRY(pull_limits(&draft, plan, err));
    if (ast->source_count > 0 && !planner_setting_on(planner, "ksql.pull.queries.enable", true))
        return err_set(err, ERR_SEMANTIC, "Pull queries are disabled: ksql.pull.queries.enable is "
                       "false.");
    TRY(pull_from(&draft, &source, err));
    bool keys_kept = source && source->is_table && pull_keys_kept(&draft);
    PlanNode *before = draft.top;
    TRY(draft_where(&draft, err));
    const Expr *where = draft.top == before ? NULL : draft.top->predicate;
    if (where)
        TRY(pull_no_place(where, "WHERE", err));
    TRY(pull_items(&draft, err));
    TRY(draft_flat_map(&draft, err));
    TRY(pull_order(&draft, plan, err));
    if (source)
        TRY(draft_aggregate(&draft, err));
    plan->one_group = draft.aggregates.count > 0 && ast->group_by_count == 0;
    TRY(draft_project_plain(&draft, err));
    if (!source || source->is_table)
        pull_roles(&draft);
    draft_add(&draft, PLAN_RESULT, "Result", draft.top);
    plan->partition_count = source ? source->partition_count : 1;
    TRY(draft_finish(&draft, plan, err));
    if (keys_kept)
        TRY(lookup_conditions(planner, source, where, &plan->lookup, err));
    planned->kind = PLANNED_PULL;
    planned->plan = plan;
    return ERR_OK;
}
