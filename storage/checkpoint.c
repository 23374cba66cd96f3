/* checkpoint.c - see checkpoint_impl.h. */
#include "storage/checkpoint_impl.h"

#include <assert.h>

#include "base/mem.h"
#include "storage/folder_impl.h"
#include "storage/seeded_bug_impl.h"
#include "storage/storage_impl.h"
#include "storage/table_file_impl.h"

enum {
    CHECKPOINT_BYTES_MAX = 64 << 20,
    CHECKPOINT_RETRY_US = 1000000,
    BACKGROUND_NAP_US = 1000000, /* between two looks at the clock */
};

static int64_t now_us(Storage *storage) {
    assert(storage->io);
    return storage->io->ops->mono_us(storage->io);
}

void background_kick(Storage *storage) {
    assert(storage);
    lock_take(&storage->queue_lock);
    storage->background_kicked = true;
    signal_one(&storage->background_work);
    lock_release(&storage->queue_lock);
}

void checkpoint_request(Storage *storage) {
    assert(!writer_is_me(storage) || storage->threads_running);
    lock_take(&storage->queue_lock);
    storage->checkpoint.wanted = true;
    lock_release(&storage->queue_lock);
    background_kick(storage);
}

/* Where there is much state a checkpoint waits for many bytes of journal: of what changes often it
 * writes the last value only. Where there is little, it comes soon, so that tails stay short and
 * their memory and journal files are used again. */
static void checkpoint_set_due(Storage *storage) {
    assert(storage->options.checkpoint_bytes_min > 0);
    uint64_t bytes = manifest_table_bytes(&storage->checkpoint.last);
    if (bytes > CHECKPOINT_BYTES_MAX)
        bytes = CHECKPOINT_BYTES_MAX;
    if (bytes < storage->options.checkpoint_bytes_min)
        bytes = storage->options.checkpoint_bytes_min;
    if (storage->options.checkpoint_bytes != 0)
        bytes = storage->options.checkpoint_bytes;
    atomic_store(&storage->checkpoint.due_bytes, bytes);
}

bool checkpoint_due(Storage *storage) {
    assert(storage);
    Checkpoint *checkpoint = &storage->checkpoint;
    int64_t now = now_us(storage);
    if (checkpoint->retry_us != 0 && now < checkpoint->retry_us)
        return false;
    lock_take(&storage->queue_lock);
    bool wanted = checkpoint->wanted;
    lock_release(&storage->queue_lock);
    uint64_t bytes = atomic_load(&storage->journal.bytes) - checkpoint->last_bytes;
    return wanted || bytes >= atomic_load(&checkpoint->due_bytes) ||
           (bytes > 0 && now - checkpoint->last_us >= storage->options.checkpoint_ms * 1000);
}

/* == (a) The cut ============================================================================== */

static uint64_t epoch_draw(Storage *storage, uint64_t generation) {
    assert(generation > 0);
    assert(generation < (uint64_t)1 << (64 - EPOCH_SHIFT));
    uint64_t random = storage->io->ops->random_u64(storage->io);
    return generation << EPOCH_SHIFT | (random & ((1U << EPOCH_SHIFT) - 1));
}

/* The writer, between two runs, or who plays it. */
static void checkpoint_freeze(Storage *storage) {
    Checkpoint *checkpoint = &storage->checkpoint;
    const Journal *journal = &storage->journal;
    assert(!checkpoint->root && !checkpoint->topics);
    assert(journal->position == JOURNAL_HEAD_BLOCK);
    Manifest *next = &checkpoint->next;
    *next = checkpoint->last;
    next->generation++;
    next->epoch = journal->chain.epoch;
    bool running = next->epoch >> EPOCH_SHIFT != next->generation;
    if (seeded_bug(SEEDED_EPOCH_AT_CHECKPOINT) && running)
        next->epoch = epoch_draw(storage, next->generation);
    next->redo_seq = journal->current.seq;
    next->redo_lsn = journal->chain.lsn;
    next->redo_sum = journal->chain.sum;
    next->wall_ms = storage->io->ops->now_ms(storage->io);
    lock_take(&storage->state_lock);
    checkpoint_freeze_state(storage);
    lock_release(&storage->state_lock);
    checkpoint->topics = topics_all(&storage->topics, &checkpoint->topic_count);
    checkpoint->topic_index = checkpoint->partition_index = 0;
    for (size_t i = 0; i < checkpoint->topic_count; i++)
        for (uint32_t j = 0; j < checkpoint->topics[i]->partition_count; j++)
            partition_freeze(checkpoint->topics[i]->partitions[j]);
    checkpoint->last_us = now_us(storage);
    checkpoint->last_bytes = atomic_load(&journal->bytes);
}

