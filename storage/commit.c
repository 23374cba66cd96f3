/* commit.c - see commit.h and commit_impl.h: builds the entries of a commit and hands it over. */
#include "storage/commit_impl.h"

#include <assert.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "storage/cluster_impl.h"
#include "storage/storage_impl.h"

enum {
    COMMIT_ENTRY_BYTES = 64 << 10, /* a STATE entry larger than that is closed: frames cut there */
    COMMIT_HEADS_BYTES = 16 << 10, /* expected beside batches and state: heads, positions */
    COMMIT_PART_BYTES = ENTRY_HEAD_SIZE + ENTRY_PART_SIZE,
    COMMIT_FIXED_BYTES = 32, /* of an entry: its head, ids, kinds and sizes */
};

Commit *commit_new(Storage *storage, uint32_t owner_id) {
    assert(storage);
    assert(storage);
    Commit *commit = mem_alloc(sizeof *commit);
    commit->storage = storage;
    commit->owner_id = owner_id;
    commit->seq = atomic_fetch_add(&storage->commit_seq, 1);
    commit->open_at = COMMIT_NONE_OPEN;
    commit->frame_bytes_max = storage->options.frame_bytes_max;
    commit->apart = storage->cluster != NULL;
    commit->slot = COMMIT_NO_SLOT;
    return commit;
}

/* After a failure its frame may be on disk all the same: then recovery wants the files. */
static void commit_end_segments(Commit *commit) {
    assert(commit->segments || commit->segment_count == 0);
    bool keep = commit->lsn > 0 || storage_failed(commit->storage);
    for (size_t i = 0; i < commit->segment_count; i++)
        segment_add_end(commit->segments[i].add, keep);
    commit->segment_count = 0;
}

void commit_drop(Commit *commit) {
    if (!commit)
        return;
    for (size_t i = 0; i < commit->topic_count; i++) {
        mem_free(commit->topics[i].name);
        mem_free(commit->topics[i].gone_name);
        mem_free((void *)(uintptr_t)commit->topics[i].config);
    }
    buf_free(&commit->records);
    buf_free(&commit->statement);
    commit_end_segments(commit);
    mem_free(commit->segments);
    spare_memory_give(&commit->storage->spare, commit->body.data, commit->body.capacity);
    mem_free(commit->frames);
    mem_free(commit->appends);
    mem_free(commit->appended);
    mem_free(commit->base_offsets);
    mem_free(commit->topics);
    mem_free(commit);
}

size_t commit_bytes(const Commit *commit) {
    assert(commit->body.size <= COMMIT_BYTES_MAX + FRAME_BYTES_MAX);
    assert(commit);
    return commit->body.size + commit->records.size;
}

void commit_expect(Commit *commit, size_t bytes) {
    assert(commit->frame_count == 0);
    assert(commit->body.size == 0);
    Buf *body = &commit->body;
    if (bytes < SPARE_MEMORY_STEP || body->data)
        return;
    body->data = spare_memory_take(&commit->storage->spare, bytes + COMMIT_HEADS_BYTES,
                                   &body->capacity);
}

/* == Entries ================================================================================== */

void commit_close_entry(Commit *commit) {
    assert(commit->open_at == COMMIT_NONE_OPEN || commit->open_at < commit->body.size);
    if (commit->open_at == COMMIT_NONE_OPEN)
        return;
    uint32_t size = (uint32_t)commit->body.size - commit->open_at - ENTRY_HEAD_SIZE;
    uint8_t *head = commit->body.data + commit->open_at;
    for (uint32_t i = 0; i < 4; i++)
        head[4 + i] = (uint8_t)(size >> 8 * i);
    commit->open_at = COMMIT_NONE_OPEN;
}

static void commit_open_entry(Commit *commit, uint8_t type, uint32_t id) {
    assert(commit->open_at == COMMIT_NONE_OPEN);
    assert(type > 0);
    assert(commit->open_at == COMMIT_NONE_OPEN);
    commit->open_at = (uint32_t)commit->body.size;
    commit->open_type = type;
    commit->open_id = id;
    commit->frame_entries++;
    commit->state_entries += type == ENTRY_STATE;
    buf_u8(&commit->body, type);
    buf_u8(&commit->body, ENTRY_REQUIRED);
    buf_u16_le(&commit->body, ENTRY_VERSION);
    buf_u32_le(&commit->body, 0);
}

