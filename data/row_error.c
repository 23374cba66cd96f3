/*
 * row_error.c - see row_error.h.
 *
 * A ring under a lock. Bad rows are rare or come in floods; in a flood the lock is uncontended
 * (one writer, readers only when someone looks), and the copy of 400 bytes is what a bad row costs.
 */
#include "data/row_error.h"

#include <assert.h>
#include <string.h>

void row_errors_init(RowErrors *errors) {
    assert(errors);
    memset(errors, 0, sizeof *errors);
    lock_init(&errors->lock);
}

void row_errors_close(RowErrors *errors) {
    assert(errors);
    lock_close(&errors->lock);
}

void row_errors_add(RowErrors *errors, const RowError *error) {
    assert(errors && error);
    lock_take(&errors->lock);
    errors->last[errors->count % ROW_ERRORS_KEPT] = *error;
    errors->count++;
    lock_release(&errors->lock);
}

uint32_t row_errors_last(RowErrors *errors, RowError target[ROW_ERRORS_KEPT], uint64_t *count) {
    assert(errors && target && count);
    lock_take(&errors->lock);
    uint64_t total = errors->count;
    uint32_t kept = total < ROW_ERRORS_KEPT ? (uint32_t)total : ROW_ERRORS_KEPT;
    for (uint32_t i = 0; i < kept; i++)
        target[i] = errors->last[(total - 1 - i) % ROW_ERRORS_KEPT];
    lock_release(&errors->lock);
    *count = total;
    return kept;
}
