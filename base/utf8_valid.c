/*
 * utf8_valid.c - whether bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing over
 * U+10FFFF.
 *
 * ASCII goes by in words of eight bytes; longer forms are checked as one number against the bits
 * that they must have, so that a run of one script costs one well-predicted branch a character.
 */
#include <assert.h>

#include "base/utf8.h"

/* Size of the sequence at `at`, which has at least 4 readable bytes; 0: none. */
static uint32_t utf8_sequence(const uint8_t *at) {
    uint32_t word = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    if ((word & 0xf0c0c000U) == 0xe0808000U) { /* not overlong, not U+D800 to U+DFFF */
        uint32_t lead = word >> 16 & 0x0f20U;
        return lead != 0 && lead != 0x0d20U ? 3 : 0;
    }
    if ((word & 0xe0c00000U) == 0xc0800000U)
        return at[0] >= 0xc2 ? 2 : 0;
    if ((word & 0xf8c0c0c0U) == 0xf0808080U) { /* U+10000 to U+10FFFF */
        uint32_t lead = word >> 16 & 0x0730U;
        return lead >= 0x0010U && lead <= 0x0400U ? 4 : 0;
    }
    return at[0] < 0x80;
}

/* The last bytes, padded with zeros, which no sequence continues over. */
static bool utf8_valid_tail(const uint8_t *at, const uint8_t *end) {
    uint8_t tail[8] = {0};
    uint32_t count = (uint32_t)(end - at), i = 0;
    assert(count < 4);
    memcpy(tail, at, count);
    while (i < count) {
        uint32_t size = utf8_sequence(tail + i);
        if (size == 0)
            return false;
        i += size;
    }
    return i == count;
}

bool utf8_valid(Bytes text) {
    if (text.size == 0)
        return true;
    const uint8_t *at = text.data, *end = at + text.size;
    while (end - at >= 4) {
        if (text.size >= 8) {
            /* The last word begins before `at`, where all has been looked at. */
            const uint8_t *from = end - at >= 8 ? at : end - 8;
            uint64_t word;
            memcpy(&word, from, sizeof word);
            if (!(word & 0x8080808080808080U)) {
                at = from + 8;
                continue;
            }
        }
        uint32_t size = utf8_sequence(at);
        if (size == 0)
            return false;
        at += size;
    }
    return utf8_valid_tail(at, end);
}

uint32_t utf8_whole(Bytes text) {
    uint32_t lead = text.size;
    while (lead > 0 && text.size - lead < 3 && (text.data[lead - 1] & 0xc0) == 0x80)
        lead--;
    if (lead == 0 || text.data[lead - 1] < 0xc0)
        return text.size;
    uint8_t first = text.data[lead - 1];
    uint32_t wanted = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    return text.size - lead + 1 < wanted ? lead - 1 : text.size;
}
