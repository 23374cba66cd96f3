/*
 * regexp_class.c - sets of characters: [a-z], [^a], [a[bc]], [a-z&&[^b]].
 *
 *   class := '[' '^'? body ']'
 *   body  := (item | '&&' class* body?)*
 *   item  := character | character '-' character | escape | class
 *
 * A set that PCRE2 has no [...] for is a pattern that takes exactly one character: a union is
 * alternatives, an intersection looks ahead at one side and takes the other, a complement looks
 * that it is not and takes any. An intersection with nothing is left out.
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

static bool set_range_has(uint32_t low, uint32_t high, uint32_t character) {
    return low <= character && character <= high;
}

/* Java takes a character for one of a range if it, its capital or the small letter of that is in
 * the range. PCRE2 also takes signs whose small letter has another capital, as the Kelvin sign is
 * one of k's, and keeps the Turkish letters apart. */
static void set_put_folded(RegexpSet *set, uint32_t low, uint32_t high) {
    static const struct {
        uint32_t sign, small, capital;
    } signs[] = {{0x212A, 'k', 'K'}, {0x212B, 0xE5, 0xC5}, {0x2126, 0x3C9, 0x3A9},
                 {0x3F4, 0x3B8, 0x398}};
    bool single = low == high, dotted = set_range_has(low, high, 0x130);
    bool small = set_range_has(low, high, 'i'), capital = set_range_has(low, high, 'I');
    bool dotless = set_range_has(low, high, 0x131);
    if (small || (single && (capital || dotted || dotless)))
        buf_text(&set->folded, "iI\\x{130}\\x{131}");
    else if (capital)
        buf_text(&set->folded, "\\x{131}");
    Buf excluded = {0};
    for (uint32_t i = 0; !single && i < sizeof signs / sizeof signs[0]; i++)
        if (set_range_has(low, high, signs[i].capital) &&
            !set_range_has(low, high, signs[i].small) &&
            !set_range_has(low, high, signs[i].sign))
            regexp_write_char(&excluded, signs[i].sign);
    if (excluded.size == 0) {
        set_put_range(&set->folded, low, high);
        return;
    }
    buf_text(&set->others, "|(?:(?![");
    buf_bytes(&set->others, buf_view(&excluded));
    buf_text(&set->others, "])(?i:[");
    set_put_range(&set->others, low, high);
    buf_text(&set->others, "]))");
    buf_free(&excluded);
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
    if (out == &set->folded) {
        set_put_folded(set, low, high);
        return;
    }
    set_put_range(out, low, high);
    if (caseless) {
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
    buf_text(out, negated ? "(?:(?!" : "(?>"); /* one way to take a character is enough */
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
    if (regexp_skip(parse) == 'v') { /* a class elsewhere; here what it was of old */
        regexp_skip(parse);
        return 0x0B;
    }
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
    uint32_t ch = regexp_skip(parse);
    if (ch == 'v' && regexp_raw(parse, 1) == '-') { /* what it was of old, as at a range's end */
        regexp_skip(parse);
        class_range(parse, set, 0x0B);
        return;
    }
    if (regexp_escape_set(parse, set))
        return;
    uint32_t character = regexp_escape_char(parse);
    if (character == REGEXP_END)
        regexp_fail(parse, "illegal or unsupported escape in [...]");
    else
        class_range(parse, set, character);
}

/* What of a class has been read. */
typedef struct ClassParse {
    RegexpSet set;  /* what stands, but for: */
    RegexpSet bits; /* characters up to U+00FF, which Java keeps apart: see class_and() */
    bool any;       /* something is in `set` */
    bool any_bits;  /* something new is in `bits` */
} ClassParse;

static void class_body(RegexpParse *parse, RegexpSet *result);

static void class_nested(RegexpParse *parse, ClassParse *class) {
    regexp_class(parse, &class->set);
    class->any = true;
}

/* Behind "&&": nested classes, then all the rest up to the end of the class as one; false: nothing
 * is there. */
static bool class_right(RegexpParse *parse, RegexpSet *right) {
    bool any = false;
    for (uint32_t ch; (ch = regexp_peek(parse)) != REGEXP_END && ch != ']' && ch != '&';) {
        if (ch == '[')
            regexp_class(parse, right);
        else
            class_body(parse, right);
        any = true;
    }
    return any;
}

/* Both sets: one looks ahead, the other takes. */
static void class_intersect(RegexpSet *set, const RegexpSet *right) {
    RegexpSet both = {0};
    buf_text(&both.others, "|(?:(?=");
    regexp_set_write(&both.others, set, false);
    buf_u8(&both.others, ')');
    regexp_set_write(&both.others, right, false);
    buf_u8(&both.others, ')');
    regexp_set_free(set);
    *set = both;
}

/* At the second '&'. Java adds its bits to what stands before it intersects, but also again to
 * what comes out, if further ones follow. */
static void class_and(RegexpParse *parse, ClassParse *class) {
    RegexpSet right = {0};
    if (parse->depth == REGEXP_DEPTH_MAX) {
        regexp_fail(parse, "classes are nested more than %d deep", REGEXP_DEPTH_MAX);
        return;
    }
    parse->depth++;
    regexp_next(parse);
    bool any = class_right(parse, &right);
    parse->depth--;
    if (class->any_bits)
        set_add(&class->set, &class->bits, false);
    class->any |= class->any_bits;
    class->any_bits = false;
    if (any && class->any)
        class_intersect(&class->set, &right);
    else if (any)
        set_add(&class->set, &right, false);
    else if (!class->any)
        regexp_fail(parse, "nothing on either side of '&&'");
    class->any |= any;
    regexp_set_free(&right);
}

static void class_single(RegexpParse *parse, ClassParse *class, uint32_t ch) {
    RegexpSet found = {0};
    bool escape = ch == '\\';
    uint32_t start = parse->at;
    if (escape) {
        class_escape(parse, &found);
    } else {
        regexp_skip(parse);
        class_range(parse, &found, ch & ~REGEXP_QUOTED);
    }
    bool bits = !escape && parse->at == start + 1 && (ch & ~REGEXP_QUOTED) < 0x100;
    set_add(bits ? &class->bits : &class->set, &found, false);
    class->any |= !bits;
    class->any_bits |= bits;
    regexp_set_free(&found);
}

/* Up to the closing bracket, which is not read. */
static void class_body(RegexpParse *parse, RegexpSet *result) {
    ClassParse class = {0};
    for (uint32_t ch; (ch = regexp_peek(parse)) != REGEXP_END;) {
        if (ch == ']' && (class.any || class.any_bits))
            break;
        if (ch == '[')
            class_nested(parse, &class);
        else if (ch == '&' && regexp_raw(parse, 1) == '&' && regexp_next(parse) == '&')
            class_and(parse, &class);
        else
            class_single(parse, &class, ch);
    }
    set_add(result, &class.set, false);
    if (class.any_bits)
        set_add(result, &class.bits, false);
    regexp_set_free(&class.set);
    regexp_set_free(&class.bits);
}

void regexp_class(RegexpParse *parse, RegexpSet *set) {
    RegexpSet own = {0};
    if (parse->depth == REGEXP_DEPTH_MAX) {
        regexp_fail(parse, "classes are nested more than %d deep", REGEXP_DEPTH_MAX);
        return;
    }
    assert(regexp_raw(parse, 0) == '[');
    parse->depth++;
    bool negated = regexp_next(parse) == '^';
    if (negated)
        regexp_next(parse);
    class_body(parse, &own);
    if (regexp_peek(parse) != ']')
        regexp_fail(parse, "unclosed character class");
    regexp_next(parse);
    parse->depth--;
    set_add(set, &own, negated);
    regexp_set_free(&own);
}
