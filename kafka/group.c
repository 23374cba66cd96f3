/*
 * group.c - positions of tasks as offsets of consumer groups with ksqlDB's names, so that tools
 * show how far a query is behind. They are set now and then, and never read.
 */
#include <assert.h>
#include <stdio.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"
#include "storage/log.h"

enum { GROUP_INTERVAL_US = 5000000 };

typedef struct GroupOffsets {
    Arena *arena;
    const char *group;
    KafkaPosition *positions;
    size_t count, capacity;
    struct GroupOffsets *next;
} GroupOffsets;

void group_query(Cluster *base, uint32_t first_id, uint32_t count, const char *query_id) {
    KafkaCluster *cluster = (KafkaCluster *)base;
    char name[KAFKA_NAME_SIZE];
    (void)snprintf(name, sizeof name, "_confluent-ksql-%squery_%s", cluster->config->service_id,
                   query_id);
    lock_take(&cluster->lock);
    size_t at = 0;
    while (at < cluster->group_count && cluster->groups[at].first_id != first_id)
        at++;
    if (at == cluster->group_count) {
        cluster->groups = mem_grow(cluster->groups, &cluster->group_capacity, at + 1,
                                   sizeof *cluster->groups);
        cluster->groups[at] = (TaskGroup){first_id, count, mem_strdup(name)};
        cluster->group_count++;
    }
    lock_release(&cluster->lock);
}

/* With the lock; NULL: nobody asked for it. */
static const char *group_of(const KafkaCluster *cluster, uint32_t task_id) {
    for (size_t i = 0; i < cluster->group_count; i++)
        if (task_id - cluster->groups[i].first_id < cluster->groups[i].count)
            return cluster->groups[i].group;
    return NULL;
}

static GroupOffsets *group_find(GroupOffsets **first, Arena *arena, const char *name) {
    assert(name);
    for (GroupOffsets *group = *first; group; group = group->next)
        if (strcmp(group->group, name) == 0)
            return group;
    GroupOffsets *group = arena_alloc(arena, sizeof *group);
    group->arena = arena;
    group->group = arena_strdup(arena, name);
    group->next = *first;
    *first = group;
    return group;
}

static void group_add(KafkaCluster *cluster, GroupOffsets *group, const TaskPositions *task) {
    for (size_t i = 0; i < task->count; i++) {
        LogTopic topic;
        TopicPartition where = task->items[i].where;
        if (!log_topic_get(cluster->storage, where.topic_id, &topic) ||
            where.partition >= topic.partition_count)
            continue;
        group->positions = arena_grow(group->arena, group->positions, &group->capacity,
                                      group->count + 1, sizeof *group->positions);
        group->positions[group->count++] = (KafkaPosition){
            arena_strdup(group->arena, topic.name), where.partition, task->items[i].next};
    }
}

static void group_job(KafkaCluster *cluster, void *arg) {
    GroupOffsets *first = arg;
    Arena *arena = first->arena;
    Err ignored; /* tools show what was set before, and the next try is in a moment */
    for (GroupOffsets *group = first; group; group = group->next)
        if (group->count > 0 && cluster_check(cluster, &ignored) == ERR_OK)
            (void)!kafka_admin_group_set(cluster->admin, group->group, group->positions,
                                         (uint32_t)group->count, &ignored);
    arena_free(arena);
}

int64_t group_step(KafkaCluster *cluster) {
    int64_t now_us = io_posix_mono_us();
    if (now_us < cluster->group_due_us)
        return cluster->group_count > 0 ? cluster->group_due_us : INT64_MAX;
    cluster->group_due_us = now_us + GROUP_INTERVAL_US;
    Arena *arena = arena_new("kafka groups", 0);
    GroupOffsets *first = NULL;
    lock_take(&cluster->lock);
    for (uint32_t s = 0; s < cluster->slot_count; s++) {
        const Slot *slot = &cluster->slots[s];
        if (slot->transactions == cluster->group_seen[s])
            continue;
        cluster->group_seen[s] = slot->transactions;
        for (size_t i = 0; i < slot->positions.count; i++) {
            const char *name = group_of(cluster, slot->positions.tasks[i].task_id);
            if (name)
                group_add(cluster, group_find(&first, arena, name), &slot->positions.tasks[i]);
        }
    }
    lock_release(&cluster->lock);
    if (!first || !control_post(cluster, group_job, first))
        arena_free(arena);
    return cluster->group_due_us;
}
