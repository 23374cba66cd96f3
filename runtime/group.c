/*
 * group.c - see group.h.
 */
#include "runtime/group.h"

#include <assert.h>

#include "base/mem.h"
#include "runtime/blame.h"
#include "runtime/ids.h"
#include "runtime/processing_log.h"
#include "runtime/result_impl.h"
#include "runtime/worker.h"
#include "storage/cluster.h"

enum {
    GROUP_PENDING_BYTES = 4 << 20, /* a frame of this size is written at the disk's full rate */
    GROUP_STEPS_MAX = 16,           /* in one turn: half of the blocks that a scan keeps */
    GROUP_STEPS_BEHIND_MAX = 128,   /* of who is behind others: it is to catch up with them */
    GROUP_COST_FACTOR = 10,        /* small hand-overs take at most a tenth of a worker */
    GROUP_IDLE_US_MAX = 2000,      /* large ones cost by the byte: waiting saves nothing */
    GROUP_SAMPLE_US = 1000000,     /* rows a second are counted over about one */
    GROUP_TICK_MS_MAX = 60000,     /* the wall clock may be set, so it is looked at again */
    GROUP_SKEW_US = 1000,          /* how soon a task held back by others looks again */
};

/* -- Life ------------------------------------------------------------------------------------- */

Group *group_new(Query *query, struct Worker *worker, uint32_t task_count) {
    assert(task_count > 0);
    Group *group = mem_alloc(sizeof *group);
    group->query = query;
    group->worker = worker;
    group->persistent = query->plan->kind == PLAN_PERSISTENT;
    group->tasks = mem_array(task_count, sizeof *group->tasks);
    group->slot = COMMIT_NO_SLOT;
    group->outbox = outbox_new();
    row_errors_init_group(&group->errors, &query->errors);
    return group;
}

static void end_logging(Group *group) {
    if (group->logging)
        processing_log_end(group);
    group->logging = false;
}

void group_free(Group *group) {
    assert(!group || !group->in_flight);
    if (!group)
        return;
    assert(!group->in_flight);
    for (size_t i = 0; i < group->states.count; i++)
        group->states.items[i]->ops->close(group->states.items[i]);
    mem_free(group->states.items);
    outbox_free(group->outbox);
    commit_drop(group->refused);
    end_logging(group);
    row_errors_close(&group->errors);
    mem_free(group->tasks);
    mem_free(group);
}

static int64_t group_now_us(const Group *group) {
    assert(group->worker);
    Io *io = group->worker->runtime->io;
    return io->ops->mono_us(io);
}

/* Rows a second of each operator, over the time since it was last looked at: about a second. */
static void sample_rates(Group *group, int64_t now_us) {
    int64_t before_us = atomic_load_explicit(&group->sample_us, memory_order_relaxed);
    if (before_us != 0 && now_us - before_us < GROUP_SAMPLE_US)
        return;
    for (uint32_t i = 0; i < group->task_count; i++) {
        const Task *task = group->tasks[i];
        for (uint32_t k = 0; k < task->op_count; k++) {
            Op *op = &task->ops[k];
            uint64_t rows = atomic_load_explicit(&op->counts[OP_ROWS_OUT], memory_order_relaxed);
            uint64_t more = rows - atomic_load_explicit(&op->sample_rows, memory_order_relaxed);
            double seconds = (double)(now_us - before_us) / 1e6;
            uint64_t rate = before_us == 0 ? 0 : (uint64_t)((double)more / seconds);
            atomic_store_explicit(&op->sample_rows, rows, memory_order_relaxed);
            atomic_store_explicit(&op->sample_rate, rate, memory_order_relaxed);
        }
    }
    atomic_store(&group->sample_us, now_us);
}

