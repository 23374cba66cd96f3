/*
 * storage_impl.h - the handle of a data folder, as the files of storage/ see it.
 *
 *   commit.c    builds a commit, reserves journal space, queues it        any thread
 *   commit_remote.c  ... by way of a cluster (cluster.h)                  any thread
 *   writer.c    frames, offsets, one write, one sync, apply, callbacks    writer thread
 *   apply.c     the only place that changes base state                    writer thread, recovery
 *   checkpoint.c  cut (writer), then write, slot, recycle                 background thread
 *   recovery.c  the newest checkpoint, then the journal                   storage_open()
 *
 * Without threads storage_pump() plays all of them. Locks, in the order they may be taken:
 * checkpoint, queue, reserve, journal, state, topics, then a partition's own.
 */
#ifndef STORAGE_STORAGE_IMPL_H
#define STORAGE_STORAGE_IMPL_H

#include <stdatomic.h>

#include "base/thread.h"
#include "storage/checkpoint_impl.h"
#include "storage/commit.h"
#include "storage/journal_impl.h"
#include "storage/log.h"
#include "storage/memtable_impl.h"
#include "storage/reserve_impl.h"
#include "storage/store.h"
#include "storage/spare_memory_impl.h"
#include "storage/topic_impl.h"

/* Keys of store 0 begin with what they are; topics come before their partitions when loaded. */
enum {
    SYSTEM_TOPIC = 1,     /* topic u32 -> partitions u32 LE, name */
    SYSTEM_PARTITION = 2, /* topic u32, partition u32 -> partition_save(); in table files only */
    SYSTEM_POSITION = 3,  /* task u32, topic u32, partition u32 -> next i64 LE, epoch i32 LE */
    SYSTEM_CATALOG = 4,   /* key -> value */
    SYSTEM_KEY_SIZE = 32, /* room for every key but the catalog's: integers are big-endian */
};

enum { UUID_TEXT_SIZE = 37 }; /* and what ends it: a line in the file, a zero here */

struct Storage {
    Io *io;
    char *folder;
    char uuid[UUID_TEXT_SIZE];
    StorageOptions options; /* with defaults filled in */
    IoFile *lock_file;
    bool is_new; /* the folder had not been completed when it was opened */

    atomic_uint next_id;
    atomic_ullong commit_seq;
    atomic_ullong visible_lsn;
    atomic_bool failed;

    Lock queue_lock;
    Signal work;    /* to the writer: commits, a cut, closing */
    Signal changed; /* to all who wait: a commit is done, a checkpoint moved, closing */
    Signal background_work;
    Commit *queue_first, *queue_last;
    bool closing, writer_closing, background_kicked;
    Err failure; /* what made `failed` true */

    Journal journal;
    int64_t last_write_us;   /* writer: end of the last group */
    int64_t rest_us;         /* writer: when its memory goes back; 0: something came since */
    uint64_t last_commit_lsn; /* writer: of the last frame that was not a MARK */

    Lock state_lock; /* guards state; held for one commit at a time */
    Memtable state;

    SpareMemory spare;
    TopicTable topics;
    Checkpoint checkpoint;
    Reserve reserve;

    Lock listen_lock; /* held while the listener is called: after log_listen() it is not */
    LogListenerFn *listener;
    void *listener_context;

    struct Cluster *_Atomic cluster; /* NULL: the log is the folder's; cluster.c */
    struct ClusterTopics *cluster_topics;
    /* A StorageWaitFn; NULL: waits are never given up. */
    bool (*wait)(void *context, const Err *why, int64_t since_ms, uint32_t *memory);
    void *wait_context;
    atomic_uint remote_count; /* commits that the cluster has, and answered ones not yet done */

    Thread writer, background;
    bool threads_running;
};

/* Remembers the first failure; from now on every call returns STORAGE_FAILED. Returns it. */
ErrCode storage_fail(Storage *storage, const Err *cause, Err *err);
bool storage_failed(const Storage *storage);

/* system.c: keys and values of store 0. `key` has SYSTEM_KEY_SIZE bytes; with the store id. */
Bytes system_topic_key(uint8_t *key, uint32_t topic_id);
Bytes system_partition_key(uint8_t *key, TopicPartition where);
Bytes system_position_key(uint8_t *key, uint32_t task_id, TopicPartition source);
Bytes system_task_key(uint8_t *key, uint32_t task_id); /* prefix of the task's positions */
void state_key(Buf *target, uint32_t store_id, Bytes key);
void system_see_id(Storage *storage, uint32_t id); /* ids given from now on are larger */

/* writer.c */
void *writer_thread(void *storage);
void writer_push(Storage *storage, Commit *commit); /* its space is reserved */
ErrCode writer_step(Storage *storage, bool *worked, Err *err); /* one run of commits, or a MARK */
bool writer_is_me(const Storage *storage);

/* apply.c */
typedef struct ApplyInput {
    Bytes entries;
    Buf *body; /* what the entries lie in; may be taken over. NULL: it is somebody else's */
    const int64_t *base_offsets; /* one for each APPEND */
    uint32_t offset_count;
    uint64_t lsn;
    bool checked; /* record batches were checked by commit_append() */
} ApplyInput;

ErrCode apply_commit(Storage *storage, const ApplyInput *input, Err *err);

#endif
