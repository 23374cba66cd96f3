/*
 * time_pattern_impl.h - the inside of patterns: what one is compiled to, and what a text said.
 */
#ifndef DATA_TIME_PATTERN_IMPL_H
#define DATA_TIME_PATTERN_IMPL_H

#include "data/time_field.h"
#include "data/time_pattern.h"

typedef enum TimeItemKind {
    TIME_ITEM_LITERAL,
    TIME_ITEM_NUMBER,
    TIME_ITEM_FRACTION,   /* width_min digits of a second's fraction */
    TIME_ITEM_NAME,       /* of the field's value, in `style` */
    TIME_ITEM_DAY_PERIOD, /* at night */
    TIME_ITEM_OFFSET,     /* +hh, +hh:mm ... by `offset`; `literal` stands for none */
    TIME_ITEM_GMT_OFFSET, /* GMT+2, FULL: GMT+02:00 */
    TIME_ITEM_ZONE_ID,    /* Europe/Rome */
    TIME_ITEM_ZONE_NAME,  /* CEST, FULL: Central European Summer Time; `generic`: the year round */
    TIME_ITEM_OPTION,     /* [ ... ]: the items up to `end` */
    TIME_ITEM_PAD,        /* the next item, filled up with blanks to width_min */
} TimeItemKind;

/* What numbers do about signs. */
typedef enum TimeSign {
    TIME_SIGN_NONE,    /* never one */
    TIME_SIGN_MINUS,   /* - before what is below 0 */
    TIME_SIGN_EXCEEDS, /* and + before what is wider than width_min, and only then */
} TimeSign;

/* Forms of offsets; minutes and seconds are optional (printed when not 0) or always there. */
typedef struct TimeOffsetForm {
    bool colon;
    bool minutes_optional, minutes;
    bool seconds_optional;
} TimeOffsetForm;

typedef struct TimeItem {
    TimeItemKind kind;
    TimeField field;
    TimeSign sign;
    TimeStyle style;
    TimeOffsetForm offset;
    uint32_t width_min, width_max;
    uint32_t reserved; /* digits that belong to the numbers behind this one */
    bool reduced;      /* two digits of a year of 2000 to 2099 */
    bool generic;
    Bytes literal;
    uint32_t end;
} TimeItem;

struct TimePattern {
    TimeItem *items;
    size_t capacity;
    uint32_t count;
};

enum { TIME_WIDTH_MAX = 19, TIME_FRACTION_MAX = 9, TIME_NO_PERIOD = 0xFF };

/* The fields a text named, and what they add up to. */
typedef struct TimeParsed {
    int64_t values[TIME_FIELD_COUNT];
    uint64_t present; /* bit: field */
    uint32_t day_period;
    bool has_zone, has_date, has_time;
    Zone zone;
    int64_t day;    /* since 1970, with has_date */
    int64_t nano;   /* since midnight, with has_time */
    bool next_day;  /* the time was 24:00 */
    bool counted;   /* the time came as milliseconds of the day */
    const char *reason;
} TimeParsed;

_Static_assert(TIME_FIELD_COUNT <= 64, "fields are bits of a word");

static inline bool time_parsed_has(const TimeParsed *parsed, TimeField field) {
    return parsed->present >> field & 1;
}

/* Reads a text: fields as they are written. false: parsed->reason. */
bool time_pattern_read(const TimePattern *pattern, Bytes text, TimeParsed *parsed);

/* Puts fields together to a date and a time of day where there are enough of them. */
bool time_resolve(TimeParsed *parsed);

#endif
