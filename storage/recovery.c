/* recovery.c - see recovery_impl.h. */
#include "storage/recovery_impl.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "storage/journal_reader_impl.h"
#include "storage/storage_impl.h"
#include "storage/table_file_impl.h"

typedef struct Recovery {
    Storage *storage;
    Arena *arena;
    JournalReader *files; /* in order of file_seq */
    uint32_t file_count;
    const JournalReader *last; /* where the valid prefix ends, and at which offset */
    uint64_t last_offset;
    bool replayed; /* anything at all */
    bool open;     /* parts of a commit wait for its last frame */
    Buf entries;   /* of those parts */
    int64_t *base_offsets;
    size_t offset_count, offset_capacity;
    uint64_t part_seq;
    uint32_t part_owner, part_next;
    Err *err;
} Recovery;

/* == The checkpoint's tables ================================================================== */

static ErrCode recovery_entry(void *context, const TableEntry *entry, Err *err) {
    Memtable *state = context;
    (void)err;
    assert(entry->key.size >= 4);
    switch (entry->kind) {
    case TABLE_PUT:
        memtable_put(state, entry->key, entry->value);
        break;
    case TABLE_REMOVE:
        (void)memtable_remove(state, entry->key);
        break;
    case TABLE_REMOVE_RANGE:
        memtable_remove_range(state, entry->key, entry->value);
        break;
    }
    return ERR_OK;
}

static ErrCode recovery_add_topic(Storage *storage, Reader *key, Bytes value, Err *err) {
    assert(!storage->threads_running);
    uint32_t id = reader_u32_be(key);
    Reader facts = reader_of(value);
    uint32_t partitions = reader_u32_le(&facts);
    if (!reader_ok(key) || !reader_ok(&facts) ||
        !topic_valid((Bytes){facts.next, reader_left(&facts)}, partitions))
        return err_set(err, ERR_CORRUPT, "checkpoint: damaged topic");
    topics_add(&storage->topics, topic_new_from(storage->io, storage->folder, id, value));
    return ERR_OK;
}

static ErrCode recovery_add_partition(Storage *storage, Reader *key, Bytes value, Err *err) {
    assert(!storage->threads_running);
    uint32_t id = reader_u32_be(key), index = reader_u32_be(key);
    Topic *topic = topics_find(&storage->topics, id);
    ErrCode code = topic && reader_ok(key) && index < topic->partition_count
                       ? partition_load(topic->partitions[index], value, err)
                       : err_set(err, ERR_CORRUPT, "checkpoint: partition without a topic");
    if (topic)
        topic_unref(topic);
    return code;
}

/* Topics and partitions, out of the loaded state; the latter are in table files only. */
static ErrCode recovery_topics(Storage *storage, Err *err) {
    const uint8_t topics[] = {0, 0, 0, STORE_SYSTEM, SYSTEM_TOPIC};
    const uint8_t partitions[] = {0, 0, 0, STORE_SYSTEM, SYSTEM_PARTITION};
    const uint8_t after[] = {0, 0, 0, STORE_SYSTEM, SYSTEM_PARTITION + 1};
    assert(!storage->threads_running);
    MemIter iter;
    Bytes key, value;
    mem_iter_seek(&iter, storage->state.root, (Bytes){topics, sizeof topics});
    while (mem_iter_next(&iter, &key, &value) &&
           bytes_compare(key, (Bytes){after, sizeof after}) < 0) {
        Reader reader = reader_of(key);
        (void)reader_u32_be(&reader);
        if (reader_u8(&reader) == SYSTEM_TOPIC)
            TRY(recovery_add_topic(storage, &reader, value, err));
        else
            TRY(recovery_add_partition(storage, &reader, value, err));
    }
    memtable_remove_range(&storage->state, (Bytes){partitions, sizeof partitions},
                          (Bytes){after, sizeof after});
    return ERR_OK;
}

static ErrCode recovery_load(Recovery *recovery) {
    assert(!recovery->replayed);
    Storage *storage = recovery->storage;
    Manifest *last = &storage->checkpoint.last;
    for (uint32_t i = 0; i < last->table_count; i++) {
        TableRef *table = &last->tables[i];
        TRY(table_read(storage->io, storage->folder, table, recovery_entry, &storage->state,
                       recovery->err));
        table->interval = checkpoint_next_interval(storage);
    }
    TRY(recovery_topics(storage, recovery->err));
    atomic_store(&storage->next_id, last->next_id);
    atomic_store(&storage->visible_lsn, last->redo_lsn);
    storage->journal.chain = (FrameChain){last->redo_lsn, last->epoch, last->redo_sum};
    return ERR_OK;
}

/* == Journal files ============================================================================ */

