/*
 * io.h - everything the engine asks of the world outside: files, folders, time, chance.
 *
 * Nothing else in the code base calls open(2), clock_gettime(2) or random(3); `make tidy` checks
 * that. Tests therefore own the disk, the clock and the dice. Two implementations:
 *
 *   io_posix.c   the machine
 *   io_mem.c     files in memory, for engines without a folder and for tests: forgets what was
 *                not synced, damages sectors, fails the n-th call, moves the clock by hand
 *
 * Paths are relative to nothing: the caller gives them whole, '/' between the parts.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

typedef struct Io Io;
typedef struct IoFile IoFile;

typedef enum IoMode {
    IO_READ,   /* must exist */
    IO_WRITE,  /* read and write; created when missing */
    IO_CREATE, /* read and write; an error when it exists */
    IO_DIRECT, /* as IO_WRITE, without the page cache where the file system can: aligned by 4096 */
} IoMode;

enum { IO_MAP_BYTES = 4096 };

/* Calls on one open file; safe from several threads as pread and pwrite are. */
typedef struct IoFileOps {
    /* Fills target with up to `size` bytes; *got is less only at the end of the file. */
    ErrCode (*read)(IoFile *file, uint64_t offset, void *target, uint32_t size, uint32_t *got,
                    Err *err);
    ErrCode (*write)(IoFile *file, uint64_t offset, Bytes source, Err *err); /* all or error */
    ErrCode (*sync)(IoFile *file, Err *err); /* data and size; after an error nothing is promised */
    ErrCode (*size)(IoFile *file, uint64_t *size, Err *err);
    ErrCode (*resize)(IoFile *file, uint64_t size, Err *err);
    /* Space for [0, size) is taken and reads as zeros; NO_SPACE when there is none. */
    ErrCode (*allocate)(IoFile *file, uint64_t size, Err *err);
    /* The first IO_MAP_BYTES of the file, which is as long, as memory until close. What is stored
     * there is the file's even if the process dies at once, but not if the machine does. */
    ErrCode (*map)(IoFile *file, void **memory, Err *err);
    void (*close)(IoFile *file);
    /* Everything from `offset` up to the return reads as zeros, because it was never written. May
     * be NULL: nothing is known. */
    uint64_t (*unwritten)(IoFile *file, uint64_t offset);
} IoFileOps;

typedef struct IoOps {
    const char *name;
    bool overlaps; /* syncs from several threads take less time together than in turn */
    ErrCode (*open)(Io *io, const char *path, IoMode mode, IoFile **file, Err *err);
    ErrCode (*make_folder)(Io *io, const char *path, Err *err); /* ok when it is there already */
    /* Names in the folder, sorted, without "." and ".."; in `arena`. */
    ErrCode (*list)(Io *io, const char *path, Arena *arena, char ***names, uint32_t *count,
                    Err *err);
    ErrCode (*rename)(Io *io, const char *from, const char *to, Err *err); /* replaces `to` */
    ErrCode (*remove)(Io *io, const char *path, Err *err); /* file or empty folder; NOT_FOUND */
    ErrCode (*sync_folder)(Io *io, const char *path, Err *err);
    /* Takes the file for this process until close; BUSY names the owner's pid. */
    ErrCode (*lock)(Io *io, const char *path, IoFile **lock, Err *err);
    ErrCode (*free_space)(Io *io, const char *path, uint64_t *bytes, Err *err);
    int64_t (*now_ms)(Io *io);      /* wall clock, milliseconds since 1970-01-01 UTC */
    int64_t (*mono_us)(Io *io);     /* never goes back */
    uint64_t (*random_u64)(Io *io); /* the only source of randomness */
} IoOps;

struct Io {
    const IoOps *ops;
};

struct IoFile {
    const IoFileOps *ops;
};

/* The machine's own: one object for the process, never closed. */
Io *io_posix(void);
int64_t io_posix_mono_us(void); /* its mono_us */

/* Files in memory. Without faults it behaves as a perfect disk; base/io_mem.h has the faults.
 * The clock is the machine's until io_mem_set_clock(). */
Io *io_mem_new(void);
void io_mem_free(Io *io);

#endif
