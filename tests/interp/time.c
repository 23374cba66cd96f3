/*
 * time.c - dates and times of the interpreter. Days are counted year by year within 400 of them.
 */
#include <stdio.h>

#include "tests/interp/tree.h"

enum { DAYS_400 = 146097, DAY_MS = 86400000, DAYS_TO_1970 = 719162 };

static bool is_leap(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

int64_t ref_floor_div(int64_t value, int64_t by) {
    return value / by - (value % by < 0);
}

/* Years 1 to 9999. */
static int64_t days_of(int64_t year, int month, int day) {
    int64_t days = -DAYS_TO_1970;
    int64_t from = (year - 1) / 400 * 400 + 1;
    days += (from - 1) / 400 * DAYS_400;
    for (; from < year; from++)
        days += 365 + is_leap(from);
    for (int i = 1; i < month; i++)
        days += month_days(year, i);
    return days + day - 1;
}

bool ref_date_text(int64_t days, char text[32]) {
    days += DAYS_TO_1970;
    if (days < 0 || days >= 3652059) /* 0001-01-01 to 9999-12-31 */
        return false;
    int64_t year = days / DAYS_400 * 400 + 1;
    int month = 1;
    days %= DAYS_400;
    for (; days >= 365 + is_leap(year); year++)
        days -= 365 + is_leap(year);
    for (; days >= month_days(year, month); month++)
        days -= month_days(year, month);
    snprintf(text, 32, "%04d-%02d-%02d", (int)year, month, (int)days + 1);
    return true;
}

bool ref_timestamp_text(int64_t ms, char text[64]) {
    char date[32];
    int64_t days = ref_floor_div(ms, DAY_MS);
    int of_day = (int)((ms % DAY_MS + DAY_MS) % DAY_MS);
    if (!ref_date_text(days, date))
        return false;
    snprintf(text, 64, "%sT%02d:%02d:%02d.%03d", date, of_day / 3600000, of_day / 60000 % 60,
             of_day / 1000 % 60, of_day % 1000);
    return true;
}

void ref_time_text(int64_t ms, char text[32]) {
    int seconds = (int)(ms / 1000);
    int size = snprintf(text, 32, "%02d:%02d", seconds / 3600, seconds / 60 % 60);
    if (seconds % 60 != 0)
        snprintf(text + size, 16, ":%02d", seconds % 60);
}

/* == Texts to times == */

typedef struct Scan {
    const uint16_t *at, *end;
} Scan;

static bool scan_number(Scan *scan, int digits, int *value) {
    *value = 0;
    if (scan->end - scan->at < digits)
        return false;
    for (; digits > 0; digits--, scan->at++) {
        if (*scan->at < '0' || *scan->at > '9')
            return false;
        *value = *value * 10 + (*scan->at - '0');
    }
    return true;
}

static bool scan_mark(Scan *scan, char mark) {
    if (scan->at == scan->end || *scan->at != (uint16_t)mark)
        return false;
    scan->at++;
    return true;
}

/* What is not of the plain form may still be one to Java: other numbers of digits, for example.
 * Only texts that hold other characters are surely none. */
static bool odd(RefText text, bool *vague) {
    bool digit = false, other = false;
    for (uint32_t i = 0; i < text.size; i++) {
        uint16_t unit = text.units[i];
        digit |= unit >= '0' && unit <= '9';
        other |= !(unit >= '0' && unit <= '9') && unit != '-' && unit != '+' && unit != ':' &&
                 unit != '.' && unit != 'T' && unit != 'Z' && unit != 't' && unit != 'z';
    }
    *vague |= digit && !other;
    return false;
}

static bool scan_date(Scan *scan, int64_t *days) {
    int year, month = 1, day = 1;
    if (!scan_number(scan, 4, &year))
        return false;
    if (scan_mark(scan, '-')) {
        if (!scan_number(scan, 2, &month))
            return false;
        if (scan_mark(scan, '-') && !scan_number(scan, 2, &day))
            return false;
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}

/* HH[:mm[:ss[.SSS]]] */
static bool scan_time(Scan *scan, int64_t *ms) {
    int hour, minute = 0, second = 0, milli = 0;
    if (!scan_number(scan, 2, &hour))
        return false;
    if (scan_mark(scan, ':')) {
        if (!scan_number(scan, 2, &minute))
            return false;
        if (scan_mark(scan, ':')) {
            if (!scan_number(scan, 2, &second))
                return false;
            if (scan_mark(scan, '.') && !scan_number(scan, 3, &milli))
                return false;
        }
    }
    *ms = ((hour * 60 + minute) * 60 + second) * 1000LL + milli;
    return hour < 24 && minute < 60 && second < 60;
}

static bool scan_zone(Scan *scan, int64_t *ms) {
    int hour, minute, sign = 1;
    if (scan->at == scan->end || scan_mark(scan, 'Z'))
        return true;
    if (scan_mark(scan, '-'))
        sign = -1;
    else if (!scan_mark(scan, '+'))
        return false;
    if (!scan_number(scan, 2, &hour))
        return false;
    scan_mark(scan, ':');
    if (!scan_number(scan, 2, &minute) || hour > 17 || minute > 59)
        return false;
    *ms -= sign * (hour * 60 + minute) * 60000LL;
    return true;
}

bool ref_parse_timestamp(RefText text, int64_t *ms, bool *vague) {
    Scan scan = {text.units, text.units + text.size};
    int64_t days, of_day = 0;
    if (!scan_date(&scan, &days))
        return odd(text, vague);
    bool whole = scan.at - text.units == 10;
    if (scan_mark(&scan, 'T') && (!whole || !scan_time(&scan, &of_day)))
        return odd(text, vague);
    *ms = days * DAY_MS + of_day;
    return (scan_zone(&scan, ms) && scan.at == scan.end) || odd(text, vague);
}

bool ref_parse_date(RefText text, int64_t *days, bool *vague) {
    Scan scan = {text.units, text.units + text.size};
    return (scan_date(&scan, days) && scan.at == scan.end) || odd(text, vague);
}

bool ref_parse_time(RefText text, int64_t *ms, bool *vague) {
    Scan scan = {text.units, text.units + text.size};
    /* Any number of digits behind the point, and at least hours and minutes. */
    if (text.size < 5)
        return odd(text, vague);
    return (scan_time(&scan, ms) && scan.at == scan.end) || odd(text, vague);
}
