/*
 * array_set.c - arrays as sets: distinct elements, unions, intersections, differences.
 */
#include "udf/array_impl.h"
#include "udf/value_order.h"

void array_set_start(ArraySet *set, uint32_t most) {
    uint32_t slot_count = 8;
    while (slot_count / 2 < most)
        slot_count *= 2;
    if (slot_count > set->slot_capacity) {
        set->slots = arena_raw(set->arena, slot_count * sizeof *set->slots);
        set->which = arena_raw(set->arena, slot_count / 2 * sizeof *set->which);
        set->places = arena_raw(set->arena, slot_count / 2 * sizeof *set->places);
        set->slot_capacity = slot_count;
    }
    memset(set->slots, 0, slot_count * sizeof *set->slots);
    set->mask = slot_count - 1;
    set->count = 0;
}

/* The slot of an equal element, or the free one where it belongs. */
static uint32_t set_slot(const ArraySet *set, uint32_t source, uint32_t at) {
    const Column *elements = set->sources[source];
    uint32_t slot = (uint32_t)value_hash(elements, at) & set->mask;
    for (; set->slots[slot]; slot = (slot + 1) & set->mask) {
        uint32_t entry = set->slots[slot] - 1;
        if (column_value_equal(set->sources[set->which[entry]], set->places[entry], elements, at))
            break;
    }
    return slot;
}

uint32_t array_set_find(const ArraySet *set, uint32_t source, uint32_t at) {
    assert(set->slots);
    uint32_t slot = set_slot(set, source, at);
    return set->slots[slot] ? set->slots[slot] - 1 : UINT32_MAX;
}

bool array_set_add(ArraySet *set, uint32_t source, uint32_t at) {
    assert(set->slots);
    uint32_t slot = set_slot(set, source, at);
    if (set->slots[slot])
        return false;
    set->which[set->count] = source;
    set->places[set->count++] = at;
    set->slots[slot] = set->count;
    return true;
}

static uint32_t set_size(const Column *array, uint32_t row) {
    return array->offsets[row + 1] - array->offsets[row];
}

void array_distinct(const FunctionCall *call) {
    const Column *array = call->args[0], *elements = &array->children[0];
    ArrayList list = {.result = call->result, .arena = call->arena};
    ArraySet set = {.sources = &elements, .arena = call->arena};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        array_set_start(&set, set_size(array, row));
        array_list_row(&list, row);
        for (uint32_t at = array->offsets[row]; at < array->offsets[row + 1]; at++)
            if (array_set_add(&set, 0, at))
                array_list_add(&list, 0, at);
    }
    array_list_finish(&list, &elements, 1);
}

void array_union(const FunctionCall *call) {
    const Column *elements[] = {&call->args[0]->children[0], &call->args[1]->children[0]};
    ArrayList list = {.result = call->result, .arena = call->arena};
    ArraySet set = {.sources = elements, .arena = call->arena};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        array_set_start(&set, set_size(call->args[0], row) + set_size(call->args[1], row));
        array_list_row(&list, row);
        for (uint32_t side = 0; side < 2; side++)
            for (uint32_t at = call->args[side]->offsets[row];
                 at < call->args[side]->offsets[row + 1]; at++)
                if (array_set_add(&set, side, at))
                    array_list_add(&list, side, at);
    }
    array_list_finish(&list, elements, 2);
}

/* Distinct elements of the left array that the right one has, or has not. */
static void array_filter(const FunctionCall *call, bool wanted) {
    const Column *elements[] = {&call->args[0]->children[0], &call->args[1]->children[0]};
    const Column *left = call->args[0], *right = call->args[1];
    ArrayList list = {.result = call->result, .arena = call->arena};
    ArraySet known = {.sources = elements, .arena = call->arena};
    ArraySet taken = {.sources = elements, .arena = call->arena};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        array_set_start(&known, set_size(right, row));
        array_set_start(&taken, set_size(left, row));
        array_list_row(&list, row);
        for (uint32_t at = right->offsets[row]; at < right->offsets[row + 1]; at++)
            array_set_add(&known, 1, at);
        for (uint32_t at = left->offsets[row]; at < left->offsets[row + 1]; at++)
            if ((array_set_find(&known, 0, at) != UINT32_MAX) == wanted &&
                array_set_add(&taken, 0, at))
                array_list_add(&list, 0, at);
    }
    array_list_finish(&list, elements, 2);
}

void array_except(const FunctionCall *call) {
    assert(call->arg_count == 2);
    array_filter(call, false);
}

void array_intersect(const FunctionCall *call) {
    assert(call->arg_count == 2);
    array_filter(call, true);
}

/* A NULL side is empty; two of them are NULL. */
void array_concat(const FunctionCall *call) {
    const Column *elements[] = {&call->args[0]->children[0], &call->args[1]->children[0]};
    ArrayList list = {.result = call->result, .arena = call->arena};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (column_is_null(call->args[0], row) && column_is_null(call->args[1], row))
            continue;
        array_list_row(&list, row);
        for (uint32_t side = 0; side < 2; side++)
            for (uint32_t at = call->args[side]->offsets[row];
                 at < call->args[side]->offsets[row + 1] && !column_is_null(call->args[side], row);
                 at++)
                array_list_add(&list, side, at);
    }
    array_list_finish(&list, elements, 2);
}
