/*
 * segment_impl.h - the files of one run of a partition: batches, and what finds them again.
 *
 *   <base>.seg   record batches one after the other, nothing else; written in blocks of 4 KiB, each
 *                once; only a sealed segment ends anywhere
 *   <base>.idx   one entry per complete chunk of 64 KiB: where it begins to be readable, its sum
 *   <base>.tix   one entry per complete chunk: the highest timestamp up to its end
 *
 * The two index files are caches without syncs. What makes them, and each byte of the segment,
 * believable is SegmentState, which a checkpoint carries: a chain of sums over all entries of
 * complete chunks, and the entry of the last, incomplete one. Where the files do not give that
 * chain, the entries are made again from the segment, and then must give it.
 *
 * A segment on disk (names and fields: docs/formats/segment.md) is changed by one SegmentWriter at
 * a time and read by anyone below the size of a state it was given.
 */
#ifndef STORAGE_SEGMENT_IMPL_H
#define STORAGE_SEGMENT_IMPL_H

#include "base/io.h"
#include "base/limits.h"
#include "storage/partition_impl.h"

enum {
    SEGMENT_BLOCK_BYTES = 4096, /* what is written at once, and summed */
    SEGMENT_PATH_SIZE = 600,
};

/* One chunk. The batch named is the first that begins in the chunk; where none does, the one that
 * covers it. */
typedef struct SegmentEntry {
    int64_t offset;    /* its base offset */
    uint32_t position; /* where it begins in the segment */
    uint64_t sum;      /* of the chunk's bytes so far */
    int64_t time;      /* highest timestamp of the batches that begin before the chunk's end */
} SegmentEntry;

/* All that a checkpoint must know of a segment, sums included. */
typedef struct SegmentState {
    int64_t base_offset;
    int64_t end_offset; /* after the last batch that begins in it; base_offset: none yet */
    uint32_t size;      /* bytes on disk; whole blocks unless sealed */
    bool sealed;
    bool added; /* written whole before a commit added it: the name says so */
    int64_t max_timestamp;
    uint64_t root;        /* chain over the entries of complete chunks */
    SegmentEntry open;    /* the incomplete chunk, if size is not a multiple of a chunk's */
    int64_t last_offset;  /* of the last batch that begins in it */
    uint32_t last_position;
} SegmentState;

typedef struct SegmentIndex {
    SegmentEntry *entries;
    size_t count, capacity;
} SegmentIndex;

/* Whose files. */
typedef struct SegmentPlace {
    Io *io;
    const char *folder;
} SegmentPlace;

/* <base>.<ending>, or <base>a.<ending> of one that was added whole: both may exist, when others
 * append while a segment for the same offsets is being written. */
void segment_path(const SegmentPlace *place, const SegmentState *state, const char *ending,
                  char path[SEGMENT_PATH_SIZE]);

/* What a name in the folder is: the base offset of one of a segment's three files, or -1. */
int64_t segment_name_base(const char *name, bool *added);

SegmentState segment_state_new(int64_t base_offset);
uint32_t segment_chunk_count(const SegmentState *state); /* complete ones; all when sealed */

void segment_state_put(Buf *out, const SegmentState *state);
/* false: no such state can be. */
bool segment_state_get(Reader *reader, SegmentState *state);

/* The segment is there and long enough; what is longer is cut off. */
ErrCode segment_adopt(const SegmentPlace *place, const SegmentState *state, Err *err);

/* Fills *index with the entries of all complete chunks, from the files or from the segment itself;
 * *rebuilt says that the files need writing. CORRUPT when neither fits the state. */
ErrCode segment_index_load(const SegmentPlace *place, const SegmentState *state,
                           SegmentIndex *index, bool *rebuilt, Err *err);
ErrCode segment_index_write(const SegmentPlace *place, const SegmentState *state,
                            const SegmentIndex *index, uint32_t from, Err *err);
void segment_index_free(SegmentIndex *index);
/* Appends the entries of `more`. */
void segment_index_join(SegmentIndex *index, const SegmentIndex *more);

/* The chunk to begin with for `offset`: the last complete or open one at or before it. */
SegmentEntry segment_index_find(const SegmentIndex *index, const SegmentState *state,
                                int64_t offset);

/* For the implementation: the entries from the segment's own bytes, one more entry, and a link of
 * the chain. */
ErrCode segment_index_rebuild(const SegmentPlace *place, const SegmentState *state,
                              SegmentIndex *index, Err *err);
void segment_index_add(SegmentIndex *index, const SegmentEntry *entry);
uint64_t segment_root(uint64_t root, const SegmentEntry *entry);

/* Sum over whole blocks (the last one of a segment may be short), continuing `sum`. */
uint64_t segment_sum(uint64_t sum, Bytes bytes);

/* == Writing ================================================================================== */

typedef struct SegmentWriter {
    SegmentPlace place;
    IoFile *file;
    SegmentState state;   /* as of the bytes that were written */
    SegmentIndex entries; /* chunks completed by this writer */
    uint8_t *memory, *staging;
    uint32_t used, summed; /* bytes in `staging`, and those of them in a sum */
    uint32_t first_chunk;  /* the first that `entries` is about */
} SegmentWriter;

/* Opens the file at the end of `state`, making it when nothing is in it yet. close() follows even a
 * failed open(). */
ErrCode segment_writer_open(SegmentWriter *writer, const SegmentPlace *place,
                            const SegmentState *state, Err *err);

/* A batch begins here; its bytes follow. */
void segment_writer_begin(SegmentWriter *writer, const RecordBatchInfo *info);
ErrCode segment_writer_put(SegmentWriter *writer, Bytes bytes, Err *err);

uint32_t segment_writer_size(const SegmentWriter *writer); /* with what is not written yet */

/* Writes what is left (whole blocks unless `seal`), syncs, and writes the new index entries. */
ErrCode segment_writer_finish(SegmentWriter *writer, bool seal, Err *err);
void segment_writer_close(SegmentWriter *writer);

#endif
