/*
 * placement.c - see placement.h.
 */
#include "runtime/placement.h"

#include <assert.h>

const PlanTopic *placement_of(const Plan *plan, uint32_t id) {
    const PlanNode *node = plan->nodes[id];
    while (node->kind != PLAN_SOURCE && node->kind != PLAN_REPARTITION && node->input_count > 0)
        node = plan->nodes[node->inputs[0]];
    assert(node->kind != PLAN_AGGREGATE);
    if (node->kind == PLAN_REPARTITION)
        return placement_moved(plan, node->id);
    return node->kind == PLAN_SOURCE ? node->topic : NULL;
}

/* Whether an input of a join was moved for it. */
static bool is_moved(const Plan *plan, uint32_t id) {
    assert(id < plan->node_count);
    const PlanNode *node = plan->nodes[id];
    while (node->kind == PLAN_FILTER || node->kind == PLAN_PROJECT)
        node = plan->nodes[node->inputs[0]];
    return node->kind == PLAN_REPARTITION;
}

const PlanTopic *placement_moved(const Plan *plan, uint32_t id) {
    assert(id < plan->node_count);
    for (uint32_t i = id + 1; i < plan->node_count; i++) {
        const PlanNode *node = plan->nodes[i];
        uint32_t side = node->input_count == 2 && node->inputs[1] == id ? 1 : 0;
        if (node->input_count == 0 || node->inputs[side] != id)
            continue;
        if (node->kind == PLAN_FILTER || node->kind == PLAN_PROJECT ||
            node->kind == PLAN_RESOLVE) {
            id = i;
            continue;
        }
        bool meets = plan_is_join(node->kind) || node->kind == PLAN_JOIN_FOREIGN;
        if (!meets || is_moved(plan, node->inputs[1 - side]))
            return NULL;
        return placement_of(plan, node->inputs[1 - side]);
    }
    return NULL;
}

Encoder *placement_encoder(const PlanTopic *topic, Arena *arena, const Format **format) {
    SerdeSpec *spec = arena_alloc(arena, sizeof *spec);
    *spec = (SerdeSpec){.format = topic->key.format, .columns = topic->schema->columns,
                        .column_count = topic->schema->key_count, .is_key = true,
                        .unwrapped = topic->key.unwrapped, .delimiter = topic->key.delimiter};
    *format = spec->format;
    Encoder *encoder = spec->format->encoder_new(spec, arena);
    assert(encoder);
    return encoder;
}
