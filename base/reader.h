/*
 * reader.h - reads foreign bytes without trusting them.
 *
 * Sticky: after the first read past the end, every later read returns zero and reader_ok() is
 * false, so a parser reads like the table of its format and checks once at the end.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/bytes.h"

typedef struct Reader {
    const uint8_t *next;
    const uint8_t *end;
    bool failed;
} Reader;

static inline Reader reader_of(Bytes bytes) {
    return (Reader){bytes.data, bytes.data + bytes.size, false};
}

static inline bool reader_ok(const Reader *reader) {
    return !reader->failed;
}

static inline uint32_t reader_left(const Reader *reader) {
    return (uint32_t)(reader->end - reader->next);
}

uint8_t reader_u8(Reader *reader);
uint16_t reader_u16_be(Reader *reader);
uint32_t reader_u32_be(Reader *reader);
uint64_t reader_u64_be(Reader *reader);
uint16_t reader_u16_le(Reader *reader);
uint32_t reader_u32_le(Reader *reader);
uint64_t reader_u64_le(Reader *reader);
uint64_t reader_varint(Reader *reader); /* at most 10 bytes */
int64_t reader_zigzag(Reader *reader);

/* Borrows the next `size` bytes of the input. */
Bytes reader_bytes(Reader *reader, uint32_t size);

/* A count that is read and must not be over `max`: over it, the reader fails. */
uint32_t reader_count(Reader *reader, uint32_t count, uint32_t max);

#endif
