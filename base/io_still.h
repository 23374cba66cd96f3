/*
 * io_still.h - an Io over another whose wall clock stands still, and which may end the process.
 *
 * For tests that need files on disk: what is in memory dies with the process.
 */
#ifndef BASE_IO_STILL_H
#define BASE_IO_STILL_H

#include "base/io.h"

Io *io_still_new(Io *under, int64_t now_ms);
void io_still_free(Io *io); /* all its files are closed */

void io_still_set_clock(Io *io, int64_t now_ms);

/* The process ends by SIGKILL before the nth change of a file or name from now on; 0: now. */
void io_still_die_at(Io *io, uint64_t nth);

#endif
