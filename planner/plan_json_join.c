/*
 * plan_json_join.c - reads what joins have, and checks their columns against their inputs.
 */
#include <assert.h>

#include "base/limits.h"
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

static bool same_types(const Schema *left, uint32_t from, const Schema *right, uint32_t right_from,
                       uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!type_equal(left->columns[from + i].type, right->columns[right_from + i].type))
            return false;
    }
    return true;
}

static bool ends_in_note(const Schema *schema) {
    return schema->column_count > 0 &&
           schema->columns[schema->column_count - 1].type->kind == TYPE_BIGINT;
}

/* Whether a node's columns are what plan.h says of its inputs'. */
static bool foreign_fits(const PlanNode *const *nodes, const PlanNode *node) {
    const Schema *schema = node->schema, *input = nodes[node->inputs[0]]->schema;
    uint32_t count = schema->column_count, input_count = input->column_count;
    if (node->kind == PLAN_SUBSCRIBE)
        return schema->key_count == 1 && count == input_count + 2 && input->key_count > 0 &&
               ends_in_note(schema) && same_types(schema, 1, input, 0, input_count) &&
               nodes[node->inputs[0]]->is_table;
    if (!ends_in_note(input) || schema->key_count == 0)
        return false;
    if (node->kind == PLAN_RESOLVE)
        return count + 1 == input_count && schema->key_count == input->key_count &&
               same_types(schema, 0, input, 0, count);
    const Schema *right = nodes[node->inputs[1]]->schema;
    uint32_t left_count = input_count - 2;
    return input_count > 2 && input->key_count == 1 && right->key_count == 1 &&
           nodes[node->inputs[1]]->is_table && schema->key_count <= left_count &&
           type_equal(input->columns[0].type, right->columns[0].type) &&
           count == left_count + right->column_count + 1 && ends_in_note(schema) &&
           same_types(schema, 0, input, 1, left_count) &&
           same_types(schema, left_count, right, 0, right->column_count);
}

static ErrCode get_foreign(Getter *getter, const PlanNode *const *nodes, PlanNode *node,
                           Err *err) {
    int join;
    TRY(get_word(getter, "join", plan_json_joins, -1, &join, err));
    node->join = (PlanJoinKind)join;
    if (join != JOIN_INNER && join != JOIN_LEFT)
        return get_corrupt(getter, "join", err);
    return foreign_fits(nodes, node) && !node->windowed ? ERR_OK
                                                        : get_corrupt(getter, "schema", err);
}

static ErrCode get_join_table(Getter *getter, const PlanNode *const *nodes, PlanNode *node,
                              Err *err) {
    TRY(get_join(getter, nodes, node, err));
    if (node->join != JOIN_INNER && node->join != JOIN_LEFT)
        return get_corrupt(getter, "join", err);
    return ERR_OK;
}

ErrCode plan_json_join_get(Getter *getter, const PlanNode *const *nodes, PlanNode *node,
                           Err *err) {
    assert(plan_is_join(node->kind) || plan_is_foreign(node->kind));
    switch (node->kind) {
    case PLAN_JOIN_TABLE: return get_join_table(getter, nodes, node, err);
    case PLAN_JOIN_TABLES: return get_join_tables(getter, nodes, node, err);
    case PLAN_JOIN_STREAM: return get_join_stream(getter, nodes, node, err);
    default: return get_foreign(getter, nodes, node, err);
    }
}
