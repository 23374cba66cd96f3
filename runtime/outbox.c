/*
 * outbox.c - see outbox.h.
 *
 * A consolidating target is a hash of entries (open addressing over their index) and a list of
 * them in order of their last change. Invariant: the list holds each entry once.
 */
#include "runtime/outbox.h"

#include <assert.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"

/* A full batch is sealed and another begun, so that no single one grows past what readers take in
 * one piece. */
enum {
    OUTBOX_BATCH_BYTES = SEGMENT_READ_BYTES - SEGMENT_READ_BYTES / 16,
    OUTBOX_RECORD_BYTES = 12, /* about what a record's head takes */
    OUTBOX_TABLE_MIN = 64,
};
static const uint32_t OUTBOX_NONE = UINT32_MAX; /* does not fit an enumerator */

typedef struct OutboxEntry {
    uint64_t hash;
    uint32_t partition;
    bool had_old;
    Bytes key, value, headers; /* in the outbox's arena */
    int64_t timestamp;
    uint32_t earlier, later; /* the list; OUTBOX_NONE at its ends */
} OutboxEntry;

typedef struct OutboxBatch {
    uint32_t partition;
    RecordBatch batch;
} OutboxBatch;

typedef struct OutboxTarget {
    uint32_t topic_id;
    uint32_t partitions;
    bool consolidate;
    RecordBatch *open;  /* one per partition */
    OutboxBatch *full;  /* sealed, in order; behind them empty ones, kept for their memory */
    size_t full_count, full_kept, full_capacity;

    OutboxEntry *entries;
    size_t entry_count, entry_capacity;
    uint32_t *table; /* index of an entry + 1; 0: free */
    uint32_t table_size;
    uint32_t first, last;
} OutboxTarget;

struct Outbox {
    OutboxTarget *targets;
    size_t target_count, target_capacity;
    Arena *arena; /* keys and values of entries, until the commit */
    size_t bytes;
};

Outbox *outbox_new(void) {
    Outbox *outbox = mem_alloc(sizeof *outbox);
    outbox->arena = arena_new("outbox", 0);
    return outbox;
}

static void target_close(OutboxTarget *target) {
    assert(target->partitions > 0);
    for (uint32_t i = 0; i < target->partitions; i++)
        record_batch_free(&target->open[i]);
    for (size_t i = 0; i < target->full_kept; i++)
        record_batch_free(&target->full[i].batch);
    mem_free(target->open);
    mem_free(target->full);
    mem_free(target->entries);
    mem_free(target->table);
}

void outbox_free(Outbox *outbox) {
    if (!outbox)
        return;
    for (size_t i = 0; i < outbox->target_count; i++)
        target_close(&outbox->targets[i]);
    mem_free(outbox->targets);
    arena_free(outbox->arena);
    mem_free(outbox);
}

uint32_t outbox_target(Outbox *outbox, uint32_t topic_id, uint32_t partitions, bool consolidate) {
    assert(outbox);
    assert(partitions > 0);
    assert(partitions > 0);
    for (size_t i = 0; i < outbox->target_count; i++) {
        if (outbox->targets[i].topic_id == topic_id) {
            assert(outbox->targets[i].partitions == partitions);
            return (uint32_t)i;
        }
    }
    outbox->targets = mem_grow(outbox->targets, &outbox->target_capacity, outbox->target_count + 1,
                               sizeof *outbox->targets);
    OutboxTarget *target = &outbox->targets[outbox->target_count];
    *target = (OutboxTarget){.topic_id = topic_id, .partitions = partitions,
                             .consolidate = consolidate, .first = OUTBOX_NONE,
                             .last = OUTBOX_NONE};
    target->open = mem_array(partitions, sizeof *target->open);
    return (uint32_t)outbox->target_count++;
}

