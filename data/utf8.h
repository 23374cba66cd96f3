/*
 * utf8.h - whether bytes are UTF-8 (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF).
 */
#ifndef DATA_UTF8_H
#define DATA_UTF8_H

#include "base/bytes.h"

bool utf8_valid(Bytes text);

/* Writes one code point (not a surrogate) in up to 4 bytes; returns what follows them. */
uint8_t *utf8_put(uint8_t *target, uint32_t code);

#endif
