/*
 * io_mem_fault.c - what goes wrong with files in memory; io_mem.h says how to ask for it.
 *
 * Invariant while faults are on: undoing all `ops` backwards and putting the saved bytes of all
 * sectors back gives what is certainly on disk. A crash rolls dice for each difference on its own,
 * so any subset of unsynced changes can survive, in any order.
 */
#include <assert.h>
#include <errno.h>

#include "base/io_mem_impl.h"
#include "base/mem.h"

/* == Chance, and the gate ===================================================================== */

/* splitmix64 */
uint64_t io_mem_random(uint64_t *state) {
    uint64_t value = *state += 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27) * 0x94d049bb133111ebU;
    return value ^ value >> 31;
}

/* 0..99 */
static unsigned mem_percent(uint64_t *state) {
    return (unsigned)(io_mem_random(state) % 100);
}

/* With MemIo.lock held. */
MemGate io_mem_gate(MemIo *io, IoMemCall call) {
    assert(io->tracked);
    assert(call < IO_MEM_CALLS);
    if (io->stopped)
        return MEM_STOPPED;
    if (call != IO_MEM_READ) {
        io->changes++;
        if (io->crash_at > 0 && io->changes >= io->crash_at) {
            io->stopped = true;
            return MEM_GO_AND_STOP;
        }
    }
    MemFault *fault = &io->faults[call];
    fault->calls++;
    bool fails = fault->at > 0 && (fault->calls == fault->at ||
                                   (fault->for_ever && fault->calls > fault->at));
    return fails ? MEM_FAIL : MEM_GO;
}

ErrCode io_mem_gate_error(MemGate gate, const char *operation, const char *path, Err *err) {
    if (gate == MEM_GO)
        return ERR_OK;
    if (gate == MEM_FAIL)
        return io_fail(err, EIO, operation, path);
    return err_set(err, ERR_IO, "cannot %s %s: the machine has stopped", operation, path);
}

void io_mem_start_faults(Io *io, uint64_t seed) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    assert(!self->tracked);
    self->tracked = true;
    self->seeded = true;
    self->random = seed;
    for (size_t i = 0; i < self->entry_count; i++)
        self->entries[i].file->durable_size = self->entries[i].file->size;
    lock_release(&self->lock);
}

void io_mem_fail(Io *io, IoMemCall call, uint64_t nth, bool for_ever) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    assert(self->tracked);
    MemFault *fault = &self->faults[call];
    *fault = (MemFault){nth, for_ever, 0};
    lock_release(&self->lock);
}

uint64_t io_mem_changes(Io *io) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    uint64_t changes = self->changes;
    lock_release(&self->lock);
    return changes;
}

void io_mem_crash_at(Io *io, uint64_t nth) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    assert(self->tracked);
    self->crash_at = nth > 0 ? self->changes + nth : 0;
    lock_release(&self->lock);
}

bool io_mem_stopped(Io *io) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    bool stopped = self->stopped;
    lock_release(&self->lock);
    return stopped;
}

/* == Sectors that are not on disk ============================================================= */

static MemSector *mem_sector_find(MemFile *file, uint64_t index) {
    size_t i = 0;
    while (i < file->sector_count && file->sectors[i].index != index)
        i++;
    assert(i < file->sector_count); /* a dirty sector has a MemSector */
    return &file->sectors[i];
}

static uint8_t *mem_sector_bytes(MemFile *file, uint64_t index) {
    uint64_t page = index / MEM_SECTORS_PER_PAGE;
    if (page >= file->page_count || !file->pages[page])
        return NULL;
    return file->pages[page] + index % MEM_SECTORS_PER_PAGE * MEM_SECTOR;
}

static void mem_dirty_reserve(MemFile *file, size_t count) {
    if (count <= file->dirty_count)
        return;
    size_t grown = file->dirty_count * 2 > count ? file->dirty_count * 2 : count + 8;
    file->dirty = mem_resize(file->dirty, grown);
    memset(file->dirty + file->dirty_count, 0, grown - file->dirty_count);
    file->dirty_count = grown;
}

static void mem_sector_add(MemFile *file, uint64_t index) {
    const uint8_t *bytes = mem_sector_bytes(file, index);
    MemSector sector = {index, MEM_NO_BYTES, false};
    if (bytes) {
        sector.saved = (int64_t)file->saved.size;
        buf_put(&file->saved, bytes, MEM_SECTOR);
    }
    file->sectors = mem_grow(file->sectors, &file->sector_capacity, file->sector_count + 1,
                             sizeof *file->sectors);
    file->sectors[file->sector_count++] = sector;
}

