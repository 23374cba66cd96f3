/*
 * expr_nested.c - arrays, maps and structs: reaching into them, making them.
 *
 * All but fields is picking: say for each row which value of which column it gets.
 */
#include "runtime/expr_impl.h"
#include "udf/pick.h"

static uint32_t *nested_rows(const ExprProgram *program) {
    uint32_t *rows = arena_raw(program->batch->arena, program->row_count * sizeof *rows);
    memset(rows, 0xFF, program->row_count * sizeof *rows);
    assert(program->row_count == 0 || rows[0] == PICK_MISSING);
    return rows;
}

static void nested_put(ExprProgram *program, const ExprInst *inst, const Pick *pick) {
    assert(pick->count == program->row_count);
    pick_values(pick, program->regs[inst->target].type, program->batch->arena,
                &program->columns[inst->target]);
}

/* Where each row's element lies, of arrays that are all there and one index for all. */
static void nested_places(const Column *array, int32_t wanted, const ExprSelection *selection,
                          uint32_t *rows) {
    assert(!array->validity);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i], from = array->offsets[row];
        int64_t size = array->offsets[row + 1] - from;
        int64_t at = wanted < 0 ? size + wanted : (int64_t)wanted - 1;
        rows[row] = at >= 0 && at < size ? from + (uint32_t)at : PICK_MISSING;
    }
}

void expr_nested_subscript(ExprProgram *program, const ExprInst *inst) {
    const Column *array = expr_operand(program, inst->a);
    const Column *constant = program->regs[inst->b].constant;
    if (constant && !array->validity && !column_is_null(constant, 0)) {
        uint32_t *places = nested_rows(program);
        nested_places(array, constant->i32[0], expr_selection(program, inst), places);
        const Column *values = &array->children[0];
        Pick known = {&values, 1, NULL, places, program->row_count};
        nested_put(program, inst, &known);
        return;
    }
    const Column *index = expr_operand(program, inst->b);
    const ExprSelection *selection = expr_selection(program, inst);
    uint32_t *rows = nested_rows(program);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (!expr_present(array->validity, row) || !expr_present(index->validity, row))
            continue;
        int64_t size = array->offsets[row + 1] - array->offsets[row];
        int64_t wanted = index->i32[row];
        int64_t at = wanted < 0 ? size + wanted : wanted - 1;
        if (at >= 0 && at < size)
            rows[row] = array->offsets[row] + (uint32_t)at;
    }
    const Column *elements = &array->children[0];
    Pick pick = {&elements, 1, NULL, rows, program->row_count};
    nested_put(program, inst, &pick);
}

void expr_nested_lookup(ExprProgram *program, const ExprInst *inst) {
    const Column *map = expr_operand(program, inst->a);
    const Column *key = expr_operand(program, inst->b);
    const ExprSelection *selection = expr_selection(program, inst);
    uint32_t *rows = nested_rows(program);
    for (uint32_t i = 0; i < selection->count; i++) {
        uint32_t row = selection->rows[i];
        if (!expr_present(map->validity, row))
            continue;
        for (uint32_t at = map->offsets[row + 1]; at > map->offsets[row]; at--) {
            if (column_value_equal(&map->children[0], at - 1, key, row)) {
                rows[row] = at - 1;
                break;
            }
        }
    }
    const Column *values = &map->children[1];
    Pick pick = {&values, 1, NULL, rows, program->row_count};
    nested_put(program, inst, &pick);
}

void expr_nested_deref(ExprProgram *program, const ExprInst *inst) {
    const Column *record = expr_operand(program, inst->a);
    assert(inst->index < record->type->field_count);
    const Column *field = &record->children[inst->index];
    Column *target = &program->columns[inst->target];
    *target = *field;
    if (!record->validity)
        return;
    target->validity = expr_validity(program);
    for (uint32_t i = 0; i < column_words(program->row_count); i++)
        target->validity[i] =
            record->validity[i] & (field->validity ? field->validity[i] : UINT64_MAX);
}

/* The branch of a CASE that covers the row. */
void expr_nested_pick(ExprProgram *program, const ExprInst *inst) {
    uint32_t *rows = nested_rows(program);
    uint32_t source_count = inst->list_count / 2;
    Arena *arena = program->batch->arena;
    uint32_t *which = arena_array(arena, program->row_count, sizeof *which);
    const Column **sources = arena_array(arena, source_count + 1, sizeof *sources);
    for (uint32_t i = 0; i < source_count; i++) {
        const ExprSelection *selection = &program->selections[inst->list[i * 2 + 1]];
        sources[i] = expr_operand(program, inst->list[i * 2]);
        for (uint32_t k = 0; k < selection->count; k++) {
            which[selection->rows[k]] = i;
            rows[selection->rows[k]] = selection->rows[k];
        }
    }
    if (source_count == 0) {
        expr_target_missing(program, inst);
        return;
    }
    Pick pick = {sources, source_count, which, rows, program->row_count};
    nested_put(program, inst, &pick);
}

