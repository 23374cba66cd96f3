/*
 * zone.c - ids of zones, and the places whose rules were read.
 *
 * Places are kept in one table for the whole process under a lock; rules never change once read.
 * A name that turned out to be unknown is not kept: names may come from records.
 */
#include "data/zone.h"

#include <assert.h>
#include <stdio.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/thread.h"
#include "data/zone_impl.h"

enum {
    ZONES_MAX = 1024,                /* zoneinfo has 600 */
    ZONE_FILE_BYTES_MAX = 256 << 10, /* the largest has 3.5 KiB */
};

/* == Offsets == */

static void print_offset(char *id, size_t room, int32_t seconds) {
    uint32_t size = (uint32_t)(seconds < 0 ? -seconds : seconds);
    int used = snprintf(id, room, "%c%02u:%02u", seconds < 0 ? '-' : '+', size / 3600,
                        size / 60 % 60);
    assert(used == 6);
    if (size % 60 != 0)
        snprintf(id + used, room - (size_t)used, ":%02u", size % 60);
}

Zone zone_of_offset(int32_t seconds) {
    Zone zone = {.id = "Z", .offset = seconds, .is_offset = true};
    assert(seconds >= -ZONE_OFFSET_MAX && seconds <= ZONE_OFFSET_MAX);
    if (seconds != 0)
        print_offset(zone.id, sizeof zone.id, seconds);
    return zone;
}

Zone zone_utc(void) {
    return (Zone){.id = "UTC", .names = zone_names_find(bytes_of("UTC"))};
}

static bool two_digits(Bytes text, uint32_t at, uint32_t *value) {
    uint32_t tens = (uint32_t)text.data[at] - '0', ones = (uint32_t)text.data[at + 1] - '0';
    *value = tens * 10 + ones;
    return tens <= 9 && ones <= 9;
}

/* +h +hh +hh:mm +hhmm +hh:mm:ss +hhmmss. */
static bool parse_offset(Bytes text, int32_t *seconds) {
    uint32_t part[3] = {0}, count = 0;
    uint8_t padded[3];
    if (text.size < 2 || (text.data[0] != '+' && text.data[0] != '-'))
        return false;
    if (text.size == 2) {
        padded[0] = text.data[0], padded[1] = '0', padded[2] = text.data[1];
        return parse_offset((Bytes){padded, 3}, seconds);
    }
    bool colon = text.size > 3 && text.data[3] == ':';
    uint32_t at = 1;
    while (count < 3 && at + 2 <= text.size && two_digits(text, at, &part[count])) {
        count++;
        at += 2;
        if (colon && at < text.size && text.data[at++] != ':')
            return false;
    }
    if (at != text.size || count == 0 || (colon && text.size != count * 3))
        return false;
    int64_t size = (int64_t)part[0] * 3600 + part[1] * 60 + part[2];
    *seconds = (int32_t)(text.data[0] == '-' ? -size : size);
    return part[1] < 60 && part[2] < 60 && size <= ZONE_OFFSET_MAX;
}

/* UTC, GMT or UT, alone or before an offset. false: something else. */
static bool parse_prefixed(Bytes id, Zone *zone, bool *bad) {
    static const char *const prefixes[] = {"UTC", "GMT", "UT"};
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t size = (uint32_t)strlen(prefixes[i]);
        if (id.size < size || memcmp(id.data, prefixes[i], size) != 0)
            continue;
        Bytes rest = {id.data + size, id.size - size};
        if (rest.size > 0 && rest.data[0] != '+' && rest.data[0] != '-')
            continue;
        *zone = (Zone){.id = ""};
        *bad = rest.size > 0 && !parse_offset(rest, &zone->offset);
        memcpy(zone->id, prefixes[i], size);
        if (zone->offset != 0)
            print_offset(zone->id + size, sizeof zone->id - size, zone->offset);
        zone->names = zone->offset == 0 ? zone_names_find(bytes_of(prefixes[i])) : 0;
        return true;
    }
    return false;
}

/* == Places == */

typedef struct ZonePlace {
    char id[ZONE_ID_SIZE];
    const ZoneRules *rules;
    uint16_t names;
} ZonePlace;

static struct {
    Lock lock;
    ZonePlace *places; /* sorted by id */
    size_t capacity;
    uint32_t count;
    Arena *arena;
} zone_table = {.lock = {PTHREAD_MUTEX_INITIALIZER}};

