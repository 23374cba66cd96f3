/*
 * decimal_impl.h - the inside of decimal: 512-bit magnitudes and powers of ten.
 *
 * A product of two decimals, or a decimal moved by 76 places, needs up to 509 bits. Such values
 * live in a DecimalWide, unsigned and lowest limb first; the sign is kept beside it. What does not
 * fit even there is reported, never cut.
 */
#ifndef DATA_DECIMAL_IMPL_H
#define DATA_DECIMAL_IMPL_H

#include "base/limits.h"
#include "data/decimal.h"

__extension__ typedef unsigned __int128 Uint128;
__extension__ typedef __int128 Int128;

enum { DECIMAL_WIDE_LIMBS = 8 };

/* 10^154 is the largest power in a DecimalWide: moved by more places, everything is gone. */
enum { DECIMAL_PLACES_MAX = 155 };

typedef struct DecimalWide {
    uint64_t limb[DECIMAL_WIDE_LIMBS];
} DecimalWide;

extern const Decimal decimal_power[DECIMAL_PRECISION_MAX + 1]; /* 10^n */

static inline bool decimal_is_negative(Decimal value) {
    return value.word[3] >> 63;
}

static inline bool decimal_is_zero(Decimal value) {
    return (value.word[0] | value.word[1] | value.word[2] | value.word[3]) == 0;
}

/* Whether the value is that of its lowest word, read as a signed integer. */
static inline bool decimal_is_i64(Decimal value) {
    uint64_t sign = (uint64_t)((int64_t)value.word[0] >> 63);
    return ((value.word[1] ^ sign) | (value.word[2] ^ sign) | (value.word[3] ^ sign)) == 0;
}

static inline Decimal decimal_from_i128(Int128 value) {
    uint64_t sign = value < 0 ? UINT64_MAX : 0;
    return (Decimal){{(uint64_t)value, (uint64_t)((Uint128)value >> 64), sign, sign}};
}

/* The absolute value, as an unsigned integer. */
Decimal decimal_magnitude(Decimal value);
int decimal_magnitude_compare(Decimal left, Decimal right);

DecimalWide decimal_wide_of(Decimal magnitude);
DecimalWide decimal_wide_product(Decimal left, Decimal right); /* of two magnitudes */
bool decimal_wide_is_zero(const DecimalWide *wide);
int decimal_wide_compare(const DecimalWide *left, const DecimalWide *right);
void decimal_wide_add(DecimalWide *left, const DecimalWide *right);      /* must not overflow */
void decimal_wide_subtract(DecimalWide *left, const DecimalWide *right); /* left >= right */

/* wide * 10^places; false: over 512 bits. */
bool decimal_wide_raise(DecimalWide *wide, uint32_t places);

/* wide := wide / 10^places, cut or rounded half up; whether it was exact. */
bool decimal_wide_lower(DecimalWide *wide, uint32_t places, bool half_up);

/* wide := wide / divisor, *rest := what is left. divisor is not zero. */
void decimal_wide_divide(DecimalWide *wide, const DecimalWide *divisor, DecimalWide *rest);

uint32_t decimal_wide_bits(const DecimalWide *wide); /* position of the highest bit, from 1 */
void decimal_wide_shift(DecimalWide *wide, uint32_t bits); /* up; nothing may fall out */

/* The 256-bit signed value; false where it has more than `precision` digits. */
bool decimal_wide_narrow(const DecimalWide *wide, bool negative, uint32_t precision,
                         Decimal *result);

/* magnitude := magnitude * factor + addend; the result must fit 256 bits. */
void decimal_magnitude_step(Decimal *magnitude, uint64_t factor, uint64_t addend);

/* magnitude := magnitude / divisor; returns what is left. */
uint64_t decimal_magnitude_divide(Decimal *magnitude, uint64_t divisor);

#endif
