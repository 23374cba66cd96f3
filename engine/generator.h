/*
 * generator.h - the rows of a generated source (SOURCE='datagen').
 *
 * Row n is a pure function of the source's columns, its Datagen and n: any range of rows can be
 * made, at any time, in any order, and comes out the same. What values look like is
 * planner/datagen.def's.
 */
#ifndef ENGINE_GENERATOR_H
#define ENGINE_GENERATOR_H

#include "data/column.h"
#include "planner/source.h"

typedef struct Generator Generator;

Generator *generator_new(const Source *source); /* copies what it needs */
void generator_free(Generator *generator);      /* NULL is allowed */

typedef struct GeneratorRows {
    const Column *const *columns; /* one per column of the source */
    const int64_t *rowtimes;
    uint32_t count;
} GeneratorRows;

/* Rows first to first + count - 1; borrowed until the next call. */
void generator_rows(Generator *generator, int64_t first, uint32_t count, GeneratorRows *rows);

#endif
