/*
 * lookup.c - SELECT once: reads a snapshot of a table's store, or a topic as far as it goes now,
 * runs the plan's nodes over it, orders and cuts.
 *
 *   entries or records -> batches -> FILTER PROJECT [AGGREGATE] ... -> rows as bytes ->
 *   ORDER BY, OFFSET, LIMIT -> columns
 *
 * SELECT without FROM reads nothing: its chain begins with one row that has no columns.
 * Rows wait as row value bytes, which makes one result of many batches whatever the types are.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "runtime/lookup_impl.h"
#include "runtime/worker.h"

/* -- The chain of nodes ----------------------------------------------------------------------- */

/* Bytes of UTF-8 are in order of code points, SQL texts in that of UTF-16 units: what lies between
 * the surrogates and U+10000 comes last. These bytes only begin characters. */
static void order_text(uint8_t *bytes, size_t size) {
    assert(bytes || size == 0);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] == 0xEE || bytes[i] == 0xEF)
            bytes[i] = (uint8_t)(bytes[i] + 0x10);
}

static void put_order(const Lookup *lookup, const Batch *batch, uint32_t row, Buf *out) {
    assert(row < batch->row_count);
    for (uint32_t i = 0; i < lookup->plan->order_count; i++) {
        const PlanOrder *order = &lookup->plan->order[i];
        size_t from = out->size;
        row_key_put_value(out, batch->columns[order->column], row);
        if (batch->columns[order->column]->type->kind == TYPE_STRING)
            order_text(out->data + from, out->size - from);
        for (size_t k = from; order->descending && k < out->size; k++)
            out->data[k] = (uint8_t)~out->data[k];
    }
}

static ErrCode collect_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to,
                             Err *err) {
    assert(port == 0);
    (void)port;
    (void)err;
    Lookup *lookup = op->self;
    const Plan *plan = lookup->plan;
    uint64_t wanted = plan->limit < 0 ? UINT64_MAX : (uint64_t)plan->limit + (uint64_t)plan->offset;
    Buf bytes = {0};
    size_t before = lookup->row_count;
    for (uint32_t i = from; i < to && !lookup->enough; i++) {
        uint32_t row = batch->selected[i];
        if (batch->kind[row] != ROW_VALUE)
            continue; /* a table's filter says of rows that fail: deleted */
        lookup->enough = plan->order_count == 0 && lookup->row_count >= wanted;
        if (lookup->enough)
            break;
        lookup->rows = mem_grow(lookup->rows, &lookup->row_capacity, lookup->row_count + 1,
                                sizeof *lookup->rows);
        LookupRow *target = &lookup->rows[lookup->row_count];
        *target = (LookupRow){.number = lookup->row_count++, .rowtime = batch->rowtime[row]};
        buf_reset(&bytes);
        row_value_put(&bytes, batch->columns, batch->schema->column_count, row);
        target->bytes = arena_bytes(lookup->arena, buf_view(&bytes));
        buf_reset(&bytes);
        put_order(lookup, batch, row, &bytes);
        target->order = arena_bytes(lookup->arena, buf_view(&bytes));
    }
    buf_free(&bytes);
    op_count(op, OP_ROWS_OUT, lookup->row_count - before);
    return ERR_OK;
}

static const OpOps collect_ops = {
    .name = "Lookup",
    .apply = collect_apply,
};

static const OpOps *lookup_ops(PlanNodeKind kind) {
    switch (kind) {
    case PLAN_FILTER: return &op_filter_ops;
    case PLAN_PROJECT: return &op_project_ops;
    case PLAN_FLAT_MAP: return &op_flat_map_ops;
    case PLAN_AGGREGATE: return &op_aggregate_ops;
    default: return NULL;
    }
}

static void add_edge(Lookup *lookup, Op *from, Op *to) {
    from->edges = arena_array(lookup->arena, 1, sizeof *from->edges);
    from->edges[0] = (OpEdge){to, 0};
    from->edge_count = 1;
}

