/*
 * slot_table.c - see slot_table.h.
 *
 * Open addressing, linear probing, at most half full; removal shifts the cluster back. A blob has
 * its size in the 8 bytes before it.
 */
#include "runtime/slot_table.h"

#include <assert.h>

#include "base/mem.h"

enum { SLOT_TABLE_MIN = 16, BLOB_HEAD = 8 };

typedef struct ImageHead {
    SlotTable *table;
    Slot *slot;
} ImageHead;

typedef struct BlobNote {
    SlotTable *table;
    void *block;
} BlobNote;

/* -- Blobs ------------------------------------------------------------------------------------ */

static void note_blob(Buf *notes, SlotTable *table, void *block) {
    assert(block);
    BlobNote note = {table, block};
    buf_put(notes, &note, sizeof note);
}

static uint8_t *blob_new(SlotTable *table, uint32_t size) {
    assert(size < UINT32_MAX - BLOB_HEAD);
    uint8_t *head = blob_heap_alloc(&table->heap, size + BLOB_HEAD);
    uint64_t kept = size;
    memcpy(head, &kept, sizeof kept);
    if (!table->log->loading)
        note_blob(&table->log->running.puts, table, head + BLOB_HEAD);
    return head + BLOB_HEAD;
}

static void *blob_put(SlotTable *table, Bytes bytes) {
    uint8_t *block = blob_new(table, bytes.size);
    assert(block);
    if (bytes.size > 0)
        memcpy(block, bytes.data, bytes.size);
    return block;
}

static void blob_free(SlotTable *table, void *block) {
    uint8_t *head = (uint8_t *)block - BLOB_HEAD;
    uint64_t size;
    memcpy(&size, head, sizeof size);
    assert(size <= UINT32_MAX - BLOB_HEAD);
    blob_heap_free(&table->heap, head, (uint32_t)size + BLOB_HEAD);
}

static void blob_drop(SlotTable *table, void *block) {
    if (!block)
        return;
    if (table->log->loading)
        blob_free(table, block);
    else
        note_blob(&table->log->running.drops, table, block);
}

uint8_t *slot_table_put_blob(SlotTable *table, Bytes bytes) {
    return blob_put(table, bytes);
}

void slot_table_drop_blob(SlotTable *table, uint8_t *blob) {
    blob_drop(table, blob);
}

static void free_blobs(const Buf *notes) {
    for (size_t at = 0; at < notes->size; at += sizeof(BlobNote)) {
        BlobNote note;
        memcpy(&note, notes->data + at, sizeof note);
        blob_free(note.table, note.block);
    }
}

/* -- What aggregates see ---------------------------------------------------------------------- */

typedef struct RangeTail {
    void *memory;
    uint64_t size;
} RangeTail;

static void *aggregate_put(AggregateHeap *heap, Bytes bytes) {
    return blob_put((SlotTable *)heap, bytes);
}

static void aggregate_drop(AggregateHeap *heap, void *block) {
    blob_drop((SlotTable *)heap, block);
}

static void *aggregate_reserve(AggregateHeap *heap, uint32_t size) {
    uint8_t *block = blob_new((SlotTable *)heap, size);
    memset(block, 0, size);
    return block;
}

static void aggregate_keep(AggregateHeap *heap, void *memory, uint32_t size) {
    StateLog *log = ((SlotTable *)heap)->log;
    assert(memory);
    if (log->loading)
        return;
    RangeTail tail = {memory, size};
    buf_put(&log->running.ranges, memory, size);
    buf_put(&log->running.ranges, &tail, sizeof tail);
}

static uint64_t aggregate_number(AggregateHeap *heap) {
    StateLog *log = ((SlotTable *)heap)->log;
    assert(!log->loading);
    return ++log->number;
}

static void aggregate_seen(AggregateHeap *heap, uint64_t number) {
    StateLog *log = ((SlotTable *)heap)->log;
    assert(log->loading);
    if (number > log->number)
        log->number = number;
}