static void commit_add_part(Commit *commit) {
    commit_open_entry(commit, ENTRY_PART, 0);
    buf_u32_le(&commit->body, commit->owner_id);
    buf_u64_le(&commit->body, commit->seq);
    buf_u32_le(&commit->body, (uint32_t)commit->frame_count);
    commit_close_entry(commit);
}

static void commit_end_frame(Commit *commit) {
    assert(commit->frame_start < commit->body.size);
    assert(commit->open_at == COMMIT_NONE_OPEN);
    assert(commit->frame_entries > 0);
    commit->frames = mem_grow(commit->frames, &commit->frame_capacity, commit->frame_count + 1,
                              sizeof *commit->frames);
    uint32_t end = (uint32_t)commit->body.size;
    commit->frames[commit->frame_count++] = (CommitFrame){
        .start = commit->frame_start,
        .size = end - commit->frame_start,
        .entry_count = commit->frame_entries,
        .append_first = commit->frame_append_first,
        .append_count =
            commit->apart ? 0 : (uint32_t)commit->append_count - commit->frame_append_first,
    };
    commit->frame_start = end;
    commit->frame_entries = 0;
    commit->frame_append_first = (uint32_t)commit->append_count;
}

bool commit_refuse(Commit *commit, ErrCode code, const char *text) {
    assert(code != ERR_OK);
    if (commit->error.code == ERR_OK)
        (void)!err_set(&commit->error, code, "%s", text);
    return false;
}

/* Makes room for `size` bytes inside an entry of that type and id: goes on with the open one where
 * it may, else opens one, in a new frame if need be. false: the commit is refused. */
bool commit_begin(Commit *commit, uint8_t type, uint32_t id, size_t size) {
    assert(commit->journal_bytes == 0);
    assert(commit->frame_start <= commit->body.size);
    assert(commit->frame_count == 0 || commit->frame_start > 0);
    if (commit->error.code != ERR_OK)
        return false;
    size_t most = commit->frame_bytes_max - COMMIT_PART_BYTES;
    if (size > most - COMMIT_FIXED_BYTES)
        return commit_refuse(commit, ERR_LIMIT,
                             "a record batch, key or value is too large for one frame "
                             "(FRAME_BYTES_MAX)");
    if (commit->body.size + size > COMMIT_BYTES_MAX)
        return commit_refuse(commit, ERR_LIMIT, "a commit is larger than COMMIT_BYTES_MAX");
    size_t filled = commit->body.size - commit->frame_start;
    bool open = commit->open_at != COMMIT_NONE_OPEN && commit->open_type == type &&
                commit->open_id == id && (type == ENTRY_STATE || type == ENTRY_SRCOFF);
    if (open && commit->body.size - commit->open_at < COMMIT_ENTRY_BYTES && filled + size <= most)
        return true;
    commit_close_entry(commit);
    if (filled + size + COMMIT_FIXED_BYTES > most && commit->frame_entries > 0) {
        commit_add_part(commit);
        commit_end_frame(commit);
    }
    commit_open_entry(commit, type, id);
    if (type == ENTRY_STATE) {
        buf_u32_le(&commit->body, id);
    } else if (type == ENTRY_SRCOFF) {
        buf_u32_le(&commit->body, id);
        buf_u64_le(&commit->body, commit->seq);
    }
    return true;
}

void commit_position(Commit *commit, uint32_t task_id, TopicPartition source, int64_t next_offset) {
    assert(commit->journal_bytes == 0);
    if (!commit_begin(commit, ENTRY_SRCOFF, task_id, ENTRY_SOURCE_SIZE))
        return;
    buf_u32_le(&commit->body, source.topic_id);
    buf_u32_le(&commit->body, source.partition);
    buf_u64_le(&commit->body, (uint64_t)next_offset);
    buf_u32_le(&commit->body, 0);
}

static void commit_op(Commit *commit, StateOp op, Bytes first, const Bytes *second) {
    assert(commit->open_at != COMMIT_NONE_OPEN);
    assert(first.data || first.size == 0);
    Buf *body = &commit->body;
    buf_u8(body, (uint8_t)op);
    buf_varint(body, first.size);
    buf_bytes(body, first);
    if (second) {
        buf_varint(body, second->size);
        buf_bytes(body, *second);
    }
    assert(commit->open_type == ENTRY_STATE);
}

