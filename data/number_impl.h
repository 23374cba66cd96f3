/*
 * number_impl.h - the inside of number text: powers of ten, and numbers taken apart.
 */
#ifndef DATA_NUMBER_IMPL_H
#define DATA_NUMBER_IMPL_H

#include "base/bytes.h"

enum { NUMBER_POWER_MIN = -342, NUMBER_POWER_MAX = 324, NUMBER_DIGITS_MAX = 19 };

typedef struct NumberPower {
    uint64_t high;
    uint64_t low;
} NumberPower;

extern const NumberPower number_powers[NUMBER_POWER_MAX - NUMBER_POWER_MIN + 1];

/* A number as it is written, without its sign: mantissa * 10^exponent, where the mantissa has at
 * most 19 significant digits. `truncated`: digits other than 0 were dropped after them. */
typedef struct NumberParts {
    uint64_t mantissa;
    int32_t exponent;
    bool truncated;
} NumberParts;

/* Takes apart digits [. digits] [e [sign] digits] with at least one digit before the exponent;
 * returns where it ends, NULL: not a number. Exponents beyond the range of doubles saturate. */
const uint8_t *number_take_apart(const uint8_t *at, const uint8_t *end, NumberParts *parts);

/* Correctly rounded. `text` is the number without its sign, looked at when it was truncated. */
double number_to_double(const NumberParts *parts, Bytes text);

#endif
