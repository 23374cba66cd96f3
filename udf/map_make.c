/*
 * map_make.c - maps out of texts, and maps taken apart into arrays of their entries.
 */
#include "base/utf8.h"
#include "udf/array_impl.h"
#include "udf/pick.h"

/* -- ENTRIES ----------------------------------------------------------------------------------- */

static bool make_has_null_key(const Column *map, uint32_t row) {
    for (uint32_t at = map->offsets[row]; at < map->offsets[row + 1]; at++) {
        if (column_is_null(&map->children[0], at))
            return true;
    }
    return false;
}

void map_make_entries(const FunctionCall *call) {
    const Column *map = call->args[0], *sorted = call->args[1];
    Column *result = call->result, *entries = &result->children[0];
    uint32_t total = map->offsets[map->length], count = 0, next = 0;
    uint32_t *places = arena_raw(call->arena, ((size_t)total + 1) * sizeof *places);
    uint32_t *spare = arena_raw(call->arena, ((size_t)total + 1) * sizeof *spare);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], size = map->offsets[row + 1] - map->offsets[row];
        if (sorted->boolean[row] && make_has_null_key(map, row)) {
            call->fail(call->context, row, "the entries cannot be sorted: a key is NULL");
            continue;
        }
        while (next <= row)
            result->offsets[next++] = count;
        for (uint32_t k = 0; k < size; k++)
            places[count + k] = map->offsets[row] + k;
        if (sorted->boolean[row])
            array_sort_places(&(ArraySort){&map->children[0], 1}, places + count, spare, size);
        count += size;
        column_set_present(result, row);
    }
    while (next <= result->length)
        result->offsets[next++] = count;
    column_init(entries, call->arena, result->type->fields[0].type, count);
    for (uint32_t i = 0; i < count; i++)
        column_set_present(entries, i);
    for (uint32_t field = 0; field < 2; field++) {
        const Column *source = &map->children[field];
        Pick pick = {&source, 1, NULL, places, count};
        pick_values(&pick, source->type, call->arena, &entries->children[field]);
    }
}

/* -- SPLIT_TO_MAP ------------------------------------------------------------------------------ */

/* Entries of all rows as they are found: a later one with the same key takes its place. */
typedef struct MapSplit {
    const FunctionCall *call;
    Column keys, values; /* room for all of them */
    uint32_t count, start;
    ArraySet set;
    const Column *key_source;
} MapSplit;

static uint32_t make_count(Bytes text, Bytes delimiter) {
    uint32_t count = 1;
    for (uint32_t at = utf8_find(text, delimiter, 0); at != UINT32_MAX;
         at = utf8_find(text, delimiter, at + delimiter.size))
        count++;
    return count;
}

static Bytes make_part(Bytes text, uint32_t from, uint32_t to) {
    assert(from <= to && to <= text.size);
    return (Bytes){text.data + from, to - from};
}

/* An entry's first part is the key, its second one the value; without a delimiter it is none. */
static void make_entry(MapSplit *split, Bytes entry, Bytes delimiter) {
    uint32_t end = utf8_find(entry, delimiter, 0);
    if (end == UINT32_MAX)
        return;
    uint32_t from = end + delimiter.size, to = utf8_find(entry, delimiter, from);
    uint32_t at = split->count;
    split->keys.bytes[at] = make_part(entry, 0, end);
    split->values.bytes[at] = make_part(entry, from, to == UINT32_MAX ? entry.size : to);
    if (array_set_add(&split->set, 0, at)) {
        split->count++;
        return;
    }
    split->values.bytes[split->start + array_set_find(&split->set, 0, at)] =
        split->values.bytes[at];
}

static void make_entries(MapSplit *split, uint32_t row) {
    Bytes text = split->call->args[0]->bytes[row];
    Bytes by = split->call->args[1]->bytes[row], pair = split->call->args[2]->bytes[row];
    array_set_start(&split->set, make_count(text, by) + 1);
    split->start = split->count;
    for (uint32_t from = 0; from <= text.size;) {
        uint32_t end = utf8_find(text, by, from);
        uint32_t to = end == UINT32_MAX ? text.size : end;
        if (to > from)
            make_entry(split, make_part(text, from, to), pair);
        from = end == UINT32_MAX ? text.size + 1 : end + by.size;
    }
}

/* A delimiter must be something, and the two must differ: otherwise NULL, and no error. */
static bool make_splits(const FunctionCall *call, uint32_t row) {
    Bytes by = call->args[1]->bytes[row], pair = call->args[2]->bytes[row];
    return by.size > 0 && pair.size > 0 && !bytes_equal(by, pair);
}

void map_make_split(const FunctionCall *call) {
    Column *result = call->result;
    MapSplit split = {.call = call, .set = {.arena = call->arena}};
    uint32_t room = 1, next = 0;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (make_splits(call, row))
            room += make_count(call->args[0]->bytes[row], call->args[1]->bytes[row]);
    }
    split.keys = split.values = (Column){.type = &type_string, .length = room};
    split.keys.data = arena_array(call->arena, room, sizeof(Bytes));
    split.values.data = arena_array(call->arena, room, sizeof(Bytes));
    split.key_source = &split.keys;
    split.set.sources = &split.key_source;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (!make_splits(call, row))
            continue;
        while (next <= row)
            result->offsets[next++] = split.count;
        make_entries(&split, row);
        column_set_present(result, row);
    }
    while (next <= result->length)
        result->offsets[next++] = split.count;
    split.keys.length = split.values.length = split.count;
    result->children[0] = split.keys;
    result->children[1] = split.values;
}
