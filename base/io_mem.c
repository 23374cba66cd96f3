/*
 * io_mem.c - files in memory: the disk of engines without a folder, and of tests.
 *
 * See io_mem_impl.h for the data. Files are sparse: a page exists when something was written to
 * it, so allocate() and resize() cost nothing. Everything that can go wrong is asked for at one
 * gate (io_mem_fault.c) and costs a perfect disk one branch.
 */
#include "base/io_mem.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/io_mem_impl.h"
#include "base/mem.h"

/* == Names ==================================================================================== */

bool io_mem_find(const MemIo *io, const char *path, size_t *index) {
    assert(path);
    size_t low = 0, high = io->entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(io->entries[middle].path, path);
        if (order == 0) {
            *index = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *index = low;
    return false;
}

void io_mem_insert(MemIo *io, const char *path, MemFile *file) {
    size_t index;
    bool there = io_mem_find(io, path, &index);
    assert(!there);
    (void)there;
    io->entries = mem_grow(io->entries, &io->entry_capacity, io->entry_count + 1,
                           sizeof *io->entries);
    memmove(io->entries + index + 1, io->entries + index,
            (io->entry_count - index) * sizeof *io->entries);
    io->entries[index] = (MemEntry){mem_strdup(path), file};
    io->entry_count++;
    io_mem_file_use(io, file);
}

void io_mem_erase(MemIo *io, size_t index) {
    assert(index < io->entry_count);
    MemEntry entry = io->entries[index];
    io->entry_count--;
    memmove(io->entries + index, io->entries + index + 1,
            (io->entry_count - index) * sizeof *io->entries);
    mem_free(entry.path);
    io_mem_file_leave(io, entry.file);
}

/* The name lies directly in the folder. */
bool io_mem_path_in(const char *path, const char *folder, size_t folder_size) {
    assert(path);
    if (folder_size == 0) /* the top: "data" and "/data" */
        return !strchr(path + 1, '/');
    return strncmp(path, folder, folder_size) == 0 && path[folder_size] == '/' &&
           !strchr(path + folder_size + 1, '/');
}

/* Folders at the top ("data", "/data") need no parent. */
bool io_mem_parent_there(const MemIo *io, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return true;
    char *parent = mem_strdup(path);
    parent[slash - path] = '\0';
    size_t index;
    bool there = io_mem_find(io, parent, &index) && io->entries[index].file->folder;
    mem_free(parent);
    return there;
}

static MemFile *mem_file_new(bool folder) {
    MemFile *file = mem_alloc(sizeof *file);
    lock_init(&file->lock);
    file->folder = folder;
    return file;
}

void io_mem_file_unref(MemFile *file) {
    assert(file->refs > 0);
    if (--file->refs > 0)
        return;
    io_mem_pages_free(file);
    mem_free(file->sectors);
    mem_free(file->dirty);
    buf_free(&file->saved);
    lock_close(&file->lock);
    mem_free(file);
}

void io_mem_file_use(MemIo *io, MemFile *file) {
    file->refs++;
    if (file->users++ == 0)
        io->used += io_mem_pages_of(file->size) * MEM_PAGE;
}

void io_mem_file_leave(MemIo *io, MemFile *file) {
    assert(file->users > 0);
    if (--file->users == 0)
        io->used -= io_mem_pages_of(file->size) * MEM_PAGE;
    io_mem_file_unref(file);
}

/* Makes the entry of a new file or folder. */
static void mem_create(MemIo *io, const char *path, MemFile *file) {
    io_mem_insert(io, path, file);
    if (io->tracked) {
        file->refs++;
        io_mem_track_op(io, (MemOp){MEM_OP_CREATE, mem_strdup(path), NULL, file, NULL});
    }
}

/* == Files ==================================================================================== */

/* The gate of a call on a file. */
static MemGate mem_enter(MemHandle *self, IoMemCall call) {
    if (!self->io->tracked)
        return MEM_GO;
    lock_take(&self->io->lock);
    bool alive = self->generation == self->io->generation;
    MemGate gate = alive ? io_mem_gate(self->io, call) : MEM_STOPPED;
    lock_release(&self->io->lock);
    return gate;
}

static ErrCode mem_read(IoFile *file, uint64_t offset, void *target, uint32_t size, uint32_t *got,
                        Err *err) {
    MemHandle *self = (MemHandle *)file;
    TRY(io_mem_gate_error(mem_enter(self, IO_MEM_READ), "read", self->path, err));
    MemFile *content = self->content;
    lock_take(&content->lock);
    uint64_t left = offset < content->size ? content->size - offset : 0;
    uint32_t whole = left < size ? (uint32_t)left : size;
    for (uint32_t done = 0; done < whole;) {
        uint64_t page = (offset + done) / MEM_PAGE;
        uint32_t from = (uint32_t)((offset + done) % MEM_PAGE);
        uint32_t step = MEM_PAGE - from < whole - done ? MEM_PAGE - from : whole - done;
        if (page < content->page_count && content->pages[page])
            memcpy((uint8_t *)target + done, content->pages[page] + from, step);
        else
            memset((uint8_t *)target + done, 0, step);
        done += step;
    }
    lock_release(&content->lock);
    *got = whole;
    return ERR_OK;
}

/* With the file's lock held: it is going to end at `size`. */
static bool mem_take_space(MemIo *io, const MemFile *file, uint64_t size) {
    uint64_t before = io_mem_pages_of(file->size), after = io_mem_pages_of(size);
    if (before == after)
        return true;
    lock_take(&io->lock);
    bool fits = after < before || io->used + (after - before) * MEM_PAGE <= io->space;
    if (fits)
        io->used += (after - before) * MEM_PAGE;
    lock_release(&io->lock);
    return fits;
}

static void mem_put(MemFile *content, uint64_t offset, Bytes source) {
    io_mem_pages_reserve(content, io_mem_pages_of(offset + source.size));
    for (uint32_t done = 0; done < source.size;) {
        uint64_t page = (offset + done) / MEM_PAGE;
        uint32_t from = (uint32_t)((offset + done) % MEM_PAGE);
        uint32_t left = source.size - done;
        uint32_t step = MEM_PAGE - from < left ? MEM_PAGE - from : left;
        if (!content->pages[page]) {
            uint8_t *made = io_mem_page_add(content, page);
            memset(made, 0, step == MEM_PAGE ? 0 : MEM_PAGE);
        }
        memcpy(content->pages[page] + from, source.data + done, step);
        done += step;
    }
}

static ErrCode mem_write(IoFile *file, uint64_t offset, Bytes source, Err *err) {
    MemHandle *self = (MemHandle *)file;
    MemFile *content = self->content;
    if (self->read_only)
        return io_fail(err, EBADF, "write", self->path);
    MemGate gate = mem_enter(self, IO_MEM_WRITE);
    if (gate == MEM_FAIL) /* as disks do: a part of it arrives */
        source.size /= 2;
    else if (gate == MEM_STOPPED)
        source.size = 0;
    lock_take(&content->lock);
    uint64_t end = offset + source.size;
    bool fits = source.size == 0 || end <= content->size || mem_take_space(self->io, content, end);
    if (fits && source.size > 0) {
        if (self->io->tracked)
            io_mem_track_write(content, offset, source.size, false);
        mem_put(content, offset, source);
        if (end > content->size)
            content->size = end;
    }
    lock_release(&content->lock);
    if (!fits && gate == MEM_GO)
        return io_fail(err, ENOSPC, "write", self->path);
    return io_mem_gate_error(gate, "write", self->path, err);
}

static ErrCode mem_sync(IoFile *file, Err *err) {
    MemHandle *self = (MemHandle *)file;
    if (!self->io->tracked)
        return ERR_OK;
    MemGate gate = mem_enter(self, IO_MEM_SYNC);
    lock_take(&self->content->lock);
    if (gate == MEM_GO)
        io_mem_track_sync(self->content);
    else if (gate == MEM_FAIL)
        io_mem_track_failed_sync(self->io, self->content);
    lock_release(&self->content->lock);
    return io_mem_gate_error(gate, "sync", self->path, err);
}

static ErrCode mem_size(IoFile *file, uint64_t *size, Err *err) {
    MemHandle *self = (MemHandle *)file;
    if (self->io->tracked && (self->generation != self->io->generation || self->io->stopped))
        return io_mem_gate_error(MEM_STOPPED, "read the size of", self->path, err);
    lock_take(&self->content->lock);
    *size = self->content->size;
    lock_release(&self->content->lock);
    return ERR_OK;
}

/* Forgets what lies beyond `size` and zeroes the rest of its page. */
void io_mem_file_cut(MemFile *file, uint64_t size) {
    uint64_t first = io_mem_pages_of(size);
    for (uint64_t page = first; page < file->page_count; page++)
        io_mem_page_drop(file, page);
    if (size % MEM_PAGE != 0 && first <= file->page_count && file->pages[first - 1])
        memset(file->pages[first - 1] + size % MEM_PAGE, 0, MEM_PAGE - size % MEM_PAGE);
}

static ErrCode mem_set_size(MemHandle *self, uint64_t size, const char *operation, Err *err) {
    MemFile *content = self->content;
    if (self->read_only)
        return io_fail(err, EBADF, operation, self->path);
    MemGate gate = mem_enter(self, IO_MEM_WRITE);
    if (gate != MEM_GO && gate != MEM_GO_AND_STOP)
        return io_mem_gate_error(gate, operation, self->path, err);
    lock_take(&content->lock);
    bool fits = mem_take_space(self->io, content, size);
    if (fits) {
        if (size < content->size) {
            if (self->io->tracked)
                io_mem_track_write(content, size, content->size - size, true);
            io_mem_file_cut(content, size);
        }
        content->size = size;
    }
    lock_release(&content->lock);
    if (!fits)
        return io_fail(err, ENOSPC, operation, self->path);
    return io_mem_gate_error(gate, operation, self->path, err);
}

static ErrCode mem_resize_file(IoFile *file, uint64_t size, Err *err) {
    return mem_set_size((MemHandle *)file, size, "resize", err);
}

static ErrCode mem_allocate(IoFile *file, uint64_t size, Err *err) {
    MemHandle *self = (MemHandle *)file;
    lock_take(&self->content->lock);
    uint64_t now = self->content->size;
    lock_release(&self->content->lock);
    return mem_set_size(self, now > size ? now : size, "take space for", err);
}

/* The file's first page. All of it counts as written, since nobody sees when it is. */
static ErrCode mem_map(IoFile *file, void **memory, Err *err) {
    MemHandle *self = (MemHandle *)file;
    MemFile *content = self->content;
    _Static_assert((int)MEM_PAGE == (int)IO_MAP_BYTES, "a map is one page");
    MemGate gate = self->io->tracked ? mem_enter(self, IO_MEM_WRITE) : MEM_GO;
    if (gate != MEM_GO)
        return io_mem_gate_error(gate, "map", self->path, err);
    lock_take(&content->lock);
    assert(content->size >= MEM_PAGE && !self->read_only);
    if (self->io->tracked)
        io_mem_track_write(content, 0, MEM_PAGE, false);
    io_mem_pages_reserve(content, 1);
    if (!content->pages[0])
        memset(io_mem_page_add(content, 0), 0, MEM_PAGE);
    *memory = content->pages[0];
    lock_release(&content->lock);
    return ERR_OK;
}

static void mem_close(IoFile *file) {
    if (!file)
        return;
    MemHandle *self = (MemHandle *)file;
    lock_take(&self->io->lock);
    if (self->holds_lock && self->generation == self->io->generation)
        self->content->locked = false;
    io_mem_file_leave(self->io, self->content);
    lock_release(&self->io->lock);
    mem_free(self->path);
    mem_free(self);
}

static const IoFileOps mem_file_ops = {
    .read = mem_read,
    .write = mem_write,
    .sync = mem_sync,
    .size = mem_size,
    .resize = mem_resize_file,
    .allocate = mem_allocate,
    .map = mem_map,
    .close = mem_close,
};

/* == The disk ================================================================================= */

static IoFile *mem_handle_new(MemIo *io, MemFile *content, const char *path, bool read_only) {
    MemHandle *self = mem_alloc(sizeof *self);
    self->file.ops = &mem_file_ops;
    self->io = io;
    self->content = content;
    self->path = mem_strdup(path);
    self->generation = io->generation;
    self->read_only = read_only;
    io_mem_file_use(io, content);
    return &self->file;
}

/* The gate of a call on names, with the lock held; reading ones ask only whether we run. */
static MemGate mem_enter_names(MemIo *io, bool changes) {
    if (!io->tracked)
        return MEM_GO;
    if (changes)
        return io_mem_gate(io, IO_MEM_NAME);
    return io->stopped ? MEM_STOPPED : MEM_GO;
}

/* With the lock held: the file at `path`, made when missing and wanted. */
static ErrCode mem_open_content(MemIo *io, const char *path, IoMode mode, MemFile **content,
                                Err *err) {
    size_t index;
    bool there = io_mem_find(io, path, &index);
    bool creates = !there && mode != IO_READ;
    MemGate gate = mem_enter_names(io, creates);
    if (gate == MEM_FAIL || gate == MEM_STOPPED)
        return io_mem_gate_error(gate, "open", path, err);
    if (there && mode == IO_CREATE)
        return io_fail(err, EEXIST, "create", path);
    if (there && io->entries[index].file->folder)
        return io_fail(err, EISDIR, "open", path);
    if (!there && (mode == IO_READ || !io_mem_parent_there(io, path)))
        return io_fail(err, ENOENT, "open", path);
    if (there) {
        *content = io->entries[index].file;
        return ERR_OK;
    }
    *content = mem_file_new(false);
    mem_create(io, path, *content);
    return io_mem_gate_error(gate, "open", path, err);
}

static ErrCode mem_open(Io *io, const char *path, IoMode mode, IoFile **file, Err *err) {
    MemIo *self = (MemIo *)io;
    MemFile *content;
    lock_take(&self->lock);
    ErrCode code = mem_open_content(self, path, mode, &content, err);
    if (code == ERR_OK)
        *file = mem_handle_new(self, content, path, mode == IO_READ);
    lock_release(&self->lock);
    return code;
}

static ErrCode mem_lock_file(Io *io, const char *path, IoFile **lock, Err *err) {
    MemIo *self = (MemIo *)io;
    MemFile *content;
    lock_take(&self->lock);
    ErrCode code = mem_open_content(self, path, IO_WRITE, &content, err);
    if (code == ERR_OK && content->locked)
        code = io_fail_busy(err, path, (long)getpid());
    if (code == ERR_OK) {
        content->locked = true;
        *lock = mem_handle_new(self, content, path, false);
        ((MemHandle *)*lock)->holds_lock = true;
    }
    lock_release(&self->lock);
    return code;
}

static ErrCode mem_make_folder_locked(MemIo *io, const char *path, Err *err) {
    size_t index;
    if (io_mem_find(io, path, &index)) {
        TRY(io_mem_gate_error(mem_enter_names(io, false), "make the folder", path, err));
        bool folder = io->entries[index].file->folder;
        return folder ? ERR_OK : io_fail(err, EEXIST, "make the folder", path);
    }
    MemGate gate = mem_enter_names(io, true);
    if (gate == MEM_FAIL || gate == MEM_STOPPED)
        return io_mem_gate_error(gate, "make the folder", path, err);
    if (!io_mem_parent_there(io, path))
        return io_fail(err, ENOENT, "make the folder", path);
    mem_create(io, path, mem_file_new(true));
    return io_mem_gate_error(gate, "make the folder", path, err);
}

static ErrCode mem_make_folder(Io *io, const char *path, Err *err) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    ErrCode code = mem_make_folder_locked(self, path, err);
    lock_release(&self->lock);
    return code;
}

