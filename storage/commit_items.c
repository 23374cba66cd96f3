/*
 * commit_items.c - what a commit consists of, as the cluster reads it; and as bytes of a command,
 * for other folders of the service. See cluster.h.
 *
 * saved := version u8 = 1, next_id u32, owner u32, entries as in a frame, without records.
 * What is loaded is foreign: each entry is read and added again.
 */
#include <assert.h>

#include "base/reader.h"
#include "storage/cluster_impl.h"
#include "storage/commit_impl.h"

enum { SAVED_VERSION = 1 };

/* == Items ==================================================================================== */

void commit_items(const Commit *commit, CommitItems *items) {
    assert(commit->open_at == COMMIT_NONE_OPEN);
    assert(items);
    *items = (CommitItems){.commit = commit, .entries = buf_view(&commit->body),
                           .records = buf_view(&commit->records)};
}

/* false: one that is only forgotten. */
static bool item_topic(CommitItems *items, CommitItem *item) {
    const Commit *commit = items->commit;
    assert(items->topic_index < commit->topic_count);
    const CommitTopic *topic = &commit->topics[items->topic_index++];
    bool made = topic->kind == ENTRY_CREATE;
    *item = (CommitItem){
        .kind = made ? COMMIT_ITEM_TOPIC_CREATE : COMMIT_ITEM_TOPIC_DELETE,
        .where = {topic->id, topic->partitions},
        .name = made ? topic->name : topic->gone_name,
        .config = topic->config,
    };
    return item->name != NULL;
}

/* The next one of an open STATE or SRCOFF entry. */
static void item_of_entry(CommitItems *items, CommitItem *item) {
    assert(items->rest.size > 0);
    Reader reader = reader_of(items->rest);
    *item = (CommitItem){.id = items->id};
    if (items->type == ENTRY_SRCOFF) {
        item->kind = COMMIT_ITEM_POSITION;
        item->where.topic_id = reader_u32_le(&reader);
        item->where.partition = reader_u32_le(&reader);
        item->offset = (int64_t)reader_u64_le(&reader);
        (void)reader_u32_le(&reader);
    } else {
        uint8_t op = reader_u8(&reader);
        item->kind = op == STATE_PUT      ? COMMIT_ITEM_PUT
                     : op == STATE_REMOVE ? COMMIT_ITEM_REMOVE
                                          : COMMIT_ITEM_REMOVE_RANGE;
        item->key = reader_bytes(&reader, (uint32_t)reader_varint(&reader));
        if (op != STATE_REMOVE)
            item->value = reader_bytes(&reader, (uint32_t)reader_varint(&reader));
    }
    assert(reader_ok(&reader));
    items->rest = (Bytes){reader.next, reader_left(&reader)};
}

/* Begins an entry; true: it is an item by itself. */
static bool item_begin(CommitItems *items, const FrameEntry *entry, CommitItem *item) {
    assert(items->rest.size == 0);
    Reader reader = reader_of(entry->body);
    switch (entry->type) {
    case ENTRY_STATE:
    case ENTRY_SRCOFF:
        items->type = entry->type;
        items->id = reader_u32_le(&reader);
        if (entry->type == ENTRY_SRCOFF)
            (void)reader_u64_le(&reader);
        items->rest = (Bytes){reader.next, reader_left(&reader)};
        return false;
    case ENTRY_TOPIC:
        return item_topic(items, item);
    case ENTRY_CATALOG:
        *item = (CommitItem){.kind = COMMIT_ITEM_CATALOG};
        return true;
    default:
        return false;
    }
}

static void item_record(CommitItems *items, CommitItem *item) {
    assert(items->records.size >= 12);
    Reader reader = reader_of(items->records);
    *item = (CommitItem){.kind = COMMIT_ITEM_APPEND};
    item->where.topic_id = reader_u32_le(&reader);
    item->where.partition = reader_u32_le(&reader);
    item->value = reader_bytes(&reader, reader_u32_le(&reader));
    assert(reader_ok(&reader));
    items->records = (Bytes){reader.next, reader_left(&reader)};
}

bool commit_item_next(CommitItems *items, CommitItem *item) {
    assert(items->commit);
    FrameEntry entry;
    bool damaged = false;
    for (;;) {
        if (items->rest.size > 0) {
            item_of_entry(items, item);
            return true;
        }
        if (!frame_next_entry(&items->entries, &entry, &damaged))
            break;
        if (item_begin(items, &entry, item))
            return true;
    }
    assert(!damaged);
    if (items->records.size == 0)
        return false;
    item_record(items, item);
    return true;
}

/* == Saved ==================================================================================== */

void commit_save(const Commit *commit, Buf *target) {
    assert(commit->open_at == COMMIT_NONE_OPEN);
    assert(target);
    buf_u8(target, SAVED_VERSION);
    buf_u32_le(target, atomic_load(&commit->storage->next_id));
    buf_u32_le(target, commit->owner_id);
    buf_bytes(target, buf_view(&commit->body));
}

