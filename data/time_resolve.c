/*
 * time_resolve.c - from the fields that a text named to a date, a time of day, a moment.
 *
 *   fields --time_resolve()--> date and time where they are whole, fields that are left
 *          --timestamp-------> 1970-01-01 00:00 in the zone, changed field by field
 *
 * The first step is java.time's, with ResolverStyle.SMART: 24:00 is the next day's beginning, days
 * that a month has not are its last, fields that contradict others fail. The second is ksqlDB's:
 * each field is put into a zoned date-time on its own, smallest unit first, and whenever that lands
 * in an overlap the offset so far is kept if it can be. So the offset of an overlap depends on what
 * the zone did in 1970, and records rely on it.
 */
#include <assert.h>

#include "data/time_pattern_impl.h"
#include "data/time_text.h"

#define NANO_PER_SECOND INT64_C(1000000000)

enum { SECONDS_PER_DAY = 86400, DAYS_PER_WEEK = 7 };

static const char conflict[] = "parts of the text contradict each other";
static const char out_of_range[] = "a part of the text is out of its range";

static bool fail(TimeParsed *parsed, const char *reason) {
    parsed->reason = reason;
    return false;
}

static void drop(TimeParsed *parsed, TimeField field) {
    parsed->present &= ~(UINT64_C(1) << field);
}

/* Sets a field that follows from others; false: it was said otherwise. */
static bool put(TimeParsed *parsed, TimeField field, int64_t value) {
    if (time_parsed_has(parsed, field) && parsed->values[field] != value)
        return fail(parsed, conflict);
    parsed->present |= UINT64_C(1) << field;
    parsed->values[field] = value;
    return true;
}

static bool valid(TimeParsed *parsed, TimeField field) {
    return time_field_valid(field, parsed->values[field]) || fail(parsed, out_of_range);
}

static bool put_date(TimeParsed *parsed, int64_t day) {
    if (!time_field_valid(TIME_FIELD_EPOCH_DAY, day))
        return fail(parsed, out_of_range);
    if (parsed->has_date && parsed->day != day)
        return fail(parsed, conflict);
    parsed->has_date = true;
    parsed->day = day;
    return true;
}

/* == Dates == */

static bool resolve_era(TimeParsed *parsed) {
    bool has_era = time_parsed_has(parsed, TIME_FIELD_ERA);
    if (!time_parsed_has(parsed, TIME_FIELD_YEAR_OF_ERA))
        return !has_era || valid(parsed, TIME_FIELD_ERA);
    if (!valid(parsed, TIME_FIELD_YEAR_OF_ERA) || (has_era && !valid(parsed, TIME_FIELD_ERA)))
        return false;
    int64_t year = parsed->values[TIME_FIELD_YEAR_OF_ERA];
    bool has_year = time_parsed_has(parsed, TIME_FIELD_YEAR);
    bool before = has_era ? parsed->values[TIME_FIELD_ERA] == 0
                          : has_year && parsed->values[TIME_FIELD_YEAR] <= 0;
    drop(parsed, TIME_FIELD_YEAR_OF_ERA);
    drop(parsed, TIME_FIELD_ERA);
    return put(parsed, TIME_FIELD_YEAR, before ? 1 - year : year);
}

static bool resolve_month_day(TimeParsed *parsed) {
    if (!valid(parsed, TIME_FIELD_YEAR) || !valid(parsed, TIME_FIELD_MONTH) ||
        !valid(parsed, TIME_FIELD_DAY))
        return false;
    int64_t year = parsed->values[TIME_FIELD_YEAR];
    uint32_t month = (uint32_t)parsed->values[TIME_FIELD_MONTH];
    uint32_t day = (uint32_t)parsed->values[TIME_FIELD_DAY];
    uint32_t last = time_month_length(year, month);
    drop(parsed, TIME_FIELD_YEAR);
    drop(parsed, TIME_FIELD_MONTH);
    drop(parsed, TIME_FIELD_DAY);
    return put_date(parsed, time_days_from_civil(year, month, day < last ? day : last));
}

