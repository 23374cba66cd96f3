/*
 * lookup.c - SELECT from a table once: reads a snapshot of its store, runs the plan's stateless
 * nodes over it, orders and cuts.
 *
 *   keys or ranges of all partitions -> entries in key order -> batches -> FILTER PROJECT ... ->
 *   rows as bytes -> ORDER BY, OFFSET, LIMIT -> columns
 *
 * SELECT without FROM reads nothing: its chain begins with one row that has no columns.
 * Entries are ordered by row key, then window. Rows wait as row value bytes, which makes one
 * result of many batches whatever the types are.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "runtime/expr.h"
#include "runtime/ids.h"
#include "runtime/op.h"
#include "runtime/worker.h"

typedef struct Entry {
    Bytes key, value; /* as stored, pinned by the snapshot */
    Bytes row_key;    /* the key without its window's start */
    int64_t start;
    uint32_t store_id;
} Entry;

/* A row that passed: its columns, and where ORDER BY puts it. */
typedef struct Row {
    Bytes bytes, order;
    uint64_t number; /* key order, for equal ones */
    int64_t rowtime;
} Row;

typedef struct Lookup {
    Runtime *runtime;
    const Plan *plan;
    const LookupStore *store;
    Arena *arena;
    const StoreLayout *layout;
    const PlanNode *first_node; /* PLAN_STORE or PLAN_ROW */
    const PlanNode *result_node;
    uint32_t owner_node; /* in the store's plan */
    Snapshot *snapshot;
    Entry *entries;
    size_t entry_count, entry_capacity;

    RowErrors errors;
    Counters counters;
    OpEnv env;
    Op *ops;
    Op collect; /* stands for the RESULT */
    Row *rows;
    size_t row_count, row_capacity;
    bool enough; /* LIMIT without ORDER BY is full */
} Lookup;

/* -- Reading entries -------------------------------------------------------------------------- */

static void add_entry(Lookup *lookup, uint32_t store_id, Bytes key, Bytes value) {
    assert(key.data);
    assert(value.data);
    if (lookup->layout->windowed && key.size < WINDOW_START_SIZE)
        return; /* the store's stream time */
    Entry entry = {.key = key, .value = value, .row_key = key, .store_id = store_id};
    if (lookup->layout->windowed) {
        Reader in = reader_of(key);
        entry.start = (int64_t)reader_u64_be(&in);
        entry.row_key = reader_bytes(&in, reader_left(&in));
    }
    if (lookup->layout->is_aggregate && element_is(entry.row_key))
        return; /* read with its group */
    lookup->entries = mem_grow(lookup->entries, &lookup->entry_capacity, lookup->entry_count + 1,
                               sizeof *lookup->entries);
    lookup->entries[lookup->entry_count++] = entry;
}

static uint32_t store_of(const Lookup *lookup, uint32_t partition) {
    assert(partition < lookup->store->partitions);
    const LookupStore *store = lookup->store;
    return ids_store(store->plan, store->first_id, store->partitions, lookup->owner_node,
                     partition);
}

static Bytes start_key(Arena *arena, int64_t start) {
    assert(start >= 0);
    uint8_t *bytes = arena_raw(arena, WINDOW_START_SIZE);
    for (uint32_t i = 0; i < WINDOW_START_SIZE; i++)
        bytes[i] = (uint8_t)((uint64_t)start >> (56 - 8 * i));
    return (Bytes){bytes, WINDOW_START_SIZE};
}

static bool is_wanted(const Bytes *keys, uint32_t key_count, Bytes row_key) {
    for (uint32_t i = 0; i < key_count; i++) {
        if (bytes_equal(keys[i], row_key))
            return true;
    }
    return key_count == 0;
}

/* All entries of one partition within the window bounds; keys, where given, are picked out. */
static ErrCode scan_partition(Lookup *lookup, uint32_t partition, const Bytes *keys,
                              uint32_t key_count, Err *err) {
    assert(keys || key_count == 0);
    const PlanLookup *plan = &lookup->plan->lookup;
    static const uint8_t element_mark = ELEMENT_MARK;
    Bytes min = {0}, max = {0};
    if (lookup->layout->is_aggregate && !lookup->layout->windowed)
        max = (Bytes){&element_mark, 1};
    if (lookup->layout->windowed && plan->window_start_min > 0)
        min = start_key(lookup->arena, plan->window_start_min);
    if (lookup->layout->windowed && plan->window_start_max < 0)
        return ERR_OK;
    if (lookup->layout->windowed && plan->window_start_max != INT64_MAX)
        max = start_key(lookup->arena, plan->window_start_max + 1);
    StoreIter *iter;
    TRY(store_scan(lookup->snapshot, store_of(lookup, partition), min, max, &iter, err));
    uint32_t prefix = lookup->layout->windowed ? WINDOW_START_SIZE : 0;
    Bytes key, value;
    while (store_iter_next(iter, &key, &value)) {
        if (key.size >= prefix &&
            is_wanted(keys, key_count, (Bytes){key.data + prefix, key.size - prefix}))
            add_entry(lookup, store_of(lookup, partition), key, value);
    }
    return store_iter_close(iter, err);
}

