/*
 * note.h - what each worker is at, in memory that outlives the process: which query ends it.
 *
 * One page of a file is mapped. While a worker reads for a task or runs a step of it, its slot
 * names the task and the step's first row; a process that ends in between leaves the slot behind.
 * The next start finds
 *
 *   a suspect          somewhere in those rows the process ended. The engine starts that query
 *                      before all others, and it takes the rows one by one: alone.
 *   a quarantined row  the process ended again, alone in that row (or in reading for that task):
 *                      the query stops in ERROR there, until note_release().
 *
 * Storing costs a few words a step. Nothing is synced: a note that a power cut lost, or left old,
 * names rows that are behind or gone, and then nothing happens. Damage is not believed: slots and
 * entries have a sum.
 *
 * A slot belongs to its worker's thread; the entries to the control plane, under the note's lock.
 */
#ifndef RUNTIME_NOTE_H
#define RUNTIME_NOTE_H

#include <stdatomic.h>

#include "base/io.h"
#include "base/thread.h"
#include "storage/commit.h"

enum {
    NOTE_SLOTS = 47,   /* workers beyond it are not noted */
    NOTE_ENTRIES = 32, /* quarantined rows; beyond it the oldest is forgotten */
};

/* Rows of a step: the first one, and how many over all inputs; 0: it was reading, or telling
 * operators the time. */
typedef struct NoteRows {
    uint32_t task_id;
    uint32_t rows;
    TopicPartition where; /* with the lane: ids_lane() */
    int64_t offset;
} NoteRows;

typedef struct NoteSlot {
    _Atomic uint32_t task_id; /* 0: nothing is run; written last */
    _Atomic uint32_t topic_id, partition, rows;
    _Atomic int64_t offset;
    _Atomic uint32_t alone; /* these rows are on trial */
    _Atomic uint32_t sum;
    uint32_t unused[8];
} NoteSlot;

typedef struct Note Note;

/* Opens or makes the file; what lay in its slots becomes suspects and quarantined rows. */
ErrCode note_open(Io *io, const char *path, Note **note, Err *err);
void note_close(Note *note); /* NULL: nothing */

/* NULL without a note, or for a worker that is not noted. */
NoteSlot *note_slot(Note *note, uint32_t worker);

/* Of a task in [first, first + count); false: there is none (note NULL: never). */
bool note_suspect(Note *note, uint32_t first, uint32_t count, NoteRows *rows);
bool note_quarantined(Note *note, uint32_t first, uint32_t count, NoteRows *rows);
/* The query may run these rows again. */
void note_release(Note *note, uint32_t first, uint32_t count);

uint32_t note_slot_sum(const NoteSlot *slot, uint32_t task_id);

/* From here to note_end() the worker runs these rows. slot NULL: nothing is noted. */
static inline void note_begin(NoteSlot *slot, const NoteRows *rows, bool alone) {
    if (!slot)
        return;
    atomic_store_explicit(&slot->topic_id, rows->where.topic_id, memory_order_relaxed);
    atomic_store_explicit(&slot->partition, rows->where.partition, memory_order_relaxed);
    atomic_store_explicit(&slot->rows, rows->rows, memory_order_relaxed);
    atomic_store_explicit(&slot->offset, rows->offset, memory_order_relaxed);
    atomic_store_explicit(&slot->alone, alone, memory_order_relaxed);
    atomic_store_explicit(&slot->sum, note_slot_sum(slot, rows->task_id), memory_order_relaxed);
    atomic_store_explicit(&slot->task_id, rows->task_id, memory_order_release);
}

static inline void note_end(NoteSlot *slot) {
    if (slot)
        atomic_store_explicit(&slot->task_id, 0, memory_order_release);
}

#endif