static bool resolve_year_day(TimeParsed *parsed) {
    if (!valid(parsed, TIME_FIELD_YEAR) || !valid(parsed, TIME_FIELD_DAY_OF_YEAR))
        return false;
    int64_t year = parsed->values[TIME_FIELD_YEAR], day = parsed->values[TIME_FIELD_DAY_OF_YEAR];
    if (day == 366 && !time_year_is_leap(year))
        return fail(parsed, out_of_range);
    drop(parsed, TIME_FIELD_YEAR);
    drop(parsed, TIME_FIELD_DAY_OF_YEAR);
    return put_date(parsed, time_days_from_civil(year, 1, 1) + day - 1);
}

/* Year, month, week of the month and day of the week. */
static bool resolve_month_week(TimeParsed *parsed, int64_t local_weekday) {
    if (!valid(parsed, TIME_FIELD_MONTH) || !valid(parsed, TIME_FIELD_WEEK_OF_MONTH))
        return false;
    TimeDate first = time_date_of(time_days_from_civil(
        parsed->values[TIME_FIELD_YEAR], (uint32_t)parsed->values[TIME_FIELD_MONTH], 1));
    int64_t weeks = parsed->values[TIME_FIELD_WEEK_OF_MONTH] -
                    time_date_field(&first, TIME_FIELD_WEEK_OF_MONTH);
    int64_t days = local_weekday - time_date_field(&first, TIME_FIELD_LOCAL_WEEKDAY);
    drop(parsed, TIME_FIELD_WEEK_OF_MONTH);
    drop(parsed, TIME_FIELD_YEAR);
    drop(parsed, TIME_FIELD_MONTH);
    drop(parsed, TIME_FIELD_WEEKDAY);
    return put_date(parsed, first.day + weeks * DAYS_PER_WEEK + days);
}

/* Week-based year, its week and day of the week. */
static bool resolve_week(TimeParsed *parsed, int64_t local_weekday) {
    if (!valid(parsed, TIME_FIELD_WEEK_YEAR) || !valid(parsed, TIME_FIELD_WEEK))
        return false;
    int64_t year = parsed->values[TIME_FIELD_WEEK_YEAR], week = parsed->values[TIME_FIELD_WEEK];
    if (week > time_weeks_in_year(year))
        week--; /* no year has a 54th week */
    drop(parsed, TIME_FIELD_WEEK_YEAR);
    drop(parsed, TIME_FIELD_WEEK);
    drop(parsed, TIME_FIELD_WEEKDAY);
    return put_date(parsed, time_week_day(year, week, local_weekday));
}

/* Fields counted in weeks, where a day of the week and a year go with them. */
static bool resolve_weeks(TimeParsed *parsed) {
    if (time_parsed_has(parsed, TIME_FIELD_LOCAL_WEEKDAY)) {
        if (!valid(parsed, TIME_FIELD_LOCAL_WEEKDAY))
            return false;
        drop(parsed, TIME_FIELD_LOCAL_WEEKDAY); /* it wins over a weekday that was named */
        parsed->present |= UINT64_C(1) << TIME_FIELD_WEEKDAY;
        parsed->values[TIME_FIELD_WEEKDAY] =
            (parsed->values[TIME_FIELD_LOCAL_WEEKDAY] + 5) % DAYS_PER_WEEK + 1;
    }
    if (!time_parsed_has(parsed, TIME_FIELD_WEEKDAY))
        return true;
    bool has_week = time_parsed_has(parsed, TIME_FIELD_WEEK);
    bool has_week_year = time_parsed_has(parsed, TIME_FIELD_WEEK_YEAR);
    bool has_month_week = time_parsed_has(parsed, TIME_FIELD_WEEK_OF_MONTH);
    if (!has_week && !has_week_year && !has_month_week)
        return true;
    if (!valid(parsed, TIME_FIELD_WEEKDAY))
        return false;
    int64_t local_weekday = parsed->values[TIME_FIELD_WEEKDAY] % DAYS_PER_WEEK + 1;
    if (time_parsed_has(parsed, TIME_FIELD_YEAR)) {
        if (!valid(parsed, TIME_FIELD_YEAR))
            return false;
        return !has_month_week || !time_parsed_has(parsed, TIME_FIELD_MONTH) ||
               resolve_month_week(parsed, local_weekday);
    }
    return !has_week || !has_week_year || resolve_week(parsed, local_weekday);
}

