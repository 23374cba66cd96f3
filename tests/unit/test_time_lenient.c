/*
 * test_time_lenient.c - dates by SimpleDateFormat patterns: what runs over, and what is refused.
 *
 * Expected values are those of FastDateFormat of commons-lang3 3.12 on Java 17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/time_lenient.h"

enum { NONE = INT32_MIN };

static void lenient_dates(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *text;
        int32_t days;
    } cases[] = {
        {"yyyy-MM-dd", "2021-12-01", 18962},
        {"yyyy-MM-dd", "2021-12-01Fred", 18962}, /* what follows is ignored */
        {"yyyy-MM-dd", "2021-13-01", 18993},
        {"yyyy-MM-dd", "2021-02-30", 18688},
        {"yyyy-MM-dd", "2021-12-00", 18961},
        {"yyyy-MM-dd", " 2021- 2- 3", 18661},
        {"yyyy-MM-dd", "21-2-3", -711826},
        {"yy-MM-dd", "21-2-3", 18661},
        {"yy", "95", 9131},
        {"yyyyMMdd", "20211201", 18962},
        {"yyyyMMdd", "2021120", 18961},
        {"yyyyMM", "202", NONE},
        {"yyyyMd", "2021121", 18648},
        {"dd-MMM-yyyy", "01-DECEMBER-2021", 18962},
        {"dd-MM-yyyy", "01-Dec-2021", NONE},
        {"EEE, d MMM yyyy", "Sun, 3 Feb 2001", 11356}, /* a Saturday; the day counts */
        {"E", "Sunday", 3},
        {"yyyy-MM", "2021-12", 18962},
        {"MM/dd", "12/01", 334},
        {"yyyy-MM-dd HH:mm", "2021-12-01 05:40", NONE},
        {"yyyy-MM-dd HH:mm", "2021-12-01 24:00", 18963},
        {"yyyy-MM-dd a", "2021-12-01 p", NONE},
        {"yyyy-MM-dd h a", "2021-12-01 12 am", 18962},
        {"yyyy-MM-dd K a", "2021-12-01 12 pm", 18963},
        {"yyyy-MM-dd HH X", "2021-12-01 01 +01", 18962},
        {"yyyy-MM-dd X", "2021-12-01 +01", NONE},
        {"yyyy-MM-dd XX" "X", "2021-12-01 +00:00", 18962},
        {"yyyy-MM-dd HH z", "2021-12-01 01 CET", 18962},
        {"yyyy-MM-dd HH z", "2021-12-01 01 GMT+1:00", 18962},
        {"yyyy-DDD", "2021-035", 18662},
        {"yyyy-D", "2021-366", 18993},
        {"w yyyy", "5 2021", 18651},
        {"ww YYYY u", "05 2021 3", 18654},
        {"W M yyyy", "2 3 2021", 18693},
        {"F M yyyy E", "2 3 2021 Tue", 18695},
        {"G yyyy", "BC 0001", -719530},
        {"yyyy-MM-dd", "1500-02-29", -171596}, /* Julian */
        {"yyyy-MM-dd", "1582-10-10", -141422},
        {"yyyy-MM-dd", "1000-01-01", -354280},
        {"yyyy'T'", "2021t", NONE},
        {"''yyyy", "'2021", 18628},
        {"yyyy", "99999999999", NONE},
        {"yyyy", "-2021", NONE},
        {"", "x", 0},
        {"k", "24", 0},
        {"S", "1", NONE},
    };
    Arena *arena = arena_new("test", 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const TimeLenient *pattern;
        const char *reason;
        int32_t days = NONE;
        Err err;
        assert_int_equal(time_lenient_new(bytes_of(cases[i].pattern), arena, &pattern, &err),
                         ERR_OK);
        bool ok = time_lenient_date(pattern, bytes_of(cases[i].text), 2026, &days, &reason);
        if (ok != (cases[i].days != NONE) || (ok && days != cases[i].days)) {
            print_error("%s of %s gives %d (%s)\n", cases[i].text, cases[i].pattern, days, reason);
            fail();
        }
    }
    arena_free(arena);
}

static void bad_lenient_patterns(void **state) {
    (void)state;
    static const char *const patterns[] = {"yyyy'", "L", "Q", "invalid", "b", "XX" "XX", "e", "c"};
    Arena *arena = arena_new("test", 0);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const TimeLenient *pattern;
        Err err;
        assert_int_equal(time_lenient_new(bytes_of(patterns[i]), arena, &pattern, &err),
                         ERR_FORMAT);
    }
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lenient_dates),
        cmocka_unit_test(bad_lenient_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
