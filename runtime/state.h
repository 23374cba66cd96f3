/*
 * state.h - the store of one operator in one task: read and changed in place between commits.
 *
 * The commit group sees only State: save what changed into a commit, settle when it is durable,
 * undo when it is not to be. Two shapes:
 *
 *   StateTable   hash -> slot                       materialised tables, plain aggregates
 *   StateWindow  one hash per window start          windowed aggregates; a bucket goes as a whole
 */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include <stdatomic.h>

#include "runtime/state_given.h"
#include "runtime/store_layout.h"
#include "storage/commit.h"
#include "storage/store.h"

typedef struct State State;

typedef struct StateFigures {
    uint64_t rows, bytes;
    uint64_t unmatched; /* of a join's rows those that have no other side, as they are now */
} StateFigures;

/* A number that is kept with a state, and undone with it. */
typedef struct StateCount {
    uint64_t now, submitted, settled;
} StateCount;

static inline void state_count_submit(StateCount *count) {
    count->submitted = count->now;
}

static inline void state_count_settle(StateCount *count) {
    count->settled = count->submitted;
}

static inline void state_count_undo(StateCount *count, bool submitted_too) {
    if (submitted_too)
        count->submitted = count->settled;
    count->now = count->submitted;
}

typedef struct StateOps {
    const char *name;
    /* Encodes what changed since the last save; the epoch waits then for settle() or undo().
     * commit NULL: nothing is kept, this state lives in memory only. */
    void (*save)(State *state, Commit *commit);
    void (*settle)(State *state);
    void (*undo)(State *state, bool submitted_too);
    size_t (*pending)(const State *state); /* about, of the next save; 0: nothing changed */
    void (*figures)(const State *state, StateFigures *figures);
    void (*close)(State *state);
} StateOps;

struct State {
    const StateOps *ops;
    _Atomic uint64_t rows, bytes, unmatched; /* its figures at the last commit, for anyone */
};

/* The stores of a commit group. */
typedef struct StateList {
    State **items;
    size_t count, capacity;
} StateList;

void state_list_add(StateList *list, State *state);

/* What opens a store. */
typedef struct StateSpec {
    const StoreLayout *layout;
    uint32_t store_id;
    Snapshot *snapshot; /* NULL: it begins empty */
} StateSpec;

typedef struct StateTable {
    State state;
    StateSpec spec;
    StateLog log;
    SlotTable slots;
} StateTable;

ErrCode state_table_new(const StateSpec *spec, StateTable **table, Err *err);

typedef struct WindowBucket {
    int64_t start;
    bool expired;
    SlotTable slots;
} WindowBucket;

typedef struct BucketList {
    WindowBucket **items;
    size_t count, capacity;
} BucketList;

typedef struct StateWindow {
    State state;
    StateSpec spec;
    StateLog log;
    int64_t retention_ms; /* from a window's start on */
    int64_t stream_time;  /* INT64_MIN: no row yet */
    int64_t stream_time_submitted, stream_time_settled;
    BucketList buckets; /* in order of start */
    size_t last;        /* index of the bucket used last */
    StateGiven given;   /* EMIT FINAL */
    /* Dropped by the running and by the submitted epoch: their memory goes when that settles. */
    BucketList expired, expired_earlier;
} StateWindow;

ErrCode state_window_new(const StateSpec *spec, StateWindow **window, Err *err);

/* The end of a window: there are rows near the end of all time. */
static inline int64_t state_window_end(int64_t start, int64_t size_ms) {
    return start > INT64_MAX - size_ms ? INT64_MAX : start + size_ms;
}

/* The bucket of the window that starts at `start`; made when missing. */
WindowBucket *state_window_bucket(StateWindow *window, int64_t start);

/* The first start after `start` of a bucket; INT64_MAX: none. */
int64_t state_window_next(const StateWindow *window, int64_t start);

/* Drops every bucket whose retention is over at the present stream time. */
void state_window_expire(StateWindow *window);

/* Both shapes' save: the slots of the running epoch's images. Those of expired buckets are left
 * out: their whole range goes. windowed: the tables are buckets. */
void state_save_images(const StateSpec *spec, const StateLog *log, Commit *commit, bool windowed);

/* The last note of each element of the running epoch; those of expired buckets are left out. The
 * other shapes call it in their save. */
void state_save_elements(const StateSpec *spec, const StateLog *log, Commit *commit,
                         bool windowed);

#endif