static bool resolve_date(TimeParsed *parsed) {
    if (!resolve_era(parsed))
        return false;
    if (!time_parsed_has(parsed, TIME_FIELD_YEAR))
        return true;
    if (time_parsed_has(parsed, TIME_FIELD_MONTH) && time_parsed_has(parsed, TIME_FIELD_DAY))
        return resolve_month_day(parsed);
    return !time_parsed_has(parsed, TIME_FIELD_DAY_OF_YEAR) || resolve_year_day(parsed);
}

static bool resolve_julian(TimeParsed *parsed) {
    if (!time_parsed_has(parsed, TIME_FIELD_MODIFIED_JULIAN_DAY))
        return true;
    if (!valid(parsed, TIME_FIELD_MODIFIED_JULIAN_DAY))
        return false;
    drop(parsed, TIME_FIELD_MODIFIED_JULIAN_DAY);
    TimeDate epoch = time_date_of(0);
    return put_date(parsed, parsed->values[TIME_FIELD_MODIFIED_JULIAN_DAY] -
                                time_date_field(&epoch, TIME_FIELD_MODIFIED_JULIAN_DAY));
}

/* == Times == */

/* Puts the fields `to` (to_count of them) as a whole clock time has them. */
static bool put_clock(TimeParsed *parsed, int64_t nano, bool with_nano) {
    static const TimeField fields[] = {TIME_FIELD_HOUR, TIME_FIELD_MINUTE, TIME_FIELD_SECOND};
    for (uint32_t i = 0; i < 3; i++)
        if (!put(parsed, fields[i], time_clock_field(nano, fields[i])))
            return false;
    return !with_nano || put(parsed, TIME_FIELD_NANO_OF_SECOND, nano % NANO_PER_SECOND);
}

/* Hours that begin with 1: 12 and 24 are 0, and so is 0. */
static bool resolve_clock_hour(TimeParsed *parsed, TimeField clock, TimeField hour, int64_t zero) {
    if (!time_parsed_has(parsed, clock))
        return true;
    int64_t value = parsed->values[clock];
    if (value != 0 && !valid(parsed, clock))
        return false;
    drop(parsed, clock);
    return put(parsed, hour, value == zero ? 0 : value);
}

static bool resolve_half_days(TimeParsed *parsed) {
    if (!resolve_clock_hour(parsed, TIME_FIELD_CLOCK_HOUR, TIME_FIELD_HOUR, 24) ||
        !resolve_clock_hour(parsed, TIME_FIELD_CLOCK_HOUR_OF_AMPM, TIME_FIELD_HOUR_OF_AMPM, 12))
        return false;
    if (!time_parsed_has(parsed, TIME_FIELD_AMPM) ||
        !time_parsed_has(parsed, TIME_FIELD_HOUR_OF_AMPM))
        return true;
    if (!valid(parsed, TIME_FIELD_HOUR_OF_AMPM))
        return false;
    drop(parsed, TIME_FIELD_AMPM);
    drop(parsed, TIME_FIELD_HOUR_OF_AMPM);
    return put(parsed, TIME_FIELD_HOUR, parsed->values[TIME_FIELD_AMPM] * 12 +
                                            parsed->values[TIME_FIELD_HOUR_OF_AMPM]);
}

