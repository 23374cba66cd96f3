/*
 * function.c - the scalar functions of the interpreter: their table, and those of numbers, NULLs
 * and times. Texts are in function_text.c, arrays and maps in function_list.c.
 */
#include "tests/interp/function.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool ref_null_argument(const RefCall *call) {
    call->run->vague = true;
    return true;
}

static bool null_coalesce(const RefCall *call, RefValue *out) {
    for (uint32_t i = 0; i < call->count; i++) {
        if (call->args[i].present) {
            *out = call->args[i];
            break;
        }
    }
    return true;
}

static bool null_if(const RefCall *call, RefValue *out) {
    if (!ref_same(call->types[0], &call->args[0], &call->args[1]))
        *out = call->args[0];
    return true;
}

static bool null_as_value(const RefCall *call, RefValue *out) {
    *out = call->args[0];
    return true;
}

/* == Order == */

int ref_order(const RefType *type, const RefValue *left, const RefValue *right) {
    switch (type->kind) {
    case REF_BOOLEAN: return left->boolean - right->boolean;
    case REF_DOUBLE: { /* Double.compare(): -0.0 is less than 0.0, NaN is the largest */
        double a = left->real, b = right->real;
        if (isnan(a) || isnan(b))
            return isnan(a) - isnan(b);
        if (a == b)
            return signbit(b) - signbit(a) > 0 ? 1 : signbit(a) != signbit(b) ? -1 : 0;
        return a < b ? -1 : 1;
    }
    case REF_DECIMAL: return mpz_cmp(left->decimal, right->decimal);
    case REF_STRING: return ref_compare_text(left->text, right->text);
    case REF_BYTES: return ref_compare_bytes(left->text, right->text);
    default: return (left->integer > right->integer) - (left->integer < right->integer);
    }
}

static bool extreme(const RefCall *call, int sign, RefValue *out) {
    for (uint32_t i = 0; i < call->count; i++) {
        if (call->args[i].present &&
            (!out->present || sign * ref_order(call->type, &call->args[i], out) > 0))
            *out = call->args[i];
    }
    return true;
}

static bool null_greatest(const RefCall *call, RefValue *out) {
    return extreme(call, 1, out);
}

static bool null_least(const RefCall *call, RefValue *out) {
    return extreme(call, -1, out);
}

/* == Numbers == */

static bool number_abs(const RefCall *call, RefValue *out) {
    *out = call->args[0];
    if (call->type->kind == REF_DOUBLE) {
        out->real = fabs(out->real);
    } else if (call->type->kind == REF_DECIMAL) {
        mpz_ptr value = ref_mpz();
        mpz_abs(value, out->decimal);
        *out = ref_of_decimal(value);
    } else if (out->integer < 0) {
        out->integer = (int64_t)(0 - (uint64_t)out->integer);
        if (call->type->kind == REF_INT)
            out->integer = (int32_t)(uint32_t)(uint64_t)out->integer;
    }
    return true;
}

/* The sign of what is cut off says whether one is to be added. */
static bool whole_decimal(const RefCall *call, bool up, RefValue *out) {
    mpz_ptr value = ref_mpz();
    mpz_srcptr one = ref_ten(call->type->scale);
    if (up)
        mpz_cdiv_q(value, call->args[0].decimal, one);
    else
        mpz_fdiv_q(value, call->args[0].decimal, one);
    /* 9.9 as a DECIMAL(2, 1) becomes 10.0: functions may return a digit more than their type. */
    RefType type = *call->type;
    call->run->vague |= !ref_fit((RefExact){value, 0}, &type, out); /* what casts make of it */
    type.precision += type.precision < 76;
    return ref_fit((RefExact){value, 0}, &type, out) || ref_throw(call->run);
}

static bool number_ceil(const RefCall *call, RefValue *out) {
    *out = call->args[0];
    if (call->type->kind == REF_DOUBLE)
        out->real = ceil(out->real);
    else if (call->type->kind == REF_DECIMAL)
        return whole_decimal(call, true, out);
    return true;
}

