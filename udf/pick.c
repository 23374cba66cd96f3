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

static void pick_flat(const Pick *pick, Column *target) {
    uint32_t width = type_width(target->type);
    uint8_t *data = target->data;
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
