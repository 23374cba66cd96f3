/*
 * pick.c - see pick.h.
 *
 * Width by width for flat values; of nested ones the offsets first, then the children in the same
 * way with the places of their elements.
 */
#include "udf/pick.h"

#include <string.h>

static const Column *pick_source(const Pick *pick, uint32_t i) {
    uint32_t which = pick->which ? pick->which[i] : 0;
    assert(which < pick->source_count);
    return pick->sources[which];
}

/* The source of value i; NULL: the value is missing. */
static const Column *pick_present(const Pick *pick, uint32_t i) {
    if (pick->rows[i] == PICK_MISSING)
        return NULL;
    const Column *source = pick_source(pick, i);
    if (source->type->kind == TYPE_NULL || column_is_null(source, pick->rows[i]))
        return NULL;
    return source;
}

/* Values of one column that has them all, 8 or 16 bytes wide. */
static void pick_plain(const Pick *pick, const Column *source, Column *target) {
    assert(!source->validity && target->length == pick->count);
    bool wide = type_width(target->type) == 16;
    uint64_t present = 0;
    for (uint32_t i = 0; i < pick->count; i++) {
        uint32_t row = pick->rows[i];
        uint64_t bit = row != PICK_MISSING;
        if (bit && wide)
            memcpy((uint8_t *)target->data + (size_t)i * 16,
                   (const uint8_t *)source->data + (size_t)row * 16, 16);
        else if (bit)
            target->i64[i] = source->i64[row];
        present |= bit << (i % 64);
        if (i % 64 == 63 || i + 1 == pick->count) {
            target->validity[i / 64] = present;
            present = 0;
        }
    }
}

static void pick_flat(const Pick *pick, Column *target) {
    uint32_t width = type_width(target->type);
    uint8_t *data = target->data;
    const Column *only = pick->source_count == 1 && !pick->which ? pick->sources[0] : NULL;
    if (only && only->type->kind != TYPE_NULL && !only->validity && (width == 8 || width == 16)) {
        pick_plain(pick, only, target);
        return;
    }
    for (uint32_t i = 0; i < pick->count; i++) {
        const Column *source = pick_present(pick, i);
        if (!source)
            continue;
        const uint8_t *from = source->data;
        memcpy(data + (size_t)i * width, from + (size_t)pick->rows[i] * width, width);
        column_set_present(target, i);
    }
}

/* Children number `child` of all sources, as sources. */
static const Column **pick_children(const Pick *pick, uint32_t child, Arena *arena) {
    const Column **children = arena_array(arena, pick->source_count, sizeof *children);
    static const Column none = {.type = &type_null};
    for (uint32_t i = 0; i < pick->source_count; i++) {
        const Column *source = pick->sources[i];
        children[i] = source->type->kind == TYPE_NULL ? &none : &source->children[child];
    }
    return children;
}

static void pick_list(const Pick *pick, Arena *arena, Column *target) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < pick->count; i++) {
        const Column *source = pick_present(pick, i);
        if (source) {
            total += source->offsets[pick->rows[i] + 1] - source->offsets[pick->rows[i]];
            column_set_present(target, i);
        }
        target->offsets[i + 1] = total;
    }
    uint32_t *rows = arena_raw(arena, (size_t)total * sizeof *rows);
    uint32_t *which = arena_raw(arena, (size_t)total * sizeof *which);
    for (uint32_t i = 0, at = 0; i < pick->count; i++) {
        const Column *source = pick_present(pick, i);
        for (uint32_t k = 0; source && at < target->offsets[i + 1]; k++, at++) {
            rows[at] = source->offsets[pick->rows[i]] + k;
            which[at] = pick->which ? pick->which[i] : 0;
        }
    }
    for (uint32_t child = 0; child < target->type->field_count; child++) {
        Pick inner = {pick_children(pick, child, arena), pick->source_count, which, rows, total};
        pick_values(&inner, target->type->fields[child].type, arena, &target->children[child]);
    }
}

static void pick_struct(const Pick *pick, Arena *arena, Column *target) {
    uint32_t *rows = arena_raw(arena, (size_t)pick->count * sizeof *rows);
    for (uint32_t i = 0; i < pick->count; i++) {
        const Column *source = pick_present(pick, i);
        rows[i] = source ? pick->rows[i] : PICK_MISSING;
        if (source)
            column_set_present(target, i);
    }
    for (uint32_t child = 0; child < target->type->field_count; child++) {
        Pick inner = {pick_children(pick, child, arena), pick->source_count, pick->which, rows,
                      pick->count};
        pick_values(&inner, target->type->fields[child].type, arena, &target->children[child]);
    }
}

void pick_values(const Pick *pick, const Type *type, Arena *arena, Column *target) {
    assert(pick->sources && pick->source_count > 0);
    column_init(target, arena, type, pick->count);
    if (type->kind == TYPE_NULL)
        return;
    if (type->kind == TYPE_ARRAY || type->kind == TYPE_MAP)
        pick_list(pick, arena, target);
    else if (type->kind == TYPE_STRUCT)
        pick_struct(pick, arena, target);
    else
        pick_flat(pick, target);
}

void pick_own(Column *column, Arena *arena) {
    assert(column && arena);
    const Type *type = column->type;
    if (type->kind == TYPE_STRING || type->kind == TYPE_BYTES) {
        for (uint32_t i = 0; i < column->length; i++) {
            if (column->bytes[i].size > 0)
                column->bytes[i] = arena_bytes(arena, column->bytes[i]);
        }
    }
    for (uint32_t i = 0; i < type->field_count; i++)
        pick_own(&column->children[i], arena);
}
