/*
 * mutate.h - bytes that were good, changed: what decoders of foreign bytes are given.
 */
#ifndef TESTS_TOOLS_MUTATE_H
#define TESTS_TOOLS_MUTATE_H

#include <unistd.h>

#include "base/buf.h"
#include "tests/unit/dice.h"

/* Changes a few bytes, cuts, lengthens, takes over a part of the other. */
static inline void mutate_bytes(Buf *target, Bytes from, Bytes other) {
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
    buf_reset(target);
    buf_bytes(target, from);
    for (uint32_t left = 1 + below(3); left > 0; left--) {
        uint32_t size = (uint32_t)target->size, at = below(size + 1);
        uint32_t part = below(other.size + 1), length = below(other.size - part + 1);
        switch (size == 0 ? 5 : below(8)) {
        case 0: target->data[at % size] = (uint8_t)below(256); break;
        case 1: target->data[at % size] ^= (uint8_t)(1U << below(8)); break;
        case 2: target->data[at % size] = edges[below(sizeof edges)]; break;
        case 3: target->size = at; break;
        case 4: /* bytes are lost */
            length = below(size - at + 1);
            memmove(target->data + at, target->data + at + length, size - at - length);
            target->size -= length;
            break;
        case 5: buf_put(target, other.data + part, length); break;
        case 6: /* a number of several bytes at an edge of its range */
            memset(target->data + at, edges[below(sizeof edges)],
                   size - at < 8 ? size - at : below(9));
            break;
        default:
            length = length < size - at ? length : size - at;
            if (length > 0)
                memcpy(target->data + at, other.data + part, length);
        }
    }
}

/* Whatever takes longer has no end. */
static inline void mutate_deadline(uint32_t seconds) {
    (void)alarm(seconds);
}

#endif