static ErrCode recovery_list(Recovery *recovery) {
    assert(recovery->file_count == 0);
    assert(!recovery->storage->threads_running);
    Storage *storage = recovery->storage;
    Journal *journal = &storage->journal;
    Io *io = storage->io;
    char **names;
    uint32_t count;
    TRY(io->ops->list(io, journal->folder, recovery->arena, &names, &count, recovery->err));
    recovery->files = arena_array(recovery->arena, count, sizeof *recovery->files);
    for (uint32_t i = 0; i < count; i++) { /* names sort as numbers do */
        uint64_t seq;
        if (!journal_name_seq(names[i], &seq))
            continue;
        char *path = arena_printf(recovery->arena, "%s/%s", journal->folder, names[i]);
        JournalReader *file = &recovery->files[recovery->file_count];
        TRY(journal_reader_open(file, io, path, seq, recovery->err));
        recovery->file_count++;
        assert(seq >= journal->seq_next);
        journal->seq_next = seq + 1;
        journal->old = mem_grow(journal->old, &journal->old_capacity, journal->old_count + 1,
                                sizeof *journal->old);
        journal->old[journal->old_count++] = (struct JournalName){seq, file->size};
    }
    return ERR_OK;
}

/* The file after `seq_min` whose head continues the chain. */
static JournalReader *recovery_next_file(Recovery *recovery, uint64_t seq_min) {
    const FrameChain *chain = &recovery->storage->journal.chain;
    for (uint32_t i = 0; i < recovery->file_count; i++) {
        JournalReader *file = &recovery->files[i];
        if (file->seq >= seq_min && file->head_valid && file->head.first_lsn == chain->lsn + 1 &&
            file->head.epoch == chain->epoch && file->head.prev_sum == chain->sum)
            return file;
    }
    return NULL;
}

/* == Frames =================================================================================== */

static ErrCode recovery_damaged(Recovery *recovery, const JournalFound *found, const char *what) {
    assert(recovery->last);
    assert(what);
    return err_set(recovery->err, ERR_CORRUPT, "%s: offset %llu: LSN %llu: %s",
                   recovery->last->path, (unsigned long long)found->offset,
                   (unsigned long long)found->head.lsn, what);
}

/* Adds a frame's entries and offsets to what waits. */
static ErrCode recovery_stage(Recovery *recovery, const JournalFound *found) {
    assert(found->head.entry_count > 0);
    Bytes entries = frame_entries(found->frame, &found->head);
    uint32_t offset_index = 0, index = 0;
    FrameEntry entry;
    bool damaged = false;
    buf_bytes(&recovery->entries, entries);
    for (; frame_next_entry(&entries, &entry, &damaged); index++) {
        if (entry.type != ENTRY_APPEND)
            continue;
        if (offset_index >= found->head.offset_count ||
            frame_offset(found->frame, offset_index).entry != index)
            return recovery_damaged(recovery, found, "offsets do not fit the entries");
        recovery->base_offsets =
            mem_grow(recovery->base_offsets, &recovery->offset_capacity,
                     recovery->offset_count + 1, sizeof *recovery->base_offsets);
        recovery->base_offsets[recovery->offset_count++] =
            frame_offset(found->frame, offset_index++).base_offset;
    }
    if (damaged || index != found->head.entry_count || offset_index != found->head.offset_count)
        return recovery_damaged(recovery, found, "entries do not fill the frame");
    return ERR_OK;
}

/* A frame of a commit in parts ends with a PART entry that says which. */
static ErrCode recovery_part(Recovery *recovery, const JournalFound *found) {
    bool more = found->head.flags & FRAME_MORE;
    if (!more && !recovery->open)
        return ERR_OK;
    Bytes entries = frame_entries(found->frame, &found->head);
    FrameEntry entry = {0};
    bool damaged = false;
    while (frame_next_entry(&entries, &entry, &damaged)) {
    }
    Reader reader = reader_of(entry.body);
    uint32_t owner = reader_u32_le(&reader);
    uint64_t seq = reader_u64_le(&reader);
    uint32_t part = reader_u32_le(&reader);
    if (entry.type != ENTRY_PART || !reader_ok(&reader))
        return recovery_damaged(recovery, found, "a part of a commit is missing");
    if (recovery->open && (owner != recovery->part_owner || seq != recovery->part_seq ||
                           part != recovery->part_next))
        return recovery_damaged(recovery, found, "parts of two commits are mixed");
    if (!recovery->open && part != 0)
        return recovery_damaged(recovery, found, "the first part of a commit is missing");
    recovery->part_owner = owner;
    recovery->part_seq = seq;
    recovery->part_next = part + 1;
    recovery->open = more;
    return ERR_OK;
}

