/* storage.c - see storage.h: opens a data folder, drives it, closes it. */
#include "storage/storage.h"

#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"
#include "storage/cluster_impl.h"
#include "storage/folder_impl.h"
#include "storage/recovery_impl.h"
#include "storage/storage_impl.h"

enum {
    STORAGE_CHECKPOINT_MS = 30000,
    STORAGE_CHECKPOINT_BYTES_MIN = 16 << 20,
    STORAGE_TAIL_BYTES_MAX = 64 << 20,
    STORAGE_MARK_MS = 100,
};

/* == Failure ================================================================================== */

bool storage_failed(const Storage *storage) {
    assert(storage);
    return atomic_load(&storage->failed);
}

ErrCode storage_state(Storage *storage, Err *err) {
    assert(storage);
    if (!storage_failed(storage))
        return ERR_OK;
    lock_take(&storage->queue_lock);
    Err failure = storage->failure;
    lock_release(&storage->queue_lock);
    if (failure.code == ERR_FENCED) {
        *err = failure;
        return ERR_FENCED;
    }
    return err_set(err, ERR_STORAGE_FAILED, "%s is stopped: %s", storage->folder, failure.message);
}

ErrCode storage_fail(Storage *storage, const Err *cause, Err *err) {
    assert(cause->code != ERR_OK);
    lock_take(&storage->queue_lock);
    if (!storage_failed(storage)) {
        storage->failure = *cause;
        atomic_store(&storage->failed, true);
    }
    signal_all(&storage->changed);
    signal_all(&storage->work);
    lock_release(&storage->queue_lock);
    return storage_state(storage, err);
}

/* == Opening and closing ====================================================================== */

static Storage *storage_new(Io *io, const char *folder, const StorageOptions *options) {
    assert(io);
    assert(folder);
    Storage *storage = mem_alloc(sizeof *storage);
    storage->io = io;
    storage->folder = mem_strdup(folder);
    StorageOptions *set = &storage->options;
    if (options)
        *set = *options;
    if (set->checkpoint_ms == 0)
        set->checkpoint_ms = STORAGE_CHECKPOINT_MS;
    if (set->checkpoint_bytes_min == 0)
        set->checkpoint_bytes_min = STORAGE_CHECKPOINT_BYTES_MIN;
    if (set->tail_bytes_max == 0)
        set->tail_bytes_max = STORAGE_TAIL_BYTES_MAX;
    if (set->frame_bytes_max == 0)
        set->frame_bytes_max = FRAME_BYTES_MAX;
    if (set->segment_bytes_max == 0)
        set->segment_bytes_max = SEGMENT_BYTES_MAX;
    if (set->mark_ms == 0)
        set->mark_ms = STORAGE_MARK_MS;
    storage->state.interval = 1;
    atomic_init(&storage->next_id, 1);
    atomic_init(&storage->commit_seq, 1);
    lock_init(&storage->queue_lock);
    lock_init(&storage->state_lock);
    lock_init(&storage->listen_lock);
    signal_init(&storage->work);
    signal_init(&storage->changed);
    signal_init(&storage->background_work);
    spare_memory_init(&storage->spare);
    topics_init(&storage->topics);
    reserve_init(storage);
    journal_init(&storage->journal, io, folder, set->journal_file_bytes);
    storage->journal.direct = set->durability == DURABILITY_SYNC;
    return storage;
}

static void storage_free(Storage *storage) {
    assert(!storage->threads_running);
    assert(!storage->queue_first);
    checkpoint_release(storage);
    checkpoint_close_state(storage);
    journal_close(&storage->journal);
    topics_close(&storage->topics);
    reserve_close(storage);
    spare_memory_close(&storage->spare);
    memtable_clear(&storage->state);
    signal_close(&storage->work);
    signal_close(&storage->changed);
    signal_close(&storage->background_work);
    lock_close(&storage->queue_lock);
    lock_close(&storage->state_lock);
    lock_close(&storage->listen_lock);
    storage_attach(storage, NULL);
    if (storage->lock_file)
        storage->lock_file->ops->close(storage->lock_file);
    mem_free(storage->folder);
    mem_free(storage);
}

