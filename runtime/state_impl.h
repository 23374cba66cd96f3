/*
 * state_impl.h - what the shapes share when they save: the slots an epoch touched, in order of key.
 *
 * Storage keeps state in order, and neighbours are put faster than strangers (100,000 keys at
 * random: 1.5 times the rows a second).
 */
#ifndef RUNTIME_STATE_IMPL_H
#define RUNTIME_STATE_IMPL_H

#include "runtime/state.h"

typedef struct DirtySlot {
    int64_t start; /* of the bucket; 0 without windows */
    uint64_t prefix;
    StateImage image;
} DirtySlot;

/* The running epoch's images, without slots that were absent and are absent again, and without
 * those of expired buckets (windowed: the tables are buckets). The caller frees it (mem_free). */
DirtySlot *state_sort_images(const StateLog *log, bool windowed, size_t *count);

#endif
