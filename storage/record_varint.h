/*
 * record_varint.h - the integers of a record batch: in records zig-zag, seven bits a byte, lowest
 * first; in its head big-endian.
 *
 * Inline, for those who write records one after the other into room that is there.
 */
#ifndef STORAGE_RECORD_VARINT_H
#define STORAGE_RECORD_VARINT_H

#include <stdint.h>

static inline uint64_t zigzag(int64_t value) {
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

/* Bytes that put_varint() writes: 1 to 10. */
static inline uint32_t varint_size(uint64_t value) {
    return (70 - (uint32_t)__builtin_clzll(value | 1)) / 7;
}

/* What is fixed in a head: big-endian, of 1 to 8 bytes. */
static inline void put_be(uint8_t *target, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++)
        target[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

/* Returns where it ended. */
static inline uint8_t *put_varint(uint8_t *target, uint64_t value) {
    while (value >= 0x80) {
        *target++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *target++ = (uint8_t)value;
    return target;
}

#endif
