/*
 * extreme.c - MIN and MAX: NULLs ignored, NULL of nothing else; no undo, as in ksqlDB.
 *
 * STRING orders by UTF-16 unit, BYTES by unsigned byte, DOUBLE as Java's Double.compare (-0.0
 * before 0.0, NaN last). Strings lie in the heap, and results point there.
 * Saved: 1 byte, 0 nothing yet or 1, then the value: integers and times zig-zag varint, DOUBLE 8
 * bytes, DECIMAL 32 bytes, little-endian, STRING BYTES varint size and bytes.
 */
#include "base/limits.h"
#include "base/utf8.h"
#include "udf/aggregate_impl.h"
#include "udf/value_order.h"

/* Whether a value replaces the one kept: MAX wants the larger one. */
static bool extreme_wins(int order, bool max) {
    return max ? order > 0 : order < 0;
}

/* -- BOOLEAN never; INTEGER TIME DATE as int32, BIGINT TIMESTAMP as int64 -------------------- */

static void extreme_i64_take(ExtremeI64State *state, int64_t value, bool max) {
    int order = (value > state->value) - (value < state->value);
    if (state->present && !extreme_wins(order, max))
        return;
    state->value = value;
    state->present = true;
}

static void extreme_i32_step(const AggregateCall *call, uint32_t i, ExtremeI64State *state,
                             bool max) {
    const Column *column = call->args[0];
    if (!column_is_null(column, call->rows[i]))
        extreme_i64_take(state, column->i32[call->rows[i]], max);
}

static void extreme_i64_step(const AggregateCall *call, uint32_t i, ExtremeI64State *state,
                             bool max) {
    const Column *column = call->args[0];
    if (!column_is_null(column, call->rows[i]))
        extreme_i64_take(state, column->i64[call->rows[i]], max);
}

static void extreme_i64_merge(const AggregateMerge *merge, bool max) {
    const ExtremeI64State *from = merge->from;
    if (from->present)
        extreme_i64_take(merge->into, from->value, max);
}

#define extreme_i32_merge extreme_i64_merge

static void extreme_i32_put(Column *column, uint32_t i, const ExtremeI64State *state) {
    if (!state->present)
        return;
    column->i32[i] = (int32_t)state->value;
    column_set_present(column, i);
}

static void extreme_i64_put(Column *column, uint32_t i, const ExtremeI64State *state) {
    if (!state->present)
        return;
    column->i64[i] = state->value;
    column_set_present(column, i);
}

static void extreme_i64_save(const void *memory, Buf *out) {
    const ExtremeI64State *state = memory;
    buf_u8(out, state->present);
    if (state->present)
        buf_zigzag(out, state->value);
}

/* Reads the byte that says whether a value follows; false: neither 0 nor 1. */
static bool extreme_load_present(Reader *in, bool *present) {
    uint8_t byte = reader_u8(in);
    *present = byte == 1;
    return reader_ok(in) && byte <= 1;
}

static bool extreme_i64_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    ExtremeI64State *state = memory;
    if (!extreme_load_present(in, &state->present))
        return false;
    if (state->present)
        state->value = reader_zigzag(in);
    return reader_ok(in);
}

static bool extreme_i32_load(Reader *in, void *memory, AggregateHeap *heap) {
    const ExtremeI64State *state = memory;
    return extreme_i64_load(in, memory, heap) && state->value >= INT32_MIN &&
           state->value <= INT32_MAX;
}

#define extreme_i32_save extreme_i64_save

/* -- DOUBLE ----------------------------------------------------------------------------------- */

static void extreme_f64_take(ExtremeF64State *state, double value, bool max) {
    if (state->present && !extreme_wins(value_compare_f64(value, state->value), max))
        return;
    state->value = value;
    state->present = true;
}

static void extreme_f64_step(const AggregateCall *call, uint32_t i, ExtremeF64State *state,
                             bool max) {
    const Column *column = call->args[0];
    if (!column_is_null(column, call->rows[i]))
        extreme_f64_take(state, column->f64[call->rows[i]], max);
}

