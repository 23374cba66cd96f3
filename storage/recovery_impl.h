/*
 * recovery_impl.h - from what a crash left to what was acknowledged.
 *
 *   newest checkpoint -> its table file -> frames after it, while each continues the chain
 *   -> at the first gap: is a frame beyond it known to be durable? then CORRUPT, nothing changed
 *   -> else the rest is a tail that was never acknowledged: dropped by a checkpoint under a new
 *      epoch in a new journal file, before anything is served
 */
#ifndef STORAGE_RECOVERY_IMPL_H
#define STORAGE_RECOVERY_IMPL_H

#include "storage/storage.h"

ErrCode recovery_run(Storage *storage, Err *err);

#endif
