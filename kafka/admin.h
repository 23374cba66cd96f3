/*
 * admin.h - topics, their configuration, their offsets, and consumer groups of a cluster.
 *
 * Every call waits for its answer: on threads that may wait. One KafkaAdmin may be used by several
 * threads. Errors are trouble.def's codes. A connection that breaks under a call is no answer: what
 * may be asked twice is asked again, within the call's time.
 */
#ifndef KAFKA_ADMIN_H
#define KAFKA_ADMIN_H

#include "base/arena.h"
#include "kafka/client.h"

typedef struct KafkaAdmin KafkaAdmin;

/* timeout_ms: of each call. */
ErrCode kafka_admin_open(const KafkaConfig *config, KafkaTrouble *trouble, int timeout_ms,
                         KafkaAdmin **admin, Err *err);
void kafka_admin_close(KafkaAdmin *admin); /* NULL is allowed */

/* From now on a question about topics that is asked while no broker answers is given up after a
 * second: for a process that is up, and has somebody to tell. */
void kafka_admin_hasten(KafkaAdmin *admin);

/* Its handle (role KAFKA_CATCH_UP), for kafka_tail_read(). */
KafkaClient *kafka_admin_client(KafkaAdmin *admin);

typedef struct KafkaPair {
    const char *name, *value;
} KafkaPair;

typedef struct KafkaNewTopic {
    const char *name;
    uint32_t partitions;
    int32_t replicas; /* below 1: the cluster's default */
    const KafkaPair *configs;
    uint32_t config_count;
} KafkaNewTopic;

/* All of them, in one call. A topic that is there already is no error, and stays as it was.
 * Afterwards the cluster's answer has all of them. */
ErrCode kafka_admin_create(KafkaAdmin *admin, const KafkaNewTopic *topics, uint32_t count,
                           Err *err);

/* Topics that are not there are no error. */
ErrCode kafka_admin_delete(KafkaAdmin *admin, const char *const *names, uint32_t count, Err *err);
ErrCode kafka_admin_grow(KafkaAdmin *admin, const char *name, uint32_t partitions, Err *err);

/* Changes these configs of a topic and leaves the others; value NULL: back to the default. */
ErrCode kafka_admin_configure(KafkaAdmin *admin, const char *name, const KafkaPair *configs,
                              uint32_t count, Err *err);

typedef struct KafkaTopic {
    const char *name;
    uint32_t partitions;
    uint32_t replicas; /* of its first partition */
} KafkaTopic;

/* TOPIC_MISSING. The name is borrowed from the caller. */
ErrCode kafka_admin_topic(KafkaAdmin *admin, const char *name, KafkaTopic *topic, Err *err);

/* All, in order of name, in `arena`. */
ErrCode kafka_admin_topics(KafkaAdmin *admin, Arena *arena, KafkaTopic **topics, uint32_t *count,
                           Err *err);

/* All configs of a topic; is_default: nobody set it for this topic. */
typedef struct KafkaTopicConfig {
    const char *name, *value; /* value NULL: none, or secret */
    bool is_default;
} KafkaTopicConfig;
ErrCode kafka_admin_configs(KafkaAdmin *admin, const char *name, Arena *arena,
                            KafkaTopicConfig **configs, uint32_t *count, Err *err);

/* First offset kept and the end of what is committed, of partitions [0, count). */
typedef struct KafkaOffsets {
    int64_t start, end;
} KafkaOffsets;
ErrCode kafka_admin_offsets(KafkaAdmin *admin, const char *name, uint32_t count,
                            KafkaOffsets *offsets, Err *err);

/* The same of any partitions, each once, with one question to each broker. */
typedef struct KafkaPartition {
    const char *topic;
    uint32_t partition;
    KafkaOffsets offsets; /* out */
} KafkaPartition;
ErrCode kafka_admin_offsets_of(KafkaAdmin *admin, KafkaPartition *partitions, uint32_t count,
                               Err *err);

/* The first offset whose timestamp is at or after `timestamp`; the end when there is none. */
ErrCode kafka_admin_offset_of_time(KafkaAdmin *admin, const char *name, uint32_t partition,
                                   int64_t timestamp, int64_t *offset, Err *err);

/* Consumer groups that have committed offsets of a topic, or members that read it. */
typedef struct KafkaGroup {
    const char *id, *state; /* "Stable", "Empty", ... */
    uint32_t members; /* who reads the topic now */
    int64_t lag;      /* records of the topic that it has not read */
} KafkaGroup;
ErrCode kafka_admin_groups(KafkaAdmin *admin, const KafkaTopic *topic, Arena *arena,
                           KafkaGroup **groups, uint32_t *count, Err *err);

/* Sets offsets of a group without members: for tools that show lag. */
typedef struct KafkaPosition {
    const char *topic;
    uint32_t partition;
    int64_t offset;
} KafkaPosition;
ErrCode kafka_admin_group_set(KafkaAdmin *admin, const char *group, const KafkaPosition *positions,
                              uint32_t count, Err *err);

/* Deletes the records before these offsets. */
ErrCode kafka_admin_trim(KafkaAdmin *admin, const KafkaPosition *positions, uint32_t count,
                         Err *err);

#endif
