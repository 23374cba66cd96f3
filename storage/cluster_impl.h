/*
 * cluster_impl.h - the storage's side of a cluster: topics that only the cluster has.
 *
 * A topic of the cluster that no command of the service has named has no id of the service's.
 * Readers get a borrowed one (from LOG_TOPIC_BORROWED on, this process' alone), so that PRINT and
 * its like need no other way; a commit refuses it. Once the service knows the topic, its own id is
 * what log_topic_find() gives.
 */
#ifndef STORAGE_CLUSTER_IMPL_H
#define STORAGE_CLUSTER_IMPL_H

#include "storage/cluster.h"
#include "storage/storage_impl.h"

typedef struct ClusterTopics {
    Lock lock;
    Signal arrived;
    LogTopic **topics; /* of id LOG_TOPIC_BORROWED + index; they stay where they are */
    size_t count, capacity;
} ClusterTopics;

/* For log.h, in its functions' place when a cluster is attached. */
ErrCode cluster_topic_find(Storage *storage, const char *name, LogTopic *topic, Err *err);
bool cluster_topic_get(Storage *storage, uint32_t topic_id, LogTopic *topic);
/* All but those that the service knows, after `count` ones in *topics. */
void cluster_topics_add(Storage *storage, Arena *arena, LogTopic **topics, uint32_t *count);
ErrCode cluster_fetch(Storage *storage, TopicPartition where, int64_t offset, LogBlock **block,
                      Err *err);
ErrCode cluster_fetch_wait(Storage *storage, TopicPartition where, int64_t offset,
                           LogBlock **block, Err *err);
ErrCode cluster_offsets(Storage *storage, TopicPartition where, bool fresh, int64_t *start,
                        int64_t *end, Err *err);

/* storage_wait_on() with what the cluster says is wrong. */
bool cluster_wait_on(Storage *storage, uint32_t *memory);

/* Without threads: what the cluster does by hand; then a moment for it to answer, if that is all
 * that is waited for. */
void cluster_pump(Storage *storage);
void cluster_wait(Storage *storage);

#endif
