/*
 * moments.c - STDDEV_SAMP, STDDEV_SAMPLE and CORRELATION.
 *
 * Sample variance by Youngs and Cramer: with n values and their sum s, a new value v adds
 * (n v - s)^2 / (n (n - 1)) to m2. The sum is kept in the input's type, where integers wrap.
 * STDDEV_SAMP is the variance itself, as in ksqlDB; STDDEV_SAMPLE its square root. Less than two
 * values: 0.0. CORRELATION is Pearson's over the rows without NULL; NaN where it is not defined.
 * Saved: the count as a zig-zag varint, then sums: integers so too, DOUBLEs as 8 bytes.
 */
#include <math.h>

#include "udf/aggregate_impl.h"

static void moments_put_f64(Buf *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    buf_u64_le(out, bits);
}

static double moments_read_f64(Reader *in) {
    uint64_t bits = reader_u64_le(in);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* What a value brings to, or took from, m2; count and sum with it. */
static double moments_part(int64_t count, double sum, double value) {
    if (count < 2)
        return 0.0;
    double t = (double)count * value - sum;
    return t * t / ((double)count * (double)(count - 1));
}

/* Of `count` values that are left: what was taken may be a rounding more than was there. */
static double moments_left(int64_t count, double m2) {
    return count < 2 || m2 < 0 ? 0.0 : m2;
}

static double moments_variance(int64_t count, double m2) {
    return count < 2 ? 0.0 : m2 / (double)(count - 1);
}

/* m2 of two sets of values (Chan). */
static double moments_merged(double m2, int64_t left_count, double left_sum, int64_t right_count,
                             double right_sum) {
    if (left_count <= 0 || right_count <= 0)
        return m2;
    double apart = right_sum / (double)right_count - left_sum / (double)left_count;
    return m2 + apart * apart * (double)left_count * (double)right_count /
                    (double)(left_count + right_count);
}

/* -- INTEGER and BIGINT ------------------------------------------------------------------------ */

static int64_t moments_wrap(int64_t sum, bool narrow) {
    return narrow ? (int32_t)(uint32_t)(uint64_t)sum : sum;
}

static void moments_i64_take(MomentsI64State *state, int64_t value, int64_t sign, bool narrow) {
    uint64_t sum = (uint64_t)state->sum;
    if (sign < 0) {
        state->m2 -= moments_part(state->count, (double)state->sum, (double)value);
        state->sum = moments_wrap((int64_t)(sum - (uint64_t)value), narrow);
        state->count--;
        state->m2 = moments_left(state->count, state->m2);
    } else {
        state->count++;
        state->sum = moments_wrap((int64_t)(sum + (uint64_t)value), narrow);
        state->m2 += moments_part(state->count, (double)state->sum, (double)value);
    }
}

static void moments_i32_step(const AggregateCall *call, uint32_t i, MomentsI64State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (!column_is_null(column, row))
        moments_i64_take(state, column->i32[row], aggregate_sign(call, i), true);
}

static void moments_i64_step(const AggregateCall *call, uint32_t i, MomentsI64State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (!column_is_null(column, row))
        moments_i64_take(state, column->i64[row], aggregate_sign(call, i), false);
}

static void moments_i64_save(const void *memory, Buf *out) {
    const MomentsI64State *state = memory;
    buf_zigzag(out, state->count);
    buf_zigzag(out, state->sum);
    moments_put_f64(out, state->m2);
}

static bool moments_i64_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    MomentsI64State *state = memory;
    state->count = reader_zigzag(in);
    state->sum = reader_zigzag(in);
    state->m2 = moments_read_f64(in);
    return reader_ok(in);
}

static void moments_i64_unite(const AggregateMerge *merge, bool narrow) {
    MomentsI64State *into = merge->into;
    const MomentsI64State *from = merge->from;
    into->m2 = moments_merged(into->m2 + from->m2, into->count, (double)into->sum, from->count,
                              (double)from->sum);
    into->sum = moments_wrap((int64_t)((uint64_t)into->sum + (uint64_t)from->sum), narrow);
    into->count += from->count;
}

static void moments_i32_merge(const AggregateMerge *merge) {
    moments_i64_unite(merge, true);
}

static void moments_i64_merge(const AggregateMerge *merge) {
    moments_i64_unite(merge, false);
}

#define moments_i32_save moments_i64_save
#define moments_i32_load moments_i64_load

/* -- DOUBLE ------------------------------------------------------------------------------------ */

static void moments_f64_step(const AggregateCall *call, uint32_t i, MomentsF64State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    double value = column->f64[row];
    if (aggregate_sign(call, i) < 0) {
        state->m2 -= moments_part(state->count, state->sum, value);
        state->sum -= value;
        state->count--;
        state->m2 = moments_left(state->count, state->m2);
    } else {
        state->count++;
        state->sum += value;
        state->m2 += moments_part(state->count, state->sum, value);
    }
}

