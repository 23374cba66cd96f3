/*
 * tail.h - reads a partition to its present end, and what is added to it later: commands, members,
 * positions, changelogs.
 */
#ifndef KAFKA_TAIL_H
#define KAFKA_TAIL_H

#include "kafka/admin.h"
#include "storage/record_batch.h"

/* One committed record, in order of offset. Its bytes are borrowed until the return. An error ends
 * the reading and is handed on. */
typedef ErrCode KafkaRecordFn(void *context, const LogRecord *record, Err *err);

typedef struct KafkaTail KafkaTail;

typedef struct KafkaTailOptions {
    const char *topic;
    uint32_t partition;
    int64_t from;   /* offset; below 0: the first that is kept */
    int64_t end;    /* as far as it is read first, known to be there as `from` is; 0: is asked */
    int64_t until;  /* to the end is at least to there, though it may not be committed yet */
    int timeout_ms; /* without any progress: a failure. 0: 60,000 */
    KafkaRecordFn *record;
    void *context;
} KafkaTailOptions;

/* Begins. NOT_FOUND when `from` is not between start and end; TOPIC_MISSING. One tail of a
 * partition at a time for each admin handle. */
ErrCode kafka_tail_open(KafkaAdmin *admin, const KafkaTailOptions *options, KafkaTail **tail,
                        Err *err);

/* Gives all records up to the end as it is now. */
ErrCode kafka_tail_to_end(KafkaTail *tail, Err *err);

/* Gives what has come meanwhile, waiting up to wait_ms for something or the end; *count (may be
 * NULL). */
ErrCode kafka_tail_more(KafkaTail *tail, int wait_ms, uint32_t *count, Err *err);

/* The offset behind what was given, markers and gaps included. */
int64_t kafka_tail_next(const KafkaTail *tail);
void kafka_tail_close(KafkaTail *tail); /* NULL is allowed */

/* Open, to the end, close. *next (may be NULL): the offset behind it. */
ErrCode kafka_tail_read(KafkaAdmin *admin, const KafkaTailOptions *options, int64_t *next,
                        Err *err);

/* The same of several partitions at once: records of different ones in any order. The first one's
 * time-out counts. next[i] (may be NULL) is behind what was given of options[i]. */
ErrCode kafka_tail_read_all(KafkaAdmin *admin, const KafkaTailOptions *options, uint32_t count,
                            int64_t *next, Err *err);

#endif
