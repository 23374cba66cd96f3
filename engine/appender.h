/*
 * appender.h - rows of columns to records of a source's topic: INSERT, COPY, test inputs.
 *
 *   new -> add* -> commit (again and again) ... free
 *
 * Keys choose the partition as Kafka's default partitioner does; rows without a key go round.
 */
#ifndef ENGINE_APPENDER_H
#define ENGINE_APPENDER_H

#include "planner/source.h"
#include "storage/commit.h"

typedef struct Appender Appender;

/* FORMAT where the source cannot be written to; NOT_FOUND where its topic is gone. */
ErrCode appender_new(Storage *storage, const Source *source, Appender **appender, Err *err);
void appender_free(Appender *appender);

/* Adds row `row` of columns (one per column of the source's schema; header columns are ignored).
 * tombstone: the value has no bytes. FORMAT error where the row cannot be written. */
ErrCode appender_add(Appender *appender, const Column *const *columns, uint32_t row,
                     int64_t rowtime, bool tombstone, Err *err);

size_t appender_bytes(const Appender *appender); /* since the last commit */

/* Adds what was added since the last call to `commit`. */
void appender_flush(Appender *appender, Commit *commit);

#endif
