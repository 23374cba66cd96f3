/*
 * partition_impl.h - one partition: sealed and growing segments on disk, the tail in memory.
 *
 * Records after the last segment write stay in memory by reference to the frame buffers they came
 * in (LogBlock) and serve readers there. A checkpoint writes whole 4 KiB blocks of the frozen tail
 * to the segment, never below the length already written; what is left over (< 4 KiB, or a tail
 * under 64 KiB) is saved as bytes inside the checkpoint. So a segment has neither padding nor a
 * torn tail, and bytes of a segment claimed by a checkpoint never change.
 *
 *   new -> load (once, from a checkpoint) -> append* ... freeze -> write -> save -> settle ... free
 *
 * Threads: append, freeze, settle and delete come from the journal writer (or recovery); write and
 * save from the background thread; fetch and offsets from any thread. A lock inside guards the
 * lists; no file is read or written with the lock held.
 */
#ifndef STORAGE_PARTITION_IMPL_H
#define STORAGE_PARTITION_IMPL_H

#include "base/io.h"
#include "storage/log.h"
#include "storage/spare_memory_impl.h"

typedef struct Partition Partition;

enum {
#ifdef HOSTILE_LIMITS
    PARTITION_KEEP_BYTES = 8 << 10,
#else
    PARTITION_KEEP_BYTES = 32 << 20, /* two portions of a load that is read along */
#endif
};

/* A batch in memory. */
typedef struct TailItem {
    LogBlock *block; /* one reference */
    const uint8_t *data;
    RecordBatchInfo info;
} TailItem;

/* folder: of this partition; it is made when something is first written. */
Partition *partition_new(Io *io, const char *folder, TopicPartition where);
void partition_free(Partition *partition);

/* Segments are sealed at this size, or with their first batch when it is larger; SEGMENT_BYTES_MAX
 * unless set here, before anything is loaded or appended. */
void partition_set_segment_bytes(Partition *partition, uint32_t bytes_max);

/* A LogBlock that takes over `data` (mem.h memory), with one reference. */
LogBlock *log_block_take(uint8_t *data, uint32_t size);

/* The same, but log_block_bytes() is only `part` of the memory. */
LogBlock *log_block_take_part(uint8_t *data, Bytes part);

/* The same for memory of `capacity` bytes that goes to `spare` in the end. */
LogBlock *log_block_take_spare(uint8_t *data, size_t capacity, Bytes part, SpareMemory *spare);

/* A part of another block, which it keeps alive. */
LogBlock *log_block_view(LogBlock *parent, Bytes part);

/* What was read of a segment beyond the batches of a block, in the block's memory. */
typedef struct LogBlockRest {
    Bytes bytes;          /* data NULL: none */
    int64_t next_offset;  /* with which the first of them begins */
    int64_t base_offset;  /* of the segment */
    bool added;           /* the segment was */
    uint32_t position;    /* of `bytes` in it */
    uint64_t sum;         /* of the chunk that they end */
} LogBlockRest;

void log_block_set_rest(LogBlock *block, const LogBlockRest *rest);
const LogBlockRest *log_block_rest(const LogBlock *block);

/* Restores from the bytes partition_save() wrote. CORRUPT when they are damaged, or a segment file
 * is missing or shorter than claimed. Bytes of a segment beyond the claimed length are cut off. */
ErrCode partition_load(Partition *partition, Bytes saved, Err *err);

/* Adds one sealed batch at the end; `batch` lies inside `block`, of which a reference is taken.
 * The batch's base offset must be the partition's end offset. */
void partition_append(Partition *partition, LogBlock *block, Bytes batch,
                      const RecordBatchInfo *info);

/* Raises the start offset (retention, DeleteRecords). */
void partition_set_start(Partition *partition, int64_t start);

/* As log_retention_start(). */
int64_t partition_retention_start(Partition *partition, const LogRetention *retention,
                                  int64_t now_ms);

/* Marks the end of what the running checkpoint covers. */
void partition_freeze(Partition *partition);

/* Writes what is due of the frozen tail to segments and syncs files, then folders. A segment is
 * sealed before it grows over its maximum. */
ErrCode partition_write(Partition *partition, Err *err);

/* Appends the metadata as of the freeze: start, end, segments with written lengths and sums, and
 * the remainder's bytes. */
void partition_save(Partition *partition, Buf *out);

/* After the checkpoint became valid: drops tail blocks that segments now hold. Readers keep their
 * references. */
void partition_settle(Partition *partition);

/* Unlinks segments below the start that the valid checkpoint does not name any more; what a fetch
 * still reads goes with the next write(). From the background thread. */
ErrCode partition_remove_dropped(Partition *partition, Err *err);

void partition_offsets(Partition *partition, int64_t *start, int64_t *end);
uint64_t partition_tail_bytes(Partition *partition);
uint64_t partition_segment_bytes(Partition *partition); /* on disk, without indexes */

/* Of all batches, each counted once, dropped ones of a segment that stays included. */
uint64_t partition_bytes(Partition *partition);
uint64_t partition_bytes_growing(Partition *partition); /* those in no sealed segment */

/* *block is NULL when offset is the end; NOT_FOUND below the start and beyond the end. CORRUPT
 * names file and position; other offsets and partitions go on. */
ErrCode partition_fetch(Partition *partition, int64_t offset, uint32_t bytes_max, LogBlock **block,
                        Err *err);

/* As log_fetch_on(). */
ErrCode partition_fetch_on(Partition *partition, int64_t offset, const LogBlock *before,
                           LogBlock **block, Err *err);

/* The offset of the first record, from the start on, whose timestamp is at or after `timestamp`;
 * the end offset when there is none. */
ErrCode partition_find_time(Partition *partition, int64_t timestamp, int64_t *offset, Err *err);

/* Removes files of segments that were begun, dropped or to be added around a crash, and that
 * neither the checkpoint nor the journal names. After recovery, with nothing else going on. */
ErrCode partition_remove_unclaimed(Partition *partition, Err *err);

/* == Segments added whole ===================================================================== */

ErrCode partition_make_folder(Partition *partition, Err *err);

/* The next write() seals what it writes, however short. */
void partition_want_seal(Partition *partition);

/* All records are in sealed segments that are durable: one more can be added. */
bool partition_addable(Partition *partition);

/* Adds a sealed segment, described by `state` (segment_state_put()), at the end. CORRUPT when it
 * does not begin there, or its file is missing or short. */
ErrCode partition_add_segment(Partition *partition, Bytes state, Err *err);

/* The batches of segments that were just added, in order up to the end: they serve readers from
 * memory until the next checkpoint, or until more are kept. References are taken over. */
void partition_keep(Partition *partition, const TailItem *items, size_t count);

/* Unlinks all files and the folder. */
ErrCode partition_delete_files(Partition *partition, Err *err);

#endif