static uint32_t place_find(Bytes id, bool *found) {
    uint32_t low = 0, high = zone_table.count;
    *found = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(id, bytes_of(zone_table.places[middle].id));
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Names that Java's ZoneId takes, and no way out of the folder. */
static bool place_name(Bytes id) {
    static const char *const not_places[] = {"EST", "MST", "HST", "ROC", "Factory",
                                             "localtime", "posixrules"};
    if (id.size < 2 || id.size >= ZONE_ID_SIZE || (uint8_t)((id.data[0] | 0x20) - 'a') >= 26)
        return false;
    for (uint32_t i = 0; i < id.size; i++) {
        uint8_t byte = id.data[i];
        bool ok = ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || (byte >= '-' && byte <= '9') ||
                  byte == '~' || byte == '_' || byte == '+';
        if (!ok || (byte == '.' && id.data[i - 1] == '.'))
            return false;
    }
    for (uint32_t i = 0; i < sizeof not_places / sizeof not_places[0]; i++)
        if (bytes_equal(id, bytes_of(not_places[i])))
            return false;
    return memcmp(id.data, "po", 2) != 0 && memcmp(id.data, "ri", 2) != 0; /* posix/, right/ */
}

static ErrCode place_unknown(Bytes id, Err *err) {
    Io *io = io_posix();
    IoFile *file;
    Err cause;
    if (io->ops->open(io, ZONE_FOLDER "/UTC", IO_READ, &file, &cause) != ERR_OK)
        return err_set(err, ERR_NOT_FOUND, "The rules of time zone %.*s cannot be read: there is "
                       "no " ZONE_FOLDER ". It comes with the package tzdata.", (int)id.size,
                       (const char *)id.data);
    file->ops->close(file);
    return err_set(err, ERR_NOT_FOUND, "Unknown time-zone ID: %.*s",
                   id.size > 60 ? 60 : (int)id.size, (const char *)id.data);
}

/* The rules in zone_table.arena; what a damaged file leaves there is little and once a name. */
static ErrCode place_read(Bytes id, const ZoneRules **rules, Err *err) {
    char path[sizeof ZONE_FOLDER + ZONE_ID_SIZE + 1];
    Io *io = io_posix();
    IoFile *file;
    uint64_t size = 0;
    uint32_t got = 0;
    snprintf(path, sizeof path, ZONE_FOLDER "/%.*s", (int)id.size, (const char *)id.data);
    if (io->ops->open(io, path, IO_READ, &file, err) != ERR_OK)
        return place_unknown(id, err);
    ErrCode code = file->ops->size(file, &size, err);
    if (code == ERR_OK && size > ZONE_FILE_BYTES_MAX)
        code = err_set(err, ERR_CORRUPT, "too large");
    uint8_t *bytes = mem_alloc(code == ERR_OK ? size : 0);
    if (code == ERR_OK)
        code = file->ops->read(file, 0, bytes, (uint32_t)size, &got, err);
    file->ops->close(file);
    if (code == ERR_OK)
        code = zone_rules_read((Bytes){bytes, got}, zone_table.arena, rules, err);
    mem_free(bytes);
    return code == ERR_OK ? code : place_unknown(id, err); /* a folder, or a list of zones */
}

/* With the lock held. */
static ErrCode place_get(Bytes id, Zone *zone, Err *err) {
    const ZoneRules *rules;
    bool found;
    uint32_t at = place_find(id, &found);
    if (!found) {
        if (zone_table.count == ZONES_MAX)
            return err_set(err, ERR_LIMIT, "over %d time zones", ZONES_MAX);
        if (!zone_table.arena)
            zone_table.arena = arena_new("zones", 0);
        TRY(place_read(id, &rules, err));
        zone_table.places = mem_grow(zone_table.places, &zone_table.capacity,
                                     (size_t)zone_table.count + 1, sizeof *zone_table.places);
        ZonePlace *place = &zone_table.places[at];
        memmove(place + 1, place, (zone_table.count - at) * sizeof *place);
        *place = (ZonePlace){.rules = rules, .names = zone_names_find(id)};
        memcpy(place->id, id.data, id.size);
        zone_table.count++;
    }
    zone->rules = zone_table.places[at].rules;
    zone->names = zone_table.places[at].names;
    return ERR_OK;
}

ErrCode zone_of(Bytes id, Zone *zone, Err *err) {
    int32_t offset;
    bool bad = false;
    assert(zone && err);
    if (bytes_equal(id, bytes_of("Z"))) {
        *zone = zone_of_offset(0);
        return ERR_OK;
    }
    if (id.size > 0 && (id.data[0] == '+' || id.data[0] == '-')) {
        bad = !parse_offset(id, &offset);
        if (!bad)
            *zone = zone_of_offset(offset);
    } else if (!parse_prefixed(id, zone, &bad)) {
        bad = !place_name(id);
        *zone = (Zone){.id = ""};
        if (!bad) {
            memcpy(zone->id, id.data, id.size);
            lock_take(&zone_table.lock);
            ErrCode code = place_get(id, zone, err);
            lock_release(&zone_table.lock);
            return code;
        }
    }
    if (bad)
        return err_set(err, ERR_FORMAT, "Unknown time-zone ID: %.*s",
                       id.size > 60 ? 60 : (int)id.size, (const char *)id.data);
    return ERR_OK;
}

/* == Moments == */

int32_t zone_offset(const Zone *zone, int64_t seconds) {
    return zone->rules ? zone_rules_at(zone->rules, seconds).offset : zone->offset;
}

bool zone_is_summer(const Zone *zone, int64_t seconds) {
    return zone->rules && zone_rules_at(zone->rules, seconds).summer;
}

bool zone_is_steady(const Zone *zone, int64_t from, int64_t to) {
    ZoneChange change;
    assert(from <= to);
    return !zone->rules || !zone_rules_next(zone->rules, from, &change) || change.at > to;
}

ZoneLocal zone_local(const Zone *zone, int64_t local_seconds) {
    enum { WINDOW = 2 * 86400 }; /* no clock is off by more */
    if (!zone->rules)
        return (ZoneLocal){ZONE_LOCAL_ONCE, zone->offset, zone->offset};
    int64_t at = local_seconds - WINDOW;
    int32_t offset = zone_rules_at(zone->rules, at).offset;
    ZoneChange change;
    while (zone_rules_next(zone->rules, at, &change)) {
        int32_t low = change.before < change.after ? change.before : change.after;
        int32_t high = change.before < change.after ? change.after : change.before;
        if (local_seconds < change.at + low)
            break;
        if (local_seconds < change.at + high)
            return (ZoneLocal){change.before < change.after ? ZONE_LOCAL_GAP : ZONE_LOCAL_OVERLAP,
                               change.before, change.after};
        offset = change.after;
        at = change.at;
    }
    return (ZoneLocal){ZONE_LOCAL_ONCE, offset, offset};
}
