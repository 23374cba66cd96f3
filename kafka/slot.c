/* slot.c - a slot's states, as the Kafka thread steps through them: see slot_impl.h. */
#include "kafka/slot_impl.h"

#include <assert.h>
#include <stdio.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"
#include "kafka/kill_point.h"

enum {
    SLOT_PRODUCE_RECORDS = 20000,    /* handed over before other slots have their turn */
    SLOT_INIT_TIMEOUT_MS = 30000,    /* taking; deciding goes on for ever */
    SLOT_ANSWER_MARGIN_MS = 5000,    /* beyond the time in which the cluster gives up by itself */
    SLOT_AGAIN_MS = 300,             /* between two tries to decide */
};

static const char *const state_names[] = {"FREE",       "TAKING",   "OWNED",    "OPEN",
                                          "COMMITTING", "ABORTING", "DECIDING", "FENCED"};

const char *slot_state_name(SlotState state) {
    assert(state <= SLOT_FENCED);
    return state_names[state];
}

static int64_t after_ms(int64_t ms) {
    assert(ms >= 0);
    return io_posix_mono_us() + ms * 1000;
}

void slot_init(Slot *slot, KafkaCluster *cluster, uint32_t index) {
    assert(cluster);
    *slot = (Slot){.cluster = cluster, .index = index};
    kafka_trouble_init(&slot->trouble);
    slot->producer.storage = cluster->storage;
    slot->producer.stores = &cluster->stores;
    slot->producer.positions_topic = cluster->positions_topic;
    slot->producer.positions_partition = (int32_t)index;
    pace_init(&slot->pace, cluster->config->transaction_timeout_ms);
    (void)snprintf(slot->transactional_id, sizeof slot->transactional_id, "%s-slot-%u",
                   cluster->config->service_id, index);
}

void slot_free(Slot *slot) {
    assert(slot->waiting_count == 0);
    producer_close(&slot->producer);
    positions_free(&slot->positions);
    positions_free(&slot->found);
    bundle_free(&slot->bundle);
    mem_free(slot->waiting);
    mem_free(slot->drops);
    kafka_trouble_close(&slot->trouble);
}

static void slot_become(Slot *slot, SlotState state, SlotStep step) {
    KafkaCluster *cluster = slot->cluster;
    lock_take(&cluster->lock);
    assert(slot->state != SLOT_FENCED);
    slot->state = state;
    slot->step = step;
    signal_all(&cluster->changed);
    lock_release(&cluster->lock);
}

static SlotStep slot_step_now(Slot *slot) {
    assert(slot->state == SLOT_TAKING || slot->state == SLOT_DECIDING);
    lock_take(&slot->cluster->lock);
    SlotStep step = slot->step;
    lock_release(&slot->cluster->lock);
    return step;
}

/* == Taking and deciding ====================================================================== */

/* Something is wrong, and what it is cannot be told from here: everything begins anew. */
static void slot_doubt(Slot *slot, const Err *cause) {
    assert(cause->code != ERR_OK);
    pace_failed(&slot->pace, slot->bundle.bytes, io_posix_mono_us());
    producer_close(&slot->producer);
    slot->bundle.waiting = 0; /* nobody will answer any more */
    slot->cause = *cause;
    slot->due_us = 0;
    slot->decided++;
    kafka_trouble_note(&slot->trouble, cause->code, cause->message);
    slot_become(slot, SLOT_DECIDING, SLOT_STEP_WAIT);
}

