/*
 * io_hold.c - see io_hold.h.
 *
 * One HoldFile per path, shared by all who have it open and kept while it holds anything. A held
 * page is the whole page as a reader sees it. Of the file below, bytes at and after `below_limit`
 * count as zeros: that is how a cut is held. One lock for all: this is for tests of correctness.
 */
#include "base/io_hold.h"

#include <assert.h>

#include "base/mem.h"
#include "base/thread.h"

enum { HOLD_PAGE = 4096 };

typedef struct HoldFile {
    struct HoldFile *next;
    char *path; /* NULL: removed or replaced, only its handles are left */
    uint32_t refs;
    bool dirty;
    uint64_t size, below_limit;
    uint8_t **pages; /* NULL: as in the file below */
    size_t page_count;
} HoldFile;

typedef struct HoldIo {
    Io io;
    Io *under;
    Lock lock;
    HoldFile *files;
} HoldIo;

typedef struct HoldHandle {
    IoFile file;
    HoldIo *io;
    IoFile *under;
    HoldFile *content;
    bool read_only;
} HoldHandle;

/* == One file ================================================================================= */

static void hold_drop_pages(HoldFile *content) {
    for (size_t i = 0; i < content->page_count; i++)
        mem_free(content->pages[i]);
    mem_free(content->pages);
    content->pages = NULL;
    content->page_count = 0;
    content->dirty = false;
}

static void hold_unlink(HoldIo *io, HoldFile *content) {
    HoldFile **link = &io->files;
    while (*link != content)
        link = &(*link)->next;
    *link = content->next;
    hold_drop_pages(content);
    mem_free(content->path);
    mem_free(content);
}

static HoldFile *hold_find(HoldIo *io, const char *path) {
    HoldFile *content = io->files;
    while (content && (!content->path || strcmp(content->path, path) != 0))
        content = content->next;
    return content;
}

/* Bytes of one page as a reader sees them, from `from` on. */
static ErrCode hold_read_page(HoldHandle *self, uint64_t page, uint32_t from, uint8_t *target,
                              uint32_t size, Err *err) {
    HoldFile *content = self->content;
    assert(from + size <= HOLD_PAGE);
    if (page < content->page_count && content->pages[page]) {
        memcpy(target, content->pages[page] + from, size);
        return ERR_OK;
    }
    uint64_t offset = page * HOLD_PAGE + from;
    uint64_t there = offset < content->below_limit ? content->below_limit - offset : 0;
    uint32_t want = there < size ? (uint32_t)there : size, got = 0;
    if (want > 0)
        TRY(self->under->ops->read(self->under, offset, target, want, &got, err));
    memset(target + got, 0, size - got);
    return ERR_OK;
}

static ErrCode hold_read_locked(HoldHandle *self, uint64_t offset, uint8_t *target, uint32_t size,
                                uint32_t *got, Err *err) {
    uint64_t left = offset < self->content->size ? self->content->size - offset : 0;
    uint32_t whole = left < size ? (uint32_t)left : size;
    for (uint32_t done = 0; done < whole;) {
        uint32_t from = (uint32_t)((offset + done) % HOLD_PAGE);
        uint32_t step = HOLD_PAGE - from < whole - done ? HOLD_PAGE - from : whole - done;
        TRY(hold_read_page(self, (offset + done) / HOLD_PAGE, from, target + done, step, err));
        done += step;
    }
    *got = whole;
    return ERR_OK;
}

static ErrCode hold_read(IoFile *file, uint64_t offset, void *target, uint32_t size, uint32_t *got,
                         Err *err) {
    HoldHandle *self = (HoldHandle *)file;
    lock_take(&self->io->lock);
    ErrCode code = hold_read_locked(self, offset, target, size, got, err);
    lock_release(&self->io->lock);
    return code;
}

/* The held page, made from what a reader sees when it is not there yet. */
static ErrCode hold_page(HoldHandle *self, uint64_t page, uint8_t **bytes, Err *err) {
    HoldFile *content = self->content;
    size_t capacity = content->page_count;
    if (page >= capacity) {
        content->pages = mem_grow(content->pages, &content->page_count, (size_t)page + 1,
                                  sizeof *content->pages);
        memset(content->pages + capacity, 0,
               (content->page_count - capacity) * sizeof *content->pages);
    }
    if (!content->pages[page]) {
        uint8_t *made = mem_alloc(HOLD_PAGE);
        ErrCode code = hold_read_page(self, page, 0, made, HOLD_PAGE, err);
        if (code != ERR_OK) {
            mem_free(made);
            return code;
        }
        content->pages[page] = made;
    }
    content->dirty = true;
    *bytes = content->pages[page];
    return ERR_OK;
}

