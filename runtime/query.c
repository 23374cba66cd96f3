/*
 * query.c - a query from start to stop: its tasks, their workers, waiting for it.
 */
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "runtime/ids.h"
#include "runtime/result_impl.h"
#include "runtime/worker.h"
#include "storage/cluster.h"

/* -- State ------------------------------------------------------------------------------------ */

static void leave_running(Query *query, QueryState state, const Err *err,
                          const QueryStop *stop) {
    assert(state != QUERY_RUNNING);
    assert(state == QUERY_ERROR || state == QUERY_FINISHED);
    assert((state == QUERY_ERROR) == (err != NULL));
    lock_take(&query->lock);
    bool first = query_state(query) == QUERY_RUNNING;
    if (first && err)
        query->error = *err;
    if (first && stop)
        query->stop = *stop;
    if (first) {
        Io *io = query->runtime->io;
        atomic_store(&query->end_us, io->ops->mono_us(io));
        atomic_store_explicit(&query->state, (int)state, memory_order_release);
    }
    signal_all(&query->changed);
    lock_release(&query->lock);
    if (first && query->options.results)
        result_queue_end(query->options.results, err);
}

void query_fail(Query *query, const Err *err) {
    assert(err->code != ERR_OK);
    assert(err->code != ERR_OK);
    leave_running(query, QUERY_ERROR, err, NULL);
}

void query_fail_at(Query *query, const Err *err, const QueryStop *stop) {
    assert(err->code != ERR_OK);
    assert(stop);
    leave_running(query, QUERY_ERROR, err, stop);
}

void query_stopped_at(Query *query, QueryStop *stop) {
    assert(stop);
    lock_take(&query->lock);
    *stop = query_state(query) == QUERY_ERROR ? query->stop
            : query->retry_count > 0          ? query->retry_stop
                                              : (QueryStop){0};
    lock_release(&query->lock);
}

bool query_await_stop(Query *query, const QueryStop *stop, int64_t timeout_ms) {
    const int64_t look_us = 50000;
    Io *io = query->runtime->io;
    int64_t until_us = io->ops->mono_us(io) + timeout_ms * 1000;
    assert(stop->known && stop->waits);
    for (;;) {
        if (log_position(query->runtime->storage, stop->task_id, stop->lane) == stop->position)
            return true;
        if (io->ops->mono_us(io) >= until_us || !query->runtime->threads)
            return false;
        lock_take(&query->lock);
        signal_wait_for(&query->changed, &query->lock, look_us);
        lock_release(&query->lock);
    }
}

void query_finish(Query *query) {
    leave_running(query, QUERY_FINISHED, NULL, NULL);
}

void query_changed(Query *query) {
    assert(query);
    assert(query->runtime);
    lock_take(&query->lock);
    signal_all(&query->changed);
    lock_release(&query->lock);
}

int64_t query_rowtime_max(const Query *query, const Task *task) {
    assert(query->task_count > 0);
    int64_t skew_ms = query->runtime->options.task_skew_max_ms;
    if (skew_ms == 0)
        return INT64_MAX;
    int64_t slowest = INT64_MAX;
    for (uint32_t i = 0; i < query->task_count; i++) {
        const Task *other = query->tasks[i];
        int64_t rowtime = atomic_load_explicit(&other->next_rowtime, memory_order_relaxed);
        if (other != task && rowtime < slowest)
            slowest = rowtime;
    }
    return slowest > INT64_MAX - skew_ms ? INT64_MAX : slowest + skew_ms;
}

/* -- Start ------------------------------------------------------------------------------------ */

static void wake_workers(void *context) {
    const Query *query = context;
    for (uint32_t i = 0; i < query->group_count; i++)
        worker_poke(query->groups[i]->worker);
}

/* Where it counts which row comes first: windows close, joins meet what is there. */
static bool is_by_lanes(const Query *query) {
    assert(query->stages.cut);
    bool cut = false, timed = false;
    for (uint32_t i = 0; i < query->plan->node_count; i++) {
        cut = cut || query->stages.cut[i];
        const PlanNode *node = query->plan->nodes[i];
        timed = timed || node->window.kind != WINDOW_NONE || plan_is_join(node->kind);
    }
    return cut && timed;
}

static uint32_t worker_of(const Query *query, uint32_t partition, int32_t slot) {
    assert(query->runtime->worker_count > 0);
    struct Runtime *runtime = query->runtime;
    if (slot != COMMIT_NO_SLOT)
        return (uint32_t)slot % runtime->worker_count;
    if (query->stages.whole)
        return atomic_fetch_add(&runtime->next_worker, 1) % runtime->worker_count;
    return partition % runtime->worker_count;
}

