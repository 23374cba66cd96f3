/*
 * commit.h - the only way anything becomes durable: positions, state and records of one commit
 * group, together or not at all.
 *
 *   new -> position, put, remove, remove_range, append, catalog, topic... -> submit -> done
 *
 * A Commit belongs to one thread until commit_submit(), then to the storage. Entries apply in the
 * order they were added. Within one commit a later put of the same key wins.
 */
#ifndef STORAGE_COMMIT_H
#define STORAGE_COMMIT_H

#include "storage/record_batch.h"
#include "storage/storage.h"

typedef struct Commit Commit;

typedef struct TopicPartition {
    uint32_t topic_id;
    uint32_t partition;
} TopicPartition;

typedef enum CommitResult { COMMIT_DURABLE, COMMIT_ABORTED } CommitResult;

/* Offsets that the records of one commit_append() got. */
typedef struct CommitAppended {
    TopicPartition where;
    int64_t base_offset, last_offset;
} CommitAppended;

typedef struct CommitOutcome {
    CommitResult result;
    uint64_t lsn; /* of its last frame */
    const CommitAppended *appended; /* in order of commit_append(); borrowed during the call */
    uint32_t appended_count;
    const Err *err; /* ABORTED: why; borrowed during the call */
} CommitOutcome;

/* Called once, after the commit is durable *and visible* (or has failed). With threads: on the
 * storage's writer thread, which must not wait: hand over and return. Without: inside
 * storage_pump(). */
typedef void CommitDoneFn(void *arg, const CommitOutcome *outcome);

/* owner_id: the commit group (0: the engine itself: catalog, topics, producers). */
Commit *commit_new(Storage *storage, uint32_t owner_id);
void commit_drop(Commit *commit); /* instead of submitting */

/* Next offset that task `task_id` reads from a partition; below 0: forget it. */
void commit_position(Commit *commit, uint32_t task_id, TopicPartition source, int64_t next_offset);

void commit_put(Commit *commit, uint32_t store_id, Bytes key, Bytes value);
void commit_remove(Commit *commit, uint32_t store_id, Bytes key);
/* Everything in [key_min, key_max); key_max of size 0: to the end of the store. */
void commit_remove_range(Commit *commit, uint32_t store_id, Bytes key_min, Bytes key_max);

/* Forgets all positions of a task that is dropped. */
void commit_positions_drop(Commit *commit, uint32_t task_id);

/* Takes a copy of the sealed batch. Offsets come from the writer. */
void commit_append(Commit *commit, TopicPartition where, const RecordBatch *batch);

/* Records below `start` are gone (retention, DeleteRecords). Of a topic that is gone: nothing. */
void commit_log_start(Commit *commit, TopicPartition where, int64_t start);

/* Topics. Ids come from storage_new_id(). */
void commit_topic_create(Commit *commit, uint32_t topic_id, const char *name, uint32_t partitions);
void commit_topic_delete(Commit *commit, uint32_t topic_id);
/* With a cluster: the service knows it no longer, and the cluster keeps it. */
void commit_topic_forget(Commit *commit, uint32_t topic_id);

/* Catalog: key -> value in store 0 as a CATALOG entry (statement and plan). */
void commit_catalog_put(Commit *commit, Bytes key, Bytes value);
void commit_catalog_remove(Commit *commit, Bytes key);

size_t commit_bytes(const Commit *commit); /* so far, encoded */

/* About that many bytes will be added: a large commit is then not moved while it grows. */
void commit_expect(Commit *commit, size_t bytes);

/* Hands the commit over. LIMIT over COMMIT_BYTES_MAX, or for one record batch, key or value too
 * large for a frame; NOT_FOUND for a topic or partition that is not there; STORAGE_FAILED;
 * NO_SPACE. On error nothing happened, `done` is not called, and the commit is still the caller's:
 * to be submitted again, or dropped. done may be NULL. With threads it waits while a tail is full
 * (not on the writer thread). */
ErrCode commit_submit(Commit *commit, CommitDoneFn *done, void *arg, Err *err);

/* A commit that somebody will wait for. */
typedef struct CommitTicket {
    struct CommitAnswer *answer; /* NULL: nothing to wait for */
} CommitTicket;

/* Submits; the commit is used up, whatever is returned. After ERR_OK commit_ticket_wait() is to be
 * called. */
ErrCode commit_send(Commit *commit, CommitTicket *ticket, Err *err);

/* Waits until what was sent is durable and visible. *first_offset (may be NULL): of the first
 * append, -1 without one. A ticket that was not sent, or waited for before, is ERR_OK. CANCELLED:
 * records for a cluster that were given up (storage_on_wait()), and may still be written. */
ErrCode commit_ticket_wait(CommitTicket *ticket, int64_t *first_offset, Err *err);

/* Both. */
ErrCode commit_wait(Commit *commit, int64_t *first_offset, Err *err);

/* Fresh ids for topics, stores, tasks: unique for the life of the folder. */
uint32_t storage_new_id(Storage *storage);

#endif
