/*
 * join_nodes.c - the nodes of a join: both inputs, moved to the key where they must, and itself.
 *
 * While joins are bound, the columns and pseudo columns of all sources are numbered through
 * (JoinPlan.first); `place` says which column of the rows so far holds each.
 */
#include <assert.h>

#include "planner/join_impl.h"

static const struct JoinPseudo {
    const char *name;
    ExprPseudo pseudo;
} join_pseudos[] = {{"ROWTIME", PSEUDO_ROWTIME},
                    {"ROWPARTITION", PSEUDO_ROWPARTITION},
                    {"ROWOFFSET", PSEUDO_ROWOFFSET},
                    {"WINDOWSTART", PSEUDO_WINDOWSTART},
                    {"WINDOWEND", PSEUDO_WINDOWEND}};

/* -- Numbers ----------------------------------------------------------------------------------- */

static uint32_t pseudo_count(const Source *source) {
    assert(source);
    return source->topic.window == WINDOW_NONE ? 3 : 5;
}

uint32_t join_source_width(const Source *source) {
    return source->topic.schema->column_count + pseudo_count(source);
}

/* What source number `s` has at place `index`, from its own columns through its pseudo columns. */
static SchemaColumn source_column(const Source *source, uint32_t index) {
    const Schema *schema = source->topic.schema;
    assert(index < join_source_width(source));
    if (index < schema->column_count)
        return schema->columns[index];
    const struct JoinPseudo *row = &join_pseudos[index - schema->column_count];
    return (SchemaColumn){.name = row->name,
                          .type = row->pseudo == PSEUDO_ROWPARTITION ? &type_int : &type_bigint};
}

void join_scope(JoinPlan *join) {
    Draft *draft = join->draft;
    Arena *arena = draft->planner->arena;
    join->first = arena_array(arena, draft->scope.source_count, sizeof *join->first);
    for (uint32_t s = 0; s < draft->scope.source_count; s++) {
        const ScopeSource *source = &draft->scope.sources[s];
        join->first[s] = join->width;
        for (uint32_t i = 0; i < join_source_width(source->source); i++) {
            SchemaColumn column = source_column(source->source, i);
            const char *text = arena_printf(arena, "%s.%s",
                                            planner_name(draft->planner, source->alias),
                                            planner_name(draft->planner, column.name));
            Expr *expr = expr_column(arena, join->width++, column.type, text);
            bool pseudo = i >= source->source->topic.schema->column_count;
            scope_add(draft->planner, &draft->scope, (ScopeColumn){s, column.name, expr, pseudo});
        }
    }
    join->place = arena_array(arena, join->width, sizeof *join->place);
}

/* -- Places ------------------------------------------------------------------------------------ */

/* Numbers through to columns of the rows so far. */
static const Expr *join_place_map(void *context, const Expr *expr) {
    const JoinPlan *join = context;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    return expr_column(join->draft->planner->arena, join->place[expr->column], expr->type,
                       expr->text);
}

