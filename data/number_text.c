/*
 * number_text.c - numbers to text.
 *
 * Doubles: the shortest digits that read back as the same number, the nearest of them, and at
 * least two, as Java's Double.toString since 19 (R. Giulietti, "The Schubfach way to render
 * doubles", 2021). The interval of decimals that round to the double is computed scaled by a
 * power of ten 10^-k so that its length is between 1 and 10 units; of the at most two multiples
 * of ten and two integers around the double, the first inside the interval is the answer.
 */
#include "data/number_text.h"

#include <assert.h>
#include <math.h>

#include "data/number_impl.h"

/* == Integers == */

static const char number_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

/* Writes the digits of `value` so that they end at `end`; returns where they begin. */
static uint8_t *number_write_u64(uint8_t *end, uint64_t value) {
    assert(end);
    while (value >= 100) {
        end -= 2;
        memcpy(end, number_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, number_pairs + value * 2, 2);
        return end;
    }
    *--end = (uint8_t)('0' + value);
    return end;
}

enum { NUMBER_EIGHT = 100000000 }; /* 10^8: what eight digits do not reach */

/* Eight digits as numbers 0 to 9, the first in the lowest byte: halves, then quarters, then each;
 * dividing by 100 and 10 is a multiplication in every part at once. */
static inline uint64_t number_eight_digits(uint64_t value) {
    uint64_t halves = value / 10000 | value % 10000 << 32;
    uint64_t hundreds = (halves * 10486 >> 20) & 0x0000007f0000007fU;
    uint64_t pairs = hundreds | (halves - 100 * hundreds) << 16;
    uint64_t tens = (pairs * 103 >> 10) & 0x000f000f000f000fU;
    return tens | (pairs - 10 * tens) << 8;
}

static inline void number_store_digits(uint8_t *at, uint64_t digits) {
    digits |= 0x3030303030303030U;
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    digits = __builtin_bswap64(digits);
#endif
    memcpy(at, &digits, sizeof digits);
}

static inline uint8_t *number_put_eight(uint8_t *at, uint64_t value) {
    assert(value < NUMBER_EIGHT);
    number_store_digits(at, number_eight_digits(value));
    return at + 8;
}

/* The same without zeros in front. */
static inline uint8_t *number_put_first(uint8_t *at, uint64_t value) {
    assert(value < NUMBER_EIGHT);
    uint64_t digits = number_eight_digits(value);
    uint32_t zeros = (uint32_t)__builtin_ctzll(digits | (uint64_t)1 << 56) / 8;
    number_store_digits(at, digits >> 8 * zeros);
    return at + 8 - zeros;
}

/* Eight digits are stored at a time, whether all of them count or not. */
static inline uint8_t *number_put_u64(uint8_t *at, uint64_t magnitude) {
    if (magnitude < NUMBER_EIGHT)
        return number_put_first(at, magnitude);
    uint64_t upper = magnitude / NUMBER_EIGHT;
    if (upper < NUMBER_EIGHT) {
        at = number_put_first(at, upper);
    } else {
        at = number_put_first(at, upper / NUMBER_EIGHT);
        at = number_put_eight(at, upper % NUMBER_EIGHT);
    }
    return number_put_eight(at, magnitude % NUMBER_EIGHT);
}