/* Before [offset, offset + size) changes. `cut` changes to zeros: what is no page stays none. */
void io_mem_track_write(MemFile *file, uint64_t offset, uint64_t size, bool cut) {
    assert(size > 0);
    uint64_t last = (offset + size - 1) / MEM_SECTOR;
    for (uint64_t index = offset / MEM_SECTOR; index <= last; index++) {
        if (cut && !mem_sector_bytes(file, index)) {
            index |= MEM_SECTORS_PER_PAGE - 1; /* to the next page */
            continue;
        }
        uint64_t page = index / MEM_SECTORS_PER_PAGE;
        uint8_t bit = (uint8_t)(1U << index % MEM_SECTORS_PER_PAGE);
        mem_dirty_reserve(file, (size_t)page + 1);
        if (!(file->dirty[page] & bit)) {
            file->dirty[page] |= bit;
            mem_sector_add(file, index);
        } else if (file->lost_count > 0) {
            MemSector *sector = mem_sector_find(file, index);
            file->lost_count -= sector->lost;
            sector->lost = false;
        }
    }
}

static void mem_sector_forget(MemFile *file, const MemSector *sector) {
    uint64_t page = sector->index / MEM_SECTORS_PER_PAGE;
    assert(page < file->dirty_count);
    file->dirty[page] &= (uint8_t)~(1U << sector->index % MEM_SECTORS_PER_PAGE);
}

void io_mem_track_sync(MemFile *file) {
    size_t kept = 0;
    for (size_t i = 0; i < file->sector_count; i++) {
        if (file->sectors[i].lost)
            file->sectors[kept++] = file->sectors[i];
        else
            mem_sector_forget(file, &file->sectors[i]);
    }
    file->sector_count = kept;
    if (kept == 0)
        buf_reset(&file->saved);
    file->durable_size = file->size;
}

/* Puts a part of the sector on disk back into what is read. */
static void mem_sector_restore(MemFile *file, const MemSector *sector, uint32_t from,
                               uint32_t size) {
    assert(from + size <= MEM_SECTOR);
    uint8_t *bytes = mem_sector_bytes(file, sector->index);
    if (!bytes && sector->saved == MEM_NO_BYTES)
        return;
    if (!bytes) {
        uint64_t page = sector->index / MEM_SECTORS_PER_PAGE;
        assert(page < file->page_count);
        memset(io_mem_page_add(file, page), 0, MEM_PAGE);
        bytes = mem_sector_bytes(file, sector->index);
    }
    if (sector->saved == MEM_NO_BYTES)
        memset(bytes + from, 0, size);
    else
        memcpy(bytes + from, file->saved.data + sector->saved + from, size);
}

void io_mem_track_failed_sync(MemIo *io, MemFile *file) {
    size_t kept = 0;
    for (size_t i = 0; i < file->sector_count; i++) {
        MemSector sector = file->sectors[i];
        bool evicted = sector.lost ? false : io_mem_random(&io->random) & 1;
        if (evicted) {
            mem_sector_restore(file, &sector, 0, MEM_SECTOR);
            mem_sector_forget(file, &sector);
            continue;
        }
        file->lost_count += !sector.lost;
        sector.lost = true;
        file->sectors[kept++] = sector;
    }
    file->sector_count = kept;
}

/* == Names that are not on disk =============================================================== */

void io_mem_track_op(MemIo *io, MemOp op) {
    assert(op.path && op.file);
    io->ops = mem_grow(io->ops, &io->op_capacity, io->op_count + 1, sizeof *io->ops);
    io->ops[io->op_count++] = op;
}

void io_mem_op_free(MemOp *op) {
    io_mem_file_unref(op->file);
    if (op->replaced)
        io_mem_file_unref(op->replaced);
    mem_free(op->path);
    mem_free(op->to);
    *op = (MemOp){0};
}

/* The file has moved to another folder for good: that it was created here does not matter. */
static void mem_forget_create(MemIo *io, const MemFile *file, size_t before) {
    for (size_t i = 0; i < before; i++)
        if (io->ops[i].path && io->ops[i].kind == MEM_OP_CREATE && io->ops[i].file == file)
            io_mem_op_free(&io->ops[i]);
}

