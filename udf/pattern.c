/*
 * pattern.c - see pattern.h.
 *
 * A match is a walk over the pattern's items; a place where it could go on in several ways calls
 * itself, and comes back to try the next way. Places are byte offsets, PATTERN_NO is no match.
 */
#include "udf/pattern.h"

#include <assert.h>
#include <string.h>

#define PATTERN_NO UINT32_MAX

enum { PATTERN_DEPTH_MAX = 200 };

static uint32_t match_here(Pattern *pattern, uint32_t at, uint32_t item);

static uint32_t pattern_fail(Pattern *pattern, const char *error) {
    if (!pattern->error)
        pattern->error = error;
    return PATTERN_NO;
}

static bool pattern_step(Pattern *pattern, uint32_t count) {
    pattern->steps -= count;
    if (pattern->steps < 0)
        pattern_fail(pattern, "the pattern took too many steps");
    return !pattern->error;
}

/* -- Classes ----------------------------------------------------------------------------------- */

static bool is_letter(uint8_t byte) {
    return (byte | 32) >= 'a' && (byte | 32) <= 'z';
}

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_printed(uint8_t byte) {
    return byte > 32 && byte < 127;
}

/* The class of a letter behind '%'; any other byte stands for itself. */
static bool class_has(uint8_t letter, uint8_t byte) {
    bool found;
    switch (letter | 32) {
    case 'a': found = is_letter(byte); break;
    case 'c': found = byte < 32 || byte == 127; break;
    case 'd': found = is_digit(byte); break;
    case 'g': found = is_printed(byte); break;
    case 'l': found = byte >= 'a' && byte <= 'z'; break;
    case 'p': found = is_printed(byte) && !is_letter(byte) && !is_digit(byte); break;
    case 's': found = byte == ' ' || (byte >= 9 && byte <= 13); break;
    case 'u': found = byte >= 'A' && byte <= 'Z'; break;
    case 'w': found = is_letter(byte) || is_digit(byte); break;
    case 'x': found = is_digit(byte) || ((byte | 32) >= 'a' && (byte | 32) <= 'f'); break;
    default: return letter == byte;
    }
    if (!is_letter(letter))
        return letter == byte;
    bool negated = letter >= 'A' && letter <= 'Z';
    return found != negated;
}

static uint8_t pattern_byte(const Pattern *pattern, uint32_t item) {
    return item < pattern->pattern.size ? pattern->pattern.data[item] : 0;
}

/* Behind the item that starts here: a byte, %x or [set]. */
static uint32_t item_end(Pattern *pattern, uint32_t item) {
    uint32_t size = pattern->pattern.size;
    uint8_t first = pattern_byte(pattern, item++);
    if (first == '%')
        return item < size ? item + 1 : pattern_fail(pattern, "malformed pattern (ends with '%')");
    if (first != '[')
        return item;
    if (pattern_byte(pattern, item) == '^')
        item++;
    /* A ']' in the first place is a byte like others. */
    do {
        if (item >= size)
            return pattern_fail(pattern, "malformed pattern (missing ']')");
        item += pattern->pattern.data[item] == '%' ? 2 : 1;
    } while (item >= size || pattern->pattern.data[item] != ']');
    return item + 1;
}

/* Whether the set [item, end) has the byte; `end` is behind its ']'. */
static bool set_has(Pattern *pattern, uint32_t item, uint32_t end, uint8_t byte) {
    const uint8_t *text = pattern->pattern.data;
    bool negated = text[++item] == '^';
    item += negated;
    for (uint32_t last = end - 1; item < last; item++) {
        if (text[item] == '%') {
            item++;
            if (class_has(text[item], byte))
                return !negated;
        } else if (item + 2 < last && text[item + 1] == '-') {
            if (byte >= text[item] && byte <= text[item + 2])
                return !negated;
            item += 2;
        } else if (text[item] == byte) {
            return !negated;
        }
    }
    return negated;
}

/* Whether the item [item, end) matches the byte at `at`. */
static bool item_matches(Pattern *pattern, uint32_t at, uint32_t item, uint32_t end) {
    if (!pattern_step(pattern, 1 + (end - item) / 8) || at >= pattern->subject.size)
        return false;
    uint8_t byte = pattern->subject.data[at];
    switch (pattern->pattern.data[item]) {
    case '.': return true;
    case '%': return class_has(pattern->pattern.data[item + 1], byte);
    case '[': return set_has(pattern, item, end, byte);
    default: return pattern->pattern.data[item] == byte;
    }
}

