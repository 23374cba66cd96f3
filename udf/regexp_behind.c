/*
 * regexp_behind.c - what a look-behind says, as one alternative for each length that it can have.
 *
 * PCRE2 looks back by a fixed number of characters, Java by any number up to a bound. A body is
 * therefore parsed into texts by length: concatenation adds lengths, repetition repeats them, and
 * texts of equal length are alternatives of each other. (?<=a{1,2}b?) becomes (?<=|a|aa) ... with
 * the lengths 1, 2 and 3.
 * A repetition at the very beginning counts as its fewest times: what more of them match lies
 * further to the left, where nobody looks. So (?<=a+b) is (?<=ab).
 */
#include "base/mem.h"
#include "udf/regexp_impl.h"

enum {
    BEHIND_LENGTH_MAX = 128,       /* characters */
    BEHIND_TEXT_MAX = 32 << 10,    /* of all alternatives */
};

/* Alternatives by length, each behind a '|'. */
typedef struct Behind {
    Buf texts[BEHIND_LENGTH_MAX + 1];
    size_t size;
    uint32_t lowest, highest; /* lengths that there are; lowest > highest: none */
} Behind;

static Behind *behind_new(void) {
    Behind *behind = mem_alloc(sizeof *behind);
    behind->lowest = BEHIND_LENGTH_MAX + 1;
    return behind;
}

static void behind_free(Behind *behind) {
    for (uint32_t i = 0; i <= BEHIND_LENGTH_MAX; i++)
        buf_free(&behind->texts[i]);
    mem_free(behind);
}

static void behind_add(RegexpParse *parse, Behind *behind, uint32_t length, Bytes text) {
    if (length > BEHIND_LENGTH_MAX) {
        regexp_fail(parse, "a look-behind of over %d characters is not supported",
                    BEHIND_LENGTH_MAX);
        return;
    }
    behind->size += text.size + 1;
    if (behind->size > BEHIND_TEXT_MAX) {
        regexp_fail(parse, "a look-behind has too many forms");
        return;
    }
    buf_u8(&behind->texts[length], '|');
    buf_bytes(&behind->texts[length], text);
    behind->lowest = length < behind->lowest ? length : behind->lowest;
    behind->highest = length > behind->highest ? length : behind->highest;
}

static bool behind_is_fixed(const Behind *behind) {
    return behind->lowest == behind->highest;
}

/* The alternatives of one length as one item. */
static void behind_write(Buf *out, const Behind *behind, uint32_t length) {
    const Buf *text = &behind->texts[length];
    assert(text->size > 0);
    buf_text(out, "(?:");
    buf_put(out, text->data + 1, text->size - 1);
    buf_u8(out, ')');
}

/* left := left right */
static Behind *behind_concat(RegexpParse *parse, Behind *left, const Behind *right) {
    Behind *both = behind_new();
    Buf text = {0};
    for (uint32_t i = left->lowest; i <= left->highest && !parse->failed; i++) {
        for (uint32_t k = right->lowest; k <= right->highest && !parse->failed; k++) {
            if (left->texts[i].size == 0 || right->texts[k].size == 0)
                continue;
            buf_reset(&text);
            behind_write(&text, left, i);
            behind_write(&text, right, k);
            behind_add(parse, both, i + k, buf_view(&text));
        }
    }
    buf_free(&text);
    behind_free(left);
    return both;
}

static void behind_union(RegexpParse *parse, Behind *target, const Behind *source) {
    for (uint32_t i = source->lowest; i <= source->highest && !parse->failed; i++) {
        const Buf *text = &source->texts[i];
        if (text->size > 0)
            behind_add(parse, target, i, (Bytes){text->data + 1, (uint32_t)text->size - 1});
    }
}

/* == Repetition == */

static Behind *behind_empty(RegexpParse *parse) {
    Behind *behind = behind_new();
    behind_add(parse, behind, 0, (Bytes){0});
    return behind;
}

