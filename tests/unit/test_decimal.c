/*
 * test_decimal.c - decimals: worked cases, laws that hold for random values, result types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "data/decimal.h"
#include "data/number_text.h"

static uint64_t chance_state = 0x9E3779B97F4A7C15U;

static uint64_t chance(void) {
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return chance_state;
}

/* A random decimal of at most `precision` digits; round ones, and all nines, come often. */
static Decimal random_decimal(uint32_t precision) {
    char text[80];
    uint32_t digits = 1 + (uint32_t)(chance() % precision);
    uint32_t shape = (uint32_t)(chance() % 4);
    uint32_t size = 0;
    Decimal value;
    uint32_t found, scale;
    if (chance() % 2)
        text[size++] = '-';
    for (uint32_t i = 0; i < digits; i++)
        text[size++] = shape == 0             ? '9'
                       : shape == 1 && i != 0 ? '0'
                                              : (char)('0' + chance() % 10);
    assert_true(decimal_parse((Bytes){(uint8_t *)text, size}, &value, &found, &scale));
    assert_int_equal(scale, 0);
    return value;
}

typedef struct Number {
    Decimal value;
    uint32_t precision, scale;
} Number;

static Number number_of(const char *text) {
    Number number;
    if (!decimal_parse(bytes_of(text), &number.value, &number.precision, &number.scale))
        fail_msg("%s is a number", text);
    return number;
}

static void assert_prints(Decimal value, uint32_t scale, const char *expected) {
    Buf text = {0};
    decimal_print(&text, value, scale);
    assert_string_equal(buf_cstr(&text), expected);
    buf_free(&text);
}

static Type decimal_type(uint32_t precision, uint32_t scale) {
    return (Type){.kind = TYPE_DECIMAL, .precision = (uint16_t)precision,
                  .scale = (uint16_t)scale};
}

static bool compute(char op, Number left, Number right, const Type *type, Decimal *result) {
    switch (op) {
    case '+': return decimal_add(left.value, left.scale, right.value, right.scale, type, result);
    case '-':
        return decimal_subtract(left.value, left.scale, right.value, right.scale, type, result);
    case '*':
        return decimal_multiply(left.value, left.scale, right.value, right.scale, type, result);
    case '/':
        return decimal_divide(left.value, left.scale, right.value, right.scale, type, result);
    default:
        return decimal_modulus(left.value, left.scale, right.value, right.scale, type, result);
    }
}

