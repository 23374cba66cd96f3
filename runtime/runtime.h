/*
 * runtime.h - N workers that run the tasks of all queries over one storage.
 *
 * Workers own commit groups (the tasks of one query on one worker) and never lock inside
 * operators. With workers == 0 nothing runs by itself: runtime_pump() does the work of one worker
 * on the caller's thread, which makes runs repeatable.
 */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <stdatomic.h>

#include "base/limits.h"
#include "data/row_error.h"
#include "planner/plan.h"
#include "storage/commit.h"
#include "storage/log.h"
#include "storage/store.h"

typedef struct Runtime Runtime;
typedef struct Query Query;

typedef struct RuntimeOptions {
    uint32_t workers;
    uint32_t step_rows;          /* 0: BATCH_ROWS_MAX; tests use 1 and 7 */
    int64_t commit_interval_ms;  /* under load; 0: 100 */
    int64_t task_skew_max_ms;    /* how far tasks of a query may run ahead of its slowest, in
                                    rowtime; 0: no limit, since internal topics are merged by
                                    their writers */
    bool single_partition;       /* conformance cases: all records are in partition 0 */
    const _Atomic uint32_t *interrupts; /* query_catch_up() ends when it changes; may be NULL */
    struct Note *note; /* note.h; borrowed. NULL: nothing is noted */
} RuntimeOptions;

Runtime *runtime_new(Io *io, Storage *storage, const RuntimeOptions *options);
void runtime_free(Runtime *runtime); /* all queries must be stopped */

/* Without workers: runs until nothing is left to do. */
ErrCode runtime_pump(Runtime *runtime, Err *err);

/* Where row errors of persistent queries are logged: a topic's id and partitions; topic_id 0:
 * nowhere. Returns when no commit on its way has records for another topic (or after five seconds,
 * if one does not get on), so that the old one may be dropped. */
typedef struct RuntimeLog {
    uint32_t topic_id, partitions;
    bool rows_include;   /* the bad record as well */
    int64_t records_max; /* kept in each partition */
} RuntimeLog;

void runtime_set_log(Runtime *runtime, const RuntimeLog *log);

/* -- Queries -------------------------------------------------------------------------------- */

typedef enum QueryState {
    QUERY_RUNNING,
    QUERY_PAUSED,
    QUERY_ERROR,    /* stopped at an exact offset; the reason is in QueryFigures */
    QUERY_FINISHED, /* LIMIT reached, or the end of a bounded read */
} QueryState;

/* Rows of a push query, worker -> client. Bounded: a slow client holds back its own query. The
 * text forms are made by who reads. */
typedef struct ResultQueue ResultQueue;

/* Bad records are left out, with a row error; these stop the query instead. */
typedef enum QueryFailOn {
    QUERY_FAIL_ON_TIME = 1,   /* no time where the source has a TIMESTAMP column */
    QUERY_FAIL_ON_DECODE = 2, /* key or value do not fit */
    QUERY_SKIP_FAILED = 4, /* not a failure: a record that makes an operator fail is left out, with
                              a row error, where the query would stop at it */
} QueryFailOn;

typedef struct QueryOptions {
    const Plan *plan;       /* must outlive the query */
    uint32_t first_id;      /* query_ids_needed() consecutive ids from storage_new_id() */
    uint32_t partitions;    /* as given to query_ids_needed(), and to lookups; 0: those of the
                               largest source */
    bool paused;            /* until query_pause(false) */
    bool from_end;          /* auto.offset.reset=latest for positions that are not there yet */
    bool table_first;       /* table sides are read to their present end first */
    bool consolidate;       /* one output per key and commit before table sinks */
    uint32_t step_rows;     /* rows a step takes at most; 0: as RuntimeOptions.step_rows */
    int64_t commit_interval_ms; /* under load; 0: as RuntimeOptions, -1: behind every step */
    uint32_t fail_on;       /* QueryFailOn: bad records that stop the query at them */
    int64_t retry_initial_ms, retry_max_ms; /* retry.h; 0: its defaults */
    bool bounded;           /* ends at the end offsets of the start: pull queries over streams */
    bool logged;            /* errors go to the processing log: query_set_logged() */
    ResultQueue *results;   /* PUSH; borrowed */
    /* Internal topics by REPARTITION node id -> topic id; made by the caller. */
    const uint32_t *internal_topics;
    const uint32_t *changelogs; /* likewise, of nodes that keep a store: with a cluster */
} QueryOptions;

