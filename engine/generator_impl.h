/*
 * generator_impl.h - the inside of a generator: fields, recipes, chance.
 *
 * A Field is a column, a field of a STRUCT, the element of an ARRAY or a value of a MAP. Cells are
 * the values of one field that are to be made: each has the row it belongs to and an id, from which
 * all its chance follows.
 */
#ifndef ENGINE_GENERATOR_IMPL_H
#define ENGINE_GENERATOR_IMPL_H

#include "data/time_pattern.h"
#include "engine/generator.h"

typedef enum Recipe {
    RECIPE_COUNT,
    RECIPE_RANGE,
    RECIPE_SKEW,
    RECIPE_LOG,
    RECIPE_WAVE,
    RECIPE_CHANCE,
    RECIPE_TIME,
    RECIPE_PAST,
    RECIPE_TEXT,
    RECIPE_KEYED,   /* the TEXT follows from the row's key */
    RECIPE_HOME,    /* mostly */
    RECIPE_CODE,    /* texts of `text`, one per row, round and round */
    RECIPE_FIELDS,  /* a STRUCT's fields have recipes of their own */
    RECIPE_CONTACT, /* a MAP of phone, city, state and zipcode */
    RECIPE_NEXMARK,
} Recipe;

/* "a*9|b": alternatives and how often each is taken. */
typedef struct Choice {
    const Bytes *texts;
    const uint32_t *weights; /* up to and with it */
    uint32_t count, weight;
} Choice;

typedef struct Field {
    const Type *type;
    const char *name; /* lower case */
    Recipe recipe;
    double low, high;
    uint32_t digits; /* behind the point */
    uint64_t salt;
    Choice choice;              /* TEXT, CODE */
    const TimePattern *pattern; /* TIME of a text */
    bool counts; /* a table's key, not a kind's: {n}, {s}, RANGE and SKEW give another each row */
    uint32_t slot;              /* NEXMARK: which of the kind's columns */
    const struct Field *children;
    const char *const *keys; /* MAP: one per child */
    uint32_t child_count;
} Field;

typedef struct Cells {
    const int64_t *rows;
    const uint64_t *ids;
    const uint64_t *keys;   /* an id of the row's key; the row's own where it has none */
    const uint32_t *shifts; /* of elements: so that neighbours differ; NULL: 0 */
    uint32_t count;
} Cells;

/* A value of a Nexmark row. */
typedef struct NexmarkValue {
    int64_t number;
    Bytes text;
} NexmarkValue;

enum { NEXMARK_VALUES_MAX = 10 };

typedef struct Nexmark Nexmark;

struct Generator {
    Arena *arena;     /* fields, Datagen */
    Arena *row_arena; /* of the rows given out */
    Buf *text;        /* in which texts are put together */
    Zone utc;
    const Datagen *datagen;
    Field *fields;
    uint32_t field_count, key_count;
    const Choice *lists; /* of datagen.def */
    Nexmark *nexmark; /* NULL: another kind */
    const NexmarkValue *nexmark_rows; /* NEXMARK_VALUES_MAX for each row given out */
    int64_t first;
};

/* -- generator_field.c ------------------------------------------------------------------------ */

/* The fields of a source's columns, in generator->arena. */
void generator_fields(Generator *generator, const Source *source);
/* The alternatives of a list of datagen.def; NULL: there is none of this name. */
const Choice *generator_list(const Generator *generator, Bytes name);

/* -- generator_value.c ------------------------------------------------------------------------ */

/* A stream of chance. */
typedef struct Chance {
    uint64_t state;
} Chance;

static inline uint64_t chance_mix(uint64_t value) {
    value += 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27) * 0x94d049bb133111ebU;
    return value ^ value >> 31;
}

static inline uint64_t chance_next(Chance *chance) {
    return chance_mix(chance->state++ * 0x2545f4914f6cdd1dU);
}

/* In [0, 1). */
static inline double chance_part(Chance *chance) {
    return (double)(chance_next(chance) >> 11) * 0x1p-53;
}

/* In [0, count). */
static inline uint32_t chance_below(Chance *chance, uint32_t count) {
    return (uint32_t)((chance_next(chance) >> 32) * count >> 32);
}

/* Fills a column of cells->count values (made by column_new) of a scalar type. */
void generator_values(const Generator *generator, const Field *field, const Cells *cells,
                      Column *column);

/* The rowtime of a row; of a Nexmark event. */
int64_t generator_time(const Datagen *datagen, int64_t row);

/* -- generator_nexmark.c ---------------------------------------------------------------------- */

Nexmark *nexmark_new(Arena *arena, const Datagen *datagen); /* NULL: the kind is another */
int64_t nexmark_event(const Nexmark *nexmark, int64_t row); /* its number among all events */
/* The values of a row in the order of the kind's columns; texts in `arena`. */
void nexmark_row(const Nexmark *nexmark, int64_t row, Arena *arena, NexmarkValue *values);

#endif
