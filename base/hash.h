/*
 * hash.h - the three hashes of the house, each for one purpose.
 *
 *   hash_bytes    XXH3-64: hash tables, and the sums of journal frames and files
 *   hash_crc32c   Castagnoli: record batches (Kafka's), nothing else
 *   hash_murmur2  Kafka's key partitioner (org.apache.kafka.common.utils.Utils.murmur2)
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

uint64_t hash_bytes(Bytes bytes);

/* Continues `crc` (0 at the start) over `bytes`; the SSE4.2 instruction where the CPU has it. */
uint32_t hash_crc32c(uint32_t crc, Bytes bytes);

uint32_t hash_murmur2(Bytes bytes);

/* A strong mix of one integer, for hash tables over integer keys. */
static inline uint64_t hash_u64(uint64_t value) {
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93U;
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93U;
    return value ^ value >> 32;
}

/* The partition that Kafka's default partitioner gives a record with this key. */
static inline uint32_t hash_partition(Bytes key, uint32_t partition_count) {
    return (hash_murmur2(key) & 0x7fffffffU) % partition_count;
}

#endif
