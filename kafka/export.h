/*
 * export.h - records of a topic of ours, written to another cluster: each once.
 *
 * How far the export is lies in the target cluster, in topic `_<service.id>-exports`, in the same
 * transactions as the records; nothing of it is kept here.
 *
 *   key := name of the export
 *   value := version u8 = 1, partitions u32 le, {next offset u64 le}[partitions]
 *
 *   open -> {send... commit}... -> close
 *
 * One thread at a time; calls wait, but not when `stop` is set: then they fail. After any error:
 * close, and open again, which fences what is left of the first and says what of it counts.
 */
#ifndef KAFKA_EXPORT_H
#define KAFKA_EXPORT_H

#include <stdatomic.h>

#include "kafka/config.h"
#include "storage/cluster.h"

typedef struct KafkaExport KafkaExport;

typedef struct KafkaExportOptions {
    const char *topic;   /* in the target; made when it is missing */
    uint32_t partitions; /* of both topics */
    const char *name;    /* unique among all that export there */
    TopicConfig config;  /* of a topic that is made */
    const atomic_bool *stop;
} KafkaExportOptions;

/* next_offsets[partitions]: what is to be sent next, of the own topic; 0 where nothing was. */
ErrCode kafka_export_open(const KafkaConfig *config, const KafkaExportOptions *options,
                          int64_t *next_offsets, KafkaExport **made, Err *err);

/* The record's bytes are copied; its offset is of no interest. */
ErrCode kafka_export_send(KafkaExport *export, uint32_t partition, const LogRecord *record,
                          Err *err);

/* All that was sent since the last one, and the positions behind it, together or not at all. */
ErrCode kafka_export_commit(KafkaExport *export, const int64_t *next_offsets, Err *err);

/* The value of a record of positions; false: it is damaged, or of another number of partitions. */
bool export_position_decode(Bytes value, uint32_t partitions, int64_t *next_offsets);

void kafka_export_close(KafkaExport *export); /* NULL is allowed; what is not committed is not */

#endif
