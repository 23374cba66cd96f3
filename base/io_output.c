/* io_output.c - see io_output.h. */
#include "base/io_output.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum { OUTPUT_BYTES = 1 << 18, OUTPUT_NAMES_MAX = 100 };

struct IoOutput {
    int fd;
    char *path;
    char *begun; /* what is renamed to `path` at the end; NULL: bytes go there as they come */
    bool overwrite;
    Buf buffer;
};

static ErrCode output_failed(const char *path, Err *err) {
    return err_set(err, ERR_NOT_FOUND, "Cannot write '%s': %s.", path, strerror(errno));
}

static ErrCode output_exists(const char *path, Err *err) {
    return err_set(err, ERR_SEMANTIC, "'%s' exists already: OVERWRITE replaces it.", path);
}

static void output_free(IoOutput *output) {
    if (output->fd > STDERR_FILENO)
        close(output->fd);
    buf_free(&output->buffer);
    mem_free(output->begun);
    mem_free(output->path);
    mem_free(output);
}

/* A new file beside the one that is wanted. */
static ErrCode output_begin(IoOutput *output, Err *err) {
    for (unsigned i = 0; i < OUTPUT_NAMES_MAX; i++) {
        Buf name = {0};
        buf_printf(&name, "%s.%ld-%u.part", output->path, (long)getpid(), i);
        output->fd = open(buf_cstr(&name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (output->fd >= 0)
            output->begun = mem_strdup(buf_cstr(&name));
        buf_free(&name);
        if (output->fd >= 0)
            return ERR_OK;
        if (errno != EEXIST)
            break;
    }
    return output_failed(output->path, err);
}

static ErrCode output_open_path(IoOutput *output, Err *err) {
    struct stat facts;
    if (strcmp(output->path, "-") == 0) {
        fflush(stdout); /* what was printed comes first */
        output->fd = STDOUT_FILENO;
        return ERR_OK;
    }
    bool there = stat(output->path, &facts) == 0;
    if (there && S_ISDIR(facts.st_mode)) {
        errno = EISDIR;
        return output_failed(output->path, err);
    }
    if (there && !S_ISREG(facts.st_mode)) {
        output->fd = open(output->path, O_WRONLY | O_CLOEXEC);
        return output->fd >= 0 ? ERR_OK : output_failed(output->path, err);
    }
    if (there && !output->overwrite)
        return output_exists(output->path, err);
    return output_begin(output, err);
}

ErrCode io_output_open(const char *path, bool overwrite, IoOutput **output, Err *err) {
    assert(path && output);
    IoOutput *opened = mem_alloc(sizeof *opened);
    opened->fd = -1;
    opened->path = mem_strdup(path);
    opened->overwrite = overwrite;
    ErrCode code = output_open_path(opened, err);
    if (code == ERR_OK)
        *output = opened;
    else
        output_free(opened);
    return code;
}

static ErrCode output_flush(IoOutput *output, Err *err) {
    const uint8_t *at = output->buffer.data;
    size_t left = output->buffer.size;
    while (left > 0) {
        ssize_t written = write(output->fd, at, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return output_failed(output->path, err);
        at += written;
        left -= (size_t)written;
    }
    buf_reset(&output->buffer);
    return ERR_OK;
}

ErrCode io_output_write(IoOutput *output, Bytes bytes, Err *err) {
    buf_bytes(&output->buffer, bytes);
    bool waits = output->begun && output->buffer.size < OUTPUT_BYTES;
    return waits ? ERR_OK : output_flush(output, err);
}

/* The folder that the path is in: its new name is to be durable too. */
static ErrCode output_sync_folder(const char *path, Err *err) {
    const char *slash = strrchr(path, '/');
    Buf folder = {0};
    buf_put(&folder, path, slash ? (size_t)(slash - path) + 1 : 0);
    int fd = open(slash ? buf_cstr(&folder) : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    buf_free(&folder);
    bool synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (fd >= 0)
        close(fd);
    return synced ? ERR_OK : output_failed(path, err);
}

/* Gives the file its name. A link does not replace what somebody has made meanwhile. */
static ErrCode output_name(IoOutput *output, Err *err) {
    if (output->overwrite)
        return rename(output->begun, output->path) == 0 ? ERR_OK
                                                        : output_failed(output->path, err);
    if (link(output->begun, output->path) == 0) {
        (void)unlink(output->begun);
        return ERR_OK;
    }
    if (errno == EEXIST)
        return output_exists(output->path, err);
    /* A file system without links. */
    return rename(output->begun, output->path) == 0 ? ERR_OK : output_failed(output->path, err);
}

ErrCode io_output_finish(IoOutput *output, Err *err) {
    assert(output);
    ErrCode code = output_flush(output, err);
    if (code == ERR_OK && output->begun && fsync(output->fd) != 0)
        code = output_failed(output->path, err);
    if (code == ERR_OK && output->begun)
        code = output_name(output, err);
    if (code == ERR_OK && output->begun) {
        mem_free(output->begun); /* it has its name: not to be removed */
        output->begun = NULL;
        code = output_sync_folder(output->path, err);
    }
    io_output_drop(output);
    return code;
}

void io_output_drop(IoOutput *output) {
    if (!output)
        return;
    if (output->begun)
        (void)unlink(output->begun);
    output_free(output);
}
