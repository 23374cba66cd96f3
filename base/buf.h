/*
 * buf.h - a byte buffer that grows: what encoders, printers and frame builders write into.
 *
 * `data` is owned by the Buf and moves when it grows. A zeroed Buf is empty and ready.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

typedef struct Buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
} Buf;

void buf_free(Buf *buf);                /* frees the memory; the Buf is empty and ready again */
void buf_grow(Buf *buf, size_t needed); /* makes room for `needed` bytes in all */

static inline void buf_reset(Buf *buf) {
    buf->size = 0;
}

/* Room for `size` more bytes at the returned pointer; the caller adds to buf->size. */
static inline uint8_t *buf_room(Buf *buf, size_t size) {
    if (buf->capacity - buf->size < size)
        buf_grow(buf, buf->size + size);
    return buf->data + buf->size;
}

static inline void buf_put(Buf *buf, const void *source, size_t size) {
    if (size == 0)
        return;
    memcpy(buf_room(buf, size), source, size);
    buf->size += size;
}

static inline void buf_bytes(Buf *buf, Bytes bytes) {
    buf_put(buf, bytes.data, bytes.size);
}

static inline void buf_text(Buf *buf, const char *text) {
    buf_put(buf, text, strlen(text));
}

static inline void buf_u8(Buf *buf, uint8_t value) {
    *buf_room(buf, 1) = value;
    buf->size++;
}

/* Fixed-width integers: big-endian is Kafka's, little-endian is our own files'. */
void buf_u16_be(Buf *buf, uint16_t value);
void buf_u32_be(Buf *buf, uint32_t value);
void buf_u64_be(Buf *buf, uint64_t value);
void buf_u16_le(Buf *buf, uint16_t value);
void buf_u32_le(Buf *buf, uint32_t value);
void buf_u64_le(Buf *buf, uint64_t value);

/* Unsigned LEB128 and Kafka's zig-zag form of it. */
void buf_varint(Buf *buf, uint64_t value);
void buf_zigzag(Buf *buf, int64_t value);

void buf_printf(Buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* NUL-terminates without counting the NUL; valid until the next write. */
const char *buf_cstr(Buf *buf);

static inline Bytes buf_view(const Buf *buf) {
    return (Bytes){buf->data, (uint32_t)buf->size};
}

#endif