static void extreme_f64_merge(const AggregateMerge *merge, bool max) {
    const ExtremeF64State *from = merge->from;
    if (from->present)
        extreme_f64_take(merge->into, from->value, max);
}

static void extreme_f64_put(Column *column, uint32_t i, const ExtremeF64State *state) {
    if (!state->present)
        return;
    column->f64[i] = state->value;
    column_set_present(column, i);
}

static void extreme_f64_save(const void *memory, Buf *out) {
    const ExtremeF64State *state = memory;
    uint64_t bits;
    memcpy(&bits, &state->value, sizeof bits);
    buf_u8(out, state->present);
    if (state->present)
        buf_u64_le(out, bits);
}

static bool extreme_f64_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    ExtremeF64State *state = memory;
    if (!extreme_load_present(in, &state->present))
        return false;
    uint64_t bits = state->present ? reader_u64_le(in) : 0;
    memcpy(&state->value, &bits, sizeof bits);
    return reader_ok(in);
}

/* -- DECIMAL ---------------------------------------------------------------------------------- */

static void extreme_decimal_take(ExtremeDecimalState *state, Decimal value, const Type *type,
                                 bool max) {
    int order = state->present ? decimal_compare(value, type->scale, state->value, type->scale) : 0;
    if (state->present && !extreme_wins(order, max))
        return;
    state->value = value;
    state->present = true;
}

static void extreme_decimal_step(const AggregateCall *call, uint32_t i,
                                 ExtremeDecimalState *state, bool max) {
    const Column *column = call->args[0];
    const Type *type = column->type;
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    const uint8_t *source = column->data;
    Decimal value = decimal_load(source + (size_t)row * type_width(type), type->precision);
    extreme_decimal_take(state, value, type, max);
}

static void extreme_decimal_merge(const AggregateMerge *merge, bool max) {
    const ExtremeDecimalState *from = merge->from;
    if (from->present)
        extreme_decimal_take(merge->into, from->value, merge->arg_types[0], max);
}

static void extreme_decimal_put(Column *column, uint32_t i, const ExtremeDecimalState *state) {
    if (!state->present || !decimal_storable(state->value, column->type->precision))
        return; /* only bytes that were damaged hold one that does not fit */
    uint8_t *target = column->data;
    decimal_store(target + (size_t)i * type_width(column->type), column->type->precision,
                  state->value);
    column_set_present(column, i);
}

static void extreme_decimal_save(const void *memory, Buf *out) {
    const ExtremeDecimalState *state = memory;
    buf_u8(out, state->present);
    for (uint32_t i = 0; i < 4 && state->present; i++)
        buf_u64_le(out, state->value.word[i]);
}

static bool extreme_decimal_load(Reader *in, void *memory, AggregateHeap *heap) {
    (void)heap;
    ExtremeDecimalState *state = memory;
    if (!extreme_load_present(in, &state->present))
        return false;
    for (uint32_t i = 0; i < 4 && state->present; i++)
        state->value.word[i] = reader_u64_le(in);
    return reader_ok(in) && decimal_fits(state->value, DECIMAL_PRECISION_MAX);
}

/* -- STRING and BYTES ------------------------------------------------------------------------- */

static void extreme_take(const AggregateCall *call, uint32_t i, ExtremeBytesState *state,
                         bool max) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    Bytes value = column->bytes[row];
    AggregateHeap *heap = aggregate_heap(call, i);
    if (state->present) {
        Bytes kept = {state->block, state->size};
        int order = column->type->kind == TYPE_STRING ? utf8_compare(value, kept)
                                                      : bytes_compare(value, kept);
        if (!extreme_wins(order, max))
            return;
        heap->ops->drop(heap, state->block);
    }
    state->block = value.size > 0 ? heap->ops->put(heap, value) : NULL;
    state->size = value.size;
    state->present = true;
}

static void extreme_bytes_step(const AggregateCall *call, uint32_t i, ExtremeBytesState *state,
                               bool max) {
    assert(call->heap || call->heaps);
    extreme_take(call, i, state, max);
}

