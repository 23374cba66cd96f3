/*
 * task.c - see task.h.
 *
 * Invariant: a step either went through all operators, and then the cursors stand behind its rows,
 * or it failed, and then the group undoes what the operators changed and rewinds.
 */
#include "runtime/task.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "runtime/ids.h"

/* -- Wiring ----------------------------------------------------------------------------------- */

static const OpOps *ops_of(PlanNodeKind kind) {
    switch (kind) {
    case PLAN_MATERIALIZE: return &op_materialize_ops;
    case PLAN_FILTER: return &op_filter_ops;
    case PLAN_PROJECT: return &op_project_ops;
    case PLAN_FLAT_MAP: return &op_flat_map_ops;
    case PLAN_REPARTITION: return &op_repartition_ops;
    case PLAN_JOIN_TABLE: return &op_join_table_ops;
    case PLAN_JOIN_STREAM: return &op_join_stream_ops;
    case PLAN_JOIN_TABLES: return &op_join_tables_ops;
    case PLAN_SUBSCRIBE: return &op_subscribe_ops;
    case PLAN_JOIN_FOREIGN: return &op_join_foreign_ops;
    case PLAN_RESOLVE: return &op_resolve_ops;
    case PLAN_AGGREGATE: return &op_aggregate_ops;
    case PLAN_SINK: return &op_sink_ops;
    case PLAN_RESULT: return &op_result_ops;
    case PLAN_SOURCE:
    case PLAN_ROW:
    case PLAN_STORE: break;
    }
    return NULL;
}

/* The operator whose edges lead to readers of node `id` in this task's stage: a source, or what
 * stands for the reading side of a cut node. */
typedef struct Wiring {
    Task *task;
    const TaskSpec *spec;
    const Plan *plan;
    Op *readers; /* [node]: of a cut node's internal topic */
} Wiring;

static bool in_stage(const Wiring *wiring, uint32_t node) {
    assert(wiring);
    assert(node < wiring->plan->node_count);
    return wiring->spec->stages->of_node[node] == wiring->spec->stage;
}

static void add_edge(Op *source, Op *target, int port, Arena *arena) {
    assert(source != target);
    assert(port == 0 || port == 1);
    OpEdge *edges = arena_array(arena, source->edge_count + 1u, sizeof *edges);
    if (source->edge_count > 0)
        memcpy(edges, source->edges, source->edge_count * sizeof *edges);
    edges[source->edge_count++] = (OpEdge){target, port};
    source->edges = edges;
}

static void wire_node(Wiring *wiring, uint32_t id) {
    const PlanNode *node = wiring->plan->nodes[id];
    Task *task = wiring->task;
    Op *op = &task->ops[id];
    *op = (Op){.ops = ops_of(node->kind), .node = node, .env = &task->env};
    for (uint32_t k = 0; k < node->input_count; k++) {
        uint32_t input = node->inputs[k];
        bool cut = wiring->spec->stages->cut[input];
        assert(cut || in_stage(wiring, input));
        add_edge(cut ? &wiring->readers[input] : &task->ops[input], op, (int)k,
                 task->query_arena);
    }
}

/* Who reads old values: a table's filter, an aggregation of a table and what groups for it; and
 * what passes them on to one. */
static bool reads_old_values(const Plan *plan, const PlanNode *node) {
    assert(node->input_count > 0);
    switch (node->kind) {
    case PLAN_FILTER: return node->is_table;
    case PLAN_REPARTITION: return node->is_table && node->old_known;
    case PLAN_AGGREGATE: return plan->nodes[node->inputs[0]]->is_table;
    default: return false;
    }
}

static void want_old_values(const Wiring *wiring) {
    assert(wiring->task->op_count == wiring->plan->node_count);
    Task *task = wiring->task;
    for (uint32_t i = task->op_count; i-- > 0;) {
        Op *op = &task->ops[i];
        for (uint32_t k = 0; k < op->edge_count; k++) {
            const Op *target = op->edges[k].op;
            bool passes_on = target->node->kind == PLAN_PROJECT ||
                             target->node->kind == PLAN_FILTER;
            if (reads_old_values(wiring->plan, target->node) ||
                (passes_on && target->old_wanted))
                op->old_wanted = true;
        }
    }
}