static Group *group_on(Query *query, Worker *worker, int32_t slot) {
    assert(worker);
    assert(query->group_count <= query->task_count);
    for (uint32_t i = 0; i < query->group_count; i++) {
        if (query->groups[i]->worker == worker && query->groups[i]->slot == slot)
            return query->groups[i];
    }
    Group *group = group_new(query, worker, query->task_count);
    group->slot = slot;
    query->groups[query->group_count++] = group;
    return group;
}

static ErrCode make_task(Query *query, const TaskSpec *spec, Task **task, Err *err) {
    assert(task);
    assert(spec->env->plan == query->plan);
    int32_t slot = query_slot(query, spec->stage, spec->partition);
    Worker *worker = &query->runtime->workers[worker_of(query, spec->partition, slot)];
    Group *group = group_on(query, worker, slot);
    OpEnv env = *spec->env;
    env.outbox = group->outbox;
    env.errors = &group->errors;
    env.clock_us = &group->clock_us;
    env.states = &group->states;
    env.note = worker->note;
    TaskSpec own = *spec;
    own.env = &env;
    TRY(task_new(&own, task, err));
    if (group->task_count == 0)
        group->owner_id = (*task)->id;
    group->tasks[group->task_count++] = *task;
    return ERR_OK;
}

static OpEnv query_env(Query *query, Snapshot *snapshot) {
    const struct Runtime *runtime = query->runtime;
    return (OpEnv){.storage = runtime->storage, .io = runtime->io, .plan = query->plan,
                   .errors = &query->errors, .counters = &query->counters,
                   .results = query->options.results, .snapshot = snapshot,
                   .internal_topics = query->options.internal_topics,
                   .first_id = query->options.first_id,
                   .partitions = query->options.partitions,
                   .fail_on = query->options.fail_on,
                   .single_partition = runtime->options.single_partition,
                   .consolidate = query->options.consolidate};
}

static ErrCode make_tasks(Query *query, Snapshot *snapshot, Err *err) {
    const Stages *stages = &query->stages;
    const QueryOptions *options = &query->options;
    OpEnv env = query_env(query, snapshot);
    for (uint32_t stage = 0; stage < stages->count; stage++)
        query->task_count += stages->partitions[stage];
    query->tasks = arena_array(query->arena, query->task_count, sizeof *query->tasks);
    query->groups = arena_array(query->arena, query->task_count, sizeof *query->groups);
    uint32_t made = 0;
    for (uint32_t stage = 0; stage < stages->count; stage++) {
        for (uint32_t partition = 0; partition < stages->partitions[stage]; partition++) {
            TaskSpec spec = {.env = &env, .stages = stages, .stage = stage,
                             .partition = partition,
                             .task_id = ids_task(options->first_id, options->partitions, stage,
                                                 partition),
                             .persistent = query->plan->kind == PLAN_PERSISTENT,
                             .from_end = options->from_end, .table_first = options->table_first,
                             .bounded = options->bounded};
            if (query->by_lanes) {
                spec.writers = query->tasks;
                spec.writer_count = made;
            }
            TRY(make_task(query, &spec, &query->tasks[made], err));
            made++;
        }
    }
    assert(made == query->task_count);
    return ERR_OK;
}

/* Of each node of the plan. */
static const uint32_t *keep_topics(Query *query, const uint32_t *topics) {
    assert(query->arena);
    if (!topics)
        return NULL;
    uint32_t *kept = arena_array(query->arena, query->plan->node_count, sizeof *kept);
    memcpy(kept, topics, query->plan->node_count * sizeof *kept);
    return kept;
}

/* -- Rows that ended the process -------------------------------------------------------------- */

static int64_t query_now_us(const Query *query) {
    Io *io = query->runtime->io;
    return io->ops->mono_us(io);
}

static Task *task_of_id(const Query *query, uint32_t task_id) {
    for (uint32_t i = 0; i < query->task_count; i++)
        if (query->tasks[i]->id == task_id)
            return query->tasks[i];
    return NULL;
}

static Group *group_of_task(const Query *query, const Task *task) {
    assert(task);
    for (uint32_t i = 0; i < query->group_count; i++)
        for (uint32_t k = 0; k < query->groups[i]->task_count; k++)
            if (query->groups[i]->tasks[k] == task)
                return query->groups[i];
    return NULL;
}

