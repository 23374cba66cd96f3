/*
 * null.c - functions about NULL: which of several values, if any.
 */
#include "udf/function_impl.h"

void null_as_value(const FunctionCall *call) {
    assert(call->arg_count == 1);
    Column *result = call->result;
    const Type *type = result->type;
    *result = *call->args[0];
    result->type = type;
}
