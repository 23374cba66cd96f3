/* journal.c - see journal_impl.h. */
#include "storage/journal_impl.h"

#include <assert.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/reader.h"
#include "storage/seeded_bug_impl.h"

enum {
    JOURNAL_FILL_BYTES = 256 << 10,     /* zeros written at once */
    JOURNAL_BULK_BYTES = 256 << 10,     /* mean group from which files are not filled ahead */
    JOURNAL_RETRY_US = 1000000,         /* between two attempts to take space */
    JOURNAL_FIRST_BYTES = 64 << 10,     /* zeros in the first file: what many lives need */
    JOURNAL_LEAST_BYTES = 16 << 10,     /* a file where there is no space for a longer one */
};

/* == Names and heads ========================================================================== */

char *journal_path(const Journal *journal, uint64_t seq) {
    assert(seq > 0);
    Buf buf = {0};
    buf_printf(&buf, "%s/J-%016llx", journal->folder, (unsigned long long)seq);
    char *path = mem_strdup(buf_cstr(&buf));
    buf_free(&buf);
    return path;
}

bool journal_name_seq(const char *name, uint64_t *seq) {
    assert(seq);
    assert(name);
    if (strlen(name) != 18 || name[0] != 'J' || name[1] != '-')
        return false;
    *seq = 0;
    for (const char *digit = name + 2; *digit; digit++) {
        const char *found = strchr("0123456789abcdef", *digit);
        if (!found)
            return false;
        *seq = *seq << 4 | (uint64_t)(strchr("0123456789abcdef", *digit) - "0123456789abcdef");
    }
    return true;
}

bool journal_read_head(Bytes block, JournalHead *head) {
    assert(head);
    if (block.size < JOURNAL_HEAD_SIZE)
        return false;
    Reader reader = reader_of(block);
    if (reader_u32_le(&reader) != JOURNAL_HEAD_MAGIC ||
        reader_u32_le(&reader) != JOURNAL_HEAD_VERSION)
        return false;
    head->seq = reader_u64_le(&reader);
    head->first_lsn = reader_u64_le(&reader);
    head->epoch = reader_u64_le(&reader);
    head->prev_sum = reader_u64_le(&reader);
    head->file_size = reader_u64_le(&reader);
    return reader_u64_le(&reader) == hash_bytes((Bytes){block.data, JOURNAL_HEAD_SIZE - 8});
}

static ErrCode journal_write_head(Journal *journal, const JournalFile *file, Err *err) {
    assert(file->file);
    assert(file->size > JOURNAL_HEAD_BLOCK);
    Buf head = {0};
    buf_u32_le(&head, JOURNAL_HEAD_MAGIC);
    buf_u32_le(&head, JOURNAL_HEAD_VERSION);
    buf_u64_le(&head, file->seq);
    buf_u64_le(&head, journal->chain.lsn + 1);
    buf_u64_le(&head, journal->chain.epoch);
    buf_u64_le(&head, journal->chain.sum);
    buf_u64_le(&head, file->size);
    buf_u64_le(&head, hash_bytes(buf_view(&head)));
    assert(head.size == JOURNAL_HEAD_SIZE);
    memset(buf_room(&head, JOURNAL_HEAD_BLOCK - head.size), 0, JOURNAL_HEAD_BLOCK - head.size);
    head.size = JOURNAL_HEAD_BLOCK;
    ErrCode code = file->file->ops->write(file->file, 0, buf_view(&head), err);
    buf_free(&head);
    return code;
}

/* == Opening and closing ====================================================================== */

void journal_init(Journal *journal, Io *io, const char *folder, uint64_t file_bytes) {
    assert(io && folder);
    *journal = (Journal){.io = io, .fixed_size = file_bytes != 0};
    Buf buf = {0};
    buf_printf(&buf, "%s/journal", folder);
    journal->folder = mem_strdup(buf_cstr(&buf));
    buf_free(&buf);
    journal->file_bytes =
        frame_align(file_bytes ? file_bytes : JOURNAL_FILE_BYTES_MIN, GROUP_ALIGN);
    journal->seq_next = 1;
    lock_init(&journal->lock);
    signal_init(&journal->room);
}

