/*
 * commit_remote.c - a commit's way through a cluster: see cluster.h.
 *
 * Space for what the folder will get of it, notes included, is taken before the cluster has it:
 * what is committed there must be written here. Nothing of it is in the folder's journal before the
 * cluster has said yes. All answers come by the writer's queue, so `done` is called there, as ever.
 */
#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"
#include "storage/cluster_impl.h"
#include "storage/commit_impl.h"

enum {
    COMMIT_NOTE_BYTES = 128, /* key and value of a note, at most */
    COMMIT_NOTES_MORE = 4,   /* notes beside one for each store */
};

void commit_slot(Commit *commit, uint32_t slot) {
    assert(slot <= INT32_MAX);
    assert(!commit->remote);
    commit->slot = (int32_t)slot;
}

void commit_statement(Commit *commit, Bytes text) {
    assert(!commit->remote);
    assert(text.data || text.size == 0);
    buf_reset(&commit->statement);
    buf_bytes(&commit->statement, text);
}

void commit_topic_config(Commit *commit, uint32_t topic_id, const TopicConfig *config) {
    assert(!commit->remote);
    assert(config);
    for (size_t i = 0; i < commit->topic_count; i++) {
        CommitTopic *topic = &commit->topics[i];
        if (topic->id != topic_id || topic->kind != ENTRY_CREATE || topic->config)
            continue;
        TopicConfig *copy = mem_alloc(sizeof *copy);
        *copy = *config;
        topic->config = copy;
    }
}

int32_t commit_slot_of(const Commit *commit) {
    assert(commit->slot >= COMMIT_NO_SLOT);
    assert(commit);
    return commit->slot;
}

uint32_t commit_owner_of(const Commit *commit) {
    assert(commit);
    return commit->owner_id;
}

Bytes commit_statement_of(const Commit *commit) {
    assert(commit);
    return buf_view(&commit->statement);
}

/* == On the way out =========================================================================== */

void commit_append_apart(Commit *commit, TopicPartition where, Bytes batch) {
    assert(commit->apart && !commit->remote);
    assert(batch.size >= RECORD_BATCH_HEAD_SIZE);
    if (where.topic_id >= LOG_TOPIC_BORROWED)
        commit_refuse(commit, ERR_NOT_FOUND, "the topic is not known to the service");
    if (commit_bytes(commit) + batch.size > COMMIT_BYTES_MAX)
        commit_refuse(commit, ERR_LIMIT, "a commit is larger than COMMIT_BYTES_MAX");
    if (commit->error.code != ERR_OK)
        return;
    buf_u32_le(&commit->records, where.topic_id);
    buf_u32_le(&commit->records, where.partition);
    buf_u32_le(&commit->records, batch.size);
    buf_bytes(&commit->records, batch);
}

/* Whether it has entries of such a type. */
static bool commit_has(const Commit *commit, EntryType type) {
    assert(commit->body.data || commit->body.size == 0);
    Bytes entries = buf_view(&commit->body);
    FrameEntry entry;
    bool damaged = false;
    while (frame_next_entry(&entries, &entry, &damaged))
        if (entry.type == type)
            return true;
    assert(!damaged);
    return false;
}

bool commit_is_remote(const Commit *commit) {
    assert(commit);
    if (!commit->apart || commit->local)
        return false;
    Commit *open = (Commit *)(uintptr_t)commit; /* an open entry has no length yet */
    commit_close_entry(open);
    return commit->slot != COMMIT_NO_SLOT || commit->append_count > 0 || commit->topic_count > 0 ||
           commit_has(commit, ENTRY_CATALOG);
}

bool commit_is_records(const Commit *commit) {
    assert(commit);
    return commit_is_remote(commit) && commit->slot == COMMIT_NO_SLOT && commit->topic_count == 0 &&
           commit->append_count > 0 && !commit_has(commit, ENTRY_CATALOG);
}

static uint64_t notes_bytes(const Commit *commit) {
    assert(commit->apart);
    return ((uint64_t)commit->state_entries + COMMIT_NOTES_MORE) * COMMIT_NOTE_BYTES;
}

