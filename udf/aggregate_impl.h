/*
 * aggregate_impl.h - the inside of the aggregates: their states, and the loops they share.
 *
 * A kernel K over a state S is five small functions: K_step() applies update i of the call to one
 * state, K_put() writes its result as value i of a column, K_save(), K_load() and K_merge(). The
 * loops around step and put, and K_ops, are AGGREGATE_KERNEL(K, S).
 */
#ifndef UDF_AGGREGATE_IMPL_H
#define UDF_AGGREGATE_IMPL_H

#include "data/decimal.h"
#include "udf/aggregate.h"
#include "udf/element.h"

typedef struct CountState {
    int64_t count;
} CountState;

typedef struct SumI32State {
    int32_t sum;
} SumI32State;

typedef struct SumI64State {
    int64_t sum;
} SumI64State;

typedef struct SumF64State {
    double sum;
} SumF64State;

typedef struct SumDecimalState {
    Decimal sum;
} SumDecimalState;

/* The sum is kept in the input's type, as ksqlDB does: it wraps there. */
typedef struct AvgI64State {
    int64_t sum;
    int64_t count;
} AvgI64State;

typedef struct AvgF64State {
    double sum;
    int64_t count;
} AvgF64State;

typedef struct ExtremeI64State {
    int64_t value;
    bool present;
} ExtremeI64State;

typedef struct ExtremeF64State {
    double value;
    bool present;
} ExtremeF64State;

typedef struct ExtremeDecimalState {
    Decimal value;
    bool present;
} ExtremeDecimalState;

typedef struct ExtremeBytesState {
    void *block; /* of the heap; NULL for the empty value */
    uint32_t size;
    bool present;
} ExtremeBytesState;

/* COLLECT_LIST and COLLECT_SET; of HISTOGRAM the list is in order of value. */
typedef struct CollectState {
    ElementList list;
    ElementSet set; /* COLLECT_SET: the same elements */
    uint64_t id;
} CollectState;

typedef struct DistinctState {
    ElementSet set;
    uint64_t id;
} DistinctState;

/* One value's bytes: in a block, or here where they are few. */
enum { OFFSET_HERE_MAX = 16 };

typedef struct OffsetState {
    uint64_t number; /* of arrival */
    uint32_t size;   /* 0: none yet */
    union {
        void *block;
        uint8_t here[OFFSET_HERE_MAX];
    } value;
} OffsetState;

/* A few entries in one block, which is replaced as a whole. */
typedef struct EntriesState {
    void *block; /* NULL: none */
    uint32_t size;
    uint32_t count;
} EntriesState;

/* MIN and MAX on tables. */
typedef struct ExtremeTreeState {
    struct ExtremeNode *root;
    uint64_t id;
} ExtremeTreeState;

extern const AggregateOps extreme_tree_min_ops, extreme_tree_max_ops;

/* For tests: the fields of a struct. */
typedef struct TestingPairState {
    int32_t sums[2];
} TestingPairState;

typedef struct MomentsI64State {
    int64_t count, sum;
    double m2;
} MomentsI64State;

typedef struct MomentsF64State {
    int64_t count;
    double sum, m2;
} MomentsF64State;

typedef struct CorrelationState {
    int64_t count;
    double x, y, xx, yy, xy; /* sums */
} CorrelationState;

#define UDF_AGGREGATE(name, signature, State, kernel, undo, help) \
    extern const AggregateOps kernel##_ops;
#include "udf/aggregate.def"
#undef UDF_AGGREGATE

#define TESTING_SCALAR(name, signature, kernel, flags, prepare)
#define TESTING_TABLE(name, signature, kernel)
#define TESTING_AGGREGATE(name, signature, State, kernel, undo) \
    extern const AggregateOps kernel##_ops;
#include "udf/testing.def"
#undef TESTING_SCALAR
#undef TESTING_TABLE
#undef TESTING_AGGREGATE

/* Puts a value at the end of a list. */
void collect_push(CollectState *state, AggregateHeap *heap, Bytes bytes);

static inline int64_t aggregate_sign(const AggregateCall *call, uint32_t i) {
    return call->signs ? call->signs[i] : 1;
}

static inline AggregateHeap *aggregate_heap(const AggregateCall *call, uint32_t i) {
    return call->heaps ? call->heaps[i] : call->heap;
}

#define AGGREGATE_LOOPS(kernel, State)                         \
    static void kernel##_update(const AggregateCall *call) {   \
        for (uint32_t i = 0; i < call->count; i++) {           \
            State *state = call->states[i];                    \
            if (call->before)                                  \
                kernel##_put(call->before, i, state);          \
            kernel##_step(call, i, state);                     \
            if (call->after)                                   \
                kernel##_put(call->after, i, state);           \
        }                                                      \
    }                                                          \
    static void kernel##_result(const AggregateCall *call) {   \
        assert(call->after);                                   \
        for (uint32_t i = 0; i < call->count; i++)             \
            kernel##_put(call->after, i, call->states[i]);     \
    }

/* Of a state without blocks. */
#define AGGREGATE_KERNEL(kernel, State)                                                    \
    AGGREGATE_LOOPS(kernel, State)                                                         \
    const AggregateOps kernel##_ops = {.update = kernel##_update, .result = kernel##_result, \
                                       .save = kernel##_save, .load = kernel##_load,       \
                                       .merge = kernel##_merge};

#endif
