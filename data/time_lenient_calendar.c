/*
 * time_lenient_calendar.c - java.util.GregorianCalendar, lenient, as the United States count weeks.
 *
 * Fields may contradict each other: the ones set last win, and the others are not looked at. Fields
 * out of their range run over into the next larger one.
 */
#include <assert.h>

#include "data/time_lenient_impl.h"
#include "data/time_text.h"

enum { CUTOVER_DAY = -141427, CUTOVER_YEAR = 1582 }; /* 1582-10-15, the first Gregorian day */

static const int64_t MS_OF_DAY = 86400000;

void time_lenient_set(LenientCalendar *calendar, LenientField field, int64_t value) {
    assert(field < LENIENT_FIELD_COUNT);
    calendar->values[field] = value;
    calendar->order[field] = ++calendar->count;
}

static uint32_t later(uint32_t left, uint32_t right) {
    return left > right ? left : right;
}

/* When both are set: when the later of them was. */
static uint32_t both(uint32_t left, uint32_t right) {
    return left > 0 && right > 0 ? later(left, right) : 0;
}

static int64_t floor_divide(int64_t value, int64_t divisor) {
    return value / divisor - (value % divisor < 0);
}

/* The day of `year` on which a Julian or Gregorian month (from 0, any number) begins. */
static int64_t month_start(bool julian, int64_t year, int64_t month) {
    year += floor_divide(month, 12);
    uint32_t plain = (uint32_t)(month - floor_divide(month, 12) * 12) + 1;
    if (!julian)
        return time_days_from_civil(year, plain, 1);
    /* Julian leap years come every four years: count from March 1st, 4 BC. */
    static const uint16_t before[] = {306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275};
    int64_t years = year - (plain <= 2);
    return years * 365 + floor_divide(years, 4) + before[plain - 1] - 719470;
}

/* The last day at or before `day` that is this weekday (Sunday is 1). */
static int64_t weekday_before(int64_t day, int64_t weekday) {
    int64_t have = (day + 4) - floor_divide(day + 4, 7) * 7 + 1;
    return day - ((have - weekday) % 7 + 7) % 7;
}

/* Weeks counted from the one that `first` is in. */
static int64_t week_day(const LenientCalendar *calendar, int64_t first, int64_t week) {
    int64_t start = weekday_before(first + 6, 1);
    if (start - first >= 1)
        start -= 7;
    if (calendar->order[LENIENT_WEEKDAY] > 0)
        start = weekday_before(start + 6, calendar->values[LENIENT_WEEKDAY]);
    return start + 7 * (week - 1);
}

/* Which fields tell the day. */
typedef enum LenientChoice {
    CHOICE_DAY,
    CHOICE_WEEK_OF_MONTH,
    CHOICE_WEEKDAY_IN_MONTH,
    CHOICE_DAY_OF_YEAR,
    CHOICE_WEEK,
} LenientChoice;

static LenientChoice choose(const LenientCalendar *calendar) {
    const uint32_t *order = calendar->order;
    uint32_t weekday = order[LENIENT_WEEKDAY], day = order[LENIENT_DAY];
    uint32_t month_week = both(order[LENIENT_WEEK_OF_MONTH], weekday);
    uint32_t month_weekday = both(order[LENIENT_WEEKDAY_IN_MONTH], weekday);
    uint32_t year_day = order[LENIENT_DAY_OF_YEAR];
    uint32_t year_week = both(order[LENIENT_WEEK], weekday);
    uint32_t best = later(later(later(day, month_week), later(month_weekday, year_day)), year_week);
    if (best == 0) { /* nothing whole: weeks or weekdays alone, then months */
        month_week = order[LENIENT_WEEK_OF_MONTH];
        month_weekday = later(order[LENIENT_WEEKDAY_IN_MONTH], weekday);
        year_week = order[LENIENT_WEEK];
        best = later(later(month_week, month_weekday), year_week);
        if (best == 0)
            return CHOICE_DAY;
    }
    if (best == day)
        return CHOICE_DAY;
    bool by_week = best == month_week && order[LENIENT_WEEK_OF_MONTH] >= order[LENIENT_WEEK];
    bool by_weekday =
        best == month_weekday && order[LENIENT_WEEKDAY_IN_MONTH] >= order[LENIENT_WEEK];
    if (by_week || by_weekday) {
        if (month_week == month_weekday)
            return order[LENIENT_WEEK_OF_MONTH] >= order[LENIENT_WEEKDAY_IN_MONTH]
                       ? CHOICE_WEEK_OF_MONTH : CHOICE_WEEKDAY_IN_MONTH;
        return best == month_week ? CHOICE_WEEK_OF_MONTH : CHOICE_WEEKDAY_IN_MONTH;
    }
    return best == year_day ? CHOICE_DAY_OF_YEAR : CHOICE_WEEK;
}

