/*
 * aggregate.h - aggregate functions: one row of udf/aggregate.def each, kernels over arrays of
 * states.
 *
 * UDF_AGGREGATE(NAME, "signature", State, kernel, undo, "help"): functions kernel_update, _result,
 * _save, _load and _merge; signatures as in function.h.
 * A state is state_size bytes inside a slot (8-aligned, zeroed at birth = no row seen). What does
 * not fit is one immutable block from the heap, replaced and never changed, so that saving the
 * bytes of a state is a pre-image of it.
 */
#ifndef UDF_AGGREGATE_H
#define UDF_AGGREGATE_H

#include "base/buf.h"
#include "base/reader.h"
#include "udf/function.h"

/* Memory of one store for what outlives the step. drop() keeps the block until the epoch ends. */
typedef struct AggregateHeap AggregateHeap;
struct AggregateHeap {
    void *(*put)(AggregateHeap *heap, Bytes bytes); /* a copy */
    void (*drop)(AggregateHeap *heap, void *block); /* NULL is allowed */
};

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
    Column *before, *after;
    AggregateHeap *heap;
    AggregateHeap *const *heaps; /* of each update's state (windows); NULL: `heap` for all */
    Arena *arena; /* of the step: results may point into it, or into the heap */
    void (*fail)(void *context, uint32_t row, const char *format, ...);
    void *context;
} AggregateCall;

/* Two states of one function become one (sessions that grow together). `into` comes before `from`
 * in rowtime; functions that go by arrival keep what they need for it in their state. Both lie in
 * `heap`; blocks of `from` are taken over or dropped, and nobody reads it again. `into` may be a
 * state at birth. fail as above; then `into` keeps what it was. */
typedef struct AggregateMerge {
    void *into, *from;
    const Type *const *arg_types;
    uint32_t arg_count;
    AggregateHeap *heap;
    uint32_t row; /* for fail: the row that brought them together */
    void (*fail)(void *context, uint32_t row, const char *format, ...);
    void *context;
} AggregateMerge;

typedef struct Aggregate {
    const char *name;
    const char *signature;
    uint32_t state_size;
    bool undo; /* can be used on tables */
    void (*update)(const AggregateCall *call);
    /* Results of states[0..count) without a change. */
    void (*result)(const AggregateCall *call);
    /* The state as bytes and back; false: damaged bytes. */
    void (*save)(const void *state, Buf *out);
    bool (*load)(Reader *in, void *state, AggregateHeap *heap);
    void (*merge)(const AggregateMerge *merge); /* NULL: cannot be used in SESSION windows */
    const char *help;
} Aggregate;

/* As function_resolve(); COUNT(*) is COUNT with no arguments. */
typedef struct AggregateMatch {
    const Aggregate *aggregate;
    const Type *result;
    const Type **cast_types;
} AggregateMatch;

ErrCode aggregate_resolve(const char *name, const Type *const *types, uint32_t count, Arena *arena,
                          AggregateMatch *match, Err *err);
bool aggregate_exists(const char *name); /* the name is an aggregate's, also one not done yet */
const Aggregate *aggregate_at(uint32_t index); /* NULL at the end */
const Aggregate *aggregate_by_signature(const char *name, const char *signature);

#endif
