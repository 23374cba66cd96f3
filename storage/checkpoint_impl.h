/*
 * checkpoint_impl.h - the state on disk, so that old journal files can be used again.
 *
 *   (a) cut      the writer goes on in the next file; x is its last LSN; state and tails freeze
 *   (b) write    tails to segments, what changed in the state to a table file; sync files, folders
 *   (c) slot     the other slot: {generation + 1, epoch, redo = (file, x, sum), tables, ids}; sync
 *   (d) recycle  journal files before redo, tables that went, folders of topics dropped before x
 *
 * Commits go on beside all of it: what is frozen is a reference to the memtable's root. One stage
 * is one or more steps, so that storage_pump() mixes them with commits. A checkpoint that runs out
 * of space is given up and tried again; any other failure ends the storage.
 */
#ifndef STORAGE_CHECKPOINT_IMPL_H
#define STORAGE_CHECKPOINT_IMPL_H

#include "base/buf.h"
#include "storage/manifest_impl.h"
#include "storage/memtable_impl.h"
#include "storage/storage.h"
#include "storage/topic_impl.h"

typedef enum CheckpointStage {
    CHECKPOINT_IDLE,
    CHECKPOINT_LOGS,
    CHECKPOINT_STATE,
    CHECKPOINT_SLOT,
    CHECKPOINT_RECYCLE,
} CheckpointStage;

typedef struct CheckpointRemoved {
    uint32_t interval;
    Removed keys;
} CheckpointRemoved;

typedef struct Checkpoint {
    /* Guarded by Storage.queue_lock. */
    bool wanted;               /* someone asked for one */
    bool cut_wanted, cut_done; /* background thread -> writer, and back */
    uint64_t begun;            /* number of the last attempt */
    uint64_t finished, given_up; /* number of the last attempt that ended so */
    Err failure;               /* why the last one was given up */

    /* Of whoever runs the steps. */
    CheckpointStage stage;
    Manifest last; /* durable */
    Manifest next; /* being written; its redo fields are set by the cut */
    int64_t last_us;
    uint64_t last_bytes; /* of journal, at the last cut */
    int64_t retry_us;    /* after one was given up; 0: at once */
    atomic_ullong due_bytes; /* of journal, after `last`; the writer looks too */

    /* Frozen by the cut. */
    MemNode *root;
    uint64_t root_bytes;    /* about, as a table file */
    uint32_t root_interval; /* the last one in it */
    bool state_written;     /* to a table of `next` */
    Topic **topics; /* each with a reference */
    size_t topic_count, topic_index;
    uint32_t partition_index;

    /* What was removed, ascending by interval: of all after the first table, and of those that have
     * no table yet because an attempt was given up. */
    CheckpointRemoved *removed;
    size_t removed_count, removed_capacity;
    Removed merged; /* in the intervals of the table being written */
} Checkpoint;

void checkpoint_request(Storage *storage);
void background_kick(Storage *storage); /* there is something to do */
bool checkpoint_due(Storage *storage);

/* One step of a running checkpoint, or the first of one that is due. *worked: false, nothing to
 * do. NO_SPACE: given up for now. */
ErrCode checkpoint_step(Storage *storage, bool *worked, Err *err);

/* Writer thread: the cut, when the background thread waits for it. */
bool checkpoint_cut_wanted(Storage *storage);
void checkpoint_cut(Storage *storage);

/* Start-up: everything that was recovered, under a new epoch, in a new journal file. */
ErrCode checkpoint_first(Storage *storage, bool state_changed, Err *err);

/* checkpoint_state.c. Cut: the state as it is now, with the state lock. State: to a table file.
 * Settle: the slot is durable. */
void checkpoint_freeze_state(Storage *storage);
ErrCode checkpoint_state(Storage *storage, Err *err);
void checkpoint_settle_state(Storage *storage);
/* Ends the running interval of the memtable and returns its number: at the cut, and between tables
 * that are loaded. */
uint32_t checkpoint_next_interval(Storage *storage);
void checkpoint_close_state(Storage *storage);

/* Waits until a checkpoint that begins from now on is over. Without threads it makes one. */
ErrCode checkpoint_wait(Storage *storage, Err *err);

/* A tail is full: asks for a checkpoint and, where waiting is possible, waits for it. */
void checkpoint_wait_tails(Storage *storage);

void checkpoint_release(Storage *storage); /* gives frozen things back */
ErrCode background_prepare(Storage *storage, Err *err); /* the next journal file, when due */
void *background_thread(void *storage);

#endif
