/*
 * zone_name.c - names of clocks, and places by their names.
 *
 * One table (zone_name.def) says both; it is searched from its beginning, which is where the best
 * known ones stand. Looking up is done once a zone, matching once a text that names one.
 */
#include <assert.h>

#include "data/zone_impl.h"

enum { NAMES_PER_ROW = 6 };

static const struct {
    const char *names[NAMES_PER_ROW]; /* winter, summer, all year: full and short */
    const char *places;               /* the main one first */
} zone_name_rows[] = {
#define ZONE_NAMES(winter, winter_short, summer, summer_short, year, year_short, places) \
    {{winter, winter_short, summer, summer_short, year, year_short}, places},
#include "data/zone_name.def"
#undef ZONE_NAMES
};

enum { ZONE_NAME_ROWS = sizeof zone_name_rows / sizeof zone_name_rows[0] };

/* The next place of a list; false: there is none. */
static bool next_place(const char **list, Bytes *place) {
    const char *start = *list;
    size_t size = strcspn(start, " ");
    if (size == 0)
        return false;
    *place = (Bytes){(const uint8_t *)start, (uint32_t)size};
    *list = start + size + (start[size] == ' ');
    return true;
}

uint16_t zone_names_find(Bytes id) {
    Bytes place;
    for (uint16_t row = 0; row < ZONE_NAME_ROWS; row++)
        for (const char *list = zone_name_rows[row].places; next_place(&list, &place);)
            if (bytes_equal(place, id))
                return (uint16_t)(row + 1);
    return 0;
}

Bytes zone_name(const Zone *zone, ZoneSeason season, bool full) {
    assert(zone->names <= ZONE_NAME_ROWS);
    if (zone->names == 0)
        return (Bytes){0};
    return bytes_of(zone_name_rows[zone->names - 1].names[season * 2 + !full]);
}

static uint8_t lower(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

static bool begins_with(Bytes text, Bytes name) {
    if (name.size == 0 || text.size < name.size)
        return false;
    for (uint32_t i = 0; i < name.size; i++)
        if (lower(text.data[i]) != lower(name.data[i]))
            return false;
    return true;
}

/* The longest match so far. */
typedef struct Match {
    Bytes place;
    uint32_t size;
} Match;

static void match_places(Bytes text, Match *best) {
    Bytes place;
    for (uint32_t row = 0; row < ZONE_NAME_ROWS; row++)
        for (const char *list = zone_name_rows[row].places; next_place(&list, &place);)
            if (place.size > best->size && begins_with(text, place))
                *best = (Match){place, place.size};
}

static uint32_t match_zone(const Match *best, Zone *zone) {
    Err err;
    return best->size > 0 && zone_of(best->place, zone, &err) == ERR_OK ? best->size : 0;
}

uint32_t zone_match_id(Bytes text, Zone *zone) {
    Match best = {.size = 0};
    match_places(text, &best);
    return match_zone(&best, zone);
}

uint32_t zone_match_name(Bytes text, bool full, Zone *zone) {
    Match best = {.size = 0};
    match_places(text, &best);
    for (uint32_t row = 0; row < ZONE_NAME_ROWS; row++) {
        for (uint32_t i = !full; i < NAMES_PER_ROW; i += 2) {
            Bytes name = bytes_of(zone_name_rows[row].names[i]);
            if (name.size <= best.size || !begins_with(text, name))
                continue;
            const char *list = zone_name_rows[row].places;
            best.size = name.size;
            next_place(&list, &best.place);
        }
    }
    return match_zone(&best, zone);
}