/* false: the queue holds more than the spare file, later. */
static ErrCode checkpoint_try_cut(Storage *storage, bool *done, Err *err) {
    assert(done);
    TRY(journal_cut(&storage->journal, done, err));
    if (*done)
        checkpoint_freeze(storage);
    return ERR_OK;
}

bool checkpoint_cut_wanted(Storage *storage) {
    assert(storage);
    lock_take(&storage->queue_lock);
    bool wanted = storage->checkpoint.cut_wanted;
    lock_release(&storage->queue_lock);
    return wanted;
}

void checkpoint_cut(Storage *storage) {
    assert(storage->threads_running);
    Err cause, ignored;
    bool done = false;
    ErrCode code = storage_state(storage, &cause);
    if (code == ERR_OK) {
        code = checkpoint_try_cut(storage, &done, &cause);
        if (code != ERR_OK)
            (void)!storage_fail(storage, &cause, &ignored);
    }
    /* Also when it was not to be done: the spare file went to a commit in between, and only the
     * thread that waits for this answer makes another. */
    lock_take(&storage->queue_lock);
    storage->checkpoint.cut_wanted = false;
    storage->checkpoint.cut_done = done;
    signal_all(&storage->changed);
    lock_release(&storage->queue_lock);
}

/* The writer cuts between two of its runs. */
static bool checkpoint_ask_cut(Storage *storage) {
    assert(storage->threads_running);
    assert(!writer_is_me(storage));
    Checkpoint *checkpoint = &storage->checkpoint;
    lock_take(&storage->queue_lock);
    assert(!checkpoint->cut_wanted);
    checkpoint->cut_wanted = true;
    signal_one(&storage->work);
    while (checkpoint->cut_wanted)
        signal_wait(&storage->changed, &storage->queue_lock);
    bool done = checkpoint->cut_done;
    lock_release(&storage->queue_lock);
    return done;
}

static ErrCode checkpoint_begin(Storage *storage, Err *err) {
    assert(storage->checkpoint.stage == CHECKPOINT_IDLE);
    assert(!storage->checkpoint.topics);
    Checkpoint *checkpoint = &storage->checkpoint;
    lock_take(&storage->queue_lock);
    checkpoint->begun++;
    checkpoint->wanted = false;
    lock_release(&storage->queue_lock);
    TRY(journal_make_spare(&storage->journal, storage->threads_running, err));
    bool done;
    if (storage->threads_running)
        done = checkpoint_ask_cut(storage);
    else
        TRY(checkpoint_try_cut(storage, &done, err));
    if (done)
        checkpoint->stage = CHECKPOINT_LOGS;
    else if (!storage_failed(storage))
        checkpoint_request(storage); /* when the queue is shorter */
    return storage_state(storage, err);
}

/* == (b) Tails and state ====================================================================== */

/* One partition; after the last one the stage is over. */
static ErrCode checkpoint_logs(Storage *storage, Err *err) {
    assert(storage->checkpoint.stage == CHECKPOINT_LOGS);
    assert(storage->checkpoint.topic_index <= storage->checkpoint.topic_count);
    Checkpoint *checkpoint = &storage->checkpoint;
    if (checkpoint->topic_index == checkpoint->topic_count) {
        checkpoint->stage = CHECKPOINT_STATE;
        return ERR_OK;
    }
    Topic *topic = checkpoint->topics[checkpoint->topic_index];
    TRY(partition_write(topic->partitions[checkpoint->partition_index], err));
    if (++checkpoint->partition_index == topic->partition_count) {
        checkpoint->partition_index = 0;
        checkpoint->topic_index++;
    }
    return ERR_OK;
}

/* == (c) and (d) ============================================================================== */

static ErrCode checkpoint_slot(Storage *storage, Err *err) {
    assert(storage->checkpoint.stage == CHECKPOINT_SLOT);
    assert(storage->checkpoint.next.generation == storage->checkpoint.last.generation + 1);
    Checkpoint *checkpoint = &storage->checkpoint;
    if (seeded_bug(SEEDED_RECYCLE_EARLY))
        TRY(journal_recycle(&storage->journal, checkpoint->next.redo_seq, err));
    TRY(manifest_write(storage->io, storage->folder, &checkpoint->next, err));
    if (seeded_bug(SEEDED_EPOCH_AT_CHECKPOINT))
        storage->journal.chain.epoch = checkpoint->next.epoch;
    checkpoint->stage = CHECKPOINT_RECYCLE;
    return ERR_OK;
}

