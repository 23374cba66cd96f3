/*
 * regexp_translate.c - a pattern of java.util.regex written out for PCRE2.
 *
 *   alternation := sequence ('|' sequence)*
 *   sequence    := (atom quantifier?)*
 *   atom        := '(' group ')' | '[' class ']' | '\' escape | '^' | '$' | '.' | character
 *
 * Java's flags are kept here and written out: what '.', '^', '$' and letters mean at each place.
 * PCRE2's own caseless flag is the one that is used, switched on and off between the atoms.
 * Each atom is written as one item of PCRE2, so that a quantifier can follow it.
 */
#include "udf/regexp_impl.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/utf8.h"

#define REGEXP_LINE_ENDS "\\n\\r\\x{85}\\x{2028}\\x{2029}"

/* == Characters == */

bool regexp_fail(RegexpParse *parse, const char *format, ...) {
    assert(parse && format);
    if (!parse->failed) {
        char *error = parse->translation->error;
        va_list args;
        va_start(args, format);
        int size = vsnprintf(error, REGEXP_ERROR_SIZE, format, args);
        va_end(args);
        if (size >= 0 && size < REGEXP_ERROR_SIZE)
            snprintf(error + size, (size_t)(REGEXP_ERROR_SIZE - size), ", at character %u",
                     parse->at + 1);
    }
    parse->failed = true;
    parse->at = parse->count;
    return false;
}

