/*
 * testing.c - the functions of testing.def: they fail on purpose, count their calls, or say which
 * overload was called.
 */
#include "data/decimal.h"
#include "udf/function_impl.h"
#include "udf/pick.h"
#include "udf/table_impl.h"
#include "udf/value_text.h"

/* -- Scalar functions -------------------------------------------------------------------------- */

void testing_fail(const FunctionCall *call) {
    for (uint32_t i = 0; i < call->row_count; i++)
        call->fail(call->context, call->rows[i], "it always fails");
}

void testing_fail_if(const FunctionCall *call) {
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (call->args[0]->boolean[row])
            call->fail(call->context, row, "it fails for TRUE");
        else
            function_put_i32(call, row, 0);
    }
}

void *testing_count_calls(const Column *const *args, uint32_t arg_count, Arena *arena) {
    (void)args;
    assert(arg_count == 1);
    return arena_alloc(arena, sizeof(uint64_t));
}

/* NULL in the first, third, ... call of one place in a program. */
void testing_every_other(const FunctionCall *call) {
    uint64_t *calls = call->state;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        if (++*calls % 2 == 0 && !column_is_null(call->args[0], row))
            function_put_bytes(call, row, call->args[0]->bytes[row]);
    }
}

static void testing_say(const FunctionCall *call, const char *text) {
    for (uint32_t i = 0; i < call->row_count; i++)
        function_put_bytes(call, call->rows[i], bytes_of(text));
}

void testing_int_string(const FunctionCall *call) {
    testing_say(call, "doStuffIntString");
}

void testing_long_string(const FunctionCall *call) {
    testing_say(call, "doStuffLongString");
}

void testing_long_long_string(const FunctionCall *call) {
    testing_say(call, "doStuffLongLongString");
}

void testing_long_varargs(const FunctionCall *call) {
    testing_say(call, "doStuffLongVarargs");
}

static void testing_put_struct(const FunctionCall *call, uint32_t row, Bytes text) {
    call->result->children[0].bytes[row] = text;
    column_set_present(&call->result->children[0], row);
    column_set_present(call->result, row);
}

void testing_make_struct(const FunctionCall *call) {
    for (uint32_t i = 0; i < call->row_count; i++)
        testing_put_struct(call, call->rows[i], bytes_of("foo"));
}

void testing_to_struct(const FunctionCall *call) {
    for (uint32_t i = 0; i < call->row_count; i++)
        testing_put_struct(call, call->rows[i], call->args[0]->bytes[call->rows[i]]);
}

void testing_open_struct(const FunctionCall *call) {
    const Column *field = &call->args[0]->children[0];
    for (uint32_t i = 0; i < call->row_count; i++) {
        if (!column_is_null(field, call->rows[i]))
            function_put_bytes(call, call->rows[i], field->bytes[call->rows[i]]);
    }
}

/* Fails where it should not have been asked. */
static bool testing_expected(const FunctionCall *call, uint32_t row) {
    if (call->args[1]->boolean[row])
        return true;
    call->fail(call->context, row, "this must not be evaluated");
    return false;
}

void testing_condition(const FunctionCall *call) {
    for (uint32_t i = 0; i < call->row_count; i++) {
        if (testing_expected(call, call->rows[i]))
            function_put_boolean(call, call->rows[i], call->args[0]->boolean[call->rows[i]]);
    }
}

void testing_result(const FunctionCall *call) {
    for (uint32_t i = 0; i < call->row_count; i++) {
        if (testing_expected(call, call->rows[i]))
            function_put_i32(call, call->rows[i], call->args[0]->i32[call->rows[i]]);
    }
}

/* -- Table functions --------------------------------------------------------------------------- */

static void testing_count(const TableCall *call, uint32_t count) {
    for (uint32_t i = 0; i < call->row_count; i++)
        call->counts[call->rows[i]] = count;
}

void testing_same_count(const TableCall *call) {
    testing_count(call, 1);
}

void testing_same_values(const TableCall *call, const TableWanted *wanted, const Type *type,
                         Column *result) {
    Pick pick = {call->args, 1, NULL, wanted->rows, wanted->count};
    _Static_assert(TABLE_NO_ROW == PICK_MISSING, "no row is no value");
    pick_values(&pick, type, call->arena, result);
}

void testing_throwing_count(const TableCall *call) {
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        call->counts[row] = !call->args[0]->boolean[row];
        if (call->args[0]->boolean[row])
            call->fail(call->context, row, "it fails for TRUE");
    }
}

void testing_throwing_values(const TableCall *call, const TableWanted *wanted, const Type *type,
                             Column *result) {
    testing_same_values(call, wanted, type, result);
}

void testing_decimal_count(const TableCall *call) {
    testing_count(call, 1);
}

void testing_decimal_values(const TableCall *call, const TableWanted *wanted, const Type *type,
                            Column *result) {
    const Column *source = call->args[0];
    uint32_t width = type_width(type), source_width = type_width(source->type);
    column_init(result, call->arena, type, wanted->count);
    for (uint32_t i = 0; i < wanted->count; i++) {
        Decimal value;
        if (wanted->rows[i] == TABLE_NO_ROW)
            continue;
        const uint8_t *data = (const uint8_t *)source->data + wanted->rows[i] * source_width;
        if (!decimal_rescale_round(decimal_load(data, source->type->precision),
                                   source->type->scale, type->scale, type->precision, &value))
            continue;
        decimal_store((uint8_t *)result->data + i * width, type->precision, value);
        column_set_present(result, i);
    }
}

void testing_texts_count(const TableCall *call) {
    testing_count(call, call->arg_count);
}

/* The text of one value, in a column of texts. */
static void testing_text(const TableCall *call, const Column *source, uint32_t row,
                         Column *result, uint32_t at) {
    Buf text = {0};
    value_text_print(&text, source, row);
    result->bytes[at] = arena_bytes(call->arena, buf_view(&text));
    column_set_present(result, at);
    buf_free(&text);
}

void testing_texts_values(const TableCall *call, const TableWanted *wanted, const Type *type,
                          Column *result) {
    column_init(result, call->arena, type, wanted->count);
    for (uint32_t i = 0; i < wanted->count; i++) {
        if (wanted->rows[i] != TABLE_NO_ROW)
            testing_text(call, call->args[wanted->numbers[i]], wanted->rows[i], result, i);
    }
}

void testing_firsts_count(const TableCall *call) {
    testing_count(call, call->arg_count);
}

/* The first element of each array, or the first value of each map. */
void testing_firsts_values(const TableCall *call, const TableWanted *wanted, const Type *type,
                           Column *result) {
    column_init(result, call->arena, type, wanted->count);
    for (uint32_t i = 0; i < wanted->count; i++) {
        uint32_t row = wanted->rows[i];
        if (row == TABLE_NO_ROW)
            continue;
        const Column *list = call->args[wanted->numbers[i]];
        if (list->offsets[row] < list->offsets[row + 1])
            testing_text(call, &list->children[list->type->field_count - 1], list->offsets[row],
                         result, i);
    }
}
