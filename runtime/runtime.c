/*
 * runtime.c - the workers as a whole: made, woken by the log, driven by hand without threads.
 */
#include "runtime/runtime.h"

#include <assert.h>

#include "base/mem.h"
#include "runtime/worker.h"
#include "storage/cluster.h"

enum {
    COMMIT_INTERVAL_MS = 100,
    PUMP_WAIT_US = 1000, /* by hand, for records of a cluster */
};

static void poke_all(Runtime *runtime) {
    assert(runtime->worker_count > 0);
    for (uint32_t i = 0; i < runtime->worker_count; i++)
        worker_poke(&runtime->workers[i]);
}

/* Records became visible; on the thread that made them so. */
static void records_arrived(void *context, TopicPartition where, int64_t end_offset) {
    assert(end_offset >= 0);
    (void)where;
    (void)end_offset;
    poke_all(context);
}

Runtime *runtime_new(Io *io, Storage *storage, const RuntimeOptions *options) {
    assert(options);
    assert(io);
    assert(storage);
    Runtime *runtime = mem_alloc(sizeof *runtime);
    runtime->io = io;
    runtime->storage = storage;
    runtime->options = *options;
    lock_init(&runtime->log.lock);
    signal_init(&runtime->log.changed);
    RuntimeOptions *set = &runtime->options;
    if (set->step_rows == 0 || set->step_rows > BATCH_ROWS_MAX)
        set->step_rows = BATCH_ROWS_MAX;
    if (set->commit_interval_ms == 0)
        set->commit_interval_ms = COMMIT_INTERVAL_MS;
    runtime->threads = options->workers > 0;
    runtime->worker_count = runtime->threads ? options->workers : 1;
    runtime->workers = mem_array(runtime->worker_count, sizeof *runtime->workers);
    for (uint32_t i = 0; i < runtime->worker_count; i++)
        worker_init(&runtime->workers[i], runtime, i);
    log_listen(storage, records_arrived, runtime);
    return runtime;
}

void runtime_free(Runtime *runtime) {
    if (!runtime)
        return;
    log_listen(runtime->storage, NULL, NULL);
    for (uint32_t i = 0; i < runtime->worker_count; i++)
        worker_close(&runtime->workers[i]);
    mem_free(runtime->workers);
    signal_close(&runtime->log.changed);
    lock_close(&runtime->log.lock);
    mem_free(runtime);
}

static bool any_in_flight(const Worker *worker) {
    assert(worker);
    assert(!worker->runtime->threads);
    for (size_t i = 0; i < worker->group_count; i++) {
        if (worker->groups[i]->in_flight)
            return true;
    }
    return false;
}

/* Whether records of a cluster are on their way to it. */
static bool any_waiting(const Worker *worker) {
    assert(!worker->runtime->threads);
    for (size_t i = 0; i < worker->group_count; i++)
        for (uint32_t k = 0; k < worker->groups[i]->task_count; k++)
            if (worker->groups[i]->tasks[k]->env.waiting)
                return true;
    return false;
}

ErrCode runtime_pump(Runtime *runtime, Err *err) {
    assert(!runtime->threads);
    Worker *worker = &runtime->workers[0];
    for (bool worked = true; worked;) {
        int64_t due_us;
        worker_turn(worker, &worked, &due_us);
        TRY(storage_pump(runtime->storage, err));
        bool in_flight = any_in_flight(worker);
        worked = worked || in_flight;
        if (!storage_cluster(runtime->storage) ||
            (!in_flight && (worked || !any_waiting(worker))))
            continue;
        storage_await(runtime->storage, PUMP_WAIT_US);
        worked = true;
    }
    return ERR_OK;
}
