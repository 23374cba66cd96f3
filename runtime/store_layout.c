/*
 * store_layout.c - see store_layout.h.
 */
#include "runtime/store_layout.h"

#include <assert.h>

static const Type **column_types(Arena *arena, const Schema *schema, uint32_t from, uint32_t to) {
    assert(from <= to);
    assert(to <= schema->column_count);
    const Type **types = arena_array(arena, to - from, sizeof *types);
    for (uint32_t i = from; i < to; i++)
        types[i - from] = schema->columns[i].type;
    return types;
}

bool session_split(Bytes key, SessionBounds *bounds) {
    assert(bounds);
    if (key.size <= SESSION_BOUNDS_SIZE)
        return false;
    bounds->row_key = (Bytes){key.data, key.size - SESSION_BOUNDS_SIZE};
    Reader in = reader_of((Bytes){key.data + bounds->row_key.size, SESSION_BOUNDS_SIZE});
    bounds->end = (int64_t)reader_u64_be(&in);
    bounds->start = (int64_t)reader_u64_be(&in);
    return bounds->start >= 0 && bounds->start <= bounds->end;
}

static void layout_states(StoreLayout *layout, const PlanNode *node, Arena *arena) {
    assert(layout->fixed_size == 0);
    layout->fixed_size = layout->sessions ? SESSION_FIXED_SIZE : 0;
    uint32_t *offsets = arena_array(arena, node->aggregate_count, sizeof *offsets);
    for (uint32_t i = 0; i < node->aggregate_count; i++) {
        offsets[i] = layout->fixed_size;
        layout->fixed_size += (node->aggregates[i].aggregate->state_size + 7) / 8 * 8;
    }
    layout->state_offsets = offsets;
}

const StoreLayout *store_layout_new(const Plan *plan, const PlanNode *node, Arena *arena) {
    assert(node->kind == PLAN_MATERIALIZE || node->kind == PLAN_JOIN_TABLE ||
           node->kind == PLAN_AGGREGATE);
    StoreLayout *layout = arena_alloc(arena, sizeof *layout);
    const PlanNode *stored = node->kind == PLAN_JOIN_TABLE ? plan->nodes[node->inputs[1]] : node;
    const Schema *schema = stored->schema;
    layout->node = node;
    layout->schema = schema;
    layout->windowed = stored->windowed;
    layout->is_aggregate = node->kind == PLAN_AGGREGATE;
    layout->sessions = layout->is_aggregate && node->window.kind == WINDOW_SESSION;
    layout->keys = (RowLayout){column_types(arena, schema, 0, schema->key_count),
                               schema->key_count};
    layout->values =
        (RowLayout){column_types(arena, schema, schema->key_count, schema->column_count),
                    schema->column_count - schema->key_count};
    if (layout->is_aggregate) {
        assert(node->aggregate_count == layout->values.column_count);
        layout_states(layout, node, arena);
    }
    return layout;
}

static void *state_of(const StoreLayout *layout, Slot *slot, uint32_t index) {
    assert(index < layout->node->aggregate_count);
    return (uint8_t *)slot->fixed + layout->state_offsets[index];
}

void store_layout_put(const StoreLayout *layout, const Slot *slot, Buf *out) {
    assert(slot->present);
    buf_zigzag(out, slot->rowtime);
    if (!layout->is_aggregate) {
        buf_put(out, slot->value, slot->value_size);
        return;
    }
    for (uint32_t i = 0; i < layout->node->aggregate_count; i++) {
        const uint8_t *state = (const uint8_t *)slot->fixed + layout->state_offsets[i];
        layout->node->aggregates[i].aggregate->save(state, out);
    }
}

ErrCode store_layout_get(const StoreLayout *layout, SlotTable *table, Slot *slot, Bytes value,
                         Err *err) {
    assert(slot->present);
    Reader in = reader_of(value);
    slot->rowtime = reader_zigzag(&in);
    if (!layout->is_aggregate) {
        slot_table_set_value(table, slot, reader_bytes(&in, reader_left(&in)));
        return reader_ok(&in) ? ERR_OK : err_set(err, ERR_CORRUPT, "a stored row is cut short");
    }
    for (uint32_t i = 0; i < layout->node->aggregate_count; i++) {
        const Aggregate *aggregate = layout->node->aggregates[i].aggregate;
        if (!aggregate->load(&in, state_of(layout, slot, i), &table->blobs) || !reader_ok(&in))
            return err_set(err, ERR_CORRUPT, "the stored state of %s does not fit",
                           aggregate->name);
    }
    return ERR_OK;
}

/* -- Lookups ---------------------------------------------------------------------------------- */

/* States of a lookup live in its arena. */
typedef struct ArenaHeap {
    AggregateHeap heap; /* must be first */
    Arena *arena;
} ArenaHeap;

