/*
 * time_field.c - the fields of dates and times of day: reading, changing, ranges.
 *
 * Weeks are those of the United States: they begin on Sunday, and a year's first week is that of
 * its 1st of January, however few days it has in it.
 */
#include "data/time_field.h"

#include <assert.h>

#include "data/time_text.h"

#define NANO_PER_SECOND INT64_C(1000000000)
#define NANO_PER_MINUTE (60 * NANO_PER_SECOND)
#define NANO_PER_HOUR (3600 * NANO_PER_SECOND)
#define NANO_PER_DAY (86400 * NANO_PER_SECOND)

enum { DAYS_PER_WEEK = 7, JULIAN_OF_1970 = 40587 };

static const struct {
    int64_t low, high;
} field_ranges[TIME_FIELD_COUNT] = {
#define X(name, from, to) {from, to},
    TIME_FIELDS(X)
#undef X
};

bool time_field_is_time(TimeField field) {
    return field <= TIME_FIELD_AMPM;
}

bool time_field_is_chrono_date(TimeField field) {
    return field >= TIME_FIELD_WEEKDAY && field <= TIME_FIELD_ERA;
}

bool time_field_valid(TimeField field, int64_t value) {
    assert(field < TIME_FIELD_COUNT);
    return value >= field_ranges[field].low && value <= field_ranges[field].high;
}

static int64_t floor_mod(int64_t value, int64_t divisor) {
    int64_t rest = value % divisor;
    return rest < 0 ? rest + divisor : rest;
}

/* == Dates == */

