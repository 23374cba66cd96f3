/*
 * time_text.c - the calendar, and the texts of CAST.
 *
 * Proleptic Gregorian without zones: days are counted from 1970-01-01, years in cycles of 400
 * (146,097 days) that begin on the 1st of March, so that the leap day is a year's last.
 */
#include "data/time_text.h"

#include <assert.h>

#include "data/time_impl.h"
#include "data/zone.h"

enum {
    DAYS_PER_CYCLE = 146097,
    DAYS_TO_1970 = 719468, /* from 0000-03-01 */
    YEAR_DIGITS = 4,
    YEAR_DIGITS_MAX = 9,
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

/* == Parsing == */

enum { DATE_ROOM = 32 }; /* a sign, ten digits and -MM-DD, with room for longer ones to fail */

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

/* A year of at least four digits; a plus stands before more than four, and only then. */
static bool take_year(Bytes *text, int64_t *year) {
    uint32_t value;
    bool minus = take(text, '-'), plus = !minus && take(text, '+');
    uint32_t digits = take_digits(text, YEAR_DIGITS_MAX, &value);
    *year = minus ? -(int64_t)value : value;
    return digits >= YEAR_DIGITS && (minus ? value > 0 : plus == (digits > YEAR_DIGITS));
}

/* Exactly year-MM-DD. */
static bool parse_whole_date(Bytes text, TimeParts *parts) {
    return take_year(&text, &parts->year) && take(&text, '-') && take_two(&text, &parts->month) &&
           take(&text, '-') && take_two(&text, &parts->day) && text.size == 0;
}

/* year[-MM[-DD]]: what is missing is 01. */
static bool parse_date_parts(Bytes text, TimeParts *parts) {
    uint8_t whole[DATE_ROOM + 6];
    uint32_t dashes = 0;
    if (text.size == 0 || text.size > DATE_ROOM)
        return false;
    for (uint32_t i = 0; i < text.size; i++)
        dashes += text.data[i] == '-';
    uint32_t missing = dashes == 0 ? 6 : dashes == 1 ? 3 : 0;
    memcpy(whole, text.data, text.size);
    memcpy(whole + text.size, "-01-01", missing);
    return parse_whole_date((Bytes){whole, text.size + missing}, parts);
}

/* Up to HH:mm:ss.SSS: the text is laid over 00:00:00.000, so that T1 is ten o'clock. */
static bool parse_clock(Bytes text, TimeParts *parts) {
    uint8_t whole[] = {'0', '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0'};
    if (text.size > sizeof whole)
        return false;
    if (text.size > 0)
        memcpy(whole, text.data, text.size);
    Bytes rest = {whole, sizeof whole};
    if (!take_two(&rest, &parts->hour) || !take(&rest, ':') || !take_two(&rest, &parts->minute) ||
        !take(&rest, ':') || !take_two(&rest, &parts->second) || !take(&rest, '.') ||
        take_digits(&rest, 3, &parts->nano) < 3)
        return false;
    parts->nano *= NS_PER_MS;
    return true;
}

/* The beginning of the offset at the end of a time of day: the first + or, without one, the first
 * minus. */
static uint32_t find_offset(Bytes text) {
    const uint8_t *at = text.size > 0 ? memchr(text.data, '+', text.size) : NULL;
    if (!at && text.size > 0)
        at = memchr(text.data, '-', text.size);
    return at ? (uint32_t)(at - text.data) : text.size;
}

/* Of what is behind the T: the time, then Z or an offset. */
static bool parse_time_and_offset(Bytes text, TimeParts *parts, int64_t *offset_ms) {
    uint32_t at = find_offset(text);
    Bytes offset = {text.data + at, text.size - at}, clock = {text.data, at};
    Zone zone = {.offset = 0};
    Err err;
    if (clock.size > 0 && clock.data[clock.size - 1] == 'Z')
        clock.size--;
    if (offset.size > 0 && zone_of(offset, &zone, &err) != ERR_OK)
        return false;
    *offset_ms = (int64_t)zone.offset * MS_PER_SECOND;
    return parse_clock(clock, parts);
}

/* As java.time's ResolverStyle.SMART: the 31st of February is its last day, 24:00 the next day. */
static bool smart_ms(TimeParts *parts, int64_t *ms) {
    if (parts->year < 1 || parts->month < 1 || parts->month > 12 || parts->day > 31)
        return false;
    uint32_t last = days_in_month(parts->year, parts->month);
    if (parts->day > last)
        parts->day = last;
    bool next_day = parts->hour == 24 && parts->minute == 0 && parts->second == 0 &&
                    parts->nano == 0;
    if (next_day)
        parts->hour = 0;
    return time_parts_ms(parts, ms) &&
           !__builtin_add_overflow(*ms, next_day ? (int64_t)MS_PER_DAY : 0, ms);
}

bool time_parse_timestamp(Bytes text, int64_t *ms) {
    TimeParts parts = {0};
    int64_t offset_ms = 0;
    const uint8_t *t = text.size > 0 ? memchr(text.data, 'T', text.size) : NULL;
    if (t) { /* then the date must be whole */
        uint32_t size = (uint32_t)(t - text.data);
        if (!parse_whole_date((Bytes){text.data, size}, &parts) ||
            !parse_time_and_offset((Bytes){t + 1, text.size - size - 1}, &parts, &offset_ms))
            return false;
    } else if (!parse_date_parts(text, &parts)) {
        return false;
    }
    return smart_ms(&parts, ms) && !__builtin_sub_overflow(*ms, offset_ms, ms);
}

bool time_parse_date(Bytes text, int32_t *days) {
    TimeParts parts = {0};
    int64_t ms;
    if (!parse_date_parts(text, &parts) || !time_parts_ms(&parts, &ms))
        return false;
    int64_t wide = floor_divide(ms, MS_PER_DAY);
    *days = (int32_t)wide;
    return wide == *days;
}

/* HH:mm[:ss[.S..]] */
bool time_parse_time(Bytes text, int32_t *ms) {
    TimeParts parts = {.year = 1970, .month = 1, .day = 1};
    int64_t wide;
    if (!take_two(&text, &parts.hour) || !take(&text, ':') || !take_two(&text, &parts.minute))
        return false;
    if (take(&text, ':')) {
        if (!take_two(&text, &parts.second))
            return false;
        if (take(&text, '.')) {
            uint32_t digits = take_digits(&text, 9, &parts.nano);
            for (; digits < 9; digits++)
                parts.nano *= 10;
        }
    }
    if (text.size > 0 || !time_parts_ms(&parts, &wide))
        return false;
    *ms = (int32_t)wide;
    return true;
}
