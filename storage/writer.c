/*
 * writer.c - the journal writer: all waiting commits become frames, one write, one sync.
 *
 *   queue -> run (up to 4 MiB) -> offsets, frames -> write -> sync -> apply -> listeners, done
 *
 * A commit that makes or deletes topics ends its run, so that whoever comes later is checked
 * against topics as they are. Nothing is visible and nobody is answered before the sync; the first
 * failure of a write or sync ends the storage: no commit after it succeeds, whatever the disk says
 * later.
 */
#include <assert.h>

#include "base/mem.h"
#include "storage/commit_impl.h"
#include "storage/seeded_bug_impl.h"
#include "storage/storage_impl.h"

enum { WRITER_REST_US = 1000000 };

/* The storage whose writer this thread is, while it may not wait for itself. */
static _Thread_local const Storage *writer_of;

bool writer_is_me(const Storage *storage) {
    assert(storage);
    return writer_of == storage;
}

void writer_push(Storage *storage, Commit *commit) {
    assert(commit->journal_bytes > 0 || commit->remote);
    commit->next = NULL;
    lock_take(&storage->queue_lock);
    assert(!storage->queue_last || !storage->queue_last->next);
    if (storage->queue_last)
        storage->queue_last->next = commit;
    else
        storage->queue_first = commit;
    storage->queue_last = commit;
    signal_one(&storage->work);
    lock_release(&storage->queue_lock);
}

/* == Runs ===================================================================================== */

static Commit *writer_take(Storage *storage) {
    assert(storage);
    lock_take(&storage->queue_lock);
    Commit *run = storage->queue_first, *last = NULL;
    uint64_t bytes = 0;
    for (Commit *commit = run; commit; commit = commit->next) {
        bytes += commit->journal_bytes;
        if (last && bytes > JOURNAL_GROUP_BYTES_MAX)
            break;
        last = commit;
        if (commit->topic_count > 0)
            break;
    }
    if (last) {
        storage->queue_first = last->next;
        if (!last->next)
            storage->queue_last = NULL;
        last->next = NULL;
    }
    lock_release(&storage->queue_lock);
    return run;
}

/* A MARK that is due: nothing has come for a while, and no frame tells yet that the last commit is
 * durable. Without it a damaged last frame would look like one that was never finished. */
static Commit *writer_take_mark(Storage *storage) {
    assert(writer_is_me(storage));
    Journal *journal = &storage->journal;
    if (storage->last_commit_lsn <= journal->covered_lsn || storage_failed(storage))
        return NULL;
    int64_t idle_us = storage->io->ops->mono_us(storage->io) - storage->last_write_us;
    if (idle_us < storage->options.mark_ms * 1000)
        return NULL;
    Commit *mark = commit_new_mark(storage);
    Err ignored; /* without space there is no MARK, and no harm */
    if (journal_reserve(journal, mark->journal_bytes, &ignored) == ERR_OK)
        return mark;
    commit_drop(mark);
    storage->last_write_us += storage->options.mark_ms * 1000;
    return NULL;
}

static bool writer_abort(Commit *commit, ErrCode code, const char *what, const char *name) {
    assert(what && name);
    assert(code != ERR_OK);
    commit->result = COMMIT_ABORTED;
    (void)!err_set(&commit->error, code, "%s: %s", name, what);
    return false;
}

/* Topics may have come and gone since the commit was handed over. */
static bool writer_admit_topics(Storage *storage, Commit *commit) {
    assert(commit->result != COMMIT_ABORTED);
    for (size_t i = 0; i < commit->topic_count; i++) {
        const CommitTopic *change = &commit->topics[i];
        Topic *topic = topics_find(&storage->topics, change->id);
        Topic *named = change->name ? topics_find_name(&storage->topics, change->name) : NULL;
        bool exists = topic || named;
        if (topic)
            topic_unref(topic);
        if (named)
            topic_unref(named);
        if (change->kind == ENTRY_CREATE && exists)
            return writer_abort(commit, ERR_SEMANTIC, "the topic exists already", change->name);
        if (change->kind == ENTRY_DELETE && !exists)
            return writer_abort(commit, ERR_NOT_FOUND, "there is no such topic", "delete");
        for (size_t j = 0; j < i; j++)
            if (commit->topics[j].id == change->id ||
                (change->name && commit->topics[j].name &&
                 strcmp(commit->topics[j].name, change->name) == 0))
                return writer_abort(commit, ERR_SEMANTIC, "twice in one commit", "topic");
    }
    return true;
}

