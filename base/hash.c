/* hash.c - see hash.h. */
#include "base/hash.h"

#include <assert.h>
#include <stdatomic.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(Bytes bytes) {
    return XXH3_64bits(bytes.data, bytes.size);
}

/* Slice-by-8 tables for machines without a crc32 instruction; built once, by whoever is first
 * (twice the same bytes, when two threads are). */
static uint32_t crc_table[8][256];
static atomic_bool crc_table_ready;

static void crc_build_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78U : crc >> 1;
        crc_table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int slice = 1; slice < 8; slice++) {
            uint32_t crc = crc_table[slice - 1][i];
            crc_table[slice][i] = crc_table[0][crc & 0xff] ^ crc >> 8;
        }
    atomic_store(&crc_table_ready, true);
}

static uint32_t crc_portable(uint32_t crc, const uint8_t *data, size_t size) {
    if (!atomic_load(&crc_table_ready))
        crc_build_table();
    for (; size >= 8; size -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        word ^= crc;
        crc = 0;
        for (int slice = 0; slice < 8; slice++)
            crc ^= crc_table[7 - slice][word >> (8 * slice) & 0xff];
    }
    for (; size > 0; size--, data++)
        crc = crc_table[0][(crc ^ *data) & 0xff] ^ crc >> 8;
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const uint8_t *data,
                                                            size_t size) {
    uint64_t wide = crc;
    for (; size >= 8; size -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size > 0; size--, data++)
        crc = __builtin_ia32_crc32qi(crc, *data);
    return crc;
}
#endif

uint32_t hash_crc32c(uint32_t crc, Bytes bytes) {
    crc = ~crc;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_sse42(crc, bytes.data, bytes.size);
#endif
    return ~crc_portable(crc, bytes.data, bytes.size);
}

uint32_t hash_murmur2(Bytes bytes) {
    const uint32_t mix = 0x5bd1e995U;
    const uint8_t *data = bytes.data;
    uint32_t left = bytes.size;
    uint32_t hash = 0x9747b28cU ^ left;
    for (; left >= 4; left -= 4, data += 4) {
        uint32_t word;
        memcpy(&word, data, 4);
        word *= mix;
        word ^= word >> 24;
        word *= mix;
        hash = hash * mix ^ word;
    }
    for (uint32_t i = left; i > 0; i--)
        hash ^= (uint32_t)data[i - 1] << (8 * (i - 1));
    if (left > 0)
        hash *= mix;
    hash ^= hash >> 13;
    hash *= mix;
    return hash ^ hash >> 15;
}
