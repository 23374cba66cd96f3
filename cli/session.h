/*
 * session.h - what all ways of giving statements share: the engine, how rows are shown, Ctrl-C.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/feed.h"
#include "cli/file_stream.h"
#include "cli/output.h"

typedef struct Session {
    Weir *weir;
    OutputFormat format;
    bool interactive;
    bool timing;        /* how long a statement took, behind its rows */
    bool no_pager;
    bool no_start_file;
    const char *colour;  /* "auto", "always", "never" */
    int64_t rows_max;    /* of each push query; 0: no limit */
    FileStream *file_stream; /* `weir FILE`: push queries of scripts end with it; NULL: none */
    bool go_on;          /* behind a statement that failed */
    bool failed;         /* one did */
    bool said_fenced;    /* by a statement */
    bool only_new;       /* statements that the service has executed before are left out */
    uint32_t depth;   /* scripts that run scripts */
    const char *file; /* whose statements run; NULL: none to be named in errors */
} Session;

/* Set by Ctrl-C, and by the signals that end the program. */
extern volatile sig_atomic_t session_stop;

/* The signal that ends the program (SIGTERM, SIGHUP, SIGALRM of --timeout); 0: none came. */
extern volatile sig_atomic_t session_end;

enum { SESSION_EXIT_FENCED = 5 };

/* From now on signals interrupt what `session` executes. */
void session_catch_signals(const Session *session);

/* The exit status of what session_stop has ended: 4 (the time was over), 130 (interrupted), 128 and
 * the signal. */
int session_stop_status(void);

/* Runs the statements of a script and shows results. Stops at the first that fails and says so on
 * standard error with its place, unless it is to go on. Exit status: 0, 1 (a statement failed), 4
 * (the time was over), 5 (fenced), 130 (interrupted). */
int session_run(Session *session, WeirScript *script);

/* The same for statements that come from a file, a pipe or standard input ("-"): each runs when its
 * ';' has come. */
int session_run_file(Session *session, const char *path);

/* The interactive shell until end of input or \q. */
int session_shell(Session *session, const char *folder);

#endif
