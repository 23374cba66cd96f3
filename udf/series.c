/*
 * series.c - GENERATE_SERIES: numbers from one to another by a step.
 */
#include "udf/function_impl.h"

typedef struct Series {
    int64_t from;
    int64_t step;
    uint32_t count;
} Series;

static int64_t series_number(const Column *column, uint32_t row) {
    return column->type->kind == TYPE_INT ? column->i32[row] : column->i64[row];
}

/* Why there is no such series; NULL: there is. */
static const char *series_of(const FunctionCall *call, uint32_t row, Series *series) {
    int64_t from = series_number(call->args[0], row), to = series_number(call->args[1], row);
    int64_t step = to >= from ? 1 : -1;
    if (call->arg_count > 2)
        step = call->args[2]->i32[row];
    if (step == 0)
        return "the step of a series cannot be 0";
    if ((to > from && step < 0) || (to < from && step > 0))
        return "the step of a series leads away from its end";
    uint64_t distance = to >= from ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    uint64_t width = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
    if (distance / width >= SERIES_ELEMENTS_MAX)
        return "the series has too many numbers (SERIES_ELEMENTS_MAX)";
    *series = (Series){from, step, (uint32_t)(distance / width) + 1};
    return NULL;
}

static void series_put(const Series *series, Column *elements, uint32_t at) {
    assert(at + series->count <= elements->length);
    uint64_t value = (uint64_t)series->from;
    for (uint32_t i = 0; i < series->count; i++, value += (uint64_t)series->step) {
        if (elements->type->kind == TYPE_INT)
            elements->i32[at + i] = (int32_t)(int64_t)value;
        else
            elements->i64[at + i] = (int64_t)value;
    }
}

void series_generate(const FunctionCall *call) {
    Column *result = call->result, *elements = &result->children[0];
    Series *series = arena_array(call->arena, result->length, sizeof *series);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        const char *reason = series_of(call, row, &series[row]);
        if (reason)
            call->fail(call->context, row, "%s", reason);
        else
            column_set_present(result, row);
    }
    for (uint32_t row = 0; row < result->length; row++)
        result->offsets[row + 1] = result->offsets[row] + series[row].count;
    const Type *type = elements->type;
    uint32_t length = result->offsets[result->length];
    *elements = (Column){.type = type, .length = length,
                         .data = arena_raw(call->arena, (size_t)length * type_width(type))};
    for (uint32_t row = 0; row < result->length; row++)
        series_put(&series[row], elements, result->offsets[row]);
}
