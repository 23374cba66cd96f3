/*
 * used.c - leaves out of a finished plan what nobody reads.
 *
 * Backwards: which columns of each node's output are needed. Forwards: PROJECT and REPARTITION drop
 * the others, what follows counts anew, and SOURCE learns which of its columns to convert.
 */
#include <assert.h>
#include <string.h>

#include "planner/planner_impl.h"

typedef struct UsedWalk {
    bool *needed;    /* columns of a node's output */
    uint32_t *place; /* where each is once the others are gone */
    uint32_t column_count;
} UsedWalk;

/* -- Backwards --------------------------------------------------------------------------------- */

static bool used_visit(void *context, const Expr *expr) {
    UsedWalk *walk = context;
    if (expr->kind == EXPR_COLUMN) {
        assert(expr->column < walk->column_count);
        walk->needed[expr->column] = true;
    }
    return false;
}

static void used_expr(UsedWalk *input, const Expr *expr) {
    expr_find(expr, used_visit, input);
}

static void used_join(const PlanNode *node, UsedWalk *self, UsedWalk *left, UsedWalk *right) {
    if (node->predicate)
        used_expr(self, node->predicate);
    if (node->join_key)
        used_expr(left, node->join_key);
    for (uint32_t i = 1; i < self->column_count; i++) {
        uint32_t column = i - 1;
        bool is_left = column < left->column_count;
        bool *needed = is_left ? &left->needed[column]
                               : &right->needed[column - left->column_count];
        *needed = *needed || self->needed[i];
    }
}

/* What the nodes of a join on a foreign key need of their inputs: see plan.h for their columns. */
static void used_foreign(const PlanNode *node, UsedWalk *walks) {
    const UsedWalk *self = &walks[node->id];
    UsedWalk *left = &walks[node->inputs[0]];
    if (node->kind == PLAN_SUBSCRIBE) {
        used_expr(left, node->join_key);
        for (uint32_t i = 0; i < left->column_count; i++)
            left->needed[i] = left->needed[i] || self->needed[1 + i];
        return;
    }
    left->needed[left->column_count - 1] = true; /* the note */
    uint32_t shift = node->kind == PLAN_JOIN_FOREIGN ? 1 : 0;
    uint32_t left_count = left->column_count - 1 - shift;
    for (uint32_t i = 0; i < left_count; i++)
        left->needed[shift + i] =
            left->needed[shift + i] || self->needed[i] || i < node->schema->key_count;
    if (node->kind == PLAN_RESOLVE)
        return;
    left->needed[0] = true;
    UsedWalk *right = &walks[node->inputs[1]];
    for (uint32_t i = 0; i < right->column_count; i++)
        right->needed[i] = right->needed[i] || self->needed[left_count + i];
}

static void used_flat_map(const PlanNode *node, const UsedWalk *self, UsedWalk *input) {
    for (uint32_t i = 0; i < input->column_count; i++)
        input->needed[i] = input->needed[i] || self->needed[i];
    for (uint32_t i = 0; i < node->table_call_count; i++) {
        for (uint32_t j = 0; j < node->table_calls[i].arg_count; j++)
            used_expr(input, node->table_calls[i].args[j]);
    }
}

/* Marks what a node needs of its input, from what is needed of itself. */
static void used_node(const PlanNode *node, const UsedWalk *self, UsedWalk *input) {
    uint32_t count = self->column_count;
    if (node->kind == PLAN_FLAT_MAP) {
        used_flat_map(node, self, input);
        return;
    }
    if (node->kind == PLAN_AGGREGATE) {
        memset(input->needed, true, input->column_count * sizeof *input->needed);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (self->needed[i] && node->exprs)
            used_expr(input, node->exprs[i]);
        else if (self->needed[i])
            input->needed[i] = true;
    }
    if (node->predicate)
        used_expr(input, node->predicate);
}

