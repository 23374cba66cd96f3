/*
 * serde_json_column.c - columns that grow, forget and become final.
 *
 * Columns of the record have a slot for each record; so have the fields of a STRUCT within them.
 * Elements of ARRAY and MAP get their slots one by one, and their arrays double as they fill.
 * Offsets are written when a value comes and made good up to there, so that a missing value costs
 * nothing. Invariant: slots without a value hold zeros, as column.h wants it.
 */
#include <assert.h>

#include "data/serde_json_impl.h"

static bool json_has_ranges(const JsonField *field) {
    return field->kind == TYPE_ARRAY || field->kind == TYPE_MAP;
}

/* == Beginning and growing == */

void json_column_begin(Decoder *json, JsonField *field, uint32_t capacity) {
    assert(json->input && json->input->arena);
    if (!field->used)
        return;
    Arena *arena = json->input->arena;
    field->capacity = capacity;
    field->length = 0;
    field->filled = 0;
    field->validity = arena_array(arena, column_words(capacity), sizeof *field->validity);
    field->data = field->width ? arena_array(arena, capacity, field->width) : NULL;
    bool ranges = json_has_ranges(field);
    field->offsets = ranges ? arena_array(arena, (size_t)capacity + 1, sizeof *field->offsets)
                            : NULL;
    for (uint32_t i = 0; i < field->child_count; i++)
        json_column_begin(json, &field->children[i], ranges ? 0 : capacity);
}

/* A larger copy; what is new is zero. */
static void *json_column_larger(Arena *arena, const void *source, size_t size, size_t larger) {
    assert(larger >= size);
    uint8_t *copy = arena_raw(arena, larger);
    if (size > 0)
        memcpy(copy, source, size);
    memset(copy + size, 0, larger - size);
    return copy;
}

static void json_column_resize(Decoder *json, JsonField *field, uint32_t capacity) {
    assert(field->used && capacity > field->capacity);
    Arena *arena = json->input->arena;
    size_t before = field->capacity, after = capacity;
    field->validity = json_column_larger(
        arena, field->validity, column_words(field->capacity) * sizeof *field->validity,
        column_words(capacity) * sizeof *field->validity);
    if (field->width)
        field->data = json_column_larger(arena, field->data, before * field->width,
                                         after * field->width);
    if (field->offsets)
        field->offsets = json_column_larger(arena, field->offsets,
                                            (before + 1) * sizeof *field->offsets,
                                            (after + 1) * sizeof *field->offsets);
    field->capacity = capacity;
    if (field->kind == TYPE_STRUCT)
        for (uint32_t i = 0; i < field->child_count; i++)
            json_column_resize(json, &field->children[i], capacity);
}

void json_column_grow(Decoder *json, JsonField *field, uint32_t slot) {
    assert(field->used && slot >= field->capacity);
    uint32_t first = json->input->count < 16 ? 16 : json->input->count;
    uint32_t capacity = field->capacity ? field->capacity * 2 : first;
    json_column_resize(json, field, capacity > slot ? capacity : slot + 1);
}

void json_column_range(JsonField *field, uint32_t slot, uint32_t from) {
    assert(field->used && slot >= field->filled && slot < field->capacity);
    for (uint32_t i = field->filled; i < slot; i++)
        field->offsets[i + 1] = from;
    field->offsets[slot + 1] = field->children[0].length;
    field->filled = slot + 1;
    json_column_present(field, slot);
}

/* == Forgetting == */

/* Elements from `from` on, and those that no range has taken in yet. */
static void json_column_cut(JsonField *field, uint32_t from) {
    assert(field->used && json_has_ranges(field));
    for (uint32_t i = 0; i < field->child_count; i++) {
        JsonField *child = &field->children[i];
        for (uint32_t slot = from; slot < child->length; slot++)
            json_column_clear(child, slot);
        child->length = from;
    }
}

void json_column_clear(JsonField *field, uint32_t slot) {
    if (!field->used || slot >= field->capacity)
        return;
    field->validity[slot / 64] &= ~((uint64_t)1 << (slot % 64));
    if (field->width)
        memset((uint8_t *)field->data + (size_t)slot * field->width, 0, field->width);
    if (json_has_ranges(field)) {
        if (field->filled > slot)
            field->filled = slot;
        json_column_cut(field, field->offsets[field->filled]);
    } else {
        for (uint32_t i = 0; i < field->child_count; i++)
            json_column_clear(&field->children[i], slot);
    }
}

/* == The end == */

static bool json_column_is_full(const JsonField *field, uint32_t length) {
    assert(length <= field->capacity);
    for (uint32_t i = 0; i < length / 64; i++)
        if (field->validity[i] != UINT64_MAX)
            return false;
    uint64_t rest = ((uint64_t)1 << (length % 64)) - 1;
    return rest == 0 || (field->validity[length / 64] & rest) == rest;
}

static void json_column_finish_into(Column *column, Decoder *json, JsonField *field,
                                    uint32_t length) {
    assert(field->used && length <= field->capacity);
    *column = (Column){.type = field->type, .length = length};
    column->validity = json_column_is_full(field, length) ? NULL : field->validity;
    column->data = field->data;
    if (field->child_count == 0)
        return;
    Arena *arena = json->input->arena;
    column->children = arena_array(arena, field->child_count, sizeof *column->children);
    bool ranges = json_has_ranges(field);
    if (ranges) {
        for (uint32_t i = field->filled; i < length; i++)
            field->offsets[i + 1] = field->offsets[field->filled];
        column->offsets = field->offsets;
    }
    for (uint32_t i = 0; i < field->child_count; i++) {
        JsonField *child = &field->children[i];
        json_column_finish_into(&column->children[i], json, child,
                                ranges ? child->length : length);
    }
}

Column *json_column_finish(Decoder *json, JsonField *field, uint32_t length) {
    assert(field->used);
    Column *column = arena_alloc(json->input->arena, sizeof *column);
    json_column_finish_into(column, json, field, length);
    return column;
}
