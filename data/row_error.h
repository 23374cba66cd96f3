/*
 * row_error.h - the road of bad records: counted, the last ones kept with their place and reason.
 *
 * One RowErrors per task, written by the task's thread only; the engine reads it under the lock.
 * No row error travels up the C stack.
 */
#ifndef DATA_ROW_ERROR_H
#define DATA_ROW_ERROR_H

#include "base/thread.h"

enum { ROW_ERRORS_KEPT = 10, ROW_ERROR_TEXT_SIZE = 240 };

typedef struct RowError {
    char kind[24]; /* "deserialization", "expression", "serialization", "timestamp", ... */
    char topic[64];
    int32_t partition;
    int64_t offset;
    int64_t rowtime;
    char text[ROW_ERROR_TEXT_SIZE];
} RowError;

typedef struct RowErrors {
    Lock lock;
    uint64_t count;
    RowError last[ROW_ERRORS_KEPT]; /* a ring: last[(count - 1) % KEPT] is the newest */
} RowErrors;

void row_errors_init(RowErrors *errors);
void row_errors_close(RowErrors *errors);
void row_errors_add(RowErrors *errors, const RowError *error);

/* Copies the kept errors, newest first; returns how many. *count is how many there were. */
uint32_t row_errors_last(RowErrors *errors, RowError target[ROW_ERRORS_KEPT], uint64_t *count);

#endif
