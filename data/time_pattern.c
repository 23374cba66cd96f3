/*
 * time_pattern.c - compiles Java's date-time patterns to lists of items.
 *
 * Numbers that touch each other (yyyyMMdd) are told apart by width, as Java does it: the first of
 * such a group may be of any width and leaves enough digits for the others, whose width is fixed.
 */
#include <assert.h>
#include <string.h>

#include "data/time_pattern_impl.h"

enum { OPTION_DEPTH_MAX = 8, NO_NUMBER = -1 };

typedef struct Compiler {
    TimePattern *pattern;
    Arena *arena;
    Bytes text;
    int32_t adjacent; /* the number that a following number would touch */
    bool adjacent_padded;
    uint32_t options[OPTION_DEPTH_MAX];
    uint32_t depth;
    uint32_t padding; /* before the next item; 0: none */
} Compiler;

static TimeItem *new_item(Compiler *compiler, TimeItemKind kind) {
    TimePattern *pattern = compiler->pattern;
    pattern->items = arena_grow(compiler->arena, pattern->items, &pattern->capacity,
                                (size_t)pattern->count + 1, sizeof *pattern->items);
    TimeItem *item = &pattern->items[pattern->count++];
    *item = (TimeItem){.kind = kind};
    return item;
}

static TimeItem *add_item(Compiler *compiler, TimeItemKind kind) {
    if (compiler->padding > 0)
        new_item(compiler, TIME_ITEM_PAD)->width_min = compiler->padding;
    compiler->padding = 0;
    compiler->adjacent = NO_NUMBER;
    return new_item(compiler, kind);
}

static void add_literal(Compiler *compiler, Bytes literal) {
    add_item(compiler, TIME_ITEM_LITERAL)->literal = arena_bytes(compiler->arena, literal);
}

static ErrCode letters_error(char letter, Err *err) {
    return err_set(err, ERR_FORMAT, "Too many pattern letters: %c", letter);
}

/* == Numbers == */

typedef struct NumberSpec {
    TimeField field;
    TimeSign sign;
    uint32_t width_min, width_max;
    bool reduced, fraction;
} NumberSpec;

/* A number settles which digits are its own and which those of one that it touches. */
static ErrCode add_number(Compiler *compiler, NumberSpec spec, Err *err) {
    int32_t touched = compiler->adjacent;
    bool padded = compiler->padding > 0;
    if (touched != NO_NUMBER && compiler->adjacent_padded)
        return err_set(err, ERR_FORMAT, "A padded number must not touch another one");
    if (spec.width_min > TIME_WIDTH_MAX)
        return err_set(err, ERR_FORMAT,
                       "The minimum width must be from 1 to %d inclusive but was %u",
                       TIME_WIDTH_MAX, spec.width_min);
    TimeItem *item = add_item(compiler, spec.fraction ? TIME_ITEM_FRACTION : TIME_ITEM_NUMBER);
    item->field = spec.field;
    item->sign = spec.sign;
    item->width_min = spec.width_min;
    item->width_max = spec.width_max;
    item->reduced = spec.reduced;
    bool fixed = spec.width_min == spec.width_max && spec.sign == TIME_SIGN_NONE;
    if (touched != NO_NUMBER && fixed) {
        compiler->pattern->items[touched].reserved += spec.width_max;
        compiler->adjacent = touched;
        return ERR_OK;
    }
    if (touched != NO_NUMBER)
        compiler->pattern->items[touched].reserved = 0;
    compiler->adjacent = (int32_t)(compiler->pattern->count - 1);
    compiler->adjacent_padded = padded;
    return ERR_OK;
}

static NumberSpec any_number(TimeField field) {
    return (NumberSpec){field, TIME_SIGN_MINUS, 1, TIME_WIDTH_MAX, false, false};
}

static NumberSpec fixed_number(TimeField field, uint32_t width) {
    return (NumberSpec){field, TIME_SIGN_NONE, width, width, false, false};
}

static NumberSpec year_number(TimeField field, uint32_t count) {
    NumberSpec spec = any_number(field);
    if (count == 2) {
        spec = fixed_number(field, 2);
        spec.reduced = true;
        return spec;
    }
    spec.width_min = count;
    spec.sign = count < 4 ? TIME_SIGN_MINUS : TIME_SIGN_EXCEEDS;
    return spec;
}

/* A number of one letter, or of two digits. */
static ErrCode add_short_number(Compiler *compiler, TimeField field, char letter, uint32_t count,
                                Err *err) {
    if (count > 2)
        return letters_error(letter, err);
    return add_number(compiler, count == 1 ? any_number(field) : fixed_number(field, 2), err);
}

