/*
 * aggregate_impl.h - the inside of the operator AGGREGATE.
 *
 *   op_aggregate.c       opens the store, and takes runs of rows through the two steps below
 *   aggregate_pick.c     a run of rows becomes updates: row, window, place of the group
 *   aggregate_rows.c     updates change slots and become rows of output
 */
#ifndef RUNTIME_AGGREGATE_IMPL_H
#define RUNTIME_AGGREGATE_IMPL_H

#include "runtime/op.h"
#include "runtime/row_keys.h"

typedef struct Aggregation {
    const StoreLayout *layout;
    StateTable *table;   /* without windows */
    StateWindow *window; /* with */
    Buf scratch;
    uint64_t step;
    RowKeys *keys; /* of this step's batches */
} Aggregation;

/* The rows of a run that change a group. */
typedef struct Updates {
    uint32_t count;
    uint16_t *rows;  /* physical, of the input */
    uint16_t *index; /* of the selection */
    SlotTable **tables;
    AggregateHeap **heaps; /* theirs; NULL: without windows there is only one */
    Slot **slots;
    int64_t *rowtime, *window_start, *window_end;
    uint16_t *old_rows; /* positions in the output whose group was there before */
    uint32_t old_count;
} Updates;

void updates_init(Updates *updates, Arena *arena, uint32_t count, bool windowed);

/* Rows selected[range[0], range[1]) that have a group and are not late, each with its window. */
void aggregate_pick(Op *op, const Batch *batch, const RowKeys *keys, Updates *updates,
                    const uint32_t range[2]);

/* Applies at least one update to the store, and emits a row for each. */
void aggregate_rows(Op *op, const Batch *batch, const RowKeys *keys, Updates *updates);

#endif
