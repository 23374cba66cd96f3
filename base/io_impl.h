/*
 * io_impl.h - what the implementations of io.h share: one way to word a failed call.
 */
#ifndef BASE_IO_IMPL_H
#define BASE_IO_IMPL_H

#include "base/io.h"

/* Fills *err for a call that failed with `failure` (an errno value): "operation path: reason;
 * what to do". ENOSPC and EDQUOT are NO_SPACE, ENOENT is NOT_FOUND, all others IO. */
ErrCode io_fail(Err *err, int failure, const char *operation, const char *path);

/* BUSY: another owner holds the lock file; pid 0 when it did not say who it is. */
ErrCode io_fail_busy(Err *err, const char *path, long pid);

#endif
