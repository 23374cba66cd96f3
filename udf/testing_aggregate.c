/*
 * testing_aggregate.c - the aggregate functions of testing.def: sums of numbers and of lengths of
 * texts, and lists of rows that are whole.
 */
#include "base/utf8.h"
#include "udf/aggregate_impl.h"

/* -- TEST_UDAF: sums; those of numbers are SUM's ---------------------------------------------- */

static void testing_sum_i32_step(const AggregateCall *call, uint32_t i, SumI64State *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (!column_is_null(column, row))
        state->sum += aggregate_sign(call, i) * column->i32[row];
}

static void testing_sum_i32_put(Column *column, uint32_t i, const SumI64State *state) {
    column->i64[i] = state->sum;
    column_set_present(column, i);
}

AGGREGATE_LOOPS(testing_sum_i32, SumI64State)

static void testing_i64_save(const void *memory, Buf *out) {
    const SumI64State *state = memory;
    buf_zigzag(out, state->sum);
}

static bool testing_i64_load(Reader *in, void *memory, AggregateHeap *heap) {
    SumI64State *state = memory;
    (void)heap;
    state->sum = reader_zigzag(in);
    return reader_ok(in);
}

static void testing_i64_merge(const AggregateMerge *merge) {
    SumI64State *into = merge->into;
    const SumI64State *from = merge->from;
    into->sum += from->sum;
}

const AggregateOps testing_sum_i32_ops = {
    .update = testing_sum_i32_update,
    .result = testing_sum_i32_result,
    .save = testing_i64_save,
    .load = testing_i64_load,
    .merge = testing_i64_merge,
};

/* The fields of structs {A, B}, NULL as 0. */
static void testing_struct_step(const AggregateCall *call, uint32_t i, TestingPairState *state) {
    const Column *column = call->args[0];
    uint32_t row = call->rows[i];
    if (column_is_null(column, row))
        return;
    for (uint32_t k = 0; k < 2; k++) {
        if (!column_is_null(&column->children[k], row))
            state->sums[k] += (int32_t)aggregate_sign(call, i) * column->children[k].i32[row];
    }
}

static void testing_struct_put(Column *column, uint32_t i, const TestingPairState *state) {
    assert(column->type->kind == TYPE_STRUCT && column->type->field_count == 2);
    column_set_present(column, i);
    for (uint32_t k = 0; k < 2; k++) {
        column->children[k].i32[i] = state->sums[k];
        column_set_present(&column->children[k], i);
    }
}

static void testing_struct_save(const void *memory, Buf *out) {
    const TestingPairState *state = memory;
    buf_zigzag(out, state->sums[0]);
    buf_zigzag(out, state->sums[1]);
}

static bool testing_struct_load(Reader *in, void *memory, AggregateHeap *heap) {
    TestingPairState *state = memory;
    (void)heap;
    state->sums[0] = (int32_t)reader_zigzag(in);
    state->sums[1] = (int32_t)reader_zigzag(in);
    return reader_ok(in);
}

static void testing_struct_merge(const AggregateMerge *merge) {
    TestingPairState *into = merge->into;
    const TestingPairState *from = merge->from;
    into->sums[0] += from->sums[0];
    into->sums[1] += from->sums[1];
}

AGGREGATE_KERNEL(testing_struct, TestingPairState)

/* -- MULTI_ARG and its like: numbers and lengths of texts, constants once --------------------- */

static int64_t testing_weight(const Column *column, uint32_t row) {
    if (column_is_null(column, row))
        return 0;
    switch (column->type->kind) {
    case TYPE_INT: return column->i32[row];
    case TYPE_BIGINT: return column->i64[row];
    default: return utf8_length(column->bytes[row]);
    }
}

static void testing_lengths_put(const AggregateCall *call, Column *column, uint32_t i) {
    const SumI64State *state = call->states[i];
    int64_t sum = state->sum;
    for (uint32_t k = 0; k < call->limits.literal_count; k++)
        sum += testing_weight(call->limits.literals[k], 0);
    column->i64[i] = sum;
    column_set_present(column, i);
}

static void testing_lengths_update(const AggregateCall *call) {
    for (uint32_t i = 0; i < call->count; i++) {
        SumI64State *state = call->states[i];
        if (call->before)
            testing_lengths_put(call, call->before, i);
        for (uint32_t k = 0; k < call->arg_count; k++)
            state->sum += aggregate_sign(call, i) * testing_weight(call->args[k], call->rows[i]);
        if (call->after)
            testing_lengths_put(call, call->after, i);
    }
}

static void testing_lengths_result(const AggregateCall *call) {
    assert(call->after);
    for (uint32_t i = 0; i < call->count; i++)
        testing_lengths_put(call, call->after, i);
}

const AggregateOps testing_lengths_ops = {
    .update = testing_lengths_update,
    .result = testing_lengths_result,
    .save = testing_i64_save,
    .load = testing_i64_load,
    .merge = testing_i64_merge,
};

/* -- GENERIC_VAR_ARG, OBJ_COL_ARG: the first of arguments that are all there ------------------ */

static void testing_whole_step(const AggregateCall *call, uint32_t i, void *memory,
                               Buf *scratch) {
    for (uint32_t k = 0; k < call->arg_count; k++) {
        if (column_is_null(call->args[k], call->rows[i]))
            return;
    }
    element_put(scratch, call->args[0], call->rows[i], call->arena);
    collect_push(memory, aggregate_heap(call, i), buf_view(scratch));
}

static void testing_whole_put(ElementColumn *target, const void *memory,
                              const AggregateCall *call) {
    const CollectState *state = memory;
    (void)call;
    element_column_list(target, &state->list);
}

ELEMENT_LOOPS(testing_whole, false)

static void testing_whole_save(const void *memory, Buf *out) {
    collect_list_ops.save(memory, out);
}

static bool testing_whole_load(Reader *in, void *memory, AggregateHeap *heap) {
    return collect_list_ops.load(in, memory, heap);
}

static void testing_whole_merge(const AggregateMerge *merge) {
    collect_list_ops.merge(merge);
}

static void testing_whole_forget(void *memory, AggregateHeap *heap) {
    collect_list_ops.forget(memory, heap);
}

static uint64_t testing_whole_id(const void *memory) {
    return collect_list_ops.id(memory);
}

static bool testing_whole_element(void *memory, Bytes key, Bytes value, AggregateHeap *heap) {
    return collect_list_ops.load_element(memory, key, value, heap);
}

const AggregateOps testing_whole_ops = {
    .update = testing_whole_update,
    .result = testing_whole_result,
    .save = testing_whole_save,
    .load = testing_whole_load,
    .merge = testing_whole_merge,
    .forget = testing_whole_forget,
    .id = testing_whole_id,
    .load_element = testing_whole_element,
};
