/*
 * zone_file.c - files of zoneinfo: RFC 8536.
 *
 *   file   := block(32-bit times) block(64-bit times) footer      version 2 and later
 *   block  := "TZif" version u8, 15 zeros, six counts u32 (utc flags, wall flags, leap seconds,
 *             changes, types, characters), times of changes, a type index u8 for each, types
 *             {offset i32, summer u8, name u8}, characters, leap seconds, flags
 *   footer := "\n" POSIX TZ text "\n"       CET-1CEST,M3.5.0,M10.5.0/3
 *
 * The 32-bit block is skipped. Bytes are not trusted: counts, indexes and order are checked.
 */
#include <assert.h>

#include "base/reader.h"
#include "data/zone_impl.h"

enum {
    ZONE_CHANGES_MAX = 4096, /* fat files to 2037 have about 240 */
    ZONE_TYPES_MAX = 256,
    ZONE_OFFSET_LIMIT = 26 * 3600, /* the RFC's */
};

typedef struct ZoneHeader {
    uint32_t utc_flags, wall_flags, leaps, changes, types, characters;
} ZoneHeader;

static ErrCode file_error(Err *err) {
    return err_set(err, ERR_CORRUPT, "not a valid file of time zone rules");
}

static bool read_header(Reader *in, ZoneHeader *header) {
    Bytes magic = reader_bytes(in, 4);
    if (!reader_ok(in) || memcmp(magic.data, "TZif", 4) != 0)
        return false;
    uint8_t version = reader_u8(in);
    reader_bytes(in, 15);
    header->utc_flags = reader_count(in, reader_u32_be(in), ZONE_TYPES_MAX);
    header->wall_flags = reader_count(in, reader_u32_be(in), ZONE_TYPES_MAX);
    header->leaps = reader_count(in, reader_u32_be(in), ZONE_CHANGES_MAX);
    header->changes = reader_count(in, reader_u32_be(in), ZONE_CHANGES_MAX);
    header->types = reader_count(in, reader_u32_be(in), ZONE_TYPES_MAX);
    header->characters = reader_count(in, reader_u32_be(in), ZONE_CHANGES_MAX);
    return reader_ok(in) && version >= '2';
}

static void skip_block(Reader *in, const ZoneHeader *header, uint32_t time_size) {
    reader_bytes(in, header->changes * (time_size + 1) + header->types * 6 + header->characters +
                         header->leaps * (time_size + 4) + header->wall_flags + header->utc_flags);
}

/* The types, then a period for each change; before the first one it is the first type. */
static bool read_periods(Reader *in, const ZoneHeader *header, Bytes indexes, ZonePeriod *periods) {
    ZonePeriod types[ZONE_TYPES_MAX];
    for (uint32_t i = 0; i < header->types; i++) {
        types[i].offset = (int32_t)reader_u32_be(in);
        types[i].summer = reader_u8(in) != 0;
        reader_u8(in);
        if (types[i].offset < -ZONE_OFFSET_LIMIT || types[i].offset > ZONE_OFFSET_LIMIT)
            return false;
    }
    if (!reader_ok(in) || header->types == 0)
        return false;
    periods[0] = types[0];
    for (uint32_t i = 0; i < header->changes; i++) {
        if (indexes.data[i] >= header->types)
            return false;
        periods[i + 1] = types[indexes.data[i]];
    }
    return true;
}

/* Where winter is called the exception (Ireland) it is winter all the same, and what is before and
 * behind it is summer, as java.time sees it. */
static void turn_negative_summers(ZonePeriod *periods, uint32_t count) {
    bool previous = periods[0].summer; /* as the file says it */
    for (uint32_t i = 1; i < count; i++) {
        bool summer = periods[i].summer;
        bool back = summer && !previous && periods[i].offset < periods[i - 1].offset;
        bool again = i + 1 == count || periods[i + 1].offset == periods[i - 1].offset;
        if (summer && back && again) {
            periods[i].summer = false;
            periods[i - 1].summer = true;
            if (i + 1 < count && !periods[i + 1].summer) {
                periods[++i].summer = true;
                summer = false;
            }
        }
        previous = summer;
    }
}

static bool read_block(Reader *in, const ZoneHeader *header, Arena *arena, ZoneRules *rules) {
    int64_t *changes = arena_array(arena, header->changes, sizeof *changes);
    ZonePeriod *periods = arena_array(arena, header->changes + 1, sizeof *periods);
    for (uint32_t i = 0; i < header->changes; i++) {
        changes[i] = (int64_t)reader_u64_be(in);
        if (i > 0 && changes[i] <= changes[i - 1])
            return false;
    }
    Bytes indexes = reader_bytes(in, header->changes);
    if (!reader_ok(in) || !read_periods(in, header, indexes, periods))
        return false;
    turn_negative_summers(periods, header->changes + 1);
    reader_bytes(in, header->characters + header->leaps * 12 + header->wall_flags +
                         header->utc_flags);
    rules->changes = changes;
    rules->periods = periods;
    rules->count = header->changes;
    return reader_ok(in);
}

