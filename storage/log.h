/*
 * log.h - topics and their partitions, as readers see them: what is durable, in offset order.
 *
 * Offsets are dense at append; readers see increasing offsets. The end offset is metadata, never
 * derived from the last record. Names on disk are ids.
 */
#ifndef STORAGE_LOG_H
#define STORAGE_LOG_H

#include "storage/commit.h"

typedef struct LogTopic {
    uint32_t id;
    char name[256];
    uint32_t partition_count;
} LogTopic;

/* With a cluster (cluster.h): ids from here on are borrowed by this process for topics that the
 * service has not adopted. They can be read, and never be in a commit. */
enum { LOG_TOPIC_BORROWED = 0x40000000 };

static inline bool log_topic_is_borrowed(const LogTopic *topic) {
    return topic->id >= LOG_TOPIC_BORROWED;
}

/* false: no such topic. Safe from any thread. A cluster may be asked, which may wait. */
bool log_topic_find(Storage *storage, const char *name, LogTopic *topic);
/* The same; NOT_FOUND, or why the cluster could not be asked. */
ErrCode log_topic_look(Storage *storage, const char *name, LogTopic *topic, Err *err);
bool log_topic_get(Storage *storage, uint32_t topic_id, LogTopic *topic);
/* All topics in order of name, in `arena`. */
void log_topics(Storage *storage, Arena *arena, LogTopic **topics, uint32_t *count);

/* First offset kept and next offset to be given; both 0 for an empty partition. Of a cluster: as
 * last seen. */
ErrCode log_offsets(Storage *storage, TopicPartition where, int64_t *start, int64_t *end, Err *err);
/* The same; a cluster is asked, which may wait. */
ErrCode log_offsets_now(Storage *storage, TopicPartition where, int64_t *start, int64_t *end,
                        Err *err);

/* Bytes of its record batches, on disk and in memory; of a cluster: 0. */
ErrCode log_bytes(Storage *storage, TopicPartition where, uint64_t *bytes, Err *err);

/* The same of what is in no ended segment. */
ErrCode log_bytes_growing(Storage *storage, TopicPartition where, uint64_t *bytes, Err *err);

/* What is kept of a partition; below 0: all. */
typedef struct LogRetention {
    int64_t ms;    /* records whose timestamps are not older */
    int64_t bytes; /* the last so many, and what is not dropped without going below */
} LogRetention;

/* Where the partition would begin at now_ms: what is dropped goes as a whole, a segment, or in
 * memory a batch, and only from the beginning on. For commit_log_start(); *start is where it begins
 * already when nothing is due. */
ErrCode log_retention_start(Storage *storage, TopicPartition where, const LogRetention *retention,
                            int64_t now_ms, int64_t *start, Err *err);

/* The next checkpoint ends the present segment, so that it can be dropped without what follows. */
ErrCode log_roll(Storage *storage, TopicPartition where, Err *err);

/* The committed position of a task; -1: none. */
int64_t log_position(Storage *storage, uint32_t task_id, TopicPartition source);

/* A run of whole record batches in one reference-counted buffer. */
typedef struct LogBlock LogBlock;
void log_block_ref(LogBlock *block);
void log_block_unref(LogBlock *block);
Bytes log_block_bytes(const LogBlock *block); /* batches one after the other, checked */

/* Reads from `offset` on, about bytes_max (at least one batch): *block is NULL at the end. The
 * first batch may begin before `offset`. The caller gets one reference. Bytes that come from
 * disk are proved by their sums. Never waits: of a cluster, *block is NULL too where what is there
 * has not come yet. */
ErrCode log_fetch(Storage *storage, TopicPartition where, int64_t offset, uint32_t bytes_max,
                  LogBlock **block, Err *err);

/* The same, and waits for what of a cluster is there and has not come: *block is NULL at the end,
 * TIMEOUT when nothing comes. For threads that may wait. */
ErrCode log_fetch_wait(Storage *storage, TopicPartition where, int64_t offset, uint32_t bytes_max,
                       LogBlock **block, Err *err);

/* The same, as much as is read at once, for who reads on: what was read from disk with `before`,
 * the block that ended at `offset`, is not read again. NULL: none. */
ErrCode log_fetch_on(Storage *storage, TopicPartition where, int64_t offset,
                     const LogBlock *before, LogBlock **block, Err *err);

/* Called after records of any partition have become visible; on the thread that made them so,
 * which must not wait. One function per storage; NULL ends it, and waits for a call under way. */
typedef void LogListenerFn(void *context, TopicPartition where, int64_t end_offset);
void log_listen(Storage *storage, LogListenerFn *listener, void *context);

#endif
