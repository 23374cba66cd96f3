/*
 * progress.h - a line on the terminal that says how far something long is: a COPY, or a new query
 * that reads what its sources hold already.
 *
 * It stands on standard error where that is a terminal, comes after a moment and goes at the end.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <signal.h>

#include "base/buf.h"
#include "engine/weir.h"

/* WeirOptions.progress of a program in front of a person. */
void progress_work(void *context, const WeirWork *work);

/* Takes the line away: something else is written. */
void progress_clear(void);

/* Follows the query that the statement has made until it has read what was there, or a key is
 * pressed, which is left for who reads next. */
void progress_catch_up(WeirResult *result, const volatile sig_atomic_t *stop);

/* Appends "63 %, 1.2 M rows/s, ~4 s left"; what is not known (total 0, rate 0) is left out. */
void progress_put(Buf *out, uint64_t done, uint64_t total, double rate, double seconds_left);

#endif
