/*
 * join_plan.c - FROM a JOIN b: which rows meet, what they are called, which key they have.
 *
 *   a: SOURCE -> PROJECT (or REPARTITION to the join's key)  \
 *   b: SOURCE -> PROJECT                                      > JOIN_TABLE -> next join, or WHERE
 *
 * While joins are bound, the columns and pseudo columns of all sources are numbered through
 * (JoinPlan.first); `place` says which column of the rows so far holds each. Columns nobody reads
 * fall away when the plan is finished (used.c).
 */
#include <assert.h>
#include <string.h>

#include "planner/join_impl.h"

static const struct JoinPseudo {
    const char *name;
    ExprPseudo pseudo;
} join_pseudos[] = {{"ROWTIME", PSEUDO_ROWTIME},
                    {"ROWPARTITION", PSEUDO_ROWPARTITION},
                    {"ROWOFFSET", PSEUDO_ROWOFFSET},
                    {"WINDOWSTART", PSEUDO_WINDOWSTART},
                    {"WINDOWEND", PSEUDO_WINDOWEND}};

static uint32_t pseudo_count(const Source *source) {
    assert(source);
    return source->topic.window == WINDOW_NONE ? 3 : 5;
}

static uint32_t source_width(const Source *source) {
    return source->topic.schema->column_count + pseudo_count(source);
}

/* -- Names ------------------------------------------------------------------------------------- */

/* Fills the scope with all columns under their numbers. */
static void join_scope(JoinPlan *join) {
    Draft *draft = join->draft;
    Arena *arena = draft->planner->arena;
    join->first = arena_array(arena, draft->scope.source_count, sizeof *join->first);
    for (uint32_t s = 0; s < draft->scope.source_count; s++) {
        const ScopeSource *source = &draft->scope.sources[s];
        const Schema *schema = source->source->topic.schema;
        join->first[s] = join->width;
        for (uint32_t i = 0; i < source_width(source->source); i++) {
            bool pseudo = i >= schema->column_count;
            const struct JoinPseudo *row = &join_pseudos[pseudo ? i - schema->column_count : 0];
            const char *name = pseudo ? row->name : schema->columns[i].name;
            const Type *type = !pseudo                                 ? schema->columns[i].type
                               : row->pseudo == PSEUDO_ROWPARTITION ? &type_int
                                                                       : &type_bigint;
            const char *text = arena_printf(arena, "%s.%s",
                                            planner_name(draft->planner, source->alias),
                                            planner_name(draft->planner, name));
            Expr *expr = expr_column(arena, join->width++, type, text);
            scope_add(draft->planner, &draft->scope, (ScopeColumn){s, name, expr, pseudo});
        }
    }
    join->place = arena_array(arena, join->width, sizeof *join->place);
}

