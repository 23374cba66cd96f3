/*
 * block.h - messages of librdkafka, encoded again as a block of record batches.
 *
 * Offsets are kept: gaps (markers, aborted records, what compaction took) are gaps in the batch. A
 * gap at the end is covered by the last batch's last offset.
 */
#ifndef KAFKA_BLOCK_H
#define KAFKA_BLOCK_H

#include <librdkafka/rdkafka.h>

#include "kafka/message.h"
#include "storage/cluster.h"

/* begin, then add or cover in order of offset, then end. */
typedef struct BlockWriter {
    Buf buf;     /* becomes the block's memory */
    Buf headers; /* scratch */
    size_t batch; /* where the open batch begins in `buf` */
    bool open;
    uint32_t count; /* records in the open batch */
    int64_t base_offset, last_offset, base_timestamp, max_timestamp;
    bool append_time;
} BlockWriter;

/* size: about that much will come. */
void kafka_block_begin(BlockWriter *writer, size_t size);

/* offset: above all before. */
void kafka_block_add(BlockWriter *writer, const rd_kafka_message_t *message);

/* There is nothing up to and including this offset behind what was added. */
void kafka_block_cover(BlockWriter *writer, int64_t last_offset);

/* NULL: nothing was added or covered. The writer can begin again. */
LogBlock *kafka_block_end(BlockWriter *writer);
void kafka_block_free(BlockWriter *writer);

#endif