/* What is stored or sent away is needed whole; tables are told apart by their keys, and what makes
 * new rows keeps theirs. */
static void used_roots(const PlanNode *node, bool last, UsedWalk *self) {
    bool all = last || node->kind == PLAN_AGGREGATE;
    bool key = node->is_table || node->exprs;
    for (uint32_t i = 0; i < self->column_count; i++) {
        if (all || (key && i < node->schema->key_count))
            self->needed[i] = true;
    }
}

/* -- Forwards ---------------------------------------------------------------------------------- */

typedef struct UsedMap {
    Arena *arena;
    const UsedWalk *input;
} UsedMap;

static const Expr *used_map(void *context, const Expr *expr) {
    const UsedMap *map = context;
    if (expr->kind != EXPR_COLUMN || map->input->place[expr->column] == expr->column)
        return NULL;
    assert(map->input->needed[expr->column]);
    return expr_column(map->arena, map->input->place[expr->column], expr->type, expr->text);
}

/* The columns of `schema` that stay. */
static const Schema *used_schema(Arena *arena, const Schema *schema, const UsedWalk *self) {
    Schema *kept = arena_alloc(arena, sizeof *kept);
    SchemaColumn *columns = arena_array(arena, schema->column_count, sizeof *columns);
    *kept = (Schema){columns, 0, schema->key_count};
    for (uint32_t i = 0; i < schema->column_count; i++) {
        if (self->needed[i])
            columns[kept->column_count++] = schema->columns[i];
    }
    return kept;
}

static void used_places(UsedWalk *self) {
    uint32_t place = 0;
    for (uint32_t i = 0; i < self->column_count; i++)
        self->place[i] = self->needed[i] ? place++ : UINT32_MAX;
}

static void used_shrink_exprs(PlanNode *node, const UsedWalk *self, UsedMap *map) {
    const Expr **exprs = arena_array(map->arena, self->column_count, sizeof *exprs);
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->column_count; i++) {
        if (self->needed[i])
            exprs[count++] = expr_map(map->arena, node->exprs[i], used_map, map);
    }
    node->exprs = exprs;
}

static void used_shrink_calls(PlanNode *node, UsedMap *map) {
    PlanTableCall *calls = arena_array(map->arena, node->table_call_count, sizeof *calls);
    for (uint32_t i = 0; i < node->table_call_count; i++) {
        calls[i] = node->table_calls[i];
        const Expr **args = arena_array(map->arena, calls[i].arg_count, sizeof *args);
        for (uint32_t j = 0; j < calls[i].arg_count; j++)
            args[j] = expr_map(map->arena, calls[i].args[j], used_map, map);
        calls[i].args = args;
    }
    node->table_calls = calls;
}

static void used_shrink(Draft *draft, PlanNode *node, UsedWalk *walks) {
    Arena *arena = draft->planner->arena;
    UsedWalk *self = &walks[node->id];
    UsedMap map = {arena, &walks[node->inputs[0]]};
    if (node->kind == PLAN_AGGREGATE) {
        used_places(self); /* reads and makes all its columns */
        return;
    }
    if (node->exprs)
        used_shrink_exprs(node, self, &map);
    if (node->predicate && !plan_is_join(node->kind))
        node->predicate = expr_map(arena, node->predicate, used_map, &map);
    if (node->join_key)
        node->join_key = expr_map(arena, node->join_key, used_map, &map);
    const Schema *input = draft->nodes[node->inputs[0]]->schema;
    if (node->kind == PLAN_FLAT_MAP) {
        used_shrink_calls(node, &map);
    } else if (!node->exprs && !plan_is_join(node->kind) &&
               !plan_is_foreign(node->kind)) {
        /* Its columns are its input's. */
        *self = walks[node->inputs[0]];
        node->schema = input;
        return;
    }
    node->schema = used_schema(arena, node->schema, self);
    used_places(self);
    if (node->predicate && plan_is_join(node->kind)) /* over what comes out */
        node->predicate = expr_map(arena, node->predicate, used_map, &(UsedMap){arena, self});
}

