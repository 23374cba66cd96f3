/*
 * hash_avx2.c - XXH3 compiled for AVX2: the same sums of large runs in half the time.
 *
 * The library is compiled a second time, inside this file alone, since the build's baseline is any
 * x86-64. Invariant: no function of it leaves this file, so that none is called on another CPU.
 */
#include "base/hash_impl.h"

#include <assert.h>

#ifdef HASH_HAS_AVX2
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#include <immintrin.h>
#define XXH_VECTOR XXH_AVX2
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_bytes_avx2(Bytes bytes) {
    assert(bytes.data);
    return XXH3_64bits(bytes.data, bytes.size);
}

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
