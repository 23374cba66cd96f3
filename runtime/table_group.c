/*
 * table_group.c - see table_group.h.
 *
 * Both sides are projected where they hold a value; then every row says which of them go on, and
 * the columns are gathered anew.
 */
#include "runtime/table_group.h"

#include <assert.h>

#include "runtime/row_keys.h"
#include "udf/pick.h"

/* One side of the changes: the rows that have a value, their columns and their keys. */
typedef struct GroupSide {
    const Column **columns; /* NULL: no row has a value */
    Bytes *keys;            /* [physical row]; data NULL: no value, or no group */
} GroupSide;

typedef struct GroupChanges {
    uint32_t count;
    uint32_t *new_rows, *old_rows; /* PICK_MISSING: that side is absent */
    uint16_t *rows;                /* of the input */
} GroupChanges;

/* The selected rows of kind VALUE; with all = true all of them, as for old values. */
static Batch with_values(const Batch *batch, bool all) {
    assert(batch->columns || batch->selected_count == 0);
    Batch part = *batch;
    if (all)
        return part;
    uint16_t *selected = arena_raw(batch->arena, (batch->selected_count + 1u) * sizeof *selected);
    part.selected = selected;
    part.selected_count = 0;
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        if (batch->kind[batch->selected[i]] == ROW_VALUE)
            selected[part.selected_count++] = batch->selected[i];
    }
    return part;
}

static void side_keys(const Projection *projection, const Batch *part, GroupSide *side,
                      Buf *scratch) {
    assert(part->selected_count > 0);
    uint32_t key_count = projection->node->schema->key_count;
    const RowKeys *keys = row_keys_new(part, side->columns, key_count, ROW_KEYS_PLAIN, scratch);
    for (uint32_t i = 0; i < part->selected_count; i++)
        side->keys[part->selected[i]] = keys->keys[i];
}

static GroupSide project_side(const Projection *projection, const Batch *part, Buf *scratch) {
    const Schema *schema = projection->node->schema;
    GroupSide side = {0};
    side.keys = arena_array(part->arena, part->row_count, sizeof *side.keys);
    assert(projection->keys);
    if (part->selected_count == 0)
        return side;
    side.columns = arena_array(part->arena, schema->column_count, sizeof *side.columns);
    expr_run(projection->keys, part, side.columns);
    if (projection->values)
        expr_run(projection->values, part, side.columns + schema->key_count);
    side_keys(projection, part, &side, scratch);
    return side;
}

/* Names the first missing component, as row error. */
static void no_group(const Projection *projection, const Batch *batch, const GroupSide *side,
                     uint32_t row) {
    const Schema *schema = projection->node->schema;
    uint32_t column = 0;
    while (column < schema->key_count && !column_is_null(side->columns[column], row))
        column++;
    assert(column < schema->key_count);
    batch_row_error(batch, row, "group",
                    "group-by column %u (%s) is NULL: the row is in no group", column,
                    schema->columns[column].name);
}

static void add_change(GroupChanges *changes, uint16_t row, bool is_new, bool is_old) {
    assert(is_new || is_old);
    changes->rows[changes->count] = row;
    changes->new_rows[changes->count] = is_new ? row : PICK_MISSING;
    changes->old_rows[changes->count++] = is_old ? row : PICK_MISSING;
}

static GroupChanges pair_changes(const Projection *projection, const Batch *batch,
                                 const GroupSide *now, const GroupSide *before) {
    uint32_t room = batch->selected_count * 2u;
    GroupChanges changes = {0};
    assert(room > 0);
    changes.rows = arena_raw(batch->arena, room * sizeof *changes.rows);
    changes.new_rows = arena_raw(batch->arena, room * sizeof *changes.new_rows);
    changes.old_rows = arena_raw(batch->arena, room * sizeof *changes.old_rows);
    for (uint32_t i = 0; i < batch->selected_count; i++) {
        uint16_t row = batch->selected[i];
        Bytes key = now->keys[row], old_key = before->keys[row];
        if (batch->kind[row] == ROW_VALUE && !key.data)
            no_group(projection, batch, now, row);
        if (key.data && old_key.data && bytes_equal(key, old_key)) {
            add_change(&changes, row, true, true);
            continue;
        }
        if (old_key.data)
            add_change(&changes, row, false, true);
        if (key.data)
            add_change(&changes, row, true, false);
    }
    return changes;
}

