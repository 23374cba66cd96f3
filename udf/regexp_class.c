/*
 * regexp_class.c - sets of characters: [a-z], [^a], [a[bc]], [a-z&&[^b]].
 *
 *   class := '[' '^'? union ('&&' union)* ']'
 *   union := (character | character '-' character | escape | class)*
 *
 * A set that PCRE2 has no [...] for is a pattern that takes exactly one character: a union is
 * alternatives, an intersection looks ahead at one side and takes the other, a complement looks
 * that it is not and takes any. An intersection with nothing is left out, as Java does.
 */
#include "udf/regexp_impl.h"

void regexp_set_free(RegexpSet *set) {
    buf_free(&set->items);
    buf_free(&set->folded);
    buf_free(&set->others);
}

void regexp_write_char(Buf *out, uint32_t character) {
    bool plain = (character >= '0' && character <= '9') ||
                 ((character | 0x20) >= 'a' && (character | 0x20) <= 'z' && character < 0x80);
    assert(character <= 0x10FFFF);
    if (plain)
        buf_u8(out, (uint8_t)character);
    else
        buf_printf(out, "\\x{%x}", character);
}

static bool set_is_surrogate(uint32_t character) {
    return character >= 0xD800 && character <= 0xDFFF;
}

static void set_put_range(Buf *out, uint32_t low, uint32_t high) {
    regexp_write_char(out, low);
    if (high > low) {
        buf_u8(out, '-');
        regexp_write_char(out, high);
    }
}

/* The letters of [low, high] that lie in ['first', 'first' + 25], in the other case. */
static void set_put_other_case(Buf *out, uint32_t low, uint32_t high, uint32_t first) {
    uint32_t from = low > first ? low : first;
    uint32_t to = high < first + 25 ? high : first + 25;
    if (from <= to)
        set_put_range(out, from ^ 0x20, to ^ 0x20);
}

void regexp_set_range(RegexpSet *set, uint32_t flags, uint32_t low, uint32_t high) {
    assert(low <= high);
    if (set_is_surrogate(low))
        low = 0xE000; /* no text holds one */
    if (set_is_surrogate(high))
        high = 0xD7FF;
    if (low > high)
        return;
    bool caseless = flags & REGEXP_CASELESS;
    Buf *out = caseless && (flags & REGEXP_UNICODE_CASE) ? &set->folded : &set->items;
    set_put_range(out, low, high);
    if (caseless && out == &set->items) {
        set_put_other_case(out, low, high, 'a');
        set_put_other_case(out, low, high, 'A');
    }
}

void regexp_set_items(RegexpSet *set, Bytes items, bool negated) {
    if (!negated) {
        buf_bytes(&set->items, items);
        return;
    }
    buf_text(&set->others, "|[^");
    buf_bytes(&set->others, items);
    buf_u8(&set->others, ']');
}

static void set_write_class(Buf *out, const Buf *items, bool folded, bool negated) {
    buf_text(out, folded ? "(?i:[" : "[");
    if (negated)
        buf_u8(out, '^');
    buf_bytes(out, buf_view(items));
    buf_text(out, folded ? "])" : "]");
}

void regexp_set_write(Buf *out, const RegexpSet *set, bool negated) {
    bool items = set->items.size > 0, folded = set->folded.size > 0;
    bool others = set->others.size > 0;
    if (!others && items != folded) {
        set_write_class(out, items ? &set->items : &set->folded, folded, negated);
        return;
    }
    if (!others && !items) {
        buf_text(out, negated ? "." : "(?!)");
        return;
    }
    buf_text(out, negated ? "(?:(?!" : "(?:");
    const char *between = "";
    if (items)
        set_write_class(out, &set->items, false, false);
    if (folded) {
        buf_text(out, items ? "|" : "");
        set_write_class(out, &set->folded, true, false);
    }
    if (others) {
        between = items || folded ? "|" : "";
        buf_text(out, between);
        buf_put(out, set->others.data + 1, set->others.size - 1);
    }
    buf_text(out, negated ? ").)" : ")");
}

static bool set_is_empty(const RegexpSet *set) {
    return set->items.size + set->folded.size + set->others.size == 0;
}

