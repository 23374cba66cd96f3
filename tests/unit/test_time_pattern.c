/*
 * test_time_pattern.c - Java's date-time patterns: reading, printing, what they refuse.
 *
 * Expected values are those of java.time 17.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/time_pattern.h"

#define NONE INT64_MIN /* the text is refused */

static const TimePattern *pattern_of(Arena *arena, const char *text) {
    const TimePattern *pattern;
    Err err;
    if (time_pattern_new(bytes_of(text), arena, &pattern, &err) != ERR_OK)
        fail_msg("%s: %s", text, err.message);
    return pattern;
}

static void patterns_read_texts(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *text;
        int64_t ms;
    } cases[] = {
        {"yyyy-MM-dd'T'HH:mm:ss.SSS", "2001-02-03T04:05:06.007", 981173106007},
        {"yyyy-MM-dd'T'HH:mm:ss.SSS", "2001-02-03t04:05:06.007", 981173106007},
        {"yyyyMMddHHmmssSSS", "20010203040506007", 981173106007},
        {"yyyyMMdd", "+123450131", 327405974400000},
        {"yyyy-MM-dd", "12345-01-31", NONE},
        {"yyyy-MM-dd", "+12345-01-31", 327405974400000},
        {"yyyy-MM-dd", "2001-02-29", 983318400000}, /* the last of February */
        {"yyyy-MM-dd", "2001-02-32", NONE},
        {"yyyy-MM-dd", "2001-02-03 ", NONE},
        {"yyyy-MM-dd", "0000-02-03", NONE},
        {"d/M/yy", "3/2/01", 981158400000},
        {"dd/MM/yy", "3/2/01", NONE},
        {"y", "2001", 978307200000},
        {"HH:mm", "04:05", 14700000},
        {"HH:mm", "24:00", 0}, /* the next day's, but no day is told */
        {"yyyy-MM-dd HH:mm", "2001-02-02 24:00", 981158400000},
        {"HH:mm", "24:01", NONE},
        {"HH", "-4", NONE},
        {"ss.SSSSSSSSS", "06.007999999", 6007},
        {"ss.S", "06.5", 6500},
        {"ss.S", "06.55", NONE},
        {"'o''clock' H", "O'CLOCK 4", 14400000},
        {"''yyyy", "'2001", 978307200000},
        {"'Été' yyyy", "éTÉ 2001", 978307200000},
        {"yyyy-MM-dd[ HH[:mm]]", "2001-02-03", 981158400000},
        {"yyyy-MM-dd[ HH[:mm]]", "2001-02-03 04", 981172800000},
        {"yyyy-MM-dd[ HH[:mm]]", "2001-02-03 04:05", 981173100000},
        {"yyyy-MM-dd[ HH[:mm]]", "2001-02-03 04:", NONE},
        {"yyyy yyyy", "2001 2001", 978307200000},
        {"yyyy yyyy", "2001 2002", NONE},
        {"yyyy-MM-dd HH:mmX", "2001-02-03 04:05Z", 981173100000},
        {"yyyy-MM-dd HH:mmX", "2001-02-03 04:05z", 981173100000},
        {"yyyy-MM-dd HH:mmX", "2001-02-03 04:05+01", 981173100000 - 3600000},
        {"yyyy-MM-dd HH:mmX", "2001-02-03 04:05-0130", 981173100000 + 5400000},
        {"yyyy-MM-dd HH:mmX", "2001-02-03 04:05+01:30", NONE},
        {"yyyy-MM-dd HH:mmXX" "X", "2001-02-03 04:05+01:30", 981173100000 - 5400000},
        {"yyyy-MM-dd HH:mmXX", "2001-02-03 04:05+01", NONE},
        {"yyyy-MM-dd HH:mmXX", "2001-02-03 04:05+1801", NONE},
        {"HHXSS", "04+0195", 14400000 - 3600000 + 950},
        {"yyyy-MM-dd HH:mmx", "2001-02-03 04:05Z", NONE},
        {"yyyy-MM-dd HH:mmZ", "2001-02-03 04:05-0000", 981173100000},
        {"yyyy-MM-dd HH:mm[X]", "2001-02-03 04:05", 981173100000},
        {"", "", 0},
        {"", "x", NONE},
    };
    Arena *arena = arena_new("test", 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = NONE;
        bool ok = time_pattern_parse(pattern_of(arena, cases[i].pattern),
                                     bytes_of(cases[i].text), &ms);
        if (ok != (cases[i].ms != NONE) || (ok && ms != cases[i].ms))
            fail_msg("%s of %s gives %lld", cases[i].text, cases[i].pattern, (long long)ms);
    }
    arena_free(arena);
}

