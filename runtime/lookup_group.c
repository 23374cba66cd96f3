/*
 * lookup_group.c - GROUP BY in a lookup: the last result of each group is the group's result.
 *
 * The AGGREGATE operator gives a row for each row it gets; the collector behind it keeps the last
 * one of each group as bytes. When all rows were read, the groups go through the rest of the chain
 * in order of their keys. Without GROUP BY there is one group, even over no rows.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "runtime/lookup_impl.h"
#include "runtime/row_keys.h"

struct LookupGroups {
    Lookup *lookup;
    const PlanNode *node;
    StateLog log;
    SlotTable slots; /* key: of the group; value: all columns */
    Slot **list;     /* in order of first touch */
    size_t count, capacity;
    Buf scratch;
};

LookupGroups *lookup_groups_new(Lookup *lookup, const PlanNode *node) {
    assert(node->kind == PLAN_AGGREGATE);
    LookupGroups *groups = mem_alloc(sizeof *groups);
    groups->lookup = lookup;
    groups->node = node;
    state_log_init(&groups->log, 0);
    slot_table_init(&groups->slots, &groups->log);
    return groups;
}

void lookup_groups_free(LookupGroups *groups) {
    if (!groups)
        return;
    state_log_submit(&groups->log);
    state_log_settle(&groups->log);
    slot_table_close(&groups->slots);
    state_log_close(&groups->log);
    buf_free(&groups->scratch);
    mem_free(groups->list);
    mem_free(groups);
}

static void keep_group(LookupGroups *groups, const Batch *batch, const RowKeys *keys,
                       uint32_t index) {
    assert(index < batch->selected_count);
    uint32_t row = batch->selected[index];
    Slot *slot = slot_table_touch(&groups->slots, keys->hashes[index], keys->keys[index]);
    if (!slot->present) {
        slot_table_set_present(&groups->slots, slot, true);
        groups->list = mem_grow(groups->list, &groups->capacity, groups->count + 1,
                                sizeof *groups->list);
        groups->list[groups->count++] = slot;
    }
    buf_reset(&groups->scratch);
    row_value_put(&groups->scratch, batch->columns, batch->schema->column_count, row);
    slot_table_set_value(&groups->slots, slot, buf_view(&groups->scratch));
    slot->rowtime = batch->rowtime[row];
}

/* Of several rows of one group in the batch only the last is kept. */
static ErrCode groups_apply(Op *op, int port, Batch *batch, uint16_t from, uint16_t to, Err *err) {
    assert(port == 0 && from < to);
    (void)port;
    (void)err;
    LookupGroups *groups = op->self;
    Buf key_bytes = {0};
    const RowKeys *keys = row_keys_new(batch, batch->columns, batch->schema->key_count,
                                       ROW_KEYS_PLAIN, &key_bytes);
    uint32_t mask = 63;
    while (mask < 2u * (to - from))
        mask = mask * 2 + 1;
    uint64_t *seen = arena_array(batch->arena, (size_t)mask + 1, sizeof *seen); /* index + 1 */
    for (uint32_t i = to; i-- > from;) {
        uint64_t at = keys->hashes[i] & mask;
        while (seen[at] != 0 && !bytes_equal(keys->keys[seen[at] - 1], keys->keys[i]))
            at = (at + 1) & mask;
        if (seen[at] != 0)
            continue;
        seen[at] = (uint64_t)i + 1;
        keep_group(groups, batch, keys, i);
    }
    state_log_submit(&groups->log);
    state_log_settle(&groups->log);
    buf_free(&key_bytes);
    return ERR_OK;
}

const OpOps lookup_groups_ops = {
    .name = "LookupGroups",
    .apply = groups_apply,
};

/* -- The results ------------------------------------------------------------------------------ */

static int compare_slots(const void *left_void, const void *right_void) {
    const Slot *left = *(Slot *const *)left_void, *right = *(Slot *const *)right_void;
    return bytes_compare((Bytes){left->key, left->key_size}, (Bytes){right->key, right->key_size});
}

