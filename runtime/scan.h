/*
 * scan.h - the records of a partition as blocks of columns, decoded once for all tasks of a worker.
 *
 *   log_fetch -> LogBlock (referenced) -> decode -> Block -> ring of the last blocks -> cursors
 *
 * A Block is immutable and reference-counted; strings point into the log's buffers, which it
 * references. A Scan is what cursors over the same partition with the same decoder share: a ring of
 * the SCAN_BLOCKS_MAX blocks decoded last at the front, and one of those behind it. A cursor whose
 * records are in none of them decodes its own, so a slow task holds nobody back, and tasks at the
 * same place pay for one decode.
 *
 * Two queries share a scan when the decoder is the same and the columns that the second one uses
 * are among those of the first; otherwise the second gets a scan of its own. (A union would need a
 * new decoder under a running query, for the price of one more pass over new records only.)
 *
 * Everything here belongs to one worker.
 */
#ifndef RUNTIME_SCAN_H
#define RUNTIME_SCAN_H

#include "data/batch.h"
#include "planner/plan.h"
#include "storage/log.h"

/* Of a row of an internal topic, with its kind: an old value is there. */
enum { REPARTITION_OLD = 0x10 };

typedef struct BlockError {
    uint32_t row;
    const char *kind, *text;
    bool of_key;
} BlockError;

typedef struct Block {
    uint32_t references;
    Arena *arena;
    int64_t first_offset, next_offset; /* covers the offsets [first, next) */
    int64_t gone; /* records at its beginning that the log has no more */
    uint32_t row_count;
    const Column **columns; /* of the source's schema; not used ones are all missing */
    Bytes *raw;             /* internal topics instead: row values, decoded when they are merged */
    uint32_t *lane;         /* internal topics: the partition of the task that wrote the row */
    int64_t *rowtime, *offset;
    uint8_t *kind;
    int64_t *window_start, *window_end; /* NULL: no windows */
    Bytes *headers;                     /* as encoded; NULL: none has any */
    uint32_t *size;                     /* bytes of each record */
    uint16_t *good;                     /* rows that are not dropped */
    uint32_t good_count;
    uint64_t bytes;                    /* of all records; not of internal topics */
    int64_t rowtime_min, rowtime_max;  /* the same */
    BlockError *errors; /* in no order */
    uint32_t error_count;

    /* Inside of scan.c. */
    struct Block *next_free;
    LogBlock **sources;
    size_t source_count, source_capacity;
} Block;

typedef struct ScanSpec {
    TopicPartition where;
    const PlanTopic *topic; /* NULL: an internal topic (op_repartition.c) */
    const Schema *schema;
    const bool *used; /* [column]; NULL: all */
    bool is_table;
} ScanSpec;

typedef struct ScanSet ScanSet; /* the scans of a worker */
typedef struct Scan Scan;

ScanSet *scan_set_new(Storage *storage);
void scan_set_free(ScanSet *set); /* all cursors are closed */

/* Where one task is in one partition. Zeroed is closed. */
typedef struct Cursor {
    Scan *scan;
    int64_t offset; /* of the next record that was not taken */
    int32_t lane;   /* only rows of this lane are good; -1: all */
    Block *block;   /* that holds it; NULL: not loaded, or none there */
    const uint16_t *good; /* the block's, or those of the lane */
    uint32_t good_count;
    uint32_t row;   /* of the block: the first one not taken */
    uint32_t next;  /* index into good: the first row >= row */
    uint16_t *own;  /* room for the rows of a lane */
    uint32_t place; /* in the ring, of the block it had last */

    /* Where it reads when the ring has nothing for it. */
    LogBlock *source;
    Bytes rest;      /* of the source: batches not begun */
    RecordIter iter; /* in the present batch */
    bool in_batch;
    int64_t batch_end;
    int64_t read_offset; /* of the next record that iter or a fetch gives */
    bool stuck;          /* what is there could not be read */
    int64_t gone;        /* records that it went over because the log has them no more */
} Cursor;

/* Begins at cursor->offset in cursor->lane. Finds or makes the scan; spec is copied. TYPE or FORMAT
 * error when the decoder cannot be made. */
ErrCode cursor_open(Cursor *cursor, ScanSet *set, const ScanSpec *spec, Err *err);
void cursor_close(Cursor *cursor);

/* Makes cursor->block the one that holds rows not taken yet (perhaps none of them good); NULL at
 * the end of the log. Does nothing while the present block has some. */
ErrCode cursor_load(Cursor *cursor, Err *err);

/* Takes all rows before `row`; the block's errors among them are the caller's to report first. */
void cursor_take(Cursor *cursor, uint32_t row);

/* Goes to another offset. */
void cursor_seek(Cursor *cursor, int64_t offset);

/* Others that share its scan are so far in front that it decodes what they have decoded before. */
bool cursor_is_behind(const Cursor *cursor);

void block_ref(Block *block);
void block_unref(Scan *scan, Block *block);

#endif