static void arithmetic_follows_the_types(void **state) {
    (void)state;
    static const struct {
        uint32_t left[2];
        const char *left_text;
        char op;
        uint32_t right[2];
        const char *right_text;
        const char *type;
        const char *result; /* NULL: an error of the row */
    } cases[] = {
        {{4, 2}, "10.10", '+', {4, 2}, "2.00", "DECIMAL(5, 2)", "12.10"},
        {{4, 2}, "99.99", '+', {4, 2}, "99.99", "DECIMAL(5, 2)", "199.98"},
        {{4, 2}, "10.10", '-', {5, 4}, "2.0005", "DECIMAL(7, 4)", "8.0995"},
        {{4, 2}, "-10.10", '*', {4, 2}, "2.02", "DECIMAL(9, 4)", "-20.4020"},
        {{4, 2}, "10.10", '/', {4, 2}, "2.00", "DECIMAL(11, 7)", "5.0500000"},
        {{4, 2}, "10.10", '/', {4, 2}, "3.00", "DECIMAL(11, 7)", NULL},
        {{4, 2}, "10.10", '/', {4, 2}, "0.00", "DECIMAL(11, 7)", NULL},
        {{4, 2}, "10.10", '%', {4, 2}, "-2.00", "DECIMAL(4, 2)", "0.10"},
        {{4, 2}, "-10.10", '%', {4, 2}, "2.00", "DECIMAL(4, 2)", "-0.10"},
        {{4, 2}, "10.10", '%', {4, 2}, "0.00", "DECIMAL(4, 2)", NULL},
        {{8, 1}, "1234567.5", '%', {2, 1}, "0.4", "DECIMAL(2, 1)", NULL}, /* quotient 3086418 */
        {{8, 1}, "8000000.5", '%', {2, 1}, "0.8", "DECIMAL(2, 1)", "0.5"},  /* 10000000 */
        {{38, 0}, "99999999999999999999999999999999999999", '+', {1, 0}, "1", "DECIMAL(39, 0)",
         "100000000000000000000000000000000000000"},
        {{37, 0}, "9999999999999999999999999999999999999", '*', {38, 0},
         "-99999999999999999999999999999999999999", "DECIMAL(76, 0)",
         "-999999999999999999999999999999999999890000000000000000000000000000000000001"},
        {{9, 8}, "1.00000000", '/', {20, 18}, "64.000000000000000000", "DECIMAL(48, 29)",
         "0.01562500000000000000000000000"},
    };
    Arena *arena = arena_new("test", 0);
    Err err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Type left = decimal_type(cases[i].left[0], cases[i].left[1]);
        Type right = decimal_type(cases[i].right[0], cases[i].right[1]);
        const Type *type;
        Decimal result;
        assert_int_equal(decimal_result_type(arena, cases[i].op, &left, &right, &type, &err), 0);
        assert_string_equal(type_text(arena, type), cases[i].type);
        bool ok = compute(cases[i].op, number_of(cases[i].left_text),
                          number_of(cases[i].right_text), type, &result);
        assert_int_equal(ok, cases[i].result != NULL);
        if (ok)
            assert_prints(result, type->scale, cases[i].result);
    }
    arena_free(arena);
}

static void result_types_stop_at_76_digits(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    Err err;
    const Type *type;
    Type wide = decimal_type(40, 2);
    assert_int_equal(decimal_result_type(arena, '*', &wide, &wide, &type, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "DECIMAL(40, 2) * DECIMAL(40, 2) gives DECIMAL(81, 4)"));
    assert_non_null(strstr(err.message, "76 digits"));
    assert_int_equal(decimal_result_type(arena, '+', &type_int, &type_bigint, &type, &err), 0);
    assert_string_equal(type_text(arena, type), "DECIMAL(20, 0)");
    Type money = decimal_type(6, 2);
    assert_int_equal(decimal_result_type(arena, '/', &type_int, &money, &type, &err), 0);
    assert_string_equal(type_text(arena, type), "DECIMAL(19, 7)");
    assert_int_equal(decimal_common_type(arena, &type_int, &money, &type, &err), 0);
    assert_string_equal(type_text(arena, type), "DECIMAL(12, 2)");
    Type fraction = decimal_type(76, 76);
    assert_int_equal(decimal_common_type(arena, &type_int, &fraction, &type, &err), ERR_LIMIT);
    arena_free(arena);
}

static void literals_have_ksqldbs_types(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t precision, scale;
    } cases[] = {{"0.5", 2, 1}, {"1.23", 3, 2}, {"0.05", 3, 2}, {"10", 2, 0},
                 {"0.00", 3, 2}, {"100.0", 4, 1}, {"0", 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Number number = number_of(cases[i].text);
        decimal_literal_shape(&number.precision, number.scale);
        assert_int_equal(number.precision, cases[i].precision);
        assert_int_equal(number.scale, cases[i].scale);
    }
}

