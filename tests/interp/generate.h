/*
 * generate.h - random schemas, rows and expressions.
 */
#ifndef TESTS_INTERP_GENERATE_H
#define TESTS_INTERP_GENERATE_H

#include "tests/interp/tree.h"

enum { WORLD_COLUMNS_MAX = 48, WORLD_POOL = 64 };

typedef struct RefWorld {
    uint64_t state; /* of chance */
    const RefType *columns[WORLD_COLUMNS_MAX];
    uint32_t column_count;
    const RefNode *pool[WORLD_POOL]; /* trees of the present statement, to be met again */
    uint32_t pool_count;
    const char *only; /* a function that most calls are of; NULL: any */
} RefWorld;

/* 0 to count - 1. */
uint32_t ref_chance(RefWorld *world, uint32_t count);

/* New columns, of every scalar type and some nested ones. */
void ref_world_columns(RefWorld *world);

RefValue ref_random_value(RefWorld *world, const RefType *type);

/* An expression of any type, a few levels deep. */
const RefNode *ref_random_tree(RefWorld *world);

/* -- Inside (generate.c, generate_tree.c) -- */

const RefType *ref_random_type(RefWorld *world, int depth);
const RefType *ref_random_decimal(RefWorld *world);
RefValue ref_random_text(RefWorld *world);
/* A literal of the type, or a CAST of one. */
const RefNode *ref_random_literal(RefWorld *world, const RefType *type);
RefNode *ref_node(RefNodeKind kind, const RefType *type, const RefNode *const *args,
                  uint32_t count);
const RefNode *ref_null_literal(void);

#endif
