/*
 * offset.c - EARLIEST_BY_OFFSET and LATEST_BY_OFFSET: by order of arrival, one value or N.
 *
 * NULLs are left out unless told otherwise. Arrival is a number of the store, so that states which
 * are merged know whose value came first.
 * Values of up to 16 bytes lie in the state itself, and of a batch's updates of one state only the
 * last is kept where no result between them is wanted: a store of plain columns costs little.
 * Saved: the number, 0 before the first value, then varint size and bytes of the value; of N: a
 * varint count, then that for each, first come first.
 */
#include "udf/aggregate_impl.h"

/* The constant ignoreNulls is the index-th, if there. */
static bool offset_leaves_out(const AggregateCall *call, uint32_t i, uint32_t index) {
    const AggregateLimits *limits = &call->limits;
    if (!column_is_null(call->args[0], call->rows[i]))
        return false;
    return index >= limits->literal_count || column_is_null(limits->literals[index], 0) ||
           limits->literals[index]->boolean[0];
}

/* -- One value -------------------------------------------------------------------------------- */

static Bytes offset_value(const OffsetState *state) {
    assert(state->size > 0);
    bool here = state->size <= OFFSET_HERE_MAX;
    return (Bytes){here ? state->value.here : state->value.block, state->size};
}

static void offset_drop(OffsetState *state, AggregateHeap *heap) {
    if (state->size > OFFSET_HERE_MAX)
        heap->ops->drop(heap, state->value.block);
    state->size = 0;
}

/* The same value again takes no memory. */
static void offset_set(OffsetState *state, Bytes bytes, AggregateHeap *heap) {
    assert(bytes.size > 0);
    if (state->size == bytes.size && bytes_equal(offset_value(state), bytes))
        return;
    offset_drop(state, heap);
    state->size = bytes.size;
    if (bytes.size <= OFFSET_HERE_MAX)
        memcpy(state->value.here, bytes.data, bytes.size);
    else
        state->value.block = heap->ops->put(heap, bytes);
}

static void offset_take(const AggregateCall *call, uint32_t i, OffsetState *state, Buf *scratch) {
    AggregateHeap *heap = aggregate_heap(call, i);
    element_put(scratch, call->args[0], call->rows[i], call->arena);
    offset_set(state, buf_view(scratch), heap);
    state->number = heap->ops->number(heap);
}

/* The state may change before the column is made: what lies in it is copied. */
static void offset_put(ElementColumn *target, const void *memory, const AggregateCall *call) {
    const OffsetState *state = memory;
    if (state->size > OFFSET_HERE_MAX)
        element_column_item(target, offset_value(state), 0);
    else if (state->size > 0)
        element_column_item(target, arena_bytes(call->arena, offset_value(state)), 0);
}

static void offset_save(const void *memory, Buf *out) {
    const OffsetState *state = memory;
    buf_varint(out, state->size > 0 ? state->number : 0);
    if (state->size == 0)
        return;
    buf_varint(out, state->size);
    buf_bytes(out, offset_value(state));
}

/* Reads varint size and as many bytes, at least one. */
static bool offset_load_bytes(Reader *in, Bytes *bytes) {
    uint64_t size = reader_varint(in);
    if (!reader_ok(in) || size == 0 || size > reader_left(in))
        return false;
    *bytes = reader_bytes(in, (uint32_t)size);
    return reader_ok(in);
}

static bool offset_load(Reader *in, void *memory, AggregateHeap *heap) {
    OffsetState *state = memory;
    Bytes bytes;
    if (!element_load_id(in, &state->number, heap))
        return false;
    if (state->number == 0)
        return true;
    if (!offset_load_bytes(in, &bytes))
        return false;
    offset_set(state, bytes, heap);
    return true;
}

static void offset_forget(void *memory, AggregateHeap *heap) {
    OffsetState *state = memory;
    offset_drop(state, heap);
    *state = (OffsetState){0};
}

static void offset_merge(const AggregateMerge *merge, bool latest) {
    OffsetState *into = merge->into, *from = merge->from;
    if (from->size > 0 && (into->size == 0 || (from->number > into->number) == latest)) {
        OffsetState swap = *into;
        *into = *from;
        *from = swap;
    }
    offset_forget(from, merge->heap);
}

static void offset_earliest_step(const AggregateCall *call, uint32_t i, void *memory,
                                 Buf *scratch) {
    OffsetState *state = memory;
    if (state->size == 0 && !offset_leaves_out(call, i, 0))
        offset_take(call, i, state, scratch);
}

