/*
 * state.c - see state.h: what the shapes have in common.
 */
#include "runtime/state_impl.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

void state_list_add(StateList *list, State *state) {
    assert(state && state->ops);
    list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = state;
}

static const WindowBucket *bucket_of(const SlotTable *slots) {
    assert(slots);
    return (const WindowBucket *)(const void *)((const char *)slots -
                                                offsetof(WindowBucket, slots));
}

static uint64_t key_prefix(const Slot *slot) {
    assert(slot->key_size > 0);
    uint64_t prefix = 0;
    uint32_t size = slot->key_size < 9 ? slot->key_size : 9; /* the first byte says: not NULL */
    for (uint32_t i = 1; i < 9; i++)
        prefix = prefix << 8 | (i < size ? slot->key[i] : 0);
    return prefix;
}

static int compare_dirty(const void *left_void, const void *right_void) {
    const DirtySlot *left = left_void, *right = right_void;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    if (left->prefix != right->prefix)
        return left->prefix < right->prefix ? -1 : 1;
    return bytes_compare((Bytes){left->image.slot->key, left->image.slot->key_size},
                         (Bytes){right->image.slot->key, right->image.slot->key_size});
}

DirtySlot *state_sort_images(const StateLog *log, bool windowed, size_t *count) {
    assert(log->slot_size > 0);
    DirtySlot *dirty = mem_array(state_log_count(log), sizeof *dirty);
    size_t at = 0;
    *count = 0;
    for (StateImage image; state_log_next(log, &log->running, &at, &image);) {
        if (windowed && bucket_of(image.table)->expired)
            continue;
        if (!image.slot->present && !image.before->present)
            continue;
        int64_t start = windowed ? bucket_of(image.table)->start : 0;
        dirty[(*count)++] = (DirtySlot){start, key_prefix(image.slot), image};
    }
    qsort(dirty, *count, sizeof *dirty, compare_dirty);
    return dirty;
}

static void put_store_key(Buf *key, const DirtySlot *dirty, bool windowed) {
    assert(!windowed || dirty->start >= 0);
    buf_reset(key);
    if (windowed)
        buf_u64_be(key, (uint64_t)dirty->start);
    buf_put(key, dirty->image.slot->key, dirty->image.slot->key_size);
}

void state_save_images(const StateSpec *spec, const StateLog *log, Commit *commit, bool windowed) {
    assert(commit && !log->submitted);
    Buf key = {0}, value = {0};
    size_t count;
    DirtySlot *dirty = state_sort_images(log, windowed, &count);
    for (size_t i = 0; i < count; i++) {
        put_store_key(&key, &dirty[i], windowed);
        if (!dirty[i].image.slot->present) {
            commit_remove(commit, spec->store_id, buf_view(&key));
            continue;
        }
        buf_reset(&value);
        store_layout_put(spec->layout, dirty[i].image.slot, &value);
        assert(value.size > 0);
        commit_put(commit, spec->store_id, buf_view(&key), buf_view(&value));
    }
    mem_free(dirty);
    buf_free(&key);
    buf_free(&value);
    state_save_elements(spec, log, commit, windowed);
}

/* -- Elements --------------------------------------------------------------------------------- */

typedef struct DirtyElement {
    int64_t start;
    uint64_t id;
    size_t number; /* of its note */
    Bytes key, value; /* value data NULL: gone */
} DirtyElement;

/* In order of key; of one key the last note first. */
static int compare_elements(const void *left_void, const void *right_void) {
    const DirtyElement *left = left_void, *right = right_void;
    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    int order = bytes_compare(left->key, right->key);
    return order != 0 ? order : (left->number < right->number) - (left->number > right->number);
}

static DirtyElement *sort_notes(const StateLog *log, bool windowed, size_t *count) {
    size_t room = 0, at = 0;
    StateNote note;
    Bytes key, value;
    while (state_log_next_note(log, &at, &note, &key, &value))
        room++;
    DirtyElement *dirty = mem_array(room, sizeof *dirty);
    *count = at = 0;
    for (size_t number = 0; state_log_next_note(log, &at, &note, &key, &value); number++) {
        if (windowed && bucket_of(note.table)->expired)
            continue;
        int64_t start = windowed ? bucket_of(note.table)->start : 0;
        dirty[(*count)++] = (DirtyElement){start, note.id, number, key, value};
    }
    assert(*count <= room);
    if (*count > 0)
        qsort(dirty, *count, sizeof *dirty, compare_elements);
    return dirty;
}

static bool same_element(const DirtyElement *left, const DirtyElement *right) {
    assert(left && right);
    return left->start == right->start && left->id == right->id &&
           bytes_equal(left->key, right->key);
}

void state_save_elements(const StateSpec *spec, const StateLog *log, Commit *commit,
                         bool windowed) {
    assert(commit && !log->submitted);
    if (log->running.notes.size == 0)
        return;
    Buf key = {0};
    size_t count;
    DirtyElement *dirty = sort_notes(log, windowed, &count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && same_element(&dirty[i - 1], &dirty[i]))
            continue;
        buf_reset(&key);
        if (windowed)
            buf_u64_be(&key, (uint64_t)dirty[i].start);
        element_key_put(&key, dirty[i].id);
        buf_bytes(&key, dirty[i].key);
        if (dirty[i].value.data)
            commit_put(commit, spec->store_id, buf_view(&key), dirty[i].value);
        else
            commit_remove(commit, spec->store_id, buf_view(&key));
    }
    mem_free(dirty);
    buf_free(&key);
}
