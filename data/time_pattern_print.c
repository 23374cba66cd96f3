/*
 * time_pattern_print.c - prints a moment, a date or a time of day by a pattern.
 *
 * Each item asks the value for a field; a date has no hours and a time of day no month. Then all
 * fails, but for the optional section the item is in, which prints nothing.
 */
#include <assert.h>

#include "data/time_impl.h"
#include "data/time_pattern_impl.h"

#define NANO_PER_SECOND INT64_C(1000000000)

typedef struct Printer {
    const TimePattern *pattern;
    Buf *out;
    bool has_date, has_time;
    TimeDate date;
    int64_t nano;
    const Zone *zone; /* NULL: a date or a time of day */
    int64_t seconds;  /* with a zone: since 1970 UTC */
    int32_t offset;
    const char *reason;
    bool missing; /* an item failed for want of a field: the section around it is left out */
} Printer;

static bool fail(Printer *printer, const char *reason) {
    printer->reason = reason;
    return false;
}

static bool field_missing(Printer *printer) {
    printer->missing = true;
    return fail(printer, "the pattern names a field that the value has not");
}

static bool get(Printer *printer, TimeField field, int64_t *value) {
    bool is_time = time_field_is_time(field);
    if (!(is_time ? printer->has_time : printer->has_date))
        return field_missing(printer);
    *value = is_time ? time_clock_field(printer->nano, field)
                     : time_date_field(&printer->date, field);
    return true;
}

/* == Numbers == */

/* Whether the value has more than `width` digits. */
static bool wider(uint64_t value, uint32_t width) {
    for (uint32_t i = 0; i < width && value > 0; i++)
        value /= 10;
    return value > 0;
}

static bool print_number(Printer *printer, const TimeItem *item) {
    enum { EXCEEDS_WIDTH_MAX = 10 }; /* Java's table of powers ends there */
    int64_t value;
    if (!get(printer, item->field, &value))
        return false;
    bool negative = value < 0;
    uint64_t size = negative ? 0 - (uint64_t)value : (uint64_t)value;
    if (item->reduced) {
        size %= 100;
        negative = false;
    }
    if (wider(size, item->width_max))
        return fail(printer, "a field has more digits than the pattern has room for");
    if (item->sign == TIME_SIGN_EXCEEDS && !negative && item->width_min > EXCEEDS_WIDTH_MAX &&
        item->width_min < TIME_WIDTH_MAX)
        return fail(printer, "a year of so many digits cannot be printed");
    if (negative && item->sign == TIME_SIGN_NONE)
        return fail(printer, "a field is negative where the pattern has no room for a sign");
    if (negative)
        buf_u8(printer->out, '-');
    else if (item->sign == TIME_SIGN_EXCEEDS && wider(size, item->width_min))
        buf_u8(printer->out, '+');
    time_put_number(printer->out, size, item->width_min);
    return true;
}

static bool print_fraction(Printer *printer, const TimeItem *item) {
    int64_t nano;
    if (!get(printer, TIME_FIELD_NANO_OF_SECOND, &nano))
        return false;
    for (uint32_t i = item->width_min; i < TIME_FRACTION_MAX; i++)
        nano /= 10;
    time_put_number(printer->out, (uint64_t)nano, item->width_min);
    return true;
}

/* == Names == */

static bool print_name(Printer *printer, const TimeItem *item) {
    int64_t value;
    if (!get(printer, item->field, &value))
        return false;
    buf_bytes(printer->out, time_field_name(item->field, item->style, value));
    return true;
}

static bool print_day_period(Printer *printer, const TimeItem *item) {
    if (!printer->has_time)
        return field_missing(printer);
    uint32_t minute = (uint32_t)(printer->nano / (60 * NANO_PER_SECOND));
    buf_bytes(printer->out, time_day_period_name(time_day_period(minute),
                                                 item->style == TIME_STYLE_NARROW));
    return true;
}

/* == Offsets and zones == */

static void put_part(Printer *printer, bool colon, uint32_t value) {
    if (colon)
        buf_u8(printer->out, ':');
    time_put_number(printer->out, value, 2);
}

static bool print_offset(Printer *printer, const TimeItem *item) {
    if (!printer->zone)
        return field_missing(printer);
    TimeOffsetForm form = item->offset;
    uint32_t size = (uint32_t)(printer->offset < 0 ? -printer->offset : printer->offset);
    uint32_t hours = size / 3600, minutes = size / 60 % 60, seconds = size % 60;
    bool has_minutes = form.minutes || (form.minutes_optional && minutes > 0);
    bool has_seconds = form.seconds_optional && seconds > 0;
    if (hours == 0 && (!has_minutes || minutes == 0) && !has_seconds) {
        buf_bytes(printer->out, item->literal);
        return true;
    }
    buf_u8(printer->out, printer->offset < 0 ? '-' : '+');
    time_put_number(printer->out, hours, 2);
    if (has_minutes)
        put_part(printer, form.colon, minutes);
    if (has_seconds)
        put_part(printer, form.colon, seconds);
    return true;
}

static void put_gmt_offset(Printer *printer, bool full) {
    uint32_t size = (uint32_t)(printer->offset < 0 ? -printer->offset : printer->offset);
    uint32_t minutes = size / 60 % 60, seconds = size % 60;
    buf_text(printer->out, "GMT");
    if (size == 0)
        return;
    buf_u8(printer->out, printer->offset < 0 ? '-' : '+');
    time_put_number(printer->out, size / 3600, full ? 2 : 1);
    if (full || minutes > 0 || seconds > 0)
        put_part(printer, true, minutes);
    if (seconds > 0)
        put_part(printer, true, seconds);
}

