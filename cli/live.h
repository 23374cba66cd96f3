/*
 * live.h - a push query in front of a person: a line that says how it goes, a hint where nothing
 * comes, and keys: space pauses, q ends.
 *
 * The line stands on standard error below the rows and is taken away before the next row. While
 * rows flow, the terminal's keys come one by one and are not shown.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "engine/weir.h"

typedef struct Live {
    bool wanted;
    bool keys;   /* the terminal gives them one by one */
    bool shown;  /* the line is there */
    bool paused, left, hinted;
    struct termios before;
    int64_t begin_us, told_us;
    uint64_t told_rows;
} Live;

void live_begin(Live *live, bool wanted);
void live_end(Live *live);

/* Draws the line anew, at most some times a second; after 3 s without rows it hints. */
void live_tell(Live *live, WeirResult *result, uint64_t rows);

/* Takes the line away: rows follow. */
void live_clear(Live *live);

/* Looks at the keys; true: rows are to wait (a moment has been waited). */
bool live_pause(Live *live, WeirResult *result, uint64_t rows);

/* Waits, and looks at the keys; false: q was pressed, or *stop is set (stop may be NULL). */
bool live_wait(Live *live, int64_t timeout_us, const volatile sig_atomic_t *stop);

/* A grey line of the terminal that standard error is, in the place of the one there; cut to its
 * width. */
void live_line(const char *text);

/* Whether q was pressed. */
bool live_is_left(const Live *live);

#endif
