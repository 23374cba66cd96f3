/*
 * vector.h - loops that compilers are to turn into vector code, whatever -O says: for every x86-64,
 * and once more for AVX2, chosen when the program starts (before sanitizers are ready for it).
 */
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#include <stdint.h> /* what such loops go over */

#if !defined(__GNUC__) || defined(__clang__) || defined(DEBUG_FILL)
#define VECTOR_LOOP
#elif defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define VECTOR_LOOP __attribute__((optimize("O3"), target_clones("avx2", "default")))
#else
#define VECTOR_LOOP __attribute__((optimize("O3")))
#endif

#endif