static const Column *gather(const Column *source, const uint32_t *rows, uint32_t count,
                            const Type *type, Arena *arena) {
    Column *target = arena_alloc(arena, sizeof *target);
    static const Column none = {.type = &type_null};
    const Column *sources[] = {source ? source : &none};
    Pick pick = {sources, 1, NULL, rows, count};
    pick_values(&pick, type, arena, target);
    assert(target->length == count);
    return target;
}

/* A group's key, from the side that is there. */
static const Column *gather_key(const GroupSide *now, const GroupSide *before, uint32_t column,
                                const GroupChanges *changes, Arena *arena) {
    const Column *source = now->columns ? now->columns[column] : before->columns[column];
    const Column *other = before->columns ? before->columns[column] : source;
    const Column *sources[] = {source, other};
    uint32_t *which = arena_array(arena, changes->count, sizeof *which);
    uint32_t *rows = arena_array(arena, changes->count, sizeof *rows);
    for (uint32_t i = 0; i < changes->count; i++) {
        which[i] = changes->new_rows[i] == PICK_MISSING;
        rows[i] = changes->rows[i];
        assert(now->columns || which[i] == 1);
    }
    Column *target = arena_alloc(arena, sizeof *target);
    Pick pick = {sources, 2, which, rows, changes->count};
    pick_values(&pick, source->type, arena, target);
    return target;
}

static void change_facts(Batch *output, const Batch *batch, const GroupChanges *changes) {
    Arena *arena = batch->arena;
    uint32_t count = changes->count;
    uint64_t *seq = arena_raw(arena, count * sizeof *seq);
    int64_t *rowtime = arena_raw(arena, count * sizeof *rowtime);
    int64_t *offset = arena_raw(arena, count * sizeof *offset);
    uint8_t *kind = arena_raw(arena, count);
    Bytes *headers = batch->headers ? arena_raw(arena, count * sizeof *headers) : NULL;
    assert(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t row = changes->rows[i];
        seq[i] = batch->seq[row];
        rowtime[i] = batch->rowtime[row];
        offset[i] = batch->offset[row];
        kind[i] = changes->new_rows[i] == PICK_MISSING ? ROW_DELETE : ROW_VALUE;
        if (headers)
            headers[i] = batch->headers[row];
    }
    output->seq = seq;
    output->rowtime = rowtime;
    output->offset = offset;
    output->kind = kind;
    output->headers = headers;
    output->window_start = output->window_end = NULL;
    output->row_count = output->selected_count = count;
    output->selected = batch_all_rows(count);
}

/* The rows that lose something. */
static void old_selection(Batch *old, const GroupChanges *changes) {
    uint16_t *selected = arena_raw(old->arena, changes->count * sizeof *selected);
    assert(changes->count > 0);
    old->selected_count = 0;
    for (uint32_t i = 0; i < changes->count; i++) {
        if (changes->old_rows[i] != PICK_MISSING)
            selected[old->selected_count++] = (uint16_t)i;
    }
    old->selected = selected;
}

Batch *table_group_run(const Projection *projection, const Batch *batch, Buf *scratch) {
    assert(batch->old && batch->old->columns);
    Arena *arena = batch->arena;
    const Schema *schema = projection->node->schema;
    Batch part = with_values(batch, false), old_part = with_values(batch->old, true);
    GroupSide now = project_side(projection, &part, scratch);
    GroupSide before = project_side(projection, &old_part, scratch);
    GroupChanges changes = pair_changes(projection, batch, &now, &before);
    if (changes.count == 0)
        return NULL;
    const Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    const Column **olds = arena_array(arena, schema->column_count, sizeof *olds);
    for (uint32_t i = 0; i < schema->key_count; i++)
        columns[i] = olds[i] = gather_key(&now, &before, i, &changes, arena);
    for (uint32_t i = schema->key_count; i < schema->column_count; i++) {
        const Type *type = schema->columns[i].type;
        columns[i] = gather(now.columns ? now.columns[i] : NULL, changes.new_rows, changes.count,
                            type, arena);
        olds[i] = gather(before.columns ? before.columns[i] : NULL, changes.old_rows,
                         changes.count, type, arena);
    }
    Batch *output = arena_raw(arena, sizeof *output), *old = arena_raw(arena, sizeof *old);
    *output = *batch;
    output->schema = schema;
    output->columns = columns;
    change_facts(output, batch, &changes);
    *old = *output;
    old->columns = olds;
    old->old = NULL;
    old_selection(old, &changes);
    output->old = old;
    return output;
}
