/*
 * time_pattern.c - Java's DateTimeFormatter patterns, compiled once and then run over texts.
 *
 * A pattern is a list of items: numbers, literals, and optional sections. Numbers that touch each
 * other (yyyyMMdd) are told apart by width, as Java does it: the first of such a group may be of
 * any width and leaves enough digits for the others, whose width is fixed.
 */
#include <assert.h>

#include "base/utf8.h"
#include "data/time_impl.h"

typedef enum ItemKind {
    ITEM_LITERAL,
    ITEM_NUMBER,
    ITEM_OFFSET, /* from UTC; `literal` stands for none: Z, +00, +0000, +00:00 */
    ITEM_OPTION, /* [ ... ]: the items up to `end` */
} ItemKind;

typedef enum TimeField {
    FIELD_YEAR,
    FIELD_MONTH,
    FIELD_DAY,
    FIELD_HOUR,
    FIELD_MINUTE,
    FIELD_SECOND,
    FIELD_NANO,
    FIELD_OFFSET, /* minutes from UTC, plus OFFSET_ZERO */
    FIELD_COUNT,
} TimeField;

typedef struct TimeItem {
    ItemKind kind;
    TimeField field;
    uint32_t width_min;
    uint32_t width_max;
    uint32_t reserved; /* digits that belong to the numbers behind this one */
    bool plus;         /* + before what is wider than width_min, and only then */
    bool fraction;     /* width_min digits of a second's fraction */
    bool reduced;      /* two digits of a year of 2000 to 2099 */
    Bytes literal;
    uint32_t end;
} TimeItem;

struct TimePattern {
    TimeItem *items;
    size_t capacity;
    uint32_t count;
};

enum {
    WIDTH_MAX = 19,
    FRACTION_MAX = 9,
    OFFSET_MAX = 3, /* letters: +hh[mm], +hhmm, +hh:mm */
    OFFSET_MINUTES_MAX = 18 * 60,
    OFFSET_ZERO = 24 * 60,
    OPTION_DEPTH_MAX = 8,
};

/* == Compiling == */

typedef struct PatternCompiler {
    TimePattern *pattern;
    Arena *arena;
    Bytes text;
    int32_t adjacent; /* the number that a following number would touch; -1: none */
    uint32_t options[OPTION_DEPTH_MAX];
    uint32_t depth;
} PatternCompiler;

static TimeItem *compile_item(PatternCompiler *compiler, ItemKind kind) {
    TimePattern *pattern = compiler->pattern;
    pattern->items = arena_grow(compiler->arena, pattern->items, &pattern->capacity,
                                (size_t)pattern->count + 1, sizeof *pattern->items);
    TimeItem *item = &pattern->items[pattern->count++];
    *item = (TimeItem){.kind = kind};
    if (kind != ITEM_NUMBER)
        compiler->adjacent = -1;
    return item;
}

static void compile_literal(PatternCompiler *compiler, Bytes literal) {
    compile_item(compiler, ITEM_LITERAL)->literal = arena_bytes(compiler->arena, literal);
}

/* Settles which of two touching numbers has how many digits. */
static void compile_adjacent(PatternCompiler *compiler) {
    TimeItem *items = compiler->pattern->items;
    TimeItem *item = &items[compiler->pattern->count - 1];
    bool fixed = item->width_min == item->width_max;
    if (compiler->adjacent >= 0) {
        TimeItem *first = &items[compiler->adjacent];
        first->reserved = fixed ? first->reserved + item->width_max : 0;
        if (fixed)
            return;
    }
    compiler->adjacent = (int32_t)(compiler->pattern->count - 1);
}

static ErrCode letter_error(char letter, uint32_t count, Err *err) {
    if (!strchr("yMdHmsSXxZ", letter))
        return err_set(err, ERR_FORMAT,
                       "Pattern letter %c is not supported. These are: y (year), M (month), "
                       "d (day), H (hour), m (minute), s (second), S (fraction of a second), "
                       "X, x and Z (offset from UTC), text in single quotes, and [optional "
                       "sections].", letter);
    const char *counts = letter == 'y' ? "1 to 19" : letter == 'S' ? "1 to 9"
                         : strchr("XxZ", letter) ? "1 to 3" : "1 or 2";
    return err_set(err, ERR_FORMAT, "Too many pattern letters: %u times %c, supported are %s.",
                   count, letter, counts);
}