static ErrCode get_partition(Lookup *lookup, uint32_t partition, const Bytes *keys,
                             uint32_t key_count, Err *err) {
    assert(key_count > 0);
    assert(!lookup->layout->windowed);
    Bytes *values = arena_array(lookup->arena, key_count, sizeof *values);
    TRY(store_get(lookup->snapshot, store_of(lookup, partition), keys, key_count, values, err));
    for (uint32_t i = 0; i < key_count; i++) {
        if (values[i].data)
            add_entry(lookup, store_of(lookup, partition), keys[i], values[i]);
    }
    return ERR_OK;
}

static int compare_bytes(const void *left, const void *right) {
    return bytes_compare(*(const Bytes *)left, *(const Bytes *)right);
}

/* The keys asked for, each once. */
static ErrCode make_keys(Lookup *lookup, Bytes **keys, uint32_t *count, Err *err) {
    assert(lookup->plan->lookup.by_key);
    const PlanLookup *plan = &lookup->plan->lookup;
    uint32_t width = lookup->layout->keys.column_count;
    const Column **columns = arena_array(lookup->arena, (size_t)plan->key_count * width,
                                         sizeof *columns);
    TRY(expr_constant(plan->keys, plan->key_count * width, lookup->arena, columns, err));
    *keys = arena_array(lookup->arena, plan->key_count, sizeof **keys);
    *count = 0;
    Buf key = {0};
    for (uint32_t i = 0; i < plan->key_count; i++) {
        buf_reset(&key);
        row_key_put(&key, columns + (size_t)i * width, width, 0);
        (*keys)[(*count)++] = arena_bytes(lookup->arena, buf_view(&key));
    }
    buf_free(&key);
    if (*count > 0)
        qsort(*keys, *count, sizeof **keys, compare_bytes);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        if (kept == 0 || !bytes_equal((*keys)[kept - 1], (*keys)[i]))
            (*keys)[kept++] = (*keys)[i];
    }
    *count = kept;
    return ERR_OK;
}

static int compare_entries(const void *left_void, const void *right_void) {
    const Entry *left = left_void, *right = right_void;
    int order = bytes_compare(left->row_key, right->row_key);
    return order != 0 ? order : (left->start > right->start) - (left->start < right->start);
}

static ErrCode read_entries(Lookup *lookup, Err *err) {
    assert(lookup->snapshot);
    Bytes *keys = NULL;
    uint32_t key_count = 0;
    bool by_key = lookup->plan->lookup.by_key;
    if (by_key) {
        TRY(make_keys(lookup, &keys, &key_count, err));
        if (key_count == 0)
            return ERR_OK;
    }
    for (uint32_t partition = 0; partition < lookup->store->partitions; partition++) {
        if (by_key && !lookup->layout->windowed)
            TRY(get_partition(lookup, partition, keys, key_count, err));
        else
            TRY(scan_partition(lookup, partition, keys, key_count, err));
    }
    if (lookup->entry_count > 0)
        qsort(lookup->entries, lookup->entry_count, sizeof *lookup->entries, compare_entries);
    return ERR_OK;
}

/* -- The chain of nodes ----------------------------------------------------------------------- */

