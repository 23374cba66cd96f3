/*
 * slot_table.h - a hash of keys to slots that are updated in place, and the log that undoes it.
 *
 *   touch (image kept once an epoch) -> change the slot ... submit -> settle
 *                                                        \-> undo
 *
 * An epoch is what happened between two commits of the group. The first touch of a slot in an
 * epoch keeps an image of it; memory that is dropped stays until the epoch's commit is durable, so
 * that images, and batches of the running step, may point into it. One log serves all tables of a
 * store. At most one epoch is submitted and not settled; undoing it first undoes the running one.
 *
 * Invariants: a slot is in its table's hash from its first touch until the epoch that left it
 * absent has settled, and never moves. slot->epoch is the last epoch that touched it; 0: it was
 * never part of one that was kept.
 */
#ifndef RUNTIME_SLOT_TABLE_H
#define RUNTIME_SLOT_TABLE_H

#include "base/buf.h"
#include "runtime/blob_heap.h"
#include "udf/aggregate.h"

typedef struct Slot {
    uint64_t hash;
    const uint8_t *key;
    uint32_t key_size;
    uint32_t epoch;
    int64_t rowtime;
    uint8_t *value; /* a blob; NULL: none */
    uint32_t value_size;
    bool present;
    uint64_t fixed[]; /* states of aggregates */
} Slot;

typedef struct StateEpoch {
    Buf images; /* {SlotTable *, Slot *, the slot's bytes} */
    Buf puts;   /* blobs made: {SlotTable *, block} */
    Buf drops;  /* blobs given up */
    Buf ranges; /* of blobs, before they were changed: bytes, then {where, size} */
    Buf notes;  /* of elements: StateNote, key, value */
} StateEpoch;

/* What became of an element of a growing state; the bytes follow, padded to 8. */
typedef struct StateNote {
    struct SlotTable *table;
    uint64_t id; /* of the state */
    uint32_t key_size;
    uint32_t value_size; /* STATE_NOTE_GONE: there is none */
} StateNote;

enum { STATE_ENTRY_BYTES = 48 }; /* about what a changed slot takes in a commit */
#define STATE_NOTE_GONE UINT32_MAX

typedef struct StateLog {
    uint32_t epoch;     /* number of the running one, from 1 */
    uint32_t slot_size; /* of every slot of every table under this log, rounded up to 8 */
    bool submitted;     /* `earlier` waits for its commit */
    bool loading;       /* nothing is kept for undoing */
    uint64_t number;    /* the last that aggregates were given */
    StateEpoch running, earlier;
} StateLog;

typedef struct SlotEntry {
    uint64_t hash;
    Slot *slot; /* NULL: free */
} SlotEntry;

typedef struct SlotTable SlotTable;
struct SlotTable {
    AggregateHeap blobs; /* what aggregates put their blocks into; must be first */
    StateLog *log;
    BlobHeap heap;
    SlotEntry *entries;
    uint32_t mask; /* size - 1 */
    uint32_t count;
    uint64_t present_count;
};

void state_log_init(StateLog *log, uint32_t fixed_size);
void state_log_close(StateLog *log);
/* After slot_table_load(): what was loaded is nobody's change. */
void state_log_loaded(StateLog *log);

/* Walks the images of an epoch: *at is 0 at first. false: there are no more. */
typedef struct StateImage {
    SlotTable *table;
    Slot *slot;
    const Slot *before; /* the slot's bytes at the epoch's begin */
} StateImage;
bool state_log_next(const StateLog *log, const StateEpoch *epoch, size_t *at, StateImage *image);

/* Walks the running epoch's notes in the same way; *key and *value are borrowed. */
bool state_log_next_note(const StateLog *log, size_t *at, StateNote *note, Bytes *key,
                         Bytes *value);

/* The running epoch waits for its commit; the next one begins. */
void state_log_submit(StateLog *log);
/* The submitted epoch is durable: its images and dropped memory go. */
void state_log_settle(StateLog *log);
/* Restores what the running epoch changed; submitted_too: and the submitted one. */
void state_log_undo(StateLog *log, bool submitted_too);
size_t state_log_count(const StateLog *log); /* slots that the running epoch touched */
size_t state_log_pending(const StateLog *log); /* about, of bytes in the next commit */

void slot_table_init(SlotTable *table, StateLog *log);
void slot_table_close(SlotTable *table); /* nothing in the log may speak of it */

/* First the hash's line, later the slot's, then use it. */
static inline void slot_table_prefetch(const SlotTable *table, uint64_t hash) {
    __builtin_prefetch(&table->entries[hash & table->mask]);
}

void slot_table_prefetch_slot(const SlotTable *table, uint64_t hash);

/* NULL: no slot. A slot that is there may be absent (present false). */
Slot *slot_table_find(const SlotTable *table, uint64_t hash, Bytes key);

/* The key's slot, made (absent) when missing, with its image kept: ready to be changed. */
Slot *slot_table_touch(SlotTable *table, uint64_t hash, Bytes key);

/* The same for a slot that is at hand. */
void slot_table_retouch(SlotTable *table, Slot *slot);

/* While loading: a present slot without an image. */
Slot *slot_table_load(SlotTable *table, uint64_t hash, Bytes key);

/* Of a touched slot. */
void slot_table_set_present(SlotTable *table, Slot *slot, bool present);
void slot_table_set_value(SlotTable *table, Slot *slot, Bytes value);
void slot_table_drop_value(SlotTable *table, Slot *slot);
/* More blobs of a touched slot, named in its fixed part. blob NULL: nothing. */
uint8_t *slot_table_put_blob(SlotTable *table, Bytes bytes);
void slot_table_drop_blob(SlotTable *table, uint8_t *blob);

#endif
