/*
 * ids.c - see ids.h.
 */
#include "runtime/ids.h"

#include <assert.h>

#include "base/limits.h"
#include "runtime/runtime.h"

bool ids_has_store(PlanNodeKind kind) {
    return kind == PLAN_MATERIALIZE || plan_is_join(kind) || plan_is_foreign(kind) ||
           kind == PLAN_AGGREGATE;
}

static uint32_t stages_max(const Plan *plan) {
    assert(plan->node_count > 0);
    uint32_t count = 1;
    for (uint32_t i = 0; i < plan->node_count; i++)
        count += plan->nodes[i]->kind == PLAN_REPARTITION;
    return count;
}

static uint32_t store_index(const Plan *plan, uint32_t node) {
    assert(node <= plan->node_count);
    uint32_t index = 0;
    for (uint32_t i = 0; i < node; i++)
        index += ids_has_store(plan->nodes[i]->kind);
    return index;
}

uint32_t ids_task(uint32_t first_id, uint32_t partitions, uint32_t stage, uint32_t partition) {
    assert(partition < partitions);
    return first_id + stage * partitions + partition;
}

uint32_t ids_task_count(const Plan *plan, uint32_t partitions) {
    assert(partitions > 0);
    return stages_max(plan) * partitions;
}

_Static_assert(PARTITIONS_MAX <= 1 << 16, "a lane's number lies above the partition's");

TopicPartition ids_lane(TopicPartition where, int32_t lane) {
    assert(where.partition < PARTITIONS_MAX);
    if (lane >= 0)
        where.partition |= (uint32_t)lane << 16;
    return where;
}

uint32_t ids_store(const Plan *plan, uint32_t first_id, uint32_t partitions, uint32_t node,
                   uint32_t partition) {
    assert(partition < partitions && ids_has_store(plan->nodes[node]->kind));
    return first_id + (stages_max(plan) + store_index(plan, node)) * partitions + partition;
}

uint32_t query_ids_needed(const Plan *plan, uint32_t partitions) {
    assert(partitions > 0);
    return (stages_max(plan) + store_index(plan, plan->node_count)) * partitions;
}
