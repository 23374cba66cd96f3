/*
 * decimal_double.c - decimals to binary floating point and back.
 *
 * To a double: the fraction magnitude / 10^scale is divided out to at least 64 bits, a flag says
 * whether anything is left behind them, and that is rounded once, to the nearest, ties to even.
 * From a double: through its shortest text, as BigDecimal.valueOf does it.
 */
#include <assert.h>
#include <math.h>

#include "data/decimal_impl.h"
#include "data/number_text.h"

enum {
    DOUBLE_BITS = 53,
    TEXT_SIZE = 128,         /* Double.toString needs 24 */
    POWERS_OF_TEN_EXACT = 22, /* 10^22 is the largest that is a double */
};

static const double double_power[POWERS_OF_TEN_EXACT + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* The highest 64 bits, the lowest of them set when anything below is. */
static uint64_t wide_top(const DecimalWide *wide, uint32_t bits, bool more) {
    assert(bits >= 64);
    uint32_t limb = (bits - 64) / 64;
    uint32_t shift = (bits - 64) % 64;
    uint64_t top = wide->limb[limb] >> shift;
    if (shift > 0) {
        top |= wide->limb[limb + 1] << (64 - shift);
        more |= wide->limb[limb] << (64 - shift) != 0;
    }
    for (uint32_t i = 0; i < limb; i++)
        more |= wide->limb[i] != 0;
    return top | more;
}

/* top * 2^exponent to the nearest double; the highest bit of `top` is set. */
static double round_top(uint64_t top, int exponent) {
    int spare = 64 - DOUBLE_BITS;
    uint64_t mantissa = top >> spare;
    uint64_t rest = top & ((1U << spare) - 1);
    uint64_t half = 1U << (spare - 1);
    if (rest > half || (rest == half && (mantissa & 1)))
        mantissa++;
    return ldexp((double)mantissa, exponent + spare);
}

double decimal_to_double(Decimal value, uint32_t scale) {
    assert(scale <= DECIMAL_PRECISION_MAX);
    if (decimal_is_i64(value) && scale <= POWERS_OF_TEN_EXACT) {
        int64_t low = (int64_t)value.word[0];
        if (low >= -((int64_t)1 << DOUBLE_BITS) && low <= (int64_t)1 << DOUBLE_BITS)
            return (double)low / double_power[scale]; /* both exact: one rounding */
    }
    DecimalWide quotient = decimal_wide_of(decimal_magnitude(value));
    DecimalWide divisor = decimal_wide_of(decimal_power[scale]);
    DecimalWide rest;
    if (decimal_wide_is_zero(&quotient))
        return 0.0;
    uint32_t bits = decimal_wide_bits(&quotient);
    uint32_t needed = decimal_wide_bits(&divisor) + 64;
    uint32_t shift = bits < needed ? needed - bits : 0;
    decimal_wide_shift(&quotient, shift);
    decimal_wide_divide(&quotient, &divisor, &rest);
    bits = decimal_wide_bits(&quotient);
    uint64_t top = wide_top(&quotient, bits, !decimal_wide_is_zero(&rest));
    double magnitude = round_top(top, (int)bits - 64 - (int)shift);
    return decimal_is_negative(value) ? -magnitude : magnitude;
}

/* Double.toString() in `room`. */
static Bytes double_text(double value, uint8_t room[TEXT_SIZE]) {
    Buf text = {.data = room, .capacity = TEXT_SIZE};
    assert(isfinite(value));
    number_print_double(&text, value);
    assert(text.data == room); /* or it would have moved to the heap */
    return buf_view(&text);
}

bool decimal_from_double(double value, uint32_t precision, uint32_t scale, Decimal *result) {
    uint8_t room[TEXT_SIZE];
    return isfinite(value) &&
           decimal_parse_round(double_text(value, room), precision, scale, result);
}

int decimal_compare_double(Decimal left, uint32_t scale, double right) {
    uint8_t room[TEXT_SIZE];
    Decimal value;
    uint32_t precision, right_scale;
    if (decimal_parse(double_text(right, room), &value, &precision, &right_scale))
        return decimal_compare(left, scale, value, right_scale);
    return right > 0 ? -1 : 1; /* more digits than any decimal has */
}
