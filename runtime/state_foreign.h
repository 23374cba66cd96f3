/*
 * state_foreign.h - the shape "foreign": the rows of a right table, and under each key of it the
 * left rows that refer to it, whether it is there or not.
 *
 * Right rows lie in a hash; what refers to them lies in order of (foreign key, left key), so that
 * all rows of a foreign key are neighbours and come in order of their own keys. In the store each
 * is an entry of its own:
 *
 *   key   := u8 0, row key of the right row         | u8 1, row key of the foreign key, then of the
 *                                                     left key
 *   value := zig-zag rowtime, row value             | zig-zag rowtime, zig-zag version, row value
 */
#ifndef RUNTIME_STATE_FOREIGN_H
#define RUNTIME_STATE_FOREIGN_H

#include "runtime/ordered_map.h"
#include "runtime/state.h"

typedef struct StateForeign {
    State state;
    StateSpec spec;
    StateLog log;
    SlotTable rights; /* by foreign key; Slot.value: row value */
    OrderedMap lefts;
    Buf scratch;
} StateForeign;

/* A left row that refers to a right one. */
typedef struct ForeignLeft {
    Bytes key; /* of the left row */
    Bytes value;
    int64_t rowtime, version;
} ForeignLeft;

/* spec->layout is not read: rows are the caller's. */
ErrCode state_foreign_new(const StateSpec *spec, StateForeign **foreign, Err *err);

/* key: the foreign key, then the left key. Returns the row as it is kept: its bytes stay readable
 * until the epoch that replaces it has settled. */
Bytes state_foreign_put(StateForeign *foreign, Bytes key, const ForeignLeft *left);
void state_foreign_remove(StateForeign *foreign, Bytes key);

/* Walks the left rows of a foreign key: *node is NULL at first. false: there are no more. */
bool state_foreign_next(const StateForeign *foreign, Bytes foreign_key, const OrderedNode **node,
                        ForeignLeft *left);

#endif
