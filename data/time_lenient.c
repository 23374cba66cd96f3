/*
 * time_lenient.c - patterns of SimpleDateFormat and the texts they read.
 *
 * A pattern is a list of letters and literals. Names are English, in any case, short or long;
 * literals must be as they stand.
 */
#include "data/time_lenient.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "data/time_field.h"
#include "data/time_lenient_impl.h"
#include "data/zone.h"

typedef struct LenientItem {
    char letter;        /* 0: a literal */
    uint32_t count;     /* letters */
    uint32_t width_max; /* digits, where another number follows; 0: any */
    Bytes literal;
} LenientItem;

struct TimeLenient {
    LenientItem *items;
    size_t capacity;
    uint32_t count;
};

/* == Compiling == */

static const char lenient_letters[] = "DEFGHKMSWXYZadhkmsuwyz";

static bool is_letter(uint8_t byte) {
    return (uint8_t)((byte | 0x20) - 'a') < 26;
}

static bool is_number(const LenientItem *item) {
    return item->letter != 0 && !strchr("EGaXZz", item->letter) &&
           !(item->letter == 'M' && item->count > 2);
}

static LenientItem *add_item(TimeLenient *pattern, Arena *arena) {
    pattern->items = arena_grow(arena, pattern->items, &pattern->capacity,
                                (size_t)pattern->count + 1, sizeof *pattern->items);
    return &pattern->items[pattern->count++];
}

static ErrCode add_letter(TimeLenient *pattern, Bytes text, uint32_t *at, Arena *arena, Err *err) {
    char letter = (char)text.data[*at];
    uint32_t start = *at;
    while (*at < text.size && text.data[*at] == (uint8_t)letter)
        ++*at;
    uint32_t count = *at - start;
    if (!strchr(lenient_letters, letter) || (letter == 'X' && count > 3))
        return err_set(err, ERR_FORMAT, "Illegal pattern component: %.*s", (int)count,
                       (const char *)text.data + start);
    LenientItem *item = add_item(pattern, arena);
    *item = (LenientItem){.letter = letter, .count = count};
    return ERR_OK;
}

/* All up to the next letter outside of quotes; two quotes are one. */
static ErrCode add_literal(TimeLenient *pattern, Bytes text, uint32_t *at, Arena *arena, Err *err) {
    uint8_t *literal = arena_raw(arena, text.size);
    uint32_t size = 0;
    bool quoted = false;
    for (; *at < text.size && (quoted || !is_letter(text.data[*at])); ++*at) {
        if (text.data[*at] != '\'') {
            literal[size++] = text.data[*at];
        } else if (*at + 1 < text.size && text.data[*at + 1] == '\'') {
            literal[size++] = text.data[(*at)++];
        } else {
            quoted = !quoted;
        }
    }
    if (quoted)
        return err_set(err, ERR_FORMAT, "Unterminated quote");
    *add_item(pattern, arena) = (LenientItem){.literal = {literal, size}};
    return ERR_OK;
}

ErrCode time_lenient_new(Bytes pattern, Arena *arena, const TimeLenient **compiled, Err *err) {
    TimeLenient *made = arena_alloc(arena, sizeof *made);
    assert(compiled);
    for (uint32_t at = 0; at < pattern.size;) {
        if (is_letter(pattern.data[at]))
            TRY(add_letter(made, pattern, &at, arena, err));
        else
            TRY(add_literal(made, pattern, &at, arena, err));
    }
    for (uint32_t i = 0; i + 1 < made->count; i++)
        if (is_number(&made->items[i]) && is_number(&made->items[i + 1]))
            made->items[i].width_max = made->items[i].count;
    *compiled = made;
    return ERR_OK;
}

/* == Reading == */

typedef struct LenientReader {
    Bytes text; /* what is left of it */
    LenientCalendar calendar;
    int64_t this_year;
    Zone zone;
} LenientReader;

static void advance(LenientReader *reader, uint32_t size) {
    reader->text = (Bytes){reader->text.data + size, reader->text.size - size};
}

