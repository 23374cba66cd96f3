/*
 * utf8.c - see utf8.h.
 *
 * Counting looks at lead bytes only: in UTF-8 every byte but 10xxxxxx begins a character, and one
 * of four bytes (11110xxx) is two UTF-16 units. That makes lengths and positions of invalid text
 * well-defined too.
 */
#include "base/utf8.h"

#include <assert.h>
#include <utf8proc.h>

enum { UTF8_REPLACEMENT = 0xFFFD };

/* UTF-16 units that the byte begins: 0 for a continuation. */
static inline uint32_t utf8_units(uint8_t byte) {
    return (uint32_t)((byte & 0xC0) != 0x80) + (uint32_t)(byte >= 0xF0);
}

/* The same of eight bytes at once. */
static inline uint32_t utf8_units_8(const uint8_t *bytes) {
    const uint64_t ones = 0x0101010101010101U;
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    uint64_t continuation = word >> 7 & ~(word >> 6) & ones;
    uint64_t pair = word >> 7 & word >> 6 & word >> 5 & word >> 4 & ones;
    return (uint32_t)((ones + pair - continuation) * ones >> 56); /* the sum of its bytes */
}

/* Whether all of it is ASCII, in words that may overlap at the end. */
static inline bool utf8_is_ascii(Bytes text) {
    uint64_t all = 0, word = 0;
    uint32_t at = 0;
    assert(text.size >= 8);
    for (; at + 8 <= text.size; at += 8) {
        memcpy(&word, text.data + at, 8);
        all |= word;
    }
    memcpy(&word, text.data + text.size - 8, 8);
    return !((all | word) & 0x8080808080808080U);
}

uint32_t utf8_length(Bytes text) {
    uint32_t length = 0, at = 0;
    if (text.size >= 8 && utf8_is_ascii(text))
        return text.size;
    for (; at + 8 <= text.size; at += 8)
        length += utf8_units_8(text.data + at);
    for (; at < text.size; at++)
        length += utf8_units(text.data[at]);
    return length;
}

/* The first character boundary at which at least `units` units lie behind; *passed is how many. */
static uint32_t utf8_skip(Bytes text, uint32_t units, uint32_t *passed) {
    uint32_t at = 0, count = 0;
    while (at < text.size && (count < units || utf8_units(text.data[at]) == 0)) {
        count += utf8_units(text.data[at]);
        at++;
    }
    *passed = count;
    return at;
}

uint32_t utf8_offset(Bytes text, uint32_t index) {
    uint32_t passed;
    uint32_t offset = utf8_skip(text, index, &passed);
    assert(offset <= text.size);
    return offset;
}

Bytes utf8_slice(Bytes text, uint32_t from, uint32_t to) {
    assert(from <= to);
    uint32_t start_units, units;
    uint32_t start = utf8_skip(text, from, &start_units);
    if (start_units >= to)
        return (Bytes){text.data + start, 0};
    Bytes rest = {text.data + start, text.size - start};
    uint32_t size = utf8_skip(rest, to - start_units, &units);
    if (units > to - start_units) { /* the last character is a pair, and half of it is outside */
        do
            size--;
        while (utf8_units(rest.data[size]) == 0);
    }
    return (Bytes){rest.data, size};
}

/* Order of two bytes that are the first to differ. UTF-8 orders by character; UTF-16 has the pairs
 * (lead bytes from F0) before U+E000 to U+FFFF (lead bytes EE, EF). */
static inline int utf8_order(uint8_t left, uint8_t right) {
    int order = left < right ? -1 : 1;
    bool swapped = left >= 0xEE && right >= 0xEE && (left >= 0xF0) != (right >= 0xF0);
    return swapped ? -order : order;
}

int utf8_compare(Bytes left, Bytes right) {
    uint32_t size = left.size < right.size ? left.size : right.size;
    uint32_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t left_word, right_word;
        memcpy(&left_word, left.data + at, 8);
        memcpy(&right_word, right.data + at, 8);
        if (left_word != right_word)
            break;
    }
    for (; at < size; at++) {
        if (left.data[at] != right.data[at])
            return utf8_order(left.data[at], right.data[at]);
    }
    return (left.size > right.size) - (left.size < right.size);
}

uint32_t utf8_decode(Bytes text, uint32_t *size) {
    assert(text.size > 0);
    if (text.data[0] < 0x80) {
        *size = 1;
        return text.data[0];
    }
    utf8proc_int32_t character;
    utf8proc_ssize_t count = utf8proc_iterate(text.data, (utf8proc_ssize_t)text.size, &character);
    *size = count > 0 ? (uint32_t)count : 1;
    return count > 0 ? (uint32_t)character : UTF8_REPLACEMENT;
}

uint32_t utf8_encode(uint8_t target[4], uint32_t character) {
    assert(target);
    if (character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF))
        character = UTF8_REPLACEMENT;
    return (uint32_t)utf8proc_encode_char((utf8proc_int32_t)character, target);
}

Bytes utf8_trim(Bytes text) {
    while (text.size > 0 && text.data[text.size - 1] <= ' ')
        text.size--;
    while (text.size > 0 && text.data[0] <= ' ') {
        text.data++;
        text.size--;
    }
    return text;
}

uint32_t utf8_upper(uint32_t character) {
    assert(character <= 0x10FFFF);
    return (uint32_t)utf8proc_toupper((utf8proc_int32_t)character);
}

uint32_t utf8_lower(uint32_t character) {
    assert(character <= 0x10FFFF);
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)character);
}

Utf8Kind utf8_kind(uint32_t character) {
    assert(character <= 0x10FFFF);
    switch (utf8proc_category((utf8proc_int32_t)character)) {
    case UTF8PROC_CATEGORY_LU: return UTF8_UPPER;
    case UTF8PROC_CATEGORY_LL: return UTF8_LOWER;
    case UTF8PROC_CATEGORY_ND: return UTF8_DIGIT;
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return UTF8_LETTER;
    default: return UTF8_OTHER;
    }
}

uint32_t utf8_width(uint32_t character) {
    assert(character <= 0x10FFFF);
    int width = utf8proc_charwidth((utf8proc_int32_t)character);
    return width > 0 ? (uint32_t)width : 0;
}

uint32_t utf8_columns(Bytes text) {
    uint32_t columns = 0, size;
    for (; text.size > 0; text = (Bytes){text.data + size, text.size - size})
        columns += utf8_width(utf8_decode(text, &size));
    return columns;
}

uint32_t utf8_find(Bytes text, Bytes part, uint32_t from) {
    if (part.size == 0)
        return from <= text.size ? from : UINT32_MAX;
    if (part.size == 1) {
        const uint8_t *only = from < text.size
                                  ? memchr(text.data + from, part.data[0], text.size - from)
                                  : NULL;
        return only ? (uint32_t)(only - text.data) : UINT32_MAX;
    }
    for (uint32_t at = from; at < text.size && text.size - at >= part.size; at++) {
        const uint8_t *found = memchr(text.data + at, part.data[0], text.size - at - part.size + 1);
        if (!found)
            return UINT32_MAX;
        at = (uint32_t)(found - text.data);
        if (memcmp(found, part.data, part.size) == 0)
            return at;
    }
    return UINT32_MAX;
}
