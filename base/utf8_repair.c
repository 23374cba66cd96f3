/*
 * utf8_repair.c - bytes as UTF-8, where what is no character has become U+FFFD: one for each
 * longest beginning of a character that is not finished, as Java decodes it.
 */
#include <assert.h>

#include "base/utf8.h"

/* The range of second bytes that may follow a lead byte, and how many bytes follow in all. As in
 * Java, a surrogate is one piece, though it is no character. */
static uint32_t lead_shape(uint8_t lead, uint8_t *low, uint8_t *high) {
    *low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    *high = lead == 0xF4 ? 0x8F : 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 1;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 2;
    return lead >= 0xF0 && lead <= 0xF4 ? 3 : 0;
}

/* Size of the longest beginning of a character at `at`; *whole: it is one. */
static uint32_t character_size(const uint8_t *at, const uint8_t *end, bool *whole) {
    uint8_t low, high;
    uint32_t size = 1;
    *whole = *at < 0x80;
    if (*whole)
        return size;
    uint32_t more = lead_shape(*at, &low, &high);
    while (size <= more && at + size < end && at[size] >= low && at[size] <= high) {
        size++;
        low = 0x80;
        high = 0xBF;
    }
    bool surrogate = *at == 0xED && size > 1 && at[1] >= 0xA0;
    *whole = more > 0 && size == more + 1 && !surrogate;
    return size;
}

uint32_t utf8_repair(uint8_t *target, Bytes text) {
    static const uint8_t replacement[UTF8_REPAIR_GROWTH] = {0xEF, 0xBF, 0xBD};
    assert(target || text.size == 0);
    uint32_t size = 0, taken;
    const uint8_t *end = text.data + text.size;
    bool whole;
    for (const uint8_t *at = text.data; at < end; at += taken) {
        taken = character_size(at, end, &whole);
        uint32_t put = whole ? taken : (uint32_t)sizeof replacement;
        memcpy(target + size, whole ? at : replacement, put);
        size += put;
    }
    return size;
}
