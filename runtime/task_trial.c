/*
 * task_trial.c - a task at rows that ended the process: taken one by one, or stopped at.
 *
 * Rows on trial are approached like a row that failed: the input's stop_offset is the first of
 * them. Once the task is blocked there it takes them alone, and the note says so. A quarantined row
 * is a row that failed before the task began. What ended the process while it was read has no row:
 * the input ends in front of it, and that blocks the task.
 */
#include <assert.h>
#include <stdio.h>

#include "runtime/task.h"
#include "storage/cluster.h"

ArbiterInput *task_blocked_input(Task *task) {
    assert(task->blocked);
    for (uint32_t i = 0; i < task->input_count; i++) {
        ArbiterInput *input = &task->inputs[i];
        const Cursor *cursor = &input->cursor;
        if (input->stop_offset >= 0 && !input->fatal && cursor->block &&
            cursor->next < cursor->good_count &&
            cursor->block->offset[cursor->good[cursor->next]] == input->stop_offset)
            return input;
    }
    return NULL;
}

/* NULL: the task has none there. */
static ArbiterInput *input_at(Task *task, TopicPartition where) {
    assert(task->input_count > 0);
    for (uint32_t i = 0; i < task->input_count; i++) {
        TopicPartition lane = arbiter_lane(&task->inputs[i]);
        if (lane.topic_id == where.topic_id && lane.partition == where.partition)
            return &task->inputs[i];
    }
    return NULL;
}

/* Neither taken, nor gone with what a power cut took. */
static bool is_ahead(const Task *task, const ArbiterInput *input, int64_t offset) {
    int64_t start, end;
    Err ignored;
    assert(input->cursor.offset >= 0);
    return offset >= input->cursor.offset &&
           log_offsets(task->env.storage, input->spec.where, &start, &end, &ignored) == ERR_OK &&
           offset < end;
}

bool task_try(Task *task, const NoteRows *rows) {
    assert(rows->task_id == task->id);
    ArbiterInput *input = input_at(task, rows->where);
    if (!input || !is_ahead(task, input, rows->offset))
        return false;
    task->trial = *rows;
    task->env.alone = rows->rows == 0;
    if (rows->rows > 0)
        input->stop_offset = rows->offset;
    atomic_store(&task->on_trial, true);
    return true;
}

bool task_quarantine(Task *task, const NoteRows *rows) {
    assert(rows->task_id == task->id);
    ArbiterInput *input = input_at(task, rows->where);
    if (!input || !is_ahead(task, input, rows->offset))
        return false;
    task->failed = true;
    if (rows->rows > 0) {
        input->stop_offset = rows->offset;
        return true;
    }
    input->end = rows->offset;
    task->halted = input;
    return true;
}

bool task_is_halted(const Task *task) {
    return task->halted && task->halted->cursor.offset >= task->halted->end;
}

bool task_begin_trial(Task *task) {
    if (task->trial.rows == 0 || task->env.alone)
        return false;
    ArbiterInput *input = task_blocked_input(task);
    if (!input || input != input_at(task, task->trial.where) ||
        input->stop_offset != task->trial.offset)
        return false;
    input->stop_offset = -1;
    task->env.alone = true;
    task->trial_left = task->trial.rows;
    assert(task->trial_left > 0);
    return true;
}

void task_go_on_trial(Task *task) {
    assert(task->env.alone && task->chosen.rows > 0);
    task->trial_left -= task->trial_left > 0;
    bool read = task->trial.rows == 0 &&
                input_at(task, task->trial.where)->cursor.offset > task->trial.offset;
    if (!read && (task->trial.rows == 0 || task->trial_left > 0))
        return;
    task->env.alone = false;
    atomic_store(&task->on_trial, false);
}

/* The input whose next record is the bad one that stops the query. */
static const ArbiterInput *fatal_input(const Task *task) {
    for (uint32_t i = 0; i < task->input_count; i++) {
        const ArbiterInput *input = &task->inputs[i];
        if (input->fatal && input->cursor.block &&
            input->cursor.block->offset[input->fatal->row] == input->stop_offset)
            return input;
    }
    return NULL;
}

static void stop_fill(const Task *task, const ArbiterInput *input, int64_t offset,
                      QueryStop *stop) {
    assert(offset >= 0);
    *stop = (QueryStop){.known = true, .task_id = task->id, .where = input->spec.where,
                        .lane = arbiter_lane(input), .slot = COMMIT_NO_SLOT, .offset = offset};
    snprintf(stop->topic, sizeof stop->topic, "%s",
             input->spec.topic ? input->spec.topic->topic : input->node->path);
}

void task_stopped_at(Task *task, QueryStop *stop) {
    assert(task->blocked);
    const ArbiterInput *input = task_is_halted(task) ? task->halted : task_blocked_input(task);
    if (!input)
        input = fatal_input(task);
    if (input)
        stop_fill(task, input, input == task->halted ? input->end : input->stop_offset, stop);
}

void task_stop_at(Task *task, const NoteRows *row, QueryStop *stop) {
    assert(row->rows == 1 && row->task_id == task->id);
    const ArbiterInput *input = input_at(task, row->where);
    if (!input)
        return;
    stop_fill(task, input, row->offset, stop);
    stop->waits = true;
    stop->position = atomic_load(&input->settled);
}

void task_unread(Task *task, QueryStop *stop) {
    for (uint32_t i = 0; i < task->input_count && !stop->known; i++) {
        const ArbiterInput *input = &task->inputs[i];
        if (!input->cursor.stuck)
            continue;
        stop_fill(task, input, input->cursor.read_offset, stop);
        stop->waits = true;
        stop->position = stop->offset;
    }
}