bool time_year_is_leap(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

uint32_t time_month_length(int64_t year, uint32_t month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    return month == 2 && time_year_is_leap(year) ? 29 : days[month - 1];
}

TimeDate time_date_of(int64_t day) {
    TimeDate date = {.day = day};
    time_civil_from_days(day, &date.year, &date.month, &date.day_of_month);
    date.day_of_year = (uint32_t)(day - time_days_from_civil(date.year, 1, 1)) + 1;
    date.weekday = (uint32_t)floor_mod(day + 3, DAYS_PER_WEEK) + 1;
    return date;
}

/* The number of days before the first Sunday-week of which `day` (of month or year) is counted. */
static int64_t week_number(int64_t day, int64_t local_weekday) {
    int64_t start = floor_mod(day - local_weekday, DAYS_PER_WEEK); /* days of a broken first week */
    int64_t offset = start + 1 > 1 ? DAYS_PER_WEEK - start : -start;
    return (DAYS_PER_WEEK + offset + day - 1) / DAYS_PER_WEEK;
}

static int64_t local_weekday(const TimeDate *date) {
    return date->weekday % DAYS_PER_WEEK + 1;
}

static int64_t year_length(int64_t year) {
    return time_year_is_leap(year) ? 366 : 365;
}

/* The days at the end of a year that are in the first week of the next belong to that. */
static bool in_next_week_year(const TimeDate *date) {
    int64_t to_saturday = DAYS_PER_WEEK - local_weekday(date);
    return date->day_of_year + to_saturday > year_length(date->year);
}

int64_t time_date_field(const TimeDate *date, TimeField field) {
    switch (field) {
    case TIME_FIELD_WEEKDAY: return date->weekday;
    case TIME_FIELD_ALIGNED_WEEKDAY_OF_MONTH: return (date->day_of_month - 1) % DAYS_PER_WEEK + 1;
    case TIME_FIELD_ALIGNED_WEEKDAY_OF_YEAR: return (date->day_of_year - 1) % DAYS_PER_WEEK + 1;
    case TIME_FIELD_DAY: return date->day_of_month;
    case TIME_FIELD_DAY_OF_YEAR: return date->day_of_year;
    case TIME_FIELD_EPOCH_DAY: return date->day;
    case TIME_FIELD_ALIGNED_WEEK_OF_MONTH: return (date->day_of_month - 1) / DAYS_PER_WEEK + 1;
    case TIME_FIELD_ALIGNED_WEEK_OF_YEAR: return (date->day_of_year - 1) / DAYS_PER_WEEK + 1;
    case TIME_FIELD_MONTH: return date->month;
    case TIME_FIELD_PROLEPTIC_MONTH: return date->year * 12 + date->month - 1;
    case TIME_FIELD_YEAR_OF_ERA: return date->year > 0 ? date->year : 1 - date->year;
    case TIME_FIELD_YEAR: return date->year;
    case TIME_FIELD_ERA: return date->year > 0;
    case TIME_FIELD_QUARTER: return (date->month - 1) / 3 + 1;
    case TIME_FIELD_MODIFIED_JULIAN_DAY: return date->day + JULIAN_OF_1970;
    case TIME_FIELD_LOCAL_WEEKDAY: return local_weekday(date);
    case TIME_FIELD_WEEK_OF_MONTH: return week_number(date->day_of_month, local_weekday(date));
    case TIME_FIELD_WEEK:
        return in_next_week_year(date) ? 1 : week_number(date->day_of_year, local_weekday(date));
    case TIME_FIELD_WEEK_YEAR: return date->year + in_next_week_year(date);
    default: break;
    }
    assert(time_field_is_chrono_date(field));
    return 0;
}

int64_t time_week_day(int64_t week_year, int64_t week, int64_t local_weekday_wanted) {
    TimeDate first = time_date_of(time_days_from_civil(week_year, 1, 1));
    return first.day - (local_weekday(&first) - 1) + (week - 1) * DAYS_PER_WEEK +
           local_weekday_wanted - 1;
}

int64_t time_weeks_in_year(int64_t week_year) {
    return (time_week_day(week_year + 1, 1, 1) - time_week_day(week_year, 1, 1)) / DAYS_PER_WEEK;
}

static bool put_day(TimeDate *date, int64_t day) {
    if (!time_field_valid(TIME_FIELD_EPOCH_DAY, day))
        return false;
    *date = time_date_of(day);
    return true;
}

/* A day that the month has not is its last. */
static bool put_month(TimeDate *date, int64_t year, int64_t month) {
    if (!time_field_valid(TIME_FIELD_YEAR, year))
        return false;
    uint32_t last = time_month_length(year, (uint32_t)month);
    uint32_t day = date->day_of_month < last ? date->day_of_month : last;
    return put_day(date, time_days_from_civil(year, (uint32_t)month, day));
}

bool time_date_with(TimeDate *date, TimeField field, int64_t value) {
    if (!time_field_valid(field, value))
        return false;
    int64_t shift = value - time_date_field(date, field);
    switch (field) {
    case TIME_FIELD_DAY:
        return value <= time_month_length(date->year, date->month) &&
               put_day(date, date->day + shift);
    case TIME_FIELD_DAY_OF_YEAR:
        return value <= year_length(date->year) && put_day(date, date->day + shift);
    case TIME_FIELD_ALIGNED_WEEK_OF_MONTH:
    case TIME_FIELD_ALIGNED_WEEK_OF_YEAR: return put_day(date, date->day + shift * DAYS_PER_WEEK);
    case TIME_FIELD_MONTH: return put_month(date, date->year, value);
    case TIME_FIELD_PROLEPTIC_MONTH:
        return put_month(date, (value - floor_mod(value, 12)) / 12, floor_mod(value, 12) + 1);
    case TIME_FIELD_YEAR_OF_ERA:
        return put_month(date, date->year > 0 ? value : 1 - value, date->month);
    case TIME_FIELD_YEAR: return put_month(date, value, date->month);
    case TIME_FIELD_ERA: return shift == 0 || put_month(date, 1 - date->year, date->month);
    default: return put_day(date, date->day + shift); /* counts days */
    }
}

/* == Times of day == */

int64_t time_clock_field(int64_t nano, TimeField field) {
    int64_t hour = nano / NANO_PER_HOUR;
    switch (field) {
    case TIME_FIELD_NANO_OF_SECOND: return nano % NANO_PER_SECOND;
    case TIME_FIELD_NANO_OF_DAY: return nano;
    case TIME_FIELD_MILLI_OF_DAY: return nano / 1000000;
    case TIME_FIELD_SECOND: return nano / NANO_PER_SECOND % 60;
    case TIME_FIELD_MINUTE: return nano / NANO_PER_MINUTE % 60;
    case TIME_FIELD_HOUR_OF_AMPM: return hour % 12;
    case TIME_FIELD_CLOCK_HOUR_OF_AMPM: return hour % 12 == 0 ? 12 : hour % 12;
    case TIME_FIELD_HOUR: return hour;
    case TIME_FIELD_CLOCK_HOUR: return hour == 0 ? 24 : hour;
    case TIME_FIELD_AMPM: return hour / 12;
    default: break;
    }
    assert(time_field_is_time(field));
    return 0;
}

bool time_clock_with(int64_t *nano, TimeField field, int64_t value) {
    static const int64_t units[] = {
        [TIME_FIELD_NANO_OF_SECOND] = 1,
        [TIME_FIELD_NANO_OF_DAY] = 1,
        [TIME_FIELD_MILLI_OF_DAY] = 1000000,
        [TIME_FIELD_SECOND] = NANO_PER_SECOND,
        [TIME_FIELD_MINUTE] = NANO_PER_MINUTE,
        [TIME_FIELD_HOUR_OF_AMPM] = NANO_PER_HOUR,
        [TIME_FIELD_CLOCK_HOUR_OF_AMPM] = NANO_PER_HOUR,
        [TIME_FIELD_HOUR] = NANO_PER_HOUR,
        [TIME_FIELD_CLOCK_HOUR] = NANO_PER_HOUR,
        [TIME_FIELD_AMPM] = 12 * NANO_PER_HOUR,
    };
    assert(time_field_is_time(field));
    if (!time_field_valid(field, value))
        return false;
    if (field == TIME_FIELD_MILLI_OF_DAY) { /* what is below a millisecond goes */
        *nano = value * 1000000;
        return true;
    }
    if (field == TIME_FIELD_CLOCK_HOUR_OF_AMPM)
        value %= 12;
    if (field == TIME_FIELD_CLOCK_HOUR)
        value %= 24;
    TimeField plain = field == TIME_FIELD_CLOCK_HOUR_OF_AMPM ? TIME_FIELD_HOUR_OF_AMPM
                      : field == TIME_FIELD_CLOCK_HOUR       ? TIME_FIELD_HOUR
                                                             : field;
    *nano += (value - time_clock_field(*nano, plain)) * units[field];
    assert(*nano >= 0 && *nano < NANO_PER_DAY);
    return true;
}

/* == Names == */

static Bytes cut(const char *name, TimeStyle style) {
    Bytes bytes = bytes_of(name);
    if (style == TIME_STYLE_NARROW)
        bytes.size = 1;
    else if (style == TIME_STYLE_SHORT)
        bytes.size = 3;
    return bytes;
}

Bytes time_field_name(TimeField field, TimeStyle style, int64_t value) {
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                           "Friday", "Saturday", "Sunday"};
    static const char *const quarters[][4] = {
        {"Q1", "Q2", "Q3", "Q4"},
        {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"},
        {"1", "2", "3", "4"},
    };
    static const char *const eras[][2] = {
        {"BC", "AD"}, {"Before Christ", "Anno Domini"}, {"B", "A"}};
    assert(time_field_valid(field, value));
    switch (field) {
    case TIME_FIELD_MONTH: return cut(months[value - 1], style);
    case TIME_FIELD_WEEKDAY: return cut(weekdays[value - 1], style);
    case TIME_FIELD_QUARTER: return bytes_of(quarters[style][value - 1]);
    case TIME_FIELD_ERA: return bytes_of(eras[style][value]);
    default: break;
    }
    assert(field == TIME_FIELD_AMPM);
    return bytes_of(value == 0 ? "AM" : "PM");
}

/* Midnight and noon are one minute each. */
static const struct {
    uint32_t from, to; /* minutes; to < from: over midnight */
    const char *name, *narrow;
} day_periods[TIME_DAY_PERIODS] = {
    {0, 0, "midnight", "mi"},
    {720, 720, "noon", "n"},
    {360, 720, "in the morning", "in the morning"},
    {720, 1080, "in the afternoon", "in the afternoon"},
    {1080, 1260, "in the evening", "in the evening"},
    {1260, 360, "at night", "at night"},
};

bool time_day_period_has(uint32_t period, uint32_t minute) {
    uint32_t from = day_periods[period].from, to = day_periods[period].to;
    assert(minute < 1440);
    if (from == to)
        return minute == from;
    return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

uint32_t time_day_period(uint32_t minute) {
    uint32_t period = 0;
    while (!time_day_period_has(period, minute))
        period++;
    return period;
}

Bytes time_day_period_name(uint32_t period, bool narrow) {
    assert(period < TIME_DAY_PERIODS);
    return bytes_of(narrow ? day_periods[period].narrow : day_periods[period].name);
}

uint32_t time_day_period_middle(uint32_t period) {
    uint32_t from = day_periods[period].from, to = day_periods[period].to;
    assert(period < TIME_DAY_PERIODS);
    return (from <= to ? from + to : from + to + 1440) / 2 % 1440;
}
