/*
 * retry.h - what to do about a query's error: the user's to mend, or the system's to wait out.
 *
 * An error of a query is USER (its records or what it asks for), SYSTEM (the environment), or
 * UNKNOWN (our fault). A query stops in state ERROR on all of them, but for those that may heal by
 * themselves (err_action() says RETRY: no space left, a timeout): there the commit group waits and
 * tries again, first after retry_initial_ms, then twice as long each time up to retry_max_ms, for
 * ever. Meanwhile the query's figures say so.
 */
#ifndef RUNTIME_RETRY_H
#define RUNTIME_RETRY_H

#include "runtime/runtime.h"

/* Of one commit group. Zeroed: nothing is waited for. */
typedef struct Retry {
    uint32_t count; /* tries in a row that failed */
    int64_t wait_us, at_us;
} Retry;

/* One more try failed at now_us: says when the next one is due. `stop`: the record that it is
 * about; NULL, or not known: none. */
void retry_failed(Retry *retry, Query *query, const Err *err, const QueryStop *stop,
                  int64_t now_us);

/* A try went well; the query's figures forget. */
void retry_over(Retry *retry, Query *query);

static inline bool retry_is_due(const Retry *retry, int64_t now_us) {
    return retry->count == 0 || now_us >= retry->at_us;
}

#endif
