/*
 * journal_reader_impl.h - reads journal files that may be damaged: frame after frame, or all of a
 * file for whatever looks like a frame.
 *
 * A window of the file is in memory, so files of 64 MiB are read in pieces.
 */
#ifndef STORAGE_JOURNAL_READER_IMPL_H
#define STORAGE_JOURNAL_READER_IMPL_H

#include "base/arena.h"
#include "storage/journal_impl.h"

typedef struct JournalReader {
    char *path;
    IoFile *file;
    uint64_t seq, size;
    uint64_t replayed; /* every frame that begins before it was */
    bool head_valid; /* of the file, and it says the same as the name */
    JournalHead head;
    Buf window;
    uint64_t window_at;
} JournalReader;

ErrCode journal_reader_open(JournalReader *reader, Io *io, const char *path, uint64_t seq,
                            Err *err);
void journal_reader_close(JournalReader *reader);

typedef struct JournalFound {
    FrameHead head;
    Bytes frame;     /* borrowed until the next read */
    uint64_t sum;    /* for the chain */
    uint64_t offset; /* where it lies */
} JournalFound;

/* The frame that continues the chain at *offset, or at the next group after it; moves *offset
 * behind it. When there is none, *found is false and *offset is where it should be. */
ErrCode journal_read_next(JournalReader *reader, const FrameChain *chain, uint64_t *offset,
                          JournalFound *next, bool *found, Err *err);

/* The next valid frame head at or after *offset, whatever it continues; its body may be damaged. */
ErrCode journal_scan_next(JournalReader *reader, uint64_t *offset, FrameHead *head, bool *found,
                          Err *err);

#endif
