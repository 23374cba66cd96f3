/*
 * regexp_escape.c - what a backslash means in a pattern, and single characters.
 */
#include "udf/regexp_impl.h"

#include "base/utf8.h"

/* == Characters == */

static int32_t escape_hex(uint32_t ch) {
    return ch < 0x80 ? bytes_hex_digit((uint8_t)ch) : -1;
}

/* Exactly `count` digits at `ahead`; -1: they are not there. */
static int32_t escape_hex_digits(const RegexpParse *parse, uint32_t ahead, uint32_t count) {
    int32_t value = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t digit = escape_hex(regexp_raw(parse, ahead + i));
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void escape_forward(RegexpParse *parse, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        regexp_skip(parse);
}

/* At the u: four digits; two surrogates in a row are one character. */
static uint32_t escape_unit(RegexpParse *parse) {
    int32_t unit = escape_hex_digits(parse, 1, 4);
    if (unit < 0) {
        regexp_fail(parse, "illegal Unicode escape");
        return REGEXP_END;
    }
    escape_forward(parse, 5);
    if (unit < 0xD800 || unit > 0xDBFF || regexp_raw(parse, 0) != '\\' ||
        regexp_raw(parse, 1) != 'u')
        return (uint32_t)unit;
    int32_t low = escape_hex_digits(parse, 2, 4);
    if (low < 0xDC00 || low > 0xDFFF)
        return (uint32_t)unit;
    escape_forward(parse, 6);
    return 0x10000U + (uint32_t)((unit - 0xD800) << 10 | (low - 0xDC00));
}

/* At the x: two digits, or any number of them in braces. */
static uint32_t escape_code(RegexpParse *parse) {
    int32_t code = escape_hex_digits(parse, 1, 2);
    if (code >= 0) {
        escape_forward(parse, 3);
        return (uint32_t)code;
    }
    uint32_t value = 0, at = 2;
    bool open = regexp_raw(parse, 1) == '{' && escape_hex(regexp_raw(parse, 2)) >= 0;
    for (; open && escape_hex(regexp_raw(parse, at)) >= 0; at++) {
        value = value * 16 + (uint32_t)escape_hex(regexp_raw(parse, at));
        if (value > 0x10FFFF)
            open = false;
    }
    if (!open || regexp_raw(parse, at) != '}') {
        regexp_fail(parse, "illegal hexadecimal escape");
        return REGEXP_END;
    }
    escape_forward(parse, at + 1);
    return value;
}

/* At the 0: one to three octal digits, at most 0377. */
static uint32_t escape_octal(RegexpParse *parse) {
    uint32_t value = 0, count = 0;
    while (count < 3) {
        uint32_t digit = regexp_raw(parse, count + 1) - '0';
        if (digit > 7 || (count == 2 && value > 037))
            break;
        value = value * 8 + digit;
        count++;
    }
    if (count == 0) {
        regexp_fail(parse, "illegal octal escape");
        return REGEXP_END;
    }
    escape_forward(parse, count + 1);
    return value;
}

uint32_t regexp_escape_char(RegexpParse *parse) {
    static const char names[] = "aefnrt", values[] = "\a\033\f\n\r\t";
    uint32_t ch = regexp_raw(parse, 0);
    bool letter = (ch | 0x20) >= 'a' && (ch | 0x20) <= 'z' && ch < 0x80;
    if (ch == '0')
        return escape_octal(parse);
    if (ch == REGEXP_END || (ch >= '1' && ch <= '9'))
        return REGEXP_END;
    if (ch == 'u')
        return escape_unit(parse);
    if (ch == 'x')
        return escape_code(parse);
    if (ch == 'c') {
        uint32_t control = regexp_raw(parse, 1);
        if (control == REGEXP_END) {
            regexp_fail(parse, "illegal control escape");
            return REGEXP_END;
        }
        escape_forward(parse, 2);
        return (control ^ 64) & ~REGEXP_QUOTED;
    }
    const char *name = letter ? strchr(names, (char)ch) : NULL;
    if (letter && !name)
        return REGEXP_END;
    regexp_skip(parse);
    return name ? (uint32_t)values[name - names] : ch & ~REGEXP_QUOTED;
}

/* == Sets == */

/* At the p or P: the name's text, and past it. */
static Bytes escape_property_name(RegexpParse *parse) {
    uint32_t ch = regexp_next(parse);
    uint32_t start = parse->at, end = start + 1;
    if (ch == '{') {
        start++;
        end = start;
        while (end < parse->count && parse->chars[end] != '}')
            end++;
        if (end == parse->count) {
            regexp_fail(parse, "unclosed character family");
            return (Bytes){0};
        }
        escape_forward(parse, end - parse->at + 1);
    } else if (ch == REGEXP_END) {
        regexp_fail(parse, "a character family is missing");
        return (Bytes){0};
    } else {
        regexp_skip(parse);
    }
    uint32_t from = parse->offsets[start];
    return (Bytes){parse->pattern.data + from, parse->offsets[end] - from};
}

bool regexp_escape_set(RegexpParse *parse, RegexpSet *set) {
    uint32_t ch = regexp_raw(parse, 0);
    if (ch >= 0x80)
        return false;
    uint32_t small = ch | 0x20;
    bool negated = ch < 'a';
    if (small == 'p') {
        Bytes name = escape_property_name(parse);
        RegexpProperty property = {0};
        if (parse->failed)
            return true;
        if (!regexp_property(name, parse->flags, &property)) {
            regexp_fail(parse, "unknown character property {%.*s}",
                        name.size > 60 ? 60 : (int)name.size, name.data);
            return true;
        }
        regexp_set_items(set, bytes_of(property.items), negated != property.negated);
        return true;
    }
    const char *items = small >= 'a' && ch >= 'A' ? regexp_predefined(small, parse->flags) : NULL;
    if (!items)
        return false;
    regexp_skip(parse);
    regexp_set_items(set, bytes_of(items), negated);
    return true;
}

/* == Literals == */

static bool literal_is_letter(uint32_t character) {
    return character < 0x80 && (character | 0x20) >= 'a' && (character | 0x20) <= 'z';
}

void regexp_literal(RegexpParse *parse, uint32_t character) {
    uint32_t small = character | 0x20;
    bool caseless = parse->flags & REGEXP_CASELESS;
    bool unicode = caseless && (parse->flags & REGEXP_UNICODE_CASE);
    if (character >= 0xD800 && character <= 0xDFFF) {
        buf_text(parse->out, "(?!)"); /* no text holds one */
        return;
    }
    bool letter = literal_is_letter(character);
    if (unicode && (small == 'i' || character == 0x130 || character == 0x131)) {
        regexp_set_caseless(parse, false);
        buf_text(parse->out, "[iI\\x{130}\\x{131}]");
    } else if (caseless && !unicode && letter && (small == 'k' || small == 's')) {
        regexp_set_caseless(parse, false); /* the Kelvin sign and the long s are no ASCII */
        buf_printf(parse->out, "[%c%c]", (char)small, (char)(small - 0x20));
    } else {
        if (letter || character >= 0x80)
            regexp_set_caseless(parse, caseless && (letter || unicode));
        regexp_write_char(parse->out, character);
    }
}

/* == Everything else == */

/* Java's word is letters and digits of any kind and '_'; a mark that follows a letter or digit, or
 * one or two marks behind it, belongs to it, if all are characters up to U+FFFF. */
#define ESCAPE_BASE "[^\\P{L}\\x{10000}-\\x{10ffff}]|[^\\P{Nd}\\x{10000}-\\x{10ffff}]"
#define ESCAPE_MARK "[^\\P{Mn}\\x{10000}-\\x{10ffff}]"
#define ESCAPE_BASES \
    ESCAPE_BASE "|(?:" ESCAPE_BASE ")" ESCAPE_MARK "|(?:" ESCAPE_BASE ")" ESCAPE_MARK "{2}"
#define ESCAPE_WORDS "[\\p{L}\\p{Nd}_]|(?:" ESCAPE_BASE ")" ESCAPE_MARK "|(?:" ESCAPE_BASE \
    ")" ESCAPE_MARK "{2}"
#define ESCAPE_BEFORE "(?<=" ESCAPE_WORDS ")"
#define ESCAPE_NOT_BEFORE "(?<!" ESCAPE_WORDS ")"
#define ESCAPE_WORD "[\\p{L}\\p{Nd}_]|(?<=" ESCAPE_BASES ")" ESCAPE_MARK
#define ESCAPE_UNICODE "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}]"

static void escape_boundary(RegexpParse *parse, bool negated) {
    if (parse->flags & REGEXP_UNICODE)
        buf_text(parse->out,
                 negated ? "(?:(?<=" ESCAPE_UNICODE ")(?=" ESCAPE_UNICODE ")|(?<!" ESCAPE_UNICODE
                           ")(?!" ESCAPE_UNICODE "))"
                         : "(?:(?<=" ESCAPE_UNICODE ")(?!" ESCAPE_UNICODE ")|(?<!" ESCAPE_UNICODE
                           ")(?=" ESCAPE_UNICODE "))");
    else
        buf_text(parse->out,
                 negated ? "(?:" ESCAPE_BEFORE "(?=" ESCAPE_WORD ")|" ESCAPE_NOT_BEFORE
                           "(?!" ESCAPE_WORD "))"
                         : "(?:" ESCAPE_BEFORE "(?!" ESCAPE_WORD ")|" ESCAPE_NOT_BEFORE
                           "(?=" ESCAPE_WORD "))");
}

/* \1 to \9, and further digits as long as there are so many groups. */
static void escape_reference(RegexpParse *parse) {
    uint32_t group = regexp_raw(parse, 0) - '0';
    for (uint32_t ch; (ch = regexp_skip(parse)) >= '0' && ch <= '9';) {
        if (parse->translation->group_count < group * 10 + (ch - '0'))
            break;
        group = group * 10 + (ch - '0');
    }
    if (group > parse->reference_max)
        parse->reference_max = group;
    regexp_set_caseless(parse, parse->flags & REGEXP_CASELESS);
    buf_printf(parse->out, "\\g{%u}", group);
}

/* \k<name>, at the k. */
static void escape_named(RegexpParse *parse) {
    const RegexpTranslation *translation = parse->translation;
    if (regexp_skip(parse) != '<') {
        regexp_fail(parse, "\\k is not followed by '<'");
        return;
    }
    uint32_t start = parse->at + 1;
    while (regexp_raw(parse, 0) != '>' && regexp_raw(parse, 0) != REGEXP_END)
        regexp_skip(parse);
    uint32_t from = start < parse->count ? parse->offsets[start] : parse->pattern.size;
    Bytes name = {parse->pattern.data + from, parse->offsets[parse->at] - from};
    for (uint32_t i = 0; i < translation->name_count; i++) {
        if (!bytes_equal(translation->names[i].text, name))
            continue;
        regexp_skip(parse);
        regexp_set_caseless(parse, parse->flags & REGEXP_CASELESS);
        buf_printf(parse->out, "\\g{%u}", translation->names[i].group);
        return;
    }
    regexp_fail(parse, "there is no group <%.*s>", name.size > 40 ? 40 : (int)name.size,
                name.data);
}

/* Both ends of a line as one; Java does not part them again where it repeats them. */
static const char *escape_line_end(const RegexpParse *parse) {
    uint32_t behind = regexp_raw(parse, 1);
    bool repeated = behind < 0x80 && behind > 0 && strchr("*+?{", (int)behind);
    return repeated ? "(?>\\r\\n|[\\n\\x0b\\f\\r\\x{85}\\x{2028}\\x{2029}])"
                    : "(?:\\r\\n|[\\n\\x0b\\f\\r\\x{85}\\x{2028}\\x{2029}])";
}

/* What stands for a place or a sequence; NULL: none of these. \G asks whether it holds: behind an
 * empty match PCRE2's start is not where Java's last match ended. */
static const char *escape_fixed(const RegexpParse *parse, uint32_t ch) {
    switch (ch) {
    case 'A': return "(?:\\A)";
    case 'G': return "(?:\\G(?C1))";
    case 'z': return "(?:\\z)";
    case 'Z':
        return parse->flags & REGEXP_UNIX_LINES
                   ? "(?=\\n?\\z)"
                   : "(?:(?=(?:\\r\\n|[\\n\\r\\x{85}\\x{2028}\\x{2029}])?\\z)(?!(?<=\\r)\\n))";
    case 'R': return escape_line_end(parse);
    case 'X': return "(?:\\X)";
    default: return NULL;
    }
}

static void escape_other(RegexpParse *parse, uint32_t ch) {
    const char *fixed = escape_fixed(parse, ch);
    if (fixed) {
        buf_text(parse->out, fixed);
        regexp_skip(parse);
    } else if (ch >= '1' && ch <= '9') {
        escape_reference(parse);
    } else if (ch == 'k') {
        escape_named(parse);
    } else if (ch == 'b' || ch == 'B') {
        if (ch == 'b' && regexp_raw(parse, 1) == '{' && regexp_raw(parse, 2) == 'g')
            regexp_fail(parse, "\\b{g} is not supported");
        regexp_set_caseless(parse, false);
        escape_boundary(parse, ch == 'B');
        regexp_skip(parse);
    } else if (ch == 'N') {
        regexp_fail(parse, "characters by name are not supported");
    } else {
        regexp_fail(parse, "illegal or unsupported escape");
    }
}

void regexp_escape(RegexpParse *parse) {
    RegexpSet set = {0};
    assert(regexp_raw(parse, 0) == '\\');
    uint32_t ch = regexp_skip(parse);
    if (regexp_escape_set(parse, &set)) {
        regexp_set_caseless(parse, false);
        regexp_set_write(parse->out, &set, false);
    } else {
        uint32_t character = regexp_escape_char(parse);
        if (character != REGEXP_END)
            regexp_literal(parse, character);
        else if (!parse->failed)
            escape_other(parse, ch);
    }
    regexp_set_free(&set);
}
