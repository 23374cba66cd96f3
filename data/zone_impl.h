/*
 * zone_impl.h - the inside of zones: the rules of a place.
 *
 * A file lists the moments when something about the clocks changed up to now, and a rule for all
 * that comes after the last of them.
 */
#ifndef DATA_ZONE_IMPL_H
#define DATA_ZONE_IMPL_H

#include "base/arena.h"
#include "data/zone.h"

/* What the clocks show. */
typedef struct ZonePeriod {
    int32_t offset;
    bool summer;
} ZonePeriod;

/* A day of the year and the local time when the clocks change on it. */
typedef struct ZoneDay {
    enum { ZONE_DAY_JULIAN, ZONE_DAY_OF_YEAR, ZONE_DAY_OF_MONTH } kind;
    uint32_t month, week, day; /* of JULIAN and OF_YEAR only `day` */
    int32_t time;              /* seconds after midnight, may be negative or over a day */
} ZoneDay;

struct ZoneRules {
    const int64_t *changes;    /* ascending moments */
    const ZonePeriod *periods; /* count + 1: the ith lasts from changes[i - 1] to changes[i] */
    uint32_t count;
    bool has_tail;      /* summer and winter alternate for ever after the last change */
    ZonePeriod tail[2]; /* winter, summer */
    ZoneDay starts[2];  /* when each of them begins */
};

/* Reads a file of zoneinfo (RFC 8536, version 2 and later). CORRUPT: it is none. */
ErrCode zone_rules_read(Bytes file, Arena *arena, const ZoneRules **rules, Err *err);

/* The period at a moment. */
ZonePeriod zone_rules_at(const ZoneRules *rules, int64_t seconds);

/* The first change of the offset after a moment: when, and what is shown before and after. */
typedef struct ZoneChange {
    int64_t at;
    int32_t before, after;
} ZoneChange;
bool zone_rules_next(const ZoneRules *rules, int64_t seconds, ZoneChange *change);

/* Row of zone_name.def, from 1, that lists this place; 0: none. */
uint16_t zone_names_find(Bytes id);

#endif
