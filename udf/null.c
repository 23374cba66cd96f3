/*
 * null.c - functions that choose one of their arguments: by NULL, or by size.
 *
 * They say which argument a row gets, and pick_values() takes it from there, so that every type
 * is served alike.
 */
#include "udf/function_impl.h"
#include "udf/pick.h"
#include "udf/value_order.h"

static bool null_is(const Column *column, uint32_t row) {
    return column->type->kind == TYPE_NULL || column_is_null(column, row);
}

/* Fills the result: row i is argument which[i], or NULL where that is PICK_MISSING. */
static void null_choose(const FunctionCall *call, uint32_t *which) {
    uint32_t length = call->result->length;
    const Type *type = call->result->type;
    uint32_t *rows = arena_raw(call->arena, length * sizeof *rows);
    for (uint32_t row = 0; row < length; row++) {
        rows[row] = which[row] == PICK_MISSING ? PICK_MISSING : row;
        if (which[row] == PICK_MISSING)
            which[row] = 0;
    }
    Pick pick = {call->args, call->arg_count, which, rows, length};
    pick_values(&pick, type, call->arena, call->result);
}

static uint32_t *null_nothing(const FunctionCall *call) {
    uint32_t length = call->result->length;
    uint32_t *which = arena_raw(call->arena, length * sizeof *which);
    memset(which, 0xFF, length * sizeof *which);
    assert(length == 0 || which[0] == PICK_MISSING);
    return which;
}

void null_as_value(const FunctionCall *call) {
    uint32_t *which = null_nothing(call);
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++)
        which[call->rows[i]] = 0;
    null_choose(call, which);
}

void null_coalesce(const FunctionCall *call) {
    uint32_t *which = null_nothing(call);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], arg = 0;
        while (arg < call->arg_count && null_is(call->args[arg], row))
            arg++;
        which[row] = arg < call->arg_count ? arg : PICK_MISSING;
    }
    null_choose(call, which);
}

void null_if(const FunctionCall *call) {
    uint32_t *which = null_nothing(call);
    const Column *value = call->args[0], *other = call->args[1];
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (null_is(other, row) || null_is(value, row) ||
            !column_value_equal(value, row, other, row))
            which[row] = 0;
    }
    null_choose(call, which);
}

static void null_extreme(const FunctionCall *call, int sign) {
    uint32_t *which = null_nothing(call);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i], best = PICK_MISSING;
        for (uint32_t arg = 0; arg < call->arg_count; arg++) {
            if (null_is(call->args[arg], row))
                continue;
            if (best == PICK_MISSING ||
                sign * value_compare(call->args[arg], row, call->args[best], row) > 0)
                best = arg;
        }
        which[row] = best;
    }
    null_choose(call, which);
}

void null_greatest(const FunctionCall *call) {
    assert(call->arg_count > 0);
    null_extreme(call, 1);
}

void null_least(const FunctionCall *call) {
    assert(call->arg_count > 0);
    null_extreme(call, -1);
}
