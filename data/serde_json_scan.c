/*
 * serde_json_scan.c - the next byte of a string that needs a look.
 *
 * Most strings are short, and their two first blocks are looked at in line (serde_json_impl.h);
 * what is longer comes here. Blocks of 32 bytes with AVX2, of 16 with SSE2, words of 8 anywhere.
 */
#include <assert.h>

#include "data/serde_json_impl.h"

#ifdef JSON_SSE2
#include <immintrin.h>
#endif

/* == Portable == */

static inline uint64_t json_word(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static const uint64_t json_ones = 0x0101010101010101U, json_tops = 0x8080808080808080U;

/* Bytes of the word that are zero have their top bit set; so may have bytes above the first. */
static inline uint64_t json_zero_bytes(uint64_t word) {
    return (word - json_ones) & ~word & json_tops;
}

static bool json_is_special(uint8_t c) {
    return c == '"' || c == '\\' || c < 0x20 || c >= 0x80;
}

const uint8_t *json_scan_portable(const uint8_t *at, const uint8_t *end) {
    assert(at <= end);
    for (; end - at >= 8; at += 8) {
        uint64_t word = json_word(at);
        uint64_t special = json_zero_bytes(word ^ json_ones * '"') |
                           json_zero_bytes(word ^ json_ones * '\\') |
                           ((word - json_ones * 0x20) & ~word & json_tops) | (word & json_tops);
        if (special)
            break;
    }
    while (at < end && !json_is_special(*at))
        at++;
    return at;
}

/* == SSE2 and AVX2 == */

#ifdef JSON_SSE2
const uint8_t *json_scan_sse2(const uint8_t *at, const uint8_t *end) {
    for (; end - at >= 16; at += 16) {
        uint32_t mask = json_scan_mask(at);
        if (mask)
            return at + __builtin_ctz(mask);
    }
    if (at == end)
        return end;
    uint32_t mask = json_scan_mask(end - 16) >> (16 - (end - at));
    return mask ? at + __builtin_ctz(mask) : end;
}

__attribute__((target("avx2"))) static inline uint32_t json_scan_mask_avx2(const uint8_t *at) {
    __m256i block = _mm256_loadu_si256((const __m256i *)(const void *)at);
    __m256i quote = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('"'));
    __m256i backslash = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('\\'));
    __m256i other = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), block);
    __m256i any = _mm256_or_si256(_mm256_or_si256(quote, backslash), other);
    return (uint32_t)_mm256_movemask_epi8(any);
}

__attribute__((target("avx2"))) const uint8_t *json_scan_avx2(const uint8_t *at,
                                                              const uint8_t *end) {
    for (; end - at >= 32; at += 32) {
        uint32_t mask = json_scan_mask_avx2(at);
        if (mask)
            return at + __builtin_ctz(mask);
    }
    if (at == end)
        return end;
    uint32_t mask = json_scan_mask_avx2(end - 32) >> (32 - (end - at));
    return mask ? at + __builtin_ctz(mask) : end;
}

JsonScan *json_scan_best(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") ? json_scan_avx2 : json_scan_sse2;
}
#else
JsonScan *json_scan_best(void) {
    return json_scan_portable;
}
#endif

/* == Text that is not ASCII == */

const uint8_t *json_scan_wide(const uint8_t *at, const uint8_t *end) {
    assert(at <= end);
    for (; end - at >= 8; at += 8) {
        uint64_t word = json_word(at);
        uint64_t special = json_zero_bytes(word ^ json_ones * '"') |
                           json_zero_bytes(word ^ json_ones * '\\') |
                           ((word - json_ones * 0x20) & ~word & json_tops);
        if (special)
            break;
    }
    while (at < end && *at != '"' && *at != '\\' && *at >= 0x20)
        at++;
    return at;
}

/* == Copying for the encoder == */

static inline bool json_needs_escape(uint8_t c) {
    return c == '"' || c == '\\' || c < 0x20;
}

#ifdef JSON_SSE2
/* Copies 16 bytes; one bit for each that a string must escape. */
static inline uint32_t json_copy_block(uint8_t *to, const uint8_t *at) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    _mm_storeu_si128((__m128i *)(void *)to, block);
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control));
}

/* The last block overlaps the one before it, whose bytes need no escape: no loop over the rest. */
static inline const uint8_t *json_copy_blocks(uint8_t **target, const uint8_t *at,
                                              const uint8_t *end) {
    uint8_t *to = *target;
    assert(end - at >= 16);
    uint32_t mask = 0;
    for (; end - at >= 16 && !(mask = json_copy_block(to, at)); at += 16)
        to += 16;
    if (!mask && at < end) {
        ptrdiff_t over = 16 - (end - at);
        at -= over;
        to -= over;
        mask = json_copy_block(to, at);
        if (!mask) {
            *target = to + 16;
            return end;
        }
    }
    uint32_t clean = mask ? (uint32_t)__builtin_ctz(mask) : 0;
    *target = to + clean;
    return at + clean;
}
#endif

const uint8_t *json_copy(uint8_t **target, const uint8_t *at, const uint8_t *end) {
#ifdef JSON_SSE2
    if (end - at >= 16)
        return json_copy_blocks(target, at, end);
#endif
    uint8_t *to = *target;
    for (; end - at >= 8; at += 8, to += 8) {
        uint64_t word = json_word(at);
        if (json_zero_bytes(word ^ json_ones * '"') | json_zero_bytes(word ^ json_ones * '\\') |
            ((word - json_ones * 0x20) & ~word & json_tops))
            break;
        memcpy(to, &word, sizeof word);
    }
    while (at < end && !json_needs_escape(*at))
        *to++ = *at++;
    *target = to;
    return at;
}