static Batch *new_batch(const LookupGroups *groups, uint32_t count) {
    assert(count > 0);
    Lookup *lookup = groups->lookup;
    Arena *arena = lookup->env.step_arena;
    Batch *batch = arena_alloc(arena, sizeof *batch);
    *batch = (Batch){.schema = groups->node->schema, .row_count = count, .selected_count = count,
                     .selected = batch_all_rows(count), .partition = -1, .topic = "",
                     .arena = arena, .errors = &lookup->errors};
    batch->seq = arena_array(arena, count, sizeof *batch->seq);
    batch->kind = arena_alloc(arena, count);
    batch->offset = arena_array(arena, count, sizeof *batch->offset);
    return batch;
}

static ErrCode emit_batch(LookupGroups *groups, Batch *batch, Err *err) {
    Lookup *lookup = groups->lookup;
    assert(batch->selected_count > 0);
    op_emit(&lookup->ops[groups->node->id], batch);
    return lookup_run_behind(lookup, groups->node->id, err);
}

static ErrCode emit_groups(LookupGroups *groups, size_t from, uint32_t count, Err *err) {
    assert(from + count <= groups->count);
    const Schema *schema = groups->node->schema;
    Arena *arena = groups->lookup->env.step_arena;
    Batch *batch = new_batch(groups, count);
    Bytes *bytes = arena_array(arena, count, sizeof *bytes);
    int64_t *rowtime = arena_array(arena, count, sizeof *rowtime);
    for (uint32_t i = 0; i < count; i++) {
        const Slot *slot = groups->list[from + i];
        bytes[i] = (Bytes){slot->value, slot->value_size};
        rowtime[i] = slot->rowtime;
    }
    RowLayout layout = row_layout_of(schema, 0, schema->column_count, arena);
    Column **columns = arena_array(arena, schema->column_count, sizeof *columns);
    TRY(row_value_get(bytes, count, &layout, arena, columns, err));
    batch->columns = (const Column *const *)columns;
    batch->rowtime = rowtime;
    return emit_batch(groups, batch, err);
}

static void nothing_fails(void *context, uint32_t row, const char *format, ...) {
    assert(format);
    (void)context;
    (void)row;
}

/* What the aggregates say of no rows. */
static ErrCode emit_nothing(LookupGroups *groups, Err *err) {
    const PlanNode *node = groups->node;
    assert(node->schema->key_count == 1);
    Arena *arena = groups->lookup->env.step_arena;
    static const int64_t rowtime = 0;
    Batch *batch = new_batch(groups, 1);
    const Column **columns = arena_array(arena, node->schema->column_count, sizeof *columns);
    columns[0] = column_new(arena, node->schema->columns[0].type, 1);
    ArenaHeap heap;
    arena_heap_init(&heap, arena);
    for (uint32_t i = 0; i < node->aggregate_count; i++) {
        const PlanAggregate *plan = &node->aggregates[i];
        void *state = arena_alloc(arena, (plan->aggregate->state_size + 7u) / 8 * 8);
        Column *result = column_new(arena, plan->type, 1);
        AggregateCall call = {.states = &state, .rows = batch_all_rows(1), .count = 1,
                              .after = result, .limits = plan->limits, .heap = &heap.heap,
                              .arena = arena, .fail = nothing_fails};
        plan->aggregate->ops->result(&call);
        columns[1 + i] = result;
    }
    batch->columns = columns;
    batch->rowtime = &rowtime;
    return emit_batch(groups, batch, err);
}

ErrCode lookup_groups_run(Lookup *lookup, Err *err) {
    LookupGroups *groups = lookup->groups;
    if (groups->count == 0 && lookup->plan->one_group)
        return emit_nothing(groups, err);
    if (groups->count > 1)
        qsort(groups->list, groups->count, sizeof *groups->list, compare_slots);
    for (size_t from = 0; from < groups->count && !lookup->enough;) {
        size_t left = groups->count - from;
        uint32_t count = left < BATCH_ROWS_MAX ? (uint32_t)left : BATCH_ROWS_MAX;
        arena_reset(lookup->env.step_arena);
        TRY(emit_groups(groups, from, count, err));
        from += count;
    }
    return ERR_OK;
}
