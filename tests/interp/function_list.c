/*
 * function_list.c - functions of arrays and maps.
 */
#include "tests/interp/function.h"

static const RefType *item_type(const RefCall *call) {
    return call->types[0]->parts[0];
}

static bool holds(const RefType *type, const RefValue *items, uint32_t size,
                  const RefValue *item) {
    for (uint32_t i = 0; i < size; i++) {
        if (ref_same(type, &items[i], item))
            return true;
    }
    return false;
}

static RefValue *room_for(const RefCall *call) {
    uint32_t size = 0;
    for (uint32_t i = 0; i < call->count && i < 2; i++) {
        bool list = call->args[i].present && ref_is_nested(call->types[i]);
        size += list ? call->args[i].list.size : 0;
    }
    return ref_alloc((size + 1) * sizeof(RefValue));
}

bool ref_array_length(const RefCall *call, RefValue *out) {
    *out = ref_of_integer(call->args[0].list.size);
    return true;
}

bool ref_array_concat(const RefCall *call, RefValue *out) {
    RefValue *items = room_for(call);
    uint32_t size = 0;
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t j = 0; call->args[i].present && j < call->args[i].list.size; j++)
            items[size++] = call->args[i].list.items[j];
    }
    if (call->args[0].present || call->args[1].present)
        *out = ref_of_list(items, size);
    return true;
}

bool ref_array_contains(const RefCall *call, RefValue *out) {
    const RefValue *array = &call->args[0];
    *out = ref_of_boolean(array->present && holds(item_type(call), array->list.items,
                                                  array->list.size, &call->args[1]));
    return true;
}

/* Distinct items of argument `index` behind those that are there already. */
static uint32_t add_distinct(const RefCall *call, uint32_t index, RefValue *items,
                             uint32_t size) {
    for (uint32_t i = 0; i < call->args[index].list.size; i++) {
        const RefValue *item = &call->args[index].list.items[i];
        if (!holds(item_type(call), items, size, item))
            items[size++] = *item;
    }
    return size;
}

bool ref_array_distinct(const RefCall *call, RefValue *out) {
    RefValue *items = room_for(call);
    *out = ref_of_list(items, add_distinct(call, 0, items, 0));
    return true;
}

bool ref_array_union(const RefCall *call, RefValue *out) {
    RefValue *items = room_for(call);
    uint32_t size = add_distinct(call, 0, items, 0);
    *out = ref_of_list(items, add_distinct(call, 1, items, size));
    return true;
}

/* Distinct items of the first that the second has, or has not. */
static bool array_where(const RefCall *call, bool wanted, RefValue *out) {
    RefValue *items = room_for(call), *kept = room_for(call);
    uint32_t size = add_distinct(call, 0, items, 0), count = 0;
    for (uint32_t i = 0; i < size; i++) {
        if (holds(item_type(call), call->args[1].list.items, call->args[1].list.size,
                  &items[i]) == wanted)
            kept[count++] = items[i];
    }
    *out = ref_of_list(kept, count);
    return true;
}

bool ref_array_except(const RefCall *call, RefValue *out) {
    return array_where(call, false, out);
}

bool ref_array_intersect(const RefCall *call, RefValue *out) {
    return array_where(call, true, out);
}

bool ref_array_remove(const RefCall *call, RefValue *out) {
    RefValue *items = room_for(call);
    uint32_t size = 0;
    for (uint32_t i = 0; call->args[0].present && i < call->args[0].list.size; i++) {
        const RefValue *item = &call->args[0].list.items[i];
        if (!ref_same(item_type(call), item, &call->args[1]))
            items[size++] = *item;
    }
    if (call->args[0].present)
        *out = ref_of_list(items, size);
    return true;
}

bool ref_array_slice(const RefCall *call, RefValue *out) {
    const RefValue *array = &call->args[0];
    if (!array->present)
        return true;
    int64_t size = array->list.size;
    int64_t from = call->args[1].present ? call->args[1].integer : 1;
    int64_t to = call->args[2].present ? call->args[2].integer : size;
    if (from >= 1 && to <= size && from <= to)
        *out = ref_of_list(array->list.items + from - 1, (uint32_t)(to - from + 1));
    return true;
}

/* == In order == */

static bool array_extreme(const RefCall *call, int sign, RefValue *out) {
    for (uint32_t i = 0; i < call->args[0].list.size; i++) {
        const RefValue *item = &call->args[0].list.items[i];
        if (item->present &&
            (!out->present || sign * ref_order(item_type(call), item, out) > 0))
            *out = *item;
    }
    return true;
}