static ErrCode recovery_frame(Recovery *recovery, const JournalFound *found) {
    Storage *storage = recovery->storage;
    TRY(recovery_part(recovery, found));
    TRY(recovery_stage(recovery, found));
    storage->journal.chain.lsn = found->head.lsn;
    storage->journal.chain.epoch = found->head.epoch;
    storage->journal.chain.sum = found->sum;
    recovery->replayed = true;
    if (recovery->open)
        return ERR_OK;
    ApplyInput input = {
        .entries = buf_view(&recovery->entries),
        .base_offsets = recovery->base_offsets,
        .offset_count = (uint32_t)recovery->offset_count,
        .lsn = found->head.lsn,
    };
    TRY(apply_commit(storage, &input, recovery->err));
    buf_reset(&recovery->entries);
    recovery->offset_count = 0;
    return ERR_OK;
}

static ErrCode recovery_replay_file(Recovery *recovery, JournalReader *file) {
    bool found = true;
    recovery->last = file;
    recovery->last_offset = JOURNAL_HEAD_BLOCK;
    if (file->size < file->head.file_size)
        return err_set(recovery->err, ERR_CORRUPT, "%s: offset %llu: the file's end is missing",
                       file->path, (unsigned long long)file->size);
    while (found) {
        JournalFound next;
        TRY(journal_read_next(file, &recovery->storage->journal.chain, &recovery->last_offset,
                              &next, &found, recovery->err));
        if (found)
            TRY(recovery_frame(recovery, &next));
    }
    file->replayed = recovery->last_offset;
    return ERR_OK;
}

/* From redo to the first gap. */
static ErrCode recovery_replay(Recovery *recovery) {
    const Manifest *last = &recovery->storage->checkpoint.last;
    if (last->generation == 0)
        return ERR_OK;
    JournalReader *file = recovery_next_file(recovery, last->redo_seq);
    if (!file || file->seq != last->redo_seq)
        return err_set(recovery->err, ERR_CORRUPT,
                       "%s/J-%016llx: offset 0: the journal file that goes on after the checkpoint "
                       "is missing or damaged",
                       recovery->storage->journal.folder, (unsigned long long)last->redo_seq);
    while (file) {
        TRY(recovery_replay_file(recovery, file));
        file = recovery_next_file(recovery, file->seq + 1);
    }
    recovery->open = false; /* parts without an end were never acknowledged */
    return ERR_OK;
}

/* == The fence ================================================================================ */

/* A frame that was not replayed and tells of durable LSNs after the gap, or of a later start-up
 * than the checkpoint's, proves that acknowledged data cannot be read. */
static ErrCode recovery_check_file(Recovery *recovery, JournalReader *file) {
    assert(file->seq < recovery->storage->journal.seq_next);
    const Storage *storage = recovery->storage;
    uint64_t lsn = storage->journal.chain.lsn;
    uint64_t offset = file->replayed > 0 ? file->replayed : JOURNAL_HEAD_BLOCK;
    bool found = true;
    while (found) {
        FrameHead head;
        TRY(journal_scan_next(file, &offset, &head, &found, recovery->err));
        bool newer = found && head.epoch >> EPOCH_SHIFT > storage->checkpoint.last.generation;
        if (!found || (head.durable_lsn <= lsn && !newer))
            continue;
        return err_set(recovery->err, ERR_CORRUPT,
                       "%s: offset %llu: acknowledged data after LSN %llu cannot be read: "
                       "LSN %llu in %s %s",
                       recovery->last ? recovery->last->path : storage->journal.folder,
                       (unsigned long long)recovery->last_offset, (unsigned long long)lsn,
                       (unsigned long long)head.lsn, file->path,
                       newer ? "was written under a checkpoint that is missing"
                             : "says that more was durable");
    }
    return ERR_OK;
}

/* Without a checkpoint there must be nothing that one would have written. */
static ErrCode recovery_check_empty(Recovery *recovery) {
    assert(recovery->arena);
    static const char *const folders[] = {"tables", "topics"};
    Storage *storage = recovery->storage;
    if (storage->checkpoint.last.generation > 0)
        return ERR_OK;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char **names;
        uint32_t count;
        char *path = arena_printf(recovery->arena, "%s/%s", storage->folder, folders[i]);
        TRY(storage->io->ops->list(storage->io, path, recovery->arena, &names, &count,
                                   recovery->err));
        if (count > 0)
            return err_set(recovery->err, ERR_CORRUPT,
                           "%s/ckpt: offset 0: no valid checkpoint, but %s is not empty",
                           storage->folder, path);
    }
    return ERR_OK;
}

/* == Afterwards =============================================================================== */

static void recovery_set_offsets(Storage *storage) {
    assert(!storage->threads_running);
    size_t count;
    Topic **topics = topics_all(&storage->topics, &count);
    for (size_t i = 0; i < count; i++) {
        Topic *topic = topics[i];
        for (uint32_t j = 0; j < topic->partition_count; j++) {
            int64_t start;
            partition_offsets(topic->partitions[j], &start, &topic->next_offsets[j]);
            assert(start <= topic->next_offsets[j]);
        }
        topic_unref(topic);
    }
    mem_free(topics);
}