/* *given: there was no space, and the reserve was given up for a second attempt. */
static ErrCode storage_try_open(Storage *opened, bool *given, Err *err) {
    assert(given);
    assert(!opened->lock_file);
    *given = false;
    TRY(folder_open(opened, err));
    TRY(reserve_find(opened, err));
    ErrCode code = recovery_run(opened, err);
    if (code == ERR_OK)
        code = folder_complete(opened, err);
    if (code == ERR_NO_SPACE) {
        Err ignored; /* then the lack of space is what is told */
        if (reserve_give_up(opened, given, &ignored) != ERR_OK)
            *given = false;
    }
    return code;
}

ErrCode storage_open(Io *io, const char *folder, const StorageOptions *options, Storage **storage,
                     Err *err) {
    assert(storage);
    bool given;
    Storage *opened = storage_new(io, folder, options);
    ErrCode code = storage_try_open(opened, &given, err);
    if (given) {
        storage_free(opened);
        opened = storage_new(io, folder, options);
        code = storage_try_open(opened, &given, err);
    }
    if (code != ERR_OK) {
        storage_free(opened);
        return code;
    }
    system_see_id(opened, STORE_FIRST_FREE - 1); /* those below are stores of fixed ids */
    opened->last_write_us = io->ops->mono_us(io);
    if (opened->options.threads) {
        opened->threads_running = true;
        thread_start(&opened->writer, "journal", writer_thread, opened);
        thread_start(&opened->background, "storage", background_thread, opened);
    }
    *storage = opened;
    return ERR_OK;
}

/* Lets the threads finish what is queued, and ends them. */
static void storage_stop(Storage *storage) {
    assert(storage->threads_running);
    assert(!storage->closing);
    lock_take(&storage->queue_lock);
    storage->closing = true;
    signal_all(&storage->background_work);
    lock_release(&storage->queue_lock);
    thread_join(&storage->background);
    lock_take(&storage->queue_lock);
    storage->writer_closing = true;
    signal_all(&storage->work);
    lock_release(&storage->queue_lock);
    thread_join(&storage->writer);
    storage->threads_running = false;
}

void storage_close(Storage *storage) {
    if (!storage)
        return;
    Err ignored; /* a journal without a last checkpoint is as good */
    if (storage->threads_running)
        storage_stop(storage);
    bool worked = true;
    while (worked) /* after a failure: what is queued is told so */
        (void)!writer_step(storage, &worked, &ignored);
    bool changed = storage->last_commit_lsn > storage->checkpoint.last.redo_lsn;
    if (changed && !storage_failed(storage))
        (void)!checkpoint_wait(storage, &ignored);
    storage_free(storage);
}

/* == Driving ================================================================================== */

ErrCode storage_pump(Storage *storage, Err *err) {
    assert(!writer_is_me(storage));
    if (storage->threads_running)
        return ERR_OK;
    bool worked = true;
    if (storage->cluster)
        cluster_pump(storage);
    while (worked)
        TRY(writer_step(storage, &worked, err));
    if (storage->cluster)
        cluster_wait(storage);
    TRY(storage_state(storage, err));
    TRY(background_prepare(storage, err));
    TRY(reserve_step(storage, err));
    ErrCode code = checkpoint_step(storage, &worked, err);
    return code == ERR_NO_SPACE ? ERR_OK : code;
}

ErrCode storage_checkpoint(Storage *storage, Err *err) {
    assert(!writer_is_me(storage));
    TRY(storage_state(storage, err));
    return checkpoint_wait(storage, err);
}

uint64_t storage_visible_lsn(Storage *storage) {
    assert(storage);
    return atomic_load(&storage->visible_lsn);
}

void storage_figures(Storage *storage, StorageFigures *figures) {
    assert(figures);
    const Journal *journal = &storage->journal;
    *figures = (StorageFigures){
        .frames = atomic_load(&journal->frames),
        .groups = atomic_load(&journal->groups),
        .journal_bytes = atomic_load(&journal->bytes),
        .syncs = atomic_load(&journal->syncs),
    };
    lock_take(&storage->queue_lock);
    figures->checkpoints = storage->checkpoint.finished;
    lock_release(&storage->queue_lock);
    lock_take(&storage->state_lock);
    figures->state_entries = storage->state.entries;
    figures->state_bytes = storage->state.bytes;
    lock_release(&storage->state_lock);
    size_t count;
    Topic **topics = topics_all(&storage->topics, &count);
    for (size_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < topics[i]->partition_count; j++) {
            figures->tail_bytes += partition_tail_bytes(topics[i]->partitions[j]);
            figures->segment_bytes += partition_segment_bytes(topics[i]->partitions[j]);
        }
        topic_unref(topics[i]);
    }
    mem_free(topics);
}
