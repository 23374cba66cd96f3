/*
 * group.h - a commit group: the tasks of one query on one worker, and what they did since their
 * last commit.
 *
 *   turn: take the outcome of the commit under way, run one step, hand over a commit when it is
 *   due. One hand-over is in flight at a time; the group goes on meanwhile, in the next epoch.
 *
 * When a commit is due: with nothing left to read at once, but not sooner than ten times what the
 * last hand-over cost, or 2 ms; under load after the commit interval or GROUP_PENDING_BYTES.
 *
 * When a step fails because of a row, the group undoes everything since its last hand-over, runs
 * again up to that row, commits that much, and the query stops in state ERROR exactly there; or it
 * leaves the row out (QUERY_SKIP_FAILED) and goes on. What may heal by itself is tried again.
 *
 * A step that makes more than a commit takes (table functions) is undone likewise and runs again
 * with fewer rows, a commit for each, until that is over; one row that makes too much fails.
 *
 * Queries that keep nothing settle after every step instead.
 *
 * With a cluster as the log (storage/cluster.h) the tasks of a query in one slot are a group. A
 * commit that the cluster has not taken is no failure where the cause may pass: the group goes back
 * to its last durable commit and tries again. Where one record is the cause: blame.h.
 */
#ifndef RUNTIME_GROUP_H
#define RUNTIME_GROUP_H

#include "runtime/retry.h"
#include "runtime/task.h"

struct Worker;

typedef enum GroupOutcome { GROUP_OPEN, GROUP_DURABLE, GROUP_ABORTED } GroupOutcome;

typedef struct Group {
    Query *query;
    struct Worker *worker;
    Task **tasks;
    uint32_t task_count;
    uint32_t owner_id;
    int32_t slot; /* with a cluster, of a persistent query; COMMIT_NO_SLOT */
    bool persistent;
    Outbox *outbox;
    StateList states;
    RowErrors errors;
    bool logging; /* the commit being handed over has records of the processing log */

    bool in_flight;
    _Atomic int outcome; /* GroupOutcome: storage's writer -> worker */
    Err cause;           /* of GROUP_ABORTED; written before it */
    Commit *refused;     /* a hand-over without room, to be tried again */
    Retry retry;         /* a commit that was refused, or a step that the environment failed */
    bool retry_step;     /* ... the latter */
    int64_t dirty_since_us; /* 0: nothing to commit */
    int64_t handover_us, handover_cost_us;
    size_t bytes_ratio; /* last hand-over: bytes more than what was pending, in 64ths of it */
    int64_t clock_us; /* OpEnv.clock_us */
    bool idle; /* the last step found nothing */
    uint32_t rows_cut; /* of a step: fewer after one that made too much; 0: not cut */
    uint32_t steps;    /* blame.h: since the last hand-over */
    uint32_t sent_cut; /* what was handed over last: its rows_cut; the row, if it was just one */
    NoteRows lone;

    bool failing; /* runs up to a row that failed; `failure` is why */
    Err failure;
    _Atomic uint64_t state_rows, state_bytes;
    _Atomic int64_t sample_us; /* when its operators' rows were looked at; 0: not yet */
} Group;

Group *group_new(Query *query, struct Worker *worker, uint32_t task_count);
void group_free(Group *group); /* detached */

/* On the worker's thread: opens and closes what belongs to the worker. Uncommitted work is
 * dropped; call detach only when nothing is in flight. */
ErrCode group_attach(Group *group, Err *err);
void group_detach(Group *group);

/* *worked: something happened, so another turn may find more. *due_us: when to come again at the
 * latest although nothing new arrives (a time of Io.mono_us); INT64_MAX: not needed. */
void group_turn(Group *group, bool *worked, int64_t *due_us);

/* Only takes the outcome of the commit in flight; whether none is in flight (any more). */
bool group_quiet(Group *group);

/* Runs a script to its end; single-threaded runtimes only. */
ErrCode group_run_script(Group *group, const QueryScript *script, Err *err);

#endif
