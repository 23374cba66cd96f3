/*
 * count.c - COUNT: of rows, and of values that are not NULL.
 *
 * Saved as one zig-zag varint. A state at birth says 0.
 */
#include "udf/aggregate_impl.h"

static void count_put(Column *column, uint32_t i, const CountState *state) {
    assert(column->type->kind == TYPE_BIGINT);
    column->i64[i] = state->count;
    column_set_present(column, i);
}

static void count_rows_save(const void *memory, Buf *out) {
    const CountState *state = memory;
    buf_zigzag(out, state->count);
}

static bool count_rows_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    CountState *state = memory;
    state->count = reader_zigzag(in);
    return reader_ok(in);
}

static void count_rows_merge(const AggregateMerge *merge) {
    CountState *into = merge->into;
    const CountState *from = merge->from;
    into->count += from->count;
}

static void count_rows_step(const AggregateCall *call, uint32_t i, CountState *state) {
    state->count += aggregate_sign(call, i);
}

static void count_rows_put(Column *column, uint32_t i, const CountState *state) {
    count_put(column, i, state);
}

AGGREGATE_KERNEL(count_rows, CountState)

static void count_values_save(const void *memory, Buf *out) {
    count_rows_save(memory, out);
}

static bool count_values_load(Reader *in, void *memory, AggregateHeap *heap) {
    return count_rows_load(in, memory, heap);
}

static void count_values_merge(const AggregateMerge *merge) {
    count_rows_merge(merge);
}

static void count_values_step(const AggregateCall *call, uint32_t i, CountState *state) {
    assert(call->arg_count == 1);
    if (!column_is_null(call->args[0], call->rows[i]))
        state->count += aggregate_sign(call, i);
}

static void count_values_put(Column *column, uint32_t i, const CountState *state) {
    count_put(column, i, state);
}

AGGREGATE_KERNEL(count_values, CountState)