/* The same number of times each, written once: a group inside must not come twice. */
static Behind *behind_times(RegexpParse *parse, Behind *atom, uint32_t count) {
    Behind *all = behind_new();
    Buf text = {0};
    uint64_t length = (uint64_t)atom->lowest * count;
    behind_write(&text, atom, atom->lowest);
    buf_printf(&text, "{%u}", count);
    behind_add(parse, all, length > BEHIND_LENGTH_MAX ? BEHIND_LENGTH_MAX + 1 : (uint32_t)length,
               buf_view(&text));
    buf_free(&text);
    behind_free(atom);
    return all;
}

/* The atom `low` to `high` times. */
static Behind *behind_repeat(RegexpParse *parse, Behind *atom, RegexpRepeat repeat) {
    if (behind_is_fixed(atom) && repeat.low == repeat.high)
        return behind_times(parse, atom, repeat.low);
    Behind *all = behind_new(), *times = behind_empty(parse);
    if (behind_is_fixed(atom) && atom->lowest == 0 && repeat.high > 1)
        repeat.high = repeat.low > 1 ? repeat.low = 1 : 1; /* places: more change nothing */
    for (uint32_t count = 0; count <= repeat.high && !parse->failed; count++) {
        if (count >= repeat.low)
            behind_union(parse, all, times);
        if (count < repeat.high)
            times = behind_concat(parse, times, atom);
    }
    behind_free(times);
    behind_free(atom);
    return all;
}

static Behind *behind_quantified(RegexpParse *parse, Behind *atom, bool first) {
    RegexpRepeat repeat;
    if (!regexp_repeat(parse, &repeat))
        return atom;
    if (first)
        repeat.high = repeat.low;
    bool unbounded = repeat.high == REGEXP_REPEAT_MAX + 1;
    if (unbounded && atom->highest > 0)
        regexp_fail(parse, "a look-behind without an obvious maximum length is not supported");
    else if (repeat.possessive && !(behind_is_fixed(atom) && repeat.low == repeat.high))
        regexp_fail(parse, "a possessive repetition in a look-behind is not supported");
    if (parse->failed)
        return atom;
    return behind_repeat(parse, atom, repeat);
}

/* == Atoms == */

static Behind *behind_alternation(RegexpParse *parse);

/* What an ordinary atom writes, as one item of this length. */
static Behind *behind_plain(RegexpParse *parse, uint32_t ch, uint32_t length) {
    Buf text = {0}, *out = parse->out;
    Behind *behind = behind_new();
    parse->out = &text;
    parse->caseless = false;
    regexp_atom(parse, ch);
    parse->out = out;
    if (parse->caseless) {
        Buf closed = {0};
        buf_text(&closed, "(?:");
        buf_bytes(&closed, buf_view(&text));
        buf_u8(&closed, ')');
        buf_free(&text);
        text = closed;
    }
    parse->caseless = false;
    behind_add(parse, behind, length, buf_view(&text));
    buf_free(&text);
    return behind;
}

/* A group that must have one length, for what it is: atomic, or captured. */
static Behind *behind_wrapped(RegexpParse *parse, Behind *inside, const char *open) {
    Behind *behind = behind_new();
    Buf text = {0};
    if (!behind_is_fixed(inside) && !parse->failed)
        regexp_fail(parse, "a group of several lengths in a look-behind is not supported");
    if (!parse->failed) {
        buf_text(&text, open);
        behind_write(&text, inside, inside->lowest);
        buf_u8(&text, ')');
        behind_add(parse, behind, inside->lowest, buf_view(&text));
    }
    buf_free(&text);
    behind_free(inside);
    return behind;
}

