/*
 * number_parse.c - text to numbers.
 *
 * Doubles are correctly rounded in three steps, each for what the one before leaves open:
 *   1. mantissa below 2^53 and a power of ten that a double holds: one multiplication or division
 *      rounds once (W. Clinger, "How to read floating point numbers accurately", 1990)
 *   2. mantissa of 64 bits times a 128-bit power of ten gives enough bits to round by, always
 *      (D. Lemire, "Number parsing at a gigabyte per second", 2021; N. Mushtak and D. Lemire, "Fast
 *      number parsing without fallback", 2023)
 *   3. more than 19 digits where the dropped ones could matter: all digits are compared as one big
 *      integer with the midpoints around the guess of step 2
 */
#include <assert.h>

#include "data/number_impl.h"
#include "data/number_text.h"

/* == Integers == */

bool number_parse_i64(Bytes text, int64_t *value) {
    assert(value);
    const uint8_t *at = text.data, *end = at + text.size;
    if (text.size == 0)
        return false;
    bool negative = *at == '-';
    at += negative || *at == '+';
    if (at == end)
        return false;
    uint64_t magnitude = 0, limit = (uint64_t)INT64_MAX + negative;
    for (; at < end; at++) {
        uint8_t digit = (uint8_t)(*at - '0');
        if (digit > 9 || magnitude > (limit - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* == Taking apart == */

/* Collects significant digits; what is over 19 of them only moves the exponent. */
typedef struct NumberDigits {
    uint64_t mantissa;
    uint32_t count;
    uint32_t dropped;
    bool truncated;
} NumberDigits;

static const uint8_t *number_take_digits(const uint8_t *at, const uint8_t *end,
                                         NumberDigits *digits) {
    assert(at <= end);
    for (; at < end; at++) {
        uint8_t digit = (uint8_t)(*at - '0');
        if (digit > 9)
            break;
        if (digits->count < NUMBER_DIGITS_MAX) {
            digits->mantissa = digits->mantissa * 10 + digit;
            digits->count += digits->mantissa != 0;
        } else {
            digits->dropped++;
            digits->truncated |= digit != 0;
        }
    }
    return at;
}

/* [sign] digits; saturates far outside the range of doubles. NULL: no digit. */
static const uint8_t *number_take_exponent(const uint8_t *at, const uint8_t *end,
                                           int64_t *exponent) {
    assert(at <= end && exponent);
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    const uint8_t *first = at;
    int64_t value = 0;
    for (; at < end && (uint8_t)(*at - '0') <= 9; at++)
        if (value < 100000000)
            value = value * 10 + (*at - '0');
    *exponent = negative ? -value : value;
    return at == first ? NULL : at;
}

const uint8_t *number_take_apart(const uint8_t *at, const uint8_t *end, NumberParts *parts) {
    assert(parts);
    NumberDigits digits = {0};
    const uint8_t *first = at;
    at = number_take_digits(at, end, &digits);
    int64_t exponent = digits.dropped, seen = at - first;
    if (at < end && *at == '.') {
        const uint8_t *point = ++at;
        at = number_take_digits(at, end, &digits);
        seen += at - point;
        exponent = (int64_t)digits.dropped - (at - point);
    }
    if (seen == 0)
        return NULL;
    if (at < end && (*at | 0x20) == 'e') {
        int64_t written;
        at = number_take_exponent(at + 1, end, &written);
        if (!at)
            return NULL;
        exponent += written;
    }
    int64_t limit = INT32_MAX / 2;
    exponent = exponent > limit ? limit : exponent < -limit ? -limit : exponent;
    *parts = (NumberParts){digits.mantissa, (int32_t)exponent, digits.truncated};
    return at;
}

/* == Rounding by 128 bits == */

static double number_from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t number_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static const uint64_t number_infinity_bits = (uint64_t)0x7ff << 52;

__extension__ typedef unsigned __int128 NumberWide;

/* Bits of the double nearest to mantissa * 10^exponent; mantissa is not 0. */
static uint64_t number_round(uint64_t mantissa, int32_t exponent) {
    assert(mantissa != 0);
    if (exponent < NUMBER_POWER_MIN)
        return 0;
    if (exponent > 308)
        return number_infinity_bits;
    int zeros = __builtin_clzll(mantissa);
    mantissa <<= zeros;
    NumberPower power = number_powers[exponent - NUMBER_POWER_MIN];
    NumberWide product = (NumberWide)mantissa * power.high;
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if ((high & 0x1ff) == 0x1ff) { /* the lower half could still carry into the bits we keep */
        product += (NumberWide)mantissa * power.low >> 64;
        high = (uint64_t)(product >> 64);
        low = (uint64_t)product;
    }
    int top = (int)(high >> 63), shift = top + 9;
    uint64_t bits = high >> shift; /* 54 bits: 53 and one to round by */
    int binary = ((217706 * exponent) >> 16) + 63 + top - zeros + 1023;
    if (binary <= 0) { /* subnormal */
        if (binary <= -63)
            return 0;
        bits >>= 1 - binary;
        bits = (bits + (bits & 1)) >> 1;
        return bits; /* 2^52 is the bit pattern of the smallest normal number */
    }
    /* A tie is exact only for these powers, and goes to the even neighbour. */
    if (low <= 1 && exponent >= -4 && exponent <= 23 && (bits & 3) == 1 && bits << shift == high)
        bits &= ~(uint64_t)1;
    bits = (bits + (bits & 1)) >> 1;
    if (bits >> 53) {
        bits >>= 1;
        binary++;
    }
    if (binary >= 0x7ff)
        return number_infinity_bits;
    return (uint64_t)binary << 52 | (bits & ~((uint64_t)1 << 52));
}

/* == Rounding by all digits == */

/* 800 digits, or 54 bits times 5^1142, or what is shifted to their size: 2,700 bits. */
enum { NUMBER_WORDS = 64, NUMBER_EXACT_DIGITS = 800 };

typedef struct NumberBig {
    uint64_t word[NUMBER_WORDS]; /* lowest first */
    uint32_t size;
} NumberBig;

static void big_multiply_add(NumberBig *big, uint64_t factor, uint64_t carry) {
    assert(big->size <= NUMBER_WORDS);
    for (uint32_t i = 0; i < big->size; i++) {
        NumberWide product = (NumberWide)big->word[i] * factor + carry;
        big->word[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    if (carry) {
        assert(big->size < NUMBER_WORDS);
        big->word[big->size++] = carry;
    }
}

static void big_multiply_power_5(NumberBig *big, uint32_t exponent) {
    for (; exponent >= 27; exponent -= 27)
        big_multiply_add(big, 7450580596923828125U, 0); /* 5^27, the most that 64 bits hold */
    uint64_t rest = 1;
    for (; exponent > 0; exponent--)
        rest *= 5;
    big_multiply_add(big, rest, 0);
}

static void big_shift_left(NumberBig *big, uint32_t bits) {
    assert(bits < 64 * NUMBER_WORDS);
    uint32_t words = bits / 64;
    if (big->size > 0 && words > 0) {
        assert(big->size + words <= NUMBER_WORDS);
        memmove(big->word + words, big->word, big->size * sizeof *big->word);
        memset(big->word, 0, words * sizeof *big->word);
        big->size += words;
    }
    big_multiply_add(big, (uint64_t)1 << bits % 64, 0);
}

static int big_compare(const NumberBig *left, const NumberBig *right) {
    if (left->size != right->size)
        return left->size < right->size ? -1 : 1;
    for (uint32_t i = left->size; i-- > 0;)
        if (left->word[i] != right->word[i])
            return left->word[i] < right->word[i] ? -1 : 1;
    return 0;
}

/* All digits of `text` as an integer, *exponent being its power of ten. Digits after the 800th
 * count as one digit 1: no midpoint has more than 767. */
static void big_from_text(NumberBig *big, Bytes text, int64_t *exponent) {
    assert(text.size > 0);
    const uint8_t *at = text.data, *end = at + text.size;
    uint32_t kept = 0;
    int64_t after_point = 0, dropped = 0;
    bool point = false, rest = false;
    *big = (NumberBig){0};
    for (; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        after_point += point;
        if (kept < NUMBER_EXACT_DIGITS) {
            big_multiply_add(big, 10, (uint64_t)(*at - '0'));
            kept += big->size != 0;
        } else {
            dropped++;
            rest |= *at != '0';
        }
    }
    if (rest) {
        big_multiply_add(big, 10, 1);
        dropped--;
    }
    int64_t written = 0;
    if (at < end)
        number_take_exponent(at + 1, end, &written);
    *exponent = written - after_point + dropped;
}

/* Compares the number with the middle between the doubles of `bits` and `bits` + 1. */
static int number_compare_middle(Bytes text, uint64_t bits) {
    assert(bits < number_infinity_bits);
    NumberBig left, right = {0};
    int64_t exponent;
    big_from_text(&left, text, &exponent);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int64_t binary = (int64_t)(bits >> 52);
    fraction |= binary > 0 ? (uint64_t)1 << 52 : 0;
    int64_t power = (binary > 0 ? binary : 1) - 1075 - 1; /* of the middle, 2 * fraction + 1 */
    big_multiply_add(&right, 0, 2 * fraction + 1);
    if (exponent >= 0)
        big_multiply_power_5(&left, (uint32_t)exponent);
    else
        big_multiply_power_5(&right, (uint32_t)-exponent);
    int64_t shift = exponent - power;
    if (shift >= 0)
        big_shift_left(&left, (uint32_t)shift);
    else
        big_shift_left(&right, (uint32_t)-shift);
    return big_compare(&left, &right);
}

/* `bits` is the answer or a near neighbour of it. */
static uint64_t number_round_exactly(Bytes text, uint64_t bits) {
    assert(bits <= number_infinity_bits);
    if (bits == number_infinity_bits)
        bits--;
    for (;;) {
        int order = number_compare_middle(text, bits);
        if (order == 0)
            return bits + (bits & 1);
        if (order > 0) {
            if (++bits == number_infinity_bits)
                return bits;
            continue;
        }
        if (bits == 0)
            return bits;
        order = number_compare_middle(text, bits - 1);
        if (order > 0)
            return bits;
        if (order == 0)
            return bits - (bits & 1);
        bits--;
    }
}

/* == Doubles == */

static const double number_exact_powers[] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

double number_to_double(const NumberParts *parts, Bytes text) {
    uint64_t mantissa = parts->mantissa;
    int32_t exponent = parts->exponent;
    assert(mantissa != 0 || !parts->truncated);
    if (mantissa >> 53 == 0 && exponent >= -22 && exponent <= 22 && !parts->truncated)
        return exponent < 0 ? (double)mantissa / number_exact_powers[-exponent]
                            : (double)mantissa * number_exact_powers[exponent];
    if (mantissa == 0)
        return 0;
    uint64_t bits = number_round(mantissa, exponent);
    if (parts->truncated && bits != number_round(mantissa + 1, exponent))
        bits = number_round_exactly(text, bits);
    return number_from_bits(bits);
}

bool number_parse_double(Bytes text, double *value) {
    assert(value);
    const uint8_t *at = text.data, *end = at + text.size;
    bool negative = text.size > 0 && *at == '-';
    if (text.size > 0 && (*at == '-' || *at == '+'))
        at++;
    NumberParts parts;
    if (text.size == 0 || number_take_apart(at, end, &parts) != end)
        return false;
    double magnitude = number_to_double(&parts, (Bytes){at, (uint32_t)(end - at)});
    *value = number_from_bits(number_bits(magnitude) | (uint64_t)negative << 63);
    return true;
}
