/*
 * checkpoint_state.c - the state as table files: the whole of it, and what changed after that.
 *
 *   tables:  [ whole state ] [ changes ] [ changes ] [ changes ] ...      in the manifest's order
 *   memtable intervals:  1         2          3          4       5 running
 *
 * A checkpoint writes what was put and removed after the last table that stays, from the memtable,
 * which knows the interval of each entry: tables are merged without being read. When the last
 * MERGE_TABLES have about one size, they and the new one become one table; so a change is written
 * once for each level of that many tables. When what the tables hold is mostly outdated, or there
 * are too many, the whole state is written anew.
 */
#include "storage/checkpoint_impl.h"

#include <assert.h>

#include "base/mem.h"
#include "storage/seeded_bug_impl.h"
#include "storage/storage_impl.h"
#include "storage/table_file_impl.h"

enum {
#ifdef HOSTILE_LIMITS
    MERGE_TABLES = 3,   /* (h) */
    OUTDATED_FREE = 64, /* (h) */
#else
    MERGE_TABLES = 8,
    OUTDATED_FREE = 4 << 20, /* bytes that may always be outdated */
#endif
    ENTRY_BYTES = 12, /* about what an entry takes beside key and value */
};

uint32_t checkpoint_next_interval(Storage *storage) {
    Checkpoint *checkpoint = &storage->checkpoint;
    Memtable *state = &storage->state;
    assert(state->interval > 0);
    checkpoint->removed = mem_grow(checkpoint->removed, &checkpoint->removed_capacity,
                                   checkpoint->removed_count + 1, sizeof *checkpoint->removed);
    checkpoint->removed[checkpoint->removed_count++] =
        (CheckpointRemoved){state->interval, state->removed};
    state->removed = (Removed){0};
    assert(state->interval < UINT32_MAX);
    return state->interval++;
}

void checkpoint_freeze_state(Storage *storage) {
    Checkpoint *checkpoint = &storage->checkpoint;
    Memtable *state = &storage->state;
    assert(!checkpoint->root);
    assert(state->interval > 0);
    checkpoint->root = memtable_share(state);
    checkpoint->root_bytes = state->bytes + state->entries * ENTRY_BYTES;
    checkpoint->root_interval = checkpoint_next_interval(storage);
    checkpoint->state_written = false;
}

/* Forgets what was removed after `since`; 0: all. */
static void removed_drop(Checkpoint *checkpoint, uint32_t since) {
    assert(checkpoint->removed || checkpoint->removed_count == 0);
    size_t *count = &checkpoint->removed_count;
    while (*count > 0 && checkpoint->removed[*count - 1].interval > since)
        removed_free(&checkpoint->removed[--*count].keys);
}

void checkpoint_close_state(Storage *storage) {
    assert(!storage->checkpoint.root);
    removed_drop(&storage->checkpoint, 0);
    mem_free(storage->checkpoint.removed);
    storage->checkpoint.removed = NULL;
    storage->checkpoint.removed_capacity = 0;
}

/* == Which tables stay ======================================================================== */

/* How many of the last checkpoint's tables the next one names too; the others' changes go into the
 * new table. 0: that is the whole state. */
static uint32_t tables_kept(const Checkpoint *checkpoint) {
    const Manifest *last = &checkpoint->last;
    uint32_t kept = last->table_count;
    if (kept == 0 || kept == MANIFEST_TABLES_MAX ||
        manifest_table_bytes(last) > 2 * checkpoint->root_bytes + OUTDATED_FREE)
        return 0;
    uint64_t bytes = last->tables[kept - 1].size;
    uint32_t from = kept;
    for (;;) {
        uint64_t sum = 0;
        while (from > 1 && last->tables[from - 1].size <= 2 * bytes) /* the first is no change */
            sum += last->tables[--from].size;
        if (kept - from < MERGE_TABLES)
            return kept;
        kept = from;
        bytes = sum;
    }
}

/* == Writing ================================================================================== */

typedef struct StateWriter {
    Storage *storage;
    TableWriter table;
    RemovedSorted removed;
    size_t next_removed;
    bool partitions_put;
    Err *err;
} StateWriter;

static const uint8_t PARTITIONS_MIN[] = {0, 0, 0, STORE_SYSTEM, SYSTEM_PARTITION};
static const uint8_t PARTITIONS_MAX[] = {0, 0, 0, STORE_SYSTEM, SYSTEM_PARTITION + 1};

static ErrCode put_entry(StateWriter *writer, TableEntryKind kind, Bytes key, Bytes value) {
    assert(writer->table.file);
    TableEntry entry = {kind, key, value};
    return table_writer_add(&writer->table, &entry, writer->err);
}

/* Those of store 0 that only table files have: all of them, in every table. */
static ErrCode put_partitions(StateWriter *writer) {
    const Checkpoint *checkpoint = &writer->storage->checkpoint;
    assert(!writer->partitions_put);
    writer->partitions_put = true;
    Buf saved = {0};
    ErrCode code = ERR_OK;
    for (size_t i = 0; i < checkpoint->topic_count; i++) {
        Topic *topic = checkpoint->topics[i];
        for (uint32_t j = 0; j < topic->partition_count && code == ERR_OK; j++) {
            uint8_t key[SYSTEM_KEY_SIZE];
            Bytes where = system_partition_key(key, (TopicPartition){topic->id, j});
            buf_reset(&saved);
            partition_save(topic->partitions[j], &saved);
            code = put_entry(writer, TABLE_PUT, where, buf_view(&saved));
        }
    }
    buf_free(&saved);
    return code;
}