static ErrCode make_op(Lookup *lookup, uint32_t id, Err *err) {
    const PlanNode *node = lookup->plan->nodes[id];
    Op *op = &lookup->ops[id];
    *op = (Op){.ops = lookup_ops(node->kind), .node = node, .env = &lookup->env};
    if (node->kind == PLAN_RESULT) {
        op->ops = &collect_ops;
        op->self = lookup;
    } else if (!op->ops && node != lookup->first_node) {
        return err_set(err, ERR_INTERNAL, "a lookup cannot run step %s", node->path);
    }
    if (node->input_count == 0)
        return ERR_OK;
    assert(node->input_count == 1 && node->inputs[0] < id);
    add_edge(lookup, &lookup->ops[node->inputs[0]], op);
    return ERR_OK;
}

/* What the AGGREGATE emits goes to the collector; that is one more operator behind all nodes. */
static void collect_groups(Lookup *lookup, uint32_t id) {
    assert(!lookup->groups);
    Op *collector = &lookup->ops[lookup->plan->node_count];
    lookup->groups = lookup_groups_new(lookup, lookup->plan->nodes[id]);
    *collector = (Op){.ops = &lookup_groups_ops, .node = lookup->plan->nodes[id],
                      .env = &lookup->env, .self = lookup->groups};
    lookup->groups_node = id;
    lookup->group_edge = lookup->ops[id].edges[0];
    lookup->ops[id].edges[0] = (OpEdge){collector, 0};
}

/* Operators of the plan's chain from the first node to the RESULT. */
static ErrCode open_chain(Lookup *lookup, Err *err) {
    const Plan *plan = lookup->plan;
    lookup->env = (OpEnv){.plan = plan, .io = lookup->runtime->io, .query_arena = lookup->arena,
                          .errors = &lookup->errors, .counters = &lookup->counters,
                          .states = &lookup->states, .partitions = 1,
                          .step_arena = arena_new("lookup", 0),
                          .clock_us = &lookup->clock_us,
                          .drain_rows_max = BATCH_ROWS_MAX};
    lookup->ops = arena_array(lookup->arena, plan->node_count + 1u, sizeof *lookup->ops);
    for (uint32_t i = 0; i < plan->node_count; i++)
        TRY(make_op(lookup, i, err));
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (plan->nodes[i]->kind == PLAN_AGGREGATE)
            collect_groups(lookup, i);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        Op *op = &lookup->ops[i];
        if (op->ops && op->ops->open)
            TRY(op->ops->open(op, &lookup->env, err));
    }
    return ERR_OK;
}

/* What the AGGREGATE keeps is nobody's change: there is nothing to go back to. */
static void settle_states(Lookup *lookup) {
    for (size_t i = 0; i < lookup->states.count; i++) {
        State *state = lookup->states.items[i];
        state->ops->save(state, NULL);
        state->ops->settle(state);
    }
}

static void close_chain(Lookup *lookup) {
    for (uint32_t i = 0; lookup->ops && i < lookup->plan->node_count; i++) {
        Op *op = &lookup->ops[i];
        if (op->ops && op->ops->close)
            op->ops->close(op);
    }
    for (size_t i = 0; i < lookup->states.count; i++)
        lookup->states.items[i]->ops->close(lookup->states.items[i]);
    mem_free(lookup->states.items);
    lookup_groups_free(lookup->groups);
    arena_free(lookup->env.step_arena);
}

/* One row without columns. */
static Batch *make_row(const Lookup *lookup) {
    Arena *arena = lookup->env.step_arena;
    static const int64_t now = 0;
    static const uint64_t seq = 0;
    static const uint8_t kind = ROW_VALUE;
    Batch *batch = arena_alloc(arena, sizeof *batch);
    assert(lookup->first_node->schema->column_count == 0);
    *batch = (Batch){.schema = lookup->first_node->schema,
                     .columns = arena_alloc(arena, sizeof(Column *)), .row_count = 1,
                     .selected_count = 1, .selected = batch_all_rows(1), .seq = &seq,
                     .rowtime = &now, .kind = &kind, .offset = &now, .partition = -1,
                     .topic = "", .arena = arena};
    return batch;
}