static ErrCode hold_write_locked(HoldHandle *self, uint64_t offset, Bytes source, Err *err) {
    HoldFile *content = self->content;
    for (uint32_t done = 0; done < source.size;) {
        uint32_t from = (uint32_t)((offset + done) % HOLD_PAGE), left = source.size - done;
        uint32_t step = HOLD_PAGE - from < left ? HOLD_PAGE - from : left;
        uint8_t *bytes;
        TRY(hold_page(self, (offset + done) / HOLD_PAGE, &bytes, err));
        memcpy(bytes + from, source.data + done, step);
        done += step;
    }
    if (offset + source.size > content->size)
        content->size = offset + source.size;
    return ERR_OK;
}

static ErrCode hold_write(IoFile *file, uint64_t offset, Bytes source, Err *err) {
    HoldHandle *self = (HoldHandle *)file;
    if (self->read_only) /* the file below says it in its own words */
        return self->under->ops->write(self->under, offset, source, err);
    lock_take(&self->io->lock);
    ErrCode code = hold_write_locked(self, offset, source, err);
    lock_release(&self->io->lock);
    return code;
}

/* Gives everything held to the file below. */
static ErrCode hold_give(HoldHandle *self, Err *err) {
    HoldFile *content = self->content;
    IoFile *under = self->under;
    if (!content->dirty)
        return ERR_OK;
    uint64_t below;
    TRY(under->ops->size(under, &below, err));
    if (below > content->below_limit)
        TRY(under->ops->resize(under, content->below_limit, err));
    for (size_t i = 0; i < content->page_count; i++)
        if (content->pages[i])
            TRY(under->ops->write(under, i * HOLD_PAGE, (Bytes){content->pages[i], HOLD_PAGE},
                                  err));
    TRY(under->ops->resize(under, content->size, err));
    content->below_limit = content->size;
    hold_drop_pages(content);
    return ERR_OK;
}

static ErrCode hold_sync(IoFile *file, Err *err) {
    HoldHandle *self = (HoldHandle *)file;
    lock_take(&self->io->lock);
    ErrCode code = hold_give(self, err);
    lock_release(&self->io->lock);
    TRY(code);
    return self->under->ops->sync(self->under, err);
}

static ErrCode hold_size(IoFile *file, uint64_t *size, Err *err) {
    (void)err;
    HoldHandle *self = (HoldHandle *)file;
    lock_take(&self->io->lock);
    *size = self->content->size;
    lock_release(&self->io->lock);
    return ERR_OK;
}

static void hold_cut(HoldFile *content, uint64_t size) {
    uint64_t whole = (size + HOLD_PAGE - 1) / HOLD_PAGE;
    for (uint64_t page = whole; page < content->page_count; page++) {
        mem_free(content->pages[page]);
        content->pages[page] = NULL;
    }
    uint32_t rest = (uint32_t)(size % HOLD_PAGE);
    if (rest > 0 && whole <= content->page_count && content->pages[whole - 1])
        memset(content->pages[whole - 1] + rest, 0, HOLD_PAGE - rest);
    if (content->below_limit > size)
        content->below_limit = size;
}

static ErrCode hold_resize(IoFile *file, uint64_t size, Err *err) {
    HoldHandle *self = (HoldHandle *)file;
    if (self->read_only)
        return self->under->ops->resize(self->under, size, err);
    lock_take(&self->io->lock);
    if (size < self->content->size)
        hold_cut(self->content, size);
    self->content->size = size;
    self->content->dirty = true;
    lock_release(&self->io->lock);
    return ERR_OK;
}

/* Space is taken at once, so that NO_SPACE comes where it belongs. */
static ErrCode hold_allocate(IoFile *file, uint64_t size, Err *err) {
    HoldHandle *self = (HoldHandle *)file;
    TRY(self->under->ops->allocate(self->under, size, err));
    lock_take(&self->io->lock);
    if (size > self->content->size) {
        self->content->size = size;
        self->content->dirty = true;
    }
    lock_release(&self->io->lock);
    return ERR_OK;
}

/* Nothing of a map is held: like a power cut that comes after it was written. */
static ErrCode hold_map(IoFile *file, void **memory, Err *err) {
    HoldHandle *self = (HoldHandle *)file;
    TRY(hold_sync(file, err));
    return self->under->ops->map(self->under, memory, err);
}

static void hold_close(IoFile *file) {
    if (!file)
        return;
    HoldHandle *self = (HoldHandle *)file;
    HoldFile *content = self->content;
    lock_take(&self->io->lock);
    assert(content->refs > 0);
    if (--content->refs == 0 && (!content->dirty || !content->path))
        hold_unlink(self->io, content);
    lock_release(&self->io->lock);
    self->under->ops->close(self->under);
    mem_free(self);
}

static const IoFileOps hold_file_ops = {
    .read = hold_read,
    .write = hold_write,
    .sync = hold_sync,
    .size = hold_size,
    .resize = hold_resize,
    .allocate = hold_allocate,
    .map = hold_map,
    .close = hold_close,
};