static void moments_f64_save(const void *memory, Buf *out) {
    const MomentsF64State *state = memory;
    buf_zigzag(out, state->count);
    moments_put_f64(out, state->sum);
    moments_put_f64(out, state->m2);
}

static bool moments_f64_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    MomentsF64State *state = memory;
    state->count = reader_zigzag(in);
    state->sum = moments_read_f64(in);
    state->m2 = moments_read_f64(in);
    return reader_ok(in);
}

static void moments_f64_merge(const AggregateMerge *merge) {
    MomentsF64State *into = merge->into;
    const MomentsF64State *from = merge->from;
    into->m2 = moments_merged(into->m2 + from->m2, into->count, into->sum, from->count,
                              from->sum);
    into->sum += from->sum;
    into->count += from->count;
}

/* -- The kernels of the table ------------------------------------------------------------------ */

#define MOMENTS_KERNEL(name, type, State, root)                                                \
    static void name##_##type##_step(const AggregateCall *call, uint32_t i, State *state) {    \
        moments_##type##_step(call, i, state);                                                 \
    }                                                                                          \
    static void name##_##type##_put(Column *column, uint32_t i, const State *state) {          \
        column->f64[i] = root(moments_variance(state->count, state->m2));                    \
        column_set_present(column, i);                                                         \
    }                                                                                          \
    AGGREGATE_LOOPS(name##_##type, State)                                                      \
    const AggregateOps name##_##type##_ops = {                                                 \
        .update = name##_##type##_update, .result = name##_##type##_result,                    \
        .save = moments_##type##_save, .load = moments_##type##_load,                          \
        .merge = moments_##type##_merge};

static double moments_same(double variance) {
    return variance;
}

MOMENTS_KERNEL(variance, i32, MomentsI64State, moments_same)
MOMENTS_KERNEL(variance, i64, MomentsI64State, moments_same)
MOMENTS_KERNEL(variance, f64, MomentsF64State, moments_same)
MOMENTS_KERNEL(deviation, i32, MomentsI64State, sqrt)
MOMENTS_KERNEL(deviation, i64, MomentsI64State, sqrt)
MOMENTS_KERNEL(deviation, f64, MomentsF64State, sqrt)

/* -- CORRELATION ------------------------------------------------------------------------------- */

static void correlation_take(CorrelationState *state, double x, double y, double sign) {
    state->count += sign > 0 ? 1 : -1;
    state->x += sign * x;
    state->y += sign * y;
    state->xx += sign * x * x;
    state->yy += sign * y * y;
    state->xy += sign * x * y;
}

static double correlation_value(const Column *column, uint32_t row) {
    return column->type->kind == TYPE_INT      ? column->i32[row]
           : column->type->kind == TYPE_BIGINT ? (double)column->i64[row]
                                               : column->f64[row];
}

static void correlation_step(const AggregateCall *call, uint32_t i, CorrelationState *state) {
    uint32_t row = call->rows[i];
    assert(call->arg_count == 2);
    if (column_is_null(call->args[0], row) || column_is_null(call->args[1], row))
        return;
    correlation_take(state, correlation_value(call->args[0], row),
                     correlation_value(call->args[1], row), (double)aggregate_sign(call, i));
}

static void correlation_put(Column *column, uint32_t i, const CorrelationState *state) {
    double n = (double)state->count;
    double above = n * state->xy - state->x * state->y;
    double below = sqrt((n * state->xx - state->x * state->x) *
                        (n * state->yy - state->y * state->y));
    column->f64[i] = below > 0 ? above / below : (double)NAN;
    column_set_present(column, i);
}

static void correlation_save(const void *memory, Buf *out) {
    const CorrelationState *state = memory;
    buf_zigzag(out, state->count);
    moments_put_f64(out, state->x);
    moments_put_f64(out, state->y);
    moments_put_f64(out, state->xx);
    moments_put_f64(out, state->yy);
    moments_put_f64(out, state->xy);
}

static bool correlation_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    CorrelationState *state = memory;
    state->count = reader_zigzag(in);
    state->x = moments_read_f64(in);
    state->y = moments_read_f64(in);
    state->xx = moments_read_f64(in);
    state->yy = moments_read_f64(in);
    state->xy = moments_read_f64(in);
    return reader_ok(in);
}

static void correlation_merge(const AggregateMerge *merge) {
    CorrelationState *into = merge->into;
    const CorrelationState *from = merge->from;
    into->count += from->count;
    into->x += from->x;
    into->y += from->y;
    into->xx += from->xx;
    into->yy += from->yy;
    into->xy += from->xy;
}

AGGREGATE_KERNEL(correlation, CorrelationState)