static void describe_end(const NoteRows *rows, const Task *task, Err *err) {
    const char *topic = "?";
    for (uint32_t i = 0; i < task->input_count; i++) {
        const ArbiterInput *input = &task->inputs[i];
        if (input->spec.where.topic_id == rows->where.topic_id)
            topic = input->spec.topic ? input->spec.topic->topic : input->node->path;
    }
    err_report(err, ERR_INTERNAL, 0, 0,
               "the process ended twice while this query %s offset %lld of topic %s, partition %u",
               rows->rows > 0 ? "ran the record at" : "read from", (long long)rows->offset, topic,
               rows->where.partition % (1U << 16));
}

static uint32_t ids_of_tasks(const Query *query) {
    return ids_task_count(query->plan, query->options.partitions);
}

/* What the note of the last process says of this query. */
static void heed_note(Query *query) {
    struct Note *note = query->runtime->options.note;
    uint32_t first = query->options.first_id, count = ids_of_tasks(query);
    NoteRows rows;
    if (query->plan->kind != PLAN_PERSISTENT)
        return;
    if (note_suspect(note, first, count, &rows)) {
        Task *task = task_of_id(query, rows.task_id);
        if (task)
            (void)task_try(task, &rows);
    }
    if (!note_quarantined(note, first, count, &rows))
        return;
    Task *task = task_of_id(query, rows.task_id);
    if (!task || !task_quarantine(task, &rows)) {
        note_release(note, first, count);
        return;
    }
    Group *group = group_of_task(query, task);
    query->quarantined = group->failing = true;
    describe_end(&rows, task, &group->failure);
}

bool query_is_suspect(Runtime *runtime, const Plan *plan, uint32_t first_id,
                      uint32_t partitions) {
    assert(partitions > 0);
    NoteRows rows;
    uint32_t count = ids_task_count(plan, partitions);
    return note_suspect(runtime->options.note, first_id, count, &rows) ||
           note_quarantined(runtime->options.note, first_id, count, &rows);
}

static bool is_on_trial(Query *query) {
    bool tries = query->quarantined;
    for (uint32_t i = 0; i < query->task_count; i++)
        tries = tries || atomic_load(&query->tasks[i]->on_trial);
    QueryFigures figures;
    if (tries)
        query_figures(query, &figures);
    return tries && figures.state == QUERY_RUNNING && figures.lag > 0;
}

ErrCode query_await_trial(Query *query, int64_t timeout_ms, Err *err) {
    const int64_t look_us = 500;
    int64_t until_us = query_now_us(query) + timeout_ms * 1000;
    assert(timeout_ms > 0);
    if (!query->runtime->threads)
        return is_on_trial(query) ? runtime_pump(query->runtime, err) : ERR_OK;
    while (is_on_trial(query) && query_now_us(query) < until_us) {
        lock_take(&query->lock);
        signal_wait_for(&query->changed, &query->lock, look_us);
        lock_release(&query->lock);
    }
    return ERR_OK;
}

void query_release(Runtime *runtime, const Plan *plan, uint32_t first_id, uint32_t partitions) {
    assert(partitions > 0);
    note_release(runtime->options.note, first_id, ids_task_count(plan, partitions));
}

static Query *query_new(Runtime *runtime, const QueryOptions *options) {
    assert(options->plan);
    Query *query = mem_alloc(sizeof *query);
    query->runtime = runtime;
    query->plan = options->plan;
    query->options = *options;
    query->start_us = runtime->io->ops->mono_us(runtime->io);
    atomic_store(&query->logged, options->logged);
    atomic_store(&query->paused, options->paused);
    query->arena = arena_new("query", 0);
    lock_init(&query->lock);
    signal_init(&query->changed);
    row_errors_init(&query->errors);
    query->options.internal_topics = keep_topics(query, options->internal_topics);
    query->options.changelogs = keep_topics(query, options->changelogs);
    return query;
}

/* Whatever was made of it so far; its groups are on no worker. */
static void query_free(Query *query) {
    for (uint32_t i = 0; i < query->task_count && query->tasks; i++)
        task_free(query->tasks[i]);
    for (uint32_t i = 0; i < query->group_count; i++)
        group_free(query->groups[i]);
    query_leave_slots(query);
    row_errors_close(&query->errors);
    signal_close(&query->changed);
    lock_close(&query->lock);
    arena_free(query->arena);
    mem_free(query);
}