static uint32_t source_order(const Plan *plan, uint32_t node) {
    assert(node < plan->node_count);
    uint32_t order = 0;
    for (uint32_t i = 0; i < node; i++)
        order += plan->nodes[i]->kind == PLAN_SOURCE;
    return order;
}

static uint32_t inputs_max(const Wiring *wiring) {
    assert(wiring->spec->stages->partitions_max > 0);
    return wiring->plan->node_count * wiring->spec->stages->partitions_max;
}

/* A topic that is read twice (joined to itself) has positions of its own for each time: the lanes
 * of internal topics, which are never read twice, leave room for them. -1: the first time. */
static int32_t repeated_lane(const Task *task, uint32_t topic_id, uint32_t partition) {
    int32_t times = 0;
    assert(task->input_count > 0);
    for (uint32_t i = 0; i + 1 < task->input_count; i++) {
        const TopicPartition *where = &task->inputs[i].spec.where;
        times += where->topic_id == topic_id && where->partition == partition;
    }
    return times > 0 ? times : -1;
}

static void add_input(Wiring *wiring, Op *source, uint32_t topic_id, uint32_t partition) {
    assert(source);
    assert(wiring->task->input_count < inputs_max(wiring));
    assert(source->node->schema);
    Task *task = wiring->task;
    const PlanNode *node = source->node;
    bool internal = node->kind != PLAN_SOURCE;
    ArbiterInput *input = &task->inputs[task->input_count++];
    *input = (ArbiterInput){.source = source, .node = node, .end = INT64_MAX, .stop_offset = -1,
                            .submitted = -1, .order = source_order(wiring->plan, node->id)};
    input->cursor.lane = -1;
    input->position_lane = repeated_lane(task, topic_id, partition);
    input->spec = (ScanSpec){.where = {topic_id, partition},
                             .topic = internal ? NULL : node->topic, .schema = node->schema,
                             .used = internal ? NULL : node->used, .is_table = node->is_table};
}

static ErrCode wire_source(Wiring *wiring, uint32_t id, Err *err) {
    assert(wiring->plan->nodes[id]->kind == PLAN_SOURCE);
    Task *task = wiring->task;
    const PlanNode *node = wiring->plan->nodes[id];
    LogTopic topic;
    if (!log_topic_find(task->env.storage, node->topic->topic, &topic))
        return err_set(err, ERR_NOT_FOUND, "the topic '%s' is not there", node->topic->topic);
    if (!wiring->spec->stages->whole || task->env.single_partition) {
        add_input(wiring, &task->ops[id], topic.id, task->partition);
        return ERR_OK;
    }
    for (uint32_t i = 0; i < topic.partition_count; i++)
        add_input(wiring, &task->ops[id], topic.id, i);
    return ERR_OK;
}

/* The reading side of cut node `id`: one input, or a lane for each task that writes it. */
static void wire_internal(Wiring *wiring, uint32_t id) {
    Task *task = wiring->task;
    const TaskSpec *spec = wiring->spec;
    assert(task->env.internal_topics);
    uint32_t topic_id = task->env.internal_topics[id];
    if (!spec->writers) {
        add_input(wiring, &wiring->readers[id], topic_id, task->partition);
        return;
    }
    for (uint32_t i = 0; i < spec->writer_count; i++) {
        const Task *writer = spec->writers[i];
        if (writer->stage != spec->stages->of_node[id])
            continue;
        add_input(wiring, &wiring->readers[id], topic_id, task->partition);
        ArbiterInput *input = &task->inputs[task->input_count - 1];
        input->cursor.lane = input->position_lane = (int32_t)writer->partition;
        input->promise = &writer->promise;
    }
}