/* At least what the journal will need for the rest and its notes; 0: nothing comes there. */
static uint64_t commit_space(const Commit *commit) {
    assert(commit->open_at == COMMIT_NONE_OPEN);
    if (commit->body.size == 0 && commit->slot == COMMIT_NO_SLOT)
        return 0;
    uint32_t part = ENTRY_HEAD_SIZE + ENTRY_PART_SIZE;
    uint64_t bytes = 0;
    for (size_t i = 0; i < commit->frame_count; i++)
        bytes += frame_align(frame_size(0, commit->frames[i].size), GROUP_ALIGN);
    uint32_t rest = (uint32_t)commit->body.size - commit->frame_start;
    bytes += frame_align(frame_size(0, rest + part), GROUP_ALIGN);
    uint32_t notes = (uint32_t)notes_bytes(commit);
    return bytes + frame_align(frame_size(0, notes + 2 * part), GROUP_ALIGN);
}

ErrCode commit_submit_remote(Commit *commit, CommitDoneFn *done, void *arg, Err *err) {
    Storage *storage = commit->storage;
    Cluster *cluster = storage->cluster;
    assert(!commit->remote && commit->journal_bytes == 0);
    commit_close_entry(commit);
    if (commit->body.size + notes_bytes(commit) > COMMIT_BYTES_MAX)
        commit_refuse(commit, ERR_LIMIT, "a commit is larger than COMMIT_BYTES_MAX");
    TRY(commit_check(commit, err));
    commit->reserved_bytes = commit_space(commit);
    if (commit->reserved_bytes > 0)
        TRY(commit_reserve(commit, commit->reserved_bytes, err));
    commit->done = done;
    commit->arg = arg;
    commit->remote = true;
    atomic_fetch_add(&storage->remote_count, 1);
    cluster->ops->submit(cluster, commit);
    return ERR_OK;
}

/* == The answer =============================================================================== */

static void note_offsets(Commit *commit, const int64_t *base_offsets) {
    assert(base_offsets || commit->append_count == 0);
    for (size_t i = 0; i < commit->append_count; i++) {
        CommitAppended *appended = &commit->appended[i];
        appended->base_offset = base_offsets[i];
        appended->last_offset = base_offsets[i] + commit->appends[i].count - 1;
        commit->base_offsets[i] = base_offsets[i];
        assert(base_offsets[i] >= 0);
        storage_seen_end(commit->storage, appended->where, appended->last_offset + 1);
    }
}

void commit_accept(Commit *commit, const int64_t *base_offsets, const ClusterNote *notes,
                   uint32_t note_count) {
    Storage *storage = commit->storage;
    assert(commit->remote);
    note_offsets(commit, base_offsets);
    assert(note_count == 0 || commit->reserved_bytes > 0);
    assert(note_count <= commit->state_entries + COMMIT_NOTES_MORE);
    for (uint32_t i = 0; i < note_count; i++) {
        assert(notes[i].key.size + notes[i].value.size + 16 <= COMMIT_NOTE_BYTES);
        commit_put(commit, STORE_CLUSTER, notes[i].key, notes[i].value);
    }
    assert(commit->error.code == ERR_OK);
    if (commit->body.size > 0)
        commit_seal(commit);
    assert(commit->journal_bytes <= commit->reserved_bytes);
    if (commit->journal_bytes < commit->reserved_bytes)
        journal_unreserve(&storage->journal, commit->reserved_bytes - commit->journal_bytes);
    writer_push(storage, commit);
}

void commit_reject(Commit *commit, const Err *cause) {
    assert(commit->remote && commit->result != COMMIT_ABORTED);
    assert(cause->code != ERR_OK);
    commit->result = COMMIT_ABORTED;
    commit->error = *cause;
    commit->journal_bytes = commit->reserved_bytes;
    writer_push(commit->storage, commit);
}

ErrCode commit_local_wait(Commit *commit, Err *err) {
    assert(!commit->remote && commit->append_count == 0);
    assert(commit->slot == COMMIT_NO_SLOT);
    commit->local = true;
    return commit_wait(commit, NULL, err);
}
