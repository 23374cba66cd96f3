/*
 * pattern.h - Lua's patterns, matched with a budget.
 *
 * The language is that of Lua 5.4: classes (%a, [a-z], .), repetitions (* + - ?), captures,
 * %b, %f, %1, anchors. Lua's own matcher cannot be stopped, and a short pattern can keep it busy
 * for longer than the universe is old; here each step costs one of `steps`, and when they are used
 * up the match fails with an error. Characters are bytes, and classes are those of ASCII.
 */
#ifndef UDF_PATTERN_H
#define UDF_PATTERN_H

#include <stdint.h>

#include "base/bytes.h"

enum { PATTERN_CAPTURES_MAX = 32 };

typedef struct PatternCapture {
    uint32_t start;
    uint32_t size;
    bool position; /* (): stands for start + 1 */
    bool open;
} PatternCapture;

typedef struct Pattern {
    Bytes subject;
    Bytes pattern; /* without the '^' that anchors it */
    int64_t steps; /* left; below 0: used up */
    const char *error; /* NULL: none. A static text, also when the steps are used up */
    PatternCapture captures[PATTERN_CAPTURES_MAX];
    uint32_t capture_count;
    uint32_t depth;
} Pattern;

/* Whether the pattern matches at byte `at` of the subject; *end is where the match ends. false with
 * `error` set: it is no pattern, is nested too deeply, or took too long. */
bool pattern_match(Pattern *pattern, uint32_t at, uint32_t *end);

#endif