/* Taking: gives up. Deciding: tries again after a while. */
static void slot_init_failed(Slot *slot, const Err *cause) {
    KafkaCluster *cluster = slot->cluster;
    assert(cause->code != ERR_OK);
    producer_close(&slot->producer);
    if (err_action(cause->code) != ERR_ACTION_RETRY) /* INVALID_TRANSACTION_TIMEOUT */
        pace_refused(&slot->pace);
    kafka_trouble_note(&cluster->trouble, cause->code, cause->message);
    if (slot->state == SLOT_DECIDING) {
        kafka_trouble_note(&slot->trouble, cause->code, cause->message);
        slot->due_us = after_ms(SLOT_AGAIN_MS);
        slot_become(slot, SLOT_DECIDING, SLOT_STEP_WAIT);
        return;
    }
    lock_take(&cluster->lock);
    slot->error = *cause;
    lock_release(&cluster->lock);
    slot_become(slot, SLOT_FREE, SLOT_STEP_WAIT);
}

static void slot_open_producer(Slot *slot) {
    KafkaCluster *cluster = slot->cluster;
    Err err;
    const char *id = cluster->config->at_least_once ? NULL : slot->transactional_id;
    assert(!slot->producer.client);
    slot->producer.timeout_ms = slot->pace.timeout_ms;
    if (producer_open(&slot->producer, cluster->config, &cluster->trouble, id, &err) != ERR_OK) {
        slot_init_failed(slot, &err);
        return;
    }
    slot->deadline_us = after_ms(SLOT_INIT_TIMEOUT_MS);
    slot_become(slot, slot->state, SLOT_STEP_INIT);
    slot_call(slot, CALL_INIT);
}

/* Members that cannot be read now do not hold it up: they are read again after the init. */
static void slot_members_job(KafkaCluster *cluster, void *arg) {
    Slot *slot = arg;
    Err err;
    if (members_check(cluster, &err) == ERR_FENCED)
        cluster_over(cluster, &err);
    lock_take(&cluster->lock);
    slot->checked = true;
    lock_release(&cluster->lock);
    thread_kick(cluster);
}

static void slot_check_members(Slot *slot) {
    slot->checked = false;
    slot_become(slot, slot->state, SLOT_STEP_MEMBERS);
    (void)control_post(slot->cluster, slot_members_job, slot);
}

static bool slot_checked(Slot *slot) {
    lock_take(&slot->cluster->lock);
    bool checked = slot->checked;
    lock_release(&slot->cluster->lock);
    return checked;
}

static void slot_read_job(KafkaCluster *cluster, void *arg) {
    Slot *slot = arg;
    Err err;
    kill_point_pass(KILL_IN_DECIDE);
    ErrCode code = slot_read(slot, &err);
    if (code == ERR_FENCED)
        cluster_over(cluster, &err);
    lock_take(&cluster->lock);
    slot->step = code == ERR_OK ? SLOT_STEP_READ : SLOT_STEP_FAILED;
    if (code != ERR_OK)
        slot->error = err;
    lock_release(&cluster->lock);
    thread_kick(cluster);
}

static void slot_initialized(Slot *slot) {
    bool deciding = slot->state == SLOT_DECIDING;
    kafka_trouble_over(&slot->cluster->trouble);
    slot_become(slot, slot->state, SLOT_STEP_READING);
    if (deciding)
        (void)control_post(slot->cluster, slot_read_job, slot);
    else
        kill_point_pass(KILL_IN_TAKE);
}

static void step_initializing(Slot *slot) {
    assert(slot->producer.client);
    if (!slot_call_over(slot))
        return;
    bool again = slot->call_outcome == CALL_AGAIN && io_posix_mono_us() < slot->deadline_us;
    if (slot->call_outcome == CALL_OK)
        slot_initialized(slot);
    else if (again)
        slot_call(slot, CALL_INIT);
    else
        slot_init_failed(slot, &slot->call_err);
}

/* What the groups are told: always something to be tried again. */
static void retriable_cause(Err *cause) {
    if (err_action(cause->code) != ERR_ACTION_RETRY)
        cause->code = ERR_TRANSACTION_ABORTED;
    assert(err_action(cause->code) == ERR_ACTION_RETRY);
}

static void slot_owned(Slot *slot) {
    kafka_trouble_over(&slot->trouble);
    slot->due_us = after_ms(slot->cluster->config->commit_interval_ms);
    slot_become(slot, SLOT_OWNED, SLOT_STEP_WAIT);
}