static size_t op_size(size_t first, size_t second) {
    return 1 + 5 + first + 5 + second;
}

void commit_put(Commit *commit, uint32_t store_id, Bytes key, Bytes value) {
    assert(value.data || value.size == 0);
    commit->adds = true;
    assert(store_id != STORE_SYSTEM);
    if (commit_begin(commit, ENTRY_STATE, store_id, op_size(key.size, value.size)))
        commit_op(commit, STATE_PUT, key, &value);
}

void commit_remove(Commit *commit, uint32_t store_id, Bytes key) {
    assert(key.data || key.size == 0);
    commit->removes = true;
    assert(store_id != STORE_SYSTEM);
    if (commit_begin(commit, ENTRY_STATE, store_id, op_size(key.size, 0)))
        commit_op(commit, STATE_REMOVE, key, NULL);
}

void commit_remove_range(Commit *commit, uint32_t store_id, Bytes key_min, Bytes key_max) {
    assert(key_min.data || key_min.size == 0);
    commit->removes = true;
    assert(store_id != STORE_SYSTEM);
    if (commit_begin(commit, ENTRY_STATE, store_id, op_size(key_min.size, key_max.size)))
        commit_op(commit, STATE_REMOVE_RANGE, key_min, &key_max);
}

void commit_positions_drop(Commit *commit, uint32_t task_id) {
    uint8_t from[SYSTEM_KEY_SIZE], to[SYSTEM_KEY_SIZE];
    assert(task_id < UINT32_MAX);
    Bytes key_min = system_task_key(from, task_id), key_max = system_task_key(to, task_id + 1);
    key_min = (Bytes){key_min.data + 4, key_min.size - 4};
    key_max = (Bytes){key_max.data + 4, key_max.size - 4};
    if (commit_begin(commit, ENTRY_STATE, STORE_SYSTEM, op_size(key_min.size, key_max.size)))
        commit_op(commit, STATE_REMOVE_RANGE, key_min, &key_max);
}

void commit_append(Commit *commit, TopicPartition where, const RecordBatch *batch) {
    assert(batch->max_timestamp >= INT64_MIN);
    commit->adds = true;
    assert(batch->count > 0);
    assert(batch->buf.size >= RECORD_BATCH_HEAD_SIZE);
    if (!commit->apart && !commit_begin(commit, ENTRY_APPEND, where.topic_id,
                                        batch->buf.size + 8))
        return;
    size_t needed = commit->append_count + 1;
    commit->appends = mem_grow(commit->appends, &commit->append_capacity, needed,
                               sizeof *commit->appends);
    commit->appended = mem_grow(commit->appended, &commit->appended_capacity, needed,
                                sizeof *commit->appended);
    commit->base_offsets = mem_grow(commit->base_offsets, &commit->offsets_capacity, needed,
                                    sizeof *commit->base_offsets);
    commit->appends[commit->append_count] = (CommitAppend){commit->frame_entries - 1, batch->count};
    commit->appended[commit->append_count] = (CommitAppended){where, -1, -1};
    commit->base_offsets[commit->append_count++] = -1;
    if (commit->apart) {
        commit_append_apart(commit, where, buf_view(&batch->buf));
        return;
    }
    buf_u32_le(&commit->body, where.topic_id);
    buf_u32_le(&commit->body, where.partition);
    buf_bytes(&commit->body, buf_view(&batch->buf));
    commit_close_entry(commit);
}

void commit_log_start(Commit *commit, TopicPartition where, int64_t start) {
    assert(commit->journal_bytes == 0);
    commit->removes = true;
    assert(start >= 0);
    if (!commit_begin(commit, ENTRY_LOGSTART, 0, 16))
        return;
    buf_u32_le(&commit->body, where.topic_id);
    buf_u32_le(&commit->body, where.partition);
    buf_u64_le(&commit->body, (uint64_t)start);
    commit_close_entry(commit);
}

