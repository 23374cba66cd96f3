/*
 * cluster_impl.h - a service on a cluster, as the files of kafka/ see it.
 *
 *   workers ---submit()---> inbox ---> Kafka thread: slots (transactions), appends (without)
 *   engine ---take()------> Kafka thread: init_transactions(); then reads and restores itself
 *   call threads            the calls of transactions that wait for an answer (slot_call.c)
 *   control thread          all else that waits: commands, deciding, members, group offsets
 *
 * The Kafka thread has all states and waits for nothing. No slot waits for another one's answer,
 * and no statement holds up the transactions of queries.
 *
 * Locks: take_lock, then `lock`. Neither is held while the library is called.
 */
#ifndef KAFKA_CLUSTER_IMPL_H
#define KAFKA_CLUSTER_IMPL_H

#include <stdatomic.h>

#include "kafka/kafka.h"
#include "kafka/reader.h"
#include "kafka/slot_impl.h"
#include "kafka/tail.h"

enum { KAFKA_NAME_SIZE = 300, KAFKA_ADMIN_TIMEOUT_MS = 30000 };

/* == Members ================================================================================== */

/* `_<id>-members`: key = uuid, value = JSON {"uuid", "host", "pid", "started"}; null: it has ended.
 * The offset of a process's record is its rank. */
typedef struct Members {
    Lock lock; /* of the tail */
    KafkaTail *tail;
    int64_t rank;
    int64_t newest; /* of another process */
    int64_t asked_us; /* for the end, the last time */
} Members;

/* == Commands ================================================================================= */

/* `_<id>-commands`: see command.c. */
typedef struct Commands {
    KafkaTail *tail;
    int64_t applied; /* offset of the last one that counts; -1: none */
    uint64_t applied_nonce; /* its nonce; 0: none, or not known */
    uint64_t nonce;  /* of the one that this process is writing; 0: none */
    bool found;      /* it counts: `applied` is its offset */
    bool foreign;    /* one counts that this process' engine does not know */
    bool running;    /* the engine has read its catalog */
} Commands;

/* == Appends without a transaction ============================================================ */

typedef struct Append {
    Bundle bundle; /* of one commit */
    bool handed_over;
    struct Append *next;
} Append;

typedef struct Appends {
    Producer producer;
    Append *first, *last;
    atomic_ullong bytes; /* under way */
    int64_t retry_us;    /* no new producer before */
} Appends;

/* == Control thread =========================================================================== */

typedef struct ControlJob {
    void (*run)(KafkaCluster *cluster, void *arg);
    void *arg;
    struct ControlJob *next;
} ControlJob;

typedef struct Control {
    Thread thread;
    Signal work;
    ControlJob *first, *last;
    bool running;
} Control;

/* == Calls of slots =========================================================================== */

enum { CALL_THREADS = 4 };

typedef struct CallPool {
    Thread threads[CALL_THREADS];
    Signal work;
    Slot *first, *last;
    bool running, closing;
} CallPool;

/* Which group shows the lag of tasks [first_id, first_id + count). */
typedef struct TaskGroup {
    uint32_t first_id, count;
    char *group;
} TaskGroup;

struct KafkaCluster {
    Cluster cluster; /* first */
    const KafkaConfig *config;
    Storage *storage;
    uint8_t uuid[AUTHOR_SIZE];
    char commands_topic[KAFKA_NAME_SIZE], members_topic[KAFKA_NAME_SIZE];
    char positions_topic[KAFKA_NAME_SIZE];
    KafkaTrouble trouble;
    KafkaAdmin *admin;
    KafkaReader *reader;
    Members members;
    Commands commands;
    StoreTable stores;
    Slot *slots;
    uint32_t slot_count;
    Appends appends;

    Lock take_lock;

    Lock lock;
    Signal work;    /* to the Kafka thread */
    Signal changed; /* from it: slots, appends */
    Commit **inbox;
    size_t inbox_count, inbox_capacity;
    uint32_t *drops; /* tasks that are gone */
    size_t drop_count, drop_capacity;
    bool kicked, closing;
    uint64_t strangers;       /* that were not told of yet */
    char stranger_text[512];  /* the first of them */
    bool over; /* fenced, or closed */
    bool told; /* and the storage knows it, which may be attached later */
    Err over_cause;
    KafkaEndFn *end;
    void *end_arg;
    Control control;
    CallPool pool;
    TaskGroup *groups;
    int64_t group_due_us;  /* Kafka thread */
    uint64_t *group_seen;  /* transactions of each slot that were shown */
    size_t group_count, group_capacity;
    int64_t trim_due_us; /* Kafka thread, as trim_seen */
    uint64_t trim_seen;  /* transactions of all slots, the last time */

    Thread thread;
    bool running;
};

/* thread.c */
void thread_open(KafkaCluster *cluster);
void thread_close(KafkaCluster *cluster);
void thread_kick(KafkaCluster *cluster); /* something has happened; any thread */
void thread_submit(KafkaCluster *cluster, Commit *commit);

