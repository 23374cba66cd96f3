/*
 * plan_json_join.c - reads what stored joins have, and whether it fits their inputs.
 */
#include <assert.h>

#include "planner/plan_json_impl.h"

static ErrCode get_join(Getter *getter, const PlanNode *const *nodes, PlanNode *node, Err *err) {
    int join;
    TRY(get_word(getter, "join", plan_json_joins, -1, &join, err));
    node->join = (PlanJoinKind)join;
    const PlanNode *left = nodes[node->inputs[0]], *right = nodes[node->inputs[1]];
    if (node->schema->column_count == 1 + left->schema->column_count + right->schema->column_count)
        return ERR_OK;
    return get_corrupt(getter, "schema", err);
}

static ErrCode get_within(Getter *parent, PlanWithin *within, Err *err) {
    Getter getter;
    TRY(getter_open(getter_member(parent, "within"), parent->arena, "within", &getter, err));
    TRY(get_i64(&getter, "before_ms", 0, &within->before_ms, err));
    TRY(get_i64(&getter, "after_ms", 0, &within->after_ms, err));
    TRY(get_i64(&getter, "grace_ms", 0, &within->grace_ms, err));
    TRY(get_flag(&getter, "eager", &within->eager, err));
    if (within->before_ms < 0 || within->before_ms > WITHIN_MS_MAX || within->after_ms < 0 ||
        within->after_ms > WITHIN_MS_MAX || within->grace_ms < 0 ||
        within->grace_ms > WITHIN_MS_MAX)
        return get_corrupt(&getter, "before_ms", err);
    return getter_close(&getter, err);
}

static ErrCode get_join_stream(Getter *getter, const PlanNode *const *nodes, PlanNode *node,
                               Err *err) {
    TRY(get_join(getter, nodes, node, err));
    for (uint32_t i = 0; i < 2; i++) {
        const PlanNode *input = nodes[node->inputs[i]];
        if (input->is_table || input->windowed != node->windowed ||
            input->schema->key_count != 1 ||
            !type_equal(input->schema->columns[0].type, node->schema->columns[0].type))
            return get_corrupt(getter, "inputs", err);
    }
    return get_within(getter, &node->within, err);
}

static ErrCode get_join_tables(Getter *getter, const PlanNode *const *nodes, PlanNode *node,
                               Err *err) {
    TRY(get_join(getter, nodes, node, err));
    for (uint32_t i = 0; i < 2; i++) {
        const PlanNode *input = nodes[node->inputs[i]];
        if (!input->is_table || input->windowed || input->schema->key_count != 1 ||
            !type_equal(input->schema->columns[0].type, node->schema->columns[0].type))
            return get_corrupt(getter, "inputs", err);
    }
    return ERR_OK;
}

ErrCode plan_json_join_get(Getter *getter, const PlanNode *const *nodes, PlanNode *node,
                           Err *err) {
    assert(plan_is_join(node->kind) && node->input_count == 2);
    switch (node->kind) {
    case PLAN_JOIN_STREAM: return get_join_stream(getter, nodes, node, err);
    case PLAN_JOIN_TABLES: return get_join_tables(getter, nodes, node, err);
    default: return get_join(getter, nodes, node, err);
    }
}
