/*
 * serde_json_skip.c - is it JSON (RFC 8259)? Strings, numbers, whole values.
 *
 * Nothing is converted and nothing kept, but every byte is looked at: a record that is no JSON is
 * bad wherever the fault lies. Values nest by recursion, at most ROW_NESTING_MAX deep.
 */
#include <assert.h>

#include "base/utf8.h"
#include "data/serde_json_impl.h"

const uint8_t *json_fault(Decoder *json, const char *fault, const uint8_t *at) {
    assert(fault && at <= json->end);
    json->fault = fault;
    json->fault_at = at;
    return NULL;
}

/* == Strings == */

static bool json_is_hex(uint8_t c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* `at` is a backslash. */
static const uint8_t *json_escape(Decoder *json, const uint8_t *at) {
    assert(*at == '\\');
    static const char plain[] = "\"\\/bfnrt";
    ptrdiff_t left = json->end - at;
    if (left >= 2 && at[1] != 0 && strchr(plain, at[1]))
        return at + 2;
    if (left >= 6 && at[1] == 'u' && json_is_hex(at[2]) && json_is_hex(at[3]) &&
        json_is_hex(at[4]) && json_is_hex(at[5]))
        return at + 6;
    return json_fault(json, "escape in a string that JSON does not know", at);
}

const uint8_t *json_string_rest(Decoder *json, const uint8_t *at, const uint8_t *stop,
                                bool *escaped) {
    assert(at <= stop);
    const uint8_t *end = json->end;
    while (stop < end && *stop != '"') {
        if (*stop == '\\') {
            *escaped = true;
            stop = json_escape(json, stop);
            if (!stop)
                return NULL;
            stop = json_scan_portable(stop, end); /* escapes stand close together */
        } else if (*stop < 0x20) {
            return json_fault(json, "control character in a string", stop);
        } else {
            const uint8_t *wide = stop;
            stop = json_scan_wide(wide, end);
            if (!utf8_valid((Bytes){wide, (uint32_t)(stop - wide)}))
                return json_fault(json, "string that is not UTF-8", wide);
        }
    }
    if (stop == end)
        return json_fault(json, "string without an end", at - 1);
    return stop;
}

/* `at` is the opening quote. */
static const uint8_t *json_skip_string(Decoder *json, const uint8_t *at) {
    assert(*at == '"');
    bool escaped;
    at = json_string(json, at + 1, &escaped);
    return at ? at + 1 : NULL;
}

/* == Numbers and literals == */

static const uint8_t *json_digits_end(const uint8_t *at, const uint8_t *end) {
    assert(at <= end);
    while (at < end && (uint8_t)(*at - '0') <= 9)
        at++;
    return at;
}

const uint8_t *json_number(Decoder *json, const uint8_t *at) {
    assert(at <= json->end);
    const uint8_t *end = json->end, *start = at;
    at += at < end && *at == '-';
    const uint8_t *first = at;
    at = json_digits_end(at, end);
    if (at == first)
        return json_fault(json, "value expected", start);
    if (*first == '0' && at - first > 1)
        return json_fault(json, "number with a leading zero", start);
    if (at < end && *at == '.') {
        first = ++at;
        at = json_digits_end(at, end);
        if (at == first)
            return json_fault(json, "number without digits after the point", start);
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        first = at;
        at = json_digits_end(at, end);
        if (at == first)
            return json_fault(json, "number without digits in its exponent", start);
    }
    return at;
}

const uint8_t *json_literal(Decoder *json, const uint8_t *at) {
    assert(at < json->end);
    ptrdiff_t left = json->end - at;
    if (left >= 4 && (memcmp(at, "true", 4) == 0 || memcmp(at, "null", 4) == 0))
        return at + 4;
    if (left >= 5 && memcmp(at, "false", 5) == 0)
        return at + 5;
    return json_fault(json, "value expected", at);
}

/* == Objects and arrays == */

static const uint8_t *json_skip_elements(Decoder *json, const uint8_t *at, uint32_t depth) {
    assert(depth <= ROW_NESTING_MAX);
    const uint8_t *end = json->end;
    at = json_space(at, end);
    if (at < end && *at == ']')
        return at + 1;
    for (;;) {
        at = json_skip(json, at, depth);
        if (!at)
            return NULL;
        at = json_space(at, end);
        if (at < end && *at == ']')
            return at + 1;
        if (at == end || *at != ',')
            return json_fault(json, "',' or ']' expected", at);
        at = json_space(at + 1, end);
    }
}

static const uint8_t *json_skip_name(Decoder *json, const uint8_t *at) {
    const uint8_t *end = json->end;
    if (at == end || *at != '"')
        return json_fault(json, "member name expected", at);
    at = json_skip_string(json, at);
    if (!at)
        return NULL;
    at = json_space(at, end);
    if (at == end || *at != ':')
        return json_fault(json, "':' expected", at);
    return json_space(at + 1, end);
}

static const uint8_t *json_skip_members(Decoder *json, const uint8_t *at, uint32_t depth) {
    assert(depth <= ROW_NESTING_MAX);
    const uint8_t *end = json->end;
    at = json_space(at, end);
    if (at < end && *at == '}')
        return at + 1;
    for (;;) {
        at = json_skip_name(json, at);
        if (at)
            at = json_skip(json, at, depth);
        if (!at)
            return NULL;
        at = json_space(at, end);
        if (at < end && *at == '}')
            return at + 1;
        if (at == end || *at != ',')
            return json_fault(json, "',' or '}' expected", at);
        at = json_space(at + 1, end);
    }
}

const uint8_t *json_skip(Decoder *json, const uint8_t *at, uint32_t depth) {
    assert(at <= json->end && depth <= ROW_NESTING_MAX);
    if (at == json->end)
        return json_fault(json, "value expected", at);
    switch (*at) {
    case '"':
        return json_skip_string(json, at);
    case '{':
    case '[':
        if (depth >= ROW_NESTING_MAX)
            return json_fault(json, "nested too deep", at);
        return *at == '{' ? json_skip_members(json, at + 1, depth + 1)
                          : json_skip_elements(json, at + 1, depth + 1);
    case 't':
    case 'f':
    case 'n':
        return json_literal(json, at);
    default:
        return json_number(json, at);
    }
}
