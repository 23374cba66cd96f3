/*
 * query_slots.c - a persistent query over a cluster (storage/cluster.h): which slot a task belongs
 * to, its stores' changelogs, and taking the slots before it begins.
 *
 * The slot is that of the stage's first source, so all that a task reads together is in one.
 */
#include <assert.h>

#include "runtime/ids.h"
#include "runtime/worker.h"
#include "storage/cluster.h"

static Cluster *query_cluster(const Query *query) {
    assert(query->runtime);
    bool kept = query->plan->kind == PLAN_PERSISTENT;
    return kept ? storage_cluster(query->runtime->storage) : NULL;
}

/* The topic that a stage reads first; false: none that is known. */
static bool first_topic(const Query *query, uint32_t stage, LogTopic *topic) {
    const Stages *stages = &query->stages;
    assert(stage < stages->count);
    Storage *storage = query->runtime->storage;
    for (uint32_t i = 0; i < query->plan->node_count; i++) {
        const PlanNode *node = query->plan->nodes[i];
        if (stages->of_node[i] != stage || stages->cut[i])
            continue;
        if (node->kind == PLAN_SOURCE)
            return log_topic_find(storage, node->topic->topic, topic);
        for (uint32_t k = 0; k < node->input_count; k++)
            if (stages->cut[node->inputs[k]] && query->options.internal_topics)
                return log_topic_get(storage, query->options.internal_topics[node->inputs[k]],
                                     topic);
    }
    return false;
}

int32_t query_slot(const Query *query, uint32_t stage, uint32_t partition) {
    Cluster *cluster = query_cluster(query);
    LogTopic topic;
    assert(partition < query->stages.partitions[stage]);
    if (!cluster)
        return COMMIT_NO_SLOT;
    return first_topic(query, stage, &topic)
               ? (int32_t)cluster->ops->slot(cluster, topic.name, partition)
               : 0;
}

/* Calls `each` for every store of the query. */
static void each_store(const Query *query, void (*each)(Cluster *, const ClusterStore *)) {
    const QueryOptions *options = &query->options;
    const Plan *plan = query->plan;
    assert(options->changelogs);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (!ids_has_store(plan->nodes[i]->kind) || options->changelogs[i] == 0)
            continue;
        uint32_t stage = query->stages.of_node[i];
        for (uint32_t p = 0; p < query->stages.partitions[stage]; p++) {
            ClusterStore store = {
                .store_id = ids_store(plan, options->first_id, options->partitions, i, p),
                .changelog = {options->changelogs[i], p},
                .slot = (uint32_t)query_slot(query, stage, p),
            };
            each(query_cluster(query), &store);
        }
    }
}

static void open_store(Cluster *cluster, const ClusterStore *store) {
    assert(store->store_id >= STORE_FIRST_FREE);
    cluster->ops->store_open(cluster, store);
}

static void close_store(Cluster *cluster, const ClusterStore *store) {
    assert(store->store_id >= STORE_FIRST_FREE);
    cluster->ops->store_close(cluster, store->store_id);
}

ErrCode query_take_slots(Query *query, Err *err) {
    Cluster *cluster = query_cluster(query);
    const Stages *stages = &query->stages;
    if (!cluster)
        return ERR_OK;
    uint32_t count = 0, most = 0;
    for (uint32_t stage = 0; stage < stages->count; stage++)
        most += stages->partitions[stage];
    uint32_t *slots = arena_array(query->arena, most, sizeof *slots);
    for (uint32_t stage = 0; stage < stages->count; stage++) {
        for (uint32_t p = 0; p < stages->partitions[stage]; p++) {
            uint32_t slot = (uint32_t)query_slot(query, stage, p), i = 0;
            while (i < count && slots[i] != slot)
                i++;
            slots[i] = slot;
            count = i < count ? count : i + 1;
        }
    }
    assert(count > 0 && count <= most);
    if (query->options.changelogs)
        each_store(query, open_store);
    query->has_slots = true;
    return cluster->ops->take(cluster, slots, count, err);
}

void query_leave_slots(Query *query) {
    assert(query->plan);
    if (query->has_slots && query->options.changelogs)
        each_store(query, close_store);
    query->has_slots = false;
}

bool query_keeps_store(const Plan *plan, uint32_t id) {
    assert(id < plan->node_count);
    return ids_has_store(plan->nodes[id]->kind);
}

bool query_changelog(Runtime *runtime, const Plan *plan, uint32_t id, uint32_t *partitions) {
    assert(id < plan->node_count);
    Arena *arena = arena_new("stages", 0);
    Stages stages;
    Err err;
    bool needed = storage_cluster(runtime->storage) && plan->kind == PLAN_PERSISTENT &&
                  ids_has_store(plan->nodes[id]->kind) &&
                  stages_make(runtime->storage, plan, runtime->options.single_partition, arena,
                              &stages, &err) == ERR_OK;
    *partitions = needed ? stages.partitions[stages.of_node[id]] : 0;
    arena_free(arena);
    return needed;
}