bool ref_array_max(const RefCall *call, RefValue *out) {
    return array_extreme(call, 1, out);
}

bool ref_array_min(const RefCall *call, RefValue *out) {
    return array_extreme(call, -1, out);
}

static bool is_word(RefText text, const char *word) {
    uint32_t i = 0;
    for (; i < text.size && word[i]; i++) {
        if ((text.units[i] & 0xFFDF) != (uint16_t)word[i])
            return false;
    }
    return i == text.size && !word[i];
}

bool ref_array_sort(const RefCall *call, RefValue *out) {
    RefValue *items = room_for(call);
    uint32_t size = call->args[0].list.size;
    int sign = 1;
    if (call->count > 1) {
        RefText text = call->args[1].text;
        sign = is_word(text, "ASC") || is_word(text, "ASCENDING")     ? 1
               : is_word(text, "DESC") || is_word(text, "DESCENDING") ? -1
                                                                      : 0;
    }
    for (uint32_t i = 0; i < size && sign != 0; i++) {
        RefValue item = call->args[0].list.items[i];
        uint32_t at = i;
        while (at > 0 && item.present &&
               (!items[at - 1].present ||
                sign * ref_order(item_type(call), &item, &items[at - 1]) < 0)) {
            items[at] = items[at - 1];
            at--;
        }
        items[at] = item;
    }
    if (sign != 0)
        *out = ref_of_list(items, size);
    return true;
}

bool ref_array_join(const RefCall *call, RefValue *out) {
    const RefValue *array = &call->args[0];
    RefOut text = {0};
    size_t size = 1;
    bool whole;
    char *mark = ",";
    if (!array->present)
        return true;
    if (item_type(call)->kind > REF_STRING)
        return ref_throw(call->run);
    if (call->count > 1) {
        RefText between = {0};
        mark = ref_utf8(call->args[1].present ? call->args[1].text : between, &size, &whole);
    }
    ref_out_bytes(&text, "", 0);
    for (uint32_t i = 0; i < array->list.size; i++) {
        if (i > 0)
            ref_out_bytes(&text, mark, size);
        ref_text_of_item(call->run, &text, item_type(call), &array->list.items[i]);
    }
    *out = ref_of_utf8(text.text, text.size);
    return true;
}

/* == Maps == */

static bool map_side(const RefCall *call, uint32_t side, RefValue *out) {
    const RefValue *map = &call->args[0];
    RefValue *items = ref_alloc((map->list.size / 2 + 1) * sizeof *items);
    for (uint32_t i = 0; i < map->list.size / 2; i++)
        items[i] = map->list.items[i * 2 + side];
    *out = ref_of_list(items, map->list.size / 2);
    return true;
}

bool ref_map_keys(const RefCall *call, RefValue *out) {
    return map_side(call, 0, out);
}

bool ref_map_values(const RefCall *call, RefValue *out) {
    return map_side(call, 1, out);
}

/* The last value of equal keys stays, in the place of the first. */
static uint32_t map_put(const RefType *type, RefValue *items, uint32_t size,
                        const RefValue entry[2]) {
    for (uint32_t i = 0; i < size; i += 2) {
        if (ref_same(type, &items[i], &entry[0])) {
            items[i + 1] = entry[1];
            return size;
        }
    }
    items[size] = entry[0];
    items[size + 1] = entry[1];
    return size + 2;
}

bool ref_map_union(const RefCall *call, RefValue *out) {
    RefValue *items = room_for(call);
    uint32_t size = 0;
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t j = 0; call->args[i].present && j < call->args[i].list.size; j += 2)
            size = map_put(item_type(call), items, size, &call->args[i].list.items[j]);
    }
    if (call->args[0].present || call->args[1].present)
        *out = ref_of_list(items, size);
    return true;
}

bool ref_map_as_map(const RefCall *call, RefValue *out) {
    const RefValue *keys = &call->args[0], *values = &call->args[1];
    RefValue *items = ref_alloc((keys->list.size * 2 + 1) * sizeof *items);
    uint32_t size = 0;
    for (uint32_t i = 0; i < keys->list.size; i++) {
        RefValue entry[2] = {keys->list.items[i], ref_missing()};
        if (i < values->list.size)
            entry[1] = values->list.items[i];
        size = map_put(item_type(call), items, size, entry);
    }
    *out = ref_of_list(items, size);
    return true;
}
