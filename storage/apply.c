/*
 * apply.c - a durable commit takes effect: the only place that changes base state.
 *
 * The writer comes here after a sync and recovery comes here with what it reads, so what a crash
 * leaves is what running left. Entries are checked as foreign bytes: in recovery they are.
 *
 * Record batches lie in frames with base offset 0. They are copied once, together, into a block of
 * their own, get their offsets there, and serve readers from it: neither padding nor state keeps
 * memory while a tail waits for its segment. A commit of this process that is nearly all batches
 * is not copied: its memory becomes the block.
 */
#include <assert.h>

#include "base/mem.h"
#include "storage/storage_impl.h"

typedef struct Apply {
    Storage *storage;
    const ApplyInput *input;
    LogBlock *block; /* of all batches of the commit; NULL until there is one */
    bool taken;      /* the block is the commit's body: batches lie where they are to be */
    uint8_t *batches;
    uint32_t batches_size, batches_used;
    uint32_t append_index;
    Buf key, key_max; /* with the store id */
    Err *err;
} Apply;

static ErrCode apply_damaged(Apply *apply, const char *what) {
    assert(apply->err);
    assert(what);
    return err_set(apply->err, ERR_CORRUPT, "journal, LSN %llu: damaged %s entry",
                   (unsigned long long)apply->input->lsn, what);
}

/* == Records ================================================================================== */

/* How large the block must be. */
static uint32_t apply_batches_size(Bytes entries) {
    assert(entries.data || entries.size == 0);
    uint32_t size = 0;
    FrameEntry entry;
    bool damaged = false;
    while (frame_next_entry(&entries, &entry, &damaged))
        if (entry.type == ENTRY_APPEND && entry.body.size > 8)
            size += entry.body.size - 8;
    return size;
}

/* Makes the block; *entries may move into it. */
static void apply_make_block(Apply *apply, Bytes *entries) {
    assert(!apply->block);
    assert(apply->input->offset_count > 0);
    Buf *body = apply->input->body;
    apply->batches_size = apply_batches_size(*entries);
    apply->taken = body && entries->size - apply->batches_size <= entries->size / 8;
    if (apply->taken) {
        assert(entries->data == body->data && entries->size == body->size);
        if (body->capacity - body->size > body->size / 2) /* more room than bytes to come */
            body->data = mem_resize(body->data, body->capacity = body->size);
        apply->block = log_block_take_spare(body->data, body->capacity, buf_view(body),
                                            &apply->storage->spare);
        *entries = log_block_bytes(apply->block);
        *body = (Buf){0};
        return;
    }
    size_t capacity = apply->batches_size;
    if (capacity < SPARE_MEMORY_STEP)
        apply->batches = mem_resize(NULL, capacity);
    else
        apply->batches = spare_memory_take(&apply->storage->spare, capacity, &capacity);
    apply->block = log_block_take_spare(apply->batches, capacity,
                                        (Bytes){apply->batches, apply->batches_size},
                                        &apply->storage->spare);
}

/* Where a batch lies in the block. */
static uint8_t *apply_place(Apply *apply, Bytes batch) {
    assert(batch.size > 0);
    if (apply->taken)
        return (uint8_t *)(uintptr_t)batch.data; /* our own memory, seen through a view */
    assert(apply->batches_used + batch.size <= apply->batches_size);
    uint8_t *target = apply->batches + apply->batches_used;
    apply->batches_used += batch.size;
    memcpy(target, batch.data, batch.size);
    return target;
}

static uint32_t batch_u32(Bytes batch, uint32_t at) {
    assert(at + 4 <= batch.size);
    Reader reader = reader_of((Bytes){batch.data + at, 4});
    return reader_u32_be(&reader);
}

static int64_t batch_i64(Bytes batch, uint32_t at) {
    assert(at + 8 <= batch.size);
    Reader reader = reader_of((Bytes){batch.data + at, 8});
    return (int64_t)reader_u64_be(&reader);
}

/* The facts of a batch. One that came in a commit of this process is believed; one that recovery
 * read is checked. */
