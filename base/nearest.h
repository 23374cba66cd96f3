/*
 * nearest.h - the name that somebody meant who wrote another one.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stdint.h>

/* The nearest of `count` names to `word` by edit distance, ignoring case, or NULL when none is
 * near. Borrowed from `names`. */
const char *nearest_name(const char *word, const char *const *names, uint32_t count);

#endif
