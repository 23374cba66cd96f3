/*
 * array_impl.h - the inside of array functions: collecting elements by their places.
 */
#ifndef UDF_ARRAY_IMPL_H
#define UDF_ARRAY_IMPL_H

#include "udf/function_impl.h"

/* Call array_list_row() for each row that gets an array, in ascending order, then
 * array_list_add() for its elements, and array_list_finish() once. */
typedef struct ArrayList {
    Column *result;
    Arena *arena;
    uint32_t *rows;  /* places of elements */
    uint32_t *which; /* in which source */
    uint32_t count, capacity;
    uint32_t next_row; /* offsets[0, next_row) are written */
} ArrayList;

void array_list_row(ArrayList *list, uint32_t row);
void array_list_add(ArrayList *list, uint32_t source, uint32_t at);
void array_list_finish(ArrayList *list, const Column *const *sources, uint32_t source_count);

/* The same for a map: entries are at one place in both. */
void map_list_finish(ArrayList *list, const Column *const *keys, const Column *const *values);

/* Puts places of elements in their order, NULLs last; spare[] has room for as many. */
typedef struct ArraySort {
    const Column *elements;
    int sign; /* -1: the largest first */
} ArraySort;

void array_sort_places(const ArraySort *sort, uint32_t *places, uint32_t *spare, uint32_t count);

/* Elements of several columns as a set: a hash table of open addressing, so that a long array
 * costs no more per element than a short one. A NULL is an element like others. */
typedef struct ArraySet {
    const Column *const *sources;
    Arena *arena;
    uint32_t *slots; /* number of an entry + 1; 0: free */
    uint32_t slot_capacity, mask;
    uint32_t *which, *places; /* entries, in the order they came */
    uint32_t count;
} ArraySet;

/* Empties the set and makes room for `most` elements. */
void array_set_start(ArraySet *set, uint32_t most);

/* The entry that equals this element; UINT32_MAX: none. */
uint32_t array_set_find(const ArraySet *set, uint32_t source, uint32_t at);

/* Adds it as entry number set->count; false: an equal one is there already. */
bool array_set_add(ArraySet *set, uint32_t source, uint32_t at);

#endif
