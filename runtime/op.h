/*
 * op.h - one operator of a task: what it is asked, and what it may use.
 *
 * A task runs a step by calling its operators in the plan's topological order. Each gets the
 * batches that others emitted to it in this step:
 *
 *   open, then per step: prepare (every input batch), apply (rows in order of seq), drain (until
 *   there is no more); tick between steps; close. close() follows even a failed open().
 *
 * An operator whose table says in_order gets its input batches as runs: ranges of the selection
 * with consecutive seq, alternating between the batches; the others get each batch once, whole.
 *
 * A step has one pass through all operators, and one more for each drain() that is still owed:
 * the last operator that owes drains, and those behind it run. What is emitted in a pass lives in
 * its arena (env->step_arena). The first one's lives as long as the step, that of a later one
 * until the operator that drained in it drains again; by then nobody behind it owes anything.
 *
 * Everything here belongs to one task and is used by one thread at a time; only an operator's
 * counts are read by others (query_op_figures()). Rows in and out, row errors, time and state are
 * counted around the operators; why a row has no effect, or has NULLs for its other side, the
 * operator says itself, with one op_count() per run:
 *
 *   op_count(op, OP_LATE, rows)       too late for its window, or for a join's
 *   op_count(op, OP_NO_MATCH, rows)   a join found no other side: INNER drops them, LEFT has NULLs;
 *                                     where both sides are kept, StateFigures.unmatched says it
 *   op_count(op, OP_ROWS_OUT, rows)   only where rows leave by another way than op_emit()
 */
#ifndef RUNTIME_OP_H
#define RUNTIME_OP_H

#include <stdatomic.h>

#include "data/batch.h"
#include "planner/plan.h"
#include "runtime/note.h"
#include "runtime/outbox.h"
#include "runtime/runtime.h"
#include "runtime/state.h"

typedef struct Op Op;
typedef struct OpEnv OpEnv;

typedef struct OpOps {
    const char *name;
    bool in_order; /* touches state or the order of output */
    ErrCode (*open)(Op *op, OpEnv *env, Err *err);
    /* Whole batch: expressions, keys, hashes, prefetches; touches no state. May be NULL. */
    ErrCode (*prepare)(Op *op, int port, Batch *batch, Err *err);
    /* Rows selected[from, to): state and output. On an error that a row caused: op_fail(). */
    ErrCode (*apply)(Op *op, int port, Batch *batch, uint16_t from, uint16_t to, Err *err);
    /* Output still owed for rows applied, at most env->drain_rows_max rows a call. May be NULL. */
    ErrCode (*drain)(Op *op, bool *more, Err *err);
    void (*clear)(Op *op); /* forgets what it owes: the step failed; NULL without drain */
    /* The wall clock, between steps, when it is op->tick_ms or later; sets the next. What it
     * makes it owes: op->owes. May be NULL. */
    ErrCode (*tick)(Op *op, int64_t now_ms, Err *err);
    void (*close)(Op *op);                             /* may be NULL */
} OpOps;

/* Counts of a query, written by its workers and read by anyone. */
typedef struct Counters {
    _Atomic uint64_t rows_in, rows_out, commits;
} Counters;

/* What is counted of each operator of each task, from its start on. What a failed step or a lost
 * commit made run again counts again: these are figures of work, not of results. */
typedef enum OpCount {
    OP_ROWS_IN,
    OP_ROWS_OUT,
    OP_ERRORS,   /* row errors: at a source, records that were left out */
    OP_LATE,
    OP_NO_MATCH,
    OP_FILTERED, /* a table's row that fails may still go on, as a delete */
    OP_TIME_US,  /* at a source: reading and decoding */
    OP_COUNTS
} OpCount;

