/* reader.c - see reader.h. */
#include "base/reader.h"

#include <assert.h>
#include <endian.h>

static const uint8_t *reader_take(Reader *reader, uint32_t size) {
    assert(reader->next <= reader->end);
    if (reader->failed || (size_t)(reader->end - reader->next) < size) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *taken = reader->next;
    reader->next += size;
    return taken;
}

uint8_t reader_u8(Reader *reader) {
    const uint8_t *source = reader_take(reader, 1);
    return source ? *source : 0;
}

static inline uint16_t reader_raw_16(Reader *reader) {
    const uint8_t *source = reader_take(reader, 2);
    uint16_t raw = 0;
    if (source)
        memcpy(&raw, source, sizeof raw);
    return raw;
}

static inline uint32_t reader_raw_32(Reader *reader) {
    const uint8_t *source = reader_take(reader, 4);
    uint32_t raw = 0;
    if (source)
        memcpy(&raw, source, sizeof raw);
    return raw;
}

static inline uint64_t reader_raw_64(Reader *reader) {
    const uint8_t *source = reader_take(reader, 8);
    uint64_t raw = 0;
    if (source)
        memcpy(&raw, source, sizeof raw);
    return raw;
}

uint16_t reader_u16_be(Reader *reader) {
    return be16toh(reader_raw_16(reader));
}

uint32_t reader_u32_be(Reader *reader) {
    return be32toh(reader_raw_32(reader));
}

uint64_t reader_u64_be(Reader *reader) {
    return be64toh(reader_raw_64(reader));
}

uint16_t reader_u16_le(Reader *reader) {
    return le16toh(reader_raw_16(reader));
}

uint32_t reader_u32_le(Reader *reader) {
    return le32toh(reader_raw_32(reader));
}

uint64_t reader_u64_le(Reader *reader) {
    return le64toh(reader_raw_64(reader));
}

uint64_t reader_varint(Reader *reader) {
    if (!reader->failed && reader->next < reader->end && *reader->next < 0x80)
        return *reader->next++; /* most sizes and counts */
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
