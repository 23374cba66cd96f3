/*
 * shell_impl.h - what the shell and its commands share.
 */
#ifndef CLI_SHELL_IMPL_H
#define CLI_SHELL_IMPL_H

#include "cli/edit.h"
#include "cli/session.h"

struct Shell {
    Session *session;
    Edit *edit;
    History *history;
    Buf last;  /* the last statements that were run, for \g, \watch and \e */
    Buf begin; /* what the next prompt begins with */
    bool leave;
    char prompt[16];
};

/* Runs SQL as if it had been typed. Exit status as session_run(). */
int shell_run(struct Shell *shell, const char *sql);

#endif
