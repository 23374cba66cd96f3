/*
 * thread.c - the Kafka thread: slots in turn, and appends; nothing here waits for the cluster.
 *
 * With nothing to do it sleeps until it is kicked, or something is due.
 */
#include <assert.h>

#include "base/io.h"
#include "base/mem.h"
#include "kafka/cluster_impl.h"

enum {
    THREAD_SLEEP_US = 500000,   /* so that the library's own events are looked at */
    THREAD_CLOSE_US = 5000000,  /* for what is under way when we close */
};

void thread_kick(KafkaCluster *cluster) {
    lock_take(&cluster->lock);
    cluster->kicked = true;
    signal_one(&cluster->work);
    lock_release(&cluster->lock);
}

void thread_submit(KafkaCluster *cluster, Commit *commit) {
    assert(commit);
    lock_take(&cluster->lock);
    bool over = cluster->over || cluster->closing;
    if (!over) {
        cluster->inbox = mem_grow(cluster->inbox, &cluster->inbox_capacity,
                                  cluster->inbox_count + 1, sizeof *cluster->inbox);
        cluster->inbox[cluster->inbox_count++] = commit;
        cluster->kicked = true;
        signal_one(&cluster->work);
    }
    lock_release(&cluster->lock);
    if (over) {
        Err err;
        if (cluster_check(cluster, &err) == ERR_OK)
            err_report(&err, ERR_CANCELLED, 0, 0, "the connection to the cluster is being closed");
        commit_reject(commit, &err);
    }
}

void cluster_over(KafkaCluster *cluster, const Err *cause) {
    assert(cause->code != ERR_OK);
    lock_take(&cluster->lock);
    bool first = !cluster->over;
    KafkaEndFn *end = cluster->end;
    void *end_arg = cluster->end_arg;
    if (first) {
        cluster->over = true;
        cluster->over_cause = *cause;
        cluster->kicked = true;
        signal_one(&cluster->work);
        signal_all(&cluster->changed);
    }
    Err over_cause = cluster->over_cause;
    bool tell = !cluster->told && storage_cluster(cluster->storage) == &cluster->cluster;
    cluster->told = cluster->told || tell;
    lock_release(&cluster->lock);
    if (tell)
        storage_end(cluster->storage, &over_cause);
    if (!first)
        return;
    kafka_trouble_note(&cluster->trouble, cause->code, cause->message);
    if (end)
        end(end_arg, cause);
}

ErrCode cluster_check(KafkaCluster *cluster, Err *err) {
    assert(err);
    lock_take(&cluster->lock);
    bool over = cluster->over;
    if (over)
        *err = cluster->over_cause;
    lock_release(&cluster->lock);
    return over ? err->code : ERR_OK;
}

/* Gives what was submitted to whom it belongs. */
static void take_inbox(KafkaCluster *cluster) {
    lock_take(&cluster->lock);
    Commit **commits = cluster->inbox;
    size_t count = cluster->inbox_count;
    cluster->inbox = NULL;
    cluster->inbox_count = cluster->inbox_capacity = 0;
    lock_release(&cluster->lock);
    for (size_t i = 0; i < count; i++) {
        int32_t slot = commit_slot_of(commits[i]);
        assert(slot == COMMIT_NO_SLOT || (uint32_t)slot < cluster->slot_count);
        if (slot == COMMIT_NO_SLOT)
            append_submit(cluster, commits[i]);
        else
            slot_submit(&cluster->slots[slot], commits[i]);
    }
    mem_free(commits);
    lock_take(&cluster->lock);
    uint32_t *drops = cluster->drops;
    size_t drop_count = cluster->drop_count;
    cluster->drops = NULL;
    cluster->drop_count = cluster->drop_capacity = 0;
    lock_release(&cluster->lock);
    for (size_t i = 0; i < drop_count; i++)
        for (uint32_t slot = 0; slot < cluster->slot_count; slot++)
            slot_drop_task(&cluster->slots[slot], drops[i]);
    mem_free(drops);
}

static int64_t earlier(int64_t left, int64_t right) {
    return left < right ? left : right;
}

/* Everything once; returns when it is to be done again. */
static int64_t step_all(KafkaCluster *cluster) {
    int64_t due_us = INT64_MAX;
    assert(cluster->slots);
    due_us = earlier(due_us, append_step(cluster));
    due_us = earlier(due_us, group_step(cluster));
    due_us = earlier(due_us, trim_step(cluster));
    for (uint32_t i = 0; i < cluster->slot_count; i++)
        due_us = earlier(due_us, slot_step(&cluster->slots[i]));
    return due_us;
}

static void end_all(KafkaCluster *cluster, const Err *cause) {
    assert(cause->code != ERR_OK);
    calls_close(cluster);
    take_inbox(cluster);
    for (uint32_t i = 0; i < cluster->slot_count; i++)
        slot_end(&cluster->slots[i], cause);
    append_end(cluster, cause);
}

static bool is_idle(const KafkaCluster *cluster) {
    bool idle = !cluster->appends.first;
    for (uint32_t i = 0; i < cluster->slot_count && idle; i++)
        idle = cluster->slots[i].waiting_count == 0 && cluster->slots[i].bundle.count == 0;
    return idle;
}

/* Sleeps until something is due. */
static void thread_rest(KafkaCluster *cluster, int64_t due_us) {
    int64_t now_us = io_posix_mono_us();
    int64_t wait_us = earlier(due_us == INT64_MAX ? THREAD_SLEEP_US : due_us - now_us,
                              THREAD_SLEEP_US);
    lock_take(&cluster->lock);
    if (!cluster->kicked && wait_us > 0)
        (void)signal_wait_for(&cluster->work, &cluster->lock, wait_us);
    cluster->kicked = false;
    lock_release(&cluster->lock);
}

static void *thread_run(void *arg) {
    KafkaCluster *cluster = arg;
    int64_t close_us = 0;
    Err err;
    for (;;) {
        take_inbox(cluster);
        if (cluster_check(cluster, &err) != ERR_OK)
            break;
        int64_t due_us = step_all(cluster);
        lock_take(&cluster->lock);
        bool closing = cluster->closing, more = cluster->inbox_count > 0;
        lock_release(&cluster->lock);
        if (closing && close_us == 0)
            close_us = io_posix_mono_us() + THREAD_CLOSE_US;
        if (closing && ((is_idle(cluster) && !more) || io_posix_mono_us() > close_us)) {
            err_report(&err, ERR_CANCELLED, 0, 0, "the connection to the cluster is being closed");
            break;
        }
        thread_rest(cluster, due_us);
    }
    end_all(cluster, &err);
    return NULL;
}

void thread_open(KafkaCluster *cluster) {
    assert(!cluster->running);
    cluster->running = true;
    calls_open(cluster);
    thread_start(&cluster->thread, "kafka", thread_run, cluster);
}

void thread_close(KafkaCluster *cluster) {
    if (!cluster->running)
        return;
    lock_take(&cluster->lock);
    cluster->closing = true;
    cluster->kicked = true;
    signal_one(&cluster->work);
    lock_release(&cluster->lock);
    thread_join(&cluster->thread);
    lock_take(&cluster->lock);
    cluster->running = false;
    signal_all(&cluster->changed);
    lock_release(&cluster->lock);
}
