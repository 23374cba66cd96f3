/*
 * time_text.c - the calendar, and the texts of CAST.
 *
 * Proleptic Gregorian without zones: days are counted from 1970-01-01, years in cycles of 400
 * (146,097 days) that begin on the 1st of March, so that the leap day is a year's last.
 */
#include "data/time_text.h"

#include <assert.h>

#include "data/time_impl.h"

enum {
    DAYS_PER_CYCLE = 146097,
    DAYS_TO_1970 = 719468, /* from 0000-03-01 */
    YEAR_DIGITS = 4,
    YEAR_DIGITS_MAX = 9,
    ZONE_HOURS_MAX = 18,
};

static int64_t floor_divide(int64_t value, int64_t divisor) {
    return value / divisor - (value % divisor < 0);
}

int64_t time_days_from_civil(int64_t year, uint32_t month, uint32_t day) {
    assert(month >= 1 && month <= 12);
    year -= month <= 2;
    int64_t cycle = floor_divide(year, 400);
    int64_t year_of_cycle = year - cycle * 400;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_cycle =
        year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    return cycle * DAYS_PER_CYCLE + day_of_cycle - DAYS_TO_1970;
}

void time_civil_from_days(int64_t days, int64_t *year, uint32_t *month, uint32_t *day) {
    days += DAYS_TO_1970;
    int64_t cycle = floor_divide(days, DAYS_PER_CYCLE);
    int64_t day_of_cycle = days - cycle * DAYS_PER_CYCLE;
    int64_t year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 -
                             day_of_cycle / (DAYS_PER_CYCLE - 1)) / 365;
    int64_t day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *day = (uint32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (uint32_t)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = cycle * 400 + year_of_cycle + (*month <= 2);
}