/* The next open batch gets the memory of one that was handed over, or as much as this one has. */
static void seal_full(OutboxTarget *target, uint32_t partition) {
    RecordBatch *open = &target->open[partition], next = {0};
    assert(open->count > 0);
    record_batch_seal(open);
    assert(target->full_count <= target->full_kept);
    if (target->full_count < target->full_kept) {
        next = target->full[target->full_count].batch;
    } else {
        target->full = mem_grow(target->full, &target->full_capacity, ++target->full_kept,
                                sizeof *target->full);
        buf_grow(&next.buf, open->buf.size);
    }
    target->full[target->full_count++] = (OutboxBatch){partition, *open};
    *open = next;
}

/* What was full is empty now; memory that this commit had no use for goes. */
static void empty_full(OutboxTarget *target) {
    while (target->full_kept > target->full_count)
        record_batch_free(&target->full[--target->full_kept].batch);
    for (size_t i = 0; i < target->full_count; i++)
        record_batch_reset(&target->full[i].batch);
    target->full_count = 0;
}

static void put_record(OutboxTarget *target, uint32_t partition, const LogRecord *record) {
    assert(partition < target->partitions);
    RecordBatch *open = &target->open[partition];
    record_batch_add(open, record);
    if (open->buf.size >= OUTBOX_BATCH_BYTES)
        seal_full(target, partition);
}

/* -- Consolidation ---------------------------------------------------------------------------- */

static void unlink_entry(OutboxTarget *target, OutboxEntry *entry) {
    assert(target->first != OUTBOX_NONE);
    assert(target->last != OUTBOX_NONE);
    if (entry->earlier != OUTBOX_NONE)
        target->entries[entry->earlier].later = entry->later;
    else
        target->first = entry->later;
    if (entry->later != OUTBOX_NONE)
        target->entries[entry->later].earlier = entry->earlier;
    else
        target->last = entry->earlier;
}

static void link_last(OutboxTarget *target, uint32_t index) {
    assert(index < target->entry_count);
    OutboxEntry *entry = &target->entries[index];
    entry->earlier = target->last;
    entry->later = OUTBOX_NONE;
    if (target->last != OUTBOX_NONE)
        target->entries[target->last].later = index;
    else
        target->first = index;
    target->last = index;
}

static void grow_table(OutboxTarget *target) {
    uint32_t size = target->table_size ? target->table_size * 2 : OUTBOX_TABLE_MIN;
    assert(target->entry_count < size / 2);
    mem_free(target->table);
    target->table = mem_array(size, sizeof *target->table);
    target->table_size = size;
    for (uint32_t i = 0; i < target->entry_count; i++) {
        uint32_t at = (uint32_t)target->entries[i].hash & (size - 1);
        while (target->table[at])
            at = (at + 1) & (size - 1);
        target->table[at] = i + 1;
    }
}

/* The entry of this key; made when missing. */
static uint32_t find_entry(OutboxTarget *target, Arena *arena, uint32_t partition, Bytes key,
                           bool *made) {
    assert(made);
    assert(target->consolidate);
    assert(key.data);
    if (target->entry_count + 1 >= target->table_size / 2)
        grow_table(target);
    uint64_t hash = hash_bytes(key) ^ hash_u64(partition);
    uint32_t at = (uint32_t)hash & (target->table_size - 1);
    for (; target->table[at]; at = (at + 1) & (target->table_size - 1)) {
        const OutboxEntry *entry = &target->entries[target->table[at] - 1];
        if (entry->hash == hash && entry->partition == partition && bytes_equal(entry->key, key)) {
            *made = false;
            return target->table[at] - 1;
        }
    }
    *made = true;
    target->entries = mem_grow(target->entries, &target->entry_capacity, target->entry_count + 1,
                               sizeof *target->entries);
    target->entries[target->entry_count] =
        (OutboxEntry){.hash = hash, .partition = partition, .key = arena_bytes(arena, key)};
    target->table[at] = (uint32_t)++target->entry_count;
    return (uint32_t)target->entry_count - 1;
}