/* -- Repetitions ------------------------------------------------------------------------------- */

/* As many as there are, then fewer and fewer. */
static uint32_t match_longest(Pattern *pattern, uint32_t at, uint32_t item, uint32_t end) {
    uint32_t count = 0;
    while (item_matches(pattern, at + count, item, end))
        count++;
    for (;; count--) {
        if (pattern->error)
            return PATTERN_NO;
        uint32_t found = match_here(pattern, at + count, end + 1);
        if (found != PATTERN_NO || count == 0)
            return found;
    }
}

static uint32_t match_shortest(Pattern *pattern, uint32_t at, uint32_t item, uint32_t end) {
    for (;; at++) {
        uint32_t found = match_here(pattern, at, end + 1);
        if (found != PATTERN_NO || pattern->error || !item_matches(pattern, at, item, end))
            return found;
    }
}

/* -- Captures and special items ---------------------------------------------------------------- */

static uint32_t capture_open(Pattern *pattern, uint32_t at, uint32_t item, bool position) {
    if (pattern->capture_count == PATTERN_CAPTURES_MAX)
        return pattern_fail(pattern, "too many captures");
    pattern->captures[pattern->capture_count++] =
        (PatternCapture){.start = at, .position = position, .open = !position};
    uint32_t found = match_here(pattern, at, item);
    if (found == PATTERN_NO)
        pattern->capture_count--;
    return found;
}

static uint32_t capture_close(Pattern *pattern, uint32_t at, uint32_t item) {
    uint32_t index = pattern->capture_count;
    while (index > 0 && !pattern->captures[index - 1].open)
        index--;
    if (index == 0)
        return pattern_fail(pattern, "invalid pattern capture");
    PatternCapture *capture = &pattern->captures[index - 1];
    capture->open = false;
    capture->size = at - capture->start;
    uint32_t found = match_here(pattern, at, item);
    if (found == PATTERN_NO)
        capture->open = true;
    return found;
}

/* %1 to %9: where the text of that capture, repeated here, ends. */
static uint32_t match_again(Pattern *pattern, uint32_t at, uint8_t digit) {
    uint32_t index = (uint32_t)digit - '1';
    if (digit == '0' || index >= pattern->capture_count || pattern->captures[index].open)
        return pattern_fail(pattern, "invalid capture index");
    const PatternCapture *capture = &pattern->captures[index];
    if (!pattern_step(pattern, 1 + capture->size / 16) ||
        pattern->subject.size - at < capture->size)
        return PATTERN_NO;
    const uint8_t *text = pattern->subject.data;
    bool same = capture->size == 0 ||
                memcmp(text + capture->start, text + at, capture->size) == 0;
    return same ? at + capture->size : PATTERN_NO;
}

/* %bxy: from an x to the y that closes it. */
static uint32_t match_balance(Pattern *pattern, uint32_t at, uint32_t item) {
    if (item + 1 >= pattern->pattern.size)
        return pattern_fail(pattern, "malformed pattern (missing arguments to '%b')");
    uint8_t open = pattern->pattern.data[item], close = pattern->pattern.data[item + 1];
    const uint8_t *text = pattern->subject.data;
    if (at >= pattern->subject.size || text[at] != open)
        return PATTERN_NO;
    uint32_t level = 1, next = at + 1;
    while (next < pattern->subject.size && level > 0) {
        if (text[next] == close)
            level--;
        else if (text[next] == open)
            level++;
        next++;
    }
    if (!pattern_step(pattern, 1 + (next - at) / 4))
        return PATTERN_NO;
    return level == 0 ? next : PATTERN_NO;
}

/* %f[set]: between a byte that is not in the set and one that is; the ends of the text are \0. */
static bool match_frontier(Pattern *pattern, uint32_t at, uint32_t item, uint32_t end) {
    uint8_t before = at > 0 ? pattern->subject.data[at - 1] : 0;
    uint8_t after = at < pattern->subject.size ? pattern->subject.data[at] : 0;
    return pattern_step(pattern, 1 + (end - item) / 4) &&
           !set_has(pattern, item, end, before) && set_has(pattern, item, end, after);
}