/* Times counted in one unit from midnight on. */
static bool resolve_counts(TimeParsed *parsed) {
    if (time_parsed_has(parsed, TIME_FIELD_NANO_OF_DAY)) {
        if (!valid(parsed, TIME_FIELD_NANO_OF_DAY))
            return false;
        drop(parsed, TIME_FIELD_NANO_OF_DAY);
        if (!put_clock(parsed, parsed->values[TIME_FIELD_NANO_OF_DAY], true))
            return false;
    }
    if (time_parsed_has(parsed, TIME_FIELD_MILLI_OF_DAY)) {
        if (!valid(parsed, TIME_FIELD_MILLI_OF_DAY))
            return false;
        drop(parsed, TIME_FIELD_MILLI_OF_DAY);
        int64_t nano = parsed->values[TIME_FIELD_MILLI_OF_DAY] * 1000000;
        int64_t finer = nano % NANO_PER_SECOND;
        if (!put_clock(parsed, nano, false))
            return false;
        parsed->counted = !time_parsed_has(parsed, TIME_FIELD_NANO_OF_SECOND);
        if (!parsed->counted)
            finer += parsed->values[TIME_FIELD_NANO_OF_SECOND] % 1000000;
        return put(parsed, TIME_FIELD_NANO_OF_SECOND, finer);
    }
    return true;
}

/* "3 at night": which half of the day the hour is in. */
static bool resolve_day_period(TimeParsed *parsed) {
    if (parsed->day_period == TIME_NO_PERIOD || !time_parsed_has(parsed, TIME_FIELD_HOUR_OF_AMPM))
        return true;
    if (!valid(parsed, TIME_FIELD_HOUR_OF_AMPM))
        return false;
    int64_t hour = parsed->values[TIME_FIELD_HOUR_OF_AMPM];
    int64_t minute = time_parsed_has(parsed, TIME_FIELD_MINUTE)
                         ? (parsed->values[TIME_FIELD_MINUTE] % 60 + 60) % 60 : 0;
    bool later = time_day_period_has(parsed->day_period, (uint32_t)((hour + 12) * 60 + minute));
    parsed->day_period = TIME_NO_PERIOD;
    drop(parsed, TIME_FIELD_HOUR_OF_AMPM);
    return put(parsed, TIME_FIELD_HOUR, hour + (later ? 12 : 0));
}

static int64_t value_or_0(const TimeParsed *parsed, TimeField field) {
    return time_parsed_has(parsed, field) ? parsed->values[field] : 0;
}

/* Hour, minute, second, fraction: as many of them as there are, but none left out between. */
static bool resolve_clock(TimeParsed *parsed) {
    bool minute = time_parsed_has(parsed, TIME_FIELD_MINUTE);
    bool second = time_parsed_has(parsed, TIME_FIELD_SECOND);
    bool nano = time_parsed_has(parsed, TIME_FIELD_NANO_OF_SECOND);
    if (!time_parsed_has(parsed, TIME_FIELD_HOUR) || (!minute && (second || nano)) ||
        (minute && !second && nano))
        return true;
    int64_t values[] = {parsed->values[TIME_FIELD_HOUR], value_or_0(parsed, TIME_FIELD_MINUTE),
                        value_or_0(parsed, TIME_FIELD_SECOND),
                        value_or_0(parsed, TIME_FIELD_NANO_OF_SECOND)};
    bool whole = minute && second && nano && !parsed->counted;
    parsed->next_day = values[0] == 24 && values[1] == 0 && values[2] == 0 && values[3] == 0;
    if (parsed->next_day)
        values[0] = 0;
    if (!time_field_valid(TIME_FIELD_HOUR, values[0]) ||
        !time_field_valid(TIME_FIELD_MINUTE, values[1]) ||
        !time_field_valid(TIME_FIELD_SECOND, values[2]) ||
        !time_field_valid(TIME_FIELD_NANO_OF_SECOND, values[3]))
        return fail(parsed, out_of_range);
    if (parsed->day_period != TIME_NO_PERIOD && !whole &&
        !time_day_period_has(parsed->day_period, (uint32_t)(values[0] * 60 + values[1])))
        return fail(parsed, conflict);
    drop(parsed, TIME_FIELD_HOUR);
    drop(parsed, TIME_FIELD_MINUTE);
    drop(parsed, TIME_FIELD_SECOND);
    drop(parsed, TIME_FIELD_NANO_OF_SECOND);
    parsed->has_time = true;
    parsed->nano = (values[0] * 3600 + values[1] * 60 + values[2]) * NANO_PER_SECOND + values[3];
    return true;
}

