/*
 * zone.h - time zones: what the clocks of a place show at a moment.
 *
 * Ids are those that Java's ZoneId.of() takes: Europe/London, UTC, GMT+2, Z, +02:00, +0230; case
 * matters. The rules of places come from the machine's zoneinfo files, read when a place is first
 * named and then kept as long as the process lives; any thread may ask.
 */
#ifndef DATA_ZONE_H
#define DATA_ZONE_H

#include "base/bytes.h"
#include "base/err.h"

typedef struct ZoneRules ZoneRules;

enum {
    ZONE_ID_SIZE = 48,                     /* the longest of zoneinfo has 30 characters */
    ZONE_OFFSET_MAX = 18 * 3600,           /* Java's largest; places keep to 15:13 */
};

#define ZONE_FOLDER "/usr/share/zoneinfo"

typedef struct Zone {
    char id[ZONE_ID_SIZE];  /* as Java prints it: +0230 is +02:30, GMT+2 is GMT+02:00 */
    int32_t offset;         /* seconds east of UTC, where there are no rules */
    bool is_offset;         /* the id is nothing but the offset: Z, +02:30 */
    const ZoneRules *rules; /* NULL: the offset never changes */
    uint16_t names;         /* row of zone_name.def, from 1; 0: none */
} Zone;

/* NOT_FOUND for a place that zoneinfo does not know, FORMAT for what can be no id, IO for files
 * that cannot be read. */
ErrCode zone_of(Bytes id, Zone *zone, Err *err);
Zone zone_of_offset(int32_t seconds); /* within ZONE_OFFSET_MAX */
Zone zone_utc(void);

/* Offset from UTC at a moment, in seconds since 1970. */
int32_t zone_offset(const Zone *zone, int64_t seconds);

/* Whether the clocks are set forward at that moment. */
bool zone_is_summer(const Zone *zone, int64_t seconds);

/* Whether the offset stays the same between two moments. */
bool zone_is_steady(const Zone *zone, int64_t from, int64_t to);

/* What a local time means: in a gap the clocks jumped over it, in an overlap they showed it twice.
 * Elsewhere both offsets are the same. */
typedef enum ZoneLocalKind { ZONE_LOCAL_ONCE, ZONE_LOCAL_GAP, ZONE_LOCAL_OVERLAP } ZoneLocalKind;
typedef struct ZoneLocal {
    ZoneLocalKind kind;
    int32_t before, after; /* offsets on both sides of the change */
} ZoneLocal;
ZoneLocal zone_local(const Zone *zone, int64_t local_seconds);

/* What people call the zone's clocks: PST, Pacific Daylight Time. Empty: no name is known. */
typedef enum ZoneSeason { ZONE_WINTER, ZONE_SUMMER, ZONE_ALL_YEAR } ZoneSeason;
Bytes zone_name(const Zone *zone, ZoneSeason season, bool full);

/* The longest id of a place, or id or name of clocks, that a text begins with, in any case: its
 * size in bytes, 0: none. A name that several places have is that of the best known one. */
uint32_t zone_match_id(Bytes text, Zone *zone);
uint32_t zone_match_name(Bytes text, bool full, Zone *zone);

#endif
