/*
 * explode.c - EXPLODE and CUBE_EXPLODE: rows out of the elements of an array.
 *
 * The cube of [a, b] is [NULL, NULL], [NULL, b], [a, NULL], [a, b]: value number n keeps the
 * elements whose bits are set in n, the first element having the highest. An element that is NULL
 * has no bit, so that no two values are the same.
 */
#include "udf/pick.h"
#include "udf/table_impl.h"

enum { EXPLODE_CUBE_ELEMENTS_MAX = 20 }; /* ksqlDB's: a million rows */

static uint32_t explode_size(const Column *array, uint32_t row) {
    return array->offsets[row + 1] - array->offsets[row];
}

void explode_array_count(const TableCall *call) {
    const Column *array = call->args[0];
    assert(array->type->kind == TYPE_ARRAY);
    for (uint32_t i = 0; i < call->row_count; i++)
        call->counts[call->rows[i]] = explode_size(array, call->rows[i]);
}

void explode_array_values(const TableCall *call, const TableWanted *wanted, const Type *type,
                          Column *result) {
    const Column *array = call->args[0], *elements = &array->children[0];
    uint32_t *places = arena_raw(call->arena, (size_t)wanted->count * sizeof *places);
    for (uint32_t i = 0; i < wanted->count; i++) {
        bool none = wanted->rows[i] == TABLE_NO_ROW;
        places[i] = none ? PICK_MISSING : array->offsets[wanted->rows[i]] + wanted->numbers[i];
    }
    Pick pick = {&elements, 1, NULL, places, wanted->count};
    pick_values(&pick, type, call->arena, result);
}

/* -- Cubes ------------------------------------------------------------------------------------- */

void explode_cube_count(const TableCall *call) {
    const Column *array = call->args[0];
    assert(array->type->kind == TYPE_ARRAY);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], present = 0;
        if (explode_size(array, row) > EXPLODE_CUBE_ELEMENTS_MAX) {
            call->fail(call->context, row, "CUBE_EXPLODE of %u elements: it takes %d at most",
                       explode_size(array, row), EXPLODE_CUBE_ELEMENTS_MAX);
            continue;
        }
        for (uint32_t at = array->offsets[row]; at < array->offsets[row + 1]; at++)
            present += !column_is_null(&array->children[0], at);
        call->counts[row] = (uint32_t)1 << present;
    }
}

/* Elements of one value, from the last to the first. */
static void explode_cube_value(const Column *array, uint32_t row, uint32_t number,
                               uint32_t *places) {
    uint32_t start = array->offsets[row];
    for (uint32_t i = explode_size(array, row); i-- > 0;) {
        places[i] = PICK_MISSING;
        if (column_is_null(&array->children[0], start + i))
            continue;
        if (number & 1)
            places[i] = start + i;
        number >>= 1;
    }
    assert(number == 0);
}

void explode_cube_values(const TableCall *call, const TableWanted *wanted, const Type *type,
                         Column *result) {
    const Column *array = call->args[0], *elements = &array->children[0];
    column_init(result, call->arena, type, wanted->count);
    for (uint32_t i = 0; i < wanted->count; i++) {
        uint32_t size = 0;
        if (wanted->rows[i] != TABLE_NO_ROW) {
            size = explode_size(array, wanted->rows[i]);
            column_set_present(result, i);
        }
        result->offsets[i + 1] = result->offsets[i] + size;
    }
    uint32_t total = result->offsets[wanted->count];
    uint32_t *places = arena_raw(call->arena, (size_t)total * sizeof *places);
    for (uint32_t i = 0; i < wanted->count; i++) {
        if (wanted->rows[i] != TABLE_NO_ROW)
            explode_cube_value(array, wanted->rows[i], wanted->numbers[i],
                               places + result->offsets[i]);
    }
    Pick pick = {&elements, 1, NULL, places, total};
    pick_values(&pick, type->fields[0].type, call->arena, &result->children[0]);
}
