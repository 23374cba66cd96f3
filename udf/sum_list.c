/*
 * sum_list.c - SUM_LIST: the sum of all elements of lists that are not NULL, from 0.
 *
 * States are those of SUM.
 */
#include "udf/aggregate_impl.h"

/* The elements of an update's list. */
static const Column *sum_list_items(const AggregateCall *call, uint32_t i, uint32_t *from,
                                    uint32_t *to) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    assert(column->type->kind == TYPE_ARRAY);
    *from = column->offsets[row];
    *to = column_is_null(column, row) ? *from : column->offsets[row + 1];
    return &column->children[0];
}

static void sum_list_i32_step(const AggregateCall *call, uint32_t i, SumI32State *state) {
    uint32_t at, end;
    const Column *items = sum_list_items(call, i, &at, &end);
    bool add = aggregate_sign(call, i) > 0;
    for (; at < end; at++) {
        uint32_t value = column_is_null(items, at) ? 0 : (uint32_t)items->i32[at];
        uint32_t sum = (uint32_t)state->sum;
        state->sum = (int32_t)(add ? sum + value : sum - value);
    }
}

static void sum_list_i64_step(const AggregateCall *call, uint32_t i, SumI64State *state) {
    uint32_t at, end;
    const Column *items = sum_list_items(call, i, &at, &end);
    bool add = aggregate_sign(call, i) > 0;
    for (; at < end; at++) {
        uint64_t value = column_is_null(items, at) ? 0 : (uint64_t)items->i64[at];
        uint64_t sum = (uint64_t)state->sum;
        state->sum = (int64_t)(add ? sum + value : sum - value);
    }
}

static void sum_list_f64_step(const AggregateCall *call, uint32_t i, SumF64State *state) {
    uint32_t at, end;
    const Column *items = sum_list_items(call, i, &at, &end);
    bool add = aggregate_sign(call, i) > 0;
    for (; at < end; at++) {
        double value = column_is_null(items, at) ? 0.0 : items->f64[at];
        state->sum += add ? value : -value;
    }
}

#define SUM_LIST_KERNEL(type, State)                                                   \
    static void sum_list_##type##_put(Column *column, uint32_t i, const State *state) { \
        column->type[i] = state->sum;                                                  \
        column_set_present(column, i);                                                 \
    }                                                                                  \
    static void sum_list_##type##_save(const void *memory, Buf *out) {                 \
        sum_##type##_ops.save(memory, out);                                            \
    }                                                                                  \
    static bool sum_list_##type##_load(Reader *in, void *memory, AggregateHeap *heap) { \
        return sum_##type##_ops.load(in, memory, heap);                                \
    }                                                                                  \
    static void sum_list_##type##_merge(const AggregateMerge *merge) {                 \
        sum_##type##_ops.merge(merge);                                                 \
    }                                                                                  \
    AGGREGATE_KERNEL(sum_list_##type, State)

SUM_LIST_KERNEL(i32, SumI32State)
SUM_LIST_KERNEL(i64, SumI64State)
SUM_LIST_KERNEL(f64, SumF64State)
