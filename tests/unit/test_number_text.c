/*
 * test_number_text.c - numbers to text and back: the texts that Java gives, every double its own
 * text, and the C library as the judge of what a text means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "data/number_impl.h"
#include "data/number_text.h"

static uint64_t dice(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x9e3779b97f4a7c15U;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static const char *printed(double value) {
    static char text[64];
    Buf buf = {0};
    number_print_double(&buf, value);
    snprintf(text, sizeof text, "%s", buf_cstr(&buf));
    buf_free(&buf);
    return text;
}

static void test_layout_is_java(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"}, {-0.0, "-0.0"}, {1, "1.0"}, {-2.5, "-2.5"}, {100, "100.0"},
        {9999999, "9999999.0"}, {10000000, "1.0E7"}, {12345678, "1.2345678E7"},
        {9999999.999999998, "9999999.999999998"}, {1e10, "1.0E10"}, {1.5e300, "1.5E300"},
        {0.001, "0.001"}, {0.00123, "0.00123"}, {0.000999, "9.99E-4"}, {1e-5, "1.0E-5"},
        {0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"}, {123.456, "123.456"},
        {2e23, "2.0E23"}, {9007199254740993.0, "9.007199254740992E15"},
        {1.7976931348623157e308, "1.7976931348623157E308"},
        {2.2250738585072014e-308, "2.2250738585072014E-308"},
        {4.9e-324, "4.9E-324"}, {9.9e-324, "9.9E-324"}, {1.5e-323, "1.5E-323"},
        {NAN, "NaN"}, {INFINITY, "Infinity"}, {-INFINITY, "-Infinity"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(printed(cases[i].value), cases[i].text);
}

/* Fewer digits never read back as the same number. */
static void check_shortest(double value, const char *text) {
    char shorter[64];
    int digits = 0;
    for (const char *at = text; *at && *at != 'E'; at++)
        digits += *at >= '0' && *at <= '9';
    if (text[0] == '0')
        digits -= (int)strspn(text, "0.") - 1; /* zeros before the first digit do not count */
    if (digits <= 2)
        return; /* Java prints two in any case */
    if (text[strlen(text) - 2] == '.')
        return; /* 100.0 */
    snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
    assert_false(strtod(shorter, NULL) == value);
}

static double random_double(uint64_t *seed, uint32_t i) {
    uint64_t bits = dice(seed) & INT64_MAX;
    switch (i % 5) {
    case 0: return double_of(bits & (((uint64_t)1 << 52) - 1)); /* subnormal */
    case 1: return (double)(bits % 100000000) / 100;
    case 2: return double_of(bits & ~(((uint64_t)1 << 52) - 1)); /* power of two */
    case 3: return (double)(bits >> dice(seed) % 63);
    default: return double_of(bits);
    }
}

static void test_every_double_comes_back(void **state) {
    (void)state;
    uint64_t seed = 88172645463325252U;
    for (uint32_t i = 0; i < 40000; i++) {
        double value = random_double(&seed, i), again = -1;
        if (!isfinite(value))
            continue;
        const char *text = printed(value);
        assert_true(strtod(text, NULL) == value);
        assert_true(number_parse_double(bytes_of(text), &again));
        assert_true(again == value);
        if (value > 0)
            check_shortest(value, text);
    }
}

static void same_as_c(const char *text) {
    double value;
    assert_true(number_parse_double(bytes_of(text), &value));
    double expected = strtod(text, NULL);
    if (memcmp(&value, &expected, sizeof value) != 0)
        fail_msg("%s: %.17g, not %.17g", text, value, expected);
}

static void test_any_text_is_rounded_right(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (uint32_t i = 0; i < 20000; i++) {
        char text[1024], *at = text;
        uint32_t length = 1 + (uint32_t)(dice(&seed) % (i % 20 == 0 ? 900 : 25));
        uint32_t point = (uint32_t)(dice(&seed) % (2 * length));
        for (uint32_t k = 0; k < length; k++) {
            *at++ = (char)('0' + dice(&seed) % 10);
            if (k == point && k + 1 < length)
                *at++ = '.';
        }
        *at = '\0';
        if (i % 2)
            snprintf(at, 16, "e%d", (int)(dice(&seed) % 700) - 370);
        same_as_c(text);
    }
}

/* The exact middle between two doubles, and a digit below and above it. */
static void test_middles(void **state) {
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 1500; i++) {
        uint64_t bits = dice(&seed) & INT64_MAX;
        if (i % 4 == 0)
            bits &= ((uint64_t)1 << 52) - 1;
        if (i % 4 == 1) /* small exponents, where products are exact */
            bits = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)(1003 + bits % 140) << 52;
        if (bits >> 52 >= 0x7fe)
            continue;
        long double middle = ((long double)double_of(bits) + (long double)double_of(bits + 1)) / 2;
        char text[1300];
        snprintf(text, sizeof text, "%.1100Le", middle);
        char *exponent = strchr(text, 'e');
        same_as_c(text);
        exponent[-1] = '1';
        same_as_c(text);
        char *digit = exponent - 2;
        while (*digit == '0' || *digit == '.')
            digit--;
        --*digit;
        same_as_c(text);
    }
}