/* == Letters == */

static ErrCode add_name(Compiler *compiler, TimeField field, TimeStyle style) {
    TimeItem *item = add_item(compiler, TIME_ITEM_NAME);
    item->field = field;
    item->style = style;
    return ERR_OK;
}

/* Of three to five letters: short, full, one letter. */
static ErrCode add_long_name(Compiler *compiler, TimeField field, char letter, uint32_t count,
                             Err *err) {
    static const TimeStyle styles[] = {TIME_STYLE_SHORT, TIME_STYLE_FULL, TIME_STYLE_NARROW};
    if (count > 5)
        return letters_error(letter, err);
    return add_name(compiler, field, styles[count - 3]);
}

static ErrCode add_weekday(Compiler *compiler, char letter, uint32_t count, Err *err) {
    if (letter == 'c' && count == 2)
        return err_set(err, ERR_FORMAT, "Invalid pattern \"cc\"");
    if (count > 2)
        return add_long_name(compiler, TIME_FIELD_WEEKDAY, letter, count, err);
    if (letter == 'E')
        return add_name(compiler, TIME_FIELD_WEEKDAY, TIME_STYLE_SHORT);
    return add_number(compiler, fixed_number(TIME_FIELD_LOCAL_WEEKDAY, count), err);
}

static ErrCode add_week(Compiler *compiler, char letter, uint32_t count, Err *err) {
    if (letter == 'Y')
        return add_number(compiler, year_number(TIME_FIELD_WEEK_YEAR, count), err);
    if (count > (letter == 'W' ? 1 : 2))
        return letters_error(letter, err);
    NumberSpec spec = fixed_number(letter == 'W' ? TIME_FIELD_WEEK_OF_MONTH : TIME_FIELD_WEEK,
                                   count);
    if (letter == 'w')
        spec.width_max = 2;
    return add_number(compiler, spec, err);
}

static ErrCode add_offset(Compiler *compiler, char letter, uint32_t count, Err *err) {
    static const TimeOffsetForm forms[] = {
        {.minutes_optional = true},                                     /* +hh[mm] */
        {.minutes = true},                                              /* +hhmm */
        {.minutes = true, .colon = true},                               /* +hh:mm */
        {.minutes = true, .seconds_optional = true},                    /* +hhmm[ss] */
        {.minutes = true, .seconds_optional = true, .colon = true},     /* +hh:mm[:ss] */
    };
    if (count > 5)
        return letters_error(letter, err);
    if (letter == 'O' && count != 1 && count != 4)
        return err_set(err, ERR_FORMAT, "Pattern letter count must be 1 or 4: O");
    if (letter == 'O' || (letter == 'Z' && count == 4)) {
        add_item(compiler, TIME_ITEM_GMT_OFFSET)->style =
            count == 1 ? TIME_STYLE_SHORT : TIME_STYLE_FULL;
        return ERR_OK;
    }
    TimeItem *item = add_item(compiler, TIME_ITEM_OFFSET);
    item->offset = forms[letter == 'Z' && count < 4 ? 1 : count - 1];
    const char *zero = letter == 'X' || (letter == 'Z' && count == 5) ? "Z"
                       : count == 1 && letter == 'x'                  ? "+00"
                       : letter == 'Z' || count % 2 == 0              ? "+0000"
                                                                      : "+00:00";
    item->literal = bytes_of(zero);
    return ERR_OK;
}

static ErrCode add_zone(Compiler *compiler, char letter, uint32_t count, Err *err) {
    if (letter == 'V' && count != 2)
        return err_set(err, ERR_FORMAT, "Pattern letter count must be 2: V");
    if (letter == 'v' && count != 1 && count != 4)
        return err_set(err, ERR_FORMAT, "Wrong number of pattern letters: v");
    if (count > 4)
        return letters_error(letter, err);
    TimeItem *item = add_item(compiler, letter == 'V' ? TIME_ITEM_ZONE_ID : TIME_ITEM_ZONE_NAME);
    item->style = count == 4 ? TIME_STYLE_FULL : TIME_STYLE_SHORT;
    item->generic = letter == 'v';
    return ERR_OK;
}

static ErrCode add_day_period(Compiler *compiler, uint32_t count, Err *err) {
    if (count != 1 && count != 4 && count != 5)
        return err_set(err, ERR_FORMAT, "Wrong number of pattern letters: B");
    add_item(compiler, TIME_ITEM_DAY_PERIOD)->style =
        count == 5 ? TIME_STYLE_NARROW : TIME_STYLE_FULL;
    return ERR_OK;
}

