/*
 * drop_set.h - what goes when a source goes: its queries, what is made of it, their topics.
 *
 *   queries   that read or write one of the sources; made or not, they end
 *   sources   the one that was named, and with CASCADE all that are made from one of them
 *   topics    of the sources, with DELETE TOPIC, unless a source that stays is over them too
 *
 * The set is found first, so that EXPLAIN can show it, and goes in one commit: after a crash either
 * all of it is there or nothing.
 */
#ifndef ENGINE_DROP_SET_H
#define ENGINE_DROP_SET_H

#include "engine/engine_impl.h"

typedef struct DropSource {
    const Source *source;
    const char *of; /* the source that it is made from; NULL: the one that was named */
} DropSource;

typedef struct DropQuery {
    CatalogQuery *query;
    const char *of; /* the source that it reads or writes */
    bool writes;
} DropQuery;

typedef struct DropTopic {
    LogTopic topic;
    const char *of;
} DropTopic;

typedef struct DropSet {
    DropSource *sources; /* what depends on a source stands behind it */
    DropQuery *queries;
    DropTopic *topics;
    uint32_t source_count, query_count, topic_count;
} DropSet;

/* In the call's arena. `cascade` false: the source and the query that made it. */
DropSet drop_set_find(Call *call, const Source *source, bool cascade, bool delete_topics);

/* Stops and removes all of it. After a failure everything is there and runs as before. */
ErrCode drop_set_carry_out(Call *call, const DropSet *set, Err *err);

/* Fills the result with the rows of EXPLAIN DROP. */
void drop_set_show(Call *call, const DropSet *set);

#endif