static void publish_figures(Group *group) {
    assert(group->task_count > 0);
    StateFigures sum = {0};
    for (size_t i = 0; i < group->states.count; i++) {
        StateFigures figures;
        State *state = group->states.items[i];
        state->ops->figures(state, &figures);
        atomic_store_explicit(&state->rows, figures.rows, memory_order_relaxed);
        atomic_store_explicit(&state->bytes, figures.bytes, memory_order_relaxed);
        atomic_store_explicit(&state->unmatched, figures.unmatched, memory_order_relaxed);
        sum.rows += figures.rows;
        sum.bytes += figures.bytes;
    }
    atomic_store_explicit(&group->state_rows, sum.rows, memory_order_relaxed);
    atomic_store_explicit(&group->state_bytes, sum.bytes, memory_order_relaxed);
}

ErrCode group_attach(Group *group, Err *err) {
    assert(group->worker);
    assert(group->task_count > 0);
    assert(!group->in_flight);
    for (uint32_t i = 0; i < group->task_count; i++)
        TRY(task_attach(group->tasks[i], group->worker->scans, err));
    publish_figures(group); /* of what was there before */
    return ERR_OK;
}

void group_detach(Group *group) {
    assert(!group->in_flight);
    for (uint32_t i = 0; i < group->task_count; i++)
        task_detach(group->tasks[i]);
}

/* -- Commits ---------------------------------------------------------------------------------- */

static size_t pending_bytes(const Group *group) {
    assert(group->task_count > 0);
    assert(group->outbox);
    size_t bytes = outbox_bytes(group->outbox);
    for (size_t i = 0; i < group->states.count; i++)
        bytes += group->states.items[i]->ops->pending(group->states.items[i]);
    return bytes;
}

/* What was submitted is kept: positions and state. */
static void settle(Group *group) {
    assert(group->tasks);
    assert(!group->in_flight);
    for (size_t i = 0; i < group->states.count; i++)
        group->states.items[i]->ops->settle(group->states.items[i]);
    for (uint32_t i = 0; i < group->task_count; i++) {
        Task *task = group->tasks[i];
        for (uint32_t k = 0; k < task->input_count; k++) {
            ArbiterInput *input = &task->inputs[k];
            atomic_store_explicit(&input->settled, input->submitted, memory_order_release);
        }
        task_settled(task);
    }
    publish_figures(group);
    atomic_fetch_add_explicit(&group->query->counters.commits, 1, memory_order_relaxed);
    query_changed(group->query);
}

/* Back to the last hand-over; submitted_too: to the last durable one. */
static void roll_back(Group *group, bool submitted_too) {
    assert(group->tasks);
    assert(!submitted_too || !group->in_flight);
    for (size_t i = 0; i < group->states.count; i++)
        group->states.items[i]->ops->undo(group->states.items[i], submitted_too);
    outbox_clear(group->outbox);
    row_errors_forget(&group->errors);
    for (uint32_t i = 0; i < group->task_count; i++)
        task_rewind(group->tasks[i], submitted_too);
    group->dirty_since_us = 0;
    group->steps = 0;
    group->idle = false;
}

/* On the storage's writer thread, or inside storage_pump(). */
static void committed(void *arg, const CommitOutcome *outcome) {
    Group *group = arg;
    assert(atomic_load(&group->outcome) == GROUP_OPEN);
    if (outcome->result == COMMIT_ABORTED)
        group->cause = *outcome->err;
    worker_post(group->worker, &group->outcome,
                outcome->result == COMMIT_DURABLE ? GROUP_DURABLE : GROUP_ABORTED);
}

/* What the cluster has not taken: to be tried again, or the end. */
static void commit_aborted(Group *group) {
    assert(group->slot != COMMIT_NO_SLOT);
    assert(group->cause.code != ERR_OK);
    if (err_action(group->cause.code) != ERR_ACTION_RETRY) {
        query_fail(group->query, &group->cause);
        return;
    }
    QueryStop stop = {0};
    if (blame_commit(group, &stop) != BLAME_WAIT)
        return;
    group->retry_step = false;
    retry_failed(&group->retry, group->query, &group->cause, &stop, group_now_us(group));
}

