/*
 * function_impl.h - the inside of the scalar functions: their kernels, and what kernels share.
 *
 * A kernel is a loop over call->rows. Rows where an argument is NULL are not among them unless the
 * function SEES_NULLS.
 */
#ifndef UDF_FUNCTION_IMPL_H
#define UDF_FUNCTION_IMPL_H

#include "udf/function.h"

#define UDF_SCALAR(name, signature, kernel, flags, prepare, help) \
    void kernel(const FunctionCall *call);
#include "udf/scalar.def"
#undef UDF_SCALAR

static inline void function_put_i32(const FunctionCall *call, uint32_t row, int32_t value) {
    call->result->i32[row] = value;
    column_set_present(call->result, row);
}

static inline void function_put_i64(const FunctionCall *call, uint32_t row, int64_t value) {
    call->result->i64[row] = value;
    column_set_present(call->result, row);
}

static inline void function_put_f64(const FunctionCall *call, uint32_t row, double value) {
    call->result->f64[row] = value;
    column_set_present(call->result, row);
}

static inline void function_put_boolean(const FunctionCall *call, uint32_t row, bool value) {
    call->result->boolean[row] = value;
    column_set_present(call->result, row);
}

static inline void function_put_bytes(const FunctionCall *call, uint32_t row, Bytes value) {
    call->result->bytes[row] = value;
    column_set_present(call->result, row);
}

#endif