static bool load_state(Commit *commit, Bytes body) {
    assert(!commit->remote);
    Reader reader = reader_of(body);
    uint32_t store_id = reader_u32_le(&reader);
    while (reader_ok(&reader) && reader_left(&reader) > 0) {
        uint8_t op = reader_u8(&reader);
        Bytes other = {NULL, 0}, key = reader_bytes(&reader, (uint32_t)reader_varint(&reader));
        if (op == STATE_PUT || op == STATE_REMOVE_RANGE)
            other = reader_bytes(&reader, (uint32_t)reader_varint(&reader));
        if (!reader_ok(&reader) || op < STATE_PUT || op > STATE_REMOVE_RANGE)
            return false;
        if (store_id == STORE_SYSTEM) { /* commit_positions_drop() alone: type u8, task u32 */
            Reader task = reader_of(key);
            if (op != STATE_REMOVE_RANGE || reader_u8(&task) != SYSTEM_POSITION)
                return false;
            commit_positions_drop(commit, reader_u32_be(&task));
            if (!reader_ok(&task) || reader_left(&task) > 0)
                return false;
        } else if (op == STATE_PUT) {
            commit_put(commit, store_id, key, other);
        } else if (op == STATE_REMOVE) {
            commit_remove(commit, store_id, key);
        } else {
            commit_remove_range(commit, store_id, key, other);
        }
    }
    return reader_ok(&reader);
}

static bool load_positions(Commit *commit, Bytes body) {
    assert(!commit->remote);
    Reader reader = reader_of(body);
    uint32_t task_id = reader_u32_le(&reader);
    (void)reader_u64_le(&reader);
    while (reader_ok(&reader) && reader_left(&reader) >= ENTRY_SOURCE_SIZE) {
        TopicPartition where;
        where.topic_id = reader_u32_le(&reader);
        where.partition = reader_u32_le(&reader);
        int64_t offset = (int64_t)reader_u64_le(&reader);
        (void)reader_u32_le(&reader);
        commit_position(commit, task_id, where, offset);
    }
    return reader_ok(&reader) && reader_left(&reader) == 0;
}

static bool load_catalog(Commit *commit, Bytes body) {
    assert(!commit->remote);
    Reader reader = reader_of(body);
    (void)reader_u32_le(&reader);
    uint8_t kind = reader_u8(&reader);
    Bytes key = reader_bytes(&reader, reader_u32_le(&reader));
    Bytes value = {reader.next, reader_left(&reader)};
    if (!reader_ok(&reader) || key.size == 0 || (kind != ENTRY_PUT && kind != ENTRY_REMOVE))
        return false;
    if (kind == ENTRY_PUT)
        commit_catalog_put(commit, key, value);
    else
        commit_catalog_remove(commit, key);
    return true;
}

static bool load_topic(Commit *commit, Bytes body) {
    assert(!commit->remote);
    Reader reader = reader_of(body);
    uint8_t kind = reader_u8(&reader);
    uint32_t id = reader_u32_le(&reader);
    (void)reader_u32_le(&reader);
    uint32_t partitions = reader_u32_le(&reader);
    Bytes name = {reader.next, reader_left(&reader)};
    if (!reader_ok(&reader) || id == 0 || id >= LOG_TOPIC_BORROWED)
        return false;
    if (kind == ENTRY_DELETE) {
        commit_topic_delete(commit, id);
        return true;
    }
    if (kind != ENTRY_CREATE || !topic_valid(name, partitions))
        return false;
    Buf text = {0};
    buf_bytes(&text, name);
    commit_topic_create(commit, id, buf_cstr(&text), partitions);
    buf_free(&text);
    return true;
}

static bool load_entry(Commit *commit, const FrameEntry *entry) {
    assert(entry->body.data || entry->body.size == 0);
    if (entry->version != ENTRY_VERSION)
        return false;
    switch (entry->type) {
    case ENTRY_STATE:
        return load_state(commit, entry->body);
    case ENTRY_SRCOFF:
        return load_positions(commit, entry->body);
    case ENTRY_CATALOG:
        return load_catalog(commit, entry->body);
    case ENTRY_TOPIC:
        return load_topic(commit, entry->body);
    case ENTRY_PART:
        return true;
    default:
        return false;
    }
}

Commit *commit_load(Storage *storage, Bytes saved, Err *err) {
    assert(storage && err);
    Reader reader = reader_of(saved);
    uint8_t version = reader_u8(&reader);
    uint32_t next_id = reader_u32_le(&reader), owner_id = reader_u32_le(&reader);
    if (!reader_ok(&reader) || version != SAVED_VERSION || next_id == 0 ||
        next_id > LOG_TOPIC_BORROWED) {
        err_report(err, ERR_CORRUPT, 0, 0,
                   "a command is damaged at its head, or of a newer version (%u)", version);
        return NULL;
    }
    system_see_id(storage, next_id - 1);
    Commit *commit = commit_new(storage, owner_id);
    Bytes entries = {reader.next, reader_left(&reader)};
    FrameEntry entry;
    bool damaged = false, good = true;
    while (good && frame_next_entry(&entries, &entry, &damaged))
        good = load_entry(commit, &entry);
    if (good && !damaged && commit->error.code == ERR_OK)
        return commit;
    if (commit->error.code != ERR_OK)
        *err = commit->error;
    else
        err_report(err, ERR_CORRUPT, 0, 0, "a command is damaged %u bytes before its end",
                   entries.size);
    commit_drop(commit);
    return NULL;
}
