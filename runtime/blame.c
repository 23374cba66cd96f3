/*
 * blame.c - see blame.h.
 */
#include "runtime/blame.h"

#include <assert.h>

#include "runtime/query_impl.h"

void blame_step(Group *group) {
    assert(group->task_count > 0);
    group->steps++;
}

void blame_hand_over(Group *group) {
    assert(!group->in_flight);
    group->lone = (NoteRows){0};
    group->sent_cut = group->rows_cut;
    for (uint32_t i = 0; i < group->task_count && group->steps == 1; i++) {
        const Task *task = group->tasks[i];
        if (task_moved(task) && task->chosen.rows == 1) {
            group->lone = task->noted;
            group->lone.task_id = task->id;
        }
    }
    group->steps = 0;
}

void blame_group(const Group *group, QueryStop *stop) {
    assert(group->query);
    stop->slot = group->slot;
    stop->owner_id = group->owner_id;
}

static Task *blame_task(const Group *group, uint32_t task_id) {
    for (uint32_t i = 0; i < group->task_count; i++)
        if (group->tasks[i]->id == task_id)
            return group->tasks[i];
    return NULL;
}

BlameWay blame_commit(Group *group, QueryStop *stop) {
    ErrCode code = group->cause.code;
    assert(code != ERR_OK);
    bool of_record = code == ERR_MESSAGE_TOO_LARGE || code == ERR_BAD_RECORD;
    group->rows_cut = of_record ? 1 : group->sent_cut; /* the same again */
    if (!of_record)
        return BLAME_WAIT;
    if (group->sent_cut != 1)
        return BLAME_ROW_BY_ROW;
    Task *task = group->lone.rows == 1 ? blame_task(group, group->lone.task_id) : NULL;
    if (!task)
        return BLAME_WAIT;
    if (group->query->options.fail_on & QUERY_SKIP_FAILED && task_quarantine(task, &group->lone)) {
        group->failing = true;
        group->failure = group->cause;
        return BLAME_LEAVE_OUT;
    }
    task_stop_at(task, &group->lone, stop);
    blame_group(group, stop);
    return BLAME_WAIT;
}

void blame_read(const Group *group, const Err *err, QueryStop *stop) {
    assert(err->code != ERR_OK);
    if (err->code != ERR_BAD_RECORD && err->code != ERR_UNKNOWN_CODEC)
        return;
    for (uint32_t i = 0; i < group->task_count && !stop->known; i++)
        task_unread(group->tasks[i], stop);
    blame_group(group, stop);
}
