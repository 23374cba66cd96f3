/* test_utf8.c - lengths, positions, order and search of text in UTF-16 units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/utf8.h"

/* a, e with acute, CJK, a character of two units, z: units 0 1 2 3-4 5. */
static const char mixed[] = "a\xC3\xA9\xE5\xA5\xBD\xF0\x9F\x98\x80z";

static void test_length(void **state) {
    (void)state;
    assert_int_equal(utf8_length(bytes_of(mixed)), 6);
    assert_int_equal(utf8_length(bytes_of("")), 0);
    assert_int_equal(utf8_length(bytes_of("0123456789abcdef0")), 17);
    /* Eight bytes at once agree with one by one, wherever the text is cut. */
    const char *text = "\xF0\x9F\x98\x80\xC3\xA9\xF0\x9F\x98\x80xyz\xE5\xA5\xBD\xFF\x80\x80";
    for (uint32_t size = 0; size <= strlen(text); size++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < size; i++)
            sum += utf8_length((Bytes){(const uint8_t *)text + i, 1});
        assert_int_equal(utf8_length((Bytes){(const uint8_t *)text, size}), sum);
    }
}

static void check_slice(uint32_t from, uint32_t to, const char *expected) {
    Bytes slice = utf8_slice(bytes_of(mixed), from, to);
    assert_int_equal(slice.size, strlen(expected));
    assert_memory_equal(slice.data, expected, slice.size);
}

static void test_slice(void **state) {
    (void)state;
    check_slice(0, 6, mixed);
    check_slice(0, 100, mixed);
    check_slice(1, 3, "\xC3\xA9\xE5\xA5\xBD");
    check_slice(3, 5, "\xF0\x9F\x98\x80");
    check_slice(5, 6, "z");
    check_slice(6, 9, "");
    check_slice(2, 2, "");
    /* Half of a pair is no character. */
    check_slice(3, 4, "");
    check_slice(4, 6, "z");
    check_slice(2, 4, "\xE5\xA5\xBD");
    assert_int_equal(utf8_offset(bytes_of(mixed), 3), 6);
    assert_int_equal(utf8_offset(bytes_of(mixed), 99), sizeof mixed - 1);
}

static void test_order(void **state) {
    (void)state;
    static const char *const sorted[] = {"",  "a", "aa", "ab", "abcdefgh1", "abcdefgh2", "b",
                                         "\xC3\xA9", "\xED\x9F\xBF", "\xF0\x90\x80\x80",
                                         "\xF0\x9F\x98\x80", "\xEE\x80\x80", "\xEF\xBD\x9E"};
    for (int i = 0; i < 13; i++)
        for (int k = 0; k < 13; k++) {
            int order = utf8_compare(bytes_of(sorted[i]), bytes_of(sorted[k]));
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
}

static void test_characters(void **state) {
    (void)state;
    uint32_t size;
    uint8_t out[4];
    assert_int_equal(utf8_decode(bytes_of(mixed + 1), &size), 0xE9);
    assert_int_equal(size, 2);
    assert_int_equal(utf8_decode(bytes_of("\xFFz"), &size), 0xFFFD);
    assert_int_equal(size, 1);
    assert_int_equal(utf8_encode(out, 0x1F600), 4);
    assert_memory_equal(out, "\xF0\x9F\x98\x80", 4);
    assert_int_equal(utf8_encode(out, 0xD800), 3);
    assert_memory_equal(out, "\xEF\xBF\xBD", 3);
    assert_int_equal(utf8_upper(0xE9), 0xC9);
    assert_int_equal(utf8_lower(0xC9), 0xE9);
    Bytes trimmed = utf8_trim(bytes_of(" \t a b\n"));
    assert_int_equal(trimmed.size, 3);
}

/* A character at every place of texts of many sizes, whole and cut off. */
static void test_valid_at_any_place(void **state) {
    (void)state;
    static const char *const characters[] = {"\xC3\xA9", "\xE5\xA5\xBD", "\xF0\x9F\x98\x80"};
    for (uint32_t kind = 0; kind < 3; kind++) {
        uint32_t width = kind + 2;
        for (uint32_t size = width; size < 30; size++)
            for (uint32_t at = 0; at + width <= size; at++) {
                char text[32];
                memset(text, 'x', sizeof text);
                memcpy(text + at, characters[kind], width);
                Bytes whole = {(const uint8_t *)text, size};
                assert_true(utf8_valid(whole));
                assert_int_equal(utf8_length(whole), size - width + 1 + (width == 4));
                assert_false(utf8_valid((Bytes){whole.data, at + width - 1}));
                text[at + width - 1] = 'x';
                assert_false(utf8_valid(whole));
            }
    }
}

static void test_find(void **state) {
    (void)state;
    Bytes text = bytes_of("abcabd");
    assert_int_equal(utf8_find(text, bytes_of("ab"), 0), 0);
    assert_int_equal(utf8_find(text, bytes_of("ab"), 1), 3);
    assert_int_equal(utf8_find(text, bytes_of("abd"), 0), 3);
    assert_int_equal(utf8_find(text, bytes_of("x"), 0), UINT32_MAX);
    assert_int_equal(utf8_find(text, bytes_of("abcabde"), 0), UINT32_MAX);
    assert_int_equal(utf8_find(text, bytes_of(""), 6), 6);
    assert_int_equal(utf8_find(text, bytes_of(""), 7), UINT32_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length), cmocka_unit_test(test_slice), cmocka_unit_test(test_order),
        cmocka_unit_test(test_characters), cmocka_unit_test(test_valid_at_any_place),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
