/*
 * placement.h - as whose keys the rows of a node lie in their partitions.
 *
 * The rows of a topic lie by its keys as they are on the wire. Who is moved to a join lies as the
 * side that stays; where both are moved, or nobody waits, rows lie by row keys (data/row_key.h).
 */
#ifndef RUNTIME_PLACEMENT_H
#define RUNTIME_PLACEMENT_H

#include "planner/plan.h"

/* NULL: by row keys. */
const PlanTopic *placement_of(const Plan *plan, uint32_t node);

/* The same for the rows that a REPARTITION makes. */
const PlanTopic *placement_moved(const Plan *plan, uint32_t node);

/* Writes keys as that topic has them. */
Encoder *placement_encoder(const PlanTopic *topic, Arena *arena, const Format **format);

#endif
