/*
 * string.c - functions of text: positions and lengths are UTF-16 code units.
 */
#include "base/utf8.h"
#include "udf/function_impl.h"

void string_len(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        function_put_i32(call, row, (int32_t)utf8_length(call->args[0]->bytes[row]));
    }
}

void string_len_bytes(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        function_put_i32(call, row, (int32_t)call->args[0]->bytes[row].size);
    }
}
