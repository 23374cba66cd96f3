/*
 * distinct.c - functions over how often each value came: COUNT_DISTINCT, ATTR, HISTOGRAM.
 *
 * COUNT_DISTINCT knows every value (ksqlDB estimates) and leaves out NULL. ATTR: the value where
 * there is only one, NULL being one too. HISTOGRAM: at most 1,000 texts, in order of their bytes.
 * Elements: the value's bytes -> how often, a zig-zag varint.
 */
#include "udf/aggregate_impl.h"

enum { HISTOGRAM_KEYS_MAX = 1000 };

static void count_note(AggregateHeap *heap, uint64_t id, const Element *element) {
    uint8_t bytes[10];
    uint32_t size = 0;
    assert(element->number > 0);
    for (uint64_t left = (uint64_t)element->number << 1; left > 0 || size == 0; left >>= 7)
        bytes[size++] = (uint8_t)((left & 0x7F) | (left > 0x7F ? 0x80 : 0));
    Bytes value = {bytes, size};
    heap->ops->note(heap, id, element_bytes(element), &value);
}

static bool count_load(Bytes key, Bytes value, int64_t *count) {
    Reader in = reader_of(value);
    *count = reader_zigzag(&in);
    return reader_ok(&in) && reader_left(&in) == 0 && *count > 0 && key.size > 0;
}

static void distinct_save(const void *memory, Buf *out) {
    const DistinctState *state = memory;
    element_save_id(state->id, out);
}

static bool distinct_load(Reader *in, void *memory, AggregateHeap *heap) {
    DistinctState *state = memory;
    return element_load_id(in, &state->id, heap);
}

static uint64_t distinct_id(const void *memory) {
    const DistinctState *state = memory;
    return state->id;
}

static bool distinct_load_element(void *memory, Bytes key, Bytes value, AggregateHeap *heap) {
    DistinctState *state = memory;
    int64_t count;
    if (!count_load(key, value, &count) || element_set_find(&state->set, key))
        return false;
    element_set_add(heap, &state->set, element_new(heap, key, count));
    return true;
}

static void distinct_forget(void *memory, AggregateHeap *heap) {
    DistinctState *state = memory;
    uint32_t at = 0;
    for (const Element *element; (element = element_set_next(&state->set, &at)) != NULL;)
        heap->ops->note(heap, state->id, element_bytes(element), NULL);
    element_set_drop(heap, &state->set, true);
    *state = (DistinctState){0};
}

static void distinct_insert(DistinctState *state, AggregateHeap *heap, Bytes bytes,
                            int64_t count) {
    Element *element = element_new(heap, bytes, count);
    if (state->id == 0)
        state->id = heap->ops->number(heap);
    element_set_add(heap, &state->set, element);
    count_note(heap, state->id, element);
}

/* -- COUNT_DISTINCT --------------------------------------------------------------------------- */

static void count_distinct_put(Column *column, uint32_t i, const DistinctState *state) {
    column->i64[i] = state->set.count;
    column_set_present(column, i);
}

static void count_distinct_update(const AggregateCall *call) {
    Buf scratch = {0};
    for (uint32_t i = 0; i < call->count; i++) {
        DistinctState *state = call->states[i];
        assert(aggregate_sign(call, i) > 0);
        if (call->before)
            count_distinct_put(call->before, i, state);
        if (!column_is_null(call->args[0], call->rows[i])) {
            buf_reset(&scratch);
            element_put(&scratch, call->args[0], call->rows[i], call->arena);
            if (!element_set_find(&state->set, buf_view(&scratch)))
                distinct_insert(state, aggregate_heap(call, i), buf_view(&scratch), 1);
        }
        if (call->after)
            count_distinct_put(call->after, i, state);
    }
    buf_free(&scratch);
}

static void count_distinct_result(const AggregateCall *call) {
    assert(call->after);
    for (uint32_t i = 0; i < call->count; i++)
        count_distinct_put(call->after, i, call->states[i]);
}

static void count_distinct_merge(const AggregateMerge *merge) {
    DistinctState *into = merge->into, *from = merge->from;
    uint32_t at = 0;
    for (const Element *element; (element = element_set_next(&from->set, &at)) != NULL;) {
        if (!element_set_find(&into->set, element_bytes(element)))
            distinct_insert(into, merge->heap, element_bytes(element), 1);
    }
    distinct_forget(from, merge->heap);
}

const AggregateOps count_distinct_ops = {
    .update = count_distinct_update,
    .result = count_distinct_result,
    .save = distinct_save,
    .load = distinct_load,
    .merge = count_distinct_merge,
    .forget = distinct_forget,
    .id = distinct_id,
    .load_element = distinct_load_element,
};

/* -- ATTR -------------------------------------------------------------------------------------- */

static void attr_change(DistinctState *state, AggregateHeap *heap, Bytes bytes, int64_t change) {
    Element *element = element_set_find(&state->set, bytes);
    if (!element) {
        if (change > 0)
            distinct_insert(state, heap, bytes, change);
        return;
    }
    if (element->number + change > 0) {
        element_set_number(heap, element, element->number + change);
        count_note(heap, state->id, element);
        return;
    }
    heap->ops->note(heap, state->id, bytes, NULL);
    element_set_remove(heap, &state->set, bytes);
    heap->ops->drop(heap, element);
}