static uint32_t days_in_month(int64_t year, uint32_t month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

void time_parts_of(int64_t ms, TimeParts *parts) {
    int64_t days = floor_divide(ms, MS_PER_DAY);
    uint32_t rest = (uint32_t)(ms - days * MS_PER_DAY);
    time_civil_from_days(days, &parts->year, &parts->month, &parts->day);
    parts->hour = rest / MS_PER_HOUR;
    parts->minute = rest / MS_PER_MINUTE % 60;
    parts->second = rest / MS_PER_SECOND % 60;
    parts->nano = rest % MS_PER_SECOND * NS_PER_MS;
}

bool time_parts_ms(const TimeParts *parts, int64_t *ms) {
    if (parts->year < -TIME_YEAR_MAX || parts->year > TIME_YEAR_MAX)
        return false;
    if (parts->month < 1 || parts->month > 12 || parts->day < 1 ||
        parts->day > days_in_month(parts->year, parts->month))
        return false;
    if (parts->hour > 23 || parts->minute > 59 || parts->second > 59)
        return false;
    int64_t days = time_days_from_civil(parts->year, parts->month, parts->day);
    int64_t time = (int64_t)parts->hour * MS_PER_HOUR + (int64_t)parts->minute * MS_PER_MINUTE +
                   (int64_t)parts->second * MS_PER_SECOND + parts->nano / NS_PER_MS;
    int64_t start;
    return !__builtin_mul_overflow(days, (int64_t)MS_PER_DAY, &start) &&
           !__builtin_add_overflow(start, time, ms);
}

/* == Printing == */

void time_put_number(Buf *out, uint64_t value, uint32_t width) {
    uint8_t digits[20];
    uint32_t first = sizeof digits;
    assert(width < sizeof digits);
    for (; value > 0; value /= 10)
        digits[--first] = (uint8_t)('0' + value % 10);
    while (sizeof digits - first < width)
        digits[--first] = '0';
    buf_put(out, digits + first, sizeof digits - first);
}

static void put_date(Buf *out, int64_t year, uint32_t month, uint32_t day) {
    if (year > 9999)
        buf_u8(out, '+');
    if (year < 0)
        buf_u8(out, '-');
    time_put_number(out, (uint64_t)(year < 0 ? -year : year), YEAR_DIGITS);
    buf_u8(out, '-');
    time_put_number(out, month, 2);
    buf_u8(out, '-');
    time_put_number(out, day, 2);
}

static void put_hour_minute(Buf *out, const TimeParts *parts) {
    time_put_number(out, parts->hour, 2);
    buf_u8(out, ':');
    time_put_number(out, parts->minute, 2);
}

void time_print_timestamp(Buf *out, int64_t ms) {
    TimeParts parts;
    time_parts_of(ms, &parts);
    int64_t year_of_era = parts.year > 0 ? parts.year : 1 - parts.year; /* as Java's yyyy */
    put_date(out, year_of_era, parts.month, parts.day);
    buf_u8(out, 'T');
    put_hour_minute(out, &parts);
    buf_u8(out, ':');
    time_put_number(out, parts.second, 2);
    buf_u8(out, '.');
    time_put_number(out, parts.nano / NS_PER_MS, 3);
}

void time_print_date(Buf *out, int32_t days) {
    int64_t year;
    uint32_t month, day;
    time_civil_from_days(days, &year, &month, &day);
    put_date(out, year, month, day);
}

void time_print_time(Buf *out, int32_t ms) {
    TimeParts parts;
    time_parts_of(ms, &parts);
    put_hour_minute(out, &parts);
    if (parts.second > 0) {
        buf_u8(out, ':');
        time_put_number(out, parts.second, 2);
    }
}

/* == Parsing: each part takes what it knows from the text's beginning == */

static bool take(Bytes *text, uint8_t byte) {
    if (text->size == 0 || text->data[0] != byte)
        return false;
    text->data++;
    text->size--;
    return true;
}

/* Digits up to `max`; returns how many. */
static uint32_t take_digits(Bytes *text, uint32_t max, uint32_t *value) {
    uint32_t count = 0;
    *value = 0;
    for (; count < max && count < text->size; count++) {
        uint8_t digit = (uint8_t)(text->data[count] - '0');
        if (digit > 9)
            break;
        *value = *value * 10 + digit;
    }
    text->data += count;
    text->size -= count;
    return count;
}

static bool take_two(Bytes *text, uint32_t *value) {
    return take_digits(text, 2, value) == 2;
}

/* YYYY[-MM[-DD]]; a year of more than four digits has a plus before it. */
static bool take_date(Bytes *text, TimeParts *parts) {
    uint32_t year;
    bool plus = take(text, '+');
    uint32_t digits = take_digits(text, plus ? YEAR_DIGITS_MAX : YEAR_DIGITS, &year);
    if (digits < YEAR_DIGITS || plus != (digits > YEAR_DIGITS) || year == 0)
        return false;
    *parts = (TimeParts){.year = year, .month = 1, .day = 1};
    if (!take(text, '-'))
        return true;
    if (!take_two(text, &parts->month))
        return false;
    return !take(text, '-') || take_two(text, &parts->day);
}

/* Up to `max` digits behind the point, which has been taken. */
static void take_fraction(Bytes *text, uint32_t max, TimeParts *parts) {
    uint32_t digits = take_digits(text, max, &parts->nano);
    for (; digits < 9; digits++)
        parts->nano *= 10;
}

/* HH[:mm[:ss[.S..]]] */
static bool take_time(Bytes *text, uint32_t fraction_max, TimeParts *parts) {
    if (!take_two(text, &parts->hour))
        return false;
    if (!take(text, ':'))
        return true;
    if (!take_two(text, &parts->minute))
        return false;
    if (!take(text, ':'))
        return true;
    if (!take_two(text, &parts->second))
        return false;
    if (take(text, '.'))
        take_fraction(text, fraction_max, parts);
    return true;
}

/* Nothing, Z, +hh, +hhmm or +hh:mm. */
static bool take_zone(Bytes *text, int64_t *offset_ms) {
    uint32_t hours, minutes = 0;
    *offset_ms = 0;
    if (text->size == 0 || take(text, 'Z'))
        return true;
    bool negative = take(text, '-');
    if (!negative && !take(text, '+'))
        return false;
    if (!take_two(text, &hours))
        return false;
    if ((take(text, ':') || text->size > 0) && !take_two(text, &minutes))
        return false;
    if (minutes > 59 || hours * 60 + minutes > ZONE_HOURS_MAX * 60)
        return false;
    int64_t offset = (int64_t)(hours * 60 + minutes) * MS_PER_MINUTE;
    *offset_ms = negative ? -offset : offset;
    return true;
}

bool time_parse_timestamp(Bytes text, int64_t *ms) {
    TimeParts parts;
    int64_t offset_ms = 0;
    if (!take_date(&text, &parts))
        return false;
    if (take(&text, 'T')) {
        bool has_time = text.size > 0 && text.data[0] >= '0' && text.data[0] <= '9';
        if (has_time && !take_time(&text, 3, &parts))
            return false;
        if (!take_zone(&text, &offset_ms))
            return false;
    }
    return text.size == 0 && time_parts_ms(&parts, ms) &&
           !__builtin_sub_overflow(*ms, offset_ms, ms);
}

bool time_parse_date(Bytes text, int32_t *days) {
    TimeParts parts;
    int64_t ms;
    if (!take_date(&text, &parts) || text.size > 0 || !time_parts_ms(&parts, &ms))
        return false;
    int64_t wide = floor_divide(ms, MS_PER_DAY);
    *days = (int32_t)wide;
    return wide == *days;
}

bool time_parse_time(Bytes text, int32_t *ms) {
    TimeParts parts = {.year = 1970, .month = 1, .day = 1};
    int64_t wide;
    uint32_t size = text.size;
    if (!take_time(&text, 9, &parts) || text.size > 0 || size < sizeof "hh:mm" - 1)
        return false;
    if (!time_parts_ms(&parts, &wide))
        return false;
    *ms = (int32_t)wide;
    return true;
}