static ErrCode apply_batch_info(Apply *apply, Bytes batch, RecordBatchInfo *info) {
    assert(info);
    if (!apply->input->checked) {
        TRY(record_batch_check(batch, info, apply->err));
        if (info->size != batch.size || info->base_offset != 0)
            return apply_damaged(apply, "APPEND");
        return ERR_OK;
    }
    assert(batch.size >= RECORD_BATCH_HEAD_SIZE);
    *info = (RecordBatchInfo){
        .last_offset = batch_u32(batch, 23),
        .base_timestamp = batch_i64(batch, 27),
        .max_timestamp = batch_i64(batch, 35),
        .size = batch.size,
        .count = batch_u32(batch, 57),
    };
    return ERR_OK;
}

static ErrCode apply_partition(Apply *apply, Reader *reader, Topic **topic, uint32_t *partition) {
    assert(topic && partition);
    uint32_t topic_id = reader_u32_le(reader);
    *partition = reader_u32_le(reader);
    *topic = topics_find(&apply->storage->topics, topic_id);
    if (*topic && *partition < (*topic)->partition_count)
        return ERR_OK;
    if (*topic)
        topic_unref(*topic);
    return err_set(apply->err, ERR_CORRUPT,
                   "journal, LSN %llu: names topic %u, partition %u, which is not there",
                   (unsigned long long)apply->input->lsn, topic_id, *partition);
}

static ErrCode apply_append(Apply *apply, Bytes body) {
    assert(apply->block);
    Reader reader = reader_of(body);
    Topic *topic;
    uint32_t index;
    if (body.size < 8 + RECORD_BATCH_HEAD_SIZE ||
        apply->append_index >= apply->input->offset_count)
        return apply_damaged(apply, "APPEND");
    TRY(apply_partition(apply, &reader, &topic, &index));
    ErrCode code = ERR_OK;
    RecordBatchInfo info;
    Bytes batch = {reader.next, reader_left(&reader)};
    TRY_DONE(apply_batch_info(apply, batch, &info));
    int64_t start, end, base = apply->input->base_offsets[apply->append_index++];
    partition_offsets(topic->partitions[index], &start, &end);
    if (base != end) {
        code = err_set(apply->err, ERR_CORRUPT,
                       "journal, LSN %llu: offset %lld of topic %u, partition %u, whose end is "
                       "%lld", (unsigned long long)apply->input->lsn, (long long)base, topic->id,
                       index, (long long)end);
        goto done;
    }
    uint8_t *target = apply_place(apply, batch);
    record_batch_patch(target, base, 0);
    info.base_offset = base;
    info.last_offset += base;
    partition_append(topic->partitions[index], apply->block, (Bytes){target, batch.size}, &info);
    topic->next_offsets[index] = info.last_offset + 1;
done:
    topic_unref(topic);
    return code;
}

/* The file is there, synced, before the frame is. */
static ErrCode apply_segment(Apply *apply, Bytes body) {
    assert(apply->input->lsn > 0);
    Reader reader = reader_of(body);
    Topic *topic;
    uint32_t index;
    if (body.size < 12)
        return apply_damaged(apply, "SEGADD");
    TRY(apply_partition(apply, &reader, &topic, &index));
    uint32_t replaced = reader_u32_le(&reader);
    Bytes state = {reader.next, reader_left(&reader)};
    ErrCode code = replaced > 0
                       ? apply_damaged(apply, "SEGADD")
                       : partition_add_segment(topic->partitions[index], state, apply->err);
    topic_unref(topic);
    return code;
}

/* Of a topic that went in the meantime there is nothing to drop any more. */
static ErrCode apply_log_start(Apply *apply, Bytes body) {
    assert(apply->input->lsn > 0);
    Reader reader = reader_of(body);
    uint32_t id = reader_u32_le(&reader), index = reader_u32_le(&reader);
    int64_t start, end, wanted = (int64_t)reader_u64_le(&reader);
    if (body.size != 16 || wanted < 0)
        return apply_damaged(apply, "LOGSTART");
    Topic *topic = topics_find(&apply->storage->topics, id);
    if (!topic)
        return ERR_OK;
    if (index >= topic->partition_count) {
        topic_unref(topic);
        return apply_damaged(apply, "LOGSTART");
    }
    partition_offsets(topic->partitions[index], &start, &end);
    if (wanted > end)
        wanted = end;
    if (wanted > start)
        partition_set_start(topic->partitions[index], wanted);
    topic_unref(topic);
    return ERR_OK;
}

