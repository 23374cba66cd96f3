/*
 * expr_in.c - x IN (constants).
 *
 * Up to SET_SCAN_MAX numbers are compared one after the other, each in one loop over all rows; what
 * is more, and strings, are found in a hash table of open addressing, at most half full. Values
 * are kept by their bytes: numbers as the 8 bytes of their integer (or double, one NaN), the
 * others as they are in a column. Nested ones are compared in turn.
 */
#include <math.h>

#include "base/hash.h"
#include "runtime/expr_compile_impl.h"

enum { SET_SCAN_MAX = 12 };

struct ExprSet {
    const Type *type;
    const Column *const *items;
    const int64_t *numbers; /* NULL: not of a kind that fits 8 bytes */
    uint32_t count;
    uint32_t mask;         /* slots - 1 */
    const uint32_t *slots; /* index of an item + 1; 0: free */
};

static bool set_is_number(const Type *type) {
    return !type_is_nested(type) && type_width(type) <= 8;
}

/* The value as an integer that is equal when the values are. */
static int64_t set_number(const Column *column, uint32_t row) {
    if (column->type->kind == TYPE_DOUBLE) {
        double value = column->f64[row] == column->f64[row] ? column->f64[row] : (double)NAN;
        int64_t bits;
        memcpy(&bits, &value, sizeof bits);
        return bits;
    }
    switch (type_width(column->type)) {
    case 1: return column->boolean[row];
    case 4: return column->i32[row];
    default: return column->i64[row];
    }
}

static Bytes set_bytes(const Column *column, uint32_t row) {
    uint32_t width = type_width(column->type);
    if (column->type->kind == TYPE_DECIMAL)
        return (Bytes){(const uint8_t *)column->data + (size_t)row * width, width};
    return column->bytes[row];
}

static uint64_t set_hash(const ExprSet *set, const Column *column, uint32_t row) {
    return set->numbers ? hash_u64((uint64_t)set_number(column, row))
                        : hash_bytes(set_bytes(column, row));
}

static bool set_has(const ExprSet *set, const Column *column, uint32_t row) {
    if (!set->slots) {
        for (uint32_t i = 0; i < set->count; i++)
            if (column_value_equal(set->items[i], 0, column, row))
                return true;
        return false;
    }
    uint32_t slot = (uint32_t)set_hash(set, column, row) & set->mask;
    for (; set->slots[slot]; slot = (slot + 1) & set->mask) {
        uint32_t item = set->slots[slot] - 1;
        if (set->numbers ? set->numbers[item] == set_number(column, row)
                         : bytes_equal(set_bytes(set->items[item], 0), set_bytes(column, row)))
            return true;
    }
    return false;
}

const ExprSet *expr_in_build(const Column *const *items, uint32_t count, Arena *arena) {
    assert(items && count > 0);
    ExprSet *set = arena_alloc(arena, sizeof *set);
    *set = (ExprSet){.type = items[0]->type, .items = items, .count = count};
    if (type_is_nested(set->type))
        return set;
    if (set_is_number(set->type)) {
        int64_t *numbers = arena_array(arena, count, sizeof *numbers);
        for (uint32_t i = 0; i < count; i++)
            numbers[i] = set_number(items[i], 0);
        set->numbers = numbers;
    }
    uint32_t slot_count = 16;
    while (slot_count < count * 2)
        slot_count *= 2;
    uint32_t *slots = arena_array(arena, slot_count, sizeof *slots);
    set->mask = slot_count - 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = (uint32_t)set_hash(set, items[i], 0) & set->mask;
        while (slots[slot])
            slot = (slot + 1) & set->mask;
        slots[slot] = i + 1;
    }
    set->slots = slots;
    return set;
}

#define SET_SCAN(name, ctype)                                                                    \
    VECTOR_LOOP static void set_scan_##name(uint8_t *restrict r, const ctype *restrict a,        \
                                            ctype item, uint32_t count) {                        \
        for (uint32_t i = 0; i < count; i++)                                                     \
            r[i] |= a[i] == item;                                                                \
    }

SET_SCAN(u8, uint8_t)
SET_SCAN(i32, int32_t)
SET_SCAN(i64, int64_t)

static void set_scan(const ExprSet *set, const Column *a, uint8_t *result, uint32_t count) {
    memset(result, 0, count);
    for (uint32_t i = 0; i < set->count; i++) {
        const Column *item = set->items[i];
        if (type_width(set->type) == 8)
            set_scan_i64(result, a->i64, item->i64[0], count);
        else if (type_width(set->type) == 4)
            set_scan_i32(result, a->i32, item->i32[0], count);
        else
            set_scan_u8(result, a->boolean, item->boolean[0], count);
    }
}

void expr_in_set(ExprProgram *program, const ExprInst *inst) {
    const ExprSet *set = inst->extra;
    const Column *a = expr_operand(program, inst->a);
    const ExprSelection *selection = expr_selection(program, inst);
    Column *target = expr_target(program, inst);
    bool bits = set->numbers && set->type->kind != TYPE_DOUBLE;
    if (bits && set->count <= SET_SCAN_MAX && expr_is_dense(program, inst)) {
        set_scan(set, a, target->boolean, program->row_count);
    } else {
        for (uint32_t i = 0; i < selection->count; i++) {
            uint32_t row = selection->rows[i];
            target->boolean[row] = expr_present(a->validity, row) && set_has(set, a, row);
        }
    }
    expr_false_where_missing(program, inst, target);
}
