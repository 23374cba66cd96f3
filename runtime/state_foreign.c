/*
 * state_foreign.c - see state_foreign.h: slots and chains.
 *
 * A chain is found by the foreign key that its first slot's key begins with; an empty one leaves
 * the hash at once, with those behind it moved up.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "runtime/state_foreign_impl.h"

enum { CHAINS_MIN = 16 };

void foreign_init(StateForeign *foreign) {
    state_log_init(&foreign->right_log, 0);
    state_log_init(&foreign->left_log, sizeof(ForeignLink));
    slot_table_init(&foreign->rights, &foreign->right_log);
    slot_table_init(&foreign->lefts, &foreign->left_log);
    foreign->chains = mem_array(CHAINS_MIN, sizeof *foreign->chains);
    foreign->chain_mask = CHAINS_MIN - 1;
    assert(foreign->chain_count == 0);
}

void foreign_free(StateForeign *foreign) {
    assert(foreign->chains);
    slot_table_close(&foreign->rights);
    slot_table_close(&foreign->lefts);
    state_log_close(&foreign->right_log);
    state_log_close(&foreign->left_log);
    mem_free(foreign->chains);
    mem_free(foreign->found);
    mem_free(foreign);
}

/* -- Chains ----------------------------------------------------------------------------------- */

static Bytes foreign_key_of(Slot *slot) {
    assert(foreign_link_of(slot)->foreign_size < slot->key_size);
    return (Bytes){slot->key, foreign_link_of(slot)->foreign_size};
}

/* Where this foreign key's chain is, or would be. */
static ForeignChain *find_chain(const StateForeign *foreign, uint64_t hash, Bytes key) {
    assert(foreign->chain_count <= foreign->chain_mask);
    for (uint64_t at = hash & foreign->chain_mask;; at = (at + 1) & foreign->chain_mask) {
        ForeignChain *chain = &foreign->chains[at];
        if (!chain->first)
            return chain;
        if (chain->hash == hash && bytes_equal(foreign_key_of(chain->first), key))
            return chain;
    }
}

static void grow_chains(StateForeign *foreign) {
    uint32_t size = foreign->chain_mask + 1, mask = size * 2 - 1;
    assert(size < UINT32_MAX / 2);
    ForeignChain *chains = mem_array((size_t)size * 2, sizeof *chains);
    for (uint32_t i = 0; i < size; i++) {
        if (!foreign->chains[i].first)
            continue;
        uint64_t at = foreign->chains[i].hash & mask;
        while (chains[at].first)
            at = (at + 1) & mask;
        chains[at] = foreign->chains[i];
    }
    mem_free(foreign->chains);
    foreign->chains = chains;
    foreign->chain_mask = mask;
}

static void remove_chain(StateForeign *foreign, ForeignChain *chain) {
    uint64_t mask = foreign->chain_mask, at = (uint64_t)(chain - foreign->chains);
    assert(at <= mask && foreign->chain_count > 0);
    for (uint64_t next = (at + 1) & mask; foreign->chains[next].first; next = (next + 1) & mask) {
        uint64_t home = foreign->chains[next].hash & mask;
        if (((next - home) & mask) >= ((next - at) & mask)) {
            foreign->chains[at] = foreign->chains[next];
            at = next;
        }
    }
    foreign->chains[at] = (ForeignChain){0};
    foreign->chain_count--;
}

void foreign_link(StateForeign *foreign, Slot *slot) {
    ForeignLink *link = foreign_link_of(slot);
    assert(slot->present && !link->linked);
    if (foreign->chain_count >= (foreign->chain_mask + 1) / 2)
        grow_chains(foreign);
    ForeignChain *chain = find_chain(foreign, link->foreign_hash, foreign_key_of(slot));
    foreign->chain_count += !chain->first;
    link->next = chain->first;
    link->previous = NULL;
    link->linked = true;
    if (chain->first)
        foreign_link_of(chain->first)->previous = slot;
    *chain = (ForeignChain){link->foreign_hash, slot};
}

