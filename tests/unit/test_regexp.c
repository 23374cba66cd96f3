/* test_regexp.c - patterns that would hang or eat memory, long texts, the cache of patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "udf/regexp_impl.h" /* before cmocka, which has a macro fail() */

#include <cmocka.h>

static Arena *arena;
static RegexpCache *cache;

static int setup(void **state) {
    (void)state;
    arena = arena_new("test", 0);
    cache = regexp_cache_new(arena);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

/* How many matches; *error where the search was given up or the pattern is none. */
static uint32_t count_in(const char *pattern, Bytes text, const char **error) {
    RegexpSearch search;
    uint32_t count = 0;
    Regexp *regexp = regexp_cache_get(cache, bytes_of(pattern), error);
    if (!regexp)
        return 0;
    *error = NULL;
    regexp_search_start(&search, regexp, text);
    while (regexp_search_next(&search))
        count++;
    *error = search.error;
    return count;
}

static Bytes repeated(const char *piece, uint32_t times) {
    uint32_t size = (uint32_t)strlen(piece);
    uint8_t *text = arena_raw(arena, (size_t)size * times + 1);
    for (uint32_t i = 0; i < times; i++)
        memcpy(text + (size_t)i * size, piece, size);
    return (Bytes){text, size * times};
}

/* Each of these takes for ever when every way is tried. */
static void test_hostile(void **state) {
    (void)state;
    static const char *const patterns[] = {
        "(a|a)*b", "(a+)+$", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(?:a?){60}b",
        "(.*)(.*)(.*)(.*)(.*)x", "(?=(a+)+b)", "(?<!(?:a|b)c)(a*a*)*b", "((a{0,9}){0,9}){0,9}b",
    };
    for (uint32_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        const char *error;
        Bytes text = repeated("a", 1000);
        ((uint8_t *)(uintptr_t)text.data)[999] = '!';
        assert_int_equal(count_in(patterns[i], text, &error), 0);
        if (error && !strstr(error, "too many steps") && !strstr(error, "too much memory"))
            fail_msg("%s: %s", patterns[i], error);
    }
    const char *error;
    count_in("(a|aa)+$", repeated("a", 1000), &error);
    count_in("(a|a)*b", repeated("a", 100), &error);
    assert_non_null(error);
}

/* A million places, and a search that must not be quadratic for being counted. */
static void test_long_texts(void **state) {
    (void)state;
    const char *error;
    assert_int_equal(count_in("b", repeated("a", 1 << 20), &error), 0);
    assert_null(error);
    assert_int_equal(count_in("a{1000}", repeated("a", 100000), &error), 100);
    assert_null(error);
    assert_int_equal(count_in("(?s).*", repeated("ab\n", 1 << 18), &error), 2);
    assert_null(error);
    assert_int_equal(count_in("\\w+", repeated("wörd ", 5000), &error), 10000);
    assert_null(error);
    assert_int_equal(count_in("[^x]*+x", repeated("a", 1 << 20), &error), 0);
    assert_non_null(error);
}

/* Deep recursion of the matcher goes to the heap, and that has an end. */
static void test_memory(void **state) {
    (void)state;
    const char *error;
    count_in("(?:(a)|(b)|(?=(c))c|\\1\\2d)*$", repeated("ab", 200000), &error);
    count_in("(?s)(.)*\\1\\1x", repeated("ab", 100000), &error);
    assert_int_equal(count_in("a", bytes_of("aa"), &error), 2);
    assert_null(error);
}

static void test_patterns_that_are_none(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *says;
    } cases[] = {
        {"a(", "unclosed group, at character 3"},
        {"a)", "unmatched closing ')'"},
        {"*", "dangling '*', at character 1"},
        {"[a", "unclosed character class"},
        {"(?<n>a)(?<n>b)", "<n> is already defined"},
        {"\\k<x>", "no group <x>"},
        {"(?<=a(?:bc)*)d", "without an obvious maximum length"},
        {"(?<=(a)b?)d", "several lengths"},
        {"\\p{Nope}", "{Nope}"},
        {"a{2,1}", "illegal repetition range"},
        {"a{70000}", "more than 65535"},
        {"((((a{99}){99}){99}){99})", "too large"},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *error;
        assert_int_equal(count_in(cases[i].pattern, bytes_of("a"), &error), 0);
        if (!error || !strstr(error, cases[i].says))
            fail_msg("%s: %s", cases[i].pattern, error ? error : "no error");
    }
}

/* Nesting is bounded, whatever it is made of. */
static void test_nesting(void **state) {
    (void)state;
    static const char *const pieces[] = {"(", "[", "(?<=", "[a&&", "(?=(", "(?:"};
    for (uint32_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        const char *error;
        Bytes pattern = repeated(pieces[i], 3000);
        char *text = arena_text(arena, pattern);
        assert_int_equal(count_in(text, bytes_of("a"), &error), 0);
        assert_non_null(error);
    }
}

/* More patterns than the cache holds, and the same ones again. */
static void test_cache(void **state) {
    (void)state;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 40; i++) {
            const char *error;
            char *pattern = arena_printf(arena, "x{%u}(?<g%u>y)", i, i);
            assert_int_equal(count_in(pattern, repeated("x", i), &error), 0);
            Bytes text = bytes_of(arena_printf(arena, "%.*sy", (int)i, repeated("x", i).data));
            assert_int_equal(count_in(pattern, text, &error), 1);
            Regexp *regexp = regexp_cache_get(cache, bytes_of(pattern), &error);
            assert_int_equal(regexp_group_count(regexp), 1);
            assert_int_equal(regexp_group_by_name(regexp, bytes_of("nope")), UINT32_MAX);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patterns_that_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nesting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cache, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