/* Edges of all nodes of the stage, then the inputs at their beginnings. */
static ErrCode wire(Wiring *wiring, Err *err) {
    assert(wiring->task->input_count == 0);
    Task *task = wiring->task;
    const Stages *stages = wiring->spec->stages;
    for (uint32_t i = 0; i < task->op_count; i++) {
        wiring->readers[i] = (Op){.node = wiring->plan->nodes[i], .env = &task->env};
        if (in_stage(wiring, i))
            wire_node(wiring, i);
        else
            task->ops[i] = (Op){.node = wiring->plan->nodes[i], .env = &task->env};
    }
    want_old_values(wiring);
    for (uint32_t i = 0; i < task->op_count; i++) {
        if (in_stage(wiring, i) && wiring->plan->nodes[i]->kind == PLAN_SOURCE)
            TRY(wire_source(wiring, i, err));
        if (stages->cut[i] && wiring->readers[i].edge_count > 0)
            wire_internal(wiring, i);
    }
    return ERR_OK;
}

/* -- Positions -------------------------------------------------------------------------------- */

static ErrCode first_position(const TaskSpec *spec, const Task *task, ArbiterInput *input,
                              Err *err) {
    assert(!input->cursor.scan);
    int64_t start = 0, end = 0, position = -1;
    if (spec->persistent)
        position = log_position(task->env.storage, task->id,
                                ids_lane(input->spec.where, input->position_lane));
    bool tables_first = spec->table_first && input->spec.is_table && input->spec.topic;
    if (position < 0 || tables_first || spec->bounded)
        TRY(log_offsets_now(task->env.storage, input->spec.where, &start, &end, err));
    input->submitted = position;
    /* Tables are always read from their beginning, and internal topics are the query's own. */
    bool latest = spec->from_end && !input->spec.is_table && input->spec.topic;
    if (position < 0)
        position = latest ? end : start;
    input->cursor.offset = position;
    atomic_store(&input->settled, position);
    atomic_store(&input->seen, position);
    if (tables_first)
        input->first_until = end;
    if (spec->bounded)
        input->end = end;
    return ERR_OK;
}

/* -- Life ------------------------------------------------------------------------------------- */

static ErrCode open_ops(Task *task, Err *err) {
    assert(task->env.query_arena);
    for (uint32_t i = 0; i < task->op_count; i++) {
        Op *op = &task->ops[i];
        op->state_first = task->env.states->count;
        if (op->ops && op->ops->open)
            TRY(op->ops->open(op, &task->env, err));
        op->state_count = task->env.states->count - op->state_first;
        op->tick_ms = op->ops && op->ops->tick ? op->tick_ms : INT64_MAX;
        task->ticks = task->ticks || op->tick_ms != INT64_MAX;
    }
    return ERR_OK;
}

ErrCode task_new(const TaskSpec *spec, Task **target, Err *err) {
    assert(spec && target);
    const Plan *plan = spec->env->plan;
    Task *task = mem_alloc(sizeof *task);
    task->id = spec->task_id;
    task->stage = spec->stage;
    task->partition = spec->partition;
    task->query_arena = arena_new("task", 0);
    task->step_arena = arena_new("step", 0);
    task->env = *spec->env;
    task->env.query_arena = task->query_arena;
    task->env.step_arena = task->step_arena;
    task->env.partition = spec->partition;
    task->env.task_id = task->noted.task_id = task->id;
    task->env.cut = spec->stages->cut;
    atomic_store(&task->next_rowtime, INT64_MIN);
    atomic_store(&task->promise, INT64_MIN);
    task->earliest = INT64_MIN;
    task->running_min = task->submitted_min = INT64_MAX;
    task->op_count = plan->node_count;
    task->ops = arena_array(task->query_arena, plan->node_count, sizeof *task->ops);
    task->drain_arenas = arena_array(task->query_arena, plan->node_count, sizeof(Arena *));
    Wiring wiring = {task, spec, plan, NULL};
    wiring.readers = arena_array(task->query_arena, plan->node_count, sizeof *wiring.readers);
    task->readers = wiring.readers;
    task->inputs = arena_array(task->query_arena, inputs_max(&wiring), sizeof *task->inputs);
    ErrCode code = wire(&wiring, err);
    for (uint32_t i = 0; i < task->input_count && code == ERR_OK; i++)
        code = first_position(spec, task, &task->inputs[i], err);
    if (code == ERR_OK)
        code = open_ops(task, err);
    task->env.snapshot = NULL; /* the caller's, for opening only */
    if (code != ERR_OK) {
        task_free(task);
        return code;
    }
    assert(task->input_count > 0);
    *target = task;
    return ERR_OK;
}

