/*
 * segment_add.h - bulk loads: whole segments of records are written and synced first, then one
 * small commit adds them to their partition. The records do not go through the journal.
 *
 *   open -> batch* -> commit_segment -> commit_submit      or drop instead of commit_segment
 *
 * While it is open others may append to the partition; then its offsets are taken, and the commit
 * is ABORTED with code BUSY: load the same records by commit_append(). So it suits loads of many
 * MiB into a partition that nobody else fills. One at a time per partition; one thread.
 *
 * The last batches stay in memory too, for those who read along; a load of many segments at once
 * (nobody can read along) keeps none.
 */
#ifndef STORAGE_SEGMENT_ADD_H
#define STORAGE_SEGMENT_ADD_H

#include "storage/commit.h"

typedef struct SegmentAdd SegmentAdd;

/* Seals what the topic has (which may take a checkpoint), so never on the writer thread. BUSY:
 * another one is open, or others append without pause. NOT_FOUND, NO_SPACE, STORAGE_FAILED. */
ErrCode segment_add_open(Storage *storage, TopicPartition where, SegmentAdd **add, Err *err);

/* Adds a sealed batch (with base offset 0) and takes its memory: the batch is empty afterwards,
 * perhaps with other memory. */
ErrCode segment_add_batch(SegmentAdd *add, RecordBatch *batch, Err *err);

uint64_t segment_add_bytes(const SegmentAdd *add); /* so far */
int64_t segment_add_base(const SegmentAdd *add);   /* offset of its first record */

/* Syncs the segments' files and makes them part of `commit`; used up, whatever is returned. Needs
 * a batch; the commit has no appends to the same partition. */
ErrCode commit_segment(Commit *commit, SegmentAdd *add, Err *err);

void segment_add_drop(SegmentAdd *add); /* removes the files; NULL is allowed */

#endif
