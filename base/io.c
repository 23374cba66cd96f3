/*
 * io.c - the words for a failed call of io.h, the same for every implementation: which call, on
 * which path, why, and what the reader of the message can do about it.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/io_impl.h"

typedef struct IoAdvice {
    int failure;
    const char *text;
} IoAdvice;

static const IoAdvice io_advices[] = {
    {ENOSPC, "free some space on that file system"},
    {EDQUOT, "free some space or raise the quota"},
    {ENOENT, "check that the path is right"},
    {EACCES, "give this user the right to read and write it"},
    {EPERM, "give this user the right to read and write it"},
    {EROFS, "mount the file system writable"},
    {EMFILE, "raise the limit of open files (ulimit -n)"},
    {ENFILE, "raise the machine's limit of open files"},
    {EEXIST, "move away what is there, or choose another path"},
    {ENOTDIR, "a part of the path is a file: choose another path"},
    {EISDIR, "a folder is there: choose another path"},
    {ENOTEMPTY, "the folder must be empty first"},
    {EIO, "check the disk and the kernel's log"},
};

ErrCode io_fail(Err *err, int failure, const char *operation, const char *path) {
    assert(operation);
    assert(path);
    const char *advice = "check the disk, the path and the rights";
    for (size_t i = 0; i < sizeof io_advices / sizeof io_advices[0]; i++)
        if (io_advices[i].failure == failure)
            advice = io_advices[i].text;
    ErrCode code = failure == ENOSPC || failure == EDQUOT ? ERR_NO_SPACE
                   : failure == ENOENT                    ? ERR_NOT_FOUND
                                                          : ERR_IO;
    /* strerror() is safe between threads in glibc and musl; strerror_r() differs between them. */
    return err_set(err, code, "cannot %s %s: %s; %s", operation, path, strerror(failure), advice);
}

ErrCode io_fail_busy(Err *err, const char *path, long pid) {
    assert(path);
    if (pid <= 0)
        return err_set(err, ERR_BUSY, "%s is locked by another process; stop it first", path);
    return err_set(err, ERR_BUSY, "%s is locked by process %ld; stop it first", path, pid);
}
