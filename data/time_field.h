/*
 * time_field.h - the inside of patterns: the fields of a moment, and their ranges in java.time.
 *
 * Only those fields are here that a pattern can name or that ksqlDB looks at. Their order is that
 * of Java's ChronoField, in which ksqlDB puts a timestamp together.
 */
#ifndef DATA_TIME_FIELD_H
#define DATA_TIME_FIELD_H

#include "base/bytes.h"

#define TIME_FIELDS(X)                                                  \
    X(NANO_OF_SECOND, 0, 999999999)                                     \
    X(NANO_OF_DAY, 0, 86399999999999)                                   \
    X(MILLI_OF_DAY, 0, 86399999)                                        \
    X(SECOND, 0, 59)                                                    \
    X(MINUTE, 0, 59)                                                    \
    X(HOUR_OF_AMPM, 0, 11)                                              \
    X(CLOCK_HOUR_OF_AMPM, 1, 12)                                        \
    X(HOUR, 0, 23)                                                      \
    X(CLOCK_HOUR, 1, 24)                                                \
    X(AMPM, 0, 1)                                                       \
    X(WEEKDAY, 1, 7) /* Monday is 1 */                                  \
    X(ALIGNED_WEEKDAY_OF_MONTH, 1, 7)                                   \
    X(ALIGNED_WEEKDAY_OF_YEAR, 1, 7)                                    \
    X(DAY, 1, 31)                                                       \
    X(DAY_OF_YEAR, 1, 366)                                              \
    X(EPOCH_DAY, -365243219162, 365241780471)                           \
    X(ALIGNED_WEEK_OF_MONTH, 1, 5)                                      \
    X(ALIGNED_WEEK_OF_YEAR, 1, 53)                                      \
    X(MONTH, 1, 12)                                                     \
    X(PROLEPTIC_MONTH, -11999999988, 11999999999)                       \
    X(YEAR_OF_ERA, 1, 1000000000)                                       \
    X(YEAR, -999999999, 999999999)                                      \
    X(ERA, 0, 1)                                                        \
    X(OFFSET, -64800, 64800) /* seconds east of UTC */                  \
    X(QUARTER, 1, 4)                                                    \
    X(MODIFIED_JULIAN_DAY, -365243178575, 365241821058)                 \
    X(LOCAL_WEEKDAY, 1, 7) /* Sunday is 1 */                            \
    X(WEEK_OF_MONTH, 0, 6)                                              \
    X(WEEK, 1, 53)                                                      \
    X(WEEK_YEAR, -999999999, 999999999)

typedef enum TimeField {
#define X(name, low, high) TIME_FIELD_##name,
    TIME_FIELDS(X)
#undef X
    TIME_FIELD_COUNT,
} TimeField;

/* Fields of a date are from WEEKDAY to ERA, and the week-based ones from QUARTER on. */
bool time_field_is_time(TimeField field);
bool time_field_is_chrono_date(TimeField field); /* WEEKDAY to ERA: what ksqlDB calls a date */
bool time_field_valid(TimeField field, int64_t value);

/* A day, taken apart. */
typedef struct TimeDate {
    int64_t day; /* since 1970 */
    int64_t year;
    uint32_t month, day_of_month, day_of_year;
    uint32_t weekday; /* Monday is 1 */
} TimeDate;

TimeDate time_date_of(int64_t day);
bool time_year_is_leap(int64_t year);
uint32_t time_month_length(int64_t year, uint32_t month);

/* The value of a field that a date / a time of day (nanoseconds since midnight) has. */
int64_t time_date_field(const TimeDate *date, TimeField field);
int64_t time_clock_field(int64_t nano, TimeField field);

/* The day of a week-based year that begins in week 1; local_weekday: Sunday is 1. */
int64_t time_week_day(int64_t week_year, int64_t week, int64_t local_weekday);
int64_t time_weeks_in_year(int64_t week_year);

/* With one field changed, as LocalDate.with() and LocalTime.with(); false: it cannot be. */
bool time_date_with(TimeDate *date, TimeField field, int64_t value);
bool time_clock_with(int64_t *nano, TimeField field, int64_t value);

/* == English names == */

typedef enum TimeStyle { TIME_STYLE_SHORT, TIME_STYLE_FULL, TIME_STYLE_NARROW } TimeStyle;

/* Of WEEKDAY, MONTH, AMPM, ERA, QUARTER. */
Bytes time_field_name(TimeField field, TimeStyle style, int64_t value);

/* Parts of the day: pattern letter B. */
enum { TIME_DAY_PERIODS = 6 };
uint32_t time_day_period(uint32_t minute_of_day);
Bytes time_day_period_name(uint32_t period, bool narrow);
bool time_day_period_has(uint32_t period, uint32_t minute_of_day);
uint32_t time_day_period_middle(uint32_t period); /* minute of the day */

#endif