/* The block that wins is kept, whichever state it came from. */
static void extreme_bytes_merge(const AggregateMerge *merge, bool max) {
    ExtremeBytesState *into = merge->into;
    const ExtremeBytesState *from = merge->from;
    AggregateHeap *heap = merge->heap;
    if (!from->present)
        return;
    Bytes kept = {into->block, into->size}, other = {from->block, from->size};
    int order = merge->arg_types[0]->kind == TYPE_STRING ? utf8_compare(other, kept)
                                                         : bytes_compare(other, kept);
    if (into->present && !extreme_wins(order, max)) {
        heap->ops->drop(heap, from->block);
        return;
    }
    heap->ops->drop(heap, into->block);
    *into = *from;
}

static void extreme_bytes_put(Column *column, uint32_t i, const ExtremeBytesState *state) {
    if (!state->present)
        return;
    column->bytes[i] = (Bytes){state->block, state->size};
    column_set_present(column, i);
}

static void extreme_bytes_save(const void *memory, Buf *out) {
    const ExtremeBytesState *state = memory;
    buf_u8(out, state->present);
    if (!state->present)
        return;
    buf_varint(out, state->size);
    buf_put(out, state->block, state->size);
}

static bool extreme_bytes_load(Reader *in, void *memory, AggregateHeap *heap) {
    ExtremeBytesState *state = memory;
    if (!extreme_load_present(in, &state->present) || !state->present)
        return reader_ok(in) && !state->present;
    uint64_t size = reader_varint(in);
    if (!reader_ok(in) || size > reader_left(in))
        return false;
    Bytes bytes = reader_bytes(in, (uint32_t)size);
    state->size = bytes.size;
    state->block = bytes.size > 0 ? heap->ops->put(heap, bytes) : NULL;
    return reader_ok(in);
}

static void extreme_bytes_forget(void *memory, AggregateHeap *heap) {
    ExtremeBytesState *state = memory;
    heap->ops->drop(heap, state->block);
    *state = (ExtremeBytesState){0};
}

/* -- The kernels of the table ----------------------------------------------------------------- */

#define extreme_i32_forget NULL
#define extreme_i64_forget NULL
#define extreme_f64_forget NULL
#define extreme_decimal_forget NULL

#define EXTREME_KERNEL(order, type, State, is_max)                                            \
    static void order##_##type##_step(const AggregateCall *call, uint32_t i, State *state) {  \
        extreme_##type##_step(call, i, state, is_max);                                        \
    }                                                                                         \
    static void order##_##type##_put(Column *column, uint32_t i, const State *state) {        \
        extreme_##type##_put(column, i, state);                                               \
    }                                                                                         \
    static void order##_##type##_merge(const AggregateMerge *merge) {                         \
        extreme_##type##_merge(merge, is_max);                                                \
    }                                                                                         \
    AGGREGATE_LOOPS(order##_##type, State)                                                    \
    const AggregateOps order##_##type##_ops = {                                               \
        .update = order##_##type##_update, .result = order##_##type##_result,                 \
        .save = extreme_##type##_save, .load = extreme_##type##_load,                         \
        .merge = order##_##type##_merge, .forget = extreme_##type##_forget};

EXTREME_KERNEL(extreme_min, i32, ExtremeI64State, false)
EXTREME_KERNEL(extreme_max, i32, ExtremeI64State, true)
EXTREME_KERNEL(extreme_min, i64, ExtremeI64State, false)
EXTREME_KERNEL(extreme_max, i64, ExtremeI64State, true)
EXTREME_KERNEL(extreme_min, f64, ExtremeF64State, false)
EXTREME_KERNEL(extreme_max, f64, ExtremeF64State, true)
EXTREME_KERNEL(extreme_min, decimal, ExtremeDecimalState, false)
EXTREME_KERNEL(extreme_max, decimal, ExtremeDecimalState, true)
EXTREME_KERNEL(extreme_min, bytes, ExtremeBytesState, false)
EXTREME_KERNEL(extreme_max, bytes, ExtremeBytesState, true)