/* The process is over: every commit fails with the cause from now on. Any thread. */
void cluster_over(KafkaCluster *cluster, const Err *cause);
ErrCode cluster_check(KafkaCluster *cluster, Err *err); /* the cause; OK: it is not over */

/* slot_call.c */
void calls_open(KafkaCluster *cluster);
void calls_close(KafkaCluster *cluster); /* waits for calls that are made; none comes later */

/* control.c */
void control_open(KafkaCluster *cluster);
void control_close(KafkaCluster *cluster); /* jobs that are queued still run */
/* false: it is closed, nothing happens. */
bool control_post(KafkaCluster *cluster, void (*run)(KafkaCluster *, void *), void *arg);

/* stranger.c: a record of the service's own topics that none of its processes has written is left
 * out, and told of. Any thread. */
void cluster_stranger(KafkaCluster *cluster, const char *topic, uint32_t partition,
                      int64_t offset);

/* service_topic.c: makes the service's topics where they are missing; CLUSTER_CHANGED for those
 * that cannot keep what is written there. */
ErrCode service_topics(KafkaCluster *cluster, Err *err);
ErrCode service_positions_topic(KafkaCluster *cluster, Err *err); /* when the slots are known */

/* members.c */
ErrCode members_join(KafkaCluster *cluster, Err *err);
void members_leave(KafkaCluster *cluster);
/* To the end; FENCED: there is a newer process. Any thread that may wait. */
ErrCode members_check(KafkaCluster *cluster, Err *err);
/* What has come meanwhile; waits for a moment. */
ErrCode members_look(KafkaCluster *cluster, Err *err);

/* command.c */
ErrCode commands_open(KafkaCluster *cluster, Err *err);
void commands_close(KafkaCluster *cluster);
void commands_submit(KafkaCluster *cluster, Commit *commit);

/* append.c; but for append_wait() on the Kafka thread */
void append_submit(KafkaCluster *cluster, Commit *commit);
int64_t append_step(KafkaCluster *cluster); /* as slot_step() */
void append_end(KafkaCluster *cluster, const Err *cause);
/* Waits while too much is under way. */
void append_wait(KafkaCluster *cluster, const Commit *commit);

/* take.c */
ErrCode take_slots(KafkaCluster *cluster, const uint32_t *slots, uint32_t count, Err *err);

/* topic.c: of ClusterOps; and a TopicConfig in Kafka's words, in the arena. */
enum { TOPIC_CONFIGS_MAX = 4 };
ErrCode topic_find(Cluster *cluster, const char *name, uint32_t *partitions, Err *err);
ErrCode topic_all(Cluster *cluster, Arena *arena, LogTopic **topics, uint32_t *count, Err *err);
ErrCode topic_describe(Cluster *cluster, const char *const *names, uint32_t count, bool readers,
                       ClusterTopic *topics, Err *err);
ErrCode topic_alter(Cluster *cluster, const char *name, uint32_t partitions,
                    const TopicConfig *config, Err *err);
ErrCode topic_remove(Cluster *cluster, const char *name, Err *err);
uint32_t topic_configs(const TopicConfig *config, Arena *arena,
                       KafkaPair pairs[TOPIC_CONFIGS_MAX]);
uint32_t topic_configs_keep(KafkaPair pairs[TOPIC_CONFIGS_MAX]); /* everything, for ever */

/* restore.c: the changelog of each store of the slots that the folder has not the whole of.
 * unused[i]: no transaction of slots[i] is known, and so there can be no changes. */
ErrCode restore_slots(KafkaCluster *cluster, const uint32_t *slots, const bool *unused,
                      uint32_t count, Err *err);

/* note.c: what the folder knows of the cluster. *value is in the arena, size 0: none. */
ErrCode note_read(Storage *storage, Bytes key, Arena *arena, Bytes *value, Err *err);
void note_put(Commit *commit, Bytes key, const uint8_t *value, uint32_t size);

/* Puts positions of tasks into the commit, where the folder has others. *commit NULL: it is made
 * when something is to be put. */
void note_positions(Storage *storage, const PositionTable *table, Commit **commit);

/* CLUSTER_CHANGED: the folder knows of later transactions than were found. */
ErrCode note_mark_check(KafkaCluster *cluster, const Slot *slot, Err *err);

/* send.c: writes one record that is not a commit's, and waits. *offset: where. */
typedef struct SentRecord {
    const char *topic;
    Bytes key, value;
} SentRecord;
ErrCode send_record(KafkaCluster *cluster, const SentRecord *record, int64_t *offset, Err *err);

/* group.c: offsets of consumer groups, for tools that show lag. */
int64_t group_step(KafkaCluster *cluster); /* as slot_step() */
void group_query(Cluster *cluster, uint32_t first_id, uint32_t count, const char *query_id);

/* trim.c: deletes what is behind every task, of topics that are the queries' own. */
int64_t trim_step(KafkaCluster *cluster); /* as slot_step() */
bool trim_is_repartition(const KafkaCluster *cluster, const char *topic);

#endif
