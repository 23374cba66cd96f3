/*
 * query_figures.c - what a query did and how far it is, as anyone may ask at any time.
 *
 * Workers count in their own tasks and groups without a lock; here the counts are added up. They
 * are read one after the other while the query runs, so they need not fit exactly together.
 */
#include <assert.h>

#include "runtime/query_impl.h"
#include "runtime/worker.h"

enum { RATE_FRESH_US = 1500000 };

static int64_t figures_now_us(const Query *query) {
    Io *io = query->runtime->io;
    assert(io);
    return io->ops->mono_us(io);
}

static int64_t input_lag(const Query *query, const ArbiterInput *input) {
    int64_t start, end;
    Err ignored;
    assert(input->source);
    if (input->cursor.lane > 0)
        return 0; /* the same records as lane 0 */
    if (log_offsets(query->runtime->storage, input->spec.where, &start, &end, &ignored) != ERR_OK)
        return 0;
    int64_t seen = atomic_load_explicit(&input->seen, memory_order_acquire);
    return seen < end ? end - seen : 0;
}

static uint64_t count_of(const Op *op, OpCount what) {
    assert(what < OP_COUNTS);
    return atomic_load_explicit(&op->counts[what], memory_order_relaxed);
}

/* The worker's figure; where it has not looked for a while, what came since over that time. */
static uint64_t op_rate(const Query *query, const Group *group, const Op *op) {
    int64_t sample_us = atomic_load(&group->sample_us), now_us = figures_now_us(query);
    assert(op->env);
    uint64_t before = atomic_load_explicit(&op->sample_rows, memory_order_relaxed);
    if (now_us - query->start_us < RATE_FRESH_US) { /* too young for a sample */
        sample_us = query->start_us;
        before = 0;
    } else if (now_us - sample_us < RATE_FRESH_US) {
        return atomic_load_explicit(&op->sample_rate, memory_order_relaxed);
    }
    uint64_t rows = count_of(op, OP_ROWS_OUT);
    if (rows <= before || now_us <= sample_us)
        return 0;
    return (uint64_t)((double)(rows - before) * 1e6 / (double)(now_us - sample_us));
}

static const Group *group_of(const Query *query, const Task *task) {
    assert(query->group_count > 0);
    uint32_t i = 0;
    while (&query->groups[i]->states != task->env.states)
        i++;
    assert(i < query->group_count);
    return query->groups[i];
}

static void add_task(const Query *query, const Task *task, OpFigures *figures) {
    const Group *group = group_of(query, task);
    assert(task->op_count == query->plan->node_count);
    for (uint32_t i = 0; i < task->op_count; i++) {
        const Op *op = &task->ops[i];
        OpFigures *sum = &figures[i];
        op_figures_add(sum, op);
        sum->row_errors += count_of(&task->readers[i], OP_ERRORS);
        sum->time_us += count_of(&task->readers[i], OP_TIME_US);
        sum->rate += op_rate(query, group, op);
        for (size_t k = 0; k < op->state_count; k++) {
            const State *state = group->states.items[op->state_first + k];
            sum->has_state = true;
            sum->no_match += atomic_load_explicit(&state->unmatched, memory_order_relaxed);
            sum->state_rows += atomic_load_explicit(&state->rows, memory_order_relaxed);
            sum->state_bytes += atomic_load_explicit(&state->bytes, memory_order_relaxed);
        }
    }
}

void query_op_figures(Query *query, OpFigures *figures) {
    assert(figures);
    memset(figures, 0, query->plan->node_count * sizeof *figures);
    for (uint32_t i = 0; i < query->task_count; i++) {
        const Task *task = query->tasks[i];
        add_task(query, task, figures);
        for (uint32_t k = 0; k < task->input_count; k++)
            figures[task->inputs[k].node->id].lag += input_lag(query, &task->inputs[k]);
    }
}

static void add_causes(Query *query, QueryFigures *figures) {
    const Plan *plan = query->plan;
    Arena *arena = arena_new("figures", 0);
    OpFigures *ops = arena_array(arena, plan->node_count, sizeof *ops);
    query_op_figures(query, ops);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const PlanNode *node = plan->nodes[i];
        figures->late_rows += ops[i].late_rows;
        figures->no_match += ops[i].no_match;
        figures->filtered += ops[i].filtered;
        figures->lag += ops[i].lag;
        if (node->kind == PLAN_SOURCE) {
            figures->unread += ops[i].row_errors;
            figures->rate += ops[i].rate;
        }
    }
    arena_free(arena);
}

/* With the query's lock held. */
static void retry_figures(const Query *query, QueryFigures *figures) {
    Io *io = query->runtime->io;
    int64_t now_us = io->ops->mono_us(io), left_us = query->retry_at_us - now_us;
    assert(query->retry_count > 0);
    figures->error = query->retry_error;
    figures->retry_count = query->retry_count;
    figures->retry_in_ms = left_us > 0 ? left_us / 1000 : 0;
    figures->retry_for_ms = (now_us - query->retry_since_us) / 1000;
}

void query_figures(Query *query, QueryFigures *figures) {
    assert(figures);
    *figures = (QueryFigures){0};
    lock_take(&query->lock);
    figures->state = query_state(query);
    figures->error = query->error;
    if (figures->state == QUERY_RUNNING && query->retry_count > 0)
        retry_figures(query, figures);
    lock_release(&query->lock);
    if (figures->state == QUERY_RUNNING && atomic_load(&query->paused))
        figures->state = QUERY_PAUSED;
    const Counters *counters = &query->counters;
    figures->rows_in = atomic_load_explicit(&counters->rows_in, memory_order_relaxed);
    figures->rows_out = atomic_load_explicit(&counters->rows_out, memory_order_relaxed);
    figures->commits = atomic_load_explicit(&counters->commits, memory_order_relaxed);
    for (uint32_t i = 0; i < query->group_count; i++) {
        const Group *group = query->groups[i];
        figures->state_rows += atomic_load_explicit(&group->state_rows, memory_order_relaxed);
        figures->state_bytes += atomic_load_explicit(&group->state_bytes, memory_order_relaxed);
    }
    RowError ignored[ROW_ERRORS_KEPT];
    row_errors_last(&query->errors, ignored, &figures->row_errors);
    int64_t end_us = atomic_load(&query->end_us);
    figures->running_us = (end_us > 0 ? end_us : figures_now_us(query)) - query->start_us;
    add_causes(query, figures);
}

uint32_t query_last_errors(Query *query, RowError target[ROW_ERRORS_KEPT]) {
    uint64_t count;
    return row_errors_last(&query->errors, target, &count);
}