static void commit_topic(Commit *commit, CommitTopic topic) {
    assert(topic.kind == ENTRY_CREATE || topic.kind == ENTRY_DELETE);
    assert((topic.kind == ENTRY_CREATE) == (topic.name != NULL));
    size_t size = topic.name ? strlen(topic.name) : 0;
    if (!commit_begin(commit, ENTRY_TOPIC, 0, size + 13)) {
        mem_free(topic.name);
        mem_free(topic.gone_name);
        return;
    }
    commit->topics = mem_grow(commit->topics, &commit->topic_capacity, commit->topic_count + 1,
                              sizeof *commit->topics);
    topic.appended = commit->append_count;
    commit->topics[commit->topic_count++] = topic;
    buf_u8(&commit->body, topic.kind);
    buf_u32_le(&commit->body, topic.id);
    buf_u32_le(&commit->body, atomic_load(&commit->storage->next_id));
    buf_u32_le(&commit->body, topic.partitions);
    buf_put(&commit->body, topic.name, size);
    commit_close_entry(commit);
}

void commit_topic_create(Commit *commit, uint32_t topic_id, const char *name, uint32_t partitions) {
    commit->adds = true;
    assert(name);
    if (strlen(name) == 0 || strlen(name) > TOPIC_NAME_BYTES_MAX)
        commit_refuse(commit, ERR_LIMIT, "a topic's name has 1 to 249 bytes");
    else if (partitions == 0 || partitions > PARTITIONS_MAX)
        commit_refuse(commit, ERR_LIMIT, "a topic has 1 to 1024 partitions");
    else
        commit_topic(commit, (CommitTopic){
                                 .kind = ENTRY_CREATE,
                                 .id = topic_id,
                                 .partitions = partitions,
                                 .name = mem_strdup(name),
                             });
}

void commit_topic_delete(Commit *commit, uint32_t topic_id) {
    assert(topic_id > 0);
    commit->removes = true;
    LogTopic topic;
    bool named = commit->apart && log_topic_get(commit->storage, topic_id, &topic);
    commit_topic(commit, (CommitTopic){.kind = ENTRY_DELETE, .id = topic_id,
                                       .gone_name = named ? mem_strdup(topic.name) : NULL});
}

void commit_topic_forget(Commit *commit, uint32_t topic_id) {
    assert(commit->apart);
    commit->removes = true;
    commit_topic(commit, (CommitTopic){.kind = ENTRY_DELETE, .id = topic_id});
}

static void commit_catalog(Commit *commit, uint8_t kind, Bytes key, Bytes value) {
    assert(kind == ENTRY_PUT || kind == ENTRY_REMOVE);
    assert(key.size > 0);
    if (!commit_begin(commit, ENTRY_CATALOG, 0, 9 + (size_t)key.size + value.size))
        return;
    buf_u32_le(&commit->body, atomic_load(&commit->storage->next_id));
    buf_u8(&commit->body, kind);
    buf_u32_le(&commit->body, key.size);
    buf_bytes(&commit->body, key);
    buf_bytes(&commit->body, value);
    commit_close_entry(commit);
}

void commit_catalog_put(Commit *commit, Bytes key, Bytes value) {
    commit->adds = true;
    commit_catalog(commit, ENTRY_PUT, key, value);
}

void commit_catalog_remove(Commit *commit, Bytes key) {
    commit->removes = true;
    commit_catalog(commit, ENTRY_REMOVE, key, (Bytes){NULL, 0});
}

/* == Handing over ============================================================================= */

void commit_seal(Commit *commit) {
    assert(commit->frames || commit->frame_count == 0);
    if (commit->journal_bytes > 0)
        return; /* a second attempt */
    commit_close_entry(commit);
    if (commit->body.size == 0) { /* it still has its place in the order */
        commit_open_entry(commit, ENTRY_MARK, 0);
        commit_close_entry(commit);
    }
    if (commit->frame_count > 0 && commit->frame_entries > 0)
        commit_add_part(commit);
    if (commit->frame_entries > 0)
        commit_end_frame(commit);
    for (size_t i = 0; i < commit->frame_count; i++) {
        CommitFrame *frame = &commit->frames[i];
        frame->hash = hash_bytes((Bytes){commit->body.data + frame->start, frame->size});
        commit->journal_bytes += frame_align(frame_size(frame->append_count, frame->size),
                                             GROUP_ALIGN);
    }
    assert(commit->frame_start == commit->body.size);
}

