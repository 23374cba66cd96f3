/*
 * zone_rules.c - which period of a place's clocks a moment is in.
 *
 * Up to the last listed change by binary search, after it by the yearly rule: the two changes of
 * each year are worked out in UTC, from the day's rule and the offset that is left behind.
 */
#include <assert.h>

#include "data/time_text.h"
#include "data/zone_impl.h"

enum { SECONDS_PER_DAY = 86400 };

static int64_t days_of(int64_t seconds) {
    return seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
}

static int64_t year_of(int64_t seconds) {
    int64_t year;
    uint32_t month, day;
    time_civil_from_days(days_of(seconds), &year, &month, &day);
    return year;
}

/* The nth weekday of a month, the 5th being the last; days since 1970. 1970-01-01: Thursday. */
static int64_t weekday_of_month(int64_t year, const ZoneDay *rule) {
    int64_t first = time_days_from_civil(year, rule->month, 1);
    bool december = rule->month == 12;
    int64_t next = time_days_from_civil(year + december, december ? 1 : rule->month + 1, 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (7 + (int64_t)rule->day - weekday) % 7 + 7 * ((int64_t)rule->week - 1);
    return day < next ? day : day - 7;
}

/* When the period `which` of the tail begins in a year. */
static int64_t tail_start(const ZoneRules *rules, int64_t year, int which) {
    const ZoneDay *rule = &rules->starts[which];
    int64_t january = time_days_from_civil(year, 1, 1);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int64_t day = rule->kind == ZONE_DAY_OF_MONTH ? weekday_of_month(year, rule)
                  : rule->kind == ZONE_DAY_OF_YEAR
                      ? january + rule->day
                      : january + rule->day - 1 + (leap && rule->day >= 60);
    return day * SECONDS_PER_DAY + rule->time - rules->tail[!which].offset;
}

/* The change of the tail before or at `seconds` (direction -1) or after it (1). */
static int64_t tail_change(const ZoneRules *rules, int64_t seconds, int direction, int *which) {
    int64_t year = year_of(seconds), best = 0;
    bool found = false;
    assert(rules->has_tail);
    for (int64_t near = year - 1; near <= year + 1; near++) {
        for (int i = 0; i < 2; i++) {
            int64_t at = tail_start(rules, near, i);
            bool fits = direction < 0 ? at <= seconds : at > seconds;
            bool nearer = !found || (direction < 0 ? at >= best : at < best);
            if (fits && nearer) {
                found = true;
                best = at;
                *which = i;
            }
        }
    }
    assert(found);
    return best;
}

/* How many listed changes are at or before a moment. */
static uint32_t changes_until(const ZoneRules *rules, int64_t seconds) {
    uint32_t low = 0, high = rules->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rules->changes[middle] <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ZonePeriod zone_rules_at(const ZoneRules *rules, int64_t seconds) {
    uint32_t index = changes_until(rules, seconds);
    if (index < rules->count || !rules->has_tail)
        return rules->periods[index];
    int which = 0;
    int64_t start = tail_change(rules, seconds, -1, &which);
    if (rules->count > 0 && start < rules->changes[rules->count - 1])
        return rules->periods[index];
    return rules->tail[which];
}

bool zone_rules_next(const ZoneRules *rules, int64_t seconds, ZoneChange *change) {
    int32_t before = zone_rules_at(rules, seconds).offset;
    for (uint32_t i = changes_until(rules, seconds); i < rules->count; i++) {
        if (rules->periods[i + 1].offset != before) {
            *change = (ZoneChange){rules->changes[i], before, rules->periods[i + 1].offset};
            return true;
        }
    }
    if (!rules->has_tail || rules->tail[0].offset == rules->tail[1].offset)
        return false;
    if (rules->count > 0 && seconds < rules->changes[rules->count - 1])
        seconds = rules->changes[rules->count - 1];
    int which = 0;
    int64_t at = tail_change(rules, seconds, 1, &which);
    while (rules->tail[which].offset == before)
        at = tail_change(rules, at, 1, &which);
    *change = (ZoneChange){at, before, rules->tail[which].offset};
    return true;
}
