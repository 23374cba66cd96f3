/*
 * decimal_wide.c - unsigned integers of 256 and 512 bits: see decimal_impl.h.
 *
 * Schoolbook multiplication and long division on 64-bit limbs. Leading zero limbs are skipped, so
 * numbers of everyday size cost one or two steps.
 */
#include <assert.h>

#include "data/decimal_impl.h"

Decimal decimal_magnitude(Decimal value) {
    return decimal_is_negative(value) ? decimal_negate(value) : value;
}

int decimal_magnitude_compare(Decimal left, Decimal right) {
    for (int i = 3; i >= 0; i--) {
        if (left.word[i] != right.word[i])
            return left.word[i] < right.word[i] ? -1 : 1;
    }
    return 0;
}

void decimal_magnitude_step(Decimal *magnitude, uint64_t factor, uint64_t addend) {
    uint64_t carry = addend;
    for (int i = 0; i < 4; i++) {
        Uint128 step = (Uint128)magnitude->word[i] * factor + carry;
        magnitude->word[i] = (uint64_t)step;
        carry = (uint64_t)(step >> 64);
    }
    assert(carry == 0);
}

static uint64_t limbs_divide_small(uint64_t *limbs, uint32_t count, uint64_t divisor) {
    uint64_t rest = 0;
    for (uint32_t i = count; i-- > 0;) {
        Uint128 part = (Uint128)rest << 64 | limbs[i];
        limbs[i] = (uint64_t)(part / divisor);
        rest = (uint64_t)(part % divisor);
    }
    return rest;
}

uint64_t decimal_magnitude_divide(Decimal *magnitude, uint64_t divisor) {
    assert(divisor != 0);
    return limbs_divide_small(magnitude->word, 4, divisor);
}

static uint32_t limbs_used(const uint64_t *limbs, uint32_t count) {
    while (count > 0 && limbs[count - 1] == 0)
        count--;
    return count;
}

DecimalWide decimal_wide_of(Decimal magnitude) {
    DecimalWide wide = {{0}};
    memcpy(wide.limb, magnitude.word, sizeof magnitude.word);
    return wide;
}

DecimalWide decimal_wide_product(Decimal left, Decimal right) {
    DecimalWide product = {{0}};
    uint32_t left_count = limbs_used(left.word, 4);
    uint32_t right_count = limbs_used(right.word, 4);
    for (uint32_t i = 0; i < left_count; i++) {
        uint64_t carry = 0;
        for (uint32_t k = 0; k < right_count; k++) {
            Uint128 step = (Uint128)left.word[i] * right.word[k] + product.limb[i + k] + carry;
            product.limb[i + k] = (uint64_t)step;
            carry = (uint64_t)(step >> 64);
        }
        product.limb[i + right_count] = carry;
    }
    return product;
}

bool decimal_wide_is_zero(const DecimalWide *wide) {
    return limbs_used(wide->limb, DECIMAL_WIDE_LIMBS) == 0;
}

int decimal_wide_compare(const DecimalWide *left, const DecimalWide *right) {
    for (int i = DECIMAL_WIDE_LIMBS - 1; i >= 0; i--) {
        if (left->limb[i] != right->limb[i])
            return left->limb[i] < right->limb[i] ? -1 : 1;
    }
    return 0;
}

