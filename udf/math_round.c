/*
 * math_round.c - ROUND, TRUNC, CEIL, FLOOR of DOUBLE and DECIMAL.
 *
 * A tie of ROUND goes toward positive infinity: 1.5 is 2, -1.5 is -1. A DOUBLE is rounded as its
 * shortest decimal text, so that ROUND(1.005, 2) is 1.01. DECIMALs are split by division with one
 * unit of the wanted place into what is kept and a remainder, which decides.
 */
#include <math.h>
#include <stdio.h>

#include "base/limits.h"
#include "data/decimal.h"
#include "data/number_text.h"
#include "udf/function_impl.h"

typedef enum RoundMode { ROUND_HALF, ROUND_TRUNC, ROUND_CEIL, ROUND_FLOOR } RoundMode;

/* == DOUBLE to BIGINT == */

/* Java's (long): toward zero, NaN is 0, what is too large ends at the limit. */
static int64_t round_to_i64(double value) {
    if (!(value >= -9223372036854775808.0))
        return value < 0 ? INT64_MIN : 0;
    return value < 9223372036854775808.0 ? (int64_t)value : INT64_MAX;
}

void math_round_f64(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++) {
        double value = call->args[0]->f64[call->rows[i]], whole = floor(value);
        function_put_i64(call, call->rows[i],
                         round_to_i64(value - whole >= 0.5 ? whole + 1 : whole));
    }
}

void math_trunc_f64(const FunctionCall *call) {
    assert(call->arg_count == 1);
    for (uint32_t i = 0; i < call->row_count; i++)
        function_put_i64(call, call->rows[i], round_to_i64(call->args[0]->f64[call->rows[i]]));
}

/* == DOUBLE to places == */

typedef struct RoundDigits {
    int64_t digits; /* of the shortest text, at most 17 of them */
    int32_t exponent;
} RoundDigits;

static RoundDigits round_digits(double value, Buf *buf) {
    RoundDigits result = {0};
    buf_reset(buf);
    number_print_double(buf, value);
    bool point = false;
    uint32_t i = 0;
    for (; i < buf->size && buf->data[i] != 'E'; i++) {
        if (buf->data[i] == '.') {
            point = true;
        } else if (buf->data[i] >= '0' && buf->data[i] <= '9') {
            result.digits = result.digits * 10 + (buf->data[i] - '0');
            result.exponent -= point;
        }
    }
    int64_t exponent = 0;
    if (i < buf->size)
        number_parse_i64((Bytes){buf->data + i + 1, (uint32_t)(buf->size - i - 1)}, &exponent);
    result.exponent += (int32_t)exponent;
    return result;
}

static double round_places(double value, int32_t places, RoundMode mode, Buf *buf) {
    assert(isfinite(value));
    if (value == 0)
        return 0; /* without a sign */
    RoundDigits parts = round_digits(fabs(value), buf);
    int64_t drop = -(int64_t)places - parts.exponent;
    if (drop <= 0)
        return value;
    int64_t unit = 1, kept = 0, rest = parts.digits;
    for (int64_t i = 0; i < drop && i < 18; i++)
        unit *= 10;
    if (drop <= 18) {
        kept = parts.digits / unit;
        rest = parts.digits % unit;
    }
    bool tie_up = value > 0; /* toward positive infinity */
    bool half = drop <= 18 && (rest > unit / 2 || (rest == unit / 2 && tie_up));
    if (mode == ROUND_HALF && half)
        kept++;
    buf_reset(buf);
    buf_printf(buf, "%lldE%lld", (long long)kept, -(long long)places);
    double result = 0;
    bool parsed = kept == 0 || number_parse_double(buf_view(buf), &result);
    assert(parsed);
    (void)parsed;
    return value < 0 && result != 0 ? -result : result;
}

static void round_all_f64(const FunctionCall *call, RoundMode mode) {
    Buf buf = {0};
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        int32_t places = call->args[1]->i32[row];
        double value = call->args[0]->f64[row];
        if (isfinite(value))
            function_put_f64(call, row, round_places(value, places, mode, &buf));
        else
            call->fail(call->context, row, "infinity and NaN have no places to round to");
    }
    buf_free(&buf);
}

void math_round_f64_places(const FunctionCall *call) {
    assert(call->arg_count == 2);
    round_all_f64(call, ROUND_HALF);
}

void math_trunc_f64_places(const FunctionCall *call) {
    assert(call->arg_count == 2);
    round_all_f64(call, ROUND_TRUNC);
}

/* == DECIMAL == */

/* Unscaled values as integers of 76 digits. */
static const Type round_type = {.kind = TYPE_DECIMAL, .precision = DECIMAL_PRECISION_MAX};

