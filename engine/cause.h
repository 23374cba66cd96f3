/*
 * cause.h - why rows are not there, or have NULLs: what the operators of a query counted, in words.
 */
#ifndef ENGINE_CAUSE_H
#define ENGINE_CAUSE_H

#include "engine/engine_impl.h"

/* The catalog gives topics the names of their sources: under the engine's lock. */
typedef struct Causes {
    const Catalog *catalog;
    const CatalogQuery *query; /* NULL: a lookup */
    const Plan *plan;
    const OpFigures *ops; /* [node] */
} Causes;

/* Appends "3 rows late (grace 0 s)", "12 rows without a match in USERS (NULLs)", ... of one node,
 * separated by ", "; nothing where there is nothing to say. */
void cause_put_node(Buf *out, const Causes *causes, const PlanNode *node);

/* The same for all nodes of a running query; what filters left out only if `all`. For errors where
 * to read more, of a transient query the last one itself. Whether there was anything to say. */
bool cause_put(Buf *out, const Catalog *catalog, const CatalogQuery *query, bool all);

/* "1.2 MB"; "120 ms", "2.5 s", "14 min" */
void cause_put_bytes(Buf *out, uint64_t bytes);
void cause_put_time(Buf *out, int64_t time_us);

#endif
