/*
 * partition_lists_impl.h - the inside of a Partition, for the files partition*.c.
 *
 *   segments    [0 .. segment_count)            on disk, in offset order; at most the last grows
 *   tail        items [tail_first .. tail_first + tail_count), counted over the partition's life
 *
 *   offsets     start ........ first of the tail ........ frozen ........ end
 *   on disk     #################~~~~~~~~~~~~              (~: in the tail as well)
 *
 * Invariants: (1) the tail has every batch that is not whole in a segment claimed by a valid
 * checkpoint or by the journal; (2) items below `written` are whole on disk, of item `written` the
 * first `skip` bytes are; (3) bytes of segments below their state's size never change; (4) the
 * first `kept` items are in segments that were added whole: they may go at any time.
 *
 * `lock` guards all lists. The background thread alone changes growing segments, `written` and
 * `skip`, and so may read them without the lock. The journal writer adds whole segments, but only
 * where the tail has nothing else, so never beside a write.
 */
#ifndef STORAGE_PARTITION_LISTS_IMPL_H
#define STORAGE_PARTITION_LISTS_IMPL_H

#include <stdatomic.h>

#include "base/thread.h"
#include "storage/segment_impl.h"

typedef struct Segment {
    SegmentState state;
    SegmentIndex index; /* of complete chunks, once `loaded` */
    bool loaded;
    bool stale_files; /* the index files are to be written again */
    uint32_t readers; /* fetches at work on it */
} Segment;

struct Partition {
    Io *io;
    char *folder;
    TopicPartition where;
    uint32_t segment_bytes_max;
    Lock lock;

    int64_t start, end;

    Segment **segments;
    size_t segment_count, segment_capacity;

    TailItem *tail; /* ring-less: settle() moves what is left to the front */
    size_t tail_count, tail_capacity, kept;
    uint64_t tail_first; /* number of the item tail[0] */
    uint64_t tail_bytes;

    /* The running checkpoint. */
    uint64_t frozen; /* number of the first item it does not cover */
    int64_t frozen_start, frozen_end;
    uint64_t written;
    uint32_t skip;
    bool seal_wanted;        /* the next write() leaves nothing unsealed */
    atomic_bool folder_made;

    /* Below the start: out of the list, on disk until partition_remove_dropped(). */
    Segment **dropped;
    size_t dropped_count, dropped_capacity;
};

static inline SegmentPlace partition_place(const Partition *partition) {
    return (SegmentPlace){partition->io, partition->folder};
}

/* partition_read.c: loads the index of a segment on which the caller is a reader. */
ErrCode partition_need_index(Partition *partition, Segment *segment, Err *err);

/* What a fetch asks for. */
typedef struct FetchWanted {
    int64_t offset;
    uint32_t bytes_max;
    const LogBlock *before; /* see log_fetch_on(); NULL: none */
} FetchWanted;

/* partition_read.c: the wanted block from a segment on which the caller is a reader. */
ErrCode partition_read_segment(Partition *partition, Segment *segment, const FetchWanted *wanted,
                               LogBlock **block, Err *err);

#endif
