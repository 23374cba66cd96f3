/*
 * aggregate_impl.h - the inside of the operator AGGREGATE.
 *
 *   op_aggregate.c       opens the store, and takes runs of rows through the steps below
 *   aggregate_pick.c     a run of rows becomes updates: row, window, place of the group
 *   aggregate_hop.c      the same where a row is in several windows
 *   aggregate_rows.c     updates change slots and become rows of output
 *   aggregate_last.c     the same where only the last update of a group counts
 *   aggregate_table.c    changes of a table: undo, then add
 *   aggregate_session.c  rows change sessions, all of it
 *   aggregate_final.c    EMIT FINAL: which windows rows closed, and their rows of output
 */
#ifndef RUNTIME_AGGREGATE_IMPL_H
#define RUNTIME_AGGREGATE_IMPL_H

#include "runtime/op.h"
#include "runtime/row_keys.h"
#include "runtime/state_session.h"

/* Rows of HOPPING windows that still have windows to go to. */
typedef struct HopRows {
    const Batch *batch;
    const RowKeys *keys;
    uint32_t next, end; /* of the selection */
    int64_t start;      /* of row `next`: its next window; HOP_NEW: it was not looked at yet */
    struct HopRows *after;
} HopRows;

enum { HOP_NEW = -1 };

enum { LARGE_ITEMS_MAX = 1 << 18 }; /* elements of results in one pass: some 10 MB */

/* A row (or the clock) that let stream time pass the end of windows: those that start, of sessions
 * end, from `from` to `until` and that no closing in front of it speaks of. */
typedef struct Closing {
    bool kept; /* headers are the query's */
    int64_t from, until;
    uint64_t seq;
    int64_t offset;
    Bytes headers;
} Closing;

typedef struct Closings {
    Closing *items; /* in order; empty between steps */
    size_t count, capacity, next;
    SessionList slots; /* of the window that is being given out, or of sessions; in order */
    size_t slot_next;
    int64_t start; /* of that window */
    bool in_window; /* there is one */
    bool resume;    /* what is closed has to be looked for: the state may have come back */
    const char *topic;
    AggregateHeap *heap;
    bool ticked, row_came;    /* ever; since the last tick */
    int64_t row_ms, row_time; /* wall clock and stream time when rows came last */
    uint64_t seq;             /* of the last row */
    int64_t offset;
} Closings;

typedef struct Aggregation {
    const StoreLayout *layout;
    bool of_table;          /* the input's rows are changes of a table */
    bool large;             /* results are lists, and each of them is emitted: a few rows a pass */
    uint32_t items_per_row; /* of such results, in the last batch */
    bool last_only;         /* results are large, and of a group's updates the last will do */
    StateTable *table;      /* without windows */
    StateWindow *window;    /* TUMBLING, HOPPING */
    StateSession *sessions; /* SESSION */
    Buf scratch;
    uint64_t step;
    RowKeys *keys; /* of this step's batches */
    HopRows *hop_first, *hop_last; /* what HOPPING owes */
    Closings closings;             /* what EMIT FINAL owes */
    SessionList found;
} Aggregation;

/* The rows of a run that change a group. */
typedef struct Updates {
    uint32_t count;
    bool repeated;   /* a row may come several times */
    uint16_t *rows;  /* physical, of the input */
    uint16_t *index; /* of the selection */
    SlotTable **tables;
    AggregateHeap **heaps; /* theirs; NULL: without windows there is only one */
    Slot **slots;
    const int8_t *signs; /* NULL: all are additions */
    int64_t *rowtime, *window_start, *window_end;
    uint16_t *old_rows; /* positions in the output whose group was there before */
    uint32_t old_count;
} Updates;

static inline bool aggregate_is_final(const Aggregation *self) {
    return self->layout->node->window.final != FINAL_NONE;
}

void updates_init(Updates *updates, Arena *arena, uint32_t count, bool windowed);

/* Whether the selected row i belongs to a group; if not, that is noted where it is an error. */
bool aggregate_row_counts(const Aggregation *self, const Batch *batch, const RowKeys *keys,
                          uint32_t i);

/* A row is late for some of its windows. */
void aggregate_late(Op *op, const Batch *batch, uint32_t row);

/* Rows selected[range[0], range[1]) that have a group and are not late, each with its window. */
void aggregate_pick(Op *op, const Batch *batch, const RowKeys *keys, Updates *updates,
                    const uint32_t range[2]);

/* Applies at least one update to the store, and emits a row for each (EMIT FINAL: none). */
void aggregate_rows(Op *op, const Batch *batch, const RowKeys *keys, Updates *updates);

/* The same for all of these rows of a table. */
void aggregate_changes(Op *op, const Batch *batch, const RowKeys *keys, const uint32_t range[2]);

/* The kernel of aggregate `index` over all updates, whose slots are touched. Results go to before
 * and after, where they are not NULL. */
void aggregate_run(Op *op, const Batch *batch, const Updates *updates, uint32_t index,
                   Column *const results[2]);

/* Whom kernels tell of rows that fail. */
typedef struct AggregateFail {
    const Batch *batch;
    const char *name;
} AggregateFail;

void aggregate_fail(void *context, uint32_t row, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a kernel is called with for these updates, without columns of results. */
AggregateCall aggregate_call(Op *op, const Batch *batch, const Updates *updates, uint32_t index,
                             AggregateFail *fail);

/* Emits a row for each update; results are in columns and, if wanted, olds: behind the keys. */
void aggregate_emit(Op *op, const Batch *batch, const Updates *updates, const Column **columns,
                    const Column **olds);

/* Notes how large these results are: columns hold them behind the keys. */
void aggregate_count_items(Op *op, const Column *const *columns, uint32_t rows);

/* Of updates whose slots are touched: applies all, and emits the last of each group. */
void aggregate_last(Op *op, const Batch *batch, const Updates *all);

/* HOPPING, or large results: takes rows selected[range[0], range[1]); they are worked off by
 * aggregate_hop(), at most `room` updates a call. true: there is more. */
void aggregate_hop_add(Op *op, const Batch *batch, const RowKeys *keys, const uint32_t range[2]);
bool aggregate_hop(Op *op, uint32_t room);

/* SESSION: all of these rows. */
void aggregate_sessions(Op *op, const Batch *batch, const RowKeys *keys, const uint32_t range[2]);

/* EMIT FINAL. A row was counted in, or was late: stream time was `before`. */
void aggregate_final_row(Op *op, const Batch *batch, uint32_t row, int64_t before);
/* Emits up to `room` rows of closed windows. true: there is more. */
bool aggregate_final(Op *op, uint32_t room);
/* After an undo: nothing is owed but what the state says. */
void aggregate_final_clear(Op *op);
/* Between steps: output that one step had no room for; and the wall clock: after idle_timeout_ms
 * without rows stream time goes on with it. true: there is output. */
bool aggregate_final_tick(Op *op, int64_t now_ms);

#endif
