/*
 * arbiter.h - puts the records of several inputs into one order, a step at a time.
 *
 * The smallest rowtime among the heads of the inputs comes next; ties: tables before streams, then
 * order in the statement, then partition. An input known to be empty is not waited for; one whose
 * records are in a cluster and have not come yet is (OpEnv.waiting: nothing is chosen). Inputs
 * with first_until are read up to there before any other (table sides when a query starts). A
 * script fixes the order instead. An internal topic that several tasks write may be read by lanes:
 * one input for each writer, merged like any others, so that a reader does not see one writer's
 * hour behind another's day. A lane that is empty lets rows pass up to the time its writer has
 * promised; a merged topic's rows come as one batch. The order does not depend on how it is cut
 * into steps.
 *
 * A step takes from each input a range of one block; what was chosen is taken for good only by
 * arbiter_take(), after the operators are done with it.
 */
#ifndef RUNTIME_ARBITER_H
#define RUNTIME_ARBITER_H

#include <stdatomic.h>

#include "runtime/op.h"
#include "runtime/scan.h"

typedef struct ArbiterInput {
    Cursor cursor;
    ScanSpec spec;
    Op *source; /* whose edges get the rows */
    const PlanNode *node;
    uint32_t order;      /* in the statement */
    int32_t position_lane; /* its position is kept under: ids_lane() */
    int64_t first_until; /* 0: nothing special, or done */
    int64_t end;         /* bounded reads; otherwise INT64_MAX */
    int64_t stop_offset; /* the row that made a step fail: not taken again; -1: none */
    const BlockError *fatal; /* the next bad record of the block that stops the query; or NULL */
    const _Atomic int64_t *promise; /* of the lane's writer; NULL: nobody is waited for */
    int64_t promised;    /* as of the last look: rows to come are not before it */

    int64_t submitted;      /* position in the last commit handed over; -1: none yet */
    _Atomic int64_t settled; /* position that is durable; read by other threads */
    _Atomic int64_t seen;    /* position processed; likewise */

    /* The step that is being chosen: good rows [cursor.next, chosen_next) with seq[]. */
    uint32_t chosen_next;
    const uint64_t *seq;
    uint64_t *numbers; /* of this step: what seq is, unless its rows are the step's only ones */
} ArbiterInput;

typedef struct ArbiterStep {
    uint32_t rows_max;   /* good rows */
    int64_t rowtime_max; /* rows after it are not taken: skew */
    Arena *arena;        /* of the step */
    OpEnv *env;          /* errors and counters */
    uint64_t next_seq; /* 0 when the step begins: it counts within the step */
    const QueryScriptItem *script; /* NULL: none; moves along */
    uint32_t script_count;
    uint32_t script_taken; /* out: items that are done with after arbiter_take() */

    uint32_t rows;  /* out: chosen */
    bool blocked;   /* out: the next row is an input's stop_offset */
    int64_t rowtime_min; /* out: of the chosen rows; INT64_MAX: none */
} ArbiterStep;

/* Loads what is needed and finds the time of the next row, INT64_MAX: there is none; and the
 * earliest of all rows at hand, which is not the next one while a table is read first. INT64_MIN:
 * there are rows which it does not know yet. */
ErrCode arbiter_peek(ArbiterInput *inputs, uint32_t count, OpEnv *env, int64_t *rowtime,
                     int64_t *earliest, Err *err);

/* Chooses the rows of a step. A bad record that stops the query (OpEnv.fail_on) is like a row that
 * failed: env->row_failed, and the input's stop_offset is there. */
ErrCode arbiter_choose(ArbiterInput *inputs, uint32_t count, ArbiterStep *step, Err *err);

/* Emits the chosen rows through the inputs' sources, as batches in the step's arena. */
ErrCode arbiter_emit(ArbiterInput *inputs, uint32_t count, const ArbiterStep *step, Err *err);

/* Where and what the step's first row is. */
void arbiter_first(const ArbiterInput *inputs, uint32_t count, NoteRows *rows);

/* What the input's position is kept under. */
TopicPartition arbiter_lane(const ArbiterInput *input);

/* Which input's row has this seq, and its offset. NULL: none. */
ArbiterInput *arbiter_find(ArbiterInput *inputs, uint32_t count, uint64_t seq, int64_t *offset);

/* The step succeeded: moves the cursors behind the chosen rows, and reports dropped ones. */
void arbiter_take(ArbiterInput *inputs, uint32_t count, const ArbiterStep *step);

#endif
