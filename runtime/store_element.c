/*
 * store_element.c - the elements of growing states, between store and memory.
 *
 * Groups come before elements in the order of keys, so that all states of a table or window are
 * there when their elements are loaded. Elements find their state by its id.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "runtime/store_layout.h"

void element_key_put(Buf *out, uint64_t id) {
    assert(out);
    assert(id > 0);
    buf_u8(out, ELEMENT_MARK);
    buf_u64_be(out, id);
}

void element_owners_add(ElementOwners *owners, const StoreLayout *layout, SlotTable *table,
                        Slot *slot) {
    assert(slot->present);
    for (uint32_t i = 0; layout->is_aggregate && i < layout->node->aggregate_count; i++) {
        const Aggregate *aggregate = layout->node->aggregates[i].aggregate;
        void *state = (uint8_t *)slot->fixed + layout->state_offsets[i];
        uint64_t id = aggregate->ops->id ? aggregate->ops->id(state) : 0;
        if (id == 0)
            continue;
        owners->items = mem_grow(owners->items, &owners->capacity, owners->count + 1,
                                 sizeof *owners->items);
        owners->items[owners->count++] = (ElementOwner){id, state, aggregate, &table->blobs};
        owners->sorted = false;
    }
}

static int compare_owners(const void *left_void, const void *right_void) {
    const ElementOwner *left = left_void, *right = right_void;
    return (left->id > right->id) - (left->id < right->id);
}

ErrCode element_owners_load(ElementOwners *owners, Bytes key, Bytes value, Err *err) {
    assert(element_is(key));
    if (!owners->sorted && owners->count > 0)
        qsort(owners->items, owners->count, sizeof *owners->items, compare_owners);
    owners->sorted = true;
    Reader in = reader_of(key);
    reader_u8(&in);
    ElementOwner wanted = {.id = reader_u64_be(&in)};
    Bytes own = reader_bytes(&in, reader_left(&in));
    const ElementOwner *owner =
        owners->count == 0 ? NULL
                           : bsearch(&wanted, owners->items, owners->count, sizeof wanted,
                                     compare_owners);
    if (!reader_ok(&in) || !owner)
        return err_set(err, ERR_CORRUPT, "a stored element belongs to no group");
    if (!owner->aggregate->ops->load_element(owner->state, own, value, owner->heap))
        return err_set(err, ERR_CORRUPT, "a stored element of %s does not fit",
                       owner->aggregate->name);
    return ERR_OK;
}

void element_owners_free(ElementOwners *owners) {
    assert(owners);
    mem_free(owners->items);
    *owners = (ElementOwners){0};
}
