/*
 * engine_query_impl.h - making queries of the catalog; see engine_query.c.
 */
#ifndef ENGINE_QUERY_IMPL_H
#define ENGINE_QUERY_IMPL_H

#include "engine/engine_impl.h"

typedef struct EngineQueryNew {
    const Plan *plan;
    Commit *commit; /* its internal topics are added to it; NULL: a transient query has none */
    const CatalogQuery *old; /* the query of the same id that it replaces; NULL: none */
    bool rebuild;            /* ... without taking over its ids */
} EngineQueryNew;

/* A query object for a plan: the plan goes through its JSON, ids are drawn or taken over. */
ErrCode engine_query_new(Call *call, const EngineQueryNew *make, CatalogQuery **prepared,
                         Err *err);

/* replace.c: ids, internal topics and settings of the query that another replaces. */
void engine_query_inherit(CatalogQuery *query, const CatalogQuery *old);

/* Puts planned->plan in the place of the query of its id. */
ErrCode engine_replace_query(Call *call, const Planned *planned, Err *err);

/* Adds the topic of a new source to the commit, with a notice where the user gave no count. */
void engine_create_topic(Call *call, const Planned *planned, Commit *commit);

/* Shows that topic, when the commit is there. */
void engine_show_topic(Call *call);

/* Adds the removal of a query that is stopped to a commit: entry, internal topics, state. */
void engine_query_remove(const CatalogQuery *query, Commit *commit);

/* The settings in force about bad records: QueryFailOn. */
uint32_t engine_query_fail_on(const Settings *settings);

/* Of its internal topic behind a node, or of the changelog of the node's store (cluster.c). */
void engine_query_topic_name(const Weir *weir, const CatalogQuery *query, uint32_t node,
                             bool changelog, Buf *out);

#endif
