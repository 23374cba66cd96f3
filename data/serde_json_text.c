/*
 * serde_json_text.c - JSON values as text: unescaping, numbers, objects and arrays.
 *
 * What a STRING column gets from a value that is no string is what Jackson and ksqlDB make of it:
 * a number prints as Java's BigInteger or BigDecimal, an object as compact JSON with each member
 * once, an array as [a, b] of its elements' texts. All input here has been found to be JSON.
 */
#include <assert.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "data/number_impl.h"
#include "data/serde_json_impl.h"

enum { JSON_ROOM_MIN = 4 << 10, JSON_ROOM_MAX = 256 << 10 };

uint8_t *json_room(Decoder *json, size_t size) {
    assert(json->input && json->room <= json->room_end);
    if ((size_t)(json->room_end - json->room) >= size)
        return json->room;
    size_t doubled = json->room_size * 2;
    json->room_size = doubled < JSON_ROOM_MIN   ? JSON_ROOM_MIN
                      : doubled > JSON_ROOM_MAX ? JSON_ROOM_MAX
                                                : doubled;
    size_t chunk = size > json->room_size ? size : json->room_size;
    json->room = arena_raw(json->input->arena, chunk);
    json->room_end = json->room + chunk;
    return json->room;
}

/* == Strings == */

static uint32_t json_hex4(const uint8_t *at) {
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t c = at[i];
        code = code << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

/* `at` is behind the u; two surrogates in a row are one character, a lone one is '?': what Java
 * writes for it in UTF-8. */
static const uint8_t *json_unescape_code(uint8_t **target, const uint8_t *at, const uint8_t *end) {
    assert(end - at >= 4);
    uint32_t code = json_hex4(at);
    at += 4;
    if (code >= 0xd800 && code <= 0xdfff) {
        uint32_t low = 0;
        if (code <= 0xdbff && end - at >= 6 && at[0] == '\\' && at[1] == 'u')
            low = json_hex4(at + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            at += 6;
        } else {
            code = '?';
        }
    }
    *target += utf8_encode(*target, code);
    return at;
}

static uint8_t json_unescape_plain(uint8_t c) {
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
    }
}

uint8_t *json_text_unescape(uint8_t *target, Bytes raw) {
    const uint8_t *at = raw.data, *end = at + raw.size;
    while (at < end) {
        const uint8_t *stop = memchr(at, '\\', (size_t)(end - at));
        size_t size = (size_t)((stop ? stop : end) - at);
        memcpy(target, at, size);
        target += size;
        if (!stop)
            break;
        assert(end - stop >= 2);
        at = stop + 2;
        if (stop[1] == 'u')
            at = json_unescape_code(&target, at, end);
        else
            *target++ = json_unescape_plain(stop[1]);
    }
    return target;
}

Bytes json_text_string(Decoder *json, Bytes raw, bool escaped) {
    assert(raw.data);
    if (!escaped)
        return raw;
    uint8_t *text = json_room(json, raw.size);
    uint8_t *end = json_text_unescape(text, raw);
    json_room_take(json, end);
    return (Bytes){text, (uint32_t)(end - text)};
}

/* == Numbers == */

/* Digits of a number as a BigDecimal has them: integer without leading zeros, and its scale. */
typedef struct JsonDecimal {
    Bytes digits;
    int64_t scale;
} JsonDecimal;

/* Writes the digits to `target`, point and leading zeros left out. */
static JsonDecimal json_decimal(uint8_t *target, const uint8_t *at, const uint8_t *end) {
    assert(at < end);
    uint8_t *next = target;
    int64_t scale = 0, exponent = 0;
    bool point = false;
    for (; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        scale += point;
        if (*at != '0' || next > target)
            *next++ = *at;
    }
    if (next == target)
        *next++ = '0';
    if (at < end) {
        bool negative = at[1] == '-';
        for (at += 1 + (at[1] == '-' || at[1] == '+'); at < end; at++)
            if (exponent < INT32_MAX)
                exponent = exponent * 10 + (*at - '0');
        scale += negative ? exponent : -exponent;
    }
    return (JsonDecimal){{target, (uint32_t)(next - target)}, scale};
}

/* Java's BigDecimal.toString: plain where 0 <= scale and the number is at least 1e-6, otherwise
 * d.ddE±x. The digits already stand at `target` and are moved apart. */
