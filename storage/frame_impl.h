/*
 * frame_impl.h - a frame: one commit, or one part of a large one, as it lies in the journal.
 *
 * All integers little-endian; a frame begins at a multiple of 64, a group of frames at a multiple
 * of 4096, zeros between.
 *
 *   offset size field
 *        0    4  magic "WJF1"
 *        4    2  version 1
 *        6    2  flags: 1 MORE (parts of this commit follow), 2 MIRROR (reserved)
 *        8    4  len: the whole frame without padding
 *       12    8  lsn               dense over the life of the folder
 *       20    8  epoch             drawn at start-up
 *       28    8  prev_sum          `sum` of the frame before, across files and epochs
 *       36    8  durable_lsn       highest LSN known synced when this frame was built
 *       44    8  wall_ms
 *       52    4  n_entries
 *       56    4  n_offsets
 *       60 12*n  offsets: entry index u32, base offset i64, for each APPEND in order
 *        .    8  head_sum          XXH3-64 of all before it
 *        .    .  entries: head {type u8, flags u8, version u16, length u32}, then length bytes
 *  len-12    8  sum               XXH3-64 of the entries, xor head_sum
 *   len-4    4  len again
 *
 * The worker builds entries and their hash; the writer makes the head without touching them: record
 * batches inside keep base offset 0, the offsets stand in the head. `sum` binds head and entries,
 * so a new head over an old body is not valid.
 *
 * A frame is part of the journal iff it is valid by itself (magic, version, lengths, both sums) and
 * continues the chain: lsn is the previous one plus 1, epoch the same, prev_sum the previous sum.
 */
#ifndef STORAGE_FRAME_IMPL_H
#define STORAGE_FRAME_IMPL_H

#include "base/buf.h"

enum {
    FRAME_MAGIC = 0x31464a57, /* "WJF1" */
    FRAME_VERSION = 1,
    FRAME_MORE = 1,
    FRAME_ALIGN = 64,
    GROUP_ALIGN = 4096, /* a sector that holds committed bytes is never written again */
    FRAME_FIXED_SIZE = 60,
    FRAME_OFFSET_SIZE = 12,
    FRAME_TAIL_SIZE = 12,
};

/* Entry types. 5, 6 and 7 are kept for the Kafka listener, 12 for a Kafka cluster as the log. */
typedef enum EntryType {
    ENTRY_APPEND = 1,   /* topic u32, partition u32, record batch */
    ENTRY_SEGADD = 2,   /* topic u32, partition u32, replaced u32 = 0, segment_state_put() */
    ENTRY_STATE = 3,    /* store u32, then ops (StateOp) */
    ENTRY_SRCOFF = 4,   /* task u32, commit_seq u64, then 20 bytes per source */
    ENTRY_CATALOG = 8,  /* next_id u32, kind u8 (1 put, 2 remove), key size u32, key, value */
    ENTRY_MARK = 9,     /* nothing: the head's durable_lsn is what it is for */
    ENTRY_LOGSTART = 10, /* topic u32, partition u32, start offset i64 */
    ENTRY_TABADD = 11,  /* reserved */
    ENTRY_TOPIC = 13,   /* kind u8 (1 create, 2 delete), topic u32, next_id u32, partitions u32,
                         * name */
    ENTRY_PART = 14,    /* owner u32, commit_seq u64, part u32: this frame is one of several */
} EntryType;

enum {
    ENTRY_HEAD_SIZE = 8,
    ENTRY_VERSION = 1,
    ENTRY_REQUIRED = 1, /* flag: a reader must understand it */
    ENTRY_PUT = 1,      /* kinds of CATALOG */
    ENTRY_REMOVE = 2,
    ENTRY_CREATE = 1, /* kinds of TOPIC */
    ENTRY_DELETE = 2,
    ENTRY_PART_SIZE = 16,
    ENTRY_SOURCE_SIZE = 20, /* topic u32, partition u32, next offset i64, leader epoch i32 */
};

/* Ops inside STATE: kind u8, then varint size and bytes for each of key, value or key_min, key_max.
 * 4 is kept for a put that expires. */
typedef enum StateOp { STATE_PUT = 1, STATE_REMOVE = 2, STATE_REMOVE_RANGE = 3 } StateOp;

/* What the next frame must continue. */
typedef struct FrameChain {
    uint64_t lsn, epoch, sum; /* of the last frame */
} FrameChain;

typedef struct FrameOffset {
    uint32_t entry;
    int64_t base_offset;
} FrameOffset;

typedef struct FrameHead {
    uint16_t flags;
    uint32_t size; /* len */
    uint64_t lsn, epoch, prev_sum, durable_lsn;
    int64_t wall_ms;
    uint32_t entry_count, offset_count;
    uint64_t head_sum; /* filled in by reading and writing */
} FrameHead;

typedef struct FrameEntry {
    uint8_t type, flags;
    uint16_t version;
    Bytes body;
} FrameEntry;

uint32_t frame_head_size(uint32_t offset_count);
uint32_t frame_size(uint32_t offset_count, uint32_t entries_size);
uint64_t frame_align(uint64_t size, uint32_t alignment);

/* Writes head, entries and tail to `target` (frame_size() bytes) and moves the chain on.
 * `entries_hash` is hash_bytes() of the entries; head->lsn, epoch and prev_sum come from the
 * chain. */
void frame_write(uint8_t *target, FrameHead *head, const FrameOffset *offsets, Bytes entries,
                 uint64_t entries_hash, FrameChain *chain);

/* How many bytes frame_read_head() needs; 0 when `bytes` (at least FRAME_FIXED_SIZE) begin no
 * frame. */
uint32_t frame_probe(Bytes bytes);
/* false: damaged. */
bool frame_read_head(Bytes bytes, FrameHead *head);
/* `bytes` are the whole frame of this head: checks the rest; *sum is its chain sum. */
bool frame_check_body(Bytes bytes, const FrameHead *head, uint64_t *sum);
FrameOffset frame_offset(Bytes frame, uint32_t index);
Bytes frame_entries(Bytes frame, const FrameHead *head);

bool frame_continues(const FrameHead *head, const FrameChain *chain);

/* Takes the next entry off *entries; false at the end. Damaged lengths end in `*damaged`. */
bool frame_next_entry(Bytes *entries, FrameEntry *entry, bool *damaged);

#endif
