/*
 * hash_crc32c.c - CRC-32C: with the CPU's instruction where it has one, else by tables.
 *
 * The instruction gives a sum three cycles later but can begin one every cycle. Long runs are
 * therefore cut into three lanes that are summed side by side; the sum of A then B is that of A,
 * shifted over as many zero bytes as B has, XOR that of B. Shifting is linear: four look-ups.
 */
#include <assert.h>
#include <stdatomic.h>

#include "base/hash.h"

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
enum { CRC_LONG_LANE = 2048, CRC_SHORT_LANE = 256 };

/* The sum after as many zero bytes as a lane has. */
typedef struct CrcShift {
    uint32_t of[4][256]; /* [byte of the sum][its value] */
} CrcShift;

static CrcShift crc_long_shift, crc_short_shift;
static atomic_bool crc_shifts_ready;

__attribute__((target("sse4.2"))) static uint32_t crc_zeros(uint32_t crc, uint32_t size) {
    uint64_t wide = crc;
    assert(size % 8 == 0);
    for (; size > 0; size -= 8)
        wide = __builtin_ia32_crc32di(wide, 0);
    return (uint32_t)wide;
}

static void crc_build_shift(CrcShift *shift, uint32_t size) {
    for (uint32_t byte = 0; byte < 4; byte++) {
        shift->of[byte][0] = 0;
        for (uint32_t bit = 0; bit < 8; bit++) {
            uint32_t one = crc_zeros((uint32_t)1 << (8 * byte + bit), size);
            for (uint32_t lower = 0; lower < 1U << bit; lower++)
                shift->of[byte][(1U << bit) + lower] = one ^ shift->of[byte][lower];
        }
    }
}

static inline uint32_t crc_shift(const CrcShift *shift, uint64_t crc) {
    return shift->of[0][crc & 0xff] ^ shift->of[1][crc >> 8 & 0xff] ^
           shift->of[2][crc >> 16 & 0xff] ^ shift->of[3][crc >> 24 & 0xff];
}

static inline uint64_t crc_word(const uint8_t *data) {
    uint64_t word;
    memcpy(&word, data, 8);
    return word;
}

/* As many threes of lanes as fit; returns what is left of the data. */
__attribute__((target("sse4.2"))) static const uint8_t *
crc_lanes(uint32_t *crc, const uint8_t *data, const uint8_t *end, const CrcShift *shift,
          uint32_t lane) {
    assert(data <= end);
    while ((size_t)(end - data) >= 3 * (size_t)lane) {
        uint64_t first = *crc, second = 0, third = 0;
        for (const uint8_t *stop = data + lane; data < stop; data += 8) {
            first = __builtin_ia32_crc32di(first, crc_word(data));
            second = __builtin_ia32_crc32di(second, crc_word(data + lane));
            third = __builtin_ia32_crc32di(third, crc_word(data + 2 * (size_t)lane));
        }
        *crc = crc_shift(shift, crc_shift(shift, first) ^ second) ^ (uint32_t)third;
        data += 2 * (size_t)lane;
    }
    return data;
}

__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const uint8_t *data,
                                                            size_t size) {
    const uint8_t *end = data + size;
    if (size >= 3 * CRC_SHORT_LANE) {
        if (!atomic_load_explicit(&crc_shifts_ready, memory_order_acquire)) {
            crc_build_shift(&crc_long_shift, CRC_LONG_LANE);
            crc_build_shift(&crc_short_shift, CRC_SHORT_LANE);
            atomic_store_explicit(&crc_shifts_ready, true, memory_order_release);
        }
        data = crc_lanes(&crc, data, end, &crc_long_shift, CRC_LONG_LANE);
        data = crc_lanes(&crc, data, end, &crc_short_shift, CRC_SHORT_LANE);
    }
    uint64_t wide = crc;
    for (; end - data >= 8; data += 8)
        wide = __builtin_ia32_crc32di(wide, crc_word(data));
    crc = (uint32_t)wide;
    for (; data < end; data++)
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