static uint8_t *json_put_decimal(uint8_t *target, JsonDecimal number) {
    assert(number.digits.data == target && number.digits.size > 0);
    int64_t count = number.digits.size, adjusted = count - 1 - number.scale;
    if (number.scale == 0)
        return target + count;
    if (number.scale > 0 && adjusted >= -6) {
        int64_t whole = count - number.scale;
        if (whole > 0) {
            memmove(target + whole + 1, target + whole, (size_t)number.scale);
            target[whole] = '.';
            return target + count + 1;
        }
        memmove(target + 2 - whole, target, (size_t)count);
        memset(target, '0', (size_t)(2 - whole));
        target[1] = '.';
        return target + 2 - whole + count;
    }
    if (count > 1) {
        memmove(target + 2, target + 1, (size_t)count - 1);
        target[1] = '.';
        count++;
    }
    if (adjusted == 0)
        return target + count;
    Buf text = {target + count, 0, JSON_NUMBER_GROWTH};
    buf_text(&text, adjusted > 0 ? "E+" : "E-");
    uint8_t digits[20];
    uint32_t size = 0;
    for (uint64_t left = (uint64_t)(adjusted > 0 ? adjusted : -adjusted); left > 0; left /= 10)
        digits[size++] = (uint8_t)('0' + left % 10);
    while (size > 0)
        buf_u8(&text, digits[--size]);
    assert(text.data == target + count);
    return text.data + text.size;
}

/* Whether the text is what BigInteger or BigDecimal would print: no exponent, and not so small a
 * fraction that it would get one; zeros are left to the long way, for they have no sign. */
static bool json_number_is_canonical(Bytes text) {
    assert(text.size > 0);
    const uint8_t *at = text.data, *end = at + text.size;
    at += *at == '-';
    if (memchr(at, 'e', (size_t)(end - at)) || memchr(at, 'E', (size_t)(end - at)))
        return false;
    if (*at != '0')
        return true;
    for (at++; at < end && at - text.data < 8; at++)
        if (*at >= '1')
            return true;
    return text.size == 1;
}

Bytes json_text_number(uint8_t *target, Bytes text) {
    assert(text.size > 0);
    if (json_number_is_canonical(text))
        return text;
    uint8_t *start = target;
    const uint8_t *at = text.data, *end = at + text.size;
    bool negative = *at == '-';
    *target = '-';
    target += negative;
    JsonDecimal number = json_decimal(target, at + negative, end);
    if (negative && number.digits.data[0] == '0') /* no minus zero */
        start++;
    uint8_t *stop = json_put_decimal(target, number);
    return (Bytes){start, (uint32_t)(stop - start)};
}

bool json_print_plain(Buf *out, Bytes text) {
    assert(text.size > 0);
    bool negative = text.data[0] == '-';
    size_t start = out->size;
    uint8_t *digits = buf_room(out, (size_t)text.size + 2) + 1;
    JsonDecimal number = json_decimal(digits, text.data + negative, text.data + text.size);
    int64_t count = number.digits.size, zeros = 0;
    negative &= digits[0] != '0';
    if (number.scale > JSON_PLAIN_SCALE_MAX || number.scale < -JSON_PLAIN_SCALE_MAX)
        return false;
    if (number.scale < 0 && digits[0] != '0')
        zeros = -number.scale; /* behind the digits */
    else if (number.scale >= count)
        zeros = number.scale - count + 1; /* before them */
    buf_room(out, (size_t)(count + zeros) + 2); /* the digits move along */
    uint8_t *to = out->data + start;
    memmove(to + negative, to + 1, (size_t)count);
    to[0] = negative ? '-' : to[0];
    to += negative;
    if (number.scale < 0) {
        memset(to + count, '0', (size_t)zeros);
    } else {
        memmove(to + zeros, to, (size_t)count);
        memset(to, '0', (size_t)zeros);
    }
    count += zeros;
    if (number.scale > 0) {
        memmove(to + count - number.scale + 1, to + count - number.scale, (size_t)number.scale);
        to[count++ - number.scale] = '.';
    }
    out->size = (size_t)(to + count - out->data);
    return true;
}

/* == Members == */

static const uint8_t *json_entry_read(Decoder *json, const uint8_t *at, JsonEntry *entry) {
    assert(*at == '"');
    bool escaped;
    const uint8_t *close = json_string(json, at + 1, &escaped);
    assert(close);
    entry->raw = (Bytes){at + 1, (uint32_t)(close - at - 1)};
    entry->name = json_text_string(json, entry->raw, escaped);
    at = json_space(close + 1, json->end);
    assert(*at == ':');
    entry->value = json_space(at + 1, json->end);
    return json_space(json_skip(json, entry->value, 0), json->end);
}

