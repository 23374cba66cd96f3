/*
 * time_impl.h - the inside of time_text: moments taken apart, and numbers in texts.
 */
#ifndef DATA_TIME_IMPL_H
#define DATA_TIME_IMPL_H

#include "data/time_text.h"

enum {
    MS_PER_SECOND = 1000,
    MS_PER_MINUTE = 60 * MS_PER_SECOND,
    MS_PER_HOUR = 60 * MS_PER_MINUTE,
    MS_PER_DAY = 24 * MS_PER_HOUR,
    NS_PER_MS = 1000000,
    TIME_YEAR_MAX = 999999999, /* Java's */
};

/* A moment as its parts; year is proleptic (0 is 1 BC). */
typedef struct TimeParts {
    int64_t year;
    uint32_t month, day, hour, minute, second;
    uint32_t nano;
} TimeParts;

void time_parts_of(int64_t ms, TimeParts *parts);

/* false: a part is out of its range, the day does not exist, or the moment is beyond 64 bits. */
bool time_parts_ms(const TimeParts *parts, int64_t *ms);

/* The number with at least `width` digits. */
void time_put_number(Buf *out, uint64_t value, uint32_t width);

#endif
