/*
 * time.c - functions of dates and times as numbers: now, units, changes of type.
 *
 * Texts and zones: time_format.c.
 */
#include "udf/function_impl.h"

enum { TIME_DAY_MS = 86400000 };

/* == Numbers == */

static bool time_now(const FunctionCall *call, int64_t *ms) {
    assert(call->arg_count == 0);
    for (uint32_t i = 0; !call->io && i < call->row_count; i++)
        call->fail(call->context, call->rows[i], "the clock is not at hand here");
    if (call->io)
        *ms = call->io->ops->now_ms(call->io);
    return call->io != NULL;
}

void time_now_ms(const FunctionCall *call) {
    int64_t ms;
    if (!time_now(call, &ms))
        return;
    for (uint32_t i = 0; i < call->row_count; i++)
        function_put_i64(call, call->rows[i], ms);
}

void time_now_days(const FunctionCall *call) {
    int64_t ms;
    if (!time_now(call, &ms))
        return;
    for (uint32_t i = 0; i < call->row_count; i++)
        function_put_i32(call, call->rows[i], (int32_t)(ms / TIME_DAY_MS - (ms % TIME_DAY_MS < 0)));
}

/* The same number with another type. */
void time_same(const FunctionCall *call) {
    const Column *from = call->args[0];
    uint32_t width = type_width(from->type);
    assert(width == type_width(call->result->type));
    uint8_t *to = call->result->data;
    for (uint32_t i = 0; i < call->row_count; i++) {
        size_t at = (size_t)call->rows[i] * width;
        memcpy(to + at, (const uint8_t *)from->data + at, width);
        column_set_present(call->result, call->rows[i]);
    }
}

/* == Units == */

/* The value of an argument as milliseconds since 1970. */
static int64_t time_value(const Column *column, uint32_t row) {
    switch (column->type->kind) {
    case TYPE_TIME: return column->i32[row];
    case TYPE_DATE:
    case TYPE_INT: return (int64_t)column->i32[row] * TIME_DAY_MS;
    default: return column->i64[row];
    }
}

static int64_t time_unit_ms(Bytes unit) {
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        {"MILLISECOND", 1},  {"SECOND", 1000},     {"MINUTE", 60000},
        {"HOUR", 3600000},   {"DAY", TIME_DAY_MS},
    };
    Bytes name = unit;
    if (name.size > 0 && (name.data[name.size - 1] | 0x20) == 's')
        name.size--;
    for (uint32_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        uint32_t at = 0;
        while (at < name.size && units[i].name[at] &&
               (name.data[at] & 0xDF) == (uint8_t)units[i].name[at])
            at++;
        if (at == name.size && !units[i].name[at])
            return units[i].ms;
    }
    return 0;
}

/* value + sign * n units, in milliseconds; false: reported. */
static bool time_shift(const FunctionCall *call, uint32_t row, int64_t sign, int64_t *ms) {
    int64_t unit = time_unit_ms(call->args[0]->bytes[row]);
    int64_t shift = sign * unit * call->args[1]->i32[row];
    int64_t value = time_value(call->args[2], row);
    if (unit == 0)
        call->fail(call->context, row, "not a unit of time");
    *ms = (int64_t)((uint64_t)value + (uint64_t)shift);
    return unit != 0;
}

static void time_shift_all(const FunctionCall *call, int64_t sign) {
    TypeKind kind = call->result->type->kind;
    assert(call->arg_count == 3);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        int64_t ms;
        if (!time_shift(call, row, sign, &ms))
            continue;
        if (kind == TYPE_TIMESTAMP)
            function_put_i64(call, row, ms);
        else if (kind == TYPE_DATE)
            function_put_i32(call, row, (int32_t)(ms / TIME_DAY_MS));
        else
            function_put_i32(call, row,
                             (int32_t)((ms % TIME_DAY_MS + TIME_DAY_MS) % TIME_DAY_MS));
    }
}

void time_add(const FunctionCall *call) {
    assert(call->arg_count == 3);
    time_shift_all(call, 1);
}

void time_subtract(const FunctionCall *call) {
    assert(call->arg_count == 3);
    time_shift_all(call, -1);
}