static void aggregate_note(AggregateHeap *heap, uint64_t id, Bytes key, const Bytes *value) {
    static const uint8_t zeros[8] = {0};
    SlotTable *table = (SlotTable *)heap;
    assert(!table->log->loading);
    assert(id > 0);
    Buf *notes = &table->log->running.notes;
    StateNote note = {table, id, key.size, value ? value->size : STATE_NOTE_GONE};
    buf_put(notes, &note, sizeof note);
    buf_bytes(notes, key);
    if (value)
        buf_bytes(notes, *value);
    buf_put(notes, zeros, (8 - notes->size % 8) % 8);
}

static const AggregateHeapOps aggregate_heap_ops = {
    .put = aggregate_put,
    .drop = aggregate_drop,
    .reserve = aggregate_reserve,
    .keep = aggregate_keep,
    .number = aggregate_number,
    .seen = aggregate_seen,
    .note = aggregate_note,
};

/* -- The log ---------------------------------------------------------------------------------- */

void state_log_init(StateLog *log, uint32_t fixed_size) {
    assert(log);
    uint32_t size = (uint32_t)sizeof(Slot) + fixed_size;
    *log = (StateLog){.epoch = 1, .slot_size = (size + 7) / 8 * 8};
    assert(log->slot_size % 8 == 0);
}

static void epoch_close(StateEpoch *epoch) {
    buf_free(&epoch->images);
    buf_free(&epoch->puts);
    buf_free(&epoch->drops);
    buf_free(&epoch->ranges);
    buf_free(&epoch->notes);
}

void state_log_close(StateLog *log) {
    epoch_close(&log->running);
    epoch_close(&log->earlier);
}

static void epoch_reset(StateEpoch *epoch) {
    buf_reset(&epoch->images);
    buf_reset(&epoch->puts);
    buf_reset(&epoch->drops);
    buf_reset(&epoch->ranges);
    buf_reset(&epoch->notes);
}

void state_log_loaded(StateLog *log) {
    assert(log->epoch == 1 && log->running.images.size == 0);
    log->loading = false;
}

static void keep_image(StateLog *log, SlotTable *table, Slot *slot) {
    assert(slot->epoch != log->epoch);
    assert(table->log == log);
    size_t size = sizeof(ImageHead) + log->slot_size;
    uint8_t *room = buf_room(&log->running.images, size);
    ImageHead head = {table, slot};
    memcpy(room, &head, sizeof head);
    memcpy(room + sizeof head, slot, log->slot_size);
    log->running.images.size += size;
    slot->epoch = log->epoch;
}

static StateImage image_at(const StateEpoch *epoch, size_t at) {
    assert(at < epoch->images.size);
    const uint8_t *bytes = epoch->images.data + at;
    ImageHead head;
    memcpy(&head, bytes, sizeof head);
    return (StateImage){head.table, head.slot, (const void *)(bytes + sizeof head)};
}

bool state_log_next(const StateLog *log, const StateEpoch *epoch, size_t *at, StateImage *image) {
    size_t size = sizeof(ImageHead) + log->slot_size;
    assert(epoch->images.size % size == 0);
    if (*at == epoch->images.size)
        return false;
    *image = image_at(epoch, *at);
    *at += size;
    return true;
}

bool state_log_next_note(const StateLog *log, size_t *at, StateNote *note, Bytes *key,
                         Bytes *value) {
    const Buf *notes = &log->running.notes;
    assert(*at <= notes->size);
    if (*at == notes->size)
        return false;
    memcpy(note, notes->data + *at, sizeof *note);
    size_t next = *at + sizeof *note;
    *key = (Bytes){notes->data + next, note->key_size};
    next += note->key_size;
    *value = (Bytes){0};
    if (note->value_size != STATE_NOTE_GONE) {
        *value = (Bytes){notes->data + next, note->value_size};
        next += note->value_size;
    }
    *at = (next + 7) / 8 * 8;
    assert(*at <= notes->size);
    return true;
}