/* Keeps each name once; few names are compared with each other, many go through a table. */
static uint32_t json_entries_merge(Decoder *json, JsonEntry *entries, uint32_t count) {
    assert(entries && count > 1);
    uint32_t kept = 0, mask = 7;
    while (mask + 1 < 2 * count)
        mask = mask * 2 + 1;
    uint32_t *table = arena_array(json->input->arena, (size_t)mask + 1, sizeof *table);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)hash_bytes(entries[i].name) & mask;
        while (table[at] && !bytes_equal(entries[table[at] - 1].name, entries[i].name))
            at = (at + 1) & mask;
        if (table[at]) {
            entries[table[at] - 1].value = entries[i].value;
            continue;
        }
        entries[kept++] = entries[i];
        table[at] = kept;
    }
    return kept;
}

JsonEntry *json_text_members(Decoder *json, const uint8_t *at, uint32_t *count) {
    assert(*at == '{');
    JsonEntry *entries = NULL;
    size_t capacity = 0;
    uint32_t read = 0;
    at = json_space(at + 1, json->end);
    while (*at != '}') {
        entries = arena_grow(json->input->arena, entries, &capacity, read + 1, sizeof *entries);
        at = json_entry_read(json, at, &entries[read++]);
        if (*at == ',')
            at = json_space(at + 1, json->end);
    }
    *count = read > 1 ? json_entries_merge(json, entries, read) : read;
    return entries;
}

/* == Objects and arrays == */

static uint8_t *json_put_bytes(uint8_t *target, const void *source, size_t size) {
    if (size > 0)
        memcpy(target, source, size);
    return target + size;
}

/* A string again, as Jackson writes it. */
static uint8_t *json_put_quoted(uint8_t *target, Bytes text) {
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] = "btn?fr"; /* 0x08 to 0x0d */
    *target++ = '"';
    for (uint32_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            *target++ = c;
            continue;
        }
        *target++ = '\\';
        if (c >= 0x20) {
            *target++ = c;
        } else if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
            *target++ = (uint8_t)plain[c - 0x08];
        } else {
            target = json_put_bytes(target, "u00", 3);
            *target++ = (uint8_t)hex[c >> 4];
            *target++ = (uint8_t)hex[c & 15];
        }
    }
    *target++ = '"';
    return target;
}

static uint8_t *json_put_value(Decoder *json, uint8_t *target, const uint8_t *at, bool quoted);

static uint8_t *json_put_object(Decoder *json, uint8_t *target, const uint8_t *at) {
    assert(*at == '{');
    uint32_t count;
    JsonEntry *entries = json_text_members(json, at, &count);
    *target++ = '{';
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            *target++ = ',';
        target = json_put_quoted(target, entries[i].name);
        *target++ = ':';
        target = json_put_value(json, target, entries[i].value, true);
    }
    *target++ = '}';
    return target;
}

/* `quoted`: inside an object, where it stays JSON. */
static uint8_t *json_put_array(Decoder *json, uint8_t *target, const uint8_t *at, bool quoted) {
    assert(*at == '[');
    *target++ = '[';
    at = json_space(at + 1, json->end);
    for (uint32_t i = 0; *at != ']'; i++) {
        if (i > 0)
            target = json_put_bytes(target, ", ", quoted ? 1 : 2);
        target = json_put_value(json, target, at, quoted);
        at = json_space(json_skip(json, at, 0), json->end);
        if (*at == ',')
            at = json_space(at + 1, json->end);
    }
    *target++ = ']';
    return target;
}

static uint8_t *json_put_value(Decoder *json, uint8_t *target, const uint8_t *at, bool quoted) {
    assert(at < json->end);
    if (*at == '{')
        return json_put_object(json, target, at);
    if (*at == '[')
        return json_put_array(json, target, at, quoted);
    if (*at == '"') {
        bool escaped;
        const uint8_t *close = json_string(json, at + 1, &escaped);
        Bytes text = json_text_string(json, (Bytes){at + 1, (uint32_t)(close - at - 1)}, escaped);
        return quoted ? json_put_quoted(target, text)
                      : json_put_bytes(target, text.data, text.size);
    }
    const uint8_t *end = json_skip(json, at, 0);
    Bytes text = {at, (uint32_t)(end - at)};
    if (*at == '-' || (uint8_t)(*at - '0') <= 9) {
        Bytes number = json_text_number(target, text);
        memmove(target, number.data, number.size);
        return target + number.size;
    }
    return json_put_bytes(target, text.data, text.size);
}

/* Escapes and separators never make it more than twice as long: "\u0001" stays, a line feed came
 * as \n, 1e-6 becomes 0.000001, and a number uses its growth only while it is written. */
Bytes json_text_nested(Decoder *json, Bytes text) {
    assert(text.size >= 2);
    size_t size = (size_t)text.size * 2 + JSON_NUMBER_GROWTH;
    uint8_t *target = arena_raw(json->input->arena, size);
    uint8_t *end = json_put_value(json, target, text.data, false);
    assert((size_t)(end - target) <= size);
    return (Bytes){target, (uint32_t)(end - target)};
}
