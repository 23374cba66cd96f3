/*
 * tally.h - how far somebody who writes rows of a topic has come, in the same commit as the rows:
 * COPY and generators.
 *
 * In a folder it is an entry of a store. With a cluster the folder is a cache, and transactions
 * belong to slots: there it is positions of a task that has the id of the topic, in the slot of the
 * topic's first partition. Either way figures and rows are durable together. What a script has
 * done, and is not to do again, must be known when the topic is gone, too: such tallies are of
 * tasks, and of a slot, that belong to no topic.
 *
 *   open -> read -> write, forget... -> close
 */
#ifndef ENGINE_TALLY_H
#define ENGINE_TALLY_H

#include "base/buf.h"
#include "storage/commit.h"
#include "storage/log.h"

enum { TALLY_FIGURES_MAX = 4 };

typedef struct Tally {
    Storage *storage;
    uint32_t store_id;
    Buf key;
    uint32_t count; /* of the figures */
    uint32_t owner_id, task_id;
    bool in_slot; /* of a cluster */
    uint32_t slot;
} Tally;

typedef struct TallyOptions {
    uint32_t store_id;
    Bytes key;       /* who writes, among those of the store; copied */
    uint32_t count;  /* of figures */
    const LogTopic *topic; /* NULL: of a script */
} TallyOptions;

/* With a cluster it takes the slot, which may wait. After an error nothing is open. */
ErrCode tally_open(Storage *storage, const TallyOptions *options, Tally *tally, Err *err);
void tally_close(Tally *tally); /* zeroed is allowed */

/* Zeros where nothing was written. */
ErrCode tally_read(const Tally *tally, uint64_t *figures, Err *err);

/* A commit for rows, to which tally_write() and tally_forget() may add. With a cluster one of them
 * must be durable before the next is sent: a transaction may fail, and the one behind it not. */
Commit *tally_commit(const Tally *tally);
void tally_write(const Tally *tally, const uint64_t *figures, Commit *commit);
void tally_forget(const Tally *tally, Commit *commit);

/* Whether commits are transactions of a cluster: one that fails may be made again. */
static inline bool tally_may_fail(const Tally *tally) {
    return tally->in_slot;
}

#endif