void io_mem_track_sync_folder(MemIo *io, const char *path) {
    size_t size = strlen(path);
    for (size_t i = 0; i < io->op_count; i++) {
        MemOp *op = &io->ops[i];
        if (!op->path || !io_mem_path_in(op->to ? op->to : op->path, path, size))
            continue;
        if (op->kind == MEM_OP_RENAME)
            mem_forget_create(io, op->file, i);
        io_mem_op_free(op);
    }
    size_t kept = 0;
    for (size_t i = 0; i < io->op_count; i++)
        if (io->ops[i].path)
            io->ops[kept++] = io->ops[i];
    io->op_count = kept;
}

static void mem_names_set(MemIo *io, const char *path, MemFile *file) {
    size_t index;
    if (io_mem_find(io, path, &index))
        io_mem_erase(io, index);
    io_mem_insert(io, path, file);
}

static void mem_names_drop(MemIo *io, const char *path, const MemFile *file) {
    size_t index;
    if (io_mem_find(io, path, &index) && io->entries[index].file == file)
        io_mem_erase(io, index);
}

static void mem_op_undo(MemIo *io, const MemOp *op) {
    if (op->kind == MEM_OP_REMOVE) {
        mem_names_set(io, op->path, op->file);
        return;
    }
    mem_names_drop(io, op->to ? op->to : op->path, op->file);
    if (op->replaced)
        mem_names_set(io, op->to, op->replaced);
    if (op->kind == MEM_OP_RENAME)
        mem_names_set(io, op->path, op->file);
}

static void mem_op_redo(MemIo *io, const MemOp *op) {
    if (op->kind == MEM_OP_REMOVE) {
        mem_names_drop(io, op->path, op->file);
        return;
    }
    /* Wherever an earlier rename that got lost has left it. */
    for (size_t i = 0; i < io->entry_count; i++)
        if (io->entries[i].file == op->file) {
            io_mem_erase(io, i);
            break;
        }
    mem_names_set(io, op->to ? op->to : op->path, op->file);
}

/* A parent sorts before what it holds, so one pass removes whole trees. */
static void mem_names_drop_orphans(MemIo *io) {
    for (size_t i = 0; i < io->entry_count;) {
        if (io_mem_parent_there(io, io->entries[i].path))
            i++;
        else
            io_mem_erase(io, i);
    }
}

/* == The crash ================================================================================ */

static IoMemDamage mem_damage_draw(uint64_t *random) {
    static const uint8_t drops[] = {0, 10, 50, 90, 100};
    static const uint8_t others[] = {0, 0, 10, 30};
    IoMemDamage damage = {
        .drop = drops[io_mem_random(random) % 5],
        .tear = others[io_mem_random(random) % 4],
        .garbage = others[io_mem_random(random) % 4] / 3,
        .drop_name = drops[io_mem_random(random) % 5],
    };
    if (damage.drop + damage.tear + damage.garbage > 100)
        damage.drop = (uint8_t)(100 - damage.tear - damage.garbage);
    return damage;
}

static void mem_sector_garbage(MemFile *file, uint64_t index, uint64_t *random) {
    uint8_t *bytes = mem_sector_bytes(file, index);
    for (uint32_t at = 0; bytes && at < MEM_SECTOR; at += 8) {
        uint64_t value = io_mem_random(random);
        memcpy(bytes + at, &value, 8);
    }
}

static void mem_sector_damage(MemFile *file, const MemSector *sector, const IoMemDamage *damage,
                              uint64_t *random) {
    unsigned roll = mem_percent(random);
    if (roll < damage->drop) {
        mem_sector_restore(file, sector, 0, MEM_SECTOR);
        return;
    }
    roll -= damage->drop;
    if (roll < damage->tear) {
        uint32_t at = 1 + (uint32_t)(io_mem_random(random) % (MEM_SECTOR - 1));
        if (io_mem_random(random) & 1)
            mem_sector_restore(file, sector, at, MEM_SECTOR - at);
        else
            mem_sector_restore(file, sector, 0, at);
        return;
    }
    roll -= damage->tear;
    if (roll < damage->garbage)
        mem_sector_garbage(file, sector->index, random);
}

