/*
 * math.c - functions of INTEGER, BIGINT and DOUBLE, as java.lang.Math has them.
 */
#include <math.h>

#include "udf/function_impl.h"

/* == The same type in and out == */

void math_same(const FunctionCall *call) {
    const Column *a = call->args[0];
    assert(a->type->kind == call->result->type->kind);
    uint32_t width = type_width(a->type);
    const uint8_t *from = a->data;
    uint8_t *to = call->result->data;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        memcpy(to + (size_t)row * width, from + (size_t)row * width, width);
        column_set_present(call->result, row);
    }
}

void math_int_to_bigint(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++)
        function_put_i64(call, call->rows[i], call->args[0]->i32[call->rows[i]]);
}

void math_abs_i32(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        int32_t value = call->args[0]->i32[call->rows[i]];
        function_put_i32(call, call->rows[i],
                         value < 0 ? (int32_t)(0 - (uint32_t)value) : value);
    }
}

void math_abs_i64(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        int64_t value = call->args[0]->i64[call->rows[i]];
        function_put_i64(call, call->rows[i],
                         value < 0 ? (int64_t)(0 - (uint64_t)value) : value);
    }
}

/* == Numbers to DOUBLE == */

/* An argument of any number type but DECIMAL as doubles, by row. */
static const double *math_doubles(const FunctionCall *call, uint32_t index) {
    const Column *arg = call->args[index];
    if (arg->type->kind == TYPE_DOUBLE)
        return arg->f64;
    double *values = arena_raw(call->arena, call->result->length * sizeof *values);
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        values[row] = arg->type->kind == TYPE_INT ? arg->i32[row] : (double)arg->i64[row];
    }
    return values;
}

#define MATH_UNARY(name, expression)                           \
    void math_##name(const FunctionCall *call) {               \
        const double *values = math_doubles(call, 0);          \
        for (uint32_t i = 0; i < call->row_count; i++) {       \
            double x = values[call->rows[i]];                  \
            function_put_f64(call, call->rows[i], expression); \
        }                                                      \
    }

static const double math_pi_value = 3.141592653589793;

MATH_UNARY(abs_f64, fabs(x))
MATH_UNARY(ceil, ceil(x))
MATH_UNARY(floor, floor(x))
MATH_UNARY(acos, acos(x))
MATH_UNARY(asin, asin(x))
MATH_UNARY(atan, atan(x))
MATH_UNARY(cbrt, cbrt(x))
MATH_UNARY(cos, cos(x))
MATH_UNARY(cosh, cosh(x))
MATH_UNARY(cot, cos(x) / sin(x))
MATH_UNARY(degrees, x *(180.0 / math_pi_value))
MATH_UNARY(exp, exp(x))
MATH_UNARY(ln, log(x))
MATH_UNARY(radians, x *(math_pi_value / 180.0))
MATH_UNARY(sin, sin(x))
MATH_UNARY(sinh, sinh(x))
MATH_UNARY(sqrt, sqrt(x))
MATH_UNARY(tan, tan(x))
MATH_UNARY(tanh, tanh(x))

/* NaN for a base that has no logarithm. */
static double math_log_value(double base, double value) {
    return base <= 0 || base == 1 ? (double)NAN : log(value) / log(base);
}

/* As Java: 1 to the power of what is no number, and 1 or -1 to that of infinity, is no number. */
static double math_pow(double base, double exponent) {
    if (isnan(exponent) || (isinf(exponent) && fabs(base) == 1))
        return (double)NAN;
    return pow(base, exponent);
}

#define MATH_BINARY(name, expression)                                            \
    void math_##name(const FunctionCall *call) {                                 \
        const double *left = math_doubles(call, 0);                              \
        const double *right = math_doubles(call, 1);                             \
        for (uint32_t i = 0; i < call->row_count; i++) {                         \
            double x = left[call->rows[i]], y = right[call->rows[i]];            \
            function_put_f64(call, call->rows[i], expression);                   \
        }                                                                        \
    }

MATH_BINARY(atan2, atan2(x, y))
MATH_BINARY(log_base, math_log_value(x, y))
MATH_BINARY(power, math_pow(x, y))

void math_pi(const FunctionCall *call) {
    assert(call->arg_count == 0);
    for (uint32_t i = 0; i < call->row_count; i++)
        function_put_f64(call, call->rows[i], math_pi_value);
}

void math_random(const FunctionCall *call) {
    assert(call->arg_count == 0);
    for (uint32_t i = 0; i < call->row_count; i++) {
        if (!call->io)
            call->fail(call->context, call->rows[i], "chance is not at hand here");
        else
            function_put_f64(call, call->rows[i],
                             (double)(call->io->ops->random_u64(call->io) >> 11) * 0x1.0p-53);
    }
}

void math_sign(const FunctionCall *call) {
    const double *values = math_doubles(call, 0);
    assert(call->result->type->kind == TYPE_INT);
    for (uint32_t i = 0; i < call->row_count; i++) {
        double x = values[call->rows[i]];
        function_put_i32(call, call->rows[i], (x > 0) - (x < 0));
    }
}