static void *arena_heap_put(AggregateHeap *heap, Bytes bytes) {
    return (void *)(uintptr_t)arena_bytes(((ArenaHeap *)heap)->arena, bytes).data;
}

static void arena_heap_drop(AggregateHeap *heap, void *block) {
    assert(heap);
    (void)block;
}

static void no_failure(void *context, uint32_t row, const char *format, ...) {
    assert(format);
    (void)context;
    (void)row;
}

static ErrCode read_aggregate(const PlanAggregate *plan, Reader *readers, uint32_t count,
                              ArenaHeap *heap, Column *result, Err *err) {
    assert(count > 0);
    assert(result->length == count);
    const Aggregate *aggregate = plan->aggregate;
    size_t state_size = (aggregate->state_size + 7u) / 8 * 8;
    uint8_t *bytes = arena_alloc(heap->arena, state_size * count);
    void **states = arena_array(heap->arena, count, sizeof *states);
    for (uint32_t i = 0; i < count; i++) {
        states[i] = bytes + i * state_size;
        if (!aggregate->load(&readers[i], states[i], &heap->heap) || !reader_ok(&readers[i]))
            return err_set(err, ERR_CORRUPT, "the stored state of %s does not fit",
                           aggregate->name);
    }
    AggregateCall call = {.states = states, .rows = batch_all_rows(count), .count = count,
                          .after = result, .heap = &heap->heap, .arena = heap->arena,
                          .fail = no_failure};
    aggregate->result(&call);
    return ERR_OK;
}

static ErrCode read_keys(const StoreLayout *layout, const Bytes *keys, Arena *arena,
                         StoreRows *rows, Err *err) {
    assert(rows->count > 0);
    uint32_t count = rows->count;
    if (!layout->windowed)
        return row_key_get(keys, count, &layout->keys, arena, rows->columns, err);
    Bytes *inner = arena_array(arena, count, sizeof *inner);
    rows->window_start = arena_array(arena, count, sizeof *rows->window_start);
    rows->window_end = arena_array(arena, count, sizeof *rows->window_end);
    for (uint32_t i = 0; i < count; i++) {
        SessionBounds bounds;
        if (layout->sessions && !session_split(keys[i], &bounds))
            return err_set(err, ERR_CORRUPT, "a stored session key does not fit");
        if (layout->sessions) {
            rows->window_start[i] = bounds.start;
            rows->window_end[i] = bounds.end;
            inner[i] = bounds.row_key;
            continue;
        }
        Reader in = reader_of(keys[i]);
        rows->window_start[i] = (int64_t)reader_u64_be(&in);
        rows->window_end[i] = rows->window_start[i] + layout->node->window.size_ms;
        inner[i] = reader_bytes(&in, reader_left(&in));
        if (!reader_ok(&in))
            return err_set(err, ERR_CORRUPT, "a stored window key is cut short");
    }
    return row_key_get(inner, count, &layout->keys, arena, rows->columns, err);
}

ErrCode store_layout_read(const StoreLayout *layout, const StoreEntries *entries, Arena *arena,
                          StoreRows *rows, Err *err) {
    uint32_t count = entries->count;
    assert(count > 0);
    *rows = (StoreRows){.count = count};
    rows->columns = arena_array(arena, layout->schema->column_count, sizeof *rows->columns);
    TRY(read_keys(layout, entries->keys, arena, rows, err));
    rows->rowtime = arena_array(arena, count, sizeof *rows->rowtime);
    Reader *readers = arena_array(arena, count, sizeof *readers);
    Bytes *bodies = arena_array(arena, count, sizeof *bodies);
    for (uint32_t i = 0; i < count; i++) {
        readers[i] = reader_of(entries->values[i]);
        rows->rowtime[i] = reader_zigzag(&readers[i]);
        if (layout->is_aggregate)
            continue;
        if (layout->windowed)
            rows->window_end[i] = rows->window_start[i] + (int64_t)reader_varint(&readers[i]);
        bodies[i] = reader_bytes(&readers[i], reader_left(&readers[i]));
        if (!reader_ok(&readers[i]))
            return err_set(err, ERR_CORRUPT, "a stored row is cut short");
    }
    Column **columns = rows->columns + layout->keys.column_count;
    if (!layout->is_aggregate)
        return row_value_get(bodies, count, &layout->values, arena, columns, err);
    ArenaHeap heap = {{arena_heap_put, arena_heap_drop}, arena};
    for (uint32_t i = 0; i < layout->node->aggregate_count; i++) {
        columns[i] = column_new(arena, layout->values.types[i], count);
        TRY(read_aggregate(&layout->node->aggregates[i], readers, count, &heap, columns[i], err));
    }
    return ERR_OK;
}