static void take_outcome(Group *group) {
    assert(group->worker);
    int outcome = atomic_load(&group->outcome);
    if (!group->in_flight || outcome == GROUP_OPEN)
        return;
    group->in_flight = false;
    atomic_store(&group->outcome, GROUP_OPEN);
    if (outcome == GROUP_DURABLE) {
        settle(group);
        if (group->slot != COMMIT_NO_SLOT)
            retry_over(&group->retry, group->query);
        return;
    }
    roll_back(group, true);
    Err err;
    bool stands = storage_state(group->worker->runtime->storage, &err) == ERR_OK;
    if (stands && group->slot != COMMIT_NO_SLOT) {
        commit_aborted(group);
        return;
    }
    if (stands)
        err_report(&err, ERR_STORAGE_FAILED, 0, 0, "a commit was not accepted");
    query_fail(group->query, &err);
}

bool group_quiet(Group *group) {
    assert(group->tasks);
    take_outcome(group);
    return !group->in_flight;
}

static void save_positions(Group *group, Commit *commit) {
    assert(commit);
    assert(group->persistent);
    for (uint32_t i = 0; i < group->task_count; i++) {
        Task *task = group->tasks[i];
        for (uint32_t k = 0; k < task->input_count; k++) {
            ArbiterInput *input = &task->inputs[k];
            if (input->cursor.offset == input->submitted)
                continue;
            commit_position(commit, task->id, ids_lane(input->spec.where, input->position_lane),
                            input->cursor.offset);
            input->submitted = input->cursor.offset;
        }
        task_submitted(task);
    }
}

/* The hand-over itself; a refused one is kept and tried again. */
static void submit(Group *group, Commit *commit) {
    assert(!group->in_flight);
    assert(commit);
    assert(!group->in_flight);
    Err err;
    group->in_flight = true;
    ErrCode code = commit_submit(commit, committed, group, &err);
    bool again = code != ERR_OK && err_action(code) == ERR_ACTION_RETRY;
    if (!again)
        end_logging(group);
    if (code == ERR_OK) {
        if (group->slot == COMMIT_NO_SLOT) /* else: when the cluster has it */
            retry_over(&group->retry, group->query);
        return;
    }
    group->in_flight = false;
    if (again) {
        group->retry_step = false;
        group->refused = commit;
        retry_failed(&group->retry, group->query, &err, NULL, group_now_us(group));
        return;
    }
    commit_drop(commit);
    roll_back(group, true);
    query_fail(group->query, &err);
}

static void hand_over(Group *group) {
    assert(!group->in_flight);
    assert(group->persistent && !group->in_flight && !group->refused);
    int64_t begin_us = group_now_us(group);
    Commit *commit = commit_new(group->worker->runtime->storage, group->owner_id);
    if (group->slot != COMMIT_NO_SLOT)
        commit_slot(commit, (uint32_t)group->slot);
    size_t pending = pending_bytes(group);
    commit_expect(commit, pending + pending / 64 * group->bytes_ratio);
    blame_hand_over(group);
    save_positions(group, commit);
    for (size_t i = 0; i < group->states.count; i++)
        group->states.items[i]->ops->save(group->states.items[i], commit);
    group->logging = processing_log_begin(group, commit);
    outbox_save(group->outbox, commit);
    size_t more = commit_bytes(commit) > pending ? commit_bytes(commit) - pending : 0;
    group->bytes_ratio = pending > 64 ? more / (pending / 64) : 0;
    submit(group, commit);
    group->handover_us = group_now_us(group);
    group->handover_cost_us = group->handover_us - begin_us;
    group->dirty_since_us = 0;
    group->rows_cut = group->rows_cut < BATCH_ROWS_MAX / 2 ? group->rows_cut * 2 : 0;
}

static void try_refused(Group *group, int64_t now_us) {
    if (!group->refused || !retry_is_due(&group->retry, now_us))
        return;
    Commit *commit = group->refused;
    group->refused = NULL;
    submit(group, commit);
}

/* The task whose step is not done; NULL: none. */
static Task *owing_task(const Group *group) {
    assert(group->task_count > 0);
    for (uint32_t i = 0; i < group->task_count; i++) {
        if (group->tasks[i]->owing)
            return group->tasks[i];
    }
    return NULL;
}

