/*
 * limits.h - every fixed limit with its reason; what users may change is in engine/config.def.
 *
 * MODE=hostile shrinks the ones marked (h), so that rare paths (a second block, a split step, a
 * rotation) are taken all the time.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
#ifdef HOSTILE_LIMITS
    ARENA_BLOCK_BYTES = 64,     /* (h) */
    BATCH_ROWS_MAX = 7,         /* (h) */
    STEP_BYTES_MAX = 2048,      /* (h) */
    JOURNAL_FILE_BYTES_MIN = 64 << 10, /* (h) */
    SCAN_BLOCKS_MAX = 2,        /* (h) */
    SEGMENT_BYTES_MAX = 64 << 10,   /* (h) */
    STEP_OUTPUT_BYTES_MAX = 1 << 20, /* (h) */
    SEGMENT_CHUNK_BYTES = 8 << 10,  /* (h) */
    SEGMENT_READ_BYTES = 16 << 10,  /* (h) */
    TAIL_WRITE_BYTES_MIN = 8 << 10, /* (h) */
#else
    ARENA_BLOCK_BYTES = 8 << 10,       /* one statement's tree, or a small batch */
    BATCH_ROWS_MAX = 1024,             /* 8 KiB per BIGINT column: four columns fit L1 */
    STEP_BYTES_MAX = 256 << 10,        /* a step stays in L2 */
    JOURNAL_FILE_BYTES_MIN = 4 << 20,  /* first journal file; doubles to the maximum */
    SCAN_BLOCKS_MAX = 32,              /* blocks a shared scan keeps for its slowest task */
    STEP_OUTPUT_BYTES_MAX = 32 << 20,  /* of a step that is not done: half of a commit */
    SEGMENT_BYTES_MAX = 64 << 20,      /* what retention drops at once */
    SEGMENT_CHUNK_BYTES = 64 << 10,    /* one index entry and one sum each */
    SEGMENT_READ_BYTES = 256 << 10,    /* read at once: 4 chunks, half of a core's L2 */
    TAIL_WRITE_BYTES_MIN = 64 << 10,   /* a shorter tail stays in the checkpoint: bounds syncs */
#endif
    ARENA_BLOCK_BYTES_MAX = 1 << 20,   /* larger blocks only waste their ends */
    JOURNAL_FILE_BYTES_MAX = 64 << 20, /* bounds what recovery reads */

    STATEMENT_BYTES_MAX = 1 << 20, /* one statement's text */
    EXPR_DEPTH_MAX = 200,          /* nesting of expressions and types: bounds the C stack */
    SELECT_ITEMS_MAX = 2048,
    COLUMNS_MAX = 2048,            /* of one source */
    NAME_BYTES_MAX = 255,
    TOPIC_NAME_BYTES_MAX = 249,    /* Kafka's */
    PARTITIONS_MAX = 1024,
    SOURCES_MAX = 16,              /* in one FROM */
    ROW_NESTING_MAX = 64,          /* nesting inside one record */
    FUNCTION_PARAMS_MAX = 64,      /* of a user's function */
    INLINE_NODES_MAX = 20000,      /* of a call once its body stands in its place */
    INLINE_DEPTH_MAX = 300,        /* the same, and its nesting: bounds the C stack */
    DECIMAL_PRECISION_MAX = 76,    /* 32 bytes */
    RECORD_BYTES_MAX = 1 << 20,    /* key, value and headers of one record, as Kafka's default */
    VALUE_BYTES_MAX = 4 << 20,     /* a text that an expression makes: nested ones may double it */
    SERIES_ELEMENTS_MAX = 100 * 1000, /* of GENERATE_SERIES: a step may hold one a row */
    RECORD_BATCH_BYTES_MAX = 16 << 20,
    FRAME_BYTES_MAX = 16 << 20,
    COMMIT_BYTES_MAX = 64 << 20,
};

_Static_assert(STEP_OUTPUT_BYTES_MAX <= COMMIT_BYTES_MAX / 2, "a step's output is committed whole");
_Static_assert(SEGMENT_CHUNK_BYTES % 4096 == 0, "segments are written in whole blocks");
_Static_assert(SEGMENT_READ_BYTES % SEGMENT_CHUNK_BYTES == 0, "chunks are read whole");
_Static_assert(EXPR_DEPTH_MAX >= ROW_NESTING_MAX, "a value's text must parse again");

#endif
