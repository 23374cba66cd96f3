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
 * So that RESOLVE knows when none can be under way, each row that comes under a foreign key enters
 * there with its version, and leaves with the version at which it came; JOIN_FOREIGN tells both. A
 * task's words stay in order. Hence, once everything that entered has left, there is nothing more
 * to come: the task where the row was last has told of its coming, so it has told of its leaving,
 * so has the one before, and so on. (`sum` in op_resolve.c.)
 *
 * Between them rows are a stream whose last column is a note: version * 4 + ForeignNote, or that
 * number's complement for a row that enters.
 */
#ifndef RUNTIME_OP_FOREIGN_H
#define RUNTIME_OP_FOREIGN_H

#include "runtime/op.h"

typedef enum ForeignNote {
    FOREIGN_ROW,    /* the row as it is now; to JOIN_FOREIGN: no answer without a match (INNER) */
    FOREIGN_CHANGE, /* the same, where something may have to be taken back: always an answer */
    FOREIGN_LEAVE,  /* the row does not refer to the key any more; its version is the one at which
                       it came. To RESOLVE: no row, only that it left (or entered) */
    FOREIGN_DELETE, /* the row is gone */
} ForeignNote;

static inline int64_t foreign_note(int64_t version, ForeignNote note) {
    assert(version >= 0);
    return version * 4 + (int64_t)note;
}

static inline int64_t foreign_note_entering(int64_t note, bool enters) {
    assert(note >= 0);
    return enters ? ~note : note;
}

static inline bool foreign_enters(int64_t note) {
    return note < 0;
}

static inline int64_t foreign_version(int64_t note) {
    return (note < 0 ? ~note : note) >> 2;
}

static inline ForeignNote foreign_kind(int64_t note) {
    return (ForeignNote)((note < 0 ? ~note : note) & 3);
}

#endif
