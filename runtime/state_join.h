/*
 * state_join.h - the shape "join": the rows of both sides of a stream-stream join.
 *
 *   side -> buckets of time -> hash of keys -> chain of rows in order of (time, arrival)
 *
 * A side's rows are never changed and go bucket by bucket, once its own time - the largest of the
 * rows it was given - is far enough ahead. A row can be seen while its time is after the side's own
 * time less the retention: what a bucket still holds beyond that is not there any more.
 *
 * Rows that found no partner wait in `pending`, in order of (time, side, key, arrival).
 *
 *   entry of a row:      side u8, bucket start u64 BE, arrival u64 BE, time u64 BE, row key
 *                        -> the row value; so a bucket grows at its end, which costs a tree least
 *   entry of a waiting:  2 u8, its place in the order -> see op_join_stream.c
 *   0xFF                 -> zig-zag: the times of both sides, stream time, least time
 *
 * Epochs are those of slot_table.h.
 */
#ifndef RUNTIME_STATE_JOIN_H
#define RUNTIME_STATE_JOIN_H

#include "runtime/ordered_map.h"
#include "runtime/state.h"

typedef struct JoinRow {
    struct JoinRow *earlier, *later; /* of the same key in the same bucket */
    int64_t rowtime;
    uint64_t arrival; /* numbers the rows of a side */
    uint32_t size;
    uint8_t met; /* somebody, as far as was told: state_join_met() */
    uint8_t bytes[];
} JoinRow;

typedef struct JoinChain {
    uint64_t hash;
    const uint8_t *key;
    uint32_t key_size;
    JoinRow *first, *last; /* NULL: its rows were undone */
} JoinChain;

typedef struct JoinBucket {
    int64_t start;
    bool expired;
    BlobHeap heap;
    JoinChain **entries; /* by hash, open addressing */
    uint32_t mask, chain_count;
    uint64_t row_count, met_count;
} JoinBucket;

typedef struct JoinBuckets {
    JoinBucket **items; /* of a side: in order of start */
    size_t count, capacity;
} JoinBuckets;

typedef struct JoinChange {
    JoinBucket *bucket;
    JoinChain *chain;
    JoinRow *row;
} JoinChange;

typedef struct JoinChanges {
    JoinChange *items;
    size_t count, capacity;
} JoinChanges;

/* What an epoch did to a side. */
typedef struct JoinEpoch {
    JoinChanges added;
    JoinBuckets expired; /* their memory goes when the epoch settles */
} JoinEpoch;

typedef struct JoinSide {
    JoinBuckets buckets;
    JoinEpoch running, earlier;
} JoinSide;

/* What is kept beside the rows; INT64_MIN: no row yet. */
typedef struct JoinTimes {
    int64_t side[2];     /* the largest of the rows given */
    int64_t stream;      /* the largest of both inputs */
    int64_t pending_min; /* below it nothing waits, as far as is known; INT64_MAX */
} JoinTimes;

typedef struct StateJoin {
    State state;
    uint32_t store_id;
    int64_t retention_ms, bucket_ms;
    JoinSide sides[2];
    OrderedMap pending;
    JoinTimes times, times_submitted, times_settled;
    uint64_t arrival; /* of the next row */
    bool submitted;
    int64_t alone_ms; /* INNER: so long a left row may meet somebody; -1: nobody is told of those */
    StateCount unmatched; /* of those in expired buckets */
} StateJoin;

typedef struct StateJoinSpec {
    uint32_t store_id;
    Snapshot *snapshot; /* NULL: it begins empty */
    int64_t span_ms;    /* the width of the window in which rows meet */
    int64_t retention_ms;
    int64_t alone_ms; /* -1: rows that meet nobody are not counted */
} StateJoinSpec;

ErrCode state_join_new(const StateJoinSpec *spec, StateJoin **join, Err *err);

/* Keeps a row. NULL: it is too old to be seen, and is not kept. */
const JoinRow *state_join_add(StateJoin *join, uint32_t side, uint64_t hash, Bytes key,
                              int64_t rowtime, Bytes value);

/* The rows of a side with this key and times in [from, to], ascending by (time, arrival):
 *
 *   JoinFind find = state_join_find(...);
 *   while ((row = state_join_next(&find))) ... */
typedef struct JoinFind {
    const StateJoin *join;
    uint32_t side;
    uint64_t hash;
    Bytes key;
    int64_t from, to;
    size_t bucket; /* the next one to be looked into */
    const JoinRow *row;
} JoinFind;

JoinFind state_join_find(const StateJoin *join, uint32_t side, uint64_t hash, Bytes key,
                         int64_t from, int64_t to);
const JoinRow *state_join_next(JoinFind *find);

/* The row, of the left side, is not among those that met nobody. */
void state_join_met(StateJoin *join, const JoinRow *row);

/* Of what state_join_add() will touch. */
void state_join_prefetch(const StateJoin *join, uint64_t hash, int64_t rowtime);

#endif