/* From here on its groups run. */
static ErrCode add_groups(Query *query, Err *err) {
    assert(query->group_count > 0);
    for (uint32_t i = 0; i < query->group_count; i++) {
        Group *group = query->groups[i];
        ErrCode code = worker_add(group->worker, group, err);
        if (code == ERR_OK)
            continue;
        while (i > 0) {
            i--;
            worker_remove(query->groups[i]->worker, query->groups[i]);
        }
        return code;
    }
    return ERR_OK;
}

ErrCode query_start(Runtime *runtime, const QueryOptions *options, Query **target, Err *err) {
    assert(target);
    assert(options->plan->node_count > 0);
    Query *query = query_new(runtime, options);
    Snapshot *snapshot = NULL;
    ErrCode code;
    TRY_DONE(stages_make(runtime->storage, query->plan, runtime->options.single_partition,
                         query->arena, &query->stages, err));
    if (query->stages.whole && query->plan->kind != PLAN_PERSISTENT)
        query->options.partitions = 1; /* one task that keeps nothing */
    if (query->options.partitions == 0)
        query->options.partitions = query->stages.partitions_max;
    if (query->options.partitions < (query->stages.whole ? 1 : query->stages.partitions_max)) {
        code = err_set(err, ERR_INTERNAL, "a topic of query %s has more partitions than the query",
                       query->plan->query_id ? query->plan->query_id : "?");
        goto done;
    }
    query->by_lanes = is_by_lanes(query);
    TRY_DONE(query_take_slots(query, err));
    if (query->plan->kind == PLAN_PERSISTENT)
        snapshot = snapshot_open(runtime->storage); /* of what the slots have now */
    TRY_DONE(make_tasks(query, snapshot, err));
    heed_note(query);
    if (options->results)
        result_queue_on_room(options->results, wake_workers, query);
    TRY_DONE(add_groups(query, err));
done:
    if (snapshot)
        snapshot_close(snapshot);
    if (code != ERR_OK) {
        if (options->results)
            result_queue_end(options->results, err);
        query_free(query);
        return code;
    }
    *target = query;
    return ERR_OK;
}

void query_stop(Query *query) {
    assert(query->runtime);
    Err err;
    err_report(&err, ERR_CANCELLED, 0, 0, "the query was stopped");
    if (query->options.results)
        result_queue_end(query->options.results, &err);
    atomic_store(&query->paused, true);
    for (uint32_t i = 0; i < query->group_count; i++)
        worker_remove(query->groups[i]->worker, query->groups[i]);
    query_free(query);
}

void query_pause(Query *query, bool paused) {
    atomic_store(&query->paused, paused);
    wake_workers(query);
}

void query_set_logged(Query *query, bool logged) {
    atomic_store(&query->logged, logged);
}

/* -- What storage keeps of it ----------------------------------------------------------------- */

bool query_internal_topic(Runtime *runtime, const Plan *plan, uint32_t id, uint32_t *partitions) {
    assert(partitions);
    assert(id < plan->node_count);
    Arena *arena = arena_new("stages", 0);
    Stages stages;
    Err err;
    bool needed = stages_make(runtime->storage, plan, runtime->options.single_partition, arena,
                              &stages, &err) == ERR_OK &&
                  stages.cut[id];
    *partitions = needed ? stages.cut_partitions[id] : 0;
    arena_free(arena);
    return needed;
}

void query_remove_state(Commit *commit, const Plan *plan, uint32_t first_id,
                        uint32_t partitions) {
    assert(partitions > 0);
    assert(plan->node_count > 0);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        if (!ids_has_store(plan->nodes[i]->kind))
            continue;
        for (uint32_t partition = 0; partition < partitions; partition++)
            commit_remove_range(commit, ids_store(plan, first_id, partitions, i, partition),
                                (Bytes){0}, (Bytes){0});
    }
    uint32_t task_count = ids_task_count(plan, partitions);
    for (uint32_t i = 0; i < task_count; i++)
        commit_positions_drop(commit, first_id + i);
}

/* -- Waiting ---------------------------------------------------------------------------------- */

/* What catch_up waits for: one input to come to one offset. */
typedef struct Target {
    ArbiterInput *input;
    int64_t end;
} Target;

static ErrCode collect_targets(const Query *query, uint32_t stage, Arena *arena, Target **targets,
                               uint32_t *count, Err *err) {
    assert(targets && count);
    assert(stage < query->stages.count);
    *count = 0;
    uint32_t total = 0;
    for (uint32_t i = 0; i < query->task_count; i++)
        total += query->tasks[i]->stage == stage ? query->tasks[i]->input_count : 0;
    *targets = arena_array(arena, total, sizeof **targets);
    for (uint32_t i = 0; i < query->task_count; i++) {
        Task *task = query->tasks[i];
        for (uint32_t k = 0; task->stage == stage && k < task->input_count; k++) {
            int64_t start;
            Target *target = &(*targets)[(*count)++];
            target->input = &task->inputs[k];
            TRY(log_offsets_now(query->runtime->storage, target->input->spec.where, &start,
                            &target->end, err));
        }
    }
    return ERR_OK;
}