static int64_t commit_interval_ms(const Group *group) {
    int64_t own_ms = group->query->options.commit_interval_ms;
    if (own_ms != 0)
        return own_ms > 0 ? own_ms : 0;
    return group->worker->runtime->options.commit_interval_ms;
}

/* How long after a hand-over one with nothing left to read has its next: tasks on other workers may
 * wait for its rows. */
static int64_t idle_wait_us(const Group *group) {
    int64_t wait_us = GROUP_COST_FACTOR * group->handover_cost_us;
    assert(wait_us >= 0);
    return wait_us < GROUP_IDLE_US_MAX ? wait_us : GROUP_IDLE_US_MAX;
}

/* When the next commit is due; INT64_MAX: when something else happens. */
static int64_t commit_due_us(const Group *group) {
    assert(group->worker);
    assert(group->persistent);
    if (group->dirty_since_us == 0 || group->in_flight || group->refused || owing_task(group))
        return INT64_MAX;
    if (group->rows_cut > 0)
        return 0;
    if (pending_bytes(group) >= GROUP_PENDING_BYTES || commit_interval_ms(group) == 0)
        return 0;
    if (group->idle && !group->worker->runtime->threads)
        return 0; /* by hand: nothing else will make time pass */
    if (group->idle)
        return group->handover_us + idle_wait_us(group);
    return group->dirty_since_us + commit_interval_ms(group) * 1000;
}

static void note_dirty(Group *group) {
    assert(group->worker);
    if (group->dirty_since_us != 0)
        return;
    for (uint32_t i = 0; i < group->task_count; i++) {
        if (task_moved(group->tasks[i]) || group->tasks[i]->ticked) {
            int64_t now_us = group_now_us(group);
            group->dirty_since_us = now_us > 0 ? now_us : 1; /* 0 is clean; a clock may say 0 */
            return;
        }
    }
}

/* Queries that keep nothing: each step is final at once. */
static void settle_step(Group *group) {
    assert(!group->persistent && outbox_bytes(group->outbox) == 0);
    for (uint32_t i = 0; i < group->task_count; i++) {
        Task *task = group->tasks[i];
        for (uint32_t k = 0; k < task->input_count; k++)
            task->inputs[k].submitted = task->inputs[k].cursor.offset;
    }
    for (size_t i = 0; i < group->states.count; i++)
        group->states.items[i]->ops->save(group->states.items[i], NULL);
    settle(group);
}

/* -- Steps ------------------------------------------------------------------------------------ */

/* Puts the tasks in order of their next row's time. */
static ErrCode order_tasks(Group *group, Err *err) {
    assert(group->tasks);
    assert(group->task_count > 0);
    for (uint32_t i = 0; i < group->task_count; i++) {
        Task *task = group->tasks[i];
        TRY(task_peek(task, err));
        int64_t rowtime = atomic_load_explicit(&task->next_rowtime, memory_order_relaxed);
        uint32_t at = i;
        for (; at > 0; at--) {
            Task *other = group->tasks[at - 1];
            if (atomic_load_explicit(&other->next_rowtime, memory_order_relaxed) <= rowtime)
                break;
            group->tasks[at] = other;
        }
        group->tasks[at] = task;
    }
    return ERR_OK;
}

static ErrCode tick_tasks(Group *group, bool *worked, Err *err) {
    assert(group->tasks);
    Io *io = group->worker->runtime->io;
    assert(group->task_count > 0);
    for (uint32_t i = 0; i < group->task_count; i++) {
        if (group->tasks[i]->ticks)
            TRY(task_tick(group->tasks[i], io->ops->now_ms(io), worked, err));
    }
    return ERR_OK;
}

