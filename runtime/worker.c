/*
 * worker.c - see worker.h.
 *
 * Lock order: a sender's query lock or a result queue's lock, then the worker's. The worker holds
 * its own lock only while it looks at messages, never while it runs a group.
 */
#include "runtime/worker.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"

enum { WORKER_WAIT_US = 100000 }; /* the longest sleep, in case a wake-up has nowhere to go */

void worker_poke(Worker *worker) {
    assert(worker->runtime);
    lock_take(&worker->lock);
    worker->poked = true;
    signal_one(&worker->signal);
    lock_release(&worker->lock);
}

void worker_post(Worker *worker, _Atomic int *target, int value) {
    lock_take(&worker->lock);
    atomic_store(target, value);
    worker->poked = true;
    signal_one(&worker->signal);
    lock_release(&worker->lock);
}

/* -- Messages --------------------------------------------------------------------------------- */

static ErrCode add_group(Worker *worker, Group *group, Err *err) {
    assert(group->worker == worker);
    ErrCode code = group_attach(group, err);
    if (code != ERR_OK) {
        group_detach(group);
        return code;
    }
    worker->groups = mem_grow(worker->groups, &worker->group_capacity, worker->group_count + 1,
                              sizeof *worker->groups);
    worker->groups[worker->group_count++] = group;
    return ERR_OK;
}

static void remove_group(Worker *worker, Group *group) {
    size_t index = 0;
    while (index < worker->group_count && worker->groups[index] != group)
        index++;
    assert(index < worker->group_count);
    worker->groups[index] = worker->groups[--worker->group_count];
    group_detach(group);
}

/* true: the message is done with. A group in flight is let go when its commit is decided. */
static bool do_message(Worker *worker, Group *group, bool remove, ErrCode *code, Err *err) {
    assert(code);
    assert(group);
    assert(group->worker == worker);
    *code = ERR_OK;
    if (!remove) {
        *code = add_group(worker, group, err);
        return true;
    }
    if (!group_quiet(group))
        return false;
    remove_group(worker, group);
    return true;
}

static void look_at_message(Worker *worker) {
    lock_take(&worker->lock);
    Group *group = worker->message;
    bool remove = worker->message_remove;
    lock_release(&worker->lock);
    if (!group)
        return;
    ErrCode code;
    Err err = {0};
    if (!do_message(worker, group, remove, &code, &err))
        return;
    lock_take(&worker->lock);
    assert(worker->message == group);
    worker->message = NULL;
    worker->message_code = code;
    worker->message_err = err;
    signal_all(&worker->done);
    lock_release(&worker->lock);
}

/* One message at a time: senders wait for their turn. */
static ErrCode send(Worker *worker, Group *group, bool remove, Err *err) {
    assert(worker->runtime->threads);
    assert(group->worker == worker);
    lock_take(&worker->lock);
    while (worker->message)
        signal_wait(&worker->done, &worker->lock);
    worker->message = group;
    worker->message_remove = remove;
    worker->poked = true;
    signal_one(&worker->signal);
    while (worker->message == group)
        signal_wait(&worker->done, &worker->lock);
    ErrCode code = worker->message_code;
    if (code != ERR_OK)
        *err = worker->message_err;
    lock_release(&worker->lock);
    return code;
}

ErrCode worker_add(Worker *worker, Group *group, Err *err) {
    return worker->runtime->threads ? send(worker, group, false, err)
                                    : add_group(worker, group, err);
}

void worker_remove(Worker *worker, Group *group) {
    Err err;
    if (worker->runtime->threads) {
        ErrCode code = send(worker, group, true, &err);
        assert(code == ERR_OK);
        (void)code;
        return;
    }
    while (!group_quiet(group)) {
        if (storage_pump(worker->runtime->storage, &err) != ERR_OK)
            query_fail(group->query, &err);
    }
    remove_group(worker, group);
}

/* -- The loop --------------------------------------------------------------------------------- */

void worker_turn(Worker *worker, bool *worked, int64_t *due_us) {
    assert(worked && due_us);
    assert(worker->scans);
    *worked = false;
    *due_us = INT64_MAX;
    for (size_t i = 0; i < worker->group_count; i++) {
        bool group_worked;
        int64_t group_due_us;
        group_turn(worker->groups[i], &group_worked, &group_due_us);
        *worked = *worked || group_worked;
        if (group_due_us < *due_us)
            *due_us = group_due_us;
    }
}

/* false: the worker is to end. */
static bool wait_for_work(Worker *worker, bool worked, int64_t due_us) {
    assert(worker->runtime->threads);
    Io *io = worker->runtime->io;
    lock_take(&worker->lock);
    if (!worked && !worker->poked && !worker->stop) {
        int64_t wait_us = WORKER_WAIT_US;
        if (due_us != INT64_MAX && due_us - io->ops->mono_us(io) < wait_us)
            wait_us = due_us - io->ops->mono_us(io);
        if (wait_us > 0)
            signal_wait_for(&worker->signal, &worker->lock, wait_us);
    }
    worker->poked = false;
    bool goes_on = !worker->stop;
    lock_release(&worker->lock);
    return goes_on;
}

/* With nothing to do: a storage that failed stops queries that would not notice. */
static void check_storage(Worker *worker) {
    Err err;
    if (worker->group_count == 0 || storage_state(worker->runtime->storage, &err) == ERR_OK)
        return;
    for (size_t i = 0; i < worker->group_count; i++)
        query_fail(worker->groups[i]->query, &err);
}

static void *worker_run(void *arg) {
    Worker *worker = arg;
    bool worked;
    int64_t due_us;
    do {
        look_at_message(worker);
        worker_turn(worker, &worked, &due_us);
        if (!worked)
            check_storage(worker);
    } while (wait_for_work(worker, worked, due_us));
    return NULL;
}

void worker_init(Worker *worker, Runtime *runtime, uint32_t index) {
    assert(runtime);
    assert(index < runtime->worker_count);
    *worker = (Worker){.runtime = runtime, .index = index};
    lock_init(&worker->lock);
    signal_init(&worker->signal);
    signal_init(&worker->done);
    worker->scans = scan_set_new(runtime->storage);
    worker->note = note_slot(runtime->options.note, index);
    if (runtime->threads) {
        char name[16];
        snprintf(name, sizeof name, "worker %u", index % 1000);
        thread_start(&worker->thread, name, worker_run, worker);
    }
}

void worker_close(Worker *worker) {
    if (worker->runtime->threads) {
        lock_take(&worker->lock);
        worker->stop = true;
        signal_one(&worker->signal);
        lock_release(&worker->lock);
        thread_join(&worker->thread);
    }
    assert(worker->group_count == 0);
    scan_set_free(worker->scans);
    mem_free(worker->groups);
    signal_close(&worker->done);
    signal_close(&worker->signal);
    lock_close(&worker->lock);
}