void journal_close(Journal *journal) {
    assert(!journal->preparing);
    if (journal->current.file)
        journal->current.file->ops->close(journal->current.file);
    if (journal->spare.file) {
        Err ignored; /* a spare that stays is found and used again at the next start */
        char *path = journal_path(journal, journal->spare.seq);
        journal->spare.file->ops->close(journal->spare.file);
        (void)!journal->io->ops->remove(journal->io, path, &ignored);
        mem_free(path);
    }
    for (size_t i = 0; i < journal->unsynced_count; i++)
        journal->unsynced[i].file->ops->close(journal->unsynced[i].file);
    mem_free(journal->unsynced);
    signal_close(&journal->room);
    lock_close(&journal->lock);
    mem_free(journal->group.memory);
    mem_free(journal->old);
    mem_free(journal->folder);
}

/* == Making files ============================================================================= */

static uint8_t *journal_aligned(uint8_t *memory) {
    assert(memory);
    uintptr_t over = (uintptr_t)memory % GROUP_ALIGN;
    return memory + (over ? GROUP_ALIGN - over : 0);
}

/* Zeros up to `end`. */
static ErrCode journal_fill(JournalFile *file, uint64_t end, Err *err) {
    assert(file->file);
    assert(end <= file->size);
    uint8_t *memory = mem_alloc(JOURNAL_FILL_BYTES + GROUP_ALIGN);
    const uint8_t *zeros = journal_aligned(memory);
    ErrCode code = ERR_OK;
    for (uint64_t at = 0; code == ERR_OK && at < end; at += JOURNAL_FILL_BYTES) {
        uint64_t left = end - at;
        Bytes bytes = {zeros, left < JOURNAL_FILL_BYTES ? (uint32_t)left : JOURNAL_FILL_BYTES};
        code = file->file->ops->write(file->file, at, bytes, err);
    }
    mem_free(memory);
    return code;
}

static ErrCode journal_open(Journal *journal, const char *path, IoMode mode, IoFile **file,
                            Err *err) {
    assert(file);
    Io *io = journal->io;
    TRY(io->ops->open(io, path, mode, file, err));
    if (!journal->direct)
        return ERR_OK;
    (*file)->ops->close(*file);
    *file = NULL;
    return io->ops->open(io, path, IO_DIRECT, file, err);
}

ErrCode journal_make(Journal *journal, uint64_t size, JournalMake how, JournalFile *made,
                     Err *err) {
    assert(made);
    Io *io = journal->io;
    assert(size % GROUP_ALIGN == 0);
    assert(size > JOURNAL_HEAD_BLOCK);
    lock_take(&journal->lock);
    *made = (JournalFile){NULL, journal->seq_next++, size};
    lock_release(&journal->lock);
    uint64_t first = size < JOURNAL_FIRST_BYTES ? size : JOURNAL_FIRST_BYTES;
    char *path = journal_path(journal, made->seq);
    ErrCode code = ERR_OK;
    TRY_DONE(journal_open(journal, path, IO_CREATE, &made->file, err));
    TRY_DONE(made->file->ops->allocate(made->file, size, err));
    if (how != JOURNAL_PLAIN)
        TRY_DONE(journal_fill(made, how == JOURNAL_FILLED ? size : first, err));
    if (how == JOURNAL_FIRST)
        goto done;
    TRY_DONE(made->file->ops->sync(made->file, err));
    TRY_DONE(io->ops->sync_folder(io, journal->folder, err));
done:
    if (code != ERR_OK && made->file) {
        Err ignored;
        made->file->ops->close(made->file);
        made->file = NULL;
        (void)!io->ops->remove(io, path, &ignored);
    }
    mem_free(path);
    return code;
}

/* Closes files that a checkpoint has made useless. */
static void journal_forget_unsynced(Journal *journal) {
    assert(journal->unsynced_count <= journal->unsynced_capacity);
    lock_take(&journal->lock);
    uint64_t redo_seq = journal->redo_seq;
    lock_release(&journal->lock);
    size_t kept = 0;
    for (size_t i = 0; i < journal->unsynced_count; i++) {
        JournalFile file = journal->unsynced[i];
        if (file.seq < redo_seq)
            file.file->ops->close(file.file);
        else
            journal->unsynced[kept++] = file;
    }
    journal->unsynced_count = kept;
}

