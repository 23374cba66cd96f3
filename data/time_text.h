/*
 * time_text.h - dates and times to text and back.
 *
 * Patterns are Java's DateTimeFormatter: letters y M d H m s S, offsets X x Z, 'quoted text' and
 * [optional sections], compiled once. Times are UTC: an offset that is read is taken off, the one
 * that is printed is none.
 */
#ifndef DATA_TIME_TEXT_H
#define DATA_TIME_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

typedef struct TimePattern TimePattern;

/* FORMAT error naming the letter that is not known. Lives in `arena`. */
ErrCode time_pattern_new(Bytes pattern, Arena *arena, const TimePattern **compiled, Err *err);

/* Milliseconds since 1970 UTC. Missing date fields are 1970-01-01, missing times 0. false: the
 * text does not fit the pattern, or names a day that does not exist. */
bool time_pattern_parse(const TimePattern *pattern, Bytes text, int64_t *ms);
void time_pattern_print(Buf *out, const TimePattern *pattern, int64_t ms);

/* ksqlDB's texts: 2001-02-03T04:05:06.007 / 2001-02-03 / 04:05[:06]. */
void time_print_timestamp(Buf *out, int64_t ms);
void time_print_date(Buf *out, int32_t days);
void time_print_time(Buf *out, int32_t ms);

/* YYYY[-MM[-DD]]['T'HH[:mm[:ss[.SSS]]]][zone], zone Z, +hhmm or +hh:mm. */
bool time_parse_timestamp(Bytes text, int64_t *ms);
bool time_parse_date(Bytes text, int32_t *days);
bool time_parse_time(Bytes text, int32_t *ms);

/* Proleptic Gregorian: days since 1970-01-01. */
int64_t time_days_from_civil(int64_t year, uint32_t month, uint32_t day);
void time_civil_from_days(int64_t days, int64_t *year, uint32_t *month, uint32_t *day);

#endif