/* Digits up to Java's largest int; blanks before a number of any width are skipped. */
static bool read_digits(LenientReader *reader, uint32_t width_max, int64_t *value) {
    while (width_max == 0 && reader->text.size > 0 &&
           (reader->text.data[0] == ' ' || (uint8_t)(reader->text.data[0] - 9) < 5))
        advance(reader, 1);
    uint32_t count = 0;
    *value = 0;
    while (count < reader->text.size && (width_max == 0 || count < width_max) &&
           (uint8_t)(reader->text.data[count] - '0') <= 9) {
        *value = *value * 10 + (reader->text.data[count++] - '0');
        if (*value > INT32_MAX)
            return false;
    }
    advance(reader, count);
    return count > 0;
}

static int64_t year_of(const LenientReader *reader, const LenientItem *item, int64_t value) {
    int64_t first = reader->this_year - 80;
    if (item->count > 2 || value >= 100)
        return value;
    int64_t year = first / 100 * 100 + value;
    return value >= first % 100 ? year : year + 100;
}

static bool read_number(LenientReader *reader, const LenientItem *item) {
    static const struct {
        char letter;
        LenientField field;
    } letters[] = {
        {'D', LENIENT_DAY_OF_YEAR}, {'F', LENIENT_WEEKDAY_IN_MONTH}, {'H', LENIENT_HOUR},
        {'K', LENIENT_HALF_HOUR},   {'M', LENIENT_MONTH},            {'S', LENIENT_MS},
        {'W', LENIENT_WEEK_OF_MONTH}, {'Y', LENIENT_YEAR},           {'d', LENIENT_DAY},
        {'h', LENIENT_HALF_HOUR},   {'k', LENIENT_HOUR},             {'m', LENIENT_MINUTE},
        {'s', LENIENT_SECOND},      {'u', LENIENT_WEEKDAY},          {'w', LENIENT_WEEK},
        {'y', LENIENT_YEAR},
    };
    int64_t value;
    uint32_t i = 0;
    if (!read_digits(reader, item->width_max, &value))
        return false;
    while (letters[i].letter != item->letter)
        i++;
    switch (item->letter) {
    case 'M': value--; break;
    case 'h': value = value == 12 ? 0 : value; break;
    case 'k': value = value == 24 ? 0 : value; break;
    case 'u': value = value == 7 ? 1 : value + 1; break;
    case 'y':
    case 'Y': value = year_of(reader, item, value); break;
    default: break;
    }
    time_lenient_set(&reader->calendar, letters[i].field, value);
    return true;
}

static bool begins_with(Bytes text, Bytes name) {
    if (text.size < name.size)
        return false;
    for (uint32_t i = 0; i < name.size; i++)
        if ((text.data[i] | 0x20) != (name.data[i] | 0x20))
            return false;
    return true;
}

/* The longest name of a field's values; its value there, -1: none. */
static int64_t read_name(LenientReader *reader, TimeField field) {
    int64_t best = -1;
    uint32_t size = 0;
    bool letters = field == TIME_FIELD_ERA || field == TIME_FIELD_AMPM; /* A, B; a, p */
    for (int64_t value = 0; value <= 12; value++) {
        for (TimeStyle style = TIME_STYLE_SHORT; style <= TIME_STYLE_NARROW; style++) {
            if (!time_field_valid(field, value) || (style == TIME_STYLE_NARROW && !letters))
                continue;
            Bytes name = time_field_name(field, style, value);
            if (style == TIME_STYLE_NARROW)
                name.size = 1;
            if (name.size > size && begins_with(reader->text, name)) {
                best = value;
                size = name.size;
            }
        }
    }
    advance(reader, size);
    return best;
}

