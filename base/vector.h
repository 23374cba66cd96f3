/*
 * vector.h - loops that compilers are to turn into vector code, whatever -O says.
 */
#ifndef BASE_VECTOR_H
#define BASE_VECTOR_H

#include <stdint.h> /* what such loops go over */

#if defined(__GNUC__) && !defined(__clang__) && !defined(DEBUG_FILL)
#define VECTOR_LOOP __attribute__((optimize("O3")))
#else
#define VECTOR_LOOP
#endif

#endif
