/*
 * array.c - functions of arrays that choose, order or compare elements.
 *
 * Results that are arrays are lists of places in the argument's elements: an ArrayList collects
 * them row by row and pick_values() fetches them at the end, whatever their type.
 */
#include "udf/array_impl.h"

#include "udf/pick.h"
#include "udf/value_order.h"
#include "udf/value_text.h"

void array_list_row(ArrayList *list, uint32_t row) {
    /* Rows between the last and this one are empty and missing. */
    assert(row >= list->next_row && row < list->result->length);
    while (list->next_row <= row)
        list->result->offsets[list->next_row++] = list->count;
    column_set_present(list->result, row);
}

void array_list_add(ArrayList *list, uint32_t source, uint32_t at) {
    if (list->count == list->capacity) {
        size_t rows = list->capacity, which = list->capacity;
        list->rows = arena_grow(list->arena, list->rows, &rows, (size_t)list->count + 1,
                                sizeof *list->rows);
        list->which = arena_grow(list->arena, list->which, &which, (size_t)list->count + 1,
                                 sizeof *list->which);
        list->capacity = (uint32_t)rows;
    }
    list->rows[list->count] = at;
    list->which[list->count++] = source;
}

void array_list_finish(ArrayList *list, const Column *const *sources, uint32_t source_count) {
    Column *result = list->result;
    while (list->next_row <= result->length)
        result->offsets[list->next_row++] = list->count;
    if (list->count == 0)
        return;
    Pick pick = {sources, source_count, list->which, list->rows, list->count};
    pick_values(&pick, result->type->fields[0].type, list->arena, &result->children[0]);
}

void array_length(const FunctionCall *call) {
    const Column *array = call->args[0];
    assert(array->offsets);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        function_put_i32(call, row, (int32_t)(array->offsets[row + 1] - array->offsets[row]));
    }
}

void array_contains(const FunctionCall *call) {
    const Column *array = call->args[0], *value = call->args[1];
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        bool found = false, null = value->type->kind == TYPE_NULL;
        bool missing = array->type->kind == TYPE_NULL || column_is_null(array, row);
        for (uint32_t at = missing ? 0 : array->offsets[row];
             !missing && !found && at < array->offsets[row + 1]; at++)
            found = null ? column_is_null(&array->children[0], at)
                         : column_value_equal(&array->children[0], at, value, row);
        function_put_boolean(call, row, found);
    }
}

static void array_extreme(const FunctionCall *call, int sign) {
    const Column *array = call->args[0], *elements = &array->children[0];
    uint32_t length = call->result->length;
    const Type *type = call->result->type;
    uint32_t *rows = arena_raw(call->arena, length * sizeof *rows);
    memset(rows, 0xFF, length * sizeof *rows);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], best = PICK_MISSING;
        if (!value_has_order(elements->type)) {
            call->fail(call->context, row, "the elements have no order");
            continue;
        }
        for (uint32_t at = array->offsets[row]; at < array->offsets[row + 1]; at++)
            if (!column_is_null(elements, at) &&
                (best == PICK_MISSING || sign * value_compare(elements, at, elements, best) > 0))
                best = at;
        rows[row] = best;
    }
    Pick pick = {&elements, 1, NULL, rows, length};
    pick_values(&pick, type, call->arena, call->result);
}

void array_max(const FunctionCall *call) {
    assert(call->arg_count == 1);
    array_extreme(call, 1);
}

void array_min(const FunctionCall *call) {
    assert(call->arg_count == 1);
    array_extreme(call, -1);
}

/* == Sorting == */

/* NULLs come last in either direction. */
static int array_order(const ArraySort *sort, uint32_t left, uint32_t right) {
    bool left_null = column_is_null(sort->elements, left);
    bool right_null = column_is_null(sort->elements, right);
    if (left_null || right_null)
        return left_null - right_null;
    return sort->sign * value_compare(sort->elements, left, sort->elements, right);
}

