/*
 * aggregate.h - aggregate functions: one row of udf/aggregate.def each, kernels over arrays of
 * states.
 *
 * UDF_AGGREGATE(NAME, "signature", State, kernel, undo, "help"): kernel_ops is its AggregateOps;
 * signatures as in function.h. LITERAL before a type: a constant, which the kernel gets beside the
 * arguments; they are the last ones.
 *
 * A state is state_size bytes inside a slot (8-aligned, zeroed at birth = no row seen). Saving
 * these bytes is a pre-image of it: what does not fit lies in blocks of the heap, and those are
 * either replaced and never changed, or changed only after keep().
 *
 * States that grow keep their elements as entries of their own in the store, so that a commit
 * holds what changed and no more: note() says what became of an element, load_element() brings it
 * back. The heap is what the kernels work on; they never read the store.
 */
#ifndef UDF_AGGREGATE_H
#define UDF_AGGREGATE_H

#include "base/buf.h"
#include "base/reader.h"
#include "udf/function.h"

/* Memory of one store for what outlives the step. */
typedef struct AggregateHeap AggregateHeap;

typedef struct AggregateHeapOps {
    void *(*put)(AggregateHeap *heap, Bytes bytes); /* a copy */
    /* NULL is allowed. The block stays as it is until the epoch ends. */
    void (*drop)(AggregateHeap *heap, void *block);
    void *(*reserve)(AggregateHeap *heap, uint32_t size); /* zeroed, to be written by the caller */
    /* Before bytes of a reserved block are changed: undoing the epoch brings them back. */
    void (*keep)(AggregateHeap *heap, void *memory, uint32_t size);
    /* A number greater than all before in this store, also those of earlier runs that seen() was
     * told while loading: ids of states, order of arrival. */
    uint64_t (*number)(AggregateHeap *heap);
    void (*seen)(AggregateHeap *heap, uint64_t number);
    /* The element of this key, of the state with this id, is now `value`; NULL: it is gone. */
    void (*note)(AggregateHeap *heap, uint64_t id, Bytes key, const Bytes *value);
} AggregateHeapOps;

struct AggregateHeap {
    const AggregateHeapOps *ops;
};

/* What the constant arguments and the settings of a query say. */
typedef struct AggregateLimits {
    const Column *const *literals; /* of length 1 each */
    uint32_t literal_count;
    uint32_t element_count_max; /* of collected lists and sets; 0: none */
} AggregateLimits;

/* Applies count updates in order: update i changes states[i] (the same state may come again) with
 * physical row rows[i] of the arguments, +1 adds, -1 undoes. before and after, where not NULL, are
 * all-missing columns of length `count` for the results before and after each update. */
typedef struct AggregateCall {
    void *const *states;
    const int8_t *signs; /* NULL: all +1 */
    const uint16_t *rows;
    uint32_t count;
    const Column *const *args;
    uint32_t arg_count;
    AggregateLimits limits;
    Column *before, *after;
    AggregateHeap *heap;
    AggregateHeap *const *heaps; /* of each update's state (windows); NULL: `heap` for all */
    Arena *arena; /* of the step: results may point into it, or into the heap */
    void (*fail)(void *context, uint32_t row, const char *format, ...);
    void *context;
} AggregateCall;

/* Two states of one function become one (sessions that grow together). `into` comes before `from`
 * in rowtime; functions that go by arrival keep what they need for it in their state. Both lie in
 * `heap`; blocks and elements of `from` are taken over or dropped, and nobody reads it again.
 * `into` may be a state at birth. fail as above; then `into` keeps what it was. */
typedef struct AggregateMerge {
    void *into, *from;
    const Type *const *arg_types;
    uint32_t arg_count;
    AggregateLimits limits;
    AggregateHeap *heap;
    uint32_t row; /* for fail: the row that brought them together */
    void (*fail)(void *context, uint32_t row, const char *format, ...);
    void *context;
} AggregateMerge;

typedef struct AggregateOps {
    void (*update)(const AggregateCall *call);
    /* Results of states[0..count) without a change. */
    void (*result)(const AggregateCall *call);
    /* The state as bytes and back; false: damaged bytes. */
    void (*save)(const void *state, Buf *out);
    bool (*load)(Reader *in, void *state, AggregateHeap *heap);
    void (*merge)(const AggregateMerge *merge);
    /* Drops all blocks, notes that all elements are gone, zeroes the state. NULL: it has none. */
    void (*forget)(void *state, AggregateHeap *heap);
    /* States with elements: their id, 0 as long as there is none; and an element that was stored.
     * NULL: no elements. */
    uint64_t (*id)(const void *state);
    bool (*load_element)(void *state, Bytes key, Bytes value, AggregateHeap *heap);
    /* What is wrong with the constants; NULL: nothing. May be NULL. */
    const char *(*check)(const AggregateLimits *limits);
    /* The type of the result, where the signature cannot say it. May be NULL. */
    const Type *(*type)(const Type *const *types, uint32_t count, Arena *arena);
} AggregateOps;

typedef struct Aggregate {
    const char *name;
    const char *signature;
    uint32_t state_size;
    bool undo; /* can be used on tables */
    const AggregateOps *ops;
    const char *help;
} Aggregate;

/* As function_resolve(); COUNT(*) is COUNT with no arguments. */
typedef struct AggregateMatch {
    const Aggregate *aggregate;
    const Type *result;
    const Type **cast_types;
    uint32_t literal_count; /* the last ones of the arguments: must be constants */
} AggregateMatch;

ErrCode aggregate_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                          AggregateMatch *match, Err *err);
bool aggregate_exists(const char *name); /* the name is an aggregate's */
const Aggregate *aggregate_at(uint32_t index); /* NULL at the end */
const Aggregate *aggregate_by_signature(const char *name, const char *signature);

/* What does the same on tables: itself where it can undo; NULL: nothing can. MIN and MAX have such
 * a twin of the same name and signature, which keeps all values. */
const Aggregate *aggregate_of_table(const Aggregate *aggregate);

#endif
