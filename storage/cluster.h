/*
 * cluster.h - what storage asks of a log elsewhere: a Kafka cluster (kafka/) in place of the topics
 * in the folder.
 *
 * With a Cluster attached the topics' records live there and the folder keeps the rest: the
 * catalog, positions and state as they are known to be committed. Every commit goes to the cluster
 * first; what it says decides:
 *
 *   commit_submit -> submit() -> transaction -> commit_accept() -> journal, apply -> done(DURABLE)
 *                                           \-> commit_reject() ----------------> done(ABORTED)
 *
 * So the folder never holds what is not known to be committed there, and is a cache that may be
 * lost: positions, state and catalog are in the cluster too.
 *
 * What a commit becomes:
 *   of a commit group (commit_slot() was called)  one transaction of its slot: records, a record in
 *                                                 the changelog for each change of state, positions
 *   with CATALOG or TOPIC entries                 topics made or deleted, then a command
 *   with records only                             produced, idempotent, without a transaction
 *   with none of these                            nothing: it is the folder's alone
 */
#ifndef STORAGE_CLUSTER_H
#define STORAGE_CLUSTER_H

#include "storage/commit.h"
#include "storage/log.h"

typedef struct Cluster Cluster;

/* A store of a task, as the cluster must know it: what is put there goes to the changelog. */
typedef struct ClusterStore {
    uint32_t store_id;
    TopicPartition changelog;
    uint32_t slot;
} ClusterStore;

/* How a topic is to be made: beside commit_topic_create(); below 0: the cluster's default. */
typedef struct TopicConfig {
    int32_t replicas;
    int64_t retention_ms, retention_bytes; /* CONFIG_DEFAULT: not said; -1: no limit */
    bool compact;                          /* cleanup.policy=compact */
    bool expires;                          /* ... compact,delete: changelogs of windows */
} TopicConfig;

/* What the cluster says of a topic, for people. */
typedef struct ClusterTopic {
    uint32_t partitions;
    int32_t replicas;
    int32_t groups, members; /* that read it, by their committed offsets; -1: not known */
    int64_t lag;             /* of all of them; likewise */
    int64_t retention_ms, retention_bytes; /* -1: no limit */
    bool compact, expires; /* as in TopicConfig */
} ClusterTopic;

typedef struct ClusterOffsets {
    int64_t start, end;
} ClusterOffsets;

typedef struct ClusterOps {
    /* -- Topics. On threads that may wait. NOT_FOUND: there is none of that name. */
    ErrCode (*topic_find)(Cluster *cluster, const char *name, uint32_t *partitions, Err *err);
    /* All of them, ids 0, in order of name. */
    ErrCode (*topics)(Cluster *cluster, Arena *arena, LogTopic **topics, uint32_t *count, Err *err);

    /* For these three NULL: it cannot be done. They may wait. describe: topics[i] is of names[i],
     * zeros for one that is not there; its groups if `readers` are wanted, which takes longer.
     * alter: what is CONFIG_DEFAULT, partitions 0, replicas -1 stays. remove: of a topic that the
     * service does not know. */
    ErrCode (*describe)(Cluster *cluster, const char *const *names, uint32_t count, bool readers,
                        ClusterTopic *topics, Err *err);
    ErrCode (*alter)(Cluster *cluster, const char *name, uint32_t partitions,
                     const TopicConfig *config, Err *err);
    ErrCode (*remove)(Cluster *cluster, const char *name, Err *err);

    /* What is wrong with the cluster now, since when; OK: nothing. Never waits. May be NULL. */
    ErrCode (*trouble)(Cluster *cluster, int64_t *since_ms, Err *err);

    /* What is wrong with a topic that is read, and does not stop reading: PARTITIONS_GROWN, ...,
     * since when; OK: nothing. Never waits. May be NULL. */
    ErrCode (*topic_state)(Cluster *cluster, const char *name, int64_t *since_ms, Err *err);

    /* What is done about a trouble with this code, in words; "" for others. May be NULL. */
    const char *(*retried)(Cluster *cluster, ErrCode code);

    /* -- Reading, committed records only. fetch() never waits: *block NULL where nothing is there
     * yet; the storage's listener is called when something has come. The block may hold fewer
     * offsets than it covers (markers, compaction): its last batch ends where it ends. `name` is
     * the topic's. */
    ErrCode (*fetch)(Cluster *cluster, const char *name, TopicPartition where, int64_t offset,
                     LogBlock **block, Err *err);
    /* First offset kept, and the end of what is committed. fresh: asked now, which may wait;
     * otherwise as last seen (asked, if never seen). */
    ErrCode (*offsets)(Cluster *cluster, const char *name, TopicPartition where, bool fresh,
                       ClusterOffsets *offsets, Err *err);

    /* -- Owning. Which slot a task belongs to: by its first source, so that inputs that are read
     * together share one. */
    uint32_t (*slot)(Cluster *cluster, const char *topic, uint32_t partition);
    /* Why no commit of a slot comes to an end, since when; OK: they do. As topic_state. */
    ErrCode (*slot_state)(Cluster *cluster, uint32_t slot, int64_t *since_ms, Err *err);
    /* Stores of a query that is to start; then the slots it needs: afterwards this process owns
     * them, and positions and stores in the folder are those of the last committed transaction. On
     * threads that may wait. */
    void (*store_open)(Cluster *cluster, const ClusterStore *store);
    void (*store_close)(Cluster *cluster, uint32_t store_id);
    ErrCode (*take)(Cluster *cluster, const uint32_t *slots, uint32_t count, Err *err);

    /* For tools that show lag, may be NULL: tasks of ids [first_id, first_id + count) are of this
     * query, which runs. */
    void (*query)(Cluster *cluster, uint32_t first_id, uint32_t count, const char *query_id);

    /* -- Writing. Takes the commit; one of commit_accept() and commit_reject() is called for it
     * later, on any thread. Never waits. */
    void (*submit)(Cluster *cluster, Commit *commit);

    /* Called by storage_pump(), for one that has no threads of its own; may be NULL. */
    void (*pump)(Cluster *cluster);
} ClusterOps;

