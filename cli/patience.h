/*
 * patience.h - a line for people who wait for a Kafka cluster: what is wrong with it, and since
 * when; and when they have waited enough.
 */
#ifndef CLI_PATIENCE_H
#define CLI_PATIENCE_H

#include <stdbool.h>

/* What begins may have to wait: a statement, or the start. Opening gives up after some seconds
 * where no server can be reached; a server has more of them. */
typedef enum PatienceKind {
    PATIENCE_STATEMENT,
    PATIENCE_OPENING,
    PATIENCE_OPENING_SERVER,
} PatienceKind;

void patience_of(PatienceKind kind);
void patience_over(void);

/* WeirOptions.waits. */
bool patience_waits(void *context, const char *why);

#endif
