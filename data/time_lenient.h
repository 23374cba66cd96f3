/*
 * time_lenient.h - dates by SimpleDateFormat patterns, read leniently: what PARSE_DATE takes.
 *
 * Other than DateTimeFormatter's (time_pattern.h) these parts run over: the 30th of February is the
 * 1st or 2nd of March, the 13th month next January. Text behind what the pattern describes is
 * ignored, one letter of a number stands for any number of digits unless another number follows,
 * and days before October 15th, 1582 are Julian. Zone: GMT unless the text names one.
 */
#ifndef DATA_TIME_LENIENT_H
#define DATA_TIME_LENIENT_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

typedef struct TimeLenient TimeLenient;

/* FORMAT error saying what is wrong with the pattern. Lives in `arena`. */
ErrCode time_lenient_new(Bytes pattern, Arena *arena, const TimeLenient **compiled, Err *err);

/* Days since 1970. false with a static *reason: the text does not fit, or the moment it tells is
 * not a midnight. Years of two digits are those from 80 years before this_year on. */
bool time_lenient_date(const TimeLenient *pattern, Bytes text, int64_t this_year, int32_t *days,
                       const char **reason);

#endif
