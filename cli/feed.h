/*
 * feed.h - statements cut from text that comes in pieces: standard input, files, typed lines.
 *
 *   while (bytes come) { feed_add(); while (feed_next()) run feed->script; }  feed_rest(); run it
 *
 * A statement is given out when its ';' has come, without a look at what follows. Lines are counted
 * over the whole text, so an error names the line of the file.
 */
#ifndef CLI_FEED_H
#define CLI_FEED_H

#include "base/buf.h"
#include "engine/weir.h"

typedef struct Feed {
    Buf text;          /* from the line of the next statement on */
    size_t scanned;    /* no ';' in front of it ends the next statement */
    char open;         /* at `scanned`: ' " ` * (a comment), - (one up to its line's end), or NUL */
    WeirScript script; /* what was given out last; `next` is where the next statement begins */
} Feed;

void feed_add(Feed *feed, const void *bytes, size_t size);

/* Whether a whole statement is there: then feed->script is it, to be executed to its end before
 * the next call. */
bool feed_next(Feed *feed);

/* All that is left, whether it ends in ';' or not. */
void feed_rest(Feed *feed);

/* What is left and no statement yet; borrowed until the next call. */
const char *feed_pending(Feed *feed);
bool feed_is_blank(Feed *feed); /* nothing but blanks and comments is left */

/* Forgets everything; lines are counted from 1 again. */
void feed_reset(Feed *feed);
void feed_close(Feed *feed);

#endif