ErrCode journal_start(Journal *journal, JournalFile next, bool sync, Err *err) {
    assert(next.size > JOURNAL_HEAD_BLOCK);
    assert(next.file);
    assert(journal->group.size == 0);
    TRY(journal_write_head(journal, &next, err));
    if (sync) {
        atomic_fetch_add(&journal->syncs, 1);
        TRY(next.file->ops->sync(next.file, err));
    }
    JournalFile last = journal->current;
    journal_forget_unsynced(journal);
    lock_take(&journal->lock);
    if (last.file) {
        journal->old = mem_grow(journal->old, &journal->old_capacity, journal->old_count + 1,
                                sizeof *journal->old);
        journal->old[journal->old_count++] = (struct JournalName){last.seq, last.size};
    }
    journal->current = next;
    journal->position = JOURNAL_HEAD_BLOCK;
    lock_release(&journal->lock);
    if (last.file && journal->durable_lsn < journal->chain.lsn) { /* without syncs */
        journal->unsynced = mem_grow(journal->unsynced, &journal->unsynced_capacity,
                                     journal->unsynced_count + 1, sizeof *journal->unsynced);
        journal->unsynced[journal->unsynced_count++] = last;
    } else if (last.file) {
        last.file->ops->close(last.file);
    }
    return ERR_OK;
}

/* With the lock held: from here on nothing is accepted for the rest of the current file. */
static JournalFile journal_take_spare(Journal *journal) {
    assert(journal->spare.file);
    JournalFile next = journal->spare;
    journal->spare = (JournalFile){0};
    if (journal->current.file)
        journal->position = journal->current.size;
    return next;
}

static ErrCode journal_start_spare(Journal *journal, JournalFile next, bool sync, Err *err) {
    assert(next.seq > journal->current.seq);
    assert(next.file);
    ErrCode code = journal_start(journal, next, sync, err);
    if (code != ERR_OK)
        next.file->ops->close(next.file);
    return code;
}

ErrCode journal_switch(Journal *journal, bool sync, Err *err) {
    assert(journal->group.size == 0);
    lock_take(&journal->lock);
    JournalFile next = journal_take_spare(journal);
    lock_release(&journal->lock);
    return journal_start_spare(journal, next, sync, err);
}

/* With the lock held: the spare holds what is reserved and `bytes` more. */
static bool journal_spare_holds(const Journal *journal, uint64_t bytes) {
    assert(!journal->spare.file || journal->spare.size > JOURNAL_HEAD_BLOCK);
    return journal->spare.file &&
           journal->reserved + bytes <= journal->spare.size - JOURNAL_HEAD_BLOCK;
}

ErrCode journal_cut(Journal *journal, bool *done, Err *err) {
    assert(done);
    assert(journal->group.size == 0);
    JournalFile next = {0};
    lock_take(&journal->lock);
    *done = journal_spare_holds(journal, 0);
    if (*done)
        next = journal_take_spare(journal);
    lock_release(&journal->lock);
    return *done ? journal_start_spare(journal, next, true, err) : ERR_OK;
}

/* == Room ===================================================================================== */

/* With the lock held: `bytes` more may be accepted. */
static bool journal_has_room(const Journal *journal, uint64_t bytes) {
    assert(bytes > 0);
    assert(journal->position <= journal->current.size);
    return journal->reserved + bytes <= journal->current.size - journal->position ||
           journal_spare_holds(journal, bytes);
}