void state_log_submit(StateLog *log) {
    assert(!log->submitted);
    StateEpoch swap = log->earlier;
    log->earlier = log->running;
    log->running = swap;
    epoch_reset(&log->running);
    log->submitted = true;
    log->epoch++;
}

static void remove_slot(SlotTable *table, Slot *slot);

void state_log_settle(StateLog *log) {
    assert(log->submitted);
    size_t at = 0;
    for (StateImage image; state_log_next(log, &log->earlier, &at, &image);) {
        if (!image.slot->present && image.slot->epoch != log->epoch)
            remove_slot(image.table, image.slot);
    }
    free_blobs(&log->earlier.drops);
    epoch_reset(&log->earlier);
    log->submitted = false;
}

static void undo_ranges(const Buf *ranges) {
    for (size_t at = ranges->size; at > 0;) {
        RangeTail tail;
        assert(at >= sizeof tail);
        at -= sizeof tail;
        memcpy(&tail, ranges->data + at, sizeof tail);
        assert(at >= tail.size);
        at -= tail.size;
        memcpy(tail.memory, ranges->data + at, tail.size);
    }
}

static void epoch_undo(StateLog *log, StateEpoch *epoch) {
    assert(epoch->images.size % (sizeof(ImageHead) + log->slot_size) == 0);
    undo_ranges(&epoch->ranges);
    size_t size = sizeof(ImageHead) + log->slot_size;
    for (size_t at = epoch->images.size; at > 0; at -= size) {
        StateImage image = image_at(epoch, at - size);
        image.table->present_count -= image.slot->present;
        memcpy(image.slot, image.before, log->slot_size);
        image.table->present_count += image.slot->present;
        /* Absent, and in no epoch that still waits to settle: nobody would remove it later. */
        if (!image.slot->present && (image.slot->epoch == 0 || !log->submitted))
            remove_slot(image.table, image.slot);
    }
    free_blobs(&epoch->puts);
    epoch_reset(epoch);
}

void state_log_undo(StateLog *log, bool submitted_too) {
    assert(log->epoch > 0);
    epoch_undo(log, &log->running);
    if (submitted_too && log->submitted) {
        log->submitted = false;
        epoch_undo(log, &log->earlier);
    }
    log->epoch++;
}

size_t state_log_count(const StateLog *log) {
    return log->running.images.size / (sizeof(ImageHead) + log->slot_size);
}

size_t state_log_pending(const StateLog *log) {
    assert(log->slot_size > 0);
    return state_log_count(log) * STATE_ENTRY_BYTES + log->running.notes.size;
}

/* -- The hash --------------------------------------------------------------------------------- */

void slot_table_init(SlotTable *table, StateLog *log) {
    assert(table);
    assert(log->slot_size > 0);
    *table = (SlotTable){.blobs = {&aggregate_heap_ops}, .log = log,
                         .mask = SLOT_TABLE_MIN - 1};
    table->entries = mem_array(SLOT_TABLE_MIN, sizeof *table->entries);
    blob_heap_init(&table->heap);
}

void slot_table_close(SlotTable *table) {
    blob_heap_close(&table->heap);
    mem_free(table->entries);
}

void slot_table_prefetch_slot(const SlotTable *table, uint64_t hash) {
    assert(table->entries);
    const SlotEntry *entry = &table->entries[hash & table->mask];
    if (entry->slot)
        __builtin_prefetch(entry->slot, 1);
}

static bool slot_is(const SlotEntry *entry, uint64_t hash, Bytes key) {
    assert(entry->slot);
    return entry->hash == hash && entry->slot->key_size == key.size &&
           memcmp(entry->slot->key, key.data, key.size) == 0;
}

Slot *slot_table_find(const SlotTable *table, uint64_t hash, Bytes key) {
    assert(table);
    assert(key.data);
    for (uint64_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        const SlotEntry *entry = &table->entries[at];
        if (!entry->slot)
            return NULL;
        if (slot_is(entry, hash, key))
            return entry->slot;
    }
}

