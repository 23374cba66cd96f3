/*
 * import.h - reading a topic of a named cluster, for the engine's importer (BROKER='name'): a
 * reader with what it needs. One thread.
 */
#ifndef KAFKA_IMPORT_H
#define KAFKA_IMPORT_H

#include "kafka/config.h"
#include "storage/cluster.h"

typedef struct KafkaImport KafkaImport;

/* next: of each partition what is to be read, as the last import left it. TOPIC_MISSING;
 * TOPIC_DELETED when the topic is not the one that was read before: it has fewer partitions, or
 * ends before `next`. The configuration and the name are borrowed. */
ErrCode kafka_import_open(const KafkaConfig *config, const char *topic, const int64_t *next,
                          uint32_t partitions, KafkaImport **import, Err *err);
void kafka_import_close(KafkaImport *import); /* NULL is allowed */

/* What is committed from `offset` on; *block NULL: nothing has come yet. An offset that is gone is
 * moved to where the topic begins now. */
ErrCode kafka_import_fetch(KafkaImport *import, uint32_t partition, int64_t *offset,
                           LogBlock **block, Err *err);

/* The end of what is committed; fresh: as it is now, not as last seen. */
ErrCode kafka_import_end(KafkaImport *import, uint32_t partition, bool fresh, int64_t *end,
                         Err *err);

/* What is wrong with the topic and does not stop the reading: PARTITIONS_GROWN; OK: nothing. */
ErrCode kafka_import_state(KafkaImport *import, int64_t *since_ms, Err *err);

/* Until something has come, or the time is over. Looks after the connection. */
void kafka_import_wait(KafkaImport *import, int64_t timeout_us);

/* From any thread: wakes it. */
void kafka_import_wake(KafkaImport *import);

/* How many partitions a topic has; TOPIC_MISSING. */
ErrCode kafka_topic_partitions(const KafkaConfig *config, const char *topic, uint32_t *partitions,
                               Err *err);

#endif
