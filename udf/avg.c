/*
 * avg.c - AVG: the sum in the input's type, divided as DOUBLE by the count; 0.0 of nothing.
 *
 * Saved: the count as a zig-zag varint, then the sum as one (integers) or as 8 bytes (DOUBLE).
 */
#include "udf/aggregate_impl.h"

static void avg_put(Column *column, uint32_t i, double sum, int64_t count) {
    assert(column->type->kind == TYPE_DOUBLE);
    column->f64[i] = count == 0 ? 0.0 : sum / (double)count;
    column_set_present(column, i);
}

/* -- INTEGER: the sum wraps at 32 bits -------------------------------------------------------- */

static void avg_i32_step(const AggregateCall *call, uint32_t i, AvgI64State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    int64_t sign = aggregate_sign(call, i);
    state->count += sign;
    state->sum = (int32_t)(uint32_t)(state->sum + sign * column->i32[row]);
}

static void avg_i32_put(Column *column, uint32_t i, const AvgI64State *state) {
    avg_put(column, i, (double)state->sum, state->count);
}

static void avg_i32_save(const void *memory, Buf *out) {
    const AvgI64State *state = memory;
    buf_zigzag(out, state->count);
    buf_zigzag(out, state->sum);
}

static bool avg_i32_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    AvgI64State *state = memory;
    state->count = reader_zigzag(in);
    state->sum = reader_zigzag(in);
    return reader_ok(in) && state->sum >= INT32_MIN && state->sum <= INT32_MAX;
}

static void avg_i32_merge(const AggregateMerge *merge) {
    AvgI64State *into = merge->into;
    const AvgI64State *from = merge->from;
    into->count += from->count;
    into->sum = (int32_t)(uint32_t)(into->sum + from->sum);
}

AGGREGATE_KERNEL(avg_i32, AvgI64State)

/* -- BIGINT ----------------------------------------------------------------------------------- */

static void avg_i64_step(const AggregateCall *call, uint32_t i, AvgI64State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    int64_t sign = aggregate_sign(call, i);
    uint64_t value = (uint64_t)column->i64[row];
    uint64_t sum = (uint64_t)state->sum;
    state->count += sign;
    state->sum = (int64_t)(sign > 0 ? sum + value : sum - value);
}

static void avg_i64_put(Column *column, uint32_t i, const AvgI64State *state) {
    avg_put(column, i, (double)state->sum, state->count);
}

static void avg_i64_save(const void *memory, Buf *out) {
    avg_i32_save(memory, out);
}

static bool avg_i64_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    AvgI64State *state = memory;
    state->count = reader_zigzag(in);
    state->sum = reader_zigzag(in);
    return reader_ok(in);
}

static void avg_i64_merge(const AggregateMerge *merge) {
    AvgI64State *into = merge->into;
    const AvgI64State *from = merge->from;
    into->count += from->count;
    into->sum = (int64_t)((uint64_t)into->sum + (uint64_t)from->sum);
}

AGGREGATE_KERNEL(avg_i64, AvgI64State)

/* -- DOUBLE ----------------------------------------------------------------------------------- */

static void avg_f64_step(const AggregateCall *call, uint32_t i, AvgF64State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    int64_t sign = aggregate_sign(call, i);
    state->count += sign;
    state->sum += sign > 0 ? column->f64[row] : -column->f64[row];
}

static void avg_f64_put(Column *column, uint32_t i, const AvgF64State *state) {
    avg_put(column, i, state->sum, state->count);
}

static void avg_f64_save(const void *memory, Buf *out) {
    const AvgF64State *state = memory;
    uint64_t bits;
    memcpy(&bits, &state->sum, sizeof bits);
    buf_zigzag(out, state->count);
    buf_u64_le(out, bits);
}

static bool avg_f64_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    AvgF64State *state = memory;
    state->count = reader_zigzag(in);
    uint64_t bits = reader_u64_le(in);
    memcpy(&state->sum, &bits, sizeof bits);
    return reader_ok(in);
}

static void avg_f64_merge(const AggregateMerge *merge) {
    AvgF64State *into = merge->into;
    const AvgF64State *from = merge->from;
    into->count += from->count;
    into->sum += from->sum;
}

AGGREGATE_KERNEL(avg_f64, AvgF64State)