static void slot_reject(Slot *slot) {
    Bundle *bundle = &slot->bundle;
    assert(bundle->waiting == 0);
    retriable_cause(&slot->cause);
    if (bundle->failed && bundle->failed_commit < bundle->count)
        slot->suspect_owner = commit_owner_of(bundle->commits[bundle->failed_commit]);
    slot->aborted++;
    if (bundle->count > 1 && kafka_trouble_is_of_record(slot->cause.code)) {
        slot->alone_left = (uint32_t)bundle->count; /* whose it was is seen when each goes alone */
        slot->cause.code = ERR_TRANSACTION_ABORTED;
    }
    bundle_reject(bundle, &slot->cause);
}

/* The slot is this process's, and the end of the last transaction is known. */
static void slot_decide(Slot *slot) {
    Bundle *bundle = &slot->bundle;
    bool first = slot->state == SLOT_TAKING;
    bool took_effect = bundle->mark.seq > 0 && slot_mark_equal(&slot->found_mark, &bundle->mark);
    assert(!first || bundle->count == 0);
    if (!first && !took_effect && !slot_mark_equal(&slot->found_mark, &slot->mark) &&
        !slot->cluster->config->at_least_once) {
        Err err;
        err_report(&err, ERR_FENCED, 0, 0,
                   "another process of the service '%s' has worked on slot %u",
                   slot->cluster->config->service_id, slot->index);
        cluster_over(slot->cluster, &err);
        return;
    }
    positions_free(&slot->positions);
    slot->positions = slot->found;
    slot->found = (PositionTable){0};
    slot->mark = slot->found_mark;
    if (took_effect)
        bundle_accept(bundle);
    else if (!first)
        slot_reject(slot);
    slot_owned(slot);
}

static int64_t step_taking(Slot *slot) {
    switch (slot_step_now(slot)) {
    case SLOT_STEP_WAIT:
        if (io_posix_mono_us() < slot->due_us)
            return slot->due_us;
        if (slot->state == SLOT_DECIDING) {
            slot_check_members(slot);
            return INT64_MAX;
        }
        slot_open_producer(slot); /* take_slots() has looked */
        return 0;
    case SLOT_STEP_MEMBERS:
        if (!slot_checked(slot))
            return INT64_MAX;
        slot_open_producer(slot);
        return 0; /* or later, when there is none */
    case SLOT_STEP_INIT:
        step_initializing(slot);
        return slot->call == CALL_NONE ? 0 : INT64_MAX;
    case SLOT_STEP_READING:
        return INT64_MAX;
    case SLOT_STEP_READ:
        slot_decide(slot);
        return 0;
    case SLOT_STEP_FAILED:
        slot_init_failed(slot, &slot->error);
        return 0;
    }
    return INT64_MAX;
}

/* == Transactions ============================================================================= */

void slot_submit(Slot *slot, Commit *commit) {
    assert(commit_slot_of(commit) == (int32_t)slot->index);
    slot->waiting = mem_grow(slot->waiting, &slot->waiting_capacity, slot->waiting_count + 1,
                             sizeof *slot->waiting);
    slot->waiting[slot->waiting_count++] = commit;
}

void slot_drop_task(Slot *slot, uint32_t task_id) {
    if (!positions_find(&slot->positions, task_id))
        return;
    slot->drops = mem_grow(slot->drops, &slot->drop_capacity, slot->drop_count + 1,
                           sizeof *slot->drops);
    slot->drops[slot->drop_count++] = task_id;
}

