/*
 * function_number.c - rounding, logarithms, bytes as numbers, and steps of time.
 */
#include <math.h>
#include <string.h>

#include "tests/interp/function.h"

/* Ties go up: -1.5 becomes -1. Down: toward zero. */
static void to_places(mpz_ptr value, long drop, bool cut) {
    mpz_ptr rest = ref_mpz(), half = ref_mpz();
    if (drop <= 0)
        return;
    if (drop > ref_digits(value) + 1) {
        mpz_set_ui(value, 0);
        return;
    }
    mpz_srcptr one = ref_ten((int)drop);
    mpz_fdiv_qr(value, rest, value, one);
    bool negative = mpz_sgn(value) < 0;
    mpz_fdiv_q_ui(half, one, 2);
    if (cut ? negative && mpz_sgn(rest) != 0 : mpz_cmp(rest, half) >= 0)
        mpz_add_ui(value, value, 1);
    mpz_mul(value, value, one);
}

/* The value with `places` digits behind the point. */
static RefExact rounded(RefExact exact, int64_t places, bool cut) {
    mpz_ptr value = ref_mpz();
    mpz_set(value, exact.unscaled);
    to_places(value, exact.scale - (long)places, cut);
    return (RefExact){value, exact.scale};
}

static bool round_decimal(const RefCall *call, bool cut, RefValue *out) {
    int64_t places = call->count > 1 ? call->args[1].integer : 0;
    call->run->vague |= places > 1000;
    RefExact exact = rounded(ref_exact_of(call->types[0], &call->args[0]), places, cut);
    if (ref_fit(exact, call->type, out))
        return true;
    call->run->vague = true; /* 9.9 as a DECIMAL(1, 0) */
    *out = ref_missing();
    return true;
}

static bool round_real(const RefCall *call, bool cut, RefValue *out) {
    double value = call->args[0].real;
    if (call->count > 1) {
        if (!isfinite(value))
            return ref_throw(call->run);
        call->run->vague |= call->args[1].integer > 1000;
        RefExact exact = rounded(ref_double_exact(value), call->args[1].integer, cut);
        *out = ref_of_real(ref_exact_double(exact));
        return true;
    }
    double whole = cut ? trunc(value) : floor(value);
    if (!cut && value - whole >= 0.5)
        whole += 1;
    int64_t number = isnan(whole)                       ? 0
                     : whole >= 9223372036854775808.0   ? INT64_MAX
                     : whole <= -9223372036854775808.0  ? INT64_MIN
                                                        : (int64_t)whole;
    *out = ref_of_integer(number);
    return true;
}

static bool round_any(const RefCall *call, bool cut, RefValue *out) {
    if (call->types[0]->kind == REF_DECIMAL)
        return round_decimal(call, cut, out);
    if (call->types[0]->kind == REF_DOUBLE)
        return round_real(call, cut, out);
    *out = call->args[0];
    return true;
}

bool ref_number_round(const RefCall *call, RefValue *out) {
    return round_any(call, false, out);
}

bool ref_number_trunc(const RefCall *call, RefValue *out) {
    return round_any(call, true, out);
}

static double real(const RefCall *call, uint32_t index) {
    bool is_real = call->types[index]->kind == REF_DOUBLE;
    return is_real ? call->args[index].real : (double)call->args[index].integer;
}

bool ref_number_log(const RefCall *call, RefValue *out) {
    double base = real(call, 0);
    bool none = base <= 0 || base == 1;
    *out = ref_of_real(none ? NAN : log(real(call, 1)) / log(base));
    return true;
}

bool ref_number_cot(const RefCall *call, RefValue *out) {
    *out = ref_of_real(cos(real(call, 0)) / sin(real(call, 0)));
    return true;
}

/* == Bytes as numbers == */

static bool number_of_bytes(const RefCall *call, uint32_t size, uint64_t *bits) {
    RefText bytes = call->args[0].text;
    bool little = false;
    *bits = 0;
    if (call->count > 1) {
        RefText order = call->args[1].text;
        little = ref_compare_text(order, ref_of_ascii("LITTLE_ENDIAN").text) == 0;
        if (!little && ref_compare_text(order, ref_of_ascii("BIG_ENDIAN").text) != 0)
            return ref_throw(call->run);
    }
    if (bytes.size != size)
        return ref_throw(call->run);
    for (uint32_t i = 0; i < size; i++)
        *bits = *bits << 8 | bytes.bytes[little ? size - 1 - i : i];
    return true;
}