static ErrCode mem_list_locked(MemIo *io, const char *path, Arena *arena, char ***names,
                               uint32_t *count, Err *err) {
    TRY(io_mem_gate_error(mem_enter_names(io, false), "list", path, err));
    size_t index, capacity = 1, size = strlen(path);
    if (!io_mem_find(io, path, &index) || !io->entries[index].file->folder)
        return io_fail(err, ENOENT, "list", path);
    char **found = arena_array(arena, capacity, sizeof *found);
    uint32_t used = 0;
    for (index++; index < io->entry_count; index++) {
        const char *entry = io->entries[index].path;
        if (strncmp(entry, path, size) != 0)
            break;
        if (!io_mem_path_in(entry, path, size))
            continue;
        found = arena_grow(arena, found, &capacity, used + 1, sizeof *found);
        found[used++] = arena_strdup(arena, entry + size + 1);
    }
    *names = found;
    *count = used;
    return ERR_OK;
}

static ErrCode mem_list(Io *io, const char *path, Arena *arena, char ***names, uint32_t *count,
                        Err *err) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    ErrCode code = mem_list_locked(self, path, arena, names, count, err);
    lock_release(&self->lock);
    return code;
}

static bool mem_folder_empty(const MemIo *io, size_t index) {
    const char *path = io->entries[index].path;
    size_t size = strlen(path);
    for (index++; index < io->entry_count; index++) {
        if (strncmp(io->entries[index].path, path, size) != 0)
            return true;
        if (io->entries[index].path[size] == '/')
            return false;
    }
    return true;
}

