/*
 * datagen.h - the generators at work: they fill the topics of generated sources.
 *
 *   open -> start* -> pause, stop ... close
 *
 * One thread writes for all of them, in commits that hold some rows and how many there are now. So
 * a generator that was cut off, by kill -9 or a power cut, goes on with the very next row. It waits
 * for each commit: it is never ahead of the disk, and where a partition's tail is full it waits for
 * that too. Without threads datagen_pump() does the work. With a cluster a commit is a transaction,
 * with more rows; one that has failed is made again.
 */
#ifndef ENGINE_DATAGEN_H
#define ENGINE_DATAGEN_H

#include <stdatomic.h>

#include "planner/source.h"
#include "storage/commit.h"

typedef struct DatagenJobs DatagenJobs;

/* `interrupts`: datagen_catch_up() ends when it changes. */
DatagenJobs *datagen_open(Io *io, Storage *storage, bool threads,
                          const _Atomic uint32_t *interrupts);
void datagen_close(DatagenJobs *jobs); /* NULL is allowed */

/* Goes on where the last commit of a source of this name left it; from row 0 where there is none,
 * and where the source is new. What it needs of the source is copied. */
ErrCode datagen_start(DatagenJobs *jobs, const Source *source, bool is_new, Err *err);

/* Ends it behind the commit under way. Nothing happens where there is none of this name. */
void datagen_stop(DatagenJobs *jobs, const char *name);
void datagen_pause(DatagenJobs *jobs, const char *name, bool paused);

/* Adds to a commit that a source of this name begins at row 0 again. With a cluster nothing: the
 * next one is told that it is new. */
void datagen_forget(Commit *commit, const char *name);

typedef enum DatagenState {
    DATAGEN_RUNNING,
    DATAGEN_PAUSED,
    DATAGEN_FINISHED, /* all rows are there */
    DATAGEN_ERROR,    /* tries again from time to time */
} DatagenState;

typedef struct DatagenFigures {
    DatagenState state;
    int64_t rows; /* durable */
    Err error;    /* of state ERROR */
} DatagenFigures;

bool datagen_figures(DatagenJobs *jobs, const char *name, DatagenFigures *figures);

/* Waits until the generators of a topic (NULL: all) that have an end and no pace have come to it.
 * LIMIT after timeout_ms; CANCELLED; a generator's own error. */
ErrCode datagen_catch_up(DatagenJobs *jobs, const char *topic, int64_t timeout_ms, Err *err);

/* Without threads: writes all rows that are due now. */
ErrCode datagen_pump(DatagenJobs *jobs, Err *err);

#endif