static bool number_floor(const RefCall *call, RefValue *out) {
    *out = call->args[0];
    if (call->type->kind == REF_DOUBLE)
        out->real = floor(out->real);
    else if (call->type->kind == REF_DECIMAL)
        return whole_decimal(call, false, out);
    return true;
}

static bool number_sign(const RefCall *call, RefValue *out) {
    const RefValue *value = &call->args[0];
    bool real = call->types[0]->kind == REF_DOUBLE;
    int sign = real ? (value->real > 0) - (value->real < 0)
                    : (value->integer > 0) - (value->integer < 0);
    *out = ref_of_integer(sign);
    return true;
}

static double real_argument(const RefCall *call, uint32_t index) {
    bool real = call->types[index]->kind == REF_DOUBLE;
    return real ? call->args[index].real : (double)call->args[index].integer;
}

#define REAL_FUNCTION(name, expression)                         \
    static bool real_##name(const RefCall *call, RefValue *out) { \
        double x = real_argument(call, 0);                      \
        *out = ref_of_real(expression);                         \
        return true;                                            \
    }

REAL_FUNCTION(acos, acos(x))
REAL_FUNCTION(asin, asin(x))
REAL_FUNCTION(atan, atan(x))
REAL_FUNCTION(cbrt, cbrt(x))
REAL_FUNCTION(cos, cos(x))
REAL_FUNCTION(cosh, cosh(x))
REAL_FUNCTION(exp, exp(x))
REAL_FUNCTION(ln, log(x))
REAL_FUNCTION(sin, sin(x))
REAL_FUNCTION(sinh, sinh(x))
REAL_FUNCTION(sqrt, sqrt(x))
REAL_FUNCTION(tan, tan(x))
REAL_FUNCTION(tanh, tanh(x))
REAL_FUNCTION(degrees, x * 57.29577951308232)
REAL_FUNCTION(radians, x * 0.017453292519943295)

static bool real_pi(const RefCall *call, RefValue *out) {
    (void)call;
    *out = ref_of_real(acos(-1));
    return true;
}

static bool real_power(const RefCall *call, RefValue *out) {
    double base = real_argument(call, 0), exponent = real_argument(call, 1);
    /* Java: 1 and -1 to the power of infinity, and 1 to that of NaN, are NaN. */
    bool none = isnan(exponent) || (isinf(exponent) && fabs(base) == 1);
    *out = ref_of_real(none ? NAN : pow(base, exponent));
    return true;
}

static bool real_atan2(const RefCall *call, RefValue *out) {
    *out = ref_of_real(atan2(real_argument(call, 0), real_argument(call, 1)));
    return true;
}

/* == Times == */

static bool time_same(const RefCall *call, RefValue *out) {
    *out = call->args[0];
    return true;
}

#define REALS(name, kernel)                             \
    {name, "I", "F", kernel, false, 1}, {name, "L", "F", kernel, false, 1}, \
        {name, "F", "F", kernel, false, 1}

#define ORDERED(name, kernel)                                                             \
    {name, "I+", "I", kernel, true, 2}, {name, "L+", "L", kernel, true, 2},               \
        {name, "F+", "F", kernel, true, 2}, {name, "M+", "m", kernel, true, 4},           \
        {name, "S+", "S", kernel, true, 2}, {name, "Y+", "Y", kernel, true, 1},           \
        {name, "T+", "T", kernel, true, 1}, {name, "D+", "D", kernel, true, 1},           \
        {name, "W+", "W", kernel, true, 1}