/* Ids for the commit group, tasks and stores of a plan over `partitions` partitions (not fewer
 * than the largest of its sources has). */
uint32_t query_ids_needed(const Plan *plan, uint32_t partitions);

/* Whether node `id` of the plan (a REPARTITION) needs an internal topic, and its partitions. */
bool query_internal_topic(Runtime *runtime, const Plan *plan, uint32_t id, uint32_t *partitions);

/* Whether node `id` keeps a store; whether one that needs a changelog in the cluster, and its
 * partitions. */
bool query_keeps_store(const Plan *plan, uint32_t id);
bool query_changelog(Runtime *runtime, const Plan *plan, uint32_t id, uint32_t *partitions);

/* Opens operators, loads their state from the last commit, and begins. */
ErrCode query_start(Runtime *runtime, const QueryOptions *options, Query **query, Err *err);

/* Stops at the last commit and frees it; state and positions stay for the next start. */
void query_stop(Query *query);

/* Adds the removal of state and positions to a commit: TERMINATE, DROP. The query is stopped. */
void query_remove_state(Commit *commit, const Plan *plan, uint32_t first_id, uint32_t partitions);

void query_pause(Query *query, bool paused);

typedef struct QueryFigures {
    QueryState state;
    Err error; /* of state ERROR */
    uint64_t rows_in, rows_out, row_errors, late_rows, commits;
    uint64_t unread;   /* of rows_in: records that could not be read, each a row error */
    uint64_t filtered; /* rows that no WHERE or HAVING let through */
    uint64_t no_match; /* rows that found no other side in a join */
    uint64_t state_rows, state_bytes;
    uint64_t rate; /* records read in the last second */
    int64_t lag; /* records of its sources not yet processed */
    /* RUNNING, but waiting for the environment to heal: `error` is why; 0: it is not. */
    uint32_t retry_count;
    int64_t retry_in_ms; /* until it tries again */
    int64_t retry_for_ms; /* since the first try that failed */
    int64_t running_us; /* from its start to its end or to now */
} QueryFigures;

void query_figures(Query *query, QueryFigures *figures);

/* Where a query in ERROR has stopped, or waits: its position is there, and all before it is
 * committed (where it waits: is on its way to be). */
typedef struct QueryStop {
    bool known; /* otherwise it was no record that stopped it */
    bool waits; /* the query tries it again by itself */
    uint32_t task_id, owner_id; /* the latter: of the commit group */
    int32_t slot; /* with a cluster: of the group; COMMIT_NO_SLOT */
    TopicPartition where, lane; /* lane: what the position is kept under */
    int64_t offset;
    int64_t position; /* if it waits; may be before offset, with nothing to read in between */
    char topic[TOPIC_NAME_BYTES_MAX + 1];
} QueryStop;

void query_stopped_at(Query *query, QueryStop *stop);

/* Of one that waits: until all before the record is committed; false: not in this time. */
bool query_await_stop(Query *query, const QueryStop *stop, int64_t timeout_ms);

/* Whether the process ended in this query the last time, or did so twice before. It is to be
 * started before all others, which wait for it: query_await_trial(). */
bool query_is_suspect(Runtime *runtime, const Plan *plan, uint32_t first_id, uint32_t partitions);

/* Waits until it is through the rows in question, or has nothing left to read, or has stopped. */
ErrCode query_await_trial(Query *query, int64_t timeout_ms, Err *err);

/* The rows that ended the process twice may be run again, from the query's next start on. */
void query_release(Runtime *runtime, const Plan *plan, uint32_t first_id, uint32_t partitions);

