/*
 * topic_impl.h - statements about topics, between topic.c and topic_cluster.c.
 */
#ifndef ENGINE_TOPIC_IMPL_H
#define ENGINE_TOPIC_IMPL_H

#include "engine/engine_impl.h"

/* What ALTER TOPIC is to change in a cluster; partitions 0: their number stays. */
typedef struct TopicChange {
    uint32_t partitions;
    TopicConfig config;
} TopicChange;

ErrCode topic_cluster_alter(Call *call, const LogTopic *topic, const TopicChange *change,
                            Err *err);
ErrCode topic_cluster_drop(Call *call, const LogTopic *topic, Err *err); /* a borrowed one */
ErrCode topic_cluster_show(Call *call, Err *err);
ErrCode topic_cluster_describe(Call *call, const LogTopic *topic, Err *err);

/* topic.c: the sources and queries that use it, as a cell. */
void topic_users_cell(Call *call, const char *topic);

#endif
