/*
 * reserve_impl.h - space kept back, so that a full disk can still recover, checkpoint and delete.
 *
 * The file `reserve` holds 64 MiB, or 1 % of what is free where that is less. It is given up (the
 * file is removed) when one of these three finds no space: opening, a checkpoint, a commit that
 * only removes. From then on the journal takes no new space for other commits: what was given up
 * is not for them. It is made again as soon as twice its size is free.
 */
#ifndef STORAGE_RESERVE_IMPL_H
#define STORAGE_RESERVE_IMPL_H

#include "base/thread.h"
#include "storage/storage.h"

enum {
    RESERVE_BYTES_MAX = 64 << 20,
    RESERVE_BYTES_MIN = 16 << 10, /* less helps nobody */
};

typedef struct Reserve {
    Lock lock;
    uint64_t size;     /* of the file; 0: there is none */
    uint64_t given_up; /* how large it was; 0: it was not, or is there again */
    int64_t next_us;   /* when to look whether it can be made */
} Reserve;

void reserve_init(Storage *storage);
void reserve_close(Storage *storage);

/* Start-up: what an earlier process left. */
ErrCode reserve_find(Storage *storage, Err *err);

/* Removes the file, durably. *given: there was one. Any thread. */
ErrCode reserve_give_up(Storage *storage, bool *given, Err *err);

/* Bulk loads wait, as the journal does. */
bool reserve_is_missed(Storage *storage);

/* Makes the file when it is due and there is room; not in the first second after the start. */
ErrCode reserve_step(Storage *storage, Err *err);

#endif
