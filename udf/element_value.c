/*
 * element_value.c - see element.h: values as bytes and back as columns.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "data/row_key.h"
#include "udf/element.h"
#include "udf/pick.h"
#include "udf/value_order.h"

/* -- Values to bytes --------------------------------------------------------------------------- */

static bool has_map(const Type *type) {
    bool found = type->kind == TYPE_MAP;
    for (uint32_t i = 0; i < type->field_count && !found; i++)
        found = has_map(type->fields[i].type);
    return found;
}

typedef struct MapEntry {
    const Column *keys;
    uint32_t row;
} MapEntry;

static int compare_entries(const void *left_void, const void *right_void) {
    const MapEntry *left = left_void, *right = right_void;
    bool left_null = column_is_null(left->keys, left->row);
    bool right_null = column_is_null(right->keys, right->row);
    int order = left_null || right_null
                    ? right_null - left_null
                    : value_compare(left->keys, left->row, right->keys, right->row);
    return order != 0 ? order : (left->row > right->row) - (left->row < right->row);
}

/* The entries of every map of a column of maps, in order of key. */
static void sort_entries(Column *column, Arena *arena) {
    const Column *keys = &column->children[0];
    uint32_t total = keys->length;
    assert(column->offsets[column->length] == total);
    MapEntry *entries = arena_raw(arena, ((size_t)total + 1) * sizeof *entries);
    uint32_t *rows = arena_raw(arena, ((size_t)total + 1) * sizeof *rows);
    for (uint32_t i = 0; i < total; i++)
        entries[i] = (MapEntry){keys, i};
    for (uint32_t map = 0; map < column->length; map++) {
        uint32_t from = column->offsets[map], to = column->offsets[map + 1];
        if (to > from)
            qsort(&entries[from], to - from, sizeof *entries, compare_entries);
    }
    for (uint32_t i = 0; i < total; i++)
        rows[i] = entries[i].row;
    for (uint32_t child = 0; child < 2; child++) {
        Column sorted;
        const Column *source = &column->children[child];
        Pick pick = {&source, 1, NULL, rows, total};
        pick_values(&pick, source->type, arena, &sorted);
        column->children[child] = sorted;
    }
}

/* Of a column that is the caller's own. */
static void sort_maps(Column *column, Arena *arena) {
    assert(column->type);
    if (column->type->kind == TYPE_MAP && value_has_order(column->children[0].type))
        sort_entries(column, arena);
    for (uint32_t i = 0; i < column->type->field_count; i++) {
        if (has_map(column->children[i].type))
            sort_maps(&column->children[i], arena);
    }
}

void element_put(Buf *out, const Column *column, uint32_t row, Arena *arena) {
    Column own;
    if (column->type->kind == TYPE_DOUBLE && !column_is_null(column, row) &&
        column->f64[row] != column->f64[row]) {
        static double not_a_number = __builtin_nan("");
        own = (Column){.type = column->type, .length = 1, .f64 = &not_a_number};
        column = &own;
        row = 0;
    } else if (has_map(column->type)) {
        Pick pick = {&column, 1, NULL, &row, 1};
        pick_values(&pick, column->type, arena, &own);
        sort_maps(&own, arena);
        column = &own;
        row = 0;
    }
    row_value_put(out, &column, 1, row);
}

void element_order_put(Buf *out, const Column *column, uint32_t row) {
    assert(value_has_order(column->type) && !column_is_null(column, row));
    if (column->type->kind != TYPE_STRING) {
        row_key_put_value(out, column, row);
        return;
    }
    /* By UTF-16 unit: units of 2 bytes, none of them the end's. */
    Bytes text = column->bytes[row];
    for (uint32_t at = 0; at < text.size;) {
        uint32_t size, code = utf8_decode((Bytes){text.data + at, text.size - at}, &size);
        at += size;
        if (code > 0xFFFF) {
            buf_u16_be(out, (uint16_t)(0xD800 + ((code - 0x10000) >> 10)));
            buf_u16_be(out, (uint16_t)(0xDC00 + ((code - 0x10000) & 0x3FF)));
        } else {
            buf_u16_be(out, (uint16_t)code);
        }
    }
}

