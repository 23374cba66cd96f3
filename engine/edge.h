/*
 * edge.h - sources with BROKER='name': their topics are in the folder, and a Kafka cluster has the
 * same records.
 *
 * A source of its own (CREATE STREAM ... WITH (BROKER=...)) has an importer: what the cluster's
 * topic gets comes into ours, partition by partition, with the position there in the same commit.
 * One that a query writes (CREATE ... AS SELECT) has an exporter: what ours gets goes there, in
 * transactions that have the position in ours. Either way each record once.
 *
 * One thread for each. What goes wrong is told by edge_figures(), and tried again for ever.
 */
#ifndef ENGINE_EDGE_H
#define ENGINE_EDGE_H

#include "kafka/config.h"
#include "planner/source.h"
#include "storage/cluster.h"

typedef struct Edges Edges;

/* config NULL: there are no named clusters. */
Edges *edges_open(Io *io, Storage *storage, const KafkaConfig *config);
void edges_close(Edges *edges); /* NULL is allowed */

/* UNKNOWN_NAME for a name that the configuration lacks. */
ErrCode edge_config(const Edges *edges, const char *broker, const KafkaConfig **config, Err *err);

/* What it needs of the source is copied. config: of the cluster's topic, where an exporter makes
 * it. */
ErrCode edge_start(Edges *edges, const Source *source, const TopicConfig *config, Err *err);
void edge_stop(Edges *edges, const char *name); /* nothing happens where there is none */

/* Adds to a commit that an importer into this topic begins anew. */
void edge_forget(Commit *commit, uint32_t topic_id);

/* Waits until the importer of a topic has what the cluster has now. Whatever hinders it is told by
 * its figures: after timeout_ms, or while there is trouble, who waits sees what is there. */
void edges_catch_up(Edges *edges, const char *topic, int64_t timeout_ms);

typedef struct EdgeFigures {
    bool exports;
    uint64_t records; /* since it was started */
    int64_t lag;      /* -1: not known yet */
    uint32_t retry_count; /* 0: it runs; otherwise `error` is why not, since `since_ms` */
    int64_t since_ms, retry_in_ms;
    Err error;
    Err warning; /* what does not stop it, since `warning_since_ms`; OK: nothing */
    int64_t warning_since_ms;
} EdgeFigures;
bool edge_figures(Edges *edges, const char *name, EdgeFigures *figures);

#endif