/* Moves the entry `from`, replacing `to`. */
static void mem_move(MemIo *io, const char *from, const char *to, MemFile *file,
                     MemFile *replaced) {
    assert(file != replaced);
    size_t index;
    file->refs++;
    if (io->tracked) {
        file->refs++;
        if (replaced)
            replaced->refs++;
        MemOp op = {MEM_OP_RENAME, mem_strdup(from), mem_strdup(to), file, replaced};
        io_mem_track_op(io, op);
    }
    if (replaced && io_mem_find(io, to, &index))
        io_mem_erase(io, index);
    if (io_mem_find(io, from, &index))
        io_mem_erase(io, index);
    io_mem_insert(io, to, file);
    io_mem_file_unref(file);
}

static ErrCode mem_rename_locked(MemIo *io, const char *from, const char *to, Err *err) {
    size_t index, target;
    MemGate gate = mem_enter_names(io, true);
    if (gate == MEM_FAIL || gate == MEM_STOPPED)
        return io_mem_gate_error(gate, "rename", from, err);
    if (!io_mem_find(io, from, &index) || !io_mem_parent_there(io, to))
        return io_fail(err, ENOENT, "rename", from);
    MemFile *file = io->entries[index].file, *replaced = NULL;
    if (file->folder)
        return io_fail(err, EISDIR, "rename", from);
    if (io_mem_find(io, to, &target))
        replaced = io->entries[target].file;
    if (replaced == file)
        return ERR_OK;
    if (replaced && replaced->folder)
        return io_fail(err, EISDIR, "rename", from);
    mem_move(io, from, to, file, replaced);
    return io_mem_gate_error(gate, "rename", from, err);
}

