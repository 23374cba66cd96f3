/*
 * processing_log.h - the row errors of a commit group as records of the processing log.
 *
 * They go into the very commit that moves the group past the bad rows, so that after a crash none
 * is there twice and none is lost, but for what is over the bound: a commit holds
 * ROW_ERRORS_PENDING_MAX of them, and one entry that counts the rest.
 *
 *   begin -> the commit is handed over, or dropped -> end
 */
#ifndef RUNTIME_PROCESSING_LOG_H
#define RUNTIME_PROCESSING_LOG_H

#include "runtime/group.h"

/* Puts what waits into the group's outbox, and old records' end into `commit`. false: there is
 * nothing, or no log. While it is true, runtime_set_log() waits for end(). */
bool processing_log_begin(Group *group, Commit *commit);
void processing_log_end(Group *group);

/* Whether errors of this group are to wait for the log. */
bool processing_log_wanted(const Group *group);

#endif
