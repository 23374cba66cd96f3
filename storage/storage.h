/*
 * storage.h - one data folder: journal, topics, state; opened, recovered, checkpointed, closed.
 *
 * There is one place where anything becomes true: a valid frame in the journal (docs/formats).
 * Everything else here is a cache of it. Whatever is written goes through commit.h; topics are
 * read through log.h, state through store.h.
 *
 * Threads: with `threads` set the storage runs a journal writer and a background thread. Without,
 * nothing happens by itself: the caller drives it with storage_pump(), which makes runs repeatable
 * (tests, conformance cases, the simulator).
 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include "base/io.h"

typedef struct Storage Storage;

typedef enum Durability { DURABILITY_SYNC, DURABILITY_OS } Durability;

typedef struct StorageOptions {
    Durability durability;
    bool threads;
    uint64_t checkpoint_bytes; /* journal bytes between checkpoints; 0: up to 64 MiB,
                                * as much as there is state to write, but at least: */
    uint64_t checkpoint_bytes_min; /* 0: 16 MiB */
    int64_t checkpoint_ms;     /* 0: 30,000 */
    uint64_t tail_bytes_max;   /* per partition; 0: 64 MiB */
    uint64_t journal_file_bytes; /* size of every journal file; 0: limits.h */
    uint32_t frame_bytes_max;    /* entries in one frame; 0: limits.h */
    uint32_t segment_bytes_max;  /* of segments that are added whole; 0: limits.h */
    int64_t mark_ms;             /* idle before the end of the journal is marked; 0: 100 */
} StorageOptions;

/* Opens or makes the folder, takes its lock (BUSY when another process has it), recovers. CORRUPT
 * with file and offset where acknowledged data cannot be read: nothing is truncated then. */
ErrCode storage_open(Io *io, const char *folder, const StorageOptions *options, Storage **storage,
                     Err *err);

/* Commits in flight are finished, a checkpoint is written, files are closed. */
void storage_close(Storage *storage);

/* Without threads: does what is due (writes and syncs waiting commits, applies them, checkpoints).
 * With threads: returns at once. */
ErrCode storage_pump(Storage *storage, Err *err);

/* Writes a checkpoint now and waits for it. */
ErrCode storage_checkpoint(Storage *storage, Err *err);

/* STORAGE_FAILED once a write or sync has failed, ERR_OK before. */
ErrCode storage_state(Storage *storage, Err *err);

/* Of this folder, for as long as there is it. */
const char *storage_uuid(const Storage *storage);

/* The highest LSN whose effects every reader sees. */
uint64_t storage_visible_lsn(Storage *storage);

/* What was written and kept, for DESCRIBE and benchmarks. */
typedef struct StorageFigures {
    uint64_t frames, groups, journal_bytes, syncs, checkpoints;
    uint64_t tail_bytes, segment_bytes, state_entries, state_bytes;
} StorageFigures;

void storage_figures(Storage *storage, StorageFigures *figures);

#endif