static ErrCode recovery_remove_segments(Storage *storage, Err *err) {
    assert(!storage->threads_running);
    size_t count;
    ErrCode code = ERR_OK;
    Topic **topics = topics_all(&storage->topics, &count);
    for (size_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < topics[i]->partition_count && code == ERR_OK; j++)
            code = partition_remove_unclaimed(topics[i]->partitions[j], err);
        topic_unref(topics[i]);
    }
    mem_free(topics);
    return code;
}

/* Removes what crashes left beside the checkpoint: table files it does not name. */
static ErrCode recovery_remove_tables(Recovery *recovery) {
    assert(recovery->storage->checkpoint.last.generation > 0);
    Storage *storage = recovery->storage;
    Io *io = storage->io;
    char **names, *end;
    uint32_t count;
    char *path = arena_printf(recovery->arena, "%s/tables", storage->folder);
    TRY(io->ops->list(io, path, recovery->arena, &names, &count, recovery->err));
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id = strtoull(names[i], &end, 16);
        if (strcmp(end, ".tab") == 0 && !manifest_names(&storage->checkpoint.last, id))
            TRY(io->ops->remove(io, arena_printf(recovery->arena, "%s/%s", path, names[i]),
                                recovery->err));
    }
    return ERR_OK;
}

static ErrCode recovery_remove_topic(Recovery *recovery, const char *path) {
    assert(path);
    Io *io = recovery->storage->io;
    char **partitions, **files;
    uint32_t count, file_count;
    TRY(io->ops->list(io, path, recovery->arena, &partitions, &count, recovery->err));
    for (uint32_t i = 0; i < count; i++) {
        char *folder = arena_printf(recovery->arena, "%s/%s", path, partitions[i]);
        TRY(io->ops->list(io, folder, recovery->arena, &files, &file_count, recovery->err));
        for (uint32_t j = 0; j < file_count; j++)
            TRY(io->ops->remove(io, arena_printf(recovery->arena, "%s/%s", folder, files[j]),
                                recovery->err));
        TRY(io->ops->remove(io, folder, recovery->err));
    }
    return io->ops->remove(io, path, recovery->err);
}

/* The same for folders of topics that are gone. */
static ErrCode recovery_remove_topics(Recovery *recovery) {
    assert(recovery->storage->checkpoint.last.generation > 0);
    Storage *storage = recovery->storage;
    char **names, *end;
    uint32_t count;
    char *path = arena_printf(recovery->arena, "%s/topics", storage->folder);
    TRY(storage->io->ops->list(storage->io, path, recovery->arena, &names, &count,
                               recovery->err));
    for (uint32_t i = 0; i < count; i++) {
        unsigned long id = strtoul(names[i], &end, 10);
        Topic *topic = *end == '\0' ? topics_find(&storage->topics, (uint32_t)id) : NULL;
        if (topic)
            topic_unref(topic);
        else if (*end == '\0')
            TRY(recovery_remove_topic(recovery,
                                      arena_printf(recovery->arena, "%s/%s", path, names[i])));
    }
    return ERR_OK;
}

static ErrCode recovery_steps(Recovery *recovery) {
    assert(recovery->file_count == 0);
    Storage *storage = recovery->storage;
    TRY(manifest_read(storage->io, storage->folder, &storage->checkpoint.last, recovery->err));
    TRY(recovery_list(recovery));
    TRY(recovery_load(recovery));
    TRY(recovery_replay(recovery));
    for (uint32_t i = 0; i < recovery->file_count; i++)
        TRY(recovery_check_file(recovery, &recovery->files[i]));
    TRY(recovery_check_empty(recovery));
    recovery_set_offsets(storage);
    TRY(manifest_confirm(storage->io, storage->folder, &storage->checkpoint.last, recovery->err));
    TRY(checkpoint_first(storage, recovery->replayed, recovery->err));
    TRY(recovery_remove_segments(storage, recovery->err));
    TRY(recovery_remove_tables(recovery));
    return recovery_remove_topics(recovery);
}

ErrCode recovery_run(Storage *storage, Err *err) {
    assert(!storage->threads_running);
    Recovery recovery = {.storage = storage, .err = err, .arena = arena_new("recovery", 0)};
    assert(atomic_load(&storage->visible_lsn) == 0);
    ErrCode code = recovery_steps(&recovery);
    for (uint32_t i = 0; i < recovery.file_count; i++)
        journal_reader_close(&recovery.files[i]);
    buf_free(&recovery.entries);
    mem_free(recovery.base_offsets);
    arena_free(recovery.arena);
    return code;
}