bool ref_bytes_int(const RefCall *call, RefValue *out) {
    uint64_t bits;
    if (!number_of_bytes(call, 4, &bits))
        return false;
    *out = ref_of_integer((int32_t)(uint32_t)bits);
    return true;
}

bool ref_bytes_bigint(const RefCall *call, RefValue *out) {
    uint64_t bits;
    if (!number_of_bytes(call, 8, &bits))
        return false;
    *out = ref_of_integer((int64_t)bits);
    return true;
}

bool ref_bytes_double(const RefCall *call, RefValue *out) {
    uint64_t bits;
    double value;
    if (!number_of_bytes(call, 8, &bits))
        return false;
    memcpy(&value, &bits, sizeof value);
    *out = ref_of_real(value);
    return true;
}

/* == Steps of time == */

static bool time_step(const RefCall *call, int sign, RefValue *out) {
    static const char *const names[] = {"MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS"};
    static const int64_t sizes[] = {1, 1000, 60000, 3600000, 86400000};
    int64_t step = 0;
    for (int i = 0; i < 5; i++) {
        if (ref_compare_text(call->args[0].text, ref_of_ascii(names[i]).text) == 0)
            step = sizes[i];
    }
    step *= sign * call->args[1].integer; /* at most 2^31 days: fits */
    int64_t value = call->args[2].integer;
    RefKind kind = call->type->kind;
    if (kind == REF_TIMESTAMP) {
        int64_t sum;
        call->run->vague |= __builtin_add_overflow(value, step, &sum);
        *out = ref_of_integer(sum);
    } else if (kind == REF_TIME) {
        int64_t sum = (value + step % 86400000) % 86400000;
        *out = ref_of_integer(sum < 0 ? sum + 86400000 : sum);
    } else {
        int64_t days = (value * 86400000 + step) / 86400000;
        call->run->vague |= days != (int32_t)days;
        *out = ref_of_integer((int32_t)days);
    }
    return true;
}

bool ref_time_add(const RefCall *call, RefValue *out) {
    return time_step(call, 1, out);
}

bool ref_time_subtract(const RefCall *call, RefValue *out) {
    return time_step(call, -1, out);
}

/* == Distance == */

static bool is_unit(RefText unit, const char *const *names, int count) {
    for (int i = 0; i < count; i++) {
        uint32_t at = 0;
        while (at < unit.size && names[i][at] && (unit.units[at] | 0x20) == (uint16_t)names[i][at])
            at++;
        if (at == unit.size && !names[i][at])
            return true;
    }
    return false;
}

static double haversine(double angle) {
    return pow(sin(angle / 2), 2);
}

/* Latitude and longitude twice, and a unit. */
bool ref_geo_distance(const RefCall *call, RefValue *out) {
    static const char *const miles[] = {"mi", "mile", "miles"};
    static const char *const kilometers[] = {"km",        "kilometer",  "kilometers",
                                             "kilometre", "kilometres"};
    const double degree = 0.017453292519943295;
    double at[4], radius = 6371;
    for (uint32_t i = 0; i < 4; i++) {
        if (!call->args[i].present)
            return ref_null_argument(call);
    }
    for (uint32_t i = 0; i < 4; i++) {
        at[i] = call->args[i].real;
        if (fabs(at[i]) > (i % 2 ? 180 : 90))
            return ref_throw(call->run);
    }
    if (call->count > 4 && call->args[4].present) {
        RefText unit = ref_trim(call->args[4].text);
        if (is_unit(unit, miles, 3))
            radius = 3959;
        else if (unit.size > 0 && !is_unit(unit, kilometers, 5))
            return ref_throw(call->run);
    }
    double a = haversine((at[2] - at[0]) * degree) +
               haversine((at[3] - at[1]) * degree) * cos(at[0] * degree) * cos(at[2] * degree);
    *out = ref_of_real(2 * asin(sqrt(a)) * radius);
    return true;
}