static void patterns_print_times(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *text;
        int64_t ms;
    } cases[] = {
        {"yyyy-MM-dd'T'HH:mm:ss.SSS", "2001-02-03T04:05:06.007", 981173106007},
        {"d.M.yy H:m:s", "3.2.01 4:5:6", 981173106007},
        {"yyy yyyyyy SSSSSS S", "2001 002001 007000 0", 981173106007},
        {"yyyy", "+12345", 327405974400000},
        {"y", "12345", 327405974400000},
        {"yX XX X" "XX x xx xxx Z", "1970Z Z Z +00 +0000 +00:00 +0000", 0},
        {"'a''b'[ ss]", "a'b 06", 981173106007},
        {"yyyy-MM-dd HH:mm:ss.SSS", "1969-12-31 23:59:59.999", -1},
    };
    Arena *arena = arena_new("test", 0);
    Buf text = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_reset(&text);
        const char *reason;
        Zone utc = zone_utc();
        assert_true(time_pattern_print(&text, pattern_of(arena, cases[i].pattern), &utc,
                                       cases[i].ms, &reason));
        assert_string_equal(buf_cstr(&text), cases[i].text);
    }
    buf_free(&text);
    arena_free(arena);
}

static void bad_patterns_say_why(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *message;
    } cases[] = {
        {"yyyy-MM-dd'T'hh:mmT", "Unknown pattern letter: T"},
        {"EEEEEE", "Too many pattern letters: E"},
        {"MMMMMM", "Too many pattern letters: M"},
        {"ddd", "Too many pattern letters: d"},
        {"aa", "Too many pattern letters: a"},
        {"www", "Too many pattern letters: w"},
        {"cc", "Invalid pattern"},
        {"V", "must be 2: V"},
        {"vv", "Wrong number of pattern letters: v"},
        {"OO", "must be 1 or 4: O"},
        {"BB", "Wrong number of pattern letters: B"},
        {"zzzzz", "Too many pattern letters: z"},
        {"XX" "XX" "XX", "Too many pattern letters: X"},
        {"yyyyyyyyyyyyyyyyyyyy", "minimum width must be from 1 to 19"},
        {"pp", "must be followed by valid pad pattern"},
        {"ppHmm", "must not touch"},
        {"SSSSSSSSSS", "Minimum width must be from 0 to 9"},
        {"yyyy'T", "incomplete string literal: yyyy'T"},
        {"yyyy]", "] without previous ["},
        {"{yyyy}", "reserved character: '{'"},
        {"[[[[[[[[[", "over 8 optional sections"},
    };
    Arena *arena = arena_new("test", 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const TimePattern *pattern;
        Err err;
        assert_int_equal(time_pattern_new(bytes_of(cases[i].pattern), arena, &pattern, &err),
                         ERR_FORMAT);
        assert_non_null(strstr(err.message, cases[i].message));
    }
    arena_free(arena);
}

/* What a full pattern prints, it reads. */
static void printed_times_read_back(void **state) {
    (void)state;
    static const char *const patterns[] = {"yyyy-MM-dd HH:mm:ss.SSS", "yyyyMMddHHmmssSSS",
                                           "d/M/y'at'H:m:s,SSSSSS", "SSSssmmHHddMMyyyy"};
    Arena *arena = arena_new("test", 0);
    Zone utc = zone_utc();
    const char *reason;
    Buf text = {0};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const TimePattern *pattern = pattern_of(arena, patterns[i]);
        for (int64_t ms = -62135596800000; ms < 253402300800000; ms += 8652345678) {
            int64_t again;
            buf_reset(&text);
            assert_true(time_pattern_print(&text, pattern, &utc, ms, &reason));
            assert_true(time_pattern_parse(pattern, buf_view(&text), &again));
            assert_int_equal(again, ms);
        }
    }
    buf_free(&text);
    arena_free(arena);
}