static void put_order(const Lookup *lookup, const Batch *batch, uint32_t row, Buf *out) {
    assert(row < batch->row_count);
    for (uint32_t i = 0; i < lookup->plan->order_count; i++) {
        const PlanOrder *order = &lookup->plan->order[i];
        size_t from = out->size;
        row_key_put_value(out, batch->columns[order->column], row);
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
    for (uint32_t i = from; i < to && !lookup->enough; i++) {
        uint32_t row = batch->selected[i];
        if (batch->kind[row] != ROW_VALUE)
            continue; /* a table's filter says of rows that fail: deleted */
        lookup->enough = plan->order_count == 0 && lookup->row_count >= wanted;
        if (lookup->enough)
            break;
        lookup->rows = mem_grow(lookup->rows, &lookup->row_capacity, lookup->row_count + 1,
                                sizeof *lookup->rows);
        Row *target = &lookup->rows[lookup->row_count];
        *target = (Row){.number = lookup->row_count++, .rowtime = batch->rowtime[row]};
        buf_reset(&bytes);
        row_value_put(&bytes, batch->columns, batch->schema->column_count, row);
        target->bytes = arena_bytes(lookup->arena, buf_view(&bytes));
        buf_reset(&bytes);
        put_order(lookup, batch, row, &bytes);
        target->order = arena_bytes(lookup->arena, buf_view(&bytes));
    }
    buf_free(&bytes);
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
    default: return NULL;
    }
}

/* Operators of the plan's chain from the STORE to the RESULT. */
static ErrCode open_chain(Lookup *lookup, Err *err) {
    const Plan *plan = lookup->plan;
    lookup->env = (OpEnv){.plan = plan, .io = lookup->runtime->io, .query_arena = lookup->arena,
                          .errors = &lookup->errors, .counters = &lookup->counters,
                          .step_arena = arena_new("lookup", 0),
                          .clock_us = lookup->runtime->io->ops->mono_us(lookup->runtime->io),
                          .drain_rows_max = BATCH_ROWS_MAX};
    lookup->ops = arena_array(lookup->arena, plan->node_count, sizeof *lookup->ops);
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const PlanNode *node = plan->nodes[i];
        Op *op = &lookup->ops[i];
        *op = (Op){.ops = lookup_ops(node->kind), .node = node, .env = &lookup->env};
        if (node->kind == PLAN_RESULT) {
            op->ops = &collect_ops;
            op->self = lookup;
        } else if (!op->ops && node != lookup->first_node) {
            return err_set(err, ERR_INTERNAL, "a lookup cannot run step %s", node->path);
        }
        if (node->input_count == 0)
            continue;
        assert(node->input_count == 1 && node->inputs[0] < i);
        Op *input = &lookup->ops[node->inputs[0]];
        input->edges = arena_array(lookup->arena, 1, sizeof *input->edges);
        input->edges[0] = (OpEdge){op, 0};
        input->edge_count = 1;
    }
    for (uint32_t i = 0; i < plan->node_count; i++) {
        Op *op = &lookup->ops[i];
        if (op->ops && op->ops->open)
            TRY(op->ops->open(op, &lookup->env, err));
    }
    return ERR_OK;
}

/* Entries [from, from + count) as a batch of the STORE node. */
static ErrCode make_batch(Lookup *lookup, size_t from, uint32_t count, Batch **target, Err *err) {
    assert(count > 0);
    assert(from + count <= lookup->entry_count);
    Arena *arena = lookup->env.step_arena;
    Bytes *keys = arena_array(arena, count, sizeof *keys);
    Bytes *values = arena_array(arena, count, sizeof *values);
    uint32_t *store_ids = arena_array(arena, count, sizeof *store_ids);
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = lookup->entries[from + i].key;
        values[i] = lookup->entries[from + i].value;
        store_ids[i] = lookup->entries[from + i].store_id;
    }
    StoreRows rows;
    StoreEntries entries = {keys, values, count, lookup->snapshot, store_ids};
    TRY(store_layout_read(lookup->layout, &entries, arena, &rows, err));
    Batch *batch = arena_alloc(arena, sizeof *batch);
    *batch = (Batch){.schema = lookup->first_node->schema,
                     .columns = (const Column *const *)rows.columns, .row_count = count,
                     .selected_count = count, .selected = batch_all_rows(count),
                     .rowtime = rows.rowtime, .window_start = rows.window_start,
                     .window_end = rows.window_end, .partition = -1, .topic = "",
                     .arena = arena, .errors = &lookup->errors};
    batch->seq = arena_array(arena, count, sizeof *batch->seq);
    batch->kind = arena_alloc(arena, count);
    batch->offset = arena_array(arena, count, sizeof *batch->offset);
    *target = batch;
    return ERR_OK;
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