uint8_t *number_put_i64(uint8_t *at, int64_t value) {
    assert(at);
    if (value < 0)
        *at++ = '-';
    return number_put_u64(at, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

uint8_t *number_put_scaled(uint8_t *at, int64_t value, uint32_t scale) {
    static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
                                      NUMBER_EIGHT};
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    assert(at && scale <= NUMBER_SCALE_MAX);
    if (value < 0)
        *at++ = '-';
    at = number_put_u64(at, magnitude / powers[scale]);
    if (scale == 0)
        return at;
    *at++ = '.';
    uint64_t digits = number_eight_digits(magnitude % powers[scale]);
    number_store_digits(at, digits >> 8 * (NUMBER_SCALE_MAX - scale));
    return at + scale;
}

void number_print_i64(Buf *out, int64_t value) {
    uint8_t *at = buf_room(out, NUMBER_I64_ROOM);
    out->size += (size_t)(number_put_i64(at, value) - at);
}

/* == Shortest digits == */

__extension__ typedef unsigned __int128 NumberWide;

/* value = digits * 10^exponent */
typedef struct NumberShortest {
    uint64_t digits;
    int32_t exponent;
} NumberShortest;

/* floor(power * factor / 2^128) with the last bit set when anything was cut off. */
static uint64_t number_scale_odd(NumberPower power, uint64_t factor) {
    uint64_t low = (uint64_t)((NumberWide)power.low * factor >> 64);
    NumberWide product = (NumberWide)power.high * factor + low;
    return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

/* 10^exponent rounded up: the entries over 55 are rounded down, those from 0 are exact. */
static NumberPower number_power_up(int32_t exponent) {
    assert(exponent >= NUMBER_POWER_MIN && exponent <= NUMBER_POWER_MAX);
    NumberPower power = number_powers[exponent - NUMBER_POWER_MIN];
    if (exponent > 55) {
        power.low++;
        power.high += power.low == 0;
    }
    return power;
}

/* The double is fraction * 2^binary. `narrow`: the lower neighbour is half as far as the upper. */
static NumberShortest number_shortest(uint64_t fraction, int32_t binary, bool narrow) {
    uint64_t odd = fraction & 1;
    /* floor(log10(2^binary)), or of 3/4 of it. */
    int32_t k = (binary * 1262611 - (narrow ? 524031 : 0)) >> 22;
    int32_t shift = binary + ((-k * 1741647) >> 19) + 1;
    assert(shift >= 1 && shift <= 6);
    NumberPower power = number_power_up(-k);
    uint64_t middle = number_scale_odd(power, 4 * fraction << shift);
    uint64_t lower = number_scale_odd(power, (4 * fraction - 2 + narrow) << shift) + odd;
    uint64_t upper = number_scale_odd(power, (4 * fraction + 2) << shift) - odd;
    uint64_t unit = middle / 4;
    if (unit >= 100) {
        uint64_t ten = unit / 10 * 10;
        bool down = lower <= 4 * ten, up = 4 * ten + 40 <= upper;
        if (down != up)
            return (NumberShortest){up ? ten + 10 : ten, k};
    }
    bool down = lower <= 4 * unit, up = 4 * unit + 4 <= upper;
    if (down == up)
        up = middle > 4 * unit + 2 || (middle == 4 * unit + 2 && (unit & 1));
    return (NumberShortest){unit + up, k};
}

/* For a finite double above zero. */
static NumberShortest number_decimal(double value) {
    assert(value > 0 && isfinite(value));
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int32_t binary = (int32_t)(bits >> 52);
    if (binary == 0) {
        /* So that even the two smallest numbers have two digits: 4.9E-324, 9.9E-324. */
        NumberShortest result = number_shortest(fraction < 3 ? fraction * 10 : fraction, -1074,
                                                false);
        result.exponent -= fraction < 3;
        return result;
    }
    bool narrow = fraction == 0 && binary > 1;
    return number_shortest(fraction | (uint64_t)1 << 52, binary - 1075, narrow);
}

static void number_strip_zeros(NumberShortest *number) {
    assert(number->digits > 0);
    if (number->digits % 100000000 == 0) {
        number->digits /= 100000000;
        number->exponent += 8;
    }
    while (number->digits % 100 == 0) {
        number->digits /= 100;
        number->exponent += 2;
    }
    if (number->digits % 10 == 0) {
        number->digits /= 10;
        number->exponent++;
    }
}

/* == Java's layout == */

enum { NUMBER_DOUBLE_SIZE = 32 }; /* -1.2345678901234567E-308 has 24 */

static uint8_t *number_put(uint8_t *at, const void *source, size_t size) {
    memcpy(at, source, size);
    return at + size;
}

static uint8_t *number_put_zeros(uint8_t *at, int32_t count) {
    for (; count > 0; count--)
        *at++ = '0';
    return at;
}

/* d.dddE±x; the fraction has at least one digit. */
static uint8_t *number_put_scientific(uint8_t *at, const uint8_t *digits, int32_t count,
                                      int32_t exponent) {
    assert(count > 0);
    *at++ = digits[0];
    *at++ = '.';
    at = count > 1 ? number_put(at, digits + 1, (size_t)count - 1) : number_put_zeros(at, 1);
    *at++ = 'E';
    if (exponent < 0)
        *at++ = '-';
    uint8_t text[24], *end = text + sizeof text;
    uint8_t *first = number_write_u64(end, (uint64_t)(exponent < 0 ? -exponent : exponent));
    return number_put(at, first, (size_t)(end - first));
}

/* `point`: how many of the digits stand before the point. */
static uint8_t *number_put_plain(uint8_t *at, const uint8_t *digits, int32_t count,
                                 int32_t point) {
    assert(count > 0 && point > -8);
    if (point <= 0) {
        at = number_put(at, "0.", 2);
        at = number_put_zeros(at, -point);
        return number_put(at, digits, (size_t)count);
    }
    int32_t before = count < point ? count : point;
    at = number_put(at, digits, (size_t)before);
    at = number_put_zeros(at, point - before);
    *at++ = '.';
    if (count <= point)
        return number_put_zeros(at, 1);
    return number_put(at, digits + point, (size_t)(count - point));
}

static uint8_t *number_put_positive(uint8_t *at, double value) {
    assert(value > 0);
    NumberShortest number;
    if (value < 9007199254740992.0 && value == floor(value)) /* 2^53: an integer is its digits */
        number = (NumberShortest){(uint64_t)value, 0};
    else
        number = number_decimal(value);
    number_strip_zeros(&number);
    uint8_t text[24], *end = text + sizeof text;
    uint8_t *first = number_write_u64(end, number.digits);
    int32_t count = (int32_t)(end - first), point = count + number.exponent;
    if (point >= -2 && point <= 7) /* 1e-3 <= value < 1e7 */
        return number_put_plain(at, first, count, point);
    return number_put_scientific(at, first, count, point - 1);
}

void number_print_double(Buf *out, double value) {
    if (isnan(value)) {
        buf_text(out, "NaN");
        return;
    }
    uint8_t *start = buf_room(out, NUMBER_DOUBLE_SIZE), *at = start;
    if (signbit(value))
        *at++ = '-';
    value = fabs(value);
    if (isinf(value))
        at = number_put(at, "Infinity", 8);
    else if (value == 0)
        at = number_put(at, "0.0", 3);
    else
        at = number_put_positive(at, value);
    assert(at - start <= NUMBER_DOUBLE_SIZE);
    out->size += (size_t)(at - start);
}