/* -- Bytes to columns -------------------------------------------------------------------------- */

static ElementColumn column_start(const ElementKernel *kernel, Column *column, Arena *arena) {
    assert(!column || kernel->single || type_is_nested(column->type));
    return (ElementColumn){.column = column, .arena = arena, .single = kernel->single};
}

void element_column_item(ElementColumn *target, Bytes bytes, int64_t number) {
    if (target->count == target->capacity) {
        size_t capacity = target->capacity == 0 ? 16 : target->capacity * 2;
        Bytes *items = arena_raw(target->arena, capacity * sizeof *items);
        int64_t *numbers = arena_raw(target->arena, capacity * sizeof *numbers);
        if (target->count > 0) {
            memcpy(items, target->items, target->count * sizeof *items);
            memcpy(numbers, target->numbers, target->count * sizeof *numbers);
        }
        target->items = items;
        target->numbers = numbers;
        target->capacity = capacity;
    }
    assert(target->count < UINT32_MAX);
    target->numbers[target->count] = number;
    target->items[target->count++] = bytes;
}

void element_column_list(ElementColumn *target, const ElementList *list) {
    for (uint32_t i = 0; i < list->count; i++)
        element_column_item(target, element_bytes(list->items[i]), list->items[i]->number);
}

/* The items since the last row are its result. */
static void column_row(ElementColumn *target, size_t before) {
    uint32_t row = target->row++;
    assert(row < target->column->length);
    if (!target->single) {
        target->column->offsets[row + 1] = (uint32_t)target->count;
        column_set_present(target->column, row);
        return;
    }
    assert(target->count - before <= 1);
    if (target->count == before)
        element_column_item(target, (Bytes){0}, 0);
}

/* Damaged bytes leave all results missing. */
static void column_finish(ElementColumn *target) {
    Column *column = target->column;
    if (!column)
        return;
    assert(target->row == column->length);
    const Type *type = target->single ? column->type : column->type->fields[0].type;
    RowLayout layout = {&type, 1};
    Column *values;
    Err err;
    if (row_value_get(target->items, (uint32_t)target->count, &layout, target->arena, &values,
                      &err) != ERR_OK) {
        *column = *column_new(target->arena, column->type, column->length);
        return;
    }
    if (target->single) {
        *column = *values;
        return;
    }
    column->children[0] = *values;
    if (column->type->kind == TYPE_MAP) {
        assert(column->type->fields[1].type->kind == TYPE_BIGINT);
        column->children[1] = (Column){.type = column->type->fields[1].type,
                                       .length = (uint32_t)target->count,
                                       .i64 = target->numbers};
    }
}

void element_update(const AggregateCall *call, const ElementKernel *kernel) {
    ElementColumn before = column_start(kernel, call->before, call->arena);
    ElementColumn after = column_start(kernel, call->after, call->arena);
    Buf scratch = {0};
    for (uint32_t i = 0; i < call->count; i++) {
        size_t count = before.count;
        if (call->before) {
            kernel->put(&before, call->states[i], call);
            column_row(&before, count);
        }
        buf_reset(&scratch);
        kernel->step(call, i, call->states[i], &scratch);
        count = after.count;
        if (call->after) {
            kernel->put(&after, call->states[i], call);
            column_row(&after, count);
        }
    }
    column_finish(&before);
    column_finish(&after);
    buf_free(&scratch);
}

void element_result(const AggregateCall *call, const ElementKernel *kernel) {
    assert(call->after);
    ElementColumn after = column_start(kernel, call->after, call->arena);
    for (uint32_t i = 0; i < call->count; i++) {
        size_t count = after.count;
        kernel->put(&after, call->states[i], call);
        column_row(&after, count);
    }
    column_finish(&after);
}