/* Merges runs of doubling size between places[] and spare[]. */
void array_sort_places(const ArraySort *sort, uint32_t *places, uint32_t *spare, uint32_t count) {
    uint32_t *from = places, *to = spare;
    for (uint32_t run = 1; run < count; run *= 2) {
        for (uint32_t start = 0; start < count; start += 2 * run) {
            uint32_t middle = count - start < run ? count : start + run;
            uint32_t end = count - middle < run ? count : middle + run;
            uint32_t left = start, right = middle;
            for (uint32_t at = start; at < end; at++) {
                bool take_left = left < middle &&
                                 (right == end || array_order(sort, from[left], from[right]) <= 0);
                to[at] = take_left ? from[left++] : from[right++];
            }
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != places)
        memcpy(places, from, count * sizeof *places);
}

/* 1, -1, or 0 for a direction that is none. */
static int array_direction(Bytes text) {
    static const struct {
        const char *name;
        int sign;
    } names[] = {{"asc", 1}, {"ascending", 1}, {"desc", -1}, {"descending", -1}};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t at = 0;
        while (at < text.size && (text.data[at] | 0x20) == (uint8_t)names[i].name[at])
            at++;
        if (at == text.size && !names[i].name[at])
            return names[i].sign;
    }
    return 0;
}

void array_sort(const FunctionCall *call) {
    const Column *array = call->args[0], *elements = &array->children[0];
    ArrayList list = {.result = call->result, .arena = call->arena};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], count = array->offsets[row + 1] - array->offsets[row];
        ArraySort sort = {elements, 1};
        if (call->arg_count > 1)
            sort.sign = array_direction(call->args[1]->bytes[row]);
        if (sort.sign == 0)
            continue; /* another word than these is NULL, and no error */
        if (!value_has_order(elements->type)) {
            call->fail(call->context, row, "the elements have no order");
            continue;
        }
        uint32_t *places = arena_raw(call->arena, (size_t)count * 2 * sizeof *places);
        for (uint32_t k = 0; k < count; k++)
            places[k] = array->offsets[row] + k;
        array_sort_places(&sort, places, places + count, count);
        array_list_row(&list, row);
        for (uint32_t k = 0; k < count; k++)
            array_list_add(&list, 0, places[k]);
    }
    array_list_finish(&list, &elements, 1);
}

void array_slice(const FunctionCall *call) {
    const Column *array = call->args[0], *elements = &array->children[0];
    ArrayList list = {.result = call->result, .arena = call->arena};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (column_is_null(array, row))
            continue;
        int64_t count = array->offsets[row + 1] - array->offsets[row];
        int64_t from = column_is_null(call->args[1], row) ? 1 : call->args[1]->i32[row];
        int64_t to = column_is_null(call->args[2], row) ? count : call->args[2]->i32[row];
        if (from < 1 || to > count || from > to)
            continue;
        array_list_row(&list, row);
        for (int64_t at = from - 1; at < to; at++)
            array_list_add(&list, 0, array->offsets[row] + (uint32_t)at);
    }
    array_list_finish(&list, &elements, 1);
}

void array_remove(const FunctionCall *call) {
    const Column *array = call->args[0], *elements = &array->children[0], *value = call->args[1];
    ArrayList list = {.result = call->result, .arena = call->arena};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (column_is_null(array, row))
            continue;
        array_list_row(&list, row);
        for (uint32_t at = array->offsets[row]; at < array->offsets[row + 1]; at++)
            if (!column_value_equal(elements, at, value, row))
                array_list_add(&list, 0, at);
    }
    array_list_finish(&list, &elements, 1);
}

/* == Texts == */

void array_join(const FunctionCall *call) {
    const Column *array = call->args[0], *elements = &array->children[0];
    FunctionRoom room = {.arena = call->arena};
    Buf buf = {0};
    TypeKind kind = elements->type->kind;
    bool simple = kind >= TYPE_BOOLEAN && kind <= TYPE_STRING;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (column_is_null(array, row))
            continue;
        if (!simple) {
            call->fail(call->context, row, "ARRAY_JOIN takes elements of simple types only");
            continue;
        }
        Bytes delimiter = bytes_of(",");
        if (call->arg_count > 1)
            delimiter = call->args[1]->bytes[row]; /* NULL is the empty text */
        buf_reset(&buf);
        for (uint32_t at = array->offsets[row]; at < array->offsets[row + 1]; at++) {
            if (at > array->offsets[row])
                buf_bytes(&buf, delimiter);
            value_text_print_item(&buf, elements, at);
        }
        if (!function_too_long(call, row, buf.size))
            function_put_bytes(call, row, function_room_copy(&room, buf_view(&buf)));
    }
    buf_free(&buf);
}
