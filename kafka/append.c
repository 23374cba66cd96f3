/*
 * append.c - records of the engine's own (INSERT, COPY, generators): written without a transaction,
 * idempotent, in the order in which they came.
 *
 * Any number of commits is under way at once; each is answered when its last record is. Who hands
 * over more than APPEND_BYTES_MAX waits.
 */
#include <assert.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"

enum {
    APPEND_BYTES_MAX = 64 << 20,
    APPEND_RECORDS = 20000,      /* handed over before others have their turn */
    APPEND_POLL_US = 20000,      /* while answers are awaited */
    APPEND_AGAIN_US = 200 * 1000, /* after a producer has failed */
};

void append_wait(KafkaCluster *cluster, const Commit *commit) {
    Appends *appends = &cluster->appends;
    size_t bytes = commit_bytes(commit);
    lock_take(&cluster->lock);
    while (atomic_load(&appends->bytes) > 0 &&
           atomic_load(&appends->bytes) + bytes > APPEND_BYTES_MAX && !cluster->over &&
           !cluster->closing)
        signal_wait(&cluster->changed, &cluster->lock);
    atomic_fetch_add(&appends->bytes, bytes);
    lock_release(&cluster->lock);
}

void append_submit(KafkaCluster *cluster, Commit *commit) {
    Appends *appends = &cluster->appends;
    Append *append = mem_alloc(sizeof *append);
    bundle_add(&append->bundle, commit);
    if (appends->last)
        appends->last->next = append;
    else
        appends->first = append;
    appends->last = append;
}

/* The first one is over. */
static void append_remove(KafkaCluster *cluster, const Err *cause) {
    Appends *appends = &cluster->appends;
    Append *append = appends->first;
    size_t bytes = append->bundle.bytes;
    assert(append->bundle.waiting == 0);
    appends->first = append->next;
    if (!appends->first)
        appends->last = NULL;
    if (cause)
        bundle_reject(&append->bundle, cause);
    else
        bundle_accept(&append->bundle);
    bundle_free(&append->bundle);
    mem_free(append);
    lock_take(&cluster->lock);
    atomic_fetch_sub(&appends->bytes, bytes);
    signal_all(&cluster->changed);
    lock_release(&cluster->lock);
}

/* The producer can do nothing any more: what it had is given up. */
static void append_broken(KafkaCluster *cluster, const Err *cause) {
    Appends *appends = &cluster->appends;
    producer_close(&appends->producer);
    for (Append *append = appends->first; append; append = append->next) {
        append->bundle.waiting = 0;
        if (append->bundle.report_count > 0)
            append->bundle.failed = true;
    }
    while (appends->first && appends->first->bundle.failed)
        append_remove(cluster, cause);
    appends->retry_us = io_posix_mono_us() + APPEND_AGAIN_US;
}

static void append_kick(rd_kafka_t *handle, void *opaque) {
    (void)handle;
    thread_kick(opaque);
}

static ErrCode append_open(KafkaCluster *cluster, Err *err) {
    Producer *producer = &cluster->appends.producer;
    if (producer->client)
        return ERR_OK;
    producer->storage = cluster->storage;
    producer->stores = &cluster->stores;
    TRY(producer_open(producer, cluster->config, &cluster->trouble, NULL, err));
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(producer->client->handle);
    rd_kafka_queue_cb_event_enable(queue, append_kick, cluster);
    rd_kafka_queue_destroy(queue);
    return ERR_OK;
}

/* Hands over what is not yet. false: the library can take no more for now. */
static bool append_produce(KafkaCluster *cluster) {
    Appends *appends = &cluster->appends;
    bool room = true;
    Err err;
    for (Append *append = appends->first; append && room; append = append->next) {
        if (append->handed_over || append->bundle.failed)
            continue;
        room = bundle_produce(&append->bundle, &appends->producer, APPEND_RECORDS,
                              &append->handed_over, &err) != ERR_BUSY &&
               (append->handed_over || append->bundle.failed);
    }
    return room;
}

/* Appends whose every record is answered for, from the first on. */
static void append_settle(KafkaCluster *cluster) {
    Appends *appends = &cluster->appends;
    while (appends->first && appends->first->bundle.waiting == 0 &&
           (appends->first->handed_over || appends->first->bundle.failed)) {
        Bundle *bundle = &appends->first->bundle;
        Err cause;
        if (bundle->failed)
            cause = bundle->error;
        append_remove(cluster, bundle->failed ? &cause : NULL);
    }
}

int64_t append_step(KafkaCluster *cluster) {
    Appends *appends = &cluster->appends;
    Err err;
    char text[256];
    if (!appends->first && !appends->producer.client)
        return INT64_MAX;
    if (io_posix_mono_us() < appends->retry_us)
        return appends->retry_us;
    if (append_open(cluster, &err) != ERR_OK) {
        append_broken(cluster, &err);
        while (appends->first)
            append_remove(cluster, &err);
        return INT64_MAX;
    }
    bool room = append_produce(cluster);
    (void)rd_kafka_poll(appends->producer.client->handle, 0);
    append_settle(cluster);
    rd_kafka_resp_err_t fatal =
        rd_kafka_fatal_error(appends->producer.client->handle, text, sizeof text);
    if (fatal) {
        (void)!kafka_error(&err, fatal, "Writing without a transaction (%.200s)", text);
        if (err_action(err.code) != ERR_ACTION_RETRY)
            err.code = ERR_TRANSACTION_ABORTED;
        append_broken(cluster, &err);
        return 0;
    }
    if (!room)
        return 0;
    return appends->first ? io_posix_mono_us() + APPEND_POLL_US : INT64_MAX;
}

void append_end(KafkaCluster *cluster, const Err *cause) {
    Appends *appends = &cluster->appends;
    producer_close(&appends->producer);
    for (Append *append = appends->first; append; append = append->next)
        append->bundle.waiting = 0;
    while (appends->first)
        append_remove(cluster, cause);
}