void task_free(Task *task) {
    if (!task)
        return;
    for (uint32_t i = 0; i < task->op_count; i++) {
        Op *op = &task->ops[i];
        if (op->ops && op->ops->close)
            op->ops->close(op);
        arena_free(task->drain_arenas[i]);
    }
    arena_free(task->step_arena);
    arena_free(task->query_arena);
    mem_free(task);
}

ErrCode task_attach(Task *task, ScanSet *scans, Err *err) {
    assert(scans);
    assert(task->input_count > 0);
    for (uint32_t i = 0; i < task->input_count; i++) {
        ArbiterInput *input = &task->inputs[i];
        TRY(cursor_open(&input->cursor, scans, &input->spec, err));
    }
    return ERR_OK;
}

void task_detach(Task *task) {
    for (uint32_t i = 0; i < task->input_count; i++)
        cursor_close(&task->inputs[i].cursor);
}

/* -- Steps ------------------------------------------------------------------------------------ */

static int64_t earlier(int64_t left, int64_t right) {
    return left < right ? left : right;
}

/* What is still to become visible: rows processed, rows at hand, and rows promised to it. */
static void publish_promise(Task *task) {
    assert(task);
    assert(task->input_count > 0);
    int64_t promise = earlier(task->earliest, earlier(task->running_min, task->submitted_min));
    for (uint32_t i = 0; i < task->input_count; i++)
        promise = earlier(promise, task->inputs[i].promised);
    atomic_store_explicit(&task->promise, promise, memory_order_release);
}

/* -- Whose time it is ------------------------------------------------------------------------- */

static int64_t task_now_us(const Task *task) {
    assert(task->env.io);
    return task->env.io->ops->mono_us(task->env.io);
}

void task_clock(Task *task) {
    assert(task->env.clock_us);
    *task->env.clock_us = task_now_us(task);
}

/* What looking and reading cost up to now goes to the sources of the step, by their rows. */
static void share_read(Task *task) {
    assert(task->chosen.rows > 0);
    int64_t now_us = task_now_us(task), read_us = now_us - *task->env.clock_us;
    *task->env.clock_us = now_us;
    for (uint32_t i = 0; i < task->input_count; i++) {
        const ArbiterInput *input = &task->inputs[i];
        if (!input->cursor.block || input->chosen_next <= input->cursor.next)
            continue;
        uint64_t rows = input->chosen_next - input->cursor.next;
        if (read_us > 0)
            op_count(input->source, OP_TIME_US, (uint64_t)read_us * rows / task->chosen.rows);
    }
}

/* -- Looking and stepping --------------------------------------------------------------------- */

ErrCode task_peek(Task *task, Err *err) {
    assert(task->inputs[0].cursor.scan);
    int64_t rowtime;
    ErrCode code = arbiter_peek(task->inputs, task->input_count, &task->env, &rowtime,
                                &task->earliest, err);
    note_end(task->env.note);
    TRY(code);
    if (task_is_halted(task))
        rowtime = task->earliest = INT64_MIN + 1; /* there is something to do */
    atomic_store_explicit(&task->next_rowtime, rowtime, memory_order_relaxed);
    publish_promise(task);
    return ERR_OK;
}

void task_submitted(Task *task) {
    assert(task->inputs || task->input_count == 0);
    assert(task->submitted_min == INT64_MAX);
    task->ticked = false;
    task->submitted_min = task->running_min;
    task->running_min = INT64_MAX;
}

void task_settled(Task *task) {
    assert(task->inputs || task->input_count == 0);
    assert(task->query_arena);
    task->submitted_min = INT64_MAX;
    publish_promise(task);
}

