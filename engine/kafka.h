/*
 * kafka.h - WeirOptions.kafka as an EngineCluster.
 */
#ifndef ENGINE_KAFKA_H
#define ENGINE_KAFKA_H

#include "engine/engine.h"

typedef struct EngineKafka EngineKafka;

/* Reads the configuration; connects to nothing. */
ErrCode engine_kafka_new(const WeirOptions *options, EngineKafka **kafka, Err *err);
/* NULL for NULL, and where only other clusters are named: the log is the folder's then. */
const EngineCluster *engine_kafka_cluster(const EngineKafka *kafka);
/* The named clusters for sources with a BROKER; NULL: there are none, or not here. */
const struct KafkaConfig *engine_kafka_edges(const EngineKafka *kafka);
void engine_kafka_free(EngineKafka *kafka); /* NULL is allowed */

#endif