/* Nothing but a part of the day: its middle. */
static void resolve_vague_time(TimeParsed *parsed) {
    if (time_parsed_has(parsed, TIME_FIELD_HOUR) || time_parsed_has(parsed, TIME_FIELD_MINUTE) ||
        time_parsed_has(parsed, TIME_FIELD_SECOND) ||
        time_parsed_has(parsed, TIME_FIELD_NANO_OF_SECOND))
        return;
    if (parsed->day_period != TIME_NO_PERIOD) {
        parsed->has_time = true;
        parsed->nano = (int64_t)time_day_period_middle(parsed->day_period) * 60 * NANO_PER_SECOND;
    } else if (time_parsed_has(parsed, TIME_FIELD_AMPM)) {
        drop(parsed, TIME_FIELD_AMPM);
        parsed->has_time = true;
        parsed->nano = (parsed->values[TIME_FIELD_AMPM] * 12 + 6) * 3600 * NANO_PER_SECOND;
    }
}

static bool resolve_time(TimeParsed *parsed) {
    if (time_parsed_has(parsed, TIME_FIELD_NANO_OF_SECOND) &&
        !valid(parsed, TIME_FIELD_NANO_OF_SECOND))
        return false;
    if (!resolve_half_days(parsed) || !resolve_counts(parsed) || !resolve_day_period(parsed))
        return false;
    resolve_vague_time(parsed);
    if (!parsed->has_time && !resolve_clock(parsed))
        return false;
    for (TimeField field = 0; time_field_is_time(field); field++)
        if (time_parsed_has(parsed, field) && !valid(parsed, field))
            return false;
    return true;
}

/* == Both == */

/* What is left must agree with the date and the time that were made. */
static bool cross_check(TimeParsed *parsed) {
    TimeDate date = time_date_of(parsed->has_date ? parsed->day : 0);
    for (TimeField field = 0; field < TIME_FIELD_COUNT; field++) {
        bool is_time = time_field_is_time(field);
        if (!time_parsed_has(parsed, field) || field == TIME_FIELD_OFFSET ||
            !(is_time ? parsed->has_time : parsed->has_date))
            continue;
        int64_t value = is_time ? time_clock_field(parsed->nano, field)
                                : time_date_field(&date, field);
        if (value != parsed->values[field])
            return fail(parsed, conflict);
        drop(parsed, field);
    }
    return true;
}

bool time_resolve(TimeParsed *parsed) {
    parsed->reason = conflict;
    if (!resolve_date(parsed) || !resolve_julian(parsed) || !resolve_weeks(parsed) ||
        !resolve_time(parsed) || !cross_check(parsed))
        return false;
    if (parsed->next_day && parsed->has_date)
        parsed->day++;
    bool used = parsed->has_date && parsed->has_time && time_parsed_has(parsed, TIME_FIELD_OFFSET);
    return !used || valid(parsed, TIME_FIELD_OFFSET);
}

bool time_pattern_date(const TimePattern *pattern, Bytes text, int32_t *days,
                       const char **reason) {
    TimeParsed parsed;
    bool ok = time_pattern_read(pattern, text, &parsed) && time_resolve(&parsed);
    if (ok && !parsed.has_date)
        ok = fail(&parsed, "the text does not tell a whole date");
    *reason = parsed.reason;
    if (!ok)
        return false;
    *days = (int32_t)(uint32_t)(uint64_t)parsed.day; /* Java's (int) */
    return true;
}

