/*
 * base64.h - bytes as text (RFC 4648, the standard alphabet).
 *
 * Written with padding. Read as Java's basic decoder does: padding may be left out as a whole, a
 * character outside the alphabet, white space too, is an error; unused bits are not looked at.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

void base64_print(Buf *out, Bytes bytes);

/* The most bytes that a text of this size stands for. */
static inline uint32_t base64_room(uint32_t text_size) {
    return text_size / 4 * 3 + 3;
}

/* Writes to `target`, which has base64_room() bytes; NULL: only checks. false: not base64. */
bool base64_parse(Bytes text, uint8_t *target, uint32_t *size);

#endif
