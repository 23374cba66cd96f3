/*
 * kafka.h - a service on a Kafka cluster: what the engine opens, attaches to its storage, and asks
 * beside ClusterOps.
 *
 *   kafka_cluster_open -> storage_attach -> catalog, queries ... -> kafka_cluster_stop
 *                      -> storage_attach(NULL) -> storage_close -> kafka_cluster_close
 */
#ifndef KAFKA_KAFKA_H
#define KAFKA_KAFKA_H

#include "kafka/config.h"
#include "storage/cluster.h"

/* Joins the service as its newest process: those before it are over. Topics of the service are
 * made where they are missing, and commands that the folder has not yet are applied to it. The
 * configuration is borrowed until the close. CLUSTER_CHANGED: the folder is of another cluster, or
 * the service's topics are gone. */
ErrCode kafka_cluster_open(const KafkaConfig *config, Storage *storage, Cluster **cluster,
                           Err *err);

/* Commits under way are finished, if the cluster answers in time; later ones are rejected. */
void kafka_cluster_stop(Cluster *cluster);
void kafka_cluster_close(Cluster *cluster); /* NULL is allowed */

/* Called once, on a thread of the cluster, when this process is over (FENCED, CLUSTER_CHANGED). */
typedef void KafkaEndFn(void *arg, const Err *cause);
void kafka_cluster_on_end(Cluster *cluster, KafkaEndFn *end, void *arg);

/* OK, or why this process is over. */
ErrCode kafka_cluster_state(Cluster *cluster, Err *err);

/* What is wrong with the cluster now (trouble.def), since when (wall clock); OK: nothing is. */
ErrCode kafka_cluster_trouble(Cluster *cluster, int64_t *since_ms, Err *err);

/* Something that the user should hear of and that stops nothing (records of others in the service's
 * own topics); true: `text` has it, and it is told once. */
bool kafka_cluster_notice(Cluster *cluster, char *text, size_t size);

/* The text of every statement in the command topic, in order; borrowed during the call. Waits. */
typedef void KafkaStatementFn(void *context, Bytes text);
ErrCode kafka_cluster_statements(Cluster *cluster, KafkaStatementFn *seen, void *context,
                                 Err *err);

/* For kafka/ and the engine's administration of topics. */
struct KafkaAdmin *kafka_cluster_admin(Cluster *cluster);

#endif