/* Returns how many more bytes wait now. */
static size_t put_entry(Outbox *outbox, OutboxTarget *target, uint32_t partition,
                        const LogRecord *record, bool had_old) {
    assert(record);
    bool made;
    uint32_t index = find_entry(target, outbox->arena, partition, record->key, &made);
    OutboxEntry *entry = &target->entries[index];
    if (made)
        entry->had_old = had_old;
    else
        unlink_entry(target, entry);
    link_last(target, index);
    entry->timestamp = record->timestamp;
    entry->headers = record->headers.data ? arena_bytes(outbox->arena, record->headers)
                                          : (Bytes){0};
    size_t key_bytes = made ? record->key.size + sizeof *entry : 0;
    if (!record->value.data) {
        entry->value = (Bytes){0};
        return key_bytes;
    }
    if (entry->value.data && record->value.size <= entry->value.size) {
        /* Ours, and of no use any more: written over, so that a hot key costs no memory. */
        uint8_t *room = (uint8_t *)entry->value.data;
        memcpy(room, record->value.data, record->value.size);
        entry->value.size = record->value.size;
        return key_bytes;
    }
    entry->value = arena_bytes(outbox->arena, record->value);
    assert(entry->value.data);
    return key_bytes + record->value.size;
}

static void flush_entries(OutboxTarget *target) {
    uint32_t seen = 0;
    for (uint32_t i = target->first; i != OUTBOX_NONE; i = target->entries[i].later) {
        const OutboxEntry *entry = &target->entries[i];
        seen++;
        if (!entry->had_old && !entry->value.data)
            continue;
        LogRecord record = {.timestamp = entry->timestamp, .key = entry->key,
                            .value = entry->value, .headers = entry->headers};
        put_record(target, entry->partition, &record);
    }
    assert(seen == target->entry_count);
}

static void forget_entries(OutboxTarget *target) {
    assert(target->consolidate || target->entry_count == 0);
    if (target->entry_count == 0)
        return;
    memset(target->table, 0, target->table_size * sizeof *target->table);
    target->entry_count = 0;
    target->first = target->last = OUTBOX_NONE;
}

/* -- Records ---------------------------------------------------------------------------------- */

void outbox_put(Outbox *outbox, uint32_t target_index, uint32_t partition, const LogRecord *record,
                bool had_old) {
    assert(record);
    assert(target_index < outbox->target_count);
    OutboxTarget *target = &outbox->targets[target_index];
    assert(partition < target->partitions);
    /* A record without a key is nobody's change. */
    if (target->consolidate && record->key.data) {
        outbox->bytes += put_entry(outbox, target, partition, record, had_old);
    } else {
        put_record(target, partition, record);
        outbox->bytes += record->key.size + record->value.size + OUTBOX_RECORD_BYTES;
    }
}

static void target_save(OutboxTarget *target, Commit *commit) {
    assert(commit);
    flush_entries(target);
    for (size_t i = 0; i < target->full_count; i++) {
        OutboxBatch *full = &target->full[i];
        commit_append(commit, (TopicPartition){target->topic_id, full->partition}, &full->batch);
    }
    empty_full(target);
    for (uint32_t i = 0; i < target->partitions; i++) {
        RecordBatch *open = &target->open[i];
        if (open->count == 0)
            continue;
        record_batch_seal(open);
        commit_append(commit, (TopicPartition){target->topic_id, i}, open);
        record_batch_reset(open);
    }
    forget_entries(target);
}

void outbox_save(Outbox *outbox, Commit *commit) {
    for (size_t i = 0; i < outbox->target_count; i++)
        target_save(&outbox->targets[i], commit);
    arena_reset(outbox->arena);
    outbox->bytes = 0;
}

void outbox_clear(Outbox *outbox) {
    assert(outbox);
    for (size_t i = 0; i < outbox->target_count; i++) {
        OutboxTarget *target = &outbox->targets[i];
        empty_full(target);
        for (uint32_t k = 0; k < target->partitions; k++)
            record_batch_reset(&target->open[k]);
        forget_entries(target);
    }
    arena_reset(outbox->arena);
    outbox->bytes = 0;
}

size_t outbox_bytes(const Outbox *outbox) {
    return outbox->bytes;
}