/* A file was made, or could not be. */
static void journal_prepared(Journal *journal, ErrCode code, JournalFile made) {
    assert(!made.file == (code != ERR_OK));
    lock_take(&journal->lock);
    assert(journal->preparing);
    journal->preparing = false;
    JournalFile unused = {0};
    if (code == ERR_OK) {
        unused = journal->spare; /* too small */
        journal->spare = made;
        journal->retry_us = 0;
        if (!journal->fixed_size && journal->file_bytes < JOURNAL_FILE_BYTES_MAX)
            journal->file_bytes *= 2;
    } else if (code == ERR_NO_SPACE) {
        journal->retry_us = journal->io->ops->mono_us(journal->io) + JOURNAL_RETRY_US;
    }
    if (unused.file) { /* as a name to be recycled or removed later */
        journal->old = mem_grow(journal->old, &journal->old_capacity, journal->old_count + 1,
                                sizeof *journal->old);
        journal->old[journal->old_count++] = (struct JournalName){unused.seq, unused.size};
    }
    signal_all(&journal->room);
    lock_release(&journal->lock);
    if (unused.file)
        unused.file->ops->close(unused.file);
}

/* With the lock held: commits since the last spare was made came in large groups. */
static bool journal_in_bulk(Journal *journal) {
    assert(atomic_load(&journal->bytes) >= journal->made_bytes);
    assert(atomic_load(&journal->groups) >= journal->made_groups);
    uint64_t bytes = atomic_load(&journal->bytes), groups = atomic_load(&journal->groups);
    uint64_t recent_bytes = bytes - journal->made_bytes;
    uint64_t recent_groups = groups - journal->made_groups;
    journal->made_bytes = bytes;
    journal->made_groups = groups;
    return recent_bytes > recent_groups * JOURNAL_BULK_BYTES;
}

static ErrCode journal_no_space(const Journal *journal, Err *err) {
    assert(err);
    return err_set(err, ERR_NO_SPACE, "no space for the journal in %s", journal->folder);
}

/* With the lock held, which is given up in between. `bytes`: what the spare must hold beside what
 * is reserved. */
static ErrCode journal_take_space(Journal *journal, uint64_t bytes, bool fill, Err *err) {
    assert(bytes % GROUP_ALIGN == 0);
    if (journal->preparing) {
        signal_wait(&journal->room, &journal->lock);
        return ERR_OK;
    }
    if (journal->retry_us != 0 && journal->io->ops->mono_us(journal->io) < journal->retry_us)
        return journal_no_space(journal, err);
    uint64_t least = frame_align(journal->reserved + bytes + JOURNAL_HEAD_BLOCK, GROUP_ALIGN);
    if (least < JOURNAL_LEAST_BYTES)
        least = JOURNAL_LEAST_BYTES;
    uint64_t size = least > journal->file_bytes ? least : journal->file_bytes;
    journal->preparing = true;
    bool filled = fill && journal->direct && !journal_in_bulk(journal);
    JournalMake how = filled ? JOURNAL_FILLED : JOURNAL_PLAIN;
    lock_release(&journal->lock);
    JournalFile made;
    ErrCode code = journal_make(journal, size, how, &made, err);
    if (code == ERR_NO_SPACE && least < size)
        code = journal_make(journal, least, how, &made, err);
    journal_prepared(journal, code, made);
    lock_take(&journal->lock);
    return code;
}

static ErrCode journal_reserve_for(Journal *journal, uint64_t bytes, bool removal, Err *err) {
    assert(bytes > 0);
    assert(bytes % GROUP_ALIGN == 0);
    ErrCode code = ERR_OK;
    lock_take(&journal->lock);
    while (code == ERR_OK && !journal_has_room(journal, bytes))
        code = journal->restricted && !removal ? journal_no_space(journal, err)
                                               : journal_take_space(journal, bytes, false, err);
    if (code == ERR_OK)
        journal->reserved += bytes;
    lock_release(&journal->lock);
    return code;
}

ErrCode journal_reserve(Journal *journal, uint64_t bytes, Err *err) {
    return journal_reserve_for(journal, bytes, false, err);
}

ErrCode journal_reserve_removal(Journal *journal, uint64_t bytes, Err *err) {
    return journal_reserve_for(journal, bytes, true, err);
}

void journal_restrict(Journal *journal, bool restricted) {
    lock_take(&journal->lock);
    journal->restricted = restricted;
    journal->retry_us = 0;
    lock_release(&journal->lock);
}