static ErrCode compile_offset(PatternCompiler *compiler, char letter, uint32_t count, Err *err) {
    static const char *const zeros[] = {"+00", "+0000", "+00:00"};
    if (count > OFFSET_MAX)
        return letter_error(letter, count, err);
    if (letter == 'Z')
        count = 2;
    TimeItem *item = compile_item(compiler, ITEM_OFFSET);
    item->width_min = count;
    item->literal = bytes_of(letter == 'X' ? "Z" : zeros[count - 1]);
    return ERR_OK;
}

static ErrCode compile_letter(PatternCompiler *compiler, char letter, uint32_t count, Err *err) {
    static const char letters[] = "yMdHmsS"; /* in the order of TimeField */
    if (strchr("XxZ", letter))
        return compile_offset(compiler, letter, count, err);
    const char *found = strchr(letters, letter);
    uint32_t max = letter == 'y' ? WIDTH_MAX : letter == 'S' ? FRACTION_MAX : 2;
    if (!found || count > max)
        return letter_error(letter, count, err);
    TimeItem *item = compile_item(compiler, ITEM_NUMBER);
    item->field = (TimeField)(found - letters);
    item->width_min = count;
    item->width_max = count == 2 || letter == 'S' ? count : WIDTH_MAX;
    item->plus = count >= 4;
    item->fraction = letter == 'S';
    item->reduced = letter == 'y' && count == 2;
    compile_adjacent(compiler);
    return ERR_OK;
}

/* 'text' or '' at `at`; returns what follows it, 0: it does not end. */
static uint32_t compile_quoted(PatternCompiler *compiler, uint32_t at) {
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
            compile_literal(compiler, (Bytes){literal, size});
            return i + 1;
        }
    }
    return 0;
}

static ErrCode compile_option(PatternCompiler *compiler, bool begin, Err *err) {
    if (begin && compiler->depth == OPTION_DEPTH_MAX)
        return err_set(err, ERR_FORMAT, "Pattern has over %d optional sections in each other",
                       OPTION_DEPTH_MAX);
    if (begin) {
        compile_item(compiler, ITEM_OPTION);
        compiler->options[compiler->depth++] = compiler->pattern->count - 1;
        return ERR_OK;
    }
    if (compiler->depth == 0)
        return err_set(err, ERR_FORMAT, "Pattern invalid as it contains ] without previous [");
    uint32_t option = compiler->options[--compiler->depth];
    compiler->pattern->items[option].end = compiler->pattern->count;
    compiler->adjacent = -1;
    return ERR_OK;
}

