/*
 * collect.c - COLLECT_LIST and COLLECT_SET: values in order of arrival, NULL among them.
 *
 * A set has each value once. Over the limit nothing is added any more. Undo takes the last equal
 * one from a list.
 * Elements: number of arrival, 8 bytes big-endian -> the value's bytes.
 */
#include "udf/aggregate_impl.h"

void collect_push(CollectState *state, AggregateHeap *heap, Bytes bytes) {
    ElementList *list = &state->list;
    int64_t number = list->count > 0 ? list->items[list->count - 1]->number + 1 : 0;
    Element *element = element_new(heap, bytes, number);
    uint8_t key[ELEMENT_NUMBER_SIZE];
    if (state->id == 0)
        state->id = heap->ops->number(heap);
    element_list_push(heap, list, element);
    Bytes value = element_bytes(element);
    heap->ops->note(heap, state->id, element_number_key(key, number), &value);
}

static bool collect_is_full(const CollectState *state, const AggregateLimits *limits) {
    return limits->element_count_max > 0 && state->list.count >= limits->element_count_max;
}

static void collect_put(ElementColumn *target, const void *memory, const AggregateCall *call) {
    const CollectState *state = memory;
    (void)call;
    element_column_list(target, &state->list);
}

static void collect_save(const void *memory, Buf *out) {
    const CollectState *state = memory;
    element_save_id(state->id, out);
}

static bool collect_load(Reader *in, void *memory, AggregateHeap *heap) {
    CollectState *state = memory;
    return element_load_id(in, &state->id, heap);
}

static uint64_t collect_id(const void *memory) {
    const CollectState *state = memory;
    return state->id;
}

/* Elements come in order of their numbers. */
static Element *collect_load_element(CollectState *state, Bytes key, Bytes value,
                                     AggregateHeap *heap) {
    int64_t number;
    ElementList *list = &state->list;
    if (!element_number_of(key, &number) || value.size == 0 ||
        (list->count > 0 && number <= list->items[list->count - 1]->number))
        return NULL;
    Element *element = element_new(heap, value, number);
    element_list_push(heap, list, element);
    return element;
}

static void collect_forget(void *memory, AggregateHeap *heap) {
    CollectState *state = memory;
    uint8_t key[ELEMENT_NUMBER_SIZE];
    for (uint32_t i = 0; i < state->list.count; i++)
        heap->ops->note(heap, state->id, element_number_key(key, state->list.items[i]->number),
                        NULL);
    element_list_drop(heap, &state->list, true);
    element_set_drop(heap, &state->set, false);
    *state = (CollectState){0};
}

/* -- COLLECT_LIST ----------------------------------------------------------------------------- */

static void collect_take_back(CollectState *state, AggregateHeap *heap, Bytes bytes) {
    ElementList *list = &state->list;
    uint32_t i = list->count;
    while (i > 0 && !bytes_equal(element_bytes(list->items[i - 1]), bytes))
        i--;
    if (i == 0)
        return;
    Element *element = list->items[i - 1];
    uint8_t key[ELEMENT_NUMBER_SIZE];
    heap->ops->note(heap, state->id, element_number_key(key, element->number), NULL);
    element_list_remove(heap, list, i - 1);
    heap->ops->drop(heap, element);
}

static void collect_list_step(const AggregateCall *call, uint32_t i, void *memory, Buf *scratch) {
    CollectState *state = memory;
    bool add = aggregate_sign(call, i) > 0;
    if (add && collect_is_full(state, &call->limits))
        return;
    element_put(scratch, call->args[0], call->rows[i], call->arena);
    if (add)
        collect_push(state, aggregate_heap(call, i), buf_view(scratch));
    else
        collect_take_back(state, aggregate_heap(call, i), buf_view(scratch));
}

#define collect_list_put collect_put
ELEMENT_LOOPS(collect_list, false)

static bool collect_list_element(void *memory, Bytes key, Bytes value, AggregateHeap *heap) {
    return collect_load_element(memory, key, value, heap) != NULL;
}

static void collect_list_merge(const AggregateMerge *merge) {
    CollectState *into = merge->into, *from = merge->from;
    for (uint32_t i = 0; i < from->list.count && !collect_is_full(into, &merge->limits); i++)
        collect_push(into, merge->heap, element_bytes(from->list.items[i]));
    collect_forget(from, merge->heap);
}

const AggregateOps collect_list_ops = {
    .update = collect_list_update,
    .result = collect_list_result,
    .save = collect_save,
    .load = collect_load,
    .merge = collect_list_merge,
    .forget = collect_forget,
    .id = collect_id,
    .load_element = collect_list_element,
};

/* -- COLLECT_SET ------------------------------------------------------------------------------ */

static void collect_set_add(CollectState *state, AggregateHeap *heap, Bytes bytes) {
    if (element_set_find(&state->set, bytes))
        return;
    collect_push(state, heap, bytes);
    element_set_add(heap, &state->set, state->list.items[state->list.count - 1]);
}

static void collect_set_step(const AggregateCall *call, uint32_t i, void *memory, Buf *scratch) {
    CollectState *state = memory;
    assert(aggregate_sign(call, i) > 0);
    if (collect_is_full(state, &call->limits))
        return;
    element_put(scratch, call->args[0], call->rows[i], call->arena);
    collect_set_add(state, aggregate_heap(call, i), buf_view(scratch));
}

#define collect_set_put collect_put
ELEMENT_LOOPS(collect_set, false)

static bool collect_set_element(void *memory, Bytes key, Bytes value, AggregateHeap *heap) {
    CollectState *state = memory;
    if (value.size == 0 || element_set_find(&state->set, value))
        return false;
    Element *element = collect_load_element(state, key, value, heap);
    if (element)
        element_set_add(heap, &state->set, element);
    return element != NULL;
}

static void collect_set_merge(const AggregateMerge *merge) {
    CollectState *into = merge->into, *from = merge->from;
    for (uint32_t i = 0; i < from->list.count && !collect_is_full(into, &merge->limits); i++)
        collect_set_add(into, merge->heap, element_bytes(from->list.items[i]));
    collect_forget(from, merge->heap);
}

const AggregateOps collect_set_ops = {
    .update = collect_set_update,
    .result = collect_set_result,
    .save = collect_save,
    .load = collect_load,
    .merge = collect_set_merge,
    .forget = collect_forget,
    .id = collect_id,
    .load_element = collect_set_element,
};
