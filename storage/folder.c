/* folder.c - see folder_impl.h. */
#include "storage/folder_impl.h"

#include <assert.h>

#include "base/mem.h"
#include "storage/storage_impl.h"

#define STORAGE_FORMAT "weir-data 1\n"


static const char *const parts[] = {"journal", "ckpt", "topics", "tables"};
enum { PART_COUNT = sizeof parts / sizeof parts[0] };

static char *folder_path(const Storage *storage, const char *name) {
    assert(name[0] != '\0');
    Buf buf = {0};
    buf_printf(&buf, "%s/%s", storage->folder, name);
    char *path = mem_strdup(buf_cstr(&buf));
    buf_free(&buf);
    return path;
}

/* The folder that holds `path`; mem_free(). */
static char *parent_of(const char *path) {
    assert(path[0] != '\0');
    const char *slash = strrchr(path, '/');
    if (!slash)
        return mem_strdup(".");
    char *parent = mem_strdup(path);
    parent[slash == path ? 1 : slash - path] = '\0';
    return parent;
}

/* The beginning of a small file as text; "" when it is not there. */
static ErrCode folder_get(Storage *storage, const char *name, char *text, uint32_t size,
                          Err *err) {
    assert(text);
    assert(size > 1);
    char *path = folder_path(storage, name);
    IoFile *file;
    uint32_t got = 0;
    ErrCode code = storage->io->ops->open(storage->io, path, IO_READ, &file, err);
    mem_free(path);
    text[0] = '\0';
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(code);
    code = file->ops->read(file, 0, text, size - 1, &got, err);
    file->ops->close(file);
    text[code == ERR_OK ? got : 0] = '\0';
    return code;
}

/* Writes a small file. Without `sync` a crash may leave anything in it. */
static ErrCode folder_put(Storage *storage, const char *name, Bytes content, bool sync, Err *err) {
    assert(content.size > 0);
    Io *io = storage->io;
    char *path = folder_path(storage, name);
    IoFile *file;
    ErrCode code = io->ops->open(io, path, IO_WRITE, &file, err);
    mem_free(path);
    TRY(code);
    code = file->ops->write(file, 0, content, err);
    if (code == ERR_OK && sync)
        code = file->ops->sync(file, err);
    file->ops->close(file);
    return code;
}

/* == Ours or not ============================================================================== */

static bool is_part(const char *name) {
    assert(name);
    for (size_t i = 0; i < PART_COUNT; i++)
        if (strcmp(name, parts[i]) == 0)
            return true;
    return false;
}

static bool is_left_over(const char *part, const char *name) {
    assert(is_part(part));
    uint64_t seq;
    if (strcmp(part, "ckpt") == 0)
        return strcmp(name, "A") == 0 || strcmp(name, "B") == 0;
    return strcmp(part, "journal") == 0 && journal_name_seq(name, &seq);
}

/* A folder in it holds nothing but what a first start-up makes. */
static ErrCode folder_check_part(Storage *storage, const char *part, Arena *arena, Err *err) {
    assert(is_part(part));
    char **names;
    uint32_t count;
    const char *path = arena_printf(arena, "%s/%s", storage->folder, part);
    TRY(storage->io->ops->list(storage->io, path, arena, &names, &count, err));
    for (uint32_t i = 0; i < count; i++)
        if (!is_left_over(part, names[i]))
            return err_set(err, ERR_CORRUPT,
                           "%s holds %s/%s, but no file `format`: it is not a data folder, or "
                           "damaged", storage->folder, part, names[i]);
    return ERR_OK;
}

/* A folder without the right `format`: nothing in it but what a first start-up makes. */
static ErrCode folder_check_names(Storage *storage, Err *err) {
    assert(!storage->lock_file);
    Arena *arena = arena_new("folder", 0);
    char **names;
    uint32_t count;
    ErrCode code = storage->io->ops->list(storage->io, storage->folder, arena, &names, &count, err);
    for (uint32_t i = 0; code == ERR_OK && i < count; i++) {
        if (is_part(names[i]))
            code = folder_check_part(storage, names[i], arena, err);
        else if (strcmp(names[i], "format") == 0)
            code = err_set(err, ERR_CORRUPT,
                           "%s/format: offset 0: not the format of this version (\"weir-data 1\")",
                           storage->folder);
        else if (strcmp(names[i], "lock") != 0 && strcmp(names[i], "new") != 0)
            code = err_set(err, ERR_CORRUPT,
                           "%s holds %s, but no file `format`: it is not a data folder, or damaged",
                           storage->folder, names[i]);
    }
    arena_free(arena);
    return code;
}

/* == A new one ================================================================================ */

/* Whatever of it is there already stays as it is. */
static ErrCode folder_make(Storage *storage, Err *err) {
    Io *io = storage->io;
    for (size_t i = 0; i < PART_COUNT; i++) {
        char *path = folder_path(storage, parts[i]);
        ErrCode code = io->ops->make_folder(io, path, err);
        mem_free(path);
        TRY(code);
    }
    assert(storage->is_new);
    TRY(folder_put(storage, "new", bytes_of(STORAGE_FORMAT), false, err));
    return manifest_make(io, storage->folder, err);
}

/* `format` is whole or not there. */
static ErrCode folder_put_format(Storage *storage, Err *err) {
    assert(storage->is_new);
    TRY(folder_put(storage, "new", bytes_of(STORAGE_FORMAT), true, err));
    char *from = folder_path(storage, "new"), *to = folder_path(storage, "format");
    ErrCode code = storage->io->ops->rename(storage->io, from, to, err);
    mem_free(from);
    mem_free(to);
    return code;
}