/* Removes what may be missing already. */
static ErrCode remove_path(Io *io, char *path, Err *err) {
    assert(path);
    ErrCode code = io->ops->remove(io, path, err);
    mem_free(path);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static ErrCode topic_delete_files(Storage *storage, Topic *topic, Err *err) {
    assert(topic->partition_count > 0);
    for (uint32_t i = 0; i < topic->partition_count; i++)
        TRY(partition_delete_files(topic->partitions[i], err));
    return remove_path(storage->io, topic_folder(storage->folder, topic->id), err);
}

static ErrCode checkpoint_drop_topics(Storage *storage, uint64_t lsn, Err *err) {
    assert(lsn <= storage->checkpoint.last.redo_lsn);
    Topic *topic = topics_take_dropped(&storage->topics, lsn);
    ErrCode code = ERR_OK;
    while (topic) {
        Topic *next = topic->next_dropped;
        if (code == ERR_OK)
            code = topic_delete_files(storage, topic, err);
        topic_unref(topic);
        topic = next;
    }
    return code;
}

static ErrCode checkpoint_drop_segments(const Checkpoint *checkpoint, Err *err) {
    assert(checkpoint->stage == CHECKPOINT_RECYCLE);
    assert(checkpoint->topics || checkpoint->topic_count == 0);
    for (size_t i = 0; i < checkpoint->topic_count; i++)
        for (uint32_t j = 0; j < checkpoint->topics[i]->partition_count; j++)
            TRY(partition_remove_dropped(checkpoint->topics[i]->partitions[j], err));
    return ERR_OK;
}

void checkpoint_release(Storage *storage) {
    assert(storage->checkpoint.topics || storage->checkpoint.topic_count == 0);
    Checkpoint *checkpoint = &storage->checkpoint;
    mem_node_unref(checkpoint->root);
    checkpoint->root = NULL;
    removed_free(&checkpoint->merged);
    for (size_t i = 0; i < checkpoint->topic_count; i++)
        topic_unref(checkpoint->topics[i]);
    mem_free(checkpoint->topics);
    checkpoint->topics = NULL;
    checkpoint->topic_count = 0;
    checkpoint->stage = CHECKPOINT_IDLE;
}

static ErrCode checkpoint_recycle(Storage *storage, Err *err) {
    assert(storage->checkpoint.stage == CHECKPOINT_RECYCLE);
    assert(storage->checkpoint.next.redo_lsn >= storage->checkpoint.last.redo_lsn);
    Checkpoint *checkpoint = &storage->checkpoint;
    for (size_t i = 0; i < checkpoint->topic_count; i++)
        for (uint32_t j = 0; j < checkpoint->topics[i]->partition_count; j++)
            partition_settle(checkpoint->topics[i]->partitions[j]);
    Manifest old = checkpoint->last;
    checkpoint->last = checkpoint->next;
    checkpoint_settle_state(storage);
    checkpoint_set_due(storage);
    TRY(journal_recycle(&storage->journal, checkpoint->last.redo_seq, err));
    for (uint32_t i = 0; i < old.table_count; i++)
        if (!manifest_names(&checkpoint->last, old.tables[i].id))
            TRY(remove_path(storage->io, table_path(storage->folder, old.tables[i].id), err));
    TRY(checkpoint_drop_topics(storage, checkpoint->last.redo_lsn, err));
    TRY(checkpoint_drop_segments(checkpoint, err));
    checkpoint_release(storage);
    lock_take(&storage->queue_lock);
    checkpoint->finished = checkpoint->begun;
    signal_all(&storage->changed);
    lock_release(&storage->queue_lock);
    return ERR_OK;
}

/* == Steps ==================================================================================== */

static ErrCode checkpoint_stage(Storage *storage, Err *err) {
    switch (storage->checkpoint.stage) {
    case CHECKPOINT_IDLE:
        return checkpoint_begin(storage, err);
    case CHECKPOINT_LOGS:
        return checkpoint_logs(storage, err);
    case CHECKPOINT_STATE:
        return checkpoint_state(storage, err);
    case CHECKPOINT_SLOT:
        return checkpoint_slot(storage, err);
    case CHECKPOINT_RECYCLE:
        return checkpoint_recycle(storage, err);
    }
    assert(storage->checkpoint.stage == CHECKPOINT_IDLE); /* a new stage has no case */
    return ERR_OK;
}

/* Without space: later, from the cut. The journal has only gone on in another file. */
static void checkpoint_give_up(Storage *storage, const Err *cause) {
    assert(cause->code == ERR_NO_SPACE);
    Checkpoint *checkpoint = &storage->checkpoint;
    checkpoint_release(storage);
    checkpoint->retry_us = now_us(storage) + CHECKPOINT_RETRY_US;
    lock_take(&storage->queue_lock);
    checkpoint->failure = *cause;
    checkpoint->given_up = checkpoint->begun;
    signal_all(&storage->changed);
    lock_release(&storage->queue_lock);
}

ErrCode checkpoint_step(Storage *storage, bool *worked, Err *err) {
    assert(worked);
    Checkpoint *checkpoint = &storage->checkpoint;
    *worked = checkpoint->stage != CHECKPOINT_IDLE || checkpoint_due(storage);
    if (!*worked)
        return ERR_OK;
    Err cause;
    ErrCode code = checkpoint_stage(storage, &cause);
    if (code == ERR_OK)
        return ERR_OK;
    if (code != ERR_NO_SPACE)
        return storage_fail(storage, &cause, err);
    bool given;
    Err failure;
    if (reserve_give_up(storage, &given, &failure) != ERR_OK)
        return storage_fail(storage, &failure, err);
    if (given) { /* begins again */
        checkpoint_release(storage);
        checkpoint_request(storage);
        return ERR_OK;
    }
    checkpoint_give_up(storage, &cause);
    *err = cause;
    return code;
}

ErrCode checkpoint_first(Storage *storage, bool state_changed, Err *err) {
    assert(storage->checkpoint.stage == CHECKPOINT_IDLE);
    assert(!storage->threads_running);
    Checkpoint *checkpoint = &storage->checkpoint;
    Journal *journal = &storage->journal;
    JournalFile file;
    journal->chain.epoch = epoch_draw(storage, checkpoint->last.generation + 1);
    TRY(journal_make(journal, journal->file_bytes, JOURNAL_FIRST, &file, err));
    ErrCode code = journal_start(journal, file, false, err);
    if (code != ERR_OK)
        file.file->ops->close(file.file);
    TRY(code);
    TRY(folder_settle(storage, &file, err));
    checkpoint_freeze(storage);
    checkpoint->stage = state_changed ? CHECKPOINT_LOGS : CHECKPOINT_SLOT;
    while (checkpoint->stage != CHECKPOINT_IDLE)
        TRY(checkpoint_stage(storage, err));
    journal->durable_lsn = journal->covered_lsn = journal->chain.lsn;
    storage->last_commit_lsn = journal->chain.lsn;
    return ERR_OK;
}

/* The next journal file, before the current one is full. */
ErrCode background_prepare(Storage *storage, Err *err) {
    assert(!writer_is_me(storage));
    Err cause;
    ErrCode code = journal_prepare(&storage->journal, storage->threads_running, &cause);
    if (code != ERR_OK && code != ERR_NO_SPACE)
        return storage_fail(storage, &cause, err);
    return ERR_OK;
}

/* == Waiting, and the thread ================================================================== */

/* With the queue lock: the attempt after number `begun` is over. */
static bool checkpoint_over(const Checkpoint *checkpoint, uint64_t begun) {
    assert(checkpoint->finished <= checkpoint->begun);
    assert(checkpoint->given_up <= checkpoint->begun);
    return checkpoint->finished > begun || checkpoint->given_up > begun;
}

ErrCode checkpoint_wait(Storage *storage, Err *err) {
    Checkpoint *checkpoint = &storage->checkpoint;
    assert(!writer_is_me(storage));
    lock_take(&storage->queue_lock);
    uint64_t begun = checkpoint->begun;
    lock_release(&storage->queue_lock);
    checkpoint_request(storage);
    lock_take(&storage->queue_lock);
    while (!checkpoint_over(checkpoint, begun) && !storage_failed(storage)) {
        if (storage->threads_running) {
            signal_wait(&storage->changed, &storage->queue_lock);
            continue;
        }
        lock_release(&storage->queue_lock);
        checkpoint->retry_us = 0;
        Err ignored; /* kept in the checkpoint, or by the storage */
        (void)!storage_pump(storage, &ignored);
        lock_take(&storage->queue_lock);
    }
    bool finished = checkpoint->finished > begun;
    if (!finished)
        *err = checkpoint->failure;
    lock_release(&storage->queue_lock);
    TRY(storage_state(storage, err));
    return finished ? ERR_OK : err->code;
}

void checkpoint_wait_tails(Storage *storage) {
    assert(storage);
    Err ignored; /* a checkpoint without space: the commit finds out itself */
    if (storage->threads_running && !writer_is_me(storage))
        (void)!checkpoint_wait(storage, &ignored);
    else
        checkpoint_request(storage);
}

void *background_thread(void *arg) {
    Storage *storage = arg;
    bool open = true;
    while (open) {
        bool worked = false;
        Err ignored; /* the storage remembers failures; lack of space is told to who commits */
        lock_take(&storage->queue_lock);
        storage->background_kicked = false;
        lock_release(&storage->queue_lock);
        if (!storage_failed(storage)) {
            (void)!background_prepare(storage, &ignored);
            (void)!reserve_step(storage, &ignored);
            (void)!checkpoint_step(storage, &worked, &ignored);
        }
        lock_take(&storage->queue_lock);
        if (!worked && !storage->closing && !storage->background_kicked)
            (void)signal_wait_for(&storage->background_work, &storage->queue_lock,
                                  BACKGROUND_NAP_US);
        open = !storage->closing || worked;
        lock_release(&storage->queue_lock);
    }
    return NULL;
}