static ErrCode mem_rename(Io *io, const char *from, const char *to, Err *err) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    ErrCode code = mem_rename_locked(self, from, to, err);
    lock_release(&self->lock);
    return code;
}

static ErrCode mem_remove_locked(MemIo *io, const char *path, Err *err) {
    size_t index;
    MemGate gate = mem_enter_names(io, true);
    if (gate == MEM_FAIL || gate == MEM_STOPPED)
        return io_mem_gate_error(gate, "remove", path, err);
    if (!io_mem_find(io, path, &index))
        return io_fail(err, ENOENT, "remove", path);
    MemFile *file = io->entries[index].file;
    if (file->folder && !mem_folder_empty(io, index))
        return io_fail(err, ENOTEMPTY, "remove", path);
    if (io->tracked) {
        file->refs++;
        io_mem_track_op(io, (MemOp){MEM_OP_REMOVE, mem_strdup(path), NULL, file, NULL});
    }
    io_mem_erase(io, index);
    return io_mem_gate_error(gate, "remove", path, err);
}

static ErrCode mem_remove(Io *io, const char *path, Err *err) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    ErrCode code = mem_remove_locked(self, path, err);
    lock_release(&self->lock);
    return code;
}

static ErrCode mem_sync_folder(Io *io, const char *path, Err *err) {
    MemIo *self = (MemIo *)io;
    size_t index;
    lock_take(&self->lock);
    MemGate gate = self->tracked ? io_mem_gate(self, IO_MEM_SYNC) : MEM_GO;
    ErrCode code = io_mem_gate_error(gate, "sync the folder", path, err);
    bool top = path[0] == '\0' || strcmp(path, ".") == 0 || strcmp(path, "/") == 0;
    if (code == ERR_OK && !top &&
        (!io_mem_find(self, path, &index) || !self->entries[index].file->folder))
        code = io_fail(err, ENOENT, "sync the folder", path);
    if (code == ERR_OK && self->tracked)
        io_mem_track_sync_folder(self, top ? "" : path);
    lock_release(&self->lock);
    return code;
}

