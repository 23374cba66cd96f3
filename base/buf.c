/* buf.c - see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

void buf_free(Buf *buf) {
    mem_free(buf->data);
    *buf = (Buf){0};
}

void buf_grow(Buf *buf, size_t needed) {
    assert(buf);
    buf->data = mem_grow(buf->data, &buf->capacity, needed < 64 ? 64 : needed, 1);
}

void buf_u16_be(Buf *buf, uint16_t value) {
    value = htobe16(value);
    buf_put(buf, &value, sizeof value);
}

void buf_u32_be(Buf *buf, uint32_t value) {
    value = htobe32(value);
    buf_put(buf, &value, sizeof value);
}

void buf_u64_be(Buf *buf, uint64_t value) {
    value = htobe64(value);
    buf_put(buf, &value, sizeof value);
}

void buf_u16_le(Buf *buf, uint16_t value) {
    value = htole16(value);
    buf_put(buf, &value, sizeof value);
}

void buf_u32_le(Buf *buf, uint32_t value) {
    value = htole32(value);
    buf_put(buf, &value, sizeof value);
}

void buf_u64_le(Buf *buf, uint64_t value) {
    value = htole64(value);
    buf_put(buf, &value, sizeof value);
}

void buf_varint(Buf *buf, uint64_t value) {
    uint8_t *target = buf_room(buf, 10);
    size_t count = 0;
    while (value >= 0x80) {
        target[count++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    target[count++] = (uint8_t)value;
    buf->size += count;
}

void buf_zigzag(Buf *buf, int64_t value) {
    buf_varint(buf, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

void buf_printf(Buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(size >= 0);
    vsnprintf((char *)buf_room(buf, (size_t)size + 1), (size_t)size + 1, format, again);
    va_end(again);
    buf->size += (size_t)size;
}

const char *buf_cstr(Buf *buf) {
    *buf_room(buf, 1) = 0;
    return (const char *)buf->data;
}