/* == The machine ============================================================================== */

static Io *hold_under(Io *io) {
    return ((HoldIo *)io)->under;
}

/* With the lock held. */
static HoldFile *hold_content(HoldIo *self, const char *path, uint64_t size) {
    HoldFile *content = hold_find(self, path);
    if (!content) {
        content = mem_alloc(sizeof *content);
        *content = (HoldFile){.next = self->files, .path = mem_strdup(path), .size = size,
                              .below_limit = size};
        self->files = content;
    }
    content->refs++;
    return content;
}

static ErrCode hold_open(Io *io, const char *path, IoMode mode, IoFile **file, Err *err) {
    HoldIo *self = (HoldIo *)io;
    IoFile *under;
    uint64_t size;
    TRY(self->under->ops->open(self->under, path, mode, &under, err));
    ErrCode code = under->ops->size(under, &size, err);
    if (code != ERR_OK) {
        under->ops->close(under);
        return code;
    }
    HoldHandle *handle = mem_alloc(sizeof *handle);
    *handle = (HoldHandle){.file = {&hold_file_ops}, .io = self, .under = under,
                           .read_only = mode == IO_READ};
    lock_take(&self->lock);
    handle->content = hold_content(self, path, size);
    lock_release(&self->lock);
    *file = &handle->file;
    return ERR_OK;
}

/* With the lock held: the name is gone, the content lives on in open files only. */
static void hold_forget_path(HoldIo *self, const char *path) {
    HoldFile *content = hold_find(self, path);
    if (!content)
        return;
    mem_free(content->path);
    content->path = NULL;
    if (content->refs == 0)
        hold_unlink(self, content);
}

static ErrCode hold_rename(Io *io, const char *from, const char *to, Err *err) {
    HoldIo *self = (HoldIo *)io;
    TRY(self->under->ops->rename(self->under, from, to, err));
    lock_take(&self->lock);
    HoldFile *content = hold_find(self, from);
    if (strcmp(from, to) != 0) {
        hold_forget_path(self, to);
        if (content) {
            mem_free(content->path);
            content->path = mem_strdup(to);
        }
    }
    lock_release(&self->lock);
    return ERR_OK;
}

static ErrCode hold_remove(Io *io, const char *path, Err *err) {
    HoldIo *self = (HoldIo *)io;
    TRY(self->under->ops->remove(self->under, path, err));
    lock_take(&self->lock);
    hold_forget_path(self, path);
    lock_release(&self->lock);
    return ERR_OK;
}

static ErrCode hold_make_folder(Io *io, const char *path, Err *err) {
    return hold_under(io)->ops->make_folder(hold_under(io), path, err);
}

static ErrCode hold_list(Io *io, const char *path, Arena *arena, char ***names, uint32_t *count,
                         Err *err) {
    return hold_under(io)->ops->list(hold_under(io), path, arena, names, count, err);
}

static ErrCode hold_sync_folder(Io *io, const char *path, Err *err) {
    return hold_under(io)->ops->sync_folder(hold_under(io), path, err);
}

static ErrCode hold_lock(Io *io, const char *path, IoFile **lock, Err *err) {
    return hold_under(io)->ops->lock(hold_under(io), path, lock, err);
}

static ErrCode hold_free_space(Io *io, const char *path, uint64_t *bytes, Err *err) {
    return hold_under(io)->ops->free_space(hold_under(io), path, bytes, err);
}

static int64_t hold_now_ms(Io *io) {
    return hold_under(io)->ops->now_ms(hold_under(io));
}

static int64_t hold_mono_us(Io *io) {
    return hold_under(io)->ops->mono_us(hold_under(io));
}

static uint64_t hold_random_u64(Io *io) {
    return hold_under(io)->ops->random_u64(hold_under(io));
}

static const IoOps hold_ops = {
    .name = "hold",
    .open = hold_open,
    .make_folder = hold_make_folder,
    .list = hold_list,
    .rename = hold_rename,
    .remove = hold_remove,
    .sync_folder = hold_sync_folder,
    .lock = hold_lock,
    .free_space = hold_free_space,
    .now_ms = hold_now_ms,
    .mono_us = hold_mono_us,
    .random_u64 = hold_random_u64,
};

Io *io_hold_new(Io *under) {
    assert(under);
    HoldIo *self = mem_alloc(sizeof *self);
    self->io.ops = &hold_ops;
    self->under = under;
    lock_init(&self->lock);
    return &self->io;
}

void io_hold_free(Io *io) {
    if (!io)
        return;
    HoldIo *self = (HoldIo *)io;
    assert(io->ops == &hold_ops);
    while (self->files) {
        assert(self->files->refs == 0);
        hold_unlink(self, self->files);
    }
    lock_close(&self->lock);
    mem_free(self);
}
