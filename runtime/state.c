/*
 * state.c - see state.h: what the shapes have in common.
 */
#include "runtime/state.h"

#include <assert.h>
#include <stddef.h>

#include "base/mem.h"

void state_list_add(StateList *list, State *state) {
    assert(state && state->ops);
    list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = state;
}

static const WindowBucket *bucket_of(const SlotTable *slots) {
    return (const WindowBucket *)(const void *)((const char *)slots -
                                                offsetof(WindowBucket, slots));
}

static void put_store_key(Buf *key, const StateImage *image, bool windowed) {
    buf_reset(key);
    if (windowed)
        buf_u64_be(key, (uint64_t)bucket_of(image->table)->start);
    buf_put(key, image->slot->key, image->slot->key_size);
}

void state_save_images(const StateSpec *spec, const StateLog *log, Commit *commit, bool windowed) {
    assert(commit && !log->submitted);
    Buf key = {0}, value = {0};
    size_t at = 0;
    for (StateImage image; state_log_next(log, &log->running, &at, &image);) {
        if (windowed && bucket_of(image.table)->expired)
            continue;
        if (!image.slot->present && !image.before->present)
            continue;
        put_store_key(&key, &image, windowed);
        if (!image.slot->present) {
            commit_remove(commit, spec->store_id, buf_view(&key));
            continue;
        }
        buf_reset(&value);
        store_layout_put(spec->layout, image.slot, &value);
        assert(value.size > 0);
        commit_put(commit, spec->store_id, buf_view(&key), buf_view(&value));
    }
    buf_free(&key);
    buf_free(&value);
}
