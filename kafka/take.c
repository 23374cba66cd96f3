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

static ErrCode read_positions(Slot *slot, Err *err) {
    KafkaCluster *cluster = slot->cluster;
    KafkaTailOptions options = {
        .topic = cluster->positions_topic,
        .partition = slot->index,
        .from = -1,
        .record = take_position,
        .context = slot,
    };
    positions_free(&slot->found);
    slot->found_mark = (SlotMark){0};
    TRY(kafka_tail_read(cluster->admin, &options, NULL, err));
    return positions_verdict(&slot->found, cluster->positions_topic, slot->index, err);
}

ErrCode slot_read(Slot *slot, Err *err) {
    TRY(cluster_check(slot->cluster, err)); /* it may be over since this was asked for */
    TRY(members_check(slot->cluster, err));
    return read_positions(slot, err);
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

/* Members, positions, stores: in this order, after the fencing. */
static ErrCode take_read(KafkaCluster *cluster, const uint32_t *slots, uint32_t count,
                         const bool *mine, Err *err) {
    bool any = false;
    for (uint32_t i = 0; i < count; i++)
        any = any || mine[i];
    if (any)
        TRY(members_check(cluster, err));
    for (uint32_t i = 0; i < count; i++) {
        Slot *slot = &cluster->slots[slots[i]];
        if (!mine[i])
            continue;
        TRY(read_positions(slot, err));
        TRY(note_mark_check(cluster, slot, err));
        TRY(note_positions(cluster->storage, &slot->found, err));
    }
    for (uint32_t i = 0; i < count; i++)
        TRY(restore_slot(cluster, slots[i],
                         mine[i] && cluster->slots[slots[i]].found_mark.seq == 0, err));
    return ERR_OK;
}

ErrCode take_slots(KafkaCluster *cluster, const uint32_t *slots, uint32_t count, Err *err) {
    bool *mine = mem_array(count, sizeof *mine);
    ErrCode code;
    lock_take(&cluster->take_lock);
    TRY_DONE(members_check(cluster, err));
    lock_take(&cluster->lock);
    take_begin(cluster, slots, count, mine);
    lock_release(&cluster->lock);
    TRY_DONE(take_await(cluster, slots, count, true, err));
    TRY_DONE(take_read(cluster, slots, count, mine, err));
done:
    if (code == ERR_FENCED)
        cluster_over(cluster, err);
    take_end(cluster, slots, count, mine, code == ERR_OK ? NULL : err);
    if (code == ERR_OK)
        code = take_await(cluster, slots, count, false, err);
    lock_release(&cluster->take_lock);
    mem_free(mine);
    return code;
}