static void offset_latest_step(const AggregateCall *call, uint32_t i, void *memory,
                               Buf *scratch) {
    if (!offset_leaves_out(call, i, 0))
        offset_take(call, i, memory, scratch);
}

static void offset_earliest_merge(const AggregateMerge *merge) {
    offset_merge(merge, false);
}

static void offset_latest_merge(const AggregateMerge *merge) {
    offset_merge(merge, true);
}

#define offset_earliest_put offset_put
ELEMENT_LOOPS(offset_earliest, true)

static const ElementKernel offset_latest_kernel = {offset_latest_step, offset_put, true};

static void offset_latest_result(const AggregateCall *call) {
    element_result(call, &offset_latest_kernel);
}

/* Every update's result is the value of its row, in the form in which it would come back. */
static bool offset_result_is_row(const AggregateCall *call) {
    const Column *column = call->args[0];
    if (type_is_nested(column->type) || column->type->kind == TYPE_DOUBLE)
        return false;
    for (uint32_t i = 0; i < call->count; i++)
        if (column_is_null(column, call->rows[i]))
            return false;
    return true;
}

static void offset_rows(const AggregateCall *call) {
    const Column *column = call->args[0];
    bool all = column->length == call->count;
    for (uint32_t i = 0; i < call->count && all; i++)
        all = call->rows[i] == i;
    *call->after = all ? *column
                       : *column_gather(call->arena, column, call->rows, call->count);
}

/* Of a state's updates only the last value is taken where nobody asks for those between. */
static void offset_latest_update(const AggregateCall *call) {
    if (call->before || (call->after && !offset_result_is_row(call))) {
        element_update(call, &offset_latest_kernel);
        return;
    }
    uint64_t *numbers = arena_array(call->arena, call->count, sizeof *numbers);
    for (uint32_t i = 0; i < call->count; i++) {
        AggregateHeap *heap = aggregate_heap(call, i);
        if (!offset_leaves_out(call, i, 0))
            ((OffsetState *)call->states[i])->number = numbers[i] = heap->ops->number(heap);
    }
    Buf scratch = {0};
    for (uint32_t i = 0; i < call->count; i++) {
        OffsetState *state = call->states[i];
        if (numbers[i] == 0 || state->number != numbers[i])
            continue;
        buf_reset(&scratch);
        element_put(&scratch, call->args[0], call->rows[i], call->arena);
        offset_set(state, buf_view(&scratch), aggregate_heap(call, i));
    }
    buf_free(&scratch);
    if (call->after)
        offset_rows(call);
}

const AggregateOps offset_earliest_ops = {
    .update = offset_earliest_update,
    .result = offset_earliest_result,
    .save = offset_save,
    .load = offset_load,
    .merge = offset_earliest_merge,
    .forget = offset_forget,
};

const AggregateOps offset_latest_ops = {
    .update = offset_latest_update,
    .result = offset_latest_result,
    .save = offset_save,
    .load = offset_load,
    .merge = offset_latest_merge,
    .forget = offset_forget,
};

/* -- N values: a block of {number, size, bytes}, as saved --------------------------------- */

typedef struct OffsetEntry {
    uint64_t number;
    Bytes bytes;
} OffsetEntry;

static uint32_t offset_n(const AggregateLimits *limits) {
    assert(limits->literal_count > 0);
    return (uint32_t)limits->literals[0]->i32[0];
}

/* The next entry of a block that is known to be whole. */
static bool offset_next(Reader *in, OffsetEntry *entry) {
    if (reader_left(in) == 0)
        return false;
    entry->number = reader_varint(in);
    bool read = offset_load_bytes(in, &entry->bytes);
    assert(read);
    return read;
}

static void offset_put_entry(Buf *out, uint64_t number, Bytes bytes) {
    buf_varint(out, number);
    buf_varint(out, bytes.size);
    buf_bytes(out, bytes);
}

static void entries_replace(EntriesState *state, AggregateHeap *heap, Bytes bytes,
                            uint32_t count) {
    assert(count > 0);
    heap->ops->drop(heap, state->block);
    state->block = heap->ops->put(heap, bytes);
    state->size = bytes.size;
    state->count = count;
}

static void offset_n_put(ElementColumn *target, const void *memory, const AggregateCall *call) {
    const EntriesState *state = memory;
    Reader in = reader_of((Bytes){state->block, state->size});
    (void)call;
    for (OffsetEntry entry; offset_next(&in, &entry);)
        element_column_item(target, entry.bytes, 0);
}

