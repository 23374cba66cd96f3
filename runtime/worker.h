/*
 * worker.h - one thread that runs commit groups, and the runtime that has N of them.
 *
 * A group is added and removed by messages; the worker alone touches its tasks in between. With no
 * threads the same worker is driven by runtime_pump().
 */
#ifndef RUNTIME_WORKER_H
#define RUNTIME_WORKER_H

#include "runtime/query_impl.h"

typedef struct Worker {
    struct Runtime *runtime;
    uint32_t index;
    Thread thread;
    ScanSet *scans;
    NoteSlot *note; /* NULL: nothing is noted */
    Group **groups; /* its own */
    size_t group_count, group_capacity;

    Lock lock;
    Signal signal; /* anyone -> worker: poked, message or stop */
    Signal done;   /* worker -> sender: the message is done with */
    bool poked, stop;
    Group *message; /* to be added, or (message_remove) removed; NULL: none */
    bool message_remove;
    ErrCode message_code;
    Err message_err;
} Worker;

/* The processing log (processing_log.h). */
typedef struct LogTarget {
    Lock lock;
    Signal changed;            /* a user less */
    _Atomic uint32_t topic_id; /* 0: there is none; read without the lock as a hint */
    uint32_t partitions;
    bool rows_include;
    int64_t records_max;
    uint32_t users; /* commits with its records that are not handed over yet */
} LogTarget;

struct Runtime {
    Io *io;
    Storage *storage;
    RuntimeOptions options;
    Worker *workers;
    uint32_t worker_count; /* at least 1 */
    bool threads;
    _Atomic uint32_t next_worker; /* for queries of one task */
    LogTarget log;
};

void worker_init(Worker *worker, Runtime *runtime, uint32_t index);
void worker_close(Worker *worker);

/* There may be something to do. From any thread. */
void worker_poke(Worker *worker);

/* Stores and pokes in one: once the value is seen, its owner and the worker may go. */
void worker_post(Worker *worker, _Atomic int *target, int value);

/* Waits until the worker has it, or has let it go with nothing in flight. */
ErrCode worker_add(Worker *worker, Group *group, Err *err);
void worker_remove(Worker *worker, Group *group);

/* One turn of every group. */
void worker_turn(Worker *worker, bool *worked, int64_t *due_us);

#endif