void decimal_wide_add(DecimalWide *left, const DecimalWide *right) {
    uint64_t carry = 0;
    for (int i = 0; i < DECIMAL_WIDE_LIMBS; i++) {
        Uint128 sum = (Uint128)left->limb[i] + right->limb[i] + carry;
        left->limb[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    assert(carry == 0);
}

void decimal_wide_subtract(DecimalWide *left, const DecimalWide *right) {
    uint64_t borrow = 0;
    for (int i = 0; i < DECIMAL_WIDE_LIMBS; i++) {
        Uint128 difference = (Uint128)left->limb[i] - right->limb[i] - borrow;
        left->limb[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    assert(borrow == 0);
}

/* wide * factor; false: over 512 bits. */
static bool wide_multiply_small(DecimalWide *wide, uint64_t factor) {
    uint64_t carry = 0;
    for (int i = 0; i < DECIMAL_WIDE_LIMBS; i++) {
        Uint128 step = (Uint128)wide->limb[i] * factor + carry;
        wide->limb[i] = (uint64_t)step;
        carry = (uint64_t)(step >> 64);
    }
    return carry == 0;
}

bool decimal_wide_raise(DecimalWide *wide, uint32_t places) {
    if (decimal_wide_is_zero(wide))
        return true;
    for (; places > 19; places -= 19) {
        if (!wide_multiply_small(wide, decimal_power[19].word[0]))
            return false;
    }
    return wide_multiply_small(wide, decimal_power[places].word[0]);
}

/* Shifts up by less than a limb into target[count + 1]. */
static void limbs_shift(uint64_t *target, const uint64_t *source, uint32_t count, int bits) {
    uint64_t carry = 0;
    for (uint32_t i = 0; i < count; i++) {
        target[i] = source[i] << bits | carry;
        carry = bits == 0 ? 0 : source[i] >> (64 - bits);
    }
    target[count] = carry;
}

/* part[0..count] -= divisor[0..count) * digit; true: it went below zero. */
static bool limbs_submultiply(uint64_t *part, const uint64_t *divisor, uint32_t count,
                              uint64_t digit) {
    uint64_t carry = 0;
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < count; i++) {
        Uint128 product = (Uint128)divisor[i] * digit + carry;
        carry = (uint64_t)(product >> 64);
        Uint128 difference = (Uint128)part[i] - (uint64_t)product - borrow;
        part[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    Uint128 difference = (Uint128)part[count] - carry - borrow;
    part[count] = (uint64_t)difference;
    return (uint64_t)(difference >> 64) & 1;
}

static void limbs_add_back(uint64_t *part, const uint64_t *divisor, uint32_t count) {
    uint64_t carry = 0;
    for (uint32_t i = 0; i < count; i++) {
        Uint128 sum = (Uint128)part[i] + divisor[i] + carry;
        part[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    part[count] += carry;
}

/* One digit of long division: guess it from the two highest limbs (at most one too many after the
 * correction), subtract, and take the one back where needed. */
static uint64_t limbs_divide_step(uint64_t *part, const uint64_t *divisor, uint32_t count) {
    Uint128 top = (Uint128)part[count] << 64 | part[count - 1];
    Uint128 guess = top / divisor[count - 1];
    Uint128 rest = top % divisor[count - 1];
    while (guess >> 64 || guess * divisor[count - 2] > (rest << 64 | part[count - 2])) {
        guess--;
        rest += divisor[count - 1];
        if (rest >> 64)
            break;
    }
    if (limbs_submultiply(part, divisor, count, (uint64_t)guess)) {
        guess--;
        limbs_add_back(part, divisor, count);
    }
    return (uint64_t)guess;
}

void decimal_wide_divide(DecimalWide *wide, const DecimalWide *divisor, DecimalWide *rest) {
    uint32_t count = limbs_used(divisor->limb, DECIMAL_WIDE_LIMBS);
    uint32_t used = limbs_used(wide->limb, DECIMAL_WIDE_LIMBS);
    assert(count > 0);
    if (used < count) {
        *rest = *wide;
        *wide = (DecimalWide){{0}};
        return;
    }
    if (count == 1) {
        *rest = (DecimalWide){{limbs_divide_small(wide->limb, used, divisor->limb[0])}};
        return;
    }
    int bits = __builtin_clzll(divisor->limb[count - 1]);
    uint64_t part[DECIMAL_WIDE_LIMBS + 1];
    uint64_t scaled[DECIMAL_WIDE_LIMBS + 1];
    limbs_shift(part, wide->limb, used, bits);
    limbs_shift(scaled, divisor->limb, count, bits);
    *wide = (DecimalWide){{0}};
    for (uint32_t i = used - count + 1; i-- > 0;)
        wide->limb[i] = limbs_divide_step(part + i, scaled, count);
    *rest = (DecimalWide){{0}};
    for (uint32_t i = 0; i < count; i++)
        rest->limb[i] = part[i] >> bits | (bits == 0 ? 0 : part[i + 1] << (64 - bits));
}

bool decimal_wide_lower(DecimalWide *wide, uint32_t places, bool half_up) {
    if (places == 0 || decimal_wide_is_zero(wide))
        return true;
    DecimalWide power = {{1}};
    if (places >= DECIMAL_PLACES_MAX || !decimal_wide_raise(&power, places)) {
        *wide = (DecimalWide){{0}};
        return false;
    }
    DecimalWide rest;
    decimal_wide_divide(wide, &power, &rest);
    if (decimal_wide_is_zero(&rest))
        return true;
    decimal_wide_subtract(&power, &rest);
    if (half_up && decimal_wide_compare(&rest, &power) >= 0)
        decimal_wide_add(wide, &(DecimalWide){{1}});
    return false;
}

uint32_t decimal_wide_bits(const DecimalWide *wide) {
    uint32_t used = limbs_used(wide->limb, DECIMAL_WIDE_LIMBS);
    return used == 0 ? 0 : used * 64 - (uint32_t)__builtin_clzll(wide->limb[used - 1]);
}

void decimal_wide_shift(DecimalWide *wide, uint32_t bits) {
    assert(decimal_wide_bits(wide) + bits <= 64 * DECIMAL_WIDE_LIMBS);
    uint32_t limbs = bits / 64;
    for (uint32_t i = DECIMAL_WIDE_LIMBS; i-- > 0;)
        wide->limb[i] = i >= limbs ? wide->limb[i - limbs] : 0;
    uint64_t shifted[DECIMAL_WIDE_LIMBS + 1];
    limbs_shift(shifted, wide->limb, DECIMAL_WIDE_LIMBS, (int)(bits % 64));
    memcpy(wide->limb, shifted, sizeof wide->limb);
}

bool decimal_wide_narrow(const DecimalWide *wide, bool negative, uint32_t precision,
                         Decimal *result) {
    assert(precision <= DECIMAL_PRECISION_MAX);
    if (limbs_used(wide->limb, DECIMAL_WIDE_LIMBS) > 4)
        return false;
    Decimal magnitude;
    memcpy(magnitude.word, wide->limb, sizeof magnitude.word);
    if (decimal_magnitude_compare(magnitude, decimal_power[precision]) >= 0)
        return false;
    *result = negative ? decimal_negate(magnitude) : magnitude;
    return true;
}