/* The names of sources and aliases: each source once. */
static ErrCode join_names(const Draft *draft, Err *err) {
    const Scope *scope = &draft->scope;
    for (uint32_t i = 0; i < scope->source_count; i++) {
        AstPos pos = scope->sources[i].pos;
        const char *name = scope->sources[i].source->name;
        for (uint32_t j = 0; j < i; j++) {
            if (scope->sources[j].source == scope->sources[i].source && scope->source_count == 2)
                return err_set_at(err, ERR_SEMANTIC, pos.line, pos.column,
                                  "Can not join '%s' to '%s': self joins are not yet supported.",
                                  name, name);
            if (scope->sources[j].source == scope->sources[i].source)
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

/* -- Nodes ------------------------------------------------------------------------------------- */

/* Columns of one source as ALIAS_NAME, from `at` on: its own, then its pseudo columns. */
static void join_source_columns(const JoinPlan *join, uint32_t s, SchemaColumn *columns,
                                const Expr **exprs, uint32_t at) {
    const Draft *draft = join->draft;
    Arena *arena = draft->planner->arena;
    const ScopeSource *source = &draft->scope.sources[s];
    const Schema *schema = source->source->topic.schema;
    for (uint32_t i = 0; i < source_width(source->source); i++) {
        const ScopeColumn *column = &draft->scope.columns[join->first[s] + i];
        columns[at + i] = (SchemaColumn){
            .name = arena_printf(arena, "%s_%s", source->alias, column->name),
            .type = column->expr->type,
            .role = at == 0 && i < schema->key_count ? COLUMN_KEY : COLUMN_VALUE};
        if (column->pseudo)
            exprs[at + i] = expr_pseudo(arena, join_pseudos[i - schema->column_count].pseudo,
                                        column->name);
        else
            exprs[at + i] = expr_column(arena, i, column->expr->type, column->name);
    }
}

/* Numbers through to columns of the rows so far. */
static const Expr *join_place_map(void *context, const Expr *expr) {
    const JoinPlan *join = context;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    return expr_column(join->draft->planner->arena, join->place[expr->column], expr->type,
                       expr->text);
}

static const Expr *join_placed(JoinPlan *join, const Expr *expr) {
    assert(join->place && expr);
    return expr_map(join->draft->planner->arena, expr, join_place_map, join);
}

static const Schema *join_schema(const JoinPlan *join, const SchemaColumn *columns, uint32_t count,
                                 uint32_t key_count) {
    assert(key_count <= count);
    Schema *schema = arena_alloc(join->draft->planner->arena, sizeof *schema);
    *schema = (Schema){columns, count, key_count};
    return schema;
}

/* A source's rows with all its columns; `key` in front where they move to another key. */
static PlanNode *join_source(JoinPlan *join, uint32_t s, const Expr *key, const char *side) {
    Draft *draft = join->draft;
    Arena *arena = draft->planner->arena;
    const Source *source = draft->scope.sources[s].source;
    uint32_t width = source_width(source), at = key ? 1 : 0;
    SchemaColumn *columns = arena_array(arena, width + 1, sizeof *columns);
    const Expr **exprs = arena_array(arena, width + 1, sizeof *exprs);
    const char *path = arena_printf(arena, "KafkaTopic_%s", side);
    PlanNode *node = draft_add(draft, PLAN_SOURCE, path, NULL);
    node->topic = &source->topic;
    node->schema = source->topic.schema;
    node->is_table = source->is_table;
    node->windowed = source->topic.window != WINDOW_NONE;
    join_source_columns(join, s, columns, exprs, at);
    for (uint32_t i = 0; i < width; i++)
        join->place[join->first[s] + i] = i;
    if (key) {
        /* Computed over the source's own columns, which have the numbers of their places. */
        exprs[0] = join_placed(join, key);
        columns[0] = (SchemaColumn){.name = "KSQL_JOIN_KEY", .type = key->type, .role = COLUMN_KEY};
    }
    for (uint32_t i = 0; i < width; i++)
        join->place[join->first[s] + i] = at + i;
    node = draft_add(draft, key ? PLAN_REPARTITION : PLAN_PROJECT,
                     arena_printf(arena, key ? "%sSourceKeyed" : "PrependAlias%s", side), node);
    node->schema = join_schema(join, columns, width + at,
                               key ? 1 : source->topic.schema->key_count);
    node->exprs = exprs;
    return node;
}

/* Joined rows under the key of the next join: column 0 is replaced. */
static PlanNode *join_rekey(JoinPlan *join, const Expr *key) {
    Draft *draft = join->draft;
    Arena *arena = draft->planner->arena;
    assert(draft->top->kind == PLAN_JOIN_TABLE);
    const Schema *schema = draft->top->schema;
    SchemaColumn *columns = arena_array(arena, schema->column_count, sizeof *columns);
    const Expr **exprs = arena_array(arena, schema->column_count, sizeof *exprs);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        columns[i] = schema->columns[i];
        exprs[i] = expr_column(arena, i, columns[i].type, columns[i].name);
    }
    exprs[0] = join_placed(join, key);
    columns[0].type = key->type;
    PlanNode *node = draft_add(draft, PLAN_REPARTITION, "LeftSourceKeyed", draft->top);
    node->schema = join_schema(join, columns, schema->column_count, 1);
    node->exprs = exprs;
    return node;
}

/* key, all of the left, all of the right. */
static const Schema *join_output(const JoinPlan *join, const PlanNode *left,
                                 const PlanNode *right, const Type *key) {
    assert(left && right);
    uint32_t left_count = left->schema->column_count, right_count = right->schema->column_count;
    SchemaColumn *columns = arena_array(join->draft->planner->arena, 1 + left_count + right_count,
                                        sizeof *columns);
    columns[0] = (SchemaColumn){.name = "KSQL_JOIN_KEY", .type = key, .role = COLUMN_KEY};
    for (uint32_t i = 0; i < left_count + right_count; i++) {
        columns[1 + i] = i < left_count ? left->schema->columns[i]
                                        : right->schema->columns[i - left_count];
        columns[1 + i].role = COLUMN_VALUE;
    }
    return join_schema(join, columns, 1 + left_count + right_count, 1);
}

static void join_nodes(JoinPlan *join, const JoinClause *clause) {
    assert(clause);
    Draft *draft = join->draft;
    assert(clause->left && clause->right_expr && clause->right >= 1);
    bool first = clause->right == 1;
    PlanNode *left = first ? join_source(join, 0, clause->rekey ? clause->left : NULL, "Left")
                     : clause->rekey ? join_rekey(join, clause->left)
                                     : draft->top;
    PlanNode *right = join_source(join, clause->right, NULL, "Right");
    uint32_t left_count = left->schema->column_count;
    for (uint32_t g = 0; g < join->first[clause->right]; g++)
        join->place[g] += 1;
    for (uint32_t g = 0; g < source_width(draft->scope.sources[clause->right].source); g++)
        join->place[join->first[clause->right] + g] += 1 + left_count;
    PlanNode *node = draft_add(draft, PLAN_JOIN_TABLE, "Join", left);
    node->inputs[1] = right->id;
    node->input_count = 2;
    node->schema = join_output(join, left, right, clause->left->type);
    node->join = clause->kind == AST_JOIN_LEFT ? JOIN_LEFT : JOIN_INNER;
    node->join_key = expr_column(draft->planner->arena, 0, left->schema->columns[0].type,
                                 clause->left->text);
    node->is_table = clause->left_is_table;
    node->old_known = false;
}

/* -- Keys -------------------------------------------------------------------------------------- */

static void join_key_add(JoinPlan *join, const Expr *expr) {
    assert(expr);
    if (expr->kind == EXPR_COLUMN)
        join->keys[join->key_count++] = (ResultKey){.expr = expr,
                                                          .text = join_text(join, expr)};
}

/* What equals the key of the joined rows: these may be selected as the key. `strong`: in every row;
 * the right side of a LEFT JOIN may be missing. */
static void join_keys(JoinPlan *join, const JoinClause *clause) {
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
    if (outer) {
        join->key_count = 0;
        join->strong_count = 0;
    }
}

/* A join on a foreign key keeps the left table's key. */
static void join_keys_foreign(JoinPlan *join, const JoinClause *clause) {
    const Draft *draft = join->draft;
    const Schema *schema = draft->scope.sources[clause->left_source].source->topic.schema;
    join->key_count = 0;
    join->strong_count = 0;
    join->draft->foreign_table = draft->scope.sources[clause->left_source].alias;
    for (uint32_t i = 0; i < schema->key_count; i++)
        join_key_add(join, draft->scope.columns[join->first[clause->left_source] + i].expr);
    if (schema->key_count == 1)
        join->strong[join->strong_count++] = join->keys[0].expr;
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

/* Whether the left rows already lie where the right side's rows with their key lie. */
static bool join_in_place(const JoinPlan *join, const JoinClause *clause) {
    const PlanTopic *right = &join->draft->scope.sources[clause->right].source->topic;
    if (join->key_format != right->key.format)
        return false;
    for (uint32_t i = 0; i < join->strong_count; i++) {
        if (expr_equal(join->strong[i], clause->left))
            return true;
    }
    return false;
}

static ErrCode join_one(JoinPlan *join, uint32_t right, Err *err) {
    Draft *draft = join->draft;
    const Source *source = draft->scope.sources[right].source;
    JoinClause clause = {.right = right, .kind = draft->ast->sources[right].join};
    TRY(join_bind(join, &clause, err));
    TRY(join_check(join, &clause, err));
    bool same_key = false;
    for (uint32_t i = 0; i < join->strong_count; i++)
        same_key = same_key || expr_equal(join->strong[i], clause.left);
    clause.continues = same_key;
    clause.rekey = !join_in_place(join, &clause);
    TRY(join_check_partitions(join, &clause, err));
    join_nodes(join, &clause);
    if (clause.foreign_key)
        join_keys_foreign(join, &clause);
    else
        join_keys(join, &clause);
    join->foreign_key = clause.foreign_key;
    join->key_format = source->topic.key.format;
    join->partition_count = clause.rekey ? source->partition_count : join->partition_count;
    return ERR_OK;
}

ErrCode draft_join(Draft *draft, Err *err) {
    Arena *arena = draft->planner->arena;
    uint32_t count = draft->scope.source_count;
    const Source *left = draft->scope.sources[0].source;
    JoinPlan join = {.draft = draft, .key_format = left->topic.key.format,
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
