/* note.c - what the folder knows of the cluster: notes in STORE_CLUSTER, and tasks' positions. */
#include <assert.h>

#include "kafka/cluster_impl.h"
#include "storage/log.h"

ErrCode note_read(Storage *storage, Bytes key, Arena *arena, Bytes *value, Err *err) {
    assert(key.size > 0);
    Snapshot *snapshot = snapshot_open(storage);
    Bytes found = {NULL, 0};
    ErrCode code = store_get(snapshot, STORE_CLUSTER, &key, 1, &found, err);
    *value = (Bytes){NULL, 0};
    if (code == ERR_OK && found.data)
        *value = arena_bytes(arena, found);
    snapshot_close(snapshot);
    return code;
}

void note_put(Commit *commit, Bytes key, const uint8_t *value, uint32_t size) {
    assert(size > 0);
    commit_put(commit, STORE_CLUSTER, key, (Bytes){value, size});
}

static bool is_known(Storage *storage, const TaskPositions *task) {
    assert(storage);
    for (size_t i = 0; i < task->count; i++)
        if (log_position(storage, task->task_id, task->items[i].where) != task->items[i].next)
            return false;
    return true;
}

void note_positions(Storage *storage, const PositionTable *table, Commit **commit) {
    assert(table);
    for (size_t i = 0; i < table->count; i++) {
        const TaskPositions *task = &table->tasks[i];
        if (is_known(storage, task))
            continue;
        if (!*commit)
            *commit = commit_new(storage, 0);
        commit_positions_drop(*commit, task->task_id);
        for (size_t k = 0; k < task->count; k++)
            commit_position(*commit, task->task_id, task->items[k].where, task->items[k].next);
    }
}

/* 's', slot u32 be */
static void note_mark_key(uint32_t slot, uint8_t key[NOTE_MARK_KEY_SIZE]) {
    key[0] = 's';
    for (int i = 0; i < 4; i++)
        key[1 + i] = (uint8_t)(slot >> (24 - 8 * i));
}

void note_mark(uint32_t slot, const SlotMark *mark, NoteMark *note) {
    assert(mark->seq > 0);
    note_mark_key(slot, note->key);
    for (int i = 0; i < 8; i++)
        note->value[i] = (uint8_t)(mark->seq >> (8 * i));
    memcpy(note->value + 8, mark->author, AUTHOR_SIZE);
}

ErrCode note_mark_check(KafkaCluster *cluster, const Slot *slot, Err *err) {
    uint8_t key[NOTE_MARK_KEY_SIZE];
    Arena *arena = arena_new("kafka note", 0);
    Bytes value;
    note_mark_key(slot->index, key);
    ErrCode code = note_read(cluster->storage, (Bytes){key, sizeof key}, arena, &value, err);
    Reader reader = reader_of(value);
    uint64_t seq = code == ERR_OK && value.size > 0 ? reader_u64_le(&reader) : 0;
    bool same = seq == 0 || slot->found_mark.seq > seq ||
                (slot->found_mark.seq == seq && value.size == NOTE_MARK_SIZE &&
                 memcmp(reader.next, slot->found_mark.author, AUTHOR_SIZE) == 0);
    arena_free(arena);
    if (code != ERR_OK || same)
        return code;
    return err_set(err, ERR_CLUSTER_CHANGED,
                   "Topic %s, partition %u ends with transaction %llu, and the folder has %llu: "
                   "the topic was made anew or has lost records. With another folder queries "
                   "begin where auto.offset.reset says; those with state must be made anew",
                   cluster->positions_topic, slot->index,
                   (unsigned long long)slot->found_mark.seq, (unsigned long long)seq);
}