/* The batch through the chain; what is still owed after that has an arena of its own. */
static ErrCode run_batch(Lookup *lookup, Batch *batch, Err *err) {
    uint32_t count = lookup->plan->node_count;
    Arena *step_arena = lookup->env.step_arena;
    batch->errors = &lookup->errors;
    op_emit(&lookup->ops[lookup->first_node->id], batch);
    for (uint32_t i = 0; i < count; i++)
        TRY(op_run(&lookup->ops[i], err));
    ErrCode code = ERR_OK;
    lookup->env.step_arena = arena_new("lookup drain", 0);
    for (uint32_t i = count; code == ERR_OK && i-- > 0;) {
        if (!lookup->ops[i].owes || lookup->enough)
            continue;
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

static ErrCode run_chain(Lookup *lookup, Err *err) {
    assert(lookup->ops);
    if (lookup->first_node->kind == PLAN_ROW)
        return run_batch(lookup, make_row(lookup), err);
    for (size_t from = 0; from < lookup->entry_count && !lookup->enough;) {
        size_t left = lookup->entry_count - from;
        uint32_t count = left < BATCH_ROWS_MAX ? (uint32_t)left : BATCH_ROWS_MAX;
        arena_reset(lookup->env.step_arena);
        Batch *batch;
        TRY(make_batch(lookup, from, count, &batch, err));
        TRY(run_batch(lookup, batch, err));
        from += count;
    }
    return ERR_OK;
}

/* -- The result ------------------------------------------------------------------------------- */

static int compare_rows(const void *left_void, const void *right_void) {
    const Row *left = left_void, *right = right_void;
    int order = bytes_compare(left->order, right->order);
    return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

static ErrCode make_result(Lookup *lookup, ResultRows *rows, Err *err) {
    const Plan *plan = lookup->plan;
    const Schema *schema = lookup->result_node->schema;
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
    const Type **types = arena_array(lookup->arena, schema->column_count, sizeof *types);
    for (uint32_t i = 0; i < schema->column_count; i++)
        types[i] = schema->columns[i].type;
    RowLayout layout = {types, schema->column_count};
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
        if (plan->nodes[i]->kind == PLAN_STORE || plan->nodes[i]->kind == PLAN_ROW)
            lookup->first_node = plan->nodes[i];
        if (plan->nodes[i]->kind == PLAN_RESULT)
            lookup->result_node = plan->nodes[i];
    }
    if (!lookup->first_node || !lookup->result_node)
        return err_set(err, ERR_INTERNAL, "a lookup needs a store and a result");
    return ERR_OK;
}

/* The store that is read. */
static ErrCode find_store(Lookup *lookup, Err *err) {
    assert(!lookup->layout && lookup->store->partitions > 0);
    const Plan *owner = lookup->store->plan;
    for (uint32_t i = 0; i < owner->node_count; i++) {
        const PlanNode *node = owner->nodes[i];
        if ((node->kind == PLAN_AGGREGATE || node->kind == PLAN_MATERIALIZE) &&
            strcmp(node->path, lookup->first_node->store_path) == 0) {
            lookup->owner_node = i;
            lookup->layout = store_layout_new(owner, node, lookup->arena);
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INTERNAL, "query %s has no store '%s'",
                   owner->query_id ? owner->query_id : "?", lookup->first_node->store_path);
}

static void note_errors(Lookup *lookup, ResultRows *rows) {
    RowError last[ROW_ERRORS_KEPT];
    if (row_errors_last(&lookup->errors, last, &rows->error_count) > 0)
        rows->error = arena_strdup(lookup->arena, last[0].text);
}

ErrCode lookup_run(Runtime *runtime, const Plan *plan, const LookupStore *store, Arena *arena,
                   ResultRows *rows, Err *err) {
    assert(plan->kind == PLAN_PULL);
    Lookup lookup = {.runtime = runtime, .plan = plan, .store = store, .arena = arena};
    row_errors_init(&lookup.errors);
    ErrCode code;
    TRY_DONE(find_nodes(&lookup, err));
    if (lookup.first_node->kind == PLAN_STORE) {
        TRY_DONE(find_store(&lookup, err));
        lookup.snapshot = snapshot_open(runtime->storage);
        TRY_DONE(read_entries(&lookup, err));
    }
    TRY_DONE(open_chain(&lookup, err));
    TRY_DONE(run_chain(&lookup, err));
    TRY_DONE(make_result(&lookup, rows, err));
    note_errors(&lookup, rows);
done:
    arena_free(lookup.env.step_arena);
    if (lookup.snapshot)
        snapshot_close(lookup.snapshot);
    mem_free(lookup.entries);
    mem_free(lookup.rows);
    row_errors_close(&lookup.errors);
    return code;
}