static void texts_are_read_exactly(void **state) {
    (void)state;
    static const struct {
        const char *text, *printed;
        uint32_t precision;
    } good[] = {
        {"-12.5", "-12.5", 3}, {"+.5", "0.5", 1}, {"1e3", "1000", 4}, {"5.", "5", 1},
        {"-0.0", "0.0", 1}, {"00012", "12", 2}, {"1.50E-2", "0.0150", 3},
        {"0e99999999999", "0", 1},
        {"9999999999999999999999999999999999999999999999999999999999999999999999999999",
         "9999999999999999999999999999999999999999999999999999999999999999999999999999", 76},
        {"1.0000000000000000000000000000000000000000000000000000000000000000000000000000000000",
         "1.000000000000000000000000000000000000000000000000000000000000000000000000000", 76},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        Number number = number_of(good[i].text);
        assert_prints(number.value, number.scale, good[i].printed);
        assert_int_equal(number.precision, good[i].precision);
    }
    static const char *const bad[] = {
        "", "-", ".", "e3", "1e", "1e+", "1.2.3", " 1", "1 ", "0x1", "NaN", "1,5", "--1", "1e76",
        "10000000000000000000000000000000000000000000000000000000000000000000000000000",
        "1e-401", "1.00000000000000000000000000000000000000000000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        Number number;
        assert_false(decimal_parse(bytes_of(bad[i]), &number.value, &number.precision,
                                   &number.scale));
    }
}

static void texts_fit_or_round(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t precision, scale;
        const char *exact, *rounded; /* NULL: does not fit */
    } cases[] = {
        {"1.5", 4, 2, "1.50", "1.50"}, {"1.555", 4, 2, NULL, "1.56"},
        {"-1.555", 4, 2, NULL, "-1.56"}, {"1.5549999", 4, 2, NULL, "1.55"},
        {"99.995", 4, 2, NULL, NULL}, {"99.994", 4, 2, NULL, "99.99"}, {"100", 4, 2, NULL, NULL},
        {"1.5000", 4, 2, "1.50", "1.50"}, {"1e1", 4, 2, "10.00", "10.00"},
        {"1e-300", 4, 2, NULL, "0.00"}, {"1e300", 4, 2, NULL, NULL},
        {"0e300", 4, 2, "0.00", "0.00"},
        {"0.4999999999999999999999999999999999999999999999999999999999999999999999999999999999999",
         1, 0, NULL, "0"},
        {"0.5000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
         1, 0, NULL, "1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Decimal value;
        Bytes text = bytes_of(cases[i].text);
        bool exact = decimal_parse_exact(text, cases[i].precision, cases[i].scale, &value);
        assert_int_equal(exact, cases[i].exact != NULL);
        if (exact)
            assert_prints(value, cases[i].scale, cases[i].exact);
        bool rounded = decimal_parse_round(text, cases[i].precision, cases[i].scale, &value);
        assert_int_equal(rounded, cases[i].rounded != NULL);
        if (rounded)
            assert_prints(value, cases[i].scale, cases[i].rounded);
    }
}

static void misfits_say_why(void **state) {
    (void)state;
    Buf text = {0};
    decimal_print_misfit(&text, bytes_of("1.2345"), 4, 2, false);
    assert_string_equal(buf_cstr(&text), "Cannot fit decimal '1.2345' into DECIMAL(4, 2) without "
                                         "rounding. (Requires 5,4)");
    buf_reset(&text);
    decimal_print_misfit(&text, bytes_of("1e3"), 4, 2, true);
    assert_string_equal(buf_cstr(&text), "Numeric field overflow: A field with precision 4 and "
                                         "scale 2 must round to an absolute value less than "
                                         "10^2. Got 1000");
    buf_reset(&text);
    decimal_print_misfit(&text, bytes_of("ten"), 4, 2, true);
    assert_string_equal(buf_cstr(&text), "Not a decimal number: 'ten'");
    buf_free(&text);
}

static void columns_keep_values(void **state) {
    (void)state;
    assert_int_equal(decimal_width(18), 8);
    assert_int_equal(decimal_width(19), 16);
    assert_int_equal(decimal_width(38), 16);
    assert_int_equal(decimal_width(39), 32);
    for (int i = 0; i < 500; i++) {
        uint32_t precision = 1 + (uint32_t)(chance() % 76);
        Decimal value = random_decimal(precision);
        uint8_t bytes[32];
        decimal_store(bytes, precision, value);
        Decimal again = decimal_load(bytes, precision);
        assert_memory_equal(&again, &value, sizeof value);
        assert_true(decimal_fits(value, precision));
    }
    assert_false(decimal_fits(number_of("1000").value, 3));
    assert_false(decimal_fits(number_of("-1000").value, 3));
    assert_false(decimal_fits(number_of("100000000000000000000").value, 20));
}