/* Sign, hours and minutes, with `colon` between them; digits: how many the hours have at most. */
static bool read_offset(LenientReader *reader, bool colon, bool minutes, bool short_hours) {
    Bytes text = reader->text;
    int64_t hours = 0, rest = 0;
    if (text.size == 0 || (text.data[0] != '+' && text.data[0] != '-'))
        return false;
    advance(reader, 1);
    const uint8_t *start = reader->text.data;
    if (!read_digits(reader, 2, &hours) || (!short_hours && reader->text.data - start < 2))
        return false;
    if (colon && minutes) {
        if (reader->text.size == 0 || reader->text.data[0] != ':')
            return false;
        advance(reader, 1);
    }
    start = reader->text.data;
    if (minutes && (!read_digits(reader, 2, &rest) || reader->text.data - start < 2))
        return false;
    int64_t seconds = (hours * 60 + rest) * 60 * (text.data[0] == '-' ? -1 : 1);
    if (hours > 18 || rest > 59 || seconds > ZONE_OFFSET_MAX || seconds < -ZONE_OFFSET_MAX)
        return false;
    reader->zone = zone_of_offset((int32_t)seconds);
    return true;
}

static bool read_zone(LenientReader *reader, const LenientItem *item) {
    bool iso = item->letter == 'X' || (item->letter == 'Z' && item->count == 2);
    if (iso && reader->text.size > 0 && reader->text.data[0] == 'Z') {
        reader->zone = zone_of_offset(0);
        advance(reader, 1);
        return true;
    }
    if (iso)
        return read_offset(reader, item->count == 3 || item->letter == 'Z',
                           item->count > 1, false);
    if (reader->text.size > 0 && (reader->text.data[0] == '+' || reader->text.data[0] == '-'))
        return read_offset(reader, false, true, false);
    if (begins_with(reader->text, bytes_of("GMT+")) ||
        begins_with(reader->text, bytes_of("GMT-"))) {
        LenientReader before = *reader;
        advance(reader, 3);
        if (read_offset(reader, true, true, true))
            return true;
        *reader = before;
    }
    Zone full;
    uint32_t size = zone_match_name(reader->text, false, &reader->zone);
    uint32_t full_size = zone_match_name(reader->text, true, &full);
    if (full_size > size)
        reader->zone = full;
    advance(reader, full_size > size ? full_size : size);
    return size > 0 || full_size > 0;
}

static bool read_item(LenientReader *reader, const LenientItem *item) {
    if (item->letter == 0) {
        bool same = reader->text.size >= item->literal.size &&
                    bytes_equal((Bytes){reader->text.data, item->literal.size}, item->literal);
        if (same)
            advance(reader, item->literal.size);
        return same;
    }
    if (is_number(item))
        return read_number(reader, item);
    if (strchr("XZz", item->letter))
        return read_zone(reader, item);
    static const char letters[] = "EGaM";
    static const TimeField names[] = {TIME_FIELD_WEEKDAY, TIME_FIELD_ERA, TIME_FIELD_AMPM,
                                      TIME_FIELD_MONTH};
    static const LenientField fields[] = {LENIENT_WEEKDAY, LENIENT_ERA, LENIENT_AMPM,
                                          LENIENT_MONTH};
    size_t which = (size_t)(strchr(letters, item->letter) - letters);
    int64_t value = read_name(reader, names[which]);
    if (value < 0)
        return false;
    if (fields[which] == LENIENT_WEEKDAY)
        value = value % 7 + 1;
    time_lenient_set(&reader->calendar, fields[which],
                     fields[which] == LENIENT_MONTH ? value - 1 : value);
    return true;
}

bool time_lenient_date(const TimeLenient *pattern, Bytes text, int64_t this_year, int32_t *days,
                       const char **reason) {
    LenientReader reader = {.text = text, .this_year = this_year, .zone = zone_of_offset(0)};
    assert(pattern && days);
    *reason = "the text does not fit the pattern";
    for (uint32_t i = 0; i < pattern->count; i++)
        if (!read_item(&reader, &pattern->items[i]))
            return false;
    int64_t local;
    *reason = "the date is out of range";
    if (!time_lenient_ms(&reader.calendar, &local))
        return false;
    int64_t seconds = local / 1000 - (local % 1000 < 0);
    int64_t ms = local - (int64_t)zone_local(&reader.zone, seconds).before * 1000;
    *reason = "Date format contains time field.";
    if (ms % 86400000 != 0)
        return false;
    *reason = "the date is out of range";
    *days = (int32_t)(ms / 86400000);
    return *days == ms / 86400000;
}