/* == Topics and the catalog =================================================================== */

static void apply_system_put(Apply *apply, Bytes key, Bytes value) {
    assert(key.size <= UINT32_MAX / 2);
    assert(key.size >= 5);
    memtable_put(&apply->storage->state, key, value);
}

static ErrCode apply_topic(Apply *apply, Bytes body) {
    assert(apply->input->lsn > 0);
    Storage *storage = apply->storage;
    Reader reader = reader_of(body);
    uint8_t kind = reader_u8(&reader), key[SYSTEM_KEY_SIZE];
    uint32_t id = reader_u32_le(&reader), next_id = reader_u32_le(&reader);
    uint32_t partitions = reader_u32_le(&reader);
    Bytes name = {reader.next, reader_left(&reader)};
    Topic *topic = topics_find(&storage->topics, id);
    bool exists = topic != NULL;
    if (topic)
        topic_unref(topic);
    if (!reader_ok(&reader) || exists != (kind == ENTRY_DELETE))
        return apply_damaged(apply, "TOPIC");
    system_see_id(storage, id);
    if (next_id > 0)
        system_see_id(storage, next_id - 1);
    if (kind == ENTRY_DELETE) {
        memtable_remove(&storage->state, system_topic_key(key, id));
        topics_drop(&storage->topics, id, apply->input->lsn);
        return ERR_OK;
    }
    if (kind != ENTRY_CREATE || !topic_valid(name, partitions))
        return apply_damaged(apply, "TOPIC");
    Buf value = {0};
    buf_u32_le(&value, partitions);
    buf_bytes(&value, name);
    apply_system_put(apply, system_topic_key(key, id), buf_view(&value));
    topic = topic_new_from(storage->io, storage->folder, id, buf_view(&value));
    topics_add(&storage->topics, topic);
    buf_free(&value);
    return ERR_OK;
}

static ErrCode apply_catalog(Apply *apply, Bytes body) {
    assert(apply->input->lsn > 0);
    Reader reader = reader_of(body);
    uint32_t next_id = reader_u32_le(&reader);
    uint8_t kind = reader_u8(&reader);
    Bytes key = reader_bytes(&reader, reader_u32_le(&reader));
    Bytes value = {reader.next, reader_left(&reader)};
    if (!reader_ok(&reader) || (kind != ENTRY_PUT && kind != ENTRY_REMOVE))
        return apply_damaged(apply, "CATALOG");
    if (next_id > 0)
        system_see_id(apply->storage, next_id - 1);
    buf_reset(&apply->key);
    buf_u32_be(&apply->key, STORE_SYSTEM);
    buf_u8(&apply->key, SYSTEM_CATALOG);
    buf_bytes(&apply->key, key);
    if (kind == ENTRY_PUT)
        apply_system_put(apply, buf_view(&apply->key), value);
    else
        memtable_remove(&apply->storage->state, buf_view(&apply->key));
    return ERR_OK;
}

/* == State ==================================================================================== */

static ErrCode apply_positions(Apply *apply, Bytes body) {
    assert(apply->input->lsn > 0);
    Reader reader = reader_of(body);
    uint32_t task_id = reader_u32_le(&reader);
    (void)reader_u64_le(&reader); /* commit_seq: for people who read dumps */
    if (!reader_ok(&reader) || reader_left(&reader) % ENTRY_SOURCE_SIZE != 0)
        return apply_damaged(apply, "SRCOFF");
    system_see_id(apply->storage, task_id);
    while (reader_left(&reader) > 0) {
        uint8_t key[SYSTEM_KEY_SIZE];
        uint32_t topic_id = reader_u32_le(&reader), partition = reader_u32_le(&reader);
        Bytes value = reader_bytes(&reader, 12);
        Reader number = reader_of(value);
        Bytes found = system_position_key(key, task_id, (TopicPartition){topic_id, partition});
        if ((int64_t)reader_u64_le(&number) < 0)
            memtable_remove(&apply->storage->state, found);
        else
            apply_system_put(apply, found, value);
    }
    return ERR_OK;
}