static bool is_letter(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* One element of the pattern at *at, which moves behind it. */
static ErrCode compile_next(PatternCompiler *compiler, uint32_t *at, Err *err) {
    Bytes text = compiler->text;
    uint8_t byte = text.data[*at];
    uint32_t end = *at + 1;
    if (is_letter(byte)) {
        while (end < text.size && text.data[end] == byte)
            end++;
        TRY(compile_letter(compiler, (char)byte, end - *at, err));
    } else if (byte == '\'') {
        end = compile_quoted(compiler, *at);
        if (end == 0)
            return err_set(err, ERR_FORMAT, "Pattern ends with an incomplete string literal: %.*s",
                           (int)text.size, (const char *)text.data);
    } else if (byte == '[' || byte == ']') {
        TRY(compile_option(compiler, byte == '[', err));
    } else if (strchr("{}#", byte)) {
        return err_set(err, ERR_FORMAT, "Pattern includes reserved character: '%c'", byte);
    } else {
        while (end < text.size && (text.data[end] & 0xC0) == 0x80)
            end++; /* one character of UTF-8 */
        compile_literal(compiler, (Bytes){text.data + *at, end - *at});
    }
    *at = end;
    return ERR_OK;
}

ErrCode time_pattern_new(Bytes pattern, Arena *arena, const TimePattern **compiled, Err *err) {
    assert(arena && compiled);
    PatternCompiler compiler = {
        .pattern = arena_alloc(arena, sizeof *compiler.pattern),
        .arena = arena,
        .text = pattern,
        .adjacent = -1,
    };
    for (uint32_t at = 0; at < pattern.size;)
        TRY(compile_next(&compiler, &at, err));
    while (compiler.depth > 0)
        TRY(compile_option(&compiler, false, err));
    *compiled = compiler.pattern;
    return ERR_OK;
}

/* == Parsing == */

typedef struct PatternParser {
    const TimePattern *pattern;
    Bytes text;
    uint32_t at;
    uint64_t values[FIELD_COUNT];
    uint32_t present; /* bit: field */
} PatternParser;

static uint32_t digits_at(const PatternParser *parser, uint32_t max) {
    uint32_t count = 0;
    while (count < max && parser->at + count < parser->text.size &&
           (uint8_t)(parser->text.data[parser->at + count] - '0') <= 9)
        count++;
    return count;
}

/* A field that occurs twice must be the same twice. */
static bool parse_store(PatternParser *parser, TimeField field, uint64_t value) {
    if (parser->present >> field & 1)
        return parser->values[field] == value;
    parser->present |= 1U << field;
    parser->values[field] = value;
    return true;
}

static bool parse_number(PatternParser *parser, const TimeItem *item) {
    bool plus = parser->at < parser->text.size && parser->text.data[parser->at] == '+';
    if (plus && !item->plus)
        return false;
    parser->at += plus;
    uint32_t count = digits_at(parser, item->width_max + item->reserved);
    if (item->reserved > 0) {
        uint32_t own = count > item->reserved ? count - item->reserved : 0;
        count = own > item->width_min ? own : item->width_min;
        if (count > item->width_max)
            count = item->width_max;
        if (digits_at(parser, count) < count)
            return false;
    }
    if (count < item->width_min || (item->plus && plus != (count > item->width_min)))
        return false;
    uint64_t value = 0; /* 19 digits fit */
    for (uint32_t i = 0; i < count; i++)
        value = value * 10 + (uint64_t)(parser->text.data[parser->at + i] - '0');
    parser->at += count;
    for (uint32_t i = count; item->fraction && i < FRACTION_MAX; i++)
        value *= 10;
    return parse_store(parser, item->field, item->reduced ? value + 2000 : value);
}

/* Whether two texts begin with the same character, in any case; bytes that are none as they are. */
static bool character_equal(Bytes left, Bytes right, uint32_t *left_size, uint32_t *right_size) {
    uint32_t one = utf8_decode(left, left_size);
    uint32_t other = utf8_decode(right, right_size);
    if (one == other)
        return *left_size == *right_size && memcmp(left.data, right.data, *left_size) == 0;
    return utf8_upper(one) == utf8_upper(other) || utf8_lower(one) == utf8_lower(other);
}

static bool parse_literal(PatternParser *parser, Bytes literal) {
    uint32_t size, literal_size;
    while (literal.size > 0) {
        Bytes rest = {parser->text.data + parser->at, parser->text.size - parser->at};
        if (rest.size == 0 || !character_equal(literal, rest, &literal_size, &size))
            return false;
        literal = (Bytes){literal.data + literal_size, literal.size - literal_size};
        parser->at += size;
    }
    return true;
}

/* Two digits up to 59 at the parser's place. */
static bool parse_two(PatternParser *parser, uint32_t *value) {
    if (digits_at(parser, 2) < 2)
        return false;
    const uint8_t *digits = parser->text.data + parser->at;
    *value = (uint32_t)(digits[0] - '0') * 10 + (uint32_t)(digits[1] - '0');
    if (*value > 59)
        return false;
    parser->at += 2;
    return true;
}

/* The text for no offset, or a sign, hours, and minutes, which only one letter leaves open. */
static bool parse_offset(PatternParser *parser, const TimeItem *item) {
    uint32_t start = parser->at, hours, minutes = 0;
    if (parse_literal(parser, item->literal))
        return parse_store(parser, FIELD_OFFSET, OFFSET_ZERO);
    parser->at = start;
    if (parser->at == parser->text.size)
        return false;
    uint8_t sign = parser->text.data[parser->at++];
    if ((sign != '+' && sign != '-') || !parse_two(parser, &hours))
        return false;
    if (item->width_min == 3 && !parse_literal(parser, bytes_of(":")))
        return false;
    if (!parse_two(parser, &minutes)) {
        if (item->width_min > 1)
            return false;
        minutes = 0; /* other digits follow */
    }
    uint32_t offset = hours * 60 + minutes;
    if (offset > OFFSET_MINUTES_MAX)
        return false;
    return parse_store(parser, FIELD_OFFSET, sign == '-' ? OFFSET_ZERO - offset
                                                         : OFFSET_ZERO + offset);
}

/* The depth of sections bounds the recursion. */
static bool parse_items(PatternParser *parser, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        const TimeItem *item = &parser->pattern->items[i];
        if (item->kind == ITEM_LITERAL && !parse_literal(parser, item->literal))
            return false;
        if (item->kind == ITEM_NUMBER && !parse_number(parser, item))
            return false;
        if (item->kind == ITEM_OFFSET && !parse_offset(parser, item))
            return false;
        if (item->kind == ITEM_OPTION) {
            PatternParser before = *parser;
            if (!parse_items(parser, i + 1, item->end))
                *parser = before;
            i = item->end - 1;
        }
    }
    return true;
}