/* In a zone: names, weeks, parts of the day, gaps and overlaps. */
static void patterns_read_with_zones(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *zone, *text;
        int64_t ms;
    } cases[] = {
        {"d MMM yyyy h:mm a", "UTC", "3 feb 2001 4:05 pm", 981216300000},
        {"d MMMM yyyy", "UTC", "3 February 2001", 981158400000},
        {"d MMMM yyyy", "UTC", "3 Feb 2001", NONE},
        {"EEE, d MMM yyyy", "UTC", "Sat, 3 Feb 2001", 981158400000},
        {"EEE, d MMM yyyy", "UTC", "Sun, 3 Feb 2001", NONE},
        {"EEEE d", "UTC", "Saturday 3", 172800000},
        {"yyyy-DDD", "UTC", "2001-034", 981158400000},
        {"yyyy-DDD", "UTC", "2001-366", NONE},
        {"DDD", "UTC", "366", NONE},
        {"YYYY-'W'ww-e", "UTC", "2001-W05-7", 981158400000},
        {"yyyy MM W e", "UTC", "2001 02 1 7", 981158400000},
        {"yyyy QQQ MM dd", "UTC", "2001 Q1 02 03", 981158400000},
        {"yyyy QQQ MM dd", "UTC", "2001 Q2 02 03", NONE},
        {"y G", "UTC", "1 BC", -62167219200000},
        {"y u", "UTC", "2001 2001", 978307200000},
        {"y u", "UTC", "2 -1", -62198755200000},
        {"g", "UTC", "51943", 981158400000},
        {"A", "UTC", "14706007", 14706007},
        {"N", "UTC", "14706007000000", 14706007},
        {"h B", "UTC", "3 in the afternoon", 54000000},
        {"B", "UTC", "noon", 43200000},
        {"HH B", "UTC", "15 at night", NONE},
        {"ppHH:mm", "UTC", "04:05", 14700000},
        {"pppH:mm", "UTC", "  4:05", 14700000},
        {"pppH:mm", "UTC", " 4:05", NONE},
        {"yyyy-MM-dd HH:mm", "Europe/Berlin", "2021-03-28 02:30", 1616895000000}, /* gap */
        {"yyyy-MM-dd HH:mm", "Europe/Berlin", "2021-10-31 02:30", 1635643800000},
        {"yyyy-MM-dd HH:mm", "Europe/London", "2021-10-31 01:30", 1635640200000},
        {"yyyy-MM-dd HH:mm VV", "UTC", "2021-10-31 02:30 europe/berlin", 1635640200000},
        {"yyyy-MM-dd HH:mm X" "XX'['VV']'", "UTC", "2021-10-31 02:30 +01:00[Europe/Berlin]",
         1635643800000},
        {"yyyy-MM-dd HH:mm z", "UTC", "2021-07-01 10:00 PDT", 1625158800000},
        {"yyyy-MM-dd HH:mm z", "UTC", "2021-01-01 10:00 CET", 1609491600000},
        {"yyyy-MM-dd HH:mm z", "Asia/Tokyo", "2021-01-01 10:00 UTC+02:00", 1609488000000},
        {"yyyy-MM-dd HH:mm z", "Asia/Tokyo", "2021-01-01 10:00 gmt+02:00", 1609488000000},
        {"yyyy-MM-dd HH:mm zzzz", "UTC", "2021-01-01 10:00 japan standard time", 1609462800000},
        {"yyyy-MM-dd HH:mm O", "UTC", "2021-01-01 10:00 GMT-5:30", 1609515000000},
        {"yyyy-MM-dd HH:mm z", "UTC", "2021-01-01 10:00 XYZ", NONE},
        {"yyyy-MM-dd", "Pacific/Apia", "2011-12-30", 1324720800000}, /* a day that was not */
        {"HH:mm", "America/New_York", "04:05", 32700000},
    };
    Arena *arena = arena_new("test", 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = NONE;
        const char *reason = NULL;
        Zone zone;
        Err err;
        assert_int_equal(zone_of(bytes_of(cases[i].zone), &zone, &err), ERR_OK);
        bool ok = time_pattern_timestamp(pattern_of(arena, cases[i].pattern),
                                         bytes_of(cases[i].text), &zone, &ms, &reason);
        if (ok != (cases[i].ms != NONE) || (ok && ms != cases[i].ms))
            fail_msg("%s of %s gives %lld (%s)", cases[i].text, cases[i].pattern, (long long)ms,
                     reason);
        assert_true(ok || reason);
    }
    arena_free(arena);
}

