/*
 * time_pattern.h - dates and times by patterns: Java's DateTimeFormatter, in English.
 *
 * A pattern is compiled once and then read or printed by any thread. Reading is what ksqlDB makes
 * of java.time: letter case does not matter, values are resolved as by ResolverStyle.SMART (the
 * 31st of February is the last of February), and parts that contradict each other fail. Names are
 * English everywhere; weeks begin on Sunday and the first week of a year is that of the 1st of
 * January, as Java has it for the United States.
 */
#ifndef DATA_TIME_PATTERN_H
#define DATA_TIME_PATTERN_H

#include "base/arena.h"
#include "base/buf.h"
#include "data/zone.h"

typedef struct TimePattern TimePattern;

/* FORMAT error saying what is wrong with the pattern. Lives in `arena`. */
ErrCode time_pattern_new(Bytes pattern, Arena *arena, const TimePattern **compiled, Err *err);

/* Reading. The whole text must fit; a result that is false sets *reason to a static text.
 * Parts that the text does not tell are those of 1970-01-01 00:00. */

/* Milliseconds since 1970 UTC, where the clocks are those of `zone` unless the text names one. In a
 * gap they are moved forward by its length; in an overlap the offset is kept that held when the
 * parts so far were put together, as in ksqlDB: see time_resolve.c. */
bool time_pattern_timestamp(const TimePattern *pattern, Bytes text, const Zone *zone, int64_t *ms,
                            const char **reason);

/* The same with the clocks of UTC, for columns that say when a record was. */
bool time_pattern_parse(const TimePattern *pattern, Bytes text, int64_t *ms);

/* Days since 1970: the text must tell a whole date, and may tell a time too. */
bool time_pattern_date(const TimePattern *pattern, Bytes text, int32_t *days,
                       const char **reason);

/* Milliseconds since midnight: the text must tell an hour, and nothing of a date. */
bool time_pattern_time(const TimePattern *pattern, Bytes text, int32_t *ms, const char **reason);

/* Printing. A pattern that asks for what there is not (an hour of a date) fails with a static
 * *reason and leaves *out as it was; within [ ] it prints nothing. */
bool time_pattern_print(Buf *out, const TimePattern *pattern, const Zone *zone, int64_t ms,
                        const char **reason);
bool time_pattern_print_date(Buf *out, const TimePattern *pattern, int32_t days,
                             const char **reason);
bool time_pattern_print_time(Buf *out, const TimePattern *pattern, int32_t ms,
                             const char **reason);

#endif
