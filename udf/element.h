/*
 * element.h - elements of growing aggregates: values as bytes, lists and sets of them in a heap,
 * and columns made of them.
 *
 * An element's value is the row value (data/row_value.h) of one column, in one form for equal
 * values: entries of maps in order of key, one NaN. A missing value is an element too.
 * Lists and sets are parts of a state: copied with it, zeroed at birth. They change blocks in place
 * after keep(), so that undoing an epoch brings them back.
 */
#ifndef UDF_ELEMENT_H
#define UDF_ELEMENT_H

#include "udf/aggregate.h"

/* Saved: the id of a state with elements as a varint, 0 before the first one. */
void element_save_id(uint64_t id, Buf *out);
bool element_load_id(Reader *in, uint64_t *id, AggregateHeap *heap);

/* A block of the heap. */
typedef struct Element {
    int64_t number; /* the function's own: order of arrival, or a count */
    uint32_t size;
    uint8_t bytes[];
} Element;

typedef struct ElementList {
    Element **items;
    uint32_t count, capacity;
} ElementList;

typedef struct ElementEntry {
    uint64_t hash;
    Element *element; /* NULL: free */
} ElementEntry;

typedef struct ElementSet {
    ElementEntry *entries;
    uint32_t mask; /* size - 1; 0: no entries yet */
    uint32_t count;
} ElementSet;

static inline Bytes element_bytes(const Element *element) {
    return (Bytes){element->bytes, element->size};
}

/* Appends the value's bytes. `arena` for what has to be put in order first. */
void element_put(Buf *out, const Column *column, uint32_t row, Arena *arena);

/* Appends bytes whose memcmp order is that of present values: as value_compare() has it. */
void element_order_put(Buf *out, const Column *column, uint32_t row);

/* A key for number n, in order of n. */
enum { ELEMENT_NUMBER_SIZE = 8 };
Bytes element_number_key(uint8_t key[ELEMENT_NUMBER_SIZE], int64_t number);
bool element_number_of(Bytes key, int64_t *number); /* false: is none */

Element *element_new(AggregateHeap *heap, Bytes bytes, int64_t number);
void element_set_number(AggregateHeap *heap, Element *element, int64_t number);

void element_list_push(AggregateHeap *heap, ElementList *list, Element *element);
void element_list_insert(AggregateHeap *heap, ElementList *list, uint32_t index, Element *element);
/* The element itself is the caller's to drop. */
void element_list_remove(AggregateHeap *heap, ElementList *list, uint32_t index);
/* Drops the list and, if wanted, its elements. */
void element_list_drop(AggregateHeap *heap, ElementList *list, bool elements_too);

Element *element_set_find(const ElementSet *set, Bytes bytes); /* NULL: not in it */
void element_set_add(AggregateHeap *heap, ElementSet *set, Element *element); /* not in it yet */
void element_set_remove(AggregateHeap *heap, ElementSet *set, Bytes bytes);   /* is in it */
void element_set_drop(AggregateHeap *heap, ElementSet *set, bool elements_too);
/* Walks a set: *at is 0 at first; NULL at the end. */
Element *element_set_next(const ElementSet *set, uint32_t *at);

/* -- Results ----------------------------------------------------------------------------------- */

/* A column under construction: single values, or arrays or maps of them. */
typedef struct ElementColumn {
    Column *column;
    Arena *arena;
    Bytes *items;
    int64_t *numbers; /* of a map: its values */
    size_t count, capacity;
    uint32_t row;
    bool single;
} ElementColumn;

/* What a growing or nested function is made of. */
typedef struct ElementKernel {
    /* `scratch` is empty, and anyone's after. */
    void (*step)(const AggregateCall *call, uint32_t i, void *state, Buf *scratch);
    /* Puts the result for the next row: element_column_item()s, nothing else. */
    void (*put)(ElementColumn *target, const void *state, const AggregateCall *call);
    bool single; /* the result is the one item, or missing; otherwise an ARRAY or MAP of them */
} ElementKernel;

void element_column_item(ElementColumn *target, Bytes bytes, int64_t number);
void element_column_list(ElementColumn *target, const ElementList *list);

/* update() and result() with such a kernel. */
void element_update(const AggregateCall *call, const ElementKernel *kernel);
void element_result(const AggregateCall *call, const ElementKernel *kernel);

#define ELEMENT_LOOPS(kernel, single)                                                   \
    static const ElementKernel kernel##_kernel = {kernel##_step, kernel##_put, single}; \
    static void kernel##_update(const AggregateCall *call) {                    \
        element_update(call, &kernel##_kernel);                                 \
    }                                                                           \
    static void kernel##_result(const AggregateCall *call) {                    \
        element_result(call, &kernel##_kernel);                                 \
    }

#endif
