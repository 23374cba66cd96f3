/*
 * datagen.h - SOURCE='datagen': what a generated stream or table is made of (datagen.def).
 *
 * Row n of a source is a function of its columns, of this, and of n alone: that is why a generator
 * that was cut off goes on where it stopped.
 */
#ifndef PLANNER_DATAGEN_H
#define PLANNER_DATAGEN_H

#include "base/arena.h"

typedef struct Datagen {
    const char *kind;        /* of datagen.def; NULL: from names and types of the columns */
    int64_t rows;            /* in all; 0: without end */
    int64_t rows_per_second; /* of the wall clock; 0: as fast as they can be written */
    int64_t seed;
    int64_t start_ms;        /* rowtime of row 0 */
    int64_t step_ms;         /* rowtime between rows; 0: 1 s / per_second */
    int64_t per_second;      /* of rowtime */
    bool paused;
} Datagen;

/* Deep. NULL: NULL. */
const Datagen *datagen_copy(Arena *arena, const Datagen *datagen);

#endif
