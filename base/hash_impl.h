/*
 * hash_impl.h - kernels of hash.h for CPUs that have more than the baseline.
 */
#ifndef BASE_HASH_IMPL_H
#define BASE_HASH_IMPL_H

#include "base/bytes.h"

#if defined(__x86_64__)
#define HASH_HAS_AVX2 1

enum { HASH_WIDE_MIN = 512 }; /* bytes from which a wider kernel pays */

/* The same value as hash_bytes(); only where the CPU has AVX2. */
uint64_t hash_bytes_avx2(Bytes bytes);
#endif

#endif
