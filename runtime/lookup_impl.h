/*
 * lookup_impl.h - the inside of a lookup, shared by lookup.c (the chain of operators and the
 * result), lookup_store.c (rows of a table's store), lookup_stream.c (records of a topic) and
 * lookup_group.c (GROUP BY).
 */
#ifndef RUNTIME_LOOKUP_IMPL_H
#define RUNTIME_LOOKUP_IMPL_H

#include "runtime/op.h"
#include "runtime/store_layout.h"

typedef struct LookupEntry {
    Bytes key, value; /* as stored, pinned by the snapshot */
    Bytes row_key;    /* the key without its window's start */
    int64_t start;
    uint32_t store_id;
} LookupEntry;

/* A row that passed: its columns, and where ORDER BY puts it. */
typedef struct LookupRow {
    Bytes bytes, order;
    uint64_t number; /* in which order it came, for equal ones */
    int64_t rowtime;
} LookupRow;

typedef struct LookupGroups LookupGroups;
typedef struct LookupMerge LookupMerge;

typedef struct Lookup {
    Runtime *runtime;
    const Plan *plan;
    const LookupStore *store;
    Arena *arena;
    const StoreLayout *layout;
    const PlanNode *first_node; /* PLAN_STORE, PLAN_SOURCE or PLAN_ROW */
    const PlanNode *result_node;
    uint32_t owner_node; /* in the store's plan */
    Snapshot *snapshot;
    LookupEntry *entries;
    size_t entry_count, entry_capacity;
    LookupMerge *merge; /* instead of entries; NULL */

    RowErrors errors;
    Counters counters;
    StateList states;
    OpEnv env;
    Op *ops;
    LookupGroups *groups; /* NULL: no GROUP BY */
    uint32_t groups_node;
    OpEdge group_edge;    /* what is behind the AGGREGATE, while its rows go to the collector */
    LookupRow *rows;
    size_t row_count, row_capacity;
    bool enough; /* LIMIT without ORDER BY is full */
    int64_t begin_us, clock_us;
    uint32_t interrupts; /* as the lookup began: another number ends it */
} Lookup;

/* The batch of the first node's rows through the chain. */
ErrCode lookup_run_batch(Lookup *lookup, Batch *batch, Err *err);
/* Runs the operators behind node `id`, which has emitted something. */
ErrCode lookup_run_behind(Lookup *lookup, uint32_t id, Err *err);

/* Finds the store and takes the snapshot; then its rows through the chain. */
ErrCode lookup_store_open(Lookup *lookup, Err *err);
ErrCode lookup_store_run(Lookup *lookup, Err *err);

/* An entry as a row; false: it is none by itself. */
bool lookup_entry_init(const Lookup *lookup, uint32_t partition, Bytes key, Bytes value,
                       LookupEntry *entry);

/* lookup_merge.c: iterators of up to `room` partitions, which it takes, as one in order of keys. */
LookupMerge *lookup_merge_new(const Lookup *lookup, uint32_t room);
void lookup_merge_add(LookupMerge *merge, uint32_t partition, StoreIter *iter);
/* The next entries, up to `room`; 0: there are no more. */
uint32_t lookup_merge_take(LookupMerge *merge, LookupEntry *entries, uint32_t room);
ErrCode lookup_merge_free(LookupMerge *merge, Err *err); /* NULL is allowed */

/* The topic's records up to its present ends through the chain. */
ErrCode lookup_stream_run(Lookup *lookup, Err *err);

/* Keeps the last result of each group that the AGGREGATE node `node` emits; the collector is what
 * gets its rows. When all rows were read, the groups go through the chain behind it. */
LookupGroups *lookup_groups_new(Lookup *lookup, const PlanNode *node);
extern const OpOps lookup_groups_ops; /* self: the LookupGroups */
ErrCode lookup_groups_run(Lookup *lookup, Err *err);
void lookup_groups_free(LookupGroups *groups); /* NULL is allowed */

#endif
