/*
 * pager.h - standard output through $PAGER while a finite result is longer than the screen.
 */
#ifndef CLI_PAGER_H
#define CLI_PAGER_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct Pager {
    pid_t child;  /* 0: none */
    int terminal; /* what standard output was */
} Pager;

/* Whether so many lines want one here: they do not fit the terminal, and there is a pager ($PAGER,
 * else less where it is installed; PAGER='' is none). */
bool pager_is_wanted(unsigned long lines);

/* From now on standard output goes to it. false: it could not be started. */
bool pager_begin(Pager *pager);

/* Waits until the person has seen enough; standard output is the terminal again. */
void pager_end(Pager *pager);

#endif
