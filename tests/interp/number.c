/*
 * number.c - numbers of the interpreter: texts, exact decimals, ksqlDB's decimal arithmetic.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/interp/tree.h"

/* == Doubles == */

/* At least two digits are looked for, as Java does it: 4.9E-324. */
static void shortest_digits(double value, char digits[32], int *exponent) {
    char text[40];
    for (int count = 2; count <= 17; count++) {
        snprintf(text, sizeof text, "%.*e", count - 1, value);
        if (strtod(text, NULL) == value)
            break;
    }
    char *mark = strchr(text, 'e');
    *exponent = (int)strtol(mark + 1, NULL, 10);
    int count = 0;
    for (const char *at = text; at < mark; at++) {
        if (*at != '.')
            digits[count++] = *at;
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = 0;
}

char *ref_double_text(double value) {
    char *text = ref_alloc(48), digits[32];
    RefOut out = {.text = text, .room = 48};
    int exponent;
    if (isnan(value) || isinf(value)) {
        ref_out(&out, "%s", isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        return out.text;
    }
    if (signbit(value))
        ref_out(&out, "-");
    value = fabs(value);
    if (value == 0) {
        ref_out(&out, "0.0");
        return out.text;
    }
    shortest_digits(value, digits, &exponent);
    int count = (int)strlen(digits);
    if (exponent >= 7 || exponent < -3) {
        ref_out(&out, "%c.%sE%d", digits[0], count > 1 ? digits + 1 : "0", exponent);
        return out.text;
    }
    if (exponent < 0) {
        ref_out(&out, "0.%.*s%s", -exponent - 1, "00", digits);
        return out.text;
    }
    for (int i = 0; i <= exponent; i++)
        ref_out(&out, "%c", i < count ? digits[i] : '0');
    ref_out(&out, ".%s", count > exponent + 1 ? digits + exponent + 1 : "0");
    return out.text;
}

RefExact ref_double_exact(double value) {
    RefExact exact;
    RefValue text = ref_of_ascii(ref_double_text(value));
    if (!ref_parse_exact(text.text, &exact))
        abort();
    return exact;
}

double ref_exact_double(RefExact exact) {
    char *digits = mpz_get_str(NULL, 10, exact.unscaled);
    RefOut out = {0};
    ref_out_bytes(&out, digits, strlen(digits));
    ref_out(&out, "e%ld", -exact.scale);
    return strtod(out.text, NULL);
}

/* == Texts == */

RefText ref_trim(RefText text) {
    while (text.size > 0 && text.units[0] <= ' ') {
        text.units++;
        text.size--;
    }
    while (text.size > 0 && text.units[text.size - 1] <= ' ')
        text.size--;
    return text;
}

bool ref_parse_integer(RefText text, int64_t min, int64_t max, int64_t *value) {
    bool sign = text.size > 0 && (text.units[0] == '+' || text.units[0] == '-');
    mpz_ptr sum = ref_mpz();
    if (text.size == sign)
        return false;
    for (uint32_t i = sign; i < text.size; i++) {
        if (text.units[i] < '0' || text.units[i] > '9')
            return false;
        mpz_mul_ui(sum, sum, 10);
        mpz_add_ui(sum, sum, (unsigned long)(text.units[i] - '0'));
    }
    if (sign && text.units[0] == '-')
        mpz_neg(sum, sum);
    if (mpz_cmp_si(sum, min) < 0 || mpz_cmp_si(sum, max) > 0)
        return false;
    *value = mpz_get_si(sum);
    return true;
}

/* [sign] digits [. digits] [e [sign] digits], one digit at least; false: not that. */
static bool split_number(RefText text, char *digits, long *scale) {
    uint32_t at = 0, count = 0;
    bool point = false;
    *scale = 0;
    if (at < text.size && (text.units[at] == '+' || text.units[at] == '-'))
        *digits++ = (char)text.units[at++];
    for (; at < text.size; at++) {
        uint16_t unit = text.units[at];
        if (unit == '.' && !point) {
            point = true;
        } else if (unit >= '0' && unit <= '9') {
            digits[count++] = (char)unit;
            *scale += point;
        } else {
            break;
        }
    }
    digits[count] = 0;
    if (count == 0)
        return false;
    if (at == text.size)
        return true;
    int64_t exponent;
    RefText rest = {.units = text.units + at + 1, .size = text.size - at - 1};
    if ((text.units[at] | 0x20) != 'e' ||
        !ref_parse_integer(rest, -INT32_MAX, INT32_MAX, &exponent))
        return false;
    *scale -= exponent;
    return true;
}

bool ref_parse_exact(RefText text, RefExact *exact) {
    char *digits = ref_alloc(text.size + 2u);
    mpz_ptr value = ref_mpz();
    if (!split_number(text, digits, &exact->scale))
        return false;
    mpz_set_str(value, digits[0] == '+' ? digits + 1 : digits, 10);
    exact->unscaled = value;
    return true;
}

bool ref_parse_double(RefText text, double *value, bool *vague) {
    char *digits = ref_alloc(text.size + 2u), *plain = ref_alloc(text.size + 1u);
    long scale;
    for (uint32_t i = 0; i < text.size; i++) {
        uint16_t unit = text.units[i];
        /* Java also reads 1.5d, 1.5f, 0x1p3. */
        *vague |= (unit | 0x20) == 'd' || (unit | 0x20) == 'f' || (unit | 0x20) == 'x';
        plain[i] = unit < 128 ? (char)unit : '?';
    }
    if (!split_number(text, digits, &scale))
        return false;
    *value = strtod(plain, NULL);
    return true;
}

/* == Exact decimals == */

RefExact ref_exact_of(const RefType *type, const RefValue *value) {
    if (type->kind == REF_DECIMAL)
        return (RefExact){value->decimal, type->scale};
    if (type->kind == REF_DOUBLE)
        return ref_double_exact(value->real);
    mpz_ptr number = ref_mpz();
    mpz_set_si(number, value->integer);
    return (RefExact){number, 0};
}

static mpz_srcptr times_ten(mpz_srcptr value, long power) {
    mpz_ptr result = ref_mpz();
    mpz_mul(result, value, ref_ten((int)power));
    return result;
}

int ref_compare_exact(RefExact left, RefExact right) {
    if (left.scale < right.scale)
        left.unscaled = times_ten(left.unscaled, right.scale - left.scale);
    else if (right.scale < left.scale)
        right.unscaled = times_ten(right.unscaled, left.scale - right.scale);
    return mpz_cmp(left.unscaled, right.unscaled);
}

bool ref_fit(RefExact exact, const RefType *type, RefValue *out) {
    mpz_ptr value = ref_mpz();
    long less = exact.scale - type->scale;
    if (mpz_sgn(exact.unscaled) == 0 || less > ref_digits(exact.unscaled) + 1) {
        *out = ref_of_decimal(value);
        return true;
    }
    if (less < -1000)
        return false;
    if (less <= 0) {
        mpz_mul(value, exact.unscaled, ref_ten((int)-less));
    } else {
        /* Half up: |x| + 0.5, cut off. */
        mpz_ptr half = ref_mpz();
        mpz_tdiv_q_ui(half, ref_ten((int)less), 2);
        mpz_abs(value, exact.unscaled);
        mpz_add(value, value, half);
        mpz_tdiv_q(value, value, ref_ten((int)less));
        if (mpz_sgn(exact.unscaled) < 0)
            mpz_neg(value, value);
    }
    if (mpz_cmpabs(value, ref_ten(type->precision)) >= 0)
        return false;
    *out = ref_of_decimal(value);
    return true;
}

/* Without the zeros at its end, down to `least` digits behind the point. */
static RefExact stripped(RefExact exact, long least) {
    mpz_ptr value = ref_mpz();
    mpz_set(value, exact.unscaled);
    while (mpz_sgn(value) != 0 && exact.scale > least && mpz_divisible_ui_p(value, 10)) {
        mpz_divexact_ui(value, value, 10);
        exact.scale--;
    }
    return (RefExact){value, exact.scale};
}

/* left / right where that ends within `precision` digits. */
static bool exact_quotient(RefExact left, RefExact right, int precision, RefExact *quotient) {
    mpz_ptr value = ref_mpz(), rest = ref_mpz();
    long more = precision + ref_digits(right.unscaled) + 3;
    mpz_tdiv_qr(value, rest, times_ten(left.unscaled, more), right.unscaled);
    if (mpz_sgn(rest) != 0)
        return false;
    *quotient = stripped((RefExact){value, left.scale - right.scale + more}, -2000);
    return ref_digits(quotient->unscaled) <= precision;
}

/* left - n * right, where the whole number n must have no more than `precision` digits before the
 * zeros at its end. */
static bool exact_remainder(RefExact left, RefExact right, int precision, RefExact *remainder) {
    long scale = left.scale > right.scale ? left.scale : right.scale;
    mpz_ptr whole = ref_mpz(), rest = ref_mpz();
    mpz_tdiv_qr(whole, rest, times_ten(left.unscaled, scale - left.scale),
                times_ten(right.unscaled, scale - right.scale));
    *remainder = (RefExact){rest, scale};
    return ref_digits(stripped((RefExact){whole, 0}, -2000).unscaled) <= precision;
}

bool ref_decimal_arithmetic(char op, RefExact left, RefExact right, const RefType *type,
                            RefValue *out) {
    long scale = left.scale > right.scale ? left.scale : right.scale;
    mpz_ptr value = ref_mpz();
    RefExact exact = {value, scale};
    mpz_srcptr a = op == '*' ? left.unscaled : times_ten(left.unscaled, scale - left.scale);
    mpz_srcptr b = op == '*' ? right.unscaled : times_ten(right.unscaled, scale - right.scale);
    if (op == '+') {
        mpz_add(value, a, b);
    } else if (op == '-') {
        mpz_sub(value, a, b);
    } else if (op == '*') {
        mpz_mul(value, a, b);
        exact.scale = left.scale + right.scale;
    } else {
        if (mpz_sgn(right.unscaled) == 0)
            return false;
        if (mpz_sgn(left.unscaled) == 0)
            exact.scale = 0;
        else if (op == '/' ? !exact_quotient(left, right, type->precision, &exact)
                           : !exact_remainder(left, right, type->precision, &exact))
            return false;
    }
    exact = stripped(exact, type->scale);
    if (exact.scale > type->scale)
        return false;
    /* A remainder may be a dividend of one digit more than its type, and is not rounded. */
    RefType room = *type;
    room.precision += op == '%' && type->precision < 76;
    return ref_fit(exact, &room, out);
}