/* Partitions that the topic of an append has at that point of the commit; 0: it is not there. */
static uint32_t writer_partitions(Storage *storage, const Commit *commit, size_t index) {
    assert(index < commit->append_count);
    uint32_t id = commit->appended[index].where.topic_id, partitions = 0;
    Topic *topic = topics_find(&storage->topics, id);
    if (topic) {
        partitions = topic->partition_count;
        topic_unref(topic);
    }
    for (size_t i = 0; i < commit->topic_count && commit->topics[i].appended <= index; i++)
        if (commit->topics[i].id == id)
            partitions = commit->topics[i].partitions; /* 0 for a deleted one */
    return partitions;
}

static bool writer_admit_appends(Storage *storage, Commit *commit) {
    assert(commit->result != COMMIT_ABORTED);
    for (size_t i = 0; i < commit->append_count; i++)
        if (commit->appended[i].where.partition >= writer_partitions(storage, commit, i))
            return writer_abort(commit, ERR_NOT_FOUND, "the topic of an append is gone", "append");
    return true;
}

static bool writer_admit_segment(Storage *storage, const CommitSegment *segment) {
    assert(segment->end > segment->base);
    uint32_t index = segment->where.partition;
    Topic *topic = topics_find(&storage->topics, segment->where.topic_id);
    if (!topic)
        return false;
    bool next = topic->next_offsets[index] == segment->base &&
                partition_addable(topic->partitions[index]);
    topic_unref(topic);
    return next;
}

/* Segments whose offsets are still free. */
static bool writer_admit_segments(Storage *storage, Commit *commit) {
    assert(commit->result != COMMIT_ABORTED);
    for (size_t i = 0; i < commit->segment_count; i++)
        if (!writer_admit_segment(storage, &commit->segments[i]))
            return writer_abort(commit, ERR_BUSY, "others have appended meanwhile", "segment");
    for (size_t i = 0; i < commit->segment_count; i++) {
        const CommitSegment *segment = &commit->segments[i];
        Topic *topic = topics_find(&storage->topics, segment->where.topic_id);
        topic->next_offsets[segment->where.partition] = segment->end;
        topic_unref(topic);
    }
    return true;
}

/* == Offsets and frames ======================================================================= */

static void writer_give_offset(Storage *storage, Commit *commit, size_t index) {
    assert(index < commit->append_count);
    assert(commit->appends[index].count > 0);
    CommitAppended *appended = &commit->appended[index];
    uint32_t count = commit->appends[index].count;
    Topic *topic = topics_find(&storage->topics, appended->where.topic_id);
    int64_t base = 0;
    if (topic) {
        base = topic->next_offsets[appended->where.partition];
        topic->next_offsets[appended->where.partition] += count;
        topic_unref(topic);
    } else { /* created by this commit */
        for (size_t i = 0; i < index; i++)
            if (commit->appended[i].where.topic_id == appended->where.topic_id &&
                commit->appended[i].where.partition == appended->where.partition)
                base = commit->appended[i].last_offset + 1;
    }
    appended->base_offset = base;
    appended->last_offset = base + count - 1;
    commit->base_offsets[index] = base;
    assert(base >= 0);
}

static ErrCode writer_sync(Storage *storage, bool forced, Err *err) {
    assert(writer_is_me(storage));
    if (storage->options.durability == DURABILITY_OS && !forced)
        return ERR_OK;
    return journal_sync(&storage->journal, err);
}

static ErrCode writer_add_frame(Storage *storage, Commit *commit, size_t index, Err *err) {
    assert(index < commit->frame_count);
    assert(commit->frames[index].entry_count > 0);
    Journal *journal = &storage->journal;
    const CommitFrame *frame = &commit->frames[index];
    uint64_t size = frame_align(frame_size(frame->append_count, frame->size), FRAME_ALIGN);
    if (!journal_fits(journal, size) && journal->group.size > 0) {
        TRY(journal_write(journal, err));
        TRY(writer_sync(storage, false, err));
    }
    if (!journal_fits(journal, size))
        TRY(journal_switch(journal, false, err));
    FrameOffset *offsets = mem_array(frame->append_count, sizeof *offsets);
    for (uint32_t i = 0; i < frame->append_count; i++) {
        size_t append = frame->append_first + i;
        writer_give_offset(storage, commit, append);
        offsets[i] = (FrameOffset){commit->appends[append].entry, commit->base_offsets[append]};
    }
    FrameHead head = {
        .flags = index + 1 < commit->frame_count ? FRAME_MORE : 0,
        .wall_ms = storage->io->ops->now_ms(storage->io),
        .entry_count = frame->entry_count,
        .offset_count = frame->append_count,
    };
    Bytes entries = {commit->body.data + frame->start, frame->size};
    journal_add(journal, &head, offsets, entries, frame->hash);
    commit->lsn = journal->chain.lsn;
    mem_free(offsets);
    return ERR_OK;
}