/* Adds a whole set as one pattern of a character. */
static void set_add(RegexpSet *set, const RegexpSet *part, bool negated) {
    if (!negated) { /* a union of unions */
        buf_bytes(&set->items, buf_view(&part->items));
        buf_bytes(&set->folded, buf_view(&part->folded));
        buf_bytes(&set->others, buf_view(&part->others));
        return;
    }
    buf_u8(&set->others, '|');
    regexp_set_write(&set->others, part, true);
}

/* == Parsing == */

/* The high end of a range whose '-' is at hand. */
static uint32_t class_range_end(RegexpParse *parse) {
    uint32_t ch = regexp_next(parse);
    if (ch != '\\') {
        regexp_skip(parse);
        return ch == REGEXP_END ? ch : ch & ~REGEXP_QUOTED;
    }
    regexp_skip(parse);
    return regexp_escape_char(parse);
}

/* A character, or a range that begins with it; it has been read. */
static void class_range(RegexpParse *parse, RegexpSet *set, uint32_t low) {
    uint32_t high = low;
    if (regexp_peek(parse) == '-') {
        uint32_t behind = regexp_raw(parse, 1);
        if (behind != '[' && behind != ']') {
            high = class_range_end(parse);
            if (!parse->failed && (high == REGEXP_END || high < low))
                regexp_fail(parse, "illegal character range");
        }
    }
    if (!parse->failed)
        regexp_set_range(set, parse->flags, low, high);
}

static void class_escape(RegexpParse *parse, RegexpSet *set) {
    regexp_skip(parse);
    if (regexp_escape_set(parse, set))
        return;
    uint32_t character = regexp_escape_char(parse);
    if (character == REGEXP_END)
        regexp_fail(parse, "illegal or unsupported escape in [...]");
    else
        class_range(parse, set, character);
}

static bool class_at_and(RegexpParse *parse) {
    return regexp_peek(parse) == '&' && regexp_raw(parse, 1) == '&';
}

/* Up to "&&" or the closing bracket; *first: a bracket now would be a character. */
static void class_union(RegexpParse *parse, RegexpSet *set, bool *first) {
    for (uint32_t ch; (ch = regexp_peek(parse)) != REGEXP_END && !class_at_and(parse);) {
        if (ch == ']' && !*first)
            return;
        *first = false;
        if (ch == '[') {
            regexp_class(parse, set);
        } else if (ch == '\\') {
            class_escape(parse, set);
        } else {
            regexp_skip(parse);
            class_range(parse, set, ch & ~REGEXP_QUOTED);
        }
    }
}

/* The first union of `sides` and the ones behind each "&&": they look ahead, the last one takes. */
static void class_intersection(RegexpParse *parse, RegexpSet *set, bool *first) {
    Buf sides = {0};
    uint32_t count = 0;
    bool more = true;
    while (more) {
        RegexpSet side = {0};
        class_union(parse, &side, first);
        more = !parse->failed && class_at_and(parse);
        if (more) {
            regexp_skip(parse);
            regexp_next(parse);
        }
        if (set_is_empty(&side)) {
            regexp_set_free(&side);
            continue;
        }
        if (count++ > 0) {
            buf_text(&sides, "(?=");
            regexp_set_write(&sides, set, false);
            buf_u8(&sides, ')');
        }
        regexp_set_free(set);
        *set = side;
    }
    if (count == 0)
        regexp_fail(parse, "unclosed or empty character class");
    if (count > 1) {
        RegexpSet whole = {0};
        buf_text(&whole.others, "|(?:");
        buf_bytes(&whole.others, buf_view(&sides));
        regexp_set_write(&whole.others, set, false);
        buf_u8(&whole.others, ')');
        regexp_set_free(set);
        *set = whole;
    }
    buf_free(&sides);
}

void regexp_class(RegexpParse *parse, RegexpSet *set) {
    RegexpSet own = {0};
    bool first = true;
    if (parse->depth == REGEXP_DEPTH_MAX) {
        regexp_fail(parse, "classes are nested more than %d deep", REGEXP_DEPTH_MAX);
        return;
    }
    assert(regexp_raw(parse, 0) == '[');
    parse->depth++;
    bool negated = regexp_next(parse) == '^';
    if (negated)
        regexp_next(parse);
    class_intersection(parse, &own, &first);
    if (regexp_peek(parse) != ']')
        regexp_fail(parse, "unclosed character class");
    regexp_next(parse);
    parse->depth--;
    set_add(set, &own, negated);
    regexp_set_free(&own);
}
