/*
 * time_text.h - dates and times as CAST writes and reads them, and the calendar.
 *
 * Times are UTC: an offset that is read is taken off. Patterns: time_pattern.h.
 */
#ifndef DATA_TIME_TEXT_H
#define DATA_TIME_TEXT_H

#include "base/buf.h"

/* ksqlDB's texts: 2001-02-03T04:05:06.007 / 2001-02-03 / 04:05[:06]. */
void time_print_timestamp(Buf *out, int64_t ms);
void time_print_date(Buf *out, int32_t days);
void time_print_time(Buf *out, int32_t ms);

/* YYYY[-MM[-DD]], or YYYY-MM-DD'T'[HH[:mm[:ss[.SSS]]]][zone], zone Z, +hhmm or +hh:mm. */
bool time_parse_timestamp(Bytes text, int64_t *ms);
bool time_parse_date(Bytes text, int32_t *days);
bool time_parse_time(Bytes text, int32_t *ms);

/* Proleptic Gregorian: days since 1970-01-01. */
int64_t time_days_from_civil(int64_t year, uint32_t month, uint32_t day);
void time_civil_from_days(int64_t days, int64_t *year, uint32_t *month, uint32_t *day);

#endif