static void test_edges_of_doubles(void **state) {
    (void)state;
    static const char *const texts[] = {
        "0", "-0", "0e999999999999", "1e-999999999999", "1e999999999999", "4.9e-324", "2.4e-324",
        "2.5e-324", "1.7976931348623157e308", "1.7976931348623158e308", "1.797693134862315808e308",
        "2.2250738585072011e-308", "9007199254740993", "9007199254740992.5", "1e23", ".5", "5.",
        "+1.5E+2", "-1.5e-2", "00012.50", "123456789012345678901234567890",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000012345",
        "8.41e+21", "9.5367431640625e-7", "22250738585072014e-324",
        "247032822920623272088284396434110686182e-362", /* over half of the least by a little */
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        same_as_c(texts[i]);
}

static void test_what_is_no_number(void **state) {
    (void)state;
    static const char *const texts[] = {"", "-", "+", ".", "e5", "1e", "1e+", "1.5x", " 1", "1 ",
                                        "0x10", "NaN", "Infinity", "--1", "1..2", "1e5.0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value;
        if (number_parse_double(bytes_of(texts[i]), &value))
            fail_msg("'%s' is no number", texts[i]);
    }
}

static void check_integer(const char *text, bool ok, int64_t expected) {
    int64_t value = 42;
    if (number_parse_i64(bytes_of(text), &value) != ok || (ok && value != expected))
        fail_msg("'%s'", text);
}

static void test_integers(void **state) {
    (void)state;
    check_integer("0", true, 0);
    check_integer("-0", true, 0);
    check_integer("+17", true, 17);
    check_integer("007", true, 7);
    check_integer("9223372036854775807", true, INT64_MAX);
    check_integer("-9223372036854775808", true, INT64_MIN);
    static const char *const wrong[] = {"9223372036854775808", "-9223372036854775809", "", "-",
                                        "+", "1.0", "1e3", " 1", "12a", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_integer(wrong[i], false, 0);
    uint64_t seed = 3;
    Buf buf = {0};
    for (int i = 0; i < 5000; i++) {
        int64_t value = (int64_t)(dice(&seed) >> dice(&seed) % 64);
        value = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : i % 2 ? value : -value;
        buf_reset(&buf);
        number_print_i64(&buf, value);
        char text[32];
        snprintf(text, sizeof text, "%lld", (long long)value);
        assert_string_equal(buf_cstr(&buf), text);
        check_integer(text, true, value);
    }
    buf_free(&buf);
}

/* Digits with zeros in front, so that there is one before the point; then the point. */
static void test_scaled_integers(void **state) {
    (void)state;
    uint64_t seed = 3;
    for (uint32_t i = 0; i < 20000; i++) {
        int64_t value = (int64_t)(dice(&seed) >> dice(&seed) % 64);
        value = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : i % 2 ? value : -value;
        uint32_t scale = i < 2 ? 8 : (uint32_t)(dice(&seed) % (NUMBER_SCALE_MAX + 1));
        uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
        uint8_t found[NUMBER_I64_ROOM + 1];
        *number_put_scaled(found, value, scale) = 0;
        char digits[32], expected[40];
        int width = (int)scale + 1;
        int count = snprintf(digits, sizeof digits, "%0*llu", width, (unsigned long long)magnitude);
        int whole = count - (int)scale;
        snprintf(expected, sizeof expected, "%s%.*s%s%s", value < 0 ? "-" : "", whole, digits,
                 scale > 0 ? "." : "", digits + whole);
        assert_string_equal(found, expected);
    }
}

/* Each power of ten times ten is the next, but for the last bits that were rounded off. */
static void test_powers(void **state) {
    (void)state;
    __extension__ typedef unsigned __int128 Wide;
    for (int e = NUMBER_POWER_MIN; e < NUMBER_POWER_MAX; e++) {
        NumberPower power = number_powers[e - NUMBER_POWER_MIN];
        NumberPower next = number_powers[e + 1 - NUMBER_POWER_MIN];
        assert_true(power.high >> 63 == 1);
        Wide low = (Wide)power.low * 10, high = (Wide)power.high * 10 + (uint64_t)(low >> 64);
        /* 132 bits: the product without its lowest 3 or 4. */
        int shift = (uint64_t)(high >> 64) >> 3 ? 4 : 3;
        uint64_t top = (uint64_t)(high >> shift);
        uint64_t rest = (uint64_t)high << (64 - shift) | (uint64_t)low >> shift;
        Wide expected = (Wide)top << 64 | rest, found = (Wide)next.high << 64 | next.low;
        Wide distance = expected > found ? expected - found : found - expected;
        assert_true(distance <= (e >= 0 && e < 55 ? 0 : 2));
    }
    assert_true(number_powers[-NUMBER_POWER_MIN].high == (uint64_t)1 << 63);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout_is_java),
        cmocka_unit_test(test_every_double_comes_back),
        cmocka_unit_test(test_any_text_is_rounded_right),
        cmocka_unit_test(test_middles),
        cmocka_unit_test(test_edges_of_doubles),
        cmocka_unit_test(test_what_is_no_number),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_scaled_integers),
        cmocka_unit_test(test_powers),
    };
    return cmocka_run_group_tests_name("number_text", tests, NULL, NULL);
}