/* When the next tick is due, on the clock of Io.mono_us; INT64_MAX: none is. */
static int64_t tick_due_us(const Group *group) {
    assert(group->task_count > 0);
    Io *io = group->worker->runtime->io;
    int64_t due_us = INT64_MAX;
    for (uint32_t i = 0; i < group->task_count; i++) {
        int64_t tick_ms = task_tick_ms(group->tasks[i]);
        if (tick_ms == INT64_MAX)
            continue;
        int64_t left_ms = tick_ms - io->ops->now_ms(io);
        left_ms = left_ms < 0 ? 0 : left_ms > GROUP_TICK_MS_MAX ? GROUP_TICK_MS_MAX : left_ms;
        int64_t at_us = group_now_us(group) + left_ms * 1000;
        due_us = at_us < due_us ? at_us : due_us;
    }
    return due_us;
}

/* How many rows a step may have now; 0: the client is behind. */
static uint32_t rows_max(const Group *group) {
    assert(group->worker->runtime->options.step_rows <= BATCH_ROWS_MAX);
    uint32_t rows = group->worker->runtime->options.step_rows;
    uint32_t own_rows = group->query->options.step_rows;
    ResultQueue *results = group->query->options.results;
    if (own_rows > 0 && own_rows < rows)
        rows = own_rows;
    if (group->rows_cut > 0 && group->rows_cut < rows)
        rows = group->rows_cut;
    if (!results)
        return rows;
    uint32_t room = result_queue_room(results);
    return room < rows ? room : rows;
}

static void step_failed(Group *group, const Task *task, const Err *err) {
    assert(err->code != ERR_OK);
    assert(err->code != ERR_OK);
    assert(task);
    QueryStop stop = {0};
    blame_read(group, err, &stop);
    if (!stop.known) /* else nothing was begun, and what is before the record is to be committed */
        roll_back(group, false);
    bool heals = group->persistent || storage_cluster(group->worker->runtime->storage);
    if (heals && err_action(err->code) == ERR_ACTION_RETRY) {
        group->retry_step = true;
        retry_failed(&group->retry, group->query, err, &stop, group_now_us(group));
        return;
    }
    if (group->persistent && task->env.row_failed && !group->failing) {
        group->failing = true;
        group->failure = *err;
        return;
    }
    query_fail(group->query, err);
}

static void check_ends(Group *group, const Task *task, bool worked) {
    assert(task);
    if (task->env.limit_reached ||
        (group->query->options.bounded && !worked && task_at_end(task)))
        query_finish(group->query);
}

static bool has_row(const Task *task) {
    return atomic_load_explicit(&task->next_rowtime, memory_order_relaxed) != INT64_MAX;
}

/* What a step made so far is more than a commit takes. */
static void cut_step(Group *group, Task *task) {
    assert(task);
    Err err;
    assert(task->owing && group->persistent);
    if (task->chosen.rows == 1) {
        if (task_refuse(task, &err) != ERR_OK)
            step_failed(group, task, &err);
        return;
    }
    group->rows_cut = 1;
    roll_back(group, false);
}

/* One pass of this task; false: it failed. */
static bool step_task(Group *group, Task *task, uint32_t rows, bool *worked) {
    Err err;
    uint32_t script_taken;
    assert(rows > 0);
    TaskLimits limits = {.rows_max = rows, .rowtime_max = query_rowtime_max(group->query, task)};
    if (task_step(task, &limits, worked, &script_taken, &err) != ERR_OK) {
        step_failed(group, task, &err);
        *worked = true;
        return false;
    }
    if (task->owing && group->persistent && pending_bytes(group) > STEP_OUTPUT_BYTES_MAX)
        cut_step(group, task);
    return true;
}

/* Ticks, then one pass of the first task that can do one: earlier ones may wait for others. */
static bool begin_step(Group *group, uint32_t rows, bool *worked, int64_t *due_us) {
    Err err;
    assert(!*worked);
    if (tick_tasks(group, worked, &err) != ERR_OK || order_tasks(group, &err) != ERR_OK) {
        step_failed(group, group->tasks[0], &err);
        return false;
    }
    for (uint32_t i = 0; i < group->task_count && has_row(group->tasks[i]) && !*worked; i++) {
        Task *task = group->tasks[i];
        if (!step_task(group, task, rows, worked))
            return false;
        if (!*worked && !task->blocked)
            *due_us = group_now_us(group) + GROUP_SKEW_US; /* others are behind */
        if (task->blocked && !task->owing)
            return false;
    }
    return true;
}

