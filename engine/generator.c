/*
 * generator.c - see generator.h: columns of cells, nested ones by recursion.
 */
#include "engine/generator_impl.h"

#include "base/hash.h"
#include "base/mem.h"

enum { ELEMENTS_MAX = 3 }; /* of an ARRAY */

Generator *generator_new(const Source *source) {
    assert(source->datagen);
    Generator *generator = mem_alloc(sizeof *generator);
    generator->arena = arena_new("generator", 0);
    generator->row_arena = arena_new("generated rows", 0);
    generator->text = arena_alloc(generator->arena, sizeof(Buf));
    generator->utc = zone_utc();
    generator->datagen = datagen_copy(generator->arena, source->datagen);
    generator->nexmark = nexmark_new(generator->arena, generator->datagen);
    generator_fields(generator, source);
    return generator;
}

void generator_free(Generator *generator) {
    if (!generator)
        return;
    buf_free(generator->text);
    arena_free(generator->row_arena);
    arena_free(generator->arena);
    mem_free(generator);
}

static void fill(const Generator *generator, const Field *field, const Cells *cells,
                 Column *column);

/* The cells of what is inside of `cells`: of cell i those from offsets[i] to offsets[i + 1]. */
static Cells inner_cells(const Generator *generator, const Cells *cells, const uint32_t *offsets) {
    uint32_t count = offsets[cells->count];
    int64_t *rows = arena_array(generator->row_arena, count, sizeof *rows);
    uint64_t *ids = arena_array(generator->row_arena, count, sizeof *ids);
    uint64_t *keys = arena_array(generator->row_arena, count, sizeof *keys);
    uint32_t *shifts = arena_array(generator->row_arena, count, sizeof *shifts);
    for (uint32_t i = 0; i < cells->count; i++)
        for (uint32_t k = offsets[i]; k < offsets[i + 1]; k++) {
            rows[k] = cells->rows[i];
            ids[k] = cells->ids[i];
            keys[k] = cells->keys[i];
            shifts[k] = k - offsets[i];
        }
    return (Cells){rows, ids, keys, shifts, count};
}

static void fill_array(const Generator *generator, const Field *field, const Cells *cells,
                       Column *column) {
    for (uint32_t i = 0; i < cells->count; i++) {
        Chance chance = {chance_mix(cells->ids[i] ^ field->salt)};
        column->offsets[i + 1] = column->offsets[i] + 1 + chance_below(&chance, ELEMENTS_MAX);
    }
    Cells inner = inner_cells(generator, cells, column->offsets);
    column_init(&column->children[0], generator->row_arena, field->children[0].type, inner.count);
    fill(generator, &field->children[0], &inner, &column->children[0]);
}

static void fill_map_keys(const Field *field, Column *keys) {
    keys->validity = NULL;
    for (uint32_t i = 0; i < keys->length; i++) {
        uint32_t which = i % field->child_count;
        if (keys->type->kind == TYPE_STRING)
            keys->bytes[i] = bytes_of(field->keys[which]);
        else if (keys->type->kind == TYPE_BIGINT)
            keys->i64[i] = which + 1;
        else if (keys->type->kind == TYPE_INT)
            keys->i32[i] = (int32_t)which + 1;
    }
}

/* Every map has the same keys. Scalar values are made key by key, as each has its own recipe. */
static void fill_map(const Generator *generator, const Field *field, const Cells *cells,
                     Column *column) {
    Arena *arena = generator->row_arena;
    uint32_t width = field->child_count;
    Column *keys = &column->children[0], *values = &column->children[1];
    for (uint32_t i = 0; i <= cells->count; i++)
        column->offsets[i] = i * width;
    column_init(keys, arena, field->type->fields[0].type, cells->count * width);
    column_init(values, arena, field->type->fields[1].type, cells->count * width);
    fill_map_keys(field, keys);
    if (type_is_nested(values->type)) {
        Cells inner = inner_cells(generator, cells, column->offsets);
        fill(generator, &field->children[0], &inner, values);
        return;
    }
    values->validity = NULL;
    size_t size = type_width(values->type);
    for (uint32_t k = 0; k < width; k++) {
        Column *part = column_new(arena, values->type, cells->count);
        generator_values(generator, &field->children[k], cells, part);
        for (uint32_t i = 0; i < cells->count; i++)
            memcpy((uint8_t *)values->data + (i * width + k) * size,
                   (const uint8_t *)part->data + i * size, size);
    }
}

