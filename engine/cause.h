/*
 * cause.h - why rows are not there, or have NULLs: what the operators of a query counted, in words.
 */
#ifndef ENGINE_CAUSE_H
#define ENGINE_CAUSE_H

#include "engine/engine_impl.h"

/* The catalog gives topics the names of their sources: under the engine's lock. */
typedef struct Causes {
    const Catalog *catalog;
    const Plan *plan;
    const OpFigures *ops; /* [node] */
} Causes;

/* Appends "3 rows late (grace 0 s)", "12 rows without a match in USERS (NULLs)", ... of one node,
 * separated by ", "; nothing where there is nothing to say. */
void cause_put_node(Buf *out, const Causes *causes, const PlanNode *node);

/* The same for all nodes but filters; and what SHOW ERRORS has, with `query_id` (NULL: a transient
 * query, whose last error is said instead). */
void cause_put(Buf *out, const Causes *causes, Query *query, const char *query_id);

/* The name of a source with this topic, or the topic's. */
const char *cause_source_name(const Catalog *catalog, const char *topic);

/* "1.2 MB"; "120 ms", "2.5 s", "14 min" */
void cause_put_bytes(Buf *out, uint64_t bytes);
void cause_put_time(Buf *out, int64_t time_us);

#endif
