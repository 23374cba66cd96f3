/*
 * state_given.h - EMIT FINAL: how far the results of a store were given out.
 *
 * One row can close more than a commit holds. Where output has come to is part of the state, so
 * that commits may come between, and a restart goes on behind what is durable:
 *
 *   given := zig-zag until, varint size, key (behind the stream time in the store)
 */
#ifndef RUNTIME_STATE_GIVEN_H
#define RUNTIME_STATE_GIVEN_H

#include "base/buf.h"
#include "base/reader.h"

typedef struct GivenMark {
    int64_t until; /* windows that start, sessions that end there or earlier; -1: none */
    Buf key;       /* groups of the window after that, up to this key; empty: none of them */
} GivenMark;

typedef struct StateGiven {
    GivenMark now, submitted, settled;
} StateGiven;

void state_given_init(StateGiven *given, int64_t until); /* all three; keys are empty */
void state_given_close(StateGiven *given);

void state_given_move(StateGiven *given, int64_t until); /* `now`, with an empty key */
void state_given_key(StateGiven *given, Bytes key);

bool state_given_changed(const StateGiven *given); /* since the last submit */
void state_given_submit(StateGiven *given);
void state_given_settle(StateGiven *given);
void state_given_undo(StateGiven *given, bool submitted_too);

void state_given_put(const StateGiven *given, Buf *out);
/* While loading, all three. false: damaged bytes. */
bool state_given_get(StateGiven *given, Reader *in);

#endif