static ErrCode add_fraction(Compiler *compiler, uint32_t count, Err *err) {
    NumberSpec spec = fixed_number(TIME_FIELD_NANO_OF_SECOND, count);
    if (count > TIME_FRACTION_MAX)
        return err_set(err, ERR_FORMAT, "Minimum width must be from 0 to %d inclusive but was %u",
                       TIME_FRACTION_MAX, count);
    spec.fraction = true;
    return add_number(compiler, spec, err);
}

/* Letters that are numbers of any width. */
static ErrCode add_wide_number(Compiler *compiler, TimeField field, uint32_t count, TimeSign sign,
                               Err *err) {
    return add_number(compiler, (NumberSpec){field, sign, count, TIME_WIDTH_MAX, false, false},
                      err);
}

static ErrCode add_date_letter(Compiler *compiler, char letter, uint32_t count, Err *err) {
    switch (letter) {
    case 'u': return add_number(compiler, year_number(TIME_FIELD_YEAR, count), err);
    case 'y': return add_number(compiler, year_number(TIME_FIELD_YEAR_OF_ERA, count), err);
    case 'G':
        return count < 3 ? add_name(compiler, TIME_FIELD_ERA, TIME_STYLE_SHORT)
                         : add_long_name(compiler, TIME_FIELD_ERA, letter, count, err);
    case 'M':
    case 'L':
        return count < 3 ? add_short_number(compiler, TIME_FIELD_MONTH, letter, count, err)
                         : add_long_name(compiler, TIME_FIELD_MONTH, letter, count, err);
    case 'Q':
    case 'q':
        return count < 3 ? add_short_number(compiler, TIME_FIELD_QUARTER, letter, count, err)
                         : add_long_name(compiler, TIME_FIELD_QUARTER, letter, count, err);
    case 'D':
        if (count > 3)
            return letters_error(letter, err);
        return add_number(compiler, count == 1 ? any_number(TIME_FIELD_DAY_OF_YEAR)
                                               : (NumberSpec){TIME_FIELD_DAY_OF_YEAR,
                                                              TIME_SIGN_NONE, count, 3, false,
                                                              false}, err);
    case 'F':
        if (count > 1)
            return letters_error(letter, err);
        return add_number(compiler, any_number(TIME_FIELD_ALIGNED_WEEKDAY_OF_MONTH), err);
    case 'd': return add_short_number(compiler, TIME_FIELD_DAY, letter, count, err);
    default:
        assert(letter == 'g');
        return add_wide_number(compiler, TIME_FIELD_MODIFIED_JULIAN_DAY, count, TIME_SIGN_MINUS,
                               err);
    }
}

static ErrCode add_time_letter(Compiler *compiler, char letter, uint32_t count, Err *err) {
    switch (letter) {
    case 'H': return add_short_number(compiler, TIME_FIELD_HOUR, letter, count, err);
    case 'k': return add_short_number(compiler, TIME_FIELD_CLOCK_HOUR, letter, count, err);
    case 'K': return add_short_number(compiler, TIME_FIELD_HOUR_OF_AMPM, letter, count, err);
    case 'h': return add_short_number(compiler, TIME_FIELD_CLOCK_HOUR_OF_AMPM, letter, count, err);
    case 'm': return add_short_number(compiler, TIME_FIELD_MINUTE, letter, count, err);
    case 's': return add_short_number(compiler, TIME_FIELD_SECOND, letter, count, err);
    case 'S': return add_fraction(compiler, count, err);
    case 'A':
        return add_wide_number(compiler, TIME_FIELD_MILLI_OF_DAY, count, TIME_SIGN_NONE, err);
    case 'n':
        return add_wide_number(compiler, TIME_FIELD_NANO_OF_SECOND, count, TIME_SIGN_NONE, err);
    case 'N':
        return add_wide_number(compiler, TIME_FIELD_NANO_OF_DAY, count, TIME_SIGN_NONE, err);
    default:
        assert(letter == 'a');
        if (count > 1)
            return letters_error(letter, err);
        return add_name(compiler, TIME_FIELD_AMPM, TIME_STYLE_SHORT);
    }
}

static ErrCode add_letter(Compiler *compiler, char letter, uint32_t count, Err *err) {
    if (strchr("uyGMLQqDFdg", letter))
        return add_date_letter(compiler, letter, count, err);
    if (strchr("HkKhmsSAnNa", letter))
        return add_time_letter(compiler, letter, count, err);
    if (strchr("Ece", letter))
        return add_weekday(compiler, letter, count, err);
    if (strchr("WwY", letter))
        return add_week(compiler, letter, count, err);
    if (strchr("XxZO", letter))
        return add_offset(compiler, letter, count, err);
    if (strchr("Vvz", letter))
        return add_zone(compiler, letter, count, err);
    if (letter == 'B')
        return add_day_period(compiler, count, err);
    return err_set(err, ERR_FORMAT, "Unknown pattern letter: %c", letter);
}

