/*
 * note.c - see note.h.
 *
 *   page    head[64] slot[47][64] entry[32][32]
 *   head    "weir-note 1\n", zeros
 *   entry   task_id topic_id partition rows (u32 each), offset (i64), age sum (u32 each);
 *           task_id 0: free
 *
 * Numbers are the machine's: a page from a machine of the other byte order fails its sums.
 */
#include "runtime/note.h"

#include <assert.h>

#include "base/hash.h"
#include "base/mem.h"

static const char note_magic[64] = "weir-note 1\n";

typedef struct NoteEntry {
    uint32_t task_id, topic_id, partition, rows;
    int64_t offset;
    uint32_t age, sum;
} NoteEntry;

typedef struct NotePage {
    char magic[64];
    NoteSlot slots[NOTE_SLOTS];
    NoteEntry entries[NOTE_ENTRIES];
} NotePage;

_Static_assert(sizeof(NoteSlot) == 64, "workers do not share cache lines");
_Static_assert(sizeof(NotePage) == IO_MAP_BYTES, "the page is what is mapped");

struct Note {
    Lock lock;
    IoFile *file;
    NotePage *page;
    NoteRows suspects[NOTE_SLOTS];
    uint32_t suspect_count;
};

/* -- Sums ------------------------------------------------------------------------------------- */

uint32_t note_slot_sum(const NoteSlot *slot, uint32_t task_id) {
    uint64_t sum = 0x9e3779b97f4a7c15U ^ task_id;
    const uint64_t parts[] = {
        atomic_load_explicit(&slot->topic_id, memory_order_relaxed),
        atomic_load_explicit(&slot->partition, memory_order_relaxed),
        atomic_load_explicit(&slot->rows, memory_order_relaxed),
        (uint64_t)atomic_load_explicit(&slot->offset, memory_order_relaxed),
        atomic_load_explicit(&slot->alone, memory_order_relaxed)};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        sum = (sum ^ parts[i]) * 0xff51afd7ed558ccdU;
    return (uint32_t)(sum >> 32);
}

static uint32_t entry_sum(const NoteEntry *entry) {
    assert(entry);
    return hash_crc32c(0, (Bytes){(const uint8_t *)entry, offsetof(NoteEntry, sum)});
}

static bool entry_is_used(const NoteEntry *entry) {
    return entry->task_id != 0 && entry->sum == entry_sum(entry);
}

/* -- What the last process left --------------------------------------------------------------- */

/* A free entry, one of the same task, or the oldest. */
static NoteEntry *entry_for(NotePage *page, uint32_t task_id) {
    NoteEntry *best = NULL;
    assert(task_id > 0);
    for (uint32_t i = 0; i < NOTE_ENTRIES; i++) {
        NoteEntry *entry = &page->entries[i];
        if (!entry_is_used(entry) || entry->task_id == task_id)
            return entry;
        if (!best || entry->age < best->age)
            best = entry;
    }
    return best;
}

static void quarantine(NotePage *page, const NoteRows *rows) {
    uint32_t age = 0;
    for (uint32_t i = 0; i < NOTE_ENTRIES; i++)
        if (entry_is_used(&page->entries[i]) && page->entries[i].age >= age)
            age = page->entries[i].age + 1;
    NoteEntry *entry = entry_for(page, rows->task_id);
    *entry = (NoteEntry){.task_id = rows->task_id, .topic_id = rows->where.topic_id,
                         .partition = rows->where.partition, .rows = rows->rows,
                         .offset = rows->offset, .age = age};
    entry->sum = entry_sum(entry);
    assert(entry_is_used(entry));
}

static void take_slot(Note *note, NoteSlot *slot) {
    NoteRows rows = {.task_id = atomic_load(&slot->task_id), .rows = atomic_load(&slot->rows),
                     .where = {atomic_load(&slot->topic_id), atomic_load(&slot->partition)},
                     .offset = atomic_load(&slot->offset)};
    bool alone = atomic_load(&slot->alone) != 0;
    bool whole = rows.task_id != 0 && atomic_load(&slot->sum) == note_slot_sum(slot, rows.task_id);
    memset(slot, 0, sizeof *slot);
    if (!whole)
        return;
    if (alone)
        quarantine(note->page, &rows);
    else
        note->suspects[note->suspect_count++] = rows;
    assert(note->suspect_count <= NOTE_SLOTS);
}

ErrCode note_open(Io *io, const char *path, Note **target, Err *err) {
    assert(io && path);
    IoFile *file;
    void *memory;
    TRY(io->ops->open(io, path, IO_WRITE, &file, err));
    ErrCode code = file->ops->allocate(file, IO_MAP_BYTES, err);
    if (code == ERR_OK)
        code = file->ops->map(file, &memory, err);
    if (code != ERR_OK) {
        file->ops->close(file);
        return code;
    }
    Note *note = mem_alloc(sizeof *note);
    lock_init(&note->lock);
    note->file = file;
    note->page = memory;
    if (memcmp(note->page->magic, note_magic, sizeof note_magic) != 0) {
        memset(note->page, 0, sizeof *note->page);
        memcpy(note->page->magic, note_magic, sizeof note_magic);
    }
    for (uint32_t i = 0; i < NOTE_SLOTS; i++)
        take_slot(note, &note->page->slots[i]);
    *target = note;
    return ERR_OK;
}

void note_close(Note *note) {
    if (!note)
        return;
    note->file->ops->close(note->file);
    lock_close(&note->lock);
    mem_free(note);
}

NoteSlot *note_slot(Note *note, uint32_t worker) {
    return note && worker < NOTE_SLOTS ? &note->page->slots[worker] : NULL;
}

/* -- Questions -------------------------------------------------------------------------------- */

static bool is_among(uint32_t task_id, uint32_t first, uint32_t count) {
    return task_id >= first && task_id - first < count;
}

bool note_suspect(Note *note, uint32_t first, uint32_t count, NoteRows *rows) {
    assert(rows && count > 0);
    for (uint32_t i = 0; note && i < note->suspect_count; i++) {
        if (!is_among(note->suspects[i].task_id, first, count))
            continue;
        *rows = note->suspects[i];
        return true;
    }
    return false;
}

static NoteEntry *find_entry(Note *note, uint32_t first, uint32_t count) {
    for (uint32_t i = 0; i < NOTE_ENTRIES; i++) {
        NoteEntry *entry = &note->page->entries[i];
        if (entry_is_used(entry) && is_among(entry->task_id, first, count))
            return entry;
    }
    return NULL;
}

bool note_quarantined(Note *note, uint32_t first, uint32_t count, NoteRows *rows) {
    assert(rows && count > 0);
    if (!note)
        return false;
    lock_take(&note->lock);
    const NoteEntry *entry = find_entry(note, first, count);
    if (entry)
        *rows = (NoteRows){entry->task_id, entry->rows, {entry->topic_id, entry->partition},
                           entry->offset};
    lock_release(&note->lock);
    return entry != NULL;
}

void note_release(Note *note, uint32_t first, uint32_t count) {
    assert(count > 0);
    if (!note)
        return;
    lock_take(&note->lock);
    for (NoteEntry *entry; (entry = find_entry(note, first, count)) != NULL;)
        *entry = (NoteEntry){0};
    lock_release(&note->lock);
}
