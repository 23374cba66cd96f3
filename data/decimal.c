/*
 * decimal.c - storing, comparing, rescaling and computing with decimals.
 *
 * Every operation has two ways. Values that fit a machine word, by far the most, are computed in
 * 128 bits. The others become sign and 512-bit magnitude, in which nothing overflows that could
 * still fit a result; wide_finish() brings them back, or says that they do not fit.
 */
#include <assert.h>

#include "data/decimal_impl.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are copied as they lie");
_Static_assert(DECIMAL_PRECISION_MAX == 76, "10^76 is the largest power below 2^255");

enum { SMALL_PLACES_MAX = 18 }; /* 10^18 is the largest power below 2^63 */

/* A signed number on its way through an operation. */
typedef struct WideNumber {
    DecimalWide magnitude;
    bool negative;
} WideNumber;

static WideNumber wide_number(Decimal value) {
    return (WideNumber){decimal_wide_of(decimal_magnitude(value)), decimal_is_negative(value)};
}

uint32_t decimal_width(uint32_t precision) {
    assert(precision <= DECIMAL_PRECISION_MAX);
    return precision <= 18 ? 8 : precision <= 38 ? 16 : 32;
}

Decimal decimal_load(const void *source, uint32_t precision) {
    Decimal value;
    int64_t high;
    switch (decimal_width(precision)) { /* a size known here is one instruction, not a call */
    case 8:
        memcpy(&high, source, 8);
        return decimal_from_i64(high);
    case 16:
        memcpy(value.word, source, 16);
        value.word[2] = value.word[3] = (uint64_t)((int64_t)value.word[1] >> 63);
        return value;
    default:
        memcpy(value.word, source, 32);
        return value;
    }
}

void decimal_store(void *target, uint32_t precision, Decimal value) {
    assert(decimal_storable(value, precision));
    switch (decimal_width(precision)) {
    case 8: memcpy(target, value.word, 8); break;
    case 16: memcpy(target, value.word, 16); break;
    default: memcpy(target, value.word, 32);
    }
}

Decimal decimal_from_i64(int64_t value) {
    uint64_t sign = (uint64_t)(value >> 63);
    return (Decimal){{(uint64_t)value, sign, sign, sign}};
}

int decimal_sign(Decimal value) {
    return decimal_is_negative(value) ? -1 : !decimal_is_zero(value);
}

Decimal decimal_negate(Decimal value) {
    uint64_t carry = 1;
    for (int i = 0; i < 4; i++) {
        Uint128 word = (Uint128)~value.word[i] + carry;
        value.word[i] = (uint64_t)word;
        carry = (uint64_t)(word >> 64);
    }
    return value;
}