static void apply_remove_range(Apply *apply, uint32_t store_id, Bytes key_min, Bytes key_max) {
    assert(key_min.data || key_min.size == 0);
    state_key(&apply->key, store_id, key_min);
    if (key_max.size > 0 || store_id == UINT32_MAX)
        state_key(&apply->key_max, store_id, key_max);
    else
        state_key(&apply->key_max, store_id + 1, key_max);
    bool to_end = key_max.size == 0 && store_id == UINT32_MAX;
    memtable_remove_range(&apply->storage->state, buf_view(&apply->key),
                          to_end ? (Bytes){NULL, 0} : buf_view(&apply->key_max));
}

static ErrCode apply_state(Apply *apply, Bytes body) {
    assert(apply->input->lsn > 0);
    Reader reader = reader_of(body);
    uint32_t store_id = reader_u32_le(&reader);
    Memtable *state = &apply->storage->state;
    system_see_id(apply->storage, store_id);
    while (reader_ok(&reader) && reader_left(&reader) > 0) {
        uint8_t op = reader_u8(&reader);
        Bytes key = reader_bytes(&reader, (uint32_t)reader_varint(&reader));
        Bytes other = {NULL, 0};
        if (op == STATE_PUT || op == STATE_REMOVE_RANGE)
            other = reader_bytes(&reader, (uint32_t)reader_varint(&reader));
        if (!reader_ok(&reader) || op < STATE_PUT || op > STATE_REMOVE_RANGE)
            return apply_damaged(apply, "STATE");
        if (op == STATE_REMOVE_RANGE) {
            apply_remove_range(apply, store_id, key, other);
            continue;
        }
        state_key(&apply->key, store_id, key);
        if (op == STATE_PUT)
            memtable_put(state, buf_view(&apply->key), other);
        else
            memtable_remove(state, buf_view(&apply->key));
    }
    return reader_ok(&reader) ? ERR_OK : apply_damaged(apply, "STATE");
}

/* == Commits ================================================================================== */

static ErrCode apply_entry(Apply *apply, const FrameEntry *entry) {
    assert(entry->body.data || entry->body.size == 0);
    if (entry->version == ENTRY_VERSION) {
        switch (entry->type) {
        case ENTRY_APPEND:
            return apply_append(apply, entry->body);
        case ENTRY_SEGADD:
            return apply_segment(apply, entry->body);
        case ENTRY_STATE:
            return apply_state(apply, entry->body);
        case ENTRY_SRCOFF:
            return apply_positions(apply, entry->body);
        case ENTRY_CATALOG:
            return apply_catalog(apply, entry->body);
        case ENTRY_LOGSTART:
            return apply_log_start(apply, entry->body);
        case ENTRY_TOPIC:
            return apply_topic(apply, entry->body);
        case ENTRY_MARK:
        case ENTRY_PART:
            return ERR_OK;
        default:
            break;
        }
    }
    if (!(entry->flags & ENTRY_REQUIRED))
        return ERR_OK;
    return err_set(apply->err, ERR_UNSUPPORTED,
                   "journal, LSN %llu: entry type %u version %u was written by a newer version",
                   (unsigned long long)apply->input->lsn, entry->type, entry->version);
}

ErrCode apply_commit(Storage *storage, const ApplyInput *input, Err *err) {
    assert(!input->checked || input->body);
    assert(input->base_offsets || input->offset_count == 0);
    Apply apply = {.storage = storage, .input = input, .err = err};
    Bytes entries = input->entries;
    FrameEntry entry;
    bool damaged = false;
    assert(input->lsn > 0);
    if (input->offset_count > 0)
        apply_make_block(&apply, &entries);
    ErrCode code = ERR_OK;
    lock_take(&storage->state_lock);
    while (code == ERR_OK && frame_next_entry(&entries, &entry, &damaged))
        code = apply_entry(&apply, &entry);
    if (code == ERR_OK && (damaged || apply.append_index != input->offset_count))
        code = apply_damaged(&apply, "frame's");
    if (code == ERR_OK)
        atomic_store(&storage->visible_lsn, input->lsn);
    lock_release(&storage->state_lock);
    if (apply.block)
        log_block_unref(apply.block);
    buf_free(&apply.key);
    buf_free(&apply.key_max);
    return code;
}
