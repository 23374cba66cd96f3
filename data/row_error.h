/*
 * row_error.h - the road of bad records: counted, the last ones kept with their place and reason.
 *
 * A query has one RowErrors, which anyone may look at, under its lock. Each of its commit groups
 * has one of its own that passes on what it gets: the group's thread alone uses it. What the group
 * is to log with its next commit waits in it, up to a bound; the rest is counted.
 * No row error travels up the C stack.
 */
#ifndef DATA_ROW_ERROR_H
#define DATA_ROW_ERROR_H

#include "base/thread.h"

enum { ROW_ERRORS_KEPT = 10, ROW_ERROR_TEXT_SIZE = 240, ROW_ERRORS_PENDING_MAX = 64 };

typedef struct RowError {
    char kind[24]; /* "deserialization", "expression", "serialization", "timestamp", ... */
    char step[64]; /* path of the plan's node that met it */
    char topic[64];
    int32_t partition;
    bool of_key; /* deserialization: of the key, not the value */
    int64_t offset;
    int64_t rowtime;
    char text[ROW_ERROR_TEXT_SIZE];
} RowError;

typedef struct RowErrors RowErrors;

struct RowErrors {
    Lock lock;
    uint64_t count;
    RowError last[ROW_ERRORS_KEPT]; /* a ring: last[(count - 1) % KEPT] is the newest */

    /* Of a group; no lock. */
    RowErrors *parent;  /* NULL: this is a query's */
    const char *step;   /* the node at work; NULL: not known */
    uint64_t passed;    /* to row_errors_add() so far */
    bool logs;          /* errors wait for the log */
    RowError *pending;  /* ROW_ERRORS_PENDING_MAX of them; NULL: none so far */
    uint32_t pending_count;
    uint64_t pending_more; /* had no room */
};

void row_errors_init(RowErrors *errors);
void row_errors_init_group(RowErrors *errors, RowErrors *parent);
void row_errors_close(RowErrors *errors);
void row_errors_add(RowErrors *errors, const RowError *error);

/* Whether a note would be kept; and what is no error but goes to the log, as a late row. */
static inline bool row_errors_has_room(const RowErrors *errors) {
    return errors->logs && errors->pending_count < ROW_ERRORS_PENDING_MAX;
}
void row_errors_note(RowErrors *errors, const RowError *error);

/* Forgets what waits for the log: it was handed over, or the group rolls back. */
void row_errors_forget(RowErrors *errors);

/* Copies the kept errors, newest first; returns how many. *count is how many there were. */
uint32_t row_errors_last(RowErrors *errors, RowError target[ROW_ERRORS_KEPT], uint64_t *count);

#endif
