/*
 * reader.h - records of a cluster's topics, as ClusterOps.fetch() and offsets() give them.
 *
 *   broker -> librdkafka's queue of the partition -> fetch(): block of batches -> window -> scans
 *
 * Nothing is fetched that nobody asks for: a partition is read once somebody has fetched from it,
 * from the offset asked for, as far ahead as its queue takes. Readers near to one another share
 * what was read (the window); one elsewhere gets a stream of its own, on another handle, up to
 * READER_STREAMS; beyond that the one that was not used for longest is moved.
 */
#ifndef KAFKA_READER_H
#define KAFKA_READER_H

#include "kafka/admin.h"
#include "storage/cluster.h"

enum {
    READER_STREAMS = 4,
#ifdef HOSTILE_LIMITS
    READER_MESSAGES = 7,
    READER_WINDOW_BYTES = 4 << 10,
#else
    READER_MESSAGES = 10000,
    READER_WINDOW_BYTES = 32 << 20, /* of all partitions */
#endif
};

typedef struct KafkaReader KafkaReader;

/* Something may be fetched now. On a thread of librdkafka; must not wait, nor call the reader. */
typedef void KafkaNotifyFn(void *context, TopicPartition where);

typedef struct KafkaReaderOptions {
    KafkaAdmin *admin; /* for offsets; outlives the reader */
    KafkaTrouble *trouble;
    KafkaNotifyFn *notify;
    void *context;
} KafkaReaderOptions;

ErrCode kafka_reader_open(const KafkaConfig *config, const KafkaReaderOptions *options,
                          KafkaReader **reader, Err *err);

/* Afterwards nobody is notified any more, and nothing can be fetched. */
void kafka_reader_stop(KafkaReader *reader);

/* Blocks that were given out live on. */
void kafka_reader_close(KafkaReader *reader); /* NULL is allowed */

/* As ClusterOps.fetch(). NOT_FOUND below the start (offsets() then knows the new one). Beyond the
 * end: TOPIC_DELETED, for only another topic of the same name can be so. The cluster's trouble,
 * when nothing is there and it has lasted for a moment. From any thread. */
ErrCode kafka_reader_fetch(KafkaReader *reader, const char *name, TopicPartition where,
                           int64_t offset, LogBlock **block, Err *err);

/* As ClusterOps.offsets(). */
ErrCode kafka_reader_offsets(KafkaReader *reader, const char *name, TopicPartition where,
                             bool fresh, ClusterOffsets *offsets, Err *err);

/* What is wrong with a topic that is read, beside the cluster's trouble: TOPIC_DELETED,
 * PARTITIONS_GROWN; OK: nothing. */
ErrCode kafka_reader_topic_state(KafkaReader *reader, const char *name, int64_t *since_ms,
                                 Err *err);

/* To be called about once a second, on the Kafka thread: takes librdkafka's errors, stops what
 * nobody reads, looks whether topics are as they were. May wait for 200 ms when there is trouble.
 */
void kafka_reader_tick(KafkaReader *reader);

#endif