/* -- The walk ---------------------------------------------------------------------------------- */

/* What an item is at its place: where to go on, or that all is decided. */
typedef struct Walk {
    uint32_t at, item;
    bool done; /* `at` is the answer */
} Walk;

static Walk walk_done(uint32_t at) {
    return (Walk){.at = at, .done = true};
}

/* A byte, class or set, and how often. */
static Walk walk_single(Pattern *pattern, uint32_t at, uint32_t item) {
    uint32_t end = item_end(pattern, item);
    if (end == PATTERN_NO)
        return walk_done(PATTERN_NO);
    switch (pattern_byte(pattern, end)) {
    case '*':
        return walk_done(match_longest(pattern, at, item, end));
    case '-':
        return walk_done(match_shortest(pattern, at, item, end));
    case '+':
        return walk_done(item_matches(pattern, at, item, end)
                             ? match_longest(pattern, at + 1, item, end)
                             : PATTERN_NO);
    case '?':
        if (item_matches(pattern, at, item, end)) {
            uint32_t found = match_here(pattern, at + 1, end + 1);
            if (found != PATTERN_NO || pattern->error)
                return walk_done(found);
        }
        return (Walk){.at = at, .item = end + 1};
    default:
        return item_matches(pattern, at, item, end) ? (Walk){.at = at + 1, .item = end}
                                                    : walk_done(PATTERN_NO);
    }
}

static Walk walk_percent(Pattern *pattern, uint32_t at, uint32_t item) {
    uint8_t kind = pattern_byte(pattern, item + 1);
    if (kind == 'b') {
        uint32_t next = match_balance(pattern, at, item + 2);
        return next == PATTERN_NO ? walk_done(next) : (Walk){.at = next, .item = item + 4};
    }
    if (kind == 'f') {
        if (pattern_byte(pattern, item + 2) != '[')
            return walk_done(pattern_fail(pattern, "missing '[' after '%f' in pattern"));
        uint32_t end = item_end(pattern, item + 2);
        if (end == PATTERN_NO || !match_frontier(pattern, at, item + 2, end))
            return walk_done(PATTERN_NO);
        return (Walk){.at = at, .item = end};
    }
    if (is_digit(kind)) {
        uint32_t next = match_again(pattern, at, kind);
        return next == PATTERN_NO ? walk_done(next) : (Walk){.at = next, .item = item + 2};
    }
    return walk_single(pattern, at, item);
}

static Walk walk_item(Pattern *pattern, uint32_t at, uint32_t item) {
    uint32_t size = pattern->pattern.size;
    if (item >= size)
        return walk_done(at);
    switch (pattern->pattern.data[item]) {
    case '(':
        if (pattern_byte(pattern, item + 1) == ')')
            return walk_done(capture_open(pattern, at, item + 2, true));
        return walk_done(capture_open(pattern, at, item + 1, false));
    case ')':
        return walk_done(capture_close(pattern, at, item + 1));
    case '$':
        if (item + 1 == size)
            return walk_done(at == pattern->subject.size ? at : PATTERN_NO);
        return walk_single(pattern, at, item);
    case '%':
        return walk_percent(pattern, at, item);
    default:
        return walk_single(pattern, at, item);
    }
}

static uint32_t match_here(Pattern *pattern, uint32_t at, uint32_t item) {
    assert(at <= pattern->subject.size);
    if (pattern->depth >= PATTERN_DEPTH_MAX)
        return pattern_fail(pattern, "pattern too complex");
    pattern->depth++;
    Walk walk = {.at = at, .item = item};
    do {
        walk = pattern_step(pattern, 1) ? walk_item(pattern, walk.at, walk.item)
                                        : walk_done(PATTERN_NO);
    } while (!walk.done);
    pattern->depth--;
    return pattern->error ? PATTERN_NO : walk.at;
}

bool pattern_match(Pattern *pattern, uint32_t at, uint32_t *end) {
    assert(at <= pattern->subject.size && !pattern->error);
    pattern->capture_count = 0;
    pattern->depth = 0;
    *end = match_here(pattern, at, 0);
    for (uint32_t i = 0; *end != PATTERN_NO && i < pattern->capture_count; i++)
        if (pattern->captures[i].open)
            *end = pattern_fail(pattern, "unfinished capture");
    return *end != PATTERN_NO;
}
