/*
 * time_lenient_impl.h - the inside of lenient dates: a calendar whose fields are set in any order.
 */
#ifndef DATA_TIME_LENIENT_IMPL_H
#define DATA_TIME_LENIENT_IMPL_H

#include "data/time_lenient.h"

typedef enum LenientField {
    LENIENT_ERA, /* 0: BC, 1: AD */
    LENIENT_YEAR,
    LENIENT_MONTH, /* January is 0 */
    LENIENT_DAY,
    LENIENT_DAY_OF_YEAR,
    LENIENT_WEEKDAY, /* Sunday is 1 */
    LENIENT_WEEK_OF_MONTH,
    LENIENT_WEEKDAY_IN_MONTH, /* the nth such weekday of the month */
    LENIENT_WEEK,
    LENIENT_AMPM,
    LENIENT_HALF_HOUR, /* 0 to 11 */
    LENIENT_HOUR,
    LENIENT_MINUTE,
    LENIENT_SECOND,
    LENIENT_MS,
    LENIENT_FIELD_COUNT,
} LenientField;

/* Which fields count is decided by which were set last: order[] is 0 for those that were not. */
typedef struct LenientCalendar {
    int64_t values[LENIENT_FIELD_COUNT];
    uint32_t order[LENIENT_FIELD_COUNT];
    uint32_t count;
} LenientCalendar;

void time_lenient_set(LenientCalendar *calendar, LenientField field, int64_t value);

/* Milliseconds since 1970 of the clock time that the fields tell; false: no DATE is that far. */
bool time_lenient_ms(const LenientCalendar *calendar, int64_t *ms);

#endif
