/*
 * bytes.h - a borrowed run of bytes.
 *
 * Bytes never owns memory. Every function that returns one says in its contract how long the
 * bytes stay valid. Not NUL-terminated; may contain zero bytes; {NULL, 0} is the empty run.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct Bytes {
    const uint8_t *data;
    uint32_t size;
} Bytes;

/* Borrows the text of a NUL-terminated string, without the NUL. */
static inline Bytes bytes_of(const char *text) {
    return (Bytes){(const uint8_t *)text, (uint32_t)strlen(text)};
}

static inline bool bytes_equal(Bytes left, Bytes right) {
    if (left.size != right.size)
        return false;
    return left.size == 0 || memcmp(left.data, right.data, left.size) == 0;
}

/* Whether the text is this word of ASCII, in any case. */
static inline bool bytes_is_word(Bytes text, const char *word) {
    uint32_t at = 0;
    for (; at < text.size && word[at]; at++) {
        uint8_t byte = text.data[at], other = (uint8_t)word[at];
        bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        if (byte != other && (!letter || (byte ^ 0x20) != other))
            return false;
    }
    return at == text.size && !word[at];
}

/* The value of a hexadecimal digit; -1: it is none. */
static inline int32_t bytes_hex_digit(uint8_t byte) {
    uint8_t letter = byte | 0x20;
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* <0, 0, >0: unsigned bytes, the shorter one first when it is a prefix. */
static inline int bytes_compare(Bytes left, Bytes right) {
    uint32_t size = left.size < right.size ? left.size : right.size;
    int order = size == 0 ? 0 : memcmp(left.data, right.data, size);
    return order != 0 ? order : (left.size > right.size) - (left.size < right.size);
}

#endif
