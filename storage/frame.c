/* frame.c - see frame_impl.h. */
#include "storage/frame_impl.h"

#include <assert.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/reader.h"
#include "storage/seeded_bug_impl.h"

static uint8_t *put_le(uint8_t *target, uint64_t value, uint32_t size) {
    assert(size <= 8);
    for (uint32_t i = 0; i < size; i++)
        target[i] = (uint8_t)(value >> 8 * i);
    return target + size;
}

uint32_t frame_head_size(uint32_t offset_count) {
    return FRAME_FIXED_SIZE + offset_count * FRAME_OFFSET_SIZE + 8;
}

uint32_t frame_size(uint32_t offset_count, uint32_t entries_size) {
    assert(entries_size <= COMMIT_BYTES_MAX);
    return frame_head_size(offset_count) + entries_size + FRAME_TAIL_SIZE;
}

uint64_t frame_align(uint64_t size, uint32_t alignment) {
    assert(alignment > 0);
    assert((alignment & (alignment - 1)) == 0);
    return (size + alignment - 1) & ~(uint64_t)(alignment - 1);
}

void frame_write(uint8_t *target, FrameHead *head, const FrameOffset *offsets, Bytes entries,
                 uint64_t entries_hash, FrameChain *chain) {
    assert(head->offset_count <= head->entry_count);
    assert(offsets || head->offset_count == 0);
    assert(head->entry_count > 0);
    assert(entries.size > 0);
    head->lsn = chain->lsn + 1;
    head->epoch = chain->epoch;
    head->prev_sum = chain->sum;
    head->size = frame_size(head->offset_count, entries.size);
    uint8_t *next = put_le(target, FRAME_MAGIC, 4);
    next = put_le(next, FRAME_VERSION, 2);
    next = put_le(next, head->flags, 2);
    next = put_le(next, head->size, 4);
    next = put_le(next, head->lsn, 8);
    next = put_le(next, head->epoch, 8);
    next = put_le(next, head->prev_sum, 8);
    next = put_le(next, head->durable_lsn, 8);
    next = put_le(next, (uint64_t)head->wall_ms, 8);
    next = put_le(next, head->entry_count, 4);
    next = put_le(next, head->offset_count, 4);
    for (uint32_t i = 0; i < head->offset_count; i++) {
        next = put_le(next, offsets[i].entry, 4);
        next = put_le(next, (uint64_t)offsets[i].base_offset, 8);
    }
    head->head_sum = hash_bytes((Bytes){target, (uint32_t)(next - target)});
    next = put_le(next, head->head_sum, 8);
    memcpy(next, entries.data, entries.size);
    next += entries.size;
    chain->lsn = head->lsn;
    chain->sum = entries_hash ^ head->head_sum;
    next = put_le(next, chain->sum, 8);
    next = put_le(next, head->size, 4);
    assert(next == target + head->size);
}

/* Sizes are believed only as far as they fit together: the sum comes later. */
static bool frame_parse(Bytes bytes, FrameHead *head) {
    Reader reader = reader_of(bytes);
    if (reader_u32_le(&reader) != FRAME_MAGIC || reader_u16_le(&reader) != FRAME_VERSION)
        return false;
    head->flags = reader_u16_le(&reader);
    head->size = reader_u32_le(&reader);
    head->lsn = reader_u64_le(&reader);
    head->epoch = reader_u64_le(&reader);
    head->prev_sum = reader_u64_le(&reader);
    head->durable_lsn = reader_u64_le(&reader);
    head->wall_ms = (int64_t)reader_u64_le(&reader);
    head->entry_count = reader_u32_le(&reader);
    head->offset_count = reader_u32_le(&reader);
    uint64_t least = FRAME_FIXED_SIZE + 8 + (uint64_t)head->offset_count * FRAME_OFFSET_SIZE +
                     (uint64_t)head->entry_count * ENTRY_HEAD_SIZE + FRAME_TAIL_SIZE;
    return reader_ok(&reader) && head->entry_count > 0 && least <= head->size &&
           head->offset_count <= head->entry_count;
}

uint32_t frame_probe(Bytes bytes) {
    FrameHead head;
    assert(bytes.size >= FRAME_FIXED_SIZE);
    return frame_parse(bytes, &head) ? frame_head_size(head.offset_count) : 0;
}

bool frame_read_head(Bytes bytes, FrameHead *head) {
    assert(head);
    if (!frame_parse(bytes, head) || bytes.size < frame_head_size(head->offset_count))
        return false;
    uint32_t summed = frame_head_size(head->offset_count) - 8;
    Reader reader = reader_of((Bytes){bytes.data + summed, 8});
    head->head_sum = reader_u64_le(&reader);
    return head->head_sum == hash_bytes((Bytes){bytes.data, summed});
}

Bytes frame_entries(Bytes frame, const FrameHead *head) {
    uint32_t from = frame_head_size(head->offset_count);
    assert(frame.size == head->size);
    return (Bytes){frame.data + from, head->size - FRAME_TAIL_SIZE - from};
}

bool frame_check_body(Bytes bytes, const FrameHead *head, uint64_t *sum) {
    assert(sum);
    assert(bytes.size == head->size);
    Reader reader = reader_of((Bytes){bytes.data + head->size - FRAME_TAIL_SIZE, FRAME_TAIL_SIZE});
    *sum = reader_u64_le(&reader);
    if (reader_u32_le(&reader) != head->size)
        return false;
    return *sum == (hash_bytes(frame_entries(bytes, head)) ^ head->head_sum);
}

FrameOffset frame_offset(Bytes frame, uint32_t index) {
    assert(frame.size >= FRAME_FIXED_SIZE);
    uint32_t at = FRAME_FIXED_SIZE + index * FRAME_OFFSET_SIZE;
    assert(at + FRAME_OFFSET_SIZE <= frame.size);
    Reader reader = reader_of((Bytes){frame.data + at, FRAME_OFFSET_SIZE});
    uint32_t entry = reader_u32_le(&reader);
    return (FrameOffset){entry, (int64_t)reader_u64_le(&reader)};
}

bool frame_continues(const FrameHead *head, const FrameChain *chain) {
    assert(head && chain);
    if (head->lsn != chain->lsn + 1)
        return false;
    if (seeded_bug(SEEDED_CHAIN_NOT_CHECKED))
        return true;
    return head->epoch == chain->epoch && head->prev_sum == chain->sum;
}

bool frame_next_entry(Bytes *entries, FrameEntry *entry, bool *damaged) {
    assert(entries && entry && damaged);
    if (entries->size == 0)
        return false;
    Reader reader = reader_of(*entries);
    entry->type = reader_u8(&reader);
    entry->flags = reader_u8(&reader);
    entry->version = reader_u16_le(&reader);
    uint32_t size = reader_u32_le(&reader);
    entry->body = reader_bytes(&reader, size);
    if (!reader_ok(&reader)) {
        *damaged = true;
        return false;
    }
    *entries = (Bytes){reader.next, reader_left(&reader)};
    return true;
}