Commit *commit_new_mark(Storage *storage) {
    Commit *commit = commit_new(storage, 0);
    commit_seal(commit);
    assert(commit->frame_count == 1);
    return commit;
}

static bool commit_creates(const Commit *commit, uint32_t topic_id) {
    assert(topic_id > 0);
    for (size_t i = 0; i < commit->topic_count; i++)
        if (commit->topics[i].id == topic_id && commit->topics[i].kind == ENTRY_CREATE)
            return true;
    return false;
}

/* One partition cannot get both: which comes first would be decided twice. */
static bool commit_mixes(const Commit *commit) {
    assert(commit->segments || commit->segment_count == 0);
    for (size_t i = 0; i < commit->segment_count; i++)
        for (size_t j = 0; j < commit->append_count; j++)
            if (commit->segments[i].where.topic_id == commit->appended[j].where.topic_id &&
                commit->segments[i].where.partition == commit->appended[j].where.partition)
                return true;
    return false;
}

/* What the writer would refuse later is named here, where it can be returned. Waits for room in
 * tails where waiting is possible. */
ErrCode commit_check(Commit *commit, Err *err) {
    assert(commit->journal_bytes > 0 || commit->apart);
    Storage *storage = commit->storage;
    if (commit_mixes(commit))
        commit_refuse(commit, ERR_SEMANTIC, "a segment and appends for one partition");
    if (commit->error.code != ERR_OK) {
        *err = commit->error;
        return err->code;
    }
    for (size_t i = 0; i < commit->append_count; i++) {
        TopicPartition where = commit->appended[i].where;
        if (commit_creates(commit, where.topic_id))
            continue;
        Topic *topic = topics_find(&storage->topics, where.topic_id);
        if (!topic)
            return err_set(err, ERR_NOT_FOUND, "there is no topic with id %u", where.topic_id);
        bool there = where.partition < topic->partition_count;
        bool full = there && !commit->apart &&
                    partition_tail_bytes(topic->partitions[where.partition]) >
                                 storage->options.tail_bytes_max;
        topic_unref(topic);
        if (!there)
            return err_set(err, ERR_NOT_FOUND, "topic id %u has no partition %u", where.topic_id,
                           where.partition);
        if (full)
            checkpoint_wait_tails(storage);
    }
    return ERR_OK;
}

/* Space in the journal. Who only removes may have the reserve; the checkpoint that then gives the
 * space back is due at once. */
static ErrCode commit_take_space(Commit *commit, uint64_t bytes, Err *err) {
    assert(bytes > 0);
    assert(bytes % GROUP_ALIGN == 0);
    Storage *storage = commit->storage;
    bool removal = commit->removes && !commit->adds;
    if (!removal)
        return journal_reserve(&storage->journal, bytes, err);
    ErrCode code = journal_reserve_removal(&storage->journal, bytes, err);
    if (code != ERR_NO_SPACE)
        return code;
    bool given;
    TRY(reserve_give_up(storage, &given, err));
    if (!given)
        return code;
    checkpoint_request(storage);
    return journal_reserve_removal(&storage->journal, bytes, err);
}

ErrCode commit_reserve(Commit *commit, uint64_t bytes, Err *err) {
    assert(bytes > 0);
    ErrCode code = commit_take_space(commit, bytes, err);
    if (code == ERR_OK || code == ERR_NO_SPACE)
        return code;
    Err cause = *err;
    return storage_fail(commit->storage, &cause, err);
}

ErrCode commit_submit(Commit *commit, CommitDoneFn *done, void *arg, Err *err) {
    assert(!commit->done);
    assert(done || !arg);
    Storage *storage = commit->storage;
    TRY(storage_state(storage, err));
    if (commit_is_remote(commit))
        return commit_submit_remote(commit, done, arg, err);
    commit_seal(commit);
    TRY(commit_check(commit, err));
    TRY(commit_reserve(commit, commit->journal_bytes, err));
    commit->done = done;
    commit->arg = arg;
    writer_push(storage, commit);
    return ERR_OK;
}