/* The nodes' operators, and the collector of groups. */
static uint32_t chain_length(const Lookup *lookup) {
    assert(lookup->ops);
    return lookup->plan->node_count + (lookup->groups ? 1 : 0);
}

/* What is still owed after a batch has an arena of its own. */
static ErrCode drain_chain(Lookup *lookup, Err *err) {
    uint32_t count = chain_length(lookup);
    Arena *step_arena = lookup->env.step_arena;
    ErrCode code = ERR_OK;
    lookup->env.step_arena = NULL;
    for (uint32_t i = count; code == ERR_OK && i-- > 0;) {
        if (!lookup->ops[i].owes || lookup->enough)
            continue;
        if (!lookup->env.step_arena)
            lookup->env.step_arena = arena_new("lookup drain", 0);
        arena_reset(lookup->env.step_arena);
        code = op_drain(&lookup->ops[i], err);
        for (uint32_t k = i + 1; k < count && code == ERR_OK; k++)
            code = op_run(&lookup->ops[k], err);
        i++; /* until it owes nothing */
        assert(i <= count);
    }
    arena_free(lookup->env.step_arena);
    lookup->env.step_arena = step_arena;
    return code;
}

ErrCode lookup_run_behind(Lookup *lookup, uint32_t id, Err *err) {
    assert(id < lookup->plan->node_count);
    for (uint32_t i = id + 1; i < chain_length(lookup); i++)
        TRY(op_run(&lookup->ops[i], err));
    TRY(drain_chain(lookup, err));
    settle_states(lookup);
    return ERR_OK;
}

static uint32_t interrupts_now(const Lookup *lookup) {
    const _Atomic uint32_t *interrupts = lookup->runtime->options.interrupts;
    return interrupts ? atomic_load(interrupts) : 0;
}

ErrCode lookup_run_batch(Lookup *lookup, Batch *batch, Err *err) {
    if (interrupts_now(lookup) != lookup->interrupts)
        return err_set(err, ERR_CANCELLED, "The statement was interrupted.");
    lookup->env.step++;
    assert(batch->errors || batch->schema->column_count == 0);
    batch->errors = &lookup->errors;
    op_emit(&lookup->ops[lookup->first_node->id], batch);
    op_clock(&lookup->ops[lookup->first_node->id]);
    return lookup_run_behind(lookup, lookup->first_node->id, err);
}

static ErrCode run_chain(Lookup *lookup, Err *err) {
    assert(lookup->ops);
    if (lookup->first_node->kind == PLAN_ROW)
        TRY(lookup_run_batch(lookup, make_row(lookup), err));
    else if (lookup->first_node->kind == PLAN_SOURCE)
        TRY(lookup_stream_run(lookup, err));
    else
        TRY(lookup_store_run(lookup, err));
    if (!lookup->groups)
        return ERR_OK;
    lookup->ops[lookup->groups_node].edges[0] = lookup->group_edge;
    return lookup_groups_run(lookup, err);
}

/* -- The result ------------------------------------------------------------------------------- */