/* An implementation begins with one. */
struct Cluster {
    const ClusterOps *ops;
};

/* Before anything is read or committed; the cluster outlives the storage's use. NULL: detached. */
void storage_attach(Storage *storage, Cluster *cluster);
Cluster *storage_cluster(const Storage *storage); /* NULL: the log is the folder's */

/* The cluster is over for this process (another one has fenced it): every call from now on returns
 * `cause`. */
void storage_end(Storage *storage, const Err *cause);

/* A block of batches for fetch(): `memory` is of base/mem.h and taken over, `part` is what of it is
 * batches, one after the other, with offsets and sums that are right. */
LogBlock *log_block_own(uint8_t *memory, Bytes part);

/* Something new may be fetched from this partition: calls the storage's listener. */
void storage_notify(Storage *storage, TopicPartition where, int64_t end_offset);

/* The partition is known to end there, or later: log_offsets() says so, and who reads in order
 * waits for what is missing. commit_accept() says it of the base offsets and counts of a commit;
 * the cluster says it before, where it knows more (records that did not stay together). */
void storage_seen_end(Storage *storage, TopicPartition where, int64_t end_offset);

/* Waits until something may be fetched that could not be, or the time is over; at once where there
 * is no cluster. For threads that read by hand. */
void storage_await(Storage *storage, int64_t timeout_us);

/* Who waits for the cluster asks some times a second whether to go on. `why`: what is wrong (NULL:
 * nothing known), since when. *memory is 0 at the beginning of a wait and is the function's own.
 * false: give it up. On any thread, with no lock. */
typedef bool StorageWaitFn(void *context, const Err *why, int64_t since_ms, uint32_t *memory);
void storage_on_wait(Storage *storage, StorageWaitFn *wait, void *context);
bool storage_wait_on(Storage *storage, const Err *why, int64_t since_ms, uint32_t *memory);

/* -- What a group and the engine say beside their entries ------------------------------------- */

enum { COMMIT_NO_SLOT = -1, CONFIG_DEFAULT = -2 };
void commit_slot(Commit *commit, uint32_t slot);
void commit_statement(Commit *commit, Bytes text); /* the SQL that it is for; copied */
void commit_topic_config(Commit *commit, uint32_t topic_id, const TopicConfig *config);

/* -- What the cluster reads of a commit, and how it ends -------------------------------------- */

typedef enum CommitItemKind {
    COMMIT_ITEM_APPEND,       /* where, value: the batch (sealed; base offset 0) */
    COMMIT_ITEM_POSITION,     /* id: the task; where: its source; offset (below 0: forgotten) */
    COMMIT_ITEM_PUT,          /* id: the store; key, value */
    COMMIT_ITEM_REMOVE,       /* id: the store; key */
    COMMIT_ITEM_REMOVE_RANGE, /* id: the store (0: a task's positions); key, value: min, max */
    COMMIT_ITEM_CATALOG,      /* a change of the catalog */
    COMMIT_ITEM_TOPIC_CREATE, /* where.topic_id, where.partition: how many; name; config */
    COMMIT_ITEM_TOPIC_DELETE, /* where.topic_id; name */
} CommitItemKind;

typedef struct CommitItem {
    CommitItemKind kind;
    uint32_t id;
    TopicPartition where;
    int64_t offset;
    Bytes key, value;
    const char *name;
    const TopicConfig *config; /* NULL: nothing was said */
} CommitItem;

typedef struct CommitItems {
    const Commit *commit;
    Bytes entries, records, rest; /* not yet read; of the open entry */
    uint8_t type;
    uint32_t id;
    size_t topic_index;
} CommitItems;

int32_t commit_slot_of(const Commit *commit); /* COMMIT_NO_SLOT */
uint32_t commit_owner_of(const Commit *commit);
Bytes commit_statement_of(const Commit *commit); /* size 0: none */
void commit_items(const Commit *commit, CommitItems *items);
bool commit_item_next(CommitItems *items, CommitItem *item); /* pointers: into the commit */

/* What others need to do the same in their folder, without its records: opaque, for a command; and
 * a commit made of it. Ids drawn afterwards are larger than those in it. */
void commit_save(const Commit *commit, Buf *target);
Commit *commit_load(Storage *storage, Bytes saved, Err *err); /* NULL: damaged, *err says where */

/* The cluster has it. base_offsets: one for each APPEND item, in order. `notes` (of at most 100
 * bytes; one for each store with changes, and four; none for records alone) are written with it
 * in the folder's store STORE_CLUSTER, which is the cluster's own memory of how far the folder is
 * (changelog offsets, the last command). Then `done` comes as usual. */
typedef struct ClusterNote {
    Bytes key, value;
} ClusterNote;
void commit_accept(Commit *commit, const int64_t *base_offsets, const ClusterNote *notes,
                   uint32_t note_count);

/* It has it not, and never will. A cause whose action is RETRY: the group rolls back, and goes on
 * later. */
void commit_reject(Commit *commit, const Err *cause);

/* A commit of the cluster's own (what restoring has read, positions, commands): goes straight to
 * the folder. As commit_wait(). */
ErrCode commit_local_wait(Commit *commit, Err *err);

#endif
