/*
 * state_pair.h - the shape "pair": what two tables hold under one key, in one slot.
 *
 * A slot is present while either side has a row. Each side is an entry of the store of its own, so
 * that a change of one side does not write the other again:
 *
 *   key   := row key, side u8 (0 left, 1 right)
 *   value := zig-zag rowtime, row value of the side's value columns
 */
#ifndef RUNTIME_STATE_PAIR_H
#define RUNTIME_STATE_PAIR_H

#include "runtime/state.h"

typedef struct PairSide {
    uint8_t *value; /* row value; NULL: absent */
    int64_t rowtime;
    uint32_t value_size;
    bool present;
} PairSide;

typedef struct StatePair {
    State state;
    StateSpec spec;
    StateLog log;
    SlotTable slots;
    uint8_t wanting;
    StateCount unmatched; /* rows that want the other side and have none */
} StatePair;

/* spec->layout is not read: the sides' bytes are the caller's. wanting: bit 0 the left side's rows
 * want the other side, bit 1 the right's. */
ErrCode state_pair_new(const StateSpec *spec, uint8_t wanting, StatePair **pair, Err *err);

static inline PairSide *state_pair_side(Slot *slot, uint32_t side) {
    assert(side < 2);
    return (PairSide *)(void *)slot->fixed + side;
}

static inline Bytes pair_side_bytes(const PairSide *side) {
    return (Bytes){side->value, side->value_size};
}

/* Changes a side of a touched slot. What was there stays readable until the epoch has settled. */
void state_pair_set(StatePair *pair, Slot *slot, uint32_t side, Bytes value, int64_t rowtime);
void state_pair_drop(StatePair *pair, Slot *slot, uint32_t side);

#endif
