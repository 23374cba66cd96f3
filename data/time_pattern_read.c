/*
 * time_pattern_read.c - reads a text by a pattern: which fields it names, and their values.
 *
 * Letter case does not matter. A field that is named twice must have the same value; what an
 * optional section read before it failed is forgotten.
 */
#include <assert.h>

#include "base/utf8.h"
#include "data/time_pattern_impl.h"

typedef struct TextReader {
    const TimePattern *pattern;
    Bytes text;
    uint32_t at;
    bool aborted; /* no optional section may save what follows */
    TimeParsed *parsed;
} TextReader;

static uint32_t digits_at(const TextReader *reader, uint32_t max) {
    uint32_t count = 0;
    while (count < max && reader->at + count < reader->text.size &&
           (uint8_t)(reader->text.data[reader->at + count] - '0') <= 9)
        count++;
    return count;
}

static bool store(TextReader *reader, TimeField field, int64_t value) {
    TimeParsed *parsed = reader->parsed;
    if (time_parsed_has(parsed, field))
        return parsed->values[field] == value;
    parsed->present |= UINT64_C(1) << field;
    parsed->values[field] = value;
    return true;
}

/* == Numbers == */

/* The digits that are the item's own: those that stand there, less what it leaves to others. */
static uint32_t own_digits(const TextReader *reader, const TimeItem *item) {
    uint32_t count = digits_at(reader, item->width_max + item->reserved);
    if (item->reserved == 0)
        return count;
    uint32_t own = count > item->reserved ? count - item->reserved : 0;
    return digits_at(reader, own > item->width_min ? own : item->width_min);
}

static bool read_number(TextReader *reader, const TimeItem *item) {
    uint8_t sign = reader->at < reader->text.size ? reader->text.data[reader->at] : 0;
    bool plus = sign == '+', minus = sign == '-';
    if ((plus && item->sign != TIME_SIGN_EXCEEDS) || (minus && item->sign == TIME_SIGN_NONE))
        return false;
    reader->at += plus || minus;
    uint32_t count = own_digits(reader, item);
    if (count < item->width_min)
        return false;
    if (item->sign == TIME_SIGN_EXCEEDS && !minus && plus != (count > item->width_min))
        return false;
    uint64_t value = 0;
    for (uint32_t i = 0; i < count; i++)
        value = value * 10 + (uint64_t)(reader->text.data[reader->at + i] - '0');
    if (value > INT64_MAX) { /* 19 digits: the last one is left */
        value /= 10;
        count--;
    }
    if (minus && value == 0)
        return false;
    reader->at += count;
    if (item->reduced)
        value += 2000;
    return store(reader, item->field, minus ? -(int64_t)value : (int64_t)value);
}

static bool read_fraction(TextReader *reader, const TimeItem *item) {
    uint32_t count = digits_at(reader, item->width_min);
    int64_t value = 0;
    if (count < item->width_min)
        return false;
    for (uint32_t i = 0; i < TIME_FRACTION_MAX; i++)
        value = value * 10 + (i < count ? reader->text.data[reader->at + i] - '0' : 0);
    reader->at += count;
    return store(reader, TIME_FIELD_NANO_OF_SECOND, value);
}

/* == Texts == */

/* Whether two texts begin with the same character, in any case; bytes that are none as they are. */
static bool character_equal(Bytes left, Bytes right, uint32_t *left_size, uint32_t *right_size) {
    uint32_t one = utf8_decode(left, left_size);
    uint32_t other = utf8_decode(right, right_size);
    if (one == other)
        return *left_size == *right_size && memcmp(left.data, right.data, *left_size) == 0;
    return utf8_upper(one) == utf8_upper(other) || utf8_lower(one) == utf8_lower(other);
}

static bool read_literal(TextReader *reader, Bytes literal) {
    uint32_t size, literal_size, start = reader->at;
    while (literal.size > 0) {
        Bytes rest = {reader->text.data + reader->at, reader->text.size - reader->at};
        if (rest.size == 0 || !character_equal(literal, rest, &literal_size, &size)) {
            reader->at = start;
            return false;
        }
        literal = (Bytes){literal.data + literal_size, literal.size - literal_size};
        reader->at += size;
    }
    return true;
}

/* No name begins with another one of its kind. A letter that stands for several is the last. */
static bool read_name(TextReader *reader, const TimeItem *item) {
    for (int64_t value = 12; value >= 0; value--)
        if (time_field_valid(item->field, value) &&
            read_literal(reader, time_field_name(item->field, item->style, value)))
            return store(reader, item->field, value);
    return false;
}