void journal_unreserve(Journal *journal, uint64_t bytes) {
    assert(bytes % GROUP_ALIGN == 0);
    lock_take(&journal->lock);
    assert(journal->reserved >= bytes);
    journal->reserved -= bytes;
    signal_all(&journal->room);
    lock_release(&journal->lock);
}

/* With the lock held. */
static bool journal_needs_spare(const Journal *journal) {
    assert(journal->position <= journal->current.size);
    return !journal->spare.file && journal->position > journal->current.size / 2;
}

bool journal_wants_spare(Journal *journal) {
    lock_take(&journal->lock);
    bool wants = journal_needs_spare(journal);
    lock_release(&journal->lock);
    return wants;
}

ErrCode journal_prepare(Journal *journal, bool fill, Err *err) {
    ErrCode code = ERR_OK;
    lock_take(&journal->lock);
    if (journal_needs_spare(journal) && !journal->restricted)
        code = journal_take_space(journal, 0, fill, err);
    lock_release(&journal->lock);
    return code;
}

ErrCode journal_make_spare(Journal *journal, bool fill, Err *err) {
    ErrCode code = ERR_OK;
    lock_take(&journal->lock);
    while (code == ERR_OK && !journal_spare_holds(journal, 0))
        code = journal_take_space(journal, 0, fill, err);
    lock_release(&journal->lock);
    return code;
}

/* == Writing ================================================================================== */

bool journal_fits(const Journal *journal, uint64_t size) {
    assert(journal->position <= journal->current.size);
    assert(size > 0);
    uint64_t group = frame_align(journal->group.size, FRAME_ALIGN) + size;
    if (journal->group.size > 0 && group > JOURNAL_GROUP_BYTES_MAX)
        return false;
    return frame_align(group, GROUP_ALIGN) <= journal->current.size - journal->position;
}

/* Room for `size` more bytes behind the group. */
static uint8_t *journal_group_room(JournalGroup *group, size_t size) {
    assert(size > 0);
    assert(group->size <= group->capacity);
    size_t needed = group->size + size;
    if (needed > group->capacity) {
        size_t capacity = group->capacity * 2 > needed ? group->capacity * 2 : needed;
        if (capacity > JOURNAL_GROUP_BYTES_MAX / 4 && capacity < JOURNAL_GROUP_BYTES_MAX * 2)
            capacity = JOURNAL_GROUP_BYTES_MAX * 2; /* what is not written costs nothing */
        uint8_t *memory = mem_resize(NULL, capacity + GROUP_ALIGN);
        uint8_t *data = journal_aligned(memory);
        if (group->size > 0)
            memcpy(data, group->data, group->size);
        mem_free(group->memory);
        *group = (JournalGroup){data, memory, group->size, capacity};
    }
    return group->data + group->size;
}

static void journal_pad(Journal *journal, uint32_t alignment) {
    assert(alignment <= GROUP_ALIGN);
    JournalGroup *group = &journal->group;
    size_t padding = (size_t)frame_align(group->size, alignment) - group->size;
    if (padding == 0)
        return;
    memset(journal_group_room(group, padding), 0, padding);
    group->size += padding;
}

void journal_rest(Journal *journal) {
    assert(journal->group.size == 0);
    mem_free(journal->group.memory);
    journal->group = (JournalGroup){0};
}

void journal_add(Journal *journal, FrameHead *head, const FrameOffset *offsets, Bytes entries,
                 uint64_t entries_hash) {
    assert(head->entry_count > 0);
    assert(journal->durable_lsn <= journal->chain.lsn);
    uint32_t size = frame_size(head->offset_count, entries.size);
    assert(journal_fits(journal, frame_align(size, FRAME_ALIGN)));
    journal_pad(journal, FRAME_ALIGN);
    head->durable_lsn = journal->durable_lsn;
    uint8_t *target = journal_group_room(&journal->group, size + GROUP_ALIGN);
    frame_write(target, head, offsets, entries, entries_hash, &journal->chain);
    journal->group.size += size;
    atomic_fetch_add(&journal->frames, 1);
}