/* Runs the operators from `first` on over what was emitted to them. */
static ErrCode run_ops(Task *task, uint32_t first, Err *err) {
    assert(task->env.step > 0);
    for (uint32_t i = first; i < task->op_count; i++)
        TRY(op_run(&task->ops[i], err));
    task->owing = false;
    for (uint32_t i = 0; i < task->op_count; i++)
        task->owing = task->owing || task->ops[i].owes;
    return ERR_OK;
}

/* One more pass of the step: see op.h. */
static ErrCode drain_pass(Task *task, Err *err) {
    assert(task->owing);
    uint32_t last = task->op_count - 1;
    while (!task->ops[last].owes)
        last--;
    Arena **arena = &task->drain_arenas[last];
    if (*arena)
        arena_reset(*arena);
    else
        *arena = arena_new("drain", 0);
    task->env.step_arena = *arena;
    task->env.step++;
    note_begin(task->env.note, &task->noted, task->env.alone);
    ErrCode code = op_drain(&task->ops[last], err);
    if (code == ERR_OK)
        code = run_ops(task, last + 1, err);
    note_end(task->env.note);
    task->env.step_arena = task->step_arena;
    return code;
}

int64_t task_tick_ms(const Task *task) {
    assert(task->ops);
    int64_t tick_ms = INT64_MAX;
    for (uint32_t i = 0; task->ticks && i < task->op_count; i++)
        tick_ms = earlier(tick_ms, task->ops[i].tick_ms);
    return tick_ms;
}

ErrCode task_tick(Task *task, int64_t now_ms, bool *worked, Err *err) {
    assert(now_ms >= 0);
    assert(!task->owing);
    if (task_tick_ms(task) > now_ms)
        return ERR_OK;
    arena_reset(task->step_arena);
    task->env.step++;
    task_clock(task);
    for (uint32_t i = 0; i < task->op_count; i++) {
        if (task->ops[i].tick_ms <= now_ms)
            TRY(task->ops[i].ops->tick(&task->ops[i], now_ms, err));
    }
    task->env.drain_rows_max = BATCH_ROWS_MAX;
    TRY(run_ops(task, 0, err));
    *worked = *worked || task->owing;
    task->ticked = task->ticked || task->owing;
    while (task->owing)
        TRY(drain_pass(task, err));
    return ERR_OK;
}

static void clear_ops(Task *task) {
    assert(task->ops);
    for (uint32_t i = 0; i < task->op_count; i++)
        op_clear(&task->ops[i]);
    task->owing = false;
}

/* Finds the input and offset of the row that made the step fail. */
static void note_failure(Task *task) {
    clear_ops(task);
    if (!task->env.row_failed)
        return;
    int64_t offset = -1;
    ArbiterInput *input =
        arbiter_find(task->inputs, task->input_count, task->env.failed_seq, &offset);
    assert(input && offset >= 0);
    input->stop_offset = offset;
    task->failed = true;
}

static ErrCode choose(Task *task, Err *err) {
    assert(task->chosen.rows_max > 0);
    if (task_is_halted(task)) {
        task->chosen.rows = 0;
        task->blocked = true;
        return ERR_OK;
    }
    ErrCode code = arbiter_choose(task->inputs, task->input_count, &task->chosen, err);
    note_end(task->env.note);
    if (code != ERR_OK)
        task->failed = task->env.row_failed;
    else
        task->blocked = task->chosen.blocked;
    return code;
}

/* Chooses rows and runs them through; step.rows 0: there were none. */
static ErrCode begin_step(Task *task, const TaskLimits *limits, Err *err) {
    assert(limits);
    arena_reset(task->step_arena);
    task->env.step++;
    task->env.row_failed = false;
    uint32_t rows_max = task->env.alone ? 1 : limits->rows_max;
    task->chosen = (ArbiterStep){.rows_max = rows_max, .rowtime_max = limits->rowtime_max,
                                 .arena = task->step_arena, .env = &task->env,
                                 .script = limits->script,
                                 .script_count = limits->script_count};
    TRY(choose(task, err));
    if (task->blocked && task_begin_trial(task)) {
        task->chosen.rows_max = 1;
        TRY(choose(task, err));
    }
    if (task->chosen.rows == 0)
        return ERR_OK;
    task->noted.rows = task->chosen.rows;
    arbiter_first(task->inputs, task->input_count, &task->noted);
    note_begin(task->env.note, &task->noted, task->env.alone);
    task->running_min = earlier(task->running_min, task->chosen.rowtime_min);
    ErrCode code = arbiter_emit(task->inputs, task->input_count, &task->chosen, err);
    share_read(task);
    if (code == ERR_OK)
        code = run_ops(task, 0, err);
    if (code != ERR_OK)
        note_failure(task);
    return code;
}