/* Moves what waits into the bundle; a suspect's commit goes alone. */
static void slot_fill(Slot *slot) {
    Bundle *bundle = &slot->bundle;
    size_t taken = 0;
    assert(bundle->count == 0);
    while (taken < slot->waiting_count && bundle->bytes < slot->pace.bytes) {
        Commit *commit = slot->waiting[taken];
        bool suspect = slot->alone_left > 0 ||
                       (slot->suspect_owner && commit_owner_of(commit) == slot->suspect_owner);
        if (suspect && taken > 0)
            break;
        bundle_add(bundle, commit);
        taken++;
        if (suspect)
            break;
    }
    slot->alone_left -= slot->alone_left > 0;
    slot->waiting_count -= taken;
    if (slot->waiting_count > 0)
        memmove(slot->waiting, slot->waiting + taken,
                slot->waiting_count * sizeof *slot->waiting);
    bundle->known = &slot->positions;
    bundle->slot = slot->index;
    bundle->mark.seq = slot->mark.seq + 1;
    memcpy(bundle->mark.author, slot->cluster->uuid, AUTHOR_SIZE);
    for (size_t i = 0; i < slot->drop_count; i++) {
        const TaskPositions *known = positions_find(&slot->positions, slot->drops[i]);
        if (known)
            positions_drop(positions_task(&bundle->changes, NULL, known->owner_id,
                                          known->task_id));
    }
    slot->drops_sent = slot->drop_count;
}

static void slot_begin(Slot *slot) {
    slot_fill(slot);
    slot->positions_are_sent = slot->end_asked = false;
    pace_begin(&slot->pace, io_posix_mono_us());
    slot->deadline_us = after_ms(slot->pace.timeout_ms + SLOT_ANSWER_MARGIN_MS);
    Err err;
    rd_kafka_error_t *error = NULL;
    if (!slot->cluster->config->at_least_once)
        error = rd_kafka_begin_transaction(slot->producer.client->handle);
    if (error && kafka_error_take(error, slot->transactional_id, &err) != ERR_OK) {
        slot_doubt(slot, &err);
        return;
    }
    slot_become(slot, SLOT_OPEN, SLOT_STEP_WAIT);
    kill_point_pass(KILL_AFTER_BEGIN);
}

static void slot_abort(Slot *slot) {
    slot_become(slot, SLOT_ABORTING, SLOT_STEP_WAIT);
    slot_call(slot, CALL_ABORT);
}

/* A record was refused before the end was asked for. */
static void slot_give_up(Slot *slot) {
    assert(!slot->end_asked);
    pace_failed(&slot->pace, slot->bundle.bytes, io_posix_mono_us());
    slot->cause = slot->bundle.error;
    slot->deadline_us = after_ms(slot->cluster->config->transaction_timeout_ms);
    if (slot->cluster->config->at_least_once)
        slot_doubt(slot, &slot->bundle.error); /* what is under way must come to nothing */
    else
        slot_abort(slot);
}

static ErrCode slot_hand_over(Slot *slot, bool *done, Err *err) {
    Bundle *bundle = &slot->bundle;
    bool apart = slot->cluster->config->at_least_once;
    TRY(bundle_produce(bundle, &slot->producer, SLOT_PRODUCE_RECORDS, done, err));
    if (!*done || apart)
        return ERR_OK;
    TRY(bundle_produce_positions(bundle, &slot->producer, done, err));
    slot->positions_are_sent = *done;
    return ERR_OK;
}

/* How long the thread may sleep when the library can take no more for now. */
enum { SLOT_FULL_US = 2000 };

static int64_t step_open(Slot *slot) {
    bool done = false;
    Err err;
    ErrCode code = slot_hand_over(slot, &done, &err);
    (void)rd_kafka_poll(slot->producer.client->handle, 0);
    if (slot->bundle.failed) {
        slot_give_up(slot);
    } else if (done) {
        kill_point_pass(KILL_AFTER_PRODUCE);
        slot_become(slot, SLOT_COMMITTING, SLOT_STEP_WAIT);
        slot_call(slot, CALL_END);
    } else if (io_posix_mono_us() > slot->deadline_us) {
        err_report(&err, ERR_BROKER_DOWN, 0, 0, "Slot %u: records could not be written in time",
                   slot->index);
        slot_doubt(slot, &err);
    }
    return code == ERR_BUSY ? io_posix_mono_us() + SLOT_FULL_US : 0;
}

