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