/* == Everything else in a pattern == */

/* 'text' or '' at `at`; returns what follows it, 0: it does not end. */
static uint32_t add_quoted(Compiler *compiler, uint32_t at) {
    Bytes text = compiler->text;
    uint8_t *literal = arena_raw(compiler->arena, text.size);
    uint32_t size = 0;
    for (uint32_t i = at + 1; i < text.size; i++) {
        if (text.data[i] != '\'') {
            literal[size++] = text.data[i];
        } else if (i + 1 < text.size && text.data[i + 1] == '\'') {
            literal[size++] = text.data[i++];
        } else {
            if (i == at + 1)
                literal[size++] = '\''; /* two quotes alone are one */
            add_literal(compiler, (Bytes){literal, size});
            return i + 1;
        }
    }
    return 0;
}

static ErrCode add_option(Compiler *compiler, bool begin, Err *err) {
    if (begin && compiler->depth == OPTION_DEPTH_MAX)
        return err_set(err, ERR_FORMAT, "Pattern has over %d optional sections in each other",
                       OPTION_DEPTH_MAX);
    if (begin) {
        add_item(compiler, TIME_ITEM_OPTION);
        compiler->options[compiler->depth++] = compiler->pattern->count - 1;
        return ERR_OK;
    }
    if (compiler->depth == 0)
        return err_set(err, ERR_FORMAT, "Pattern invalid as it contains ] without previous [");
    uint32_t option = compiler->options[--compiler->depth];
    compiler->pattern->items[option].end = compiler->pattern->count;
    compiler->adjacent = NO_NUMBER;
    return ERR_OK;
}

static bool is_letter(uint8_t byte) {
    return (uint8_t)((byte | 0x20) - 'a') < 26;
}

static uint32_t run_end(Bytes text, uint32_t at) {
    uint32_t end = at + 1;
    while (end < text.size && text.data[end] == text.data[at])
        end++;
    return end;
}

/* A run of one letter at *at, and with p the run behind it. */
static ErrCode add_letters(Compiler *compiler, uint32_t *at, Err *err) {
    Bytes text = compiler->text;
    uint32_t end = run_end(text, *at);
    if (text.data[*at] == 'p') {
        if (end == text.size || !is_letter(text.data[end]))
            return err_set(err, ERR_FORMAT,
                           "Pad letter 'p' must be followed by valid pad pattern: %.*s",
                           (int)text.size, (const char *)text.data);
        compiler->padding = end - *at;
        compiler->adjacent = NO_NUMBER;
        *at = end;
        end = run_end(text, *at);
    }
    uint32_t start = *at;
    *at = end;
    return add_letter(compiler, (char)text.data[start], end - start, err);
}

/* One element of the pattern at *at, which moves behind it. */
static ErrCode add_next(Compiler *compiler, uint32_t *at, Err *err) {
    Bytes text = compiler->text;
    uint8_t byte = text.data[*at];
    if (is_letter(byte))
        return add_letters(compiler, at, err);
    uint32_t end = *at + 1;
    if (byte == '\'') {
        end = add_quoted(compiler, *at);
        if (end == 0)
            return err_set(err, ERR_FORMAT, "Pattern ends with an incomplete string literal: %.*s",
                           (int)text.size, (const char *)text.data);
    } else if (byte == '[' || byte == ']') {
        TRY(add_option(compiler, byte == '[', err));
    } else if (byte == '{' || byte == '}' || byte == '#') {
        return err_set(err, ERR_FORMAT, "Pattern includes reserved character: '%c'", byte);
    } else {
        while (end < text.size && (text.data[end] & 0xC0) == 0x80)
            end++; /* one character of UTF-8 */
        add_literal(compiler, (Bytes){text.data + *at, end - *at});
    }
    *at = end;
    return ERR_OK;
}

ErrCode time_pattern_new(Bytes pattern, Arena *arena, const TimePattern **compiled, Err *err) {
    assert(arena && compiled);
    Compiler compiler = {
        .pattern = arena_alloc(arena, sizeof *compiler.pattern),
        .arena = arena,
        .text = pattern,
        .adjacent = NO_NUMBER,
    };
    for (uint32_t at = 0; at < pattern.size;)
        TRY(add_next(&compiler, &at, err));
    while (compiler.depth > 0)
        TRY(add_option(&compiler, false, err));
    *compiled = compiler.pattern;
    return ERR_OK;
}
