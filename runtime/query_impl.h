/*
 * query_impl.h - a running query as workers and the control plane share it.
 *
 * Its tasks are divided among workers by partition; what is above the lock is fixed between start
 * and stop.
 */
#ifndef RUNTIME_QUERY_IMPL_H
#define RUNTIME_QUERY_IMPL_H

#include "runtime/group.h"

struct Runtime;

struct Query {
    struct Runtime *runtime;
    const Plan *plan;
    QueryOptions options;
    Arena *arena; /* of what lives as long as the query */
    Stages stages;
    Task **tasks; /* of all stages, in order of stage, then partition */
    uint32_t task_count;
    Group **groups;
    uint32_t group_count;
    bool has_slots; /* query_take_slots() was called */
    bool by_lanes; /* a windowed operator reads an internal topic: arbiter.h */
    Counters counters;
    int64_t start_us;
    _Atomic int64_t end_us; /* it left RUNNING; 0: not yet */
    RowErrors errors;

    _Atomic bool paused, logged;
    _Atomic int state; /* RUNNING, ERROR or FINISHED; written under the lock */
    Lock lock;
    Signal changed; /* workers -> who waits: positions settled, or the state */
    Err error;
    QueryStop stop;
    bool quarantined; /* it goes as far as rows that ended the process */
    QueryStop retry_stop; /* the record that is waited for */
    Err retry_error; /* why the last try failed; all of these under the lock */
    uint32_t retry_count; /* 0: nothing is waited for */
    int64_t retry_at_us, retry_since_us; /* the next try; the first that failed */
};

/* The first reason counts; ends the result queue. From any worker. */
void query_fail(Query *query, const Err *err);
void query_fail_at(Query *query, const Err *err, const QueryStop *stop);
void query_finish(Query *query);
void query_changed(Query *query);

static inline QueryState query_state(const Query *query) {
    return (QueryState)atomic_load_explicit(&query->state, memory_order_acquire);
}

/* query_slots.c: with a cluster; without one there are no slots and nothing is taken. */
int32_t query_slot(const Query *query, uint32_t stage, uint32_t partition);
ErrCode query_take_slots(Query *query, Err *err);
void query_leave_slots(Query *query);

/* The time before which rows may be taken now: the slowest other task plus the skew. */
int64_t query_rowtime_max(const Query *query, const Task *task);

#endif