/* Puts the value behind those that stay. */
static void offset_n_take(const AggregateCall *call, uint32_t i, EntriesState *state, bool latest,
                          Buf *scratch) {
    AggregateHeap *heap = aggregate_heap(call, i);
    uint32_t n = offset_n(&call->limits);
    Reader in = reader_of((Bytes){state->block, state->size});
    OffsetEntry first;
    if (offset_leaves_out(call, i, 1) || (!latest && state->count >= n))
        return;
    uint32_t kept = state->count;
    for (; kept >= n; kept--)
        offset_next(&in, &first);
    Buf value = {0};
    element_put(&value, call->args[0], call->rows[i], call->arena);
    buf_bytes(scratch, reader_bytes(&in, reader_left(&in)));
    offset_put_entry(scratch, heap->ops->number(heap), buf_view(&value));
    buf_free(&value);
    entries_replace(state, heap, buf_view(scratch), kept + 1);
}

static void offset_earliest_n_step(const AggregateCall *call, uint32_t i, void *memory,
                                   Buf *scratch) {
    offset_n_take(call, i, memory, false, scratch);
}

static void offset_latest_n_step(const AggregateCall *call, uint32_t i, void *memory,
                                 Buf *scratch) {
    offset_n_take(call, i, memory, true, scratch);
}

static void offset_n_save(const void *memory, Buf *out) {
    const EntriesState *state = memory;
    buf_varint(out, state->count);
    buf_put(out, state->block, state->size);
}

static bool offset_n_load(Reader *in, void *memory, AggregateHeap *heap) {
    EntriesState *state = memory;
    Buf block = {0};
    uint64_t count = reader_varint(in);
    bool fits = reader_ok(in);
    for (uint64_t i = 0; i < count && fits; i++) {
        OffsetEntry entry;
        fits = element_load_id(in, &entry.number, heap) && offset_load_bytes(in, &entry.bytes);
        if (fits)
            offset_put_entry(&block, entry.number, entry.bytes);
    }
    if (fits && count > 0)
        entries_replace(state, heap, buf_view(&block), (uint32_t)count);
    buf_free(&block);
    return fits;
}

static void entries_forget(void *memory, AggregateHeap *heap) {
    EntriesState *state = memory;
    heap->ops->drop(heap, state->block);
    *state = (EntriesState){0};
}

/* Both in order of arrival; the first N of all stay, for LATEST too, as in ksqlDB. */
static void offset_n_merge(const AggregateMerge *merge) {
    EntriesState *into = merge->into, *from = merge->from;
    Reader left = reader_of((Bytes){into->block, into->size});
    Reader right = reader_of((Bytes){from->block, from->size});
    OffsetEntry one, other;
    bool has_one = offset_next(&left, &one), has_other = offset_next(&right, &other);
    Buf block = {0};
    uint32_t count = 0;
    for (; count < offset_n(&merge->limits) && (has_one || has_other); count++) {
        if (has_one && (!has_other || one.number <= other.number)) {
            offset_put_entry(&block, one.number, one.bytes);
            has_one = offset_next(&left, &one);
        } else {
            offset_put_entry(&block, other.number, other.bytes);
            has_other = offset_next(&right, &other);
        }
    }
    if (count > 0)
        entries_replace(into, merge->heap, buf_view(&block), count);
    buf_free(&block);
    entries_forget(from, merge->heap);
}

static bool offset_n_is_wrong(const AggregateLimits *limits) {
    return column_is_null(limits->literals[0], 0) || limits->literals[0]->i32[0] < 1;
}

static const char *offset_earliest_n_check(const AggregateLimits *limits) {
    return offset_n_is_wrong(limits) ? "earliestN must be 1 or greater" : NULL;
}

static const char *offset_latest_n_check(const AggregateLimits *limits) {
    return offset_n_is_wrong(limits) ? "latestN must be 1 or greater" : NULL;
}

#define offset_earliest_n_put offset_n_put
#define offset_latest_n_put offset_n_put
ELEMENT_LOOPS(offset_earliest_n, false)
ELEMENT_LOOPS(offset_latest_n, false)

const AggregateOps offset_earliest_n_ops = {
    .update = offset_earliest_n_update,
    .result = offset_earliest_n_result,
    .save = offset_n_save,
    .load = offset_n_load,
    .merge = offset_n_merge,
    .forget = entries_forget,
    .check = offset_earliest_n_check,
};

const AggregateOps offset_latest_n_ops = {
    .update = offset_latest_n_update,
    .result = offset_latest_n_result,
    .save = offset_n_save,
    .load = offset_n_load,
    .merge = offset_n_merge,
    .forget = entries_forget,
    .check = offset_latest_n_check,
};