static bool read_day_period(TextReader *reader, const TimeItem *item) {
    for (uint32_t i = 0; i < TIME_DAY_PERIODS; i++) {
        if (read_literal(reader, time_day_period_name(i, item->style == TIME_STYLE_NARROW))) {
            reader->parsed->day_period = i;
            return true;
        }
    }
    return false;
}

/* == Offsets and zones == */

/* Two digits at the reader's place. */
static bool read_two(TextReader *reader, int64_t max, int64_t *value) {
    if (digits_at(reader, 2) < 2)
        return false;
    const uint8_t *digits = reader->text.data + reader->at;
    *value = (digits[0] - '0') * 10 + (digits[1] - '0');
    reader->at += *value <= max ? 2 : 0;
    return *value <= max;
}

static bool read_part(TextReader *reader, bool colon, int64_t max, int64_t *value) {
    uint32_t start = reader->at;
    if ((!colon || read_literal(reader, bytes_of(":"))) && read_two(reader, max, value))
        return true;
    reader->at = start;
    *value = 0;
    return false;
}

/* A sign and what the form wants behind it. */
static bool read_signed_offset(TextReader *reader, TimeOffsetForm form, int64_t *offset) {
    int64_t hours = 0, minutes = 0, seconds = 0;
    if (reader->at == reader->text.size)
        return false;
    uint8_t sign = reader->text.data[reader->at++];
    if ((sign != '+' && sign != '-') || !read_two(reader, 59, &hours))
        return false;
    if ((form.minutes || form.minutes_optional) && !read_part(reader, form.colon, 59, &minutes) &&
        form.minutes)
        return false;
    if (form.seconds_optional)
        read_part(reader, form.colon, 59, &seconds);
    reader->aborted = hours > 23;
    *offset = (hours * 3600 + minutes * 60 + seconds) * (sign == '-' ? -1 : 1);
    return hours <= 23;
}

static bool read_offset(TextReader *reader, const TimeItem *item) {
    int64_t offset = 0;
    if (!read_literal(reader, item->literal) &&
        !read_signed_offset(reader, item->offset, &offset))
        return false;
    return store(reader, TIME_FIELD_OFFSET, offset);
}

/* GMT, then nothing or +h[h][:mm[:ss]]; in full +hh:mm[:ss]. */
static bool read_gmt_offset(TextReader *reader, const TimeItem *item) {
    int64_t hours = 0, minutes = 0, seconds = 0;
    bool full = item->style == TIME_STYLE_FULL;
    if (!read_literal(reader, bytes_of("GMT")))
        return false;
    uint8_t sign = reader->at < reader->text.size ? reader->text.data[reader->at] : 0;
    if (sign != '+' && sign != '-')
        return store(reader, TIME_FIELD_OFFSET, 0);
    reader->at++;
    uint32_t digits = digits_at(reader, 2);
    if (digits == 0 || (full && digits < 2))
        return false;
    for (uint32_t i = 0; i < digits; i++)
        hours = hours * 10 + (reader->text.data[reader->at++] - '0');
    if (read_part(reader, true, 99, &minutes))
        read_part(reader, true, 99, &seconds);
    else if (full)
        return false;
    return store(reader, TIME_FIELD_OFFSET,
                 (hours * 3600 + minutes * 60 + seconds) * (sign == '-' ? -1 : 1));
}

static bool set_zone(TextReader *reader, const Zone *zone) {
    reader->parsed->zone = *zone;
    reader->parsed->has_zone = true;
    return true;
}

/* An offset behind UTC, UT or GMT, or alone. */
static bool read_prefixed_zone(TextReader *reader, Bytes prefix) {
    static const TimeOffsetForm form = {.minutes = true, .seconds_optional = true, .colon = true};
    char id[ZONE_ID_SIZE];
    int64_t offset = 0;
    Zone zone;
    Err err;
    uint32_t start = reader->at;
    bool read = reader->at < reader->text.size && read_signed_offset(reader, form, &offset);
    if (!read && (prefix.size == 0 || reader->aborted))
        return false;
    if (!read)
        reader->at = start;
    if (offset < -ZONE_OFFSET_MAX || offset > ZONE_OFFSET_MAX)
        return false;
    zone = zone_of_offset((int32_t)offset);
    if (prefix.size == 0)
        return set_zone(reader, &zone);
    memcpy(id, prefix.data, prefix.size);
    uint32_t size = prefix.size;
    if (offset != 0) {
        uint32_t offset_size = (uint32_t)strlen(zone.id);
        memcpy(id + size, zone.id, offset_size);
        size += offset_size;
    }
    return zone_of((Bytes){(const uint8_t *)id, size}, &zone, &err) == ERR_OK &&
           set_zone(reader, &zone);
}