static void slot_committed(Slot *slot) {
    Bundle *bundle = &slot->bundle;
    assert(bundle->waiting == 0 && !bundle->failed);
    kill_point_pass(KILL_BEFORE_ACCEPT);
    slot->mark = bundle->mark;
    slot->transactions++;
    pace_committed(&slot->pace, io_posix_mono_us());
    slot->drop_count -= slot->drops_sent;
    if (slot->drop_count > 0)
        memmove(slot->drops, slot->drops + slot->drops_sent,
                slot->drop_count * sizeof *slot->drops);
    if (slot->suspect_owner && bundle->count == 1 &&
        commit_owner_of(bundle->commits[0]) == slot->suspect_owner)
        slot->suspect_owner = 0;
    positions_merge(&slot->positions, &bundle->changes);
    bundle_accept(bundle);
    slot_owned(slot);
}

static void step_committing(Slot *slot) {
    if (!slot_call_over(slot))
        return;
    bool again = slot->call_outcome == CALL_AGAIN && io_posix_mono_us() < slot->deadline_us;
    if (slot->call_outcome == CALL_OK)
        slot_committed(slot);
    else if (slot->call_outcome == CALL_REFUSED)
        slot_give_up(slot);
    else if (again)
        slot_call(slot, CALL_END);
    else
        slot_doubt(slot, &slot->call_err);
}

static void step_aborting(Slot *slot) {
    if (!slot_call_over(slot))
        return;
    bool again = slot->call_outcome == CALL_AGAIN && io_posix_mono_us() < slot->deadline_us;
    /* A refused record leaves a gap in the producer's sequence: the next one is a new one. */
    bool usable = !kafka_trouble_is_of_record(slot->cause.code);
    if (slot->call_outcome == CALL_OK && slot->bundle.waiting == 0 && usable) {
        slot_reject(slot);
        slot_owned(slot);
    } else if (again) {
        slot_call(slot, CALL_ABORT);
    } else { /* likewise, or an answer is missing: no commit may be let go */
        slot_doubt(slot, &slot->cause);
    }
}

/* == All of it ================================================================================ */

/* With nothing to do: what the library has to say meanwhile. */
static int64_t step_owned(Slot *slot) {
    bool wanted = slot->waiting_count > 0 || slot->drop_count > 0;
    (void)rd_kafka_poll(slot->producer.client->handle, 0);
    if (!wanted)
        return INT64_MAX;
    if (io_posix_mono_us() < slot->due_us)
        return slot->due_us;
    slot_begin(slot);
    return 0;
}

int64_t slot_step(Slot *slot) {
    assert(slot->cluster);
    switch (slot->state) {
    case SLOT_FREE:
    case SLOT_FENCED:
        return INT64_MAX;
    case SLOT_TAKING:
    case SLOT_DECIDING:
        return step_taking(slot);
    case SLOT_OWNED:
        return step_owned(slot);
    case SLOT_OPEN:
        return step_open(slot);
    case SLOT_COMMITTING:
        step_committing(slot);
        break;
    case SLOT_ABORTING:
        step_aborting(slot);
        break;
    }
    return slot->call == CALL_NONE ? 0 : INT64_MAX;
}

void slot_end(Slot *slot, const Err *cause) {
    assert(cause->code != ERR_OK);
    if (slot->state == SLOT_FENCED)
        return;
    producer_close(&slot->producer);
    slot->bundle.waiting = 0;
    bundle_reject(&slot->bundle, cause);
    for (size_t i = 0; i < slot->waiting_count; i++)
        commit_reject(slot->waiting[i], cause);
    slot->waiting_count = 0;
    slot_become(slot, SLOT_FENCED, SLOT_STEP_WAIT);
}
