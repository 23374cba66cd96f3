/*
 * state_session_impl.h - the inside of the shape "session".
 *
 *   state_session.c        chains, heaps, changes
 *   state_session_epoch.c  commits, undo, loading
 */
#ifndef RUNTIME_STATE_SESSION_IMPL_H
#define RUNTIME_STATE_SESSION_IMPL_H

#include "runtime/state_session.h"

void session_init(StateSession *sessions);

/* A present slot into its chain and its heap, and out of both. */
void session_link(StateSession *sessions, Slot *slot);
void session_unlink(StateSession *sessions, Slot *slot);

/* While loading: a slot that still has to be linked. */
Slot *session_load(StateSession *sessions, SessionKey key, int64_t start, int64_t end);

#endif
