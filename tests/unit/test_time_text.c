/*
 * test_time_text.c - the calendar, and the texts of CAST.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/time_text.h"

#define NONE INT64_MIN /* the text is refused */

/* Day by day over four centuries, against counting. */
static void days_follow_each_other(void **state) {
    (void)state;
    static const uint32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = 1899, found_year;
    uint32_t month = 1, day = 1, found_month, found_day;
    int64_t first = time_days_from_civil(year, month, day);
    for (int64_t days = first; days < first + 146097; days++) {
        assert_int_equal(time_days_from_civil(year, month, day), days);
        time_civil_from_days(days, &found_year, &found_month, &found_day);
        assert_true(found_year == year && found_month == month && found_day == day);
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        if (++day > (month == 2 && leap ? 29 : lengths[month - 1])) {
            day = 1;
            month = month % 12 + 1;
            year += month == 1;
        }
    }
    assert_int_equal(year, 2299);
    assert_int_equal(time_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(time_days_from_civil(1, 1, 1), -719162);
    assert_int_equal(time_days_from_civil(-4, 3, 1), -720929);
    assert_int_equal(time_days_from_civil(999999999, 12, 31), 365241780471);
}

static void timestamps_print_as_in_java(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000"},
        {-1, "1969-12-31T23:59:59.999"},
        {981173106007, "2001-02-03T04:05:06.007"},
        {253402300800000, "+10000-01-01T00:00:00.000"},
        {-62135596800000, "0001-01-01T00:00:00.000"},
        {-62135596800001, "0001-12-31T23:59:59.999"}, /* yyyy has no sign: 1 BC */
        {INT64_MAX, "+292278994-08-17T07:12:55.807"},
        {INT64_MIN, "+292275056-05-16T16:47:04.192"},
    };
    Buf text = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_reset(&text);
        time_print_timestamp(&text, cases[i].ms);
        assert_string_equal(buf_cstr(&text), cases[i].text);
    }
    buf_free(&text);
}

static void dates_and_times_print_as_in_java(void **state) {
    (void)state;
    static const struct {
        int32_t days;
        const char *text;
    } dates[] = {{0, "1970-01-01"}, {11016, "2000-02-29"}, {-719529, "-0001-12-31"},
                 {-719528, "0000-01-01"}, {2932897, "+10000-01-01"},
                 {INT32_MIN, "-5877641-06-23"}, {INT32_MAX, "+5881580-07-11"}};
    static const struct {
        int32_t ms;
        const char *text;
    } times[] = {{0, "00:00"}, {14700000, "04:05"}, {14706007, "04:05:06"}, {86399999, "23:59:59"}};
    Buf text = {0};
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        buf_reset(&text);
        time_print_date(&text, dates[i].days);
        assert_string_equal(buf_cstr(&text), dates[i].text);
    }
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        buf_reset(&text);
        time_print_time(&text, times[i].ms);
        assert_string_equal(buf_cstr(&text), times[i].text);
    }
    buf_free(&text);
}

static void timestamps_are_read_in_parts(void **state) {
    (void)state;
    const int64_t day = 981158400000; /* 2001-02-03 */
    const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2001", 978307200000},
        {"2001-02", 980985600000},
        {"2001-02-03", day},
        {"2001-02-03T", day},
        {"2001-02-03TZ", day},
        {"2001-02-03T04", day + 14400000},
        {"2001T04:05", NONE}, /* with a time the date is whole */
        {"2001-02-03T04:05:06", day + 14706000},
        {"2001-02-03T04:05:06.007", day + 14706007},
        {"2001-02-03T04:05:06.5", day + 14706500},
        {"2001-02-03T04:05:06.007Z", day + 14706007},
        {"2001-02-03T04:05+0130", day + 14700000 - 5400000},
        {"2001-02-03T04:05-01:30", day + 14700000 + 5400000},
        {"2001-02-03T04:05+01", day + 14700000 - 3600000},
        {"+12345-01-01", 327403382400000},
        {"0001-01-01", -62135596800000},
        {"", NONE}, {"201", NONE}, {"12345-01-01", NONE}, {"+2001", NONE}, {"-2001", NONE},
        {"0000", NONE}, {"2001-2", NONE}, {"2001-13", NONE}, {"2001-02-29", 983318400000},
        {"2001-02-32", NONE},
        {"2001-02-03 04", NONE}, {"2001-02-03T24", day + 86400000},
        {"2001-02-03T24:01", NONE}, {"2001-02-03T04:60", NONE},
        {"2001-02-03T04:05:60", NONE}, {"2001-02-03T04:05:06.0071", NONE},
        {"2001-02-03T04:05:06Zx", NONE}, {"2001-02-03T04:05+1900", NONE},
        {"2001-02-03T04:05+0160", NONE}, {"2001-02-03T04:05+1", day + 14700000 - 3600000},
        {"2001-02-03T1", day + 36000000}, {"2001-02-03Z", NONE},
        {"2001-02-03T04:05 +0100", NONE}, {"+999999999-01-01", NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = NONE;
        bool ok = time_parse_timestamp(bytes_of(cases[i].text), &ms);
        if (ok != (cases[i].ms != NONE) || (ok && ms != cases[i].ms))
            fail_msg("%s gives %lld", cases[i].text, (long long)ms);
    }
}

static void dates_and_times_are_read(void **state) {
    (void)state;
    int32_t value;
    assert_true(time_parse_date(bytes_of("2000-02-29"), &value));
    assert_int_equal(value, 11016);
    assert_true(time_parse_date(bytes_of("2000"), &value));
    assert_int_equal(value, 10957);
    assert_true(time_parse_date(bytes_of("+5881580-07-11"), &value));
    assert_int_equal(value, INT32_MAX);
    assert_true(time_parse_date(bytes_of("0000-01-01"), &value));
    assert_int_equal(value, -719528);
    assert_true(time_parse_date(bytes_of("-0001-01-01"), &value));
    assert_int_equal(value, -719893);
    static const char *const no_dates[] = {"", "2000-", "-2000", "-0000-01-01", "+2000-01-01",
                                           "2000-02-30", "2000-1-01", "2000-02-29T00:00",
                                           "2000-02-29Z", "+5881580-07-12", "20000229"};
    for (size_t i = 0; i < sizeof no_dates / sizeof *no_dates; i++)
        assert_false(time_parse_date(bytes_of(no_dates[i]), &value));
    assert_true(time_parse_time(bytes_of("04:05"), &value));
    assert_int_equal(value, 14700000);
    assert_true(time_parse_time(bytes_of("23:59:59.999999999"), &value));
    assert_int_equal(value, 86399999);
    static const char *const no_times[] = {"", "04", "4:05", "04:05:", "24:00", "04:60",
                                           "04:05:06.1234567890", "04:05Z", "04:05 "};
    for (size_t i = 0; i < sizeof no_times / sizeof *no_times; i++)
        assert_false(time_parse_time(bytes_of(no_times[i]), &value));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_follow_each_other),
        cmocka_unit_test(timestamps_print_as_in_java),
        cmocka_unit_test(dates_and_times_print_as_in_java),
        cmocka_unit_test(timestamps_are_read_in_parts),
        cmocka_unit_test(dates_and_times_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
