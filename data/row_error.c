/*
 * row_error.c - see row_error.h.
 *
 * A ring under a lock. Bad rows are rare or come in floods; in a flood the lock is uncontended
 * (one writer, readers only when someone looks), and the copy of 400 bytes is what a bad row costs.
 */
#include "data/row_error.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void row_errors_init(RowErrors *errors) {
    assert(errors);
    memset(errors, 0, sizeof *errors);
    lock_init(&errors->lock);
}

void row_errors_init_group(RowErrors *errors, RowErrors *parent) {
    assert(parent && !parent->parent);
    row_errors_init(errors);
    errors->parent = parent;
}

void row_errors_close(RowErrors *errors) {
    assert(errors);
    lock_close(&errors->lock);
    mem_free(errors->pending);
}

static void row_errors_wait(RowErrors *errors, const RowError *error) {
    if (!errors->logs)
        return;
    if (!row_errors_has_room(errors)) {
        errors->pending_more++;
        return;
    }
    if (!errors->pending)
        errors->pending = mem_array(ROW_ERRORS_PENDING_MAX, sizeof *errors->pending);
    errors->pending[errors->pending_count++] = *error;
}

static void row_errors_keep(RowErrors *errors, const RowError *error) {
    lock_take(&errors->lock);
    errors->last[errors->count % ROW_ERRORS_KEPT] = *error;
    errors->count++;
    lock_release(&errors->lock);
}

/* With the step at work, unless it has one. */
static RowError row_errors_placed(const RowErrors *errors, const RowError *error) {
    RowError placed = *error;
    if (errors->step && !placed.step[0])
        snprintf(placed.step, sizeof placed.step, "%s", errors->step);
    return placed;
}

void row_errors_add(RowErrors *errors, const RowError *error) {
    assert(errors && error);
    errors->passed++;
    if (!errors->parent) {
        row_errors_keep(errors, error);
        return;
    }
    RowError placed = row_errors_placed(errors, error);
    row_errors_wait(errors, &placed);
    row_errors_keep(errors->parent, &placed);
}

void row_errors_note(RowErrors *errors, const RowError *error) {
    RowError placed = row_errors_placed(errors, error);
    row_errors_wait(errors, &placed);
}

void row_errors_forget(RowErrors *errors) {
    assert(errors);
    errors->pending_count = 0;
    errors->pending_more = 0;
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