static uint64_t i64_magnitude(int64_t value) {
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

bool decimal_fits(Decimal value, uint32_t precision) {
    assert(precision <= DECIMAL_PRECISION_MAX);
    if (decimal_is_i64(value))
        return precision >= 19 ||
               i64_magnitude((int64_t)value.word[0]) < decimal_power[precision].word[0];
    return decimal_magnitude_compare(decimal_magnitude(value), decimal_power[precision]) < 0;
}

bool decimal_storable(Decimal value, uint32_t precision) {
    return decimal_fits(value, precision < DECIMAL_PRECISION_MAX ? precision + 1 : precision);
}

static bool i128_fits(Int128 value, uint32_t precision) {
    if (precision > 38)
        return true; /* 2^127 is 1.7e38 */
    Uint128 magnitude = value < 0 ? 0 - (Uint128)value : (Uint128)value;
    const uint64_t *word = decimal_power[precision].word;
    return magnitude < ((Uint128)word[1] << 64 | word[0]);
}

/* 10^places as an integer of one word. */
static int64_t small_power(uint32_t places) {
    assert(places <= SMALL_PLACES_MAX);
    return (int64_t)decimal_power[places].word[0];
}

/* A result of the short way: it fits its type, or the row has none. */
static bool i128_finish(Int128 value, uint32_t precision, Decimal *result) {
    if (!i128_fits(value, precision))
        return false;
    *result = decimal_from_i128(value);
    return true;
}

/* The number at scale `to`, exactly, as a decimal of that precision. */
static bool wide_finish(WideNumber *number, uint32_t from, uint32_t to, uint32_t precision,
                        Decimal *result) {
    if (to > from && !decimal_wide_raise(&number->magnitude, to - from))
        return false;
    if (to < from && !decimal_wide_lower(&number->magnitude, from - to, false))
        return false;
    return decimal_wide_narrow(&number->magnitude, number->negative, precision, result);
}

bool decimal_rescale_exact(Decimal value, uint32_t from, uint32_t to, uint32_t precision,
                           Decimal *result) {
    if (from == to) {
        *result = value;
        return decimal_fits(value, precision);
    }
    if (decimal_is_i64(value) && to > from && to - from <= SMALL_PLACES_MAX) {
        Int128 raised = (Int128)(int64_t)value.word[0] * small_power(to - from);
        return i128_finish(raised, precision, result);
    }
    WideNumber number = wide_number(value);
    return wide_finish(&number, from, to, precision, result);
}

bool decimal_rescale_round(Decimal value, uint32_t from, uint32_t to, uint32_t precision,
                           Decimal *result) {
    if (to >= from)
        return decimal_rescale_exact(value, from, to, precision, result);
    uint32_t places = from - to;
    if (places <= SMALL_PLACES_MAX && decimal_is_i64(value)) {
        int64_t unit = small_power(places);
        int64_t low = (int64_t)value.word[0];
        int64_t rest = low % unit;
        int64_t away = (rest >= unit / 2) - (rest <= -unit / 2);
        return i128_finish(low / unit + away, precision, result);
    }
    WideNumber number = wide_number(value);
    decimal_wide_lower(&number.magnitude, places, true);
    return decimal_wide_narrow(&number.magnitude, number.negative, precision, result);
}

/* Compares |left| * 10^places with |right|. */
static int magnitude_order(Decimal left, uint32_t places, Decimal right) {
    DecimalWide raised = decimal_wide_of(decimal_magnitude(left));
    if (!decimal_wide_raise(&raised, places))
        return 1;
    DecimalWide other = decimal_wide_of(decimal_magnitude(right));
    return decimal_wide_compare(&raised, &other);
}

int decimal_compare(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale) {
    if (left_scale == right_scale) {
        if (left.word[3] != right.word[3])
            return (int64_t)left.word[3] < (int64_t)right.word[3] ? -1 : 1;
        return decimal_magnitude_compare(left, right); /* one sign: as if unsigned */
    }
    int sign = decimal_sign(left);
    int right_sign = decimal_sign(right);
    if (sign != right_sign)
        return sign < right_sign ? -1 : 1;
    int order = left_scale <= right_scale
                    ? magnitude_order(left, right_scale - left_scale, right)
                    : -magnitude_order(right, left_scale - right_scale, left);
    return sign * order;
}

/* left + right, both at the scale of the larger of theirs. */
static bool wide_add(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                     const Type *type, Decimal *result) {
    WideNumber sum = wide_number(left);
    WideNumber other = wide_number(right);
    uint32_t scale = left_scale > right_scale ? left_scale : right_scale;
    assert(scale <= DECIMAL_PRECISION_MAX);
    bool in_range = decimal_wide_raise(&sum.magnitude, scale - left_scale) &&
                    decimal_wide_raise(&other.magnitude, scale - right_scale);
    assert(in_range);
    if (sum.negative == other.negative) {
        decimal_wide_add(&sum.magnitude, &other.magnitude);
    } else if (decimal_wide_compare(&sum.magnitude, &other.magnitude) >= 0) {
        decimal_wide_subtract(&sum.magnitude, &other.magnitude);
    } else {
        decimal_wide_subtract(&other.magnitude, &sum.magnitude);
        sum = other;
    }
    return wide_finish(&sum, scale, type->scale, type->precision, result);
}

bool decimal_add(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                 const Type *type, Decimal *result) {
    if (left_scale > right_scale)
        return decimal_add(right, right_scale, left, left_scale, type, result);
    uint32_t places = right_scale - left_scale;
    if (right_scale == type->scale && places <= SMALL_PLACES_MAX && decimal_is_i64(left) &&
        decimal_is_i64(right)) {
        Int128 sum = (Int128)(int64_t)left.word[0] * small_power(places) + (int64_t)right.word[0];
        return i128_finish(sum, type->precision, result);
    }
    return wide_add(left, left_scale, right, right_scale, type, result);
}

bool decimal_subtract(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                      const Type *type, Decimal *result) {
    return decimal_add(left, left_scale, decimal_negate(right), right_scale, type, result);
}

bool decimal_multiply(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                      const Type *type, Decimal *result) {
    uint32_t scale = left_scale + right_scale;
    if (scale == type->scale && decimal_is_i64(left) && decimal_is_i64(right)) {
        Int128 product = (Int128)(int64_t)left.word[0] * (int64_t)right.word[0];
        return i128_finish(product, type->precision, result);
    }
    WideNumber product = {
        decimal_wide_product(decimal_magnitude(left), decimal_magnitude(right)),
        decimal_is_negative(left) != decimal_is_negative(right),
    };
    return wide_finish(&product, scale, type->scale, type->precision, result);
}

/* The quotient needs left * 10^places / right. Where that numerator is over 512 bits the quotient
 * is over 256 and fits no type. */
static bool wide_divide(Decimal left, Decimal right, int32_t places, uint32_t precision,
                        Decimal *result) {
    WideNumber quotient = wide_number(left);
    WideNumber divisor = wide_number(right);
    quotient.negative = quotient.negative != divisor.negative;
    if (places >= 0 && !decimal_wide_raise(&quotient.magnitude, (uint32_t)places))
        return false;
    if (places < 0 && !decimal_wide_lower(&quotient.magnitude, (uint32_t)-places, false))
        return false;
    DecimalWide rest;
    decimal_wide_divide(&quotient.magnitude, &divisor.magnitude, &rest);
    return decimal_wide_is_zero(&rest) &&
           decimal_wide_narrow(&quotient.magnitude, quotient.negative, precision, result);
}

bool decimal_divide(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                    const Type *type, Decimal *result) {
    if (decimal_is_zero(right))
        return false;
    int32_t places = (int32_t)(type->scale + right_scale) - (int32_t)left_scale;
    if (places >= 0 && places <= SMALL_PLACES_MAX && decimal_is_i64(left) &&
        decimal_is_i64(right)) {
        Int128 numerator = (Int128)(int64_t)left.word[0] * small_power((uint32_t)places);
        int64_t divisor = (int64_t)right.word[0];
        Int128 quotient = numerator / divisor;
        return quotient * divisor == numerator && i128_finish(quotient, type->precision, result);
    }
    return wide_divide(left, right, places, type->precision, result);
}

/* Whether a number has at most that many digits, zeros at its end not counted. */
static bool wide_has_digits(DecimalWide number, uint32_t digits) {
    DecimalWide limit = decimal_wide_of(decimal_power[digits]);
    DecimalWide ten = {{10}};
    while (decimal_wide_compare(&number, &limit) >= 0) {
        DecimalWide rest;
        decimal_wide_divide(&number, &ten, &rest);
        if (!decimal_wide_is_zero(&rest))
            return false;
    }
    return true;
}

/* As ksqlDB, the whole quotient must have no more digits than the result type, though only what
 * it leaves is asked for; that may be a dividend with the digit more that ROUND added. */
bool decimal_modulus(Decimal left, uint32_t left_scale, Decimal right, uint32_t right_scale,
                     const Type *type, Decimal *result) {
    if (decimal_is_zero(right))
        return false;
    uint32_t rest_digits = type->precision < DECIMAL_PRECISION_MAX ? type->precision + 1U
                                                                   : type->precision;
    if (left_scale == right_scale && left_scale == type->scale && decimal_is_i64(left) &&
        decimal_is_i64(right) && (int64_t)right.word[0] != -1) {
        int64_t dividend = (int64_t)left.word[0];
        int64_t divisor = (int64_t)right.word[0];
        if (i128_fits(dividend / divisor, type->precision))
            return i128_finish(dividend % divisor, rest_digits, result);
    }
    WideNumber dividend = wide_number(left);
    WideNumber divisor = wide_number(right);
    uint32_t scale = left_scale > right_scale ? left_scale : right_scale;
    assert(scale <= DECIMAL_PRECISION_MAX);
    bool in_range = decimal_wide_raise(&dividend.magnitude, scale - left_scale) &&
                    decimal_wide_raise(&divisor.magnitude, scale - right_scale);
    assert(in_range);
    WideNumber rest = {.negative = dividend.negative};
    decimal_wide_divide(&dividend.magnitude, &divisor.magnitude, &rest.magnitude);
    return wide_has_digits(dividend.magnitude, type->precision) &&
           wide_finish(&rest, scale, type->scale, rest_digits, result);
}

int64_t decimal_to_i64(Decimal value, uint32_t scale) {
    if (scale == 0)
        return (int64_t)value.word[0];
    Decimal magnitude = decimal_magnitude(value);
    for (; scale > 19; scale -= 19)
        decimal_magnitude_divide(&magnitude, decimal_power[19].word[0]);
    decimal_magnitude_divide(&magnitude, decimal_power[scale].word[0]);
    uint64_t low = magnitude.word[0];
    return (int64_t)(decimal_is_negative(value) ? 0 - low : low);
}
