/*
 * io_posix.c - the machine: files, folders, clock and chance by POSIX calls.
 *
 * A file opened with IO_DIRECT has two descriptors: aligned writes go past the page cache, all
 * else (reads, a last short block) goes through it. The two never touch the same block twice in
 * different ways because blocks are written once; the kernel keeps them coherent besides. Where
 * the file system refuses O_DIRECT the second descriptor is simply missing.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/io_hold.h"
#include "base/io_impl.h"
#include "base/mem.h"

enum {
    POSIX_ALIGN = 4096,             /* what O_DIRECT asks for on every common disk */
    POSIX_BOUNCE_BYTES = 256 << 10, /* direct writes from unaligned memory go through this */
    POSIX_ZEROS_BYTES = 64 << 10,   /* one write when space is taken by writing zeros */
};

typedef struct PosixFile {
    IoFile file;
    int fd;
    int direct; /* O_DIRECT, for aligned writes; -1: none */
    char *path;
    void *map; /* NULL: none */
} PosixFile;

static ErrCode posix_read(IoFile *file, uint64_t offset, void *target, uint32_t size,
                          uint32_t *got, Err *err) {
    PosixFile *self = (PosixFile *)file;
    uint32_t done = 0;
    while (done < size) {
        ssize_t count = pread(self->fd, (char *)target + done, size - done,
                              (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return io_fail(err, errno, "read", self->path);
        if (count == 0)
            break;
        done += (uint32_t)count;
    }
    *got = done;
    return ERR_OK;
}

static ErrCode posix_write_fd(PosixFile *self, int fd, uint64_t offset, Bytes source, Err *err) {
    assert(fd >= 0);
    uint32_t done = 0;
    while (done < source.size) {
        ssize_t count = pwrite(fd, source.data + done, source.size - done,
                               (off_t)(offset + done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return io_fail(err, count < 0 ? errno : EIO, "write", self->path);
        done += (uint32_t)count;
    }
    return ERR_OK;
}

/* O_DIRECT wants aligned memory too: what is not, is copied piece by piece. */
static ErrCode posix_write_direct(PosixFile *self, uint64_t offset, Bytes source, Err *err) {
    if ((uintptr_t)source.data % POSIX_ALIGN == 0)
        return posix_write_fd(self, self->direct, offset, source, err);
    uint8_t *memory = mem_resize(NULL, POSIX_BOUNCE_BYTES + POSIX_ALIGN);
    uint8_t *bounce = memory + (POSIX_ALIGN - (uintptr_t)memory % POSIX_ALIGN) % POSIX_ALIGN;
    ErrCode code = ERR_OK;
    for (uint32_t done = 0; done < source.size && code == ERR_OK;) {
        uint32_t size = source.size - done;
        if (size > POSIX_BOUNCE_BYTES)
            size = POSIX_BOUNCE_BYTES;
        memcpy(bounce, source.data + done, size);
        code = posix_write_fd(self, self->direct, offset + done, (Bytes){bounce, size}, err);
        done += size;
    }
    mem_free(memory);
    return code;
}

static ErrCode posix_write(IoFile *file, uint64_t offset, Bytes source, Err *err) {
    PosixFile *self = (PosixFile *)file;
    bool aligned = offset % POSIX_ALIGN == 0 && source.size % POSIX_ALIGN == 0;
    if (self->direct >= 0 && aligned)
        return posix_write_direct(self, offset, source, err);
    return posix_write_fd(self, self->fd, offset, source, err);
}

static ErrCode posix_sync(IoFile *file, Err *err) {
    PosixFile *self = (PosixFile *)file;
    if (fdatasync(self->fd) != 0)
        return io_fail(err, errno, "sync", self->path);
    return ERR_OK;
}

static ErrCode posix_size(IoFile *file, uint64_t *size, Err *err) {
    PosixFile *self = (PosixFile *)file;
    struct stat facts;
    if (fstat(self->fd, &facts) != 0)
        return io_fail(err, errno, "read the size of", self->path);
    *size = (uint64_t)facts.st_size;
    return ERR_OK;
}

static ErrCode posix_resize(IoFile *file, uint64_t size, Err *err) {
    PosixFile *self = (PosixFile *)file;
    while (ftruncate(self->fd, (off_t)size) != 0)
        if (errno != EINTR)
            return io_fail(err, errno, "resize", self->path);
    return ERR_OK;
}

/* For file systems without fallocate: zeros from the end of the file on. */
static ErrCode posix_write_zeros(PosixFile *self, uint64_t size, Err *err) {
    uint64_t end;
    TRY(posix_size(&self->file, &end, err));
    uint8_t *zeros = mem_alloc(POSIX_ZEROS_BYTES);
    ErrCode code = ERR_OK;
    while (end < size && code == ERR_OK) {
        uint64_t left = size - end;
        uint32_t step = left < POSIX_ZEROS_BYTES ? (uint32_t)left : POSIX_ZEROS_BYTES;
        code = posix_write_fd(self, self->fd, end, (Bytes){zeros, step}, err);
        end += step;
    }
    mem_free(zeros);
    return code;
}

static ErrCode posix_allocate(IoFile *file, uint64_t size, Err *err) {
    PosixFile *self = (PosixFile *)file;
    if (size == 0)
        return ERR_OK;
    while (fallocate(self->fd, 0, 0, (off_t)size) != 0) {
        if (errno == EOPNOTSUPP || errno == ENOSYS)
            return posix_write_zeros(self, size, err);
        if (errno != EINTR)
            return io_fail(err, errno, "take space for", self->path);
    }
    return ERR_OK;
}

static ErrCode posix_map(IoFile *file, void **memory, Err *err) {
    PosixFile *self = (PosixFile *)file;
    assert(!self->map);
    void *map = mmap(NULL, IO_MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
    if (map == MAP_FAILED)
        return io_fail(err, errno, "map", self->path);
    *memory = self->map = map;
    return ERR_OK;
}

static uint64_t posix_unwritten(IoFile *file, uint64_t offset) {
    const PosixFile *self = (const PosixFile *)file;
    uint64_t size = 0;
    Err ignored;
    off_t data = lseek(self->fd, (off_t)offset, SEEK_DATA);
    if (data >= 0)
        return (uint64_t)data;
    bool none = errno == ENXIO && posix_size(file, &size, &ignored) == ERR_OK && size > offset;
    return none ? size : offset;
}

static void posix_close(IoFile *file) {
    if (!file)
        return;
    PosixFile *self = (PosixFile *)file;
    if (self->map)
        munmap(self->map, IO_MAP_BYTES);
    close(self->fd);
    if (self->direct >= 0)
        close(self->direct);
    mem_free(self->path);
    mem_free(self);
}

static const IoFileOps posix_file_ops = {
    .read = posix_read,
    .write = posix_write,
    .sync = posix_sync,
    .size = posix_size,
    .resize = posix_resize,
    .allocate = posix_allocate,
    .map = posix_map,
    .close = posix_close,
    .unwritten = posix_unwritten,
};

static int posix_open_fd(const char *path, int flags) {
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC, 0600);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static PosixFile *posix_file_new(int fd, int direct, const char *path) {
    assert(fd >= 0);
    PosixFile *self = mem_alloc(sizeof *self);
    *self = (PosixFile){{&posix_file_ops}, fd, direct, mem_strdup(path), NULL};
    return self;
}

static ErrCode posix_open(Io *io, const char *path, IoMode mode, IoFile **file, Err *err) {
    (void)io;
    static const int flags[] = {
        [IO_READ] = O_RDONLY,
        [IO_WRITE] = O_RDWR | O_CREAT,
        [IO_CREATE] = O_RDWR | O_CREAT | O_EXCL,
        [IO_DIRECT] = O_RDWR | O_CREAT,
    };
    assert((unsigned)mode < sizeof flags / sizeof flags[0]);
    int fd = posix_open_fd(path, flags[mode]);
    if (fd < 0)
        return io_fail(err, errno, mode == IO_CREATE ? "create" : "open", path);
    struct stat facts;
    if (mode == IO_READ && fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        close(fd);
        return io_fail(err, EISDIR, "open", path);
    }
    int direct = mode == IO_DIRECT ? posix_open_fd(path, O_WRONLY | O_DIRECT) : -1;
    *file = &posix_file_new(fd, direct, path)->file;
    return ERR_OK;
}

static ErrCode posix_make_folder(Io *io, const char *path, Err *err) {
    (void)io;
    struct stat facts;
    if (mkdir(path, 0700) == 0)
        return ERR_OK;
    int failure = errno;
    if (failure == EEXIST && stat(path, &facts) == 0 && S_ISDIR(facts.st_mode))
        return ERR_OK;
    return io_fail(err, failure, "make the folder", path);
}

static int posix_compare_names(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static ErrCode posix_list(Io *io, const char *path, Arena *arena, char ***names, uint32_t *count,
                          Err *err) {
    (void)io;
    DIR *folder = opendir(path);
    if (!folder)
        return io_fail(err, errno, "list", path);
    char **found = arena_array(arena, 1, sizeof *found);
    size_t capacity = 1, used = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        found = arena_grow(arena, found, &capacity, used + 1, sizeof *found);
        found[used++] = arena_strdup(arena, entry->d_name);
    }
    int failure = errno;
    closedir(folder);
    if (failure)
        return io_fail(err, failure, "list", path);
    qsort(found, used, sizeof *found, posix_compare_names);
    *names = found;
    *count = (uint32_t)used;
    return ERR_OK;
}

static ErrCode posix_rename(Io *io, const char *from, const char *to, Err *err) {
    (void)io;
    if (rename(from, to) != 0)
        return io_fail(err, errno, "rename", from);
    return ERR_OK;
}

static ErrCode posix_remove(Io *io, const char *path, Err *err) {
    (void)io;
    if (remove(path) != 0)
        return io_fail(err, errno, "remove", path);
    return ERR_OK;
}

static ErrCode posix_sync_folder(Io *io, const char *path, Err *err) {
    (void)io;
    int fd = posix_open_fd(path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return io_fail(err, errno, "open the folder", path);
    int failure = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return failure ? io_fail(err, failure, "sync the folder", path) : ERR_OK;
}

static long posix_lock_owner(int fd) {
    char text[24] = {0};
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    return size > 0 ? strtol(text, NULL, 10) : 0;
}

/* flock(2): the kernel gives the lock back when its owner dies, however it dies. */
static ErrCode posix_lock(Io *io, const char *path, IoFile **lock, Err *err) {
    (void)io;
    int fd = posix_open_fd(path, O_RDWR | O_CREAT);
    if (fd < 0)
        return io_fail(err, errno, "open", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int failure = errno;
        long pid = posix_lock_owner(fd);
        close(fd);
        return failure == EWOULDBLOCK ? io_fail_busy(err, path, pid)
                                      : io_fail(err, failure, "lock", path);
    }
    PosixFile *self = posix_file_new(fd, -1, path);
    char text[24];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    ErrCode code = posix_resize(&self->file, 0, err);
    if (code == ERR_OK)
        code = posix_write(&self->file, 0, (Bytes){(uint8_t *)text, (uint32_t)size}, err);
    if (code != ERR_OK) {
        posix_close(&self->file);
        return code;
    }
    *lock = &self->file;
    return ERR_OK;
}

static ErrCode posix_free_space(Io *io, const char *path, uint64_t *bytes, Err *err) {
    (void)io;
    struct statvfs facts;
    while (statvfs(path, &facts) != 0)
        if (errno != EINTR)
            return io_fail(err, errno, "read the free space of", path);
    *bytes = (uint64_t)facts.f_bavail * (uint64_t)facts.f_frsize;
    return ERR_OK;
}

static int64_t posix_now_ms(Io *io) {
    (void)io;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t posix_mono_us(Io *io) {
    (void)io;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint64_t posix_random_u64(Io *io) {
    (void)io;
    uint64_t value = 0;
    ssize_t size;
    do
        size = getrandom(&value, sizeof value, 0);
    while (size < 0 && errno == EINTR);
    assert(size == (ssize_t)sizeof value);
    return value;
}

static const IoOps posix_ops = {
    .name = "posix",
    .overlaps = true,
    .open = posix_open,
    .make_folder = posix_make_folder,
    .list = posix_list,
    .rename = posix_rename,
    .remove = posix_remove,
    .sync_folder = posix_sync_folder,
    .lock = posix_lock,
    .free_space = posix_free_space,
    .now_ms = posix_now_ms,
    .mono_us = posix_mono_us,
    .random_u64 = posix_random_u64,
};

static Io posix_io = {&posix_ops};
static Io *posix_held; /* NULL: as usual. Set before any thread is started. */

Io *io_posix(void) {
    return posix_held ? posix_held : &posix_io;
}

int64_t io_posix_mono_us(void) {
    Io *io = io_posix();
    return io->ops->mono_us(io);
}

void io_posix_hold_unsynced(bool on) {
    if (on && !posix_held)
        posix_held = io_hold_new(&posix_io);
    if (!on) {
        io_hold_free(posix_held);
        posix_held = NULL;
    }
}