void foreign_unlink(StateForeign *foreign, Slot *slot) {
    ForeignLink *link = foreign_link_of(slot);
    assert(link->linked);
    link->linked = false;
    if (link->next)
        foreign_link_of(link->next)->previous = link->previous;
    if (link->previous) {
        foreign_link_of(link->previous)->next = link->next;
        return;
    }
    ForeignChain *chain = find_chain(foreign, link->foreign_hash, foreign_key_of(slot));
    assert(chain->first == slot);
    if (link->next)
        chain->first = link->next;
    else
        remove_chain(foreign, chain);
}

/* -- Changes ---------------------------------------------------------------------------------- */

static bool has_right(const StateForeign *foreign, const ForeignKey *key) {
    Bytes right = {key->key.data, key->foreign_size};
    const Slot *slot = slot_table_find(&foreign->rights, key->foreign_hash, right);
    return slot && slot->present;
}

Bytes state_foreign_put(StateForeign *foreign, const ForeignKey *key, const ForeignLeft *left) {
    assert(left->value.data && key->foreign_size < key->key.size);
    SlotTable *lefts = &foreign->lefts;
    Slot *slot = slot_table_touch(lefts, key->hash, key->key);
    ForeignLink *link = foreign_link_of(slot);
    link->version = left->version;
    slot->rowtime = left->rowtime;
    slot_table_set_value(lefts, slot, left->value);
    if (!slot->present) {
        link->foreign_hash = key->foreign_hash;
        link->foreign_size = key->foreign_size;
        slot_table_set_present(lefts, slot, true);
        foreign_link(foreign, slot);
        foreign->unmatched.now += !has_right(foreign, key);
    }
    return (Bytes){slot->value, slot->value_size};
}

void state_foreign_remove(StateForeign *foreign, const ForeignKey *key) {
    assert(key->key.data);
    SlotTable *lefts = &foreign->lefts;
    Slot *slot = slot_table_find(lefts, key->hash, key->key);
    if (!slot || !slot->present)
        return;
    slot_table_retouch(lefts, slot);
    foreign_unlink(foreign, slot);
    slot_table_drop_value(lefts, slot);
    slot_table_set_present(lefts, slot, false);
    foreign->unmatched.now -= !has_right(foreign, key);
}

void state_foreign_set_right(StateForeign *foreign, Slot *slot, bool present) {
    bool before = slot->present;
    uint64_t count = 0;
    slot_table_set_present(&foreign->rights, slot, present);
    if (present == before)
        return;
    for (Slot *left = find_chain(foreign, slot->hash, (Bytes){slot->key, slot->key_size})->first;
         left; left = foreign_link_of(left)->next)
        count++;
    assert(!present || count <= foreign->unmatched.now);
    foreign->unmatched.now += present ? 0 - count : count;
}

static int compare_lefts(const void *left_void, const void *right_void) {
    const ForeignLeft *left = left_void, *right = right_void;
    return bytes_compare(left->key, right->key);
}

const ForeignLeft *state_foreign_lefts(StateForeign *foreign, Bytes foreign_key, uint64_t hash,
                                       size_t *count) {
    assert(foreign_key.data);
    *count = 0;
    for (Slot *slot = find_chain(foreign, hash, foreign_key)->first; slot;
         slot = foreign_link_of(slot)->next) {
        const ForeignLink *link = foreign_link_of(slot);
        assert(slot->present);
        foreign->found = mem_grow(foreign->found, &foreign->found_capacity, *count + 1,
                                  sizeof *foreign->found);
        foreign->found[(*count)++] = (ForeignLeft){
            .key = {slot->key + link->foreign_size, slot->key_size - link->foreign_size},
            .value = {slot->value, slot->value_size},
            .rowtime = slot->rowtime,
            .version = link->version};
    }
    if (*count > 1)
        qsort(foreign->found, *count, sizeof *foreign->found, compare_lefts);
    return foreign->found;
}
