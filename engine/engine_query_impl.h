/*
 * engine_query_impl.h - making queries of the catalog; see engine_query.c.
 */
#ifndef ENGINE_QUERY_IMPL_H
#define ENGINE_QUERY_IMPL_H

#include "engine/engine_impl.h"

/* A query object for a plan: the plan goes through its JSON, ids are drawn, and its internal
 * topics are added to `commit` (NULL: a transient query has none). */
ErrCode engine_query_new(Call *call, const Plan *plan, Commit *commit, CatalogQuery **prepared,
                      Err *err);

void engine_query_topic_name(Buf *out, const CatalogQuery *query, uint32_t node);

#endif
