/*
 * json_walk.c - see json_impl.h: one pass over the bytes, without recursion.
 *
 * What is open is kept as one bit a level: object or array. Texts are known to be UTF-8.
 */
#include "udf/json_check.h"
#include "udf/json_impl.h"

static bool walk_is_space(uint8_t byte) {
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static const uint8_t *walk_space(const uint8_t *at, const uint8_t *end) {
    while (at < end && walk_is_space(*at))
        at++;
    return at;
}

/* == Strings == */

/* One bit at the top of each of 8 bytes that is a quote, a backslash or a control character; of
 * bytes over 127 and above such a byte the bits may be wrong. */
static uint64_t walk_stops(uint64_t word) {
    const uint64_t ones = 0x0101010101010101U, tops = ones << 7;
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    uint64_t stops = (quote - ones) | (backslash - ones) | (word - ones * 0x20);
    return stops & tops & ~word;
}

static const uint8_t *walk_plain(const uint8_t *at, const uint8_t *end) {
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        uint64_t stops = walk_stops(word);
        if (stops) /* the lowest one is right */
            return at + __builtin_ctzll(stops) / 8;
        at += 8;
    }
    while (at < end && *at >= 0x20 && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* From behind the opening quote to the closing one; NULL: broken. */
static const uint8_t *walk_string(const uint8_t *at, const uint8_t *end) {
    for (;;) {
        at = walk_plain(at, end);
        if (at == end || *at < 0x20)
            return NULL;
        if (*at == '"')
            return at;
        if (end - at < 2 || !at[1])
            return NULL;
        if (at[1] != 'u') {
            if (!strchr("\"\\/bfnrt", at[1]))
                return NULL;
            at += 2;
            continue;
        }
        if (end - at < 6 || bytes_hex_digit(at[2]) < 0 || bytes_hex_digit(at[3]) < 0 ||
            bytes_hex_digit(at[4]) < 0 || bytes_hex_digit(at[5]) < 0)
            return NULL;
        at += 6;
    }
}

/* == Numbers and words == */

static const uint8_t *walk_digits(const uint8_t *at, const uint8_t *end) {
    const uint8_t *start = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > start ? at : NULL;
}

static const uint8_t *walk_number(const uint8_t *at, const uint8_t *end) {
    at += at < end && *at == '-';
    const uint8_t *start = at;
    at = walk_digits(at, end);
    if (!at || (*start == '0' && at - start > 1))
        return NULL;
    if (at < end && *at == '.')
        at = walk_digits(at + 1, end);
    if (at && at < end && (*at | 0x20) == 'e') {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        at = walk_digits(at, end);
    }
    return at;
}

static const uint8_t *walk_word(const uint8_t *at, const uint8_t *end) {
    static const char *const words[] = {"true", "false", "null"};
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t size = strlen(words[i]);
        if ((size_t)(end - at) >= size && memcmp(at, words[i], size) == 0)
            return at + size;
    }
    return NULL;
}

/* == Values == */

/* "name" : up to the value; *name is what stands between the quotes. */
static const uint8_t *walk_name(const uint8_t *at, const uint8_t *end, Bytes *name) {
    at = walk_space(at, end);
    if (at == end || *at != '"')
        return NULL;
    const uint8_t *close = walk_string(at + 1, end);
    if (!close)
        return NULL;
    *name = (Bytes){at + 1, (uint32_t)(close - at - 1)};
    at = walk_space(close + 1, end);
    return at < end && *at == ':' ? at + 1 : NULL;
}

typedef struct WalkStack {
    uint64_t objects[JSON_WALK_DEPTH_MAX / 64 + 1];
    uint32_t depth;
    uint32_t depth_max;
} WalkStack;

static bool walk_in_object(const WalkStack *stack) {
    assert(stack->depth > 0);
    uint32_t level = stack->depth - 1;
    return stack->objects[level / 64] >> (level % 64) & 1;
}

/* At a bracket; *empty: it closed again at once. NULL: broken. */
static const uint8_t *walk_open(WalkStack *stack, const uint8_t *at, const uint8_t *end,
                                bool *empty) {
    bool object = *at == '{';
    uint32_t level = stack->depth;
    Bytes name;
    if (level == stack->depth_max)
        return NULL;
    at = walk_space(at + 1, end);
    *empty = at < end && *at == (object ? '}' : ']');
    if (*empty)
        return at + 1;
    uint64_t bit = (uint64_t)1 << (level % 64);
    stack->objects[level / 64] &= ~bit;
    stack->objects[level / 64] |= object ? bit : 0;
    stack->depth++;
    return object ? walk_name(at, end, &name) : at;
}

/* Behind a value: closes what ends here, up to where the next value begins. At the end of the
 * outermost, depth is 0. NULL: broken. */
static const uint8_t *walk_close(WalkStack *stack, const uint8_t *at, const uint8_t *end) {
    Bytes name;
    while (stack->depth > 0) {
        bool object = walk_in_object(stack);
        at = walk_space(at, end);
        if (at == end)
            return NULL;
        if (*at == ',')
            return object ? walk_name(at + 1, end, &name) : at + 1;
        if (*at != (object ? '}' : ']'))
            return NULL;
        at++;
        stack->depth--;
    }
    return at;
}

/* A whole value from `at` on, inside `depth` others; behind it. NULL: broken. */
static const uint8_t *walk_value(const uint8_t *at, const uint8_t *end, uint32_t depth) {
    WalkStack stack;
    assert(depth <= JSON_WALK_DEPTH_MAX);
    stack.depth = 0;
    stack.depth_max = JSON_WALK_DEPTH_MAX - depth;
    do {
        bool whole = true;
        at = walk_space(at, end);
        if (at == end)
            return NULL;
        if (*at == '"') {
            at = walk_string(at + 1, end);
            at = at ? at + 1 : NULL;
        } else if (json_is_container(*at)) {
            at = walk_open(&stack, at, end, &whole);
        } else {
            at = *at >= 'a' ? walk_word(at, end) : walk_number(at, end);
        }
        if (at && whole)
            at = walk_close(&stack, at, end);
    } while (at && stack.depth > 0);
    return at;
}

/* == Roots == */

const uint8_t *json_walk_begin(Bytes text) {
    const uint8_t *end = text.data + text.size;
    const uint8_t *at = walk_space(text.data, end);
    return at == end ? NULL : at;
}

bool json_walk_end_ok(const uint8_t *value, const uint8_t *at, const uint8_t *end) {
    if (at == end || *value == '"' || json_is_container(*value))
        return true;
    uint8_t letter = *at | 0x20;
    if (*value == '-' || (*value >= '0' && *value <= '9'))
        return walk_is_space(*at);
    return !((letter >= 'a' && letter <= 'z') || (*at >= '0' && *at <= '9') || *at == '_' ||
             *at == '$' || *at >= 0x80);
}

JsonRoot json_walk_root(Bytes text, Bytes *value) {
    const uint8_t *at = json_walk_begin(text), *end = text.data + text.size;
    if (!at)
        return JSON_ROOT_BLANK;
    const uint8_t *stop = walk_value(at, end, 0);
    if (!stop || !json_walk_end_ok(at, stop, end))
        return JSON_ROOT_BROKEN;
    *value = (Bytes){at, (uint32_t)(stop - at)};
    return JSON_ROOT_VALUE;
}

bool json_check_text(Bytes text) {
    Bytes value;
    return json_walk_root(text, &value) != JSON_ROOT_BROKEN;
}

/* == Items == */

void json_walk_open(JsonWalk *walk, Bytes value, uint32_t depth) {
    assert(value.size > 0 && json_is_container(value.data[0]) && depth < JSON_WALK_DEPTH_MAX);
    *walk = (JsonWalk){.at = value.data + 1, .end = value.data + value.size, .depth = depth + 1,
                       .object = value.data[0] == '{'};
}

/* Up to where the next item begins; NULL: there is none, walk->broken says why. */
static const uint8_t *walk_to_item(JsonWalk *walk) {
    const uint8_t *at = walk_space(walk->at, walk->end);
    walk->broken = at == walk->end;
    if (walk->broken)
        return NULL;
    if (*at == (walk->object ? '}' : ']')) {
        walk->at = at + 1;
        return NULL;
    }
    walk->broken = walk->started && *at != ',';
    return walk->broken ? NULL : at + walk->started;
}

bool json_walk_next(JsonWalk *walk, JsonItem *item) {
    const uint8_t *at = walk_to_item(walk);
    if (!at)
        return false;
    walk->started = true;
    if (walk->object)
        at = walk_name(at, walk->end, &item->name);
    at = at ? walk_space(at, walk->end) : NULL;
    const uint8_t *stop = at ? walk_value(at, walk->end, walk->depth) : NULL;
    walk->broken = !stop;
    if (walk->broken)
        return false;
    item->value = (Bytes){at, (uint32_t)(stop - at)};
    walk->at = stop;
    return true;
}