/* == The footer == */

static bool take(Bytes *text, char byte) {
    if (text->size == 0 || text->data[0] != (uint8_t)byte)
        return false;
    *text = (Bytes){text->data + 1, text->size - 1};
    return true;
}

static bool take_number(Bytes *text, uint32_t max, uint32_t *value) {
    *value = 0;
    uint32_t digits = 0;
    while (text->size > 0 && (uint8_t)(text->data[0] - '0') <= 9 && digits++ < 4) {
        *value = *value * 10 + text->data[0] - '0';
        *text = (Bytes){text->data + 1, text->size - 1};
    }
    return digits > 0 && *value <= max;
}

/* [+-]hh[:mm[:ss]], up to 167 hours. */
static bool take_clock(Bytes *text, int32_t *seconds) {
    uint32_t hours, minutes = 0, rest = 0;
    bool negative = take(text, '-');
    if (!negative)
        take(text, '+');
    if (!take_number(text, 167, &hours))
        return false;
    if (take(text, ':') && !take_number(text, 59, &minutes))
        return false;
    if (minutes > 0 && take(text, ':') && !take_number(text, 59, &rest))
        return false;
    *seconds = (int32_t)(hours * 3600 + minutes * 60 + rest) * (negative ? -1 : 1);
    return true;
}

/* Letters, or anything in angle brackets. */
static bool take_name(Bytes *text) {
    uint32_t size = text->size;
    if (take(text, '<')) {
        while (text->size > 0 && text->data[0] != '>')
            *text = (Bytes){text->data + 1, text->size - 1};
        return take(text, '>');
    }
    while (text->size > 0 && (uint8_t)((text->data[0] | 0x20) - 'a') < 26)
        *text = (Bytes){text->data + 1, text->size - 1};
    return text->size < size;
}

/* Mm.w.d, Jn or n, each with an optional /time. */
static bool take_day(Bytes *text, ZoneDay *day) {
    *day = (ZoneDay){.time = 2 * 3600};
    if (take(text, 'M')) {
        day->kind = ZONE_DAY_OF_MONTH;
        if (!take_number(text, 12, &day->month) || day->month == 0 || !take(text, '.') ||
            !take_number(text, 5, &day->week) || day->week == 0 || !take(text, '.') ||
            !take_number(text, 6, &day->day))
            return false;
    } else {
        day->kind = take(text, 'J') ? ZONE_DAY_JULIAN : ZONE_DAY_OF_YEAR;
        if (!take_number(text, 365, &day->day) || (day->kind == ZONE_DAY_JULIAN && day->day == 0))
            return false;
    }
    return !take(text, '/') || take_clock(text, &day->time);
}

/* Offsets in the text count westward. An empty text says nothing of the future. */
static bool read_tail(Bytes text, ZoneRules *rules) {
    int32_t west;
    if (text.size == 0)
        return true;
    if (!take_name(&text) || !take_clock(&text, &west))
        return false;
    rules->tail[0] = (ZonePeriod){-west, false};
    if (text.size == 0)
        return true;
    int32_t summer = west - 3600;
    if (!take_name(&text) || (text.size > 0 && text.data[0] != ',' && !take_clock(&text, &summer)))
        return false;
    rules->tail[1] = (ZonePeriod){-summer, true};
    rules->has_tail = true;
    if (summer > west) { /* Ireland */
        rules->tail[0].summer = true;
        rules->tail[1].summer = false;
    }
    return take(&text, ',') && take_day(&text, &rules->starts[1]) && take(&text, ',') &&
           take_day(&text, &rules->starts[0]) && text.size == 0;
}

ErrCode zone_rules_read(Bytes file, Arena *arena, const ZoneRules **rules, Err *err) {
    Reader in = reader_of(file);
    ZoneHeader header;
    ZoneRules *made = arena_alloc(arena, sizeof *made);
    assert(rules);
    if (!read_header(&in, &header))
        return file_error(err);
    skip_block(&in, &header, 4);
    if (!read_header(&in, &header) || !read_block(&in, &header, arena, made))
        return file_error(err);
    Bytes footer = reader_bytes(&in, reader_left(&in));
    if (!take(&footer, '\n') || footer.size == 0 || footer.data[footer.size - 1] != '\n')
        return file_error(err);
    footer.size--;
    if (!read_tail(footer, made))
        return file_error(err);
    *rules = made;
    return ERR_OK;
}
