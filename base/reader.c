/* reader.c - see reader.h. */
#include "base/reader.h"

#include <assert.h>

static const uint8_t *reader_take(Reader *reader, uint32_t size) {
    if (reader->failed || (size_t)(reader->end - reader->next) < size) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *taken = reader->next;
    reader->next += size;
    return taken;
}

static uint64_t reader_be(Reader *reader, uint32_t size) {
    assert(size <= 8);
    const uint8_t *source = reader_take(reader, size);
    uint64_t value = 0;
    for (uint32_t i = 0; source && i < size; i++)
        value = value << 8 | source[i];
    return value;
}

static uint64_t reader_le(Reader *reader, uint32_t size) {
    assert(size <= 8);
    const uint8_t *source = reader_take(reader, size);
    uint64_t value = 0;
    for (uint32_t i = 0; source && i < size; i++)
        value |= (uint64_t)source[i] << (8 * i);
    return value;
}

uint8_t reader_u8(Reader *reader) {
    return (uint8_t)reader_be(reader, 1);
}

uint16_t reader_u16_be(Reader *reader) {
    return (uint16_t)reader_be(reader, 2);
}

uint32_t reader_u32_be(Reader *reader) {
    return (uint32_t)reader_be(reader, 4);
}

uint64_t reader_u64_be(Reader *reader) {
    return reader_be(reader, 8);
}

uint16_t reader_u16_le(Reader *reader) {
    return (uint16_t)reader_le(reader, 2);
}

uint32_t reader_u32_le(Reader *reader) {
    return (uint32_t)reader_le(reader, 4);
}

uint64_t reader_u64_le(Reader *reader) {
    return reader_le(reader, 8);
}

uint64_t reader_varint(Reader *reader) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = reader_u8(reader);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80))
            return reader->failed ? 0 : value;
    }
    reader->failed = true;
    return 0;
}

int64_t reader_zigzag(Reader *reader) {
    uint64_t value = reader_varint(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

Bytes reader_bytes(Reader *reader, uint32_t size) {
    const uint8_t *taken = reader_take(reader, size);
    return taken ? (Bytes){taken, size} : (Bytes){NULL, 0};
}

uint32_t reader_count(Reader *reader, uint32_t count, uint32_t max) {
    if (count > max)
        reader->failed = true;
    return reader->failed ? 0 : count;
}
