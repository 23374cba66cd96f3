/*
 * appender.h - rows of columns to records of a source's topic: INSERT, COPY, test inputs.
 *
 *   new -> add* -> flush to a commit, or seal (again and again) ... free
 *
 * Keys choose the partition as Kafka's default partitioner does; rows without a key go round. The
 * source may be dropped once the appender is made: what it needs is copied.
 */
#ifndef ENGINE_APPENDER_H
#define ENGINE_APPENDER_H

#include "planner/source.h"
#include "storage/commit.h"
#include "storage/log.h"

typedef struct Appender Appender;

/* NOT_FOUND where the source's topic is gone; SEMANTIC where it is a query's own. */
ErrCode appender_new(Storage *storage, const Source *source, Appender **appender, Err *err);
void appender_free(Appender *appender);

uint32_t appender_topic_id(const Appender *appender);
const LogTopic *appender_topic(const Appender *appender); /* borrowed from the appender */
uint32_t appender_partitions(const Appender *appender);

/* Adds row `row` of columns (one per column of the source's schema; header columns are not looked
 * at and may be NULL). tombstone: the value has no bytes. FORMAT or LIMIT where the row cannot be
 * written: nothing is added. */
ErrCode appender_add(Appender *appender, const Column *const *columns, uint32_t row,
                     int64_t rowtime, bool tombstone, Err *err);

/* The next row without a key is the `rows`-th: it goes to that partition of the round. */
void appender_set_round(Appender *appender, uint64_t rows);

/* Whether appender_add() would take the row; adds nothing. */
ErrCode appender_check(Appender *appender, const Column *const *columns, uint32_t row, Err *err);

size_t appender_bytes(const Appender *appender); /* added since the last flush */

/* Adds what was added since the last call to `commit`. */
void appender_flush(Appender *appender, Commit *commit);

/* The open batch that the last row went to: its partition, and its bytes so far. */
size_t appender_last(const Appender *appender, uint32_t *partition);

/* For who writes batches without a commit: the partition's batch, sealed, to be taken or reset
 * before the next row; NULL: it has no rows. */
RecordBatch *appender_seal(Appender *appender, uint32_t partition);

void appender_clear(Appender *appender); /* forgets what was added and not flushed */

#endif