const Expr *join_placed(JoinPlan *join, const Expr *expr) {
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

/* -- Inputs ------------------------------------------------------------------------------------ */

/* Columns of one source as ALIAS_NAME, from `at` on: its own, then its pseudo columns. */
static void join_source_columns(const JoinPlan *join, uint32_t s, SchemaColumn *columns,
                                const Expr **exprs, uint32_t at) {
    const Draft *draft = join->draft;
    Arena *arena = draft->planner->arena;
    const ScopeSource *source = &draft->scope.sources[s];
    const Schema *schema = source->source->topic.schema;
    for (uint32_t i = 0; i < join_source_width(source->source); i++) {
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

/* Numbers through to what reads them from the source's own rows. */
typedef struct SourceMap {
    Arena *arena;
    uint32_t first, width;
    const Expr *const *exprs;
} SourceMap;

static const Expr *source_map(void *context, const Expr *expr) {
    const SourceMap *map = context;
    if (expr->kind != EXPR_COLUMN)
        return NULL;
    assert(expr->column >= map->first && expr->column - map->first < map->width);
    Expr *own = arena_alloc(map->arena, sizeof *own);
    *own = *map->exprs[expr->column - map->first];
    own->text = expr->text;
    return own;
}

/* A source's rows with all its columns; `key` in front where they move to another key. */
static PlanNode *join_source(JoinPlan *join, uint32_t s, const Expr *key, const char *side) {
    Draft *draft = join->draft;
    Arena *arena = draft->planner->arena;
    const Source *source = draft->scope.sources[s].source;
    uint32_t width = join_source_width(source), at = key ? 1 : 0;
    SchemaColumn *columns = arena_array(arena, width + 1, sizeof *columns);
    const Expr **exprs = arena_array(arena, width + 1, sizeof *exprs);
    const char *path = arena_printf(arena, "KafkaTopic_%s", side);
    PlanNode *node = draft_add(draft, PLAN_SOURCE, path, NULL);
    node->topic = &source->topic;
    node->schema = source->topic.schema;
    node->is_table = source->is_table;
    node->windowed = source->topic.window != WINDOW_NONE;
    join_source_columns(join, s, columns, exprs, at);
    if (key) {
        SourceMap map = {arena, join->first[s], width, exprs + at};
        exprs[0] = expr_map(arena, key, source_map, &map);
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
    assert(plan_is_join(draft->top->kind) || draft->top->kind == PLAN_RESOLVE);
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

void join_inputs(JoinPlan *join, const JoinClause *clause, JoinInputs *inputs) {
    assert(clause->left && clause->right_expr && clause->right >= 1);
    const Draft *draft = join->draft;
    if (clause->right == 1)
        inputs->left = join_source(join, 0, clause->rekey ? clause->left : NULL, "Left");
    else
        inputs->left = clause->rekey ? join_rekey(join, clause->left) : draft->top;
    const Expr *right_key = clause->rekey_right ? clause->right_expr : NULL;
    inputs->right = join_source(join, clause->right, right_key, "Right");
    if (clause->note)
        (clause->rekey ? inputs->left : inputs->right)->note = clause->note;
    uint32_t left_count = inputs->left->schema->column_count;
    uint32_t right_width = join_source_width(draft->scope.sources[clause->right].source);
    for (uint32_t g = 0; g < join->first[clause->right]; g++)
        join->place[g] += 1;
    for (uint32_t g = 0; g < right_width; g++)
        join->place[join->first[clause->right] + g] += 1 + left_count;
}

PlanNode *join_add(JoinPlan *join, const JoinClause *clause, PlanNodeKind kind,
                   const JoinInputs *inputs) {
    static const PlanJoinKind kinds[] = {[AST_JOIN_INNER] = JOIN_INNER,
                                         [AST_JOIN_LEFT] = JOIN_LEFT,
                                         [AST_JOIN_RIGHT] = JOIN_RIGHT,
                                         [AST_JOIN_FULL] = JOIN_FULL};
    assert(plan_is_join(kind) && clause->kind != AST_JOIN_NONE);
    PlanNode *node = draft_add(join->draft, kind, "Join", inputs->left);
    node->inputs[1] = inputs->right->id;
    node->input_count = 2;
    node->schema = join_output(join, inputs->left, inputs->right, clause->left->type);
    node->join = kinds[clause->kind];
    node->is_table = clause->left_is_table;
    node->old_known = false;
    return node;
}

/* -- Further conditions ------------------------------------------------------------------------ */

/* A row that found another which does not fit is as if it had found none: the other's columns are
 * NULL. `right`: the other is the right side. */
static void join_unmatch(JoinPlan *join, const JoinClause *clause, const Expr *fits, bool right) {
    Draft *draft = join->draft;
    Arena *arena = draft->planner->arena;
    const Schema *schema = draft->top->schema;
    uint32_t first = join->place[join->first[clause->right]];
    const Expr **exprs = arena_array(arena, schema->column_count, sizeof *exprs);
    assert(first > 0 && first < schema->column_count);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        const SchemaColumn *column = &schema->columns[i];
        exprs[i] = expr_column(arena, i, column->type, column->name);
        if (right ? i < first : i == 0 || i >= first)
            continue;
        const Expr **args = arena_array(arena, 3, sizeof *args);
        args[0] = fits;
        args[1] = exprs[i];
        args[2] = expr_null(arena, column->type);
        Expr *either = expr_new(arena, EXPR_CASE, column->type, args, 3);
        either->text = arena_printf(arena, "CASE WHEN %s THEN %s END", fits->text, column->name);
        exprs[i] = either;
    }
    PlanNode *node = draft_project(draft, "JoinCondition", schema, exprs);
    node->note = "the join has several conditions";
}

ErrCode join_also(JoinPlan *join, const JoinClause *clause, Err *err) {
    assert(clause->also);
    const Expr *fits = join_placed(join, clause->also);
    if (clause->kind == AST_JOIN_INNER) {
        PlanNode *node = draft_add(join->draft, PLAN_FILTER, "JoinCondition", join->draft->top);
        node->predicate = fits;
        return ERR_OK;
    }
    if (clause->shape == &join_shape_stream) { /* whom a row meets decides whether it waits */
        assert(join->draft->top->kind == PLAN_JOIN_STREAM);
        join->draft->top->predicate = fits;
        return ERR_OK;
    }
    if (clause->kind == AST_JOIN_FULL)
        return join_fails(join, clause,
                          "A FULL join of tables takes one condition: rows of both sides that do "
                          "not fit would have the same key. Use LEFT or RIGHT, or join with "
                          "further conditions in WHERE.",
                          err);
    join_unmatch(join, clause, fits, clause->kind == AST_JOIN_LEFT);
    return ERR_OK;
}
