/*
 * io_mem.h - what can go wrong with files in memory: the disk of tests and of the simulator.
 *
 * io_mem_new() (io.h) is a perfect disk. io_mem_start_faults() turns on the bookkeeping of what is
 * not durable, and from then on
 *
 *   io_mem_fail        the n-th call of a kind fails with EIO, once or for ever
 *   io_mem_crash_at    the n-th change stops the machine: it and all later calls fail with IO
 *   io_mem_crash       what was not synced is lost, kept, torn or garbage; then files open again
 *   io_mem_flip        a bit on the disk changes
 *   io_mem_set_space   the disk is that large
 *
 * A write becomes durable by sync() of its file, the size of a file too, sector by sector (512
 * bytes). The name of a file is separate: create, rename, remove and make_folder are durable after
 * sync_folder() of the folder that holds the name. A failed sync() behaves like Linux's: the
 * pages count as clean, some of them are on disk and some are not, and no later sync() writes them.
 * Everything follows from the seeds.
 */
#ifndef BASE_IO_MEM_H
#define BASE_IO_MEM_H

#include "base/io.h"

typedef enum IoMemCall {
    IO_MEM_READ,  /* read */
    IO_MEM_WRITE, /* write, resize, allocate */
    IO_MEM_SYNC,  /* sync, sync_folder */
    IO_MEM_NAME,  /* open that creates, make_folder, rename, remove, lock */
    IO_MEM_CALLS, /* how many kinds there are */
} IoMemCall;

/* With no file open. Seeds random_u64() too. */
void io_mem_start_faults(Io *io, uint64_t seed);

/* The n-th call (1: the next) of that kind fails. nth 0: none does any more. */
void io_mem_fail(Io *io, IoMemCall call, uint64_t nth, bool for_ever);

/* Changes (all counted calls but reads) since io_mem_start_faults(); stops at the n-th from now
 * (1: the next), 0: never. The change itself is left pending. */
uint64_t io_mem_changes(Io *io);
void io_mem_crash_at(Io *io, uint64_t nth);
bool io_mem_stopped(Io *io);

/* Odds in percent for each sector, name and size that was not synced. What is left to 100 is kept
 * whole. */
typedef struct IoMemDamage {
    uint8_t drop;     /* as if never written */
    uint8_t tear;     /* sectors: the first bytes new, the rest old, or the other way round */
    uint8_t garbage;  /* sectors: random bytes */
    uint8_t drop_name; /* creates, renames, removes and sizes */
} IoMemDamage;

/* Power fails and comes back: with no call under way. Every IoFile still open is dead (its calls
 * fail with IO; close it), locks are free, faults set by io_mem_fail() and io_mem_crash_at() are
 * off. The damage follows from `seed` alone. NULL: odds drawn from the seed. */
void io_mem_crash(Io *io, uint64_t seed, const IoMemDamage *damage);

/* Flips one bit of what is on disk and of what is read; false when the file is not there or
 * shorter. */
bool io_mem_flip(Io *io, const char *path, uint64_t offset, unsigned bit);

/* Bytes in use may not grow over `bytes` (files count in pages of 4096); UINT64_MAX: no limit. */
void io_mem_set_space(Io *io, uint64_t bytes);
uint64_t io_mem_used(Io *io);

/* From then on the clock stands still and moves by hand; mono_us moves with advance alone. */
void io_mem_set_clock(Io *io, int64_t now_ms);
void io_mem_advance_clock(Io *io, int64_t by_us);

#endif