bool time_pattern_time(const TimePattern *pattern, Bytes text, int32_t *ms, const char **reason) {
    TimeParsed parsed;
    bool ok = time_pattern_read(pattern, text, &parsed) && time_resolve(&parsed);
    bool dated = ok && parsed.has_date;
    for (TimeField field = 0; ok && field < TIME_FIELD_COUNT; field++)
        dated |= time_field_is_chrono_date(field) && time_parsed_has(&parsed, field);
    if (dated)
        ok = fail(&parsed, "Time format contains date field.");
    else if (ok && !parsed.has_time)
        ok = fail(&parsed, "the text does not tell a time of day");
    *reason = parsed.reason;
    if (ok)
        *ms = (int32_t)(parsed.nano / 1000000);
    return ok;
}

/* == Moments == */

/* A date and a time in a zone that fields are put into one by one. */
typedef struct ZonedTime {
    TimeDate date;
    int64_t nano;
    int32_t offset;
    const Zone *zone;
} ZonedTime;

static int64_t local_seconds(const ZonedTime *time) {
    return time->date.day * SECONDS_PER_DAY + time->nano / NANO_PER_SECOND;
}

/* Finds the offset of the local time, after it changed. */
static void settle(ZonedTime *time, bool has_offset) {
    ZoneLocal local = zone_local(time->zone, local_seconds(time));
    bool keep = has_offset && local.kind == ZONE_LOCAL_OVERLAP && time->offset == local.after;
    if (local.kind == ZONE_LOCAL_GAP) {
        int64_t seconds = local_seconds(time) + local.after - local.before;
        int64_t day = seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
        time->nano = (seconds - day * SECONDS_PER_DAY) * NANO_PER_SECOND +
                     time->nano % NANO_PER_SECOND;
        time->date = time_date_of(day);
        time->offset = local.after;
    } else if (!keep) {
        time->offset = local.before;
    }
}

static bool with_field(ZonedTime *time, TimeField field, int64_t value) {
    int64_t day = time->date.day, nano = time->nano;
    bool ok = time_field_is_time(field) ? time_clock_with(&time->nano, field, value)
                                        : time_date_with(&time->date, field, value);
    if (ok && (time->date.day != day || time->nano != nano))
        settle(time, true);
    return ok;
}

/* The offset a text named, where the zone may have it. */
static void with_offset(ZonedTime *time, int64_t offset) {
    ZoneLocal local = zone_local(time->zone, local_seconds(time));
    if (local.kind == ZONE_LOCAL_OVERLAP && (offset == local.before || offset == local.after))
        time->offset = (int32_t)offset;
}

static bool put_together(TimeParsed *parsed, ZonedTime *time) {
    for (TimeField field = 0; field < TIME_FIELD_OFFSET; field++) {
        bool is_time = time_field_is_time(field);
        int64_t value = parsed->values[field];
        if (!time_parsed_has(parsed, field)) {
            if (!(is_time ? parsed->has_time : parsed->has_date))
                continue;
            TimeDate date = time_date_of(parsed->has_date ? parsed->day : 0);
            value = is_time ? time_clock_field(parsed->nano, field)
                            : time_date_field(&date, field);
        }
        if (field == TIME_FIELD_DAY_OF_YEAR && value == 366) {
            if (!parsed->has_date && !time_parsed_has(parsed, TIME_FIELD_YEAR))
                return fail(parsed, "Leap day cannot be parsed without supplying the year field");
            TimeDate date = time_date_of(parsed->has_date ? parsed->day : 0);
            if (!with_field(time, TIME_FIELD_YEAR,
                            parsed->has_date ? date.year : parsed->values[TIME_FIELD_YEAR]))
                return fail(parsed, out_of_range);
        }
        if (!with_field(time, field, value))
            return fail(parsed, out_of_range);
    }
    if (time_parsed_has(parsed, TIME_FIELD_OFFSET))
        with_offset(time, parsed->values[TIME_FIELD_OFFSET]);
    return true;
}

