/*
 * stage.c - see stage.h.
 *
 * First everything is cut that could be: a group of nodes gets its partitions from its topics, or
 * from the group that writes its internal topic. Then the cuts between groups of one partition are
 * taken back. Groups are kept as the number of one of their nodes (union-find without ranks: plans
 * have some ten nodes).
 */
#include "runtime/stage.h"

#include <assert.h>

typedef struct Groups {
    const Plan *plan;
    uint32_t *parent; /* [node] */
    bool *cut;        /* [node] */
    uint32_t *topic_partitions; /* [node]: of a SOURCE's topic; 0 otherwise */
    uint32_t *partitions; /* [root] */
} Groups;

static uint32_t group_of(const Groups *groups, uint32_t node) {
    assert(node < groups->plan->node_count);
    while (groups->parent[node] != node)
        node = groups->parent[node];
    return node;
}

static void join_groups(Groups *groups) {
    for (uint32_t i = 0; i < groups->plan->node_count; i++)
        groups->parent[i] = i;
    for (uint32_t i = 0; i < groups->plan->node_count; i++) {
        const PlanNode *node = groups->plan->nodes[i];
        uint32_t anchor = i;
        for (uint32_t k = 0; k < node->input_count; k++) {
            assert(node->inputs[k] < i);
            if (!groups->cut[node->inputs[k]])
                groups->parent[group_of(groups, node->inputs[k])] = group_of(groups, anchor);
        }
    }
}

/* A group has the partitions of its topics, or of the group that writes its internal topic. */
static ErrCode give_partitions(Groups *groups, Err *err) {
    assert(groups->plan->node_count > 0);
    const Plan *plan = groups->plan;
    for (uint32_t i = 0; i < plan->node_count; i++)
        groups->partitions[i] = 0;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        uint32_t root = group_of(groups, i), count = groups->topic_partitions[i];
        if (count == 0)
            continue;
        if (groups->partitions[root] != 0 && groups->partitions[root] != count)
            return err_set(err, ERR_SEMANTIC,
                           "the topics of a join have %u and %u partitions: repartition one side",
                           groups->partitions[root], count);
        groups->partitions[root] = count;
    }
    for (uint32_t i = 0; i < plan->node_count; i++) { /* writers come before readers */
        for (uint32_t k = 0; k < plan->nodes[i]->input_count; k++) {
            uint32_t input = plan->nodes[i]->inputs[k], root = group_of(groups, i);
            if (groups->cut[input] && groups->partitions[root] == 0)
                groups->partitions[root] = groups->partitions[group_of(groups, input)];
        }
    }
    return ERR_OK;
}

static ErrCode find_topics(Groups *groups, Storage *storage, Err *err) {
    assert(storage);
    for (uint32_t i = 0; i < groups->plan->node_count; i++) {
        const PlanNode *node = groups->plan->nodes[i];
        LogTopic topic;
        if (node->kind != PLAN_SOURCE)
            continue;
        if (!log_topic_find(storage, node->topic->topic, &topic))
            return err_set(err, ERR_NOT_FOUND, "the topic '%s' is not there", node->topic->topic);
        groups->topic_partitions[i] = topic.partition_count;
    }
    return ERR_OK;
}

static uint32_t reader_of_node(const Plan *plan, uint32_t node) {
    for (uint32_t i = node + 1; i < plan->node_count; i++) {
        for (uint32_t k = 0; k < plan->nodes[i]->input_count; k++) {
            if (plan->nodes[i]->inputs[k] == node)
                return i;
        }
    }
    assert(false);
    return node;
}

static ErrCode decide_cuts(Groups *groups, bool whole, Err *err) {
    assert(groups->topic_partitions);
    const Plan *plan = groups->plan;
    for (uint32_t i = 0; i < plan->node_count; i++)
        groups->cut[i] = !whole && plan->nodes[i]->kind == PLAN_REPARTITION;
    join_groups(groups);
    if (whole) {
        for (uint32_t i = 0; i < plan->node_count; i++)
            groups->partitions[i] = 1;
        return ERR_OK;
    }
    TRY(give_partitions(groups, err));
    bool *needed = groups->cut;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (!needed[i])
            continue;
        uint32_t writer = groups->partitions[group_of(groups, i)];
        uint32_t reader = groups->partitions[group_of(groups, reader_of_node(plan, i))];
        needed[i] = writer != 1 || reader != 1;
    }
    join_groups(groups);
    return give_partitions(groups, err);
}

/* Numbers the groups by their last node: readers of a topic come after its writers. */
static void number_stages(Groups *groups, Stages *stages, Arena *arena) {
    uint32_t node_count = groups->plan->node_count;
    uint32_t *of_node = arena_array(arena, node_count, sizeof *of_node);
    uint32_t *partitions = arena_array(arena, node_count, sizeof *partitions);
    bool *is_last = arena_alloc(arena, node_count);
    for (uint32_t i = 0; i < node_count; i++) {
        is_last[i] = true;
        for (uint32_t k = i + 1; k < node_count && is_last[i]; k++)
            is_last[i] = group_of(groups, k) != group_of(groups, i);
    }
    for (uint32_t i = 0; i < node_count; i++) {
        if (!is_last[i])
            continue;
        uint32_t root = group_of(groups, i);
        for (uint32_t k = 0; k <= i; k++) {
            if (group_of(groups, k) == root)
                of_node[k] = stages->count;
        }
        partitions[stages->count++] = groups->partitions[root];
        assert(groups->partitions[root] > 0);
    }
    stages->of_node = of_node;
    stages->partitions = partitions;
}

static void count_partitions(const Groups *groups, Stages *stages, Arena *arena) {
    assert(stages->count > 0);
    const Plan *plan = groups->plan;
    uint32_t *cut_partitions = arena_array(arena, plan->node_count, sizeof *cut_partitions);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        uint32_t count = groups->topic_partitions[i];
        if (groups->cut[i])
            count = cut_partitions[i] =
                groups->partitions[group_of(groups, reader_of_node(plan, i))];
        if (count > stages->partitions_max)
            stages->partitions_max = count;
    }
    stages->cut = groups->cut;
    stages->cut_partitions = cut_partitions;
}

ErrCode stages_make(Storage *storage, const Plan *plan, bool single_partition, Arena *arena,
                    Stages *stages, Err *err) {
    assert(plan->node_count > 0);
    *stages = (Stages){.partitions_max = 1};
    Groups groups = {.plan = plan};
    groups.parent = arena_array(arena, plan->node_count, sizeof *groups.parent);
    groups.cut = arena_array(arena, plan->node_count, sizeof *groups.cut);
    groups.topic_partitions = arena_array(arena, plan->node_count, sizeof(uint32_t));
    groups.partitions = arena_array(arena, plan->node_count, sizeof *groups.partitions);
    TRY(find_topics(&groups, storage, err));
    stages->whole = single_partition || plan->kind != PLAN_PERSISTENT;
    TRY(decide_cuts(&groups, stages->whole, err));
    number_stages(&groups, stages, arena);
    count_partitions(&groups, stages, arena);
    return ERR_OK;
}
