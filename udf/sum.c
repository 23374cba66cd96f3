/*
 * sum.c - SUM, from 0, without the NULLs; in the type of the input.
 *
 * INTEGER and BIGINT wrap as Java's do. A DECIMAL sum that needs more digits than its type has
 * leaves the state as it was and fails the row.
 * Saved: integers as zig-zag varints, DOUBLE as 8 bytes, DECIMAL as its 32 bytes, little-endian.
 */
#include "base/limits.h"
#include "udf/aggregate_impl.h"


/* -- INTEGER ---------------------------------------------------------------------------------- */

static void sum_i32_step(const AggregateCall *call, uint32_t i, SumI32State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    uint32_t value = (uint32_t)column->i32[row];
    uint32_t sum = (uint32_t)state->sum;
    state->sum = (int32_t)(aggregate_sign(call, i) > 0 ? sum + value : sum - value);
}

static void sum_i32_put(Column *column, uint32_t i, const SumI32State *state) {
    column->i32[i] = state->sum;
    column_set_present(column, i);
}

static void sum_i32_save(const void *memory, Buf *out) {
    const SumI32State *state = memory;
    buf_zigzag(out, state->sum);
}

static bool sum_i32_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    SumI32State *state = memory;
    int64_t sum = reader_zigzag(in);
    state->sum = (int32_t)sum;
    return reader_ok(in) && sum >= INT32_MIN && sum <= INT32_MAX;
}

static void sum_i32_merge(const AggregateMerge *merge) {
    SumI32State *into = merge->into;
    const SumI32State *from = merge->from;
    into->sum = (int32_t)((uint32_t)into->sum + (uint32_t)from->sum);
}

AGGREGATE_KERNEL(sum_i32, SumI32State)

/* -- BIGINT ----------------------------------------------------------------------------------- */

static void sum_i64_step(const AggregateCall *call, uint32_t i, SumI64State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    uint64_t value = (uint64_t)column->i64[row];
    uint64_t sum = (uint64_t)state->sum;
    state->sum = (int64_t)(aggregate_sign(call, i) > 0 ? sum + value : sum - value);
}

static void sum_i64_put(Column *column, uint32_t i, const SumI64State *state) {
    column->i64[i] = state->sum;
    column_set_present(column, i);
}

static void sum_i64_save(const void *memory, Buf *out) {
    const SumI64State *state = memory;
    buf_zigzag(out, state->sum);
}

static bool sum_i64_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    SumI64State *state = memory;
    state->sum = reader_zigzag(in);
    return reader_ok(in);
}

static void sum_i64_merge(const AggregateMerge *merge) {
    SumI64State *into = merge->into;
    const SumI64State *from = merge->from;
    into->sum = (int64_t)((uint64_t)into->sum + (uint64_t)from->sum);
}

AGGREGATE_KERNEL(sum_i64, SumI64State)

/* -- DOUBLE ----------------------------------------------------------------------------------- */

static void sum_f64_step(const AggregateCall *call, uint32_t i, SumF64State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (!column_is_null(column, row))
        state->sum += aggregate_sign(call, i) > 0 ? column->f64[row] : -column->f64[row];
}

static void sum_f64_put(Column *column, uint32_t i, const SumF64State *state) {
    column->f64[i] = state->sum;
    column_set_present(column, i);
}

static void sum_f64_save(const void *memory, Buf *out) {
    uint64_t bits;
    memcpy(&bits, memory, sizeof bits);
    buf_u64_le(out, bits);
}

static bool sum_f64_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    uint64_t bits = reader_u64_le(in);
    memcpy(memory, &bits, sizeof bits);
    return reader_ok(in);
}

static void sum_f64_merge(const AggregateMerge *merge) {
    SumF64State *into = merge->into;
    const SumF64State *from = merge->from;
    into->sum += from->sum;
}

AGGREGATE_KERNEL(sum_f64, SumF64State)

/* -- DECIMAL ---------------------------------------------------------------------------------- */

static void sum_decimal_step(const AggregateCall *call, uint32_t i, SumDecimalState *state) {
    const Column *column = call->args[0];
    const Type *type = column->type;
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    const uint8_t *source = column->data;
    Decimal value = decimal_load(source + (size_t)row * type_width(type), type->precision);
    Decimal sum;
    bool fits = aggregate_sign(call, i) > 0
                    ? decimal_add(state->sum, type->scale, value, type->scale, type, &sum)
                    : decimal_subtract(state->sum, type->scale, value, type->scale, type, &sum);
    if (fits)
        state->sum = sum;
    else
        call->fail(call->context, row, "SUM: over the %u digits of its type", type->precision);
}

static void sum_decimal_put(Column *column, uint32_t i, const SumDecimalState *state) {
    uint32_t width = type_width(column->type);
    uint8_t *target = column->data;
    assert(column->type->kind == TYPE_DECIMAL);
    if (!decimal_fits(state->sum, column->type->precision))
        return; /* only bytes that were damaged can say so */
    decimal_store(target + (size_t)i * width, column->type->precision, state->sum);
    column_set_present(column, i);
}

static void sum_decimal_save(const void *memory, Buf *out) {
    const SumDecimalState *state = memory;
    for (uint32_t i = 0; i < 4; i++)
        buf_u64_le(out, state->sum.word[i]);
}

static bool sum_decimal_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    SumDecimalState *state = memory;
    for (uint32_t i = 0; i < 4; i++)
        state->sum.word[i] = reader_u64_le(in);
    return reader_ok(in) && decimal_fits(state->sum, DECIMAL_PRECISION_MAX);
}

static void sum_decimal_merge(const AggregateMerge *merge) {
    assert(merge->arg_count == 1);
    const Type *type = merge->arg_types[0];
    SumDecimalState *into = merge->into;
    const SumDecimalState *from = merge->from;
    Decimal sum;
    if (decimal_add(into->sum, type->scale, from->sum, type->scale, type, &sum))
        into->sum = sum;
    else
        merge->fail(merge->context, merge->row, "SUM: over the %u digits of its type",
                    type->precision);
}

AGGREGATE_KERNEL(sum_decimal, SumDecimalState)
