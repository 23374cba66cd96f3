/* reserve.c - see reserve_impl.h. */
#include "storage/reserve_impl.h"

#include <assert.h>

#include "base/mem.h"
#include "storage/storage_impl.h"

enum {
    RESERVE_LOOK_US = 10000000, /* between two looks at the free space */
    RESERVE_SOON_US = 1000000,  /* the same while commits wait for room */
    RESERVE_SHARE = 100,        /* of what is free: one part of so many */
};

static int64_t reserve_now(const Storage *storage) {
    assert(storage->io);
    return storage->io->ops->mono_us(storage->io);
}

static char *reserve_path(const Storage *storage) {
    assert(storage->folder[0] != '\0');
    Buf buf = {0};
    buf_printf(&buf, "%s/reserve", storage->folder);
    char *path = mem_strdup(buf_cstr(&buf));
    buf_free(&buf);
    return path;
}

void reserve_init(Storage *storage) {
    assert(storage->reserve.size == 0);
    lock_init(&storage->reserve.lock);
    storage->reserve.next_us = reserve_now(storage) + RESERVE_SOON_US;
}

void reserve_close(Storage *storage) {
    assert(storage);
    lock_close(&storage->reserve.lock);
}

ErrCode reserve_find(Storage *storage, Err *err) {
    assert(storage->reserve.given_up == 0);
    Io *io = storage->io;
    char *path = reserve_path(storage);
    IoFile *file;
    ErrCode code = io->ops->open(io, path, IO_READ, &file, err);
    mem_free(path);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(code);
    assert(storage->reserve.size == 0);
    code = file->ops->size(file, &storage->reserve.size, err);
    file->ops->close(file);
    return code;
}

/* With the lock held. */
static ErrCode reserve_remove(Storage *storage, Err *err) {
    assert(storage->reserve.given_up == 0 || storage->reserve.size == 0);
    Io *io = storage->io;
    char *path = reserve_path(storage);
    ErrCode code = io->ops->remove(io, path, err);
    mem_free(path);
    if (code == ERR_NOT_FOUND)
        code = ERR_OK;
    TRY(code); /* file systems give the space back when the removal is durable */
    return io->ops->sync_folder(io, storage->folder, err);
}

ErrCode reserve_give_up(Storage *storage, bool *given, Err *err) {
    assert(given);
    Reserve *reserve = &storage->reserve;
    ErrCode code = ERR_OK;
    lock_take(&reserve->lock);
    *given = reserve->size > 0;
    if (*given) {
        journal_restrict(&storage->journal, true);
        code = reserve_remove(storage, err);
        reserve->given_up = reserve->size;
        reserve->size = 0;
        reserve->next_us = reserve_now(storage) + RESERVE_SOON_US;
    }
    assert(reserve->size == 0);
    lock_release(&reserve->lock);
    return code;
}

bool reserve_is_missed(Storage *storage) {
    Reserve *reserve = &storage->reserve;
    lock_take(&reserve->lock);
    assert(reserve->given_up == 0 || reserve->size == 0);
    bool missed = reserve->given_up > 0;
    lock_release(&reserve->lock);
    return missed;
}

/* How large it is to be; 0: as it is. */
static uint64_t reserve_wanted(const Reserve *reserve, uint64_t left) {
    assert(reserve->given_up == 0 || reserve->size == 0);
    if (left > UINT64_MAX / 2)
        return 0; /* files in memory */
    uint64_t size = (left + reserve->size) / RESERVE_SHARE;
    if (size > RESERVE_BYTES_MAX)
        size = RESERVE_BYTES_MAX;
    if (reserve->given_up > 0)
        size = reserve->given_up <= left / 2 ? reserve->given_up : 0;
    size -= size % GROUP_ALIGN;
    assert(size <= left + reserve->size);
    return size >= RESERVE_BYTES_MIN && size / 2 >= reserve->size ? size : 0;
}

static ErrCode reserve_make(Storage *storage, uint64_t size, Err *err) {
    assert(size >= RESERVE_BYTES_MIN);
    assert(size <= RESERVE_BYTES_MAX);
    Io *io = storage->io;
    char *path = reserve_path(storage);
    IoFile *file = NULL;
    assert(size % GROUP_ALIGN == 0);
    ErrCode code = io->ops->open(io, path, IO_WRITE, &file, err);
    mem_free(path);
    if (code == ERR_OK)
        code = file->ops->allocate(file, size, err);
    if (code == ERR_OK)
        code = file->ops->sync(file, err);
    if (file)
        file->ops->close(file);
    return code == ERR_OK ? io->ops->sync_folder(io, storage->folder, err) : code;
}

/* With the lock held. */
static ErrCode reserve_try(Storage *storage, Err *err) {
    assert(storage->reserve.given_up == 0 || storage->reserve.size == 0);
    Reserve *reserve = &storage->reserve;
    uint64_t left;
    TRY(storage->io->ops->free_space(storage->io, storage->folder, &left, err));
    uint64_t size = reserve_wanted(reserve, left);
    if (size > 0) {
        ErrCode code = reserve_make(storage, size, err);
        if (code == ERR_NO_SPACE) { /* others were faster */
            reserve->size = 0;
            return reserve_remove(storage, err);
        }
        TRY(code);
        reserve->size = size;
        reserve->given_up = 0;
    }
    if (reserve->given_up == 0)
        journal_restrict(&storage->journal, false);
    return ERR_OK;
}

ErrCode reserve_step(Storage *storage, Err *err) {
    assert(!writer_is_me(storage));
    Reserve *reserve = &storage->reserve;
    int64_t now_us = reserve_now(storage);
    Err cause;
    ErrCode code = ERR_OK;
    lock_take(&reserve->lock);
    if (now_us >= reserve->next_us) {
        code = reserve_try(storage, &cause);
        reserve->next_us =
            now_us + (reserve->given_up > 0 ? RESERVE_SOON_US : RESERVE_LOOK_US);
    }
    lock_release(&reserve->lock);
    return code == ERR_OK ? ERR_OK : storage_fail(storage, &cause, err);
}
