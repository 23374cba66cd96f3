/* io_input.c - see io_input.h. */
#include "base/io_input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

struct IoInput {
    int fd;
    char *path;
    uint64_t identity;
    uint64_t size;
};

static ErrCode io_input_failed(const char *what, const char *path, Err *err) {
    return err_set(err, ERR_NOT_FOUND, "Cannot %s '%s': %s.", what, path, strerror(errno));
}

static void io_input_identify(IoInput *input) {
    struct stat facts;
    if (fstat(input->fd, &facts) != 0 || !S_ISREG(facts.st_mode))
        return;
    uint64_t parts[] = {(uint64_t)facts.st_dev, (uint64_t)facts.st_ino, (uint64_t)facts.st_size,
                        (uint64_t)facts.st_mtim.tv_sec, (uint64_t)facts.st_mtim.tv_nsec};
    input->identity = hash_bytes((Bytes){(const uint8_t *)parts, sizeof parts}) | 1;
    input->size = (uint64_t)facts.st_size;
}

ErrCode io_input_open(const char *path, IoInput **input, Err *err) {
    assert(path);
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return io_input_failed("open", path, err);
    IoInput *opened = mem_alloc(sizeof *opened);
    opened->fd = fd;
    opened->path = mem_strdup(path);
    io_input_identify(opened);
    *input = opened;
    return ERR_OK;
}

void io_input_close(IoInput *input) {
    if (!input)
        return;
    if (input->fd != STDIN_FILENO)
        close(input->fd);
    mem_free(input->path);
    mem_free(input);
}

ErrCode io_input_read(IoInput *input, void *target, uint32_t size, uint32_t *got, Err *err) {
    assert(size > 0);
    for (;;) {
        ssize_t count = read(input->fd, target, size);
        if (count >= 0) {
            *got = (uint32_t)count;
            return ERR_OK;
        }
        if (errno != EINTR)
            return io_input_failed("read", input->path, err);
    }
}

ErrCode io_input_seek(IoInput *input, uint64_t offset, Err *err) {
    if (lseek(input->fd, (off_t)offset, SEEK_SET) < 0)
        return io_input_failed("seek in", input->path, err);
    return ERR_OK;
}

uint64_t io_input_identity(const IoInput *input) {
    return input->identity;
}

uint64_t io_input_size(const IoInput *input) {
    return input->size;
}