static bool translate_is_space(uint32_t ch) {
    return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

static bool translate_ends_line(const RegexpParse *parse, uint32_t ch) {
    return ch == '\n' || (!(parse->flags & REGEXP_UNIX_LINES) &&
                          (ch == '\r' || ch == 0x85 || ch == 0x2028 || ch == 0x2029));
}

uint32_t regexp_peek(RegexpParse *parse) {
    assert(parse->at <= parse->count);
    while (parse->flags & REGEXP_COMMENTS) {
        uint32_t ch = regexp_raw(parse, 0);
        if (ch == '#') {
            while (parse->at < parse->count && !translate_ends_line(parse, regexp_raw(parse, 0)))
                parse->at++;
        } else if (translate_is_space(ch)) {
            parse->at++;
        } else {
            break;
        }
    }
    return regexp_raw(parse, 0);
}

uint32_t regexp_skip(RegexpParse *parse) {
    parse->at += parse->at < parse->count;
    return regexp_raw(parse, 0);
}

uint32_t regexp_next(RegexpParse *parse) {
    regexp_skip(parse);
    return regexp_peek(parse);
}

void regexp_set_caseless(RegexpParse *parse, bool caseless) {
    assert(parse->out);
    if (parse->caseless != caseless)
        buf_text(parse->out, caseless ? "(?i)" : "(?-i)");
    parse->caseless = caseless;
}

/* == Lines == */

static void translate_dot(RegexpParse *parse) {
    if (parse->flags & REGEXP_DOTALL)
        buf_text(parse->out, ".");
    else if (parse->flags & REGEXP_UNIX_LINES)
        buf_text(parse->out, "[^\\n]");
    else
        buf_text(parse->out, "[^" REGEXP_LINE_ENDS "]");
}

/* Not at the end of the text, even behind the end of a line. */
static void translate_caret(RegexpParse *parse) {
    if (!(parse->flags & REGEXP_MULTILINE))
        buf_text(parse->out, "(?:\\A)");
    else if (parse->flags & REGEXP_UNIX_LINES)
        buf_text(parse->out, "(?:(?:\\A|(?<=\\n))(?!\\z))");
    else
        buf_text(parse->out,
                 "(?:(?:\\A|(?<=[\\n\\x{85}\\x{2028}\\x{2029}])|(?<=\\r)(?!\\n))(?!\\z))");
}

/* Before the end of a line: of each one, or only of the last. Not between \r and \n. */
static void translate_dollar(RegexpParse *parse, bool each) {
    bool unix_lines = parse->flags & REGEXP_UNIX_LINES;
    if (each)
        buf_text(parse->out, unix_lines ? "(?=\\z|\\n)"
                                        : "(?:(?=\\z|[" REGEXP_LINE_ENDS "])(?!(?<=\\r)\\n))");
    else
        buf_text(parse->out,
                 unix_lines ? "(?=\\n?\\z)"
                            : "(?:(?=(?:\\r\\n|[" REGEXP_LINE_ENDS "])?\\z)(?!(?<=\\r)\\n))");
}

/* == Quantifiers == */

/* A number in {...}; INT32_MAX is Java's own limit. */
static uint64_t translate_number(RegexpParse *parse, uint32_t *ch) {
    uint64_t number = 0;
    while (*ch >= '0' && *ch <= '9') {
        number = number * 10 + (*ch - '0');
        if (number > INT32_MAX) {
            regexp_fail(parse, "illegal repetition range");
            return 0;
        }
        *ch = regexp_next(parse);
    }
    return number;
}

static void translate_braces(RegexpParse *parse, RegexpRepeat *repeat) {
    uint32_t ch = regexp_skip(parse);
    if (ch < '0' || ch > '9') {
        regexp_fail(parse, "illegal repetition");
        return;
    }
    uint64_t low = translate_number(parse, &ch), high = low;
    bool open = false;
    if (ch == ',') {
        ch = regexp_next(parse);
        open = ch == '}';
        if (!open)
            high = translate_number(parse, &ch);
    }
    if (ch != '}')
        regexp_fail(parse, "unclosed counted repetition");
    else if (high < low)
        regexp_fail(parse, "illegal repetition range");
    else if (high > REGEXP_REPEAT_MAX)
        regexp_fail(parse, "repetitions of more than %d are not supported", REGEXP_REPEAT_MAX);
    if (parse->failed)
        return;
    regexp_next(parse);
    repeat->low = (uint32_t)low;
    repeat->high = open ? REGEXP_REPEAT_MAX + 1 : (uint32_t)high;
}

bool regexp_repeat(RegexpParse *parse, RegexpRepeat *repeat) {
    uint32_t ch = regexp_peek(parse);
    *repeat = (RegexpRepeat){.high = REGEXP_REPEAT_MAX + 1};
    if (ch == '{') {
        translate_braces(parse, repeat);
    } else if (ch == '*' || ch == '+' || ch == '?') {
        repeat->low = ch == '+';
        if (ch == '?')
            repeat->high = 1;
        regexp_next(parse);
    } else {
        return false;
    }
    ch = regexp_peek(parse);
    repeat->lazy = ch == '?';
    repeat->possessive = ch == '+';
    if (repeat->lazy || repeat->possessive)
        regexp_next(parse);
    return true;
}

static void translate_quantifier(RegexpParse *parse) {
    RegexpRepeat repeat;
    if (!regexp_repeat(parse, &repeat))
        return;
    bool open = repeat.high == REGEXP_REPEAT_MAX + 1;
    if (open && repeat.low <= 1)
        buf_u8(parse->out, repeat.low ? '+' : '*');
    else if (open)
        buf_printf(parse->out, "{%u,}", repeat.low);
    else
        buf_printf(parse->out, "{%u,%u}", repeat.low, repeat.high);
    if (repeat.lazy || repeat.possessive)
        buf_u8(parse->out, repeat.lazy ? '?' : '+');
}

/* == Groups == */

static void translate_alternation(RegexpParse *parse);

static bool translate_is_letter(uint32_t ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

/* A group's name, from its first letter to behind the '>'. */
static Bytes translate_name(RegexpParse *parse) {
    uint32_t start = parse->offsets[parse->at], ch = regexp_raw(parse, 0);
    if (!translate_is_letter(ch)) {
        regexp_fail(parse, "a group's name begins with a Latin letter");
        return (Bytes){0};
    }
    while (translate_is_letter(ch) || (ch >= '0' && ch <= '9'))
        ch = regexp_skip(parse);
    uint32_t end = parse->offsets[parse->at];
    if (ch != '>') {
        regexp_fail(parse, "a group's name is missing its '>'");
        return (Bytes){0};
    }
    regexp_next(parse);
    return (Bytes){parse->pattern.data + start, end - start};
}

static uint32_t translate_find_name(const RegexpTranslation *translation, Bytes name) {
    for (uint32_t i = 0; i < translation->name_count; i++)
        if (bytes_equal(translation->names[i].text, name))
            return translation->names[i].group;
    return UINT32_MAX;
}

static void translate_define_name(RegexpParse *parse, Bytes name) {
    RegexpTranslation *translation = parse->translation;
    if (translate_find_name(translation, name) != UINT32_MAX) {
        regexp_fail(parse, "the group <%.*s> is already defined", (int)name.size, name.data);
        return;
    }
    translation->names = mem_grow(translation->names, &translation->name_capacity,
                                  (size_t)translation->name_count + 1,
                                  sizeof *translation->names);
    translation->names[translation->name_count++] = (RegexpName){name, translation->group_count};
}

static uint32_t translate_flag(uint32_t ch) {
    switch (ch) {
    case 'i': return REGEXP_CASELESS;
    case 'm': return REGEXP_MULTILINE;
    case 's': return REGEXP_DOTALL;
    case 'd': return REGEXP_UNIX_LINES;
    case 'u': return REGEXP_UNICODE_CASE;
    case 'x': return REGEXP_COMMENTS;
    case 'U': return REGEXP_UNICODE | REGEXP_UNICODE_CASE;
    default: return 0;
    }
}

/* (?im-s) and (?im-s: up to the bracket or the colon, which is left to be read. */
static void translate_flags(RegexpParse *parse) {
    uint32_t ch = regexp_peek(parse), flag;
    bool off = false;
    while ((flag = translate_flag(ch)) != 0 || (ch == '-' && !off)) {
        off |= ch == '-';
        parse->flags = off ? parse->flags & ~flag : parse->flags | flag;
        ch = regexp_next(parse);
    }
    if (ch != ')' && ch != ':')
        regexp_fail(parse, "unknown inline modifier");
}

/* The beginning of a group behind "(?"; false: it was only flags. */
static bool translate_special(RegexpParse *parse, RegexpGroup *group) {
    static const char marks[] = ":=!>";
    static const char *const opens[] = {"(?:", "(?=", "(?!", "(?>"};
    static const RegexpGroupKind kinds[] = {REGEXP_GROUP_PLAIN, REGEXP_GROUP_LOOK,
                                            REGEXP_GROUP_LOOK, REGEXP_GROUP_ATOMIC};
    uint32_t ch = regexp_raw(parse, 0), behind = regexp_raw(parse, 1);
    const char *mark = ch > 0 && ch < 0x80 ? strchr(marks, (int)ch) : NULL;
    if (mark) {
        *group = (RegexpGroup){kinds[mark - marks], opens[mark - marks], group->flags};
        regexp_next(parse);
        return true;
    }
    if (ch == '<' && (behind == '=' || behind == '!')) {
        group->kind = REGEXP_GROUP_BEHIND;
        group->open = behind == '=' ? "(?<=" : "(?<!";
        regexp_skip(parse);
        regexp_next(parse);
        return true;
    }
    if (ch == '<') {
        regexp_skip(parse);
        Bytes name = translate_name(parse);
        parse->translation->group_count++;
        translate_define_name(parse, name);
        return true;
    }
    translate_flags(parse);
    if (regexp_peek(parse) == ')')
        return false;
    regexp_next(parse);
    group->kind = REGEXP_GROUP_PLAIN;
    group->open = "(?:";
    return true;
}

bool regexp_group_open(RegexpParse *parse, RegexpGroup *group) {
    *group = (RegexpGroup){REGEXP_GROUP_CAPTURE, "(", parse->flags};
    if (parse->depth == REGEXP_DEPTH_MAX)
        return regexp_fail(parse, "groups are nested more than %d deep", REGEXP_DEPTH_MAX);
    if (regexp_next(parse) != '?') {
        parse->translation->group_count++;
    } else {
        regexp_skip(parse);
        if (!translate_special(parse, group)) {
            regexp_next(parse);
            return false;
        }
    }
    parse->depth++;
    return !parse->failed;
}

void regexp_group_close(RegexpParse *parse, uint32_t flags) {
    parse->depth--;
    if (regexp_peek(parse) != ')') {
        regexp_fail(parse, "unclosed group");
        return;
    }
    parse->flags = flags; /* before the next character is looked at */
    regexp_next(parse);
}

void regexp_group_body(RegexpParse *parse, const RegexpGroup *group) {
    bool behind = group->kind == REGEXP_GROUP_BEHIND;
    if (behind)
        regexp_set_caseless(parse, false);
    bool caseless = parse->caseless;
    buf_text(parse->out, group->open);
    if (behind)
        regexp_behind(parse);
    else
        translate_alternation(parse);
    buf_u8(parse->out, ')');
    parse->caseless = caseless;
    regexp_group_close(parse, group->flags);
}

/* From '(' to behind ')'; false: it was only flags, which count from here on. */
static bool translate_group(RegexpParse *parse) {
    RegexpGroup group;
    if (!regexp_group_open(parse, &group))
        return false;
    regexp_group_body(parse, &group);
    return true;
}

/* == Sequences == */

static void translate_class(RegexpParse *parse) {
    RegexpSet set = {0};
    regexp_set_caseless(parse, false);
    regexp_class(parse, &set);
    regexp_set_write(parse->out, &set, false);
    regexp_set_free(&set);
}

bool regexp_atom(RegexpParse *parse, uint32_t ch) {
    switch (ch) {
    case '(': return translate_group(parse);
    case '[': translate_class(parse); return true;
    case '\\': regexp_escape(parse); return true;
    case '*':
    case '+':
    case '?': return regexp_fail(parse, "dangling '%c'", (char)ch);
    case '{': buf_text(parse->out, "(?:)"); return true; /* it repeats nothing */
    case '.': translate_dot(parse); break;
    case '^': translate_caret(parse); break;
    case '$': translate_dollar(parse, parse->flags & REGEXP_MULTILINE); break;
    default: regexp_literal(parse, ch & ~REGEXP_QUOTED); break;
    }
    regexp_next(parse);
    return true;
}

/* Adds the character just read to the prefix, unless it ends that. */
static void translate_prefix(RegexpParse *parse, uint32_t ch) {
    bool literal = (ch & REGEXP_QUOTED) || ch >= 0x80 || !strchr("([\\*+?{.^$", (int)ch);
    uint32_t next = regexp_peek(parse);
    bool repeated = next == '*' || next == '+' || next == '?' || next == '{';
    if (!literal || repeated || (parse->flags & REGEXP_CASELESS)) {
        parse->in_prefix = false;
        return;
    }
    Buf *prefix = &parse->translation->prefix;
    prefix->size += utf8_encode(buf_room(prefix, 4), ch & ~REGEXP_QUOTED);
}

static void translate_sequence(RegexpParse *parse) {
    uint32_t ch;
    while ((ch = regexp_peek(parse)) != REGEXP_END && ch != '|' && ch != ')') {
        if (ch == '(')
            parse->in_prefix = false;
        bool quantified = regexp_atom(parse, ch);
        if (parse->in_prefix)
            translate_prefix(parse, ch);
        if (quantified)
            translate_quantifier(parse);
    }
}

static void translate_alternation(RegexpParse *parse) {
    translate_sequence(parse);
    while (regexp_peek(parse) == '|') {
        parse->in_prefix = false;
        if (parse->depth == 0)
            buf_reset(&parse->translation->prefix);
        buf_u8(parse->out, '|');
        regexp_next(parse);
        translate_sequence(parse);
    }
}

/* == The whole == */

/* Takes \Q and \E out; chars has room for each byte, offsets for one more. */
static uint32_t translate_read(Bytes pattern, uint32_t *chars, uint32_t *offsets) {
    uint32_t count = 0;
    bool quoted = false;
    for (uint32_t at = 0; at < pattern.size;) {
        const uint8_t *data = pattern.data + at;
        bool pair = data[0] == '\\' && at + 1 < pattern.size;
        if (pair && data[1] == (quoted ? 'E' : 'Q')) {
            quoted = !quoted;
            at += 2;
            continue;
        }
        uint32_t size, ch = utf8_decode((Bytes){data, pattern.size - at}, &size);
        offsets[count] = at;
        chars[count++] = ch | (quoted ? REGEXP_QUOTED : 0);
        at += size;
        if (pair && !quoted) { /* a backslash before a backslash hides it */
            ch = utf8_decode((Bytes){pattern.data + at, pattern.size - at}, &size);
            offsets[count] = at;
            chars[count++] = ch;
            at += size;
        }
    }
    offsets[count] = pattern.size;
    return count;
}

/* Groups that are only referred to are there, but no match ever sets them. */
static void translate_finish(RegexpParse *parse, Buf *body) {
    Buf *text = &parse->translation->text;
    uint32_t group_count = parse->translation->group_count;
    if (parse->reference_max <= group_count) {
        buf_bytes(text, buf_view(body));
        return;
    }
    buf_text(text, "(?:");
    buf_bytes(text, buf_view(body));
    buf_text(text, ")(?:|(?!)");
    for (uint32_t i = group_count; i < parse->reference_max; i++)
        buf_text(text, "()");
    buf_text(text, ")");
}

bool regexp_translate(Bytes pattern, RegexpTranslation *translation) {
    Buf body = {0};
    *translation = (RegexpTranslation){0};
    RegexpParse parse = {.pattern = pattern, .in_prefix = true, .out = &body,
                         .translation = translation};
    if (pattern.size > REGEXP_PATTERN_BYTES_MAX)
        return regexp_fail(&parse, "the pattern is over %d bytes long", REGEXP_PATTERN_BYTES_MAX);
    if (!utf8_valid(pattern))
        return regexp_fail(&parse, "the pattern is not valid UTF-8");
    uint32_t *chars = mem_array((size_t)pattern.size * 2 + 1, sizeof *chars);
    uint32_t *offsets = chars + pattern.size;
    parse.chars = chars;
    parse.offsets = offsets;
    parse.count = translate_read(pattern, chars, offsets);
    translate_alternation(&parse);
    if (regexp_peek(&parse) == ')')
        regexp_fail(&parse, "unmatched closing ')'");
    if (!parse.failed)
        translate_finish(&parse, &body);
    mem_free(chars);
    buf_free(&body);
    return !parse.failed;
}

void regexp_translation_free(RegexpTranslation *translation) {
    buf_free(&translation->text);
    buf_free(&translation->prefix);
    mem_free(translation->names);
    *translation = (RegexpTranslation){0};
}