/* An entry, and what comes before it: partitions, and keys that were removed and are not there
 * again. key of size 0: the end. */
static ErrCode put_before(StateWriter *writer, Bytes key) {
    const RemovedSorted *removed = &writer->removed;
    Bytes after = {PARTITIONS_MAX, sizeof PARTITIONS_MAX};
    assert(writer->next_removed <= removed->key_count);
    while (writer->next_removed < removed->key_count) {
        Bytes gone = removed->keys[writer->next_removed];
        int order = key.size == 0 ? -1 : bytes_compare(gone, key);
        if (order > 0)
            break;
        writer->next_removed++;
        if (order == 0)
            break;
        if (!writer->partitions_put && bytes_compare(gone, after) >= 0)
            TRY(put_partitions(writer));
        TRY(put_entry(writer, TABLE_REMOVE, gone, (Bytes){NULL, 0}));
    }
    if (!writer->partitions_put && (key.size == 0 || bytes_compare(key, after) >= 0))
        TRY(put_partitions(writer));
    return ERR_OK;
}

static ErrCode put_ranges(StateWriter *writer) {
    Bytes min = {PARTITIONS_MIN, sizeof PARTITIONS_MIN};
    assert(writer->table.entries == 0);
    TRY(put_entry(writer, TABLE_REMOVE_RANGE, min,
                  (Bytes){PARTITIONS_MAX, sizeof PARTITIONS_MAX}));
    for (size_t i = 0; i < writer->removed.range_count; i++) {
        const RemovedRange *range = &writer->removed.ranges[i];
        TRY(put_entry(writer, TABLE_REMOVE_RANGE, range->min, range->max));
    }
    return ERR_OK;
}

/* Everything after interval `since`; 0: everything. */
static ErrCode put_state(StateWriter *writer, uint32_t since) {
    Checkpoint *checkpoint = &writer->storage->checkpoint;
    assert(!checkpoint->merged.notes.data);
    if (since > 0) {
        for (size_t i = 0; i < checkpoint->removed_count; i++)
            if (checkpoint->removed[i].interval > since && !seeded_bug(SEEDED_REMOVED_FORGOTTEN))
                removed_add_all(&checkpoint->merged, &checkpoint->removed[i].keys);
        removed_sort(&checkpoint->merged, &writer->removed);
        TRY(put_ranges(writer));
    }
    MemIter iter;
    Bytes key, value;
    mem_iter_seek_changed(&iter, checkpoint->root, since);
    while (mem_iter_next_changed(&iter, &key, &value)) {
        TRY(put_before(writer, key));
        TRY(put_entry(writer, TABLE_PUT, key, value));
    }
    return put_before(writer, (Bytes){NULL, 0});
}

ErrCode checkpoint_state(Storage *storage, Err *err) {
    assert(storage->checkpoint.stage == CHECKPOINT_STATE);
    assert(storage->checkpoint.next.generation == storage->checkpoint.last.generation + 1);
    Checkpoint *checkpoint = &storage->checkpoint;
    Manifest *next = &checkpoint->next;
    checkpoint->stage = CHECKPOINT_SLOT;
    checkpoint->state_written = true;
    next->table_count = 0;
    next->next_id = atomic_load(&storage->next_id);
    if (!checkpoint->root) {
        assert(checkpoint->topic_count == 0);
        return ERR_OK;
    }
    uint32_t kept = next->table_count = tables_kept(checkpoint);
    StateWriter writer = {.storage = storage, .err = err};
    TableRef *ref = &next->tables[next->table_count++];
    uint64_t id = next->next_file_id++;
    *ref = (TableRef){.interval = checkpoint->root_interval};
    ErrCode code = table_writer_open(&writer.table, storage->io, storage->folder, id, err);
    if (code == ERR_OK) {
        table_writer_head(&writer.table, next->redo_lsn);
        code = put_state(&writer, kept == 0 ? 0 : next->tables[kept - 1].interval);
    }
    if (code == ERR_OK)
        code = table_writer_finish(&writer.table, ref, err);
    table_writer_close(&writer.table);
    removed_sorted_free(&writer.removed);
    return code;
}

/* Only what later tables may want to know. */
void checkpoint_settle_state(Storage *storage) {
    Checkpoint *checkpoint = &storage->checkpoint;
    const Manifest *last = &checkpoint->last;
    assert(last->table_count <= MANIFEST_TABLES_MAX);
    if (!checkpoint->state_written)
        return;
    uint32_t kept = last->table_count > 1 ? last->table_count - 1 : 0;
    removed_drop(checkpoint, kept == 0 ? 0 : last->tables[kept - 1].interval);
    if (kept == 0)
        return;
    assert(checkpoint->removed_count < checkpoint->removed_capacity);
    checkpoint->removed[checkpoint->removed_count++] =
        (CheckpointRemoved){last->tables[kept].interval, checkpoint->merged};
    checkpoint->merged = (Removed){0};
}
