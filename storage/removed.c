/* removed.c - see removed_impl.h. */
#include "storage/removed_impl.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/reader.h"

static const uint32_t REMOVED_RANGE = 1U << 31;

void removed_add(Removed *removed, Bytes key) {
    assert(key.size < REMOVED_RANGE);
    buf_u32_le(&removed->notes, key.size);
    buf_bytes(&removed->notes, key);
}

void removed_add_range(Removed *removed, Bytes key_min, Bytes key_max) {
    assert(key_min.size < REMOVED_RANGE);
    assert(key_max.size < REMOVED_RANGE);
    buf_u32_le(&removed->notes, key_min.size | REMOVED_RANGE);
    buf_bytes(&removed->notes, key_min);
    buf_u32_le(&removed->notes, key_max.size);
    buf_bytes(&removed->notes, key_max);
}

void removed_add_all(Removed *removed, const Removed *more) {
    assert(removed != more);
    buf_put(&removed->notes, more->notes.data, more->notes.size);
}

void removed_free(Removed *removed) {
    assert(removed);
    buf_free(&removed->notes);
}

/* == In order ================================================================================= */

static Bytes take(const Buf *notes, size_t *at, bool *range) {
    assert(*at + 4 <= notes->size);
    Reader reader = reader_of((Bytes){notes->data + *at, 4});
    uint32_t size = reader_u32_le(&reader);
    *range = size & REMOVED_RANGE;
    size &= ~REMOVED_RANGE;
    Bytes bytes = {notes->data + *at + 4, size};
    *at += 4 + (size_t)size;
    assert(*at <= notes->size);
    return bytes;
}

static int compare_keys(const void *left, const void *right) {
    return bytes_compare(*(const Bytes *)left, *(const Bytes *)right);
}

static int compare_ranges(const void *left, const void *right) {
    return bytes_compare(((const RemovedRange *)left)->min, ((const RemovedRange *)right)->min);
}

/* Ranges that overlap or touch become one. */
static size_t join_ranges(RemovedRange *ranges, size_t count) {
    assert(ranges || count == 0);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        RemovedRange *last = kept > 0 ? &ranges[kept - 1] : NULL;
        if (!last || (last->max.size > 0 && bytes_compare(last->max, ranges[i].min) < 0)) {
            ranges[kept++] = ranges[i];
            continue;
        }
        if (last->max.size > 0 &&
            (ranges[i].max.size == 0 || bytes_compare(last->max, ranges[i].max) < 0))
            last->max = ranges[i].max;
    }
    assert(kept <= count);
    return kept;
}

void removed_sort(const Removed *removed, RemovedSorted *sorted) {
    const Buf *notes = &removed->notes;
    *sorted = (RemovedSorted){0};
    for (size_t at = 0; at < notes->size;) {
        bool range, ignored;
        Bytes key = take(notes, &at, &range);
        if (range) {
            sorted->ranges = mem_grow(sorted->ranges, &sorted->range_capacity,
                                      sorted->range_count + 1, sizeof *sorted->ranges);
            sorted->ranges[sorted->range_count++] = (RemovedRange){key, take(notes, &at, &ignored)};
        } else {
            sorted->keys = mem_grow(sorted->keys, &sorted->key_capacity, sorted->key_count + 1,
                                    sizeof *sorted->keys);
            sorted->keys[sorted->key_count++] = key;
        }
    }
    if (sorted->key_count > 1)
        qsort(sorted->keys, sorted->key_count, sizeof *sorted->keys, compare_keys);
    size_t kept = 0;
    for (size_t i = 0; i < sorted->key_count; i++)
        if (kept == 0 || !bytes_equal(sorted->keys[kept - 1], sorted->keys[i]))
            sorted->keys[kept++] = sorted->keys[i];
    sorted->key_count = kept;
    if (sorted->range_count > 1)
        qsort(sorted->ranges, sorted->range_count, sizeof *sorted->ranges, compare_ranges);
    sorted->range_count = join_ranges(sorted->ranges, sorted->range_count);
    assert(sorted->key_count <= notes->size);
}

void removed_sorted_free(RemovedSorted *sorted) {
    assert(sorted);
    mem_free(sorted->keys);
    mem_free(sorted->ranges);
    *sorted = (RemovedSorted){0};
}
