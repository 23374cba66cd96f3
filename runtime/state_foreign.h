/*
 * state_foreign.h - the shape "foreign": the rows of a right table, and under each key of it the
 * left rows that refer to it, whether it is there or not.
 *
 * Both lie in hashes of slots: right rows by their key, left rows by foreign key and own key. The
 * left rows of one foreign key are a chain, and a third hash finds the chains, so that a change of
 * a left row costs the same however many there are. Chains hold exactly the present slots; they
 * are not part of what images restore. In the store each row is an entry of its own:
 *
 *   key   := u8 0, row key of the right row         | u8 1, row key of the foreign key, then of the
 *                                                     left key
 *   value := zig-zag rowtime, row value             | zig-zag rowtime, zig-zag version, varint size
 *                                                     of the foreign key, row value
 */
#ifndef RUNTIME_STATE_FOREIGN_H
#define RUNTIME_STATE_FOREIGN_H

#include "runtime/state.h"

/* Versions are offsets. (What is stored may be foreign: a changelog restores it.) */
static inline bool foreign_version_fits(int64_t version) {
    return version >= 0 && version <= INT64_MAX / 8;
}

/* A left row's key with its parts: the foreign key, then the row's own. */
typedef struct ForeignKey {
    Bytes key;
    uint64_t hash;
    uint32_t foreign_size;
    uint64_t foreign_hash;
} ForeignKey;

/* A left row that refers to a right one. */
typedef struct ForeignLeft {
    Bytes key; /* its own; ignored by state_foreign_put() */
    Bytes value;
    int64_t rowtime, version;
} ForeignLeft;

typedef struct ForeignChain {
    uint64_t hash; /* of the foreign key */
    Slot *first;   /* NULL: free */
} ForeignChain;

typedef struct StateForeign {
    State state;
    StateSpec spec;
    StateLog right_log, left_log;
    SlotTable rights; /* by foreign key; Slot.value: row value */
    SlotTable lefts;
    ForeignChain *chains; /* open addressing, at most half full */
    uint32_t chain_mask, chain_count;
    ForeignLeft *found; /* what the last state_foreign_lefts() returned */
    size_t found_capacity;
    StateCount unmatched; /* left rows whose right row is not there */
} StateForeign;

/* spec->layout is not read: rows are the caller's. */
ErrCode state_foreign_new(const StateSpec *spec, StateForeign **foreign, Err *err);

/* First the hash's lines, later use them. */
static inline void state_foreign_prefetch(const StateForeign *foreign, const ForeignKey *key) {
    slot_table_prefetch(&foreign->lefts, key->hash);
    __builtin_prefetch(&foreign->chains[key->foreign_hash & foreign->chain_mask]);
}

/* Returns the row as it is kept: its bytes stay readable until the epoch that replaces it has
 * settled. */
Bytes state_foreign_put(StateForeign *foreign, const ForeignKey *key, const ForeignLeft *left);
void state_foreign_remove(StateForeign *foreign, const ForeignKey *key);

/* Of a touched slot of `rights`: whether the row is there now. */
void state_foreign_set_right(StateForeign *foreign, Slot *slot, bool present);

/* The left rows of a foreign key, in order of their keys; borrowed until the next call, their bytes
 * as above. */
const ForeignLeft *state_foreign_lefts(StateForeign *foreign, Bytes foreign_key, uint64_t hash,
                                       size_t *count);

#endif