/* What a cluster has taken must be taken here; false: another commit is not, with its error. */
static bool writer_admit(Storage *storage, Commit *commit) {
    assert(commit->result != COMMIT_ABORTED);
    if (commit->apart)
        return writer_admit_topics(storage, commit);
    return writer_admit_topics(storage, commit) && writer_admit_appends(storage, commit) &&
           writer_admit_segments(storage, commit);
}

static ErrCode writer_write(Storage *storage, Commit *run, Err *err) {
    assert(writer_is_me(storage));
    for (Commit *commit = run; commit; commit = commit->next) {
        if (commit->result == COMMIT_ABORTED)
            continue;
        if (!writer_admit(storage, commit)) {
            if (commit->remote)
                return err_set(err, ERR_CORRUPT, "the folder is not what the cluster has: %s",
                               commit->error.message);
            continue;
        }
        for (size_t i = 0; i < commit->frame_count; i++)
            TRY(writer_add_frame(storage, commit, i, err));
    }
    return journal_write(&storage->journal, err);
}

/* == After the sync =========================================================================== */

static ErrCode writer_apply(Storage *storage, Commit *run, Err *err) {
    assert(writer_is_me(storage));
    for (Commit *commit = run; commit; commit = commit->next) {
        if (commit->result == COMMIT_ABORTED || commit->frame_count == 0)
            continue;
        ApplyInput input = {
            .entries = buf_view(&commit->body),
            .body = &commit->body,
            .base_offsets = commit->base_offsets,
            .offset_count = commit->apart ? 0 : (uint32_t)commit->append_count,
            .lsn = commit->lsn,
            .checked = true,
        };
        assert(seeded_bug(SEEDED_ACK_BEFORE_SYNC) || storage->options.durability != DURABILITY_SYNC
               || commit->lsn <= storage->journal.durable_lsn);
        TRY(apply_commit(storage, &input, err));
        for (size_t i = 0; i < commit->segment_count; i++)
            segment_add_publish(commit->segments[i].add);
    }
    return ERR_OK;
}

static void writer_tell(Storage *storage, const Commit *commit) {
    assert(commit->result == COMMIT_DURABLE);
    assert(storage->listener);
    for (size_t i = 0; i < commit->append_count; i++)
        storage->listener(storage->listener_context, commit->appended[i].where,
                          commit->appended[i].last_offset + 1);
    for (size_t i = 0; i < commit->segment_count; i++)
        storage->listener(storage->listener_context, commit->segments[i].where,
                          commit->segments[i].end);
}

static void writer_finish(Storage *storage, Commit *run) {
    lock_take(&storage->listen_lock);
    for (Commit *commit = run; storage->listener && commit; commit = commit->next)
        if (commit->result == COMMIT_DURABLE && !commit->apart)
            writer_tell(storage, commit);
    lock_release(&storage->listen_lock);
    while (run) {
        Commit *commit = run;
        run = run->next;
        commit_finish(commit);
    }
}

static void writer_abort_run(Commit *run, const Err *cause) {
    assert(cause->code != ERR_OK);
    for (Commit *commit = run; commit; commit = commit->next) {
        commit->result = COMMIT_ABORTED;
        commit->error = *cause;
    }
}

/* false: only records of a cluster, or what it has refused. */
static bool writer_has_frames(const Commit *run) {
    assert(run);
    while (run && run->frame_count == 0)
        run = run->next;
    return run != NULL;
}

