/*
 * client_statement.h - statements that are the client's own: RUN SCRIPT and SPOOL.
 */
#ifndef CLI_CLIENT_STATEMENT_H
#define CLI_CLIENT_STATEMENT_H

#include "cli/session.h"

/* If the next statement of the script is the client's, runs it, moves the script behind it, and
 * sets *status as session_run() would return it. false: it is the engine's. */
bool client_statement(Session *session, WeirScript *script, int *status);

/* Whether the next statement looks once at what is there, and so wants all rows of a file stream: a
 * lookup, COPY ... TO, EXPLAIN ANALYZE. */
bool client_looks_once(const WeirScript *script);

#endif
