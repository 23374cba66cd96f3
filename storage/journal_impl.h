/*
 * journal_impl.h - the journal's files: made ahead, filled group by group, used again.
 *
 *   J-%016x := head block (4096 bytes) group*          group := frame+ zeros up to 4096
 *
 *   head    offset size field (little-endian)
 *                0    4  magic "WJH1"
 *                4    4  version 1
 *                8    8  file_seq    as in the name: a reused file's old head does not count
 *               16    8  first_lsn
 *               24    8  epoch
 *               32    8  prev_sum    chain sum before its first frame
 *               40    8  file_size   a file that is shorter has lost its end
 *               48    8  sum         XXH3-64 of all before it
 *
 * One file is current, at most one is spare: space taken, name durable, head not yet written.
 * Whatever is accepted fits into what is left of the current file, or into the spare, so that a
 * disk that fills up refuses commits and never fails one.
 *
 * Threads: the writer owns the current file, the group and the chain; `lock` guards the rest.
 */
#ifndef STORAGE_JOURNAL_IMPL_H
#define STORAGE_JOURNAL_IMPL_H

#include <stdatomic.h>

#include "base/io.h"
#include "base/thread.h"
#include "storage/frame_impl.h"

enum {
    JOURNAL_HEAD_MAGIC = 0x31484a57, /* "WJH1" */
    JOURNAL_HEAD_VERSION = 1,
    JOURNAL_HEAD_SIZE = 56,
    JOURNAL_HEAD_BLOCK = 4096,
    JOURNAL_GROUP_BYTES_MAX = 4 << 20, /* in one write; one frame alone may be larger */
};

typedef struct JournalFile {
    IoFile *file; /* NULL: none */
    uint64_t seq, size;
} JournalFile;

typedef enum JournalMake {
    JOURNAL_PLAIN,
    /* Zeros are written over it, so that no sync in it waits for the file system to note what is
     * written; not while groups are so large that such a wait is nothing beside writing everything
     * twice, nor where nothing is synced: recovery then need not read what was never written. */
    JOURNAL_FILLED,
    JOURNAL_FIRST, /* some zeros; durable when the caller syncs the file and then the folder */
} JournalMake;

typedef struct JournalHead {
    uint64_t seq, first_lsn, epoch, prev_sum, file_size;
} JournalHead;

/* The frames of one write, in memory that is aligned as direct writes want it. */
typedef struct JournalGroup {
    uint8_t *data;   /* NULL: none yet */
    uint8_t *memory; /* what `data` lies in */
    size_t size, capacity;
} JournalGroup;

typedef struct Journal {
    Io *io;
    char *folder;
    bool fixed_size; /* file_bytes does not grow */

    /* The writer's. */
    JournalFile current;
    FrameChain chain;
    uint64_t durable_lsn; /* highest LSN known synced */
    uint64_t covered_lsn; /* highest durable_lsn that a synced frame tells */
    JournalGroup group;
    bool direct; /* files are written past the page cache: for journals that sync */
    JournalFile *unsynced; /* files before the current one with frames that no sync has covered */
    size_t unsynced_count, unsynced_capacity;
    atomic_ullong frames, groups, bytes, syncs; /* figures, read by anyone */

    Lock lock;
    Signal room;         /* a spare was made, or reserved bytes were written */
    uint64_t position;   /* in the current file; changed by the writer alone */
    uint64_t reserved;   /* by accepted commits that are not written yet */
    uint64_t file_bytes; /* size of the next file made */
    uint64_t seq_next;
    uint64_t redo_seq; /* files before it hold nothing that a checkpoint does not */
    JournalFile spare;
    bool preparing;
    uint64_t made_bytes, made_groups; /* figures of when the last spare was made */
    int64_t retry_us; /* no new attempt to take space before that time; 0: none failed */
    bool restricted;  /* new space is only for commits that remove */
    struct JournalName {
        uint64_t seq, size;
    } *old; /* files before the current one that no checkpoint has made useless yet */
    size_t old_count, old_capacity;
} Journal;

void journal_init(Journal *journal, Io *io, const char *folder, uint64_t file_bytes);
void journal_close(Journal *journal); /* closes files; removes the spare */

/* Makes a file with its space taken and its name durable. */
ErrCode journal_make(Journal *journal, uint64_t size, JournalMake how, JournalFile *made, Err *err);

/* Goes on in `next`: its head continues the chain. `sync` makes the head durable at once. */
ErrCode journal_start(Journal *journal, JournalFile next, bool sync, Err *err);
/* The same with the spare, which must be there. */
ErrCode journal_switch(Journal *journal, bool sync, Err *err);
/* The same for a checkpoint, durable at once; *done is false when the spare is missing or smaller
 * than what is reserved. */
ErrCode journal_cut(Journal *journal, bool *done, Err *err);

/* Room for commits. NO_SPACE: not now. */
ErrCode journal_reserve(Journal *journal, uint64_t bytes, Err *err);

/* From now on journal_reserve() and journal_prepare() take no new space, or do again. What could
 * not be taken is tried again at once. */
void journal_restrict(Journal *journal, bool restricted);

/* The same for a commit that removes: never refused because of journal_restrict(). */
ErrCode journal_reserve_removal(Journal *journal, uint64_t bytes, Err *err);
void journal_unreserve(Journal *journal, uint64_t bytes);
/* Makes a spare when half of the current file is used and there is none. */
ErrCode journal_prepare(Journal *journal, bool fill, Err *err);
/* Makes a spare that holds what is reserved, when there is none. */
ErrCode journal_make_spare(Journal *journal, bool fill, Err *err);

/* Half of the current file is used and there is no spare. */
bool journal_wants_spare(Journal *journal);

/* Whether a frame of `size` bytes (aligned) fits the group and the current file. */
bool journal_fits(const Journal *journal, uint64_t size);

/* Adds a frame to the group. */
void journal_add(Journal *journal, FrameHead *head, const FrameOffset *offsets, Bytes entries,
                 uint64_t entries_hash);
/* Writes the group; journal_sync() makes it durable. */
ErrCode journal_write(Journal *journal, Err *err);
ErrCode journal_sync(Journal *journal, Err *err);
/* Nothing has come for a while: gives back the group's memory. */
void journal_rest(Journal *journal);

/* Files before redo_seq: one becomes the spare if there is none, the others are removed. */
ErrCode journal_recycle(Journal *journal, uint64_t redo_seq, Err *err);

char *journal_path(const Journal *journal, uint64_t seq); /* mem_free() */
bool journal_name_seq(const char *name, uint64_t *seq);
bool journal_read_head(Bytes block, JournalHead *head);

#endif