/* Writes a run and makes it true. */
static ErrCode writer_commit(Storage *storage, Commit *run, bool mark, Err *err) {
    assert(run);
    assert(writer_is_me(storage));
    if (storage->options.durability == DURABILITY_OS && mark)
        TRY(journal_sync(&storage->journal, err)); /* what it tells must be so */
    TRY(writer_write(storage, run, err));
    if (!writer_has_frames(run))
        return ERR_OK;
    if (!seeded_bug(SEEDED_ACK_BEFORE_SYNC))
        TRY(writer_sync(storage, mark, err));
    if (!mark)
        storage->last_commit_lsn = storage->journal.chain.lsn;
    storage->last_write_us = storage->io->ops->mono_us(storage->io);
    return writer_apply(storage, run, err);
}

/* Nothing has come for a while after a MARK: memory kept for the next commit goes back. Not at the
 * MARK itself: queries under load commit about as often as one is due. */
static void writer_rest(Storage *storage, bool worked, bool mark) {
    assert(writer_is_me(storage));
    int64_t now_us = storage->io->ops->mono_us(storage->io);
    if (worked)
        storage->rest_us = mark ? now_us + WRITER_REST_US : 0;
    if (storage->rest_us == 0 || now_us < storage->rest_us || storage_failed(storage))
        return; /* what a failed storage holds, frames of a group among it, stays as it is */
    storage->rest_us = 0;
    journal_rest(&storage->journal);
    spare_memory_clear(&storage->spare);
}

ErrCode writer_step(Storage *storage, bool *worked, Err *err) {
    assert(worked);
    const Storage *outer = writer_of;
    writer_of = storage;
    Commit *run = writer_take(storage);
    bool mark = !run;
    if (!run)
        run = writer_take_mark(storage);
    *worked = run != NULL;
    ErrCode code = run ? storage_state(storage, err) : ERR_OK;
    if (run && code == ERR_OK) {
        Err cause;
        code = writer_commit(storage, run, mark, &cause);
        if (code != ERR_OK)
            code = storage_fail(storage, &cause, err);
    }
    if (code != ERR_OK)
        writer_abort_run(run, err);
    else
        writer_rest(storage, run != NULL, mark);
    for (Commit *commit = run; commit; commit = commit->next)
        journal_unreserve(&storage->journal, commit->journal_bytes);
    writer_finish(storage, run);
    if (seeded_bug(SEEDED_ACK_BEFORE_SYNC) && run && code == ERR_OK &&
        writer_sync(storage, mark, err) != ERR_OK) {
        Err cause = *err;
        code = storage_fail(storage, &cause, err);
    }
    writer_of = outer;
    return code;
}

/* == The thread =============================================================================== */

/* With the queue lock: how long to sleep; -1: until woken. */
static int64_t writer_nap_us(const Storage *storage) {
    assert(storage->options.mark_ms > 0);
    if (storage_failed(storage))
        return -1;
    int64_t due_us = storage->last_write_us + storage->options.mark_ms * 1000;
    if (storage->last_commit_lsn <= storage->journal.covered_lsn)
        due_us = storage->rest_us;
    if (due_us == 0)
        return -1;
    int64_t left = due_us - storage->io->ops->mono_us(storage->io);
    return left < 0 ? 0 : left;
}

/* The background thread looks at the clock only once a second. */
static void writer_wake_background(Storage *storage) {
    assert(writer_is_me(storage));
    uint64_t bytes = atomic_load(&storage->journal.bytes) - storage->checkpoint.last_bytes;
    uint64_t due = atomic_load(&storage->checkpoint.due_bytes);
    if (bytes >= due || journal_wants_spare(&storage->journal))
        background_kick(storage);
}

void *writer_thread(void *arg) {
    assert(arg);
    Storage *storage = arg;
    writer_of = storage;
    bool open = true;
    while (open) {
        bool worked;
        Err ignored; /* whoever waits is told; the storage remembers */
        (void)!writer_step(storage, &worked, &ignored);
        if (checkpoint_cut_wanted(storage))
            checkpoint_cut(storage);
        if (worked) {
            writer_wake_background(storage);
            continue;
        }
        lock_take(&storage->queue_lock);
        int64_t nap_us = writer_nap_us(storage);
        if (!storage->queue_first && !storage->writer_closing && !storage->checkpoint.cut_wanted) {
            if (nap_us < 0)
                signal_wait(&storage->work, &storage->queue_lock);
            else if (nap_us > 0)
                (void)signal_wait_for(&storage->work, &storage->queue_lock, nap_us);
        }
        open = storage->queue_first || !storage->writer_closing;
        lock_release(&storage->queue_lock);
    }
    return NULL;
}
