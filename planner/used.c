/*
 * used.c - which columns of its topic a SOURCE must convert: those that something downstream reads.
 */
#include <assert.h>

#include "planner/planner_impl.h"

typedef struct UsedWalk {
    bool *needed; /* columns of a node's output */
    uint32_t column_count;
} UsedWalk;

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

static void used_join(const PlanNode *node, const UsedWalk *self, UsedWalk *left,
                      UsedWalk *right) {
    used_expr(left, node->join_key);
    for (uint32_t i = 1; i < self->column_count; i++) {
        uint32_t column = i - 1;
        if (!self->needed[i])
            continue;
        if (column < left->column_count)
            left->needed[column] = true;
        else
            right->needed[column - left->column_count] = true;
    }
    /* The table's rows are found by their key. */
    right->needed[0] = true;
}

/* Marks what a node needs of its input, from what is needed of itself. */
static void used_node(const PlanNode *node, const UsedWalk *self, UsedWalk *input) {
    uint32_t count = self->column_count;
    switch (node->kind) {
    case PLAN_PROJECT:
    case PLAN_REPARTITION:
        for (uint32_t i = 0; i < count; i++) {
            if (self->needed[i])
                used_expr(input, node->exprs[i]);
        }
        break;
    case PLAN_AGGREGATE:
        for (uint32_t i = 0; i < input->column_count; i++)
            input->needed[i] = true;
        break;
    default:
        for (uint32_t i = 0; i < count; i++)
            input->needed[i] = input->needed[i] || self->needed[i];
        if (node->predicate)
            used_expr(input, node->predicate);
        break;
    }
}

/* What is stored, sent away or told apart by its key is needed whole, or as to its key. */
static void used_roots(const PlanNode *node, bool materialized, UsedWalk *self) {
    bool all = node->kind == PLAN_SINK || node->kind == PLAN_RESULT || node->kind == PLAN_REPARTITION ||
               node->kind == PLAN_AGGREGATE || materialized;
    bool key = node->is_table || node->kind == PLAN_MATERIALIZE;
    for (uint32_t i = 0; i < self->column_count; i++) {
        if (all || (key && i < node->schema->key_count))
            self->needed[i] = true;
    }
}

void draft_used(Draft *draft) {
    Arena *arena = draft->planner->arena;
    UsedWalk *walks = arena_array(arena, draft->node_count, sizeof *walks);
    for (size_t i = 0; i < draft->node_count; i++) {
        walks[i].column_count = draft->nodes[i]->schema->column_count;
        walks[i].needed = arena_array(arena, walks[i].column_count, sizeof(bool));
    }
    for (size_t i = draft->node_count; i-- > 0;) {
        PlanNode *node = draft->nodes[i];
        used_roots(node, node == draft->materialized, &walks[i]);
        if (node->kind == PLAN_JOIN_TABLE)
            used_join(node, &walks[i], &walks[node->inputs[0]], &walks[node->inputs[1]]);
        else if (node->input_count == 1)
            used_node(node, &walks[i], &walks[node->inputs[0]]);
        else if (node->kind == PLAN_SOURCE)
            node->used = walks[i].needed;
    }
}