/* left + right - right is left; both orders agree; left - right has the sign of the comparison. */
static void sums_obey_their_laws(void **state) {
    (void)state;
    Type type = decimal_type(76, 30);
    for (int i = 0; i < 2000; i++) {
        Number left = {random_decimal(40), 40, 10 + (uint32_t)(chance() % 20)};
        Number right = {random_decimal(40), 40, 10 + (uint32_t)(chance() % 20)};
        Decimal sum, swapped, back, difference;
        assert_true(compute('+', left, right, &type, &sum));
        assert_true(compute('+', right, left, &type, &swapped));
        assert_memory_equal(&sum, &swapped, sizeof sum);
        assert_true(compute('-', (Number){sum, 76, 30}, right, &type, &back));
        assert_int_equal(decimal_compare(back, 30, left.value, left.scale), 0);
        assert_true(compute('-', left, right, &type, &difference));
        assert_int_equal(decimal_compare(left.value, left.scale, right.value, right.scale),
                         decimal_sign(difference));
    }
}

/* left * right / right is left, and left = quotient * right + rest. */
static void products_obey_their_laws(void **state) {
    (void)state;
    Type product_type = decimal_type(76, 0);
    for (int i = 0; i < 2000; i++) {
        uint32_t digits = 1 + (uint32_t)(chance() % 75);
        Number left = {random_decimal(digits), digits, 0};
        Number right = {random_decimal(76 - digits), 76 - digits, 0};
        Decimal product, back, rest, sum;
        assert_true(compute('*', left, right, &product_type, &product));
        bool zero = decimal_sign(right.value) == 0;
        bool divided = compute('/', (Number){product, 76, 0}, right, &product_type, &back);
        assert_int_equal(divided, !zero);
        if (zero)
            continue;
        assert_memory_equal(&back, &left.value, sizeof back);
        Number more = {random_decimal(76), 76, 0};
        assert_true(compute('%', more, right, &product_type, &rest));
        assert_true(decimal_sign(rest) == 0 || decimal_sign(rest) == decimal_sign(more.value));
        assert_true(compute('-', more, (Number){rest, 76, 0}, &product_type, &sum));
        assert_true(compute('/', (Number){sum, 76, 0}, right, &product_type, &back));
    }
}

static void overflow_is_never_silent(void **state) {
    (void)state;
    Type type = decimal_type(76, 0);
    Number most = {random_decimal(1), 76, 0};
    Decimal result;
    most.value = number_of(
        "9999999999999999999999999999999999999999999999999999999999999999999999999999").value;
    assert_false(compute('+', most, number_of("1"), &type, &result));
    assert_false(compute('*', most, number_of("2"), &type, &result));
    assert_false(compute('*', most, most, &type, &result));
    assert_false(decimal_rescale_exact(most.value, 0, 1, 76, &result));
    assert_false(decimal_rescale_exact(most.value, 1, 0, 76, &result));
    assert_false(decimal_rescale_round(most.value, 1, 0, 75, &result));
    assert_true(decimal_rescale_round(most.value, 1, 0, 76, &result));
    assert_prints(result, 0,
                  "1000000000000000000000000000000000000000000000000000000000000000000000000000");
    assert_true(decimal_rescale_round(most.value, 76, 0, 1, &result));
    assert_prints(result, 0, "1");
}