static void step(Group *group, bool *worked, int64_t *due_us) {
    assert(!*worked);
    group->errors.logs = processing_log_wanted(group);
    group->idle = true;
    uint32_t rows = rows_max(group);
    if (rows == 0)
        return;
    Task *owing = owing_task(group);
    if (owing ? !step_task(group, owing, rows, worked)
              : !begin_step(group, rows, worked, due_us))
        return;
    for (uint32_t i = 0; i < group->task_count; i++)
        *worked = *worked || group->tasks[i]->env.skipping;
    if (group->retry_step) {
        group->retry_step = false;
        retry_over(&group->retry, group->query);
    }
    group->idle = !*worked;
    if (*worked)
        blame_step(group);
    if (*worked && !group->persistent && !owing_task(group))
        settle_step(group);
    int64_t tick_us = tick_due_us(group);
    *due_us = tick_us < *due_us ? tick_us : *due_us;
    check_ends(group, group->tasks[0], *worked);
}

/* A failing group that has come to its row: commits what is before it, then the query stops. */
static bool at_failed_row(const Group *group) {
    for (uint32_t i = 0; group->failing && i < group->task_count; i++) {
        if (group->tasks[i]->blocked)
            return !owing_task(group);
    }
    return false;
}

/* Leaves the row out that a failing group has come to; false: it stops there. */
static bool skip_row(Group *group) {
    assert(group->failing);
    if (!(group->query->options.fail_on & QUERY_SKIP_FAILED))
        return false;
    for (uint32_t i = 0; i < group->task_count; i++) {
        if (group->tasks[i]->blocked && task_skip(group->tasks[i], &group->failure)) {
            group->failing = false;
            return true;
        }
    }
    return false;
}

static void fail_at_row(Group *group) {
    QueryStop stop = {0};
    assert(group->failing);
    for (uint32_t i = 0; i < group->task_count && !stop.known; i++)
        if (group->tasks[i]->blocked)
            task_stopped_at(group->tasks[i], &stop);
    blame_group(group, &stop);
    query_fail_at(group->query, &group->failure, &stop);
}

static void stop_at_row(Group *group) {
    assert(group->failing);
    assert(group->persistent);
    if (group->in_flight || group->refused)
        return;
    note_dirty(group);
    if (group->dirty_since_us != 0)
        hand_over(group);
    else if (!skip_row(group))
        fail_at_row(group);
}

/* Others read the same, so far in front that their blocks are not shared. */
static bool is_behind(const Group *group) {
    bool behind = false;
    for (uint32_t i = 0; i < group->task_count; i++)
        for (uint32_t k = 0; k < group->tasks[i]->input_count; k++)
            behind = behind || cursor_is_behind(&group->tasks[i]->inputs[k].cursor);
    return behind;
}

/* A few steps in a row while there are rows: what a group touches is in the cache then, and so is
 * the next group's input, which is decoded already. Who is behind takes more, until it is not. */
static void take_steps(Group *group, bool *worked, int64_t *due_us) {
    bool more = true;
    for (uint32_t i = 0; more && i < GROUP_STEPS_BEHIND_MAX; i++) {
        if (i >= GROUP_STEPS_MAX && !is_behind(group))
            return;
        bool stepped = false;
        step(group, &stepped, due_us);
        *worked = *worked || stepped;
        more = stepped && group->worker->runtime->threads && !group->failing &&
               group->rows_cut != 1 &&
               commit_interval_ms(group) > 0 &&
               pending_bytes(group) < GROUP_PENDING_BYTES &&
               query_state(group->query) == QUERY_RUNNING;
    }
}

