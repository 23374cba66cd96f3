/*
 * folder_impl.h - the data folder itself: whether it is ours, and how a new one is made.
 *
 *   lock      taken while a process has the folder open
 *   format    "weir-data 1": layout of everything else; another number is refused
 *   uuid      of this folder, for people; made last: with it nothing else may be missing
 *   journal/ ckpt/ topics/ tables/
 *   reserve   space for bad times (reserve_impl.h)
 *
 * A new folder becomes true with its first checkpoint: everything is made first and then synced
 * together (folder_settle()), because a file system that has synced one has nearly done the rest.
 * A crash before leaves parts of it, without a checkpoint and with empty folders; the next start
 * makes what is missing. Nothing is made in a folder that holds anything else.
 */
#ifndef STORAGE_FOLDER_IMPL_H
#define STORAGE_FOLDER_IMPL_H

#include "storage/journal_impl.h"
#include "storage/storage.h"

/* Makes or checks the folder and takes its lock. CORRUPT: not ours, or damaged. */
ErrCode folder_open(Storage *storage, Err *err);

/* Before the first checkpoint of a start: what folder_open() made becomes durable, and the
 * journal's first file with its name. */
ErrCode folder_settle(Storage *storage, const JournalFile *first, Err *err);

/* After the first checkpoint: makes `uuid` if it is missing. */
ErrCode folder_complete(Storage *storage, Err *err);

#endif
