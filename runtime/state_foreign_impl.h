/*
 * state_foreign_impl.h - the inside of the shape "foreign".
 *
 *   state_foreign.c        slots and chains
 *   state_foreign_epoch.c  commits, undo, loading
 */
#ifndef RUNTIME_STATE_FOREIGN_IMPL_H
#define RUNTIME_STATE_FOREIGN_IMPL_H

#include <assert.h>

#include "runtime/state_foreign.h"

/* The fixed part of a left row's slot. */
typedef struct ForeignLink {
    Slot *next, *previous; /* of the chain; previous NULL: the first */
    uint64_t foreign_hash;
    int64_t version;
    uint32_t foreign_size;
    bool linked;
    bool marked; /* while undoing: met already */
} ForeignLink;

static inline ForeignLink *foreign_link_of(Slot *slot) {
    return (ForeignLink *)(void *)slot->fixed;
}

void foreign_init(StateForeign *foreign);
void foreign_free(StateForeign *foreign);

/* A present slot into its chain, and out of it. */
void foreign_link(StateForeign *foreign, Slot *slot);
void foreign_unlink(StateForeign *foreign, Slot *slot);

#endif