static int compare_rows(const void *left_void, const void *right_void) {
    const LookupRow *left = left_void, *right = right_void;
    int order = bytes_compare(left->order, right->order);
    return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

static ErrCode make_result(Lookup *lookup, ResultRows *rows, Err *err) {
    const Plan *plan = lookup->plan;
    const Schema *schema = schema_copy(lookup->arena, lookup->result_node->schema);
    if (plan->order_count > 0 && lookup->row_count > 0)
        qsort(lookup->rows, lookup->row_count, sizeof *lookup->rows, compare_rows);
    size_t from = (uint64_t)plan->offset < lookup->row_count ? (size_t)plan->offset
                                                             : lookup->row_count;
    size_t count = lookup->row_count - from;
    if (plan->limit >= 0 && (uint64_t)plan->limit < count)
        count = (size_t)plan->limit;
    assert(count <= UINT32_MAX);
    Bytes *bytes = arena_array(lookup->arena, count, sizeof *bytes);
    int64_t *rowtimes = arena_array(lookup->arena, count, sizeof *rowtimes);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = lookup->rows[from + i].bytes;
        rowtimes[i] = lookup->rows[from + i].rowtime;
    }
    RowLayout layout = row_layout_of(schema, 0, schema->column_count, lookup->arena);
    Column **columns = arena_array(lookup->arena, schema->column_count, sizeof *columns);
    TRY(row_value_get(bytes, (uint32_t)count, &layout, lookup->arena, columns, err));
    *rows = (ResultRows){.schema = schema, .columns = (const Column *const *)columns,
                         .count = (uint32_t)count, .rowtimes = rowtimes,
                         .kinds = arena_alloc(lookup->arena, count)};
    return ERR_OK;
}

static ErrCode find_nodes(Lookup *lookup, Err *err) {
    assert(!lookup->first_node);
    const Plan *plan = lookup->plan;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        PlanNodeKind kind = plan->nodes[i]->kind;
        if (kind == PLAN_STORE || kind == PLAN_SOURCE || kind == PLAN_ROW)
            lookup->first_node = plan->nodes[i];
        if (plan->nodes[i]->kind == PLAN_RESULT)
            lookup->result_node = plan->nodes[i];
    }
    if (!lookup->first_node || !lookup->result_node)
        return err_set(err, ERR_INTERNAL, "a lookup needs a store and a result");
    return ERR_OK;
}

static void note_errors(Lookup *lookup, ResultRows *rows) {
    RowError last[ROW_ERRORS_KEPT];
    if (row_errors_last(&lookup->errors, last, &rows->error_count) > 0)
        rows->error = arena_strdup(lookup->arena, last[0].text);
}

/* Runs it: rows into `rows`, or figures; the other is NULL. */
static ErrCode run_lookup(Lookup *lookup, ResultRows *rows, OpFigures *figures, Err *err) {
    Runtime *runtime = lookup->runtime;
    assert(lookup->plan->kind == PLAN_PULL);
    assert(!rows != !figures);
    row_errors_init(&lookup->errors);
    lookup->begin_us = lookup->clock_us = runtime->io->ops->mono_us(runtime->io);
    lookup->interrupts = interrupts_now(lookup);
    ErrCode code;
    TRY_DONE(find_nodes(lookup, err));
    if (lookup->first_node->kind == PLAN_STORE)
        TRY_DONE(lookup_store_open(lookup, err));
    TRY_DONE(open_chain(lookup, err));
    TRY_DONE(run_chain(lookup, err));
    if (rows) {
        TRY_DONE(make_result(lookup, rows, err));
        note_errors(lookup, rows);
    }
    for (uint32_t i = 0; figures && i < lookup->plan->node_count; i++)
        op_figures_add(&figures[i], &lookup->ops[i]);
done:
    close_chain(lookup);
    KEEP_FIRST(lookup_merge_free(lookup->merge, err));
    if (lookup->snapshot)
        snapshot_close(lookup->snapshot);
    mem_free(lookup->entries);
    mem_free(lookup->rows);
    row_errors_close(&lookup->errors);
    return code;
}

ErrCode lookup_run(Runtime *runtime, const Plan *plan, const LookupStore *store, Arena *arena,
                   ResultRows *rows, Err *err) {
    Lookup lookup = {.runtime = runtime, .plan = plan, .store = store, .arena = arena};
    return run_lookup(&lookup, rows, NULL, err);
}

ErrCode lookup_analyze(Runtime *runtime, const Plan *plan, const LookupStore *store, Arena *arena,
                       OpFigures *figures, Err *err) {
    Lookup lookup = {.runtime = runtime, .plan = plan, .store = store, .arena = arena};
    return run_lookup(&lookup, NULL, figures, err);
}
