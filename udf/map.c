/*
 * map.c - functions of maps: keys, values, maps of two arrays, two maps in one.
 */
#include "udf/array_impl.h"
#include "udf/pick.h"

static void map_part(const FunctionCall *call, uint32_t part) {
    const Column *map = call->args[0], *elements = &map->children[part];
    ArrayList list = {.result = call->result, .arena = call->arena};
    assert(map->type->kind == TYPE_MAP);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        array_list_row(&list, row);
        for (uint32_t at = map->offsets[row]; at < map->offsets[row + 1]; at++)
            array_list_add(&list, 0, at);
    }
    array_list_finish(&list, &elements, 1);
}

void map_keys(const FunctionCall *call) {
    assert(call->arg_count == 1);
    map_part(call, 0);
}

void map_values(const FunctionCall *call) {
    assert(call->arg_count == 1);
    map_part(call, 1);
}

/* Two lists with the same ranges: the first makes keys, the second values. */
static void map_finish(ArrayList *keys, ArrayList *values, const Column *const *key_sources,
                       const Column *const *value_sources, uint32_t source_count) {
    Column *result = keys->result;
    assert(keys->count == values->count);
    array_list_finish(keys, key_sources, source_count);
    if (values->count == 0)
        return;
    Pick pick = {value_sources, source_count, values->which, values->rows, values->count};
    pick_values(&pick, result->type->fields[1].type, values->arena, &result->children[1]);
}

void map_list_finish(ArrayList *list, const Column *const *keys, const Column *const *values) {
    assert(list->result->type->kind == TYPE_MAP);
    array_list_finish(list, keys, 1);
    if (list->count == 0)
        return;
    Pick pick = {values, 1, NULL, list->rows, list->count};
    pick_values(&pick, list->result->type->fields[1].type, list->arena,
                &list->result->children[1]);
}

void map_as_map(const FunctionCall *call) {
    const Column *key_array = call->args[0], *value_array = call->args[1];
    const Column *key_source = &key_array->children[0], *value_source = &value_array->children[0];
    ArrayList keys = {.result = call->result, .arena = call->arena};
    ArrayList values = {.result = call->result, .arena = call->arena};
    ArraySet set = {.sources = &key_source, .arena = call->arena};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], start = keys.count;
        uint32_t key_count = key_array->offsets[row + 1] - key_array->offsets[row];
        uint32_t value_count = value_array->offsets[row + 1] - value_array->offsets[row];
        array_set_start(&set, key_count);
        array_list_row(&keys, row);
        for (uint32_t index = 0; index < key_count; index++) {
            uint32_t at = key_array->offsets[row] + index;
            uint32_t value =
                index < value_count ? value_array->offsets[row] + index : PICK_MISSING;
            if (!array_set_add(&set, 0, at)) {
                values.rows[start + array_set_find(&set, 0, at)] = value;
                continue;
            }
            array_list_add(&keys, 0, at);
            array_list_add(&values, 0, value);
        }
    }
    map_finish(&keys, &values, &key_source, &value_source, 1);
}

typedef struct MapUnion {
    ArrayList keys, values;
    ArraySet set;
    uint32_t start; /* entries of earlier rows */
} MapUnion;

static void map_add_all(MapUnion *made, const Column *map, uint32_t side, uint32_t row) {
    if (column_is_null(map, row))
        return;
    for (uint32_t at = map->offsets[row]; at < map->offsets[row + 1]; at++) {
        if (array_set_add(&made->set, side, at)) {
            array_list_add(&made->keys, side, at);
            array_list_add(&made->values, side, at);
            continue;
        }
        uint32_t entry = made->start + array_set_find(&made->set, side, at);
        made->values.rows[entry] = at;
        made->values.which[entry] = side;
    }
}

/* The second map wins; a NULL one counts for nothing, two of them are NULL. */
void map_union(const FunctionCall *call) {
    const Column *left = call->args[0], *right = call->args[1];
    const Column *key_sources[] = {&left->children[0], &right->children[0]};
    const Column *value_sources[] = {&left->children[1], &right->children[1]};
    MapUnion made = {.keys = {.result = call->result, .arena = call->arena},
                     .values = {.result = call->result, .arena = call->arena},
                     .set = {.sources = key_sources, .arena = call->arena}};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (column_is_null(left, row) && column_is_null(right, row))
            continue;
        array_set_start(&made.set, left->offsets[row + 1] - left->offsets[row] +
                                       right->offsets[row + 1] - right->offsets[row]);
        array_list_row(&made.keys, row);
        made.start = made.keys.count;
        map_add_all(&made, left, 0, row);
        map_add_all(&made, right, 1, row);
    }
    map_finish(&made.keys, &made.values, key_sources, value_sources, 2);
}
