/*
 * seeded_bug_impl.h - five bugs on purpose, to prove that the prover would find them.
 *
 * Normal builds have none: seeded_bug() is constant false. tests/prove/journal.sh builds the
 * storage once with each (-DSEEDED_BUG=n) and fails when a variant is not caught.
 */
#ifndef STORAGE_SEEDED_BUG_IMPL_H
#define STORAGE_SEEDED_BUG_IMPL_H

#include <stdbool.h>

#ifndef SEEDED_BUG
#define SEEDED_BUG 0
#endif

typedef enum SeededBug {
    SEEDED_EPOCH_AT_CHECKPOINT = 1, /* a running checkpoint draws a new epoch */
    SEEDED_ACK_BEFORE_SYNC = 2,
    SEEDED_CHAIN_NOT_CHECKED = 3, /* recovery follows LSNs, not epochs and sums */
    SEEDED_RECYCLE_EARLY = 4,     /* journal files are reused before the checkpoint is durable */
    SEEDED_REMOVED_FORGOTTEN = 5, /* a table of changes does not tell what was removed */
} SeededBug;

static inline bool seeded_bug(SeededBug bug) {
    return SEEDED_BUG == (int)bug;
}

#endif