void commit_finish(Commit *commit) {
    assert(commit->journal_bytes > 0 || commit->remote);
    CommitOutcome outcome = {
        .result = commit->result,
        .lsn = commit->lsn,
        .appended = commit->appended,
        .appended_count = (uint32_t)commit->append_count,
        .err = &commit->error,
    };
    assert(commit->result == COMMIT_ABORTED || commit->lsn > 0 || commit->remote);
    commit_end_segments(commit); /* who waits may open the next at once */
    if (commit->done)
        commit->done(commit->arg, &outcome);
    if (commit->remote)
        atomic_fetch_sub(&commit->storage->remote_count, 1);
    commit_drop(commit);
}

/* -- Tickets ----------------------------------------------------------------------------------- */

/* Belongs to who waits and to the commit, until both have done with it. */
typedef struct CommitAnswer {
    Storage *storage;
    bool done, left; /* with queue_lock */
    bool may_leave;
    int64_t first_offset;
    ErrCode code;
    Err err;
} CommitAnswer;

enum { TICKET_LOOK_US = 250000 };

static void commit_ticket_done(void *arg, const CommitOutcome *outcome) {
    assert(outcome->result == COMMIT_DURABLE || outcome->err);
    CommitAnswer *answer = arg;
    Storage *storage = answer->storage;
    assert(!answer->done);
    if (outcome->result == COMMIT_ABORTED) {
        answer->err = *outcome->err;
        answer->code = answer->err.code;
    } else if (outcome->appended_count > 0) {
        answer->first_offset = outcome->appended[0].base_offset;
    }
    lock_take(&storage->queue_lock);
    answer->done = true;
    bool left = answer->left;
    signal_all(&storage->changed);
    lock_release(&storage->queue_lock);
    if (left)
        mem_free(answer);
}

ErrCode commit_send(Commit *commit, CommitTicket *ticket, Err *err) {
    assert(ticket);
    assert(!writer_is_me(commit->storage));
    CommitAnswer *answer = mem_alloc(sizeof *answer);
    answer->storage = commit->storage;
    answer->first_offset = -1;
    answer->may_leave = commit_is_records(commit);
    ErrCode code = commit_submit(commit, commit_ticket_done, answer, err);
    ticket->answer = code == ERR_OK ? answer : NULL;
    if (code != ERR_OK) {
        mem_free(answer);
        commit_drop(commit);
    }
    return code;
}

/* false: it was left, and is the commit's alone. */
static bool answer_await(CommitAnswer *answer) {
    Storage *storage = answer->storage;
    uint32_t memory = 0;
    assert(storage->threads_running);
    lock_take(&storage->queue_lock);
    while (!answer->done) {
        if (!storage->cluster) {
            signal_wait(&storage->changed, &storage->queue_lock);
            continue;
        }
        if (signal_wait_for(&storage->changed, &storage->queue_lock, TICKET_LOOK_US))
            continue;
        lock_release(&storage->queue_lock);
        bool go_on = cluster_wait_on(storage, &memory);
        lock_take(&storage->queue_lock);
        if (!go_on && answer->may_leave && !answer->done) {
            answer->left = true;
            break;
        }
    }
    bool left = answer->left;
    lock_release(&storage->queue_lock);
    return !left;
}

ErrCode commit_ticket_wait(CommitTicket *ticket, int64_t *first_offset, Err *err) {
    assert(ticket);
    CommitAnswer *answer = ticket->answer;
    if (first_offset)
        *first_offset = -1;
    if (!answer)
        return ERR_OK;
    Storage *storage = answer->storage;
    assert(!writer_is_me(storage));
    ticket->answer = NULL;
    if (storage->threads_running && !answer_await(answer))
        return err_set(err, ERR_CANCELLED, "Interrupted before the cluster has said that the "
                       "records are written: they may still be.");
    while (!answer->done) {
        Err failure; /* the outcome says it too */
        (void)!storage_pump(storage, &failure);
    }
    if (first_offset)
        *first_offset = answer->first_offset;
    ErrCode code = answer->code;
    if (code != ERR_OK)
        *err = answer->err;
    mem_free(answer);
    return code;
}

ErrCode commit_wait(Commit *commit, int64_t *first_offset, Err *err) {
    assert(commit);
    CommitTicket ticket = {0};
    TRY(commit_send(commit, &ticket, err));
    return commit_ticket_wait(&ticket, first_offset, err);
}