/* Operands as sources: every `step`-th of the list from `first` on. */
static const Column **nested_sources(ExprProgram *program, const ExprInst *inst, uint32_t first,
                                     uint32_t step) {
    const Column **sources =
        arena_array(program->batch->arena, inst->list_count / step + 1, sizeof *sources);
    for (uint32_t i = 0; first + i * step < inst->list_count; i++)
        sources[i] = expr_operand(program, inst->list[first + i * step]);
    return sources;
}

static Column *nested_lists(ExprProgram *program, const ExprInst *inst) {
    Column *target = &program->columns[inst->target];
    column_init(target, program->batch->arena, program->regs[inst->target].type,
                program->row_count);
    assert(target->offsets);
    return target;
}

/* Elements for the selected rows only; the others get an empty range. */
void expr_nested_array(ExprProgram *program, const ExprInst *inst) {
    const ExprSelection *selection = expr_selection(program, inst);
    Arena *arena = program->batch->arena;
    Column *target = nested_lists(program, inst);
    uint32_t size = inst->list_count, total = selection->count * size, at = 0;
    uint32_t *rows = arena_raw(arena, (size_t)total * sizeof *rows);
    uint32_t *which = arena_raw(arena, (size_t)total * sizeof *which);
    uint32_t next = 0;
    for (uint32_t row = 0; row < program->row_count; row++) {
        if (next < selection->count && selection->rows[next] == row) {
            next++;
            column_set_present(target, row);
            for (uint32_t i = 0; i < size; i++, at++) {
                rows[at] = row;
                which[at] = i;
            }
        }
        target->offsets[row + 1] = at;
    }
    if (size == 0)
        return;
    Pick pick = {nested_sources(program, inst, 0, 1), size, which, rows, total};
    pick_values(&pick, target->type->fields[0].type, arena, &target->children[0]);
}

/* The entry of an earlier equal key; UINT32_MAX: none. */
static uint32_t nested_earlier(const Column *const *keys, const uint32_t *which, uint32_t count,
                               uint32_t entry, uint32_t row) {
    for (uint32_t i = 0; i < count; i++)
        if (column_value_equal(keys[which[i]], row, keys[entry], row))
            return i;
    return UINT32_MAX;
}

void expr_nested_map(ExprProgram *program, const ExprInst *inst) {
    const ExprSelection *selection = expr_selection(program, inst);
    Arena *arena = program->batch->arena;
    Column *target = nested_lists(program, inst);
    uint32_t size = inst->list_count / 2, at = 0, next = 0;
    const Column **keys = nested_sources(program, inst, 0, 2);
    const Column **values = nested_sources(program, inst, 1, 2);
    uint32_t *rows = arena_raw(arena, (size_t)selection->count * size * sizeof *rows);
    uint32_t *key_which = arena_raw(arena, (size_t)selection->count * size * sizeof *rows);
    uint32_t *value_which = arena_raw(arena, (size_t)selection->count * size * sizeof *rows);
    for (uint32_t row = 0; row < program->row_count; row++) {
        if (next < selection->count && selection->rows[next] == row) {
            uint32_t start = at;
            next++;
            column_set_present(target, row);
            for (uint32_t i = 0; i < size; i++) {
                uint32_t same = nested_earlier(keys, key_which + start, at - start, i, row);
                uint32_t entry = same == UINT32_MAX ? at++ : start + same;
                rows[entry] = row;
                if (same == UINT32_MAX)
                    key_which[entry] = i;
                value_which[entry] = i;
            }
        }
        target->offsets[row + 1] = at;
    }
    if (size == 0)
        return;
    Pick key_pick = {keys, size, key_which, rows, at};
    Pick value_pick = {values, size, value_which, rows, at};
    pick_values(&key_pick, target->type->fields[0].type, arena, &target->children[0]);
    pick_values(&value_pick, target->type->fields[1].type, arena, &target->children[1]);
}

/* Borrows the operands: they escape, so their memory is the batch's. */
void expr_nested_struct(ExprProgram *program, const ExprInst *inst) {
    Column *target = &program->columns[inst->target];
    const Type *type = program->regs[inst->target].type;
    assert(inst->list_count == type->field_count);
    *target = (Column){.type = type, .length = program->row_count};
    target->children =
        arena_array(program->batch->arena, type->field_count, sizeof *target->children);
    for (uint32_t i = 0; i < type->field_count; i++) {
        target->children[i] = *expr_operand(program, inst->list[i]);
        if (target->children[i].type->kind == TYPE_NULL)
            column_init(&target->children[i], program->batch->arena, type->fields[i].type,
                        program->row_count);
    }
}