/* A flat map's output has whatever its input still has, and all its calls. */
static void used_flat_map_needed(const PlanNode *node, UsedWalk *walks) {
    UsedWalk *self = &walks[node->id];
    const UsedWalk *input = &walks[node->inputs[0]];
    for (uint32_t i = 0; i < self->column_count; i++)
        self->needed[i] = i >= input->column_count || input->place[i] != UINT32_MAX;
}

/* A join's output has whatever its inputs still have. */
static void used_join_needed(const PlanNode *node, UsedWalk *walks) {
    UsedWalk *self = &walks[node->id];
    const UsedWalk *left = &walks[node->inputs[0]], *right = &walks[node->inputs[1]];
    self->needed[0] = true;
    for (uint32_t i = 0; i < left->column_count; i++)
        self->needed[1 + i] = left->needed[i];
    for (uint32_t i = 0; i < right->column_count; i++)
        self->needed[1 + left->column_count + i] = right->needed[i];
}

/* As a join's: whatever the inputs still have. */
static void used_foreign_needed(const PlanNode *node, UsedWalk *walks) {
    UsedWalk *self = &walks[node->id];
    const UsedWalk *left = &walks[node->inputs[0]];
    uint32_t at = 0;
    if (node->kind == PLAN_SUBSCRIBE)
        self->needed[at++] = true;
    uint32_t from = node->kind == PLAN_JOIN_FOREIGN ? 1 : 0;
    uint32_t to = left->column_count - (node->kind == PLAN_SUBSCRIBE ? 0 : 1);
    for (uint32_t i = from; i < to; i++)
        self->needed[at++] = left->needed[i];
    const UsedWalk *right = &walks[node->inputs[1]];
    for (uint32_t i = 0; node->kind == PLAN_JOIN_FOREIGN && i < right->column_count; i++)
        self->needed[at++] = right->needed[i];
    if (node->kind != PLAN_RESOLVE)
        self->needed[at++] = true;
    assert(at == self->column_count);
}

static void used_backwards(Draft *draft, UsedWalk *walks) {
    for (size_t i = draft->node_count; i-- > 0;) {
        PlanNode *node = draft->nodes[i];
        used_roots(node, i + 1 == draft->node_count, &walks[i]);
        if (plan_is_join(node->kind))
            used_join(node, &walks[i], &walks[node->inputs[0]], &walks[node->inputs[1]]);
        else if (plan_is_foreign(node->kind))
            used_foreign(node, walks);
        else if (node->input_count == 1)
            used_node(node, &walks[i], &walks[node->inputs[0]]);
        else if (node->kind == PLAN_SOURCE)
            node->used = walks[i].needed;
    }
}

void draft_used(Draft *draft) {
    Arena *arena = draft->planner->arena;
    UsedWalk *walks = arena_array(arena, draft->node_count, sizeof *walks);
    for (size_t i = 0; i < draft->node_count; i++) {
        uint32_t count = draft->nodes[i]->schema->column_count;
        walks[i] = (UsedWalk){arena_array(arena, count, sizeof(bool)),
                              arena_array(arena, count, sizeof(uint32_t)), count};
    }
    used_backwards(draft, walks);
    for (size_t i = 0; i < draft->node_count; i++) {
        PlanNode *node = draft->nodes[i];
        if (plan_is_join(node->kind))
            used_join_needed(node, walks);
        if (plan_is_foreign(node->kind))
            used_foreign_needed(node, walks);
        if (node->kind == PLAN_FLAT_MAP)
            used_flat_map_needed(node, walks);
        if (node->input_count > 0)
            used_shrink(draft, node, walks);
        for (uint32_t c = 0; node->input_count == 0 && c < walks[i].column_count; c++)
            walks[i].place[c] = c;
    }
}