static void place(SlotEntry *entries, uint32_t mask, SlotEntry entry) {
    assert(entry.slot);
    uint64_t at = entry.hash & mask;
    while (entries[at].slot)
        at = (at + 1) & mask;
    entries[at] = entry;
}

static void grow(SlotTable *table) {
    uint32_t size = table->mask + 1;
    assert(size < UINT32_MAX / 2);
    SlotEntry *entries = mem_array((size_t)size * 2, sizeof *entries);
    for (uint32_t i = 0; i < size; i++) {
        if (table->entries[i].slot)
            place(entries, size * 2 - 1, table->entries[i]);
    }
    mem_free(table->entries);
    table->entries = entries;
    table->mask = size * 2 - 1;
}

static Slot *add_slot(SlotTable *table, uint64_t hash, Bytes key) {
    assert(key.data);
    assert(key.size > 0);
    if (table->count >= (table->mask + 1) / 2)
        grow(table);
    Slot *slot = blob_heap_alloc(&table->heap, table->log->slot_size);
    memset(slot, 0, table->log->slot_size);
    uint8_t *copy = blob_heap_alloc(&table->heap, key.size);
    memcpy(copy, key.data, key.size);
    slot->hash = hash;
    slot->key = copy;
    slot->key_size = key.size;
    place(table->entries, table->mask, (SlotEntry){hash, slot});
    table->count++;
    return slot;
}

static void remove_slot(SlotTable *table, Slot *slot) {
    uint64_t at = slot->hash & table->mask;
    while (table->entries[at].slot != slot) {
        assert(table->entries[at].slot);
        at = (at + 1) & table->mask;
    }
    /* Entries behind move up unless they would leave the cluster of their own place. */
    for (uint64_t next = (at + 1) & table->mask; table->entries[next].slot;
         next = (next + 1) & table->mask) {
        uint64_t home = table->entries[next].hash & table->mask;
        if (((next - home) & table->mask) >= ((next - at) & table->mask)) {
            table->entries[at] = table->entries[next];
            at = next;
        }
    }
    table->entries[at] = (SlotEntry){0};
    table->count--;
    blob_heap_free(&table->heap, (void *)(uintptr_t)slot->key, slot->key_size);
    blob_heap_free(&table->heap, slot, table->log->slot_size);
}

Slot *slot_table_touch(SlotTable *table, uint64_t hash, Bytes key) {
    assert(key.data);
    Slot *slot = slot_table_find(table, hash, key);
    if (!slot)
        slot = add_slot(table, hash, key);
    if (slot->epoch != table->log->epoch)
        keep_image(table->log, table, slot);
    return slot;
}

void slot_table_retouch(SlotTable *table, Slot *slot) {
    assert(slot);
    if (slot->epoch != table->log->epoch)
        keep_image(table->log, table, slot);
}

Slot *slot_table_load(SlotTable *table, uint64_t hash, Bytes key) {
    assert(table->log->epoch == 1 && !slot_table_find(table, hash, key));
    table->log->loading = true;
    Slot *slot = add_slot(table, hash, key);
    slot->present = true;
    table->present_count++;
    return slot;
}

void slot_table_set_present(SlotTable *table, Slot *slot, bool present) {
    assert(slot);
    assert(slot->epoch == table->log->epoch || table->log->epoch == 1);
    table->present_count += (uint64_t)present - (uint64_t)slot->present;
    slot->present = present;
}

void slot_table_set_value(SlotTable *table, Slot *slot, Bytes value) {
    assert(slot);
    assert(slot->epoch == table->log->epoch || table->log->epoch == 1);
    blob_drop(table, slot->value);
    slot->value = blob_put(table, value);
    slot->value_size = value.size;
}

void slot_table_drop_value(SlotTable *table, Slot *slot) {
    assert(slot);
    assert(slot->epoch == table->log->epoch);
    blob_drop(table, slot->value);
    slot->value = NULL;
    slot->value_size = 0;
}
