/*
 * io_hold.h - keeps what was not synced out of the files, so that kill -9 loses what a power cut
 * would lose.
 *
 * For tests of the real process: the kernel keeps written pages when a process dies, so a missing
 * sync is never seen. Behind io_hold_new() written bytes, and the sizes they make, stay in the
 * memory of the process until sync() of the file gives them to the disk. Names (create, rename,
 * remove) are not held.
 */
#ifndef BASE_IO_HOLD_H
#define BASE_IO_HOLD_H

#include "base/io.h"

/* `under` is borrowed and must outlive it. Files may be open several times at once. */
Io *io_hold_new(Io *under);

/* Bytes still held are lost, as in a crash. All files must be closed. */
void io_hold_free(Io *io);

/* From now on io_posix() gives the machine behind an io_hold. Call it before anything is opened. */
void io_posix_hold_unsynced(bool on);

#endif
