/*
 * op_foreign.h - how a foreign-key join of two tables is done, and what its operators tell each
 * other.
 *
 *   left table -> SUBSCRIBE ~> JOIN_FOREIGN ~> RESOLVE -> ...        ~> REPARTITION: another task,
 *                 right table ---^                                      or the same one
 *
 * SUBSCRIBE knows the foreign key of each left row, and sends the row to where the right row of
 * that key is, and word to where it was. JOIN_FOREIGN keeps left rows by foreign key beside the
 * right rows, and makes results for changes of either. Results come back under the left key;
 * those of one left row may come from two tasks where its foreign key changed. Its version, the
 * offset of its record, says which are stale: RESOLVE drops them.
 *
 * Between them rows are a stream whose last column is a note: version * 4 + ForeignNote.
 */
#ifndef RUNTIME_OP_FOREIGN_H
#define RUNTIME_OP_FOREIGN_H

#include "runtime/op.h"

typedef enum ForeignNote {
    FOREIGN_ROW,    /* the row as it is now; to JOIN_FOREIGN: no answer without a match (INNER) */
    FOREIGN_CHANGE, /* the same, where something may have to be taken back: always an answer */
    FOREIGN_LEAVE,  /* the row refers to another key now; no answer */
    FOREIGN_DELETE, /* the row is gone */
} ForeignNote;

static inline int64_t foreign_note(int64_t version, ForeignNote note) {
    assert(version >= 0);
    return version * 4 + (int64_t)note;
}

static inline int64_t foreign_version(int64_t note) {
    return note >> 2;
}

static inline ForeignNote foreign_kind(int64_t note) {
    return (ForeignNote)(note & 3);
}

#endif
