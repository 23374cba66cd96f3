/*
 * slot_call.c - what waits for the cluster's answer to a transaction: init, the end, abort.
 *
 * A few threads make these calls for the Kafka thread, each for a slice of time; a call that is not
 * answered by then comes back and may be made again. Slices are long: with librdkafka 2.0.2 a call
 * whose time is over before the library's own thread has begun with it is answered twice, and the
 * second answer is taken for that of the next call, with which a transaction ends in a failed
 * assertion. While a call is made the slot's producer and bundle are its own.
 */
#include <assert.h>

#include "base/io.h"
#include "kafka/cluster_impl.h"
#include "kafka/kill_point.h"

enum { CALL_SLICE_MS = 2000, CALL_FLUSH_MS = 100 };

static void call_fail(Slot *slot, rd_kafka_error_t *error) {
    bool again = rd_kafka_error_is_retriable(error);
    ErrCode code = kafka_error_take(error, slot->transactional_id, &slot->call_err);
    assert(code != ERR_OK);
    (void)code;
    slot->call_outcome = again ? CALL_AGAIN : CALL_FAILED;
}

static void call_init(Slot *slot) {
    assert(slot->state == SLOT_TAKING || slot->state == SLOT_DECIDING);
    rd_kafka_error_t *error = NULL;
    if (!slot->cluster->config->at_least_once)
        error = rd_kafka_init_transactions(slot->producer.client->handle, CALL_SLICE_MS);
    if (error)
        call_fail(slot, error);
}

/* Until every record is acknowledged. */
static bool call_flush(Slot *slot) {
    Bundle *bundle = &slot->bundle;
    int64_t end_us = io_posix_mono_us() + CALL_SLICE_MS * 1000;
    while (bundle->waiting > 0 && !bundle->failed && io_posix_mono_us() < end_us)
        (void)rd_kafka_flush(slot->producer.client->handle, CALL_FLUSH_MS);
    if (bundle->failed) {
        slot->call_outcome = CALL_REFUSED;
        slot->call_err = bundle->error;
    } else if (bundle->waiting > 0) {
        slot->call_outcome = CALL_AGAIN;
        err_report(&slot->call_err, ERR_BROKER_DOWN, 0, 0,
                   "Slot %u: records were not acknowledged in time", slot->index);
    }
    return slot->call_outcome == CALL_OK;
}

/* Without transactions: the positions, when all else is acknowledged. */
static void call_end_plain(Slot *slot) {
    Bundle *bundle = &slot->bundle;
    Err err;
    while (call_flush(slot) && !slot->positions_are_sent) {
        kill_point_pass(KILL_BEFORE_COMMIT);
        ErrCode code = bundle_produce_positions(bundle, &slot->producer,
                                                &slot->positions_are_sent, &err);
        if (code == ERR_BUSY)
            (void)rd_kafka_poll(slot->producer.client->handle, CALL_FLUSH_MS);
        else if (code == ERR_OK)
            kill_point_pass(KILL_DURING_COMMIT);
    }
}

static void call_end(Slot *slot) {
    assert(slot->state == SLOT_COMMITTING);
    if (slot->cluster->config->at_least_once) {
        call_end_plain(slot);
        return;
    }
    if (!slot->end_asked && !call_flush(slot))
        return;
    bool asked_before = slot->end_asked;
    if (!asked_before)
        kill_point_pass(KILL_BEFORE_COMMIT);
    slot->end_asked = true;
    rd_kafka_error_t *error =
        rd_kafka_commit_transaction(slot->producer.client->handle, CALL_SLICE_MS);
    if (!asked_before)
        kill_point_pass(KILL_DURING_COMMIT);
    if (error)
        call_fail(slot, error);
}

static void call_abort(Slot *slot) {
    assert(slot->state == SLOT_ABORTING);
    rd_kafka_error_t *error =
        rd_kafka_abort_transaction(slot->producer.client->handle, CALL_SLICE_MS);
    if (error)
        call_fail(slot, error);
}

/* == Threads ================================================================================== */

void slot_call(Slot *slot, SlotCall call) {
    CallPool *pool = &slot->cluster->pool;
    assert(slot->producer.client && call != CALL_NONE);
    lock_take(&slot->cluster->lock);
    assert(slot->call == CALL_NONE);
    slot->call = call;
    slot->call_done = false;
    slot->call_outcome = CALL_OK;
    slot->call_next = NULL;
    if (pool->last)
        pool->last->call_next = slot;
    else
        pool->first = slot;
    pool->last = slot;
    signal_one(&pool->work);
    lock_release(&slot->cluster->lock);
}

bool slot_call_over(Slot *slot) {
    lock_take(&slot->cluster->lock);
    bool over = slot->call != CALL_NONE && slot->call_done;
    if (over)
        slot->call = CALL_NONE;
    lock_release(&slot->cluster->lock);
    return over;
}

static void call_make(Slot *slot) {
    switch (slot->call) {
    case CALL_NONE:
        assert(slot->call != CALL_NONE);
        break;
    case CALL_INIT:
        call_init(slot);
        break;
    case CALL_END:
        call_end(slot);
        break;
    case CALL_ABORT:
        call_abort(slot);
        break;
    }
}

static void *call_thread(void *arg) {
    KafkaCluster *cluster = arg;
    CallPool *pool = &cluster->pool;
    lock_take(&cluster->lock);
    for (;;) {
        while (!pool->first && !pool->closing)
            signal_wait(&pool->work, &cluster->lock);
        if (pool->closing)
            break;
        Slot *slot = pool->first;
        pool->first = slot->call_next;
        if (!pool->first)
            pool->last = NULL;
        lock_release(&cluster->lock);
        call_make(slot);
        lock_take(&cluster->lock);
        slot->call_done = true;
        cluster->kicked = true;
        signal_one(&cluster->work);
    }
    lock_release(&cluster->lock);
    return NULL;
}

void calls_open(KafkaCluster *cluster) {
    assert(!cluster->pool.running);
    signal_init(&cluster->pool.work);
    cluster->pool.running = true;
    for (int i = 0; i < CALL_THREADS; i++)
        thread_start(&cluster->pool.threads[i], "kafka call", call_thread, cluster);
}

void calls_close(KafkaCluster *cluster) {
    CallPool *pool = &cluster->pool;
    if (!pool->running)
        return;
    lock_take(&cluster->lock);
    pool->closing = true;
    signal_all(&pool->work);
    lock_release(&cluster->lock);
    for (int i = 0; i < CALL_THREADS; i++)
        thread_join(&pool->threads[i]);
    signal_close(&pool->work);
    pool->running = false;
}
