/*
 * server.h - `weir server`: queries run until somebody ends the process.
 */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include "cli/session.h"

/* Says on standard output that it is ready, and waits. 0: SIGTERM, SIGINT or SIGHUP; 5: fenced; 1:
 * nothing can be promised any more. */
int server_run(Session *session);

#endif
