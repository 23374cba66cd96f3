/*
 * kafka.h - WeirOptions.kafka as an EngineCluster.
 */
#ifndef ENGINE_KAFKA_H
#define ENGINE_KAFKA_H

#include "engine/engine.h"

typedef struct EngineKafka EngineKafka;

/* Reads the configuration; connects to nothing. */
ErrCode engine_kafka_new(const WeirOptions *options, EngineKafka **kafka, Err *err);
const EngineCluster *engine_kafka_cluster(const EngineKafka *kafka); /* NULL for NULL */
void engine_kafka_free(EngineKafka *kafka); /* NULL is allowed */

#endif