static void fill(const Generator *generator, const Field *field, const Cells *cells,
                 Column *column) {
    assert(column->length == cells->count);
    column->validity = NULL; /* nothing is missing */
    switch (field->type->kind) {
    case TYPE_STRUCT:
        for (uint32_t i = 0; i < field->child_count; i++)
            fill(generator, &field->children[i], cells, &column->children[i]);
        return;
    case TYPE_ARRAY:
        fill_array(generator, field, cells, column);
        return;
    case TYPE_MAP:
        fill_map(generator, field, cells, column);
        return;
    default:
        generator_values(generator, field, cells, column);
    }
}

/* From the values of the key columns alone: other sources with the same keys have the same. */
static const uint64_t *key_ids(const Generator *generator, Column *const *columns,
                               uint32_t count) {
    uint64_t *ids = arena_array(generator->row_arena, count, sizeof *ids);
    for (uint32_t k = 0; k < generator->key_count; k++) {
        const Column *column = columns[k];
        uint32_t width = type_width(column->type);
        for (uint32_t i = 0; i < count; i++) {
            Bytes value = {(const uint8_t *)column->data + (size_t)i * width, width};
            if (column->type->kind == TYPE_STRING || column->type->kind == TYPE_BYTES)
                value = column->bytes[i];
            ids[i] = chance_mix(ids[i] + (width > 0 ? hash_bytes(value) : 0));
        }
    }
    return ids;
}

static const NexmarkValue *nexmark_rows(const Generator *generator, uint32_t count) {
    Arena *arena = generator->row_arena;
    NexmarkValue *values = arena_array(arena, (size_t)count * NEXMARK_VALUES_MAX, sizeof *values);
    for (uint32_t i = 0; i < count; i++)
        nexmark_row(generator->nexmark, generator->first + i, arena,
                    values + (size_t)i * NEXMARK_VALUES_MAX);
    return values;
}

void generator_rows(Generator *generator, int64_t first, uint32_t count, GeneratorRows *rows) {
    assert(first >= 0);
    Arena *arena = generator->row_arena;
    arena_reset(arena);
    int64_t *numbers = arena_array(arena, count, sizeof *numbers);
    int64_t *rowtimes = arena_array(arena, count, sizeof *rowtimes);
    uint64_t *ids = arena_array(arena, count, sizeof *ids);
    for (uint32_t i = 0; i < count; i++) {
        int64_t row = first + i;
        numbers[i] = generator->nexmark ? nexmark_event(generator->nexmark, row) : row;
        ids[i] = chance_mix(chance_mix((uint64_t)generator->datagen->seed) + (uint64_t)row);
        rowtimes[i] = generator_time(generator->datagen, numbers[i]);
    }
    generator->first = first;
    if (generator->nexmark)
        generator->nexmark_rows = nexmark_rows(generator, count);
    Cells cells = {numbers, ids, ids, NULL, count};
    Column **columns = arena_array(arena, generator->field_count, sizeof *columns);
    for (uint32_t i = 0; i < generator->field_count; i++) {
        if (i > 0 && i == generator->key_count)
            cells.keys = key_ids(generator, columns, count);
        columns[i] = column_new(arena, generator->fields[i].type, count);
        fill(generator, &generator->fields[i], &cells, columns[i]);
    }
    *rows = (GeneratorRows){(const Column *const *)columns, rowtimes, count};
}
