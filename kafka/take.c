/*
 * take.c - a query is to start: its slots become this process's, and the folder is brought to where
 * their last transactions left positions and stores.
 *
 * The Kafka thread fences the former owners, all slots at once; the rest happens on the caller's
 * thread, which may wait. One at a time.
 */
#include <assert.h>

#include "base/mem.h"
#include "kafka/cluster_impl.h"

/* A KafkaRecordFn. */
static ErrCode take_position(void *context, const LogRecord *record, Err *err) {
    Slot *slot = context;
    (void)err;
    if (!positions_read(&slot->found, &slot->found_mark, record))
        cluster_stranger(slot->cluster, slot->cluster->positions_topic, slot->index,
                         record->offset);
    return ERR_OK;
}

/* Of all these slots at once. */
static ErrCode read_positions(KafkaCluster *cluster, Slot **slots, uint32_t count, Err *err) {
    KafkaTailOptions *options = mem_array(count, sizeof *options);
    for (uint32_t i = 0; i < count; i++) {
        positions_free(&slots[i]->found);
        slots[i]->found_mark = (SlotMark){0};
        options[i] = (KafkaTailOptions){
            .topic = cluster->positions_topic,
            .partition = slots[i]->index,
            .from = -1,
            .record = take_position,
            .context = slots[i],
        };
    }
    ErrCode code = kafka_tail_read_all(cluster->admin, options, count, NULL, err);
    for (uint32_t i = 0; code == ERR_OK && i < count; i++)
        code = positions_verdict(&slots[i]->found, cluster->positions_topic, slots[i]->index, err);
    mem_free(options);
    return code;
}

ErrCode slot_read(Slot *slot, Err *err) {
    TRY(cluster_check(slot->cluster, err)); /* it may be over since this was asked for */
    TRY(members_check(slot->cluster, err));
    return read_positions(slot->cluster, &slot, 1, err);
}

/* With the lock: FREE slots among these begin to be taken; mine[i]: by this call. */
static void take_begin(KafkaCluster *cluster, const uint32_t *slots, uint32_t count, bool *mine) {
    for (uint32_t i = 0; i < count; i++) {
        assert(slots[i] < cluster->slot_count);
        Slot *slot = &cluster->slots[slots[i]];
        mine[i] = slot->state == SLOT_FREE;
        if (!mine[i])
            continue;
        slot->state = SLOT_TAKING;
        slot->step = SLOT_STEP_WAIT;
        slot->due_us = 0;
        slot->error.code = ERR_OK;
    }
    cluster->kicked = true;
    signal_one(&cluster->work);
}

/* With the lock: whether the slot is where the taker wants it; or that it never comes there. */
static bool take_arrived(const Slot *slot, bool initialized, ErrCode *code, Err *err) {
    if (slot->state == SLOT_FREE) {
        *err = slot->error;
        *code = err->code;
        return true;
    }
    if (slot->state == SLOT_TAKING)
        return initialized && slot->step == SLOT_STEP_READING;
    return true;
}

/* Waits until all are fenced and ready to be read (initialized), or owned. */
static ErrCode take_await(KafkaCluster *cluster, const uint32_t *slots, uint32_t count,
                          bool initialized, Err *err) {
    ErrCode code = ERR_OK;
    lock_take(&cluster->lock);
    for (uint32_t i = 0; i < count; i++) {
        Slot *slot = &cluster->slots[slots[i]];
        ErrCode slot_code = ERR_OK;
        Err slot_err;
        while (!cluster->over && cluster->running &&
               !take_arrived(slot, initialized, &slot_code, &slot_err))
            signal_wait(&cluster->changed, &cluster->lock);
        if (slot_code != ERR_OK && code == ERR_OK) {
            code = slot_code;
            *err = slot_err;
        }
    }
    bool over = cluster->over, running = cluster->running;
    lock_release(&cluster->lock);
    if (over)
        return cluster_check(cluster, err);
    return running ? code : err_set(err, ERR_CANCELLED, "the cluster is being closed");
}

/* What was read is true from now on; or, with an error, what was taken is free again. */
static void take_end(KafkaCluster *cluster, const uint32_t *slots, uint32_t count,
                     const bool *mine, const Err *cause) {
    lock_take(&cluster->lock);
    for (uint32_t i = 0; i < count; i++) {
        Slot *slot = &cluster->slots[slots[i]];
        if (!mine[i] || slot->state != SLOT_TAKING || slot->step != SLOT_STEP_READING)
            continue;
        slot->step = cause ? SLOT_STEP_FAILED : SLOT_STEP_READ;
        if (cause)
            slot->error = *cause;
    }
    cluster->kicked = true;
    signal_one(&cluster->work);
    lock_release(&cluster->lock);
}

/* Members, then positions: in this order, after the fencing. */
static ErrCode take_read(KafkaCluster *cluster, Slot **taken, uint32_t count, Err *err) {
    Commit *commit = NULL;
    if (count == 0)
        return ERR_OK;
    TRY(members_check(cluster, err));
    TRY(read_positions(cluster, taken, count, err));
    for (uint32_t i = 0; i < count; i++)
        TRY(note_mark_check(cluster, taken[i], err));
    for (uint32_t i = 0; i < count; i++)
        note_positions(cluster->storage, &taken[i]->found, &commit);
    return commit ? commit_local_wait(commit, err) : ERR_OK;
}

/* And at last the stores. */
static ErrCode take_restore(KafkaCluster *cluster, const uint32_t *slots, uint32_t count,
                            const bool *mine, Err *err) {
    bool *unused = mem_array(count, sizeof *unused);
    for (uint32_t i = 0; i < count; i++)
        unused[i] = mine[i] && cluster->slots[slots[i]].found_mark.seq == 0 &&
                    !cluster->config->at_least_once;
    ErrCode code = restore_slots(cluster, slots, unused, count, err);
    mem_free(unused);
    return code;
}

ErrCode take_slots(KafkaCluster *cluster, const uint32_t *slots, uint32_t count, Err *err) {
    bool *mine = mem_array(count, sizeof *mine);
    Slot **taken = mem_array(count, sizeof(Slot *));
    uint32_t taken_count = 0;
    ErrCode code;
    lock_take(&cluster->take_lock);
    TRY_DONE(members_check(cluster, err));
    lock_take(&cluster->lock);
    take_begin(cluster, slots, count, mine);
    lock_release(&cluster->lock);
    TRY_DONE(take_await(cluster, slots, count, true, err));
    for (uint32_t i = 0; i < count; i++)
        if (mine[i])
            taken[taken_count++] = &cluster->slots[slots[i]];
    TRY_DONE(take_read(cluster, taken, taken_count, err));
    TRY_DONE(take_restore(cluster, slots, count, mine, err));
done:
    if (code == ERR_FENCED)
        cluster_over(cluster, err);
    take_end(cluster, slots, count, mine, code == ERR_OK ? NULL : err);
    if (code == ERR_OK)
        code = take_await(cluster, slots, count, false, err);
    lock_release(&cluster->take_lock);
    mem_free(taken);
    mem_free(mine);
    return code;
}