void group_turn(Group *group, bool *worked, int64_t *due_us) {
    assert(worked && due_us);
    assert(group->task_count > 0);
    *worked = false;
    *due_us = INT64_MAX;
    bool was_in_flight = group->in_flight;
    take_outcome(group);
    *worked = was_in_flight && !group->in_flight;
    group->clock_us = group_now_us(group);
    sample_rates(group, group->clock_us);
    if (query_state(group->query) != QUERY_RUNNING)
        return;
    try_refused(group, group->clock_us);
    if (at_failed_row(group)) {
        stop_at_row(group);
        *worked = *worked || !group->failing; /* it left the row out and goes on */
        return;
    }
    bool full = (group->in_flight || group->refused) &&
                pending_bytes(group) >= GROUP_PENDING_BYTES;
    bool stepped = false;
    bool paused = atomic_load(&group->query->paused);
    bool waits = !retry_is_due(&group->retry, group->clock_us);
    group->idle = group->idle || paused;
    if (!full && !paused && (!waits || group->refused))
        take_steps(group, &stepped, due_us);
    *worked = *worked || stepped || at_failed_row(group);
    if (!group->persistent || query_state(group->query) != QUERY_RUNNING)
        return;
    note_dirty(group);
    int64_t commit_us = commit_due_us(group);
    if (commit_us <= group->clock_us || commit_us <= group_now_us(group)) {
        hand_over(group);
        *worked = true;
    } else if (commit_us < *due_us) {
        *due_us = commit_us;
    }
    bool to_come = group->retry.count > 0 && group->retry.at_us > group->clock_us;
    if (to_come && group->retry.at_us < *due_us)
        *due_us = group->retry.at_us; /* a try that was due is under way */
}

/* -- Scripts ---------------------------------------------------------------------------------- */

static bool in_script(const ArbiterInput *input, const QueryScript *script) {
    for (uint32_t i = 0; i < script->count; i++) {
        if (script->items[i].topic_id == input->spec.where.topic_id)
            return true;
    }
    return false;
}

/* Reads the inputs that the script does not name as far as they reach: the others seem empty. */
static ErrCode run_others(Task *task, uint32_t rows, const QueryScript *script, Err *err) {
    assert(rows > 0);
    for (uint32_t i = 0; i < task->input_count; i++) {
        if (in_script(&task->inputs[i], script))
            task->inputs[i].end = 0;
    }
    TaskLimits limits = {.rows_max = rows, .rowtime_max = INT64_MAX};
    ErrCode code = ERR_OK;
    uint32_t script_taken;
    task_clock(task);
    for (bool worked = true; (worked || task->env.waiting) && code == ERR_OK;) {
        if (!worked)
            storage_await(task->env.storage, GROUP_SKEW_US);
        code = task_step(task, &limits, &worked, &script_taken, err);
    }
    for (uint32_t i = 0; i < task->input_count; i++) {
        if (in_script(&task->inputs[i], script))
            task->inputs[i].end = INT64_MAX;
    }
    return code;
}

ErrCode group_run_script(Group *group, const QueryScript *script, Err *err) {
    assert(script->items || script->count == 0);
    assert(group->task_count == 1 && !group->in_flight);
    Task *task = group->tasks[0];
    uint32_t rows = group->worker->runtime->options.step_rows;
    ErrCode code = run_others(task, rows, script, err);
    uint32_t taken = script->from;
    while (code == ERR_OK && taken < script->to && !task->env.limit_reached) {
        TaskLimits limits = {.rows_max = rows, .rowtime_max = INT64_MAX,
                             .script = script->items + taken,
                             .script_count = script->to - taken};
        bool worked;
        uint32_t step_taken;
        task_clock(task);
        code = task_step(task, &limits, &worked, &step_taken, err);
        assert(code != ERR_OK || worked || step_taken > 0 || task->owing);
        taken += step_taken;
        if (code == ERR_OK && worked && !group->persistent && !task->owing)
            settle_step(group);
    }
    if (code != ERR_OK) {
        roll_back(group, false);
        query_fail(group->query, err);
        return code;
    }
    note_dirty(group);
    if (group->persistent && group->dirty_since_us != 0)
        hand_over(group);
    check_ends(group, task, true);
    return ERR_OK;
}