/* A file or folder to be synced. */
typedef struct SyncJob {
    Io *io;
    IoFile *file; /* NULL: the folder `path` */
    char *path;   /* owned */
    Thread thread;
    ErrCode code;
    Err err;
} SyncJob;

static void *sync_job(void *arg) {
    SyncJob *job = arg;
    assert(!job->file != !job->path);
    job->code = job->file ? job->file->ops->sync(job->file, &job->err)
                          : job->io->ops->sync_folder(job->io, job->path, &job->err);
    return NULL;
}

/* All of them; at the same time where that is faster, for a disk writes its cache out once for all
 * who wait. Frees the paths. */
static ErrCode sync_jobs(SyncJob *jobs, size_t count, bool together, Err *err) {
    assert(jobs);
    assert(count > 0);
    for (size_t i = 1; i < count && together; i++)
        thread_start(&jobs[i].thread, "sync", sync_job, &jobs[i]);
    ErrCode code = ERR_OK;
    for (size_t i = 0; i < count; i++) {
        if (together && i > 0)
            thread_join(&jobs[i].thread);
        else if (code == ERR_OK)
            (void)sync_job(&jobs[i]);
        mem_free(jobs[i].path);
        if (code == ERR_OK && jobs[i].code != ERR_OK)
            *err = jobs[i].err;
        code = code == ERR_OK ? jobs[i].code : code;
    }
    return code;
}

ErrCode folder_settle(Storage *storage, const JournalFile *first, Err *err) {
    assert(first->file);
    Io *io = storage->io;
    SyncJob jobs[5] = {{.io = io, .file = first->file},
                       {.io = io, .path = folder_path(storage, "journal")}};
    size_t count = 2;
    if (storage->is_new) {
        jobs[count++] = (SyncJob){.io = io, .path = folder_path(storage, "ckpt")};
        jobs[count++] = (SyncJob){.io = io, .path = mem_strdup(storage->folder)};
        jobs[count++] = (SyncJob){.io = io, .path = parent_of(storage->folder)};
    }
    ErrCode code = storage->is_new ? folder_put_format(storage, err) : ERR_OK;
    if (code == ERR_OK)
        return sync_jobs(jobs, count, storage->options.threads && io->ops->overlaps, err);
    while (count > 0)
        mem_free(jobs[--count].path);
    return code;
}

static void folder_uuid(Storage *storage, Buf *text) {
    assert(text->size == 0);
    uint64_t high = storage->io->ops->random_u64(storage->io);
    uint64_t low = storage->io->ops->random_u64(storage->io);
    high = (high & ~0xf000ULL) | 0x4000; /* version 4, variant 1 of RFC 9562 */
    low = (low & ~(3ULL << 62)) | 2ULL << 62;
    buf_printf(text, "%08llx-%04llx-%04llx-%04llx-%012llx\n", (unsigned long long)(high >> 32),
               (unsigned long long)(high >> 16 & 0xffff), (unsigned long long)(high & 0xffff),
               (unsigned long long)(low >> 48), (unsigned long long)(low & 0xffffffffffffULL));
    assert(text->size == UUID_TEXT_SIZE);
}

const char *storage_uuid(const Storage *storage) {
    assert(storage->uuid[0] != '\0');
    return storage->uuid;
}

ErrCode folder_complete(Storage *storage, Err *err) {
    assert(!storage->threads_running);
    char text[UUID_TEXT_SIZE + 1];
    TRY(folder_get(storage, "uuid", text, sizeof text, err));
    if (strlen(text) == UUID_TEXT_SIZE) {
        memcpy(storage->uuid, text, UUID_TEXT_SIZE - 1);
        return ERR_OK;
    }
    Buf uuid = {0};
    folder_uuid(storage, &uuid);
    memcpy(storage->uuid, uuid.data, UUID_TEXT_SIZE - 1);
    ErrCode code = folder_put(storage, "uuid", buf_view(&uuid), false, err);
    buf_free(&uuid);
    assert(storage->checkpoint.last.generation > 0);
    return code;
}

/* == Opening ================================================================================== */

static ErrCode folder_has(Storage *storage, const char *name, bool *there, Err *err) {
    assert(there);
    assert(name[0] != '\0');
    char *path = folder_path(storage, name);
    IoFile *file;
    ErrCode code = storage->io->ops->open(storage->io, path, IO_READ, &file, err);
    mem_free(path);
    *there = code == ERR_OK;
    if (code == ERR_OK)
        file->ops->close(file);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

ErrCode folder_open(Storage *storage, Err *err) {
    assert(!storage->lock_file);
    assert(!storage->threads_running);
    Io *io = storage->io;
    char format[64];
    TRY(io->ops->make_folder(io, storage->folder, err));
    TRY(folder_get(storage, "format", format, sizeof format, err));
    if (strcmp(format, STORAGE_FORMAT) != 0) /* before anything is made in it */
        TRY(folder_check_names(storage, err));
    char *lock = folder_path(storage, "lock");
    ErrCode code = io->ops->lock(io, lock, &storage->lock_file, err);
    mem_free(lock);
    TRY(code);
    bool named;
    Manifest last; /* a crash may have taken the name of `uuid` alone */
    TRY(folder_has(storage, "uuid", &named, err));
    TRY(manifest_read(io, storage->folder, &last, err));
    storage->is_new = !named && last.generation == 0;
    if (storage->is_new)
        return folder_make(storage, err);
    /* Names that are seen may not be on disk: the last process may have failed to sync. */
    return io->ops->sync_folder(io, storage->folder, err);
}