static int64_t value_or(const LenientCalendar *calendar, LenientField field, int64_t other) {
    return calendar->order[field] > 0 ? calendar->values[field] : other;
}

static int64_t day_in(const LenientCalendar *calendar, LenientChoice choice, int64_t year,
                      bool julian) {
    const int64_t *values = calendar->values;
    bool in_month = choice <= CHOICE_WEEKDAY_IN_MONTH;
    int64_t month = in_month ? value_or(calendar, LENIENT_MONTH, 0) : 0;
    int64_t first = month_start(julian, year, month);
    int64_t nth = value_or(calendar, LENIENT_WEEKDAY_IN_MONTH, 1);
    switch (choice) {
    case CHOICE_DAY: return first + value_or(calendar, LENIENT_DAY, 1) - 1;
    case CHOICE_WEEK_OF_MONTH: return week_day(calendar, first, values[LENIENT_WEEK_OF_MONTH]);
    case CHOICE_WEEKDAY_IN_MONTH:
        return weekday_before(first + 7 * nth - 1, value_or(calendar, LENIENT_WEEKDAY, 1));
    case CHOICE_DAY_OF_YEAR: return first + values[LENIENT_DAY_OF_YEAR] - 1;
    case CHOICE_WEEK: break;
    }
    return week_day(calendar, first, values[LENIENT_WEEK]);
}

static int64_t time_of_day(const LenientCalendar *calendar) {
    const uint32_t *order = calendar->order;
    uint32_t half = both(order[LENIENT_HALF_HOUR], order[LENIENT_AMPM]);
    uint32_t best = later(half, order[LENIENT_HOUR]);
    if (best == 0)
        best = later(order[LENIENT_HALF_HOUR], order[LENIENT_AMPM]);
    int64_t hour = best == 0                   ? 0
                   : best == order[LENIENT_HOUR] ? calendar->values[LENIENT_HOUR]
                                                 : value_or(calendar, LENIENT_HALF_HOUR, 0) +
                                                       12 * value_or(calendar, LENIENT_AMPM, 0);
    return ((hour * 60 + value_or(calendar, LENIENT_MINUTE, 0)) * 60 +
            value_or(calendar, LENIENT_SECOND, 0)) * 1000 + value_or(calendar, LENIENT_MS, 0);
}

bool time_lenient_ms(const LenientCalendar *calendar, int64_t *ms) {
    LenientChoice choice = choose(calendar);
    int64_t year = value_or(calendar, LENIENT_YEAR, 1970);
    int64_t clock = time_of_day(calendar);
    if (value_or(calendar, LENIENT_ERA, 1) == 0)
        year = 1 - year;
    int64_t overflow = floor_divide(clock, MS_OF_DAY);
    int64_t gregorian = day_in(calendar, choice, year, false) + overflow;
    int64_t julian = day_in(calendar, choice, year, true) + overflow;
    bool is_julian = year < CUTOVER_YEAR || gregorian < CUTOVER_DAY;
    if (year == CUTOVER_YEAR && (choice == CHOICE_DAY_OF_YEAR || choice == CHOICE_WEEK))
        is_julian = true;
    int64_t day = is_julian ? julian : gregorian;
    if (day > INT32_MAX || day < INT32_MIN)
        return false;
    *ms = day * MS_OF_DAY + clock - overflow * MS_OF_DAY;
    return true;
}