ErrCode task_step(Task *task, const TaskLimits *limits, bool *worked, uint32_t *script_taken,
                  Err *err) {
    assert(worked);
    assert(limits);
    assert(limits->rows_max > 0);
    assert(task->inputs[0].cursor.scan);
    task->env.drain_rows_max = limits->rows_max;
    *script_taken = 0;
    ErrCode code = task->owing ? drain_pass(task, err) : begin_step(task, limits, err);
    note_end(task->env.note);
    TRY(code);
    *worked = task->chosen.rows > 0;
    if (task->owing)
        return ERR_OK;
    *script_taken = task->chosen.script_taken;
    if (*worked)
        arbiter_take(task->inputs, task->input_count, &task->chosen);
    if (*worked && task->env.alone)
        task_go_on_trial(task);
    return ERR_OK;
}

bool task_skip(Task *task, const Err *reason) {
    assert(reason->code != ERR_OK);
    ArbiterInput *input = task_blocked_input(task);
    if (!input)
        return false;
    Cursor *cursor = &input->cursor;
    uint32_t row = cursor->good[cursor->next];
    RowError error = {.partition = (int32_t)input->spec.where.partition,
                      .offset = input->stop_offset, .rowtime = cursor->block->rowtime[row]};
    snprintf(error.kind, sizeof error.kind, "record");
    snprintf(error.topic, sizeof error.topic, "%s",
             input->spec.topic ? input->spec.topic->topic : input->node->path);
    snprintf(error.text, sizeof error.text, "left out: %.200s", reason->message);
    row_errors_add(task->env.errors, &error);
    cursor_take(cursor, row + 1);
    input->stop_offset = -1;
    task->failed = false;
    task->blocked = false;
    return true;
}

ErrCode task_refuse(Task *task, Err *err) {
    assert(task->owing && task->chosen.rows == 1);
    task->env.row_failed = true;
    task->env.failed_seq = task->chosen.next_seq - 1;
    note_failure(task);
    return err_set(err, ERR_LIMIT, "one record makes over %d bytes of output",
                   STEP_OUTPUT_BYTES_MAX);
}

void task_rewind(Task *task, bool settled) {
    assert(task->inputs || task->input_count == 0);
    assert(task->inputs[0].cursor.scan);
    clear_ops(task);
    for (uint32_t i = 0; i < task->input_count; i++) {
        ArbiterInput *input = &task->inputs[i];
        int64_t position = settled || input->submitted < 0 ? atomic_load(&input->settled)
                                                           : input->submitted;
        cursor_seek(&input->cursor, position);
        atomic_store(&input->seen, position);
        if (settled) /* what was submitted is not there: without this it would seem to have moved */
            input->submitted = log_position(task->env.storage, task->id, arbiter_lane(input));
    }
    task->blocked = task->ticked = false;
    task->running_min = INT64_MAX;
    if (settled)
        task->submitted_min = INT64_MAX;
    task->earliest = INT64_MIN;
    atomic_store(&task->next_rowtime, INT64_MIN);
    atomic_store(&task->promise, INT64_MIN);
}

bool task_moved(const Task *task) {
    assert(task->inputs || task->input_count == 0);
    for (uint32_t i = 0; i < task->input_count; i++) {
        if (task->inputs[i].cursor.offset != task->inputs[i].submitted)
            return true;
    }
    return false;
}

bool task_at_end(const Task *task) {
    assert(task->inputs || task->input_count == 0);
    for (uint32_t i = 0; i < task->input_count; i++) {
        if (task->inputs[i].cursor.offset < task->inputs[i].end)
            return false;
    }
    return true;
}
