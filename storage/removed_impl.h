/*
 * removed_impl.h - keys and ranges of keys that went, noted as they go and put in order later.
 *
 * Whoever replays them removes all and only then puts what is there: so neither their order nor
 * how often one was noted matters.
 */
#ifndef STORAGE_REMOVED_IMPL_H
#define STORAGE_REMOVED_IMPL_H

#include "base/buf.h"

/* Notes, one after the other: key size u32, key; of a range REMOVED_RANGE is added to the size, and
 * key_max follows in the same way. */
typedef struct Removed {
    Buf notes;
} Removed;

void removed_add(Removed *removed, Bytes key);
/* [key_min, key_max); key_max of size 0: to the end. */
void removed_add_range(Removed *removed, Bytes key_min, Bytes key_max);
void removed_add_all(Removed *removed, const Removed *more);
void removed_free(Removed *removed);

typedef struct RemovedRange {
    Bytes min, max; /* max of size 0: to the end */
} RemovedRange;

/* In order of key, none twice; ranges neither overlap nor touch. Borrowed from the notes. */
typedef struct RemovedSorted {
    Bytes *keys;
    RemovedRange *ranges;
    size_t key_count, range_count, key_capacity, range_capacity;
} RemovedSorted;

void removed_sort(const Removed *removed, RemovedSorted *sorted);
void removed_sorted_free(RemovedSorted *sorted);

#endif
