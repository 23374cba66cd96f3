/*
 * io_still.c - see io_still.h.
 */
#include "base/io_still.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/mem.h"

typedef struct StillIo {
    Io io;
    Io *under;
    _Atomic int64_t now_ms;
    _Atomic uint64_t changes_left; /* 0: it lives on */
} StillIo;

typedef struct StillFile {
    IoFile file;
    StillIo *io;
    IoFile *under;
} StillFile;

static void still_die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void still_change(StillIo *self) {
    uint64_t left = atomic_load(&self->changes_left);
    if (left > 0 && atomic_fetch_sub(&self->changes_left, 1) == 1)
        still_die();
}

/* -- Files ------------------------------------------------------------------------------------ */

static ErrCode still_read(IoFile *file, uint64_t offset, void *target, uint32_t size,
                          uint32_t *got, Err *err) {
    IoFile *under = ((StillFile *)file)->under;
    return under->ops->read(under, offset, target, size, got, err);
}

static ErrCode still_write(IoFile *file, uint64_t offset, Bytes source, Err *err) {
    StillFile *self = (StillFile *)file;
    still_change(self->io);
    return self->under->ops->write(self->under, offset, source, err);
}

/* The page cache outlives the process: there is nothing to wait for. */
static ErrCode still_sync(IoFile *file, Err *err) {
    assert(file);
    (void)err;
    return ERR_OK;
}

static ErrCode still_size(IoFile *file, uint64_t *size, Err *err) {
    IoFile *under = ((StillFile *)file)->under;
    return under->ops->size(under, size, err);
}

static ErrCode still_resize(IoFile *file, uint64_t size, Err *err) {
    StillFile *self = (StillFile *)file;
    still_change(self->io);
    return self->under->ops->resize(self->under, size, err);
}

static ErrCode still_allocate(IoFile *file, uint64_t size, Err *err) {
    StillFile *self = (StillFile *)file;
    still_change(self->io);
    return self->under->ops->allocate(self->under, size, err);
}

static ErrCode still_map(IoFile *file, void **memory, Err *err) {
    IoFile *under = ((StillFile *)file)->under;
    return under->ops->map(under, memory, err);
}

static void still_close(IoFile *file) {
    StillFile *self = (StillFile *)file;
    self->under->ops->close(self->under);
    mem_free(self);
}

static const IoFileOps still_file_ops = {
    .read = still_read,     .write = still_write,       .sync = still_sync, .size = still_size,
    .resize = still_resize, .allocate = still_allocate, .map = still_map,   .close = still_close,
};

static IoFile *still_wrap(StillIo *self, IoFile *under) {
    assert(under);
    StillFile *file = mem_alloc(sizeof *file);
    *file = (StillFile){{&still_file_ops}, self, under};
    return &file->file;
}

/* -- Names ------------------------------------------------------------------------------------ */

static ErrCode still_open(Io *io, const char *path, IoMode mode, IoFile **file, Err *err) {
    StillIo *self = (StillIo *)io;
    IoFile *under;
    if (mode != IO_READ)
        still_change(self);
    TRY(self->under->ops->open(self->under, path, mode, &under, err));
    *file = still_wrap(self, under);
    return ERR_OK;
}

static ErrCode still_make_folder(Io *io, const char *path, Err *err) {
    StillIo *self = (StillIo *)io;
    still_change(self);
    return self->under->ops->make_folder(self->under, path, err);
}

static ErrCode still_list(Io *io, const char *path, Arena *arena, char ***names, uint32_t *count,
                          Err *err) {
    Io *under = ((StillIo *)io)->under;
    return under->ops->list(under, path, arena, names, count, err);
}

static ErrCode still_rename(Io *io, const char *from, const char *to, Err *err) {
    StillIo *self = (StillIo *)io;
    still_change(self);
    return self->under->ops->rename(self->under, from, to, err);
}

static ErrCode still_remove(Io *io, const char *path, Err *err) {
    StillIo *self = (StillIo *)io;
    still_change(self);
    return self->under->ops->remove(self->under, path, err);
}

static ErrCode still_sync_folder(Io *io, const char *path, Err *err) {
    assert(io && path);
    (void)err;
    return ERR_OK;
}

static ErrCode still_lock(Io *io, const char *path, IoFile **lock, Err *err) {
    StillIo *self = (StillIo *)io;
    IoFile *under;
    TRY(self->under->ops->lock(self->under, path, &under, err));
    *lock = still_wrap(self, under);
    return ERR_OK;
}

static ErrCode still_free_space(Io *io, const char *path, uint64_t *bytes, Err *err) {
    Io *under = ((StillIo *)io)->under;
    return under->ops->free_space(under, path, bytes, err);
}

static int64_t still_now_ms(Io *io) {
    return atomic_load(&((StillIo *)io)->now_ms);
}

static int64_t still_mono_us(Io *io) {
    Io *under = ((StillIo *)io)->under;
    return under->ops->mono_us(under);
}

static uint64_t still_random_u64(Io *io) {
    Io *under = ((StillIo *)io)->under;
    return under->ops->random_u64(under);
}

static const IoOps still_ops = {.name = "still", .open = still_open,
                                .make_folder = still_make_folder, .list = still_list,
                                .rename = still_rename, .remove = still_remove,
                                .sync_folder = still_sync_folder, .lock = still_lock,
                                .free_space = still_free_space, .now_ms = still_now_ms,
                                .mono_us = still_mono_us, .random_u64 = still_random_u64};

Io *io_still_new(Io *under, int64_t now_ms) {
    assert(under);
    StillIo *self = mem_alloc(sizeof *self);
    self->io.ops = &still_ops;
    self->under = under;
    atomic_store(&self->now_ms, now_ms);
    return &self->io;
}

void io_still_free(Io *io) {
    mem_free(io);
}

void io_still_set_clock(Io *io, int64_t now_ms) {
    assert(io->ops == &still_ops);
    atomic_store(&((StillIo *)io)->now_ms, now_ms);
}

void io_still_die_at(Io *io, uint64_t nth) {
    assert(io->ops == &still_ops);
    if (nth == 0)
        still_die();
    atomic_store(&((StillIo *)io)->changes_left, nth);
}
