/*
 * trim.c - repartition topics without the records that every task has behind it.
 *
 * Only topics that the service has made for its own queries, and never beyond the positions that
 * are committed: what is deleted nobody asks for again, whatever is lost or killed. A task that has
 * committed nothing of a partition keeps all of it, because then there is no position of it here,
 * and no other task reads that partition.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"
#include "storage/log.h"

typedef struct TrimList {
    Arena *arena;
    SourcePosition *places;
    size_t count, capacity;
} TrimList;

bool trim_is_repartition(const KafkaCluster *cluster, const char *topic) {
    static const char suffix[] = "-repartition";
    char prefix[KAFKA_NAME_SIZE];
    size_t size = strlen(topic), rest = sizeof suffix - 1;
    (void)snprintf(prefix, sizeof prefix, "_confluent-ksql-%squery_", cluster->config->service_id);
    if (strncmp(topic, prefix, strlen(prefix)) != 0 || size < strlen(prefix) + rest)
        return false;
    const char *at = strstr(topic + strlen(prefix), suffix);
    if (!at || at[rest] == 0)
        return at != NULL;
    size_t digits = strspn(at + rest + 1, "0123456789"); /* -ID, where the name was in use */
    return at[rest] == '-' && digits > 0 && at[rest + 1 + digits] == 0;
}

static int place_compare(const void *left, const void *right) {
    const SourcePosition *a = left, *b = right;
    if (a->where.topic_id != b->where.topic_id)
        return a->where.topic_id < b->where.topic_id ? -1 : 1;
    if (a->where.partition != b->where.partition)
        return a->where.partition < b->where.partition ? -1 : 1;
    return a->next < b->next ? -1 : a->next > b->next;
}

/* Committed positions of all tasks of slots that are owned. */
static void trim_collect(const KafkaCluster *cluster, TrimList *list) {
    for (uint32_t s = 0; s < cluster->slot_count; s++) {
        const PositionTable *table = &cluster->slots[s].positions;
        for (size_t i = 0; i < table->count; i++) {
            const TaskPositions *task = &table->tasks[i];
            list->places = arena_grow(list->arena, list->places, &list->capacity,
                                      list->count + task->count, sizeof *list->places);
            for (size_t k = 0; k < task->count; k++)
                list->places[list->count++] = task->items[k];
        }
    }
    if (list->count > 0)
        qsort(list->places, list->count, sizeof *list->places, place_compare);
}

/* The place to trim to, where there is one. */
static bool trim_place(KafkaCluster *cluster, const SourcePosition *place, Arena *arena,
                       KafkaPosition *position) {
    LogTopic topic;
    if (place->next <= 0 || !log_topic_get(cluster->storage, place->where.topic_id, &topic) ||
        place->where.partition >= topic.partition_count ||
        !trim_is_repartition(cluster, topic.name))
        return false;
    *position = (KafkaPosition){arena_strdup(arena, topic.name), place->where.partition,
                                place->next};
    return true;
}

static void trim_job(KafkaCluster *cluster, void *arg) {
    TrimList *list = arg;
    Arena *arena = list->arena;
    KafkaPosition *positions = arena_array(arena, list->count, sizeof *positions);
    uint32_t count = 0;
    Err ignored; /* what is not deleted now is deleted the next time */
    for (size_t i = 0; i < list->count; i++) {
        /* In order: the first of a partition is the task that is furthest behind. */
        bool first = i == 0 || memcmp(&list->places[i].where, &list->places[i - 1].where,
                                      sizeof list->places[i].where) != 0;
        if (first && trim_place(cluster, &list->places[i], arena, &positions[count]))
            count++;
    }
    if (count > 0 && cluster_check(cluster, &ignored) == ERR_OK)
        (void)!kafka_admin_trim(cluster->admin, positions, count, &ignored);
    arena_free(arena);
}

int64_t trim_step(KafkaCluster *cluster) {
    int64_t now_us = io_posix_mono_us();
    uint64_t transactions = 0;
    if (now_us < cluster->trim_due_us)
        return cluster->trim_due_us;
    cluster->trim_due_us = now_us + cluster->config->purge_interval_ms * (int64_t)1000;
    for (uint32_t s = 0; s < cluster->slot_count; s++)
        transactions += cluster->slots[s].transactions;
    if (transactions == cluster->trim_seen)
        return cluster->trim_due_us;
    cluster->trim_seen = transactions;
    Arena *arena = arena_new("kafka trim", 0);
    TrimList *list = arena_alloc(arena, sizeof *list);
    *list = (TrimList){.arena = arena};
    trim_collect(cluster, list);
    if (list->count == 0 || !control_post(cluster, trim_job, list))
        arena_free(arena);
    return cluster->trim_due_us;
}
