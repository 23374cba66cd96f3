/*
 * io_mem_impl.h - the inside of io_mem.c (files and names) and io_mem_fault.c (what goes wrong).
 *
 * A file is what a running program sees: pages of 4 KiB, made when they are first written. What
 * the disk would hold is kept as the difference: for each sector written since the last sync its
 * bytes before. A sync therefore only forgets, and a crash looks at nothing but the differences.
 * Names work alike: the list of entries is what a program sees, `ops` are the changes that no
 * sync_folder() has made durable, each with what undoes it.
 *
 * Locks: MemIo.lock guards names, counters, faults and references; MemFile.lock the content of a
 * file. Who needs both takes MemIo.lock last. A crash happens with no call under way.
 */
#ifndef BASE_IO_MEM_IMPL_H
#define BASE_IO_MEM_IMPL_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/io_impl.h"
#include "base/io_mem.h"
#include "base/thread.h"

enum {
    MEM_PAGE = 4096,
    MEM_SECTOR = 512, /* the unit that a disk writes or does not */
    MEM_SECTORS_PER_PAGE = MEM_PAGE / MEM_SECTOR,
    MEM_NO_BYTES = -1, /* MemSector.saved: it was zeros */
};

/* A sector that differs, or may differ, from the disk. */
typedef struct MemSector {
    uint64_t index;
    int64_t saved; /* where MemFile.saved holds its bytes on disk; MEM_NO_BYTES */
    bool lost;     /* a failed sync has called it clean: no later sync writes it */
} MemSector;

typedef struct MemSlab MemSlab;
typedef struct MemFreePage MemFreePage;

typedef struct MemFile {
    Lock lock;
    uint8_t **pages; /* NULL: zeros */
    size_t page_count;
    MemSlab *slabs; /* what they lie in; the first one is being filled */
    MemFreePage *free_pages;
    uint64_t size;

    /* Only while faults are on. */
    uint64_t durable_size;
    MemSector *sectors;
    size_t sector_count, sector_capacity, lost_count;
    uint8_t *dirty; /* one bit a sector: it has a MemSector */
    size_t dirty_count;
    Buf saved;

    /* Guarded by MemIo.lock. */
    uint32_t refs;  /* entries, undo records and handles */
    uint32_t users; /* entries and handles: without any its space is free */
    bool folder;
    bool locked;
} MemFile;

typedef struct MemEntry {
    char *path;
    MemFile *file;
} MemEntry;

typedef enum MemOpKind { MEM_OP_CREATE, MEM_OP_REMOVE, MEM_OP_RENAME } MemOpKind;

/* A change of names that is not durable. */
typedef struct MemOp {
    MemOpKind kind;
    char *path, *to;    /* to: RENAME only */
    MemFile *file;      /* the one created, removed or renamed */
    MemFile *replaced;  /* by RENAME; may be NULL */
} MemOp;

typedef struct MemFault {
    uint64_t at; /* the call that fails, counted from 1 in `calls`; 0: none */
    bool for_ever;
    uint64_t calls;
} MemFault;

typedef struct MemIo {
    Io io;
    Lock lock;
    MemEntry *entries; /* sorted by path */
    size_t entry_count, entry_capacity;
    uint32_t generation; /* crashes so far: handles of an older one are dead */

    bool tracked; /* io_mem_start_faults() was called */
    MemOp *ops;
    size_t op_count, op_capacity;
    MemFault faults[IO_MEM_CALLS];
    uint64_t changes, crash_at; /* crash_at 0: none */
    bool stopped;
    uint64_t space, used; /* bytes; space is UINT64_MAX without a budget */

    _Atomic bool clock_set; /* without: the machine's clock, for which nobody takes the lock */
    bool seeded;
    int64_t clock_us, mono_us;
    uint64_t random;
} MemIo;

typedef struct MemHandle {
    IoFile file;
    MemIo *io;
    MemFile *content;
    char *path;
    uint32_t generation;
    bool holds_lock, read_only;
} MemHandle;

/* What a call may do. */
typedef enum MemGate {
    MEM_GO,
    MEM_GO_AND_STOP, /* it takes effect, unsynced, and then the machine is off */
    MEM_FAIL,        /* EIO */
    MEM_STOPPED,
} MemGate;

static inline uint64_t io_mem_pages_of(uint64_t size) {
    return (size + MEM_PAGE - 1) / MEM_PAGE;
}

/* io_mem_fault.c */
MemGate io_mem_gate(MemIo *io, IoMemCall call);
ErrCode io_mem_gate_error(MemGate gate, const char *operation, const char *path, Err *err);
uint64_t io_mem_random(uint64_t *state);
void io_mem_track_write(MemFile *file, uint64_t offset, uint64_t size, bool cut);
void io_mem_track_sync(MemFile *file);
void io_mem_track_failed_sync(MemIo *io, MemFile *file);
void io_mem_track_op(MemIo *io, MemOp op); /* takes its strings and references */
void io_mem_track_sync_folder(MemIo *io, const char *path);
void io_mem_op_free(MemOp *op);

/* io_mem.c */
bool io_mem_find(const MemIo *io, const char *path, size_t *index);
void io_mem_insert(MemIo *io, const char *path, MemFile *file); /* adds a reference */
void io_mem_erase(MemIo *io, size_t index);                     /* gives its reference back */
void io_mem_file_unref(MemFile *file);
void io_mem_file_use(MemIo *io, MemFile *file); /* as an entry or a handle, with a reference */
void io_mem_file_leave(MemIo *io, MemFile *file);
void io_mem_file_cut(MemFile *file, uint64_t size);
bool io_mem_parent_there(const MemIo *io, const char *path);
bool io_mem_path_in(const char *path, const char *folder, size_t folder_size);

/* io_mem_page.c: with the file's lock held. */
void io_mem_pages_reserve(MemFile *file, uint64_t count);
uint8_t *io_mem_page_add(MemFile *file, uint64_t page); /* was not there; holds any bytes */
void io_mem_page_drop(MemFile *file, uint64_t page);    /* may be missing */
void io_mem_pages_free(MemFile *file);

#endif