static bool read_zone(TextReader *reader, const TimeItem *item) {
    static const char *const prefixes[] = {"UTC", "UT", "GMT"};
    Zone zone;
    if (reader->at == reader->text.size)
        return false;
    uint8_t first = reader->text.data[reader->at];
    if (first == '+' || first == '-')
        return read_prefixed_zone(reader, (Bytes){(const uint8_t *)"", 0});
    for (uint32_t i = 0; i < 3; i++) {
        if (!read_literal(reader, bytes_of(prefixes[i])))
            continue;
        if (i == 2 && reader->at < reader->text.size && reader->text.data[reader->at] == '0') {
            reader->at++;
            Err err;
            return zone_of(bytes_of("GMT0"), &zone, &err) == ERR_OK && set_zone(reader, &zone);
        }
        return read_prefixed_zone(reader, bytes_of(prefixes[i]));
    }
    Bytes rest = {reader->text.data + reader->at, reader->text.size - reader->at};
    uint32_t size = item->kind == TIME_ITEM_ZONE_ID
                        ? zone_match_id(rest, &zone)
                        : zone_match_name(rest, item->style == TIME_STYLE_FULL, &zone);
    if (size == 0 && (first | 0x20) == 'z') {
        zone = zone_of_offset(0);
        size = 1;
    }
    reader->at += size;
    return size > 0 && set_zone(reader, &zone);
}

/* == Items == */

static bool read_items(TextReader *reader, uint32_t from, uint32_t to);

/* Blanks, then the item, together of the padded width. */
static bool read_padded(TextReader *reader, uint32_t pad) {
    uint32_t width = reader->pattern->items[pad].width_min;
    Bytes text = reader->text;
    uint32_t end = reader->at;
    for (uint32_t i = 0; i < width; i++) {
        uint32_t size = 0;
        if (end == text.size)
            return false;
        utf8_decode((Bytes){text.data + end, text.size - end}, &size);
        end += size;
    }
    while (reader->at < end && text.data[reader->at] == ' ')
        reader->at++;
    reader->text.size = end;
    bool read = read_items(reader, pad + 1, pad + 2);
    reader->text = text;
    return read && reader->at == end;
}

static bool read_item(TextReader *reader, const TimeItem *item) {
    switch (item->kind) {
    case TIME_ITEM_LITERAL: return read_literal(reader, item->literal);
    case TIME_ITEM_NUMBER: return read_number(reader, item);
    case TIME_ITEM_FRACTION: return read_fraction(reader, item);
    case TIME_ITEM_NAME: return read_name(reader, item);
    case TIME_ITEM_DAY_PERIOD: return read_day_period(reader, item);
    case TIME_ITEM_OFFSET: return read_offset(reader, item);
    case TIME_ITEM_GMT_OFFSET: return read_gmt_offset(reader, item);
    case TIME_ITEM_ZONE_ID:
    case TIME_ITEM_ZONE_NAME: return read_zone(reader, item);
    case TIME_ITEM_OPTION:
    case TIME_ITEM_PAD: break;
    }
    assert(item->kind == TIME_ITEM_LITERAL); /* the others have items inside */
    return false;
}

/* A section that fails reads nothing. */
static bool read_option(TextReader *reader, uint32_t option) {
    TimeParsed before = *reader->parsed;
    uint32_t at = reader->at;
    if (read_items(reader, option + 1, reader->pattern->items[option].end))
        return true;
    *reader->parsed = before;
    reader->at = at;
    return !reader->aborted;
}

/* The depth of sections bounds the recursion. */
static bool read_items(TextReader *reader, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        const TimeItem *item = &reader->pattern->items[i];
        if (item->kind == TIME_ITEM_OPTION) {
            if (!read_option(reader, i))
                return false;
            i = item->end - 1;
        } else if (item->kind == TIME_ITEM_PAD) {
            if (!read_padded(reader, i))
                return false;
            i++;
        } else if (!read_item(reader, item)) {
            return false;
        }
    }
    return true;
}

bool time_pattern_read(const TimePattern *pattern, Bytes text, TimeParsed *parsed) {
    TextReader reader = {.pattern = pattern, .text = text, .parsed = parsed};
    parsed->present = 0;
    parsed->day_period = TIME_NO_PERIOD;
    parsed->has_zone = parsed->has_date = parsed->has_time = false;
    parsed->next_day = parsed->counted = false;
    parsed->reason = "the text does not fit the pattern";
    if (!read_items(&reader, 0, pattern->count))
        return false;
    parsed->reason = "the text goes on behind what the pattern describes";
    return reader.at == text.size;
}
