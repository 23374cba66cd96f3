/*
 * ids.h - which ids of storage a query uses for what.
 *
 * With P the partitions given when the query was made, S the number of REPARTITION nodes plus one
 * (no plan has more stages) and K the number of nodes that keep a store:
 *
 *   first_id + stage * P + partition               a task; stages are numbered in stage.h
 *   first_id + S * P + k * P + partition           the store of the k-th such node in a partition
 *
 * The lanes of an internal topic (arbiter.h) have positions of their own: under the task's id, with
 * lane << 16 in the partition. So has a topic that a task reads a second time: lane 1, 2, ... A
 * commit group's owner id is the id of its first task. Ids are part of what a folder keeps: this
 * layout never changes.
 */
#ifndef RUNTIME_IDS_H
#define RUNTIME_IDS_H

#include "planner/plan.h"
#include "storage/commit.h"

uint32_t ids_task(uint32_t first_id, uint32_t partitions, uint32_t stage, uint32_t partition);
uint32_t ids_task_count(const Plan *plan, uint32_t partitions); /* ids set aside for tasks */
uint32_t ids_store(const Plan *plan, uint32_t first_id, uint32_t partitions, uint32_t node,
                   uint32_t partition);

/* What a position of this lane is kept under; lane -1: the partition itself. */
TopicPartition ids_lane(TopicPartition where, int32_t lane);

/* Whether nodes of this kind keep a store. */
bool ids_has_store(PlanNodeKind kind);

#endif
