/*
 * slot_impl.h - a slot: the unit of ownership, of fencing and of transactions.
 *
 *   FREE -> TAKING -> OWNED <-> OPEN -> COMMITTING -> OWNED
 *                       ^        |          |
 *                       |<- ABORTING <------|      a record was refused: nothing of it counts
 *                       |<- DECIDING <------|      no answer, or one that says nothing for sure
 *                              |
 *                              -> FENCED           a newer process is there; this one is over
 *
 * Rules (tests/models/kafka_slot.pml has them all):
 *  - TAKING and DECIDING: members to their end (a newer one: over), a new producer,
 *    init_transactions(), members again, then positions to their end. The first look keeps an
 *    older process from disturbing a newer one more than once; the second keeps one that disturbed
 *    from going on. When init_transactions() has returned, every marker of this id is written.
 *  - DECIDING: the last transaction in the positions topic is the bundle's: accept; it is the one
 *    before it: reject; anything else: somebody else owned the slot meanwhile: FENCED.
 *  - Nothing of a bundle is in the folder before it is known to be committed, and its groups are
 *    not told that it failed before it is known never to be.
 *
 * Everything here belongs to the Kafka thread, but what the cluster's lock guards; while a call is
 * made, producer and bundle belong to it.
 */
#ifndef KAFKA_SLOT_IMPL_H
#define KAFKA_SLOT_IMPL_H

#include "kafka/pace.h"
#include "kafka/producer_impl.h"

typedef struct KafkaCluster KafkaCluster;

typedef enum SlotState {
    SLOT_FREE,
    SLOT_TAKING,
    SLOT_OWNED,
    SLOT_OPEN,
    SLOT_COMMITTING,
    SLOT_ABORTING,
    SLOT_DECIDING,
    SLOT_FENCED,
} SlotState;

/* In TAKING and DECIDING, in this order; READING is another thread's. */
typedef enum SlotStep {
    SLOT_STEP_WAIT,    /* until `due_us` */
    SLOT_STEP_MEMBERS, /* are read; `checked` when they are */
    SLOT_STEP_INIT,
    SLOT_STEP_READING,
    SLOT_STEP_READ,   /* `found` and `found_mark` are there */
    SLOT_STEP_FAILED, /* `error` says why */
} SlotStep;

/* Calls that wait for the cluster: made by the threads of slot_call.c. */
typedef enum SlotCall { CALL_NONE, CALL_INIT, CALL_END, CALL_ABORT } SlotCall;

typedef enum CallOutcome {
    CALL_OK,
    CALL_AGAIN,   /* no answer yet: the same call goes on */
    CALL_REFUSED, /* END: a record was refused, and the end was not asked for */
    CALL_FAILED,
} CallOutcome;

typedef struct Slot Slot;
struct Slot {
    KafkaCluster *cluster;
    uint32_t index;
    SlotState state; /* written by the Kafka thread with the lock; FREE -> TAKING by take() */
    SlotStep step;   /* guarded by the lock */
    bool checked;    /* guarded by the lock */
    Err error;       /* guarded by the lock */

    Producer producer;
    char transactional_id[300];
    int64_t due_us;      /* WAIT: not before; OWNED: no transaction before */
    int64_t deadline_us; /* of what is going on */
    Pace pace;
    bool positions_are_sent, end_asked;

    Commit **waiting;
    size_t waiting_count, waiting_capacity;
    Bundle bundle;
    PositionTable positions; /* committed */
    SlotMark mark;           /* of the last transaction */
    PositionTable found;     /* as read; of who reads while READING */
    SlotMark found_mark;
    KafkaTrouble trouble;    /* while deciding */
    Err cause;               /* why the bundle may not have taken effect */
    uint32_t *drops;         /* tasks whose positions go, with the next transaction */
    size_t drop_count, drop_capacity, drops_sent;
    uint32_t alone_left;    /* commits that go alone: one of so many was refused */
    uint32_t suspect_owner; /* its commit made a transaction fail: it goes alone; 0: nobody */
    uint64_t transactions, aborted, decided;

    SlotCall call;  /* guarded by the lock, as call_done */
    bool call_done; /* what is below is there */
    CallOutcome call_outcome;
    Err call_err;
    Slot *call_next;
};

void slot_init(Slot *slot, KafkaCluster *cluster, uint32_t index);
void slot_free(Slot *slot);

/* Kafka thread: takes a commit, to be part of a transaction. */
void slot_submit(Slot *slot, Commit *commit);

/* Kafka thread: the task is dropped. */
void slot_drop_task(Slot *slot, uint32_t task_id);

/* Kafka thread: goes on, without waiting. Returns when it wants to be called again
 * (io_posix_mono_us(); INT64_MAX: when something happens). */
int64_t slot_step(Slot *slot);

/* Kafka thread: the process is over: every commit is rejected. */
void slot_end(Slot *slot, const Err *cause);

/* Any thread that may wait, when the slot is initialized: members, then positions to their end,
 * into `found`. FENCED: a newer process is there. */
ErrCode slot_read(Slot *slot, Err *err);

/* slot_call.c; Kafka thread: begins a call; whether it is over, which is told once. */
void slot_call(Slot *slot, SlotCall call);
bool slot_call_over(Slot *slot);

const char *slot_state_name(SlotState state);

#endif