static void scales_change_half_up(void **state) {
    (void)state;
    static const struct {
        const char *value, *rounded; /* to scale 1 */
    } cases[] = {{"0.05", "0.1"}, {"-0.05", "-0.1"}, {"0.04", "0.0"}, {"-0.049", "0.0"},
                 {"2.25", "2.3"}, {"7", "7.0"},
                 {"12345678901234567890123456789012345678901234567890.25",
                  "12345678901234567890123456789012345678901234567890.3"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Number number = number_of(cases[i].value);
        Decimal result;
        assert_true(decimal_rescale_round(number.value, number.scale, 1, 76, &result));
        assert_prints(result, 1, cases[i].rounded);
        assert_int_equal(decimal_rescale_exact(number.value, number.scale, 1, 76, &result),
                         number.scale <= 1);
    }
}

static void values_compare_across_scales(void **state) {
    (void)state;
    static const struct {
        const char *left, *right;
        int order;
    } cases[] = {{"1.0", "1.00", 0}, {"-1.5", "-1.49", -1}, {"0", "-0.00", 0}, {"2", "10.0", -1},
                 {"-0.001", "0", -1}, {"1e75", "1e-300", 1}, {"-1e75", "-1e-300", -1},
                 {"9999999999999999999999999999999999999999", "9999999999999999999.999", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Number left = number_of(cases[i].left), right = number_of(cases[i].right);
        assert_int_equal(decimal_compare(left.value, left.scale, right.value, right.scale),
                         cases[i].order);
        assert_int_equal(decimal_compare(right.value, right.scale, left.value, left.scale),
                         -cases[i].order);
    }
}

/* strtod rounds correctly, and reads what decimal_print wrote. */
static void doubles_are_the_nearest(void **state) {
    (void)state;
    Buf text = {0};
    for (int i = 0; i < 3000; i++) {
        Decimal value = random_decimal(1 + (uint32_t)(chance() % 76));
        uint32_t scale = (uint32_t)(chance() % 77);
        buf_reset(&text);
        decimal_print(&text, value, scale);
        assert_true(strtod(buf_cstr(&text), NULL) == decimal_to_double(value, scale));
    }
    buf_free(&text);
    Decimal result;
    assert_true(decimal_from_double(0.1, 4, 2, &result));
    assert_prints(result, 2, "0.10");
    assert_true(decimal_from_double(1.005, 4, 2, &result)); /* as BigDecimal.valueOf, not 1.00 */
    assert_prints(result, 2, "1.01");
    assert_true(decimal_from_double(-1.5e-300, 4, 2, &result));
    assert_prints(result, 2, "0.00");
    assert_false(decimal_from_double(100.0, 4, 2, &result));
    assert_false(decimal_from_double(strtod("nan", NULL), 4, 2, &result));
    assert_false(decimal_from_double(strtod("-inf", NULL), 4, 2, &result));
}

static void integers_are_cut_and_wrap(void **state) {
    (void)state;
    assert_int_equal(decimal_to_i64(number_of("12.99").value, 2), 12);
    assert_int_equal(decimal_to_i64(number_of("-12.99").value, 2), -12);
    assert_int_equal(decimal_to_i64(number_of("9223372036854775808").value, 0), INT64_MIN);
    assert_int_equal(decimal_to_i64(number_of("-18446744073709551617.5").value, 1), -1);
    assert_int_equal(decimal_to_i64(number_of("1e-40").value, 40), 0);
    assert_prints(decimal_from_i64(INT64_MIN), 0, "-9223372036854775808");
    assert_prints(decimal_negate(decimal_from_i64(INT64_MIN)), 3, "9223372036854775.808");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_follows_the_types),
        cmocka_unit_test(result_types_stop_at_76_digits),
        cmocka_unit_test(literals_have_ksqldbs_types),
        cmocka_unit_test(texts_are_read_exactly),
        cmocka_unit_test(texts_fit_or_round),
        cmocka_unit_test(misfits_say_why),
        cmocka_unit_test(columns_keep_values),
        cmocka_unit_test(sums_obey_their_laws),
        cmocka_unit_test(products_obey_their_laws),
        cmocka_unit_test(overflow_is_never_silent),
        cmocka_unit_test(scales_change_half_up),
        cmocka_unit_test(values_compare_across_scales),
        cmocka_unit_test(doubles_are_the_nearest),
        cmocka_unit_test(integers_are_cut_and_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