static void attr_step(const AggregateCall *call, uint32_t i, void *memory, Buf *scratch) {
    element_put(scratch, call->args[0], call->rows[i], call->arena);
    attr_change(memory, aggregate_heap(call, i), buf_view(scratch), aggregate_sign(call, i));
}

static void attr_put(ElementColumn *target, const void *memory, const AggregateCall *call) {
    const DistinctState *state = memory;
    uint32_t at = 0;
    (void)call;
    if (state->set.count == 1)
        element_column_item(target, element_bytes(element_set_next(&state->set, &at)), 0);
}

ELEMENT_LOOPS(attr, true)

static void attr_merge(const AggregateMerge *merge) {
    DistinctState *from = merge->from;
    uint32_t at = 0;
    for (const Element *element; (element = element_set_next(&from->set, &at)) != NULL;)
        attr_change(merge->into, merge->heap, element_bytes(element), element->number);
    distinct_forget(from, merge->heap);
}

const AggregateOps attr_ops = {
    .update = attr_update,
    .result = attr_result,
    .save = distinct_save,
    .load = distinct_load,
    .merge = attr_merge,
    .forget = distinct_forget,
    .id = distinct_id,
    .load_element = distinct_load_element,
};

/* -- HISTOGRAM -------------------------------------------------------------------------------- */

/* Index of the text, or where it belongs. */
static uint32_t histogram_find(const ElementList *list, Bytes bytes, bool *found) {
    uint32_t low = 0, high = list->count;
    *found = false;
    while (low < high && !*found) {
        uint32_t middle = (low + high) / 2;
        int order = bytes_compare(element_bytes(list->items[middle]), bytes);
        *found = order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *found ? high : low;
}

static void histogram_change(CollectState *state, AggregateHeap *heap, Bytes bytes,
                             int64_t change) {
    bool found;
    ElementList *list = &state->list;
    uint32_t at = histogram_find(list, bytes, &found);
    if (!found && (change < 0 || list->count >= HISTOGRAM_KEYS_MAX))
        return;
    if (!found) {
        if (state->id == 0)
            state->id = heap->ops->number(heap);
        element_list_insert(heap, list, at, element_new(heap, bytes, change));
        count_note(heap, state->id, list->items[at]);
        return;
    }
    Element *element = list->items[at];
    if (element->number + change > 0) {
        element_set_number(heap, element, element->number + change);
        count_note(heap, state->id, element);
        return;
    }
    heap->ops->note(heap, state->id, bytes, NULL);
    element_list_remove(heap, list, at);
    heap->ops->drop(heap, element);
}

static void histogram_step(const AggregateCall *call, uint32_t i, void *memory, Buf *scratch) {
    if (column_is_null(call->args[0], call->rows[i]))
        return;
    element_put(scratch, call->args[0], call->rows[i], call->arena);
    histogram_change(memory, aggregate_heap(call, i), buf_view(scratch), aggregate_sign(call, i));
}

static void histogram_put(ElementColumn *target, const void *memory, const AggregateCall *call) {
    const CollectState *state = memory;
    (void)call;
    element_column_list(target, &state->list);
}

ELEMENT_LOOPS(histogram, false)

static void histogram_save(const void *memory, Buf *out) {
    const CollectState *state = memory;
    element_save_id(state->id, out);
}

static bool histogram_load(Reader *in, void *memory, AggregateHeap *heap) {
    CollectState *state = memory;
    return element_load_id(in, &state->id, heap);
}

static uint64_t histogram_id(const void *memory) {
    const CollectState *state = memory;
    return state->id;
}

static bool histogram_load_element(void *memory, Bytes key, Bytes value, AggregateHeap *heap) {
    CollectState *state = memory;
    int64_t count;
    bool found;
    if (!count_load(key, value, &count))
        return false;
    uint32_t at = histogram_find(&state->list, key, &found);
    if (found || at != state->list.count)
        return false;
    element_list_push(heap, &state->list, element_new(heap, key, count));
    return true;
}

static void histogram_forget(void *memory, AggregateHeap *heap) {
    CollectState *state = memory;
    for (uint32_t i = 0; i < state->list.count; i++)
        heap->ops->note(heap, state->id, element_bytes(state->list.items[i]), NULL);
    element_list_drop(heap, &state->list, true);
    *state = (CollectState){0};
}

static void histogram_merge(const AggregateMerge *merge) {
    CollectState *from = merge->from;
    for (uint32_t i = 0; i < from->list.count; i++)
        histogram_change(merge->into, merge->heap, element_bytes(from->list.items[i]),
                         from->list.items[i]->number);
    histogram_forget(from, merge->heap);
}

const AggregateOps histogram_ops = {
    .update = histogram_update,
    .result = histogram_result,
    .save = histogram_save,
    .load = histogram_load,
    .merge = histogram_merge,
    .forget = histogram_forget,
    .id = histogram_id,
    .load_element = histogram_load_element,
};