static bool print_gmt_offset(Printer *printer, const TimeItem *item) {
    if (!printer->zone)
        return field_missing(printer);
    put_gmt_offset(printer, item->style == TIME_STYLE_FULL);
    return true;
}

static bool print_zone(Printer *printer, const TimeItem *item) {
    const Zone *zone = printer->zone;
    if (!zone)
        return field_missing(printer);
    if (item->kind == TIME_ITEM_ZONE_ID || zone->is_offset) {
        buf_text(printer->out, zone->id);
        return true;
    }
    ZoneSeason season = item->generic ? ZONE_ALL_YEAR
                        : zone_is_summer(zone, printer->seconds) ? ZONE_SUMMER
                                                                 : ZONE_WINTER;
    Bytes name = zone_name(zone, season, item->style == TIME_STYLE_FULL);
    if (name.size > 0)
        buf_bytes(printer->out, name);
    else
        put_gmt_offset(printer, true);
    return true;
}

/* == Items == */

static bool print_items(Printer *printer, uint32_t from, uint32_t to);

/* The item `pad` stands before, moved to the right. */
static bool print_padded(Printer *printer, uint32_t pad) {
    Buf *out = printer->out;
    size_t start = out->size;
    if (!print_items(printer, pad + 1, pad + 2))
        return false;
    size_t size = out->size - start, width = printer->pattern->items[pad].width_min;
    if (size > width)
        return fail(printer, "a field is wider than its padding");
    buf_room(out, width - size);
    memmove(out->data + start + width - size, out->data + start, size);
    memset(out->data + start, ' ', width - size);
    out->size = start + width;
    return true;
}

static bool print_option(Printer *printer, uint32_t option) {
    size_t start = printer->out->size;
    if (print_items(printer, option + 1, printer->pattern->items[option].end))
        return true;
    printer->out->size = start;
    bool missing = printer->missing;
    printer->missing = false;
    return missing;
}

static bool print_item(Printer *printer, const TimeItem *item) {
    switch (item->kind) {
    case TIME_ITEM_LITERAL: buf_bytes(printer->out, item->literal); return true;
    case TIME_ITEM_NUMBER: return print_number(printer, item);
    case TIME_ITEM_FRACTION: return print_fraction(printer, item);
    case TIME_ITEM_NAME: return print_name(printer, item);
    case TIME_ITEM_DAY_PERIOD: return print_day_period(printer, item);
    case TIME_ITEM_OFFSET: return print_offset(printer, item);
    case TIME_ITEM_GMT_OFFSET: return print_gmt_offset(printer, item);
    case TIME_ITEM_ZONE_ID:
    case TIME_ITEM_ZONE_NAME: return print_zone(printer, item);
    case TIME_ITEM_OPTION:
    case TIME_ITEM_PAD: break;
    }
    assert(item->kind == TIME_ITEM_LITERAL); /* the others have items inside */
    return false;
}

/* The depth of sections bounds the recursion. */
static bool print_items(Printer *printer, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        const TimeItem *item = &printer->pattern->items[i];
        bool printed = item->kind == TIME_ITEM_OPTION ? print_option(printer, i)
                       : item->kind == TIME_ITEM_PAD  ? print_padded(printer, i)
                                                      : print_item(printer, item);
        if (!printed)
            return false;
        if (item->kind == TIME_ITEM_OPTION)
            i = item->end - 1;
        if (item->kind == TIME_ITEM_PAD)
            i++;
    }
    return true;
}

static bool print_all(Printer *printer, const char **reason) {
    size_t start = printer->out->size;
    bool printed = print_items(printer, 0, printer->pattern->count);
    if (!printed)
        printer->out->size = start;
    *reason = printer->reason;
    return printed;
}

bool time_pattern_print(Buf *out, const TimePattern *pattern, const Zone *zone, int64_t ms,
                        const char **reason) {
    int64_t seconds = ms / 1000 - (ms % 1000 < 0);
    assert(pattern && zone);
    int32_t offset = zone_offset(zone, seconds);
    int64_t local = seconds + offset;
    int64_t day = local / 86400 - (local % 86400 < 0);
    Printer printer = {
        .pattern = pattern,
        .out = out,
        .has_date = true,
        .has_time = true,
        .date = time_date_of(day),
        .nano = (local - day * 86400) * NANO_PER_SECOND + (ms - seconds * 1000) * NS_PER_MS,
        .zone = zone,
        .seconds = seconds,
        .offset = offset,
    };
    return print_all(&printer, reason);
}

bool time_pattern_print_date(Buf *out, const TimePattern *pattern, int32_t days,
                             const char **reason) {
    assert(pattern);
    Printer printer = {
        .pattern = pattern, .out = out, .has_date = true, .date = time_date_of(days)};
    return print_all(&printer, reason);
}

bool time_pattern_print_time(Buf *out, const TimePattern *pattern, int32_t ms,
                             const char **reason) {
    assert(pattern);
    Printer printer = {
        .pattern = pattern, .out = out, .has_time = true, .nano = (int64_t)ms * NS_PER_MS};
    return print_all(&printer, reason);
}
