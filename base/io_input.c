/* io_input.c - see io_input.h. */
#include "base/io_input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

struct IoInput {
    int fd;
    char *path;
    uint64_t identity;
    uint64_t size;
};

/* Whether someone reads standard input: two readers would tear it apart. */
static _Atomic bool io_input_standard;

/* What was given back, and how much of it has been read again; the reader's alone. */
static Buf io_input_returned;
static size_t io_input_returned_next;

void io_input_give_back(Bytes bytes) {
    Buf all = {0};
    buf_bytes(&all, bytes);
    buf_put(&all, io_input_returned.data + io_input_returned_next,
            io_input_returned.size - io_input_returned_next);
    buf_free(&io_input_returned);
    io_input_returned = all;
    io_input_returned_next = 0;
}

static uint32_t io_input_returned_read(void *target, uint32_t size) {
    size_t left = io_input_returned.size - io_input_returned_next;
    uint32_t taken = left < size ? (uint32_t)left : size;
    memcpy(target, io_input_returned.data + io_input_returned_next, taken);
    io_input_returned_next += taken;
    if (taken == left)
        buf_free(&io_input_returned);
    io_input_returned_next = taken == left ? 0 : io_input_returned_next;
    return taken;
}

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

static ErrCode io_input_open_file(const char *path, int *fd, Err *err) {
    struct stat facts;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return io_input_failed("open", path, err);
    if (fstat(*fd, &facts) != 0 || !S_ISDIR(facts.st_mode))
        return ERR_OK;
    close(*fd);
    errno = EISDIR;
    return io_input_failed("open", path, err);
}

ErrCode io_input_open(const char *path, IoInput **input, Err *err) {
    assert(path && input);
    int fd = STDIN_FILENO;
    bool standard = strcmp(path, "-") == 0;
    if (!standard)
        TRY(io_input_open_file(path, &fd, err));
    else if (atomic_exchange(&io_input_standard, true))
        return err_set(err, ERR_NOT_FOUND, "Standard input ('-') is being read already.");
    IoInput *opened = mem_alloc(sizeof *opened);
    opened->fd = fd;
    opened->path = mem_strdup(path);
    if (!standard)
        io_input_identify(opened);
    *input = opened;
    return ERR_OK;
}

void io_input_close(IoInput *input) {
    if (!input)
        return;
    if (input->fd != STDIN_FILENO)
        close(input->fd);
    else
        atomic_store(&io_input_standard, false);
    mem_free(input->path);
    mem_free(input);
}

bool io_input_ready(IoInput *input, int64_t timeout_ms) {
    assert(timeout_ms >= 0);
    struct pollfd fd = {.fd = input->fd, .events = POLLIN};
    if (input->identity != 0 || (input->fd == STDIN_FILENO && io_input_returned.size > 0))
        return true;
    int count = poll(&fd, 1, timeout_ms > 1000 ? 1000 : (int)timeout_ms);
    return count > 0 || (count < 0 && errno != EINTR);
}

ErrCode io_input_read(IoInput *input, void *target, uint32_t size, uint32_t *got, Err *err) {
    assert(size > 0);
    if (input->fd == STDIN_FILENO && io_input_returned.size > 0) {
        *got = io_input_returned_read(target, size);
        return ERR_OK;
    }
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
