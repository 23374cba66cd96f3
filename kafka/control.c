/*
 * control.c - the control thread: what waits for the cluster's answer and is not a transaction.
 *
 * Jobs one after the other; between them it looks who has joined the service, and after the reader.
 */
#include <assert.h>

#include "base/mem.h"
#include "kafka/cluster_impl.h"

enum { CONTROL_LOOK_US = 500000 };

bool control_post(KafkaCluster *cluster, void (*run)(KafkaCluster *, void *), void *arg) {
    assert(run);
    Control *control = &cluster->control;
    lock_take(&cluster->lock);
    if (!control->running) {
        lock_release(&cluster->lock);
        return false;
    }
    ControlJob *job = mem_alloc(sizeof *job);
    *job = (ControlJob){.run = run, .arg = arg};
    if (control->last)
        control->last->next = job;
    else
        control->first = job;
    control->last = job;
    signal_one(&control->work);
    lock_release(&cluster->lock);
    return true;
}

/* NULL: none. Waits for a moment. *running: whether to come again. */
static ControlJob *control_next(KafkaCluster *cluster, bool *running) {
    Control *control = &cluster->control;
    lock_take(&cluster->lock);
    if (!control->first && control->running)
        (void)signal_wait_for(&control->work, &cluster->lock, CONTROL_LOOK_US);
    ControlJob *job = control->first;
    if (job) {
        control->first = job->next;
        if (!control->first)
            control->last = NULL;
    }
    *running = job != NULL || control->running;
    lock_release(&cluster->lock);
    return job;
}

static void *control_run(void *arg) {
    KafkaCluster *cluster = arg;
    bool running = true;
    while (running) {
        ControlJob *job = control_next(cluster, &running);
        if (job) {
            job->run(cluster, job->arg);
            mem_free(job);
            continue;
        }
        Err err;
        if (running && (cluster_check(cluster, &err) != ERR_OK ||
                        members_look(cluster, &err) == ERR_FENCED))
            cluster_over(cluster, &err); /* again, where the storage was not attached before */
        kafka_reader_tick(cluster->reader);
    }
    return NULL;
}

void control_open(KafkaCluster *cluster) {
    assert(!cluster->control.running);
    signal_init(&cluster->control.work);
    cluster->control.running = true;
    thread_start(&cluster->control.thread, "kafka control", control_run, cluster);
}

void control_close(KafkaCluster *cluster) {
    Control *control = &cluster->control;
    if (!control->running)
        return;
    lock_take(&cluster->lock);
    control->running = false;
    signal_one(&control->work);
    lock_release(&cluster->lock);
    thread_join(&control->thread);
    signal_close(&control->work);
    assert(!control->first);
}