static void dates_and_times_alone(void **state) {
    (void)state;
    Arena *arena = arena_new("test", 0);
    const char *reason;
    int32_t value;
    assert_true(time_pattern_date(pattern_of(arena, "d/M/y H:m"), bytes_of("3/2/2001 4:5"), &value,
                                  &reason));
    assert_int_equal(value, 11356);
    assert_false(time_pattern_date(pattern_of(arena, "M/y"), bytes_of("2/2001"), &value, &reason));
    assert_true(time_pattern_time(pattern_of(arena, "h:mm a"), bytes_of("1:00 PM"), &value,
                                  &reason));
    assert_int_equal(value, 46800000);
    assert_false(time_pattern_time(pattern_of(arena, "d H"), bytes_of("1 1"), &value, &reason));
    assert_string_equal(reason, "Time format contains date field.");
    assert_false(time_pattern_time(pattern_of(arena, "m"), bytes_of("1"), &value, &reason));
    Buf out = {0};
    buf_text(&out, ">");
    assert_true(time_pattern_print_date(&out, pattern_of(arena, "dd-MMM-uu[ HH]"), 18993, &reason));
    assert_true(time_pattern_print_time(&out, pattern_of(arena, "|KK:mm a"), 46800000, &reason));
    assert_string_equal(buf_cstr(&out), ">01-Jan-22|01:00 PM");
    assert_false(time_pattern_print_date(&out, pattern_of(arena, "dd HH"), 18993, &reason));
    assert_false(time_pattern_print_time(&out, pattern_of(arena, "HH X"), 0, &reason));
    assert_string_equal(buf_cstr(&out), ">01-Jan-22|01:00 PM");
    buf_free(&out);
    arena_free(arena);
}

static void patterns_print_with_zones(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *zone, *text;
    } cases[] = { /* 2022-07-03T04:05:06.789Z */
        {"E EEEE EEEEE e ee c ccc", "UTC", "Sun Sunday S 1 01 1 Sun"},
        {"MMM MMMM MMMMM L LLL", "UTC", "Jul July J 7 Jul"},
        {"D DDD F g Q QQ QQQ QQQQ QQQQQ", "UTC", "184 184 3 59763 3 03 Q3 3rd quarter 3"},
        {"w ww W Y YY YYYY", "UTC", "28 28 2 2022 22 2022"},
        {"G GGGG GGGGG", "UTC", "AD Anno Domini A"},
        {"h hh H HH k kk K KK a", "UTC", "4 04 4 04 4 04 4 04 AM"},
        {"B BBBBB", "UTC", "at night at night"},
        {"A n N", "UTC", "14706789 789000000 14706789000000"},
        {"S SSS SSSSSSSSS", "UTC", "7 789 789000000"},
        {"VV z zzzz v vvvv", "Europe/Berlin",
         "Europe/Berlin CEST Central European Summer Time CET Central European Time"},
        {"VV z zzzz", "UTC", "UTC UTC Coordinated Universal Time"},
        {"VV z zzzz", "+02:00", "+02:00 +02:00 +02:00"},
        {"VV z zzzz", "Europe/Dublin", "Europe/Dublin IST Irish Standard Time"},
        {"O OOOO", "Asia/Kathmandu", "GMT+5:45 GMT+05:45"},
        {"X XX" " XX" "X XX" "XX XX" "XX" "X", "Asia/Kathmandu",
         "+0545 +0545 +05:45 +0545 +05:45"},
        {"x xx" " xx" "x Z ZZZZ ZZZZZ", "-03", "-03 -0300 -03:00 -0300 GMT-03:00 -03:00"},
        {"pppd|ppppMMM", "UTC", "  3| Jul"},
    };
    Arena *arena = arena_new("test", 0);
    Buf text = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *reason;
        Zone zone;
        Err err;
        buf_reset(&text);
        assert_int_equal(zone_of(bytes_of(cases[i].zone), &zone, &err), ERR_OK);
        assert_true(time_pattern_print(&text, pattern_of(arena, cases[i].pattern), &zone,
                                       1656821106789, &reason));
        assert_string_equal(buf_cstr(&text), cases[i].text);
    }
    buf_free(&text);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_read_texts),
        cmocka_unit_test(patterns_read_with_zones),
        cmocka_unit_test(dates_and_times_alone),
        cmocka_unit_test(patterns_print_times),
        cmocka_unit_test(patterns_print_with_zones),
        cmocka_unit_test(bad_patterns_say_why),
        cmocka_unit_test(printed_times_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
