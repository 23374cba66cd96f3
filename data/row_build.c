/*
 * row_build.c - see row_impl.h.
 *
 * Growth asks the arena's budget each time it doubles, so that a few hostile bytes which claim
 * millions of missing elements end in an error, not in all the memory of the machine.
 */
#include <assert.h>

#include "data/row_impl.h"

enum { BUILD_LENGTH_FIRST = 8 };

static void build_init(RowBuild *build, Arena *arena, Column *column) {
    const Type *type = column->type;
    *build = (RowBuild){.column = column, .arena = arena};
    if (!type_is_nested(type))
        return;
    build->children = arena_array(arena, type->field_count, sizeof *build->children);
    for (uint32_t i = 0; i < type->field_count; i++)
        build_init(&build->children[i], arena, &column->children[i]);
}

RowBuild *row_build_new(Arena *arena, const Type *const *types, uint32_t count, uint32_t length) {
    RowBuild *builds = arena_array(arena, count, sizeof *builds);
    for (uint32_t i = 0; i < count; i++)
        build_init(&builds[i], arena, column_new(arena, types[i], length));
    return builds;
}

static void *grown(Arena *arena, const void *array, size_t used, size_t length, size_t item_size) {
    void *copy = arena_array(arena, length, item_size);
    if (used > 0)
        memcpy(copy, array, used * item_size);
    return copy;
}

/* Room for twice as many values. A struct's children grow on their own when they are full. */
static bool build_grow(RowBuild *build) {
    Column *column = build->column;
    uint32_t used = build->used;
    if (used > UINT32_MAX / 2 || arena_over(build->arena))
        return false;
    uint32_t length = used < BUILD_LENGTH_FIRST ? BUILD_LENGTH_FIRST : used * 2;
    uint32_t width = type_width(column->type);
    column->validity = grown(build->arena, column->validity, column_words(used),
                             column_words(length), sizeof *column->validity);
    if (width > 0)
        column->data = grown(build->arena, column->data, used, length, width);
    if (column->offsets)
        column->offsets = grown(build->arena, column->offsets, (size_t)used + 1,
                                (size_t)length + 1, sizeof *column->offsets);
    column->length = length;
    return true;
}

bool row_build_null(RowBuild *build) {
    Column *column = build->column;
    if (build->used == column->length && !build_grow(build))
        return false;
    uint32_t slot = build->used++;
    if (column->offsets)
        column->offsets[slot + 1] = column->offsets[slot];
    for (uint32_t i = 0; column->type->kind == TYPE_STRUCT && i < column->type->field_count; i++)
        if (!row_build_null(&build->children[i]))
            return false;
    return true;
}

bool row_build_slot(RowBuild *build, uint32_t *slot) {
    if (build->used == build->column->length && !build_grow(build))
        return false;
    *slot = build->used++;
    column_set_present(build->column, *slot);
    return true;
}

void row_build_end(RowBuild *build, uint32_t slot) {
    assert(build->column->offsets);
    build->column->offsets[slot + 1] = build->children[0].used;
}

/* Whether the first `length` bits are all set. */
static bool bits_full(const uint64_t *bits, uint32_t length) {
    for (uint32_t i = 0; i < length / 64; i++)
        if (bits[i] != UINT64_MAX)
            return false;
    uint64_t last = ((uint64_t)1 << (length % 64)) - 1;
    return length % 64 == 0 || (bits[length / 64] & last) == last;
}

static void build_finish(RowBuild *build) {
    Column *column = build->column;
    column->length = build->used;
    if (bits_full(column->validity, column->length))
        column->validity = NULL;
    for (uint32_t i = 0; build->children && i < column->type->field_count; i++)
        build_finish(&build->children[i]);
}

void row_build_finish(RowBuild *builds, uint32_t count, Column **columns) {
    for (uint32_t i = 0; i < count; i++) {
        build_finish(&builds[i]);
        columns[i] = builds[i].column;
    }
}

ErrCode row_build_error(const Arena *arena, const char *what, uint32_t index,
                        uint32_t byte, Err *err) {
    assert(err);
    if (arena_over(arena))
        return err_set(err, ERR_LIMIT, "%s %u holds more values than the memory of a step", what,
                       index);
    return err_set(err, ERR_CORRUPT, "%s %u does not fit its types at byte %u", what, index, byte);
}