ErrCode journal_write(Journal *journal, Err *err) {
    assert(journal->current.file);
    JournalGroup *group = &journal->group;
    if (group->size == 0)
        return ERR_OK;
    journal_pad(journal, GROUP_ALIGN);
    IoFile *file = journal->current.file;
    assert(journal->position % GROUP_ALIGN == 0);
    assert(group->size <= journal->current.size - journal->position);
    Bytes bytes = {group->data, (uint32_t)group->size};
    TRY(file->ops->write(file, journal->position, bytes, err));
    lock_take(&journal->lock);
    journal->position += group->size;
    lock_release(&journal->lock);
    atomic_fetch_add(&journal->groups, 1);
    atomic_fetch_add(&journal->bytes, group->size);
    group->size = 0;
    return ERR_OK;
}

ErrCode journal_sync(Journal *journal, Err *err) {
    assert(journal->current.file);
    assert(journal->covered_lsn <= journal->durable_lsn);
    IoFile *file = journal->current.file;
    assert(journal->group.size == 0);
    while (journal->unsynced_count > 0) {
        IoFile *last = journal->unsynced[journal->unsynced_count - 1].file;
        TRY(last->ops->sync(last, err));
        last->ops->close(last);
        journal->unsynced_count--;
    }
    TRY(file->ops->sync(file, err));
    atomic_fetch_add(&journal->syncs, 1);
    journal->covered_lsn = journal->durable_lsn;
    journal->durable_lsn = journal->chain.lsn;
    return ERR_OK;
}

/* == Using files again ======================================================================== */

/* Takes the next name before redo_seq off the list. */
static bool journal_take_old(Journal *journal, uint64_t redo_seq, struct JournalName *name) {
    assert(name);
    bool found = false;
    lock_take(&journal->lock);
    for (size_t i = 0; i < journal->old_count && !found; i++) {
        if (journal->old[i].seq >= redo_seq)
            continue;
        *name = journal->old[i];
        journal->old[i] = journal->old[--journal->old_count];
        found = true;
    }
    lock_release(&journal->lock);
    return found;
}

/* Gives the file a name of its future. Its head and frames are overwritten when it becomes
 * current; until then they are old news: lower LSNs, and a head that contradicts the name. */
static ErrCode journal_reuse(Journal *journal, struct JournalName name, JournalFile *made,
                             Err *err) {
    assert(made);
    Io *io = journal->io;
    lock_take(&journal->lock);
    *made = (JournalFile){NULL, journal->seq_next++, name.size};
    lock_release(&journal->lock);
    char *from = journal_path(journal, name.seq), *to = journal_path(journal, made->seq);
    ErrCode code = ERR_OK;
    TRY_DONE(io->ops->rename(io, from, to, err));
    TRY_DONE(io->ops->sync_folder(io, journal->folder, err));
    TRY_DONE(journal_open(journal, to, IO_WRITE, &made->file, err));
done:
    mem_free(from);
    mem_free(to);
    return code;
}

static ErrCode journal_remove(Journal *journal, uint64_t seq, Err *err) {
    char *path = journal_path(journal, seq);
    ErrCode code = journal->io->ops->remove(journal->io, path, err);
    mem_free(path);
    return code;
}

ErrCode journal_recycle(Journal *journal, uint64_t redo_seq, Err *err) {
    struct JournalName name;
    lock_take(&journal->lock);
    assert(redo_seq >= journal->redo_seq);
    assert(redo_seq <= journal->current.seq);
    journal->redo_seq = redo_seq;
    lock_release(&journal->lock);
    while (journal_take_old(journal, redo_seq, &name)) {
        lock_take(&journal->lock);
        bool reuse = !journal->spare.file && !journal->preparing &&
                     name.size >= journal->file_bytes;
        journal->preparing |= reuse;
        lock_release(&journal->lock);
        if (!reuse) {
            TRY(journal_remove(journal, name.seq, err));
            continue;
        }
        JournalFile made;
        ErrCode code = journal_reuse(journal, name, &made, err);
        lock_take(&journal->lock);
        journal->preparing = false;
        if (code == ERR_OK)
            journal->spare = made;
        signal_all(&journal->room);
        lock_release(&journal->lock);
        TRY(code);
    }
    return ERR_OK;
}
