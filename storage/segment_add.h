/*
 * segment_add.h - bulk loads: a whole segment of records is written and synced first, then one
 * small commit adds it to its partition. The records do not go through the journal.
 *
 *   open -> batch* -> commit_segment -> commit_submit      or drop instead of commit_segment
 *
 * While it is open others may append to the partition; then its offsets are taken, and the commit
 * is ABORTED with code BUSY: load the same records by commit_append(). So it suits loads of many
 * MiB into a partition that nobody else fills. One at a time per partition; one thread.
 */
#ifndef STORAGE_SEGMENT_ADD_H
#define STORAGE_SEGMENT_ADD_H

#include "storage/commit.h"

typedef struct SegmentAdd SegmentAdd;

/* Seals what the partition has (which may take a checkpoint), so never on the writer thread. BUSY:
 * another one is open, or others append without pause. NOT_FOUND, NO_SPACE, STORAGE_FAILED. */
ErrCode segment_add_open(Storage *storage, TopicPartition where, SegmentAdd **add, Err *err);

/* Adds a sealed batch (with base offset 0). LIMIT: the segment is full, and unchanged. */
ErrCode segment_add_batch(SegmentAdd *add, const RecordBatch *batch, Err *err);

uint64_t segment_add_bytes(const SegmentAdd *add); /* so far */
int64_t segment_add_base(const SegmentAdd *add);   /* offset of its first record */

/* Syncs the segment's file and makes it part of `commit`; used up, whatever is returned. Needs a
 * batch; the commit has no appends to the same partition. */
ErrCode commit_segment(Commit *commit, SegmentAdd *add, Err *err);

void segment_add_drop(SegmentAdd *add); /* removes the file; NULL is allowed */

#endif
