/* hash.c - see hash.h. */
#include "base/hash.h"

#include "base/hash_impl.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes(Bytes bytes) {
#ifdef HASH_HAS_AVX2
    if (bytes.size >= HASH_WIDE_MIN && __builtin_cpu_supports("avx2"))
        return hash_bytes_avx2(bytes);
#endif
    return XXH3_64bits(bytes.data, bytes.size);
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
