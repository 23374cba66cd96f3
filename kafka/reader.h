/*
 * reader.h - committed records of partitions, for queries: fetch and offsets of ClusterOps.
 */
#ifndef KAFKA_READER_H
#define KAFKA_READER_H

#include "kafka/admin.h"
#include "storage/cluster.h"

typedef struct KafkaReader KafkaReader;

/* The admin is borrowed, for offsets. */
ErrCode kafka_reader_open(const KafkaConfig *config, Storage *storage, KafkaTrouble *trouble,
                          KafkaAdmin *admin, KafkaReader **reader, Err *err);
void kafka_reader_close(KafkaReader *reader); /* NULL is allowed */

/* As in ClusterOps. */
ErrCode kafka_reader_fetch(KafkaReader *reader, const char *name, TopicPartition where,
                           int64_t offset, LogBlock **block, Err *err);
ErrCode kafka_reader_offsets(KafkaReader *reader, const char *name, TopicPartition where,
                             bool fresh, ClusterOffsets *offsets, Err *err);

#endif