static bool to_ms(TimeParsed *parsed, int64_t utc_seconds, int64_t nano, int64_t *ms) {
    if (__builtin_mul_overflow(utc_seconds, (int64_t)1000, ms) ||
        __builtin_add_overflow(*ms, nano % NANO_PER_SECOND / 1000000, ms))
        return fail(parsed, out_of_range);
    return true;
}

/* All of it is known: date, time, and the zone or offset from the text or without changes. */
static bool whole_timestamp(TimeParsed *parsed, const Zone *zone, int64_t *ms) {
    ZonedTime time = {.date = time_date_of(parsed->day), .nano = parsed->nano, .zone = zone};
    if (time_parsed_has(parsed, TIME_FIELD_OFFSET))
        time.offset = (int32_t)parsed->values[TIME_FIELD_OFFSET];
    else
        settle(&time, false);
    return to_ms(parsed, local_seconds(&time) - time.offset, time.nano, ms);
}

/* Where the clocks were not changed about 1970 no step before the last can land in a gap or an
 * overlap: the result is known without taking them. false: they must be taken. */
static bool skip_steps(const TimeParsed *parsed, const Zone *zone, ZonedTime *time) {
    enum { AROUND_1970 = 400 * SECONDS_PER_DAY }; /* weekdays go back to 1969, then its days */
    if (!parsed->has_date || !parsed->has_time || parsed->present != 0 ||
        !zone_is_steady(zone, -AROUND_1970, AROUND_1970))
        return false;
    *time = (ZonedTime){.date = time_date_of(parsed->day), .nano = parsed->nano, .zone = zone,
                        .offset = zone_offset(zone, 0)};
    ZoneLocal local = zone_local(zone, local_seconds(time));
    if (local.kind == ZONE_LOCAL_GAP)
        return false;
    if (local.kind == ZONE_LOCAL_ONCE || time->offset != local.after)
        time->offset = local.before;
    return true;
}

static bool resolve_timestamp(TimeParsed *parsed, const Zone *zone, int64_t *ms) {
    bool has_offset = time_parsed_has(parsed, TIME_FIELD_OFFSET);
    Zone own;
    if (has_offset && !valid(parsed, TIME_FIELD_OFFSET))
        return false;
    if (parsed->has_zone) {
        zone = &parsed->zone;
    } else if (has_offset) {
        own = zone_of_offset((int32_t)parsed->values[TIME_FIELD_OFFSET]);
        zone = &own;
    }
    bool told = parsed->has_zone || has_offset || !zone->rules;
    if (parsed->has_date && parsed->has_time && told)
        return whole_timestamp(parsed, zone, ms);
    ZonedTime time = {.date = time_date_of(0), .zone = zone};
    if (skip_steps(parsed, zone, &time))
        return to_ms(parsed, local_seconds(&time) - time.offset, time.nano, ms);
    settle(&time, false);
    return put_together(parsed, &time) &&
           to_ms(parsed, local_seconds(&time) - time.offset, time.nano, ms);
}

bool time_pattern_timestamp(const TimePattern *pattern, Bytes text, const Zone *zone, int64_t *ms,
                            const char **reason) {
    TimeParsed parsed;
    assert(pattern && zone && ms);
    bool ok = time_pattern_read(pattern, text, &parsed) && time_resolve(&parsed) &&
              resolve_timestamp(&parsed, zone, ms);
    *reason = parsed.reason;
    return ok;
}

bool time_pattern_parse(const TimePattern *pattern, Bytes text, int64_t *ms) {
    static const Zone utc = {.id = "UTC"};
    const char *reason;
    return time_pattern_timestamp(pattern, text, &utc, ms, &reason);
}