static ErrCode mem_free_space(Io *io, const char *path, uint64_t *bytes, Err *err) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    MemGate gate = mem_enter_names(self, false);
    ErrCode code = io_mem_gate_error(gate, "read the free space of", path, err);
    if (code == ERR_OK)
        *bytes = self->space > self->used ? self->space - self->used : 0;
    lock_release(&self->lock);
    return code;
}

static int64_t mem_now_ms(Io *io) {
    MemIo *self = (MemIo *)io;
    if (!atomic_load_explicit(&self->clock_set, memory_order_acquire))
        return io_posix()->ops->now_ms(io_posix());
    lock_take(&self->lock);
    int64_t now = self->clock_us / 1000;
    lock_release(&self->lock);
    return now;
}

static int64_t mem_mono_us(Io *io) {
    MemIo *self = (MemIo *)io;
    if (!atomic_load_explicit(&self->clock_set, memory_order_acquire))
        return io_posix()->ops->mono_us(io_posix());
    lock_take(&self->lock);
    int64_t now = self->mono_us;
    lock_release(&self->lock);
    return now;
}

static uint64_t mem_random_u64(Io *io) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    uint64_t value =
        self->seeded ? io_mem_random(&self->random) : io_posix()->ops->random_u64(io_posix());
    lock_release(&self->lock);
    return value;
}

static const IoOps mem_ops = {
    .name = "mem",
    .open = mem_open,
    .make_folder = mem_make_folder,
    .list = mem_list,
    .rename = mem_rename,
    .remove = mem_remove,
    .sync_folder = mem_sync_folder,
    .lock = mem_lock_file,
    .free_space = mem_free_space,
    .now_ms = mem_now_ms,
    .mono_us = mem_mono_us,
    .random_u64 = mem_random_u64,
};

Io *io_mem_new(void) {
    MemIo *self = mem_alloc(sizeof *self);
    self->io.ops = &mem_ops;
    self->space = UINT64_MAX;
    lock_init(&self->lock);
    return &self->io;
}

void io_mem_free(Io *io) {
    if (!io)
        return;
    MemIo *self = (MemIo *)io;
    assert(io->ops == &mem_ops);
    for (size_t i = 0; i < self->op_count; i++)
        io_mem_op_free(&self->ops[i]);
    mem_free(self->ops);
    while (self->entry_count > 0)
        io_mem_erase(self, self->entry_count - 1);
    mem_free(self->entries);
    lock_close(&self->lock);
    mem_free(self);
}