bool time_pattern_parse(const TimePattern *pattern, Bytes text, int64_t *ms) {
    assert(pattern && ms);
    PatternParser parser = {.pattern = pattern, .text = text};
    if (!parse_items(&parser, 0, pattern->count) || parser.at < text.size)
        return false;
    static const uint64_t defaults[FIELD_COUNT] = {1970, 1, 1, [FIELD_OFFSET] = OFFSET_ZERO};
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (!(parser.present >> i & 1))
            parser.values[i] = defaults[i];
        if (parser.values[i] > TIME_YEAR_MAX)
            return false;
    }
    TimeParts parts = {
        .year = (int64_t)parser.values[FIELD_YEAR],
        .month = (uint32_t)parser.values[FIELD_MONTH],
        .day = (uint32_t)parser.values[FIELD_DAY],
        .hour = (uint32_t)parser.values[FIELD_HOUR],
        .minute = (uint32_t)parser.values[FIELD_MINUTE],
        .second = (uint32_t)parser.values[FIELD_SECOND],
        .nano = (uint32_t)parser.values[FIELD_NANO],
    };
    int64_t offset = (int64_t)parser.values[FIELD_OFFSET] - OFFSET_ZERO;
    return parts.year >= 1 && time_parts_ms(&parts, ms) &&
           !__builtin_sub_overflow(*ms, offset * MS_PER_MINUTE, ms);
}

/* == Printing == */

static uint64_t part_value(const TimeParts *parts, TimeField field) {
    switch (field) {
    case FIELD_YEAR: return (uint64_t)(parts->year > 0 ? parts->year : 1 - parts->year);
    case FIELD_MONTH: return parts->month;
    case FIELD_DAY: return parts->day;
    case FIELD_HOUR: return parts->hour;
    case FIELD_MINUTE: return parts->minute;
    case FIELD_SECOND: return parts->second;
    case FIELD_NANO: return parts->nano;
    case FIELD_OFFSET:
    case FIELD_COUNT: break;
    }
    assert(field < FIELD_OFFSET);
    return 0;
}

static void print_number(Buf *out, const TimeItem *item, uint64_t value) {
    uint64_t limit = 1; /* 10^width, or beyond any value */
    for (uint32_t i = 0; i < item->width_min && limit <= TIME_YEAR_MAX; i++)
        limit *= 10;
    for (uint32_t i = item->width_min; item->fraction && i < FRACTION_MAX; i++)
        value /= 10;
    if (item->reduced)
        value %= 100;
    if (item->plus && value >= limit)
        buf_u8(out, '+');
    time_put_number(out, value, item->width_min);
}

void time_pattern_print(Buf *out, const TimePattern *pattern, int64_t ms) {
    assert(pattern);
    TimeParts parts;
    time_parts_of(ms, &parts);
    for (uint32_t i = 0; i < pattern->count; i++) {
        const TimeItem *item = &pattern->items[i];
        if (item->kind == ITEM_LITERAL || item->kind == ITEM_OFFSET)
            buf_bytes(out, item->literal);
        if (item->kind == ITEM_NUMBER)
            print_number(out, item, part_value(&parts, item->field));
    }
}