/* At '('. NULL: it was only flags. */
static Behind *behind_group(RegexpParse *parse) {
    RegexpGroup group;
    if (!regexp_group_open(parse, &group))
        return parse->failed ? behind_empty(parse) : NULL;
    bool looks = group.kind == REGEXP_GROUP_LOOK || group.kind == REGEXP_GROUP_BEHIND;
    Behind *inside = NULL, *behind = behind_new();
    if (looks) {
        Buf text = {0}, *out = parse->out;
        parse->out = &text;
        parse->caseless = false;
        regexp_group_body(parse, &group);
        parse->out = out;
        behind_add(parse, behind, 0, buf_view(&text));
        buf_free(&text);
    } else {
        inside = behind_alternation(parse);
        regexp_group_close(parse, group.flags);
    }
    if (!inside)
        return behind;
    behind_free(behind);
    return group.kind == REGEXP_GROUP_PLAIN ? inside : behind_wrapped(parse, inside, group.open);
}

static Behind *behind_line_end(RegexpParse *parse) {
    Behind *behind = behind_new();
    behind_add(parse, behind, 1, bytes_of("[\\n\\x0b\\f\\r\\x{85}\\x{2028}\\x{2029}]"));
    behind_add(parse, behind, 2, bytes_of("\\r\\n"));
    regexp_skip(parse);
    regexp_next(parse);
    return behind;
}

/* How many characters an escape takes. */
static uint32_t behind_escape_length(RegexpParse *parse, uint32_t ch) {
    if (ch == 'X' || ch == 'k' || (ch >= '1' && ch <= '9'))
        regexp_fail(parse, "a look-behind without an obvious maximum length is not supported");
    bool place = ch < 0x80 && strchr("AbBGzZ", (int)ch);
    return place ? 0 : 1;
}

/* NULL: only flags. */
static Behind *behind_atom(RegexpParse *parse, uint32_t ch) {
    uint32_t behind = regexp_raw(parse, 1);
    if (ch == '(')
        return behind_group(parse);
    if (ch == '\\' && behind == 'R')
        return behind_line_end(parse);
    if (ch == '\\') {
        uint32_t length = behind_escape_length(parse, behind);
        return parse->failed ? behind_empty(parse) : behind_plain(parse, ch, length);
    }
    return behind_plain(parse, ch, ch == '^' || ch == '$' || ch == '{' ? 0 : 1);
}

/* == Sequences == */

static Behind *behind_sequence(RegexpParse *parse) {
    Behind *all = behind_empty(parse);
    bool first = true;
    for (uint32_t ch;
         (ch = regexp_peek(parse)) != REGEXP_END && ch != '|' && ch != ')' && !parse->failed;) {
        Behind *atom = behind_atom(parse, ch);
        if (!atom)
            continue;
        atom = behind_quantified(parse, atom, first && parse->behind_depth == parse->depth);
        if (!parse->failed)
            all = behind_concat(parse, all, atom);
        behind_free(atom);
        first = false;
    }
    return all;
}

static Behind *behind_alternation(RegexpParse *parse) {
    Behind *all = behind_sequence(parse);
    while (regexp_peek(parse) == '|') {
        regexp_next(parse);
        Behind *other = behind_sequence(parse);
        behind_union(parse, all, other);
        behind_free(other);
    }
    return all;
}

void regexp_behind(RegexpParse *parse) {
    Buf *out = parse->out;
    uint32_t outer = parse->behind_depth, groups = parse->translation->group_count;
    parse->behind_depth = parse->depth;
    Behind *all = behind_alternation(parse);
    parse->behind_depth = outer;
    assert(parse->out == out);
    if (!parse->failed && !behind_is_fixed(all) && groups != parse->translation->group_count)
        regexp_fail(parse, "a group in a look-behind of several lengths is not supported");
    const char *between = "";
    for (uint32_t i = all->lowest; i <= all->highest && !parse->failed; i++) {
        if (all->texts[i].size == 0)
            continue;
        buf_text(out, between);
        behind_write(out, all, i);
        between = "|";
    }
    behind_free(all);
}
