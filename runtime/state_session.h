/*
 * state_session.h - the shape "session": the sessions of each key, ordered by time, and an order by
 * end over all keys.
 *
 * A session is a slot whose fixed part begins with a Session. It keeps its slot while it grows:
 * bounds change in place, and only a commit turns them into keys of the store:
 *
 *   key := row key, end, start (8 bytes big-endian each)
 *
 * Links and heaps are not part of an epoch: an undo takes the slots it restores out of them first,
 * and puts those that are there again back. Links never lead to an absent slot.
 *
 * A session is found as long as its end plus the retention is after stream time, as in Kafka
 * Streams. With EMIT FINAL a session is found until it is closed, and never again.
 */
#ifndef RUNTIME_STATE_SESSION_H
#define RUNTIME_STATE_SESSION_H

#include "runtime/state.h"

/* What a session waits for: to be closed (EMIT FINAL), or to expire. */
typedef enum SessionWait { SESSION_OPEN, SESSION_KEPT, SESSION_WAITS } SessionWait;

typedef struct Session {
    int64_t start, end; /* of its first and last row */
    int64_t due;        /* the end it is queued under: its end of some time, never a later one */
    Slot *earlier, *later; /* of its key, in order of end, then start */
    uint32_t place;        /* 1 + index in its heap; 0: in none, and not linked */
    uint32_t changed;      /* the last epoch that changed bounds or states */
    uint8_t wait;          /* SessionWait */
    bool marked;           /* during an undo */
} Session;
_Static_assert(sizeof(Session) == SESSION_FIXED_SIZE, "states begin behind it");

static inline Session *session_of(Slot *slot) {
    return (Session *)(void *)slot->fixed;
}

typedef struct SessionHeap {
    Slot **slots; /* the smallest due first */
    size_t count, capacity;
} SessionHeap;

/* Hash of a row key to its last session. */
typedef struct SessionChain {
    uint64_t hash;
    Slot *last; /* NULL: free */
} SessionChain;

typedef struct StateSession {
    State state;
    StateSpec spec;
    StateLog log;
    SlotTable slots;
    int64_t gap_ms, grace_ms, retention_ms;
    WindowFinal final;
    int64_t stream_time; /* INT64_MIN: no row yet */
    int64_t stream_time_submitted, stream_time_settled;
    SessionChain *chains;
    uint32_t mask, chain_count;
    uint64_t next_serial;
    SessionHeap heaps[SESSION_WAITS];
    StateGiven given; /* EMIT FINAL */
} StateSession;

ErrCode state_session_new(const StateSpec *spec, StateSession **sessions, Err *err);

/* A row key with its hash. */
typedef struct SessionKey {
    Bytes key;
    uint64_t hash;
} SessionKey;

/* Sessions of a key that a row at `rowtime` would belong to, by end; `before`: the stream time
 * before that row. Appends to *found (grown by base/mem.h); returns how many. */
typedef struct SessionList {
    Slot **slots;
    size_t count, capacity;
} SessionList;

void state_session_find(StateSession *sessions, SessionKey key, int64_t rowtime, int64_t before,
                        SessionList *found);

/* A new one without rows: states at birth. */
Slot *state_session_add(StateSession *sessions, SessionKey key, int64_t start, int64_t end);

/* Makes it ready to be changed, and gives it new bounds: its end does not go back. */
void state_session_grow(StateSession *sessions, Slot *slot, int64_t start, int64_t end);

/* Its states are taken over by another, or not wanted any more. */
void state_session_remove(StateSession *sessions, Slot *slot);

/* EMIT FINAL: moves open sessions that end before `close_time` to `closed`, in order of end, start,
 * key: about `wanted`, all that end at one time together. They stay until they expire. */
void state_session_close(StateSession *sessions, int64_t close_time, size_t wanted,
                         SessionList *closed);

/* Whether there is an open session that ends before `close_time`. */
bool state_session_closes(StateSession *sessions, int64_t close_time);

/* The first end of an open session; INT64_MAX: none is. */
int64_t state_session_first_end(StateSession *sessions);

/* Removes what expired at the present stream time. */
void state_session_expire(StateSession *sessions);

Bytes session_row_key(const Slot *slot);

/* The last session of a key; NULL: it has none. */
Slot *state_session_last(const StateSession *sessions, SessionKey key);

#endif