/* Records still to come; 0: all targets are reached. */
static int64_t targets_lag(const Target *targets, uint32_t count) {
    assert(targets || count == 0);
    assert(targets || count == 0);
    int64_t lag = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t settled = atomic_load_explicit(&targets[i].input->settled, memory_order_acquire);
        lag += settled < targets[i].end ? targets[i].end - settled : 0;
    }
    return lag;
}

static ErrCode lag_error(const Query *query, int64_t lag, int64_t timeout_ms, Err *err) {
    return err_set(err, ERR_LIMIT,
                   "query %s is %lld records behind after waiting %lld ms (weir.lookup.wait.ms)",
                   query->plan->query_id ? query->plan->query_id : "?", (long long)lag,
                   (long long)timeout_ms);
}

static uint32_t wait_interrupts(const Query *query) {
    const _Atomic uint32_t *interrupts = query->runtime->options.interrupts;
    return interrupts ? atomic_load(interrupts) : 0;
}

/* A signal's handler may interrupt, so who waits looks now and then. */
static void wait_for_change(Query *query, int64_t left_us) {
    const int64_t look_us = 50000;
    signal_wait_for(&query->changed, &query->lock, left_us < look_us ? left_us : look_us);
}

static ErrCode wait_for_targets(Query *query, const Target *targets, uint32_t count,
                                int64_t until_us, int64_t timeout_ms, Err *err) {
    assert(targets || count == 0);
    Io *io = query->runtime->io;
    ErrCode code = ERR_OK;
    uint32_t interrupts = wait_interrupts(query);
    for (;;) {
        if (wait_interrupts(query) != interrupts)
            return err_set(err, ERR_CANCELLED, "The statement was interrupted.");
        if (!query->runtime->threads)
            TRY(runtime_pump(query->runtime, err));
        lock_take(&query->lock);
        int64_t lag = targets_lag(targets, count);
        int64_t left_us = until_us - io->ops->mono_us(io);
        bool running = query_state(query) == QUERY_RUNNING;
        bool over = left_us <= 0 || !query->runtime->threads;
        if (lag > 0 && running && !over)
            wait_for_change(query, left_us);
        if (lag > 0 && query_state(query) == QUERY_ERROR) {
            *err = query->error;
            code = query->error.code;
        }
        lock_release(&query->lock);
        if (lag == 0 || code != ERR_OK || query_state(query) == QUERY_FINISHED)
            return code;
        if (over)
            return lag_error(query, lag, timeout_ms, err);
    }
}

ErrCode query_catch_up(Query *query, int64_t timeout_ms, Err *err) {
    assert(timeout_ms >= 0);
    Io *io = query->runtime->io;
    int64_t until_us = io->ops->mono_us(io) + timeout_ms * 1000;
    Arena *arena = arena_new("catch up", 0);
    ErrCode code = ERR_OK;
    for (uint32_t stage = 0; stage < query->stages.count && code == ERR_OK; stage++) {
        Target *targets;
        uint32_t count;
        TRY_DONE(collect_targets(query, stage, arena, &targets, &count, err));
        TRY_DONE(wait_for_targets(query, targets, count, until_us, timeout_ms, err));
    }
done:
    arena_free(arena);
    return code;
}

/* -- Scripts ---------------------------------------------------------------------------------- */

ErrCode query_run_script(Query *query, const QueryScriptItem *items, uint32_t count, Err *err) {
    assert(items || count == 0);
    return query_run_script_part(query, &(QueryScript){items, count, 0, count}, err);
}

ErrCode query_run_script_part(Query *query, const QueryScript *script, Err *err) {
    assert(script->from <= script->to && script->to <= script->count);
    assert(!query->runtime->threads && query->group_count == 1);
    TRY(group_run_script(query->groups[0], script, err));
    while (!group_quiet(query->groups[0]))
        TRY(storage_pump(query->runtime->storage, err));
    lock_take(&query->lock);
    ErrCode code = query_state(query) == QUERY_ERROR ? query->error.code : ERR_OK;
    if (code != ERR_OK)
        *err = query->error;
    lock_release(&query->lock);
    return code;
}
