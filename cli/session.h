/*
 * session.h - what all ways of giving statements share: the engine, how rows are shown, Ctrl-C.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/output.h"

typedef struct Session {
    Weir *weir;
    OutputFormat format;
    bool interactive;
} Session;

/* Set by Ctrl-C; cleared before each statement. */
extern volatile sig_atomic_t session_stop;

void session_catch_interrupts(void);

/* Runs every statement of the text and shows results. Stops at the first that fails and says so on
 * standard error with its place. Exit status: 0, 1 (a statement failed), 130 (interrupted). */
int session_run(Session *session, const char *sql);

/* The interactive shell until end of input or \q. */
int session_shell(Session *session, const char *folder);

#endif
