/*
 * stage.h - how a plan falls apart into stages: what one task does without waiting for another.
 *
 * A REPARTITION node whose rows may belong to another task is cut: it ends one stage by writing to
 * an internal topic, and the stage of the nodes behind it reads that. Where both sides are one
 * task it is not cut. Queries that keep nothing (push, lookups) run as one task over all
 * partitions: they need no internal topics, and their rows come in one order of time.
 *
 * Stages are numbered in topological order: a stage comes after those it reads from.
 */
#ifndef RUNTIME_STAGE_H
#define RUNTIME_STAGE_H

#include "planner/plan.h"
#include "storage/log.h"

typedef struct Stages {
    uint32_t count;
    uint32_t partitions_max;      /* the largest of all sources and internal topics */
    const uint32_t *partitions;   /* [stage]: its tasks; of a stage that reads all partitions: 1 */
    const uint32_t *of_node;      /* [node]: its stage; of a cut node: where it writes */
    const bool *cut;              /* [node] */
    const uint32_t *cut_partitions; /* [node]: partitions of its internal topic; 0: not cut */
    bool whole;                   /* one task reads every partition of every source */
} Stages;

/* Looks the topics up. NOT_FOUND for a missing one; SEMANTIC where a join's sides do not have
 * equal partitions. Everything lives in `arena`. */
ErrCode stages_make(Storage *storage, const Plan *plan, bool single_partition, Arena *arena,
                    Stages *stages, Err *err);

#endif
