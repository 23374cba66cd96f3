/*
 * reader_impl.h - the inside of the reader: parts (partitions of topics) and their streams.
 *
 * Locks: reader->lock (the list of parts) before part->lock before all others. The
 * callback of a queue runs under librdkafka's lock of that queue, so it takes none of ours.
 */
#ifndef KAFKA_READER_IMPL_H
#define KAFKA_READER_IMPL_H

#include <stdatomic.h>

#include "kafka/block.h"
#include "kafka/reader.h"

enum { PART_BUCKETS = 256, WINDOW_BLOCKS = 64 };

/* A run of offsets [from, to) that was read. */
typedef struct WindowBlock {
    LogBlock *block;
    int64_t from, to;
} WindowBlock;

typedef struct Part Part;

/* One position in a partition, on the handle of the same index. */
typedef struct Stream {
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue; /* NULL: stopped */
    int64_t next;            /* offset behind what was taken from the queue */
    int64_t used_us;
    size_t record_bytes; /* about; of those that came last */
    bool was_full;       /* its queue, since librdkafka was woken */
    WindowBlock window[WINDOW_BLOCKS];
    uint32_t first, count;
    size_t bytes;
} Stream;

struct Part {
    KafkaReader *reader;
    Part *next; /* of the bucket */
    Lock lock;
    char *name;
    uint32_t partition;
    _Atomic uint64_t where; /* topic id and partition as last asked with */
    Stream streams[READER_STREAMS];
    bool seen; /* start and end are known */
    int64_t start, end;
};

/* A topic as it was when it was first read. */
typedef struct ReadTopic {
    char *name;
    uint32_t partitions;
    ErrCode state;
    int64_t since_ms;
} ReadTopic;

/* What a thread needs while it fetches. */
typedef struct Scratch {
    struct Scratch *next;
    BlockWriter writer;
    rd_kafka_message_t *messages[READER_MESSAGES];
} Scratch;

struct KafkaReader {
    const KafkaConfig *config;
    KafkaReaderOptions options;
    SharedLock lock;
    Part *buckets[PART_BUCKETS];
    _Atomic uint32_t part_count;
    atomic_bool stopped;
    Lock client_lock; /* while one is opened */
    KafkaClient *_Atomic clients[READER_STREAMS]; /* NULL: not needed yet */
    rd_kafka_queue_t *wake_queues[READER_STREAMS]; /* made with the client */
    _Atomic int64_t wake_us[READER_STREAMS];       /* not before */
    Lock scratch_lock;
    Scratch *scratch;
    Lock topic_lock;
    ReadTopic *topics;
    size_t topic_count, topic_capacity;
    _Atomic uint32_t deleted_count; /* of them, with state TOPIC_DELETED */
    int probe_ms; /* how long the next question whether the cluster answers again may take */
    bool troubled; /* as of the last tick */
    int64_t looked_us;
};

/* With the part's lock. */
ErrCode stream_start(Part *part, uint32_t index, int64_t offset, Err *err);
void stream_stop(Part *part, uint32_t index);
void stream_forget(Stream *stream); /* its window */

/* Takes what has come; *block NULL: nothing, or nothing but an end. */
ErrCode stream_take(Part *part, uint32_t index, LogBlock **block, Err *err);
void stream_wake(Part *part, uint32_t index);
LogBlock *stream_find(const Stream *stream, int64_t offset); /* borrowed; NULL: not in the window */

#endif
