/*
 * join_foreign.c - tables with tables by a foreign key: the result has the left table's key.
 */
#include <assert.h>

#include "planner/join_impl.h"

static ErrCode foreign_check(JoinPlan *join, JoinClause *clause, Err *err) {
    const Scope *scope = &join->draft->scope;
    Arena *arena = join->draft->planner->arena;
    const Source *left = scope->sources[clause->left_source].source;
    const Source *right = scope->sources[clause->right].source;
    TRY(join_tables_check(join, clause, err));
    if (clause->right > 1)
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join condition: foreign-key table-table joins are "
                                       "not supported as part of n-way joins. Got %s.",
                                       clause->got),
                          err);
    if (left->topic.window != WINDOW_NONE || right->topic.window != WINDOW_NONE)
        return join_fails(join, clause,
                          "Foreign-key table-table joins are not supported on windowed tables.",
                          err);
    if (clause->kind == AST_JOIN_FULL)
        return join_fails(join, clause,
                          arena_printf(arena,
                                       "Invalid join type: full-outer join not supported for "
                                       "foreign-key table-table join. Got %s %s %s.",
                                       left->name, join_word(clause->kind), right->name),
                          err);
    if (clause->kind == AST_JOIN_RIGHT)
        return join_fails(join, clause, "RIGHT OUTER JOIN on a foreign key is not supported", err);
    return ERR_OK;
}

/* Columns [from, from + count) of another schema, behind those there are. */
static void add_columns(Schema *schema, SchemaColumn *columns, const Schema *source, uint32_t from,
                        uint32_t count) {
    assert(from + count <= source->column_count);
    for (uint32_t i = 0; i < count; i++) {
        columns[schema->column_count] = source->columns[from + i];
        columns[schema->column_count++].role = COLUMN_VALUE;
    }
}

static void add_note(Schema *schema, SchemaColumn *columns) {
    columns[schema->column_count++] =
        (SchemaColumn){.name = "KSQL_NOTE", .type = &type_bigint, .role = COLUMN_VALUE};
}

/* Rows of `node` in the partitions of their key. */
static PlanNode *add_repartition(JoinPlan *join, const char *path, const PlanNode *node) {
    Arena *arena = join->draft->planner->arena;
    const Schema *schema = node->schema;
    const Expr **exprs = arena_array(arena, schema->column_count, sizeof *exprs);
    for (uint32_t i = 0; i < schema->column_count; i++)
        exprs[i] = expr_column(arena, i, schema->columns[i].type, schema->columns[i].name);
    PlanNode *moved = draft_add(join->draft, PLAN_REPARTITION, path, node);
    moved->exprs = exprs;
    return moved;
}

/* The left table's rows under the foreign key. */
static PlanNode *add_subscribe(JoinPlan *join, const JoinClause *clause, const PlanNode *left) {
    Arena *arena = join->draft->planner->arena;
    Schema *schema = arena_alloc(arena, sizeof *schema);
    SchemaColumn *columns = arena_array(arena, left->schema->column_count + 2, sizeof *columns);
    *schema = (Schema){columns, 1, 1};
    columns[0] = (SchemaColumn){.name = "KSQL_FOREIGN_KEY", .type = clause->left->type,
                                .role = COLUMN_KEY};
    add_columns(schema, columns, left->schema, 0, left->schema->column_count);
    add_note(schema, columns);
    PlanNode *node = draft_add(join->draft, PLAN_SUBSCRIBE, "ForeignKey", left);
    node->schema = schema;
    node->is_table = node->old_known = false;
    node->join = clause->kind == AST_JOIN_LEFT ? JOIN_LEFT : JOIN_INNER;
    return node;
}

/* Results under the left table's key. */
static PlanNode *add_join(JoinPlan *join, const PlanNode *left, const PlanNode *right,
                          uint32_t key_count) {
    Arena *arena = join->draft->planner->arena;
    Schema *schema = arena_alloc(arena, sizeof *schema);
    uint32_t left_count = left->schema->column_count - 2;
    SchemaColumn *columns = arena_array(arena, left_count + right->schema->column_count + 1,
                                        sizeof *columns);
    *schema = (Schema){columns, 0, key_count};
    add_columns(schema, columns, left->schema, 1, left_count);
    add_columns(schema, columns, right->schema, 0, right->schema->column_count);
    add_note(schema, columns);
    for (uint32_t i = 0; i < key_count; i++)
        columns[i].role = COLUMN_KEY;
    PlanNode *node = draft_add(join->draft, PLAN_JOIN_FOREIGN, "Join", left);
    node->inputs[1] = right->id;
    node->input_count = 2;
    node->schema = schema;
    return node;
}

/* SUBSCRIBE, JOIN_FOREIGN, RESOLVE, each where its rows' keys are (plan.h). */
static void foreign_nodes(JoinPlan *join, const JoinClause *clause) {
    JoinInputs inputs;
    join_inputs(join, clause, &inputs);
    assert(inputs.left->is_table && inputs.right->is_table && clause->right == 1);
    uint32_t key_count = inputs.left->schema->key_count;
    /* Places as of the left input, to bind the foreign key; then there is no column before them. */
    for (uint32_t g = 0; g < join->width; g++)
        join->place[g] -= join->place[g] > 0;
    PlanNode *subscribe = add_subscribe(join, clause, inputs.left);
    subscribe->join_key = join_placed(join, clause->left);
    PlanNode *moved = add_repartition(join, "ForeignKeyed", subscribe);
    PlanNode *node = add_join(join, moved, inputs.right, key_count);
    node->join = subscribe->join;
    PlanNode *back = add_repartition(join, "LeftKeyed", node);
    Schema *schema = arena_alloc(join->draft->planner->arena, sizeof *schema);
    *schema = (Schema){back->schema->columns, back->schema->column_count - 1, key_count};
    PlanNode *table = draft_add(join->draft, PLAN_RESOLVE, "Resolve", back);
    table->schema = schema;
    table->is_table = true;
    table->join = subscribe->join;
}

/* A join on a foreign key keeps the left table's key. */
static void foreign_keys(JoinPlan *join, const JoinClause *clause) {
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

const JoinShape join_shape_foreign = {
    .check = foreign_check,
    .nodes = foreign_nodes,
    .keys = foreign_keys,
    .own_key = true,
};