static void mem_file_crash(MemIo *io, MemFile *file, const IoMemDamage *damage,
                           uint64_t *random) {
    file->locked = false;
    if (file->sector_count == 0 && file->size == file->durable_size)
        return;
    uint64_t seen = file->size, size = seen;
    if (size != file->durable_size && mem_percent(random) < damage->drop_name)
        size = file->durable_size;
    for (size_t i = 0; i < file->sector_count; i++) {
        const MemSector *sector = &file->sectors[i];
        /* Behind the end that did not come to be: as it was. */
        if (size > seen && sector->index >= (seen + MEM_SECTOR - 1) / MEM_SECTOR)
            mem_sector_restore(file, sector, 0, MEM_SECTOR);
        else
            mem_sector_damage(file, sector, damage, random);
        mem_sector_forget(file, sector);
    }
    file->sector_count = file->lost_count = 0;
    buf_reset(&file->saved);
    io->used -= io_mem_pages_of(seen) * MEM_PAGE;
    io->used += io_mem_pages_of(size) * MEM_PAGE;
    io_mem_file_cut(file, size);
    file->size = file->durable_size = size;
}

static void mem_names_crash(MemIo *io, const IoMemDamage *damage, uint64_t *random) {
    for (size_t i = io->op_count; i > 0; i--)
        mem_op_undo(io, &io->ops[i - 1]);
    for (size_t i = 0; i < io->op_count; i++) {
        if (mem_percent(random) >= damage->drop_name)
            mem_op_redo(io, &io->ops[i]);
        io_mem_op_free(&io->ops[i]);
    }
    if (io->op_count > 0)
        mem_names_drop_orphans(io);
    io->op_count = 0;
}

void io_mem_crash(Io *io, uint64_t seed, const IoMemDamage *damage) {
    MemIo *self = (MemIo *)io;
    uint64_t random = seed;
    IoMemDamage drawn = damage ? *damage : mem_damage_draw(&random);
    lock_take(&self->lock);
    assert(self->tracked);
    assert(drawn.drop + drawn.tear + drawn.garbage <= 100);
    mem_names_crash(self, &drawn, &random);
    for (size_t i = 0; i < self->entry_count; i++)
        mem_file_crash(self, self->entries[i].file, &drawn, &random);
    self->generation++;
    self->stopped = false;
    self->crash_at = 0;
    memset(self->faults, 0, sizeof self->faults);
    lock_release(&self->lock);
}

/* == Damage at rest, space, clock ============================================================= */

static bool mem_flip_content(MemFile *file, uint64_t offset, unsigned bit) {
    if (offset >= file->size)
        return false;
    uint64_t index = offset / MEM_SECTOR;
    uint8_t mask = (uint8_t)(1U << bit % 8);
    io_mem_pages_reserve(file, offset / MEM_PAGE + 1);
    uint64_t page = offset / MEM_PAGE;
    if (!file->pages[page])
        memset(io_mem_page_add(file, page), 0, MEM_PAGE);
    file->pages[page][offset % MEM_PAGE] ^= mask;
    for (size_t i = 0; i < file->sector_count; i++) {
        MemSector *sector = &file->sectors[i];
        if (sector->index == index && sector->saved != MEM_NO_BYTES)
            file->saved.data[(uint64_t)sector->saved + offset % MEM_SECTOR] ^= mask;
    }
    return true;
}

bool io_mem_flip(Io *io, const char *path, uint64_t offset, unsigned bit) {
    MemIo *self = (MemIo *)io;
    size_t index;
    lock_take(&self->lock);
    bool done = io_mem_find(self, path, &index) && !self->entries[index].file->folder &&
                mem_flip_content(self->entries[index].file, offset, bit);
    lock_release(&self->lock);
    return done;
}

void io_mem_set_space(Io *io, uint64_t bytes) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    self->space = bytes;
    lock_release(&self->lock);
}

uint64_t io_mem_used(Io *io) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    uint64_t used = self->used;
    lock_release(&self->lock);
    return used;
}

void io_mem_set_clock(Io *io, int64_t now_ms) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    self->clock_us = now_ms * 1000;
    atomic_store_explicit(&self->clock_set, true, memory_order_release);
    lock_release(&self->lock);
}

void io_mem_advance_clock(Io *io, int64_t by_us) {
    MemIo *self = (MemIo *)io;
    lock_take(&self->lock);
    assert(self->clock_set);
    assert(by_us >= 0);
    self->clock_us += by_us;
    self->mono_us += by_us;
    lock_release(&self->lock);
}
