/*
 * task.h - one stage in one partition: its inputs, its operators, its steps.
 *
 * new -> attach (on the worker that runs it) -> peek, step, rewind ... -> detach -> free
 */
#ifndef RUNTIME_TASK_H
#define RUNTIME_TASK_H

#include "runtime/arbiter.h"
#include "runtime/stage.h"

typedef struct Task Task;

struct Task {
    uint32_t id; /* of its positions */
    uint32_t stage, partition;
    const char *name; /* of its arenas */
    Arena *query_arena, *step_arena;
    OpEnv env;
    ArbiterInput *inputs;
    uint32_t input_count;
    Op *ops; /* [node]; those of other stages have ops NULL and no edges */
    Op *readers; /* [node]: of a cut node's internal topic; their counts are the node's too */
    uint32_t op_count;
    bool ticks; /* some operator may want the wall clock */
    bool ticked; /* it did something since the last submit */
    _Atomic int64_t next_rowtime; /* INT64_MAX: idle; INT64_MIN: not looked yet */
    int64_t earliest;             /* of all rows at hand: arbiter_peek() */
    /* Output rows that are not visible yet are not before it: what readers of lanes wait for. */
    _Atomic int64_t promise;
    int64_t running_min, submitted_min; /* earliest row of the running and the submitted epoch */
    ArbiterStep chosen;           /* of the running step */
    bool owing;                   /* the step goes on: some operator owes output */
    Arena **drain_arenas;         /* [node]; NULL: did not drain yet */
    bool failed;                  /* a row made a step fail: it is an input's stop_offset */
    bool blocked;                 /* and is the next one now */
    NoteRows noted;               /* of the running step */
    NoteRows trial;               /* rows at which the process ended */
    uint32_t trial_left;          /* of them, since they were reached */
    _Atomic bool on_trial;        /* they are still to be taken, one by one */
    const ArbiterInput *halted;   /* its end is where reading ends the process; NULL: none is */
};

/* What a task is made from: the query's facts, and where it belongs. */
typedef struct TaskSpec {
    const OpEnv *env; /* its shared parts: arenas are the task's own */
    const Stages *stages;
    uint32_t stage, partition;
    uint32_t task_id;
    bool persistent; /* positions are kept */
    Task *const *writers; /* of earlier stages; NULL: internal topics are not read by lanes */
    uint32_t writer_count;
    bool from_end, table_first, bounded;
} TaskSpec;

/* Wires and opens the operators, finds positions. On an error the task is freed. */
ErrCode task_new(const TaskSpec *spec, Task **task, Err *err);
void task_free(Task *task);

/* Opens and closes the cursors; on the worker's thread. */
ErrCode task_attach(Task *task, ScanSet *scans, Err *err);
void task_detach(Task *task);

/* What has passed until now on the tasks' common clock (OpEnv.clock_us) is nobody's. */
void task_clock(Task *task);

/* Sets next_rowtime and the promise. */
ErrCode task_peek(Task *task, Err *err);

/* Tells the operators whose time has come, between steps; what they emit runs through. *worked:
 * they did something. */
ErrCode task_tick(Task *task, int64_t now_ms, bool *worked, Err *err);
int64_t task_tick_ms(const Task *task); /* when to tick next; INT64_MAX: not now */

/* The running epoch was handed over; the submitted one is visible. */
void task_submitted(Task *task);
void task_settled(Task *task);

typedef struct TaskLimits {
    uint32_t rows_max;
    int64_t rowtime_max;
    const QueryScriptItem *script; /* NULL: none */
    uint32_t script_count;
} TaskLimits;

/* Runs one pass: of a new step, or (task->owing) of the one that is not done yet. *worked: rows
 * were processed. script: how many items are done with. */
ErrCode task_step(Task *task, const TaskLimits *limits, bool *worked, uint32_t *script_taken,
                  Err *err);

/* `return task_refuse(...)`: the running step's first row makes more than can be committed. */
ErrCode task_refuse(Task *task, Err *err);

/* Goes past the row at which the task is blocked, and counts it as a row error with this reason;
 * false: the record is one that is to stop the query (QueryFailOn). */
bool task_skip(Task *task, const Err *reason);

/* The process ended once in these rows: they are taken one by one. It ended twice: the task is
 * blocked at them, as if they had failed. false: they are behind it, or gone. */
bool task_try(Task *task, const NoteRows *rows);
bool task_quarantine(Task *task, const NoteRows *rows);

/* What the task is blocked at; a row of it that is to be waited for; what it cannot read. */
void task_stopped_at(Task *task, QueryStop *stop);
void task_stop_at(Task *task, const NoteRows *row, QueryStop *stop);
void task_unread(Task *task, QueryStop *stop); /* stop->known stays false: nothing */

/* Inside of task.c and task_trial.c. The input whose next row is the one that failed: */
ArbiterInput *task_blocked_input(Task *task);
bool task_is_halted(const Task *task);
/* The rows on trial are reached: from here on one by one. */
bool task_begin_trial(Task *task);
void task_go_on_trial(Task *task); /* a step alone went well */

/* Back to the positions last submitted (settled: to those that are durable). */
void task_rewind(Task *task, bool settled);

/* Whether something was read since the last submit; and everything there is, to where a bounded
 * read ends. */
bool task_moved(const Task *task);
bool task_at_end(const Task *task);

#endif