/* Whether one unit more than the truncated value is right. */
static bool round_away(Decimal rest, Decimal unit, int sign, RoundMode mode) {
    Decimal twice;
    if (decimal_sign(rest) == 0)
        return false;
    switch (mode) {
    case ROUND_TRUNC: return false;
    case ROUND_CEIL: return sign > 0;
    case ROUND_FLOOR: return sign < 0;
    case ROUND_HALF: break;
    }
    Decimal size = sign < 0 ? decimal_negate(rest) : rest;
    if (!decimal_subtract(unit, 0, size, 0, &round_type, &twice))
        return false;
    int order = decimal_compare(size, 0, twice, 0); /* with what is left of the unit */
    return order > 0 || (order == 0 && sign > 0);
}

/* The same where the unit has more digits than any decimal: away from 0 there is no result. */
static bool round_away_far(Decimal value, int64_t drop, RoundMode mode) {
    Decimal half;
    int sign = decimal_sign(value);
    if (mode != ROUND_HALF)
        return mode == ROUND_CEIL ? sign > 0 : mode == ROUND_FLOOR && sign < 0;
    bool known = decimal_rescale_exact(decimal_from_i64(5), 0, DECIMAL_PRECISION_MAX - 1,
                                       DECIMAL_PRECISION_MAX, &half);
    assert(known && drop >= DECIMAL_PRECISION_MAX);
    (void)known;
    int order = decimal_compare(sign < 0 ? decimal_negate(value) : value, 0, half, 0);
    return drop == DECIMAL_PRECISION_MAX && (order > 0 || (order == 0 && sign > 0));
}

/* The value at its own scale, rounded to `places` behind the point. false: it does not fit. */
static bool round_decimal(Decimal value, uint32_t scale, int32_t places, RoundMode mode,
                          Decimal *result) {
    int64_t drop = (int64_t)scale - places;
    int sign = decimal_sign(value);
    Decimal unit, rest;
    *result = value;
    if (drop <= 0 || sign == 0)
        return true;
    if (drop >= DECIMAL_PRECISION_MAX) {
        *result = decimal_from_i64(0);
        return !round_away_far(value, drop, mode);
    }
    if (!decimal_rescale_exact(decimal_from_i64(1), 0, (uint32_t)drop, DECIMAL_PRECISION_MAX,
                               &unit))
        return false;
    if (!decimal_modulus(value, 0, unit, 0, &round_type, &rest) ||
        !decimal_subtract(value, 0, rest, 0, &round_type, result))
        return false;
    if (!round_away(rest, unit, sign, mode))
        return true;
    return sign > 0 ? decimal_add(*result, 0, unit, 0, &round_type, result)
                    : decimal_subtract(*result, 0, unit, 0, &round_type, result);
}

/* places NULL: to whole numbers. The result is at the argument's scale, or at 0 where the type of
 * the result says so. As in ksqlDB it may have one digit more than that type: 9.5, a DECIMAL(2, 1),
 * is 10 as DECIMAL(1, 0). Any column has room for it: 10^18 in 8 bytes, 10^38 in 16. */
static void round_all_decimals(const FunctionCall *call, const int32_t *places, RoundMode mode) {
    const Type *from = call->args[0]->type, *to = call->result->type;
    const uint8_t *source = call->args[0]->data;
    uint8_t *target = call->result->data;
    uint32_t digits = to->precision < DECIMAL_PRECISION_MAX ? to->precision + 1 : to->precision;
    for (uint32_t i = 0; i < call->row_count; i++) {
        uint32_t row = call->rows[i];
        Decimal value = decimal_load(source + (size_t)row * type_width(from), from->precision);
        if (!round_decimal(value, from->scale, places ? places[row] : 0, mode, &value) ||
            !decimal_rescale_exact(value, from->scale, to->scale, digits, &value)) {
            call->fail(call->context, row, "the result has more digits than its type");
            continue;
        }
        decimal_store(target + (size_t)row * type_width(to), to->precision, value);
        column_set_present(call->result, row);
    }
}

void math_round_decimal(const FunctionCall *call) {
    assert(call->arg_count <= 2);
    round_all_decimals(call, call->arg_count == 2 ? call->args[1]->i32 : NULL, ROUND_HALF);
}

void math_trunc_decimal(const FunctionCall *call) {
    assert(call->arg_count <= 2);
    round_all_decimals(call, call->arg_count == 2 ? call->args[1]->i32 : NULL, ROUND_TRUNC);
}

void math_ceil_decimal(const FunctionCall *call) {
    assert(call->arg_count == 1);
    round_all_decimals(call, NULL, ROUND_CEIL);
}

void math_floor_decimal(const FunctionCall *call) {
    assert(call->arg_count == 1);
    round_all_decimals(call, NULL, ROUND_FLOOR);
}

void math_abs_decimal(const FunctionCall *call) {
    const Type *type = call->result->type;
    assert(type->kind == TYPE_DECIMAL);
    const uint8_t *source = call->args[0]->data;
    uint8_t *target = call->result->data;
    for (uint32_t i = 0; i < call->row_count; i++) {
        size_t at = (size_t)call->rows[i] * type_width(type);
        Decimal value = decimal_load(source + at, type->precision);
        decimal_store(target + at, type->precision,
                      decimal_sign(value) < 0 ? decimal_negate(value) : value);
        column_set_present(call->result, call->rows[i]);
    }
}
