/*
 * retry.c - see retry.h.
 */
#include "runtime/retry.h"

#include <assert.h>

#include "runtime/worker.h"

enum {
    RETRY_INITIAL_MS = 1000,
    RETRY_MAX_MS = 60000,
    RETRY_CLUSTER_MAX_MS = 5000, /* a broker is back in seconds, and asking it costs little */
};

static int64_t retry_max_ms(const QueryOptions *options, ErrCode code) {
    int64_t max_ms = options->retry_max_ms > 0 ? options->retry_max_ms : RETRY_MAX_MS;
    bool local = code == ERR_NO_SPACE || code == ERR_TIMEOUT;
    return local || max_ms < RETRY_CLUSTER_MAX_MS ? max_ms : RETRY_CLUSTER_MAX_MS;
}

void retry_failed(Retry *retry, Query *query, const Err *err, const QueryStop *stop,
                  int64_t now_us) {
    assert(err_action(err->code) == ERR_ACTION_RETRY);
    const QueryOptions *options = &query->options;
    int64_t first_ms = options->retry_initial_ms > 0 ? options->retry_initial_ms : RETRY_INITIAL_MS;
    int64_t max_ms = retry_max_ms(options, err->code);
    retry->wait_us = retry->count == 0 ? first_ms * 1000 : retry->wait_us * 2;
    if (retry->wait_us > max_ms * 1000)
        retry->wait_us = max_ms * 1000;
    retry->count++;
    retry->at_us = now_us + retry->wait_us;
    assert(retry->wait_us > 0);
    lock_take(&query->lock);
    if (query->retry_count == 0)
        query->retry_since_us = now_us;
    query->retry_error = *err;
    query->retry_stop = stop ? *stop : (QueryStop){0};
    query->retry_at_us = retry->at_us;
    query->retry_count = retry->count;
    lock_release(&query->lock);
}

void retry_over(Retry *retry, Query *query) {
    assert(query);
    if (retry->count == 0)
        return;
    *retry = (Retry){0};
    lock_take(&query->lock);
    query->retry_count = 0;
    lock_release(&query->lock);
}

const char *query_error_type(ErrCode code) {
    assert(code != ERR_OK);
    if (err_action(code) == ERR_ACTION_RETRY)
        return "SYSTEM";
    switch (code) {
    case ERR_INTERNAL:
        return "UNKNOWN";
    case ERR_BUSY:
    case ERR_FENCED:
    case ERR_IO:
    case ERR_CORRUPT:
    case ERR_STORAGE_FAILED:
        return "SYSTEM";
    default:
        return "USER";
    }
}
