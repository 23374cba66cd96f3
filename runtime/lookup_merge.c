/*
 * lookup_merge.c - the partitions of a store in one order of keys, as far as they are asked for.
 *
 * There are few partitions: the smallest of their heads is found by looking at all.
 */
#include <assert.h>

#include "base/mem.h"
#include "runtime/lookup_impl.h"

typedef struct MergeInput {
    StoreIter *iter;
    uint32_t partition;
    LookupEntry entry; /* its head, */
    bool there;        /* if it has one */
} MergeInput;

struct LookupMerge {
    const Lookup *lookup;
    MergeInput *inputs;
    uint32_t count, room;
};

LookupMerge *lookup_merge_new(const Lookup *lookup, uint32_t room) {
    assert(room > 0);
    LookupMerge *merge = mem_alloc(sizeof *merge);
    merge->lookup = lookup;
    merge->inputs = mem_array(room, sizeof *merge->inputs);
    merge->room = room;
    return merge;
}

static void next_head(const LookupMerge *merge, MergeInput *input) {
    Bytes key, value;
    assert(input->iter);
    input->there = false;
    while (!input->there && store_iter_next(input->iter, &key, &value))
        input->there = lookup_entry_init(merge->lookup, input->partition, key, value,
                                         &input->entry);
}

void lookup_merge_add(LookupMerge *merge, uint32_t partition, StoreIter *iter) {
    assert(merge->count < merge->room);
    MergeInput *input = &merge->inputs[merge->count++];
    *input = (MergeInput){.iter = iter, .partition = partition};
    next_head(merge, input);
}

static MergeInput *first_head(const LookupMerge *merge) {
    MergeInput *first = NULL;
    assert(merge->count > 0);
    for (uint32_t i = 0; i < merge->count; i++) {
        MergeInput *input = &merge->inputs[i];
        if (input->there &&
            (!first || bytes_compare(input->entry.row_key, first->entry.row_key) < 0))
            first = input;
    }
    return first;
}

uint32_t lookup_merge_take(LookupMerge *merge, LookupEntry *entries, uint32_t room) {
    uint32_t count = 0;
    assert(entries && room > 0);
    for (MergeInput *input; count < room && (input = first_head(merge)) != NULL;) {
        entries[count++] = input->entry;
        next_head(merge, input);
    }
    return count;
}

ErrCode lookup_merge_free(LookupMerge *merge, Err *err) {
    ErrCode code = ERR_OK;
    for (uint32_t i = 0; merge && i < merge->count; i++) {
        Err own;
        ErrCode closed = store_iter_close(merge->inputs[i].iter, &own);
        if (code == ERR_OK && closed != ERR_OK) {
            code = closed;
            *err = own;
        }
    }
    if (merge)
        mem_free(merge->inputs);
    mem_free(merge);
    return code;
}
