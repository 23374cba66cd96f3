/*
 * edge_impl.h - one edge, between edge.c and edge_export.c.
 */
#ifndef ENGINE_EDGE_IMPL_H
#define ENGINE_EDGE_IMPL_H

#include <stdatomic.h>

#include "base/thread.h"
#include "engine/edge.h"
#include "kafka/import.h"

typedef struct Edge {
    Edges *edges;
    const KafkaConfig *config;
    char *name, *topic; /* of the source; ours and theirs */
    uint32_t topic_id, partitions;
    bool exports;
    TopicConfig config_of_topic; /* when the exporter makes it */
    uint32_t turn;               /* its thread: the partition that comes first */
    int64_t *targets; /* likewise: what who waits wants to be here */
    bool aims;        /* targets are set, for `aimed` */
    uint64_t aimed;
    int64_t *next; /* its thread: position in theirs (import) or ours (export) */
    uint64_t pending;
    Thread thread;
    atomic_bool stop;
    _Atomic uint64_t records;
    _Atomic int64_t lag;
    _Atomic uint64_t asked, answered; /* edges_catch_up() */

    Lock lock; /* of what follows */
    Signal changed;
    uint32_t users; /* threads that wait for it */
    uint32_t retry_count;
    int64_t since_ms, retry_at_us;
    Err error;
    Err warning; /* it works; OK: nothing to say */
    int64_t warning_since_ms;
} Edge;

struct Edges {
    Io *io;
    Storage *storage;
    const KafkaConfig *config;
    Lock lock;
    Edge **edges;
    size_t count, capacity;
};

/* It has got on: the trouble is over. */
void edge_well(Edge *edge);

/* A session: until an error, or until it is to stop. */
ErrCode edge_export_run(Edge *edge, Err *err);

#endif