/* What a task gives its operators. */
struct OpEnv {
    Storage *storage;
    Io *io;
    const Plan *plan;
    Arena *query_arena; /* of the task */
    Arena *step_arena; /* of the pass */
    RowErrors *errors;
    Outbox *outbox; /* of the commit group */
    StateList *states;
    Counters *counters;
    ResultQueue *results; /* NULL: not a push query */
    Snapshot *snapshot;   /* while operators open: what state is loaded from; NULL: nothing */
    const uint32_t *internal_topics;
    uint32_t first_id, partitions; /* the layout of ids.h */
    uint32_t partition;            /* of this task */
    const bool *cut; /* [node]: its rows leave this task */
    uint32_t fail_on; /* QueryFailOn */
    uint32_t task_id;
    NoteSlot *note; /* the worker's; NULL: nothing is noted */
    bool alone;     /* what the task does is on trial: note.h */
    bool single_partition, consolidate;
    bool limit_reached; /* the client has all rows it wants */
    bool skipping;      /* nothing was found yet behind many dropped rows */
    bool waiting;       /* records of a cluster are there that have not come yet */
    uint64_t step; /* number of the running pass: what belongs to another one is stale */
    int64_t *clock_us; /* up to then the time is somebody's: one clock of all tasks of a group */
    uint32_t drain_rows_max;

    /* Set by op_fail(): the row that made apply() fail. */
    bool row_failed;
    uint64_t failed_seq;
};

typedef struct OpEdge {
    Op *op;
    int port;
} OpEdge;

typedef struct OpInput {
    int port;
    Batch *batch;
    uint32_t next; /* of the selection, not applied yet */
} OpInput;

struct Op {
    const OpOps *ops; /* NULL: a source, which only has edges */
    const PlanNode *node;
    OpEnv *env;
    void *self;
    bool old_wanted; /* someone behind it reads the values of Batch.old */
    OpEdge *edges;   /* who gets what it emits */
    uint32_t edge_count;
    OpInput *inputs; /* of this step */
    size_t input_count, input_capacity;
    bool owes; /* drain() said there is more */
    int64_t tick_ms; /* a time of Io.now_ms; INT64_MAX: not now. It may change with every apply */

    _Atomic uint64_t counts[OP_COUNTS]; /* written by the task's worker alone */
    _Atomic uint64_t sample_rows, sample_rate; /* rows out when last looked at; a second, by then */
    size_t state_first, state_count; /* its stores in env->states */
};

/* Adds to a count; once a batch or run, not once a row. */
static inline void op_count(Op *op, OpCount what, uint64_t count) {
    uint64_t before = atomic_load_explicit(&op->counts[what], memory_order_relaxed);
    atomic_store_explicit(&op->counts[what], before + count, memory_order_relaxed);
}

extern const OpOps op_filter_ops, op_project_ops, op_flat_map_ops, op_materialize_ops,
    op_repartition_ops, op_join_table_ops, op_join_stream_ops, op_join_tables_ops,
    op_subscribe_ops, op_join_foreign_ops, op_resolve_ops, op_aggregate_ops, op_sink_ops,
    op_result_ops;

/* Hands `batch` to all edges; a batch without selected rows goes nowhere. */
void op_emit(Op *op, Batch *batch);

/* Prepares and applies what was emitted to it in this pass, and drains once. Sets op->owes. */
ErrCode op_run(Op *op, Err *err);

/* Adds its counts to the figures. From any thread. */
void op_figures_add(OpFigures *figures, const Op *op);

/* What has passed since *env->clock_us is the operator's, and the clock goes on from now. */
void op_clock(Op *op);

/* Drains once. Sets op->owes. */
ErrCode op_drain(Op *op, Err *err);

/* Forgets input that was not run and output that is owed: after a failed step. */
void op_clear(Op *op);

/* `return op_fail(...)`: apply() fails with RUNTIME because of this physical row of its input. */
ErrCode op_fail(Op *op, const Batch *batch, uint32_t row, Err *err, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* A new batch over the same rows: a shallow copy in the step's arena. */
Batch *op_batch(Op *op, const Batch *batch);

/* Makes `output` one of `count` rows, all selected, with seq, offset and headers of the rows of
 * `batch` that they come from. */
void op_rows_from(Batch *output, const Batch *batch, const uint16_t *rows, uint32_t count);

/* output->old: what was before at these of its rows, with columns where someone reads them. */
void op_attach_old(Op *op, Batch *output, const Column *const *columns, const uint16_t *rows,
                   uint32_t count);

#endif