const RefFunction ref_functions[] = {
    {"COALESCE", "X+", "X", null_coalesce, true, 8},
    {"IFNULL", "XX", "X", null_coalesce, true, 8},
    {"NULLIF", "XX", "X", null_if, true, 8},
    {"AS_VALUE", "X", "X", null_as_value, true, 2},
    ORDERED("GREATEST", null_greatest),
    ORDERED("LEAST", null_least),
    {"ABS", "I", "I", number_abs, false, 2},
    {"ABS", "L", "L", number_abs, false, 2},
    {"ABS", "F", "F", number_abs, false, 2},
    {"ABS", "M", "M", number_abs, false, 4},
    {"CEIL", "I", "I", number_ceil, false, 1},
    {"CEIL", "L", "L", number_ceil, false, 1},
    {"CEIL", "F", "F", number_ceil, false, 2},
    {"CEIL", "M", "M", number_ceil, false, 4},
    {"FLOOR", "I", "I", number_floor, false, 1},
    {"FLOOR", "L", "L", number_floor, false, 1},
    {"FLOOR", "F", "F", number_floor, false, 2},
    {"FLOOR", "M", "M", number_floor, false, 4},
    {"SIGN", "I", "I", number_sign, false, 2},
    {"SIGN", "L", "I", number_sign, false, 2},
    {"SIGN", "F", "I", number_sign, false, 2},
    REALS("ACOS", real_acos),
    REALS("ASIN", real_asin),
    REALS("ATAN", real_atan),
    REALS("CBRT", real_cbrt),
    REALS("COS", real_cos),
    REALS("COSH", real_cosh),
    REALS("EXP", real_exp),
    REALS("LN", real_ln),
    REALS("SIN", real_sin),
    REALS("SINH", real_sinh),
    REALS("SQRT", real_sqrt),
    REALS("TAN", real_tan),
    REALS("TANH", real_tanh),
    REALS("DEGREES", real_degrees),
    REALS("RADIANS", real_radians),
    REALS("COT", ref_number_cot),
    REALS("LOG", real_ln),
    {"LOG", "FF", "F", ref_number_log, false, 2},
    {"LOG", "LL", "F", ref_number_log, false, 1},
    {"LOG", "II", "F", ref_number_log, false, 1},
    {"PI", "", "F", real_pi, false, 1},
    {"ROUND", "I", "L", ref_number_round, false, 1},
    {"ROUND", "L", "L", ref_number_round, false, 1},
    {"ROUND", "F", "L", ref_number_round, false, 3},
    {"ROUND", "FI", "F", ref_number_round, false, 4},
    {"ROUND", "M", "w", ref_number_round, false, 4},
    {"ROUND", "MI", "M", ref_number_round, false, 6},
    {"TRUNC", "I", "L", ref_number_trunc, false, 1},
    {"TRUNC", "L", "L", ref_number_trunc, false, 1},
    {"TRUNC", "F", "L", ref_number_trunc, false, 3},
    {"TRUNC", "FI", "F", ref_number_trunc, false, 4},
    {"TRUNC", "M", "w", ref_number_trunc, false, 4},
    {"TRUNC", "MI", "M", ref_number_trunc, false, 6},
    {"GEO_DISTANCE", "FFFFS?", "F", ref_geo_distance, true, 2},
    {"INT_FROM_BYTES", "YS?", "I", ref_bytes_int, false, 3},
    {"BIGINT_FROM_BYTES", "YS?", "L", ref_bytes_bigint, false, 3},
    {"DOUBLE_FROM_BYTES", "YS?", "F", ref_bytes_double, false, 3},
    {"DATEADD", "uID", "D", ref_time_add, false, 4},
    {"DATESUB", "uID", "D", ref_time_subtract, false, 4},
    {"TIMEADD", "uIT", "T", ref_time_add, false, 4},
    {"TIMESUB", "uIT", "T", ref_time_subtract, false, 4},
    {"TIMESTAMPADD", "uIW", "W", ref_time_add, false, 4},
    {"TIMESTAMPSUB", "uIW", "W", ref_time_subtract, false, 4},
    {"INSTR", "SSI?I?", "I", ref_text_instr, true, 8},
    {"FIELD", "S+", "I", ref_text_field, true, 5},
    {"ELT", "IS+", "S", ref_text_elt, true, 5},
    {"UCASE", "S", "S", ref_text_ucase, false, 4},
    {"LCASE", "S", "S", ref_text_lcase, false, 4},
    {"INITCAP", "S", "S", ref_text_initcap, false, 5},
    {"LPAD", "SIS", "S", ref_text_lpad, false, 6},
    {"RPAD", "SIS", "S", ref_text_rpad, false, 6},
    {"LPAD", "YIY", "Y", ref_text_lpad, false, 3},
    {"RPAD", "YIY", "Y", ref_text_rpad, false, 3},
    {"SPLIT", "SS", "Z", ref_text_split, false, 10},
    {"CONCAT_WS", "SS+", "S", ref_text_concat_ws, true, 5},
    {"CONCAT_WS", "YY+", "Y", ref_text_concat_ws, true, 3},
    {"MASK", "S", "S", ref_text_mask, false, 3},
    {"MASK", "SSSSS", "S", ref_text_mask, true, 3},
    {"MASK_LEFT", "SI", "S", ref_text_mask_left, true, 3},
    {"MASK_LEFT", "SISSSS", "S", ref_text_mask_left, true, 3},
    {"MASK_RIGHT", "SI", "S", ref_text_mask_right, true, 3},
    {"MASK_RIGHT", "SISSSS", "S", ref_text_mask_right, true, 2},
    {"MASK_KEEP_LEFT", "SI", "S", ref_text_mask_keep_left, true, 3},
    {"MASK_KEEP_LEFT", "SISSSS", "S", ref_text_mask_keep_left, true, 2},
    {"MASK_KEEP_RIGHT", "SI", "S", ref_text_mask_keep_right, true, 3},
    {"MASK_KEEP_RIGHT", "SISSSS", "S", ref_text_mask_keep_right, true, 2},
    {"ARRAY_MAX", "A", "X", ref_array_max, false, 4},
    {"ARRAY_MIN", "A", "X", ref_array_min, false, 4},
    {"ARRAY_SORT", "AS?", "A", ref_array_sort, false, 5},
    {"ARRAY_JOIN", "AS?", "S", ref_array_join, true, 5},
    {"POWER", "FF", "F", real_power, false, 2},
    {"POWER", "LL", "F", real_power, false, 1},
    {"POWER", "II", "F", real_power, false, 1},
    {"ATAN2", "FF", "F", real_atan2, false, 1},
    {"FROM_DAYS", "I", "D", time_same, false, 2},
    {"FROM_UNIXTIME", "L", "W", time_same, false, 2},
    {"UNIX_DATE", "D", "I", time_same, false, 2},
    {"UNIX_TIMESTAMP", "W", "L", time_same, false, 2},
    {"CONCAT", "S+", "S", ref_text_concat, true, 6},
    {"CONCAT", "Y+", "Y", ref_bytes_concat, true, 3},
    {"LEN", "S", "I", ref_text_len, false, 6},
    {"LEN", "Y", "I", ref_text_len, false, 3},
    {"SUBSTRING", "SII?", "S", ref_text_substring, false, 8},
    {"SUBSTRING", "YII?", "Y", ref_bytes_substring, false, 4},
    {"TRIM", "S", "S", ref_text_trim, false, 4},
    {"REPLACE", "SSS", "S", ref_text_replace, false, 5},
    {"ARRAY_LENGTH", "A", "I", ref_array_length, false, 6},
    {"ARRAY_CONCAT", "AA", "A", ref_array_concat, true, 6},
    {"ARRAY_CONTAINS", "AX", "B", ref_array_contains, true, 6},
    {"ARRAY_DISTINCT", "A", "A", ref_array_distinct, false, 4},
    {"ARRAY_EXCEPT", "AA", "A", ref_array_except, false, 4},
    {"ARRAY_INTERSECT", "AA", "A", ref_array_intersect, false, 4},
    {"ARRAY_UNION", "AA", "A", ref_array_union, false, 4},
    {"ARRAY_REMOVE", "AX", "A", ref_array_remove, true, 4},
    {"SLICE", "AII", "A", ref_array_slice, true, 6},
    {"MAP_KEYS", "P", "Z", ref_map_keys, false, 4},
    {"MAP_VALUES", "P", "A", ref_map_values, false, 4},
    {"MAP_UNION", "PP", "P", ref_map_union, true, 4},
    {"AS_MAP", "ZA", "P", ref_map_as_map, false, 4},
};

const uint32_t ref_function_count = sizeof ref_functions / sizeof ref_functions[0];
