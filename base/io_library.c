/*
 * io_library.c - see io_library.h.
 *
 * The file is opened below the folder's descriptor without following links, looked at, and loaded
 * by that very descriptor: nobody can put another one in its place in between. The loader knows
 * libraries by the path they came from, which is the descriptor's: so it is never closed, and each
 * file (by inode and time) is loaded once.
 */
#include "base/io_library.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"

enum { LIBRARIES_MAX = 128 };

typedef struct Library {
    dev_t device;
    ino_t inode;
    struct timespec changed;
    void *handle;
} Library;

/* All guarded by the lock; the folder stays once it is set. */
static Lock library_lock = {PTHREAD_MUTEX_INITIALIZER};
static char *library_folder;
static int library_descriptor = -1;
static Library libraries[LIBRARIES_MAX];
static uint32_t library_count;

const char *io_library_folder(void) {
    lock_take(&library_lock);
    const char *folder = library_folder;
    lock_release(&library_lock);
    return folder;
}

static bool library_is_safe(int descriptor, mode_t kind) {
    struct stat found;
    return fstat(descriptor, &found) == 0 && (found.st_mode & S_IFMT) == kind &&
           !(found.st_mode & (S_IWGRP | S_IWOTH)) &&
           (found.st_uid == geteuid() || found.st_uid == 0);
}

static ErrCode library_set(const char *folder, Err *err) {
    if (library_folder && strcmp(library_folder, folder) == 0)
        return ERR_OK;
    if (library_folder)
        return err_set(err, ERR_SEMANTIC, "Native functions come from %s already.",
                       library_folder);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return err_set(err, ERR_NOT_FOUND, "The folder of native functions cannot be opened: "
                       "%s: %s", folder, strerror(errno));
    if (!library_is_safe(descriptor, S_IFDIR)) {
        close(descriptor);
        return err_set(err, ERR_SEMANTIC, "The folder of native functions, %s, must belong to the "
                       "user of this process or root and be writable by nobody else.", folder);
    }
    library_folder = mem_strdup(folder);
    library_descriptor = descriptor;
    return ERR_OK;
}

ErrCode io_library_allow(const char *folder, Err *err) {
    assert(folder);
    lock_take(&library_lock);
    ErrCode code = library_set(folder, err);
    lock_release(&library_lock);
    return code;
}

/* The library of an open file; the descriptor is taken when it is loaded now (*taken). */
static ErrCode library_load(int descriptor, const char *name, void **handle, bool *taken,
                            Err *err) {
    char path[64];
    struct stat found;
    if (!library_is_safe(descriptor, S_IFREG) || fstat(descriptor, &found) != 0)
        return err_set(err, ERR_SEMANTIC, "%s must be a plain file that belongs to the user of "
                       "this process or root and is writable by nobody else.", name);
    for (uint32_t i = 0; i < library_count; i++) {
        const Library *library = &libraries[i];
        *handle = library->handle;
        if (library->device == found.st_dev && library->inode == found.st_ino &&
            memcmp(&library->changed, &found.st_mtim, sizeof found.st_mtim) == 0)
            return ERR_OK;
    }
    if (library_count == LIBRARIES_MAX)
        return err_set(err, ERR_LIMIT, "More than %d libraries in one process.", LIBRARIES_MAX);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!*handle)
        return err_set(err, ERR_NOT_FOUND, "%s cannot be loaded: %s", name, dlerror());
    *taken = true;
    libraries[library_count++] =
        (Library){found.st_dev, found.st_ino, found.st_mtim, *handle};
    return ERR_OK;
}

static ErrCode library_open(const char *name, void **handle, Err *err) {
    bool taken = false;
    int descriptor = openat(library_descriptor, name,
                            O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return err_set(err, errno == ELOOP ? ERR_SEMANTIC : ERR_NOT_FOUND,
                       "%s cannot be opened in the folder of native functions: %s", name,
                       errno == ELOOP ? "it is a link" : strerror(errno));
    ErrCode code = library_load(descriptor, name, handle, &taken, err);
    if (!taken)
        close(descriptor);
    return code;
}

ErrCode io_library_symbol(const char *name, const char *symbol, void **address, Err *err) {
    assert(name && symbol && address);
    if (!io_library_folder())
        return err_set(err, ERR_SEMANTIC, "Functions in C are off: whoever starts Weir can allow "
                       "them with a folder for their libraries (--udf-dir DIR).");
    if (*name == '\0' || *name == '.' || strchr(name, '/'))
        return err_set(err, ERR_SEMANTIC, "'%s' is no name of a library: it is the name of a file "
                       "in the folder of native functions, without a path.", name);
    void *handle;
    lock_take(&library_lock);
    ErrCode code = library_open(name, &handle, err);
    lock_release(&library_lock);
    TRY(code);
    *address = dlsym(handle, symbol);
    if (*address)
        return ERR_OK;
    return err_set(err, ERR_NOT_FOUND, "%s has no symbol %s.", name, symbol);
}
