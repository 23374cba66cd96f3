/*
 * history.h - what was typed before, newest first, kept for this user alone.
 *
 * The file has a statement a line ('\n' and '\\' escaped), oldest first, mode 0600. Each new entry
 * is appended at once, so several shells share it and one that is killed forgets nothing; at twice
 * its limit it is written anew. What looks like a secret is not kept at all.
 */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct History History;

/* $XDG_STATE_HOME/weir/history or ~/.local/state/weir/history; kept in memory only where neither
 * can be written. */
History *history_open(void);
void history_close(History *history);

void history_add(History *history, const char *text);

/* The entry `back` before now (0: the newest); NULL: there is none. Borrowed until the next add. */
const char *history_at(const History *history, uint32_t back);

/* The first entry at or behind `back` with `part` in it, case ignored; UINT32_MAX: none. */
uint32_t history_search(const History *history, const char *part, uint32_t back);

/* What follows `begin` in the newest entry that begins with it; "" where none does. */
const char *history_rest(const History *history, const char *begin);

#endif
