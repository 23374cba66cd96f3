/*
 * manifest_impl.h - what a checkpoint says: where to start replaying, and which table files count.
 *
 *   ckpt/A, ckpt/B := copy at 0, copy at 8192, each of 4096 bytes with zeros at the end
 *
 * A checkpoint with an odd generation lies in A, with an even one in B, so the last good one is
 * never written over. Valid iff magic, version, sizes and sum match; the highest valid generation
 * counts. Little-endian:
 *
 *   offset size field
 *        0    4  magic "WCK1"
 *        4    4  version 1
 *        8    8  generation
 *       16    8  epoch         of the frames to be replayed
 *       24    8  redo_seq      journal file that goes on after the checkpoint
 *       32    8  redo_lsn      last LSN that the checkpoint holds
 *       40    8  redo_sum      chain sum of that frame
 *       48    8  wall_ms
 *       56    8  next_file_id  ids of table files
 *       64    4  next_id       ids of topics, stores, tasks
 *       68    4  table_count   at most 128
 *       72   24n tables: file id u64, size u64, sum u64 (the one in the file's footer); the first
 *                is the whole state of its time, each other what changed after the one before it
 *        .    8  sum           XXH3-64 of all before it
 */
#ifndef STORAGE_MANIFEST_IMPL_H
#define STORAGE_MANIFEST_IMPL_H

#include "base/buf.h"
#include "base/io.h"

enum {
    MANIFEST_MAGIC = 0x314b4357, /* "WCK1" */
    MANIFEST_VERSION = 1,
    MANIFEST_FIXED_SIZE = 72,
    MANIFEST_TABLE_SIZE = 24,
#ifdef HOSTILE_LIMITS
    MANIFEST_TABLES_MAX = 6, /* (h) */
#else
    MANIFEST_TABLES_MAX = 128,
#endif
    MANIFEST_COPY_SIZE = 4096,
    MANIFEST_COPY_AT = 8192, /* of the second copy: apart from the first */
    EPOCH_SHIFT = 24, /* an epoch is the generation that draws it, then random bits */
};

typedef struct TableRef {
    uint64_t id, size, sum;
    uint32_t interval; /* the memtable's entries of this number and below are in it, or in those
                        * before it; not on disk */
} TableRef;

typedef struct Manifest {
    uint64_t generation; /* 0: there is no checkpoint */
    uint64_t epoch;
    uint64_t redo_seq, redo_lsn, redo_sum;
    int64_t wall_ms;
    uint64_t next_file_id;
    uint32_t next_id;
    uint32_t table_count;
    TableRef tables[MANIFEST_TABLES_MAX];
} Manifest;

bool manifest_names(const Manifest *manifest, uint64_t table_id);
uint64_t manifest_table_bytes(const Manifest *manifest);

/* The newest checkpoint of a folder; generation 0 without one. CORRUPT never: a slot that is not
 * valid does not count. */
ErrCode manifest_read(Io *io, const char *folder, Manifest *manifest, Err *err);

/* Writes both copies into the slot of its generation and syncs. The slot files exist. */
ErrCode manifest_write(Io *io, const char *folder, const Manifest *manifest, Err *err);

/* Writes the second copy of a manifest that was read once more and syncs it. Had the last process
 * failed to sync it, the page cache alone would hold it, and writing the other slot would destroy
 * the last good one. Afterwards this copy is certainly on disk; the first was not touched. */
ErrCode manifest_confirm(Io *io, const char *folder, const Manifest *manifest, Err *err);

/* Makes the slot files of a new folder; the caller syncs the folder ckpt. */
ErrCode manifest_make(Io *io, const char *folder, Err *err);

/* One copy, for tests and dumps. */
void manifest_encode(const Manifest *manifest, Buf *target);
bool manifest_decode(Bytes bytes, Manifest *manifest);

#endif