/* "USER", "SYSTEM" or "UNKNOWN": whose fault an error of a query is. */
const char *query_error_type(ErrCode code);


/* What one operator did since the start, over all tasks; what was run again counts again. */
typedef struct OpFigures {
    uint64_t rows_in, rows_out, row_errors, late_rows, no_match, filtered;
    uint64_t rate;    /* rows out in the last second */
    uint64_t time_us; /* on all workers; of a source: reading and decoding */
    bool has_state;
    uint64_t state_rows, state_bytes;
    int64_t lag; /* of a source: records not yet processed */
} OpFigures;

/* figures[node of the plan]. From any thread. */
void query_op_figures(Query *query, OpFigures *figures);
/* Whether its errors go to the log: not those of queries that read the log, and what is made of
 * it. */
void query_set_logged(Query *query, bool logged);
uint32_t query_last_errors(Query *query, RowError target[ROW_ERRORS_KEPT]);

/* Waits until the query has committed and made visible everything its sources held when called
 * (for a query of several stages: to the end of each). LIMIT error naming the query and its lag
 * after timeout_ms; the query's own error when it is in ERROR; CANCELLED by an interrupt. */
ErrCode query_catch_up(Query *query, int64_t timeout_ms, Err *err);

/* Conformance cases: gives the query exactly these source records, in this order, each processed
 * to the end before the next when step_rows is 1, and the same bytes for any step size. Other
 * sources are read before, as far as they reach. Only without workers. */
typedef struct QueryScriptItem {
    uint32_t topic_id;
    int64_t offset; /* partition 0 */
} QueryScriptItem;

ErrCode query_run_script(Query *query, const QueryScriptItem *items, uint32_t count, Err *err);

/* The same of items [from, to) only: those before are done with, those behind come later. */
typedef struct QueryScript {
    const QueryScriptItem *items;
    uint32_t count, from, to;
} QueryScript;

ErrCode query_run_script_part(Query *query, const QueryScript *script, Err *err);

/* -- Results of push queries --------------------------------------------------------------- */

ResultQueue *result_queue_new(uint32_t rows_max);
void result_queue_free(ResultQueue *queue);

typedef struct ResultRows {
    const Schema *schema;
    const Column *const *columns;
    uint32_t count;      /* rows 0..count-1 */
    const uint8_t *kinds; /* RowKind */
    const int64_t *rowtimes;
    uint64_t error_count; /* of a lookup: values that failed and are NULL, or filtered their row */
    const char *error;    /* the last one's reason */
} ResultRows;

/* Takes the next rows; waits up to timeout_us (0: not at all). rows->count 0: none came in time,
 * or *ended (LIMIT reached, query stopped or failed: then *err has the reason). Borrowed until the
 * next call. */
ErrCode result_queue_take(ResultQueue *queue, int64_t timeout_us, ResultRows *rows, bool *ended,
                          Err *err);
/* Rows that wait and all that come are counted and dropped: a query without a reader. */
void result_queue_discard(ResultQueue *queue);
/* From any thread, also a signal's: wakes who waits; the queue ends with CANCELLED. */
void result_queue_cancel(ResultQueue *queue);

/* -- Lookups ----------------------------------------------------------------------------- */

typedef struct LookupStore {
    const Plan *plan;  /* of the query that owns the store */
    uint32_t first_id; /* its QueryOptions.first_id */
    uint32_t partitions;
} LookupStore;

/* Runs a PULL plan on a snapshot on the caller's thread; `store` NULL: it reads none. Everything in
 * *rows lives in `arena`; rows come in key order, or as ORDER BY says. */
ErrCode lookup_run(Runtime *runtime, const Plan *plan, const LookupStore *store, Arena *arena,
                   ResultRows *rows, Err *err);

/* The same for its figures alone: figures[node of the plan]. */
ErrCode lookup_analyze(Runtime *runtime, const Plan *plan, const LookupStore *store, Arena *arena,
                       OpFigures *figures, Err *err);

#endif
